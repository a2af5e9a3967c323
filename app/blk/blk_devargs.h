/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* What one --device asks for. */
#ifndef BLK_DEVARGS_H
#define BLK_DEVARGS_H

#include <limits.h>

#include <rte_vduse_args.h>
#include <rte_vduse_blk.h>

/* Most requests per second that iops= may say. */
#define BLK_DEVARGS_IOPS_MAX UINT64_C(1000000000)

/* Texts that conf points to are in it. */
struct blk_devargs {
	struct rte_vduse_blk_conf conf;
	struct rte_vduse_args_dev dev;
	bool vhost_user;
	char name[RTE_VDUSE_NAME_MAX];
	char serial[RTE_VDUSE_BLK_SERIAL_MAX + 1];
	char backend[32];
	char backend_args[2 * PATH_MAX]; /* what is not ours */
};

/*
 * Reads NAME,key=value,... Sets what is not named to its default. 0, or -EINVAL and one line
 * on the standard error that names the device, the key and what it may be.
 */
int
blk_devargs_parse(const char *text, struct blk_devargs *out);

#endif /* BLK_DEVARGS_H */
