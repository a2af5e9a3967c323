// SPDX-License-Identifier: GPL-2.0-only
/*
 * The control queue of a net device under this kernel's virtio_net, where the
 * module's parameter allows it. virtio_net holds the network's lock and spins
 * until a command is answered. From DRIVER_OK to the reset a work looks at the
 * queue twice in a message's time: commands that wait and no answer since the
 * last look mean that none will come. The device is broken then, and virtio_net
 * stops waiting.
 *
 * It looks at the ring's memory, for a process that polls takes no kicks.
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

/* It follows the pairs of queues that virtio_net takes: all, or one. */
static struct vduse_vq *control_queue(struct vduse_dev *dev)
{
	__le16 pairs = cpu_to_le16(1);
	u32 index;

	if ((negotiated(dev, VIRTIO_NET_F_MQ) || negotiated(dev, VIRTIO_NET_F_RSS)) &&
	    dev->config_size >= offsetofend(struct virtio_net_config, max_virtqueue_pairs)) {
		spin_lock(&dev->config_lock);
		memcpy(&pairs, dev->config +
		       offsetof(struct virtio_net_config, max_virtqueue_pairs), sizeof(pairs));
		spin_unlock(&dev->config_lock);
	}
	index = 2 * le16_to_cpu(pairs);
	return index < dev->vq_num ? dev->vq[index] : NULL;
}

/* The two sides' positions in a split ring; false if it has no memory. */
static bool read_positions(struct vduse_dev *dev, struct vduse_vq *vq, u16 *avail, u16 *used)
{
	struct vduse_domain *domain = vduse_dev_domain(dev, 0);
	struct vduse_ring ring;

	spin_lock(&vq->ring_lock);
	ring = vq->ring;
	spin_unlock(&vq->ring_lock);
	return domain &&
	       !vduse_domain_read_le16(domain, ring.driver_addr +
				       offsetof(struct vring_avail, idx), avail) &&
	       !vduse_domain_read_le16(domain, ring.device_addr +
				       offsetof(struct vring_used, idx), used);
}

static int break_virtio(struct device *device, void *unused)
{
	if (device->bus && !strcmp(device->bus->name, "virtio"))
		virtio_break_device(dev_to_virtio(device));
	return 0;
}

/* The vDPA device cannot go: it resets first, and that waits for this work. */
static void give_up(struct vduse_dev *dev)
{
	dev_err(&dev->dev, "no answer on the control queue: the device is broken\n");
	vduse_msg_break(dev);
	device_for_each_child(&dev->vdpa->dev, NULL, break_virtio);
}

static void look_again(struct vduse_dev *dev)
{
	unsigned int timeout = READ_ONCE(dev->msg.timeout);

	/* A time-out of 0 may be changed: look now and then. */
	if (!timeout)
		timeout = VDUSE_MSG_TIMEOUT_DEFAULT;
	queue_delayed_work(vduse_irq_wq, &dev->ctrl_work, (long)timeout * HZ / 2);
}

static void ctrl_work(struct work_struct *work)
{
	struct vduse_dev *dev = container_of(work, struct vduse_dev, ctrl_work.work);
	struct vduse_vq *vq = control_queue(dev);
	u16 avail, used;
	bool waiting;

	if (!vq || vduse_msg_broken(dev) || !read_positions(dev, vq, &avail, &used))
		return;
	waiting = avail != used;
	if (waiting && dev->ctrl_waiting && used == dev->ctrl_used &&
	    READ_ONCE(dev->msg.timeout)) {
		give_up(dev);
		return;
	}
	dev->ctrl_waiting = waiting;
	dev->ctrl_used = used;
	look_again(dev);
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
