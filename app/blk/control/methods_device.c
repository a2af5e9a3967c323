/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Methods that are about devices. What changes a device claims it first; what only looks does so under
 * the lock of the list.
 * Thread: the client's.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>

#include "../blk_config.h"
#include "control.h"

/* A counter of struct rte_vduse_blk_stats. */
struct device_counter {
	const char *name;
	size_t offset;
};

#define COUNTER(field)                                                                             \
	{                                                                                          \
#field, offsetof(struct rte_vduse_blk_stats, field)                                \
	}

static const struct device_counter counters[] = {
	COUNTER(reads),           COUNTER(writes),       COUNTER(flushes),
	COUNTER(discards),        COUNTER(write_zeroes), COUNTER(secure_erases),
	COUNTER(others),          COUNTER(read_bytes),   COUNTER(written_bytes),
	COUNTER(io_errors),       COUNTER(bad_requests), COUNTER(unsupported),
	COUNTER(bad_descriptors), COUNTER(calls),        COUNTER(calls_suppressed),
	COUNTER(in_flight),       COUNTER(limited),      COUNTER(held),
};

_Static_assert(RTE_DIM(counters) * sizeof(uint64_t) == sizeof(struct rte_vduse_blk_stats),
	       "a counter is missing");

static uint64_t
device_held(const struct rte_vduse_blk *blk)
{
	struct rte_vduse_blk_stats stats;
	uint64_t held = 0;
	uint16_t queue;

	for (queue = 0; queue < rte_vduse_blk_queues(blk); queue++) {
		rte_vduse_blk_stats(blk, queue, &stats, sizeof(stats));
		held += stats.held;
	}
	return held;
}

static void
device_describe(const struct app_device *device, void *arg)
{
	static const char *const states[] = {
		[APP_STARTING] = "starting",
		[APP_SERVING] = "serving",
		[APP_STOPPING] = "stopping",
	};
	const struct blk_devargs *args = &device->args;
	struct rte_vduse_blk *blk = device->blk;
	bool up = blk != NULL && rte_vduse_dev_features(rte_vduse_blk_dev(blk)) != 0;
	uint16_t queues = blk != NULL ? rte_vduse_blk_queues(blk) : args->conf.queues;
	uint64_t sectors = blk != NULL ? rte_vduse_blk_capacity(blk) : 0;
	int error = blk != NULL ? rte_vduse_blk_held(blk) : 0;
	bool held = error != 0 && device->state == APP_SERVING;
	json_t *object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:i, s:I, s:b, s:s}", "name",
				   args->name, "path", args->dev.path, "backend", args->backend,
				   "state", held ? "held" : states[device->state], "driver",
				   up ? "up" : "down", "queues", (int)queues, "capacity_bytes",
				   (json_int_t)(sectors * RTE_VDUSE_BLK_SECTOR), "read_only",
				   (int)args->conf.read_only, "serial", args->serial);

	if (held) {
		json_object_set_new(object, "held_errno", json_integer(error));
		json_object_set_new(object, "held_requests",
				    json_integer((json_int_t)device_held(blk)));
	}
	json_array_append_new(arg, object);
}

static int
device_list(struct control_call *call)
{
	int ret = control_unpack(call, "{}");

	if (ret != 0)
		return ret;
	call->result = json_array();
	if (call->result == NULL)
		return -ENOMEM;
	app_registry_each(call->devices, device_describe, call->result);
	return 0;
}

struct device_sum {
	const char *name;
	json_t *queues; /* NULL: no such device yet */
	struct rte_vduse_blk_stats sum;
};

static json_t *
device_counters(const struct rte_vduse_blk_stats *stats)
{
	json_t *object = json_object();
	uint64_t value;
	unsigned int i;

	for (i = 0; i < RTE_DIM(counters); i++) {
		memcpy(&value, (const char *)stats + counters[i].offset, sizeof(value));
		json_object_set_new(object, counters[i].name, json_integer((json_int_t)value));
	}
	return object;
}

static void
device_add_counters(struct rte_vduse_blk_stats *sum, const struct rte_vduse_blk_stats *stats)
{
	uint64_t *to = (uint64_t *)sum;
	const uint64_t *from = (const uint64_t *)stats;
	unsigned int i;

	for (i = 0; i < RTE_DIM(counters); i++)
		to[i] += from[i];
}

static void
device_count(const struct app_device *device, void *arg)
{
	struct device_sum *sum = arg;
	struct rte_vduse_blk_stats stats;
	uint16_t queue;

	if (strcmp(device->args.name, sum->name) != 0)
		return;
	sum->queues = json_array();
	if (device->blk == NULL)
		return;
	for (queue = 0; queue < rte_vduse_blk_queues(device->blk); queue++) {
		rte_vduse_blk_stats(device->blk, queue, &stats, sizeof(stats));
		device_add_counters(&sum->sum, &stats);
		json_array_append_new(sum->queues, device_counters(&stats));
	}
}

static int
device_missing(struct control_call *call, const char *name, int ret)
{
	switch (ret) {
	case -ENODEV:
		return control_fail(call, ret, "%s: no such device", name);
	case -EBUSY:
		return control_fail(call, ret, "%s: busy: it starts, stops or is resized", name);
	case -ESHUTDOWN:
		return control_fail(call, ret, "the process ends");
	default:
		return ret;
	}
}

int
control_claim(struct control_call *call, const char *name, enum app_state state,
	      struct app_device **device)
{
	int ret = app_registry_claim(call->devices, name, state, device);

	return ret < 0 ? device_missing(call, name, ret) : 0;
}

static int
device_stats(struct control_call *call)
{
	struct device_sum sum = { 0 };
	int ret = control_unpack(call, "{s:s}", "name", &sum.name);

	if (ret != 0)
		return ret;
	app_registry_each(call->devices, device_count, &sum);
	if (sum.queues == NULL)
		return device_missing(call, sum.name, -ENODEV);
	call->result = json_pack("{s:s, s:o, s:o}", "name", sum.name, "queues", sum.queues, "sum",
				 device_counters(&sum.sum));
	return call->result != NULL ? 0 : -ENOMEM;
}

static int
device_add_error(struct control_call *call, int ret)
{
	switch (ret) {
	case -EEXIST:
		return control_fail(call, ret, "a device of this name or path is there already");
	case -ESHUTDOWN:
		return device_missing(call, "", ret);
	case -EPERM:
	case -EINVAL:
		return control_fail(call, ret, "%s: the process's log says which argument",
				    strerror(-ret));
	default:
		return control_fail(call, ret, "%s: the process's log says what failed",
				    strerror(-ret));
	}
}

static int
device_add(struct control_call *call)
{
	struct app_device *device;
	const char *text;
	int ret = control_unpack(call, "{s:s}", "device", &text);

	if (ret != 0)
		return ret;
	ret = app_registry_add(call->devices, text, &device);
	if (ret < 0)
		return device_add_error(call, ret);
	ret = app_user_check(call->devices, &device->args);
	if (ret == 0)
		ret = app_device_start(call->devices, device);
	if (ret < 0) {
		app_registry_remove(call->devices, device);
		return device_add_error(call, ret);
	}
	app_registry_release(call->devices, device, APP_SERVING);
	call->result = json_true();
	return 0;
}

/* The kernel's users of a disk lose their data with it. */
static int
device_may_go(struct control_call *call, const struct app_device *device, bool force)
{
	if (force || device->args.vhost_user)
		return 0;
	return control_usage(call, "", device->args.name);
}

static int
device_remove(struct control_call *call)
{
	struct app_device *device;
	const char *name;
	int force = 0, ret = control_unpack(call, "{s:s, s?b}", "name", &name, "force", &force);

	if (ret != 0)
		return ret;
	ret = control_claim(call, name, APP_STOPPING, &device);
	if (ret < 0)
		return ret;
	ret = device_may_go(call, device, force != 0);
	if (ret == 0) {
		ret = app_device_stop(call->devices, device);
		if (ret < 0)
			control_fail(call, ret,
				     ret == -EBUSY ? "%s: it holds requests, let it go on first"
						   : "%s: the backend does not finish its requests",
				     name);
	}
	if (ret < 0) {
		app_registry_release(call->devices, device, APP_SERVING);
		return ret;
	}
	app_registry_remove(call->devices, device);
	call->result = json_true();
	return 0;
}

static int
device_resize(struct control_call *call)
{
	struct app_device *device;
	const char *name;
	int ret = control_unpack(call, "{s:s}", "name", &name);

	if (ret != 0)
		return ret;
	ret = control_claim(call, name, APP_SERVING, &device);
	if (ret < 0)
		return ret;
	ret = rte_vduse_blk_resize(device->blk);
	if (ret == 0) {
		uint64_t sectors = rte_vduse_blk_capacity(device->blk);

		call->result = json_pack("{s:I}", "capacity_bytes",
					 (json_int_t)(sectors * RTE_VDUSE_BLK_SECTOR));
	}
	app_registry_release(call->devices, device, APP_SERVING);
	return ret == 0 && call->result == NULL ? -ENOMEM : ret;
}

/* 0 is the default and is not written. NULL: no memory. */
static char *
device_limits_text(const char *text, json_int_t iops, json_int_t bps)
{
	char number[24], *half, *text_of_both;

	snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, iops);
	half = blk_config_replace(text, "iops", iops != 0 ? number : NULL);
	if (half == NULL)
		return NULL;
	snprintf(number, sizeof(number), "%" JSON_INTEGER_FORMAT, bps);
	text_of_both = blk_config_replace(half, "bps", bps != 0 ? number : NULL);
	free(half);
	return text_of_both;
}

/* Of a claimed device. */
static int
device_limits_set(struct control_call *call, struct app_device *device, json_int_t iops,
		  json_int_t bps)
{
	const struct rte_vduse_blk_rate_limits limits = {
		.size = sizeof(limits),
		.iops = (uint64_t)iops,
		.bps = (uint64_t)bps,
	};
	char *text = device_limits_text(device->text, iops, bps);
	int ret = text != NULL ? rte_vduse_blk_limits_set(device->blk, &limits) : -ENOMEM;

	if (ret == 0)
		app_registry_set_text(call->devices, device, text, NULL);
	else
		free(text);
	return ret;
}

/* 0, or nothing said: no limit. What is given fits the arguments of a device, too. */
static int
device_limits(struct control_call *call)
{
	json_int_t iops = 0, bps = 0;
	struct app_device *device;
	const char *name;
	int ret =
		control_unpack(call, "{s:s, s?I, s?I}", "name", &name, "iops", &iops, "bps", &bps);

	if (ret != 0)
		return ret;
	if (iops < 0 || bps < 0)
		return control_fail(call, -EINVAL, "iops and bps are 0 or more");
	if ((uint64_t)iops > BLK_DEVARGS_IOPS_MAX)
		return control_fail(call, -EINVAL, "iops is at most %" PRIu64,
				    BLK_DEVARGS_IOPS_MAX);
	ret = control_claim(call, name, APP_SERVING, &device);
	if (ret < 0)
		return ret;
	ret = device_limits_set(call, device, iops, bps);
	app_registry_release(call->devices, device, APP_SERVING);
	call->result = json_true();
	return ret;
}

/* Of a claimed device. */
static int
device_serial_set(struct control_call *call, struct app_device *device, const char *serial)
{
	char *text = blk_config_replace(device->text, "serial", serial);
	int ret = text != NULL ? rte_vduse_blk_serial_set(device->blk, serial) : -ENOMEM;

	if (ret == 0) {
		app_registry_set_text(call->devices, device, text, serial);
		return 0;
	}
	free(text);
	if (ret == -EINVAL)
		control_fail(call, ret,
			     "serial: use 1 to %u printable ASCII characters, no blank at an end",
			     RTE_VDUSE_BLK_SERIAL_MAX);
	return ret;
}

static int
device_serial(struct control_call *call)
{
	struct app_device *device;
	const char *name, *serial;
	int ret = control_unpack(call, "{s:s, s:s}", "name", &name, "serial", &serial);

	if (ret != 0)
		return ret;
	ret = control_claim(call, name, APP_SERVING, &device);
	if (ret < 0)
		return ret;
	ret = device_serial_set(call, device, serial);
	app_registry_release(call->devices, device, APP_SERVING);
	call->result = json_true();
	return ret;
}

static int
device_go_on(struct control_call *call)
{
	struct app_device *device;
	const char *name;
	int ret = control_unpack(call, "{s:s}", "name", &name);

	if (ret != 0)
		return ret;
	ret = control_claim(call, name, APP_SERVING, &device);
	if (ret < 0)
		return ret;
	ret = rte_vduse_blk_go_on(device->blk);
	app_registry_release(call->devices, device, APP_SERVING);
	if (ret < 0)
		return control_fail(call, ret, "%s: it has on-error=stop: start the process again",
				    name);
	call->result = json_true();
	return 0;
}

const struct control_method control_methods_device[] = {
	{ "device.list", device_list },
	{ "device.stats", device_stats },
	{ "device.add", device_add },
	{ "device.remove", device_remove },
	{ "device.resize", device_resize },
	{ "device.limits", device_limits },
	{ "device.go_on", device_go_on },
	{ "device.serial", device_serial },
	{ NULL, NULL },
};
