/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Test Anything Protocol: one line for each check, with its name, so that two kernels can be
 * compared.
 */
#ifndef CONFORM_TAP_H
#define CONFORM_TAP_H

#include <stdbool.h>

/* A check of its own; the name is a printf format. Returns ok. */
bool
tap(bool ok, const char *name, ...) __attribute__((format(printf, 2, 3)));

/* A system call's result: 0 or more if error is 0, otherwise -1 with that errno. */
bool
tap_errno(int ret, int error, const char *name, ...) __attribute__((format(printf, 3, 4)));

/* What has to work for the rest to make sense; ends the program if it does not. */
void
need(bool ok, const char *what);

/* Prints the plan; the program's exit code. */
int
tap_end(void);

#endif
