/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Copies by DMA engines: librte_vhost's alone. A device of ours refuses the channel, so an
 * application gets no farther; the rest find nothing. On the application's threads.
 */
#include <errno.h>

#include <vhost/vhost.h>

int
rte_vhost_async_channel_register(int vid, uint16_t queue_id)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(async_channel_register, -ENOTSUP, vid, queue_id);
	return -ENOTSUP;
}

int
rte_vhost_async_channel_unregister(int vid, uint16_t queue_id)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(async_channel_unregister, -ENOTSUP, vid, queue_id);
	return -ENOTSUP;
}

int
rte_vhost_async_channel_register_thread_unsafe(int vid, uint16_t queue_id)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(async_channel_register_thread_unsafe, -ENOTSUP, vid, queue_id);
	return -ENOTSUP;
}

int
rte_vhost_async_channel_unregister_thread_unsafe(int vid, uint16_t queue_id)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(async_channel_unregister_thread_unsafe, -ENOTSUP, vid, queue_id);
	return -ENOTSUP;
}

uint16_t
rte_vhost_submit_enqueue_burst(int vid, uint16_t queue_id, struct rte_mbuf **pkts, uint16_t count,
			       int16_t dma_id, uint16_t vchan_id)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(submit_enqueue_burst, 0, vid, queue_id, pkts, count, dma_id,
				  vchan_id);
	return 0;
}

uint16_t
rte_vhost_poll_enqueue_completed(int vid, uint16_t queue_id, struct rte_mbuf **pkts, uint16_t count,
				 int16_t dma_id, uint16_t vchan_id)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(poll_enqueue_completed, 0, vid, queue_id, pkts, count, dma_id,
				  vchan_id);
	return 0;
}

int
rte_vhost_async_get_inflight(int vid, uint16_t queue_id)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(async_get_inflight, -ENOTSUP, vid, queue_id);
	return -ENOTSUP;
}

int
rte_vhost_async_get_inflight_thread_unsafe(int vid, uint16_t queue_id)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(async_get_inflight_thread_unsafe, -ENOTSUP, vid, queue_id);
	return -ENOTSUP;
}

uint16_t
rte_vhost_clear_queue(int vid, uint16_t queue_id, struct rte_mbuf **pkts, uint16_t count,
		      int16_t dma_id, uint16_t vchan_id)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(clear_queue, 0, vid, queue_id, pkts, count, dma_id, vchan_id);
	return 0;
}

uint16_t
rte_vhost_clear_queue_thread_unsafe(int vid, uint16_t queue_id, struct rte_mbuf **pkts,
				    uint16_t count, int16_t dma_id, uint16_t vchan_id)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(clear_queue_thread_unsafe, 0, vid, queue_id, pkts, count, dma_id,
				  vchan_id);
	return 0;
}

uint16_t
rte_vhost_async_try_dequeue_burst(int vid, uint16_t queue_id, struct rte_mempool *mbuf_pool,
				  struct rte_mbuf **pkts, uint16_t count, int *nr_inflight,
				  int16_t dma_id, uint16_t vchan_id)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(async_try_dequeue_burst, 0, vid, queue_id, mbuf_pool, pkts, count,
				  nr_inflight, dma_id, vchan_id);
	*nr_inflight = -1;
	return 0;
}

/* Channels belong to no device. */
int
rte_vhost_async_dma_configure(int16_t dma_id, uint16_t vchan_id)
{
	return VHOST_REAL(async_dma_configure, -ENOTSUP, dma_id, vchan_id);
}

int
rte_vhost_async_dma_unconfigure(int16_t dma_id, uint16_t vchan_id)
{
	return VHOST_REAL(async_dma_unconfigure, -ENOTSUP, dma_id, vchan_id);
}
