/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The results of a measurement and their output formats. Thread: main. */
#ifndef PERF_RESULT_H
#define PERF_RESULT_H

#include <stdbool.h>
#include <stdint.h>

#include "bench.h"

/* One direction of packets. */
struct perf_result_flow {
	struct perf_flow device; /* the device's counters during the measurement */
	uint64_t sent;           /* in the whole run; 0 unless over the loopback */
	uint64_t received;
	uint64_t late;
	uint64_t damaged;
	const struct perf_histogram *latency; /* cycles; NULL: not known */
};

struct perf_result {
	const struct perf_options *options;
	uint64_t cycles; /* measured */
	uint64_t hz;     /* of the time stamp counter */
	bool interrupted;
	struct perf_result_flow flows[PERF_FLOWS];
};

#define PERF_PERCENTILES 5

/* 0.5, 0.9, 0.99, 0.999 and 1, and their names. */
extern const double perf_percentiles[PERF_PERCENTILES];
extern const char *const perf_percentile_names[PERF_PERCENTILES];

/* The names of the directions in files. */
const char *
perf_flow_name(const struct perf_options *options, enum perf_flow_index flow);

double
perf_result_seconds(const struct perf_result *result);
double
perf_result_mpps(const struct perf_result *result, enum perf_flow_index flow);
double
perf_result_gbps(const struct perf_result *result, enum perf_flow_index flow);
double
perf_result_iops(const struct perf_result *result, enum perf_flow_index flow);
/* 10^9 bytes a second. */
double
perf_result_gb(const struct perf_result *result, enum perf_flow_index flow);
/* A value divided by the packets of the device; 0 without packets. */
double
perf_result_per_packet(const struct perf_result *result, enum perf_flow_index flow, uint64_t n);
double
perf_result_ns(const struct perf_result *result, uint64_t cycles);
/* Number of packets that did not arrive. */
uint64_t
perf_result_lost(const struct perf_result *result, enum perf_flow_index flow);

/* Whether packets were sent in every direction requested, and none was lost, late or damaged. */
bool
perf_result_good(const struct perf_result *result);

/* report.c: prints a table on stdout. */
void
perf_report(const struct perf_result *result);

/* json.c and svg.c: write a file. 0, or a negative errno after a line on stderr. */
int
perf_json_write(const struct perf_result *result, const char *path);
int
perf_svg_write(const struct perf_result *result, const char *path);

#endif /* PERF_RESULT_H */
