/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A backend of one's own: a read-only disk whose every 8 bytes hold their offset, in host order.
 * Input: reads. Output: the pattern, at once.
 * Thread: the one that polls the queue.
 *
 * Loaded by any program that serves disks:
 *   dpdk-vduse-blk -d ./librte_vduse_blk_pattern.so -- --device disk0,backend=pattern,size=64M
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_vduse_args.h>
#include <rte_vduse_blk_backend.h>

/* Finished operations: the last one first, poll may return them in any order. */
struct pattern_channel {
	struct rte_vduse_blk_channel channel;
	struct rte_vduse_blk_io *done;
};

static int
pattern_open(const struct rte_vduse_blk_backend_conf *conf, struct rte_vduse_blk_backend **backend)
{
	char *args = strdup(conf->args), *rest = args, *key, *value;
	uint64_t size = 64 << 20;
	int ret = args == NULL ? -ENOMEM : 0;

	while (ret == 0 && (key = rte_vduse_args_next(&rest, &value)) != NULL) {
		if (strcmp(key, "size") == 0 && value != NULL &&
		    rte_vduse_args_bytes(value, &size) && size > 0 && size % 4096 == 0)
			continue;
		fprintf(stderr, "%s: %s: use size= and a multiple of 4096\n", conf->device, key);
		ret = -EINVAL;
	}
	free(args);
	if (ret < 0)
		return ret;
	*backend = calloc(1, sizeof(**backend));
	if (*backend == NULL)
		return -ENOMEM;
	(*backend)->limits = (struct rte_vduse_blk_limits){
		.size = size,
		.block_size = 512,
		.physical_size = 4096,
		.read_only = true,
	};
	return 0;
}

static void
pattern_close(struct rte_vduse_blk_backend *backend)
{
	free(backend);
}

static int
pattern_channel_open(struct rte_vduse_blk_backend *backend, uint16_t depth,
		     struct rte_vduse_blk_channel **channel)
{
	RTE_SET_USED(backend);
	RTE_SET_USED(depth);
	*channel = calloc(1, sizeof(struct pattern_channel));
	return *channel == NULL ? -ENOMEM : 0;
}

static void
pattern_channel_close(struct rte_vduse_blk_channel *channel)
{
	free(channel);
}

/* A vector may begin and end anywhere. */
static void
pattern_fill(uint8_t *to, size_t len, uint64_t offset)
{
	uint64_t word;
	size_t n;

	for (; len > 0; len -= n, to += n, offset += n) {
		word = offset & ~UINT64_C(7);
		n = RTE_MIN(len, sizeof(word) - offset % sizeof(word));
		memcpy(to, (uint8_t *)&word + offset % sizeof(word), n);
	}
}

static uint16_t
pattern_submit(struct rte_vduse_blk_channel *base, struct rte_vduse_blk_io **ios, uint16_t nb)
{
	struct pattern_channel *channel = (struct pattern_channel *)base;
	uint64_t offset;
	uint16_t i, j;

	for (i = 0; i < nb; i++) {
		struct rte_vduse_blk_io *io = ios[i];

		offset = io->offset;
		for (j = 0; io->op == RTE_VDUSE_BLK_READ && j < io->nb_iov; j++) {
			pattern_fill(io->iov[j].iov_base, io->iov[j].iov_len, offset);
			offset += io->iov[j].iov_len;
		}
		io->result = 0;
		io->next = channel->done;
		channel->done = io;
	}
	return nb;
}

static uint16_t
pattern_poll(struct rte_vduse_blk_channel *base, struct rte_vduse_blk_io **ios, uint16_t nb)
{
	struct pattern_channel *channel = (struct pattern_channel *)base;
	uint16_t i;

	for (i = 0; i < nb && channel->done != NULL; i++) {
		ios[i] = channel->done;
		channel->done = ios[i]->next;
	}
	return i;
}

static const struct rte_vduse_blk_backend_ops pattern = {
	.size = sizeof(struct rte_vduse_blk_backend_ops),
	.name = "pattern",
	.open = pattern_open,
	.close = pattern_close,
	.channel_open = pattern_channel_open,
	.channel_close = pattern_channel_close,
	.submit = pattern_submit,
	.poll = pattern_poll,
};
RTE_VDUSE_BLK_BACKEND(pattern)
