/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A hostile driver of a network device stops only its own queue, with a driver in a memory file and
 * the loopback as kernel.
 */
#include "net_peer.h"

#include <rte_vduse_compat.h>

static bool
in_error(void *arg)
{
	struct rte_vduse_vq *vq = arg;

	return rte_atomic_load_explicit(&vq->state, rte_memory_order_acquire) == RTE_VDUSE_VQ_ERROR;
}

/* The broken queue stops; the other queue and the other device go on; a reset mends it. */
static void
expect_contained(uint64_t counted)
{
	struct vnet_queue *broken = &peers[0].net->queues[1];
	struct rte_vduse_net_stats stats;
	struct rte_mbuf *packet;

	assert_int_equal(peer_receive(&peers[0], &packet, 1), 0);
	assert_true(unit_wait(in_error, broken->vq));
	rte_vduse_net_stats(peers[0].net, 0, true, &stats, sizeof(stats));
	assert_int_equal(stats.bad_descriptors, counted);
	assert_int_equal(broken->vq->faults, 1);
	assert_int_equal(peer_receive(&peers[0], &packet, 1), 0);
	peer_offer(&peers[0], 1, BUFFER);
	packet = peer_packet(100, 2000);
	assert_int_equal(rte_vduse_net_tx_burst(peers[0].net, 0, &packet, 1), 1);
	peer_expect(&peers[0], 100);
	peer_up(&peers[1], PLAIN);
	peer_send(&peers[1], 0, 100, BUFFER);
	assert_int_equal(peer_receive(&peers[1], &packet, 1), 1);
	rte_pktmbuf_free(packet);
	peer_tell(&peers[0], 0);
	peer_up(&peers[0], MERGEABLE);
	peer_send(&peers[0], 0, 100, BUFFER);
	assert_int_equal(peer_receive(&peers[0], &packet, 1), 1);
	rte_pktmbuf_free(packet);
}

static void
a_loop_is_contained(void **state)
{
	RTE_SET_USED(state);
	peer_up(&peers[0], MERGEABLE);
	peer_desc(&peers[0], 1)[0] = (struct vring_desc){
		.addr = BUFFERS,
		.len = 1,
		.flags = VRING_DESC_F_NEXT,
	};
	peer_post(&peers[0], 1, 0);
	expect_contained(1);
}

static void
more_than_the_ring_is_contained(void **state)
{
	RTE_SET_USED(state);
	peer_up(&peers[0], MERGEABLE);
	peer_avail(&peers[0], 1)->idx = SIZE + 1;
	expect_contained(1);
}

/* It might come into being: the control thread looks first, so it is no bad descriptor. */
static void
an_address_outside_every_region_is_contained(void **state)
{
	RTE_SET_USED(state);
	peer_up(&peers[0], MERGEABLE);
	peer_desc(&peers[0], 1)[0] = (struct vring_desc){ .addr = MEMORY, .len = 100 };
	peer_post(&peers[0], 1, 0);
	expect_contained(0);
}

static void
a_buffer_smaller_than_a_header_costs_one_packet(void **state)
{
	struct rte_mbuf *packets[2] = { peer_packet(100, 2000), peer_packet(101, 2000) };
	struct rte_vduse_net_stats stats;

	RTE_SET_USED(state);
	peer_up(&peers[0], MERGEABLE);
	peer_offer(&peers[0], 1, HDR - 1);
	peer_offer(&peers[0], 1, BUFFER);
	assert_int_equal(rte_vduse_net_tx_burst(peers[0].net, 0, packets, 2), 2);
	rte_vduse_net_stats(peers[0].net, 0, false, &stats, sizeof(stats));
	assert_int_equal(stats.bad_descriptors, 0);
	assert_int_equal(stats.drops, 1);
	assert_false(in_error(peers[0].net->queues[0].vq));
	/* The small one went back empty. */
	assert_int_equal(peer_used(&peers[0], 0)->ring[peers[0].seen[0]++ & (SIZE - 1)].len, 0);
	peer_expect(&peers[0], 101);
}

#define CONTAIN(test) cmocka_unit_test_setup_teardown(test, peer_setup, peer_teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		CONTAIN(a_loop_is_contained),
		CONTAIN(more_than_the_ring_is_contained),
		CONTAIN(an_address_outside_every_region_is_contained),
		CONTAIN(a_buffer_smaller_than_a_header_costs_one_packet),
	};

	if (peer_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
