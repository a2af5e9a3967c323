/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Packets to the driver: into buffers of every size and layout, or dropped. */
#include "loopback_net.h"

#include <string.h>

#define RING    256u
#define ROOM    2048
#define PACKETS 512

static struct loopback_net net;
static struct rte_mempool *pool;

static int
setup_with(uint32_t size, uint64_t features)
{
	loopback_net_create(&net, size, features);
	loopback_net_up(&net);
	pool = packet_pool("tx", PACKETS, ROOM);
	return 0;
}

static int
setup(void **state)
{
	RTE_SET_USED(state);
	return setup_with(RING, NET_PLAIN);
}

static int
setup_mergeable(void **state)
{
	RTE_SET_USED(state);
	return setup_with(RING, NET_MERGEABLE);
}

static int
setup_small_ring(void **state)
{
	RTE_SET_USED(state);
	return setup_with(16, NET_MERGEABLE);
}

static int
setup_indirect(void **state)
{
	RTE_SET_USED(state);
	return setup_with(RING, NET_MERGEABLE | FEATURE(VIRTIO_RING_F_INDIRECT_DESC));
}

/* No mbuf is lost. */
static int
teardown(void **state)
{
	RTE_SET_USED(state);
	loopback_net_destroy(&net);
	assert_int_equal(rte_mempool_avail_count(pool), PACKETS);
	rte_mempool_free(pool);
	return 0;
}

static uint16_t
transmit(struct rte_mbuf **mbufs, uint16_t nb)
{
	return rte_vduse_net_tx_burst(net.net, 0, mbufs, nb);
}

/* The driver offers nb buffers of len bytes, header included. */
static void
offer(unsigned int nb, uint32_t len)
{
	while (nb-- > 0)
		loopback_net_post(&net, NET_RX, loopback_net_chain_len(&net, NET_RX, len));
}

/* One packet is sent and received. Returns the chains that it took. */
static unsigned int
pass(uint32_t seed, uint32_t len, uint16_t seg)
{
	struct rte_mbuf *packet = packet_new(pool, seed, len, seg);

	assert_int_equal(transmit(&packet, 1), 1);
	return loopback_net_receive(&net, seed, len);
}

static void
test_sizes(void **state)
{
	uint32_t len, seed = 0;

	RTE_SET_USED(state);
	for (len = 14; len <= NET_FRAME_MAX; len += len < 2200 ? 1 : 97) {
		offer(1, NET_HDR + len);
		assert_int_equal(pass(++seed, len, ROOM), 1);
	}
	offer(1, NET_HDR + NET_FRAME_MAX);
	assert_int_equal(pass(++seed, NET_FRAME_MAX, ROOM), 1);
	assert_int_equal(loopback_net_stats(&net, false).packets, seed);
	assert_int_equal(loopback_net_stats(&net, false).drops, 0);
}

static void
test_sizes_mergeable(void **state)
{
	uint32_t len, seed = 0;

	RTE_SET_USED(state);
	for (len = 14; len <= NET_FRAME_MAX; len += len < 5000 ? 13 : 331) {
		uint32_t nb = (NET_HDR + len + 1525) / 1526;

		offer(nb, 1526);
		assert_int_equal(pass(++seed, len, ROOM), nb);
	}
	assert_int_equal(loopback_net_stats(&net, false).packets, seed);
	assert_int_equal(loopback_net_stats(&net, false).drops, 0);
}

/* Packets in segments of any size, the seams of which are not those of the buffers. */
static void
test_segments(void **state)
{
	static const uint16_t segs[] = { 14, 15, 63, 64, 100, 1000, 1514, ROOM };
	uint32_t i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(segs); i++) {
		offer(3, 700);
		assert_int_equal(pass(i, 2000, segs[i]), 3);
	}
}

/* Where a buffer may be cut: see the other direction. */
static const struct layout {
	uint32_t lens[24];
	unsigned int nb;
} layouts[] = {
	{ { NET_HDR, 100 }, 2 },
	{ { 1, NET_HDR - 1, 100 }, 3 },
	{ { NET_HDR - 1, 101 }, 2 },
	{ { NET_HDR + 1, 99 }, 2 },
	{ { 0, NET_HDR, 0, 100, 0 }, 5 },
	{ { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 92 }, 21 },
	{ { 500, 500 }, 2 },
};

static void
test_layouts(void **state)
{
	uint32_t i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(layouts); i++) {
		loopback_net_post(&net, NET_RX,
				  loopback_net_chain(&net, NET_RX, layouts[i].lens, layouts[i].nb));
		assert_int_equal(pass(i, 100, 33), 1);
	}
}

static void
test_indirect(void **state)
{
	uint32_t i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(layouts); i++) {
		loopback_net_post(
			&net, NET_RX,
			loopback_net_indirect(&net, NET_RX, layouts[i].lens, layouts[i].nb));
		assert_int_equal(pass(i, 100, 33), 1);
	}
}

/* Bytes of a buffer after the packet do not change. */
static void
test_nothing_beyond(void **state)
{
	uint8_t before[NET_PIECE], after[sizeof(before)];
	uint16_t head;

	RTE_SET_USED(state);
	memset(before, 0xa5, sizeof(before));
	head = loopback_net_chain_len(&net, NET_RX, sizeof(before));
	loopback_net_write(&net, NET_RX, head, 0, before, sizeof(before));
	loopback_net_post(&net, NET_RX, head);
	pass(1, 61, ROOM);
	loopback_net_read(&net, NET_RX, head, 0, after, sizeof(after));
	assert_memory_equal(after + NET_HDR + 61, before, sizeof(before) - NET_HDR - 61);
}

/* Without merging, a packet that does not fit is lost, and the buffer is for the next one. */
static void
test_too_small(void **state)
{
	struct rte_mbuf *mbufs[3];
	uint32_t i;

	RTE_SET_USED(state);
	offer(2, NET_HDR + 100);
	for (i = 0; i < 3; i++)
		mbufs[i] = packet_new(pool, i, i == 1 ? 101 : 100, ROOM);
	assert_int_equal(transmit(mbufs, 3), 3);
	loopback_net_receive(&net, 0, 100);
	loopback_net_receive(&net, 2, 100);
	assert_int_equal(loopback_net_stats(&net, false).packets, 2);
	assert_int_equal(loopback_net_stats(&net, false).drops, 1);
	assert_int_equal(loopback_net_state(&net, NET_RX), RTE_VDUSE_VQ_RUNNING);
}

/* What there is no buffer for stays the caller's. */
static void
test_no_buffers(void **state)
{
	struct rte_mbuf *mbufs[8];
	uint32_t i;

	RTE_SET_USED(state);
	for (i = 0; i < 8; i++)
		mbufs[i] = packet_new(pool, i, 100, ROOM);
	assert_int_equal(transmit(mbufs, 8), 0);
	assert_int_equal(transmit(mbufs, 0), 0);
	offer(5, 200);
	assert_int_equal(transmit(mbufs, 8), 5);
	assert_int_equal(transmit(mbufs + 5, 3), 0);
	for (i = 0; i < 5; i++)
		loopback_net_receive(&net, i, 100);
	offer(5, 200);
	assert_int_equal(transmit(mbufs + 5, 3), 3);
	for (i = 5; i < 8; i++)
		loopback_net_receive(&net, i, 100);
	assert_int_equal(loopback_net_stats(&net, false).packets, 8);
	assert_int_equal(loopback_net_stats(&net, false).drops, 0);
}

/* A packet for which there are too few buffers waits for more, and so do later ones. */
static void
test_waits_for_buffers(void **state)
{
	struct rte_mbuf *mbufs[3];

	RTE_SET_USED(state);
	mbufs[0] = packet_new(pool, 0, 100, ROOM);
	mbufs[1] = packet_new(pool, 1, 880, ROOM);
	mbufs[2] = packet_new(pool, 2, 100, ROOM);
	offer(3, 300);
	assert_int_equal(transmit(mbufs, 3), 1);
	assert_int_equal(loopback_net_receive(&net, 0, 100), 1);
	assert_int_equal(transmit(mbufs + 1, 2), 0);
	offer(2, 150);
	assert_int_equal(transmit(mbufs + 1, 2), 1);
	assert_int_equal(loopback_net_receive(&net, 1, 880), 4);
	offer(1, 300);
	assert_int_equal(transmit(mbufs + 2, 1), 1);
	assert_int_equal(loopback_net_receive(&net, 2, 100), 1);
	assert_int_equal(loopback_net_stats(&net, false).drops, 0);
}

/* The whole ring is available and too small for the packet: waiting would never end. */
static void
test_larger_than_ring(void **state)
{
	struct rte_mbuf *mbufs[2];

	RTE_SET_USED(state);
	mbufs[0] = packet_new(pool, 0, 16 * 500, ROOM);
	mbufs[1] = packet_new(pool, 1, 900, ROOM);
	offer(15, 500);
	assert_int_equal(transmit(mbufs, 2), 0);
	offer(1, 500);
	assert_int_equal(transmit(mbufs, 2), 2);
	assert_int_equal(loopback_net_receive(&net, 1, 900), 2);
	assert_int_equal(loopback_net_stats(&net, false).drops, 1);
	assert_int_equal(loopback_net_stats(&net, false).packets, 1);
}

/* The same with buffers of several descriptors, which do not come out even. */
static void
test_larger_than_ring_of_chains(void **state)
{
	static const uint32_t lens[] = { 100, 100, 100 };
	struct rte_mbuf *packet = packet_new(pool, 0, 16 * 100, ROOM);
	uint32_t i;

	RTE_SET_USED(state);
	for (i = 0; i < 5; i++) {
		assert_int_equal(transmit(&packet, 1), 0);
		loopback_net_post(&net, NET_RX, loopback_net_chain(&net, NET_RX, lens, 3));
	}
	assert_int_equal(transmit(&packet, 1), 1);
	assert_int_equal(loopback_net_stats(&net, false).drops, 1);
	assert_int_equal(pass(1, 900, ROOM), 4);
}

/* More buffers than are handled at once. */
static void
test_larger_than_burst(void **state)
{
	struct rte_mbuf *mbufs[2];

	RTE_SET_USED(state);
	mbufs[0] = packet_new(pool, 0, 65 * 100, ROOM);
	mbufs[1] = packet_new(pool, 1, 64 * 100 - NET_HDR, ROOM);
	offer(130, 100);
	assert_int_equal(transmit(mbufs, 2), 2);
	assert_int_equal(loopback_net_receive(&net, 1, 64 * 100 - NET_HDR), 64);
	assert_int_equal(loopback_net_stats(&net, false).drops, 1);
}

/* The driver gets its first used buffer back, of that many bytes. */
static void
takes_back(uint32_t expected)
{
	uint32_t head, len;

	assert_true(driver_take(&net.queues[NET_RX], &head, &len));
	assert_int_equal(len, expected);
}

/* A buffer that has no room for a header goes back empty; its packet is lost, no other. */
static void
test_no_room_for_header(void **state)
{
	static const uint32_t lens[] = { 0, 1, NET_HDR - 1 };
	struct rte_mbuf *mbufs[3];
	uint32_t i, j;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(lens); i++) {
		for (j = 0; j < 3; j++)
			mbufs[j] = packet_new(pool, j, 100, ROOM);
		offer(1, 200);
		offer(1, lens[i]);
		offer(1, 200);
		assert_int_equal(transmit(mbufs, 3), 3);
		assert_int_equal(loopback_net_receive(&net, 0, 100), 1);
		takes_back(0);
		assert_int_equal(loopback_net_receive(&net, 2, 100), 1);
		assert_int_equal(loopback_net_stats(&net, false).drops, i + 1);
	}
	assert_int_equal(loopback_net_stats(&net, false).bad_descriptors, 0);
	assert_int_equal(loopback_net_state(&net, NET_RX), RTE_VDUSE_VQ_RUNNING);
}

/* A whole ring of them takes as many packets, and the next good one is sent. */
static void
test_no_room_for_header_anywhere(void **state)
{
	struct rte_mbuf *mbufs[RING];
	uint32_t i;

	RTE_SET_USED(state);
	for (i = 0; i < RING; i++)
		mbufs[i] = packet_new(pool, i, 100, ROOM);
	offer(RING, NET_HDR - 1);
	assert_int_equal(transmit(mbufs, RING), RING);
	assert_int_equal(loopback_net_stats(&net, false).drops, RING);
	for (i = 0; i < RING; i++)
		takes_back(0);
	offer(1, 200);
	assert_int_equal(pass(1, 100, ROOM), 1);
}

/* Where a packet goes on in a second buffer, that one needs no room for a header. */
static void
test_no_room_in_second(void **state)
{
	uint32_t head, len, got = 0, i;
	static const uint32_t lens[] = { 200, NET_HDR - 1, 0, 1000 };
	struct rte_mbuf *packet = packet_new(pool, 0, 500, ROOM);

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(lens); i++)
		offer(1, lens[i]);
	assert_int_equal(transmit(&packet, 1), 1);
	for (i = 0; i < RTE_DIM(lens); i++) {
		assert_true(driver_take(&net.queues[NET_RX], &head, &len));
		assert_in_range(len, 0, lens[i]);
		got += len;
	}
	assert_int_equal(got, NET_HDR + 500);
	assert_int_equal(loopback_net_stats(&net, false).drops, 0);
	assert_int_equal(loopback_net_state(&net, NET_RX), RTE_VDUSE_VQ_RUNNING);
}

static void
test_bursts(void **state)
{
	static const uint16_t wants[] = { 1, 3, 32, 64, 65, 200, RING };
	struct rte_mbuf *mbufs[RING];
	uint32_t i, j, done;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(wants); i++) {
		offer(RING, NET_HDR + 60);
		for (j = 0; j < RING; j++)
			mbufs[j] = packet_new(pool, j, 60, ROOM);
		for (done = 0; done < RING;) {
			uint16_t want = RTE_MIN(wants[i], (uint16_t)(RING - done));

			assert_int_equal(transmit(mbufs + done, want), want);
			done += want;
		}
		for (j = 0; j < RING; j++)
			loopback_net_receive(&net, j, 60);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sizes_mergeable, setup_mergeable, teardown),
		cmocka_unit_test_setup_teardown(test_segments, setup_mergeable, teardown),
		cmocka_unit_test_setup_teardown(test_layouts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_indirect, setup_indirect, teardown),
		cmocka_unit_test_setup_teardown(test_nothing_beyond, setup, teardown),
		cmocka_unit_test_setup_teardown(test_too_small, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_buffers, setup, teardown),
		cmocka_unit_test_setup_teardown(test_waits_for_buffers, setup_mergeable, teardown),
		cmocka_unit_test_setup_teardown(test_larger_than_ring, setup_small_ring, teardown),
		cmocka_unit_test_setup_teardown(test_larger_than_ring_of_chains, setup_small_ring,
						teardown),
		cmocka_unit_test_setup_teardown(test_larger_than_burst, setup_mergeable, teardown),
		cmocka_unit_test_setup_teardown(test_no_room_for_header, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_room_for_header_anywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_room_in_second, setup_mergeable, teardown),
		cmocka_unit_test_setup_teardown(test_bursts, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
