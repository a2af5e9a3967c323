/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Sockets of a vhost-user device: its connection is found and told from others, its back-end
 * channel does not block, and descriptors of any kind are closed.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_vduse_compat.h>

#include <vduse/core/log.h>
#include <vduse/vhost_user/msg.h>

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
	if (vduse_dev_create(&conf, &vduse_transport_vhost_user, NULL, &dev) < 0)
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
listen_at(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, path);
	assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(fd, 4), 0);
	return fd;
}

static int
connect_to(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(address.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* A second connection is not taken for the first, also where it hung up before it was accepted. */
static void
test_find(void **state)
{
	struct vhost_user_socket none = { .fd = -1 }, first, second, client;
	struct timeval time = { 0 };
	socklen_t len = sizeof(time);
	int listener, ends[4];

	RTE_SET_USED(state);
	listener = listen_at();
	assert_int_equal(vhost_user_socket_find(path, false, &none, &first), -ENOENT);
	assert_false(vhost_user_socket_live(&none));
	ends[0] = connect_to();
	ends[1] = accept(listener, NULL, NULL);
	assert_int_equal(vhost_user_socket_find(path, false, &none, &first), 0);
	assert_int_equal(first.fd, ends[1]);
	assert_int_equal(getsockopt(ends[1], SOL_SOCKET, SO_RCVTIMEO, &time, &len), 0);
	assert_true(time.tv_sec > 0);
	assert_int_equal(vhost_user_socket_find(path, false, &first, &second), -ENOENT);
	/* The other end is this process's, too, and the one that a device in client mode has. */
	assert_int_equal(vhost_user_socket_find(path, true, &none, &client), 0);
	assert_int_equal(client.fd, ends[0]);
	ends[2] = connect_to();
	close(ends[2]);
	ends[3] = accept(listener, NULL, NULL);
	assert_int_equal(vhost_user_socket_find(path, false, &first, &second), 0);
	assert_int_equal(second.fd, ends[3]);
	assert_true(vhost_user_socket_live(&first));
	assert_false(vhost_user_socket_live(&second));
	close(ends[0]);
	assert_false(vhost_user_socket_live(&first));
	/* Another socket has the descriptor. */
	assert_int_equal(dup2(listener, ends[1]), ends[1]);
	assert_false(vhost_user_socket_live(&first));
	close(ends[1]);
	close(ends[3]);
	close(listener);
	unlink(path);
}

/* Nothing can be looked for: the caller turns the client away, rather than set no time limit. */
static void
test_find_no_descriptor(void **state)
{
	struct vhost_user_socket none = { .fd = -1 }, found;
	struct rlimit before, tight;
	int fd = dup(STDERR_FILENO);

	RTE_SET_USED(state);
	close(fd);
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
	tight = (struct rlimit){ .rlim_cur = (rlim_t)fd, .rlim_max = before.rlim_max };
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &tight), 0);
	assert_int_equal(vhost_user_socket_find(path, false, &none, &found), -EMFILE);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &before), 0);
}

/* While the kernel says that there is room, the longest reply goes without a wait. */
static void
test_reads(void **state)
{
	struct vhost_user_socket sock = { .ino = 1 };
	uint8_t reply[MSG_HEAD + MSG_PAYLOAD_MAX] = { 0 };
	unsigned int nb = 0;
	int ends[2];

	RTE_SET_USED(state);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	sock.fd = ends[0];
	while (vhost_user_socket_reads(&sock)) {
		assert_int_equal(send(ends[0], reply, sizeof(reply), MSG_DONTWAIT), sizeof(reply));
		nb++;
	}
	assert_in_range(nb, 8, 10000);
	while (nb-- > 0)
		assert_int_equal(recv(ends[1], reply, sizeof(reply), MSG_WAITALL), sizeof(reply));
	assert_true(vhost_user_socket_reads(&sock));
	close(ends[0]);
	close(ends[1]);
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

/* The driver does not read: nobody waits for it, and no lock is held meanwhile. */
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
	assert_int_equal(recv(ends[1], msg, sizeof(msg), 0), MSG_HEAD);
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
		vhost_user_file_close(fds[i]);
		assert_true(unit_wait(is_closed, &fds[i]));
	}
	vhost_user_file_close(-1);
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_find, setup, teardown),
		cmocka_unit_test_setup_teardown(test_find_no_descriptor, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_channel_unread, setup, teardown),
		cmocka_unit_test_setup_teardown(test_channel, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kinds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_log_rate, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
