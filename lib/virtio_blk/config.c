/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The configuration space of a block device (VIRTIO 1.2, section 5.2.4) and its features.
 * Input: limits of the backend; writes of the driver. Output: the same limits in the units of the
 * specification. Thread: the application's; status and write: control.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <string.h>

#include <linux/virtio_config.h>

#include <rte_byteorder.h>
#include <rte_vduse_compat.h>

#include <virtio_blk/blk.h>

uint64_t
vblk_config_features(const struct rte_vduse_blk *blk, const struct rte_vduse_blk_conf *conf)
{
	const struct rte_vduse_blk_limits *limits = &blk->backend->limits;
	uint64_t features = VBLK_BIT(VIRTIO_F_VERSION_1) | VBLK_BIT(VIRTIO_F_ACCESS_PLATFORM) |
			    VBLK_BIT(VIRTIO_RING_F_INDIRECT_DESC) |
			    VBLK_BIT(VIRTIO_RING_F_EVENT_IDX) | VBLK_BIT(VIRTIO_BLK_F_SIZE_MAX) |
			    VBLK_BIT(VIRTIO_BLK_F_SEG_MAX) | VBLK_BIT(VIRTIO_BLK_F_BLK_SIZE) |
			    VBLK_BIT(VIRTIO_BLK_F_TOPOLOGY) | VBLK_BIT(VIRTIO_BLK_F_FLUSH);

	if (conf->packed)
		features |= VBLK_BIT(VIRTIO_F_RING_PACKED);
	if (conf->in_order)
		features |= VBLK_BIT(VIRTIO_F_IN_ORDER);
	if (blk->nb_queues > 1)
		features |= VBLK_BIT(VIRTIO_BLK_F_MQ);
	/*
	 * A driver that reconnects does not disable the write cache again. Over a socket that is
	 * kept with the inflight requests.
	 */
	if (conf->inflight)
		features |= VBLK_BIT(VIRTIO_BLK_F_CONFIG_WCE);
	if (blk->read_only)
		return features | VBLK_BIT(VIRTIO_BLK_F_RO);
	if (limits->discard)
		features |= VBLK_BIT(VIRTIO_BLK_F_DISCARD);
	if (limits->zero)
		features |= VBLK_BIT(VIRTIO_BLK_F_WRITE_ZEROES);
	if (limits->erase)
		features |= VBLK_BIT(VIRTIO_BLK_F_SECURE_ERASE);
	return features;
}

/* Bytes in logical blocks; 0 if no whole number of them, or more than most. */
static uint32_t
config_blocks(const struct rte_vduse_blk *blk, uint32_t bytes, uint32_t most)
{
	uint32_t blocks = bytes / blk->block_size;

	return bytes % blk->block_size == 0 && blocks <= most ? blocks : 0;
}

static void
config_topology(struct rte_vduse_blk *blk)
{
	const struct rte_vduse_blk_limits *limits = &blk->backend->limits;
	struct virtio_blk_config *config = &blk->config;
	uint32_t per_block = config_blocks(blk, limits->physical_size, UINT32_MAX);

	if (per_block > 1)
		config->physical_block_exp = (uint8_t)__builtin_ctz(per_block);
	config->alignment_offset = (uint8_t)config_blocks(blk, limits->alignment, UINT8_MAX);
	config->min_io_size =
		rte_cpu_to_le_16((uint16_t)config_blocks(blk, limits->minimum_io, UINT16_MAX));
	config->opt_io_size = rte_cpu_to_le_32(config_blocks(blk, limits->optimal_io, UINT32_MAX));
}

/* Capacity of the backend in sectors, whole blocks only. */
static uint64_t
config_capacity(const struct rte_vduse_blk *blk)
{
	uint64_t size =
		rte_atomic_load_explicit(&blk->backend->limits.size, rte_memory_order_relaxed);

	return size / blk->block_size * (blk->block_size / RTE_VDUSE_BLK_SECTOR);
}

/* Sets the capacity. Warns if the size is no whole number of blocks. */
static void
config_set_capacity(struct rte_vduse_blk *blk)
{
	uint64_t size =
		rte_atomic_load_explicit(&blk->backend->limits.size, rte_memory_order_relaxed);
	uint64_t capacity = config_capacity(blk);

	if (size == 0)
		VBLK_LOG(WARNING, blk->backend->name,
			 "its backend is empty, so no request is served: "
			 "make it larger");
	else if (size % blk->block_size != 0)
		VBLK_LOG(WARNING, blk->backend->name,
			 "the last %u of %" PRIu64 " bytes are not "
			 "served: make the size a multiple of the block size %u",
			 (uint32_t)(size % blk->block_size), size, blk->block_size);
	rte_atomic_store_explicit(&blk->capacity, capacity, rte_memory_order_relaxed);
	blk->config.capacity = rte_cpu_to_le_64(capacity);
}

void
vblk_config_init(struct rte_vduse_blk *blk, const struct rte_vduse_blk_conf *conf)
{
	uint32_t alignment = RTE_MAX(blk->backend->limits.discard_size, blk->block_size);
	uint16_t seg_max = RTE_MIN((uint16_t)(conf->queue_size - 2), VBLK_SEG_MAX);
	struct virtio_blk_config *config = &blk->config;

	blk->iov_max = VBLK_IOV_MAX(seg_max);
	/* An odd number of cache lines, so that the requests' first ones use different sets. */
	blk->iov_stride = (uint16_t)(4 * ((RTE_MAX(blk->iov_max, VBLK_RANGES_MAX) + 3) / 4 | 1));
	config_set_capacity(blk);
	config->size_max = rte_cpu_to_le_32(VBLK_SIZE_MAX);
	config->seg_max = rte_cpu_to_le_32(seg_max);
	config->blk_size = rte_cpu_to_le_32(blk->block_size);
	config_topology(blk);
	config->wce = 1;
	config->num_queues = rte_cpu_to_le_16(blk->nb_queues);
	blk->features = vblk_config_features(blk, conf);
	config->max_discard_sectors = rte_cpu_to_le_32(VBLK_RANGE_SECTORS);
	config->max_discard_seg = rte_cpu_to_le_32(VBLK_RANGES);
	config->discard_sector_alignment = rte_cpu_to_le_32(alignment / RTE_VDUSE_BLK_SECTOR);
	config->max_write_zeroes_sectors = rte_cpu_to_le_32(VBLK_RANGE_SECTORS);
	config->max_write_zeroes_seg = rte_cpu_to_le_32(VBLK_RANGES);
	config->write_zeroes_may_unmap = 1;
	config->max_secure_erase_sectors = rte_cpu_to_le_32(VBLK_RANGE_SECTORS);
	config->max_secure_erase_seg = rte_cpu_to_le_32(VBLK_RANGES);
	config->secure_erase_sector_alignment =
		rte_cpu_to_le_32(blk->block_size / RTE_VDUSE_BLK_SECTOR);
}

int
rte_vduse_blk_resize(struct rte_vduse_blk *blk)
{
	const struct rte_vduse_blk_backend_ops *ops = blk->backend->ops;
	int ret = 0;

	if (ops->measure != NULL)
		ret = ops->measure(blk->backend);
	if (ret < 0 || config_capacity(blk) == rte_vduse_blk_capacity(blk))
		return ret;
	config_set_capacity(blk);
	VBLK_LOG(INFO, rte_vduse_dev_name(blk->dev), "has %llu sectors now",
		 (unsigned long long)rte_vduse_blk_capacity(blk));
	return rte_vduse_dev_config_set(blk->dev, offsetof(struct virtio_blk_config, capacity),
					&blk->config.capacity, sizeof(blk->config.capacity));
}

/*
 * A driver from before this process knows the capacity that the backend had then. No transport can
 * tell it from a new driver, so send the capacity in both cases.
 */
void
vblk_config_status(struct rte_vduse_dev *dev, uint8_t status, void *arg)
{
	const struct rte_vduse_blk *blk = arg;
	uint64_t capacity, le;

	if (!(status & VIRTIO_CONFIG_S_DRIVER_OK))
		return;
	/* Repeat if rte_vduse_blk_resize() changed it meanwhile. */
	do {
		capacity = rte_vduse_blk_capacity(blk);
		le = rte_cpu_to_le_64(capacity);
		(void)rte_vduse_dev_config_set(dev, offsetof(struct virtio_blk_config, capacity),
					       &le, sizeof(le));
	} while (capacity != rte_vduse_blk_capacity(blk));
}

/* Only the write cache field can be written: 0 disables the cache, 1 enables it. */
int
vblk_config_write(struct rte_vduse_dev *dev, uint32_t offset, const void *data, uint32_t len,
		  void *arg)
{
	struct rte_vduse_blk *blk = arg;
	uint8_t wce;

	if (!(blk->features & VBLK_BIT(VIRTIO_BLK_F_CONFIG_WCE)) ||
	    offset != offsetof(struct virtio_blk_config, wce) || len != sizeof(wce))
		return -EINVAL;
	memcpy(&wce, data, sizeof(wce));
	if (wce > 1)
		return -EINVAL;
	/* Log changes only. */
	if (rte_atomic_exchange_explicit(&blk->no_cache, wce == 0, rte_memory_order_relaxed) ==
	    (wce == 0))
		return 0;
	VBLK_LOG_DRIVER(INFO, dev, "the driver switched the write cache %s",
			wce == 0 ? "off" : "on");
	return 0;
}
