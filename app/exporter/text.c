/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Writes metrics as OpenMetrics text 1.0.
 * Input: what processes answered, which may be anything. Output: text that is always well-formed; a value
 * that is missing or wrong is left out. Thread: those of HTTP.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "exporter.h"

/* Whose sample it is. */
struct text_owner {
	const struct target *target;
	const char *device; /* or NULL */
	long queue;         /* -1: none */
};

static void
text_label(FILE *out, const char *name, const char *value)
{
	fprintf(out, "%s=\"", name);
	for (; *value != '\0'; value++) {
		if (*value == '\n')
			fputs("\\n", out);
		else if (*value == '\\' || *value == '"')
			fprintf(out, "\\%c", *value);
		else
			fputc(*value, out);
	}
	fputc('"', out);
}

/* The name and the labels; the caller adds the value. le: bound of a bucket, or NULL. */
static void
text_begin(FILE *out, const struct text_owner *owner, const char *name, const char *suffix,
	   const char *more, const char *le)
{
	fprintf(out, "%s%s{", name, suffix);
	text_label(out, "process", owner->target->label);
	if (owner->device != NULL) {
		fputc(',', out);
		text_label(out, "device", owner->device);
	}
	if (owner->queue >= 0)
		fprintf(out, ",queue=\"%ld\"", owner->queue);
	if (more != NULL)
		fprintf(out, ",%s", more);
	if (le != NULL)
		fprintf(out, ",le=\"%s\"", le);
	fputs("} ", out);
}

static bool
text_unsigned(const json_t *value, uint64_t *number)
{
	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return false;
	*number = (uint64_t)json_integer_value(value);
	return true;
}

static bool
text_value(const struct family *family, const json_t *value, uint64_t *number)
{
	const char *text = json_string_value(value);

	if (family->mask != 0) {
		if (text != NULL)
			*number = (strtoull(text, NULL, 16) & family->mask) != 0;
		return text != NULL;
	}
	if (family->equals != NULL) {
		if (text != NULL)
			*number = strcmp(text, family->equals) == 0;
		return text != NULL;
	}
	if (!text_unsigned(value, number))
		return false;
	if (family->scale != 0)
		*number *= family->scale;
	return true;
}

static void
text_sample(FILE *out, const struct family *family, const struct text_owner *owner, size_t i,
	    const json_t *value)
{
	const char *suffix = strcmp(family->type, "counter") == 0 ? "_total" : "";
	uint64_t number;

	if (!text_value(family, value, &number))
		return;
	text_begin(out, owner, family->name, suffix, family->samples[i].label, NULL);
	fprintf(out, "%" PRIu64 "\n", number);
}

/* All samples of one owner, whose values are the members of object. */
static void
text_object(FILE *out, const struct family *family, const struct text_owner *owner,
	    const json_t *object)
{
	size_t i;

	for (i = 0; i < FAMILY_SAMPLES && family->samples[i].field != NULL; i++)
		text_sample(out, family, owner, i,
			    json_object_get(object, family->samples[i].field));
}

static void
text_lists(FILE *out, const struct family *family, struct text_owner *owner, const json_t *object)
{
	json_t *list = json_object_get(object, family->samples[0].field), *value;
	size_t i;

	json_array_foreach(list, i, value)
	{
		owner->queue = (long)i;
		text_sample(out, family, owner, 0, value);
	}
}

static void
text_queues(FILE *out, const struct family *family, struct text_owner *owner, const json_t *queues)
{
	json_t *queue;
	size_t i;

	json_array_foreach(queues, i, queue)
	{
		owner->queue = (long)i;
		text_object(out, family, owner, queue);
	}
}

static void
text_info(FILE *out, const struct text_owner *owner, const json_t *info)
{
	static const char *const fields[] = { "type", "transport", "path" };
	const char *text;
	size_t i;

	fputs("vduse_device_info{", out);
	text_label(out, "process", owner->target->label);
	fputc(',', out);
	text_label(out, "device", owner->device);
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		text = json_string_value(json_object_get(info, fields[i]));
		fputc(',', out);
		text_label(out, fields[i], text != NULL ? text : "");
	}
	fputs("} 1\n", out);
}

/* Whether bounds and counts ascend, as a reader of histograms expects. */
static bool
text_histogram_sound(const json_t *bounds, const json_t *counts, uint64_t all)
{
	uint64_t bound, count, last_bound = 0, last_count = 0;
	size_t i;

	if (json_array_size(bounds) == 0 || json_array_size(bounds) != json_array_size(counts))
		return false;
	for (i = 0; i < json_array_size(bounds); i++) {
		if (!text_unsigned(json_array_get(bounds, i), &bound) || bound <= last_bound ||
		    !text_unsigned(json_array_get(counts, i), &count) || count < last_count)
			return false;
		last_bound = bound;
		last_count = count;
	}
	return last_count <= all;
}

/* Nanoseconds as seconds, in the form that OpenMetrics wants for bounds: 1e-06, 0.25, 1.0. */
static void
text_bound(char *text, size_t size, json_int_t ns)
{
	snprintf(text, size, "%.15g", (double)ns / 1e9);
	if (strpbrk(text, ".e") == NULL)
		strncat(text, ".0", size - strlen(text) - 1);
}

static void
text_histogram(FILE *out, const struct family *family, const struct text_owner *owner,
	       size_t sample, const json_t *object)
{
	const char *kind = family->samples[sample].field, *more = family->samples[sample].label;
	json_t *bounds = json_object_get(object, "le_ns"), *counts = json_object_get(object, kind);
	uint64_t all, ns;
	char name[32], le[32];
	size_t i;

	snprintf(name, sizeof(name), "%s_count", kind);
	if (!text_unsigned(json_object_get(object, name), &all))
		return;
	snprintf(name, sizeof(name), "%s_sum_ns", kind);
	if (!text_unsigned(json_object_get(object, name), &ns) ||
	    !text_histogram_sound(bounds, counts, all))
		return;
	for (i = 0; i < json_array_size(bounds); i++) {
		text_bound(le, sizeof(le), json_integer_value(json_array_get(bounds, i)));
		text_begin(out, owner, family->name, "_bucket", more, le);
		fprintf(out, "%" JSON_INTEGER_FORMAT "\n",
			json_integer_value(json_array_get(counts, i)));
	}
	text_begin(out, owner, family->name, "_bucket", more, "+Inf");
	fprintf(out, "%" PRIu64 "\n", all);
	text_begin(out, owner, family->name, "_count", more, NULL);
	fprintf(out, "%" PRIu64 "\n", all);
	text_begin(out, owner, family->name, "_sum", more, NULL);
	fprintf(out, "%" PRIu64 ".%09" PRIu64 "\n", ns / 1000000000, ns % 1000000000);
}

static void
text_device(FILE *out, const struct family *family, const struct target *target,
	    const struct device *device)
{
	struct text_owner owner = {
		.target = target,
		.device = json_string_value(json_object_get(device->info, "name")),
		.queue = -1,
	};
	size_t i;

	if (family->place == FAMILY_DEVICE && strcmp(family->type, "info") == 0)
		text_info(out, &owner, device->info);
	else if (family->place == FAMILY_DEVICE)
		text_object(out, family, &owner, device->info);
	else if (family->place == FAMILY_VQ)
		text_lists(out, family, &owner, device->vqs);
	else if (family->place == (device->block ? FAMILY_BLK : FAMILY_NET))
		text_queues(out, family, &owner, device->queues);
	else if (family->place == FAMILY_LATENCY)
		for (i = 0; i < FAMILY_SAMPLES && family->samples[i].field != NULL; i++)
			text_histogram(out, family, &owner, i, device->histogram);
}

/* vduse_up, of each process, and vduse_devices, of those that answer. */
static void
text_process(FILE *out, const struct family *family, const struct target *target)
{
	struct text_owner owner = { .target = target, .queue = -1 };
	bool up = strcmp(family->name, "vduse_up") == 0;

	if ((target->found && target->other) || (!up && !target->up))
		return;
	text_begin(out, &owner, family->name, "", NULL, NULL);
	fprintf(out, "%zu\n", up ? (size_t)target->up : target->nb_devices);
}

void
text_write(const struct targets *targets, FILE *out)
{
	const struct family *family;
	size_t i, d;

	for (family = families; family->name != NULL; family++) {
		fprintf(out, "# TYPE %s %s\n", family->name, family->type);
		if (family->unit != NULL)
			fprintf(out, "# UNIT %s %s\n", family->name, family->unit);
		fprintf(out, "# HELP %s %s.\n", family->name, family->help);
		for (i = 0; i < targets->nb; i++) {
			if (family->place == FAMILY_PROCESS)
				text_process(out, family, &targets->list[i]);
			for (d = 0; d < targets->list[i].nb_devices; d++)
				text_device(out, family, &targets->list[i],
					    &targets->list[i].devices[d]);
		}
	}
	fputs("# EOF\n", out);
}
