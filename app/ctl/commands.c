/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The commands: each calls a method of the server and prints its result.
 * Thread: main.
 */
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"

/* Most queues that have a column of their own. */
#define STATS_QUEUES_MAX 8

/* Prints a result that is not what it should be as an error. */
static int
commands_odd(const struct ctl *ctl)
{
	return ctl_fail(CTL_FAILED,
			"%s: the server's result has another form; is it another version?",
			ctl->path);
}

/* Calls a method; the result is printed as JSON with --json, or by print. Releases params. */
static int
commands_call(struct ctl *ctl, const char *method, json_t *params,
	      int (*print)(struct ctl *ctl, const json_t *result))
{
	json_t *result;
	int ret = client_call(&ctl->client, method, params, &result);

	if (ret != CLIENT_OK)
		return ctl_client_fail(&ctl->client, ret);
	if (ctl->json) {
		text_json(result, stdout);
		ret = CTL_OK;
	} else {
		ret = print(ctl, result);
	}
	json_decref(result);
	return ret;
}

static int
print_nothing(struct ctl *ctl, const json_t *result)
{
	return json_is_true(result) ? CTL_OK : commands_odd(ctl);
}

static int
print_list(struct ctl *ctl, const json_t *result)
{
	static const char *const heads[] = { "NAME",   "SIZE",      "STATE",  "DRIVER", "BACKEND",
					     "QUEUES", "READ-ONLY", "SERIAL", "PATH" };
	static const char *const fields[] = { "state",     "driver", "backend", "queues",
					      "read_only", "serial", "path" };
	struct table table;
	size_t i, field;
	json_t *device;

	if (!json_is_array(result))
		return commands_odd(ctl);
	table_init(&table, "lrlllrlll", heads);
	json_array_foreach(result, i, device)
	{
		table_json(&table, json_object_get(device, "name"));
		table_bytes(&table, json_integer_value(json_object_get(device, "capacity_bytes")));
		for (field = 0; field < sizeof(fields) / sizeof(fields[0]); field++)
			table_json(&table, json_object_get(device, fields[field]));
	}
	table_print(&table, SIZE_MAX, stdout);
	table_free(&table);
	return CTL_OK;
}

static int
list_run(struct ctl *ctl)
{
	return commands_call(ctl, "device.list", json_object(), print_list);
}

/* A row for each counter: the sum, and each queue if they are few. */
static int
print_stats(struct ctl *ctl, const json_t *result)
{
	json_t *sum = json_object_get(result, "sum"), *value;
	json_t *queues = json_object_get(result, "queues");
	size_t nb = json_array_size(queues), i;
	struct table table;
	const char *name;

	if (!json_is_object(sum) || !json_is_array(queues))
		return commands_odd(ctl);
	if (nb < 2 || nb > STATS_QUEUES_MAX)
		nb = 0;
	table_init(&table, "lrrrrrrrrr", NULL);
	table.columns = 2 + nb;
	table_cell(&table, "COUNTER");
	table_cell(&table, "SUM");
	for (i = 0; i < nb; i++)
		table_cell(&table, "QUEUE %zu", i);
	json_object_foreach(sum, name, value)
	{
		table_cell(&table, "%s", name);
		table_json(&table, value);
		for (i = 0; i < nb; i++)
			table_json(&table, json_object_get(json_array_get(queues, i), name));
	}
	table_print(&table, SIZE_MAX, stdout);
	table_free(&table);
	return CTL_OK;
}

static int
stats_run(struct ctl *ctl)
{
	return commands_call(ctl, "device.stats", json_pack("{s:s}", "name", ctl->args[0]),
			     print_stats);
}

static int
add_run(struct ctl *ctl)
{
	return commands_call(ctl, "device.add", json_pack("{s:s}", "device", ctl->args[0]),
			     print_nothing);
}

static int
remove_run(struct ctl *ctl)
{
	return commands_call(
		ctl, "device.remove",
		json_pack("{s:s, s:b}", "name", ctl->args[0], "force", (int)ctl->force),
		print_nothing);
}

static int
print_resize(struct ctl *ctl, const json_t *result)
{
	json_t *bytes = json_object_get(result, "capacity_bytes");
	struct table table;

	if (!json_is_integer(bytes))
		return commands_odd(ctl);
	table_init(&table, "lrl", NULL);
	table_cell(&table, "%s:", ctl->args[0]);
	table_bytes(&table, json_integer_value(bytes));
	table_cell(&table, "(%" JSON_INTEGER_FORMAT " bytes)", json_integer_value(bytes));
	table_print(&table, 1, stdout);
	table_free(&table);
	return CTL_OK;
}

static int
resize_run(struct ctl *ctl)
{
	return commands_call(ctl, "device.resize", json_pack("{s:s}", "name", ctl->args[0]),
			     print_resize);
}

/* A number, which may end in a letter of units. */
static bool
limits_number(const char *text, const char *units, json_int_t *number)
{
	unsigned long long value;
	const char *unit;
	unsigned int shift;
	char *end;

	errno = 0;
	value = strtoull(text, &end, 10);
	if (text[0] < '0' || text[0] > '9' || errno != 0)
		return false;
	unit = *end != '\0' ? strchr(units, *end) : units;
	if (unit == NULL || (*end != '\0' && end[1] != '\0'))
		return false;
	shift = *end != '\0' ? 10 * (unsigned int)(unit - units + 1) : 0;
	*number = (json_int_t)(value << shift);
	return value <= (uint64_t)INT64_MAX >> shift;
}

static int
limits_run(struct ctl *ctl)
{
	json_t *params = json_pack("{s:s}", "name", ctl->args[0]);
	int i;

	for (i = 1; i < ctl->nb_args; i++) {
		const char *text = ctl->args[i];
		bool iops = strncmp(text, "iops=", 5) == 0;
		const char *key = iops ? "iops" : "bps";
		json_int_t number;

		if ((!iops && strncmp(text, "bps=", 4) != 0) ||
		    !limits_number(strchr(text, '=') + 1, iops ? "" : "KMGT", &number) ||
		    json_object_get(params, key) != NULL) {
			json_decref(params);
			return ctl_fail(CTL_USAGE,
					"%s: give iops=N and bps=N once, bps with K, M, G or T",
					text);
		}
		json_object_set_new(params, key, json_integer(number));
	}
	return commands_call(ctl, "device.limits", params, print_nothing);
}

static int
go_on_run(struct ctl *ctl)
{
	return commands_call(ctl, "device.go_on", json_pack("{s:s}", "name", ctl->args[0]),
			     print_nothing);
}

static int
serial_run(struct ctl *ctl)
{
	return commands_call(ctl, "device.serial",
			     json_pack("{s:s, s:s}", "name", ctl->args[0], "serial", ctl->args[1]),
			     print_nothing);
}

static int
log_run(struct ctl *ctl)
{
	const char *level = ctl->args[1];
	bool number = level[0] != '\0' && level[strspn(level, "0123456789")] == '\0';

	return commands_call(
		ctl, "log.set",
		number ? json_pack("{s:s, s:i}", "type", ctl->args[0], "level", atoi(level))
		       : json_pack("{s:s, s:s}", "type", ctl->args[0], "level", level),
		print_nothing);
}

/* The server has another working directory. */
static int
save_run(struct ctl *ctl)
{
	json_t *params = json_object();
	char *folder;

	if (ctl->nb_args == 1 && ctl->args[0][0] != '/') {
		folder = getcwd(NULL, 0);
		if (folder == NULL)
			return ctl_fail(CTL_FAILED, "working directory: %s", strerror(errno));
		json_decref(params);
		params = json_pack("{s:s++}", "path", folder, "/", ctl->args[0]);
		free(folder);
	} else if (ctl->nb_args == 1) {
		json_decref(params);
		params = json_pack("{s:s}", "path", ctl->args[0]);
	}
	return commands_call(ctl, "config.save", params, print_nothing);
}

static int
print_version(struct ctl *ctl, const json_t *result)
{
	struct table table;
	const char *name;
	json_t *value;

	if (!json_is_object(result))
		return commands_odd(ctl);
	table_init(&table, "ll", NULL);
	json_object_foreach((json_t *)(uintptr_t)result, name, value)
	{
		table_cell(&table, "%s", name);
		table_json(&table, value);
	}
	table_print(&table, SIZE_MAX, stdout);
	table_free(&table);
	return CTL_OK;
}

static int
version_run(struct ctl *ctl)
{
	return commands_call(ctl, "version", json_object(), print_version);
}

/* The server may close the connection before it has sent the answer. */
static int
stop_run(struct ctl *ctl)
{
	json_t *result = NULL;
	int ret = client_call(&ctl->client, "process.stop", json_object(), &result);

	json_decref(result);
	if (ret != CLIENT_OK && !ctl->client.closed)
		return ctl_client_fail(&ctl->client, ret);
	if (ctl->json)
		puts("true");
	return CTL_OK;
}

const struct command commands[] = {
	{ "list", "", 0, 0, 0, 30, list_run },
	{ "stats", "NAME", 1, 1, 0, 30, stats_run },
	{ "add", "NAME,key=value,...", 1, 1, 0, 30, add_run },
	{ "remove", "[--force] NAME", 1, 1, COMMAND_FORCE, 60, remove_run },
	{ "resize", "NAME", 1, 1, 0, 30, resize_run },
	{ "limits", "NAME [iops=N] [bps=N]", 1, 3, 0, 30, limits_run },
	{ "go-on", "NAME", 1, 1, 0, 30, go_on_run },
	{ "serial", "NAME TEXT", 2, 2, 0, 30, serial_run },
	{ "log", "TYPE LEVEL", 2, 2, 0, 30, log_run },
	{ "save", "[PATH]", 0, 1, 0, 30, save_run },
	{ "version", "", 0, 0, 0, 30, version_run },
	{ "stop", "", 0, 0, 0, 30, stop_run },
	{ "top", "[--interval SECONDS] [--count N]", 0, 0, COMMAND_TOP, 30, top_run },
	{ NULL },
};
