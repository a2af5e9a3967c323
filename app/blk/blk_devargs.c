/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The text behind --device. In flows NAME,key=value,..., out flows what lib/virtio_blk wants
 * to know; keys that are not ours are the backend's. Main thread, before anything runs.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_memory.h>
#include <rte_string_fns.h>

#include <rte_vduse_args.h>

#include "blk_devargs.h"

#define DEVARGS_QUEUE_SIZE 256

/* One key: how its value is read, and what the error says it must be. */
struct devargs_key {
	const char *key;
	bool (*parse)(const char *value, struct blk_devargs *out);
	const char *wanted;
};

/* Reads a decimal number and nothing but. */
static bool
devargs_number(const char *value, unsigned long min, unsigned long max, unsigned long *out)
{
	char *end;

	if (!isdigit((unsigned char)value[0]))
		return false;
	errno = 0;
	*out = strtoul(value, &end, 10);
	return errno == 0 && *end == '\0' && *out >= min && *out <= max;
}

static bool
devargs_flag(const char *value, bool *out)
{
	unsigned long number;

	if (!devargs_number(value, 0, 1, &number))
		return false;
	*out = number != 0;
	return true;
}

/* Copies a text that is not empty, if it fits. */
static bool
devargs_text(const char *value, char *out, size_t size)
{
	return value[0] != '\0' && rte_strlcpy(out, value, size) < size;
}

static bool
devargs_transport(const char *value, struct blk_devargs *out)
{
	out->vhost_user = strcmp(value, "vhost-user") == 0;
	return out->vhost_user || strcmp(value, "kernel") == 0;
}

static bool
devargs_socket(const char *value, struct blk_devargs *out)
{
	return rte_vduse_path_is_socket(value) && rte_vduse_path_name(value) != NULL &&
	       devargs_text(value, out->path, sizeof(out->path));
}

static bool
devargs_socket_mode(const char *value, struct blk_devargs *out)
{
	char *end;

	out->conf.socket_mode = (uint32_t)strtoul(value, &end, 8);
	return isdigit((unsigned char)value[0]) && *end == '\0' && out->conf.socket_mode != 0 &&
	       out->conf.socket_mode <= 0777;
}

static bool
devargs_socket_group(const char *value, struct blk_devargs *out)
{
	return devargs_text(value, out->socket_group, sizeof(out->socket_group));
}

static bool
devargs_client(const char *value, struct blk_devargs *out)
{
	return devargs_flag(value, &out->conf.client);
}

static bool
devargs_any_memory(const char *value, struct blk_devargs *out)
{
	return devargs_flag(value, &out->conf.any_memory);
}

static bool
devargs_memory_limit(const char *value, struct blk_devargs *out)
{
	return rte_vduse_args_bytes(value, &out->conf.memory_limit) && out->conf.memory_limit != 0;
}

static bool
devargs_backend(const char *value, struct blk_devargs *out)
{
	return devargs_text(value, out->backend, sizeof(out->backend));
}

static bool
devargs_queues(const char *value, struct blk_devargs *out)
{
	unsigned long number;

	if (!devargs_number(value, 1, RTE_VDUSE_BLK_QUEUES_MAX, &number))
		return false;
	out->conf.queues = (uint16_t)number;
	return true;
}

static bool
devargs_queue_size(const char *value, struct blk_devargs *out)
{
	unsigned long number;

	if (!devargs_number(value, 4, 32768, &number) || !rte_is_power_of_2((uint32_t)number))
		return false;
	out->conf.queue_size = (uint16_t)number;
	return true;
}

static bool
devargs_block_size(const char *value, struct blk_devargs *out)
{
	unsigned long number;

	if (!devargs_number(value, RTE_VDUSE_BLK_SECTOR, 4096, &number) ||
	    !rte_is_power_of_2((uint32_t)number))
		return false;
	out->conf.block_size = (uint32_t)number;
	return true;
}

static bool
devargs_serial(const char *value, struct blk_devargs *out)
{
	return devargs_text(value, out->serial, sizeof(out->serial));
}

static bool
devargs_ro(const char *value, struct blk_devargs *out)
{
	return devargs_flag(value, &out->conf.read_only);
}

static bool
devargs_packed(const char *value, struct blk_devargs *out)
{
	out->packed_given = true;
	return devargs_flag(value, &out->conf.packed);
}

static bool
devargs_in_order(const char *value, struct blk_devargs *out)
{
	return devargs_flag(value, &out->conf.in_order);
}

static bool
devargs_log(const char *value, struct blk_devargs *out)
{
	return devargs_flag(value, &out->conf.inflight);
}

static bool
devargs_umem(const char *value, struct blk_devargs *out)
{
	return devargs_flag(value, &out->conf.umem);
}

static bool
devargs_attach(const char *value, struct blk_devargs *out)
{
	static const char *const names[] = {
		[RTE_VDUSE_ATTACH_NONE] = "none",
		[RTE_VDUSE_ATTACH_VIRTIO] = "virtio",
		[RTE_VDUSE_ATTACH_VHOST] = "vhost",
	};
	unsigned int i;

	for (i = 0; i < RTE_DIM(names); i++) {
		if (strcmp(value, names[i]) == 0) {
			out->attach = (enum rte_vduse_attach)i;
			return true;
		}
	}
	return false;
}

static const struct devargs_key devargs_keys[] = {
	{ "transport", devargs_transport, "kernel or vhost-user" },
	{ "socket", devargs_socket, "the path of a socket, with a '/' and up to 107 characters" },
	{ "socket-mode", devargs_socket_mode, "an octal number such as 0660" },
	{ "socket-group", devargs_socket_group, "the name or the number of a group" },
	{ "client", devargs_client, "0 or 1" },
	{ "any-memory", devargs_any_memory, "0 or 1" },
	{ "memory-limit", devargs_memory_limit, "a number of bytes such as 8G" },
	{ "backend", devargs_backend, "null, ram, file, fault or rbd" },
	{ "queues", devargs_queues, "a number from 1 to " RTE_STR(RTE_VDUSE_BLK_QUEUES_MAX) },
	{ "queue-size", devargs_queue_size, "a power of two from 4 to 32768" },
	{ "block-size", devargs_block_size, "512, 1024, 2048 or 4096" },
	{ "serial", devargs_serial, "1 to " RTE_STR(RTE_VDUSE_BLK_SERIAL_MAX) " characters" },
	{ "ro", devargs_ro, "0 or 1" },
	{ "packed", devargs_packed, "0 or 1" },
	{ "in-order", devargs_in_order, "0 or 1" },
	{ "log", devargs_log, "0 or 1" },
	{ "umem", devargs_umem, "0 or 1" },
	{ "attach", devargs_attach, "none, virtio or vhost" },
};

static int
devargs_error(const struct blk_devargs *out, const char *key, const char *value, const char *wanted)
{
	fprintf(stderr, "dpdk-vduse-blk: %s: %s=%s: use %s\n", out->name, key, value, wanted);
	return -EINVAL;
}

/* What we do not know is kept for the backend. */
static int
devargs_pass_on(struct blk_devargs *out, const char *key, const char *value)
{
	size_t len = strlen(out->backend_args), room = sizeof(out->backend_args) - len;
	size_t used;

	/* A comma at the end is no argument. */
	used = rte_vduse_args_put(out->backend_args + len, room, key, value);
	if (used + 1 >= room)
		return devargs_error(out, key, value, "fewer and shorter arguments");
	strcpy(out->backend_args + len + used, ",");
	return 0;
}

static int
devargs_take(struct blk_devargs *out, const char *key, const char *value)
{
	unsigned int i;

	if (value == NULL)
		return devargs_error(out, key, "", "key=value");
	for (i = 0; i < RTE_DIM(devargs_keys); i++) {
		if (strcmp(key, devargs_keys[i].key) != 0)
			continue;
		if (devargs_keys[i].parse(value, out))
			return 0;
		return devargs_error(out, key, value, devargs_keys[i].wanted);
	}
	return devargs_pass_on(out, key, value);
}

/* The name comes first and has no value. */
static int
devargs_name(char **rest, struct blk_devargs *out)
{
	char *value, *name = rte_vduse_args_next(rest, &value);

	if (name == NULL) {
		fprintf(stderr, "dpdk-vduse-blk: --device: use NAME,key=value,...\n");
		return -EINVAL;
	}
	snprintf(out->path, sizeof(out->path), RTE_VDUSE_PATH "%s", name);
	if (value != NULL || rte_vduse_path_name(out->path) == NULL) {
		fprintf(stderr,
			"dpdk-vduse-blk: --device %s: it begins with a name of letters, "
			"digits, '.', '_' and '-', up to %u\n",
			name, RTE_VDUSE_NAME_MAX - 1);
		return -EINVAL;
	}
	(void)rte_strlcpy(out->name, name, sizeof(out->name));
	return 0;
}

/* What the keys say together. */
static int
devargs_check(struct blk_devargs *out)
{
	bool socket = rte_vduse_path_is_socket(out->path);

	if (out->backend[0] == '\0')
		return devargs_error(out, "backend", "", "null, ram, file, fault or rbd");
	if (out->vhost_user && !socket)
		return devargs_error(out, "socket", "", "it with transport=vhost-user");
	if (!out->vhost_user && (socket || out->conf.client || out->conf.any_memory))
		return devargs_error(out, "transport", "kernel",
				     "vhost-user with socket=, client= and any-memory=");
	if (out->vhost_user && out->attach != RTE_VDUSE_ATTACH_NONE)
		return devargs_error(out, "attach", "", "none with transport=vhost-user");
	if ((out->conf.client || !socket) &&
	    (out->conf.socket_mode != 0 || out->socket_group[0] != '\0'))
		return devargs_error(out, "socket-mode", "",
				     "it and socket-group= with a socket "
				     "that is made");
	if (out->socket_group[0] != '\0')
		out->conf.socket_group = out->socket_group;
	if (!out->packed_given)
		out->conf.packed = out->vhost_user;
	out->conf.path = out->path;
	out->conf.name = out->name;
	if (out->serial[0] == '\0')
		snprintf(out->serial, sizeof(out->serial), "%.*s", RTE_VDUSE_BLK_SERIAL_MAX,
			 out->name);
	out->conf.serial = out->serial;
	out->conf.backend = out->backend;
	out->conf.backend_args = out->backend_args;
	return 0;
}

int
blk_devargs_parse(const char *text, struct blk_devargs *out)
{
	char *copy = strdup(text), *rest = copy, *key, *value;
	int ret;

	if (copy == NULL)
		return -ENOMEM;
	memset(out, 0, sizeof(*out));
	out->conf.queues = 1;
	out->conf.inflight = true;
	out->conf.queue_size = DEVARGS_QUEUE_SIZE;
	out->conf.socket_id = SOCKET_ID_ANY;
	ret = devargs_name(&rest, out);
	while (ret == 0 && (key = rte_vduse_args_next(&rest, &value)) != NULL)
		ret = devargs_take(out, key, value);
	free(copy);
	return ret == 0 ? devargs_check(out) : ret;
}
