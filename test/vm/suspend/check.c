/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See check.h. Thread: any; check_cycle() only while no other thread runs. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "check.h"

static unsigned int current;

void
check_cycle(unsigned int cycle)
{
	current = cycle;
}

void
check(bool ok, const char *text, ...)
{
	va_list args;

	if (ok)
		return;
	printf("FAIL: cycle %u: ", current);
	va_start(args, text);
	vprintf(text, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	_Exit(1);
}
