/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Which paths are ours. */
#ifndef VHOST_PATH_H
#define VHOST_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include <rte_vduse.h>

/* All below the folder, malformed names too: no socket belongs there. */
static inline bool
vhost_path_is_ours(const char *path)
{
	return path != NULL && strncmp(path, RTE_VDUSE_PATH, sizeof(RTE_VDUSE_PATH) - 1) == 0;
}

#endif /* VHOST_PATH_H */
