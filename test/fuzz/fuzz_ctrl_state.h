/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * What the commands of a driver set in a network device, and the bounds within which it must stay.
 * Thread: libFuzzer's, while the control thread has nothing to do.
 */
#ifndef FUZZ_CTRL_STATE_H
#define FUZZ_CTRL_STATE_H

#include <virtio_net/ctrl.h>
#include <virtio_net/net.h>

/* All that commands change, apart from the address in the configuration space. */
struct fuzz_ctrl_state {
	struct vnet_filter filter;
	struct vnet_rss rss;
	struct vnet_coal_params coal[2];
	uint64_t guest_offloads;
	uint16_t pairs;
};

/* A copy, to be compared as bytes. */
struct fuzz_ctrl_state
fuzz_ctrl_state(const struct rte_vduse_net *net);

/*
 * Fails if the state is out of bounds, if bursts read something else than the commands set, or if a
 * virtqueue that runs has a chain that was popped and not used.
 */
void
fuzz_ctrl_check(const struct rte_vduse_net *net);

#endif /* FUZZ_CTRL_STATE_H */
