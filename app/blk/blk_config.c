/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Reads and writes the file of --config.
 * Input: lines of the file. Output: one text per device, in the form of a --device argument. And back.
 * Thread: main, before devices are created; any thread writes.
 *
 * It does not use rte_cfgfile, which skips invalid lines and truncates long ones: a disk with a
 * mistyped ro=1 would then be writable.
 */
#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_vduse_args.h>

#include "blk_config.h"

struct config {
	const char *path;
	unsigned int line;
	blk_config_device_t device;
	void *arg;
	FILE *text; /* the current device; NULL: none */
	char *bytes;
	size_t len;
};

static int
config_error(const struct config *config, const char *found, const char *wanted)
{
	fprintf(stderr, "dpdk-vduse-blk: %s:%u: %s: use %s\n", config->path, config->line, found,
		wanted);
	return -EINVAL;
}

/* Removes blanks at both ends. */
static char *
config_strip(char *text)
{
	char *end = text + strlen(text);

	while (end > text && isspace((unsigned char)end[-1]))
		end--;
	*end = '\0';
	while (isspace((unsigned char)*text))
		text++;
	return text;
}

/* Ends the current device and passes it on, unless the file has an error. */
static int
config_end(struct config *config, int ret)
{
	if (config->text == NULL)
		return ret;
	if (fclose(config->text) != 0 && ret == 0)
		ret = -ENOMEM;
	config->text = NULL;
	if (ret == 0)
		ret = config->device(config->bytes, config->arg);
	free(config->bytes);
	return ret;
}

static int
config_begin(struct config *config, char *line)
{
	char *end = line + strlen(line) - 1, *name;
	int ret = config_end(config, 0);

	if (ret < 0)
		return ret;
	if (*end != ']')
		return config_error(config, line, "[NAME] alone on its line");
	*end = '\0';
	name = config_strip(line + 1);
	if (name[0] == '\0' || strpbrk(name, ",=[]") != NULL)
		return config_error(config, name, "the name of a device in brackets");
	config->text = open_memstream(&config->bytes, &config->len);
	if (config->text == NULL)
		return -ENOMEM;
	fputs(name, config->text);
	return 0;
}

/* A comma in the value is part of it. */
static int
config_put(FILE *text, const char *key, const char *value)
{
	size_t size = rte_vduse_args_put(NULL, 0, key, value) + 1;
	char *arg = malloc(size);

	if (arg == NULL)
		return -ENOMEM;
	rte_vduse_args_put(arg, size, key, value);
	fprintf(text, ",%s", arg);
	free(arg);
	return 0;
}

static int
config_argument(struct config *config, char *line)
{
	char *value = strchr(line, '='), *key;

	if (value == NULL)
		return config_error(config, line, "KEY = VALUE");
	*value++ = '\0';
	key = config_strip(line);
	value = config_strip(value);
	if (key[0] == '\0' || value[0] == '\0')
		return config_error(config, key, "KEY = VALUE");
	if (strchr(key, ',') != NULL)
		return config_error(config, key, "one argument on a line, KEY = VALUE");
	if (config->text == NULL)
		return config_error(config, key, "[NAME] on a line before it");
	return config_put(config->text, key, value);
}

static int
config_line(struct config *config, char *line, size_t len)
{
	config->line++;
	if (strlen(line) != len)
		return config_error(config, "a NUL byte", "text");
	line = config_strip(line);
	if (line[0] == '\0' || line[0] == '#')
		return 0;
	if (line[0] == '[')
		return config_begin(config, line);
	return config_argument(config, line);
}

static int
config_lines(struct config *config, FILE *file)
{
	char *line = NULL;
	size_t size = 0;
	ssize_t len;
	int ret = 0;

	while (ret == 0 && (len = getline(&line, &size, file)) >= 0)
		ret = config_line(config, line, (size_t)len);
	free(line);
	if (ret == 0 && ferror(file)) {
		ret = -errno;
		fprintf(stderr, "dpdk-vduse-blk: %s: %s\n", config->path, strerror(-ret));
	}
	return config_end(config, ret);
}

int
blk_config_read(const char *path, blk_config_device_t device, void *arg)
{
	struct config config = { .path = path, .device = device, .arg = arg };
	FILE *file = fopen(path, "re");
	int ret;

	if (file == NULL) {
		ret = -errno;
		fprintf(stderr, "dpdk-vduse-blk: --config %s: %s\n", path, strerror(-ret));
		return ret;
	}
	ret = config_lines(&config, file);
	fclose(file);
	return ret;
}

/* Whether a line holds it as it is: blanks at the ends are taken off, and a line has one end. */
static bool
config_fits(const char *text)
{
	size_t len = strlen(text);

	return len > 0 && !isspace((unsigned char)text[0]) &&
	       !isspace((unsigned char)text[len - 1]) && strchr(text, '\n') == NULL;
}

int
blk_config_write(const char *text, FILE *out)
{
	char *copy = strdup(text), *rest = copy, *key, *value;
	int ret = 0;

	if (copy == NULL)
		return -ENOMEM;
	fprintf(out, "\n[%s]\n", rte_vduse_args_next(&rest, &value));
	while (ret == 0 && (key = rte_vduse_args_next(&rest, &value)) != NULL) {
		if (value == NULL || !config_fits(key) || !config_fits(value) || key[0] == '#' ||
		    key[0] == '[')
			ret = -EINVAL;
		else
			fprintf(out, "%s = %s\n", key, value);
	}
	free(copy);
	return ret;
}

char *
blk_config_replace(const char *text, const char *key, const char *value)
{
	char *copy = strdup(text), *rest = copy, *replaced = NULL, *found, *found_value;
	FILE *out;
	size_t len;
	int ret = 0;

	out = copy != NULL ? open_memstream(&replaced, &len) : NULL;
	if (out == NULL) {
		free(copy);
		return NULL;
	}
	fputs(rte_vduse_args_next(&rest, &found_value), out);
	while (ret == 0 && (found = rte_vduse_args_next(&rest, &found_value)) != NULL)
		if (strcmp(found, key) == 0)
			continue;
		else if (found_value == NULL)
			fprintf(out, ",%s", found);
		else
			ret = config_put(out, found, found_value);
	if (ret == 0 && value != NULL)
		ret = config_put(out, key, value);
	free(copy);
	if (fclose(out) == 0 && ret == 0)
		return replaced;
	free(replaced);
	return NULL;
}
