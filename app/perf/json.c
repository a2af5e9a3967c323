/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Writes the result as JSON to a file. The names contain the units. Thread: main.
 */
#include <errno.h>
#include <string.h>

#include <jansson.h>

#include "perf_log.h"
#include "result.h"

static json_t *
json_setting_net(const struct perf_options *options)
{
	return json_pack("{s:s, s:s, s:b, s:b, s:s}", "mode", "net", "direction",
			 perf_options_direction(options), "mergeable", options->mergeable,
			 "offloads", options->offloads, "packet_size", options->sizes_text);
}

static json_t *
json_setting_block(const struct perf_options *options)
{
	return json_pack("{s:s, s:s, s:i, s:s, s:i, s:s}", "mode", "block", "direction",
			 perf_options_direction(options), "block_size", options->block_size,
			 "pattern", options->random ? "random" : "sequential", "depth",
			 options->depth, "backend", options->backend);
}

static json_t *
json_setting(const struct perf_options *options)
{
	json_t *object = options->mode == PERF_MODE_BLOCK ? json_setting_block(options)
							  : json_setting_net(options);
	json_t *both = json_pack(
		"{s:s, s:b, s:i, s:i, s:i, s:b, s:b, s:f, s:f, s:s*}", "ring",
		options->packed ? "packed" : "split", "in_order", options->in_order, "burst",
		options->burst, "queue_size", options->queue_size, "queues", options->queues,
		"one_lcore", options->one_lcore, "verify", options->verify, "warmup_s",
		options->warmup, "duration_s", options->duration, "device", options->device);

	json_object_update(object, both);
	json_decref(both);
	return object;
}

static json_t *
json_latency(const struct perf_result *result, const struct perf_histogram *latency)
{
	json_t *object = json_pack("{s:I}", "samples", (json_int_t)latency->count);
	unsigned int i;

	for (i = 0; i < PERF_PERCENTILES; i++) {
		uint64_t value = perf_histogram_percentile(latency, perf_percentiles[i]);

		json_object_set_new(object, perf_percentile_names[i],
				    json_real(perf_result_ns(result, value)));
	}
	return object;
}

/* The values that depend on the mode. */
static json_t *
json_rates(const struct perf_result *result, enum perf_flow_index flow)
{
	const struct perf_flow *device = &result->flows[flow].device;
	double busy = perf_result_per_packet(result, flow, device->busy_cycles);
	double all = perf_result_per_packet(result, flow, result->cycles);

	if (result->options->mode == PERF_MODE_BLOCK)
		return json_pack("{s:f, s:f, s:f, s:f, s:I}", "iops",
				 perf_result_iops(result, flow), "gbytes_per_s",
				 perf_result_gb(result, flow), "cycles_per_request_busy", busy,
				 "cycles_per_request_all", all, "requests",
				 (json_int_t)device->packets);
	return json_pack("{s:f, s:f, s:f, s:f, s:I}", "mpps", perf_result_mpps(result, flow),
			 "gbps", perf_result_gbps(result, flow), "cycles_per_packet_busy", busy,
			 "cycles_per_packet_all", all, "packets", (json_int_t)device->packets);
}

/* The counters of the whole run. */
static json_t *
json_run(const struct perf_result *result, enum perf_flow_index flow)
{
	const struct perf_result_flow *way = &result->flows[flow];
	json_t *object = json_pack("{s:I, s:I, s:I, s:I}", "sent", (json_int_t)way->sent,
				   "received", (json_int_t)way->received, "lost",
				   (json_int_t)perf_result_lost(result, flow), "damaged",
				   (json_int_t)way->damaged);

	/* Requests of a block device may be answered in any order. */
	if (result->options->mode == PERF_MODE_NET)
		json_object_set_new(object, "late", json_integer((json_int_t)way->late));
	return object;
}

static json_t *
json_flow(const struct perf_result *result, enum perf_flow_index flow)
{
	const struct perf_result_flow *way = &result->flows[flow];
	const struct perf_flow *device = &way->device;
	json_t *object = json_rates(result, flow);

	json_object_set_new(object, "bytes", json_integer((json_int_t)device->bytes));
	json_object_set_new(object, "polls", json_integer((json_int_t)device->polls));
	json_object_set_new(object, "empty_polls", json_integer((json_int_t)device->empty_polls));
	if (way->latency != NULL)
		json_object_set_new(object, "latency_ns", json_latency(result, way->latency));
	if (result->options->device == NULL)
		json_object_set_new(object, "run", json_run(result, flow));
	return object;
}

int
perf_json_write(const struct perf_result *result, const char *path)
{
	json_t *root =
		json_pack("{s:o, s:f, s:f, s:b, s:b}", "setting", json_setting(result->options),
			  "seconds", perf_result_seconds(result), "tsc_hz", (double)result->hz,
			  "interrupted", result->interrupted, "good", perf_result_good(result));
	unsigned int i;
	int ret;

	for (i = 0; i < PERF_FLOWS; i++)
		if (perf_options_flow(result->options, i))
			json_object_set_new(root, perf_flow_name(result->options, i),
					    json_flow(result, i));
	errno = 0;
	ret = json_dump_file(root, path, JSON_INDENT(2));
	json_decref(root);
	if (ret == 0)
		return 0;
	PERF_LOG("cannot write %s: %s", path, errno != 0 ? strerror(errno) : "no memory");
	return errno != 0 ? -errno : -ENOMEM;
}
