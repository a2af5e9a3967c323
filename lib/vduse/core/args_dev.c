/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The arguments that every device takes: where it is served, and its virtqueues.
 * Input: a table to fill, then what was read by it. Output: variables, or one error.
 * Thread: any.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include <rte_vduse_args.h>

#define ARGS_DEV_QUEUE_SIZE     256
#define ARGS_DEV_QUEUE_SIZE_MAX 32768

static_assert(sizeof(RTE_VDUSE_PATH) - 1 + RTE_VDUSE_NAME_MAX <= RTE_VDUSE_SOCKET_MAX,
	      "the longest path of a VDUSE device must fit");

static const char *const attaches[] = {
	[RTE_VDUSE_ATTACH_NONE] = "none",
	[RTE_VDUSE_ATTACH_VIRTIO] = "virtio",
	[RTE_VDUSE_ATTACH_VHOST] = "vhost",
	NULL,
};

void
rte_vduse_args_dev(struct rte_vduse_args_dev *dev, struct rte_vduse_arg *known, uint16_t queues_max,
		   uint16_t queue_size_min)
{
	const struct rte_vduse_arg all[] = {
		{ RTE_VDUSE_ARG("iface", PATH, dev->path) },
		{ RTE_VDUSE_ARG("queues", NUMBER, dev->queues), .min = 1, .max = queues_max },
		{ RTE_VDUSE_ARG("queue-size", POWER, dev->queue_size), .min = queue_size_min,
		  .max = ARGS_DEV_QUEUE_SIZE_MAX },
		{ RTE_VDUSE_ARG("attach", NAME, dev->attach), .names = attaches },
		{ RTE_VDUSE_ARG("umem", FLAG, dev->umem) },
		{ RTE_VDUSE_ARG("client", FLAG, dev->client) },
		{ RTE_VDUSE_ARG("any-memory", FLAG, dev->any_memory) },
		{ RTE_VDUSE_ARG("iommu", FLAG, dev->iommu) },
		{ RTE_VDUSE_ARG("postcopy", FLAG, dev->postcopy) },
		{ RTE_VDUSE_ARG("memory-limit", BYTES, dev->memory_limit), .min = 1 },
		{ RTE_VDUSE_ARG("socket-mode", MODE, dev->socket_mode) },
		{ RTE_VDUSE_ARG("socket-group", TEXT, dev->socket_group),
		  .wanted = "the name or the number of a group" },
		{ RTE_VDUSE_ARG("in-order", FLAG, dev->in_order) },
		/* The last one: rte_vduse_args_dev_check() looks whether it was given. */
		{ RTE_VDUSE_ARG("packed", FLAG, dev->packed) },
	};

	static_assert(RTE_DIM(all) == RTE_VDUSE_ARGS_DEV, "the header says how many there are");
	*dev = (struct rte_vduse_args_dev){ .queues = 1, .queue_size = ARGS_DEV_QUEUE_SIZE };
	memcpy(known, all, sizeof(all));
}

int
rte_vduse_args_dev_check(const struct rte_vduse_args *args, struct rte_vduse_args_dev *dev)
{
	const bool socket = rte_vduse_path_is_socket(dev->path), made = socket && !dev->client;
	const char *group = dev->socket_group;
	char mode[16], text[256];
	const struct {
		const char *key, *value, *problem;
		bool found;
	} misfits[] = {
		{ "iface", "", "give iface=" RTE_VDUSE_PATH "NAME or the path of a socket",
		  dev->path[0] == '\0' },
		{ "socket-mode", mode, "is no socket that is made; leave them out",
		  dev->socket_mode != 0 && !made },
		{ "socket-group", group, "is no socket that is made; leave them out",
		  group[0] != '\0' && !made },
		{ "client", "1", "is no socket; leave client out", dev->client && !socket },
		{ "any-memory", "1", "is no socket; leave any-memory out",
		  dev->any_memory && !socket },
		{ "iommu", "1", "is no socket; leave iommu out", dev->iommu && !socket },
		{ "postcopy", "1", "is no socket; leave postcopy out", dev->postcopy && !socket },
		{ "postcopy", "1", "has iommu=1, which excludes it; leave one of them out",
		  dev->postcopy && dev->iommu },
		{ "umem", "1", "is a socket, and only the kernel has that; leave umem out",
		  dev->umem && socket },
		{ "attach", attaches[dev->attach],
		  "is a socket, and only the kernel has that; leave attach out",
		  dev->attach != RTE_VDUSE_ATTACH_NONE && socket },
	};
	unsigned int i;

	snprintf(mode, sizeof(mode), "%04o", dev->socket_mode);
	for (i = 0; i < RTE_DIM(misfits); i++) {
		if (!misfits[i].found)
			continue;
		snprintf(text, sizeof(text), "%s%s%s", dev->path, dev->path[0] != '\0' ? " " : "",
			 misfits[i].problem);
		args->error(args->device, RTE_VDUSE_ARG_MISFIT, misfits[i].key, misfits[i].value,
			    text);
		return -EINVAL;
	}
	/*
	 * A process that is killed while it writes used descriptors leaves a packed ring that
	 * nobody can go on with. A vhost-user driver starts again then; the kernel's cannot.
	 */
	if (!args->known[RTE_VDUSE_ARGS_DEV - 1].given)
		dev->packed = socket;
	return 0;
}
