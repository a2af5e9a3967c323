/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * dpdk-vduse-perf: measures virtqueues on pinned cores.
 * Input: the command line. Output: the results, and an exit code: 0 for success, 1 if packets were
 * lost, late or damaged, or none was transferred, 2 if the measurement could not run. Thread: main.
 */
#include <signal.h>
#include <string.h>

#include <rte_eal.h>
#include <rte_errno.h>

#include "bench_block.h"
#include "bench_net.h"
#include "conduct.h"
#include "perf_log.h"

#define EXIT_BAD_RESULT 1
#define EXIT_NOT_RUN    2

/* Returns whether the result is good, or a negative errno if it could not be written. */
static int
show(const struct perf_result *result)
{
	const struct perf_options *options = result->options;
	int ret = 0;

	perf_report(result);
	if (options->json != NULL)
		ret = perf_json_write(result, options->json);
	if (ret == 0 && options->histogram != NULL)
		ret = perf_svg_write(result, options->histogram);
	return ret < 0 ? ret : perf_result_good(result);
}

static void
on_signal(int signum)
{
	RTE_SET_USED(signum);
	perf_conduct_interrupt();
}

static int
run(int argc, char **argv)
{
	struct perf_options options;
	int ret;

	if (perf_options_parse(&options, argc, argv) < 0)
		return EXIT_NOT_RUN;
	if (options.help) {
		perf_options_usage();
		return 0;
	}
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	switch (options.mode) {
	case PERF_MODE_NET:
		ret = perf_net_run(&options, show);
		break;
	case PERF_MODE_BLOCK:
		ret = perf_block_run(&options, show);
		break;
	default:
		return EXIT_NOT_RUN;
	}
	if (ret < 0)
		return EXIT_NOT_RUN;
	return ret > 0 ? 0 : EXIT_BAD_RESULT;
}

int
main(int argc, char **argv)
{
	int ret, code;

	ret = rte_eal_init(argc, argv);
	if (ret < 0) {
		PERF_LOG("EAL: %s", rte_strerror(rte_errno));
		return EXIT_NOT_RUN;
	}
	/* EAL keeps the program name as the first of the remaining arguments. */
	code = run(argc - ret, argv + ret);
	rte_eal_cleanup();
	return code;
}
