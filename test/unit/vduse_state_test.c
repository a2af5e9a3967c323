/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The state file of a device: it cannot lead to another file, only one process has it, and other
 * users cannot read it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vduse/core/state.h>

#include "create_over.h"
#include "loopback_dev.h"

#define SIZE 4096u

static struct loopback_dev dev;
static struct rte_vduse_part part;
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
	memset(&part, 0, sizeof(part));
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	rte_vduse_part_close(&part);
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
	assert_int_equal(rte_vduse_state_open(dev.dev, false), -ELOOP);
	check_other("not ours");
}

/* One that leads nowhere creates nothing. */
static void
dangling_link(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(symlink(other, path), 0);
	assert_int_equal(rte_vduse_state_open(dev.dev, false), -ELOOP);
	assert_int_equal(access(other, F_OK), -1);
}

static void
mode_and_end(void **state)
{
	struct stat st;

	RTE_SET_USED(state);
	assert_int_equal(rte_vduse_state_open(dev.dev, false), 0);
	assert_false(dev.dev->state.kept);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0600);
	vduse_state_close(dev.dev, true);
	assert_int_equal(access(path, F_OK), -1);
	vduse_state_close(dev.dev, true);
}

static void
second_owner(void **state)
{
	struct rte_vduse_dev_conf conf = loopback_dev_conf(&dev);
	struct vduse_loopback *loop = vduse_loopback_new();
	struct rte_vduse_dev *again;

	RTE_SET_USED(state);
	assert_non_null(loop);
	assert_int_equal(rte_vduse_state_open(dev.dev, false), 0);
	assert_int_equal(rte_vduse_part_open(dev.dev, 0, SIZE, &part), 0);
	memset(part.data, 7, SIZE);
	assert_int_equal(create_dev_over(&conf, &vduse_transport_loopback, loop, &again), 0);
	assert_int_equal(rte_vduse_state_open(again, false), -EBUSY);
	rte_vduse_dev_destroy(again);
	vduse_loopback_free(loop);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(((uint8_t *)part.data)[SIZE - 1], 7);
}

/* Another user could put a file there that leads this process somewhere else. */
static void
folder_of_others(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(chmod(dir, 0777), 0);
	unit_log_clear();
	assert_int_equal(rte_vduse_state_open(dev.dev, false), -EPERM);
	assert_int_equal(unit_log_count("nobody else may write to it"), 1);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(chmod(dir, 0700), 0);
}

/* A larger ring than before gets a new part; the parts of other rings do not change. */
static void
part_grows(void **state)
{
	struct rte_vduse_part second = { 0 };
	size_t i;

	RTE_SET_USED(state);
	assert_int_equal(rte_vduse_state_open(dev.dev, false), 0);
	assert_int_equal(rte_vduse_part_open(dev.dev, 0, 0, &part), -ENOENT);
	assert_int_equal(rte_vduse_part_open(dev.dev, 0, 100, &part), 0);
	assert_int_equal(rte_vduse_part_open(dev.dev, 0, 0, &part), 0);
	assert_int_equal(part.size, SIZE);
	assert_int_equal(rte_vduse_part_open(dev.dev, 1, 100, &second), 0);
	memset(part.data, 1, part.size);
	memset(second.data, 2, second.size);
	assert_int_equal(rte_vduse_part_open(dev.dev, 0, 3 * SIZE, &part), 0);
	assert_int_equal(part.size, 3 * SIZE);
	for (i = 0; i < part.size; i++)
		assert_int_equal(((uint8_t *)part.data)[i], 0);
	memset(part.data, 3, part.size);
	assert_int_equal(((uint8_t *)second.data)[0], 2);
	assert_int_equal(((uint8_t *)second.data)[second.size - 1], 2);
	rte_vduse_part_close(&second);
}

/* A full file system is told of when the part is made, not by SIGBUS when it is written. */
static void
no_room(void **state)
{
	struct rlimit limit, was;

	RTE_SET_USED(state);
	assert_int_equal(rte_vduse_state_open(dev.dev, false), 0);
	assert_int_equal(rte_vduse_part_open(dev.dev, 0, 100, &part), 0);
	memset(part.data, 1, part.size);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	limit = was;
	limit.rlim_cur = 4 * SIZE;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	unit_log_clear();
	assert_true(rte_vduse_part_open(dev.dev, 0, 64 * SIZE, &part) < 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(unit_log_count("no room in"), 1);
	assert_int_equal(part.size, SIZE);
	assert_int_equal(((uint8_t *)part.data)[SIZE - 1], 1);
}

/* Of a path that begins and ends anywhere in memory: a sanitizer watches what is read of it. */
static void
socket_hash(void **state)
{
	static const char where[] = "/run/folder/unit.sock";
	uint32_t hash = vduse_state_socket_hash(where);
	unsigned int offset;

	RTE_SET_USED(state);
	for (offset = 0; offset < 8; offset++) {
		char *copy = malloc(offset + sizeof(where));

		assert_non_null(copy);
		memcpy(copy + offset, where, sizeof(where));
		assert_int_equal(vduse_state_socket_hash(copy + offset), hash);
		free(copy);
	}
	assert_int_not_equal(vduse_state_socket_hash("/run/folder/unit.sock2"), hash);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(symbolic_link, setup, teardown),
		cmocka_unit_test_setup_teardown(dangling_link, setup, teardown),
		cmocka_unit_test_setup_teardown(mode_and_end, setup, teardown),
		cmocka_unit_test_setup_teardown(second_owner, setup, teardown),
		cmocka_unit_test_setup_teardown(folder_of_others, setup, teardown),
		cmocka_unit_test_setup_teardown(part_grows, setup, teardown),
		cmocka_unit_test_setup_teardown(no_room, setup, teardown),
		cmocka_unit_test(socket_hash),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
