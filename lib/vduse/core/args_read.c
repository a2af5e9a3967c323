/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Reads "key=value,..." into variables, by a table of known arguments.
 * Input: text and a table. Output: variables, or one error.
 * Thread: any.
 */
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_common.h>
#include <rte_string_fns.h>

#include <rte_vduse_args.h>

/* Room for what an error says a value is to be, or for the known keys. */
#define ARGS_TEXT_SIZE 512

static bool
arg_digits(const char *value, int base, uint64_t min, uint64_t max, uint64_t *number)
{
	char *end;

	if (!isdigit((unsigned char)value[0]))
		return false;
	errno = 0;
	*number = strtoull(value, &end, base);
	return errno == 0 && *end == '\0' && *number >= min && *number <= max;
}

static bool
arg_name(const char *const *names, const char *value, uint64_t *number)
{
	for (*number = 0; names[*number] != NULL; ++*number)
		if (strcmp(value, names[*number]) == 0)
			return true;
	return false;
}

static bool
arg_number(const struct rte_vduse_arg *arg, const char *value, uint64_t *number)
{
	switch (arg->type) {
	case RTE_VDUSE_ARG_FLAG:
		return arg_digits(value, 10, 0, 1, number);
	case RTE_VDUSE_ARG_NUMBER:
		return arg_digits(value, 10, arg->min, arg->max, number);
	case RTE_VDUSE_ARG_POWER:
		return arg_digits(value, 10, arg->min, arg->max, number) && *number != 0 &&
		       (*number & (*number - 1)) == 0;
	case RTE_VDUSE_ARG_BYTES:
		return rte_vduse_args_bytes(value, number) && *number >= arg->min;
	case RTE_VDUSE_ARG_MODE:
		return arg_digits(value, 8, 1, 0777, number);
	default:
		return arg_name(arg->names, value, number);
	}
}

static void
arg_store(const struct rte_vduse_arg *arg, uint64_t number)
{
	if (arg->type == RTE_VDUSE_ARG_FLAG)
		*(bool *)arg->to = number != 0;
	else if (arg->size == sizeof(uint16_t))
		*(uint16_t *)arg->to = (uint16_t)number;
	else if (arg->size == sizeof(uint32_t))
		*(uint32_t *)arg->to = (uint32_t)number;
	else
		*(uint64_t *)arg->to = number;
}

static int
arg_string(const char *value, char **to)
{
	if (value[0] == '\0')
		return -EINVAL;
	*to = strdup(value);
	return *to != NULL ? 0 : -ENOMEM;
}

/* Returns 0; -EINVAL: the value is wrong; or -ENOMEM. */
static int
arg_set(const struct rte_vduse_arg *arg, const char *value)
{
	uint64_t number;

	switch (arg->type) {
	case RTE_VDUSE_ARG_STRING:
		return arg_string(value, arg->to);
	case RTE_VDUSE_ARG_OTHER:
		return arg->parse(value, arg->to) ? 0 : -EINVAL;
	case RTE_VDUSE_ARG_SOCKET:
		if (!rte_vduse_path_is_socket(value))
			return -EINVAL;
		/* fallthrough */
	case RTE_VDUSE_ARG_PATH:
		if (rte_vduse_path_name(value) == NULL)
			return -EINVAL;
		/* fallthrough */
	case RTE_VDUSE_ARG_TEXT:
		if (value[0] == '\0' || strlen(value) >= arg->size)
			return -EINVAL;
		(void)rte_strlcpy(arg->to, value, arg->size);
		return 0;
	default:
		if (!arg_number(arg, value, &number))
			return -EINVAL;
		arg_store(arg, number);
		return 0;
	}
}

/* "none, virtio or vhost" */
static void
arg_names(const char *const *names, char *text, size_t size)
{
	unsigned int i;

	text[0] = '\0';
	for (i = 0; names[i] != NULL; i++) {
		if (i > 0)
			(void)rte_strlcat(text, names[i + 1] != NULL ? ", " : " or ", size);
		(void)rte_strlcat(text, names[i], size);
	}
}

/* What the value is to be, written to text where it is no constant. */
static const char *
arg_wanted(const struct rte_vduse_arg *arg, char *text, size_t size)
{
	if (arg->wanted != NULL)
		return arg->wanted;
	switch (arg->type) {
	case RTE_VDUSE_ARG_FLAG:
		return "0 or 1";
	case RTE_VDUSE_ARG_BYTES:
		return "bytes, such as 8G or 64M";
	case RTE_VDUSE_ARG_MODE:
		return "an octal number such as 0660";
	case RTE_VDUSE_ARG_PATH:
		return RTE_VDUSE_PATH_USAGE;
	case RTE_VDUSE_ARG_SOCKET:
		return "the path of a socket, with a '/' and up to 107 characters";
	case RTE_VDUSE_ARG_NAME:
		arg_names(arg->names, text, size);
		return text;
	case RTE_VDUSE_ARG_TEXT:
		snprintf(text, size, "1 to %zu characters", arg->size - 1);
		return text;
	case RTE_VDUSE_ARG_NUMBER:
	case RTE_VDUSE_ARG_POWER:
		snprintf(text, size, "a %s from %" PRIu64 " to %" PRIu64,
			 arg->type == RTE_VDUSE_ARG_POWER ? "power of two" : "number", arg->min,
			 arg->max);
		return text;
	default:
		return "a text";
	}
}

static int
args_error(const struct rte_vduse_args *args, enum rte_vduse_arg_fault fault, const char *key,
	   const char *value, const char *text)
{
	args->error(args->device, fault, key, value, text);
	return -EINVAL;
}

static int
args_unknown(const struct rte_vduse_args *args, const char *key, const char *value)
{
	char text[ARGS_TEXT_SIZE] = "unknown argument; known are";
	unsigned int i;

	for (i = 0; i < args->nb_known; i++) {
		(void)rte_strlcat(text, " ", sizeof(text));
		(void)rte_strlcat(text, args->known[i].key, sizeof(text));
		(void)rte_strlcat(text, "=", sizeof(text));
	}
	return args_error(args, RTE_VDUSE_ARG_UNKNOWN, key, value, text);
}

/* The comma after the last one is no argument. */
static int
args_pass_on(const struct rte_vduse_args *args, const char *key, const char *value)
{
	size_t len = strlen(args->rest), room = args->rest_size - len;
	size_t used;

	if (value == NULL)
		return args_error(args, RTE_VDUSE_ARG_WRONG, key, "", "key=value");
	used = rte_vduse_args_put(args->rest + len, room, key, value);
	if (used + 1 >= room)
		return args_error(args, RTE_VDUSE_ARG_WRONG, key, value,
				  "fewer and shorter arguments");
	strcpy(args->rest + len + used, ",");
	return 0;
}

/* Whether the argument was given before, by this key or by another one of its variable. */
static bool
args_given(const struct rte_vduse_args *args, const struct rte_vduse_arg *arg)
{
	unsigned int i;

	for (i = 0; i < args->nb_known; i++)
		if (args->known[i].given && args->known[i].to == arg->to)
			return true;
	return false;
}

static int
args_take(const struct rte_vduse_args *args, const char *key, const char *value)
{
	struct rte_vduse_arg *arg = args->known, *end = arg + args->nb_known;
	char text[ARGS_TEXT_SIZE];
	int ret;

	while (arg < end && strcmp(arg->key, key) != 0)
		arg++;
	if (arg == end && args->rest != NULL)
		return args_pass_on(args, key, value);
	if (value == NULL)
		value = "";
	if (arg == end)
		return args_unknown(args, key, value);
	if (args_given(args, arg))
		return args_error(args, RTE_VDUSE_ARG_TWICE, key, value,
				  "given more than once; give it once");
	arg->given = true;
	ret = arg_set(arg, value);
	if (ret == -EINVAL)
		return args_error(args, RTE_VDUSE_ARG_WRONG, key, value,
				  arg_wanted(arg, text, sizeof(text)));
	return ret;
}

int
rte_vduse_args_read(const struct rte_vduse_args *args, const char *text)
{
	char *copy = strdup(text != NULL ? text : ""), *rest = copy, *key, *value;
	unsigned int i;
	int ret = 0;

	if (copy == NULL)
		return -ENOMEM;
	for (i = 0; i < args->nb_known; i++)
		args->known[i].given = false;
	if (args->rest != NULL)
		args->rest[0] = '\0';
	while (ret == 0 && (key = rte_vduse_args_next(&rest, &value)) != NULL)
		ret = args_take(args, key, value);
	free(copy);
	return ret;
}
