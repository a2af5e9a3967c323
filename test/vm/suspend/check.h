/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Ends the program at the first thing that is not as it should be. */
#ifndef SUSPEND_CHECK_H
#define SUSPEND_CHECK_H

#include <stdbool.h>

/* The number of the cycle, starting at 1, for check(). */
void
check_cycle(unsigned int cycle);

/* If it is not ok, prints the cycle and the text, which is a printf format, and exits with 1. */
void
check(bool ok, const char *text, ...) __attribute__((format(printf, 2, 3)));

#endif
