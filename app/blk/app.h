/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* dpdk-vduse-blk, inside: options.c says which devices, user.c as whom, main.c makes them, poll.c polls them. */
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
	const char *user; /* to run as; NULL: whoever started it */
};

/* options.c: what the command line asks for. 0, or a negative errno and one line that says why. */
int
app_options(int argc, char **argv, struct app_devices *devices);
/* options.c: of devices that are not created any more, or were not. */
void
app_options_free(struct app_devices *devices);

/* user.c: becomes devices->user. 0, or a negative errno and one line that says why. */
int
app_user_drop(const struct app_devices *devices);

/* poll.c: shares the queues out among the worker lcores and has them polled. 0 or -errno. */
int
app_poll_start(const struct app_devices *devices);
/* poll.c: returns when no lcore polls any more. */
void
app_poll_stop(void);

/* summary.c: writes what the devices have done to the standard output. */
void
app_summary(const struct app_devices *devices);

#endif /* BLK_APP_H */
