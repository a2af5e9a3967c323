/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The command line of dpdk-vduse-perf: valid and invalid options. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_common.h>

#include <options.h>

#include "unit.h"

#define WORDS_MAX 16

/* Parses a line of arguments after the program's name. */
static int
parse(struct perf_options *options, const char *line)
{
	static char words[256];
	char *argv[WORDS_MAX + 2] = { words }, *rest = NULL, *word;
	int argc = 1;

	snprintf(words, sizeof(words), "perf %s", line);
	strtok_r(words, " ", &rest);
	while ((word = strtok_r(NULL, " ", &rest)) != NULL && argc <= WORDS_MAX)
		argv[argc++] = word;
	return perf_options_parse(options, argc, argv);
}

static void
defaults(void **state)
{
	struct perf_options options;

	RTE_SET_USED(state);
	assert_int_equal(parse(&options, ""), 0);
	assert_int_equal(options.mode, PERF_MODE_NET);
	assert_int_equal(options.direction, PERF_DIRECTION_BOTH);
	assert_true(options.mergeable);
	assert_false(options.packed || options.offloads || options.in_order || options.verify ||
		     options.progress);
	assert_int_equal(options.nb_sizes, 1);
	assert_int_equal(options.sizes[0], 64);
	assert_int_equal(options.burst, 32);
	assert_int_equal(options.queue_size, 256);
	assert_int_equal(options.queues, 1);
	assert_null(options.device);
}

static void
every_option(void **state)
{
	struct perf_options options;

	RTE_SET_USED(state);
	assert_int_equal(parse(&options, "--mode net --direction echo --ring packed --mergeable 0 "
					 "--in-order 1 --offloads 1"),
			 0);
	assert_int_equal(options.direction, PERF_DIRECTION_ECHO);
	assert_true(options.packed && options.in_order && options.offloads);
	assert_false(options.mergeable);
	assert_int_equal(parse(&options, "--burst 64 --queue-size 32768 --queues 7 --warmup 0 "
					 "--duration 0.5 --verify --progress"),
			 0);
	assert_int_equal(options.burst, 64);
	assert_int_equal(options.queue_size, 32768);
	assert_int_equal(options.queues, 7);
	assert_true(options.warmup == 0 && options.duration == 0.5);
	assert_true(options.verify && options.progress);
	assert_int_equal(parse(&options, "--json a.json --histogram b.svg"), 0);
	assert_string_equal(options.json, "a.json");
	assert_string_equal(options.histogram, "b.svg");
	assert_int_equal(parse(&options, "--device /dev/vduse/x --attach vhost"), 0);
	assert_string_equal(options.device, "/dev/vduse/x");
	assert_int_equal(options.attach, RTE_VDUSE_ATTACH_VHOST);
	assert_int_equal(parse(&options, "--help"), 0);
	assert_true(options.help);
}

static void
sizes(void **state)
{
	struct perf_options options;
	unsigned int i, small = 0, large = 0;

	RTE_SET_USED(state);
	assert_int_equal(parse(&options, "--packet-size 60,1518,65535"), 0);
	assert_int_equal(options.nb_sizes, 3);
	assert_int_equal(options.sizes[1], 1518);
	assert_int_equal(options.max_size, 65535);
	assert_int_equal(parse(&options, "--packet-size imix"), 0);
	assert_int_equal(options.nb_sizes, 12);
	assert_int_equal(options.max_size, 1518);
	for (i = 0; i < options.nb_sizes; i++) {
		small += options.sizes[i] == 64;
		large += options.sizes[i] == 1518;
	}
	assert_int_equal(small, 7);
	assert_int_equal(large, 1);
}

static void
directions_have_flows(void **state)
{
	struct perf_options options;

	RTE_SET_USED(state);
	assert_int_equal(parse(&options, "--direction from-driver"), 0);
	assert_true(perf_options_flow(&options, PERF_FROM));
	assert_false(perf_options_flow(&options, PERF_TO));
	assert_int_equal(parse(&options, "--direction to-driver"), 0);
	assert_false(perf_options_flow(&options, PERF_FROM));
	assert_true(perf_options_flow(&options, PERF_TO));
	assert_string_equal(perf_options_direction(&options), "to-driver");
	assert_int_equal(parse(&options, "--direction echo"), 0);
	assert_true(perf_options_flow(&options, PERF_FROM) && perf_options_flow(&options, PERF_TO));
}

static void
block(void **state)
{
	struct perf_options options;

	RTE_SET_USED(state);
	assert_int_equal(parse(&options, "--mode block"), 0);
	assert_int_equal(options.mode, PERF_MODE_BLOCK);
	assert_int_equal(options.direction, PERF_DIRECTION_TO);
	assert_int_equal(options.block_size, 4096);
	assert_int_equal(options.depth, 32);
	assert_false(options.random);
	assert_string_equal(options.backend, "null");
	assert_string_equal(options.backend_args, "");
	/* The allowed words of --direction depend on the mode, which may come later. */
	assert_int_equal(parse(&options, "--direction mixed --depth 256 --block-size 1048576 "
					 "--pattern random --backend ram,size=1M,x=y --mode block "
					 "--verify"),
			 0);
	assert_int_equal(options.direction, PERF_DIRECTION_BOTH);
	assert_string_equal(perf_options_direction(&options), "mixed");
	assert_true(perf_options_flow(&options, PERF_FROM) && perf_options_flow(&options, PERF_TO));
	assert_int_equal(options.block_size, 1048576);
	assert_int_equal(options.depth, 256);
	assert_true(options.random && options.verify);
	assert_string_equal(options.backend, "ram");
	assert_string_equal(options.backend_args, "size=1M,x=y");
	assert_false(options.inflight);
	assert_int_equal(parse(&options, "--mode block --inflight 1"), 0);
	assert_true(options.inflight);
	assert_int_equal(parse(&options, "--mode block --log 1"), 0);
	assert_true(options.inflight);
	assert_int_equal(parse(&options, "--mode block --direction write --backend ram,"), 0);
	assert_false(perf_options_flow(&options, PERF_TO));
	assert_string_equal(options.backend_args, "");
	/* Somebody else's driver does what it wants. */
	assert_int_equal(parse(&options, "--mode block --device /dev/vduse/x --depth 1000"), 0);
	assert_int_equal(options.direction, PERF_DIRECTION_BOTH);
}

static void
what_is_wrong_is_refused(void **state)
{
	static const char *const lines[] = {
		"--mode tape",
		"--direction up",
		"--ring round",
		"--mergeable 2",
		"--mergeable 01",
		"--in-order yes",
		"--burst 0",
		"--burst 65",
		"--burst -1",
		"--burst 1x",
		"--burst ",
		"--queue-size 1",
		"--queue-size 100",
		"--queue-size 65536",
		"--queues 0",
		"--queues 8",
		"--warmup -1",
		"--warmup nan",
		"--duration 0",
		"--duration 1s",
		"--duration 1e9",
		"--packet-size 59",
		"--packet-size 65536",
		"--packet-size 64,",
		"--packet-size ,64",
		"--packet-size 64;65",
		"--packet-size imix,64",
		"--packet-size 99999999999999999999",
		"--attach none2",
		"--attach vhost",
		"--device /dev/vduse/x --verify",
		"--device /dev/vduse/x --histogram x.svg",
		"--mode block --direction both",
		"--mode net --direction read",
		"--direction mixed",
		"--mode block --packet-size 64",
		"--mode block --mergeable 1",
		"--depth 8",
		"--pattern random",
		"--backend ram",
		"--inflight 1",
		"--log 1",
		"--mode block --inflight 2",
		"--mode block --log x",
		"--mode block --inflight 1 --log 1",
		"--mode block --log 0 --inflight 1",
		"--block-size 4096",
		"--mode block --block-size 511",
		"--mode block --block-size 513",
		"--mode block --block-size 1049088",
		"--mode block --block-size 512x",
		"--mode block --depth 0",
		"--mode block --depth 257",
		"--mode block --pattern zigzag",
		"--mode block --backend ,",
		"--mode block --backend abcdefghijklmnop",
		"--mode block --verify",
		"--mode block --verify --backend ram --direction write",
		"--nonsense",
		"nonsense",
		"--packet-size 9000 --queue-size 4",
	};
	struct perf_options options;
	char many[512] = "--packet-size 64";
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(lines); i++)
		if (parse(&options, lines[i]) != -EINVAL)
			fail_msg("%s was taken", lines[i]);
	for (i = 0; i < PERF_SIZES_MAX; i++)
		strcat(many, ",64");
	assert_int_equal(parse(&options, many), -EINVAL);
	/* Buffers that hold a packet each need no more than one. */
	assert_int_equal(parse(&options, "--packet-size 9000 --queue-size 4 --mergeable 0"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(defaults), cmocka_unit_test(every_option),
		cmocka_unit_test(sizes),    cmocka_unit_test(directions_have_flows),
		cmocka_unit_test(block),    cmocka_unit_test(what_is_wrong_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
