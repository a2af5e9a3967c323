/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Device arguments of net_vduse: text in, a checked structure out, one log line for the first
 * thing that is wrong. Any thread.
 */
#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_config.h>
#include <rte_string_fns.h>

#include <rte_vduse_args.h>
#include <rte_vduse_net.h>

#include "devargs.h"
#include "pmd_log.h"

#define DEVARGS_QUEUE_SIZE     256
#define DEVARGS_QUEUE_SIZE_MIN 2
#define DEVARGS_QUEUE_SIZE_MAX 32768

/* ethdev polls no more queues than this, though the device could have more. */
#define DEVARGS_QUEUES_MAX RTE_MAX_QUEUES_PER_PORT
static_assert(DEVARGS_QUEUES_MAX <= RTE_VDUSE_NET_PAIRS_MAX, "too many queues for the device");

/* One argument: how it is read, and what the log says it must be. */
struct devargs_key {
	const char *key;
	bool (*parse)(const char *value, struct vduse_devargs *out);
	const char *wanted;
};

/* Reads a decimal number and nothing but. */
static bool
devargs_number(const char *value, unsigned long min, unsigned long max, uint16_t *out)
{
	unsigned long number;
	char *end;

	if (!isdigit((unsigned char)value[0]))
		return false;
	errno = 0;
	number = strtoul(value, &end, 10);
	if (errno != 0 || *end != '\0' || number < min || number > max)
		return false;
	*out = number;
	return true;
}

static bool
devargs_iface(const char *value, struct vduse_devargs *out)
{
	if (rte_vduse_path_name(value) == NULL)
		return false;
	return rte_strlcpy(out->iface, value, sizeof(out->iface)) < sizeof(out->iface);
}

static bool
devargs_queues(const char *value, struct vduse_devargs *out)
{
	return devargs_number(value, 1, DEVARGS_QUEUES_MAX, &out->queues);
}

static bool
devargs_queue_size(const char *value, struct vduse_devargs *out)
{
	return devargs_number(value, DEVARGS_QUEUE_SIZE_MIN, DEVARGS_QUEUE_SIZE_MAX,
			      &out->queue_size) &&
	       rte_is_power_of_2(out->queue_size);
}

static bool
devargs_mac(const char *value, struct vduse_devargs *out)
{
	return rte_ether_unformat_addr(value, &out->mac) == 0 &&
	       rte_is_valid_assigned_ether_addr(&out->mac);
}

static bool
devargs_mtu(const char *value, struct vduse_devargs *out)
{
	return devargs_number(value, RTE_VDUSE_NET_MTU_MIN, RTE_VDUSE_NET_MTU_MAX, &out->mtu);
}

static bool
devargs_attach(const char *value, struct vduse_devargs *out)
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

static bool
devargs_flag(const char *value, bool *out)
{
	uint16_t number;

	if (!devargs_number(value, 0, 1, &number))
		return false;
	*out = number != 0;
	return true;
}

static bool
devargs_umem(const char *value, struct vduse_devargs *out)
{
	return devargs_flag(value, &out->umem);
}

static bool
devargs_client(const char *value, struct vduse_devargs *out)
{
	return devargs_flag(value, &out->client);
}

static bool
devargs_any_memory(const char *value, struct vduse_devargs *out)
{
	return devargs_flag(value, &out->any_memory);
}

static bool
devargs_memory_limit(const char *value, struct vduse_devargs *out)
{
	return rte_vduse_args_bytes(value, &out->memory_limit) && out->memory_limit != 0;
}

static bool
devargs_socket_mode(const char *value, struct vduse_devargs *out)
{
	char *end;

	out->socket_mode = (uint32_t)strtoul(value, &end, 8);
	return isdigit((unsigned char)value[0]) && *end == '\0' && out->socket_mode != 0 &&
	       out->socket_mode <= 0777;
}

static bool
devargs_socket_group(const char *value, struct vduse_devargs *out)
{
	return value[0] != '\0' &&
	       rte_strlcpy(out->socket_group, value, sizeof(out->socket_group)) <
		       sizeof(out->socket_group);
}

static bool
devargs_packed(const char *value, struct vduse_devargs *out)
{
	out->packed_given = true;
	return devargs_flag(value, &out->packed);
}

static bool
devargs_in_order(const char *value, struct vduse_devargs *out)
{
	return devargs_flag(value, &out->in_order);
}

static const struct devargs_key devargs_keys[] = {
	{ "iface", devargs_iface, RTE_VDUSE_PATH_USAGE },
	{ "queues", devargs_queues,
	  "a number of queue pairs from 1 to " RTE_STR(DEVARGS_QUEUES_MAX) },
	{ "queue-size", devargs_queue_size,
	  "a power of two from " RTE_STR(DEVARGS_QUEUE_SIZE_MIN) " to " RTE_STR(
		  DEVARGS_QUEUE_SIZE_MAX) },
	{ "mac", devargs_mac, "a unicast address such as 02:00:00:00:00:01" },
	{ "mtu", devargs_mtu,
	  "a number from " RTE_STR(RTE_VDUSE_NET_MTU_MIN) " to " RTE_STR(RTE_VDUSE_NET_MTU_MAX) },
	{ "attach", devargs_attach, "none, virtio or vhost" },
	{ "umem", devargs_umem, "0 or 1" },
	{ "client", devargs_client, "0 or 1" },
	{ "any-memory", devargs_any_memory, "0 or 1" },
	{ "memory-limit", devargs_memory_limit, "a number of bytes such as 8G" },
	{ "socket-mode", devargs_socket_mode, "an octal number such as 0660" },
	{ "socket-group", devargs_socket_group, "the name or the number of a group" },
	{ "packed", devargs_packed, "0 or 1" },
	{ "in-order", devargs_in_order, "0 or 1" },
};

static const struct devargs_key *
devargs_find(const char *key)
{
	unsigned int i;

	for (i = 0; i < RTE_DIM(devargs_keys); i++)
		if (strcmp(devargs_keys[i].key, key) == 0)
			return &devargs_keys[i];
	return NULL;
}

/* Takes one pair over. seen has a bit for each key that was there before. */
static int
devargs_pair(const char *name, const char *text, const char *value, uint32_t *seen,
	     struct vduse_devargs *out)
{
	const struct devargs_key *key = devargs_find(text);
	uint32_t bit;

	if (key == NULL) {
		VDUSE_PMD_LOG(ERR, name, "%s=%s: unknown argument; known are %s", text, value,
			      VDUSE_DEVARGS_USAGE);
		return -EINVAL;
	}
	bit = RTE_BIT32(key - devargs_keys);
	if (*seen & bit) {
		VDUSE_PMD_LOG(ERR, name, "%s=%s: given more than once; give it once", text, value);
		return -EINVAL;
	}
	*seen |= bit;
	if (!key->parse(value, out)) {
		VDUSE_PMD_LOG(ERR, name, "%s=%s: must be %s", text, value, key->wanted);
		return -EINVAL;
	}
	return 0;
}

/* Arguments that do not go together. */
static int
devargs_check(const char *name, const struct vduse_devargs *args)
{
	if (args->iface[0] == '\0') {
		VDUSE_PMD_LOG(ERR, name, "iface is missing: give iface=" RTE_VDUSE_PATH "NAME");
		return -EINVAL;
	}
	if ((args->socket_mode != 0 || args->socket_group[0] != '\0') &&
	    (args->client || !rte_vduse_path_is_socket(args->iface))) {
		VDUSE_PMD_LOG(ERR, name,
			      "socket-mode and socket-group: %s is no socket that is "
			      "made; leave them out",
			      args->iface);
		return -EINVAL;
	}
	if (!rte_vduse_path_is_socket(args->iface)) {
		if (!args->client && !args->any_memory)
			return 0;
		VDUSE_PMD_LOG(ERR, name, "%s=1: %s is no socket; leave %s out",
			      args->client ? "client" : "any-memory", args->iface,
			      args->client ? "client" : "any-memory");
		return -EINVAL;
	}
	if (args->attach == RTE_VDUSE_ATTACH_NONE && !args->umem)
		return 0;
	VDUSE_PMD_LOG(ERR, name, "%s: only the kernel has that, and %s is a socket; leave %s out",
		      args->umem ? "umem=1" : "attach", args->iface,
		      args->umem ? "umem" : "attach");
	return -EINVAL;
}

int
vduse_devargs_parse(const char *name, const char *args, struct vduse_devargs *out)
{
	char *copy = strdup(args != NULL ? args : ""), *rest = copy, *key, *value;
	uint32_t seen = 0;
	int ret = 0;

	if (copy == NULL)
		return -ENOMEM;
	*out = (struct vduse_devargs){
		.queues = 1,
		.queue_size = DEVARGS_QUEUE_SIZE,
		.mtu = RTE_ETHER_MTU,
		.attach = RTE_VDUSE_ATTACH_NONE,
		.in_order = true,
	};
	while (ret == 0 && (key = rte_vduse_args_next(&rest, &value)) != NULL)
		ret = devargs_pair(name, key, value != NULL ? value : "", &seen, out);
	free(copy);
	if (ret < 0)
		return ret;
	/*
	 * A process that is killed while it writes used descriptors leaves a packed ring that
	 * nobody can go on with. A vhost-user driver starts again then; the kernel's cannot.
	 */
	if (!out->packed_given)
		out->packed = rte_vduse_path_is_socket(out->iface);
	return devargs_check(name, out);
}
