/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Takes over a disk that its driver uses, from a process that died or that hands it over: the disk keeps
 * the configuration that its driver knows, whatever the arguments of this start are. If that is impossible, the start
 * is refused and the disk left as it is, because a file system may be mounted on it.
 * Input: the state that was left and the new arguments. Output: the configuration to serve.
 * Thread: the application's.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>

#include <linux/virtio_ids.h>

#include <rte_bitops.h>
#include <rte_byteorder.h>

#include <virtio_blk/blk.h>

/*
 * Commands that a backend may lack. A disk whose process died goes on without them, see request.c: it
 * has no better process.
 */
#define TAKE_OVER_COMMANDS                                                                         \
	(VBLK_BIT(VIRTIO_BLK_F_DISCARD) | VBLK_BIT(VIRTIO_BLK_F_WRITE_ZEROES) |                    \
	 VBLK_BIT(VIRTIO_BLK_F_SECURE_ERASE))

static int
take_over_refuse(const char *name, const char *difference)
{
	VBLK_LOG(ERR, name,
		 "a driver uses the disk of the process before, and this one cannot "
		 "serve it: %s. Start it as it was; to change it, let its driver go after that "
		 "(umount, or end the virtual machine) and stop it",
		 difference);
	return -EEXIST;
}

/* The logical block size that the driver knows; 0: not recorded. */
static uint32_t
take_over_block_size(const struct rte_vduse_left *left)
{
	struct virtio_blk_config config;
	uint32_t size;

	if (left->config_size < sizeof(config))
		return 0;
	memcpy(&config, left->config, sizeof(config));
	size = rte_le_to_cpu_32(config.blk_size);
	return rte_is_power_of_2(size) ? size : 0;
}

int
vblk_take_over(struct rte_vduse_blk_conf *conf, const char *name, const struct rte_vduse_left *left)
{
	const struct rte_vduse_blk_conf asked = *conf;
	uint32_t block_size = take_over_block_size(left);

	if (left->device_id != VIRTIO_ID_BLOCK)
		return take_over_refuse(name, "it is no disk");
	if (left->nb_vqs == 0 || left->nb_vqs > RTE_VDUSE_BLK_QUEUES_MAX)
		return take_over_refuse(name, "its number of queues");
	conf->queues = left->nb_vqs;
	/* A vhost-user front end chooses the ring sizes itself. */
	if (!rte_vduse_path_is_socket(conf->path))
		conf->queue_size = left->vq_size;
	conf->packed |= (left->features & VBLK_BIT(VIRTIO_F_RING_PACKED)) != 0;
	conf->in_order |= (left->features & VBLK_BIT(VIRTIO_F_IN_ORDER)) != 0;
	conf->inflight |= left->has_parts;
	if (block_size != 0)
		conf->block_size = block_size;
	if (asked.queues != conf->queues || asked.queue_size != conf->queue_size ||
	    asked.packed != conf->packed || asked.in_order != conf->in_order ||
	    (asked.block_size != 0 && asked.block_size != conf->block_size))
		VBLK_LOG(
			NOTICE, name,
			"goes on as its driver has it: queues=%u, queue-size=%u, "
			"block-size=%u, packed=%d, in-order=%d; other arguments hold when the disk "
			"is made again",
			conf->queues, conf->queue_size, conf->block_size, conf->packed,
			conf->in_order);
	return 0;
}

int
vblk_take_over_features(struct rte_vduse_blk *blk, const char *name,
			const struct rte_vduse_left *left, bool handed_over)
{
	uint64_t able = VBLK_BIT(VIRTIO_BLK_F_RO) | (handed_over ? 0 : TAKE_OVER_COMMANDS);
	uint64_t missing = left->features & ~(blk->features | able);
	bool read_only = (left->features & VBLK_BIT(VIRTIO_BLK_F_RO)) != 0;
	char difference[64];

	if (blk->read_only && !read_only)
		return take_over_refuse(name, "its driver writes, and it is read-only now");
	if (missing != 0) {
		snprintf(difference, sizeof(difference), "its driver has features 0x%" PRIx64,
			 missing);
		return take_over_refuse(name, difference);
	}
	blk->read_only = read_only;
	/* CONFIG_WCE is never offered to the kernel, ACCESS_PLATFORM not to every client. */
	if (left->offered != 0 &&
	    ((left->offered ^ blk->features) &
	     ~(VBLK_BIT(VIRTIO_BLK_F_CONFIG_WCE) | VBLK_BIT(VIRTIO_F_ACCESS_PLATFORM))) != 0)
		VBLK_LOG(NOTICE, name,
			 "goes on as its driver has it: features 0x%" PRIx64 ", not 0x%" PRIx64
			 ", until the disk is made again",
			 left->offered, blk->features);
	blk->features |= left->features;
	return 0;
}
