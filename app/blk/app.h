/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Internal interface of dpdk-vduse-blk. options.c parses the devices, user.c switches the user,
 * main.c creates the devices, poll.c polls them.
 */
#ifndef BLK_APP_H
#define BLK_APP_H

#include <rte_vduse_blk.h>

#include "blk_devargs.h"

struct app_device {
	struct blk_devargs args;
	struct rte_vduse_blk *blk; /* NULL: not created */
};

struct app_devices {
	struct app_device **all;
	unsigned int nb;
	const char *user; /* to switch to; NULL: none */
};

/* options.c: parses the command line. 0, or a negative errno after one line with the reason. */
int
app_options(int argc, char **argv, struct app_devices *devices);
/* options.c: frees the options. The devices must not exist any more. */
void
app_options_free(struct app_devices *devices);

/* user.c: switches to devices->user. 0, or a negative errno after one line with the reason. */
int
app_user_drop(const struct app_devices *devices);

/* poll.c: starts the worker lcores, which have nothing to poll yet. 0 or -errno. */
int
app_poll_start(void);
/* poll.c: lets worker lcores poll the queues of a device. 0; or -ENOMEM: none is polled. */
int
app_poll_add(struct rte_vduse_blk *blk);
/* poll.c: returns when no lcore polls the device any more. */
void
app_poll_remove(struct rte_vduse_blk *blk);
/* poll.c: stops polling. Returns when no lcore polls any more. */
void
app_poll_stop(void);

/* summary.c: prints the counters of the devices to the standard output. */
void
app_summary(const struct app_devices *devices);

#endif /* BLK_APP_H */
