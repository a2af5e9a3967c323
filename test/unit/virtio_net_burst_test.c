/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Bursts of a network device, with a driver in a memory file and the loopback as kernel: packets of
 * every layout in both directions.
 */
#include "net_peer.h"

#include <rte_vduse_compat.h>

static void
received_in_every_shape(void **state)
{
	static const uint32_t pieces[] = { 1, 5, 11, 12, 13, 100, BUFFER };
	static const uint32_t lens[] = { 14, 60, 64, 65, 242, 1514, 1518, 9014, 65550 };
	unsigned int p, l, packets = 0;
	struct rte_vduse_net_stats stats;
	struct rte_mbuf *packet;

	RTE_SET_USED(state);
	peer_up(&peers[0], PLAIN);
	for (p = 0; p < RTE_DIM(pieces); p++) {
		for (l = 0; l < RTE_DIM(lens); l++) {
			if ((HDR + lens[l]) / pieces[p] >= SIZE)
				continue;
			peer_send(&peers[0], 0, lens[l], pieces[p]);
			assert_int_equal(peer_receive(&peers[0], &packet, 1), 1);
			peer_check(packet, lens[l]);
			rte_pktmbuf_free(packet);
			assert_int_equal(peer_used(&peers[0], 1)->idx, peers[0].next[1]);
			packets++;
		}
	}
	assert_in_range(packets, 30, 100);
	rte_vduse_net_stats(peers[0].net, 0, true, &stats, sizeof(stats));
	assert_int_equal(stats.packets, packets);
	assert_int_equal(vduse_loopback_calls(peers[0].loop, 1), packets);
}

static void
runts_and_giants_are_dropped(void **state)
{
	struct rte_vduse_net_stats stats;
	struct rte_mbuf *packet;

	RTE_SET_USED(state);
	peer_up(&peers[0], PLAIN);
	peer_send(&peers[0], 0, 13, BUFFER);
	assert_int_equal(peer_receive(&peers[0], &packet, 1), 0);
	peer_send(&peers[0], 0, vnet_frame_max(0) + 1, BUFFER);
	assert_int_equal(peer_receive(&peers[0], &packet, 1), 0);
	rte_vduse_net_stats(peers[0].net, 0, true, &stats, sizeof(stats));
	assert_int_equal(stats.drops, 2);
	assert_int_equal(peer_used(&peers[0], 1)->idx, 2); /* the driver has its buffers back */
}

/* What cannot be taken now is taken later. */
static void
an_empty_pool_loses_nothing(void **state)
{
	struct rte_mbuf *all[1024], *packet;
	unsigned int n = 0;

	RTE_SET_USED(state);
	peer_up(&peers[0], PLAIN);
	peer_send(&peers[0], 0, 100, BUFFER);
	while (n < RTE_DIM(all) && (all[n] = rte_pktmbuf_alloc(peer_pool)) != NULL)
		n++;
	assert_in_range(n, 1, RTE_DIM(all) - 1);
	assert_int_equal(peer_receive(&peers[0], &packet, 1), 0);
	rte_pktmbuf_free_bulk(all, n);
	assert_int_equal(peer_receive(&peers[0], &packet, 1), 1);
	peer_check(packet, 100);
	rte_pktmbuf_free(packet);
}

static void
sent_in_every_shape(void **state)
{
	static const uint32_t segments[] = { 50, 700, 2000 };
	static const uint32_t lens[] = { 14, 64, 1514, 2036, 2037, 9014 };
	unsigned int s, l;

	RTE_SET_USED(state);
	peer_up(&peers[0], MERGEABLE);
	for (s = 0; s < RTE_DIM(segments); s++) {
		for (l = 0; l < RTE_DIM(lens); l++) {
			struct rte_mbuf *packets[2] = { peer_packet(lens[l], segments[s]),
							peer_packet(lens[l], segments[s]) };

			peer_offer(&peers[0], 12, BUFFER);
			assert_int_equal(rte_vduse_net_tx_burst(peers[0].net, 0, packets, 2), 2);
			peer_expect(&peers[0], lens[l]);
			peer_expect(&peers[0], lens[l]);
			assert_int_equal(peer_used(&peers[0], 0)->idx, peers[0].seen[0]);
			/* Start over, so that buffers do not pile up. */
			peer_tell(&peers[0], 0);
			peer_up(&peers[0], MERGEABLE);
		}
	}
}

/* A packet waits for buffers; without merging one that can never fit is dropped. */
static void
buffers_too_few_or_too_small(void **state)
{
	struct rte_mbuf *packet = peer_packet(5000, 2000);
	struct rte_vduse_net_stats stats;

	RTE_SET_USED(state);
	peer_up(&peers[0], MERGEABLE);
	peer_offer(&peers[0], 2, BUFFER);
	assert_int_equal(rte_vduse_net_tx_burst(peers[0].net, 0, &packet, 1), 0);
	assert_int_equal(peer_used(&peers[0], 0)->idx, 0);
	peer_offer(&peers[0], 1, BUFFER);
	assert_int_equal(rte_vduse_net_tx_burst(peers[0].net, 0, &packet, 1), 1);
	peer_expect(&peers[0], 5000);
	peer_tell(&peers[0], 0);
	peer_up(&peers[0], PLAIN);
	packet = peer_packet(5000, 2000);
	peer_offer(&peers[0], 8, BUFFER);
	assert_int_equal(rte_vduse_net_tx_burst(peers[0].net, 0, &packet, 1), 1);
	rte_vduse_net_stats(peers[0].net, 0, false, &stats, sizeof(stats));
	assert_int_equal(stats.drops, 1);
	assert_int_equal(peer_used(&peers[0], 0)->idx, 0);
}

/* Packets of a full burst both ways, more than one pop takes. */
static void
bursts_longer_than_a_pop(void **state)
{
	struct rte_mbuf *mbufs[200];
	uint16_t i, done = 0, n;

	RTE_SET_USED(state);
	peer_up(&peers[0], MERGEABLE);
	for (i = 0; i < 200; i++)
		peer_send(&peers[0], i, 60u + i, BUFFER);
	while ((n = peer_receive(&peers[0], mbufs + done, (uint16_t)(200 - done))) > 0)
		done += n;
	assert_int_equal(done, 200);
	for (i = 0; i < 200; i++)
		peer_check(mbufs[i], 60u + i);
	peer_offer(&peers[0], 150, BUFFER);
	assert_int_equal(rte_vduse_net_tx_burst(peers[0].net, 0, mbufs, 200), 150);
	for (i = 0; i < 150; i++)
		peer_expect(&peers[0], 60u + i);
	rte_pktmbuf_free_bulk(mbufs + 150, 50);
}

static void
nothing_moves_without_a_driver(void **state)
{
	struct rte_mbuf *packet = peer_packet(100, 2000), *none;

	RTE_SET_USED(state);
	assert_false(rte_vduse_net_link(peers[0].net));
	assert_int_equal(peer_receive(&peers[0], &none, 1), 0);
	assert_int_equal(rte_vduse_net_tx_burst(peers[0].net, 0, &packet, 1), 0);
	assert_int_equal(rte_vduse_net_rx_count(peers[0].net, 0), 0);
	peer_up(&peers[0], PLAIN);
	assert_int_equal(rte_atomic_load_explicit(&peers[0].links, rte_memory_order_relaxed), 1);
	peer_send(&peers[0], 0, 100, BUFFER);
	assert_int_equal(rte_vduse_net_rx_count(peers[0].net, 0), 1);
	peer_tell(&peers[0], 0);
	assert_int_equal(rte_atomic_load_explicit(&peers[0].links, rte_memory_order_relaxed), 2);
	assert_int_equal(peer_receive(&peers[0], &none, 1), 0);
	rte_pktmbuf_free(packet);
}

#define BURST(test) cmocka_unit_test_setup_teardown(test, peer_setup, peer_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BURST(received_in_every_shape),        BURST(runts_and_giants_are_dropped),
		BURST(an_empty_pool_loses_nothing),    BURST(sent_in_every_shape),
		BURST(buffers_too_few_or_too_small),   BURST(bursts_longer_than_a_pop),
		BURST(nothing_moves_without_a_driver),
	};

	if (peer_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
