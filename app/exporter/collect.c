/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Reads the devices of processes, each in a thread, within TARGET_TIMEOUT_MS.
 * Input: telemetry of processes, which may answer anything. Output: the devices of each process; a
 * process whose answers are not complete is down. Thread: those of HTTP; one for each process.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "exporter.h"

/* Most queries for the regions of one device. */
#define COLLECT_PAGES 64

static void
collect_device_free(struct device *device)
{
	json_decref(device->info);
	json_decref(device->vqs);
	json_decref(device->queues);
	json_decref(device->histogram);
}

static void
collect_target_free(struct target *target)
{
	size_t i;

	for (i = 0; i < target->nb_devices; i++)
		collect_device_free(&target->devices[i]);
	free(target->devices);
	target->devices = NULL;
	target->nb_devices = 0;
}

static json_int_t
collect_number(const json_t *object, const char *field)
{
	return json_integer_value(json_object_get(object, field));
}

/* Asks about one device: NAME[,NUMBER[,NUMBER]]. */
static json_t *
collect_ask(struct telemetry *telemetry, const char *endpoint, const char *name, int first,
	    int second)
{
	char params[512], numbers[32] = "";

	if (first >= 0)
		snprintf(numbers, sizeof(numbers), ",%d", first);
	if (second >= 0)
		snprintf(numbers, sizeof(numbers), ",%d,%d", first, second);
	if (snprintf(params, sizeof(params), "%s%s", name, numbers) >= (int)sizeof(params))
		return NULL;
	return telemetry_ask(telemetry, endpoint, params);
}

/* Adds up the driver memory of one address space, page by page. Returns the number of queries. */
static int
collect_mapped(struct telemetry *telemetry, const char *name, int space, int most, uint64_t *bytes)
{
	json_t *answer, *sizes, *size;
	int from = 0, pages;
	bool last = false;
	size_t i;

	for (pages = 0; pages < most && !last; pages++) {
		answer = collect_ask(telemetry, "/vduse/iotlb", name, space, from);
		sizes = json_object_get(answer, "size");
		json_array_foreach(sizes, i, size) *bytes += (uint64_t)json_integer_value(size);
		from += (int)json_array_size(sizes);
		last = json_array_size(sizes) == 0 || collect_number(answer, "regions") <= from;
		json_decref(answer);
	}
	return pages;
}

static void
collect_memory(struct telemetry *telemetry, const char *name, json_t *info)
{
	json_int_t spaces = collect_number(info, "address_spaces"), i;
	int left = COLLECT_PAGES;
	uint64_t bytes = 0;

	for (i = 0; i < spaces && left > 0; i++)
		left -= collect_mapped(telemetry, name, (int)i, left, &bytes);
	json_object_set_new(info, "mapped_bytes", json_integer((json_int_t)bytes));
}

/* The counters of each queue; number is the field of an answer with their number. */
static json_t *
collect_queues(struct telemetry *telemetry, const char *endpoint, const char *name,
	       const char *number)
{
	json_t *queues = exporter_memory(json_array()), *answer;
	json_int_t nb = 1, i;

	for (i = 0; i < nb; i++) {
		answer = collect_ask(telemetry, endpoint, name, (int)i, -1);
		if (answer == NULL)
			break;
		if (i == 0)
			nb = collect_number(answer, number);
		if (nb > QUEUES_MAX)
			nb = QUEUES_MAX;
		json_array_append_new(queues, answer);
	}
	return queues;
}

/* Returns whether the device is there and could be read. */
static bool
collect_device(struct telemetry *telemetry, const char *name, struct device *device)
{
	const char *type, *shown;

	*device = (struct device){ .info = collect_ask(telemetry, "/vduse/info", name, -1, -1) };
	shown = json_string_value(json_object_get(device->info, "name"));
	type = json_string_value(json_object_get(device->info, "type"));
	/* Another name: the query found a device by its path. */
	if (shown == NULL || type == NULL || strcmp(shown, name) != 0) {
		collect_device_free(device);
		return false;
	}
	device->vqs = collect_ask(telemetry, "/vduse/vq", name, -1, -1);
	collect_memory(telemetry, name, device->info);
	if (strcmp(type, "block") == 0) {
		device->block = true;
		device->queues = collect_queues(telemetry, "/vduse/blk", name, "queues");
		device->histogram = collect_ask(telemetry, "/vduse/blk_histogram", name, -1, -1);
		json_object_set(device->info, "sectors",
				json_object_get(json_array_get(device->queues, 0), "sectors"));
	} else if (strcmp(type, "net") == 0) {
		device->queues = collect_queues(telemetry, "/vduse/net", name, "pairs");
	}
	return true;
}

static void
collect_devices(struct telemetry *telemetry, const json_t *names, json_t *seen,
		struct target *target)
{
	struct device device;
	const char *text;
	json_t *name;
	size_t i;

	json_array_foreach(names, i, name)
	{
		text = json_string_value(name);
		/* Of devices with the same name, telemetry answers for one. */
		if (text == NULL || json_object_get(seen, text) != NULL ||
		    target->nb_devices == DEVICES_MAX || telemetry->error != NULL)
			continue;
		json_object_set_new(seen, text, json_true());
		if (collect_device(telemetry, text, &device))
			target->devices[target->nb_devices++] = device;
	}
}

static void
collect_pages(struct telemetry *telemetry, struct target *target)
{
	json_t *seen = exporter_memory(json_object()), *answer;
	char from[16];
	size_t nb = 0, page;
	json_int_t devices;

	target->devices = exporter_memory(calloc(DEVICES_MAX, sizeof(target->devices[0])));
	do {
		snprintf(from, sizeof(from), "%zu", nb);
		answer = telemetry_ask(telemetry, "/vduse/list", from);
		target->other = answer == NULL && telemetry->error == NULL && nb == 0;
		devices = collect_number(answer, "devices");
		page = json_array_size(json_object_get(answer, "names"));
		collect_devices(telemetry, json_object_get(answer, "names"), seen, target);
		json_decref(answer);
		nb += page;
	} while (page > 0 && devices > (json_int_t)nb && nb < DEVICES_MAX);
	json_decref(seen);
}

static void *
collect_target(void *arg)
{
	struct target *target = arg;
	struct telemetry telemetry;

	if (telemetry_open(&telemetry, target->path, exporter_ms() + TARGET_TIMEOUT_MS) == 0)
		collect_pages(&telemetry, target);
	telemetry_close(&telemetry);
	target->error = target->other ? "it has no endpoints of dpdk-vduse" : telemetry.error;
	target->up = target->error == NULL;
	target->refused = telemetry.refused;
	if (!target->up)
		collect_target_free(target);
	return NULL;
}

void
collect(struct targets *targets)
{
	pthread_t threads[TARGETS_MAX];
	bool runs[TARGETS_MAX];
	size_t i;

	for (i = 0; i < targets->nb; i++)
		runs[i] = pthread_create(&threads[i], NULL, collect_target, &targets->list[i]) == 0;
	for (i = 0; i < targets->nb; i++)
		if (runs[i])
			pthread_join(threads[i], NULL);
}

void
collect_free(struct targets *targets)
{
	size_t i;

	for (i = 0; i < targets->nb; i++)
		collect_target_free(&targets->list[i]);
}
