/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Rates of all disks, again and again.
 * Input: the counters of two times. Output: a table for each interval, those with the most requests
 * first. Thread: main.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "ctl.h"

/* How long another process may take to serve the socket, and the time between two attempts. */
#define TOP_AGAIN_S    5
#define TOP_AGAIN_NEXT 0.1
/* Most connections for one call, because a process may end as soon as it has accepted one. */
#define TOP_AGAIN_MAX 3

/* Lines of a terminal that rows of the table cannot have: the cursor's and that of the rest. */
#define TOP_OTHER_LINES 2

/* The counters of a disk at a time. */
struct top_sample {
	char *name;
	double time_s;
	json_int_t reads;
	json_int_t writes;
	json_int_t read_bytes;
	json_int_t written_bytes;
	json_int_t in_flight;
	json_int_t errors;
	json_int_t limited;
};

struct top_samples {
	struct top_sample *disks; /* sorted by name */
	size_t nb;
};

struct top_row {
	const char *name;
	double read_iops;
	double write_iops;
	double read_bps; /* bytes per second */
	double write_bps;
	json_int_t in_flight;
	json_int_t errors;  /* of the interval */
	json_int_t limited; /* of the interval */
};

static void
top_sleep(double seconds)
{
	struct timespec time = { .tv_sec = (time_t)seconds };

	time.tv_nsec = (long)((seconds - (double)time.tv_sec) * 1e9);
	while (nanosleep(&time, &time) < 0)
		;
}

/* The process that served the socket ended. One that took its place serves it soon. */
static int
top_connect_again(struct ctl *ctl)
{
	unsigned int left = (unsigned int)(TOP_AGAIN_S / TOP_AGAIN_NEXT);
	json_t *result;
	int ret;

	for (;;) {
		client_reset(&ctl->client);
		ret = client_call(&ctl->client, "version", json_object(), &result);
		if (ret != CLIENT_BROKEN || left-- == 0)
			break;
		top_sleep(TOP_AGAIN_NEXT);
	}
	if (ret != CLIENT_OK)
		return ret;
	fprintf(stderr,
		"dpdk-vduse-ctl: %s: the connection was closed: connected again, to process "
		"%" JSON_INTEGER_FORMAT "\n",
		ctl->path, json_integer_value(json_object_get(result, "pid")));
	json_decref(result);
	return CLIENT_OK;
}

/* Calls a method, about a disk if a name is given, of the process that serves the socket by then. */
static int
top_call(struct ctl *ctl, const char *method, const char *name, json_t **result)
{
	json_t *params = name != NULL ? json_pack("{s:s}", "name", name) : json_object();
	unsigned int again = 0;
	int ret;

	do {
		ret = client_call(&ctl->client, method, json_incref(params), result);
		if (ret != CLIENT_BROKEN || !ctl->client.closed || again++ == TOP_AGAIN_MAX)
			break;
		ret = top_connect_again(ctl);
	} while (ret == CLIENT_OK);
	json_decref(params);
	return ret;
}

static json_int_t
top_counter(const json_t *sum, const char *name)
{
	json_int_t value = json_integer_value(json_object_get(sum, name));

	/* None is so large: differences and sums of them stay numbers. */
	return value >= 0 && value < INT64_MAX / 4 ? value : 0;
}

static void
top_read(struct top_sample *sample, const char *name, const json_t *sum)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	sample->name = ctl_memory(strdup(name));
	sample->time_s = (double)now.tv_sec + (double)now.tv_nsec / 1e9;
	sample->reads = top_counter(sum, "reads");
	sample->writes = top_counter(sum, "writes");
	sample->read_bytes = top_counter(sum, "read_bytes");
	sample->written_bytes = top_counter(sum, "written_bytes");
	sample->in_flight = top_counter(sum, "in_flight");
	sample->errors = top_counter(sum, "io_errors") + top_counter(sum, "bad_requests");
	sample->limited = top_counter(sum, "limited");
}

static int
top_by_name(const void *a, const void *b)
{
	return strcmp(((const struct top_sample *)a)->name, ((const struct top_sample *)b)->name);
}

static void
top_free(struct top_samples *samples)
{
	size_t i;

	for (i = 0; i < samples->nb; i++)
		free(samples->disks[i].name);
	free(samples->disks);
	*samples = (struct top_samples){ 0 };
}

static int
top_sample_all(struct ctl *ctl, const json_t *list, struct top_samples *samples)
{
	json_t *device, *result;
	const char *name;
	size_t i;
	int ret;

	if (!json_is_array(list))
		return ctl_fail(CTL_FAILED, "%s: the server's list of disks is none", ctl->path);
	samples->disks = ctl_memory(calloc(json_array_size(list) + 1, sizeof(*samples->disks)));
	json_array_foreach(list, i, device)
	{
		name = json_string_value(json_object_get(device, "name"));
		if (name == NULL)
			return ctl_fail(CTL_FAILED, "%s: the server lists a disk without a name",
					ctl->path);
		ret = top_call(ctl, "device.stats", name, &result);
		/* Removed meanwhile. */
		if (ret == CLIENT_ERROR && strcmp(ctl->client.errno_name, "ENODEV") == 0)
			continue;
		if (ret != CLIENT_OK)
			return ctl_client_fail(&ctl->client, ret);
		top_read(&samples->disks[samples->nb++], name, json_object_get(result, "sum"));
		json_decref(result);
	}
	qsort(samples->disks, samples->nb, sizeof(*samples->disks), top_by_name);
	return CTL_OK;
}

static int
top_sample(struct ctl *ctl, struct top_samples *samples)
{
	json_t *list;
	int ret = top_call(ctl, "device.list", NULL, &list);

	if (ret != CLIENT_OK)
		return ctl_client_fail(&ctl->client, ret);
	ret = top_sample_all(ctl, list, samples);
	json_decref(list);
	return ret;
}

/* False: another disk that has the name now. */
static bool
top_rates(const struct top_sample *old, const struct top_sample *new, struct top_row *row)
{
	double seconds = new->time_s - old->time_s;

	if (seconds <= 0 || new->reads < old->reads || new->writes < old->writes ||
	    new->read_bytes < old->read_bytes || new->written_bytes < old->written_bytes ||
	    new->errors < old->errors || new->limited < old->limited)
		return false;
	*row = (struct top_row){
		.name = new->name,
		.read_iops = (double)(new->reads - old->reads) / seconds,
		.write_iops = (double)(new->writes - old->writes) / seconds,
		.read_bps = (double)(new->read_bytes - old->read_bytes) / seconds,
		.write_bps = (double)(new->written_bytes - old->written_bytes) / seconds,
		.in_flight = new->in_flight,
		.errors = new->errors - old->errors,
		.limited = new->limited - old->limited,
	};
	return true;
}

static int
top_by_iops(const void *a, const void *b)
{
	const struct top_row *one = a, *other = b;
	double difference = other->read_iops + other->write_iops - one->read_iops - one->write_iops;

	if (difference != 0)
		return difference > 0 ? 1 : -1;
	return strcmp(one->name, other->name);
}

/* Rows of the disks that both times have. */
static size_t
top_rows(const struct top_samples *old, const struct top_samples *new, struct top_row *rows)
{
	const struct top_sample *before;
	size_t i, nb = 0;

	for (i = 0; i < new->nb; i++) {
		before = old->nb > 0 ? bsearch(&new->disks[i], old->disks, old->nb,
					       sizeof(*old->disks), top_by_name)
				     : NULL;
		if (before != NULL && top_rates(before, &new->disks[i], &rows[nb]))
			nb++;
	}
	qsort(rows, nb, sizeof(*rows), top_by_iops);
	return nb;
}

static void
top_json(const struct top_row *rows, size_t nb)
{
	json_t *array = ctl_memory(json_array());
	const struct top_row *row;

	for (row = rows; row < rows + nb; row++)
		json_array_append_new(array,
				      json_pack("{s:s, s:f, s:f, s:f, s:f, s:I, s:I, s:I}", "name",
						row->name, "read_iops", row->read_iops,
						"write_iops", row->write_iops, "read_bytes_per_s",
						row->read_bps, "write_bytes_per_s", row->write_bps,
						"in_flight", row->in_flight, "errors", row->errors,
						"limited", row->limited));
	text_json(array, stdout);
	json_decref(array);
}

static void
top_table(const struct top_row *rows, size_t nb, size_t max_rows)
{
	static const char *const heads[] = { "NAME",       "READ IOPS", "WRITE IOPS", "READ MB/s",
					     "WRITE MB/s", "IN FLIGHT", "ERRORS",     "LIMITED" };
	const struct top_row *row;
	struct table table;

	table_init(&table, "lrrrrrrr", heads);
	for (row = rows; row < rows + nb; row++) {
		table_cell(&table, "%s", row->name);
		table_cell(&table, "%.0f", row->read_iops);
		table_cell(&table, "%.0f", row->write_iops);
		table_cell(&table, "%.1f", row->read_bps / 1e6);
		table_cell(&table, "%.1f", row->write_bps / 1e6);
		table_cell(&table, "%" JSON_INTEGER_FORMAT, row->in_flight);
		table_cell(&table, "%" JSON_INTEGER_FORMAT, row->errors);
		table_cell(&table, "%" JSON_INTEGER_FORMAT, row->limited);
	}
	table_print(&table, max_rows, stdout);
	table_free(&table);
}

/* A terminal shows one table in the place of the one before. */
static void
top_print(const struct ctl *ctl, const struct top_row *rows, size_t nb, unsigned long turn)
{
	size_t max_rows = SIZE_MAX;
	struct winsize size;

	if (ctl->json) {
		top_json(rows, nb);
	} else if (isatty(STDOUT_FILENO)) {
		if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_row > TOP_OTHER_LINES)
			max_rows = size.ws_row - TOP_OTHER_LINES;
		fputs("\033[H\033[J", stdout);
		top_table(rows, nb, max_rows);
	} else {
		if (turn > 0)
			putchar('\n');
		top_table(rows, nb, max_rows);
	}
	fflush(stdout);
}

int
top_run(struct ctl *ctl)
{
	struct top_samples old = { 0 }, new = { 0 };
	struct top_row *rows;
	unsigned long turn;
	int code = top_sample(ctl, &old);

	for (turn = 0; code == CTL_OK && (ctl->count == 0 || turn < ctl->count); turn++) {
		top_sleep(ctl->interval_s);
		code = top_sample(ctl, &new);
		if (code != CTL_OK)
			break;
		rows = ctl_memory(calloc(new.nb + 1, sizeof(*rows)));
		top_print(ctl, rows, top_rows(&old, &new, rows), turn);
		free(rows);
		top_free(&old);
		old = new;
		new = (struct top_samples){ 0 };
		if (ferror(stdout))
			break;
	}
	top_free(&old);
	top_free(&new);
	return code;
}
