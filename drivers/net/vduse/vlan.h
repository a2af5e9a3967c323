/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* VLAN offloads, in software. Thread: the lcore that polls the queue. */
#ifndef VDUSE_VLAN_H
#define VDUSE_VLAN_H

#include <stdint.h>

struct rte_mbuf;
struct vduse_queue;

/* Moves the outer tag (TPID 0x8100) of each received packet to its mbuf. */
void
vduse_vlan_strip(struct rte_mbuf **mbufs, uint16_t nb);

/*
 * rte_vduse_net_tx_burst() of packets that may ask for a tag. A packet that cannot be tagged is
 * dropped and counted; it counts as taken. Packets that the caller keeps may be tagged already:
 * their flag is then cleared.
 */
uint16_t
vduse_vlan_tx_burst(const struct vduse_queue *queue, struct rte_mbuf **mbufs, uint16_t nb);

#endif /* VDUSE_VLAN_H */
