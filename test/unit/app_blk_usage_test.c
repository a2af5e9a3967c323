/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* What uses the disk of a VDUSE device, as files in a folder like /sys and /proc say. */
#include "unit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <control/control.h>

#define DISK "/sys/bus/vdpa/devices/disk0/virtio3/block/vda"

static char root[] = "/var/tmp/unit-blk-usage-XXXXXX";

/* That of the program has its methods beside it. */
int
control_fail(struct control_call *call, int ret, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(call->error, sizeof(call->error), format, args);
	va_end(args);
	return ret;
}

static void
make_folder(const char *path)
{
	char command[256];

	snprintf(command, sizeof(command), "mkdir -p %s%s", root, path);
	assert_int_equal(system(command), 0);
}

static void
make_file(const char *path, const char *text)
{
	char full[256];
	FILE *file;

	snprintf(full, sizeof(full), "%s%s", root, path);
	file = fopen(full, "w");
	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
}

static int
setup(void **state)
{
	RTE_SET_USED(state);
	strcpy(root + strlen(root) - 6, "XXXXXX");
	if (mkdtemp(root) == NULL)
		return -1;
	make_folder(DISK "/holders");
	make_folder(DISK "/vda1/holders");
	make_folder(DISK "/queue");
	make_folder("/proc/self");
	make_file(DISK "/dev", "254:0\n");
	make_file(DISK "/vda1/dev", "254:1\n");
	make_file("/proc/self/mountinfo", "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
					  "22 21 0:20 / /run rw - tmpfs vda rw\n"
					  "23 21 254:16 / /srv rw - ext4 /dev/vdaa rw\n");
	make_file("/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n"
				 "/dev/vdaa1 partition 1024 0 -2\n");
	return 0;
}

static int
teardown(void **state)
{
	char command[256];

	RTE_SET_USED(state);
	snprintf(command, sizeof(command), "rm -rf %s", root);
	return system(command);
}

static void
used(const char *text)
{
	struct control_call call = { 0 };

	assert_int_equal(control_usage(&call, root, "disk0"), text != NULL ? -EBUSY : 0);
	assert_non_null(strstr(call.error, text != NULL ? text : ""));
}

static void
unused(void **state)
{
	struct control_call call = { 0 };

	RTE_SET_USED(state);
	used(NULL);
	assert_int_equal(control_usage(&call, root, "disk1"), 0);
}

static void
mounted(void **state)
{
	RTE_SET_USED(state);
	make_file("/proc/self/mountinfo",
		  "21 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw\n"
		  "24 21 254:1 / /mnt/a\\040b rw,relatime shared:9 - ext4 /dev/root rw\n");
	used("/dev/vda1 is mounted at /mnt/a\\040b");
	make_file("/proc/self/mountinfo", "24 21 254:0 / /mnt rw - ext4 /dev/root rw\n");
	used("/dev/vda is mounted at /mnt");
	/* Its number is that of no disk. */
	make_file("/proc/self/mountinfo", "24 21 0:45 / /mnt rw - btrfs /dev/vda1 rw\n");
	used("/dev/vda1 is mounted at /mnt");
}

static void
swap(void **state)
{
	RTE_SET_USED(state);
	make_file("/proc/swaps", "Filename\tType\tSize\tUsed\tPriority\n"
				 "/dev/vda1                partition 1024 0 -2\n");
	used("/dev/vda1 is used as swap");
}

static void
held(void **state)
{
	RTE_SET_USED(state);
	make_folder(DISK "/vda1/holders/dm-0");
	used("/dev/vda1 is held by dm-0");
	make_folder(DISK "/holders/md0");
	used("/dev/vda is held by md0");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(unused, setup, teardown),
		cmocka_unit_test_setup_teardown(mounted, setup, teardown),
		cmocka_unit_test_setup_teardown(swap, setup, teardown),
		cmocka_unit_test_setup_teardown(held, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
