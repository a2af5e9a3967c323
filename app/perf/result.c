/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Computes the results from the counters. Thread: main.
 */
#include "result.h"

const double perf_percentiles[PERF_PERCENTILES] = { 0.5, 0.9, 0.99, 0.999, 1 };
const char *const perf_percentile_names[PERF_PERCENTILES] = { "p50", "p90", "p99", "p99.9", "max" };

const char *
perf_flow_name(const struct perf_options *options, enum perf_flow_index flow)
{
	if (options->mode == PERF_MODE_BLOCK)
		return flow == PERF_FROM ? "write" : "read";
	return flow == PERF_FROM ? "from-driver" : "to-driver";
}

double
perf_result_seconds(const struct perf_result *result)
{
	return (double)result->cycles / (double)result->hz;
}

double
perf_result_mpps(const struct perf_result *result, enum perf_flow_index flow)
{
	return (double)result->flows[flow].device.packets / perf_result_seconds(result) / 1e6;
}

double
perf_result_gbps(const struct perf_result *result, enum perf_flow_index flow)
{
	return (double)result->flows[flow].device.bytes * 8 / perf_result_seconds(result) / 1e9;
}

double
perf_result_iops(const struct perf_result *result, enum perf_flow_index flow)
{
	return perf_result_mpps(result, flow) * 1e6;
}

double
perf_result_gb(const struct perf_result *result, enum perf_flow_index flow)
{
	return perf_result_gbps(result, flow) / 8;
}

double
perf_result_per_packet(const struct perf_result *result, enum perf_flow_index flow, uint64_t n)
{
	uint64_t packets = result->flows[flow].device.packets;

	return packets == 0 ? 0 : (double)n / (double)packets;
}

double
perf_result_ns(const struct perf_result *result, uint64_t cycles)
{
	return (double)cycles * 1e9 / (double)result->hz;
}

uint64_t
perf_result_lost(const struct perf_result *result, enum perf_flow_index flow)
{
	const struct perf_result_flow *way = &result->flows[flow];

	return way->sent > way->received ? way->sent - way->received : 0;
}

bool
perf_result_good(const struct perf_result *result)
{
	const struct perf_options *options = result->options;
	bool any = false, all = true;
	unsigned int i;

	for (i = 0; i < PERF_FLOWS; i++) {
		const struct perf_result_flow *way = &result->flows[i];

		if (!perf_options_flow(options, i))
			continue;
		any = any || way->device.packets != 0;
		all = all && way->device.packets != 0;
		if (way->sent != way->received || way->late != 0 || way->damaged != 0)
			return false;
	}
	/* An external driver may only read. */
	return options->mode == PERF_MODE_BLOCK && options->device != NULL ? any : all;
}
