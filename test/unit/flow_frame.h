/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Frames of flows whose hashes are known, for tests of hashes and steering. */
#ifndef FLOW_FRAME_H
#define FLOW_FRAME_H

#include "unit.h"

#include <rte_mbuf.h>

#include <virtio_net/hash.h>

#define FLOW_FRAME   128u
#define FLOW_VECTORS 8

/* Microsoft's key and flows for receive side scaling, and their hashes without and with ports. */
extern const uint8_t flow_key[VNET_HASH_KEY_MAX];
struct flow {
	const char *dst, *src;
	uint16_t dst_port, src_port;
	uint32_t ip, l4;
};
extern const struct flow flow_vectors[FLOW_VECTORS];

/* How a frame differs from a plain one. */
enum flow_shape { PLAIN, TAGGED, OPTIONS, FRAGMENT, SHAPES };

bool
flow_is_ipv6(const struct flow *flow);
/* A frame of a flow; proto: IPPROTO_TCP, IPPROTO_UDP or another one. */
void
flow_frame(uint8_t bytes[FLOW_FRAME], const struct flow *flow, uint8_t proto,
	   enum flow_shape shape);
/* The first bytes of a frame as a packet in segments of seg bytes. */
struct rte_mbuf *
flow_packet(struct rte_mempool *pool, const uint8_t *bytes, uint32_t len, uint32_t seg);

#endif /* FLOW_FRAME_H */
