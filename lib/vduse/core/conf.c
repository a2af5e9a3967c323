/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Structures of applications that were compiled with another release. See conf.h.
 * Input: a structure and its size. Output: a copy of the size that the reader knows.
 * Thread: any.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_common.h>

#include <vduse/conf.h>
#include <vduse/core/log.h>
#include <rte_vduse.h>

/* How each of them begins, in every release. */
struct conf_head {
	size_t size;
	const char *path;
};

/* No structure grows to this: a larger size was never set, and what is there is not read. */
#define CONF_SIZE_MAX 4096

/* The device, for the log. A caller that forgot the size has the rest all the same. */
static const char *
conf_name(const struct conf_head *head)
{
	const char *name;

	if ((head->size != 0 && head->size < sizeof(*head)) || head->size > CONF_SIZE_MAX ||
	    head->path == NULL)
		return "(no path)";
	name = rte_vduse_path_name(head->path);
	return name != NULL ? name : head->path;
}

static bool
conf_is_zero(const uint8_t *from, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++)
		if (from[i] != 0)
			return false;
	return true;
}

int
vduse_conf_take(void *conf, size_t known, size_t first, const void *from)
{
	const struct conf_head *head = from;
	size_t size = head->size;

	if (size < first) {
		VDUSE_LOG(dev, ERR, conf_name(head),
			  "its configuration has size %zu, at least %zu are needed: set size to "
			  "sizeof() of the structure",
			  size, first);
		return -EINVAL;
	}
	if (size > CONF_SIZE_MAX ||
	    (size > known && !conf_is_zero((const uint8_t *)from + known, size - known))) {
		VDUSE_LOG(dev, ERR, conf_name(head),
			  "its configuration has size %zu, and fields beyond the %zu bytes that "
			  "this library knows are set: leave them 0 or use a newer library",
			  size, known);
		return -E2BIG;
	}
	memset(conf, 0, known);
	memcpy(conf, from, RTE_MIN(size, known));
	((struct conf_head *)conf)->size = known;
	return 0;
}

void
vduse_conf_give(void *to, size_t size, const void *from, size_t known)
{
	size_t len = RTE_MIN(size, known);

	memcpy(to, from, len);
	memset((uint8_t *)to + len, 0, size - len);
}
