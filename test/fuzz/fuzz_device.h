/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Network devices that are kept for all runs of a fuzzer. The control thread does not serve them: the
 * caller handles messages and kicks itself, without a switch of threads. The memory of their drivers
 * stays mapped over resets, and AddressSanitizer reports accesses to what is hidden in it.
 * Thread: libFuzzer's, which takes the place of the control thread.
 */
#ifndef FUZZ_DEVICE_H
#define FUZZ_DEVICE_H

#include <rte_vduse_net.h>

#include "fuzz_ring.h"

struct fuzz_device {
	struct vduse_loopback *loop;
	struct rte_vduse_net *net;
	struct rte_vduse_dev *dev;
};

/* Creates and starts a device. Its configuration needs no transport. */
void
fuzz_device_open(struct fuzz_device *device, struct rte_vduse_net_conf *conf);

/* The memory that the drivers of all these devices share. */
struct fuzz_memory *
fuzz_device_memory(void);

/* A driver with these features comes up, with the virtqueues that the loopback was told of. */
void
fuzz_device_up(struct fuzz_device *device, uint64_t features);

/* The driver resets the device: nothing of the run is left. */
void
fuzz_device_reset(struct fuzz_device *device);

/* Serves a virtqueue that was kicked, or has just started, until it has no more to do. */
void
fuzz_device_serve(struct fuzz_device *device, uint16_t index);

/* Zeroes the place of a ring, so that the next one there does not depend on the last one. */
void
fuzz_device_clear(uint64_t at, uint64_t len);

/* Bytes at an address of the driver that neither the device nor the driver may access, or may. */
void
fuzz_device_hide(uint64_t iova, uint64_t len);
void
fuzz_device_unhide(uint64_t iova, uint64_t len);

/* The lowest number that is free for a file descriptor: one that is leaked moves it up. */
int
fuzz_device_next_fd(void);

#endif /* FUZZ_DEVICE_H */
