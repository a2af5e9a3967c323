/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The device side of a block device. Makes no system calls between bursts.
 * Input: the counters of its queues. Output: counters of writes, reads and cycles.
 * Thread: the device's lcore.
 */
#include "bench_block.h"

/* Distributes the cycles equally among the completed requests. */
static void
device_charge(struct perf_block_device *device, struct perf_block_seen *seen,
	      const struct rte_vduse_blk_stats *now)
{
	const struct rte_vduse_blk_stats *before = &seen->stats;
	uint64_t writes = now->writes - before->writes, reads = now->reads - before->reads;
	struct perf_flow *from = &device->flows[PERF_FROM], *to = &device->flows[PERF_TO];
	uint64_t share;

	if (writes + reads == 0)
		return;
	share = seen->cycles * writes / (writes + reads);
	perf_flow_add(&from->packets, writes);
	perf_flow_add(&from->bytes, now->written_bytes - before->written_bytes);
	perf_flow_add(&from->busy_cycles, share);
	perf_flow_add(&to->packets, reads);
	perf_flow_add(&to->bytes, now->read_bytes - before->read_bytes);
	perf_flow_add(&to->busy_cycles, seen->cycles - share);
	seen->cycles = 0;
	seen->stats = *now;
}

static void
device_poll(struct perf_block_device *device, uint16_t index)
{
	struct perf_block_seen *seen = &device->seen[index];
	struct rte_vduse_blk_stats now;
	uint64_t begin = rte_rdtsc();
	unsigned int work, i;

	work = rte_vduse_blk_poll(device->blk, index);
	for (i = 0; i < PERF_FLOWS; i++) {
		perf_flow_add(&device->flows[i].polls, 1);
		perf_flow_add(&device->flows[i].empty_polls, work == 0);
	}
	if (work == 0)
		return;
	seen->cycles += rte_rdtsc() - begin;
	rte_vduse_blk_stats(device->blk, index, &now, sizeof(now));
	device_charge(device, seen, &now);
}

void
perf_block_device_turn(void *arg)
{
	struct perf_block_device *device = arg;
	uint16_t i;

	for (i = 0; i < device->bench->options->queues; i++)
		device_poll(device, i);
}
