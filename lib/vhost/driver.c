/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * What the driver wants.
 * Input: callbacks of lib/vduse. Output: changes, which the events thread tells the application.
 * Thread: control. While a callback runs the kernel waits for its answer, and no poller uses the
 * virtqueue.
 */
#include <linux/virtio_config.h>

#include <vhost/vhost.h>

/* The driver must be up, a virtqueue ready, and the first buffer in a known region. */
void
vhost_driver_evaluate(struct vhost_dev *dev)
{
	uint16_t i;

	for (i = 0; i < dev->conf.nb_vqs && !dev->up; i++) {
		if (!dev->driver_ok || !dev->primed || !dev->vqs[i].ready)
			continue;
		dev->up = true;
		/* Skips 0, which means none. */
		dev->generation += dev->generation == UINT32_MAX ? 2 : 1;
	}
	vhost_changed();
}

/* Under the mutex. A ring that lib/virtio_net serves is ready even if it cannot be mapped here. */
static int
driver_map(struct vhost_dev *dev, struct vhost_vq *vq)
{
	int ret = vhost_ring_map(vq);

	if (ret == 0)
		vhost_inflight_find(dev, vq);
	vq->ready = ret == 0 || dev->builtin;
	return ret;
}

static int
driver_vq_start(struct rte_vduse_vq *vq, const struct rte_vduse_vq_info *info, void *arg)
{
	struct vhost_dev *dev = arg;
	struct vhost_vq *own = &dev->vqs[rte_vduse_vq_index(vq)];
	int ret;

	vhost_lock();
	own->info = *info;
	own->packed = (info->features & VHOST_BIT(VIRTIO_F_RING_PACKED)) != 0;
	own->event_idx = (info->features & VHOST_BIT(VIRTIO_RING_F_EVENT_IDX)) != 0;
	own->based = false;
	own->base = (uint16_t)info->position;
	ret = driver_map(dev, own);
	vhost_driver_evaluate(dev);
	vhost_unlock();
	return ret;
}

static int
driver_vq_remap(struct rte_vduse_vq *vq, void *arg)
{
	struct vhost_dev *dev = arg;
	struct vhost_vq *own = &dev->vqs[rte_vduse_vq_index(vq)];
	int ret;

	vhost_lock();
	/*
	 * The application has to drop its old addresses; driver_memory() brings the device up
	 * again.
	 */
	if (dev->raw)
		vhost_events_down(dev);
	own->base = vhost_ring_position(own);
	ret = driver_map(dev, own);
	vhost_unlock();
	return ret;
}

static void
driver_vq_stop(struct rte_vduse_vq *vq, void *arg)
{
	struct vhost_dev *dev = arg;
	struct vhost_vq *own = &dev->vqs[rte_vduse_vq_index(vq)];

	vhost_lock();
	vhost_events_down(dev);
	own->base = vhost_ring_position(own);
	vhost_inflight_forget(own);
	own->ready = false;
	own->vring = vhost_ring_none;
	vhost_unlock();
}

static uint32_t
driver_vq_position(struct rte_vduse_vq *vq, void *arg)
{
	const struct vhost_dev *dev = arg;
	uint32_t position;

	vhost_lock();
	position = vhost_ring_position(&dev->vqs[rte_vduse_vq_index(vq)]);
	vhost_unlock();
	return position;
}

static void
driver_memory(struct rte_vduse_dev *vduse, void *arg)
{
	struct vhost_dev *dev = arg;

	RTE_SET_USED(vduse);
	vhost_memory_take(dev);
	vhost_lock();
	vhost_driver_evaluate(dev);
	vhost_unlock();
}

static void
driver_status(struct rte_vduse_dev *vduse, uint8_t status, void *arg)
{
	struct vhost_dev *dev = arg;

	RTE_SET_USED(vduse);
	vhost_lock();
	dev->driver_ok = (status & VIRTIO_CONFIG_S_DRIVER_OK) != 0;
	dev->primed = dev->builtin;
	if (dev->driver_ok)
		vhost_driver_evaluate(dev);
	else
		vhost_events_down(dev);
	vhost_unlock();
}

const struct rte_vduse_dev_ops vhost_driver_ops = {
	.vq_start = driver_vq_start,
	.vq_remap = driver_vq_remap,
	.vq_stop = driver_vq_stop,
	.vq_position = driver_vq_position,
	.memory = driver_memory,
	.status = driver_status,
};
