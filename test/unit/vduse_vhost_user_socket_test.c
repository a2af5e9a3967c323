/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Sockets of a vhost-user device: its back-end channel does not block, and file descriptors of any
 * kind are closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_vduse_compat.h>

#include <vduse/core/log.h>
#include <vduse/vhost_user/vhost_user.h>

#include <rte_vduse_handover.h>

#include "create_over.h"
#include "loopback_dev.h"

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

static void *
config_thread(void *arg)
{
	unsigned int i;

	for (i = 0; i < 10; i++)
		if (vduse_transport_vhost_user.config_call(dev) == 0)
			rte_atomic_fetch_add_explicit((unsigned int *)arg, 1,
						      rte_memory_order_relaxed);
	return NULL;
}

static bool
is_told(void *arg)
{
	return rte_atomic_load_explicit((unsigned int *)arg, rte_memory_order_relaxed) == 10;
}

/* The driver does not read: no thread waits for it, and no lock is held meanwhile. */
static void
test_channel_unread(void **state)
{
	uint8_t buffer[4096] = { 0 };
	unsigned int told = 0;
	pthread_t thread;
	int ends[2];
	bool done;

	RTE_SET_USED(state);
	assert_int_equal(vduse_transport_vhost_user.config_call(dev), -EINVAL);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	while (send(ends[0], buffer, sizeof(buffer), MSG_DONTWAIT) > 0)
		;
	assert_int_equal(vhost_user_channel_open(vu, ends[0]), 0);
	assert_int_equal(pthread_create(&thread, NULL, config_thread, &told), 0);
	done = unit_wait(is_told, &told);
	if (!done)
		close(ends[1]);
	pthread_join(thread, NULL);
	assert_true(done);
	close(ends[1]);
	/* The driver hung up there. */
	assert_int_equal(vduse_transport_vhost_user.config_call(dev), -EINVAL);
}

static void
test_channel(void **state)
{
	uint32_t msg[4];
	int ends[2];

	RTE_SET_USED(state);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	assert_int_equal(vhost_user_channel_open(vu, ends[0]), 0);
	assert_int_equal(vduse_transport_vhost_user.config_call(dev), 0);
	assert_int_equal(recv(ends[1], msg, sizeof(msg), 0), VHOST_USER_MSG_HEAD);
	assert_int_equal(msg[0], MSG_BACKEND_CONFIG_CHANGE);
	assert_int_equal(msg[1], MSG_VERSION);
	assert_int_equal(msg[2], 0);
	vhost_user_channel_close(vu);
	assert_int_equal(vduse_transport_vhost_user.config_call(dev), -EINVAL);
	/* It is closed: the other end reads its end. */
	assert_int_equal(recv(ends[1], msg, sizeof(msg), 0), 0);
	close(ends[1]);
}

static bool
is_closed(void *arg)
{
	return fcntl(*(int *)arg, F_GETFD) < 0;
}

static void
test_kinds(void **state)
{
	int fds[5], i;

	RTE_SET_USED(state);
	fds[0] = unit_memfd("unit-vhost-user", PAGE);
	fds[1] = eventfd(0, 0);
	fds[2] = socket(AF_UNIX, SOCK_STREAM, 0);
	fds[3] = socket(AF_INET, SOCK_STREAM, 0);
	fds[4] = open("/proc/self/stat", O_RDONLY);
	for (i = 0; i < 5; i++) {
		assert_int_equal(vhost_user_file_is_memory(fds[i]), i == 0);
		assert_int_equal(vhost_user_file_is_eventfd(fds[i]), i == 1);
		assert_int_equal(vhost_user_file_is_channel(fds[i]), i == 2);
	}
	/* Such a socket alone can be written to without blocking, whatever its driver does. */
	assert_int_equal(vhost_user_channel_open(vu, fds[3]), -EPROTO);
	assert_int_equal(vhost_user_channel_open(vu, fds[4]), -EPROTO);
	for (i = 0; i < 5; i++) {
		vhost_user_file_close(vu->closer, fds[i]);
		assert_true(unit_wait(is_closed, &fds[i]));
	}
	vhost_user_file_close(vu->closer, -1);
}

/* A hundred devices' worth of faults in no time: so many lines and no more, with their number. */
static void
test_log_rate(void **state)
{
	struct vduse_log_rate rate = { 0 };
	unsigned int i, lines;

	RTE_SET_USED(state);
	unit_log_clear();
	for (i = 0; i < 100 * VDUSE_LOG_BURST; i++)
		VDUSE_LOG_RATED(&rate, dev, ERR, "unit", "line %u", i);
	lines = unit_log_count("line ");
	assert_in_range(lines, VDUSE_LOG_BURST, VDUSE_LOG_BURST + 10);
	assert_int_equal(rate.suppressed + lines, 100 * VDUSE_LOG_BURST);
	/* As if a second had passed. */
	rate.full -= rte_get_timer_hz();
	VDUSE_LOG_RATED(&rate, dev, ERR, "unit", "the next");
	assert_int_equal(unit_log_count("log lines suppressed"), 1);
	assert_int_equal(unit_log_count("the next"), 1);
	assert_int_equal(rate.suppressed, 0);
}

/* The next process finds the socket, which refuses clients meanwhile, and takes its place. */
static void
test_leave(void **state)
{
	struct rte_vduse_dev_conf conf = loopback_dev_conf(&callbacks);

	RTE_SET_USED(state);
	conf.path = path;
	assert_int_equal(rte_vduse_dev_start(dev, RTE_VDUSE_ATTACH_NONE), 0);
	rte_vduse_dev_leave(dev);
	assert_true(rte_vduse_dev_leaving(dev));
	/* It is stopped already. */
	rte_vduse_dev_stop(dev);
	rte_vduse_dev_destroy(dev);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(create_dev_over(&conf, &vduse_transport_vhost_user, NULL, &dev), 0);
	assert_false(rte_vduse_dev_leaving(dev));
	assert_int_equal(rte_vduse_dev_start(dev, RTE_VDUSE_ATTACH_NONE), 0);
	rte_vduse_dev_stop(dev);
	/* After a stop, it has no effect. */
	rte_vduse_dev_leave(dev);
	assert_false(rte_vduse_dev_leaving(dev));
	assert_int_equal(access(path, F_OK), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_channel_unread, setup, teardown),
		cmocka_unit_test_setup_teardown(test_channel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_leave, setup, teardown),
		cmocka_unit_test_setup_teardown(test_log_rate, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
