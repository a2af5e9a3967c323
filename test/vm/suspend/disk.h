/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The requests of a disk, which show whether each was done once, and in which order. */
#ifndef SUSPEND_DISK_H
#define SUSPEND_DISK_H

#include "load.h"

/* Ids, each with sectors of its own at the beginning of the disk. */
#define DISK_IDS     (RING_SIZE / LOAD_PARTS)
#define DISK_SECTORS 16

extern const struct load_ops disk_ops;

/* From now on reads every sector once, and no more than that. */
void
disk_read_back(void);

/* The requests of each kind that the device did. */
void
disk_report(void);

#endif
