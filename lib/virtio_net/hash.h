/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Hashes of packets (VIRTIO 1.2, section 5.1.6.4.3), as the driver configures them.
 * Thread: polling, except for rss.c.
 */
#ifndef VNET_HASH_H
#define VNET_HASH_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_net.h>

#include <rte_mbuf.h>

/* What the configuration space announces (section 5.1.4). */
#define VNET_HASH_TYPES                                                                            \
	(VIRTIO_NET_RSS_HASH_TYPE_IPv4 | VIRTIO_NET_RSS_HASH_TYPE_TCPv4 |                          \
	 VIRTIO_NET_RSS_HASH_TYPE_UDPv4 | VIRTIO_NET_RSS_HASH_TYPE_IPv6 |                          \
	 VIRTIO_NET_RSS_HASH_TYPE_TCPv6 | VIRTIO_NET_RSS_HASH_TYPE_UDPv6)
#define VNET_HASH_KEY_MAX  40
#define VNET_RSS_TABLE_MAX 128

/* Two IPv6 addresses and two ports, in words of 4 bytes. The hash reads one word of key more. */
#define VNET_FLOW_WORDS 9
static_assert(VNET_HASH_KEY_MAX == 4 * (VNET_FLOW_WORDS + 1), "the key is as long as is read");

/* How hashes are computed, and steer packets. One that a burst may read is not changed. */
struct vnet_rss {
	uint32_t types;                    /* VIRTIO_NET_RSS_HASH_TYPE_; 0: none is computed */
	uint32_t key[VNET_FLOW_WORDS + 1]; /* words of the CPU, 0 after its end */
	bool on;                           /* the driver gave a table */
	uint16_t mask;                     /* bits of the hash that are an index of the table */
	uint16_t unclassified;             /* pair of packets without a hash */
	uint16_t table[VNET_RSS_TABLE_MAX];
};

/* The end of the header with VIRTIO_NET_F_HASH_REPORT, little endian (section 5.1.6). */
struct vnet_hash {
	uint32_t value;
	uint16_t report; /* VIRTIO_NET_HASH_REPORT_ */
	uint16_t padding;
};

/* Header length with VIRTIO_NET_F_HASH_REPORT. */
#define VNET_HASH_HDR_LEN (sizeof(struct virtio_net_hdr_v1) + sizeof(struct vnet_hash))

/* Addresses and ports of a packet, source first, in words of the CPU. */
struct vnet_flow {
	bool ipv6;
	uint8_t l4; /* IPPROTO_TCP, IPPROTO_UDP, or 0: there are no ports */
	uint8_t nb; /* words of the addresses; the ports are in the word after them */
	uint32_t words[VNET_FLOW_WORDS];
};

/* Reads what hashes are computed of. False: the packet is neither IPv4 nor IPv6. */
bool
vnet_flow_read(const struct rte_mbuf *packet, struct vnet_flow *flow);

/* Computes the hash of a flow. Returns its VIRTIO_NET_HASH_REPORT_; with _NONE there is no value. */
uint16_t
vnet_flow_hash(uint32_t types, const uint32_t *key, const struct vnet_flow *flow, uint32_t *value);

/* What the header of a packet to the driver says. rss: NULL: it configured nothing. */
void
vnet_hash_packet(const struct vnet_rss *rss, const struct rte_mbuf *packet, struct vnet_hash *hash);

#endif /* VNET_HASH_H */
