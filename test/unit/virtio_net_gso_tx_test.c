/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Large TCP and UDP packets to the driver: whole to one that takes them, otherwise in segments, which
 * must make up the packet that was sent.
 */
#include "net_frame.h"

#include <string.h>

#define RING     256u
#define ROOM     2048
#define PACKETS  1023
#define BUF_LEN  2048u
#define HOST     (VNET_OFFLOAD(CSUM) | VNET_OFFLOADS_HOST)
#define GUEST    (VNET_OFFLOAD(GUEST_CSUM) | VNET_OFFLOADS_GUEST)
#define OFFLOADS (HOST | GUEST)

static struct loopback_net net;
static struct rte_mempool *pool;

static int
setup_accepts(uint64_t features, uint64_t accepted, uint16_t room)
{
	loopback_net_create(&net, RING, features | OFFLOADS);
	net.features = features | accepted;
	loopback_net_up(&net);
	pool = packet_pool("gso", PACKETS, room);
	return 0;
}

static int
setup(void **state)
{
	RTE_SET_USED(state);
	return setup_accepts(NET_MERGEABLE, OFFLOADS, ROOM);
}

/* The driver accepts none of what is offered. */
static int
setup_none(void **state)
{
	RTE_SET_USED(state);
	return setup_accepts(NET_PLAIN, 0, ROOM);
}

static int
setup_guest_csum(void **state)
{
	RTE_SET_USED(state);
	return setup_accepts(NET_PLAIN, VNET_OFFLOAD(GUEST_CSUM), ROOM);
}

static int
setup_no_ecn(void **state)
{
	uint64_t ecn = VNET_OFFLOAD(GUEST_ECN) | VNET_OFFLOAD(HOST_ECN);

	RTE_SET_USED(state);
	return setup_accepts(NET_MERGEABLE, OFFLOADS & ~ecn, ROOM);
}

/* Against the rules: no bit that these need. */
static int
setup_no_csum(void **state)
{
	RTE_SET_USED(state);
	return setup_accepts(NET_MERGEABLE, VNET_OFFLOADS_HOST | VNET_OFFLOADS_GUEST, ROOM);
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	loopback_net_destroy(&net);
	assert_int_equal(rte_mempool_avail_count(pool), PACKETS);
	rte_mempool_free(pool);
	return 0;
}

/* A packet whose flags ask for segmentation. */
static struct rte_mbuf *
large_packet(const struct frame *frame)
{
	struct rte_mbuf *packet = frame_packet(pool, frame, 0);

	packet->ol_flags |= frame->udp ? RTE_MBUF_F_TX_UDP_SEG : RTE_MBUF_F_TX_TCP_SEG;
	packet->tso_segsz = FRAME_SEGMENT;
	return packet;
}

static void
post(unsigned int nb)
{
	const uint32_t len = BUF_LEN;
	unsigned int i;

	for (i = 0; i < nb; i++)
		loopback_net_post(&net, NET_RX, loopback_net_chain(&net, NET_RX, &len, 1));
}

/* What the driver receives next: a header and a frame. Returns whether there is something. */
static bool
driver_gets(const struct frame *like, struct virtio_net_hdr_v1 *hdr, struct frame *got)
{
	static uint8_t bytes[NET_HDR + FRAME];
	uint32_t at = 0, head, used, nb = 1;

	while (nb > 0) {
		if (!driver_take(&net.queues[NET_RX], &head, &used)) {
			assert_int_equal(at, 0);
			return false;
		}
		loopback_net_read(&net, NET_RX, (uint16_t)head, 0, bytes + at, used);
		if (at == 0) {
			memcpy(hdr, bytes, sizeof(*hdr));
			nb = rte_le_to_cpu_16((uint16_t)hdr->num_buffers);
		}
		at += used;
		nb--;
	}
	*got = *like;
	got->len = at - NET_HDR;
	memcpy(got->bytes, bytes + NET_HDR, got->len);
	return true;
}

static bool partial;

static void
tx_segments(const struct frame *frame, uint32_t number)
{
	uint32_t at = 0, payload = frame->len - frame_headers(frame);
	struct rte_mbuf *packet = large_packet(frame);
	struct virtio_net_hdr_v1 hdr;
	struct frame segment;

	RTE_SET_USED(number);
	post(payload / FRAME_SEGMENT + 1);
	assert_int_equal(rte_vduse_net_tx_burst(net.net, 0, &packet, 1), 1);
	while (driver_gets(frame, &hdr, &segment)) {
		assert_int_equal(hdr.flags, partial ? VIRTIO_NET_HDR_F_NEEDS_CSUM : 0);
		assert_int_equal(hdr.gso_type, VIRTIO_NET_HDR_GSO_NONE);
		assert_int_equal(hdr.gso_size, 0);
		if (partial) {
			assert_int_equal(hdr.csum_start, frame_l4(frame));
			assert_int_equal(hdr.csum_offset, frame->offset);
		}
		at += frame_check_segment(frame, &segment, at, partial);
	}
	assert_int_equal(at, payload);
}

static void
tx_whole(const struct frame *frame, uint32_t number)
{
	struct virtio_net_hdr_v1 want = frame_large_header(frame), hdr;
	struct rte_mbuf *packet = large_packet(frame);
	struct frame got, given = *frame;

	RTE_SET_USED(number);
	if (frame->len <= frame_headers(frame) + FRAME_SEGMENT)
		want.gso_type = want.gso_size = want.hdr_len = 0;
	post((NET_HDR + frame->len) / BUF_LEN + 1);
	assert_int_equal(rte_vduse_net_tx_copy(net.net, 0, &packet, 1), 1);
	assert_true(driver_gets(frame, &hdr, &got));
	assert_memory_equal(&hdr, &want, offsetof(struct virtio_net_hdr_v1, num_buffers));
	frame_store16(frame_field(&given), frame->pseudo);
	assert_int_equal(got.len, frame->len);
	assert_memory_equal(got.bytes, given.bytes, frame->len);
	/* The packet is the caller's, and as it was. */
	frame_of(&got, frame, packet);
	assert_memory_equal(got.bytes, frame->bytes, frame->len);
	rte_pktmbuf_free(packet);
}

/* After each packet the ring has to be empty again, so the driver comes up for each. */
static void
tx_again(const struct frame *frame, void (*test)(const struct frame *frame, uint32_t number))
{
	loopback_net_reset(&net);
	loopback_net_up(&net);
	test(frame, 0);
}

static void
tx_segments_again(const struct frame *frame, uint32_t number)
{
	RTE_SET_USED(number);
	tx_again(frame, tx_segments);
}

static void
tx_whole_again(const struct frame *frame, uint32_t number)
{
	RTE_SET_USED(number);
	tx_again(frame, tx_whole);
}

static void
to_driver(void **state)
{
	RTE_SET_USED(state);
	frame_each_large(tx_whole_again);
	assert_int_equal(loopback_net_stats(&net, false).gso_passed, 16);
	assert_int_equal(loopback_net_stats(&net, false).gso_software, 0);
	assert_int_equal(loopback_net_stats(&net, false).drops, 0);
}

static void
to_plain_driver(void **state)
{
	RTE_SET_USED(state);
	partial = false;
	frame_each_large(tx_segments_again);
	assert_int_equal(loopback_net_stats(&net, false).gso_software, 24);
	assert_int_equal(loopback_net_stats(&net, false).drops, 0);
}

static void
to_csum_driver(void **state)
{
	RTE_SET_USED(state);
	partial = true;
	frame_each_large(tx_segments_again);
	assert_int_equal(loopback_net_stats(&net, false).gso_software, 24);
}

/* Congestion signals go to a driver that takes them; otherwise each segment has what is right. */
static void
to_driver_no_ecn(void **state)
{
	struct frame frame;

	RTE_SET_USED(state);
	partial = true;
	frame_large(&frame, false, false, 9000);
	tx_segments_again(&frame, 0);
	assert_int_equal(loopback_net_stats(&net, false).gso_software, 1);
}

/* A large packet waits until the ring has room for all of it; one that never has is dropped. */
static void
to_driver_waits(void **state)
{
	struct frame frame, segment;
	struct virtio_net_hdr_v1 hdr;
	struct rte_mbuf *packet;
	uint32_t at = 0;

	RTE_SET_USED(state);
	frame_large(&frame, false, false, 40000);
	packet = large_packet(&frame);
	post(39);
	assert_int_equal(rte_vduse_net_tx_burst(net.net, 0, &packet, 1), 0);
	assert_int_equal(rte_vduse_net_tx_count(net.net, 0), 39);
	post(1);
	assert_int_equal(rte_vduse_net_tx_burst(net.net, 0, &packet, 1), 1);
	while (driver_gets(&frame, &hdr, &segment))
		at += frame_check_segment(&frame, &segment, at, false);
	assert_int_equal(at, 40000);
	packet = large_packet(&frame);
	packet->tso_segsz = 40000 / RING - 1;
	post(1);
	assert_int_equal(rte_vduse_net_tx_burst(net.net, 0, &packet, 1), 1);
	assert_int_equal(loopback_net_stats(&net, false).drops, 1);
}

/* Chains of several descriptors, of which the ring never has as many as there are segments. */
static void
to_driver_never(void **state)
{
	const uint32_t lens[] = { NET_HDR, 100, 100, BUF_LEN };
	struct frame frame;
	struct rte_mbuf *packet;
	unsigned int i;

	RTE_SET_USED(state);
	frame_large(&frame, false, false, 65000);
	for (i = 0; i < RING / RTE_DIM(lens); i++) {
		uint16_t head = loopback_net_chain(&net, NET_RX, lens, RTE_DIM(lens));

		loopback_net_post(&net, NET_RX, head);
	}
	packet = large_packet(&frame);
	assert_int_equal(rte_vduse_net_tx_burst(net.net, 0, &packet, 1), 1);
	assert_int_equal(loopback_net_stats(&net, false).drops, 1);
	assert_int_equal(rte_vduse_net_tx_count(net.net, 0), RING / RTE_DIM(lens));
	/* One segment less, and it is sent. */
	frame_large(&frame, false, false, 64000);
	packet = large_packet(&frame);
	assert_int_equal(rte_vduse_net_tx_burst(net.net, 0, &packet, 1), 1);
	assert_int_equal(loopback_net_stats(&net, false).gso_software, 1);
	assert_int_equal(loopback_net_stats(&net, false).drops, 1);
}

/* Chains that run out in the middle of a packet: the rest is lost, and the queue goes on. */
static void
to_driver_runs_out(void **state)
{
	const uint32_t small = 100;
	struct frame frame, segment;
	struct virtio_net_hdr_v1 hdr;
	struct rte_mbuf *packet;
	uint32_t at = 0;
	unsigned int i;

	RTE_SET_USED(state);
	partial = true;
	frame_large(&frame, false, false, 9000);
	/* Eleven of them hold a segment. */
	for (i = 0; i < 50; i++)
		loopback_net_post(&net, NET_RX, loopback_net_chain(&net, NET_RX, &small, 1));
	packet = large_packet(&frame);
	packet->tso_segsz = FRAME_SEGMENT;
	assert_int_equal(rte_vduse_net_tx_burst(net.net, 0, &packet, 1), 1);
	assert_int_equal(loopback_net_stats(&net, false).drops, 1);
	while (driver_gets(&frame, &hdr, &segment))
		at += frame_check_segment(&frame, &segment, at, partial);
	assert_int_equal(at, 4000);
	assert_int_equal(rte_vduse_net_tx_count(net.net, 0), 6);
	for (i = 0; i < 93; i++)
		loopback_net_post(&net, NET_RX, loopback_net_chain(&net, NET_RX, &small, 1));
	packet = large_packet(&frame);
	assert_int_equal(rte_vduse_net_tx_burst(net.net, 0, &packet, 1), 1);
	assert_int_equal(loopback_net_stats(&net, false).drops, 1);
	for (at = 0; driver_gets(&frame, &hdr, &segment);)
		at += frame_check_segment(&frame, &segment, at, partial);
	assert_int_equal(at, 9000);
	assert_int_equal(rte_vduse_net_tx_count(net.net, 0), 0);
}

/* Chains that hold no segment without merging: they stay, for shorter packets. */
static void
to_driver_too_small(void **state)
{
	const uint32_t small = 500;
	struct frame frame, got;
	struct virtio_net_hdr_v1 hdr;
	struct rte_mbuf *packet;
	unsigned int i;

	RTE_SET_USED(state);
	frame_large(&frame, false, false, 9000);
	for (i = 0; i < 50; i++)
		loopback_net_post(&net, NET_RX, loopback_net_chain(&net, NET_RX, &small, 1));
	packet = large_packet(&frame);
	assert_int_equal(rte_vduse_net_tx_burst(net.net, 0, &packet, 1), 1);
	assert_int_equal(loopback_net_stats(&net, false).drops, 1);
	assert_int_equal(rte_vduse_net_tx_count(net.net, 0), 50);
	frame_make(&frame, false, false, 100, 1);
	packet = frame_packet(pool, &frame, 0);
	assert_int_equal(rte_vduse_net_tx_burst(net.net, 0, &packet, 1), 1);
	assert_true(driver_gets(&frame, &hdr, &got));
	assert_int_equal(hdr.num_buffers, rte_cpu_to_le_16(1));
}

/* A header that was written before is cleared where a buffer comes round again. */
static void
header_again(void **state)
{
	struct virtio_net_hdr_v1 hdr, plain = { .num_buffers = rte_cpu_to_le_16(1) };
	struct rte_mbuf *packet;
	struct frame frame, got;
	unsigned int i;

	RTE_SET_USED(state);
	frame_large(&frame, false, false, 1500);
	for (i = 0; i < 2; i++) {
		net.next_desc[NET_RX] = 0;
		post(1);
		packet = large_packet(&frame);
		if (i == 1)
			packet->ol_flags = 0;
		assert_int_equal(rte_vduse_net_tx_burst(net.net, 0, &packet, 1), 1);
		assert_true(driver_gets(&frame, &hdr, &got));
		if (i == 0)
			assert_int_not_equal(hdr.gso_type, VIRTIO_NET_HDR_GSO_NONE);
		else
			assert_memory_equal(&hdr, &plain, sizeof(hdr));
	}
}

/* TX_REFUSED(change): a packet with that change is counted and dropped, and no buffer is used. */
#define TX_REFUSED(change)                                                                         \
	do {                                                                                       \
		struct rte_vduse_net_stats before = loopback_net_stats(&net, false);               \
		struct rte_mbuf *packet = large_packet(&frame);                                    \
                                                                                                   \
		change;                                                                            \
		assert_int_equal(rte_vduse_net_tx_burst(net.net, 0, &packet, 1), 1);               \
		assert_int_equal(loopback_net_stats(&net, false).bad_offloads,                     \
				 before.bad_offloads + 1);                                         \
		assert_int_equal(loopback_net_stats(&net, false).drops, before.drops + 1);         \
		assert_int_equal(rte_vduse_net_tx_count(net.net, 0), 32);                          \
	} while (0)

static void
wrong_flags(void **state)
{
	struct frame frame;

	RTE_SET_USED(state);
	frame_large(&frame, false, false, 3000);
	post(32);
	TX_REFUSED(packet->tso_segsz = 0);
	TX_REFUSED(packet->ol_flags |= RTE_MBUF_F_TX_UDP_SEG);
	TX_REFUSED(packet->ol_flags |= RTE_MBUF_F_TX_OUTER_IP_CKSUM);
	TX_REFUSED(packet->ol_flags &= ~(RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM));
	TX_REFUSED(packet->ol_flags |= RTE_MBUF_F_TX_TUNNEL_VXLAN);
	TX_REFUSED(packet->l2_len = 12);
	TX_REFUSED(packet->l3_len = 19);
	TX_REFUSED(packet->l4_len = 255);
	TX_REFUSED((packet->l2_len = 127, packet->l3_len = 511));
	assert_int_equal(loopback_net_stats(&net, false).packets, 0);
}

static void
wrong_flags_plain(void **state)
{
	struct frame frame;

	wrong_flags(state);
	frame_large(&frame, false, false, 0);
	loopback_net_reset(&net);
	loopback_net_up(&net);
	post(32);
	TX_REFUSED((void)0);
	TX_REFUSED(packet->l4_len = 19);
	/* One segment of more bytes than an IPv4 header can tell. */
	frame_large(&frame, false, false, UINT16_MAX - 20 - 20 + 1);
	TX_REFUSED(packet->tso_segsz = UINT16_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(to_driver, setup, teardown),
		cmocka_unit_test_setup_teardown(to_plain_driver, setup_none, teardown),
		cmocka_unit_test_setup_teardown(to_plain_driver, setup_no_csum, teardown),
		cmocka_unit_test_setup_teardown(to_csum_driver, setup_guest_csum, teardown),
		cmocka_unit_test_setup_teardown(to_driver_no_ecn, setup_no_ecn, teardown),
		cmocka_unit_test_setup_teardown(to_driver_waits, setup_none, teardown),
		cmocka_unit_test_setup_teardown(to_driver_never, setup_none, teardown),
		cmocka_unit_test_setup_teardown(to_driver_runs_out, setup_no_ecn, teardown),
		cmocka_unit_test_setup_teardown(to_driver_too_small, setup_none, teardown),
		cmocka_unit_test_setup_teardown(header_again, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_flags, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_flags_plain, setup_none, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
