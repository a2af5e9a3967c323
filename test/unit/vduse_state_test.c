/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The file of a device's state: nobody is led to another file by it, no two processes have it,
 * and nobody else can read it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <state.h>

#include "loopback_dev.h"

#define SIZE 4096u

static struct loopback_dev dev;
static struct rte_vduse_state kept;
static char dir[64], path[128], other[128];

static int
setup(void **state)
{
	RTE_SET_USED(state);
	strcpy(dir, "/tmp/unit-state-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(setenv("DPDK_VDUSE_RUN_DIR", dir, 1), 0);
	loopback_dev_start(&dev);
	snprintf(path, sizeof(path), "%s/%s.state", dir, dev.dev->name);
	snprintf(other, sizeof(other), "%s/other", dir);
	memset(&kept, 0, sizeof(kept));
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_destroy(&dev);
	unlink(path);
	unlink(other);
	assert_int_equal(rmdir(dir), 0);
	return 0;
}

static void
write_other(const char *text)
{
	FILE *file = fopen(other, "w");

	assert_non_null(file);
	assert_true(fputs(text, file) >= 0);
	assert_int_equal(fclose(file), 0);
}

static void
check_other(const char *text)
{
	FILE *file = fopen(other, "r");
	char found[64] = "";

	assert_non_null(file);
	(void)fgets(found, sizeof(found), file);
	assert_string_equal(found, text);
	fclose(file);
}

/* Somebody put a link there: the file it leads to stays as it is. */
static void
symbolic_link(void **state)
{
	RTE_SET_USED(state);
	write_other("not ours");
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(rte_vduse_state_open(dev.dev, SIZE, &kept), -ELOOP);
	assert_null(kept.data);
	check_other("not ours");
}

/* One that leads nowhere creates nothing. */
static void
dangling_link(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(rte_vduse_state_open(dev.dev, SIZE, &kept), -ELOOP);
	assert_int_equal(access(other, F_OK), -1);
}

static void
mode_and_end(void **state)
{
	struct stat st;

	RTE_SET_USED(state);
	assert_int_equal(rte_vduse_state_open(dev.dev, SIZE, &kept), 0);
	assert_false(kept.kept);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	rte_vduse_state_remove(dev.dev, &kept);
	assert_null(kept.data);
	assert_int_equal(access(path, F_OK), -1);
	rte_vduse_state_remove(dev.dev, &kept);
}

static void
second_owner(void **state)
{
	struct rte_vduse_state again = { 0 };

	RTE_SET_USED(state);
	assert_int_equal(rte_vduse_state_open(dev.dev, SIZE, &kept), 0);
	memset(kept.data, 7, SIZE);
	assert_int_equal(rte_vduse_state_open(dev.dev, SIZE, &again), -EBUSY);
	assert_null(again.data);
	assert_int_equal(((uint8_t *)kept.data)[SIZE - 1], 7);
	rte_vduse_state_remove(dev.dev, &kept);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(symbolic_link, setup, teardown),
		cmocka_unit_test_setup_teardown(dangling_link, setup, teardown),
		cmocka_unit_test_setup_teardown(mode_and_end, setup, teardown),
		cmocka_unit_test_setup_teardown(second_owner, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
