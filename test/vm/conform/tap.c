/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Prints results of checks as TAP lines on stdout. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tap.h"

static int checks, failed;

static void
line(bool ok, const char *name, va_list args)
{
	checks++;
	failed += !ok;
	printf("%s %d - ", ok ? "ok" : "not ok", checks);
	vprintf(name, args);
	printf("\n");
	fflush(stdout);
}

bool
tap(bool ok, const char *name, ...)
{
	va_list args;

	va_start(args, name);
	line(ok, name, args);
	va_end(args);
	return ok;
}

bool
tap_errno(int ret, int error, const char *name, ...)
{
	int got = ret < 0 ? errno : 0;
	va_list args;

	va_start(args, name);
	line(got == error, name, args);
	va_end(args);
	if (got != error)
		printf("# got %s, not %s\n", got ? strerrorname_np(got) : "success",
				error ? strerrorname_np(error) : "success");
	return got == error;
}

void
need(bool ok, const char *what)
{
	if (ok)
		return;
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(2);
}

int
tap_end(void)
{
	printf("1..%d\n", checks);
	return failed ? 1 : 0;
}
