/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Functions of rte_vhost.h that VDUSE devices do not support: copies by DMA engines, the log of
 * dirty pages, hardware vDPA devices, crypto, and requests in flight of packed rings. They fail for
 * a VDUSE device or path and call librte_vhost for any other.
 * Thread: the application's.
 */
#include <errno.h>

#include <vhost/vhost.h>

/* Returns none for a VDUSE device, and if librte_vhost has no such function. */
#define UNSUPPORTED(name, none, vid, ...)                                                          \
	(vhost_dev_get(vid) == NULL ? VHOST_REAL(name, none, vid, __VA_ARGS__) : (none))

/* Returns result for the path of a VDUSE device. */
#define UNSUPPORTED_PATH(name, result, none, ...)                                                  \
	(!vhost_path_is_vduse(path) ? VHOST_REAL(name, none, __VA_ARGS__) : (result))

int
rte_vhost_async_channel_register(int vid, uint16_t queue_id)
{
	return UNSUPPORTED(async_channel_register, -ENOTSUP, vid, queue_id);
}

int
rte_vhost_async_channel_register_thread_unsafe(int vid, uint16_t queue_id)
{
	return UNSUPPORTED(async_channel_register_thread_unsafe, -ENOTSUP, vid, queue_id);
}

int
rte_vhost_async_channel_unregister(int vid, uint16_t queue_id)
{
	return UNSUPPORTED(async_channel_unregister, -ENOTSUP, vid, queue_id);
}

int
rte_vhost_async_channel_unregister_thread_unsafe(int vid, uint16_t queue_id)
{
	return UNSUPPORTED(async_channel_unregister_thread_unsafe, -ENOTSUP, vid, queue_id);
}

int
rte_vhost_async_get_inflight(int vid, uint16_t queue_id)
{
	return UNSUPPORTED(async_get_inflight, -ENOTSUP, vid, queue_id);
}

int
rte_vhost_async_get_inflight_thread_unsafe(int vid, uint16_t queue_id)
{
	return UNSUPPORTED(async_get_inflight_thread_unsafe, -ENOTSUP, vid, queue_id);
}

uint16_t
rte_vhost_submit_enqueue_burst(int vid, uint16_t queue_id, struct rte_mbuf **pkts, uint16_t count,
			       int16_t dma_id, uint16_t vchan_id)
{
	return UNSUPPORTED(submit_enqueue_burst, 0, vid, queue_id, pkts, count, dma_id, vchan_id);
}

uint16_t
rte_vhost_poll_enqueue_completed(int vid, uint16_t queue_id, struct rte_mbuf **pkts, uint16_t count,
				 int16_t dma_id, uint16_t vchan_id)
{
	return UNSUPPORTED(poll_enqueue_completed, 0, vid, queue_id, pkts, count, dma_id, vchan_id);
}

uint16_t
rte_vhost_clear_queue(int vid, uint16_t queue_id, struct rte_mbuf **pkts, uint16_t count,
		      int16_t dma_id, uint16_t vchan_id)
{
	return UNSUPPORTED(clear_queue, 0, vid, queue_id, pkts, count, dma_id, vchan_id);
}

uint16_t
rte_vhost_clear_queue_thread_unsafe(int vid, uint16_t queue_id, struct rte_mbuf **pkts,
				    uint16_t count, int16_t dma_id, uint16_t vchan_id)
{
	return UNSUPPORTED(clear_queue_thread_unsafe, 0, vid, queue_id, pkts, count, dma_id,
			   vchan_id);
}

/* Applications get the layout of split rings only. */
int
rte_vhost_set_inflight_desc_packed(int vid, uint16_t vring_idx, uint16_t head, uint16_t last,
				   uint16_t *inflight_entry)
{
	return UNSUPPORTED(set_inflight_desc_packed, -ENOTSUP, vid, vring_idx, head, last,
			   inflight_entry);
}

int
rte_vhost_set_last_inflight_io_packed(int vid, uint16_t vring_idx, uint16_t head)
{
	return UNSUPPORTED(set_last_inflight_io_packed, -ENOTSUP, vid, vring_idx, head);
}

int
rte_vhost_clr_inflight_desc_packed(int vid, uint16_t vring_idx, uint16_t head)
{
	return UNSUPPORTED(clr_inflight_desc_packed, -ENOTSUP, vid, vring_idx, head);
}

int
rte_vhost_get_vring_base_from_inflight(int vid, uint16_t queue_id, uint16_t *last_avail_idx,
				       uint16_t *last_used_idx)
{
	return UNSUPPORTED(get_vring_base_from_inflight, -ENOTSUP, vid, queue_id, last_avail_idx,
			   last_used_idx);
}

int
rte_vhost_driver_attach_vdpa_device(const char *path, struct rte_vdpa_device *dev)
{
	return UNSUPPORTED_PATH(driver_attach_vdpa_device, -1, -ENOTSUP, path, dev);
}

int
rte_vhost_driver_detach_vdpa_device(const char *path)
{
	return UNSUPPORTED_PATH(driver_detach_vdpa_device, -1, -ENOTSUP, path);
}

struct rte_vdpa_device *
rte_vhost_driver_get_vdpa_device(const char *path)
{
	return UNSUPPORTED_PATH(driver_get_vdpa_device, NULL, NULL, path);
}

int
rte_vhost_driver_get_vdpa_dev_type(const char *path, uint32_t *type)
{
	return UNSUPPORTED_PATH(driver_get_vdpa_dev_type, -1, -ENOTSUP, path, type);
}

int
rte_vhost_crypto_driver_start(const char *path)
{
	return UNSUPPORTED_PATH(crypto_driver_start, -1, -ENOTSUP, path);
}

struct rte_vdpa_device *
rte_vhost_get_vdpa_device(int vid)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(get_vdpa_device, NULL, vid);
	return NULL;
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

/* DMA channels belong to no device. */
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

/* The kernel does not ask which pages were written. */
void
rte_vhost_log_write(int vid, uint64_t addr, uint64_t len)
{
	if (vhost_dev_get(vid) == NULL)
		VHOST_REAL(log_write, (void)0, vid, addr, len);
}

void
rte_vhost_log_used_vring(int vid, uint16_t vring_idx, uint64_t offset, uint64_t len)
{
	if (vhost_dev_get(vid) == NULL)
		VHOST_REAL(log_used_vring, (void)0, vid, vring_idx, offset, len);
}

int
rte_vhost_get_log_base(int vid, uint64_t *log_base, uint64_t *log_size)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(get_log_base, -ENOTSUP, vid, log_base, log_size);
	if (log_base == NULL || log_size == NULL)
		return -1;
	*log_base = 0;
	*log_size = 0;
	return 0;
}
