// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
/*
 * A device that does not work any more: its driver is told, so that it stops
 * waiting. virtio_net spins for answers on its control queue, virtio_blk waits
 * for the partition table in its probe.
 *
 * Input: the device; from a vDPA operation or from ctrlvq.c, without spin locks.
 * Output: broken queues of a virtio device; a configuration interrupt to others.
 */
#include <linux/virtio.h>

#include "vduse.h"

/* Entries of this kind in the list of all devices are devices. */
static bool is_child_of(const struct kobject *kobj, const struct device *parent)
{
	return kobj->ktype == parent->kobj.ktype && kobj_to_dev(kobj)->parent == parent;
}

/*
 * Not device_for_each_child(), which finds a child only after its driver's
 * probe, and that is where it may wait already. bus_find_device() would find it,
 * but nobody exports the bus of virtio.
 */
struct virtio_device *vduse_virtio_get(struct vduse_dev *dev)
{
	struct device *vdpa = &dev->vdpa->dev, *found = NULL;
	struct kset *all = vdpa->kobj.kset;
	struct kobject *kobj;

	spin_lock(&all->list_lock);
	list_for_each_entry(kobj, &all->list, entry) {
		if (!is_child_of(kobj, vdpa) || !kobject_get_unless_zero(kobj))
			continue;
		found = kobj_to_dev(kobj);
		break;
	}
	spin_unlock(&all->list_lock);
	if (found && found->bus && !strcmp(found->bus->name, "virtio"))
		return dev_to_virtio(found);
	put_device(found);
	return NULL;
}

bool vduse_break_virtio(struct vduse_dev *dev)
{
	struct virtio_device *virtio = vduse_virtio_get(dev);

	if (!virtio)
		return false;
	virtio_break_device(virtio);
	put_device(&virtio->dev);
	return true;
}

/*
 * Others read NEEDS_RESET in the status after the interrupt, which is refused
 * before DRIVER_OK and while suspended. Drivers of virtio do not look, and one
 * that is about to go would not expect a change of the configuration.
 */
void vduse_tell_broken(struct vduse_dev *dev)
{
	dev_err(&dev->dev,
		"broken: vdpa dev del %s, then destroy the device and make it again\n",
		dev_name(&dev->dev));
	if (!vduse_break_virtio(dev))
		vduse_config_interrupt(dev);
}
