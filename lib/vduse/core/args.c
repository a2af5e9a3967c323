/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Reads and writes "key=value,..." (rte_vduse_args.h has the rules).
 * Input: text. Output: keys and values, or text again.
 * Thread: any.
 */
#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_vduse_args.h>

char *
rte_vduse_args_next(char **rest, char **value)
{
	char *key = *rest, *from, *to;

	if (key[0] == '\0')
		return NULL;
	*value = NULL;
	for (from = to = key; *from != '\0'; from++) {
		if (*from == ',' && *++from != ',')
			break;
		if (*from == '=' && *value == NULL) {
			*to++ = '\0';
			*value = to;
			continue;
		}
		*to++ = *from;
	}
	*rest = from;
	*to = '\0';
	return key;
}

size_t
rte_vduse_args_put(char *to, size_t size, const char *key, const char *value)
{
	size_t len = (size_t)snprintf(to, size, "%s=", key), copies;

	for (; *value != '\0'; value++)
		for (copies = *value == ',' ? 2 : 1; copies > 0; copies--, len++)
			if (len + 1 < size)
				to[len] = *value;
	if (size > 0)
		to[len < size ? len : size - 1] = '\0';
	return len;
}

bool
rte_vduse_args_bytes(const char *value, uint64_t *bytes)
{
	static const char units[] = "KMGT";
	unsigned long long number;
	unsigned int shift = 0;
	const char *unit;
	char *end;

	if (!isdigit((unsigned char)value[0]))
		return false;
	errno = 0;
	number = strtoull(value, &end, 10);
	if (errno != 0)
		return false;
	if (*end != '\0') {
		unit = strchr(units, toupper((unsigned char)*end));
		if (unit == NULL || end[1] != '\0')
			return false;
		shift = 10 * (unsigned int)(unit - units + 1);
	}
	if (number > (uint64_t)INT64_MAX >> shift)
		return false;
	*bytes = number << shift;
	return true;
}
