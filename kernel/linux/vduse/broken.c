// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
/*
 * Notifies the driver of a broken device, so that it stops waiting. virtio_net
 * spins for answers on its control queue, virtio_blk waits for the partition
 * table in its probe.
 *
 * Input: the device. Output: broken queues of a virtio device, or a configuration
 * interrupt to other drivers. Called from vDPA operations and from ctrlvq.c,
 * without spin locks.
 */
#include <linux/virtio.h>

#include "vduse.h"

/* Entries of this kind in the list of all devices are devices. */
static bool is_child_of(const struct kobject *kobj, const struct device *parent)
{
	return kobj->ktype == parent->kobj.ktype && kobj_to_dev(kobj)->parent == parent;
}

/*
 * device_for_each_child() finds a child only after its driver's probe, but the
 * probe may be what waits for the device. bus_find_device() would find it,
 * but the bus of virtio is not exported.
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
 * Other drivers read NEEDS_RESET in the status after the interrupt, which is
 * refused before DRIVER_OK and while suspended. Virtio drivers do not check it,
 * and one that is being removed would not expect a configuration change.
 */
void vduse_tell_broken(struct vduse_dev *dev)
{
	dev_err(&dev->dev,
		"broken: vdpa dev del %s, then destroy the device and make it again\n",
		dev_name(&dev->dev));
	if (!vduse_break_virtio(dev))
		vduse_config_interrupt(dev);
}
