/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Pools of mbufs that are counted, and checks of received packets and of virtqueues after a burst.
 * Thread: libFuzzer's.
 */
#ifndef FUZZ_PACKET_H
#define FUZZ_PACKET_H

#include <rte_mbuf.h>

#include <virtio_net/net.h>

#include "fuzz.h"

struct rte_mempool *
fuzz_pool_new(const char *name, unsigned int nb, uint16_t room);
/* Fails unless all its mbufs are free. */
void
fuzz_pool_check(struct rte_mempool *pool, unsigned int nb);

/* Fails if a virtqueue that runs has a chain that was popped and not used. */
void
fuzz_check_used(const struct vnet_queue *queue);

/* Fails if a packet from the driver is corrupt, or is not what its flags say. */
void
fuzz_check_received(const struct rte_vduse_net *net, const struct rte_mbuf *mbuf);

#endif /* FUZZ_PACKET_H */
