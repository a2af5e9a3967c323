/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Texts of arguments: which keys and values they are, and that what is written is read back.
 * Input: texts. Output: keys and values.
 * Thread: main.
 */
#include "unit.h"

#include <string.h>

#include <rte_vduse_args.h>

/* Arguments of a text, in order; the last has no key. */
struct arg {
	const char *key;
	const char *value;
};

static void
reads(const char *text, const struct arg *args)
{
	char copy[128], *rest = copy, *key, *value;

	strcpy(copy, text);
	while ((key = rte_vduse_args_next(&rest, &value)) != NULL) {
		if (args->key == NULL || strcmp(key, args->key) != 0)
			fail_msg("\"%s\": key \"%s\"", text, key);
		if ((value == NULL) != (args->value == NULL) ||
		    (value != NULL && strcmp(value, args->value) != 0))
			fail_msg("\"%s\": %s=\"%s\"", text, key, value != NULL ? value : "(none)");
		args++;
	}
	if (args->key != NULL)
		fail_msg("\"%s\": no %s", text, args->key);
}

static void
splits(void **state)
{
	RTE_SET_USED(state);
	reads("", (struct arg[]){ { 0 } });
	reads("a", (struct arg[]){ { "a", NULL }, { 0 } });
	reads("a=", (struct arg[]){ { "a", "" }, { 0 } });
	reads("a=1,b=2", (struct arg[]){ { "a", "1" }, { "b", "2" }, { 0 } });
	reads("a,b=2,", (struct arg[]){ { "a", NULL }, { "b", "2" }, { 0 } });
	reads(",a=1", (struct arg[]){ { "", NULL }, { "a", "1" }, { 0 } });
	reads("=1", (struct arg[]){ { "", "1" }, { 0 } });
	reads("a=b=c==,d=", (struct arg[]){ { "a", "b=c==" }, { "d", "" }, { 0 } });
	reads("a=[1,2],b=[", (struct arg[]){ { "a", "[1" }, { "2]", NULL }, { "b", "[" }, { 0 } });
	reads("a= x y ,b=\"", (struct arg[]){ { "a", " x y " }, { "b", "\"" }, { 0 } });
	reads("a=\\,b=1", (struct arg[]){ { "a", "\\" }, { "b", "1" }, { 0 } });
}

static void
commas(void **state)
{
	RTE_SET_USED(state);
	reads("a=1,,2", (struct arg[]){ { "a", "1,2" }, { 0 } });
	reads("a=,,", (struct arg[]){ { "a", "," }, { 0 } });
	reads("a=,,,b=2", (struct arg[]){ { "a", "," }, { "b", "2" }, { 0 } });
	reads("a=,,,,", (struct arg[]){ { "a", ",," }, { 0 } });
	reads("a=,,,,,", (struct arg[]){ { "a", ",," }, { 0 } });
	reads("a=1,,b=2", (struct arg[]){ { "a", "1,b=2" }, { 0 } });
}

static void
writes(void **state)
{
	static const char *const values[] = {
		"", "x", ",", ",,", "a,b", "=", "a=b", "[", " ", "\\,", "/srv/a=b, c[1.img,",
	};
	char text[128];
	unsigned int i;
	size_t len;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(values); i++) {
		len = rte_vduse_args_put(text, sizeof(text), "key", values[i]);
		assert_int_equal(len, strlen(text));
		strcpy(text + len, ",next=1");
		reads(text, (struct arg[]){ { "key", values[i] }, { "next", "1" }, { 0 } });
	}
}

/* What does not fit is cut off, and the length tells. */
static void
too_long(void **state)
{
	const char *all = "k=a,,b";
	char text[16];
	size_t size;

	RTE_SET_USED(state);
	assert_int_equal(rte_vduse_args_put(NULL, 0, "k", "a,b"), strlen(all));
	for (size = 1; size <= strlen(all) + 1; size++) {
		memset(text, '#', sizeof(text));
		assert_int_equal(rte_vduse_args_put(text, size, "k", "a,b"), strlen(all));
		assert_int_equal(strlen(text), size - 1);
		assert_memory_equal(text, all, size - 1);
		assert_int_equal(text[size], '#');
	}
}

static void
bytes(void **state)
{
	static const char *const wrong[] = {
		"", "-1", " 1", "1 ", "x", "1KB", "1P", "0x10", "8388608T", "9223372036854775808",
	};
	uint64_t value = 7;
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(wrong); i++)
		if (rte_vduse_args_bytes(wrong[i], &value) || value != 7)
			fail_msg("\"%s\" is taken", wrong[i]);
	assert_true(rte_vduse_args_bytes("0", &value));
	assert_int_equal(value, 0);
	assert_true(rte_vduse_args_bytes("9223372036854775807", &value));
	assert_int_equal(value, INT64_MAX);
	assert_true(rte_vduse_args_bytes("3k", &value));
	assert_int_equal(value, 3072);
	assert_true(rte_vduse_args_bytes("8388607T", &value));
	assert_int_equal(value, UINT64_C(8388607) << 40);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits),   cmocka_unit_test(commas), cmocka_unit_test(writes),
		cmocka_unit_test(too_long), cmocka_unit_test(bytes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
