/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The null backend, for benchmarks: discards writes, and leaves the driver's buffer unchanged on a
 * read. See backend.h.
 */
#include <errno.h>
#include <stdlib.h>

#include <virtio_blk/blk.h>

struct null_channel {
	struct rte_vduse_blk_channel channel;
	struct vblk_fifo done;
};

static int
null_open(const struct rte_vduse_blk_backend_conf *conf, struct rte_vduse_blk_backend **result)
{
	uint64_t size = UINT64_C(1) << 30;
	struct rte_vduse_arg args[] = { { RTE_VDUSE_ARG("size", BYTES, size) } };
	struct rte_vduse_blk_backend *backend;
	int ret;

	ret = vblk_backend_args(conf, args, RTE_DIM(args), NULL, 0);
	if (ret < 0)
		return ret;
	backend = calloc(1, sizeof(*backend));
	if (backend == NULL)
		return vblk_no_memory(conf->device);
	backend->limits = (struct rte_vduse_blk_limits){
		.size = size,
		.block_size = RTE_VDUSE_BLK_SECTOR,
		.physical_size = RTE_VDUSE_BLK_SECTOR,
		.discard = true,
		.zero = true,
		.erase = true,
	};
	*result = backend;
	return 0;
}

static void
null_close(struct rte_vduse_blk_backend *backend)
{
	free(backend);
}

static int
null_channel_open(struct rte_vduse_blk_backend *backend, uint16_t depth,
		  struct rte_vduse_blk_channel **result)
{
	struct null_channel *channel = calloc(1, sizeof(*channel));

	RTE_SET_USED(backend);
	RTE_SET_USED(depth);
	if (channel == NULL)
		return -ENOMEM;
	vblk_fifo_init(&channel->done);
	*result = &channel->channel;
	return 0;
}

static void
null_channel_close(struct rte_vduse_blk_channel *channel)
{
	free(channel);
}

static uint16_t
null_submit(struct rte_vduse_blk_channel *base, struct rte_vduse_blk_io **ios, uint16_t nb)
{
	struct null_channel *channel = (struct null_channel *)base;
	uint16_t i;

	for (i = 0; i < nb; i++) {
		ios[i]->result = 0;
		vblk_fifo_put(&channel->done, ios[i]);
	}
	return nb;
}

static uint16_t
null_poll(struct rte_vduse_blk_channel *base, struct rte_vduse_blk_io **ios, uint16_t nb)
{
	return vblk_fifo_take(&((struct null_channel *)base)->done, ios, nb);
}

/* There is nothing that another process could not have as well. */
static int
null_hand_over(struct rte_vduse_blk_backend *backend, bool gone)
{
	RTE_SET_USED(backend);
	RTE_SET_USED(gone);
	return 0;
}

const struct rte_vduse_blk_backend_ops vblk_backend_null = {
	.size = sizeof(struct rte_vduse_blk_backend_ops),
	.name = "null",
	.open = null_open,
	.close = null_close,
	.channel_open = null_channel_open,
	.channel_close = null_channel_close,
	.submit = null_submit,
	.poll = null_poll,
	.hand_over = null_hand_over,
};
