/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Parsing of the file of --config: the resulting devices, and the errors. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <blk_config.h>
#include <blk_devargs.h>

/* What was taken: the devices, one a line. */
static char taken[1024];

static int
take(const char *text, void *arg)
{
	size_t len = strlen(taken);

	assert_ptr_equal(arg, taken);
	snprintf(taken + len, sizeof(taken) - len, "%s\n", text);
	return strstr(text, "full") != NULL ? -ENOSPC : 0;
}

static int
read_bytes(const char *bytes, size_t len)
{
	char path[] = "/var/tmp/unit-blk-config-XXXXXX";
	int fd = mkstemp(path), ret;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	close(fd);
	taken[0] = '\0';
	ret = blk_config_read(path, take, taken);
	unlink(path);
	return ret;
}

static int
read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

static void
devices(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(read_text("# two disks\n"
				   "\n"
				   "[disk0]\n"
				   "backend=file\n"
				   "  path = /srv/a #1.img \t\r\n"
				   "\t# attach=none\n"
				   "attach\t=\tvirtio\n"
				   " [ disk1 ] \n"
				   "backend = ram"),
			 0);
	assert_string_equal(taken, "disk0,backend=file,path=/srv/a #1.img,attach=virtio\n"
				   "disk1,backend=ram\n");
	/* Whatever is between the first '=' and the end. */
	assert_int_equal(read_text("[d]\nuser=a=b\n"), 0);
	assert_string_equal(taken, "d,user=a=b\n");
	assert_int_equal(read_text("[d]\npath = /srv/a=b, c[1.img,\nro=1\n"), 0);
	assert_string_equal(taken, "d,path=/srv/a=b,, c[1.img,,,ro=1\n");
	/* Devices may come later. */
	assert_int_equal(read_text("# nothing\n"), 0);
	assert_string_equal(taken, "");
	/* That a device lacks arguments is not for the file to say. */
	assert_int_equal(read_text("[d]"), 0);
	assert_string_equal(taken, "d\n");
}

/* A path as long as there can be, which the one who takes the text sees whole. */
static void
long_lines(void **state)
{
	static struct blk_devargs args;
	static char text[PATH_MAX + 64], path[PATH_MAX];

	RTE_SET_USED(state);
	memset(path, 'x', sizeof(path) - 1);
	path[0] = '/';
	snprintf(text, sizeof(text), "[d]\nbackend = file\npath = %s\n", path);
	assert_int_equal(read_text(text), 0);
	assert_int_equal(strlen(taken), sizeof(taken) - 1);
	snprintf(text, sizeof(text), "d,backend=file,path=%s", path);
	assert_int_equal(blk_devargs_parse(text, &args), 0);
	assert_memory_equal(args.backend_args + strlen("path="), path, strlen(path));
	assert_string_equal(args.backend_args + strlen("path=") + strlen(path), ",");
}

static void
wrong(const char *text, const char *before)
{
	assert_int_equal(read_text(text), -EINVAL);
	assert_string_equal(taken, before);
}

static void
refused(void **state)
{
	RTE_SET_USED(state);
	wrong("backend=ram\n", "");
	wrong("[]\n", "");
	wrong("[ ]\n", "");
	wrong("[\n", "");
	wrong("[d\nbackend=ram\n", "");
	wrong("[d] backend=ram\n", "");
	wrong("[d,ro=1]\nbackend=ram\n", "");
	wrong("[d=e]\nbackend=ram\n", "");
	wrong("[[d]]\nbackend=ram\n", "");
	/* Not skipped: it would be a disk that can be written. */
	wrong("[d]\nbackend=ram\nro\n", "");
	wrong("[d]\nbackend=ram\nro 1\n", "");
	wrong("[d]\nbackend=ram\nro=\n", "");
	wrong("[d]\nbackend=ram\n=1\n", "");
	wrong("[d]\nbackend,ro=1\n", "");
	/* What is above a mistake has been taken, the device that has it has not. */
	wrong("[d]\nbackend=ram\n[e]\nbackend=ram\n[f\n", "d,backend=ram\ne,backend=ram\n");
	assert_int_equal(read_bytes("[d]\nbackend=r\0m\n", 16), -EINVAL);
	assert_string_equal(taken, "");
}

static void
not_taken(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(read_text("[d]\nbackend=full\n[e]\nbackend=ram\n"), -ENOSPC);
	assert_string_equal(taken, "d,backend=full\n");
	assert_int_equal(read_text("[d]\nbackend=full\n"), -ENOSPC);
}

static int
write_text(const char *device)
{
	char *text;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	int ret;

	assert_non_null(out);
	ret = blk_config_write(device, out);
	assert_int_equal(fclose(out), 0);
	if (ret == 0)
		assert_int_equal(read_text(text), 0);
	free(text);
	return ret;
}

/* What is written is read as it was, or not written. */
static void
written(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(write_text("d,backend=file,path=/srv/a=b,, c[1.img,,,ro=1"), 0);
	assert_string_equal(taken, "d,backend=file,path=/srv/a=b,, c[1.img,,,ro=1\n");
	assert_int_equal(write_text("d"), 0);
	assert_string_equal(taken, "d\n");
	assert_int_equal(write_text("d,path=/srv/a "), -EINVAL);
	assert_int_equal(write_text("d,path= /srv/a"), -EINVAL);
	assert_int_equal(write_text("d,path=/srv/a\nro=1"), -EINVAL);
	assert_int_equal(write_text("d,#path=/srv/a"), -EINVAL);
	assert_int_equal(write_text("d,[path=/srv/a"), -EINVAL);
	assert_int_equal(write_text("d,path="), -EINVAL);
	assert_int_equal(write_text("d,ro"), -EINVAL);
}

static void
no_file(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(blk_config_read("/nowhere/disks", take, taken), -ENOENT);
	assert_int_equal(blk_config_read("/var/tmp", take, taken), -EISDIR);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(devices), cmocka_unit_test(long_lines),
		cmocka_unit_test(refused), cmocka_unit_test(not_taken),
		cmocka_unit_test(written), cmocka_unit_test(no_file),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
