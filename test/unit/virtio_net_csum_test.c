/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Checksums that one side leaves to the other: handed over with a flag, or computed; headers and
 * flags that are wrong, in every layout.
 */
#include "net_frame.h"

#include <string.h>

#define RING    64u
#define ROOM    2048
#define PACKETS 256
#define CSUM    FEATURE(VIRTIO_NET_F_CSUM)
#define GUEST   FEATURE(VIRTIO_NET_F_GUEST_CSUM)
#define PAYLOAD 301 /* odd */

static struct loopback_net net;
static struct rte_mempool *pool;

static int
setup_with(uint64_t features)
{
	loopback_net_create(&net, RING, features);
	loopback_net_up(&net);
	pool = packet_pool("csum", PACKETS, ROOM);
	return 0;
}

static int
setup(void **state)
{
	RTE_SET_USED(state);
	return setup_with(NET_MERGEABLE | CSUM | GUEST);
}

/* Packets take several mbufs, which begin at odd places of them. */
static int
setup_segments(void **state)
{
	RTE_SET_USED(state);
	loopback_net_create(&net, RING, NET_MERGEABLE | CSUM | GUEST);
	loopback_net_up(&net);
	pool = packet_pool("csum", PACKETS, RTE_PKTMBUF_HEADROOM + 37);
	return 0;
}

/* The driver accepts none of what is offered. */
static int
setup_none(void **state)
{
	RTE_SET_USED(state);
	loopback_net_create(&net, RING, NET_PLAIN | CSUM | GUEST);
	net.features = NET_PLAIN;
	loopback_net_up(&net);
	pool = packet_pool("csum", PACKETS, ROOM);
	return 0;
}

static int
setup_not_offered(void **state)
{
	RTE_SET_USED(state);
	return setup_with(NET_PLAIN);
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

/* Receives one packet, whose bytes must be those of the frame. */
static void
arrives(const struct frame *frame, uint64_t flags)
{
	uint8_t bytes[FRAME];
	struct rte_mbuf *mbuf;

	assert_int_equal(rte_vduse_net_rx_burst(net.net, 0, pool, &mbuf, 1), 1);
	assert_int_equal(mbuf->pkt_len, frame->len);
	assert_int_equal(mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK, flags);
	assert_memory_equal(rte_pktmbuf_read(mbuf, 0, frame->len, bytes), frame->bytes, frame->len);
	rte_pktmbuf_free(mbuf);
	assert_int_equal(loopback_net_reap(&net), 1);
}

/* each(test, piece): all protocols in all layouts. */
static void
each(void (*test)(const struct frame *frame, uint32_t piece))
{
	const uint32_t pieces[] = { 0, 7, 11, 64, 100 };
	struct frame frame;
	unsigned int i;

	for (i = 0; i < 4 * RTE_DIM(pieces); i++) {
		frame_make(&frame, i % 2 != 0, i / 2 % 2 != 0, (uint16_t)(PAYLOAD - i), i);
		test(&frame, pieces[i / 4]);
	}
}

static void
rx_computed(const struct frame *frame, uint32_t piece)
{
	struct virtio_net_hdr_v1 hdr = frame_header(frame);
	struct frame sent = *frame;

	frame_store16(frame_field(&sent), frame->pseudo);
	frame_send(&net, &hdr, &sent, piece);
	arrives(frame, 0);
}

static void
rx_passed(const struct frame *frame, uint32_t piece)
{
	struct virtio_net_hdr_v1 hdr = frame_header(frame);
	struct frame sent = *frame;

	frame_store16(frame_field(&sent), frame->pseudo);
	frame_send(&net, &hdr, &sent, piece);
	arrives(&sent, RTE_MBUF_F_RX_L4_CKSUM_NONE);
}

static void
from_driver(void **state)
{
	RTE_SET_USED(state);
	each(rx_computed);
	assert_int_equal(loopback_net_stats(&net, true).csum_software, 20);
	assert_int_equal(loopback_net_stats(&net, true).csum_passed, 0);
	rte_vduse_net_set_partial_csum(net.net, true);
	each(rx_passed);
	assert_int_equal(loopback_net_stats(&net, true).csum_software, 20);
	assert_int_equal(loopback_net_stats(&net, true).csum_passed, 20);
	assert_int_equal(loopback_net_stats(&net, true).drops, 0);
}

/* Checksums that no flag of an mbuf stands for are computed, whatever the application wants. */
static void
other_protocol(void **state)
{
	struct virtio_net_hdr_v1 hdr;
	struct frame frame, sent;

	RTE_SET_USED(state);
	rte_vduse_net_set_partial_csum(net.net, true);
	frame_make(&frame, false, true, PAYLOAD, 3);
	frame.bytes[frame.l2 + 9] = 47; /* GRE */
	frame_sums(&frame);
	hdr = frame_header(&frame);
	sent = frame;
	/* The sum of what is not covered, which the driver puts there. */
	frame_store16(frame_field(&sent), frame.pseudo);
	frame_send(&net, &hdr, &sent, 0);
	arrives(&frame, 0);
	assert_int_equal(loopback_net_stats(&net, true).csum_software, 1);
}

/* A sum of 0 is sent as 0xffff. */
static void
zero_sum(void **state)
{
	struct frame frame;
	uint8_t *last;

	RTE_SET_USED(state);
	frame_make(&frame, false, true, 100, 9);
	last = frame.bytes + frame.len - 2;
	/* The two last bytes become what makes the sum 0xffff, and its complement 0. */
	frame_store16(last, 0);
	frame_sums(&frame);
	frame_store16(last, frame.whole);
	frame_sums(&frame);
	assert_int_equal(frame.whole, 0xffff);
	rx_computed(&frame, 0);
}

/* REFUSED(change): a header with that change is counted, and its packet dropped. */
#define REFUSED(change)                                                                            \
	do {                                                                                       \
		struct rte_vduse_net_stats before = loopback_net_stats(&net, true);                \
		struct virtio_net_hdr_v1 hdr = frame_header(&frame);                               \
		struct rte_mbuf *mbuf;                                                             \
                                                                                                   \
		change;                                                                            \
		frame_send(&net, &hdr, &frame, 0);                                                 \
		assert_int_equal(rte_vduse_net_rx_burst(net.net, 0, pool, &mbuf, 1), 0);           \
		assert_int_equal(loopback_net_reap(&net), 1);                                      \
		assert_int_equal(loopback_net_stats(&net, true).bad_offloads,                      \
				 before.bad_offloads + 1);                                         \
		assert_int_equal(loopback_net_stats(&net, true).drops, before.drops + 1);          \
	} while (0)

static void
wrong_headers(void **state)
{
	struct frame frame;

	RTE_SET_USED(state);
	frame_make(&frame, false, false, PAYLOAD, 1);
	REFUSED(hdr.csum_start = rte_cpu_to_le_16(frame.len));
	REFUSED(hdr.csum_start = rte_cpu_to_le_16(0xffff));
	REFUSED(hdr.csum_start = rte_cpu_to_le_16(frame.len - frame.offset - 1));
	REFUSED(hdr.csum_offset = rte_cpu_to_le_16(0xffff));
	REFUSED(hdr.csum_offset = rte_cpu_to_le_16(0xfffe));
	REFUSED(hdr.csum_offset = rte_cpu_to_le_16(frame.offset + 1));
	REFUSED(hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV4);
	REFUSED(hdr.gso_type = 0xff);
	REFUSED((hdr.gso_type = VIRTIO_NET_HDR_GSO_ECN, hdr.flags = 0));
	/* The device goes on. */
	rx_computed(&frame, 0);
}

/* Where nothing was negotiated the header says nothing. Hints never do. */
static void
ignored(void **state)
{
	struct virtio_net_hdr_v1 hdr;
	struct frame frame;

	RTE_SET_USED(state);
	frame_make(&frame, false, false, PAYLOAD, 1);
	memset(&hdr, 0xff, sizeof(hdr));
	frame_send(&net, &hdr, &frame, 0);
	arrives(&frame, 0);
}

static void
hints(void **state)
{
	struct virtio_net_hdr_v1 hdr = { .flags = VIRTIO_NET_HDR_F_DATA_VALID, .hdr_len = 0xffff };
	struct frame frame;

	RTE_SET_USED(state);
	frame_make(&frame, false, false, PAYLOAD, 1);
	frame_send(&net, &hdr, &frame, 0);
	arrives(&frame, 0);
}

/* What the driver receives in buffers of that length: a header and a frame. */
static void
driver_gets(const struct frame *frame, const struct virtio_net_hdr_v1 *want, uint32_t room)
{
	uint32_t len = NET_HDR + frame->len;
	uint8_t bytes[NET_HDR + FRAME];
	uint32_t at = 0, n, head, used;

	while (at < len) {
		n = RTE_MIN(room, len - at);
		assert_true(driver_take(&net.queues[NET_RX], &head, &used));
		assert_int_equal(used, n);
		loopback_net_read(&net, NET_RX, (uint16_t)head, 0, bytes + at, n);
		at += n;
	}
	assert_memory_equal(bytes, want, offsetof(struct virtio_net_hdr_v1, num_buffers));
	assert_memory_equal(bytes + NET_HDR, frame->bytes, frame->len);
}

static uint32_t tx_room = 600;

static void
tx_send(const struct frame *given, const struct frame *want, const struct virtio_net_hdr_v1 *hdr,
	uint32_t segment)
{
	struct rte_mbuf *packet = frame_packet(pool, given, segment);
	uint8_t bytes[FRAME];
	uint32_t at;

	for (at = 0; at < NET_HDR + given->len; at += tx_room)
		loopback_net_post(&net, NET_RX, loopback_net_chain(&net, NET_RX, &tx_room, 1));
	assert_int_equal(rte_vduse_net_tx_copy(net.net, 0, &packet, 1), 1);
	driver_gets(want, hdr, tx_room);
	/* The packet is the caller's, and as it was. */
	assert_memory_equal(rte_pktmbuf_read(packet, 0, given->len, bytes), given->bytes,
			    given->len);
	rte_pktmbuf_free(packet);
}

static struct frame
without_sums(const struct frame *frame)
{
	struct frame given = *frame;

	frame_store16(frame_field(&given), 0xdead);
	if (!given.ipv6)
		frame_store16(given.bytes + given.l2 + 10, 0xbeef);
	return given;
}

static void
tx_passed(const struct frame *frame, uint32_t segment)
{
	struct virtio_net_hdr_v1 hdr = frame_header(frame);
	struct frame given = without_sums(frame), want = *frame;

	frame_store16(frame_field(&want), frame->pseudo);
	tx_send(&given, &want, &hdr, segment);
}

static void
tx_computed(const struct frame *frame, uint32_t segment)
{
	struct virtio_net_hdr_v1 hdr = { 0 };
	struct frame given = without_sums(frame);

	tx_send(&given, frame, &hdr, segment);
}

static void
to_driver(void **state)
{
	RTE_SET_USED(state);
	tx_room = 600;
	each(tx_passed);
	tx_room = 50;
	each(tx_passed);
	assert_int_equal(loopback_net_stats(&net, false).csum_passed, 40);
	assert_int_equal(loopback_net_stats(&net, false).csum_software, 0);
}

static void
to_plain_driver(void **state)
{
	RTE_SET_USED(state);
	tx_room = 600;
	each(tx_computed);
	assert_int_equal(loopback_net_stats(&net, false).csum_software, 20);
	assert_int_equal(loopback_net_stats(&net, false).csum_passed, 0);
}

static void
tx_ignored(const struct frame *frame, uint32_t segment)
{
	struct virtio_net_hdr_v1 hdr = { 0 };
	struct frame given = without_sums(frame);

	tx_send(&given, &given, &hdr, segment);
}

/* A device without offloads does not look at flags. */
static void
not_offered(void **state)
{
	RTE_SET_USED(state);
	tx_room = 600;
	each(tx_ignored);
	assert_int_equal(loopback_net_stats(&net, false).csum_software, 0);
}

/* TX_REFUSED(change): a packet with that change is counted and dropped, and no buffer is used. */
#define TX_REFUSED(change)                                                                         \
	do {                                                                                       \
		struct rte_vduse_net_stats before = loopback_net_stats(&net, false);               \
		struct rte_mbuf *packet = frame_packet(pool, &frame, 0);                           \
                                                                                                   \
		change;                                                                            \
		assert_int_equal(rte_vduse_net_tx_burst(net.net, 0, &packet, 1), 1);               \
		assert_int_equal(loopback_net_stats(&net, false).bad_offloads,                     \
				 before.bad_offloads + 1);                                         \
		assert_int_equal(loopback_net_stats(&net, false).drops, before.drops + 1);         \
		assert_int_equal(rte_vduse_net_tx_count(net.net, 0), 1);                           \
	} while (0)

static void
wrong_flags(void **state)
{
	uint32_t room = 600;
	struct frame frame;

	RTE_SET_USED(state);
	frame_make(&frame, false, false, PAYLOAD, 1);
	loopback_net_post(&net, NET_RX, loopback_net_chain(&net, NET_RX, &room, 1));
	TX_REFUSED(packet->ol_flags |= RTE_MBUF_F_TX_TCP_SEG);
	TX_REFUSED(packet->ol_flags |= RTE_MBUF_F_TX_UDP_SEG);
	TX_REFUSED(packet->ol_flags |= RTE_MBUF_F_TX_OUTER_IP_CKSUM);
	TX_REFUSED(packet->ol_flags = RTE_MBUF_F_TX_SCTP_CKSUM | RTE_MBUF_F_TX_IPV4);
	TX_REFUSED(packet->ol_flags = RTE_MBUF_F_TX_TCP_CKSUM);
	TX_REFUSED((packet->ol_flags |= RTE_MBUF_F_TX_IPV6, packet->l3_len = 40));
	TX_REFUSED((packet->ol_flags = RTE_MBUF_F_TX_IPV6 | RTE_MBUF_F_TX_IP_CKSUM,
		    packet->l3_len = 40));
	TX_REFUSED((packet->ol_flags |= RTE_MBUF_F_TX_TUNNEL_VXLAN, packet->outer_l2_len = 14,
		    packet->outer_l3_len = 20));
	TX_REFUSED(packet->ol_flags |= RTE_MBUF_F_TX_TUNNEL_IPIP);
	TX_REFUSED(packet->ol_flags |= RTE_MBUF_F_TX_OUTER_IPV4);
	TX_REFUSED(packet->ol_flags |= RTE_MBUF_F_TX_OUTER_IPV6);
	TX_REFUSED((packet->l2_len = 0,
		    memcpy(rte_pktmbuf_mtod(packet, void *), frame.bytes + frame.l2, frame.l3)));
	TX_REFUSED(*rte_pktmbuf_mtod_offset(packet, uint8_t *, frame.l2) = 0x65);
	TX_REFUSED(packet->l3_len = 0);
	TX_REFUSED(packet->l3_len = 19);
	TX_REFUSED(packet->l2_len = 127);
	TX_REFUSED((packet->l2_len = 127, packet->l3_len = 511));
	TX_REFUSED(rte_pktmbuf_trim(packet, PAYLOAD + 1));
	TX_REFUSED(frame_store16(rte_pktmbuf_mtod_offset(packet, uint8_t *, frame.l2 + 2), 0xffff));
	TX_REFUSED(frame_store16(rte_pktmbuf_mtod_offset(packet, uint8_t *, frame.l2 + 2), 19));
	TX_REFUSED(
		frame_store16(rte_pktmbuf_mtod_offset(packet, uint8_t *, frame.l2 + 2), 20 + 19));
	assert_int_equal(loopback_net_stats(&net, false).packets, 0);
}

/* What follows the IP packet is no part of the sum. */
static void
padding(void **state)
{
	struct virtio_net_hdr_v1 hdr = { 0 };
	struct frame frame, given;

	RTE_SET_USED(state);
	frame_make(&frame, false, true, 4, 1);
	memset(frame.bytes + frame.len, 0x77, 13);
	frame.len += 13;
	given = without_sums(&frame);
	tx_room = 600;
	tx_send(&given, &frame, &hdr, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(from_driver, setup, teardown),
		cmocka_unit_test_setup_teardown(from_driver, setup_segments, teardown),
		cmocka_unit_test_setup_teardown(other_protocol, setup, teardown),
		cmocka_unit_test_setup_teardown(zero_sum, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_headers, setup, teardown),
		cmocka_unit_test_setup_teardown(ignored, setup_none, teardown),
		cmocka_unit_test_setup_teardown(hints, setup, teardown),
		cmocka_unit_test_setup_teardown(to_driver, setup, teardown),
		cmocka_unit_test_setup_teardown(to_plain_driver, setup_none, teardown),
		cmocka_unit_test_setup_teardown(not_offered, setup_not_offered, teardown),
		cmocka_unit_test_setup_teardown(wrong_flags, setup, teardown),
		cmocka_unit_test_setup_teardown(padding, setup_none, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
