/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The vhost-user transport without a client: requests to the device, the socket file, checks of
 * memory, and calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <vduse/core/ctrl_thread.h>
#include <vduse/vhost_user/msg.h>

#include <rte_vduse_compat.h>

#include "create_over.h"
#include "loopback_dev.h"

#define HUGE (UINT64_C(2) << 20)

static char path[64];
static struct loopback_dev callbacks;
static struct rte_vduse_dev *dev;
static struct vhost_user *vu;

static int
setup(void **state)
{
	struct rte_vduse_dev_conf conf;

	RTE_SET_USED(state);
	memset(&callbacks, 0, sizeof(callbacks));
	unit_log_clear();
	snprintf(path, sizeof(path), "/tmp/vduse-unit-%d.sock", getpid());
	conf = loopback_dev_conf(&callbacks);
	conf.path = path;
	if (create_dev_over(&conf, &vduse_transport_vhost_user, NULL, &dev) < 0)
		return -1;
	vu = dev->transport_priv;
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	rte_vduse_dev_destroy(dev);
	return 0;
}

static int
set_status(uint8_t status)
{
	struct vduse_dev_request request = { .type = VDUSE_SET_STATUS, .s.status = status };
	struct vduse_dev_response response;
	int ret = vduse_msg_do(dev, &request, &response);

	assert_int_equal(response.result, ret < 0 ? VDUSE_REQ_RESULT_FAILED : VDUSE_REQ_RESULT_OK);
	return ret;
}

static void
test_status(void **state)
{
	RTE_SET_USED(state);
	vu->features = LOOPBACK_DEV_FEATURES;
	assert_int_equal(set_status(STATUS_FEATURES), 0);
	assert_int_equal(rte_vduse_dev_status(dev), STATUS_FEATURES);
	assert_int_equal(rte_vduse_dev_features(dev), LOOPBACK_DEV_FEATURES);
	/* What is not offered is refused, and that is an answer too. */
	assert_int_equal(set_status(0), 0);
	vu->features = ~LOOPBACK_DEV_FEATURES;
	assert_int_equal(set_status(STATUS_FEATURES), -EINVAL);
}

/* Private from the first moment on, whatever the process's umask is; gone with the device. */
static void
test_socket_file(void **state)
{
	mode_t mask = umask(0);
	struct stat st;

	RTE_SET_USED(state);
	assert_int_equal(vhost_user_socket_start(vu), 0);
	umask(mask);
	assert_int_equal(lstat(path, &st), 0);
	assert_true(S_ISSOCK(st.st_mode));
	assert_int_equal(st.st_mode & 0777, 0600);
	vhost_user_socket_stop(vu);
	assert_int_equal(access(path, F_OK), -1);
}

/* What the log tells: messages by name, and what a client can do, which has no reset. */
static void
test_log(void **state)
{
	RTE_SET_USED(state);
	assert_string_equal(vhost_user_msg_name(1), "GET_FEATURES");
	assert_string_equal(vhost_user_msg_name(24), "GET_CONFIG");
	assert_string_equal(vhost_user_msg_name(38), "REM_MEM_REG");
	assert_string_equal(vhost_user_msg_name(0), "unknown");
	assert_string_equal(vhost_user_msg_name(23), "unknown");
	assert_string_equal(vhost_user_msg_name(UINT32_MAX), "unknown");
	rte_vduse_vq_fail(&dev->vqs[0], "a test, bytes", 17);
	assert_int_equal(unit_log_count("its client must reconnect: a test, bytes 17 (0x11)"), 1);
}

static void
test_register_twice(void **state)
{
	struct rte_vduse_dev_conf conf = loopback_dev_conf(&callbacks);
	struct rte_vduse_dev *other;
	char spelling[RTE_VDUSE_SOCKET_MAX];

	RTE_SET_USED(state);
	conf.path = path;
	conf.name = "other";
	unit_log_clear();
	assert_int_equal(rte_vduse_dev_create(&conf, &other), -EBUSY);
	assert_int_equal(unit_log_count("other: "), 1);
	assert_int_equal(unit_log_count(strrchr(path, '/') + 1), 1);
	assert_int_equal(unit_log_count("of this process has"), 1);
	/* Another spelling of it, which the socket itself tells. */
	snprintf(spelling, sizeof(spelling), "/.%s", path);
	conf.path = spelling;
	assert_int_equal(vhost_user_socket_start(vu), 0);
	assert_int_equal(rte_vduse_dev_create(&conf, &other), -EBUSY);
	assert_int_equal(unit_log_count("somebody serves"), 1);
	assert_int_equal(access(path, F_OK), 0);
	vhost_user_socket_stop(vu);
	/* The path is free when the device is gone, and not before. */
	conf.path = path;
	assert_int_equal(rte_vduse_dev_create(&conf, &other), -EBUSY);
	rte_vduse_dev_destroy(dev);
	assert_int_equal(rte_vduse_dev_create(&conf, &dev), 0);
	vu = dev->transport_priv;
	assert_string_equal(rte_vduse_dev_name(dev), "other");
}

/* A device type that sends no RARP packets does not say that it would. */
static void
test_no_rarp(void **state)
{
	struct vhost_user_msg ask = { .type = MSG_GET_PROTOCOL_FEATURES },
			      msg = { .type = MSG_SEND_RARP, .size = 8, .payload.u64 = 2 };

	RTE_SET_USED(state);
	vu->net = true;
	assert_int_equal(vhost_user_msg_handle(vu, &ask), 0);
	assert_true(ask.payload.u64 & VHOST_USER_BIT(MSG_PROTOCOL_REPLY_ACK));
	assert_false(ask.payload.u64 & VHOST_USER_BIT(MSG_PROTOCOL_RARP));
	assert_int_equal(vhost_user_msg_handle(vu, &msg), -EPROTO);
	assert_int_equal(unit_log_count("19 (SEND_RARP) belongs to a feature that is not offered"),
			 1);
}

static unsigned int nb_locked; /* times that a folder was locked by another one, atomic */

int
__real_flock(int fd, int operation);
int
__wrap_flock(int fd, int operation);

int
__wrap_flock(int fd, int operation)
{
	int ret = __real_flock(fd, operation);

	if (ret < 0 && errno == EWOULDBLOCK)
		rte_atomic_fetch_add_explicit(&nb_locked, 1, rte_memory_order_relaxed);
	return ret;
}

static bool
is_locked_out(void *arg)
{
	RTE_SET_USED(arg);
	return rte_atomic_load_explicit(&nb_locked, rte_memory_order_relaxed) > 0;
}

static void *
register_thread(void *arg)
{
	*(int *)arg = vhost_user_socket_start(vu);
	return NULL;
}

/* Two starts find what a dead process left: the second must not remove what the first makes there. */
static void
test_register_race(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int dead = socket(AF_UNIX, SOCK_STREAM, 0), live = socket(AF_UNIX, SOCK_STREAM, 0);
	unsigned int nb_removed;
	int lock, ret = 0;
	pthread_t thread;
	bool locked_out;

	RTE_SET_USED(state);
	strcpy(address.sun_path, path);
	assert_int_equal(bind(dead, (struct sockaddr *)&address, sizeof(address)), 0);
	close(dead);
	lock = vhost_user_path_lock(dev->name, path);
	assert_true(lock >= 0);
	assert_int_equal(pthread_create(&thread, NULL, register_thread, &ret), 0);
	/* It comes to the lock before it looks for the dead one. */
	locked_out = unit_wait(is_locked_out, NULL);
	nb_removed = unit_log_count("which a dead process left");
	(void)unlink(path);
	assert_int_equal(bind(live, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(live, 1), 0);
	close(lock);
	pthread_join(thread, NULL);
	assert_true(locked_out);
	assert_int_equal(nb_removed, 0);
	assert_int_equal(ret, -EBUSY);
	assert_int_equal(unit_log_count("somebody serves"), 1);
	close(live);
	assert_int_equal(unlink(path), 0);
}

static int
check(const struct vhost_user_memory *table, uint32_t nb, int fd)
{
	int fds[3], ret;
	uint32_t i;

	unit_log_clear();
	for (i = 0; i < nb; i++)
		fds[i] = dup(fd);
	ret = vhost_user_mem_add(vu, 0, table, fds, nb);
	for (i = 0; i < nb && ret < 0; i++)
		close(fds[i]);
	return ret;
}

/* What there was before stays. */
static void
refused(const struct vhost_user_memory *table, uint32_t nb, int fd, const char *why)
{
	uint32_t nb_before = vu->nb_regions;

	assert_int_equal(check(table, nb, fd), -EPROTO);
	assert_int_equal(vu->nb_regions, nb_before);
	assert_int_equal(unit_log_count(why), 1);
	assert_int_equal(unit_log_count(""), 1);
}

static void
test_memory(void **state)
{
	const struct vhost_user_memory good[] = {
		{ .first = 8 * PAGE, .size = 2 * PAGE, .offset = 2 * PAGE },
		{ .first = 0, .size = 4 * PAGE },
		{ .first = 4 * PAGE, .size = 4 * PAGE },
	};
	int fd = unit_memfd("unit-vhost-user", 4 * PAGE), fds[2];
	struct vhost_user_memory bad[3];
	unsigned int i;

	RTE_SET_USED(state);
	assert_int_equal(check(good, 3, fd), 0);
	assert_int_equal(check(good, 0, fd), 0);
	memcpy(bad, good, sizeof(bad));
	bad[2].first -= PAGE;
	refused(bad, 3, fd, "overlaps another one");
	bad[2] = good[1];
	refused(bad, 3, fd, "overlaps another one");
	bad[2] = (struct vhost_user_memory){ .first = 9 * PAGE, .size = PAGE };
	refused(bad, 3, fd, "overlaps another one");
	for (i = 0; i < 3; i++) {
		memcpy(bad, good, sizeof(bad));
		bad[i].size = 0;
		refused(bad, 3, fd, "is empty");
		memcpy(bad, good, sizeof(bad));
		bad[i].offset += PAGE;
		bad[i].size += 4 * PAGE;
		refused(bad, 3, fd, "is longer than its file");
		memcpy(bad, good, sizeof(bad));
		bad[i].offset += 1;
		refused(bad, 3, fd, "is not aligned in its file");
		memcpy(bad, good, sizeof(bad));
		bad[i].offset = -bad[i].size;
		refused(bad, 3, fd, "wraps around");
		bad[i].offset = 0;
		bad[i].first = -bad[i].size + 1;
		refused(bad, 3, fd, "wraps around");
		bad[i].first = 0;
		bad[i].size = UINT64_MAX;
		refused(bad, 3, fd, "wraps around");
	}
	assert_int_equal(pipe(fds), 0);
	refused(good, 1, fds[0], "is no shared memory");
	refused(good, 1, -1, "is no shared memory");
	vu->any_memory = true;
	refused(good, 1, fds[0], "cannot be mapped");
	refused(good, 1, -1, "is longer than its file");
	close(fds[0]);
	close(fds[1]);
	close(fd);
	assert_int_equal(unit_maps("unit-vhost-user"), 0);
}

/* What DPDK, QEMU and others have their memory in; and, where it is asked for, any other file. */
static void
test_kinds_of_memory(void **state)
{
	const struct vhost_user_memory region = { .size = HUGE };
	char name[] = "/dev/shm/vduse-unit-XXXXXX", file[] = "vduse-unit-XXXXXX";
	int fds[] = {
		unit_memfd("unit-vhost-user", HUGE),
		memfd_create("unit-vhost-user", MFD_CLOEXEC | MFD_HUGETLB),
		mkstemp(name),
		mkstemp(file),
	};

	RTE_SET_USED(state);
	unlink(name);
	unlink(file);
	assert_int_equal(ftruncate(fds[2], HUGE), 0);
	assert_int_equal(ftruncate(fds[3], HUGE), 0);
	assert_int_equal(check(&region, 1, fds[0]), 0);
	/* Not all machines have huge pages; hugetlbfs has seals without any. */
	assert_int_equal(ftruncate(fds[1], HUGE), 0);
	assert_true(vhost_user_file_is_memory(fds[1]));
	assert_int_equal(check(&region, 1, fds[2]), 0);
	refused(&region, 1, fds[3], "is no shared memory");
	vu->any_memory = true;
	assert_int_equal(check(&region, 1, fds[3]), 0);
	close(fds[0]);
	close(fds[1]);
	close(fds[2]);
	close(fds[3]);
}

#ifndef __SANITIZE_THREAD__
/* Address space is everybody's. */
static void
test_memory_total(void **state)
{
	struct vhost_user_memory table[2] = {
		{ .size = UINT64_C(16) << 40 },
		{ .size = PAGE, .first = UINT64_C(17) << 40 },
	};
	int fd = unit_memfd("unit-vhost-user", UINT64_C(16) << 40);

	RTE_SET_USED(state);
	assert_int_equal(check(table, 1, fd), 0);
	refused(table, 2, fd, "more than 16 TiB");
	dev->memory_limit = 2 * PAGE;
	refused(table, 1, fd, "more than memory-limit");
	table[0].size = PAGE;
	assert_int_equal(check(table, 2, fd), 0);
	table[0].size = PAGE + 1;
	refused(table, 2, fd, "more than memory-limit");
	close(fd);
}
#endif

static int
mem_message(uint32_t type, uint64_t first, uint64_t size, int fd)
{
	struct vhost_user_msg msg = {
		.type = type,
		.flags = MSG_VERSION,
		.size = sizeof(msg.payload.slot),
		.payload.slot.region = { .first = first, .size = size, .user = first + 7 * PAGE },
		.fds = { fd >= 0 ? dup(fd) : -1 },
		.nb_fds = fd >= 0,
	};

	unit_log_clear();
	return vhost_user_msg_handle(vu, &msg);
}

static int
fds_open(void)
{
	int fd = dup(STDERR_FILENO);

	close(fd);
	return fd;
}

/* Regions that come and go one by one; what is refused leaves no file open. */
static void
test_slots(void **state)
{
	int fd = unit_memfd("unit-vhost-user", PAGE), idle = fds_open();
	struct vhost_user_msg ask = { .type = MSG_GET_MAX_MEM_SLOTS },
			      cut = { .type = MSG_ADD_MEM_REG };
	struct vduse_file_region region;
	uint64_t iova;
	unsigned int i;

	RTE_SET_USED(state);
	assert_int_equal(vhost_user_msg_handle(vu, &ask), 0);
	assert_int_equal(ask.payload.u64, VHOST_USER_REGIONS_MAX);
	for (i = VHOST_USER_REGIONS_MAX; i-- > 0;)
		assert_int_equal(mem_message(MSG_ADD_MEM_REG, i * PAGE, PAGE, fd), 0);
	assert_int_equal(mem_message(MSG_ADD_MEM_REG, 999 * PAGE, PAGE, fd), -EPROTO);
	assert_int_equal(unit_log_count("adds a region to 509"), 1);
	assert_int_equal(mem_message(MSG_REM_MEM_REG, 3 * PAGE, 2 * PAGE, -1), -EPROTO);
	assert_int_equal(unit_log_count("is of no region"), 1);
	/* With its file or without. */
	assert_int_equal(mem_message(MSG_REM_MEM_REG, 3 * PAGE, PAGE, fd), 0);
	assert_int_equal(mem_message(MSG_REM_MEM_REG, 5 * PAGE, PAGE, -1), 0);
	assert_int_equal(vhost_user_mem_iova(vu, 10 * PAGE, 1, &iova), -EFAULT);
	assert_int_equal(vhost_user_mem_iova(vu, 11 * PAGE + 5, PAGE - 4, &iova), -EFAULT);
	assert_int_equal(vhost_user_mem_iova(vu, 11 * PAGE + 5, UINT64_MAX, &iova), -EFAULT);
	assert_int_equal(vhost_user_mem_iova(vu, 11 * PAGE + 5, PAGE - 5, &iova), 0);
	assert_int_equal(iova, 4 * PAGE + 5);
	assert_int_equal(vhost_user_mem_region(vu, 5 * PAGE, &region), 0);
	assert_int_equal(region.first, 6 * PAGE);
	assert_true(region.lent);
	/* Each of them is found from any byte of it, and from the gap before it. */
	for (i = 0; i < VHOST_USER_REGIONS_MAX; i++) {
		unsigned int found = i == 3 || i == 5 ? i + 1 : i;

		assert_int_equal(vhost_user_mem_region(vu, i * PAGE, &region), 0);
		assert_int_equal(region.first, found * PAGE);
		assert_int_equal(vhost_user_mem_region(vu, (i + 1) * PAGE - 1, &region), 0);
		assert_int_equal(region.first, found * PAGE);
	}
	assert_int_equal(vhost_user_mem_region(vu, i * PAGE, &region), -ENOENT);
	assert_int_equal(mem_message(MSG_ADD_MEM_REG, 4 * PAGE, PAGE, fd), -EPROTO);
	assert_int_equal(unit_log_count("overlaps another one"), 1);
	assert_int_equal(mem_message(MSG_ADD_MEM_REG, 5 * PAGE, PAGE, -1), -EPROTO);
	assert_int_equal(vhost_user_msg_handle(vu, &cut), -EPROTO);
	assert_int_equal(vu->nb_regions, VHOST_USER_REGIONS_MAX - 2);
	vhost_user_mem_clear(vu);
	assert_int_equal(fds_open(), idle);
	close(fd);
}

/* What a driver wrote comes back with its memory, unless it made nonsense of it. */
static void
test_note(void **state)
{
	struct vhost_user_write write = { .offset = 32, .len = 1, .data = { 7 } }, noted;
	const off_t place = dev->nb_vqs * sizeof(write);
	uint64_t size;
	int fd;

	RTE_SET_USED(state);
	assert_false(vhost_user_inflight_noted(vu, &noted));
	assert_true(vhost_user_inflight_new(vu, &size) >= 0);
	assert_false(vhost_user_inflight_noted(vu, &noted));
	vhost_user_inflight_note(vu, &write);
	assert_true(vhost_user_inflight_noted(vu, &noted));
	assert_memory_equal(&noted, &write, sizeof(write));
	/* A driver that starts again gets the current values. */
	assert_true(vhost_user_inflight_new(vu, &size) >= 0);
	assert_true(vhost_user_inflight_noted(vu, &noted));
	assert_memory_equal(&noted, &write, sizeof(write));
	fd = dup(vu->inflight);
	write.len = sizeof(write.data) + 1;
	assert_int_equal(pwrite(fd, &write, sizeof(write), place), sizeof(write));
	assert_int_equal(vhost_user_inflight_take(vu, fd, size, 0), 0);
	assert_false(vhost_user_inflight_noted(vu, &noted));
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_false(vhost_user_inflight_noted(vu, &noted));
}

/* Interrupts go to the descriptor that came last, and to none when the driver takes it back. */
static void
test_call(void **state)
{
	int fd = eventfd(0, EFD_NONBLOCK);
	eventfd_t value;

	RTE_SET_USED(state);
	assert_int_equal(vduse_transport_vhost_user.vq_call(dev, 0), -EINVAL);
	vhost_user_vring_call(vu, 0, fd);
	assert_int_equal(vduse_transport_vhost_user.vq_call(dev, 0), 0);
	assert_int_equal(eventfd_read(fd, &value), 0);
	assert_int_equal(value, 1);
	vhost_user_vring_call(vu, 0, -1);
	assert_int_equal(vduse_transport_vhost_user.vq_call(dev, 0), -EINVAL);
	close(fd);
}

static void *
call_thread(void *arg)
{
	unsigned int i;

	for (i = 0; i < 3; i++)
		if (vduse_transport_vhost_user.vq_call(dev, 0) == 0)
			rte_atomic_fetch_add_explicit((unsigned int *)arg, 1,
						      rte_memory_order_relaxed);
	return NULL;
}

static bool
is_called(void *arg)
{
	return rte_atomic_load_explicit((unsigned int *)arg, rte_memory_order_relaxed) == 3;
}

/* The driver fills the counter of a blocking eventfd: the polling thread continues. */
static void
test_call_full(void **state)
{
	int fd = eventfd(0, 0);
	unsigned int called = 0;
	eventfd_t value;
	bool done;
	pthread_t thread;

	RTE_SET_USED(state);
	vhost_user_vring_call(vu, 0, fd);
	if (vhost_user_call_waits(vu->vqs[0].call)) {
		close(fd);
		skip();
	}
	assert_int_equal(eventfd_write(fd, UINT64_MAX - 1), 0);
	assert_int_equal(pthread_create(&thread, NULL, call_thread, &called), 0);
	done = unit_wait(is_called, &called);
	assert_int_equal(eventfd_read(fd, &value), 0);
	pthread_join(thread, NULL);
	assert_true(done);
	assert_true(value >= UINT64_MAX - 1);
	/* None is lost, and none comes twice. */
	called = 0;
	call_thread(&called);
	assert_int_equal(called, 3);
	assert_int_equal(eventfd_read(fd, &value), 0);
	assert_int_equal(value, 3);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_status, setup, teardown),
		cmocka_unit_test_setup_teardown(test_socket_file, setup, teardown),
		cmocka_unit_test_setup_teardown(test_log, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_rarp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_register_twice, setup, teardown),
		cmocka_unit_test_setup_teardown(test_register_race, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kinds_of_memory, setup, teardown),
#ifndef __SANITIZE_THREAD__ /* which leaves no room for 16 TiB */
		cmocka_unit_test_setup_teardown(test_memory_total, setup, teardown),
#endif
		cmocka_unit_test_setup_teardown(test_slots, setup, teardown),
		cmocka_unit_test_setup_teardown(test_note, setup, teardown),
		cmocka_unit_test_setup_teardown(test_call, setup, teardown),
		cmocka_unit_test_setup_teardown(test_call_full, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
