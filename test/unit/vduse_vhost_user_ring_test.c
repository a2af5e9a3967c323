/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Running rings of a vhost-user client: memory that is removed and added again, messages that wait
 * for requests in flight, and the position of a stopped ring.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_vduse_compat.h>

#include <vduse/core/ctrl_thread.h>

#include "create_over.h"
#include "vhost_client.h"

#define MEMORY   (16 * PAGE)
#define FEATURES (LOOPBACK_DEV_FEATURES | VHOST_USER_BIT(MSG_F_PROTOCOL_FEATURES))
#define POSITION 7
#define STOPPED  100 /* where virtqueue 0 stops, as loopback_dev.c has it */

static char path[64];
static struct loopback_dev self;
static struct rte_vduse_dev_ops ops;
/* Requests in flight; of those that may fail, too. */
static unsigned int in_flight[LOOPBACK_DEV_VQS];
static int memory, client;
static unsigned int fds_before;
/* The driver makes an interrupt take until the test ends that. */
static bool call_hold, call_held;
static unsigned int nb_calls;

int
__real_vhost_user_call_send(struct vhost_user_call *call);
int
__wrap_vhost_user_call_send(struct vhost_user_call *call);

int
__wrap_vhost_user_call_send(struct vhost_user_call *call)
{
	while (rte_atomic_load_explicit(&call_hold, rte_memory_order_relaxed)) {
		rte_atomic_store_explicit(&call_held, true, rte_memory_order_relaxed);
		unit_sleep_ms(1);
	}
	rte_atomic_fetch_add_explicit(&nb_calls, 1, rte_memory_order_relaxed);
	return __real_vhost_user_call_send(call);
}

static unsigned int
on_drain(struct rte_vduse_vq *vq, bool stop, void *arg)
{
	RTE_SET_USED(arg);
	return stop ? 0 : rte_atomic_load_explicit(&in_flight[vq->index], rte_memory_order_relaxed);
}

static void
set_in_flight(uint16_t index, unsigned int nb)
{
	rte_atomic_store_explicit(&in_flight[index], nb, rte_memory_order_relaxed);
}

static int
setup(void **state)
{
	struct rte_vduse_dev_conf conf = loopback_dev_conf(&self);
	uint16_t i;

	RTE_SET_USED(state);
	/* The control thread, which stays, has descriptors of its own. */
	unit_ctrl_turn();
	fds_before = unit_fds();
	memset(&self, 0, sizeof(self));
	memset(in_flight, 0, sizeof(in_flight));
	unit_log_clear();
	snprintf(path, sizeof(path), "/tmp/vduse-unit-%d.sock", getpid());
	ops = *conf.ops;
	ops.vq_drain = on_drain;
	conf.ops = &ops;
	conf.path = path;
	if (create_dev_over(&conf, &vduse_transport_vhost_user, NULL, &self.dev) < 0)
		return -1;
	for (i = 0; i < LOOPBACK_DEV_VQS; i++)
		self.vqs[i] = rte_vduse_dev_vq(self.dev, i);
	memory = unit_memfd("unit-vhost-user", MEMORY);
	if (rte_vduse_dev_start(self.dev, RTE_VDUSE_ATTACH_NONE) < 0)
		return -1;
	client = vhost_client_connect(path);
	return 0;
}

static int
teardown(void **state)
{
	uint16_t i;

	RTE_SET_USED(state);
	for (i = 0; i < LOOPBACK_DEV_VQS; i++)
		set_in_flight(i, 0);
	close(client);
	close(memory);
	rte_vduse_dev_destroy(self.dev);
	unit_fds_back(fds_before);
	return 0;
}

/* The client's memory, and a ring in a page of it for each of the first virtqueues. */
static void
start_rings(uint64_t features, uint16_t nb)
{
	struct vhost_user_msg table = vhost_client_table(0, MEMORY, true);
	uint16_t i;

	assert_int_equal(vhost_client_ask(client, MSG_SET_FEATURES, features, 8, true), 0);
	vhost_client_send(client, &table, 1, memory);
	assert_int_equal(vhost_client_answer(client, MSG_SET_MEM_TABLE), 0);
	for (i = 0; i < nb; i++) {
		vhost_client_ring(client, i, i * PAGE, POSITION);
		loopback_dev_wait(&self, i, RTE_VDUSE_VQ_RUNNING);
	}
}

static bool
is_polled(void *arg)
{
	struct rte_vduse_vq *vq = arg;

	if (!rte_vduse_vq_enter(vq))
		return false;
	rte_vduse_vq_leave(vq);
	return true;
}

/* Where a ring stopped, as the client is told. */
static uint32_t
base(uint16_t index)
{
	return (uint32_t)(vhost_client_ask(client, MSG_GET_VRING_BASE, index, 8, false) >> 32);
}

/*
 * A region that changes is removed and added again while its rings run, as QEMU does it. They go on
 * where they stopped.
 */
static void
test_region_returns(void **state)
{
	struct vhost_user_msg msg = vhost_client_slot(MSG_REM_MEM_REG, 0, MEMORY);
	struct vhost_user_msg empty = vhost_client_msg(
		MSG_SET_MEM_TABLE, 0, offsetof(union msg_payload, table.regions), true);
	struct vhost_user_msg table = vhost_client_table(0, MEMORY, true);

	RTE_SET_USED(state);
	start_rings(FEATURES, 2);
	vhost_client_send(client, &msg, 0, -1);
	assert_int_equal(vhost_client_answer(client, MSG_REM_MEM_REG), 0);
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_IDLE);
	loopback_dev_wait(&self, 1, RTE_VDUSE_VQ_IDLE);
	/* One of no ring does not bring them back. */
	msg = vhost_client_slot(MSG_ADD_MEM_REG, 2 * MEMORY, MEMORY);
	vhost_client_send(client, &msg, 1, memory);
	assert_int_equal(vhost_client_answer(client, MSG_ADD_MEM_REG), 0);
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_IDLE);
	assert_int_equal(unit_log_count("are in no region any more"), 2);
	msg = vhost_client_slot(MSG_ADD_MEM_REG, 0, MEMORY);
	vhost_client_send(client, &msg, 1, memory);
	assert_int_equal(vhost_client_answer(client, MSG_ADD_MEM_REG), 0);
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_RUNNING);
	loopback_dev_wait(&self, 1, RTE_VDUSE_VQ_RUNNING);
	assert_int_equal(self.position[0], STOPPED);
	/* The same with tables; a ring that the client stopped meanwhile stays so. */
	vhost_client_send(client, &empty, 0, -1);
	assert_int_equal(vhost_client_answer(client, MSG_SET_MEM_TABLE), 0);
	loopback_dev_wait(&self, 1, RTE_VDUSE_VQ_IDLE);
	assert_int_equal(base(1), STOPPED + 1);
	vhost_client_send(client, &table, 1, memory);
	assert_int_equal(vhost_client_answer(client, MSG_SET_MEM_TABLE), 0);
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_RUNNING);
	assert_int_equal(loopback_dev_state(&self, 1), RTE_VDUSE_VQ_IDLE);
}

/* A message waits for requests in flight and is refused after all: the rings are polled again. */
static void
test_refused_late(void **state)
{
	struct vhost_user_msg msgs[] = {
		vhost_client_table(0, MEMORY, true),
		vhost_client_slot(MSG_ADD_MEM_REG, 2 * MEMORY, MEMORY),
	};
	unsigned int i;
	int other;

	RTE_SET_USED(state);
	start_rings(FEATURES, 2);
	for (i = 0; i < RTE_DIM(msgs); i++) {
		set_in_flight(0, 1);
		other = unit_memfd("unit-vhost-user", MEMORY);
		vhost_client_send(client, &msgs[i], 1, other);
		unit_ctrl_turn();
		assert_false(is_polled(self.vqs[1]));
		assert_int_equal(ftruncate(other, 0), 0);
		/* A reader of the file before that has found the request in flight. */
		unit_ctrl_turn();
		set_in_flight(0, 0);
		assert_int_equal(vhost_client_answer(client, msgs[i].type), 1);
		assert_true(unit_wait(is_polled, self.vqs[0]));
		assert_true(unit_wait(is_polled, self.vqs[1]));
		close(other);
	}
}

/* A client whose message waits for requests hangs up: they may fail, and the next one is served. */
static void
test_hangs_up(void **state)
{
	struct vhost_user_msg table = vhost_client_table(0, MEMORY, true);

	RTE_SET_USED(state);
	start_rings(FEATURES, 1);
	set_in_flight(0, 1);
	vhost_client_send(client, &table, 1, memory);
	unit_ctrl_turn();
	assert_false(is_polled(self.vqs[0]));
	close(client);
	client = vhost_client_connect(path);
	assert_true(vhost_client_ask(client, MSG_GET_FEATURES, 0, 0, false) != 0);
}

/*
 * A virtqueue misses an address, which the control thread looks for once another one has nothing in
 * flight. The client stops it before that: the other one is polled again.
 */
static void
test_miss_stopped(void **state)
{
	RTE_SET_USED(state);
	start_rings(FEATURES, 2);
	set_in_flight(1, 1);
	assert_true(loopback_dev_burst(&self, 0, 2 * MEMORY, false));
	unit_ctrl_turn();
	assert_false(is_polled(self.vqs[1]));
	assert_int_equal(base(0), STOPPED);
	set_in_flight(1, 0);
	assert_true(unit_wait(is_polled, self.vqs[1]));
}

/* The protocol has both positions of a packed ring in one number. */
static void
test_base(void **state)
{
	RTE_SET_USED(state);
	start_rings(FEATURES, 1);
	assert_int_equal(base(0), STOPPED);
	assert_int_equal(base(0), STOPPED);
	assert_int_equal(vhost_client_ask(client, MSG_RESET_DEVICE, 0, 0, true), 0);
	start_rings(FEATURES | LOOPBACK_DEV_PACKED, 1);
	assert_int_equal(self.position[0], POSITION << 16 | POSITION);
	assert_int_equal(base(0), 0x80070000 + STOPPED);
}

/*
 * QEMU up to 8.0 sets status 0 when it stops a guest, and asks for the positions after that. Requests
 * in flight finish first, because the guest runs on elsewhere.
 */
static void
test_base_after_status(void **state)
{
	struct vhost_user_msg msg = vhost_client_msg(MSG_SET_STATUS, 0, 8, true);
	char byte;

	RTE_SET_USED(state);
	start_rings(FEATURES, 2);
	set_in_flight(1, 1);
	vhost_client_send(client, &msg, 0, -1);
	unit_ctrl_turn();
	assert_int_equal(recv(client, &byte, 1, MSG_PEEK | MSG_DONTWAIT), -1);
	set_in_flight(1, 0);
	assert_int_equal(vhost_client_answer(client, MSG_SET_STATUS), 0);
	assert_int_equal(loopback_dev_state(&self, 0), RTE_VDUSE_VQ_IDLE);
	assert_int_equal(base(0), STOPPED);
	assert_int_equal(base(1), STOPPED + 1);
	assert_int_equal(vhost_client_ask(client, MSG_RESET_DEVICE, 0, 0, true), 0);
	start_rings(FEATURES | LOOPBACK_DEV_PACKED, 1);
	assert_int_equal(vhost_client_ask(client, MSG_SET_STATUS, 0, 8, true), 0);
	assert_int_equal(base(0), 0x80070000 + STOPPED);
}

/* A virtqueue that could not start is where the client said. */
static void
test_base_not_started(void **state)
{
	struct vhost_user_msg table = vhost_client_table(0, MEMORY, true);

	RTE_SET_USED(state);
	self.start_result = -ENOMEM;
	assert_int_equal(vhost_client_ask(client, MSG_SET_FEATURES, FEATURES, 8, true), 0);
	vhost_client_send(client, &table, 1, memory);
	assert_int_equal(vhost_client_answer(client, MSG_SET_MEM_TABLE), 0);
	vhost_client_ring(client, 0, 0, POSITION);
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_ERROR);
	assert_int_equal(base(0), POSITION);
}

/* The last descriptor that the process may have is that of a region: its rings go on. */
static void
test_last_descriptor(void **state)
{
	struct vhost_user_msg msg = vhost_client_slot(MSG_ADD_MEM_REG, 2 * MEMORY, MEMORY);
	struct rte_vduse_region region;
	struct rlimit limit, few;

	RTE_SET_USED(state);
	start_rings(FEATURES, 1);
	unit_populated();
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	few = limit;
	few.rlim_cur = (rlim_t)dup(memory);
	close((int)few.rlim_cur++);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
	vhost_client_send(client, &msg, 1, memory);
	assert_int_equal(vhost_client_answer(client, MSG_ADD_MEM_REG), 0);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_RUNNING);
	assert_true(loopback_dev_lookup(&self, 0, 2 * MEMORY, &region));
}

/* A client may disable a single ring: the device type is told. */
static void
test_enable(void **state)
{
	RTE_SET_USED(state);
	start_rings(FEATURES, 2);
	assert_int_equal(vhost_client_ask(client, MSG_SET_VRING_ENABLE, 1, 8, true), 0);
	assert_int_equal(loopback_dev_state(&self, 1), RTE_VDUSE_VQ_IDLE);
	assert_int_equal(loopback_dev_counted(&self.runs[1]), 1);
	assert_int_equal(loopback_dev_counted(&self.rests[1]), 1);
	assert_int_equal(loopback_dev_counted(&self.rests[0]), 0);
	assert_int_equal(
		vhost_client_ask(client, MSG_SET_VRING_ENABLE, 1 | UINT64_C(1) << 32, 8, true), 0);
	assert_int_equal(loopback_dev_state(&self, 1), RTE_VDUSE_VQ_RUNNING);
	assert_int_equal(loopback_dev_counted(&self.runs[1]), 2);
	assert_int_equal(loopback_dev_counted(&self.runs[0]), 1);
}

static int
drain(struct rte_vduse_dev *dev)
{
	vduse_vq_drain(&dev->vqs[0], false);
	return 0;
}

static int
drained(struct rte_vduse_dev *dev)
{
	vduse_vq_drained(&dev->vqs[0]);
	return 0;
}

/* The end of a drain without a change wakes a thread that found its virtqueue disabled. */
static void
test_drained_wakes(void **state)
{
	int wake;

	RTE_SET_USED(state);
	start_rings(FEATURES, 1);
	wake = rte_vduse_vq_wake_fd(self.vqs[0]);
	assert_false(unit_signalled(&wake));
	assert_int_equal(vduse_ctrl_run(drain, self.dev), 0);
	assert_false(rte_vduse_vq_enter(self.vqs[0]));
	assert_int_equal(vduse_ctrl_run(drained, self.dev), 0);
	assert_true(unit_signalled(&wake));
	assert_true(rte_vduse_vq_enter(self.vqs[0]));
	rte_vduse_vq_leave(self.vqs[0]);
}

static void
send_kick(uint16_t index, int fd)
{
	struct vhost_user_msg msg = vhost_client_msg(MSG_SET_VRING_KICK, index, 8, true);

	vhost_client_send(client, &msg, 1, fd);
	assert_int_equal(vhost_client_answer(client, MSG_SET_VRING_KICK), 0);
}

/* The client's kicks wake a thread that sleeps, whatever the client does with its eventfd. */
static void
test_kick(void **state)
{
	int kicks[] = { eventfd(0, 0), eventfd(0, 0) }, wake;
	unsigned int fds;

	RTE_SET_USED(state);
	start_rings(FEATURES, 2);
	wake = rte_vduse_vq_wake_fd(self.vqs[1]);
	fds = unit_fds();
	send_kick(1, kicks[0]);
	assert_int_equal(unit_fds(), fds + 1);
	loopback_dev_wait(&self, 1, RTE_VDUSE_VQ_RUNNING);
	(void)unit_signalled(&wake);
	assert_int_equal(eventfd_write(kicks[0], 1), 0);
	assert_true(unit_wait(unit_signalled, &wake));
	/* The counter is still 1, or 0 because the client has read it. */
	assert_int_equal(eventfd_write(kicks[0], 1), 0);
	assert_true(unit_wait(unit_signalled, &wake));
	assert_true(unit_signalled(&kicks[0]));
	assert_int_equal(eventfd_write(kicks[0], 1), 0);
	assert_true(unit_wait(unit_signalled, &wake));
	/* Another one replaces it; it was kicked before. */
	assert_int_equal(eventfd_write(kicks[1], 1), 0);
	send_kick(1, kicks[1]);
	assert_true(unit_wait(unit_signalled, &wake));
	assert_int_equal(eventfd_write(kicks[0], 1), 0);
	unit_ctrl_turn();
	assert_false(unit_signalled(&wake));
	/* A stopped ring needs none: it is closed. */
	(void)base(1);
	assert_int_equal(unit_fds(), fds - 1);
	assert_int_equal(eventfd_write(kicks[1], 1), 0);
	unit_ctrl_turn();
	assert_false(unit_signalled(&wake));
	assert_int_equal(unit_log_count("is no eventfd"), 0);
	send_kick(1, memory);
	assert_int_equal(unit_log_count("kick descriptor of virtqueue 1 is no eventfd"), 1);
	send_kick(0, kicks[0]);
	close(client);
	client = -1;
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_IDLE);
	close(kicks[0]);
	close(kicks[1]);
}

static unsigned int
events(int epoll_fd)
{
	struct epoll_event found[4];
	int nb = epoll_wait(epoll_fd, found, RTE_DIM(found), 0);

	assert_true(nb >= 0);
	for (int i = 0; i < nb; i++)
		assert_ptr_equal(found[i].data.ptr, &self);
	return (unsigned int)nb;
}

/* A thread that sleeps in an epoll of its own gets kicks without the control thread. */
static void
test_kick_epoll(void **state)
{
	int kicks[] = { eventfd(0, 0), eventfd(0, 0) }, epoll_fd = epoll_create1(0), wake;

	RTE_SET_USED(state);
	start_rings(FEATURES, 2);
	wake = rte_vduse_vq_wake_fd(self.vqs[0]);
	send_kick(0, kicks[0]);
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_RUNNING);
	assert_int_equal(rte_vduse_vq_wake_epoll(self.vqs[0], epoll_fd, &self), 0);
	(void)events(epoll_fd);
	(void)unit_signalled(&wake);
	/* At once, each time though nobody reads it, and the eventfd of core/ stays as it is. */
	assert_int_equal(eventfd_write(kicks[0], 1), 0);
	assert_int_equal(events(epoll_fd), 1);
	assert_int_equal(events(epoll_fd), 0);
	assert_int_equal(eventfd_write(kicks[0], 1), 0);
	assert_int_equal(events(epoll_fd), 1);
	unit_ctrl_turn();
	assert_false(unit_signalled(&wake));
	/* The driver replaces its eventfd. */
	send_kick(0, kicks[1]);
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_RUNNING);
	(void)events(epoll_fd);
	(void)unit_signalled(&wake);
	assert_int_equal(eventfd_write(kicks[0], 1), 0);
	assert_int_equal(events(epoll_fd), 0);
	assert_int_equal(eventfd_write(kicks[1], 1), 0);
	assert_int_equal(events(epoll_fd), 1);
	/* What core/ signals comes, too. */
	assert_int_equal(vduse_ctrl_run(drain, self.dev), 0);
	assert_int_equal(vduse_ctrl_run(drained, self.dev), 0);
	assert_int_equal(events(epoll_fd), 1);
	/* Without the epoll, kicks are passed on again. */
	assert_int_equal(rte_vduse_vq_wake_epoll(self.vqs[0], -1, NULL), 0);
	assert_true(unit_wait(unit_signalled, &wake));
	assert_int_equal(eventfd_write(kicks[1], 1), 0);
	assert_true(unit_wait(unit_signalled, &wake));
	assert_int_equal(events(epoll_fd), 0);
	assert_int_equal(rte_vduse_vq_wake_epoll(self.vqs[0], kicks[0], NULL), -EINVAL);
	close(epoll_fd);
	close(kicks[0]);
	close(kicks[1]);
}

static bool
is_held(void *arg)
{
	RTE_SET_USED(arg);
	return rte_atomic_load_explicit(&call_held, rte_memory_order_relaxed);
}

static bool
is_called(void *arg)
{
	return rte_atomic_load_explicit(&nb_calls, rte_memory_order_relaxed) >=
	       *(const unsigned int *)arg;
}

/*
 * The driver replaces the call descriptor of a ring that runs, and makes the interrupt that follows
 * take long: bursts go on, and none of their interrupts is lost.
 */
static void
test_call_replaced(void **state)
{
	struct vhost_user_msg msg = vhost_client_msg(MSG_SET_VRING_CALL, 0, 8, true);
	int call_fd = eventfd(0, EFD_NONBLOCK);
	unsigned int wanted;
	eventfd_t value;
	bool held, entered;

	RTE_SET_USED(state);
	start_rings(FEATURES, 1);
	vhost_client_send(client, &msg, 1, call_fd);
	assert_int_equal(vhost_client_answer(client, MSG_SET_VRING_CALL), 0);
	assert_int_equal(eventfd_read(call_fd, &value), 0);
	wanted = rte_atomic_load_explicit(&nb_calls, rte_memory_order_relaxed) + 2;
	rte_atomic_store_explicit(&call_held, false, rte_memory_order_relaxed);
	rte_atomic_store_explicit(&call_hold, true, rte_memory_order_relaxed);
	vhost_client_send(client, &msg, 1, call_fd);
	held = unit_wait(is_held, NULL);
	entered = rte_vduse_vq_enter(self.vqs[0]);
	if (entered) {
		(void)rte_vduse_vq_call(self.vqs[0]);
		rte_vduse_vq_leave(self.vqs[0]);
	}
	/* Before anything fails: the teardown waits for the control thread. */
	rte_atomic_store_explicit(&call_hold, false, rte_memory_order_relaxed);
	assert_true(held);
	assert_true(entered);
	assert_int_equal(vhost_client_answer(client, MSG_SET_VRING_CALL), 0);
	assert_true(unit_wait(is_called, &wanted));
	assert_int_equal(eventfd_read(call_fd, &value), 0);
	close(call_fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_region_returns, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused_late, setup, teardown),
		cmocka_unit_test_setup_teardown(test_hangs_up, setup, teardown),
		cmocka_unit_test_setup_teardown(test_miss_stopped, setup, teardown),
		cmocka_unit_test_setup_teardown(test_base, setup, teardown),
		cmocka_unit_test_setup_teardown(test_base_after_status, setup, teardown),
		cmocka_unit_test_setup_teardown(test_base_not_started, setup, teardown),
		cmocka_unit_test_setup_teardown(test_last_descriptor, setup, teardown),
		cmocka_unit_test_setup_teardown(test_enable, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kick, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kick_epoll, setup, teardown),
		cmocka_unit_test_setup_teardown(test_drained_wakes, setup, teardown),
		cmocka_unit_test_setup_teardown(test_call_replaced, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
