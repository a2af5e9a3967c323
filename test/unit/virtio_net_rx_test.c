/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Packets from the driver: every size and layout, drops, and packets that stay in the ring. */
#include "loopback_net.h"

#include <string.h>

#define RING    256u
#define ROOM    2048
#define PACKETS 512

static struct loopback_net net;
static struct rte_mempool *pool;
static struct rte_mbuf *mbufs[RING];

static int
setup_with(uint64_t features)
{
	loopback_net_create(&net, RING, features);
	loopback_net_up(&net);
	pool = packet_pool("rx", PACKETS, ROOM);
	return 0;
}

static int
setup(void **state)
{
	RTE_SET_USED(state);
	return setup_with(NET_PLAIN);
}

static int
setup_indirect(void **state)
{
	RTE_SET_USED(state);
	return setup_with(NET_PLAIN | FEATURE(VIRTIO_RING_F_INDIRECT_DESC));
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
receive(uint16_t nb)
{
	return rte_vduse_net_rx_burst(net.net, 0, pool, mbufs, nb);
}

/* The driver sent one packet; it comes, alone and whole. */
static void
arrives(uint32_t seed, uint32_t len)
{
	uint16_t nb = receive(32);

	if (nb != 1)
		fail_msg("%u packets instead of one of %u bytes", nb, len);
	packet_check(mbufs[0], seed, len);
	rte_pktmbuf_free(mbufs[0]);
	assert_int_equal(loopback_net_reap(&net), 1);
}

static void
test_sizes(void **state)
{
	uint32_t len, seed = 0;

	RTE_SET_USED(state);
	for (len = 14; len <= NET_FRAME_MAX; len += len < 2200 ? 1 : 97) {
		loopback_net_send(&net, ++seed, len);
		arrives(seed, len);
	}
	for (len = NET_FRAME_MAX - 3; len <= NET_FRAME_MAX; len++) {
		loopback_net_send(&net, ++seed, len);
		arrives(seed, len);
	}
	assert_int_equal(loopback_net_stats(&net, true).packets, seed);
	assert_int_equal(loopback_net_stats(&net, true).drops, 0);
}

/* Where a chain may be split: in the header, after it, at every byte. */
static const struct layout {
	uint32_t lens[40];
	unsigned int nb;
} layouts[] = {
	{ { NET_HDR, 100 }, 2 },
	{ { 1, NET_HDR - 1, 100 }, 3 },
	{ { NET_HDR - 1, 101 }, 2 },
	{ { NET_HDR + 1, 99 }, 2 },
	{ { 4, 4, 4, 50, 50 }, 5 },
	{ { 0, NET_HDR, 0, 100, 0 }, 5 },
	{ { NET_HDR + 14, 86 }, 2 },
	{ { 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 92 }, 21 },
};

static void
test_layouts(void **state)
{
	uint32_t i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(layouts); i++) {
		uint16_t head = loopback_net_chain(&net, NET_TX, layouts[i].lens, layouts[i].nb);

		loopback_net_fill(&net, head, i, 100);
		loopback_net_post(&net, NET_TX, head);
		arrives(i, 100);
	}
}

static void
test_indirect(void **state)
{
	uint32_t i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(layouts); i++) {
		uint16_t head = loopback_net_indirect(&net, NET_TX, layouts[i].lens, layouts[i].nb);

		loopback_net_fill(&net, head, i, 100);
		loopback_net_post(&net, NET_TX, head);
		arrives(i, 100);
	}
}

/* What no frame can be is dropped, counted, and given back to the driver. */
static void
test_runts_and_giants(void **state)
{
	static const uint32_t bad[] = {
		1, NET_HDR - 1, NET_HDR, NET_HDR + 13, NET_HDR + NET_FRAME_MAX + 1, NET_HDR + 100000
	};
	uint32_t i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(bad); i++) {
		uint16_t head = loopback_net_chain_len(&net, NET_TX, bad[i]);

		loopback_net_post(&net, NET_TX, head);
		loopback_net_send(&net, i, 60);
		assert_int_equal(receive(32), 1);
		packet_check(mbufs[0], i, 60);
		rte_pktmbuf_free(mbufs[0]);
		assert_int_equal(loopback_net_reap(&net), 2);
		assert_int_equal(loopback_net_stats(&net, true).drops, i + 1);
	}
	assert_int_equal(loopback_net_stats(&net, true).bad_descriptors, 0);
	assert_int_equal(loopback_net_state(&net, NET_TX), RTE_VDUSE_VQ_RUNNING);
}

/* However many mbufs there is room for, a burst reads no more descriptors than a pop. */
static void
test_empty_descriptors(void **state)
{
	struct driver *driver = &net.queues[NET_TX];
	struct vring_desc *table = driver_va(driver, driver->data);
	unsigned int i, reaped = 0;

	RTE_SET_USED(state);
	for (i = 0; i < VRING_CHAIN_MIN_LIMIT; i++)
		table[i] = (struct vring_desc){ .flags = VRING_DESC_F_NEXT,
						.next = (uint16_t)(i + 1) };
	table[i - 1].flags = 0;
	for (i = 0; i < 32; i++) {
		driver_desc(driver, (uint16_t)i, driver->data, 16 * VRING_CHAIN_MIN_LIMIT,
			    VRING_DESC_F_INDIRECT, 0);
		loopback_net_post(&net, NET_TX, (uint16_t)i);
	}
	for (i = 1; i <= 8; i++) {
		assert_int_equal(receive(i % 2 == 0 ? 32 : RTE_DIM(mbufs)), 0);
		reaped += loopback_net_reap(&net);
		assert_int_equal(reaped, i * VRING_POP_DESCS / VRING_CHAIN_MIN_LIMIT);
	}
	assert_int_equal(loopback_net_stats(&net, true).drops, 32);
}

/* Takes mbufs out of the pool until so many are left. */
static unsigned int
starve(struct rte_mbuf **held, unsigned int left)
{
	unsigned int nb = PACKETS - left;

	assert_int_equal(rte_mempool_get_bulk(pool, (void **)held, nb), 0);
	assert_int_equal(rte_mempool_avail_count(pool), left);
	return nb;
}

static void
test_empty_pool(void **state)
{
	struct rte_mbuf *held[PACKETS];
	uint32_t i, nb = starve(held, 0);

	RTE_SET_USED(state);
	for (i = 0; i < 10; i++)
		loopback_net_send(&net, i, 60 + i);
	assert_int_equal(receive(32), 0);
	assert_int_equal(receive(32), 0);
	assert_int_equal(loopback_net_stats(&net, true).nombuf, 2);
	assert_int_equal(loopback_net_reap(&net), 0);
	assert_int_equal(rte_vduse_net_rx_count(net.net, 0), 10);
	rte_mempool_put_bulk(pool, (void **)held, nb);
	assert_int_equal(receive(32), 10);
	for (i = 0; i < 10; i++)
		packet_check(mbufs[i], i, 60 + i);
	rte_pktmbuf_free_bulk(mbufs, 10);
	assert_int_equal(loopback_net_stats(&net, true).drops, 0);
	assert_int_equal(loopback_net_reap(&net), 10);
}

/* An application that holds on to most of the pool still gets what the rest is enough for. */
static void
test_scarce_pool(void **state)
{
	struct rte_mbuf *held[PACKETS];
	uint32_t i, nb = starve(held, 3), done = 0;

	RTE_SET_USED(state);
	for (i = 0; i < 10; i++)
		loopback_net_send(&net, i, 60 + i);
	while (done < 10) {
		uint16_t got = receive(32);

		assert_in_range(got, 1, 3);
		for (i = 0; i < got; i++, done++)
			packet_check(mbufs[i], done, 60 + done);
		rte_pktmbuf_free_bulk(mbufs, got);
	}
	assert_true(loopback_net_stats(&net, true).nombuf > 0);
	assert_int_equal(loopback_net_stats(&net, true).drops, 0);
	rte_mempool_put_bulk(pool, (void **)held, nb);
}

/* A packet of several mbufs that the pool has not got now: it comes later, and in order. */
static void
test_scarce_pool_segments(void **state)
{
	struct rte_mbuf *held[PACKETS], *first[2];
	uint32_t i, nb = starve(held, 5);

	RTE_SET_USED(state);
	loopback_net_send(&net, 0, 60);
	for (i = 1; i < 4; i++)
		loopback_net_send(&net, i, 3 * ROOM);
	assert_int_equal(receive(32), 2);
	packet_check(mbufs[0], 0, 60);
	packet_check(mbufs[1], 1, 3 * ROOM);
	memcpy(first, mbufs, sizeof(first));
	assert_int_equal(receive(32), 0);
	rte_pktmbuf_free_bulk(first, 2);
	assert_int_equal(receive(32), 1);
	packet_check(mbufs[0], 2, 3 * ROOM);
	rte_pktmbuf_free(mbufs[0]);
	rte_mempool_put_bulk(pool, (void **)held, nb);
	assert_int_equal(receive(32), 1);
	packet_check(mbufs[0], 3, 3 * ROOM);
	rte_pktmbuf_free(mbufs[0]);
	assert_int_equal(loopback_net_stats(&net, true).drops, 0);
	assert_int_equal(loopback_net_reap(&net), 4);
}

/* A packet that is too long for the whole pool is dropped; those after it are not. */
static void
test_small_pool(void **state)
{
	struct rte_mempool *small = packet_pool("small", 3, 128);
	uint16_t got;

	RTE_SET_USED(state);
	loopback_net_send(&net, 0, 4 * 128);
	loopback_net_send(&net, 1, 100);
	got = rte_vduse_net_rx_burst(net.net, 0, small, mbufs, 32);
	if (got == 0) /* its mbuf was needed to find that out */
		got = rte_vduse_net_rx_burst(net.net, 0, small, mbufs, 32);
	assert_int_equal(got, 1);
	packet_check(mbufs[0], 1, 100);
	rte_pktmbuf_free(mbufs[0]);
	assert_int_equal(loopback_net_stats(&net, true).drops, 1);
	assert_int_equal(loopback_net_reap(&net), 2);
	assert_int_equal(rte_mempool_avail_count(small), 3);
	rte_mempool_free(small);
}

/* mbufs without data room must not cause an endless loop. */
static void
test_roomless_pool(void **state)
{
	struct rte_mempool *roomless = packet_pool("roomless", 64, 0);

	RTE_SET_USED(state);
	loopback_net_send(&net, 0, 60);
	assert_int_equal(rte_vduse_net_rx_burst(net.net, 0, roomless, mbufs, 32), 0);
	assert_int_equal(loopback_net_stats(&net, true).drops, 1);
	assert_int_equal(rte_mempool_avail_count(roomless), 64);
	rte_mempool_free(roomless);
}

/* What the mbufs' last user left in them, with all of the pool: nothing of it comes with a packet. */
static void
spoil(void)
{
	static struct rte_mbuf *all[PACKETS];
	unsigned int i;

	assert_int_equal(rte_pktmbuf_alloc_bulk(pool, all, PACKETS), 0);
	for (i = 0; i < PACKETS; i++) {
		all[i]->data_off = 3;
		all[i]->port = 7;
		all[i]->ol_flags |= RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_TX_TCP_SEG;
		all[i]->packet_type = UINT32_MAX;
		all[i]->pkt_len = 77;
		all[i]->data_len = 77;
		all[i]->vlan_tci = 99;
	}
	rte_pktmbuf_free_bulk(all, PACKETS);
}

static void
check_clean(const struct rte_mbuf *segment, uint64_t ol_flags)
{
	for (; segment != NULL; segment = segment->next) {
		assert_int_equal(segment->ol_flags, ol_flags);
		assert_int_equal(segment->port, RTE_MBUF_PORT_INVALID);
		assert_int_equal(segment->packet_type, 0);
		assert_int_equal(segment->vlan_tci, 0);
		assert_int_equal(segment->data_off, RTE_PKTMBUF_HEADROOM);
		assert_int_equal(rte_mbuf_refcnt_read(segment), 1);
	}
}

/* A packet that fits an mbuf, one that needs several, and some at once. */
static void
arrive_clean(uint64_t ol_flags)
{
	static const uint32_t lens[] = { 60, 5000, 64, 1500, 2100 };
	uint16_t i;

	spoil();
	for (i = 0; i < RTE_DIM(lens); i++)
		loopback_net_send(&net, i, lens[i]);
	assert_int_equal(receive(32), RTE_DIM(lens));
	for (i = 0; i < RTE_DIM(lens); i++) {
		packet_check(mbufs[i], i, lens[i]);
		check_clean(mbufs[i], ol_flags);
		rte_pktmbuf_free(mbufs[i]);
	}
	assert_int_equal(loopback_net_reap(&net), RTE_DIM(lens));
}

static void
test_used_mbufs(void **state)
{
	RTE_SET_USED(state);
	arrive_clean(0);
}

/* A pool whose data lies in memory of the application's: its mbufs remain what they are. */
static void
test_pinned_mbufs(void **state)
{
	static uint8_t memory[PACKETS * (RTE_PKTMBUF_HEADROOM + ROOM)];
	struct rte_pktmbuf_extmem extmem = {
		.buf_ptr = memory,
		.buf_iova = RTE_BAD_IOVA,
		.buf_len = sizeof(memory),
		.elt_size = RTE_PKTMBUF_HEADROOM + ROOM,
	};
	struct rte_mempool *plain = pool;

	RTE_SET_USED(state);
	pool = rte_pktmbuf_pool_create_extbuf("pinned", PACKETS, 0, 0, RTE_PKTMBUF_HEADROOM + ROOM,
					      SOCKET_ID_ANY, &extmem, 1);
	assert_non_null(pool);
	arrive_clean(RTE_MBUF_F_EXTERNAL);
	assert_int_equal(rte_mempool_avail_count(pool), PACKETS);
	rte_mempool_free(pool);
	pool = plain;
}

static void
test_bursts(void **state)
{
	static const uint16_t wants[] = { 1, 3, 32, 64, 65, 200, RING };
	uint32_t i, j, done;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(wants); i++) {
		for (j = 0; j < RING; j++)
			loopback_net_send(&net, j, 60);
		assert_int_equal(rte_vduse_net_rx_count(net.net, 0), RING);
		assert_int_equal(receive(0), 0);
		for (done = 0; done < RING;) {
			uint16_t got = receive(wants[i]);

			assert_int_equal(got, RTE_MIN(wants[i], RING - done));
			for (j = 0; j < got; j++, done++)
				packet_check(mbufs[j], done, 60);
			rte_pktmbuf_free_bulk(mbufs, got);
		}
		assert_int_equal(receive(wants[i]), 0);
		assert_int_equal(rte_vduse_net_rx_count(net.net, 0), 0);
		assert_int_equal(loopback_net_reap(&net), RING);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_sizes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_layouts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_indirect, setup_indirect, teardown),
		cmocka_unit_test_setup_teardown(test_runts_and_giants, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty_descriptors, setup_indirect, teardown),
		cmocka_unit_test_setup_teardown(test_empty_pool, setup, teardown),
		cmocka_unit_test_setup_teardown(test_scarce_pool, setup, teardown),
		cmocka_unit_test_setup_teardown(test_scarce_pool_segments, setup, teardown),
		cmocka_unit_test_setup_teardown(test_small_pool, setup, teardown),
		cmocka_unit_test_setup_teardown(test_roomless_pool, setup, teardown),
		cmocka_unit_test_setup_teardown(test_used_mbufs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pinned_mbufs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bursts, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
