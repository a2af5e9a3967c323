/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Messages between the primary process, which serves the devices and has their counters in memory of
 * its own, and secondary processes, which read them.
 */
#ifndef VDUSE_MP_H
#define VDUSE_MP_H

#include <stdint.h>

struct rte_eth_dev;

/* What a secondary process can read, and the structure that it gets. */
enum vduse_mp_what {
	VDUSE_MP_ARGS,   /* struct vduse_devargs; mtu and mac may be old */
	VDUSE_MP_DEVICE, /* struct xstats_device */
	VDUSE_MP_QUEUE,  /* struct xstats_queue */
};

/*
 * Primary process: answers requests about a port until vduse_mp_withdraw(), which waits for the
 * answer that is under way. Thread: the application's control thread.
 */
void
vduse_mp_serve(const struct rte_eth_dev *dev);

void
vduse_mp_withdraw(const struct rte_eth_dev *dev);

/*
 * Secondary process: reads a structure of size bytes. index: the queue, or 0. 0, or a negative errno
 * with one log line; -ENODEV: the primary process has closed the port. Blocks for seconds if the
 * primary process does not answer. Thread: any but EAL's message thread.
 */
int
vduse_mp_read(const struct rte_eth_dev *dev, enum vduse_mp_what what, uint32_t index, void *out,
	      uint32_t size);

#endif /* VDUSE_MP_H */
