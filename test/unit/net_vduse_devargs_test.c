/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Device arguments of net_vduse: valid ones, and the log line for each invalid one. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include <rte_common.h>
#include <rte_ether.h>
#include <rte_log.h>

#include <rte_vduse_net.h>

#include "devargs.h"

#define NAME  "net_vduse7"
#define IFACE "iface=/dev/vduse/net0"

/* Longest name that a device may have, and one that is too long. */
#define NAME_31 "abcdefghijklmnopqrstuvwxyz01234"
#define NAME_63 NAME_31 NAME_31 "x"
static_assert(sizeof(NAME_63) == RTE_VDUSE_NAME_MAX, "the longest name is the longest name");

static struct vduse_devargs parsed;
static char log_text[2048];

/* Parses, and keeps what was logged. */
static int
parse(const char *args)
{
	FILE *stream;
	int ret;

	memset(log_text, 0, sizeof(log_text));
	stream = fmemopen(log_text, sizeof(log_text), "w");
	assert_non_null(stream);
	rte_openlog_stream(stream);
	memset(&parsed, 0xa5, sizeof(parsed));
	ret = vduse_devargs_parse(NAME, args, &parsed);
	rte_openlog_stream(NULL);
	fclose(stream);
	return ret;
}

static void
accepted(const char *args)
{
	int ret = parse(args);

	if (ret != 0 || log_text[0] != '\0')
		fail_msg("\"%s\": %d, %s", args, ret, log_text);
}

/* The line must be one line and hold the device's name and both texts. */
static void
refused(const char *args, const char *value, const char *advice)
{
	const char *end;

	if (parse(args) != -EINVAL)
		fail_msg("\"%s\" was taken", args != NULL ? args : "(null)");
	end = strchr(log_text, '\n');
	if (end == NULL || end[1] != '\0')
		fail_msg("not one line: %s", log_text);
	if (strstr(log_text, NAME ": ") == NULL || strstr(log_text, value) == NULL ||
	    strstr(log_text, advice) == NULL)
		fail_msg("no name, \"%s\" or \"%s\" in: %s", value, advice, log_text);
}

static void
test_defaults(void **state)
{
	RTE_SET_USED(state);
	accepted(IFACE);
	assert_string_equal(parsed.dev.path, "/dev/vduse/net0");
	assert_int_equal(parsed.dev.queues, 1);
	assert_int_equal(parsed.dev.queue_size, 256);
	assert_int_equal(parsed.mtu, 1500);
	assert_int_equal(parsed.dev.attach, RTE_VDUSE_ATTACH_NONE);
	assert_true(rte_is_zero_ether_addr(&parsed.mac));
	assert_false(parsed.dev.umem);
	assert_false(parsed.dev.client);
	assert_false(parsed.dev.packed);
	assert_true(parsed.dev.in_order);
}

static void
test_all(void **state)
{
	const struct rte_ether_addr mac = { { 0x02, 0, 0, 0, 0xab, 0x01 } };

	RTE_SET_USED(state);
	accepted("umem=1,attach=virtio,mtu=9000,mac=02:00:00:00:ab:01,queue-size=1024,queues=4,"
		 "iface=/dev/vduse/a.b_c-D9");
	assert_string_equal(parsed.dev.path, "/dev/vduse/a.b_c-D9");
	assert_int_equal(parsed.dev.queues, 4);
	assert_int_equal(parsed.dev.queue_size, 1024);
	assert_int_equal(parsed.mtu, 9000);
	assert_int_equal(parsed.dev.attach, RTE_VDUSE_ATTACH_VIRTIO);
	assert_true(rte_is_same_ether_addr(&parsed.mac, &mac));
	assert_true(parsed.dev.umem);
}

static void
test_limits(void **state)
{
	RTE_SET_USED(state);
	accepted(IFACE ",queue-size=2,mtu=68,queues=1,attach=none,umem=0");
	assert_int_equal(parsed.dev.queue_size, 2);
	assert_int_equal(parsed.mtu, 68);
	accepted(IFACE ",queue-size=32768,mtu=65535,queues=" RTE_STR(RTE_VDUSE_NET_PAIRS_MAX));
	assert_int_equal(parsed.dev.queue_size, 32768);
	assert_int_equal(parsed.mtu, 65535);
	assert_int_equal(parsed.dev.queues, RTE_VDUSE_NET_PAIRS_MAX);
	accepted(IFACE ",attach=vhost");
	assert_int_equal(parsed.dev.attach, RTE_VDUSE_ATTACH_VHOST);
	accepted("iface=/dev/vduse/" NAME_63);
	assert_string_equal(parsed.dev.path, "/dev/vduse/" NAME_63);
}

static void
test_iface(void **state)
{
	static const char *const bad[] = {
		"/dev/vduse/",
		"/dev/vduse",
		"net0",
		"/dev/vduse/control",
		"/dev/vduse/.",
		"/dev/vduse/..",
		"/dev/vduse/a/b",
		"/dev/vduse/../null",
		"/dev/vduse/a b",
		"/dev/vduse/a\xc3\xa4",
		"/dev/vduse/a;b",
		"/run/",
		"/run/" NAME_63 NAME_31 "123456789",
		"",
		"/dev/vduse/" NAME_63 "y",
	};
	char args[256];
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(bad); i++) {
		snprintf(args, sizeof(args), "iface=%s", bad[i]);
		refused(args, args, "must be /dev/vduse/NAME");
	}
}

static void
test_socket(void **state)
{
	RTE_SET_USED(state);
	accepted("iface=/run/vhost/x.sock,client=1,attach=none,umem=0,queues=1");
	assert_string_equal(parsed.dev.path, "/run/vhost/x.sock");
	assert_true(parsed.dev.client);
	assert_true(parsed.dev.packed);
	accepted("client=0,iface=./x,packed=0,in-order=0");
	assert_false(parsed.dev.client);
	assert_false(parsed.dev.packed);
	assert_false(parsed.dev.in_order);
	accepted(IFACE ",in-order=1,packed=1");
	assert_false(parsed.csum);
	accepted(IFACE ",csum=1");
	assert_true(parsed.csum);
	assert_false(parsed.tso);
	accepted(IFACE ",tso=1");
	assert_true(parsed.tso && parsed.csum && !parsed.uso);
	accepted(IFACE ",uso=1,csum=0");
	assert_true(parsed.uso && parsed.csum && !parsed.tso);
	assert_int_equal(parsed.speed, 0);
	accepted(IFACE ",speed=2147483647");
	assert_int_equal(parsed.speed, 2147483647);
	refused(IFACE ",speed=0", "speed=0", "must be");
	refused(IFACE ",speed=2147483648", "speed=2147483648", "must be");
	assert_int_equal(parsed.steer, RTE_VDUSE_NET_STEER_APP);
	assert_false(parsed.hash_report);
	assert_true(parsed.mergeable);
	accepted(IFACE ",steer=rss,hash-report=1,handover=/run/x.over");
	assert_string_equal(parsed.handover, "/run/x.over");
	assert_int_equal(parsed.steer, RTE_VDUSE_NET_STEER_RSS);
	assert_true(parsed.hash_report);
	accepted(IFACE ",steer=auto");
	assert_int_equal(parsed.steer, RTE_VDUSE_NET_STEER_AUTO);
	accepted(IFACE ",steer=app");
	assert_int_equal(parsed.steer, RTE_VDUSE_NET_STEER_APP);
	refused(IFACE ",steer=hash", "steer=hash", "app");
	refused(IFACE ",hash-report=2", "hash-report=2", "0 or 1");
	accepted(IFACE ",mergeable=0");
	assert_false(parsed.mergeable);
	refused(IFACE ",mergeable=2", "mergeable=2", "0 or 1");
	accepted(IFACE ",in-order=1,packed=1");
	assert_true(parsed.dev.packed);
	assert_true(parsed.dev.in_order);
	accepted("iface=/run/" NAME_63 NAME_31 "12345678");
	accepted("iface=/run/a=b c[1,,2.sock,queues=3");
	assert_string_equal(parsed.dev.path, "/run/a=b c[1,2.sock");
	assert_int_equal(parsed.dev.queues, 3);
	refused("iface=/run/x.sock,attach=virtio", "/run/x.sock", "leave attach out");
	refused("attach=vhost,iface=/run/x.sock", "/run/x.sock", "leave attach out");
	refused("iface=/run/x.sock,umem=1", "/run/x.sock", "leave umem out");
	refused(IFACE ",client=1", "/dev/vduse/net0", "leave client out");
	refused(IFACE ",any-memory=1", "/dev/vduse/net0", "leave any-memory out");
	refused("iface=/run/x.sock,any-memory=2", "any-memory=2", "0 or 1");
	refused(IFACE ",iommu=1", "/dev/vduse/net0", "leave iommu out");
	accepted("iface=/run/x.sock,iommu=1");
	assert_true(parsed.dev.iommu);
	accepted("iface=/run/x.sock,any-memory=1");
	assert_true(parsed.dev.any_memory);
	assert_int_equal(parsed.dev.memory_limit, 0);
	accepted("iface=/run/x.sock,memory-limit=8G");
	assert_int_equal(parsed.dev.memory_limit, UINT64_C(8) << 30);
	accepted(IFACE ",memory-limit=4096");
	assert_int_equal(parsed.dev.memory_limit, 4096);
	refused(IFACE ",memory-limit=0", "memory-limit=0", "such as 8G");
	refused(IFACE ",memory-limit=8X", "memory-limit=8X", "such as 8G");
	refused("iface=/run/x.sock,client=2", "client=2", "0 or 1");
	accepted("iface=/run/x.sock,socket-mode=0660,socket-group=kvm");
	assert_int_equal(parsed.dev.socket_mode, 0660);
	assert_string_equal(parsed.dev.socket_group, "kvm");
	refused("iface=/run/x.sock,socket-mode=8", "socket-mode=8", "octal");
	refused("iface=/run/x.sock,socket-mode=0660,client=1", "socket-mode", "leave them out");
	refused(IFACE ",socket-group=kvm", "socket-group", "leave them out");
}

static void
test_iface_missing(void **state)
{
	RTE_SET_USED(state);
	refused(NULL, "iface", "give iface=/dev/vduse/NAME");
	refused("", "iface", "give iface=/dev/vduse/NAME");
	refused(",,", ",=", "unknown argument");
	refused(IFACE ",,queues=2", "net0,queues=2", "must be /dev/vduse/NAME");
	refused("queues=1", "iface", "give iface=/dev/vduse/NAME");
	refused("iface", "iface=", "must be /dev/vduse/NAME");
}

/* What is no decimal number, whatever the argument. */
static void
test_numbers(void **state)
{
	static const char *const keys[] = { "queues", "queue-size", "mtu",     "umem",
					    "client", "packed",     "in-order" };
	static const char *const bad[] = {
		"",
		"-1",
		"+1",
		" 1",
		"1 ",
		"1x",
		"x1",
		"0x100",
		"1.0",
		"1e2",
		"65536",
		"65537",
		"65792",
		"4294967297",
		"18446744073709551617",
		"99999999999999999999999",
		"one",
		"-18446744073709551615",
	};
	char args[256], value[64];
	unsigned int i, j;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(keys); i++) {
		for (j = 0; j < RTE_DIM(bad); j++) {
			snprintf(value, sizeof(value), "%s=%s: ", keys[i], bad[j]);
			snprintf(args, sizeof(args), IFACE ",%s=%s", keys[i], bad[j]);
			refused(args, value, "must be");
		}
	}
}

static void
test_ranges(void **state)
{
	RTE_SET_USED(state);
	refused(IFACE ",queues=0", "queues=0", "from 1 to 128");
	refused(IFACE ",queues=129", "queues=129", "from 1 to 128");
	refused(IFACE ",queue-size=0", "queue-size=0", "power of two from 2 to 32768");
	refused(IFACE ",queue-size=1", "queue-size=1", "power of two from 2 to 32768");
	refused(IFACE ",queue-size=3", "queue-size=3", "power of two from 2 to 32768");
	refused(IFACE ",queue-size=255", "queue-size=255", "power of two from 2 to 32768");
	refused(IFACE ",queue-size=32769", "queue-size=32769", "power of two from 2 to 32768");
	refused(IFACE ",queue-size=65535", "queue-size=65535", "power of two from 2 to 32768");
	refused(IFACE ",mtu=67", "mtu=67", "from 68 to 65535");
	refused(IFACE ",mtu=0", "mtu=0", "from 68 to 65535");
	refused(IFACE ",umem=2", "umem=2", "0 or 1");
}

static void
test_mac(void **state)
{
	static const char *const bad[] = {
		"",
		"02:00:00:00:00",
		"02:00:00:00:00:01:02",
		"02:00:00:00:00:0g",
		"020000000001",
		"00:00:00:00:00:00",
		"01:00:5e:00:00:01",
		"ff:ff:ff:ff:ff:ff",
		"02:00:00:00:00:01 ",
		"random",
	};
	char args[256], value[64];
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(bad); i++) {
		snprintf(value, sizeof(value), "mac=%s: ", bad[i]);
		snprintf(args, sizeof(args), IFACE ",mac=%s", bad[i]);
		refused(args, value, "unicast address");
	}
}

static void
test_attach(void **state)
{
	RTE_SET_USED(state);
	refused(IFACE ",attach=", "attach=", "none, virtio or vhost");
	refused(IFACE ",attach", "attach=", "none, virtio or vhost");
	refused(IFACE ",attach=virtio_vdpa", "attach=virtio_vdpa", "none, virtio or vhost");
	refused(IFACE ",attach=VIRTIO", "attach=VIRTIO", "none, virtio or vhost");
	refused(IFACE ",attach=1", "attach=1", "none, virtio or vhost");
}

static void
test_unknown(void **state)
{
	RTE_SET_USED(state);
	refused(IFACE ",queue=2", "queue=2", "known are iface=");
	refused(IFACE ",QUEUES=2", "QUEUES=2", "known are iface=");
	refused(IFACE ",queues =2", "queues =2", "known are iface=");
	refused(IFACE ",=1", "=1", "known are iface=");
	refused("path=/dev/vduse/net0", "path=/dev/vduse/net0", "known are iface=");
}

static void
test_repeated(void **state)
{
	RTE_SET_USED(state);
	refused(IFACE "," IFACE, IFACE, "give it once");
	refused(IFACE ",queues=1,mtu=1500,queues=1", "queues=1", "give it once");
	refused("mtu=1500,mtu=1500," IFACE, "mtu=1500", "give it once");
	refused(IFACE ",iface=/run/x.sock", "iface=/run/x.sock", "give it once");
	refused("mac=02:00:00:00:00:01,mac=02:00:00:00:00:02," IFACE, "mac=02:00:00:00:00:02",
		"give it once");
}

static void
test_too_many(void **state)
{
	char args[1024] = IFACE;
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < 100; i++)
		strcat(args, ",mtu=99");
	refused(args, "mtu=99", "give it once");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_defaults),      cmocka_unit_test(test_all),
		cmocka_unit_test(test_limits),        cmocka_unit_test(test_iface),
		cmocka_unit_test(test_iface_missing), cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_ranges),        cmocka_unit_test(test_mac),
		cmocka_unit_test(test_attach),        cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_repeated),      cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_socket),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
