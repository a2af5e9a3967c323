/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Lets the lcores poll, and says when it is over. */
#ifndef PERF_CONDUCT_H
#define PERF_CONDUCT_H

#include "bench.h"
#include "result.h"

#define PERF_SIDES 2

/* A side that polls until the phase is PERF_STOP. Returns 0. */
struct perf_side {
	int (*run)(void *arg);
	void *arg;
};

/* What is conducted: who polls, and where it is counted. */
struct perf_conduct {
	struct perf_bench *bench;
	struct perf_side sides[PERF_SIDES]; /* the device's, and the driver's if it is ours */
	unsigned int nb_sides;
	const struct perf_flow *device; /* PERF_FLOWS of them, which are measured */
	/* Over the loopback only. */
	const struct perf_flow *sent[PERF_FLOWS];
	const struct perf_flow *received[PERF_FLOWS];
	const struct perf_histogram *latency[PERF_FLOWS]; /* or NULL */
	/* Called when the lcores poll, and before they stop; or NULL. 0, or -errno and a line. */
	int (*begin)(void *arg);
	void (*end)(void *arg);
	void *arg;
};

/* Runs a measurement that is set up. Main thread. 0, or a negative errno and a line on stderr. */
int
perf_conduct(const struct perf_conduct *conduct, struct perf_result *result);

/* Sleeps until something is ready, or the measurement is interrupted. For begin. */
void
perf_conduct_wait(bool (*ready)(void *arg), void *arg);

/* Ends the measurement early. Signal handlers. */
void
perf_conduct_interrupt(void);

#endif /* PERF_CONDUCT_H */
