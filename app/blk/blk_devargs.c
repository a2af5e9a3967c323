/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The text of --device.
 * Input: NAME,key=value,... Output: what lib/virtio_blk is to create; unknown keys are the
 * backend's. One line on the standard error if something is wrong.
 * Thread: main, before the others start.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_memory.h>
#include <rte_string_fns.h>

#include "blk_devargs.h"

#define DEVARGS_QUEUE_SIZE_MIN 4
#define DEVARGS_BLOCK_SIZE_MAX 4096
#define DEVARGS_BACKENDS       "null, ram, file, fault or rbd"

static void
devargs_error(const char *name, enum rte_vduse_arg_fault fault, const char *key, const char *value,
	      const char *text)
{
	fprintf(stderr, "dpdk-vduse-blk: %s: %s=%s: %s%s\n", name, key, value,
		fault == RTE_VDUSE_ARG_WRONG ? "use " : "", text);
}

/* The name comes first and has no value. */
static int
devargs_name(char **rest, struct blk_devargs *out)
{
	char *value, *name = rte_vduse_args_next(rest, &value);
	char path[sizeof(out->dev.path)];

	if (name == NULL) {
		fprintf(stderr, "dpdk-vduse-blk: --device: use NAME,key=value,...\n");
		return -EINVAL;
	}
	snprintf(path, sizeof(path), RTE_VDUSE_PATH "%s", name);
	if (value != NULL || rte_vduse_path_name(path) == NULL) {
		fprintf(stderr,
			"dpdk-vduse-blk: --device %s: it begins with a name of letters, "
			"digits, '.', '_' and '-', up to %u\n",
			name, RTE_VDUSE_NAME_MAX - 1);
		return -EINVAL;
	}
	(void)rte_strlcpy(out->name, name, sizeof(out->name));
	return 0;
}

static int
devargs_refuse(const struct blk_devargs *out, enum rte_vduse_arg_fault fault, const char *key,
	       const char *value, const char *text)
{
	devargs_error(out->name, fault, key, value, text);
	return -EINVAL;
}

/* Where it is served: iface= says it, or in two words transport= and socket=, or its name. */
static int
devargs_path(struct blk_devargs *out, bool iface, bool transport, bool socket)
{
	const char *value = out->vhost_user ? "vhost-user" : "kernel";

	if (iface && transport)
		return devargs_refuse(out, RTE_VDUSE_ARG_TWICE, "transport", value,
				      "given more than once, by iface= too; give one of them");
	if (out->vhost_user && !socket)
		return devargs_refuse(out, RTE_VDUSE_ARG_WRONG, "socket", "",
				      "it with transport=vhost-user");
	if (!out->vhost_user && socket)
		return devargs_refuse(out, RTE_VDUSE_ARG_WRONG, "transport", value,
				      "vhost-user with socket=");
	if (!iface && !socket)
		snprintf(out->dev.path, sizeof(out->dev.path), RTE_VDUSE_PATH "%s", out->name);
	out->vhost_user = rte_vduse_path_is_socket(out->dev.path);
	return 0;
}

static void
devargs_conf(struct blk_devargs *out)
{
	const struct rte_vduse_args_dev *dev = &out->dev;
	struct rte_vduse_blk_conf *conf = &out->conf;

	conf->path = dev->path;
	conf->client = dev->client;
	conf->any_memory = dev->any_memory;
	conf->iommu = dev->iommu;
	conf->postcopy = dev->postcopy;
	conf->memory_limit = dev->memory_limit;
	conf->socket_mode = dev->socket_mode;
	conf->socket_group = dev->socket_group[0] != '\0' ? dev->socket_group : NULL;
	conf->name = out->name;
	conf->queues = dev->queues;
	conf->queue_size = dev->queue_size;
	conf->serial = out->serial;
	conf->backend = out->backend;
	conf->backend_args = out->backend_args;
	conf->socket_id = SOCKET_ID_ANY;
	conf->umem = dev->umem;
	conf->packed = dev->packed;
	conf->in_order = dev->in_order;
}

/* What follows the name. */
static int
devargs_read(const char *text, struct blk_devargs *out)
{
	static const char *const transports[] = { "kernel", "vhost-user", NULL };
	static const char *const on_errors[] = { "report", "wait", "stop", NULL };
	uint16_t transport = 0;
	enum { IFACE, TRANSPORT = RTE_VDUSE_ARGS_DEV, SOCKET };
	struct rte_vduse_arg known[] = {
		[TRANSPORT] = { RTE_VDUSE_ARG("transport", NAME, transport), .names = transports },
		[SOCKET] = { RTE_VDUSE_ARG("socket", SOCKET, out->dev.path) },
		{ RTE_VDUSE_ARG("backend", TEXT, out->backend), .wanted = DEVARGS_BACKENDS },
		{ RTE_VDUSE_ARG("block-size", POWER, out->conf.block_size),
		  .min = RTE_VDUSE_BLK_SECTOR, .max = DEVARGS_BLOCK_SIZE_MAX },
		{ RTE_VDUSE_ARG("serial", TEXT, out->serial) },
		{ RTE_VDUSE_ARG("ro", FLAG, out->conf.read_only) },
		{ RTE_VDUSE_ARG("read-only", FLAG, out->conf.read_only) },
		{ RTE_VDUSE_ARG("inflight", FLAG, out->conf.inflight) },
		{ RTE_VDUSE_ARG("log", FLAG, out->conf.inflight) },
		{ RTE_VDUSE_ARG("on-error", NAME, out->conf.on_error), .names = on_errors },
		{ RTE_VDUSE_ARG("iops", NUMBER, out->conf.iops), .max = BLK_DEVARGS_IOPS_MAX },
		{ RTE_VDUSE_ARG("bps", BYTES, out->conf.bps) },
	};
	const struct rte_vduse_args args = {
		.device = out->name,
		.known = known,
		.nb_known = RTE_DIM(known),
		.rest = out->backend_args,
		.rest_size = sizeof(out->backend_args),
		.error = devargs_error,
	};
	int ret;

	rte_vduse_args_dev(&out->dev, known, RTE_VDUSE_BLK_QUEUES_MAX, DEVARGS_QUEUE_SIZE_MIN);
	ret = rte_vduse_args_read(&args, text);
	if (ret < 0)
		return ret;
	if (out->backend[0] == '\0')
		return devargs_refuse(out, RTE_VDUSE_ARG_WRONG, "backend", "", DEVARGS_BACKENDS);
	out->vhost_user = transport != 0;
	ret = devargs_path(out, known[IFACE].given, known[TRANSPORT].given, known[SOCKET].given);
	return ret == 0 ? rte_vduse_args_dev_check(&args, &out->dev) : ret;
}

int
blk_devargs_parse(const char *text, struct blk_devargs *out)
{
	char *copy = strdup(text), *rest = copy;
	int ret;

	if (copy == NULL)
		return -ENOMEM;
	memset(out, 0, sizeof(*out));
	out->conf.size = sizeof(out->conf);
	out->conf.inflight = true;
	ret = devargs_name(&rest, out);
	if (ret == 0)
		ret = devargs_read(rest, out);
	free(copy);
	if (ret < 0)
		return ret;
	if (out->serial[0] == '\0')
		snprintf(out->serial, sizeof(out->serial), "%.*s", RTE_VDUSE_BLK_SERIAL_MAX,
			 out->name);
	devargs_conf(out);
	return 0;
}
