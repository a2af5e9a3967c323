/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Parsing and writing of argument texts: keys and values, tables of known arguments, and that
 * written texts are read back.
 * Input: texts. Output: keys, values, variables and errors.
 * Thread: main.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
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

/* Variables of each type, read by a table of all of them. */
static struct variables {
	bool flag;
	uint16_t number;
	uint32_t power, mode;
	uint64_t bytes, large;
	enum { RED, GREEN, BLUE } colour;
	char text[4], path[RTE_VDUSE_SOCKET_MAX], socket[RTE_VDUSE_SOCKET_MAX];
	char *string;
	int sign;
} got;

static const char *const colours[] = { "red", "green", "blue", NULL };
static char said[1024];
static unsigned int nb_said;

static bool
parse_sign(const char *value, void *to)
{
	*(int *)to = value[0] == '-' ? -1 : 1;
	return strcmp(value, "-") == 0 || strcmp(value, "+") == 0;
}

static void
say(const char *device, enum rte_vduse_arg_fault fault, const char *key, const char *value,
    const char *text)
{
	snprintf(said, sizeof(said), "%s %d %s=%s: %s", device, fault, key, value, text);
	nb_said++;
}

/* Reads text into got. rest: for unknown arguments; NULL: they are wrong. */
static int
read_rest(const char *text, char *rest, size_t rest_size)
{
	struct rte_vduse_arg known[] = {
		{ RTE_VDUSE_ARG("flag", FLAG, got.flag) },
		{ RTE_VDUSE_ARG("banner", FLAG, got.flag) },
		{ RTE_VDUSE_ARG("number", NUMBER, got.number), .min = 2, .max = UINT16_MAX },
		{ RTE_VDUSE_ARG("power", POWER, got.power), .min = 4, .max = 1u << 31 },
		{ RTE_VDUSE_ARG("mode", MODE, got.mode) },
		{ RTE_VDUSE_ARG("bytes", BYTES, got.bytes), .min = 1 },
		{ RTE_VDUSE_ARG("large", NUMBER, got.large), .max = UINT64_MAX },
		{ RTE_VDUSE_ARG("colour", NAME, got.colour), .names = colours },
		{ RTE_VDUSE_ARG("text", TEXT, got.text) },
		{ RTE_VDUSE_ARG("path", PATH, got.path) },
		{ RTE_VDUSE_ARG("socket", SOCKET, got.socket) },
		{ RTE_VDUSE_ARG("string", STRING, got.string) },
		{ RTE_VDUSE_ARG("sign", OTHER, got.sign), .parse = parse_sign, .wanted = "+ or -" },
	};
	const struct rte_vduse_args args = {
		.device = "dev",
		.known = known,
		.nb_known = RTE_DIM(known),
		.rest = rest,
		.rest_size = rest_size,
		.error = say,
	};

	nb_said = 0;
	return rte_vduse_args_read(&args, text);
}

static void
takes(const char *text)
{
	memset(&got, 0, sizeof(got));
	if (read_rest(text, NULL, 0) != 0 || nb_said != 0)
		fail_msg("\"%s\": %s", text, said);
}

/* One error, which is exactly this. */
static void
refuses(const char *text, enum rte_vduse_arg_fault fault, const char *error)
{
	char expected[1024];

	memset(&got, 0, sizeof(got));
	snprintf(expected, sizeof(expected), "dev %d %s", fault, error);
	if (read_rest(text, NULL, 0) != -EINVAL || nb_said != 1)
		fail_msg("\"%s\": %u errors", text, nb_said);
	assert_string_equal(said, expected);
	free(got.string);
}

static void
table(void **state)
{
	RTE_SET_USED(state);
	takes("");
	takes("flag=1,number=65535,power=2147483648,mode=0640,bytes=3K,large=18446744073709551615,"
	      "colour=blue,text=a,,b,path=/dev/vduse/x,socket=/run/x,string=s=[,sign=-,");
	assert_true(got.flag);
	assert_int_equal(got.number, 65535);
	assert_int_equal(got.power, 1u << 31);
	assert_int_equal(got.mode, 0640);
	assert_int_equal(got.bytes, 3072);
	assert_true(got.large == UINT64_MAX);
	assert_int_equal(got.colour, BLUE);
	assert_string_equal(got.text, "a,b");
	assert_string_equal(got.path, "/dev/vduse/x");
	assert_string_equal(got.socket, "/run/x");
	assert_string_equal(got.string, "s=[");
	assert_int_equal(got.sign, -1);
	free(got.string);
	takes("number=2,power=4,mode=1,bytes=1,large=0,path=/run/y");
	takes("mode=777");
	assert_int_equal(read_rest(NULL, NULL, 0), 0);
}

static void
wrong_values(void **state)
{
	static const char *const bad[][2] = {
		{ "flag=2", "0 or 1" },
		{ "flag=", "0 or 1" },
		{ "number=1", "a number from 2 to 65535" },
		{ "number=65536", "a number from 2 to 65535" },
		{ "number=0x10", "a number from 2 to 65535" },
		{ "number=-1", "a number from 2 to 65535" },
		{ "power=2", "a power of two from 4 to 2147483648" },
		{ "power=12", "a power of two from 4 to 2147483648" },
		{ "power=4294967296", "a power of two from 4 to 2147483648" },
		{ "mode=0", "an octal number such as 0660" },
		{ "mode=8", "an octal number such as 0660" },
		{ "mode=1777", "an octal number such as 0660" },
		{ "bytes=0", "bytes, such as 8G or 64M" },
		{ "bytes=1X", "bytes, such as 8G or 64M" },
		{ "large=18446744073709551616", "a number from 0 to 18446744073709551615" },
		{ "colour=", "red, green or blue" },
		{ "colour=Red", "red, green or blue" },
		{ "text=", "1 to 3 characters" },
		{ "text=four", "1 to 3 characters" },
		{ "path=x", RTE_VDUSE_PATH_USAGE },
		{ "socket=/dev/vduse/x",
		  "the path of a socket, with a '/' and up to 107 characters" },
		{ "string=", "a text" },
		{ "sign=0", "+ or -" },
	};
	char error[512];
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(bad); i++) {
		snprintf(error, sizeof(error), "%s: %s", bad[i][0], bad[i][1]);
		refuses(bad[i][0], RTE_VDUSE_ARG_WRONG, error);
	}
	refuses("flag", RTE_VDUSE_ARG_WRONG, "flag=: 0 or 1");
	/* What comes after the first error is not read. */
	refuses("flag=2,number=1", RTE_VDUSE_ARG_WRONG, "flag=2: 0 or 1");
}

static void
twice(void **state)
{
	const char *text = "given more than once; give it once";
	char error[128];

	RTE_SET_USED(state);
	snprintf(error, sizeof(error), "number=3: %s", text);
	refuses("number=3,flag=1,number=3", RTE_VDUSE_ARG_TWICE, error);
	snprintf(error, sizeof(error), "string=t: %s", text);
	refuses("string=s,string=t", RTE_VDUSE_ARG_TWICE, error);
	/* Two words of one argument. */
	takes("flag=1");
	takes("banner=1");
	assert_true(got.flag);
	snprintf(error, sizeof(error), "banner=1: %s", text);
	refuses("flag=1,banner=1", RTE_VDUSE_ARG_TWICE, error);
	snprintf(error, sizeof(error), "flag=0: %s", text);
	refuses("banner=1,flag=0", RTE_VDUSE_ARG_TWICE, error);
}

static void
unknown(void **state)
{
	char rest[16];

	RTE_SET_USED(state);
	refuses("tea=1", RTE_VDUSE_ARG_UNKNOWN,
		"tea=1: unknown argument; known are flag= banner= number= power= mode= bytes= "
		"large= colour= text= path= socket= string= sign=");
	assert_int_equal(read_rest("tea=a,,b,number=2,", rest, sizeof(rest)), 0);
	assert_string_equal(rest, "tea=a,,b,");
	assert_int_equal(read_rest("", rest, sizeof(rest)), 0);
	assert_string_equal(rest, "");
	assert_int_equal(read_rest("tea=1,tea=2", rest, sizeof(rest)), 0);
	assert_string_equal(rest, "tea=1,tea=2,");
	/* It fits to the last byte, and no more. */
	assert_int_equal(read_rest("tea=1,milk=345", rest, sizeof(rest)), 0);
	assert_string_equal(rest, "tea=1,milk=345,");
	assert_int_equal(read_rest("tea=1,milk=3456", rest, sizeof(rest)), -EINVAL);
	assert_non_null(strstr(said, "fewer and shorter"));
	assert_int_equal(nb_said, 1);
	assert_int_equal(read_rest("tea", rest, sizeof(rest)), -EINVAL);
	assert_non_null(strstr(said, "tea=: key=value"));
}

/* What every device takes: defaults, and what goes together. */
static int
read_dev(const char *text, struct rte_vduse_args_dev *dev)
{
	struct rte_vduse_arg known[RTE_VDUSE_ARGS_DEV];
	const struct rte_vduse_args args = {
		.device = "dev",
		.known = known,
		.nb_known = RTE_DIM(known),
		.error = say,
	};
	int ret;

	nb_said = 0;
	memset(dev, 0xa5, sizeof(*dev));
	rte_vduse_args_dev(dev, known, 9, 8);
	ret = rte_vduse_args_read(&args, text);
	return ret == 0 ? rte_vduse_args_dev_check(&args, dev) : ret;
}

static void
device(void **state)
{
	struct rte_vduse_args_dev dev;

	RTE_SET_USED(state);
	assert_int_equal(read_dev("iface=/dev/vduse/x", &dev), 0);
	assert_string_equal(dev.path, "/dev/vduse/x");
	assert_int_equal(dev.queues, 1);
	assert_int_equal(dev.queue_size, 256);
	assert_int_equal(dev.attach, RTE_VDUSE_ATTACH_NONE);
	assert_false(dev.umem || dev.client || dev.any_memory || dev.packed || dev.in_order);
	assert_false(dev.iommu || dev.postcopy);
	assert_int_equal(dev.socket_mode, 0);
	assert_string_equal(dev.socket_group, "");
	assert_int_equal(dev.memory_limit, 0);
	assert_int_equal(read_dev("iface=/dev/vduse/x,queues=9,queue-size=8,attach=vhost,umem=1,"
				  "memory-limit=1G,packed=1,in-order=1",
				  &dev),
			 0);
	assert_int_equal(dev.queues, 9);
	assert_int_equal(dev.queue_size, 8);
	assert_int_equal(dev.attach, RTE_VDUSE_ATTACH_VHOST);
	assert_true(dev.umem && dev.packed && dev.in_order);
	assert_int_equal(
		read_dev("iface=/run/x,any-memory=1,socket-mode=660,socket-group=kvm", &dev), 0);
	assert_true(dev.any_memory && dev.packed && !dev.iommu);
	assert_int_equal(dev.socket_mode, 0660);
	assert_string_equal(dev.socket_group, "kvm");
	assert_int_equal(read_dev("iface=/run/x,client=1,packed=0,iommu=1", &dev), 0);
	assert_true(dev.client && dev.iommu && !dev.packed && !dev.any_memory && !dev.postcopy);
	assert_int_equal(read_dev("iface=/run/x,postcopy=1", &dev), 0);
	assert_true(dev.postcopy && !dev.iommu);
	assert_int_equal(read_dev("iface=/run/x,queues=10", &dev), -EINVAL);
	assert_int_equal(read_dev("iface=/run/x,queue-size=4", &dev), -EINVAL);
}

static void
misfits(void **state)
{
	static const char *const bad[][2] = {
		{ "", "iface=: give iface=/dev/vduse/NAME" },
		{ "iface=/dev/vduse/x,client=1", "client=1: /dev/vduse/x is no socket" },
		{ "iface=/dev/vduse/x,any-memory=1", "any-memory=1: /dev/vduse/x is no socket" },
		{ "iface=/dev/vduse/x,iommu=1", "iommu=1: /dev/vduse/x is no socket" },
		{ "iface=/dev/vduse/x,postcopy=1", "postcopy=1: /dev/vduse/x is no socket" },
		{ "iface=/run/x,postcopy=1,iommu=1", "postcopy=1: /run/x has iommu=1" },
		{ "iface=/dev/vduse/x,socket-mode=660", "socket-mode=0660: /dev/vduse/x is no" },
		{ "iface=/dev/vduse/x,socket-group=kvm", "socket-group=kvm: /dev/vduse/x is no" },
		{ "iface=/run/x,client=1,socket-mode=660", "socket-mode=0660: /run/x is no" },
		{ "iface=/run/x,client=1,socket-group=kvm", "socket-group=kvm: /run/x is no" },
		{ "iface=/run/x,umem=1", "umem=1: /run/x is a socket" },
		{ "iface=/run/x,attach=virtio", "attach=virtio: /run/x is a socket" },
		{ "iface=/run/x,attach=vhost", "attach=vhost: /run/x is a socket" },
	};
	struct rte_vduse_args_dev dev;
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(bad); i++) {
		if (read_dev(bad[i][0], &dev) != -EINVAL || nb_said != 1)
			fail_msg("\"%s\": %u errors", bad[i][0], nb_said);
		if (strstr(said, bad[i][1]) == NULL)
			fail_msg("\"%s\": %s", bad[i][0], said);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits),  cmocka_unit_test(commas),
		cmocka_unit_test(writes),  cmocka_unit_test(too_long),
		cmocka_unit_test(bytes),   cmocka_unit_test(table),
		cmocka_unit_test(twice),   cmocka_unit_test(wrong_values),
		cmocka_unit_test(unknown), cmocka_unit_test(device),
		cmocka_unit_test(misfits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
