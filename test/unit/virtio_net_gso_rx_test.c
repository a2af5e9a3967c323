/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Large TCP and UDP packets from the driver: handed over whole to an application that takes them,
 * otherwise in segments, which must make up the packet that was sent.
 */
#include "net_frame.h"

#include <pthread.h>
#include <string.h>

#include <rte_vduse_compat.h>

#define RING     256u
#define ROOM     2048
#define PACKETS  1023
#define BURST    32
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

/* Packets take several mbufs, which begin at odd places of them. */
static int
setup_segments(void **state)
{
	RTE_SET_USED(state);
	return setup_accepts(NET_MERGEABLE, OFFLOADS, RTE_PKTMBUF_HEADROOM + 177);
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

/* Receives a large packet in segments, in bursts of nb. */
static void
arrives_in_segments(const struct frame *frame, uint16_t nb)
{
	uint32_t at = 0, payload = frame->len - frame_headers(frame);
	struct rte_mbuf *mbufs[BURST];
	struct frame segment;
	unsigned int empty = 0;
	uint16_t n, i;

	do {
		n = rte_vduse_net_rx_burst(net.net, 0, pool, mbufs, nb);
		empty = n == 0 ? empty + 1 : 0;
		assert_true(empty < 3);
		for (i = 0; i < n; i++) {
			assert_int_equal(mbufs[i]->ol_flags &
						 (RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_L4_CKSUM_MASK),
					 0);
			frame_of(&segment, frame, mbufs[i]);
			at += frame_check_segment(frame, &segment, at, false);
			rte_pktmbuf_free(mbufs[i]);
		}
	} while (at < payload);
	assert_int_equal(at, payload);
	assert_int_equal(loopback_net_reap(&net), 1);
}

static void
rx_segments(const struct frame *frame, uint32_t number)
{
	struct virtio_net_hdr_v1 hdr = frame_large_header(frame);
	struct frame sent = *frame;

	frame_store16(frame_field(&sent), frame->pseudo);
	frame_send(&net, &hdr, &sent, frame->len > 4096 ? 0 : 60 + number);
	arrives_in_segments(frame, number % 3 == 0 ? BURST : 7);
}

static void
rx_whole(const struct frame *frame, uint32_t number)
{
	struct virtio_net_hdr_v1 hdr = frame_large_header(frame);
	bool large = frame->len > frame_headers(frame) + FRAME_SEGMENT;
	struct frame sent = *frame, got;
	struct rte_mbuf *mbuf;

	RTE_SET_USED(number);
	frame_store16(frame_field(&sent), frame->pseudo);
	frame_send(&net, &hdr, &sent, 0);
	assert_int_equal(rte_vduse_net_rx_burst(net.net, 0, pool, &mbuf, 1), 1);
	assert_int_equal(mbuf->ol_flags & (RTE_MBUF_F_RX_LRO | RTE_MBUF_F_RX_L4_CKSUM_MASK),
			 RTE_MBUF_F_RX_L4_CKSUM_NONE | (large ? RTE_MBUF_F_RX_LRO : 0));
	assert_int_equal(mbuf->tso_segsz, FRAME_SEGMENT);
	assert_int_equal(mbuf->packet_type & RTE_PTYPE_L4_MASK,
			 frame->udp ? RTE_PTYPE_L4_UDP : RTE_PTYPE_L4_TCP);
	frame_of(&got, frame, mbuf);
	assert_int_equal(got.len, sent.len);
	assert_memory_equal(got.bytes, sent.bytes, sent.len);
	rte_pktmbuf_free(mbuf);
	assert_int_equal(loopback_net_reap(&net), 1);
}

static void
from_driver(void **state)
{
	RTE_SET_USED(state);
	frame_each_large(rx_segments);
	assert_int_equal(loopback_net_stats(&net, true).gso_software, 24);
	rte_vduse_net_set_rx_gso(net.net, UINT64_MAX);
	frame_each_large(rx_whole);
	assert_int_equal(loopback_net_stats(&net, true).gso_passed, 24);
	assert_int_equal(loopback_net_stats(&net, true).gso_software, 24);
	assert_int_equal(loopback_net_stats(&net, true).drops, 0);
}

/* An application that takes TCP only gets UDP in segments. */
static void
from_driver_partly(void **state)
{
	struct frame frame;

	RTE_SET_USED(state);
	rte_vduse_net_set_rx_gso(net.net, VNET_OFFLOAD(HOST_TSO4));
	frame_large(&frame, false, true, 9000);
	rx_segments(&frame, 0);
	frame_large(&frame, true, false, 9000);
	rx_segments(&frame, 0);
	frame_large(&frame, false, false, 9000);
	rx_whole(&frame, 0);
}

/* Without mbufs the rest of a packet waits, and nothing is lost or sent twice. */
static void
from_driver_waits(void **state)
{
	struct rte_mbuf *taken[PACKETS], *mbufs[BURST];
	struct virtio_net_hdr_v1 hdr;
	struct frame frame, sent, segment;
	uint32_t at = 0;
	unsigned int i;

	RTE_SET_USED(state);
	frame_large(&frame, false, false, 9000);
	hdr = frame_large_header(&frame);
	sent = frame;
	frame_store16(frame_field(&sent), frame.pseudo);
	frame_send(&net, &hdr, &sent, 0);
	assert_int_equal(rte_pktmbuf_alloc_bulk(pool, taken, PACKETS), 0);
	assert_int_equal(rte_vduse_net_rx_burst(net.net, 0, pool, mbufs, BURST), 0);
	for (i = 0; i < PACKETS; i++) {
		rte_pktmbuf_free(taken[i]);
		if (at == 9000)
			continue;
		/* Two are needed for one: the first is that of the burst. */
		if (rte_vduse_net_rx_burst(net.net, 0, pool, mbufs, BURST) == 0)
			continue;
		frame_of(&segment, &frame, mbufs[0]);
		at += frame_check_segment(&frame, &segment, at, false);
		assert_int_equal(rte_mempool_avail_count(pool), i);
		rte_pktmbuf_free(mbufs[0]);
		assert_int_equal(rte_mempool_avail_count(pool), i + 1);
		while (at < 9000 && rte_vduse_net_rx_burst(net.net, 0, pool, mbufs, 1) == 1) {
			frame_of(&segment, &frame, mbufs[0]);
			at += frame_check_segment(&frame, &segment, at, false);
			rte_pktmbuf_free(mbufs[0]);
		}
	}
	assert_int_equal(at, 9000);
	assert_int_equal(loopback_net_reap(&net), 1);
}

/* A driver that resets in the middle of a packet. */
static void
from_driver_reset(void **state)
{
	struct virtio_net_hdr_v1 hdr;
	struct rte_mbuf *mbufs[4];
	struct frame frame;

	RTE_SET_USED(state);
	frame_large(&frame, false, false, 9000);
	hdr = frame_large_header(&frame);
	frame_send(&net, &hdr, &frame, 0);
	assert_int_equal(rte_vduse_net_rx_burst(net.net, 0, pool, mbufs, 4), 4);
	rte_pktmbuf_free_bulk(mbufs, 4);
	loopback_net_reset(&net);
	loopback_net_up(&net);
	rx_segments(&frame, 0);
}

/* REFUSED(change): a header with that change is counted, and its packet dropped. */
#define REFUSED(change)                                                                            \
	do {                                                                                       \
		struct rte_vduse_net_stats before = loopback_net_stats(&net, true);                \
		struct virtio_net_hdr_v1 hdr = frame_large_header(&frame);                         \
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
refused_each(void)
{
	struct frame frame;

	frame_large(&frame, false, false, 3000);
	REFUSED(hdr.gso_size = 0);
	REFUSED(hdr.flags = 0);
	REFUSED(hdr.flags = VIRTIO_NET_HDR_F_DATA_VALID);
	REFUSED(hdr.gso_type = 2);
	REFUSED(hdr.gso_type = 0x7f);
	REFUSED(hdr.gso_type = VIRTIO_NET_HDR_GSO_ECN);
	REFUSED(hdr.gso_type = VIRTIO_NET_HDR_GSO_UDP);
	REFUSED(hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV6);
	REFUSED(hdr.gso_type = VIRTIO_NET_HDR_GSO_UDP_L4);
	REFUSED(hdr.csum_start = rte_cpu_to_le_16(frame_l4(&frame) + 2));
	REFUSED(hdr.csum_start = rte_cpu_to_le_16(0xffff));
	REFUSED(hdr.csum_offset = rte_cpu_to_le_16(frame.offset + 2));
	REFUSED(frame.len = frame_l4(&frame) + 19);
	REFUSED(frame.len = frame_l4(&frame));
	REFUSED(frame.len = 14);
	frame_large(&frame, false, false, 3000);
	REFUSED(frame.bytes[frame_l4(&frame) + 12] = 4 << 4);
	REFUSED(frame.bytes[frame_l4(&frame) + 12] = 0);
	/* The TCP header ends after the packet. */
	frame_large(&frame, false, false, 39);
	REFUSED(frame.bytes[frame_l4(&frame) + 12] = 15 << 4);
	frame_large(&frame, true, true, 3000);
	REFUSED(hdr.gso_type |= VIRTIO_NET_HDR_GSO_ECN);
	REFUSED(hdr.gso_type = VIRTIO_NET_HDR_GSO_TCPV6);
	REFUSED(hdr.gso_type = VIRTIO_NET_HDR_GSO_UDP);
}

static void
wrong_headers(void **state)
{
	struct frame frame;

	RTE_SET_USED(state);
	refused_each();
	rte_vduse_net_set_rx_gso(net.net, UINT64_MAX);
	refused_each();
	/* A packet with a right header is still received. */
	frame_large(&frame, false, false, 3000);
	rx_whole(&frame, 0);
}

static void
ecn_not_accepted(void **state)
{
	struct frame frame;

	RTE_SET_USED(state);
	frame_large(&frame, false, false, 3000);
	REFUSED(hdr.gso_type = VIRTIO_NET_HDR_GSO_ECN | VIRTIO_NET_HDR_GSO_TCPV4);
}

/* The header says nothing where VIRTIO_NET_F_CSUM was not accepted. */
static void
csum_not_accepted(void **state)
{
	struct virtio_net_hdr_v1 hdr;
	struct frame frame, got;
	struct rte_mbuf *mbuf;

	RTE_SET_USED(state);
	frame_large(&frame, false, false, 1000);
	hdr = frame_large_header(&frame);
	frame_send(&net, &hdr, &frame, 0);
	assert_int_equal(rte_vduse_net_rx_burst(net.net, 0, pool, &mbuf, 1), 1);
	frame_of(&got, &frame, mbuf);
	assert_memory_equal(got.bytes, frame.bytes, frame.len);
	rte_pktmbuf_free(mbuf);
	assert_int_equal(loopback_net_reap(&net), 1);
}

/* A device that receives one segment drops what does not fit, and goes on. */
static void
oversize(void **state)
{
	struct virtio_net_hdr_v1 hdr;
	struct rte_mbuf *mbuf;
	struct frame frame;

	RTE_SET_USED(state);
	frame_large(&frame, false, false, 60000);
	hdr = frame_large_header(&frame);
	hdr.gso_size = rte_cpu_to_le_16(50000);
	/* Larger than the MTU. */
	assert_int_equal(rte_vduse_net_set_mtu(net.net, 1500), 0);
	loopback_net_reset(&net);
	loopback_net_up(&net);
	frame_send(&net, &hdr, &frame, 0);
	assert_int_equal(rte_vduse_net_rx_burst(net.net, 0, pool, &mbuf, 1), 0);
	assert_int_equal(loopback_net_reap(&net), 1);
	assert_int_equal(loopback_net_stats(&net, true).oversize, 1);
	assert_int_equal(loopback_net_stats(&net, true).drops, 1);
	rx_segments(&frame, 0);
}

static bool flipping;

/* Changes the header and the first bytes of the only packet of the driver, one byte after another. */
static void *
flip(void *arg)
{
	volatile uint8_t *bytes = arg;
	uint32_t seed = 1;

	while (rte_atomic_load_explicit(&flipping, rte_memory_order_relaxed)) {
		seed = seed * 1103515245 + 12345;
		bytes[(seed >> 16) % (NET_HDR + 60)] ^= (uint8_t)(1u << (seed >> 24) % 8);
	}
	return NULL;
}

static void
changed_under_our_feet(void **state)
{
	struct virtio_net_hdr_v1 hdr;
	struct rte_mbuf *mbufs[BURST];
	struct driver *queue = &net.queues[NET_TX];
	struct frame frame;
	unsigned int i, polls;
	pthread_t thread;
	uint16_t n;

	RTE_SET_USED(state);
	frame_large(&frame, false, false, 30000);
	hdr = frame_large_header(&frame);
	rte_atomic_store_explicit(&flipping, true, rte_memory_order_relaxed);
	for (i = 0; i < 200; i++) {
		rte_vduse_net_set_rx_gso(net.net, i % 2 == 0 ? 0 : UINT64_MAX);
		loopback_net_reset(&net);
		loopback_net_up(&net);
		/* Its first buffer is the same one each time. */
		net.next_desc[NET_TX] = 0;
		frame_send(&net, &hdr, &frame, 0);
		if (i == 0)
			assert_int_equal(
				pthread_create(&thread, NULL, flip, driver_va(queue, queue->data)),
				0);
		for (polls = 0; polls < 20; polls++) {
			n = rte_vduse_net_rx_burst(net.net, 0, pool, mbufs, BURST);
			if (n > 0)
				rte_pktmbuf_free_bulk(mbufs, n);
		}
	}
	rte_atomic_store_explicit(&flipping, false, rte_memory_order_relaxed);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(loopback_net_state(&net, NET_TX), RTE_VDUSE_VQ_RUNNING);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(from_driver, setup, teardown),
		cmocka_unit_test_setup_teardown(from_driver, setup_segments, teardown),
		cmocka_unit_test_setup_teardown(from_driver_partly, setup, teardown),
		cmocka_unit_test_setup_teardown(from_driver_waits, setup, teardown),
		cmocka_unit_test_setup_teardown(from_driver_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(wrong_headers, setup, teardown),
		cmocka_unit_test_setup_teardown(ecn_not_accepted, setup_no_ecn, teardown),
		cmocka_unit_test_setup_teardown(csum_not_accepted, setup_no_csum, teardown),
		cmocka_unit_test_setup_teardown(oversize, setup, teardown),
		cmocka_unit_test_setup_teardown(changed_under_our_feet, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
