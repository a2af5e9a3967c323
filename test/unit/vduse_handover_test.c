/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A device of no type that moves from one owner to another in this process, while a vhost-user
 * client uses it; and handovers that fail at any step, after which the first owner serves on.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_vduse_compat.h>
#include <rte_vduse_handover.h>

#include <vduse/handover/record.h>

#include "create_over.h"
#include "vhost_client.h"

#define MEMORY   (16 * PAGE)
#define FEATURES (LOOPBACK_DEV_FEATURES | VHOST_USER_BIT(MSG_F_PROTOCOL_FEATURES))
#define POSITION 7
#define TIMES    50
#define SHORT_MS 100

static char dir[64], path[96];
static struct loopback_dev devs[2], *now; /* now: the one that serves */
static struct rte_vduse_dev_ops ops;
static unsigned int in_flight;
static int memory, client, kick, call_fd, pair[2];
static unsigned int fds_before;
static uint64_t features;

struct giver {
	pthread_t thread;
	struct rte_vduse_dev *dev;
	unsigned int ms;
	int socket;
	int result;
};

static struct giver giver;

static unsigned int
on_drain(struct rte_vduse_vq *vq, bool stop, void *arg)
{
	RTE_SET_USED(vq);
	RTE_SET_USED(arg);
	return stop ? 0 : rte_atomic_load_explicit(&in_flight, rte_memory_order_relaxed);
}

static int
create(struct loopback_dev *dev, struct rte_vduse_handover *from)
{
	struct rte_vduse_dev_conf conf = loopback_dev_conf(dev);
	uint16_t i;
	int ret;

	memset(dev, 0, sizeof(*dev));
	ops = *conf.ops;
	ops.vq_remap = NULL;
	ops.vq_position = NULL;
	ops.vq_drain = on_drain;
	conf.ops = &ops;
	conf.path = path;
	conf.inflight = true;
	conf.from = from;
	ret = create_dev_over(&conf, &vduse_transport_vhost_user, NULL, &dev->dev);
	for (i = 0; i < LOOPBACK_DEV_VQS && ret == 0; i++)
		dev->vqs[i] = rte_vduse_dev_vq(dev->dev, i);
	return ret;
}

static void
send_fd(uint32_t type, uint64_t value, int fd)
{
	struct vhost_user_msg msg = vhost_client_msg(type, value, 8, true);

	vhost_client_send(client, &msg, 1, fd);
	assert_int_equal(vhost_client_answer(client, type), 0);
}

static uint64_t
ask(uint32_t type, uint64_t value)
{
	return vhost_client_ask(client, type, value, 8, true);
}

/* A split ring in which all was used that there was. */
static void
ring_at(uint16_t index, uint16_t position)
{
	assert_int_equal(pwrite(memory, &position, 2, (off_t)(index * PAGE) + 0x402), 2);
	assert_int_equal(pwrite(memory, &position, 2, (off_t)(index * PAGE) + 0x802), 2);
}

/* Virtqueue 0 runs, 1 is not enabled, 2 is not kicked. */
static void
set_up(void)
{
	struct vhost_user_msg slot = vhost_client_slot(MSG_ADD_MEM_REG, 4 * MEMORY, MEMORY);

	if (!(features & LOOPBACK_DEV_PACKED)) {
		ring_at(0, POSITION);
		ring_at(1, POSITION - 1);
	}
	assert_int_equal(ask(MSG_SET_FEATURES, features), 0);
	vhost_client_send(client, &slot, 1, memory);
	assert_int_equal(vhost_client_answer(client, MSG_ADD_MEM_REG), 0);
	slot = vhost_client_slot(MSG_ADD_MEM_REG, 0, MEMORY);
	vhost_client_send(client, &slot, 1, memory);
	assert_int_equal(vhost_client_answer(client, MSG_ADD_MEM_REG), 0);
	vhost_client_ring(client, 0, 0, POSITION);
	send_fd(MSG_SET_VRING_KICK, 0, kick);
	send_fd(MSG_SET_VRING_CALL, 0, call_fd);
	vhost_client_ring(client, 1, PAGE, POSITION - 1);
	assert_int_equal(ask(MSG_SET_VRING_ENABLE, 1), 0);
	assert_int_equal(ask(MSG_SET_VRING_NUM, 2 | UINT64_C(8) << 32), 0);
	assert_int_equal(ask(MSG_SET_VRING_BASE, 2 | UINT64_C(5) << 32), 0);
	assert_int_equal(ask(MSG_SET_STATUS, STATUS_UP), 0);
	loopback_dev_wait(now, 0, RTE_VDUSE_VQ_RUNNING);
}

static int
setup(void **state)
{
	RTE_SET_USED(state);
	unit_ctrl_turn();
	strcpy(dir, "/tmp/unit-handover-XXXXXX");
	if (mkdtemp(dir) == NULL || setenv("DPDK_VDUSE_RUN_DIR", dir, 1) < 0)
		return -1;
	fds_before = unit_fds();
	unit_log_clear();
	in_flight = 0;
	snprintf(path, sizeof(path), "%s/socket", dir);
	now = &devs[0];
	devs[1].dev = NULL;
	if (create(now, NULL) < 0 || rte_vduse_dev_start(now->dev, RTE_VDUSE_ATTACH_NONE) < 0)
		return -1;
	memory = unit_memfd("unit-handover", MEMORY);
	kick = eventfd(0, EFD_NONBLOCK);
	call_fd = eventfd(0, EFD_NONBLOCK);
	client = vhost_client_connect(path);
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair);
}

static int
setup_split(void **state)
{
	features = FEATURES;
	return setup(state);
}

static int
setup_packed(void **state)
{
	features = FEATURES | LOOPBACK_DEV_PACKED;
	return setup(state);
}

static void
close_pair(void)
{
	close(pair[0]);
	close(pair[1]);
	pair[0] = -1;
	pair[1] = -1;
}

static int
teardown(void **state)
{
	char command[128];

	RTE_SET_USED(state);
	rte_atomic_store_explicit(&in_flight, 0, rte_memory_order_relaxed);
	close_pair();
	close(client);
	close(memory);
	close(kick);
	close(call_fd);
	rte_vduse_dev_destroy(now->dev);
	assert_int_equal(access(path, F_OK), -1);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
	unit_fds_back(fds_before);
	return 0;
}

static void *
give_main(void *arg)
{
	RTE_SET_USED(arg);
	giver.result = rte_vduse_dev_hand_over(giver.dev, giver.socket, giver.ms);
	return NULL;
}

static void
give_begin(unsigned int ms)
{
	giver.dev = now->dev;
	giver.socket = pair[0];
	giver.ms = ms;
	assert_int_equal(pthread_create(&giver.thread, NULL, give_main, NULL), 0);
}

static int
give_end(void)
{
	assert_int_equal(pthread_join(giver.thread, NULL), 0);
	return giver.result;
}

static void
new_pair(void)
{
	close_pair();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
}

static struct loopback_dev *
next_dev(void)
{
	return now == &devs[0] ? &devs[1] : &devs[0];
}

/* Takes from a socket; what start returned. */
static int
take(int socket, struct loopback_dev *to)
{
	struct rte_vduse_handover *from = NULL;
	int ret = rte_vduse_handover_open(socket, UNIT_PATIENCE_MS, &from);

	to->dev = NULL;
	if (ret < 0)
		return ret;
	ret = create(to, from);
	if (ret == 0)
		ret = rte_vduse_dev_start(to->dev, RTE_VDUSE_ATTACH_NONE);
	if (ret < 0) {
		rte_vduse_dev_destroy(to->dev);
		to->dev = NULL;
	}
	rte_vduse_handover_close(from);
	return ret;
}

static void
hand_over(void)
{
	struct loopback_dev *old = now, *to = next_dev();

	new_pair();
	give_begin(UNIT_PATIENCE_MS);
	assert_int_equal(take(pair[1], to), 0);
	pair[1] = -1;
	assert_int_equal(give_end(), 0);
	rte_vduse_dev_destroy(old->dev);
	old->dev = NULL;
	now = to;
}

/* The client is served by the same connection, kicks and calls arrive, and the others rest. */
static void
check_served(void)
{
	int wake = rte_vduse_vq_wake_fd(now->vqs[0]);

	assert_int_equal(ask(MSG_GET_STATUS, 0), STATUS_UP);
	loopback_dev_wait(now, 0, RTE_VDUSE_VQ_RUNNING);
	assert_int_equal(loopback_dev_state(now, 1), RTE_VDUSE_VQ_IDLE);
	assert_int_equal(loopback_dev_state(now, 2), RTE_VDUSE_VQ_IDLE);
	unit_ctrl_turn();
	(void)unit_signalled(&wake);
	(void)unit_signalled(&call_fd);
	assert_int_equal(eventfd_write(kick, 1), 0);
	assert_true(unit_wait(unit_signalled, &wake));
	assert_true(rte_vduse_vq_enter(now->vqs[0]));
	(void)rte_vduse_vq_call(now->vqs[0]);
	rte_vduse_vq_leave(now->vqs[0]);
	assert_true(unit_wait(unit_signalled, &call_fd));
	assert_int_equal(access(path, F_OK), 0);
}

static uint32_t
base(uint16_t index)
{
	return (uint32_t)(vhost_client_ask(client, MSG_GET_VRING_BASE, index, 8, false) >> 32);
}

static uint32_t
base_of(uint32_t position)
{
	return features & LOOPBACK_DEV_PACKED ? position << 16 | position : position;
}

static void
test_goes_on(void **state)
{
	struct vhost_user_msg slot = vhost_client_slot(MSG_ADD_MEM_REG, 8 * MEMORY, MEMORY);
	struct rte_vduse_region region;
	unsigned int i;

	RTE_SET_USED(state);
	set_up();
	for (i = 0; i < TIMES; i++) {
		hand_over();
		check_served();
	}
	assert_int_equal(loopback_dev_counted(&now->starts[0]), 1);
	assert_true(loopback_dev_lookup(now, 0, 4 * MEMORY, &region));
	vhost_client_send(client, &slot, 1, memory);
	assert_int_equal(vhost_client_answer(client, MSG_ADD_MEM_REG), 0);
	assert_int_equal(base(0), base_of(POSITION));
	assert_int_equal(base(1), base_of(POSITION - 1));
	assert_int_equal(base(2), base_of(5));
	close(client);
	client = vhost_client_connect(path);
	set_up();
	check_served();
}

static bool
has_byte(void *arg)
{
	uint8_t bytes[64];

	return recv(*(int *)arg, bytes, sizeof(bytes), MSG_DONTWAIT) > 0;
}

/* The back-end channel and the inflight buffer go along. */
static void
test_channel(void **state)
{
	struct vhost_user_msg msg = vhost_client_msg(MSG_GET_INFLIGHT_FD, 0, 0, false);
	int channel[2];
	uint8_t byte = 9;
	ssize_t n;

	RTE_SET_USED(state);
	msg.size = sizeof(msg.payload.inflight);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, channel), 0);
	set_up();
	send_fd(MSG_SET_BACKEND_CHANNEL, 0, channel[1]);
	close(channel[1]);
	vhost_client_send(client, &msg, 0, -1);
	do {
		n = recv(client, &msg, VHOST_USER_MSG_HEAD + msg.size, MSG_WAITALL);
	} while (n < 0 && errno == EINTR);
	assert_int_equal(n, VHOST_USER_MSG_HEAD + sizeof(msg.payload.inflight));
	hand_over();
	assert_true(((struct vhost_user *)now->dev->transport_priv)->inflight >= 0);
	hand_over();
	check_served();
	assert_int_equal(rte_vduse_dev_config_set(now->dev, 1, &byte, 1), 0);
	assert_true(unit_wait(has_byte, &channel[0]));
	close(channel[0]);
}

/* A driver that was never there, and one that comes to the second owner. */
static void
test_no_client(void **state)
{
	RTE_SET_USED(state);
	close(client);
	client = -1;
	unit_ctrl_turn();
	hand_over();
	client = vhost_client_connect(path);
	set_up();
	check_served();
}

/* Passes so many records on; -1: until YOURS. Returns the type of the last one, or 0: none. */
static uint32_t
relay(int from, int to, int nb)
{
	struct vduse_record record;
	uint32_t type = 0;

	for (; nb != 0 && type != VDUSE_RECORD_PREPARED && type != VDUSE_RECORD_YOURS; nb--) {
		assert_int_equal(vduse_record_recv(from, &record), 0);
		type = record.type;
		assert_int_equal(vduse_record_send(to, &record), 0);
		vduse_record_close(&record);
	}
	return type;
}

struct taker {
	int socket;
	int result;
};

static void *
take_main(void *arg)
{
	struct taker *taker = arg;

	taker->result = take(taker->socket, next_dev());
	return NULL;
}

/*
 * Both lose each other after so many records. Neither changes anything that is the first owner's.
 * Returns whether all was prepared before that.
 */
static bool
lose_after(int nb)
{
	struct taker taker;
	pthread_t thread;
	int other[2];
	bool prepared;

	new_pair();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, other), 0);
	taker.socket = other[1];
	give_begin(UNIT_PATIENCE_MS);
	assert_int_equal(pthread_create(&thread, NULL, take_main, &taker), 0);
	prepared = relay(pair[1], other[0], nb) == VDUSE_RECORD_PREPARED;
	close(pair[1]);
	pair[1] = -1;
	close(other[0]);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(taker.result, -ECONNRESET);
	assert_int_equal(give_end(), -ECONNRESET);
	check_served();
	return prepared;
}

static void
test_lost(void **state)
{
	unsigned int fds;
	int nb = 0;

	RTE_SET_USED(state);
	set_up();
	check_served();
	new_pair();
	fds = unit_fds() - 1;
	while (!lose_after(nb))
		nb++;
	assert_true(nb > 10);
	unit_fds_back(fds);
	assert_int_equal(base(0), base_of(POSITION));
	assert_int_equal(base(1), base_of(POSITION - 1));
}

static bool
is_draining(void *arg)
{
	RTE_SET_USED(arg);
	if (!rte_vduse_vq_enter(now->vqs[0]))
		return true;
	rte_vduse_vq_leave(now->vqs[0]);
	return false;
}

static void
take_until_prepared(void)
{
	struct vduse_record record;

	do {
		assert_int_equal(vduse_record_recv(pair[1], &record), 0);
		vduse_record_close(&record);
	} while (record.type != VDUSE_RECORD_PREPARED);
}

/* The other one dies after READY, while requests are in flight. */
static void
test_lost_at_rest(void **state)
{
	const struct vduse_record ready = { .type = VDUSE_RECORD_READY };

	RTE_SET_USED(state);
	set_up();
	rte_atomic_store_explicit(&in_flight, 1, rte_memory_order_relaxed);
	give_begin(UNIT_PATIENCE_MS);
	take_until_prepared();
	assert_int_equal(vduse_record_send(pair[1], &ready), 0);
	assert_true(unit_wait(is_draining, NULL));
	close(pair[1]);
	pair[1] = -1;
	rte_atomic_store_explicit(&in_flight, 0, rte_memory_order_relaxed);
	assert_int_equal(give_end(), -ECONNRESET);
	check_served();
	hand_over();
	check_served();
}

/* Nothing is in flight too late. */
static void
test_never_rests(void **state)
{
	const struct vduse_record ready = { .type = VDUSE_RECORD_READY };

	RTE_SET_USED(state);
	set_up();
	rte_atomic_store_explicit(&in_flight, 1, rte_memory_order_relaxed);
	give_begin(SHORT_MS);
	take_until_prepared();
	assert_int_equal(vduse_record_send(pair[1], &ready), 0);
	assert_int_equal(give_end(), -ETIMEDOUT);
	check_served();
}

static void
test_silent(void **state)
{
	struct rte_vduse_handover *from;

	RTE_SET_USED(state);
	set_up();
	give_begin(SHORT_MS);
	assert_int_equal(give_end(), -ETIMEDOUT);
	check_served();
	new_pair();
	assert_int_equal(rte_vduse_handover_open(pair[1], SHORT_MS, &from), -ETIMEDOUT);
	pair[1] = -1;
}

/* While the other one prepares itself, the driver's kicks still wake threads that sleep. */
static void
test_kick_meanwhile(void **state)
{
	int wake;

	RTE_SET_USED(state);
	set_up();
	wake = rte_vduse_vq_wake_fd(now->vqs[0]);
	give_begin(UNIT_PATIENCE_MS);
	take_until_prepared();
	unit_ctrl_turn();
	(void)unit_signalled(&wake);
	assert_int_equal(eventfd_write(kick, 1), 0);
	assert_true(unit_wait(unit_signalled, &wake));
	close(pair[1]);
	pair[1] = -1;
	assert_int_equal(give_end(), -ECONNRESET);
	check_served();
}

/* Half a message of the client. The rest comes in time; then it does not. */
static void
test_half_message(void **state)
{
	struct vhost_user_msg msg = vhost_client_msg(MSG_GET_FEATURES, 0, 0, false);

	RTE_SET_USED(state);
	set_up();
	assert_int_equal(send(client, &msg, 5, 0), 5);
	unit_ctrl_turn();
	give_begin(SHORT_MS);
	assert_int_equal(give_end(), -ETIMEDOUT);
	assert_int_equal(send(client, (uint8_t *)&msg + 5, 7, 0), 7);
	(void)vhost_client_answer(client, MSG_GET_FEATURES);
	check_served();
	/* A whole one that is sent meanwhile is answered by the other owner. */
	new_pair();
	give_begin(UNIT_PATIENCE_MS);
	take_until_prepared();
	vhost_client_send(client, &msg, 0, -1);
	close(pair[1]);
	pair[1] = -1;
	assert_int_equal(give_end(), -ECONNRESET);
	(void)vhost_client_answer(client, MSG_GET_FEATURES);
	check_served();
}

/* The client hangs up meanwhile: the other owner finds that out and serves the next one. */
static void
test_client_leaves(void **state)
{
	struct taker taker;
	pthread_t thread;
	struct loopback_dev *old = now;
	int other[2];

	RTE_SET_USED(state);
	set_up();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, other), 0);
	taker.socket = other[1];
	give_begin(UNIT_PATIENCE_MS);
	assert_int_equal(pthread_create(&thread, NULL, take_main, &taker), 0);
	assert_int_equal(relay(pair[1], other[0], -1), VDUSE_RECORD_PREPARED);
	close(client);
	assert_int_equal(relay(other[0], pair[1], 1), VDUSE_RECORD_READY);
	assert_int_equal(relay(pair[1], other[0], -1), VDUSE_RECORD_YOURS);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(taker.result, 0);
	assert_int_equal(give_end(), 0);
	close(other[0]);
	now = next_dev();
	rte_vduse_dev_destroy(old->dev);
	client = vhost_client_connect(path);
	set_up();
	check_served();
}

static void
test_not_now(void **state)
{
	RTE_SET_USED(state);
	set_up();
	assert_int_equal(ask(MSG_SET_FEATURES, features | VHOST_USER_BIT(MSG_F_LOG_ALL)), 0);
	give_begin(SHORT_MS);
	assert_int_equal(give_end(), -EBUSY);
	assert_int_equal(ask(MSG_SET_FEATURES, features), 0);
	check_served();
}

/* A device that was handed over cannot be handed over again. */
static void
test_twice(void **state)
{
	struct loopback_dev *old = now;

	RTE_SET_USED(state);
	set_up();
	give_begin(UNIT_PATIENCE_MS);
	assert_int_equal(take(pair[1], next_dev()), 0);
	pair[1] = -1;
	assert_int_equal(give_end(), 0);
	new_pair();
	give_begin(SHORT_MS);
	assert_int_equal(give_end(), -ENOTSUP);
	now = next_dev();
	rte_vduse_dev_destroy(old->dev);
	check_served();
}

static struct vduse_record_hello
good_hello(void)
{
	struct vduse_record_hello hello = {
		.version = VDUSE_RECORD_VERSION,
		.left = { .device_id = 1, .nb_vqs = LOOPBACK_DEV_VQS, .vq_size = 256 },
	};

	strcpy(hello.path, path);
	return hello;
}

/* A HELLO with so many files; what comes of it. */
static int
say_hello(const struct vduse_record_hello *hello, uint32_t type, uint32_t size, uint32_t nb_fds)
{
	struct vduse_record record = { .type = type, .size = size };
	int ret;

	new_pair();
	while (nb_fds-- > 0)
		vduse_record_file(&record, memory);
	memcpy(record.data, hello, sizeof(*hello));
	assert_int_equal(vduse_record_send(pair[0], &record), 0);
	close(pair[0]);
	pair[0] = -1;
	ret = take(pair[1], next_dev());
	pair[1] = -1;
	return ret;
}

static void
test_malformed(void **state)
{
	struct vduse_record_hello good = good_hello(), bad;
	unsigned int fds;

	RTE_SET_USED(state);
	(void)vhost_client_ask(client, MSG_GET_FEATURES, 0, 0, false);
	new_pair();
	fds = unit_fds() - 2;
	assert_int_equal(say_hello(&good, VDUSE_RECORD_READY, sizeof(good), 0), -EPROTO);
	assert_int_equal(say_hello(&good, VDUSE_RECORD_HELLO, sizeof(good) - 1, 0), -EPROTO);
	assert_int_equal(say_hello(&good, VDUSE_RECORD_HELLO, sizeof(good), 8), -EPROTO);
	bad = good;
	bad.files = 1;
	assert_int_equal(say_hello(&bad, VDUSE_RECORD_HELLO, sizeof(bad), 0), -EPROTO);
	bad = good;
	bad.files = 4;
	assert_int_equal(say_hello(&bad, VDUSE_RECORD_HELLO, sizeof(bad), 1), -EPROTO);
	bad = good;
	bad.version++;
	assert_int_equal(say_hello(&bad, VDUSE_RECORD_HELLO, sizeof(bad), 0), -EPROTO);
	bad = good;
	bad.left.config_size = sizeof(bad.left.config) + 1;
	assert_int_equal(say_hello(&bad, VDUSE_RECORD_HELLO, sizeof(bad), 0), -EPROTO);
	bad = good;
	bad.left.nb_vqs++;
	assert_int_equal(say_hello(&bad, VDUSE_RECORD_HELLO, sizeof(bad), 0), -EEXIST);
	bad = good;
	bad.path[1]++;
	assert_int_equal(say_hello(&bad, VDUSE_RECORD_HELLO, sizeof(bad), 0), -EEXIST);
	assert_int_equal(say_hello(&good, VDUSE_RECORD_HELLO, sizeof(good), 0), -ECONNRESET);
	unit_fds_back(fds);
	set_up();
	check_served();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_goes_on, setup_split, teardown),
		cmocka_unit_test_setup_teardown(test_goes_on, setup_packed, teardown),
		cmocka_unit_test_setup_teardown(test_channel, setup_split, teardown),
		cmocka_unit_test_setup_teardown(test_no_client, setup_split, teardown),
		cmocka_unit_test_setup_teardown(test_lost, setup_split, teardown),
		cmocka_unit_test_setup_teardown(test_lost, setup_packed, teardown),
		cmocka_unit_test_setup_teardown(test_lost_at_rest, setup_packed, teardown),
		cmocka_unit_test_setup_teardown(test_never_rests, setup_split, teardown),
		cmocka_unit_test_setup_teardown(test_silent, setup_split, teardown),
		cmocka_unit_test_setup_teardown(test_kick_meanwhile, setup_split, teardown),
		cmocka_unit_test_setup_teardown(test_half_message, setup_split, teardown),
		cmocka_unit_test_setup_teardown(test_client_leaves, setup_split, teardown),
		cmocka_unit_test_setup_teardown(test_not_now, setup_split, teardown),
		cmocka_unit_test_setup_teardown(test_twice, setup_split, teardown),
		cmocka_unit_test_setup_teardown(test_malformed, setup_split, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
