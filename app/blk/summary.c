/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Prints the counters of all devices: one line per device, one per queue. Thread: main. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "app.h"

static void
summary_queue(FILE *out, const struct rte_vduse_blk *blk, uint16_t queue)
{
	struct rte_vduse_blk_stats stats;

	rte_vduse_blk_stats(blk, queue, &stats, sizeof(stats));
	fprintf(out,
		"  queue %u: read %" PRIu64 " (%" PRIu64 " bytes), write %" PRIu64 " (%" PRIu64
		" bytes), flush %" PRIu64 ", discard %" PRIu64 ", write-zeroes %" PRIu64
		", secure-erase %" PRIu64 ", other %" PRIu64 ", in flight %" PRIu64
		", io-errors %" PRIu64 ", bad-requests %" PRIu64 ", unsupported %" PRIu64
		", bad-descriptors %" PRIu64 ", calls %" PRIu64 ", calls-suppressed %" PRIu64
		", limited %" PRIu64 "\n",
		queue, stats.reads, stats.read_bytes, stats.writes, stats.written_bytes,
		stats.flushes, stats.discards, stats.write_zeroes, stats.secure_erases,
		stats.others, stats.in_flight, stats.io_errors, stats.bad_requests,
		stats.unsupported, stats.bad_descriptors, stats.calls, stats.calls_suppressed,
		stats.limited);
}

static void
summary_device(const struct app_device *device, void *arg)
{
	struct rte_vduse_blk *blk = device->blk;
	uint16_t queue;

	if (blk == NULL)
		return;
	fprintf(arg, "%s: backend %s, %" PRIu64 " sectors, %u queues, driver %s\n",
		device->args.name, device->args.conf.backend, rte_vduse_blk_capacity(blk),
		rte_vduse_blk_queues(blk),
		rte_vduse_dev_features(rte_vduse_blk_dev(blk)) != 0 ? "up" : "down");
	for (queue = 0; queue < rte_vduse_blk_queues(blk); queue++)
		summary_queue(arg, blk, queue);
}

/* In memory first: who reads the standard output may not do so in time. */
void
app_summary(struct app_devices *devices)
{
	char *text;
	size_t len;
	FILE *memory = open_memstream(&text, &len);

	if (memory == NULL)
		return;
	app_registry_each(devices, summary_device, memory);
	if (fclose(memory) != 0)
		return;
	fputs(text, stdout);
	fflush(stdout);
	free(text);
}
