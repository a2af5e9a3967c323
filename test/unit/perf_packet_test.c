/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Detection of wrong packets: any wrong byte, piece or order, and the result that follows. */
#include <string.h>

#include <rte_common.h>

#include <bench.h>
#include <result.h>

#include "unit.h"

#define LEN 4000

static uint8_t packet[LEN];

static void
every_byte_counts(void **state)
{
	uint32_t i;

	RTE_SET_USED(state);
	perf_packet_fill(packet, 7, 0, LEN);
	for (i = sizeof(struct perf_head); i < LEN; i++) {
		packet[i] ^= 0x10;
		assert_false(perf_packet_match(packet, 7, 0, LEN));
		packet[i] ^= 0x10;
	}
	assert_true(perf_packet_match(packet, 7, 0, LEN));
	assert_false(perf_packet_match(packet, 8, 0, LEN));
	/* A piece at the wrong place. */
	assert_false(perf_packet_match(packet + 1024, 7, 2048, 1024));
}

static void
pieces_make_a_whole(void **state)
{
	static const uint32_t cuts[] = { 0, 1, 20, 38, 39, 64, 1000, LEN };
	static uint8_t pieces[LEN];
	unsigned int i;

	RTE_SET_USED(state);
	memset(packet, 0, sizeof(packet));
	perf_packet_fill(packet, 99, 0, LEN);
	for (i = 0; i + 1 < RTE_DIM(cuts); i++)
		perf_packet_fill(pieces + cuts[i], 99, cuts[i], cuts[i + 1] - cuts[i]);
	assert_memory_equal(packet, pieces, LEN);
	for (i = 0; i + 1 < RTE_DIM(cuts); i++)
		assert_true(
			perf_packet_match(pieces + cuts[i], 99, cuts[i], cuts[i + 1] - cuts[i]));
}

static struct perf_mark
mark_of(uint64_t sequence, uint32_t len)
{
	perf_packet_head(packet, sequence, len, 0);
	return perf_packet_mark(packet);
}

static void
order_length_and_bytes_are_checked(void **state)
{
	struct perf_flow flow = { 0 };
	uint64_t expected = 0;
	struct perf_mark mark;

	RTE_SET_USED(state);
	mark = mark_of(0, 64);
	perf_flow_check(&flow, &expected, &mark, 64, true);
	mark = mark_of(2, 64); /* one is missing: a loss shows in the totals */
	perf_flow_check(&flow, &expected, &mark, 64, true);
	assert_int_equal(flow.late + flow.damaged, 0);
	assert_int_equal(expected, 3);
	mark = mark_of(1, 64);
	perf_flow_check(&flow, &expected, &mark, 64, true);
	assert_int_equal(flow.late, 1);
	mark = mark_of(3, 64);
	perf_flow_check(&flow, &expected, &mark, 65, true);
	assert_int_equal(flow.damaged, 1);
	perf_flow_check(&flow, &expected, &mark, 64, false);
	assert_int_equal(flow.damaged, 2);
	mark.magic++;
	perf_flow_check(&flow, &expected, &mark, 64, true);
	assert_int_equal(flow.damaged, 3);
	assert_int_equal(expected, 3);
}

static void
a_bad_packet_makes_a_bad_result(void **state)
{
	struct perf_options options = { .direction = PERF_DIRECTION_TO };
	struct perf_result result = { .options = &options, .cycles = 1, .hz = 1 };
	struct perf_result_flow *way = &result.flows[PERF_TO];

	RTE_SET_USED(state);
	assert_false(perf_result_good(&result));
	*way = (struct perf_result_flow){ .device.packets = 1, .sent = 2, .received = 2 };
	assert_true(perf_result_good(&result));
	way->received = 1;
	assert_int_equal(perf_result_lost(&result, PERF_TO), 1);
	assert_false(perf_result_good(&result));
	way->received = 3;
	assert_int_equal(perf_result_lost(&result, PERF_TO), 0);
	assert_false(perf_result_good(&result));
	way->received = 2;
	way->late = 1;
	assert_false(perf_result_good(&result));
	way->late = 0;
	way->damaged = 1;
	assert_false(perf_result_good(&result));
	way->damaged = 0;
	options.direction = PERF_DIRECTION_BOTH; /* and nothing came from the driver */
	assert_false(perf_result_good(&result));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_counts),
		cmocka_unit_test(pieces_make_a_whole),
		cmocka_unit_test(order_length_and_bytes_are_checked),
		cmocka_unit_test(a_bad_packet_makes_a_bad_result),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
