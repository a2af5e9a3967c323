/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Offloads of rte_vhost.h: packets to the driver, whose flags mean the same with both kinds of
 * registration.
 */
#include "vhost_offload.h"

#include <string.h>

/* A frame as an application has it that leaves the checksums out. */
static struct rte_mbuf *
without_sums(const struct frame *frame, bool large)
{
	static struct frame given;
	struct rte_mbuf *packet;

	given = *frame;
	frame_store16(frame_field(&given), 0xdead);
	if (!given.ipv6)
		frame_store16(given.bytes + given.l2 + 10, 0xbeef);
	packet = frame_packet(offload_pool, &given, 0);
	if (large) {
		packet->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
		packet->tso_segsz = FRAME_SEGMENT;
	}
	return packet;
}

/* The driver takes one packet: its header, and its bytes in segment. */
static struct virtio_net_hdr_v1
driver_takes(const struct frame *like, struct frame *segment)
{
	struct loopback_net *driver = &vhost_app.driver;
	struct virtio_net_hdr_v1 hdr;
	uint32_t head, used;

	assert_true(driver_take(&driver->queues[NET_RX], &head, &used));
	assert_in_range(used, NET_HDR, NET_HDR + FRAME);
	*segment = *like;
	segment->len = used - NET_HDR;
	loopback_net_read(driver, NET_RX, (uint16_t)head, 0, &hdr, NET_HDR);
	loopback_net_read(driver, NET_RX, (uint16_t)head, NET_HDR, segment->bytes, segment->len);
	return hdr;
}

/* Sends a packet, which stays the caller's and as it was. */
static void
enqueue(struct rte_mbuf *packet, unsigned int chains, uint32_t room)
{
	struct loopback_net *driver = &vhost_app.driver;
	static uint8_t before[FRAME], after[FRAME];
	uint32_t len = packet->pkt_len;
	const void *bytes = rte_pktmbuf_read(packet, 0, len, before);

	if (bytes != before)
		memcpy(before, bytes, len);
	while (chains-- > 0)
		loopback_net_post(driver, NET_RX, loopback_net_chain_len(driver, NET_RX, room));
	assert_int_equal(rte_vhost_enqueue_burst(APP_VID, 0, &packet, 1), 1);
	assert_memory_equal(rte_pktmbuf_read(packet, 0, len, after), before, len);
	rte_pktmbuf_free(packet);
}

/* all: the driver takes large packets and partial checksums. Otherwise it gets whole ones. */
static void
to_driver_small(bool all)
{
	static struct frame frame, got, want;
	struct virtio_net_hdr_v1 hdr, none = { 0 }, asks;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		frame_make(&frame, (i & 1) != 0, (i & 2) != 0, PAYLOAD, i);
		want = frame;
		if (all)
			frame_store16(frame_field(&want), frame.pseudo);
		enqueue(without_sums(&frame, false), 1, ROOM);
		hdr = driver_takes(&frame, &got);
		asks = frame_header(&frame);
		assert_memory_equal(&hdr, all ? &asks : &none,
				    offsetof(struct virtio_net_hdr_v1, num_buffers));
		assert_int_equal(got.len, want.len);
		assert_memory_equal(got.bytes, want.bytes, want.len);
	}
	assert_int_equal(offload_counted(0, all ? "tx_q0_csum_passed" : "tx_q0_csum_software"), 4);
}

static void
to_driver_large(bool all)
{
	static struct frame frame, got;
	struct virtio_net_hdr_v1 hdr, want;
	unsigned int i, nb = 0;
	uint32_t at;

	for (i = 0; i < 4; i++) {
		uint16_t payload = (i & 2) != 0 ? 60001 : 3000;

		frame_large(&frame, (i & 1) != 0, false, payload);
		if (all) {
			enqueue(without_sums(&frame, true), 1, NET_HDR + frame.len);
			hdr = driver_takes(&frame, &got);
			want = frame_large_header(&frame);
			assert_memory_equal(&hdr, &want,
					    offsetof(struct virtio_net_hdr_v1, num_buffers));
			assert_int_equal(got.len, frame.len);
			frame_store16(frame_field(&frame), frame.pseudo);
			assert_memory_equal(got.bytes, frame.bytes, frame.len);
			continue;
		}
		nb = (payload + FRAME_SEGMENT - 1) / FRAME_SEGMENT;
		enqueue(without_sums(&frame, true), nb, ROOM);
		for (at = 0; nb > 0; nb--) {
			hdr = driver_takes(&frame, &got);
			assert_int_equal(hdr.flags, 0);
			assert_int_equal(hdr.gso_type, VIRTIO_NET_HDR_GSO_NONE);
			at += frame_check_segment(&frame, &got, at, false);
		}
		assert_int_equal(at, payload);
	}
	assert_int_equal(offload_counted(0, all ? "tx_q0_gso_passed" : "tx_q0_gso_software"), 4);
}

/* Flags of packets to the driver mean the same, however the path was registered. */
static void
to_driver(uint64_t flags, bool all)
{
	offload_begin(flags, 0, all ? ALL : 0);
	to_driver_small(all);
	to_driver_large(all);
	assert_int_equal(offload_counted(0, "tx_q0_dropped_packets"), 0);
	offload_end();
}

static void
test_to_driver(void **state)
{
	RTE_SET_USED(state);
	to_driver(COMPLIANT, true);
	to_driver(0, true);
}

static void
test_to_plain_driver(void **state)
{
	RTE_SET_USED(state);
	to_driver(COMPLIANT, false);
	to_driver(0, false);
}

/*
 * An application with flags of the old kind enqueues what it dequeued, and the driver gets what it
 * sent: its own header, or whole packets.
 */
static void
returns(uint64_t guest)
{
	static struct frame frame, sent, got;
	struct virtio_net_hdr_v1 hdr, back;
	struct rte_mbuf *mbuf;
	uint32_t at = 0;

	offload_begin(0, 0, HOST | guest);
	frame_large(&frame, true, false, 5000);
	hdr = frame_large_header(&frame);
	sent = frame;
	frame_store16(frame_field(&sent), frame.pseudo);
	mbuf = offload_dequeue(&hdr, &sent);
	assert_non_null(mbuf);
	enqueue(mbuf, 5, guest != 0 ? 8000 : ROOM);
	do {
		back = driver_takes(&frame, &got);
		if (guest != 0) {
			assert_memory_equal(&back, &hdr,
					    offsetof(struct virtio_net_hdr_v1, num_buffers));
			assert_memory_equal(got.bytes, sent.bytes, sent.len);
			at = 5000;
		} else {
			at += frame_check_segment(&frame, &got, at, false);
		}
	} while (at < 5000);
	offload_end();
}

static void
test_returns(void **state)
{
	RTE_SET_USED(state);
	returns(GUEST);
	returns(0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_to_driver),
		cmocka_unit_test(test_to_plain_driver),
		cmocka_unit_test(test_returns),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
