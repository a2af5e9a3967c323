/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Packets. Ids of other devices go on to librte_vhost.
 * Input: bursts of the application. Output: bursts of lib/virtio_net.
 * Thread: polling threads.
 */
#include <vhost/vhost.h>

/* Virtqueue 2i carries packets to the driver, 2i + 1 packets from it. */
#define DATA_PAIR(queue_id)        ((uint16_t)((queue_id) / 2))
#define DATA_FROM_DRIVER(queue_id) (((queue_id)&1) != 0)

/* Checks the index and direction of a virtqueue, because lib/virtio_net does not. */
static inline bool
data_queue_ok(const struct vhost_dev *dev, uint16_t queue_id, bool from_driver)
{
	return likely(dev->net != NULL && queue_id < dev->conf.nb_vqs &&
		      DATA_FROM_DRIVER(queue_id) == from_driver);
}

uint16_t
rte_vhost_enqueue_burst(int vid, uint16_t queue_id, struct rte_mbuf **pkts, uint16_t count)
{
	struct vhost_dev *dev = vhost_dev_get(vid);
	struct vhost_vq *vq;
	uint16_t done;

	if (dev == NULL)
		return VHOST_REAL(enqueue_burst, 0, vid, queue_id, pkts, count);
	if (!data_queue_ok(dev, queue_id, false))
		return 0;
	vq = &dev->vqs[queue_id];
	/* Several lcores may send to one queue: rte_vhost_enqueue_burst() has to serialise them. */
	rte_spinlock_lock(&vq->enqueue);
	done = rte_vduse_net_tx_copy(dev->net, DATA_PAIR(queue_id), pkts, count);
	rte_spinlock_unlock(&vq->enqueue);
	return done;
}

uint16_t
rte_vhost_dequeue_burst(int vid, uint16_t queue_id, struct rte_mempool *mbuf_pool,
			struct rte_mbuf **pkts, uint16_t count)
{
	struct vhost_dev *dev = vhost_dev_get(vid);
	uint16_t done;

	if (dev == NULL)
		return VHOST_REAL(dequeue_burst, 0, vid, queue_id, mbuf_pool, pkts, count);
	if (!data_queue_ok(dev, queue_id, true))
		return 0;
	done = rte_vduse_net_rx_burst(dev->net, DATA_PAIR(queue_id), mbuf_pool, pkts, count);
	if (dev->legacy_flags)
		vhost_legacy_flags(pkts, done);
	return done;
}

uint32_t
rte_vhost_rx_queue_count(int vid, uint16_t qid)
{
	struct vhost_dev *dev = vhost_dev_get(vid);

	if (dev == NULL)
		return VHOST_REAL(rx_queue_count, 0, vid, qid);
	if (!data_queue_ok(dev, qid, true))
		return 0;
	return rte_vduse_net_rx_count(dev->net, DATA_PAIR(qid));
}

uint16_t
rte_vhost_avail_entries(int vid, uint16_t queue_id)
{
	struct vhost_dev *dev = vhost_dev_get(vid);

	if (dev == NULL)
		return VHOST_REAL(avail_entries, 0, vid, queue_id);
	if (data_queue_ok(dev, queue_id, true))
		return (uint16_t)rte_vduse_net_rx_count(dev->net, DATA_PAIR(queue_id));
	if (data_queue_ok(dev, queue_id, false))
		return (uint16_t)rte_vduse_net_tx_count(dev->net, DATA_PAIR(queue_id));
	return 0;
}
