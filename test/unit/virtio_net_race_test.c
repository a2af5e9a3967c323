/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A thread polls both directions continuously while the driver resets the device, comes up again
 * and moves its memory. Most useful under ThreadSanitizer. The content of a packet is generated
 * from its length.
 */
#include "loopback_net.h"
#include "poller.h"

#include <stdlib.h>
#include <string.h>

#include <rte_ring.h>

#define RING    256u
#define PACKETS 1024
#define ROUNDS  60
/* A busy machine may keep the poller from running for a while. */
#define ROUNDS_MAX (100 * ROUNDS)
#define BURST      16
/* The only kind of ring in which a sanitizer sees the order. */
#define RING_FLAGS (RING_F_MP_HTS_ENQ | RING_F_MC_HTS_DEQ)

static struct loopback_net net;
static struct rte_mempool *pool;
static struct rte_ring *received, *to_send;
static struct poller poller;
static struct rte_mbuf *kept[BURST]; /* the poller's: not sent yet */
static uint16_t nb_kept;

static void
poll_once(void)
{
	struct rte_mbuf *mbufs[BURST];
	uint16_t nb, sent;

	nb = rte_vduse_net_rx_burst(net.net, 0, pool, mbufs, BURST);
	sent = (uint16_t)rte_ring_enqueue_burst(received, (void **)mbufs, nb, NULL);
	rte_pktmbuf_free_bulk(mbufs + sent, nb - sent);
	nb_kept +=
		rte_ring_dequeue_burst(to_send, (void **)(kept + nb_kept), BURST - nb_kept, NULL);
	sent = rte_vduse_net_tx_burst(net.net, 0, kept, nb_kept);
	nb_kept = (uint16_t)(nb_kept - sent);
	memmove(kept, kept + sent, nb_kept * sizeof(kept[0]));
}

static uint32_t
some_len(void)
{
	return 60 + (uint32_t)rand() % 1400;
}

/* The driver sends some packets, offers as many buffers, and has some sent to itself. */
static void
driver_works(void)
{
	struct rte_mbuf *packet;
	unsigned int i;

	for (i = 0; i < BURST; i++) {
		uint32_t len = some_len();

		loopback_net_send(&net, len, len);
		loopback_net_post(&net, NET_RX, loopback_net_chain_len(&net, NET_RX, 2048));
		len = some_len();
		packet = packet_new(pool, len, len, 2048);
		if (rte_ring_enqueue(to_send, packet) < 0)
			rte_pktmbuf_free(packet);
	}
}

/* What came out of the device, each packet as it was sent. */
static unsigned int
check_received(void)
{
	struct rte_mbuf *packet;
	unsigned int nb = 0;

	for (; rte_ring_dequeue(received, (void **)&packet) == 0; nb++) {
		packet_check(packet, packet->pkt_len, packet->pkt_len);
		rte_pktmbuf_free(packet);
	}
	return nb;
}

/* What the driver got. */
static unsigned int
check_sent(void)
{
	uint32_t head, len;
	unsigned int nb = 0;

	for (; driver_take(&net.queues[NET_RX], &head, &len); nb++) {
		struct rte_mbuf *packet = rte_pktmbuf_alloc(pool);
		uint8_t *data;

		assert_non_null(packet);
		assert_in_range(len, NET_HDR + 60, 2048);
		data = (uint8_t *)rte_pktmbuf_append(packet, (uint16_t)(len - NET_HDR));
		loopback_net_read(&net, NET_RX, (uint16_t)head, NET_HDR, data, len - NET_HDR);
		packet_check(packet, len - NET_HDR, len - NET_HDR);
		rte_pktmbuf_free(packet);
	}
	loopback_net_reap(&net);
	return nb;
}

/* After a reset is answered, nothing writes to the driver's memory any more. */
static void
check_untouched(void)
{
	unsigned int i;

	for (i = 0; i < 2; i++)
		memset(net.queues[i].regions[0].va, 0xA5, net.queues[i].regions[0].size);
	poller_wait(&poller, 1);
	for (i = 0; i < 2; i++) {
		const uint8_t *va = net.queues[i].regions[0].va;

		assert_int_equal(va[0], 0xA5);
		assert_memory_equal(va, va + 1, net.queues[i].regions[0].size - 1);
	}
}

static void
run_round(unsigned int *nb_received, unsigned int *nb_sent)
{
	unsigned int i;

	loopback_net_up(&net);
	for (i = 0; i < 6; i++) {
		driver_works();
		if (rand() % 2)
			loopback_net_update(&net);
		*nb_received += check_received();
		*nb_sent += check_sent();
	}
	/* In the middle of it all. */
	driver_works();
	loopback_net_reset(&net);
	check_untouched();
}

static void
test_resets(void **state)
{
	unsigned int i, nb_received = 0, nb_sent = 0;

	RTE_SET_USED(state);
	loopback_net_create(&net, RING, NET_MERGEABLE);
	pool = packet_pool("race", PACKETS, 2048);
	received = rte_ring_create("received", 512, SOCKET_ID_ANY, RING_FLAGS);
	to_send = rte_ring_create("to_send", 256, SOCKET_ID_ANY, RING_FLAGS);
	poller_start(&poller, poll_once);
	for (i = 0; i < ROUNDS || (i < ROUNDS_MAX && RTE_MIN(nb_received, nb_sent) < ROUNDS); i++)
		run_round(&nb_received, &nb_sent);
	poller_end(&poller);
	/* It did move packets, and none of its mbufs is lost. */
	assert_in_range(nb_received, ROUNDS, i * 7 * BURST);
	assert_in_range(nb_sent, ROUNDS, i * 7 * BURST);
	loopback_net_destroy(&net);
	check_received();
	rte_pktmbuf_free_bulk(kept, nb_kept);
	while (rte_ring_dequeue(to_send, (void **)&kept[0]) == 0)
		rte_pktmbuf_free(kept[0]);
	assert_int_equal(rte_mempool_avail_count(pool), PACKETS);
	rte_ring_free(received);
	rte_ring_free(to_send);
	rte_mempool_free(pool);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_resets),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
