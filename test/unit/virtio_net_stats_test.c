/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Counters of a burst: packets and bytes, sizes at each limit, and kinds of addresses. */
#include <string.h>

#include <virtio_net/net.h>
#include "unit.h"

#define PACKETS_MAX 600

static struct rte_vduse_net_stats stats;
static struct rte_mbuf packets[PACKETS_MAX], *burst[PACKETS_MAX];
static struct rte_ether_addr to;

static int
setup(void **state)
{
	uint16_t i;

	RTE_SET_USED(state);
	memset(&stats, 0, sizeof(stats));
	memset(&to, 0, sizeof(to));
	for (i = 0; i < PACKETS_MAX; i++) {
		packets[i] = (struct rte_mbuf){ .buf_addr = &to, .pkt_len = 64 };
		burst[i] = &packets[i];
	}
	return 0;
}

/* The borders of RFC 2819, from both sides. */
static void
sizes(void **state)
{
	static const struct {
		uint32_t len;
		unsigned int bin;
	} borders[] = {
		{ 0, 0 },    { 63, 0 },   { 64, 1 },    { 65, 2 },         { 127, 2 },  { 128, 3 },
		{ 255, 3 },  { 256, 4 },  { 511, 4 },   { 512, 5 },        { 1023, 5 }, { 1024, 6 },
		{ 1518, 6 }, { 1519, 7 }, { 65535, 7 }, { UINT32_MAX, 7 },
	};
	uint64_t bytes = 0, expected[RTE_DIM(stats.size_bins)] = { 0 };
	uint16_t i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(borders); i++) {
		packets[i].pkt_len = borders[i].len;
		expected[borders[i].bin]++;
		bytes += borders[i].len;
	}
	vnet_stats_count(&stats, burst, RTE_DIM(borders));
	assert_memory_equal(stats.size_bins, expected, sizeof(expected));
	assert_int_equal(stats.packets, RTE_DIM(borders));
	assert_int_equal(stats.bytes, bytes);
	/* One by one they come to the same. */
	for (i = 0; i < RTE_DIM(borders); i++) {
		vnet_stats_count(&stats, &burst[i], 1);
		expected[borders[i].bin]++;
		assert_int_equal(stats.size_bins[borders[i].bin], expected[borders[i].bin]);
	}
}

/* Bursts of any length, those of one size included. */
static void
long_bursts(void **state)
{
	static const uint16_t lengths[] = { 0, 1, 254, 255, 256, 257, 510, 511, PACKETS_MAX };
	uint64_t sum = 0;
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(lengths); i++) {
		vnet_stats_count(&stats, burst, lengths[i]);
		sum += lengths[i];
		assert_int_equal(stats.packets, sum);
		assert_int_equal(stats.bytes, 64 * sum);
		assert_int_equal(stats.size_bins[1], sum);
	}
	assert_int_equal(stats.size_bins[0] + stats.size_bins[2], 0);
}

static void
addresses(void **state)
{
	RTE_SET_USED(state);
	vnet_stats_count(&stats, burst, 3);
	assert_int_equal(stats.multicast + stats.broadcast, 0);
	to.addr_bytes[0] = 0x01;
	vnet_stats_count(&stats, burst, 3);
	assert_int_equal(stats.multicast, 3);
	memset(&to, 0xff, sizeof(to));
	vnet_stats_count(&stats, burst, 2);
	assert_int_equal(stats.multicast, 3);
	assert_int_equal(stats.broadcast, 2);
	to.addr_bytes[5] = 0;
	vnet_stats_count(&stats, burst, 1);
	assert_int_equal(stats.multicast, 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(sizes, setup),
		cmocka_unit_test_setup(long_bursts, setup),
		cmocka_unit_test_setup(addresses, setup),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
