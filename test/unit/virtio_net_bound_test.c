/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The work of one burst is bounded: whatever a driver makes available, a burst examines no more
 * chains and returns no more packets than its caller requests.
 */
#include "loopback_net.h"

#include <pthread.h>

#include <rte_vduse_compat.h>

#define RING    256u
#define ROOM    2048
#define PACKETS 512

static struct loopback_net net;
static struct rte_mempool *pool;
static struct rte_mbuf *mbufs[RING];
static bool stop; /* main writes, the driver's thread reads */

static int
setup_with(uint64_t features)
{
	loopback_net_create(&net, RING, features);
	loopback_net_up(&net);
	pool = packet_pool("bound", PACKETS, ROOM);
	return 0;
}

static int
setup(void **state)
{
	RTE_SET_USED(state);
	return setup_with(NET_PLAIN);
}

static int
setup_mergeable(void **state)
{
	RTE_SET_USED(state);
	return setup_with(NET_MERGEABLE);
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

static void
send_runts(unsigned int nb)
{
	while (nb-- > 0)
		loopback_net_post(&net, NET_TX, loopback_net_chain_len(&net, NET_TX, NET_HDR + 1));
}

/* A burst drops no more runts than it may return packets. */
static void
test_runts(void **state)
{
	static const uint16_t wants[] = { 1, 32, 64, 65, 100, 128, 200 };
	uint32_t i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(wants); i++) {
		send_runts(RING);
		assert_int_equal(rte_vduse_net_rx_burst(net.net, 0, pool, mbufs, wants[i]), 0);
		assert_int_equal(loopback_net_reap(&net), wants[i]);
		while (rte_vduse_net_rx_count(net.net, 0) > 0)
			rte_vduse_net_rx_burst(net.net, 0, pool, mbufs, 64);
		assert_int_equal(loopback_net_reap(&net), RING - wants[i]);
	}
}

/* Packets after runts come in the same burst while it may still look at chains. */
static void
test_runts_and_packets(void **state)
{
	uint16_t i;

	RTE_SET_USED(state);
	send_runts(70);
	for (i = 0; i < 50; i++)
		loopback_net_send(&net, i, 60);
	assert_int_equal(rte_vduse_net_rx_burst(net.net, 0, pool, mbufs, 100), 30);
	for (i = 0; i < 30; i++)
		packet_check(mbufs[i], i, 60);
	rte_pktmbuf_free_bulk(mbufs, 30);
	assert_int_equal(rte_vduse_net_rx_burst(net.net, 0, pool, mbufs, 100), 20);
	for (i = 0; i < 20; i++)
		packet_check(mbufs[i], 30u + i, 60);
	rte_pktmbuf_free_bulk(mbufs, 20);
	assert_int_equal(loopback_net_reap(&net), 120);
}

/* Makes all of the ring available again as soon as a part of it was used. */
static void *
feed_runts(void *arg)
{
	unsigned int nb = RING;

	RTE_SET_USED(arg);
	while (!rte_atomic_load_explicit(&stop, rte_memory_order_relaxed)) {
		send_runts(nb);
		nb = loopback_net_reap(&net);
	}
	return NULL;
}

/* A driver that is as fast as the poller does not keep it in the burst. */
static void
test_runts_without_end(void **state)
{
	uint64_t before, drops = 0;
	pthread_t driver;

	RTE_SET_USED(state);
	stop = false;
	assert_int_equal(pthread_create(&driver, NULL, feed_runts, NULL), 0);
	while (drops < 20 * RING) {
		before = drops;
		assert_int_equal(rte_vduse_net_rx_burst(net.net, 0, pool, mbufs, 200), 0);
		drops = loopback_net_stats(&net, true).drops;
		assert_in_range(drops - before, 0, 200);
	}
	rte_atomic_store_explicit(&stop, true, rte_memory_order_relaxed);
	assert_int_equal(pthread_join(driver, NULL), 0);
}

/* Packets that no buffer holds: each is given up once, and the burst ends. */
static void
test_hopeless_packets(void **state)
{
	uint16_t i;

	RTE_SET_USED(state);
	for (i = 0; i < 200; i++)
		mbufs[i] = packet_new(pool, i, 65 * 20, ROOM);
	for (i = 0; i < RING; i++)
		loopback_net_post(&net, NET_RX, loopback_net_chain_len(&net, NET_RX, 20));
	assert_int_equal(rte_vduse_net_tx_burst(net.net, 0, mbufs, 200), 200);
	assert_int_equal(loopback_net_stats(&net, false).drops, 200);
	assert_int_equal(rte_vduse_net_tx_count(net.net, 0), RING);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_runts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_runts_and_packets, setup, teardown),
		cmocka_unit_test_setup_teardown(test_runts_without_end, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hopeless_packets, setup_mergeable, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
