/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See flow_frame.h. */
#include "flow_frame.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

const uint8_t flow_key[VNET_HASH_KEY_MAX] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};

const struct flow flow_vectors[FLOW_VECTORS] = {
	{ "161.142.100.80", "66.9.149.187", 1766, 2794, 0x323e8fc2, 0x51ccc178 },
	{ "65.69.140.83", "199.92.111.2", 4739, 14230, 0xd718262a, 0xc626b0ea },
	{ "12.22.207.184", "24.19.198.95", 38024, 12898, 0xd2d0a5de, 0x5c2b394a },
	{ "209.142.163.6", "38.27.205.30", 2217, 48228, 0x82989176, 0xafc7327f },
	{ "202.188.127.2", "153.39.163.191", 1303, 44251, 0x5d1809c5, 0x10e828a2 },
	{ "3ffe:2501:200:3::1", "3ffe:2501:200:1fff::7", 1766, 2794, 0x2cc18cd5, 0x40207d3d },
	{ "ff02::1", "3ffe:501:8::260:97ff:fe40:efab", 4739, 14230, 0x0f0c461c, 0xdde51bbf },
	{ "fe80::200:f8ff:fe21:67cf", "3ffe:1900:4545:3:200:f8ff:fe21:67cf", 38024, 44251,
	  0x4b61e985, 0x02d1feef },
};

bool
flow_is_ipv6(const struct flow *flow)
{
	return strchr(flow->src, ':') != NULL;
}

/* Writes the IP header, and an option or extension header. Returns its length. */
static uint32_t
put_ip(uint8_t *ip, const struct flow *flow, uint8_t proto, enum flow_shape shape)
{
	uint32_t len = flow_is_ipv6(flow) ? 40 : 20;

	if (flow_is_ipv6(flow)) {
		ip[0] = 0x60;
		ip[5] = FLOW_FRAME - 60;
		ip[6] = proto;
		assert_int_equal(inet_pton(AF_INET6, flow->src, ip + 8), 1);
		assert_int_equal(inet_pton(AF_INET6, flow->dst, ip + 24), 1);
		if (shape == OPTIONS || shape == FRAGMENT) {
			ip[6] = shape == FRAGMENT ? IPPROTO_FRAGMENT : IPPROTO_HOPOPTS;
			ip[40] = proto;
			ip[43] = shape == FRAGMENT; /* more follow */
			len += 8;
		}
		return len;
	}
	ip[0] = 0x45;
	ip[3] = FLOW_FRAME - 18;
	ip[9] = proto;
	assert_int_equal(inet_pton(AF_INET, flow->src, ip + 12), 1);
	assert_int_equal(inet_pton(AF_INET, flow->dst, ip + 16), 1);
	if (shape == OPTIONS) {
		ip[0] = 0x46;
		len += 4;
	} else if (shape == FRAGMENT) {
		ip[6] = 0x20; /* more follow */
	}
	return len;
}

void
flow_frame(uint8_t bytes[FLOW_FRAME], const struct flow *flow, uint8_t proto, enum flow_shape shape)
{
	uint16_t ports[2] = { htons(flow->src_port), htons(flow->dst_port) };
	uint32_t at = 14;

	memset(bytes, 0, FLOW_FRAME);
	bytes[0] = 2;
	if (shape == TAGGED) {
		bytes[12] = 0x81;
		bytes[15] = 5;
		at += 4;
	}
	bytes[at - 2] = flow_is_ipv6(flow) ? 0x86 : 0x08;
	bytes[at - 1] = flow_is_ipv6(flow) ? 0xdd : 0x00;
	at += put_ip(bytes + at, flow, proto, shape);
	memcpy(bytes + at, ports, sizeof(ports));
	bytes[at + 12] = 0x50;
}

struct rte_mbuf *
flow_packet(struct rte_mempool *pool, const uint8_t *bytes, uint32_t len, uint32_t seg)
{
	struct rte_mbuf *packet = NULL, *segment;
	uint32_t done, n;

	for (done = 0; done < len; done += n) {
		n = RTE_MIN(len - done, seg);
		segment = rte_pktmbuf_alloc(pool);
		assert_non_null(segment);
		assert_non_null(rte_pktmbuf_append(segment, (uint16_t)n));
		memcpy(rte_pktmbuf_mtod(segment, void *), bytes + done, n);
		if (packet == NULL)
			packet = segment;
		else
			assert_int_equal(rte_pktmbuf_chain(packet, segment), 0);
	}
	return packet;
}
