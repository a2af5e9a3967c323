/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A device that moves from one process to another, inside lib/vduse: see rte_vduse_handover.h and
 * record.h. give.c is the process that has it, take.c the one that gets it.
 */
#ifndef VDUSE_HANDOVER_H
#define VDUSE_HANDOVER_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_vduse_handover.h>

#include <vduse/handover/record.h>

#define VDUSE_HANDOVER_MS_MAX 600000u

struct rte_vduse_dev;
struct rte_vduse_dev_conf;

/* In the process that has the device; in dev->giving meanwhile. */
struct vduse_giving {
	uint64_t end; /* of the step, in timer cycles */
	unsigned int ms;
	bool holds;  /* the driver's messages wait, and the virtqueues run; control thread */
	bool paused; /* the control thread does not serve the device; control thread */
	struct vduse_records records; /* of the step */
};

/* In the process that gets the device; in dev->from until it is started. */
struct rte_vduse_handover {
	int socket;
	unsigned int ms;
	struct vduse_record_hello hello;
	int state_fd;  /* state file, locked; -1: none, or taken */
	int device_fd; /* of a device in the kernel; -1: none, or taken */
	int listener; /* vhost-user: closed, and not shut down, unless the device is ours; -1: none */
	int client;   /* the same */
	struct vduse_record record; /* being handled */
};

/* take.c: -EINVAL, with a log line, if the time of a step is out of range: 0 would be no end. */
int
vduse_handover_check_ms(const char *name, unsigned int ms);
/* take.c: whether a device with that configuration may be created from a handover; one log line. */
int
vduse_take_check(const struct rte_vduse_handover *from, const char *name,
		 const struct rte_vduse_dev_conf *conf);
/* take.c: -EEXIST, with a log line: the driver has features that this process cannot serve. */
int
vduse_take_no_features(const char *name, uint64_t features);
/*
 * take.c: receives what the driver set up, maps its memory, and waits until the device is ours. 0, or
 * a negative errno with a log line: the other process serves on.
 */
int
vduse_take(struct rte_vduse_dev *dev);

#endif /* VDUSE_HANDOVER_H */
