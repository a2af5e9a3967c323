/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Prints the result as a table on stdout. Thread: main.
 */
#include <inttypes.h>
#include <stdio.h>

#include "result.h"

#define LABEL "%-28s"

static void
report_net(const struct perf_options *options)
{
	printf("net, %s, packets of %s bytes, %u queue pair%s, bursts of %u\n",
	       perf_options_direction(options), options->sizes_text, options->queues,
	       options->queues == 1 ? "" : "s", options->burst);
	if (options->device != NULL)
		printf("device %s, queues of up to %u\n", options->device, options->queue_size);
	else
		printf("loopback, %s ring%s of %u, %smergeable%s%s\n",
		       options->packed ? "packed" : "split", options->in_order ? " in order" : "",
		       options->queue_size, options->mergeable ? "" : "not ",
		       options->offloads ? ", offloads" : "",
		       options->verify ? ", every byte verified" : "");
}

static void
report_block(const struct perf_options *options)
{
	if (options->device != NULL) {
		printf("block, %s, %u queue%s of up to %u\ndevice %s, backend %s\n",
		       perf_options_direction(options), options->queues,
		       options->queues == 1 ? "" : "s", options->queue_size, options->device,
		       options->backend);
		return;
	}
	printf("block, %s, %u bytes %s, %u queue%s with %u in flight, bursts of %u\n",
	       perf_options_direction(options), options->block_size,
	       options->random ? "at random" : "in sequence", options->queues,
	       options->queues == 1 ? "" : "s", options->depth, options->burst);
	printf("loopback, %s ring%s of %u, backend %s%s\n", options->packed ? "packed" : "split",
	       options->in_order ? " in order" : "", options->queue_size, options->backend,
	       options->verify ? ", every byte verified" : "");
}

static void
report_setting(const struct perf_result *result)
{
	if (result->options->mode == PERF_MODE_BLOCK)
		report_block(result->options);
	else
		report_net(result->options);
	printf("measured %.2f s at %.0f MHz%s%s\n\n", perf_result_seconds(result),
	       (double)result->hz / 1e6, result->options->one_lcore ? ", on one lcore" : "",
	       result->interrupted ? ", interrupted" : "");
}

static void
report_rates(const struct perf_result *result, enum perf_flow_index flow)
{
	const struct perf_flow *device = &result->flows[flow].device;
	bool block = result->options->mode == PERF_MODE_BLOCK;

	if (block) {
		printf("%s\n", perf_flow_name(result->options, flow));
		printf(LABEL "%14.0f\n", "  IOPS", perf_result_iops(result, flow));
		printf(LABEL "%14.3f\n", "  GB/s", perf_result_gb(result, flow));
	} else {
		printf("%s\n", flow == PERF_FROM ? "from the driver" : "to the driver");
		printf(LABEL "%14.3f\n", "  Mpps", perf_result_mpps(result, flow));
		printf(LABEL "%14.3f\n", "  Gbit/s", perf_result_gbps(result, flow));
	}
	printf(LABEL "%14.1f\n", block ? "  cycles a request, busy" : "  cycles a packet, busy",
	       perf_result_per_packet(result, flow, device->busy_cycles));
	printf(LABEL "%14.1f\n", block ? "  cycles a request, all" : "  cycles a packet, all",
	       perf_result_per_packet(result, flow, result->cycles));
	printf(LABEL "%14" PRIu64 "\n", "  polls", device->polls);
	printf(LABEL "%13.1f%%\n", "  polls, empty",
	       device->polls == 0 ? 0 : 100 * (double)device->empty_polls / (double)device->polls);
}

static void
report_latency(const struct perf_result *result, enum perf_flow_index flow)
{
	const struct perf_histogram *latency = result->flows[flow].latency;
	unsigned int i;

	if (latency == NULL)
		return;
	printf("  latency%s, %" PRIu64 " samples\n",
	       result->options->direction == PERF_DIRECTION_ECHO ? " there and back" : "",
	       latency->count);
	for (i = 0; i < PERF_PERCENTILES; i++) {
		char label[32];

		snprintf(label, sizeof(label), "    %s, ns", perf_percentile_names[i]);
		printf(LABEL "%14.0f\n", label,
		       perf_result_ns(result,
				      perf_histogram_percentile(latency, perf_percentiles[i])));
	}
}

static void
report_faults(const struct perf_result *result, enum perf_flow_index flow)
{
	const struct perf_result_flow *way = &result->flows[flow];

	if (result->options->device != NULL)
		return;
	printf(LABEL "%14" PRIu64 "\n", "  lost", perf_result_lost(result, flow));
	if (result->options->mode == PERF_MODE_NET) {
		if (!result->options->verify)
			return;
		printf(LABEL "%14" PRIu64 "\n", "  out of order", way->late);
	}
	printf(LABEL "%14" PRIu64 "\n", "  damaged", way->damaged);
}

void
perf_report(const struct perf_result *result)
{
	unsigned int i;

	report_setting(result);
	for (i = 0; i < PERF_FLOWS; i++) {
		if (!perf_options_flow(result->options, i))
			continue;
		report_rates(result, i);
		report_latency(result, i);
		report_faults(result, i);
	}
}
