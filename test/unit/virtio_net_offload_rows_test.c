/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Checksums and large packets of a hostile driver: headers at odd places, other protocols, lengths
 * at their limits, packets that change between two bursts, and pools of every kind.
 */
#include "net_frame.h"

#include <string.h>

#include <virtio_net/net.h>

#define RING     256u
#define ROOM     2048
#define PACKETS  1023
#define BURST    32
#define FEATURES (NET_MERGEABLE | FEATURE(VIRTIO_RING_F_INDIRECT_DESC) | VNET_OFFLOADS)

static struct loopback_net net;
static struct rte_mempool *pool;

static int
setup_room(uint16_t room)
{
	loopback_net_create(&net, RING, FEATURES);
	loopback_net_up(&net);
	pool = packet_pool("rows", PACKETS, room);
	return 0;
}

static int
setup(void **state)
{
	RTE_SET_USED(state);
	return setup_room(ROOM);
}

/* Less data room than some headers are long. */
static int
setup_tiny(void **state)
{
	RTE_SET_USED(state);
	return setup_room(64);
}

static int
teardown(void **state)
{
	unsigned int free;

	RTE_SET_USED(state);
	loopback_net_destroy(&net);
	free = rte_mempool_avail_count(pool);
	/* A test that failed has some. */
	rte_mempool_free(pool);
	assert_int_equal(free, PACKETS);
	return 0;
}

/* The driver has filled in the sum of the pseudo header only. */
static struct frame
without_sum(const struct frame *frame)
{
	struct frame sent = *frame;

	frame_store16(frame_field(&sent), frame->pseudo);
	return sent;
}

static void
send_large(const struct frame *frame, uint16_t gso_size)
{
	struct virtio_net_hdr_v1 hdr = frame_large_header(frame);
	struct frame sent = without_sum(frame);

	hdr.gso_size = rte_cpu_to_le_16(gso_size);
	frame_send(&net, &hdr, &sent, 0);
}

/* Receives a large packet in segments, each in one burst, and a chain used for it. */
static void
arrives_in_segments(const struct frame *frame)
{
	uint32_t at = 0, payload = frame->len - frame_headers(frame);
	struct frame segment;
	struct rte_mbuf *mbuf;

	while (at < payload) {
		assert_int_equal(rte_vduse_net_rx_burst(net.net, 0, pool, &mbuf, 1), 1);
		assert_int_equal(mbuf->ol_flags & (RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_L4_CKSUM_MASK),
				 0);
		frame_of(&segment, frame, mbuf);
		at += frame_check_segment(frame, &segment, at, false);
		rte_pktmbuf_free(mbuf);
	}
	assert_int_equal(loopback_net_reap(&net), 1);
}

static void
segments(const struct frame *frame)
{
	send_large(frame, FRAME_SEGMENT);
	arrives_in_segments(frame);
}

/* Receives one packet, whose bytes must be those of the frame. */
static void
arrives(const struct frame *frame, uint64_t flags)
{
	struct rte_mbuf *mbuf;
	struct frame got;

	assert_int_equal(rte_vduse_net_rx_burst(net.net, 0, pool, &mbuf, 1), 1);
	assert_int_equal(mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK, flags);
	frame_of(&got, frame, mbuf);
	assert_int_equal(got.len, frame->len);
	assert_memory_equal(got.bytes, frame->bytes, frame->len);
	rte_pktmbuf_free(mbuf);
	assert_int_equal(loopback_net_reap(&net), 1);
}

/* A checksum that arrives as it is, or computed. */
static void
checksum(const struct frame *frame, bool as_is)
{
	struct virtio_net_hdr_v1 hdr = frame_header(frame);
	struct frame sent = without_sum(frame);

	frame_send(&net, &hdr, &sent, 0);
	arrives(as_is ? &sent : frame, as_is ? RTE_MBUF_F_RX_L4_CKSUM_NONE : 0);
}

/* What the driver sent is dropped: as one with wrong offloads, or as one that is too long. */
static void
dropped(bool wrong)
{
	struct rte_vduse_net_stats before = loopback_net_stats(&net, true), after;
	struct rte_mbuf *mbuf;

	assert_int_equal(rte_vduse_net_rx_burst(net.net, 0, pool, &mbuf, 1), 0);
	assert_int_equal(loopback_net_reap(&net), 1);
	after = loopback_net_stats(&net, true);
	assert_int_equal(after.bad_offloads, before.bad_offloads + wrong);
	assert_int_equal(after.oversize, before.oversize + !wrong);
	assert_int_equal(after.drops, before.drops + 1);
}

/* A large packet is not segmented, whether the application takes large ones or not. */
static void
refused(const struct frame *frame, uint16_t gso_size)
{
	rte_vduse_net_set_rx_gso(net.net, 0);
	send_large(frame, gso_size);
	dropped(true);
	rte_vduse_net_set_rx_gso(net.net, UINT64_MAX);
	send_large(frame, gso_size);
	dropped(true);
	rte_vduse_net_set_rx_gso(net.net, 0);
}

/* A packet of which a part was received, and which then is another one. */
static void
kind_changes(void **state)
{
	struct virtio_net_hdr_v1 hdr = { 0 };
	struct rte_mbuf *mbufs[4];
	struct frame frame;

	RTE_SET_USED(state);
	frame_large(&frame, false, false, 9000);
	send_large(&frame, FRAME_SEGMENT);
	assert_int_equal(rte_vduse_net_rx_burst(net.net, 0, pool, mbufs, 4), 4);
	rte_pktmbuf_free_bulk(mbufs, 4);
	/* It is the first one of the ring. */
	loopback_net_write(&net, NET_TX, 0, 0, &hdr, NET_HDR);
	assert_int_equal(rte_vduse_net_rx_burst(net.net, 0, pool, mbufs, 1), 1);
	assert_int_equal(mbufs[0]->pkt_len, frame.len);
	rte_pktmbuf_free(mbufs[0]);
	assert_int_equal(driver_take(&net.queues[NET_TX], &(uint32_t){ 0 }, &(uint32_t){ 0 }),
			 true);
	/* The next packet begins with its first byte. */
	segments(&frame);
}

/* A driver with other features comes up in the middle of a packet. */
static void
features_change(void **state)
{
	struct virtio_net_hdr_v1 hdr;
	struct rte_mbuf *mbufs[4];
	struct frame frame;

	RTE_SET_USED(state);
	frame_large(&frame, false, false, 9000);
	send_large(&frame, FRAME_SEGMENT);
	assert_int_equal(rte_vduse_net_rx_burst(net.net, 0, pool, mbufs, 4), 4);
	rte_pktmbuf_free_bulk(mbufs, 4);
	net.features = NET_PLAIN;
	loopback_net_up(&net);
	hdr = frame_large_header(&frame);
	frame_send(&net, &hdr, &frame, 0);
	arrives(&frame, 0);
	net.features = FEATURES;
	loopback_net_up(&net);
	segments(&frame);
}

/* One segment of more than the 65535 bytes that an IPv4 header can tell. */
static void
lengths_at_limit(void **state)
{
	struct frame frame;

	RTE_SET_USED(state);
	frame_large(&frame, false, false, UINT16_MAX - 20 - 20);
	send_large(&frame, UINT16_MAX);
	arrives(&frame, 0);
	frame_large(&frame, false, false, UINT16_MAX - 20 - 20 + 1);
	refused(&frame, UINT16_MAX);
	segments(&frame);
	frame_large(&frame, false, true, FRAME - 14 - 20 - 8);
	refused(&frame, UINT16_MAX);
	segments(&frame);
	frame_large(&frame, true, false, FRAME - 14 - 40 - 20);
	send_large(&frame, UINT16_MAX);
	arrives(&frame, 0);
	/* 64 KiB and all that comes before it, whole. */
	rte_vduse_net_set_rx_gso(net.net, UINT64_MAX);
	send_large(&frame, FRAME_SEGMENT);
	frame = without_sum(&frame);
	arrives(&frame, RTE_MBUF_F_RX_L4_CKSUM_NONE);
}

/* IP lengths that lie, or that are 0 as of a jumbo packet, are not those of segments. */
static void
lengths_lie(void **state)
{
	static const uint16_t lies[] = { 0, 1, 20, 100, UINT16_MAX };
	struct frame frame, sent;
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < 2 * RTE_DIM(lies); i++) {
		bool ipv6 = i % 2 != 0;
		struct virtio_net_hdr_v1 hdr;

		frame_large(&frame, ipv6, i / 2 % 2 != 0, 9000);
		sent = without_sum(&frame);
		hdr = frame_large_header(&frame);
		frame_store16(sent.bytes + sent.l2 + (ipv6 ? 4 : 2), lies[i / 2]);
		if (frame.udp)
			frame_store16(sent.bytes + frame_l4(&sent) + 4, lies[i / 2]);
		frame_send(&net, &hdr, &sent, 0);
		arrives_in_segments(&frame);
	}
}

/* Segments of one byte. */
static void
one_byte_each(void **state)
{
	struct rte_mbuf *mbufs[BURST];
	struct frame frame;
	uint16_t n, i;
	uint32_t at = 0;

	RTE_SET_USED(state);
	frame_large(&frame, true, false, 1000);
	send_large(&frame, 1);
	while (at < 1000) {
		n = rte_vduse_net_rx_burst(net.net, 0, pool, mbufs, BURST);
		assert_in_range(n, 1, BURST);
		for (i = 0; i < n; i++, at++) {
			assert_int_equal(mbufs[i]->pkt_len, frame_headers(&frame) + 1);
			assert_int_equal(*rte_pktmbuf_mtod_offset(mbufs[i], const uint8_t *,
								  frame_headers(&frame)),
					 frame.bytes[frame_headers(&frame) + at]);
		}
		rte_pktmbuf_free_bulk(mbufs, n);
	}
	assert_int_equal(loopback_net_reap(&net), 1);
	assert_int_equal(loopback_net_stats(&net, true).gso_software, 1);
}

/* A segment that is longer than the MTU, whole or not. */
static void
longer_than_mtu(void **state)
{
	struct frame frame;

	RTE_SET_USED(state);
	assert_int_equal(rte_vduse_net_set_mtu(net.net, 1500), 0);
	loopback_net_up(&net);
	frame_large(&frame, false, false, 60000);
	send_large(&frame, 50000);
	dropped(false);
	rte_vduse_net_set_rx_gso(net.net, UINT64_MAX);
	send_large(&frame, 50000);
	dropped(false);
	send_large(&frame, UINT16_MAX);
	dropped(false);
	send_large(&frame, FRAME_SEGMENT);
	frame = without_sum(&frame);
	arrives(&frame, RTE_MBUF_F_RX_L4_CKSUM_NONE);
}

/* IPv4 with another version, or a header shorter than any. */
static void
wrong_ip(void **state)
{
	static const uint8_t firsts[] = { 0x40, 0x44, 0x65, 0x05 };
	struct frame frame;
	unsigned int i;

	RTE_SET_USED(state);
	rte_vduse_net_set_partial_csum(net.net, true);
	for (i = 0; i < RTE_DIM(firsts); i++) {
		frame_large(&frame, false, i % 2 != 0, 3000);
		frame.bytes[frame.l2] = firsts[i];
		frame.l3 = 4 * (firsts[i] & 15);
		frame_sums(&frame);
		refused(&frame, FRAME_SEGMENT);
		checksum(&frame, false);
	}
}

static void
tag(struct frame *frame, uint16_t tpid, uint16_t tci)
{
	uint8_t bytes[4];

	frame_store16(bytes, tpid);
	frame_store16(bytes + 2, tci);
	frame_insert(frame, 12, bytes, sizeof(bytes));
}

/* Up to two VLAN tags of either kind. */
static void
vlan_tags(void **state)
{
	static const uint16_t tpids[] = { 0, RTE_ETHER_TYPE_VLAN, RTE_ETHER_TYPE_QINQ };
	struct frame frame;
	unsigned int i;

	RTE_SET_USED(state);
	rte_vduse_net_set_partial_csum(net.net, true);
	for (i = 0; i < 36; i++) {
		frame_large(&frame, i % 2 != 0, i / 2 % 2 != 0, (uint16_t)(2000 + i));
		if (tpids[i / 4 % 3] != 0)
			tag(&frame, tpids[i / 4 % 3], 7);
		if (tpids[i / 12] != 0)
			tag(&frame, tpids[i / 12], 0x0800);
		segments(&frame);
		checksum(&frame, true);
	}
	/* Two tags, and nothing after them. */
	frame_make(&frame, false, false, 0, 0);
	tag(&frame, RTE_ETHER_TYPE_VLAN, 7);
	tag(&frame, RTE_ETHER_TYPE_VLAN, 8);
	for (i = 1; i < 8; i++) {
		frame.len = 20 + i % 4;
		frame.l2 = 0;
		frame.l3 = 0;
		frame.offset = 0;
		send_large(&frame, FRAME_SEGMENT);
		dropped(true);
	}
}

/* IPv4 options, and IPv6 extension headers. */
static void
options(void **state)
{
	static const uint8_t nops[40] = { [0 ... 39] = 1 };
	uint8_t extension[16] = { 0, 1 };
	struct frame frame;
	unsigned int i;

	RTE_SET_USED(state);
	rte_vduse_net_set_partial_csum(net.net, true);
	for (i = 0; i < 4; i++) {
		frame_large(&frame, i % 2 != 0, i / 2 % 2 != 0, (uint16_t)(2000 + i));
		extension[0] = frame.udp ? IPPROTO_UDP : IPPROTO_TCP;
		if (frame.ipv6)
			frame.bytes[frame.l2 + 6] = IPPROTO_DSTOPTS;
		if (frame.ipv6)
			frame_insert(&frame, frame_l4(&frame), extension, sizeof(extension));
		else
			frame_insert(&frame, frame_l4(&frame), nops, sizeof(nops));
		segments(&frame);
		checksum(&frame, true);
	}
}

/* Fragments are no large packets, and have no checksum that an application can be told of. */
static void
fragments(void **state)
{
	uint8_t extension[8] = { 0, 0, 0, 1 };
	struct frame frame;
	unsigned int i;

	RTE_SET_USED(state);
	rte_vduse_net_set_partial_csum(net.net, true);
	for (i = 0; i < 4; i++) {
		frame_large(&frame, i % 2 != 0, i / 2 % 2 != 0, (uint16_t)(2000 + i));
		extension[0] = frame.udp ? IPPROTO_UDP : IPPROTO_TCP;
		if (frame.ipv6) {
			frame.bytes[frame.l2 + 6] = IPPROTO_FRAGMENT;
			frame_insert(&frame, frame_l4(&frame), extension, sizeof(extension));
		} else {
			frame_store16(frame.bytes + frame.l2 + 6, RTE_IPV4_HDR_MF_FLAG);
		}
		refused(&frame, FRAME_SEGMENT);
		checksum(&frame, false);
	}
}

/* IP in IP, and labels: what csum_start names is not the L4 header of the frame. */
static void
tunnels(void **state)
{
	static const uint8_t labels[8] = { 0, 1, 0, 64, 0, 2, 1, 64 };
	struct frame frame;
	uint8_t outer[20];

	RTE_SET_USED(state);
	rte_vduse_net_set_partial_csum(net.net, true);
	frame_large(&frame, false, false, 2000);
	memcpy(outer, frame.bytes + frame.l2, sizeof(outer));
	outer[9] = IPPROTO_IPIP;
	frame_insert(&frame, 13, outer, sizeof(outer));
	memmove(frame.bytes + 13, frame.bytes + 33, 1);
	memcpy(frame.bytes + 14, outer, sizeof(outer));
	refused(&frame, FRAME_SEGMENT);
	checksum(&frame, false);
	frame_large(&frame, false, true, 2000);
	frame_insert(&frame, 13, labels, sizeof(labels));
	frame_store16(frame.bytes + 12, 0x8847);
	memcpy(frame.bytes + 14, labels, sizeof(labels));
	refused(&frame, FRAME_SEGMENT);
	checksum(&frame, false);
}

/* Both headers in pieces of one byte, the rest in one. */
static void
pieces_of_a_byte(void **state)
{
	uint32_t lens[NET_HDR + 80 + 1];
	struct virtio_net_hdr_v1 hdr;
	struct frame frame, sent;
	unsigned int i;
	uint16_t head;

	RTE_SET_USED(state);
	frame_large(&frame, true, false, 1500);
	sent = without_sum(&frame);
	for (i = 0; i < RTE_DIM(lens) - 1; i++)
		lens[i] = 1;
	lens[i] = NET_HDR + frame.len - i;
	for (i = 0; i < 2; i++) {
		hdr = i == 0 ? frame_large_header(&frame) : frame_header(&frame);
		head = loopback_net_indirect(&net, NET_TX, lens, RTE_DIM(lens));
		loopback_net_write(&net, NET_TX, head, 0, &hdr, NET_HDR);
		loopback_net_write(&net, NET_TX, head, NET_HDR, sent.bytes, sent.len);
		loopback_net_post(&net, NET_TX, head);
		if (i == 0)
			arrives_in_segments(&frame);
		else
			arrives(&frame, 0);
	}
}

/* A header at an odd address. */
static void
odd_address(void **state)
{
	struct driver *queue = &net.queues[NET_TX];
	struct virtio_net_hdr_v1 hdr;
	struct frame frame, sent;
	uint8_t *bytes;

	RTE_SET_USED(state);
	frame_large(&frame, false, false, 1500);
	sent = without_sum(&frame);
	hdr = frame_large_header(&frame);
	bytes = driver_va(queue, queue->data + 1);
	memcpy(bytes, &hdr, NET_HDR);
	memcpy(bytes + NET_HDR, sent.bytes, sent.len);
	driver_desc(queue, 0, queue->data + 1, NET_HDR + sent.len, 0, 0);
	net.next_desc[NET_TX]++;
	loopback_net_post(&net, NET_TX, 0);
	arrives_in_segments(&frame);
}

/* A field whose last byte is the packet's last, and one byte more. */
static void
field_at_the_end(void **state)
{
	struct virtio_net_hdr_v1 hdr = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM };
	struct frame frame, want;
	uint16_t start, sum;

	RTE_SET_USED(state);
	rte_vduse_net_set_partial_csum(net.net, true);
	frame_make(&frame, false, false, 101, 5);
	for (start = 0; start + 2u <= frame.len; start++) {
		uint16_t offset = (uint16_t)(frame.len - 2 - start) & ~1u;

		want = frame;
		sum = (uint16_t)~frame_sum(frame.bytes + start, frame.len - start, 0);
		frame_store16(want.bytes + start + offset, sum == 0 ? UINT16_MAX : sum);
		hdr.csum_start = rte_cpu_to_le_16(start);
		hdr.csum_offset = rte_cpu_to_le_16(offset);
		frame_send(&net, &hdr, &frame, 0);
		arrives(&want, 0);
		hdr.csum_offset = rte_cpu_to_le_16(offset + 2);
		frame_send(&net, &hdr, &frame, 0);
		dropped(true);
	}
}

/* Segments need room for their headers in one mbuf; what does not fit is counted. */
static void
tiny_pool(void **state)
{
	struct frame frame;

	RTE_SET_USED(state);
	frame_large(&frame, false, false, 2500);
	segments(&frame);
	checksum(&frame, false);
	frame_large(&frame, true, false, 2500);
	send_large(&frame, FRAME_SEGMENT);
	dropped(false);
	rte_vduse_net_set_rx_gso(net.net, UINT64_MAX);
	send_large(&frame, FRAME_SEGMENT);
	frame = without_sum(&frame);
	arrives(&frame, RTE_MBUF_F_RX_L4_CKSUM_NONE);
}

/* One mbuf for each packet: external memory where it is allowed, up to its limit. */
static void
one_mbuf(void **state)
{
	struct frame frame;

	RTE_SET_USED(state);
	net.net->linear = true;
	frame_large(&frame, false, true, 9000);
	segments(&frame);
	send_large(&frame, 3000);
	dropped(false);
	rte_vduse_net_set_rx_gso(net.net, UINT64_MAX);
	send_large(&frame, FRAME_SEGMENT);
	dropped(false);
	net.net->extbuf = true;
	frame = without_sum(&frame);
	send_large(&frame, FRAME_SEGMENT);
	arrives(&frame, RTE_MBUF_F_RX_L4_CKSUM_NONE);
	rte_vduse_net_set_rx_gso(net.net, 0);
	frame_large(&frame, false, true, 65500);
	send_large(&frame, 65400);
	dropped(false);
	net.net->linear = false;
	frame_large(&frame, false, false, 65450);
	send_large(&frame, UINT16_MAX);
	arrives(&frame, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(kind_changes, setup, teardown),
		cmocka_unit_test_setup_teardown(features_change, setup, teardown),
		cmocka_unit_test_setup_teardown(lengths_at_limit, setup, teardown),
		cmocka_unit_test_setup_teardown(lengths_lie, setup, teardown),
		cmocka_unit_test_setup_teardown(one_byte_each, setup, teardown),
		cmocka_unit_test_setup_teardown(longer_than_mtu, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_ip, setup, teardown),
		cmocka_unit_test_setup_teardown(vlan_tags, setup, teardown),
		cmocka_unit_test_setup_teardown(options, setup, teardown),
		cmocka_unit_test_setup_teardown(fragments, setup, teardown),
		cmocka_unit_test_setup_teardown(tunnels, setup, teardown),
		cmocka_unit_test_setup_teardown(pieces_of_a_byte, setup, teardown),
		cmocka_unit_test_setup_teardown(odd_address, setup, teardown),
		cmocka_unit_test_setup_teardown(field_at_the_end, setup, teardown),
		cmocka_unit_test_setup_teardown(tiny_pool, setup_tiny, teardown),
		cmocka_unit_test_setup_teardown(one_mbuf, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
