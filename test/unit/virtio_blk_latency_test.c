/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Latencies of block requests: buckets, percentiles, and what a known load leaves in them. */
#include <errno.h>
#include <string.h>

#include <rte_cycles.h>

#include "loopback_fault.h"

#define MS 5u

static struct rte_vduse_blk_latency latency;

static uint64_t
ns(uint64_t cycles)
{
	return (uint64_t)((double)cycles * 1e9 / (double)rte_get_tsc_hz() + 0.5);
}

static struct rte_vduse_blk_latency
latency_of(enum rte_vduse_blk_latency_kind kind)
{
	struct rte_vduse_blk_latency now;

	assert_int_equal(rte_vduse_blk_latency(blk.blk, 0, kind, &now, sizeof(now)), 0);
	return now;
}

static void
buckets(void **state)
{
	unsigned int shift, last = 0;
	uint64_t value;

	RTE_SET_USED(state);
	for (value = 0; value < 32; value++)
		assert_int_equal(vblk_latency_bucket(value), value);
	/* Without a gap, up to the last one, which has all that is longer. */
	for (shift = 1; shift < 40; shift++)
		for (value = UINT64_C(16) << shift; value < UINT64_C(32) << shift;
		     value += UINT64_C(1) << shift) {
			unsigned int bucket = vblk_latency_bucket(value);

			if (last != 0)
				assert_int_equal(bucket, last + 1);
			assert_int_equal(vblk_latency_bucket(value + (UINT64_C(1) << shift) - 1),
					 bucket);
			last = bucket;
		}
	assert_int_equal(last, RTE_VDUSE_BLK_LATENCY_BUCKETS - 1);
	assert_int_equal(vblk_latency_bucket(UINT64_MAX), last);
}

/* An exact value, rounded up by at most 1/16. */
static void
check_share(double share, uint64_t cycles)
{
	uint64_t found = rte_vduse_blk_latency_ns(&latency, share);

	assert_in_range(found, ns(cycles), ns(cycles + cycles / 16));
}

static void
percentiles(void **state)
{
	unsigned int i;

	RTE_SET_USED(state);
	memset(&latency, 0, sizeof(latency));
	assert_int_equal(rte_vduse_blk_latency_ns(&latency, 0.5), 0);
	assert_int_equal(rte_vduse_blk_latency_mean_ns(&latency), 0);
	for (i = 1; i <= 1000; i++)
		vblk_latency_record(&latency, 0, 1000 * i, 1);
	assert_int_equal(latency.count, 1000);
	assert_int_equal(latency.cycles, 1000 * 500500);
	assert_int_equal(latency.max, 1000000);
	check_share(0, 1000);
	check_share(0.5, 500000);
	check_share(0.9, 900000);
	check_share(0.99, 990000);
	assert_int_equal(rte_vduse_blk_latency_ns(&latency, 1), ns(1000000));
	assert_int_equal(rte_vduse_blk_latency_ns(&latency, 7), ns(1000000));
	assert_int_equal(rte_vduse_blk_latency_ns(&latency, -1),
			 rte_vduse_blk_latency_ns(&latency, 0));
	assert_int_equal(rte_vduse_blk_latency_mean_ns(&latency), ns(500500));
}

/* Requests that are counted together count as much as those that are counted one by one. */
static void
runs(void **state)
{
	static struct rte_vduse_blk_latency together[RTE_VDUSE_BLK_LATENCY_KINDS];
	static struct rte_vduse_blk_latency single[RTE_VDUSE_BLK_LATENCY_KINDS];
	static const struct {
		uint64_t taken;
		unsigned int op;
	} requests[] = {
		{ 0, RTE_VDUSE_BLK_READ },    { 0, RTE_VDUSE_BLK_READ },
		{ 500, RTE_VDUSE_BLK_READ },  { 500, RTE_VDUSE_BLK_WRITE },
		{ 500, RTE_VDUSE_BLK_WRITE }, { 900, RTE_VDUSE_BLK_DISCARD },
		{ 900, RTE_VDUSE_BLK_ZERO },  { 2000, RTE_VDUSE_BLK_FLUSH },
	};
	struct vblk_latency_run run = { .nb = 0 };
	unsigned int i;

	RTE_SET_USED(state);
	vblk_latency_run_end(&run, together, 1000);
	for (i = 0; i < RTE_DIM(requests); i++) {
		vblk_latency_run_add(&run, together, requests[i].taken, 1000, requests[i].op);
		vblk_latency_record(&single[vblk_latency_kind(requests[i].op)], requests[i].taken,
				    1000, 1);
	}
	vblk_latency_run_end(&run, together, 1000);
	assert_int_equal(single[RTE_VDUSE_BLK_LATENCY_READ].count, 3);
	assert_memory_equal(together, single, sizeof(single));
}

static void
edges(void **state)
{
	RTE_SET_USED(state);
	memset(&latency, 0, sizeof(latency));
	/* The counter of the processor that finishes it is behind. */
	vblk_latency_record(&latency, 100, 90, 1);
	assert_int_equal(latency.buckets[0], 1);
	assert_int_equal(latency.max, 0);
	vblk_latency_record(&latency, 0, UINT64_C(1) << 50, 1);
	assert_int_equal(latency.buckets[RTE_VDUSE_BLK_LATENCY_BUCKETS - 1], 1);
	assert_int_equal(rte_vduse_blk_latency_ns(&latency, 1), ns(UINT64_C(1) << 50));
	assert_int_equal(rte_vduse_blk_latency_ns(&latency, 0.5), 0);
}

static void
parameters(void **state)
{
	struct rte_vduse_blk_latency one;

	RTE_SET_USED(state);
	assert_int_equal(
		rte_vduse_blk_latency(blk.blk, 1, RTE_VDUSE_BLK_LATENCY_READ, &one, sizeof(one)),
		-EINVAL);
	assert_int_equal(rte_vduse_blk_latency(blk.blk, 0, (enum rte_vduse_blk_latency_kind)4, &one,
					       sizeof(one)),
			 -EINVAL);
	/* A caller that knows less gets that. */
	memset(&one, 0xaa, sizeof(one));
	assert_int_equal(rte_vduse_blk_latency(blk.blk, 0, RTE_VDUSE_BLK_LATENCY_READ, &one, 8), 0);
	assert_int_equal(one.count, 0);
	assert_int_equal(one.cycles, UINT64_C(0xaaaaaaaaaaaaaaaa));
}

/* So many requests of each kind, one of which the backend has for some time. */
static void
load(void **state)
{
	struct virtio_blk_discard_write_zeroes range = { .num_sectors = 1 };
	struct rte_vduse_blk_stats stats;
	unsigned int i;
	uint64_t begin;

	RTE_SET_USED(state);
	for (i = 0; i < 7; i++)
		assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_OUT, i, sent, BLK_SECTOR), 0);
	for (i = 0; i < 3; i++)
		assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, i, got, 2 * BLK_SECTOR), 0);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_FLUSH, 0, NULL, 0), 0);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_DISCARD, 0, &range, sizeof(range)), 0);
	/* The backend does not see these: they are not counted. */
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, UINT32_MAX, got, BLK_SECTOR),
			 VIRTIO_BLK_S_IOERR);
	/* It fails this one. */
	vblk_fault_fail(fault, RTE_VDUSE_BLK_READ, -EIO, 1);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, 0, got, BLK_SECTOR),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(latency_of(RTE_VDUSE_BLK_LATENCY_READ).count, 4);
	assert_int_equal(latency_of(RTE_VDUSE_BLK_LATENCY_WRITE).count, 7);
	assert_int_equal(latency_of(RTE_VDUSE_BLK_LATENCY_FLUSH).count, 1);
	assert_int_equal(latency_of(RTE_VDUSE_BLK_LATENCY_RANGES).count, 1);
	stats = loopback_blk_stats(&blk);
	assert_int_equal(stats.reads, 5);
	assert_int_equal(stats.read_bytes, 6 * BLK_SECTOR);
	assert_int_equal(stats.writes, 7);
	assert_int_equal(stats.written_bytes, 7 * BLK_SECTOR);
	assert_int_equal(stats.flushes, 1);
	assert_int_equal(stats.discards, 1);
	assert_int_equal(stats.io_errors, 1);
	assert_int_equal(stats.bad_requests, 1);
	/* A slow one: at least as long as the backend had it, at most as long as it took. */
	vblk_fault_hold(fault, true);
	begin = rte_rdtsc();
	(void)fault_post(VIRTIO_BLK_T_IN, 0, NULL);
	fault_wait_held(1);
	unit_sleep_ms(MS);
	vblk_fault_hold(fault, false);
	vblk_fault_release(fault, 1, false);
	(void)loopback_blk_take(&blk);
	begin = rte_rdtsc() - begin;
	latency = latency_of(RTE_VDUSE_BLK_LATENCY_READ);
	assert_int_equal(latency.count, 5);
	assert_in_range(latency.max, MS * rte_get_tsc_hz() / 1000, begin);
	assert_int_equal(rte_vduse_blk_latency_ns(&latency, 1), ns(latency.max));
}

/* Counts ascend with the bounds, and a time is in no bucket below it. */
static void
counts(void **state)
{
	const uint64_t second = rte_get_tsc_hz();
	const uint64_t bounds[] = { 1000, 1000000, 900000000, 1100000000, UINT64_C(1) << 62 };
	const uint64_t wanted[] = { 2, 2, 3, 4, 4 };
	uint64_t found[RTE_DIM(bounds)];

	RTE_SET_USED(state);
	memset(&latency, 0, sizeof(latency));
	assert_int_equal(vblk_latency_count(&latency, bounds, found, RTE_DIM(bounds)), 0);
	assert_int_equal(found[RTE_DIM(bounds) - 1], 0);
	vblk_latency_record(&latency, 0, 0, 1);
	vblk_latency_record(&latency, 0, second / 10000000, 1);
	vblk_latency_record(&latency, 0, second / 2, 1);
	vblk_latency_record(&latency, 0, second, 1);
	/* Longer than any bound that can be said. */
	vblk_latency_record(&latency, 0, VBLK_LATENCY_MAX + 1, 1);
	assert_int_equal(vblk_latency_count(&latency, bounds, found, RTE_DIM(bounds)), 5);
	assert_memory_equal(found, wanted, sizeof(found));
	assert_in_range(vblk_latency_sum_ns(&latency), UINT64_C(1500000000), UINT64_MAX - 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(buckets),
		cmocka_unit_test(percentiles),
		cmocka_unit_test(runs),
		cmocka_unit_test(edges),
		cmocka_unit_test(counts),
		cmocka_unit_test_setup_teardown(parameters, fault_setup, fault_teardown),
		cmocka_unit_test_setup_teardown(load, fault_setup, fault_teardown),
	};

	return fault_run(tests);
}
