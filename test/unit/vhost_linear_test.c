/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Flags of rte_vhost_driver_register() and long packets: a chain of mbufs, one mbuf, one mbuf with
 * an external buffer, or a counted drop. Flags for offloads change nothing where offloads are
 * disabled.
 */
#include "vhost_app.h"

#include <stdio.h>
#include <string.h>

#include <rte_malloc.h>

#include <vhost/vhost.h>
#include <virtio_net/offload.h>

#define MBUFS    64u
#define JUMBO    9000u
#define LINEAR   (RTE_VHOST_USER_LINEARBUF_SUPPORT | RTE_VHOST_USER_NET_STATS_ENABLE)
#define EXTBUF   (RTE_VHOST_USER_EXTBUF_SUPPORT | RTE_VHOST_USER_NET_STATS_ENABLE)
#define NB_STATS 32

static struct rte_mempool *small, *large;
static unsigned int heap_before;

static unsigned int
heap_count(void)
{
	struct rte_malloc_socket_stats stats;

	assert_int_equal(rte_malloc_get_socket_stats((int)rte_socket_id(), &stats), 0);
	return stats.alloc_count;
}

static void
begin_without(uint64_t flags, uint64_t features)
{
	vhost_app_register(64, NET_MERGEABLE, flags);
	assert_int_equal(rte_vhost_driver_disable_features(APP_PATH, features), 0);
	vhost_app_start();
	vhost_app_told("new_connection");
	loopback_net_up(&vhost_app.driver);
	vhost_app_told("new_device vring0+ vring1+");
	heap_before = heap_count();
}

static void
begin(uint64_t flags)
{
	begin_without(flags, 0);
}

/* Neither an mbuf nor an external buffer is lost. */
static void
end(void)
{
	assert_int_equal(rte_mempool_avail_count(small), MBUFS);
	assert_int_equal(rte_mempool_avail_count(large), MBUFS);
	assert_int_equal(heap_count(), heap_before);
	vhost_app_end();
	vhost_app_told("destroy_device destroy_connection");
}

static uint64_t
counted(const char *name)
{
	struct rte_vhost_stat_name names[NB_STATS];
	struct rte_vhost_stat stats[NB_STATS];
	int i, nb;

	nb = rte_vhost_vring_stats_get_names(APP_VID, 1, names, NB_STATS);
	assert_in_range(nb, 1, NB_STATS);
	assert_int_equal(rte_vhost_vring_stats_get(APP_VID, 1, stats, NB_STATS), nb);
	for (i = 0; i < nb; i++)
		if (strcmp(names[i].name, name) == 0)
			return stats[i].value;
	fail_msg("no counter %s", name);
	return 0;
}

static struct rte_mbuf *
dequeue(struct rte_mempool *pool, uint32_t seed, uint32_t len)
{
	struct rte_mbuf *mbuf;

	loopback_net_send(&vhost_app.driver, seed, len);
	if (rte_vhost_dequeue_burst(APP_VID, 1, pool, &mbuf, 1) == 0)
		mbuf = NULL;
	assert_int_equal(loopback_net_reap(&vhost_app.driver), 1);
	if (mbuf != NULL)
		packet_check(mbuf, seed, len);
	return mbuf;
}

static void
comes_as(struct rte_mempool *pool, uint32_t len, uint16_t nb_segs, bool external)
{
	struct rte_mbuf *mbuf = dequeue(pool, len, len);

	assert_non_null(mbuf);
	assert_int_equal(mbuf->nb_segs, nb_segs);
	assert_int_equal(!!RTE_MBUF_HAS_EXTBUF(mbuf), external);
	assert_int_equal(rte_pktmbuf_headroom(mbuf), RTE_PKTMBUF_HEADROOM);
	rte_pktmbuf_free(mbuf);
}

static void
is_lost(struct rte_mempool *pool, uint32_t len)
{
	uint64_t drops = counted("rx_q0_dropped_packets"),
		 long_ones = counted("rx_q0_oversize_dropped");

	assert_null(dequeue(pool, 1, len));
	assert_int_equal(counted("rx_q0_dropped_packets"), drops + 1);
	assert_int_equal(counted("rx_q0_oversize_dropped"), long_ones + 1);
	comes_as(pool, 100, 1, false);
}

static void
test_chains(void **state)
{
	RTE_SET_USED(state);
	begin(RTE_VHOST_USER_NET_STATS_ENABLE);
	comes_as(small, JUMBO, 5, false);
	comes_as(large, JUMBO, 1, false);
	end();
}

static void
test_linear(void **state)
{
	RTE_SET_USED(state);
	begin(LINEAR);
	comes_as(small, 2048, 1, false);
	is_lost(small, 2049);
	is_lost(small, JUMBO);
	comes_as(large, JUMBO, 1, false);
	is_lost(large, NET_FRAME_MAX);
	end();
}

static void
test_linear_extbuf(void **state)
{
	RTE_SET_USED(state);
	begin(LINEAR | EXTBUF);
	comes_as(small, 2048, 1, false);
	comes_as(small, 2049, 1, true);
	comes_as(small, JUMBO, 1, true);
	comes_as(large, JUMBO, 1, false);
	comes_as(small, 65000, 1, true);
	/* The length of an mbuf's buffer has 16 bits. */
	is_lost(small, NET_FRAME_MAX);
	end();
}

static void
test_extbuf(void **state)
{
	RTE_SET_USED(state);
	begin(EXTBUF);
	comes_as(small, JUMBO, 1, true);
	comes_as(small, NET_FRAME_MAX, 33, false);
	end();
}

/* An external buffer lives as long as any mbuf that refers to it, and goes with the last. */
static void
test_extbuf_shared(void **state)
{
	struct rte_mbuf *mbuf, *clone;

	RTE_SET_USED(state);
	begin(LINEAR | EXTBUF);
	mbuf = dequeue(small, 7, JUMBO);
	assert_non_null(mbuf);
	assert_int_equal(heap_count(), heap_before + 1);
	clone = rte_pktmbuf_clone(mbuf, small);
	assert_non_null(clone);
	rte_pktmbuf_free(mbuf);
	assert_int_equal(heap_count(), heap_before + 1);
	packet_check(clone, 7, JUMBO);
	rte_pktmbuf_free(clone);
	end();
}

/* The mbufs of one burst: long ones do not affect the others. */
static void
test_mixed(void **state)
{
	static const uint32_t lens[] = { 60, JUMBO, 1500, JUMBO, JUMBO, 64 };
	struct rte_mbuf *mbufs[RTE_DIM(lens)];
	uint16_t i;

	RTE_SET_USED(state);
	begin(LINEAR | EXTBUF);
	for (i = 0; i < RTE_DIM(lens); i++)
		loopback_net_send(&vhost_app.driver, i, lens[i]);
	assert_int_equal(rte_vhost_dequeue_burst(APP_VID, 1, small, mbufs, RTE_DIM(lens)),
			 RTE_DIM(lens));
	for (i = 0; i < RTE_DIM(lens); i++) {
		packet_check(mbufs[i], i, lens[i]);
		assert_int_equal(mbufs[i]->nb_segs, 1);
	}
	rte_pktmbuf_free_bulk(mbufs, RTE_DIM(lens));
	end();
}

/* A pool whose mbufs own memory of the application's keeps it: no other is attached. */
static void
test_pinned(void **state)
{
	static uint8_t memory[MBUFS * (RTE_PKTMBUF_HEADROOM + 2048)];
	struct rte_pktmbuf_extmem extmem = {
		.buf_ptr = memory,
		.buf_iova = RTE_BAD_IOVA,
		.buf_len = sizeof(memory),
		.elt_size = RTE_PKTMBUF_HEADROOM + 2048,
	};
	struct rte_mempool *pinned;

	RTE_SET_USED(state);
	pinned = rte_pktmbuf_pool_create_extbuf("pinned", MBUFS, 0, 0, extmem.elt_size,
						SOCKET_ID_ANY, &extmem, 1);
	assert_non_null(pinned);
	begin(LINEAR | EXTBUF);
	assert_null(dequeue(pinned, 1, JUMBO));
	assert_int_equal(counted("rx_q0_oversize_dropped"), 1);
	comes_as(pinned, 100, 1, true);
	assert_int_equal(rte_mempool_avail_count(pinned), MBUFS);
	end();
	rte_mempool_free(pinned);
}

/* A burst looks at no more chains than it may return packets, here too. */
static void
test_runts(void **state)
{
	struct rte_mbuf *mbufs[64];
	uint16_t i;

	RTE_SET_USED(state);
	begin(LINEAR);
	for (i = 0; i < 64; i++)
		loopback_net_post(&vhost_app.driver, NET_TX,
				  loopback_net_chain_len(&vhost_app.driver, NET_TX, NET_HDR + 1));
	assert_int_equal(rte_vhost_dequeue_burst(APP_VID, 1, small, mbufs, 20), 0);
	assert_int_equal(loopback_net_reap(&vhost_app.driver), 20);
	assert_int_equal(counted("rx_q0_dropped_packets"), 20);
	assert_int_equal(counted("rx_q0_oversize_dropped"), 0);
	end();
}

/* The driver asks for all that was not offered; so does the application. */
static void
offload_flags(uint64_t flags)
{
	struct virtio_net_hdr_v1 hdr = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		.hdr_len = 54,
		.gso_size = 1448,
		.csum_start = 34,
		.csum_offset = 16,
	};
	struct loopback_net *driver = &vhost_app.driver;
	struct rte_mbuf *mbuf;
	uint16_t head;

	begin_without(flags, VNET_OFFLOADS);
	head = loopback_net_chain_len(driver, NET_TX, NET_HDR + 1000);
	loopback_net_fill(driver, head, 3, 1000);
	loopback_net_write(driver, NET_TX, head, 0, &hdr, sizeof(hdr));
	loopback_net_post(driver, NET_TX, head);
	assert_int_equal(rte_vhost_dequeue_burst(APP_VID, 1, small, &mbuf, 1), 1);
	packet_check(mbuf, 3, 1000);
	assert_int_equal(mbuf->ol_flags, 0);
	assert_int_equal(mbuf->tx_offload, 0);
	assert_int_equal(mbuf->packet_type, 0);

	mbuf->ol_flags = RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_TCP_CKSUM;
	mbuf->l2_len = 14;
	mbuf->l3_len = 20;
	loopback_net_post(driver, NET_RX, loopback_net_chain_len(driver, NET_RX, 2000));
	assert_int_equal(rte_vhost_enqueue_burst(APP_VID, 0, &mbuf, 1), 1);
	/* The header says nothing, and no byte of the packet was changed. */
	loopback_net_receive(driver, 3, 1000);
	rte_pktmbuf_free(mbuf);
	end();
}

static void
test_offload_flags(void **state)
{
	RTE_SET_USED(state);
	offload_flags(0);
	offload_flags(RTE_VHOST_USER_NET_COMPLIANT_OL_FLAGS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_chains),        cmocka_unit_test(test_linear),
		cmocka_unit_test(test_linear_extbuf), cmocka_unit_test(test_extbuf),
		cmocka_unit_test(test_extbuf_shared), cmocka_unit_test(test_mixed),
		cmocka_unit_test(test_pinned),        cmocka_unit_test(test_runts),
		cmocka_unit_test(test_offload_flags),
	};

	if (unit_init() < 0)
		return 1;
	small = packet_pool("small", MBUFS, 2048);
	large = packet_pool("large", MBUFS, JUMBO);
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
