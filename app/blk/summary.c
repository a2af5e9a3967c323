/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Prints the counters of all devices: one line per device, one per queue. Thread: main. */
#include <inttypes.h>
#include <stdio.h>

#include "app.h"

static void
summary_queue(const struct rte_vduse_blk *blk, uint16_t queue)
{
	struct rte_vduse_blk_stats stats;

	rte_vduse_blk_stats(blk, queue, &stats, sizeof(stats));
	printf("  queue %u: read %" PRIu64 " (%" PRIu64 " bytes), write %" PRIu64 " (%" PRIu64
	       " bytes), flush %" PRIu64 ", discard %" PRIu64 ", write-zeroes %" PRIu64
	       ", secure-erase %" PRIu64 ", other %" PRIu64 ", in flight %" PRIu64
	       ", io-errors %" PRIu64 ", bad-requests %" PRIu64 ", unsupported %" PRIu64
	       ", bad-descriptors %" PRIu64 ", calls %" PRIu64 ", calls-suppressed %" PRIu64 "\n",
	       queue, stats.reads, stats.read_bytes, stats.writes, stats.written_bytes,
	       stats.flushes, stats.discards, stats.write_zeroes, stats.secure_erases, stats.others,
	       stats.in_flight, stats.io_errors, stats.bad_requests, stats.unsupported,
	       stats.bad_descriptors, stats.calls, stats.calls_suppressed);
}

void
app_summary(const struct app_devices *devices)
{
	unsigned int i;
	uint16_t queue;

	for (i = 0; i < devices->nb; i++) {
		const struct app_device *device = devices->all[i];

		printf("%s: backend %s, %" PRIu64 " sectors, %u queues, driver %s\n",
		       device->args.name, device->args.conf.backend,
		       rte_vduse_blk_capacity(device->blk), rte_vduse_blk_queues(device->blk),
		       rte_vduse_dev_features(rte_vduse_blk_dev(device->blk)) != 0 ? "up" : "down");
		for (queue = 0; queue < rte_vduse_blk_queues(device->blk); queue++)
			summary_queue(device->blk, queue);
	}
	fflush(stdout);
}
