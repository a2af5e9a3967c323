/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Whether this kernel uses the disk of a VDUSE device: mounted, as swap, or held by another block
 * device.
 * Input: /sys and /proc. Output: what uses it. Mounts of other mount namespaces are not seen.
 * Thread: the client's.
 */
#include <errno.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "control.h"

/* A disk or a partition. */
struct usage_disk {
	const char *root;
	const char *folder; /* of sysfs */
	const char *name;   /* such as vda1 */
	char number[32];    /* major:minor */
};

static bool
usage_is_disk(const struct usage_disk *disk, const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash != NULL && strncmp(path, "/dev/", 5) == 0 &&
	       strcmp(slash + 1, disk->name) == 0;
}

/* A file system on several disks has a number of its own, and names one of them as its source. */
static bool
usage_mount(const struct usage_disk *disk, char *line, char *where, size_t size)
{
	char number[32], point[PATH_MAX], source[PATH_MAX];
	const char *rest = strstr(line, " - ");

	if (sscanf(line, "%*s %*s %31s %*s %4095s", number, point) != 2)
		return false;
	if (rest == NULL || sscanf(rest, " - %*s %4095s", source) != 1)
		source[0] = '\0';
	if (strcmp(number, disk->number) != 0 && !usage_is_disk(disk, source))
		return false;
	snprintf(where, size, "mounted at %.100s", point);
	return true;
}

static bool
usage_swap(const struct usage_disk *disk, char *line, char *where, size_t size)
{
	char source[PATH_MAX];

	if (sscanf(line, "%4095s", source) != 1 || !usage_is_disk(disk, source))
		return false;
	snprintf(where, size, "used as swap");
	return true;
}

/* Whether a line of a file says that the disk is used. */
static bool
usage_file(const struct usage_disk *disk, const char *path,
	   bool (*uses)(const struct usage_disk *, char *, char *, size_t), char *where,
	   size_t size)
{
	char file_path[PATH_MAX], *line = NULL;
	size_t room = 0;
	bool used = false;
	FILE *file;

	snprintf(file_path, sizeof(file_path), "%s%s", disk->root, path);
	file = fopen(file_path, "re");
	if (file == NULL)
		return false;
	while (!used && getline(&line, &room, file) >= 0)
		used = uses(disk, line, where, size);
	free(line);
	fclose(file);
	return used;
}

static bool
usage_held(const struct usage_disk *disk, char *where, size_t size)
{
	char pattern[PATH_MAX];
	glob_t found;
	bool used;

	snprintf(pattern, sizeof(pattern), "%s/holders/*", disk->folder);
	used = glob(pattern, 0, NULL, &found) == 0;
	if (used)
		snprintf(where, size, "held by %.100s", strrchr(found.gl_pathv[0], '/') + 1);
	globfree(&found);
	return used;
}

static int
usage_number(struct usage_disk *disk)
{
	char path[PATH_MAX];
	FILE *file;
	int ret;

	snprintf(path, sizeof(path), "%s/dev", disk->folder);
	file = fopen(path, "re");
	if (file == NULL)
		return -errno;
	ret = fscanf(file, "%31s", disk->number) == 1 ? 0 : -EIO;
	fclose(file);
	return ret;
}

static int
usage_disk(struct control_call *call, const char *root, const char *name, const char *folder)
{
	struct usage_disk disk = { .root = root,
				   .folder = folder,
				   .name = strrchr(folder, '/') + 1 };
	char where[128];

	if (usage_number(&disk) < 0)
		return 0; /* no disk, or gone meanwhile */
	if (!usage_file(&disk, "/proc/self/mountinfo", usage_mount, where, sizeof(where)) &&
	    !usage_file(&disk, "/proc/swaps", usage_swap, where, sizeof(where)) &&
	    !usage_held(&disk, where, sizeof(where)))
		return 0;
	return control_fail(call, -EBUSY, "%s: /dev/%s is %s: release it, or use force", name,
			    disk.name, where);
}

int
control_usage(struct control_call *call, const char *root, const char *name)
{
	/* The disk, and its partitions below it. */
	static const char *const patterns[] = { "", "/*" };
	char pattern[PATH_MAX];
	unsigned int i;
	size_t j;
	int ret = 0;

	for (i = 0; i < RTE_DIM(patterns) && ret == 0; i++) {
		glob_t found;

		snprintf(pattern, sizeof(pattern), "%s/sys/bus/vdpa/devices/%s/virtio*/block/*%s",
			 root, name, patterns[i]);
		if (glob(pattern, GLOB_ONLYDIR, NULL, &found) == 0)
			for (j = 0; j < found.gl_pathc && ret == 0; j++)
				ret = usage_disk(call, root, name, found.gl_pathv[j]);
		globfree(&found);
	}
	return ret;
}
