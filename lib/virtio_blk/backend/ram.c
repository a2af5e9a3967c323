/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The RAM backend, in EAL memory (huge pages if available). Its data ends with the process. See
 * backend.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include <rte_malloc.h>

#include <virtio_blk/blk.h>

#define RAM_ALIGN 4096

struct ram_backend {
	struct rte_vduse_blk_backend backend;
	uint8_t *bytes;
};

struct ram_channel {
	struct rte_vduse_blk_channel channel;
	struct vblk_fifo done;
	uint8_t *bytes;
};

static int
ram_open(const struct rte_vduse_blk_backend_conf *conf, struct rte_vduse_blk_backend **result)
{
	uint64_t size = UINT64_C(64) << 20;
	struct rte_vduse_arg args[] = { { RTE_VDUSE_ARG("size", BYTES, size) } };
	struct ram_backend *ram;
	int ret;

	ret = vblk_backend_args(conf, args, RTE_DIM(args), NULL, 0);
	if (ret < 0)
		return ret;
	ram = calloc(1, sizeof(*ram));
	if (ram == NULL)
		return vblk_no_memory(conf->device);
	ram->bytes = rte_zmalloc_socket("vblk_ram", size, RAM_ALIGN, conf->socket_id);
	if (ram->bytes == NULL) {
		VBLK_LOG(ERR, conf->device,
			 "no memory for size=%" PRIu64 ": reserve more huge pages, or give EAL "
			 "more of them (-m)",
			 size);
		free(ram);
		return -ENOMEM;
	}
	ram->backend.limits = (struct rte_vduse_blk_limits){
		.size = size,
		.block_size = RTE_VDUSE_BLK_SECTOR,
		.physical_size = RTE_VDUSE_BLK_SECTOR,
		/* All is done within submit. */
		.discard_part = VBLK_PART_BYTES,
		.zero_part = VBLK_PART_BYTES,
		.discard = true,
		.zero = true,
		.erase = true,
	};
	*result = &ram->backend;
	return 0;
}

static void
ram_close(struct rte_vduse_blk_backend *backend)
{
	struct ram_backend *ram = (struct ram_backend *)backend;

	rte_free(ram->bytes);
	free(ram);
}

static int
ram_channel_open(struct rte_vduse_blk_backend *backend, uint16_t depth,
		 struct rte_vduse_blk_channel **result)
{
	struct ram_channel *channel = calloc(1, sizeof(*channel));

	RTE_SET_USED(depth);
	if (channel == NULL)
		return -ENOMEM;
	channel->bytes = ((struct ram_backend *)backend)->bytes;
	vblk_fifo_init(&channel->done);
	*result = &channel->channel;
	return 0;
}

static void
ram_channel_close(struct rte_vduse_blk_channel *channel)
{
	free(channel);
}

static void
ram_copy(uint8_t *at, const struct rte_vduse_blk_io *io)
{
	uint16_t i;

	for (i = 0; i < io->nb_iov; i++) {
		const struct iovec *iov = &io->iov[i];

		if (io->op == RTE_VDUSE_BLK_WRITE)
			memcpy(at, iov->iov_base, iov->iov_len);
		else
			memcpy(iov->iov_base, at, iov->iov_len);
		at += iov->iov_len;
	}
}

static void
ram_do(uint8_t *bytes, struct rte_vduse_blk_io *io)
{
	switch (io->op) {
	case RTE_VDUSE_BLK_READ:
	case RTE_VDUSE_BLK_WRITE:
		ram_copy(bytes + io->offset, io);
		break;
	case RTE_VDUSE_BLK_DISCARD:
	case RTE_VDUSE_BLK_ZERO:
	case RTE_VDUSE_BLK_ERASE:
		memset(bytes + io->offset, 0, io->len);
		break;
	default: /* a flush does nothing */
		break;
	}
	io->result = 0;
}

static uint16_t
ram_submit(struct rte_vduse_blk_channel *base, struct rte_vduse_blk_io **ios, uint16_t nb)
{
	struct ram_channel *channel = (struct ram_channel *)base;
	uint16_t i;

	for (i = 0; i < nb; i++) {
		ram_do(channel->bytes, ios[i]);
		vblk_fifo_put(&channel->done, ios[i]);
	}
	return nb;
}

static uint16_t
ram_poll(struct rte_vduse_blk_channel *base, struct rte_vduse_blk_io **ios, uint16_t nb)
{
	return vblk_fifo_take(&((struct ram_channel *)base)->done, ios, nb);
}

const struct rte_vduse_blk_backend_ops vblk_backend_ram = {
	.size = sizeof(struct rte_vduse_blk_backend_ops),
	.name = "ram",
	.open = ram_open,
	.close = ram_close,
	.channel_open = ram_channel_open,
	.channel_close = ram_channel_close,
	.submit = ram_submit,
	.poll = ram_poll,
};
