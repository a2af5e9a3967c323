/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * What a lcore pays for being watched, in TSC cycles a request: the histogram of latencies, for
 * requests that finish one by one and in bursts of 64, and the four trace points that each request
 * passes, disabled.
 * Output: a line "NAME CYCLES" for each, the best of many rounds. Thread: one.
 */
#include <stdio.h>
#include <stdlib.h>

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_trace_point.h>

#include <rte_vduse_blk_backend.h>

#include <compat/trace.h>
#include <latency.h>

#define COST_ROUNDS   2000
#define COST_REQUESTS 1024
#define COST_BURST    64

static struct rte_vduse_blk_latency cost_latency[RTE_VDUSE_BLK_LATENCY_KINDS];
/* When each request was taken, and what it is: known at run time only. */
static uint64_t cost_taken[COST_REQUESTS];
static unsigned int cost_op[COST_REQUESTS];

/* The compiler does not know what it is. */
static inline uint64_t
cost_hide(uint64_t value)
{
	__asm__ volatile("" : "+r"(value));
	return value;
}

/* One by one: each with a time of its own. */
static void
cost_single(void)
{
	unsigned int i;

	for (i = 0; i < COST_REQUESTS; i++) {
		struct vblk_latency_run run = { .nb = 0 };

		vblk_latency_run_add(&run, cost_latency, cost_hide(cost_taken[i]), 100000,
				     cost_op[i]);
		vblk_latency_run_end(&run, cost_latency, 100000);
	}
}

static void
cost_burst(void)
{
	unsigned int i, j;

	for (i = 0; i < COST_REQUESTS; i += COST_BURST) {
		struct vblk_latency_run run = { .nb = 0 };

		for (j = i; j < i + COST_BURST; j++)
			vblk_latency_run_add(&run, cost_latency, cost_hide(cost_taken[i]), 100000,
					     (unsigned int)cost_hide(cost_op[j]));
		vblk_latency_run_end(&run, cost_latency, 100000);
	}
}

/* As lib/virtio_blk/trace.h has them. Somebody else may enable it, as far as the compiler knows. */
rte_trace_point_t __vduse_trace_cost;

static __rte_noinline void
vduse_trace_cost(uint64_t taken, unsigned int op)
{
	cost_taken[op] = taken;
}

static void
cost_trace(void)
{
	unsigned int i;

	for (i = 0; i < COST_REQUESTS; i++) {
		uint64_t taken = cost_hide(cost_taken[i]);
		unsigned int op = (unsigned int)cost_hide(cost_op[i]);

		VDUSE_TRACE(cost, taken, op);
		VDUSE_TRACE(cost, taken, op);
		VDUSE_TRACE(cost, taken, op);
		VDUSE_TRACE(cost, taken, op);
	}
}

/* The loop itself: what it costs to load what the others count. */
static void
cost_nothing(void)
{
	unsigned int i;

	for (i = 0; i < COST_REQUESTS; i++) {
		cost_hide(cost_taken[i]);
		cost_hide(cost_op[i]);
	}
}

static double
cost_of(void (*work)(void))
{
	uint64_t best = UINT64_MAX;
	unsigned int i;

	for (i = 0; i < COST_ROUNDS; i++) {
		uint64_t begin = rte_rdtsc_precise(), end;

		work();
		end = rte_rdtsc_precise();
		best = RTE_MIN(best, end - begin);
	}
	return (double)best / COST_REQUESTS;
}

int
main(void)
{
	double nothing;
	unsigned int i;

	for (i = 0; i < COST_REQUESTS; i++) {
		cost_taken[i] = (uint64_t)rand() % 50000;
		cost_op[i] = RTE_VDUSE_BLK_READ;
	}
	nothing = cost_of(cost_nothing);
	printf("single %.2f\n", cost_of(cost_single) - nothing);
	printf("burst %.2f\n", cost_of(cost_burst) - nothing);
	printf("trace %.2f\n", cost_of(cost_trace) - nothing);
	return 0;
}
