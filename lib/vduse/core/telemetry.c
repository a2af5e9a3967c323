/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The devices that telemetry shows: those that are started. DPDK runs a thread for each client of
 * telemetry. A mutex guards the list and is held while a query is answered, so that a device that is
 * being stopped stays until the answer is made. Neither the control thread nor a poller ever takes
 * it: starting and stopping a device, on threads of the application, may wait for it, for the time
 * of an answer. State that belongs to the control thread is copied there by a short
 * call: see telemetry_dev.c. A list without such calls would have to make that state atomic, tables
 * of regions included. Counters are atomic and read directly.
 * Input: queries, devices that start and stop. Output: answers. Thread: as telemetry.h says.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vduse/core/device.h>
#include <vduse/telemetry.h>

static struct {
	pthread_mutex_t lock;
	TAILQ_HEAD(, rte_vduse_dev) devices;
} telemetry = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.devices = TAILQ_HEAD_INITIALIZER(telemetry.devices),
};

void
vduse_telemetry_add(struct rte_vduse_dev *dev)
{
	pthread_mutex_lock(&telemetry.lock);
	TAILQ_INSERT_TAIL(&telemetry.devices, dev, next_shown);
	pthread_mutex_unlock(&telemetry.lock);
}

void
vduse_telemetry_remove(struct rte_vduse_dev *dev)
{
	struct rte_vduse_dev *other;

	pthread_mutex_lock(&telemetry.lock);
	TAILQ_FOREACH(other, &telemetry.devices, next_shown) {
		if (other != dev)
			continue;
		TAILQ_REMOVE(&telemetry.devices, dev, next_shown);
		break;
	}
	pthread_mutex_unlock(&telemetry.lock);
}

const char *
vduse_telemetry_number(const char *text, uint32_t *number)
{
	unsigned long value;
	char *end;

	/* strtoul() would accept a sign and spaces. */
	if (!isdigit((unsigned char)*text))
		return NULL;
	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno != 0 || value > UINT32_MAX || (*end != '\0' && *end != ','))
		return NULL;
	*number = (uint32_t)value;
	return end;
}

/* Length of a name if the parameters begin with it, else 0. */
static size_t
telemetry_match(const char *params, const char *name)
{
	size_t len = strlen(name);

	if (strncmp(params, name, len) != 0 || (params[len] != '\0' && params[len] != ','))
		return 0;
	return len;
}

/* The device that the parameters name, and the length of that. A name may have a comma: the longest. */
static struct rte_vduse_dev *
telemetry_find(const char *params, const struct rte_vduse_dev_ops *ops, size_t *len)
{
	struct rte_vduse_dev *dev, *found = NULL;

	*len = 0;
	TAILQ_FOREACH(dev, &telemetry.devices, next_shown) {
		size_t name = telemetry_match(params, dev->name);
		size_t path = telemetry_match(params, dev->path);

		if ((ops != NULL && dev->ops != ops) || RTE_MAX(name, path) <= *len)
			continue;
		*len = RTE_MAX(name, path);
		found = dev;
	}
	return found;
}

int
vduse_telemetry_answer(const char *params, const struct rte_vduse_dev_ops *ops, unsigned int most,
		       struct rte_tel_data *data, vduse_telemetry_answer_t answer)
{
	struct vduse_telemetry_query query = { .data = data };
	const char *rest;
	size_t len;
	int ret = 0;

	if (params == NULL)
		return -EINVAL;
	pthread_mutex_lock(&telemetry.lock);
	query.dev = telemetry_find(params, ops, &len);
	if (query.dev == NULL) {
		pthread_mutex_unlock(&telemetry.lock);
		return -ENODEV;
	}
	query.arg = query.dev->arg;
	for (rest = params + len; ret == 0 && *rest != '\0';) {
		rest = query.nb < most ? vduse_telemetry_number(rest + 1, &query.numbers[query.nb])
				       : NULL;
		query.nb++;
		if (rest == NULL) {
			ret = -EINVAL;
			break;
		}
	}
	if (ret == 0)
		ret = answer(&query);
	pthread_mutex_unlock(&telemetry.lock);
	return ret;
}

int
vduse_telemetry_hex(struct rte_tel_data *data, const char *name, uint64_t value)
{
	char text[24];

	snprintf(text, sizeof(text), "0x%" PRIx64, value);
	return name != NULL ? rte_tel_data_add_dict_string(data, name, text)
			    : rte_tel_data_add_array_string(data, text);
}

struct rte_tel_data *
vduse_telemetry_list(struct rte_tel_data *data, const char *name, enum rte_tel_value_type type)
{
	struct rte_tel_data *list = rte_tel_data_alloc();

	if (list == NULL)
		return NULL;
	if (rte_tel_data_start_array(list, type) < 0 ||
	    rte_tel_data_add_dict_container(data, name, list, 0) < 0) {
		rte_tel_data_free(list);
		return NULL;
	}
	return list;
}

unsigned int
vduse_telemetry_names(struct rte_tel_data *list, unsigned int from, unsigned int most)
{
	const struct rte_vduse_dev *dev;
	unsigned int nb = 0;

	pthread_mutex_lock(&telemetry.lock);
	TAILQ_FOREACH(dev, &telemetry.devices, next_shown) {
		if (nb >= from && nb - from < most)
			(void)rte_tel_data_add_array_string(list, dev->name);
		nb++;
	}
	pthread_mutex_unlock(&telemetry.lock);
	return nb;
}
