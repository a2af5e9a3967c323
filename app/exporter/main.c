/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Reads the command line, and waits for the end.
 * Input: arguments, signals. Output: the exit code. Thread: main.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "exporter.h"

#define MAIN_LISTEN "127.0.0.1:9796"

enum main_option {
	MAIN_LISTEN_AT = 1,
	MAIN_ANY_ADDRESS,
	MAIN_FILE_PREFIX,
	MAIN_TELEMETRY,
	MAIN_RUNTIME_DIR,
	MAIN_HELP,
};

static const struct option main_options[] = {
	{ "listen", required_argument, NULL, MAIN_LISTEN_AT },
	{ "any-address", no_argument, NULL, MAIN_ANY_ADDRESS },
	{ "file-prefix", required_argument, NULL, MAIN_FILE_PREFIX },
	{ "telemetry", required_argument, NULL, MAIN_TELEMETRY },
	{ "runtime-dir", required_argument, NULL, MAIN_RUNTIME_DIR },
	{ "help", no_argument, NULL, MAIN_HELP },
	{ NULL },
};

int
exporter_fail(int code, const char *format, ...)
{
	va_list args;
	char line[512];

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	fprintf(stderr, "dpdk-vduse-exporter: %s\n", line);
	return code;
}

void *
exporter_memory(void *memory)
{
	if (memory == NULL) {
		fputs("dpdk-vduse-exporter: no memory\n", stderr);
		exit(EXPORTER_FAILED);
	}
	return memory;
}

int64_t
exporter_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * INT64_C(1000) + now.tv_nsec / 1000000;
}

static int
main_help(void)
{
	printf("usage: dpdk-vduse-exporter [--listen ADDRESS:PORT|unix:PATH] [--any-address]\n"
	       "           [--file-prefix PREFIX|--telemetry PATH]... [--runtime-dir DIR]\n\n"
	       "Serves the telemetry of processes as OpenMetrics at /metrics; by default that of all\n"
	       "DPDK processes, at %s. See dpdk-vduse-exporter(8).\n",
	       MAIN_LISTEN);
	return EXPORTER_OK;
}

static int
main_add(struct exporter *exporter, bool prefix, const char *value)
{
	int ret = prefix ? targets_add_prefix(&exporter->named, exporter->runtime_dir, value)
			 : targets_add_path(&exporter->named, value);

	if (ret == 0)
		return EXPORTER_OK;
	return exporter_fail(EXPORTER_USAGE, "--%s %s: %s", prefix ? "file-prefix" : "telemetry",
			     value, strerror(-ret));
}

/* The folder counts for the prefixes before it, too. */
static int
main_arguments(struct exporter *exporter, int argc, char **argv)
{
	int option, code = EXPORTER_OK, pass;

	for (pass = 0; pass < 2; pass++) {
		opterr = pass == 0;
		optind = 0;
		while ((option = getopt_long(argc, argv, "", main_options, NULL)) != -1) {
			if (option == '?')
				return EXPORTER_USAGE;
			if (option == MAIN_HELP)
				exit(main_help());
			if (option == MAIN_LISTEN_AT)
				exporter->listen = optarg;
			if (option == MAIN_ANY_ADDRESS)
				exporter->any_address = true;
			if (option == MAIN_RUNTIME_DIR)
				exporter->runtime_dir = optarg;
			if (pass == 1 && (option == MAIN_FILE_PREFIX || option == MAIN_TELEMETRY))
				code = main_add(exporter, option == MAIN_FILE_PREFIX, optarg);
			if (code != EXPORTER_OK)
				return code;
		}
	}
	if (optind != argc)
		return exporter_fail(EXPORTER_USAGE, "%s: there are only options; see --help",
				     argv[optind]);
	return EXPORTER_OK;
}

static void
main_wait(const sigset_t *signals)
{
	const struct timespec second = { .tv_sec = 1 };

	while (sigtimedwait(signals, NULL, &second) < 0)
		http_reap();
}

int
main(int argc, char **argv)
{
	static struct exporter exporter = { .listen = MAIN_LISTEN };
	const char *unix_path;
	sigset_t signals;
	int fd, code;

	exporter.runtime_dir = targets_runtime_dir();
	code = main_arguments(&exporter, argc, argv);
	if (code != EXPORTER_OK)
		return code;
	/* All threads have them blocked. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	signal(SIGPIPE, SIG_IGN);
	fd = listen_open(exporter.listen, exporter.any_address, &unix_path);
	if (fd < 0)
		return EXPORTER_FAILED;
	code = http_start(&exporter, fd) == 0 ? EXPORTER_OK : EXPORTER_FAILED;
	if (code == EXPORTER_OK) {
		printf("dpdk-vduse-exporter: listens at %s\n", exporter.listen);
		fflush(stdout);
		main_wait(&signals);
		http_stop();
	}
	if (unix_path != NULL)
		(void)unlink(unix_path);
	return code;
}
