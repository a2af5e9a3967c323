// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
/*
 * Watches the control queue of a net device under this kernel's virtio_net, if
 * the module parameter allows that queue. virtio_net holds the network lock and
 * spins until a command is answered. From DRIVER_OK to the reset a work checks
 * the queue twice within a message time-out. If a command is pending and none
 * was answered since the last check, the device is broken, and virtio_net stops
 * waiting.
 *
 * The process can write the rings and the configuration space, and can disable
 * kicks in the ring. Therefore the index of the queue and whether a command is
 * pending come from virtio_net's own count of free descriptors. Only the answer
 * is read from the ring, as virtio_net does: it stops waiting on the same value,
 * or breaks the queue if the answer is invalid.
 */
#include <linux/virtio.h>
#include <linux/virtio_config.h>
#include <uapi/linux/virtio_ids.h>
#include <uapi/linux/virtio_net.h>
#include <uapi/linux/virtio_ring.h>

#include "vduse.h"

static bool negotiated(const struct vduse_dev *dev, unsigned int bit)
{
	return READ_ONCE(dev->driver_features) & BIT_ULL(bit);
}

/* virtio_net's last queue is the control queue: its index, or -1, and whether a command waits. */
static int look_at_driver(struct virtio_device *virtio, bool *waiting)
{
	struct virtqueue *vq, *last = NULL;
	int index = -1;

	spin_lock(&virtio->vqs_list_lock);
	list_for_each_entry(vq, &virtio->vqs, list)
		if (!last || vq->index > last->index)
			last = vq;
	if (last) {
		index = last->index;
		*waiting = READ_ONCE(last->num_free) != virtqueue_get_vring_size(last);
	}
	spin_unlock(&virtio->vqs_list_lock);
	return index;
}

/* The device's position in a split ring; 0 if it has no memory. */
static u16 read_used(struct vduse_dev *dev, struct vduse_vq *vq)
{
	struct vduse_domain *domain = vduse_dev_domain(dev, 0);
	u64 device_addr;
	u16 used = 0;

	spin_lock(&vq->ring_lock);
	device_addr = vq->ring.device_addr;
	spin_unlock(&vq->ring_lock);
	if (domain)
		vduse_domain_read_le16(domain, device_addr + offsetof(struct vring_used, idx),
				       &used);
	return used;
}

static void look_again(struct vduse_dev *dev)
{
	unsigned int timeout = READ_ONCE(dev->msg.timeout);

	/* A time-out of 0 may be changed later: check periodically. */
	if (!timeout)
		timeout = VDUSE_MSG_TIMEOUT_DEFAULT;
	queue_delayed_work(vduse_irq_wq, &dev->ctrl_work, (long)timeout * HZ / 2);
}

/* True if a command also waited at the last check and none was answered since. */
static bool is_stuck(struct vduse_dev *dev)
{
	struct virtio_device *virtio = vduse_virtio_get(dev);
	bool waiting = false, stuck;
	int index;
	u16 used;

	if (!virtio)
		return false;
	index = look_at_driver(virtio, &waiting);
	put_device(&virtio->dev);
	if (index < 0 || index >= dev->vq_num)
		return false;
	used = read_used(dev, dev->vq[index]);
	stuck = waiting && dev->ctrl_waiting && used == dev->ctrl_used;
	dev->ctrl_waiting = waiting;
	dev->ctrl_used = used;
	return stuck;
}

/* The code that broke the device has notified virtio_net. */
static void ctrl_work(struct work_struct *work)
{
	struct vduse_dev *dev = container_of(work, struct vduse_dev, ctrl_work.work);

	if (vduse_msg_broken(dev))
		return;
	if (!is_stuck(dev) || !READ_ONCE(dev->msg.timeout)) {
		look_again(dev);
		return;
	}
	dev_err(&dev->dev, "no answer on the control queue: the device is broken\n");
	vduse_msg_break(dev);
}

void vduse_ctrl_init(struct vduse_dev *dev)
{
	INIT_DELAYED_WORK(&dev->ctrl_work, ctrl_work);
}

void vduse_ctrl_start(struct vduse_dev *dev)
{
	if (dev->device_id != VIRTIO_ID_NET || !negotiated(dev, VIRTIO_NET_F_CTRL_VQ))
		return;
	dev->ctrl_waiting = false;
	look_again(dev);
}

void vduse_ctrl_stop(struct vduse_dev *dev)
{
	cancel_delayed_work_sync(&dev->ctrl_work);
}
