/* SPDX-License-Identifier: BSD-3-Clause */
/* Lets the lcores poll, and says when it is over. */
#ifndef PERF_CONDUCT_H
#define PERF_CONDUCT_H

#include "bench_net.h"

/* Runs a measurement that is set up. Main thread. 0, or a negative errno and a line on stderr. */
int
perf_conduct(struct perf_net *net, struct perf_result *result);

/* Ends the measurement early. Signal handlers. */
void
perf_conduct_interrupt(void);

#endif /* PERF_CONDUCT_H */
