/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The arguments that dpdk-vduse-blk gives to EAL.
 * Input: command lines, affinity masks, a folder as in sysfs. Output: argument vectors.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_common.h>

#include "eal_args.h"
#include "unit.h"

#define ARGS_MAX 32

static char sysfs[] = "/tmp/unit-eal-XXXXXX";

struct row {
	const char *given; /* separated by spaces */
	unsigned int processors;
	bool huge;
	const char *made; /* NULL: refused */
};

static const struct row rows[] = {
	{ "--device d", 4, true, "--lcores 0@0,1@3 --no-pci --in-memory -m 128 -- --device d" },
	{ "--device d", 1, true, "--lcores 0@0,1@0 --no-pci --in-memory -m 128 -- --device d" },
	{ "--device d", 2, false,
	  "--lcores 0@0,1@1 --no-pci --no-shconf --no-huge --iova-mode=va -m 1024 -- --device d" },
	{ "--workers 3 x", 4, true,
	  "--lcores 0@0,1@1,2@2,3@3 --no-pci --in-memory -m 128 -- --workers 3 x" },
	{ "--workers=2", 2, true,
	  "--lcores 0@0,1@0,2@1 --no-pci --in-memory -m 128 -- --workers=2" },
	{ "--workers 3", 2, true, NULL },
	{ "--workers 0", 2, true, NULL },
	{ "--workers", 2, true, NULL },
	{ "-l 0,1 --no-pci --in-memory -m 64 -- -v", 1, false,
	  "-l 0,1 --no-pci --in-memory -m 64 -- -v" },
	{ "-l0,1 -m64 -- -v", 1, true, "-l0,1 -m64 --no-pci --in-memory -- -v" },
	{ "--file-prefix=a -a 1:0 -- x", 1, true, "--file-prefix=a -a 1:0 --lcores 0@0,1@0 -- x" },
	{ "--no-huge -m 64 -- x", 1, true,
	  "--no-huge -m 64 --lcores 0@0,1@0 --no-pci --no-shconf -- x" },
	{ "-v -- x", 2, true, "-v --lcores 0@0,1@1 --no-pci --in-memory -m 128 -- x" },
};

static int
split(char *text, char **argv)
{
	char *save = NULL, *word;
	int argc = 0;

	argv[argc++] = text;
	for (word = strtok_r(text, " ", &save); word != NULL; word = strtok_r(NULL, " ", &save))
		argv[argc++] = word;
	return argc;
}

static void
free_pages(bool huge)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/hugepages-2048kB/free_hugepages", sysfs);
	file = fopen(path, "w");
	assert_non_null(file);
	fprintf(file, "%d\n", huge ? 64 : 63);
	fclose(file);
}

static void
check_row(const struct row *row)
{
	char given[256], made[512] = "", *argv[ARGS_MAX];
	struct app_eal_args args;
	unsigned int cpu;
	cpu_set_t mask;
	int argc, ret, i;

	snprintf(given, sizeof(given), "%s", row->given);
	argc = split(given, argv);
	CPU_ZERO(&mask);
	for (cpu = 0; cpu < row->processors; cpu++)
		CPU_SET(cpu, &mask);
	free_pages(row->huge);
	ret = app_eal_args_make(argc, argv, &mask, sysfs, &args);
	assert_int_equal(ret, row->made == NULL ? -EINVAL : 0);
	if (row->made == NULL)
		return;
	for (i = 1; i < args.argc; i++) {
		strcat(made, i > 1 ? " " : "");
		strcat(made, args.argv[i]);
	}
	assert_string_equal(made, row->made);
	assert_null(args.argv[args.argc]);
	app_eal_args_free(&args);
}

static void
made_as_expected(void **state)
{
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(rows); i++)
		check_row(&rows[i]);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(made_as_expected) };
	char folder[64], path[128];
	int failed;

	if (mkdtemp(sysfs) == NULL)
		return EXIT_FAILURE;
	snprintf(folder, sizeof(folder), "%s/hugepages-2048kB", sysfs);
	snprintf(path, sizeof(path), "%s/free_hugepages", folder);
	if (mkdir(folder, 0700) < 0)
		return EXIT_FAILURE;
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	(void)rmdir(folder);
	(void)rmdir(sysfs);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
