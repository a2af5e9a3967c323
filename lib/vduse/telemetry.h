/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * DPDK telemetry of devices, for the endpoints of lib/vduse and of the device types. See
 * core/telemetry.c. An endpoint that returns a negative errno answers null.
 * Thread: those of DPDK's telemetry, unless a function says otherwise.
 */
#ifndef VDUSE_TELEMETRY_H
#define VDUSE_TELEMETRY_H

#include <stdint.h>

#include <compat/telemetry.h>
#include <rte_vduse.h>

/* Most numbers after the name of a device. */
#define VDUSE_TELEMETRY_NUMBERS 2

/* A query for one device, which stays as long as the query is answered. */
struct vduse_telemetry_query {
	struct rte_vduse_dev *dev;
	void *arg;       /* of the device type */
	unsigned int nb; /* numbers that the client gave */
	uint32_t numbers[VDUSE_TELEMETRY_NUMBERS];
	struct rte_tel_data *data; /* the answer */
};

typedef int (*vduse_telemetry_answer_t)(const struct vduse_telemetry_query *query);

/*
 * Answers a query for a device. params: "NAME[,NUMBER...]", of the client, or NULL; NAME may also be
 * the device's path. ops: only devices of this type; NULL: of any. most: numbers that are allowed.
 * Returns what answer returns; -EINVAL: wrong parameters; -ENODEV: no such device.
 */
int
vduse_telemetry_answer(const char *params, const struct rte_vduse_dev_ops *ops, unsigned int most,
		       struct rte_tel_data *data, vduse_telemetry_answer_t answer);

/*
 * A device begins and ceases to be shown. After remove returns, no query uses it. Removing a device
 * that was not added does nothing. Thread: the application's, not control.
 */
void
vduse_telemetry_add(struct rte_vduse_dev *dev);
void
vduse_telemetry_remove(struct rte_vduse_dev *dev);

/* Adds a number in hexadecimal to a dictionary; name NULL: to a list of strings. */
int
vduse_telemetry_hex(struct rte_tel_data *data, const char *name, uint64_t value);

/*
 * Adds a list to a dictionary. NULL: no memory. Lists of dictionaries are not possible: DPDK 22.11
 * nests lists of numbers and of strings only.
 */
struct rte_tel_data *
vduse_telemetry_list(struct rte_tel_data *data, const char *name, enum rte_tel_value_type type);

/* The names of the devices, from a number on, at most so many. Returns the number of devices. */
unsigned int
vduse_telemetry_names(struct rte_tel_data *list, unsigned int from, unsigned int most);

/* Reads a number and what follows: the end, or a comma. Returns the rest; NULL: it is no number. */
const char *
vduse_telemetry_number(const char *text, uint32_t *number);

#endif /* VDUSE_TELEMETRY_H */
