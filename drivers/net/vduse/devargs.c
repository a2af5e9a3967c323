/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Device arguments of net_vduse.
 * Input: text. Output: a checked structure, or one log line for the first thing that is wrong.
 * Thread: any.
 */
#include <rte_common.h>
#include <rte_config.h>

#include <rte_vduse_net.h>

#include "devargs.h"
#include "pmd_log.h"

#define DEVARGS_QUEUE_SIZE_MIN 2

#define DEVARGS_QUEUES_MAX RTE_MIN(RTE_VDUSE_NET_PAIRS_MAX, RTE_MAX_QUEUES_PER_PORT)

static bool
devargs_mac(const char *value, void *to)
{
	struct rte_ether_addr *mac = to;

	return rte_ether_unformat_addr(value, mac) == 0 && rte_is_valid_assigned_ether_addr(mac);
}

static void
devargs_error(const char *name, enum rte_vduse_arg_fault fault, const char *key, const char *value,
	      const char *text)
{
	VDUSE_PMD_LOG(ERR, name, "%s=%s: %s%s", key, value,
		      fault == RTE_VDUSE_ARG_WRONG ? "must be " : "", text);
}

int
vduse_devargs_parse(const char *name, const char *text, struct vduse_devargs *out)
{
	static const char *const steers[] = {
		[RTE_VDUSE_NET_STEER_APP] = "app",
		[RTE_VDUSE_NET_STEER_RSS] = "rss",
		[RTE_VDUSE_NET_STEER_AUTO] = "auto",
		NULL,
	};
	struct rte_vduse_arg known[] = {
		[RTE_VDUSE_ARGS_DEV] = { RTE_VDUSE_ARG("mac", OTHER, out->mac),
					 .parse = devargs_mac,
					 .wanted = "a unicast address such as 02:00:00:00:00:01" },
		{ RTE_VDUSE_ARG("mtu", NUMBER, out->mtu), .min = RTE_VDUSE_NET_MTU_MIN,
		  .max = RTE_VDUSE_NET_MTU_MAX },
		{ RTE_VDUSE_ARG("mergeable", FLAG, out->mergeable) },
		{ RTE_VDUSE_ARG("csum", FLAG, out->csum) },
		{ RTE_VDUSE_ARG("tso", FLAG, out->tso) },
		{ RTE_VDUSE_ARG("uso", FLAG, out->uso) },
		{ RTE_VDUSE_ARG("speed", NUMBER, out->speed), .min = 1,
		  .max = RTE_VDUSE_NET_SPEED_MAX },
		{ RTE_VDUSE_ARG("steer", NAME, out->steer), .names = steers },
		{ RTE_VDUSE_ARG("hash-report", FLAG, out->hash_report) },
		{ RTE_VDUSE_ARG("handover", TEXT, out->handover) },
	};
	const struct rte_vduse_args args = {
		.device = name,
		.known = known,
		.nb_known = RTE_DIM(known),
		.error = devargs_error,
	};
	int ret;

	*out = (struct vduse_devargs){ .mtu = RTE_ETHER_MTU, .mergeable = true };
	rte_vduse_args_dev(&out->dev, known, DEVARGS_QUEUES_MAX, DEVARGS_QUEUE_SIZE_MIN);
	out->dev.in_order = true;
	ret = rte_vduse_args_read(&args, text);
	/* A segment needs a checksum (section 5.1.3.1 of the specification). */
	out->csum |= out->tso || out->uso;
	return ret == 0 ? rte_vduse_args_dev_check(&args, &out->dev) : ret;
}
