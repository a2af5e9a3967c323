/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The process whose devices this one takes over, at its control socket. Thread: main. */
#ifndef BLK_TAKE_OVER_H
#define BLK_TAKE_OVER_H

#include <stdbool.h>

#include <rte_vduse_handover.h>

struct take_over;

/*
 * Connects to a control socket. 0; -ENOENT: no process serves it; or another negative errno after one
 * line with the reason.
 */
int
take_over_open(const char *path, struct take_over **over);
/* Whether the other process had a device of this name at first: 1, 0; -ECONNRESET: it does not answer. */
int
take_over_has(struct take_over *over, const char *name);
/*
 * Asks for a device. 0: *from is for its conf; -ENODEV: the other process has no such device; another
 * negative errno after one line: it serves the device on.
 */
int
take_over_begin(struct take_over *over, const char *name, struct rte_vduse_handover **from);
/* After it was started, or failed to: frees from, and waits until the other process has let go. */
int
take_over_end(struct take_over *over, struct rte_vduse_handover *from);
/* Whether the other process answers. If not, it is gone. */
bool
take_over_alive(struct take_over *over);
/* Whether the other process has devices still, after one line: it must not be stopped then. */
bool
take_over_has_more(struct take_over *over);
/*
 * Stops the other process, and waits until it is gone. 0, or -ETIMEDOUT after one line: it does not
 * end.
 */
int
take_over_stop(struct take_over *over);
/* Disconnects. NULL is allowed. */
void
take_over_close(struct take_over *over);

#endif /* BLK_TAKE_OVER_H */
