/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Chooses arguments for EAL, so that the program starts without any: lcores from the affinity mask,
 * memory from free huge pages or, without them, ordinary memory. See eal_args.h.
 * Input: the command line, the mask, sysfs. Output: an argument vector. Thread: main.
 */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "eal_args.h"

/* Megabytes. Without huge pages they are only reserved until they are used. */
#define EAL_HUGE_MB    "128"
#define EAL_NO_HUGE_MB "1024"
#define EAL_HUGE_BYTES (128ull << 20)

/* Whether an argument is this option, alone or with a value: --name=value, -lVALUE. */
static bool
eal_is_option(const char *arg, const char *option)
{
	size_t len = strlen(option);

	if (strncmp(arg, option, len) != 0)
		return false;
	return option[1] != '-' || arg[len] == '\0' || arg[len] == '=';
}

/* Whether one of the options, separated by spaces, is among EAL's arguments. */
static bool
eal_has(int nb, char **argv, const char *const *options)
{
	int i;

	for (i = 1; i < nb; i++) {
		const char *const *option;

		for (option = options; *option != NULL; option++)
			if (eal_is_option(argv[i], *option))
				return true;
	}
	return false;
}

static unsigned long long
eal_free_bytes(const char *folder, const char *name)
{
	unsigned long long kb, nb = 0;
	char path[PATH_MAX];
	FILE *file;

	if (sscanf(name, "hugepages-%llukB", &kb) != 1)
		return 0;
	snprintf(path, sizeof(path), "%s/%s/free_hugepages", folder, name);
	file = fopen(path, "r");
	if (file == NULL)
		return 0;
	if (fscanf(file, "%llu", &nb) != 1)
		nb = 0;
	fclose(file);
	return nb * kb * 1024;
}

static bool
eal_huge_pages(const char *folder)
{
	unsigned long long most = 0;
	const struct dirent *entry;
	DIR *dir = opendir(folder);

	if (dir == NULL)
		return false;
	while ((entry = readdir(dir)) != NULL) {
		unsigned long long bytes = eal_free_bytes(folder, entry->d_name);

		most = bytes > most ? bytes : most;
	}
	closedir(dir);
	return most >= EAL_HUGE_BYTES;
}

/* The value of --workers among the program's own arguments; 1 if it is not given. */
static int
eal_workers(int first, int argc, char **argv)
{
	const char *text = "1";
	char *end;
	long nb;
	int i;

	for (i = first; i < argc; i++) {
		if (!eal_is_option(argv[i], "--workers"))
			continue;
		if (argv[i][strlen("--workers")] == '=')
			text = argv[i] + strlen("--workers=");
		else
			text = i + 1 < argc ? argv[++i] : "";
	}
	nb = strtol(text, &end, 10);
	if (end == text || *end != '\0' || nb < 1 || nb > CPU_SETSIZE) {
		fprintf(stderr, "dpdk-vduse-blk: --workers %s: use a number from 1\n", text);
		return -EINVAL;
	}
	return (int)nb;
}

/*
 * The main lcore sleeps, so it shares the first processor with a worker if there is no other one;
 * otherwise workers use the last processors of the mask.
 */
static int
eal_lcores(int workers, const cpu_set_t *mask, char *text, size_t size)
{
	int nb = CPU_COUNT(mask), cpu, index = 0, lcore = 1;
	size_t len = 0;

	if (workers > nb) {
		fprintf(stderr,
			"dpdk-vduse-blk: --workers %d: this process may use %d processors\n",
			workers, nb);
		return -EINVAL;
	}
	for (cpu = 0; cpu < CPU_SETSIZE && len < size; cpu++) {
		if (!CPU_ISSET(cpu, mask))
			continue;
		if (index == 0)
			len += (size_t)snprintf(text + len, size - len, "0@%d", cpu);
		if (index++ >= nb - workers && len < size)
			len += (size_t)snprintf(text + len, size - len, ",%d@%d", lcore++, cpu);
	}
	if (len < size)
		return 0;
	fprintf(stderr, "dpdk-vduse-blk: --workers %d: too many: use --lcores\n", workers);
	return -EINVAL;
}

static void
eal_add(struct app_eal_args *args, const char *text)
{
	args->argv[args->argc++] = (char *)(uintptr_t)text;
}

/* EAL refuses --in-memory with --no-huge: --no-shconf lets several processes run as well. */
static void
eal_add_memory(struct app_eal_args *args, int nb, char **argv, const char *hugepages)
{
	static const char *const places[] = { "--in-memory", "--file-prefix", "--proc-type",
					      "--huge-dir",  "--no-shconf",   NULL };
	static const char *const sizes[] = { "-m",          "--socket-mem",  "--no-huge",
					     "--huge-dir",  "--legacy-mem",  "--in-memory",
					     "--proc-type", "--file-prefix", NULL };
	static const char *const legacy[] = { "--no-huge", "--legacy-mem", NULL };
	bool sized = eal_has(nb, argv, sizes);

	args->no_huge = !sized && !eal_huge_pages(hugepages);
	if (!eal_has(nb, argv, places))
		eal_add(args,
			args->no_huge || eal_has(nb, argv, legacy) ? "--no-shconf" : "--in-memory");
	if (sized)
		return;
	if (args->no_huge) {
		eal_add(args, "--no-huge");
		eal_add(args, "--iova-mode=va");
	}
	eal_add(args, "-m");
	eal_add(args, args->no_huge ? EAL_NO_HUGE_MB : EAL_HUGE_MB);
}

int
app_eal_args_make(int argc, char **argv, const cpu_set_t *mask, const char *hugepages,
		  struct app_eal_args *args)
{
	static const char *const lcores[] = { "-l", "-c", "--lcores", NULL };
	static const char *const devices[] = { "-a",     "-b",       "--allow", "--block",
					       "--vdev", "--no-pci", NULL };
	int nb = 1, own = 1, workers, i, ret = 0;

	for (i = 1; i < argc && own == 1; i++) {
		if (strcmp(argv[i], "--") != 0)
			continue;
		nb = i;
		own = i + 1;
	}
	workers = eal_workers(own, argc, argv);
	if (workers < 0)
		return workers;
	*args = (struct app_eal_args){ 0 };
	args->argv = calloc((size_t)argc + APP_EAL_ADDED, sizeof(args->argv[0]));
	if (args->argv == NULL)
		return -ENOMEM;
	for (i = 0; i < nb; i++)
		eal_add(args, argv[i]);
	if (!eal_has(nb, argv, lcores)) {
		ret = eal_lcores(workers, mask, args->text, sizeof(args->text));
		eal_add(args, "--lcores");
		eal_add(args, args->text);
	}
	if (!eal_has(nb, argv, devices))
		eal_add(args, "--no-pci");
	eal_add_memory(args, nb, argv, hugepages);
	eal_add(args, "--");
	for (i = own; i < argc; i++)
		eal_add(args, argv[i]);
	if (ret < 0)
		app_eal_args_free(args);
	return ret;
}

void
app_eal_args_free(struct app_eal_args *args)
{
	free(args->argv);
	args->argv = NULL;
}
