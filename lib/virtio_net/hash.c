/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Hashes of packets. The hash that a NIC left in the mbuf is of another key, so it is not used.
 * Input: a packet of the application, and what the driver configured. Output: the hash.
 * Thread: polling.
 */
#include <netinet/in.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ip.h>
#include <rte_net.h>
#include <rte_thash.h>

#include <virtio_net/hash.h>

/* Copies len bytes of a packet, a multiple of 4, to words. False: it has fewer. */
static bool
flow_words(const struct rte_mbuf *packet, uint32_t at, uint32_t len, uint32_t *words)
{
	const uint8_t *from = rte_pktmbuf_read(packet, at, len, words);
	uint32_t i;

	if (from == NULL)
		return false;
	if (from != (const uint8_t *)words)
		memcpy(words, from, len);
	for (i = 0; i < len / sizeof(*words); i++)
		words[i] = rte_be_to_cpu_32(words[i]);
	return true;
}

bool
vnet_flow_read(const struct rte_mbuf *packet, struct vnet_flow *flow)
{
	struct rte_net_hdr_lens lens;
	uint32_t type, at, len;

	type = rte_net_get_ptype(packet, &lens,
				 RTE_PTYPE_L2_MASK | RTE_PTYPE_L3_MASK | RTE_PTYPE_L4_MASK);
	if (RTE_ETH_IS_IPV4_HDR(type)) {
		at = offsetof(struct rte_ipv4_hdr, src_addr);
		len = 2 * sizeof(uint32_t);
	} else if (RTE_ETH_IS_IPV6_HDR(type)) {
		at = offsetof(struct rte_ipv6_hdr, src_addr);
		len = 2 * 16;
	} else {
		return false;
	}
	flow->ipv6 = RTE_ETH_IS_IPV6_HDR(type);
	flow->nb = (uint8_t)(len / sizeof(uint32_t));
	if (!flow_words(packet, lens.l2_len + at, len, flow->words))
		return false;
	flow->l4 = 0;
	if ((type & RTE_PTYPE_L4_MASK) == RTE_PTYPE_L4_TCP)
		flow->l4 = IPPROTO_TCP;
	else if ((type & RTE_PTYPE_L4_MASK) == RTE_PTYPE_L4_UDP)
		flow->l4 = IPPROTO_UDP;
	/* Both begin with the ports. Fragments have none, so that all of them have the same hash. */
	if (flow->l4 != 0 && !flow_words(packet, (uint32_t)lens.l2_len + lens.l3_len,
					 sizeof(uint32_t), &flow->words[flow->nb]))
		flow->l4 = 0;
	return true;
}

uint16_t
vnet_flow_hash(uint32_t types, const uint32_t *key, const struct vnet_flow *flow, uint32_t *value)
{
	/* A report is the number of the bit of its type, from 1. */
	uint16_t ip = flow->ipv6 ? VIRTIO_NET_HASH_REPORT_IPv6 : VIRTIO_NET_HASH_REPORT_IPv4;
	uint16_t report = ip;
	uint32_t tuple[VNET_FLOW_WORDS], nb = flow->nb;

	if (flow->l4 != 0)
		report = (uint16_t)(ip + (flow->l4 == IPPROTO_TCP ? 1 : 2));
	if ((types >> (report - 1) & 1) == 0)
		report = ip;
	if ((types >> (report - 1) & 1) == 0)
		return VIRTIO_NET_HASH_REPORT_NONE;
	nb += report != ip;
	memcpy(tuple, flow->words, nb * sizeof(tuple[0]));
	*value = rte_softrss_be(tuple, nb, (const uint8_t *)key);
	return report;
}

void
vnet_hash_packet(const struct vnet_rss *rss, const struct rte_mbuf *packet, struct vnet_hash *hash)
{
	struct vnet_flow flow;
	uint32_t value = 0;

	*hash = (struct vnet_hash){ .report = VIRTIO_NET_HASH_REPORT_NONE };
	if (rss == NULL || rss->types == 0 || !vnet_flow_read(packet, &flow))
		return;
	hash->report = rte_cpu_to_le_16(vnet_flow_hash(rss->types, rss->key, &flow, &value));
	hash->value = rte_cpu_to_le_32(value);
}
