/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See net_frame.h. */
#include "net_frame.h"

#include <string.h>

uint16_t
frame_l4(const struct frame *frame)
{
	return frame->l2 + frame->l3;
}

uint8_t *
frame_field(const struct frame *frame)
{
	return (uint8_t *)(uintptr_t)frame->bytes + frame_l4(frame) + frame->offset;
}

uint16_t
frame_sum(const uint8_t *bytes, size_t len, uint32_t sum)
{
	size_t i;

	for (i = 0; i < len; i++)
		sum += i % 2 == 0 ? bytes[i] << 8 : bytes[i];
	while (sum > 0xffff)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

void
frame_store16(uint8_t *to, uint16_t value)
{
	to[0] = value >> 8;
	to[1] = value & 0xff;
}

void
frame_sums(struct frame *frame)
{
	uint16_t l4_len = frame->len - frame_l4(frame);
	const uint8_t *l3 = frame->bytes + frame->l2;
	uint32_t sum = l4_len + (frame->udp ? IPPROTO_UDP : IPPROTO_TCP);

	sum = frame_sum(frame->ipv6 ? l3 + 8 : l3 + 12, frame->ipv6 ? 32 : 8, sum);
	frame_store16(frame_field(frame), 0);
	frame->pseudo = (uint16_t)sum;
	frame->whole = ~frame_sum(frame->bytes + frame_l4(frame), l4_len, sum);
	if (frame->whole == 0)
		frame->whole = 0xffff;
	frame_store16(frame_field(frame), frame->whole);
}

void
frame_make(struct frame *frame, bool ipv6, bool udp, uint16_t payload, uint32_t seed)
{
	uint16_t l4_size = udp ? sizeof(struct rte_udp_hdr) : sizeof(struct rte_tcp_hdr);
	struct rte_ether_hdr *eth = (void *)frame->bytes;
	uint32_t i;

	memset(frame, 0, sizeof(*frame));
	frame->ipv6 = ipv6;
	frame->udp = udp;
	frame->l2 = sizeof(*eth);
	frame->l3 = ipv6 ? sizeof(struct rte_ipv6_hdr) : sizeof(struct rte_ipv4_hdr);
	frame->offset = udp ? offsetof(struct rte_udp_hdr, dgram_cksum)
			    : offsetof(struct rte_tcp_hdr, cksum);
	frame->len = frame_l4(frame) + l4_size + payload;
	for (i = 0; i < frame->len; i++)
		frame->bytes[i] = (uint8_t)(seed + 7 * i);
	eth->ether_type = rte_cpu_to_be_16(ipv6 ? RTE_ETHER_TYPE_IPV6 : RTE_ETHER_TYPE_IPV4);
	if (ipv6) {
		struct rte_ipv6_hdr *ip = (void *)(frame->bytes + frame->l2);

		ip->vtc_flow = rte_cpu_to_be_32(6u << 28);
		ip->payload_len = rte_cpu_to_be_16(l4_size + payload);
		ip->proto = udp ? IPPROTO_UDP : IPPROTO_TCP;
	} else {
		struct rte_ipv4_hdr *ip = (void *)(frame->bytes + frame->l2);

		ip->version_ihl = RTE_IPV4_VHL_DEF;
		ip->total_length = rte_cpu_to_be_16(frame->l3 + l4_size + payload);
		ip->fragment_offset = 0;
		ip->next_proto_id = udp ? IPPROTO_UDP : IPPROTO_TCP;
		ip->hdr_checksum = 0;
		frame_store16((uint8_t *)&ip->hdr_checksum,
			      (uint16_t)~frame_sum((void *)ip, sizeof(*ip), 0));
	}
	if (udp)
		frame_store16(frame->bytes + frame_l4(frame) + 4, l4_size + payload);
	else
		frame->bytes[frame_l4(frame) + 12] = (sizeof(struct rte_tcp_hdr) / 4) << 4;
	frame_sums(frame);
}

void
frame_insert(struct frame *frame, uint16_t at, const void *bytes, uint16_t len)
{
	uint8_t *ip;

	assert_true(frame->len + len <= FRAME);
	memmove(frame->bytes + at + len, frame->bytes + at, frame->len - at);
	memcpy(frame->bytes + at, bytes, len);
	frame->len += len;
	if (at < frame->l2) {
		frame->l2 += len;
		return;
	}
	frame->l3 += len;
	ip = frame->bytes + frame->l2;
	if (frame->ipv6) {
		frame_store16(ip + 4, (uint16_t)(frame->len - frame->l2 - 40));
	} else {
		ip[0] += len / 4;
		frame_store16(ip + 2, (uint16_t)(frame->len - frame->l2));
		frame_store16(ip + 10, 0);
		frame_store16(ip + 10, (uint16_t)~frame_sum(ip, frame->l3, 0));
	}
}

struct virtio_net_hdr_v1
frame_header(const struct frame *frame)
{
	return (struct virtio_net_hdr_v1){
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.csum_start = rte_cpu_to_le_16(frame_l4(frame)),
		.csum_offset = rte_cpu_to_le_16(frame->offset),
	};
}

void
frame_send(struct loopback_net *net, const struct virtio_net_hdr_v1 *hdr, const struct frame *frame,
	   uint32_t piece)
{
	uint32_t left = NET_HDR + frame->len, lens[64];
	unsigned int nb = 0;
	uint16_t head;

	if (piece == 0)
		piece = NET_PIECE;
	while (left > 0) {
		assert_true(nb < RTE_DIM(lens));
		lens[nb] = RTE_MIN(piece, left);
		left -= lens[nb++];
	}
	head = loopback_net_chain(net, NET_TX, lens, nb);
	loopback_net_write(net, NET_TX, head, 0, hdr, NET_HDR);
	loopback_net_write(net, NET_TX, head, NET_HDR, frame->bytes, frame->len);
	loopback_net_post(net, NET_TX, head);
}

struct rte_mbuf *
frame_packet(struct rte_mempool *pool, const struct frame *frame, uint32_t segment)
{
	struct rte_mbuf *first = NULL, *mbuf;
	uint32_t at = 0, n;

	while (at < frame->len) {
		mbuf = rte_pktmbuf_alloc(pool);
		assert_non_null(mbuf);
		n = RTE_MIN(segment == 0 ? rte_pktmbuf_tailroom(mbuf) : segment, frame->len - at);
		memcpy(rte_pktmbuf_append(mbuf, (uint16_t)n), frame->bytes + at, n);
		at += n;
		if (first == NULL)
			first = mbuf;
		else
			assert_int_equal(rte_pktmbuf_chain(first, mbuf), 0);
	}
	first->l2_len = frame->l2;
	first->l3_len = frame->l3;
	first->l4_len = frame->udp ? sizeof(struct rte_udp_hdr) : sizeof(struct rte_tcp_hdr);
	first->ol_flags |=
		frame->ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM;
	first->ol_flags |= frame->udp ? RTE_MBUF_F_TX_UDP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM;
	return first;
}

static uint16_t
load16(const uint8_t *from)
{
	return (uint16_t)(from[0] << 8 | from[1]);
}

static uint32_t
load32(const uint8_t *from)
{
	return (uint32_t)load16(from) << 16 | load16(from + 2);
}

uint16_t
frame_headers(const struct frame *frame)
{
	return frame_l4(frame) +
	       (frame->udp ? sizeof(struct rte_udp_hdr) : sizeof(struct rte_tcp_hdr));
}

void
frame_large(struct frame *frame, bool ipv6, bool udp, uint16_t payload)
{
	frame_make(frame, ipv6, udp, payload, payload);
	if (!udp)
		frame->bytes[frame_l4(frame) + 13] =
			RTE_TCP_ACK_FLAG | RTE_TCP_PSH_FLAG | RTE_TCP_FIN_FLAG | RTE_TCP_CWR_FLAG;
	frame_sums(frame);
}

static uint8_t
gso_type_of(const struct frame *frame)
{
	if (frame->udp)
		return VIRTIO_NET_HDR_GSO_UDP_L4;
	return (frame->ipv6 ? VIRTIO_NET_HDR_GSO_TCPV6 : VIRTIO_NET_HDR_GSO_TCPV4) |
	       VIRTIO_NET_HDR_GSO_ECN;
}

struct virtio_net_hdr_v1
frame_large_header(const struct frame *frame)
{
	struct virtio_net_hdr_v1 hdr = frame_header(frame);

	hdr.gso_type = gso_type_of(frame);
	hdr.gso_size = rte_cpu_to_le_16(FRAME_SEGMENT);
	hdr.hdr_len = rte_cpu_to_le_16(frame_headers(frame));
	return hdr;
}

static void
check_tcp(const struct frame *frame, const uint8_t *l4, uint32_t at, bool first, bool last)
{
	uint8_t flags = RTE_TCP_ACK_FLAG;

	if (first)
		flags |= RTE_TCP_CWR_FLAG;
	if (last)
		flags |= RTE_TCP_PSH_FLAG | RTE_TCP_FIN_FLAG;
	assert_int_equal(l4[13], flags);
	assert_int_equal(load32(l4 + 4),
			 (uint32_t)(load32(frame->bytes + frame_l4(frame) + 4) + at));
}

uint32_t
frame_check_segment(const struct frame *frame, const struct frame *segment, uint32_t at,
		    bool partial)
{
	uint32_t headers = frame_headers(frame), payload = segment->len - headers;
	uint32_t l4_len = segment->len - frame_l4(frame);
	const uint8_t *ip = segment->bytes + frame->l2, *l4 = segment->bytes + frame_l4(frame);
	bool last = at + payload == frame->len - headers;
	struct frame sums = *segment;

	assert_true(payload == FRAME_SEGMENT || (last && payload <= FRAME_SEGMENT));
	assert_memory_equal(segment->bytes + headers, frame->bytes + headers + at, payload);
	assert_memory_equal(segment->bytes, frame->bytes, frame->l2);
	if (frame->ipv6) {
		assert_int_equal(load16(ip + 4), frame->l3 - 40 + l4_len);
	} else {
		assert_int_equal(load16(ip + 2), frame->l3 + l4_len);
		assert_int_equal(frame_sum(ip, frame->l3, 0), 0xffff);
		assert_int_equal(load16(ip + 4), (uint16_t)(load16(frame->bytes + frame->l2 + 4) +
							    at / FRAME_SEGMENT));
	}
	if (frame->udp)
		assert_int_equal(load16(l4 + 4), l4_len);
	else
		check_tcp(frame, l4, at, at == 0, last);
	frame_sums(&sums);
	assert_int_equal(load16(l4 + frame->offset), partial ? sums.pseudo : sums.whole);
	return payload;
}

void
frame_of(struct frame *segment, const struct frame *like, const struct rte_mbuf *mbuf)
{
	const void *bytes;

	*segment = *like;
	segment->len = mbuf->pkt_len;
	bytes = rte_pktmbuf_read(mbuf, 0, mbuf->pkt_len, segment->bytes);
	assert_non_null(bytes);
	if (bytes != segment->bytes)
		memcpy(segment->bytes, bytes, mbuf->pkt_len);
}

void
frame_each_large(void (*test)(const struct frame *frame, uint32_t number))
{
	static const uint16_t payloads[] = { 1, 1000, 1001, 2000, 31001, 65000 };
	struct frame frame;
	unsigned int i;

	for (i = 0; i < 4 * RTE_DIM(payloads); i++) {
		frame_large(&frame, i % 2 != 0, i / 2 % 2 != 0, payloads[i / 4]);
		test(&frame, i);
	}
}
