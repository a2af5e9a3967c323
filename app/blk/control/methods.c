/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Methods that are about the process.
 * Thread: the client's.
 */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_log.h>
#include <rte_version.h>

#include "control.h"

int
control_fail(struct control_call *call, int ret, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(call->error, sizeof(call->error), format, args);
	va_end(args);
	return ret;
}

int
control_unpack(struct control_call *call, const char *format, ...)
{
	json_error_t error;
	va_list args;
	int ret;

	va_start(args, format);
	ret = json_vunpack_ex(call->params, &error, JSON_STRICT, format, args);
	va_end(args);
	return ret == 0 ? 0 : control_fail(call, CONTROL_BAD_PARAMS, "params: %s", error.text);
}

static int
methods_version(struct control_call *call)
{
	int ret = control_unpack(call, "{}");

	if (ret != 0)
		return ret;
	call->result = json_pack("{s:s, s:s, s:s, s:i}", "program", "dpdk-vduse-blk", "version",
				 BLK_VERSION, "dpdk", rte_version(), "pid", (int)getpid());
	return call->result != NULL ? 0 : -ENOMEM;
}

/* A name or a number; 0: neither. */
static uint32_t
methods_level(const json_t *level)
{
	static const char *const names[] = { "",        "emerg",  "alert", "crit", "err",
					     "warning", "notice", "info",  "debug" };
	const char *name = json_string_value(level);
	json_int_t number = json_integer_value(level);
	uint32_t i;

	if (name == NULL)
		return number >= 1 && number < (json_int_t)RTE_DIM(names) ? (uint32_t)number : 0;
	for (i = 1; i < RTE_DIM(names); i++)
		if (strcmp(names[i], name) == 0)
			return i;
	return 0;
}

/* The list of what is set is DPDK's and has no lock of its own. */
static int
methods_log_set(struct control_call *call)
{
	static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
	json_t *json_level;
	const char *type;
	uint32_t level;
	int ret;

	ret = control_unpack(call, "{s:s, s:o}", "type", &type, "level", &json_level);
	if (ret != 0)
		return ret;
	level = methods_level(json_level);
	if (level == 0)
		return control_fail(call, CONTROL_BAD_PARAMS,
				    "level: use emerg, alert, crit, err, warning, notice, info, "
				    "debug, or 1 to 8");
	pthread_mutex_lock(&lock);
	ret = rte_log_set_level_pattern(type, level);
	pthread_mutex_unlock(&lock);
	if (ret < 0)
		return control_fail(call, -EINVAL, "type %s: no pattern of log types", type);
	call->result = json_true();
	return 0;
}

static int
methods_config_save(struct control_call *call)
{
	const char *path = call->devices->config;
	int ret = control_unpack(call, "{s?s}", "path", &path);

	if (ret == 0 && path == NULL)
		return control_fail(call, -EINVAL,
				    "path: name the file, because there is not one --config");
	if (ret == 0)
		ret = control_save(call, path);
	if (ret == 0)
		call->result = json_true();
	return ret;
}

const struct control_method control_methods[] = {
	{ "version", methods_version },
	{ "log.set", methods_log_set },
	{ "config.save", methods_config_save },
	{ NULL, NULL },
};
