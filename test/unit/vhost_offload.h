/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* A device of rte_vhost.h whose driver accepts offloads, for tests of both directions. */
#ifndef VHOST_OFFLOAD_H
#define VHOST_OFFLOAD_H

#include "net_frame.h"
#include "vhost_app.h"

#include <vhost/vhost.h>

#define RING      256u
#define ROOM      2048
#define PACKETS   255
#define PAYLOAD   301 /* odd */
#define COMPLIANT RTE_VHOST_USER_NET_COMPLIANT_OL_FLAGS
#define TSO       (VNET_OFFLOAD(HOST_TSO4) | VNET_OFFLOAD(HOST_TSO6))
#define HOST      (VNET_OFFLOAD(CSUM) | TSO | VNET_OFFLOAD(HOST_ECN))
#define GUEST                                                                                      \
	(VNET_OFFLOAD(GUEST_CSUM) | VNET_OFFLOAD(GUEST_TSO4) | VNET_OFFLOAD(GUEST_TSO6) |          \
	 VNET_OFFLOAD(GUEST_ECN))
#define ALL (HOST | GUEST)
/* What librte_vhost offers and this library does not. */
#define UFO (VNET_OFFLOAD(HOST_UFO) | VNET_OFFLOAD(GUEST_UFO))

/* Of the device's application, from offload_begin() to offload_end(). */
extern struct rte_mempool *offload_pool;

/* The offloads that are offered, of all that there are. */
uint64_t
offload_offered(void);
/* A device whose driver accepts these offloads, as far as they are offered. */
void
offload_begin(uint64_t flags, uint64_t disabled, uint64_t accepted);
/* Ends it. No packet is lost. */
void
offload_end(void);
/* A counter of a virtqueue. */
uint64_t
offload_counted(uint16_t queue, const char *name);
/* The driver sends a frame that has the sum of the pseudo header only. */
struct rte_mbuf *
offload_dequeue(const struct virtio_net_hdr_v1 *hdr, const struct frame *sent);

#endif /* VHOST_OFFLOAD_H */
