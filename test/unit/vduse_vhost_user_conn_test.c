/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Clients of a vhost-user device: one at a time, messages in any number of pieces, and clients that
 * break the rules.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_vduse_compat.h>

#include <vduse/core/ctrl_thread.h>
#include <vduse/core/device.h>
#include <vduse/vhost_user/vhost_user.h>

#include "create_over.h"
#include "vhost_client.h"

#define LINGER_S    (4 * UNIT_PATIENCE_MS / 1000)
#define LINGER_MANY 160

static char path[64];
static struct loopback_dev callbacks;
static struct rte_vduse_dev *dev;
static struct vhost_user *vu;

/* As if the process had all threads that it may have. */
static bool no_threads;

int
__real_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
		      void *arg);
int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
		      void *arg);

int
__wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attr, void *(*start)(void *),
		      void *arg)
{
	if (rte_atomic_load_explicit(&no_threads, rte_memory_order_relaxed))
		return EAGAIN;
	return __real_pthread_create(thread, attr, start, arg);
}

static int
create(bool client)
{
	struct rte_vduse_dev_conf conf;

	memset(&callbacks, 0, sizeof(callbacks));
	unit_log_clear();
	snprintf(path, sizeof(path), "/tmp/vduse-unit-%d.sock", getpid());
	conf = loopback_dev_conf(&callbacks);
	conf.path = path;
	conf.client = client;
	if (create_dev_over(&conf, &vduse_transport_vhost_user, NULL, &dev) < 0)
		return -1;
	vu = dev->transport_priv;
	return rte_vduse_dev_start(dev, RTE_VDUSE_ATTACH_NONE);
}

static int
setup(void **state)
{
	RTE_SET_USED(state);
	return create(false);
}

static int
setup_client(void **state)
{
	RTE_SET_USED(state);
	return create(true);
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	rte_vduse_dev_destroy(dev);
	return 0;
}

static void
test_one_at_a_time(void **state)
{
	int first = vhost_client_connect(path), second;

	RTE_SET_USED(state);
	assert_true(vhost_client_ask(first, MSG_GET_FEATURES, 0, 0, false) &
		    VHOST_USER_BIT(MSG_F_PROTOCOL_FEATURES));
	second = vhost_client_connect(path);
	vhost_client_dropped(second);
	assert_int_equal(unit_log_count("another client was turned away"), 1);
	assert_true(vhost_client_ask(first, MSG_GET_FEATURES, 0, 0, false) != 0);
	/* The first one is gone when the next one comes, whichever of both is heard of first. */
	close(first);
	second = vhost_client_connect(path);
	assert_true(vhost_client_ask(second, MSG_GET_FEATURES, 0, 0, false) != 0);
	close(second);
}

/* Byte by byte, and many messages at once. */
static void
test_pieces(void **state)
{
	struct vhost_user_msg msg =
		vhost_client_msg(MSG_SET_FEATURES, LOOPBACK_DEV_FEATURES, 8, true);
	uint8_t all[10 * (VHOST_USER_MSG_HEAD + 8)];
	const size_t len = VHOST_USER_MSG_HEAD + 8;
	int fd = vhost_client_connect(path);
	size_t i;

	RTE_SET_USED(state);
	for (i = 0; i < len; i++) {
		assert_int_equal(send(fd, (uint8_t *)&msg + i, 1, 0), 1);
		unit_ctrl_turn();
	}
	assert_int_equal(vhost_client_answer(fd, MSG_SET_FEATURES), 0);
	for (i = 0; i < 10; i++)
		memcpy(all + i * len, &msg, len);
	assert_int_equal(send(fd, all, sizeof(all), 0), sizeof(all));
	for (i = 0; i < 10; i++)
		assert_int_equal(vhost_client_answer(fd, MSG_SET_FEATURES), 0);
	close(fd);
}

/* The rest of a message does not come: the client goes, after a time. */
static void
test_half(void **state)
{
	struct vhost_user_msg msg = vhost_client_msg(MSG_SET_FEATURES, 0, 8, false);
	const struct timeval patience = { .tv_sec = 20 };
	int fd = vhost_client_connect(path);

	RTE_SET_USED(state);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	assert_int_equal(send(fd, &msg, VHOST_USER_MSG_HEAD + 1, 0), VHOST_USER_MSG_HEAD + 1);
	vhost_client_dropped(fd);
	assert_int_equal(unit_log_count("half a message"), 1);
}

/* Unread replies are not waited for. */
static void
test_unread(void **state)
{
	struct vhost_user_msg msg = vhost_client_msg(MSG_GET_FEATURES, 0, 0, false);
	int fd = vhost_client_connect(path);
	ssize_t n;

	RTE_SET_USED(state);
	do {
		n = send(fd, &msg, VHOST_USER_MSG_HEAD, MSG_NOSIGNAL);
	} while (n > 0);
	assert_true(errno == EPIPE || errno == ECONNRESET);
	assert_int_equal(unit_log_count("it reads no replies"), 1);
	close(fd);
}

static void
refused(struct vhost_user_msg msg, unsigned int nb_fds, int with, const char *why)
{
	int fd = vhost_client_connect(path);

	unit_log_clear();
	vhost_client_send(fd, &msg, nb_fds, with);
	vhost_client_dropped(fd);
	assert_int_equal(unit_log_count(why), 1);
}

/* Each costs the client its connection and leaves no descriptor open. */
static void
test_refused(void **state)
{
	int event = eventfd(0, 0);
	struct vhost_user_msg msg = vhost_client_msg(MSG_GET_FEATURES, 0, 0, false);
	unsigned int fds = unit_fds();

	RTE_SET_USED(state);
	refused(msg, 1, event, "is malformed");
	refused(msg, 9, event, "more than 8 descriptors");
	msg.flags = 0;
	refused(msg, 8, event, "no version that is known");
	refused(vhost_client_msg(MSG_SET_FEATURES, 0, 7, false), 0, -1, "is malformed");
	refused(vhost_client_msg(MSG_SET_FEATURES, UINT64_MAX, 8, false), 0, -1, "not offered");
	refused(vhost_client_msg(MSG_SET_PROTOCOL_FEATURES, UINT64_MAX, 8, false), 0, -1,
		"not offered");
	refused(vhost_client_msg(MSG_IOTLB, 0, 32, false), 0, -1, "not offered");
	refused(vhost_client_msg(0, 0, 8, false), 0, -1, "none that is known");
	refused(vhost_client_msg(MSG_SET_BACKEND_CHANNEL, 0, 0, false), 0, -1,
		"without a unix socket");
	refused(vhost_client_msg(MSG_SET_BACKEND_CHANNEL, 0, 0, false), 1, event,
		"without a unix socket");
	msg = vhost_client_msg(MSG_GET_FEATURES, 0, 0, false);
	msg.size = MSG_PAYLOAD_MAX + 1;
	refused(msg, 0, -1, "longer than any");
	/* Sockets are closed on a thread of their own. */
	unit_fds_back(fds);
	close(event);
}

/* A client that asks for a reply is told of a refusal, and stays. */
static void
test_told(void **state)
{
	int fd = vhost_client_connect(path);

	RTE_SET_USED(state);
	assert_int_equal(vhost_client_ask(fd, MSG_SET_FEATURES, UINT64_MAX, 8, true), 1);
	assert_int_equal(vhost_client_ask(fd, 63, 0, 0, true), 1);
	assert_int_equal(vhost_client_ask(fd, MSG_SET_OWNER, 0, 0, true), 0);
	assert_int_equal(vhost_client_ask(fd, MSG_SET_VRING_ERR, 0, 8, true), 0);
	close(fd);
}

/* A driver's status is noted; of features that were refused it does not say that they are fine. */
static void
test_status(void **state)
{
	int fd = vhost_client_connect(path);

	RTE_SET_USED(state);
	assert_int_equal(vhost_client_ask(fd, MSG_SET_STATUS, STATUS_UP, 8, true), 0);
	assert_int_equal(vhost_client_ask(fd, MSG_GET_STATUS, 0, 0, false), STATUS_UP);
	assert_int_equal(vhost_client_ask(fd, MSG_SET_STATUS, 0, 8, true), 0);
	assert_int_equal(vhost_client_ask(fd, MSG_SET_FEATURES, UINT64_MAX, 8, true), 1);
	assert_int_equal(vhost_client_ask(fd, MSG_SET_STATUS, STATUS_FEATURES, 8, true), 0);
	assert_int_equal(vhost_client_ask(fd, MSG_GET_STATUS, 0, 0, false),
			 STATUS_FEATURES & ~VIRTIO_CONFIG_S_FEATURES_OK);
	assert_int_equal(vhost_client_ask(fd, MSG_RESET_DEVICE, 0, 0, true), 0);
	assert_int_equal(vhost_client_ask(fd, MSG_GET_STATUS, 0, 0, false), 0);
	rte_vduse_vq_fail(&dev->vqs[0], "a test, bytes", 17);
	assert_int_equal(vhost_client_ask(fd, MSG_GET_STATUS, 0, 0, false),
			 VIRTIO_CONFIG_S_NEEDS_RESET);
	close(fd);
}

/* A client comes, and is answered. */
static bool
is_served(void *arg)
{
	struct vhost_user_msg msg = vhost_client_msg(MSG_GET_FEATURES, 0, 0, false);
	int fd = vhost_client_connect(path);
	bool served = send(fd, &msg, VHOST_USER_MSG_HEAD, MSG_NOSIGNAL) > 0 &&
		      recv(fd, &msg, sizeof(msg), 0) > 0;

	RTE_SET_USED(arg);
	close(fd);
	return served;
}

/*
 * A client gives its own end of the connection away, as its back-end channel or in one: nobody would
 * hear of its end. The next client finds the device free all the same.
 */
static void
test_keeps_itself(void **state)
{
	struct vhost_user_msg msg = vhost_client_msg(MSG_SET_BACKEND_CHANNEL, 0, 0, true);
	struct vhost_user_msg note = vhost_client_msg(0, 0, 0, false);
	int fd = vhost_client_connect(path), ends[2];

	RTE_SET_USED(state);
	vhost_client_send(fd, &msg, 1, fd);
	unit_ctrl_turn();
	close(fd);
	fd = vhost_client_connect(path);
	assert_true(vhost_client_ask(fd, MSG_GET_FEATURES, 0, 0, false) != 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	vhost_client_send(ends[0], &note, 1, fd);
	vhost_client_send(fd, &msg, 1, ends[1]);
	assert_int_equal(vhost_client_answer(fd, MSG_SET_BACKEND_CHANNEL), 1);
	close(ends[0]);
	close(ends[1]);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	vhost_client_send(fd, &msg, 1, ends[1]);
	assert_int_equal(vhost_client_answer(fd, MSG_SET_BACKEND_CHANNEL), 0);
	/* Nor later. */
	assert_int_equal(send(ends[0], &note, VHOST_USER_MSG_HEAD, MSG_NOSIGNAL), -1);
	assert_int_equal(errno, EPIPE);
	close(ends[0]);
	close(ends[1]);
	close(fd);
	/* What was refused is closed on a thread of its own. */
	assert_true(unit_wait(is_served, NULL));
}

/* A socket whose close() waits up to LINGER_S, because it has unsent bytes. */
static int
lingering(const struct sockaddr_in *address)
{
	const struct linger linger = { .l_onoff = 1, .l_linger = LINGER_S };
	static const uint8_t bytes[65536];
	int fd = socket(AF_INET, SOCK_STREAM, 0), room = 4096;

	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof(room)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), 0);
	assert_int_equal(connect(fd, (const struct sockaddr *)address, sizeof(*address)), 0);
	while (send(fd, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
		;
	return fd;
}

/* Keeps the control thread from what is sent to it, as long as the test has the lock. */
static pthread_mutex_t hold = PTHREAD_MUTEX_INITIALIZER;
static unsigned int held; /* times that it came there, atomic */

static int
wait_for_test(struct rte_vduse_dev *unused)
{
	RTE_SET_USED(unused);
	rte_atomic_fetch_add_explicit(&held, 1, rte_memory_order_relaxed);
	pthread_mutex_lock(&hold);
	pthread_mutex_unlock(&hold);
	return 0;
}

static void *
hold_thread(void *arg)
{
	(void)vduse_ctrl_run(wait_for_test, arg);
	return NULL;
}

static bool
is_held(void *arg)
{
	return rte_atomic_load_explicit(&held, rte_memory_order_relaxed) > *(unsigned int *)arg;
}

/* Sends such a socket so that the device does not take it, or does not keep it. */
static void
send_lingering(unsigned int how, int client, int with)
{
	struct vhost_user_msg msg = vhost_client_msg(MSG_SET_VRING_KICK, 0, 8, false);
	struct vhost_user_msg wrong = vhost_client_msg(63, 0, 0, false);
	struct vhost_user_msg channel = vhost_client_msg(MSG_SET_BACKEND_CHANNEL, 0, 0, false);
	int ends[2];

	switch (how) {
	case 0: /* Beyond those that a message may have. */
		vhost_client_send(client, &msg, 16, with);
		break;
	case 1: /* With a message that is not read. */
		vhost_client_send(client, &wrong, 0, -1);
		vhost_client_send(client, &msg, 1, with);
		break;
	case 2: /* Of a client that is turned away. */
		ends[0] = vhost_client_connect(path);
		vhost_client_send(ends[0], &msg, 1, with);
		close(ends[0]);
		break;
	default: /* In the back-end channel. */
		assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
		vhost_client_send(ends[0], &msg, 1, with);
		vhost_client_send(client, &channel, 1, ends[1]);
		close(ends[0]);
		close(ends[1]);
	}
}

/* Whether a thread of this process blocks SIGTERM. */
static bool
thread_blocks_sigterm(void *arg)
{
	char name[288], line[128];
	struct dirent *entry;
	uint64_t blocked;
	bool found = false;
	DIR *tasks = opendir("/proc/self/task");
	FILE *file;

	RTE_SET_USED(arg);
	assert_non_null(tasks);
	while ((entry = readdir(tasks)) != NULL) {
		snprintf(name, sizeof(name), "/proc/self/task/%s/status", entry->d_name);
		file = fopen(name, "r");
		while (file != NULL && fgets(line, sizeof(line), file) != NULL)
			if (sscanf(line, "SigBlk: %" SCNx64, &blocked) == 1)
				found |= (blocked >> (SIGTERM - 1) & 1) != 0;
		if (file != NULL)
			fclose(file);
	}
	closedir(tasks);
	return found;
}

/* A descriptor whose close() waits, sent in any way: the next client is served at once. */
static void
test_lingering(void **state)
{
	struct sockaddr_in address = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM, 0), client, with;
	socklen_t len = sizeof(address);
	unsigned int i, before;
	pthread_t thread;

	RTE_SET_USED(state);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 16), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	for (i = 0; i < 4; i++) {
		client = vhost_client_connect(path);
		assert_true(vhost_client_ask(client, MSG_GET_FEATURES, 0, 0, false) != 0);
		with = lingering(&address);
		before = rte_atomic_load_explicit(&held, rte_memory_order_relaxed);
		pthread_mutex_lock(&hold);
		assert_int_equal(pthread_create(&thread, NULL, hold_thread, dev), 0);
		assert_true(unit_wait(is_held, &before));
		send_lingering(i, client, with);
		/* The last one of it is then the device's, or in a queue of its. */
		close(with);
		pthread_mutex_unlock(&hold);
		pthread_join(thread, NULL);
		close(client);
		client = vhost_client_connect(path);
		assert_true(vhost_client_ask(client, MSG_GET_FEATURES, 0, 0, false) != 0);
		close(client);
	}
	/* Nor does the thread that waits take a signal that is meant for one which can end. */
	assert_true(unit_wait(thread_blocks_sigterm, NULL));
	close(listener);
}

/*
 * A client sends very many of them: the process keeps descriptors for others. Once they are closed
 * the device goes on.
 */
static void
test_lingering_many(void **state)
{
	struct vhost_user_msg msg = vhost_client_msg(MSG_SET_VRING_KICK, 77, 8, false);
	struct sockaddr_in address = { .sin_family = AF_INET };
	int listener = socket(AF_INET, SOCK_STREAM, 0), room = 4096, client, with;
	socklen_t len = sizeof(address);
	unsigned int i, before, fds;
	pthread_t thread;

	RTE_SET_USED(state);
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(listen(listener, 2 * LINGER_MANY), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&address, &len), 0);
	client = vhost_client_connect(path);
	assert_true(vhost_client_ask(client, MSG_GET_FEATURES, 0, 0, false) != 0);
	fds = unit_fds();
	before = rte_atomic_load_explicit(&held, rte_memory_order_relaxed);
	pthread_mutex_lock(&hold);
	assert_int_equal(pthread_create(&thread, NULL, hold_thread, dev), 0);
	assert_true(unit_wait(is_held, &before));
	for (i = 0; i < LINGER_MANY; i++) {
		with = lingering(&address);
		vhost_client_send(client, &msg, 1, with);
		close(with);
	}
	pthread_mutex_unlock(&hold);
	pthread_join(thread, NULL);
	for (i = 0; i < LINGER_MANY; i++)
		unit_ctrl_turn();
	assert_in_range(unit_fds(), 0, fds + LINGER_MANY / 2);
	close(listener);
	assert_true(vhost_client_ask(client, MSG_GET_FEATURES, 0, 0, false) != 0);
	close(client);
	unit_fds_back(fds);
}

/* Descriptors that wait for a thread to close them do not stay open after the device. */
static void
test_no_closing_thread(void **state)
{
	struct vhost_user_msg msg = vhost_client_msg(MSG_GET_FEATURES, 0, 0, false);
	unsigned int fds = unit_fds();
	int pair[2];

	RTE_SET_USED(state);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	rte_atomic_store_explicit(&no_threads, true, rte_memory_order_relaxed);
	refused(msg, 1, pair[0], "is malformed");
	close(pair[0]);
	close(pair[1]);
	unit_ctrl_turn();
	assert_true(unit_fds() > fds);
	rte_vduse_dev_destroy(dev);
	rte_atomic_store_explicit(&no_threads, false, rte_memory_order_relaxed);
	assert_int_equal(create(false), 0);
	unit_fds_back(fds);
}

/* Client mode: the process that creates the socket may start later, stop, and start again. */
static void
test_client(void **state)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int listener, fd, i;

	RTE_SET_USED(state);
	strcpy(address.sun_path, path);
	for (i = 0; i < 2; i++) {
		listener = socket(AF_UNIX, SOCK_STREAM, 0);
		assert_int_equal(bind(listener, (struct sockaddr *)&address, sizeof(address)), 0);
		assert_int_equal(listen(listener, 1), 0);
		fd = accept(listener, NULL, NULL);
		close(listener);
		assert_int_equal(unlink(path), 0);
		assert_true(vhost_client_ask(fd, MSG_GET_FEATURES, 0, 0, false) != 0);
		close(fd);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_one_at_a_time, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pieces, setup, teardown),
		cmocka_unit_test_setup_teardown(test_half, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unread, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_told, setup, teardown),
		cmocka_unit_test_setup_teardown(test_status, setup, teardown),
		cmocka_unit_test_setup_teardown(test_keeps_itself, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lingering, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lingering_many, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_closing_thread, setup, teardown),
		cmocka_unit_test_setup_teardown(test_client, setup_client, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
