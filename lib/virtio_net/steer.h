/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Steering: the pair to which a packet goes that the application sends on any queue.
 * Thread: polling, except where a function says control.
 */
#ifndef VNET_STEER_H
#define VNET_STEER_H

#include <stdint.h>

#include <rte_mbuf.h>

#include <virtio_net/hash.h>

struct rte_vduse_net;

/* Most flows whose pairs are known, a power of two. With more, some displace others. */
#define VNET_STEER_FLOWS 8192

struct vnet_steer {
	bool learns; /* RTE_VDUSE_NET_STEER_AUTO; constant */
	/*
	 * What the driver configured last. The control thread writes it word by word, atomic, and
	 * pollers read it so: packets of a burst that is under way may see some words of each
	 * configuration, and go to any pair of the table.
	 */
	struct vnet_rss rss;
	/*
	 * With learns: by the last bits of the hash of a flow, its first bits and the pair plus 1 in
	 * the last byte; 0: not known. Pollers write and read it, atomic.
	 */
	uint32_t flows[];
};

/* Creates what a device of this mode needs, enum rte_vduse_net_steer. Freed with free(). */
struct vnet_steer *
vnet_steer_new(uint8_t mode);

/* Puts the configuration in force that the driver's commands set. Thread: control. */
void
vnet_steer_set(struct rte_vduse_net *net);

/* Forgets the flows of a driver. Thread: control. */
void
vnet_steer_forget(struct rte_vduse_net *net);

/* Remembers on which pair the driver sent these packets. */
void
vnet_steer_learn(struct vnet_steer *steer, uint16_t pair, struct rte_mbuf *const *mbufs,
		 uint16_t nb);

/* rte_vduse_net_tx_burst() of a device that steers. */
uint16_t
vnet_steer_tx(struct rte_vduse_net *net, uint16_t pair, struct rte_mbuf **mbufs, uint16_t nb);

#endif /* VNET_STEER_H */
