/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Finds processes by DPDK's telemetry sockets.
 * Input: paths, file prefixes, the folder of DPDK's files. Output: processes. Thread: main, those of HTTP.
 */
#include <errno.h>
#include <glob.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "exporter.h"

#define TARGETS_SOCKET "dpdk_telemetry.v2"

/* As EAL does. */
const char *
targets_runtime_dir(void)
{
	const char *dir = getenv("RUNTIME_DIRECTORY");

	if (dir != NULL && dir[0] != '\0')
		return dir;
	if (getuid() == 0)
		return "/var/run";
	dir = getenv("XDG_RUNTIME_DIR");
	return dir != NULL && dir[0] != '\0' ? dir : "/tmp";
}

/* Whether a process has this label or socket. */
static bool
targets_has(const struct targets *targets, const char *text)
{
	size_t i;

	for (i = 0; i < targets->nb; i++)
		if (strcmp(targets->list[i].label, text) == 0 ||
		    strcmp(targets->list[i].path, text) == 0)
			return true;
	return false;
}

/*
 * The label: PREFIX of .../PREFIX/dpdk_telemetry.v2, with ":N" for the process N of a prefix; otherwise,
 * or if another process has that label, the path.
 */
static void
targets_label(const struct targets *targets, struct target *target)
{
	const char *name = strrchr(target->path, '/'), *dir = name;
	const char *number;

	strcpy(target->label, target->path);
	if (name == NULL || strncmp(name + 1, TARGETS_SOCKET, strlen(TARGETS_SOCKET)) != 0)
		return;
	number = name + 1 + strlen(TARGETS_SOCKET);
	while (dir > target->path && dir[-1] != '/')
		dir--;
	if (dir == name || (*number != '\0' && *number != ':'))
		return;
	snprintf(target->label, sizeof(target->label), "%.*s%s", (int)(name - dir), dir, number);
	if (targets_has(targets, target->label))
		strcpy(target->label, target->path);
}

int
targets_add_path(struct targets *targets, const char *path)
{
	struct target target = { 0 };
	json_t *text;

	if (targets->nb == TARGETS_MAX)
		return -ENOSPC;
	if (path[0] == '\0' || strlen(path) >= sizeof(target.path))
		return -ENAMETOOLONG;
	/* Labels are UTF-8. */
	text = json_string(path);
	if (text == NULL)
		return -EILSEQ;
	json_decref(text);
	strcpy(target.path, path);
	if (targets_has(targets, path))
		return -EEXIST;
	targets_label(targets, &target);
	targets->list[targets->nb++] = target;
	return 0;
}

int
targets_add_prefix(struct targets *targets, const char *runtime_dir, const char *prefix)
{
	char path[sizeof(targets->list[0].path)];
	int len;

	if (prefix[0] == '\0' || strchr(prefix, '/') != NULL)
		return -EINVAL;
	len = snprintf(path, sizeof(path), "%s/dpdk/%s/" TARGETS_SOCKET, runtime_dir, prefix);
	return len < (int)sizeof(path) ? targets_add_path(targets, path) : -ENAMETOOLONG;
}

void
targets_find(struct targets *targets, const char *runtime_dir)
{
	char pattern[512];
	glob_t found;
	size_t i;

	if (snprintf(pattern, sizeof(pattern), "%s/dpdk/*/" TARGETS_SOCKET "*", runtime_dir) >=
	    (int)sizeof(pattern))
		return;
	if (glob(pattern, 0, NULL, &found) != 0)
		return;
	for (i = 0; i < found.gl_pathc; i++)
		if (targets_add_path(targets, found.gl_pathv[i]) == 0)
			targets->list[targets->nb - 1].found = true;
	globfree(&found);
}
