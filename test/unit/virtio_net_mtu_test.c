/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The longest frame that a driver may send, while the announced MTU changes. */
#include <errno.h>

#include <rte_byteorder.h>

#include "loopback_net.h"

#define RING     256u
#define ROOM     2048
#define PACKETS  512
#define OVERHEAD (14 + 8) /* an Ethernet header and two VLAN tags */

static struct loopback_net net;
static struct rte_mempool *pool;
static uint32_t dropped, seed;

static int
setup(void **state)
{
	RTE_SET_USED(state);
	loopback_net_create(&net, RING, NET_PLAIN);
	assert_int_equal(rte_vduse_net_set_mtu(net.net, 1500), 0);
	loopback_net_up(&net);
	pool = packet_pool("mtu", PACKETS, ROOM);
	dropped = 0;
	return 0;
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
receive(struct rte_mbuf **mbuf, uint32_t len)
{
	uint16_t nb;

	loopback_net_send(&net, ++seed, len);
	nb = rte_vduse_net_rx_burst(net.net, 0, pool, mbuf, 1);
	/* Received or not, the driver has its buffers back. */
	assert_int_equal(loopback_net_reap(&net), 1);
	return nb;
}

static void
passes(uint32_t len)
{
	struct rte_mbuf *mbuf;

	assert_int_equal(receive(&mbuf, len), 1);
	packet_check(mbuf, seed, len);
	rte_pktmbuf_free(mbuf);
	assert_int_equal(loopback_net_stats(&net, true).oversize, dropped);
}

static void
is_dropped(uint32_t len)
{
	struct rte_mbuf *mbuf;

	assert_int_equal(receive(&mbuf, len), 0);
	dropped++;
	assert_int_equal(loopback_net_stats(&net, true).oversize, dropped);
	assert_int_equal(loopback_net_stats(&net, true).drops, dropped);
}

static void
limit_is(uint16_t mtu)
{
	passes(mtu + OVERHEAD);
	is_dropped(mtu + OVERHEAD + 1);
	is_dropped(NET_FRAME_MAX);
	passes(60);
}

static void
test_mtu(void **state)
{
	RTE_SET_USED(state);
	limit_is(1500);
	assert_int_equal(loopback_net_state(&net, NET_TX), RTE_VDUSE_VQ_RUNNING);
}

/* A larger MTU is in force at once. */
static void
test_larger(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(rte_vduse_net_set_mtu(net.net, 9000), 0);
	limit_is(9000);
	loopback_net_up(&net);
	limit_is(9000);
}

/* A smaller one once the driver had occasion to read it. */
static void
test_smaller(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(rte_vduse_net_set_mtu(net.net, 576), 0);
	limit_is(1500);
	loopback_net_up(&net);
	limit_is(576);
}

/* The configuration space has it at once, and the driver gets one interrupt for each change. */
static void
test_told(void **state)
{
	const struct rte_ether_addr mac = { { 2, 0, 0, 0, 0, 9 } };
	uint64_t told = vduse_loopback_config_changes(net.loop);
	struct virtio_net_config config;

	RTE_SET_USED(state);
	assert_int_equal(rte_vduse_net_set_mtu(net.net, 9000), 0);
	assert_int_equal(vduse_loopback_config_changes(net.loop), told + 1);
	assert_int_equal(rte_vduse_net_set_mac(net.net, &mac), 0);
	assert_int_equal(vduse_loopback_config_changes(net.loop), told + 2);
	vduse_loopback_config(net.loop, 0, &config, sizeof(config));
	assert_int_equal(rte_le_to_cpu_16(config.mtu), 9000);
	assert_memory_equal(config.mac, &mac, sizeof(mac));
	/* What is refused changes nothing. */
	assert_int_equal(rte_vduse_net_set_mtu(net.net, RTE_VDUSE_NET_MTU_MIN - 1), -EINVAL);
	assert_int_equal(vduse_loopback_config_changes(net.loop), told + 2);
	/* Without a driver nobody is interrupted, and the next one reads it. */
	loopback_net_reset(&net);
	vduse_loopback_refuse(net.loop, VDUSE_LOOPBACK_CONFIG_CALL, -EINVAL);
	assert_int_equal(rte_vduse_net_set_mtu(net.net, 576), 0);
	vduse_loopback_config(net.loop, 0, &config, sizeof(config));
	assert_int_equal(rte_le_to_cpu_16(config.mtu), 576);
}

/* What is no frame of any MTU is both. */
static void
test_largest(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(rte_vduse_net_set_mtu(net.net, RTE_VDUSE_NET_MTU_MAX), 0);
	passes(NET_FRAME_MAX);
	is_dropped(NET_FRAME_MAX + 1);
}

/* A runt is dropped, but is not too long. */
static void
test_runt(void **state)
{
	struct rte_mbuf *mbuf;

	RTE_SET_USED(state);
	assert_int_equal(receive(&mbuf, 13), 0);
	assert_int_equal(loopback_net_stats(&net, true).drops, 1);
	assert_int_equal(loopback_net_stats(&net, true).oversize, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_mtu, setup, teardown),
		cmocka_unit_test_setup_teardown(test_larger, setup, teardown),
		cmocka_unit_test_setup_teardown(test_smaller, setup, teardown),
		cmocka_unit_test_setup_teardown(test_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_largest, setup, teardown),
		cmocka_unit_test_setup_teardown(test_runt, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
