/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The dirty log of a vhost-user client: switched on and off while a ring runs, moved, too short,
 * truncated and malformed.
 */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_vduse_compat.h>

#include "create_over.h"
#include "vhost_client.h"

#define MEMORY   (16 * PAGE)
#define BUFFER   (9 * PAGE)
#define FEATURES (LOOPBACK_DEV_FEATURES | VHOST_USER_BIT(MSG_F_PROTOCOL_FEATURES))
#define LOGGING  (FEATURES | VHOST_USER_BIT(MSG_F_LOG_ALL))
#define LOG_SIZE 4096u

static char path[64];
static struct loopback_dev self;
static struct rte_vduse_dev_ops ops;
static int memory, log_file, client;
static uint8_t *va;   /* the client's memory */
static uint8_t *bits; /* its log, twice LOG_SIZE */
static uint16_t nb_posted;
static unsigned int fds_before;

/* A device whose rings the library maps. */
static int
setup(void **state)
{
	struct rte_vduse_dev_conf conf = loopback_dev_conf(&self);

	RTE_SET_USED(state);
	unit_ctrl_turn();
	fds_before = unit_fds();
	memset(&self, 0, sizeof(self));
	unit_log_clear();
	snprintf(path, sizeof(path), "/tmp/vduse-unit-%d.sock", getpid());
	loopback_dev_conf_mapped(&conf, &ops);
	conf.path = path;
	if (create_dev_over(&conf, &vduse_transport_vhost_user, NULL, &self.dev) < 0)
		return -1;
	self.vqs[0] = rte_vduse_dev_vq(self.dev, 0);
	memory = unit_memfd("unit-vhost-user", MEMORY);
	log_file = unit_memfd("unit-dirty-log", 2 * LOG_SIZE);
	va = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	bits = mmap(NULL, 2 * LOG_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, log_file, 0);
	if (va == MAP_FAILED || bits == MAP_FAILED)
		return -1;
	if (rte_vduse_dev_start(self.dev, RTE_VDUSE_ATTACH_NONE) < 0)
		return -1;
	client = vhost_client_connect(path);
	nb_posted = 0;
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	munmap(va, MEMORY);
	munmap(bits, 2 * LOG_SIZE);
	close(client);
	close(memory);
	close(log_file);
	rte_vduse_dev_destroy(self.dev);
	unit_fds_back(fds_before);
	return 0;
}

static void
set_features(uint64_t features)
{
	assert_int_equal(vhost_client_ask(client, MSG_SET_FEATURES, features, 8, true), 0);
}

/* The ring is in page 0. */
static void
start_ring(uint64_t features)
{
	struct vhost_user_msg table = vhost_client_table(0, MEMORY, true);

	set_features(features);
	vhost_client_send(client, &table, 1, memory);
	assert_int_equal(vhost_client_answer(client, MSG_SET_MEM_TABLE), 0);
	vhost_client_ring(client, 0, 0, 0);
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_RUNNING);
}

static void
send_log(uint64_t size, uint64_t offset, unsigned int nb_fds, int fd)
{
	struct vhost_user_msg msg = vhost_client_msg(
		MSG_SET_LOG_BASE, size, sizeof(((union msg_payload *)NULL)->log), false);

	msg.payload.log.offset = offset;
	vhost_client_send(client, &msg, nb_fds, fd);
}

static void
set_log(uint64_t size, uint64_t offset)
{
	send_log(size, offset, 1, log_file);
	assert_int_equal(vhost_client_answer(client, MSG_SET_LOG_BASE), 0);
}

/* The addresses of the ring again, with the used ring at another address in the log. */
static void
set_used(uint32_t flags, uint64_t log)
{
	struct vhost_user_msg msg = vhost_client_msg(
		MSG_SET_VRING_ADDR, 0, sizeof(((union msg_payload *)NULL)->addresses), true);

	msg.payload.addresses.flags = flags;
	msg.payload.addresses.desc = VHOST_CLIENT_USER;
	msg.payload.addresses.driver = VHOST_CLIENT_USER + 0x400;
	msg.payload.addresses.device = VHOST_CLIENT_USER + 0x800;
	msg.payload.addresses.log = log;
	vhost_client_send(client, &msg, 0, -1);
	assert_int_equal(vhost_client_answer(client, MSG_SET_VRING_ADDR), 0);
}

/* A chain of one buffer to write, in two pages, goes through the device. */
static void
serve_one(void)
{
	struct vring_desc *desc = (void *)va;
	struct vring_avail *avail = (void *)(va + 0x400);
	struct rte_vduse_chain chain;

	desc[0] = (struct vring_desc){ BUFFER + PAGE - 8, 16, VRING_DESC_F_WRITE, 0 };
	avail->ring[nb_posted % VHOST_CLIENT_RING] = 0;
	rte_atomic_store_explicit(&avail->idx, ++nb_posted, rte_memory_order_release);
	while (!rte_vduse_vq_enter(self.vqs[0]))
		sched_yield();
	assert_int_equal(rte_vduse_vq_dequeue(self.vqs[0], &chain, 1), 1);
	memset(chain.bufs[0].va, nb_posted, 16);
	chain.used_len = 16;
	rte_vduse_vq_enqueue(self.vqs[0], &chain, 1);
	(void)rte_vduse_vq_flush(self.vqs[0]);
	rte_vduse_vq_leave(self.vqs[0]);
}

/* After a chain was served: these pages of the first 24 are marked, at that place of the file. */
static void
expect(uint64_t offset, uint32_t pages)
{
	uint32_t i;

	memset(bits, 0, 2 * LOG_SIZE);
	serve_one();
	for (i = 0; i < 2 * LOG_SIZE; i++)
		assert_int_equal(bits[i], i - offset < 3 ? pages >> 8 * (i - offset) & 0xff : 0);
}

#define PAGES_BUFFER (3u << BUFFER / PAGE)

static void
test_on_and_off(void **state)
{
	unsigned int bit;

	RTE_SET_USED(state);
	bit = vhost_client_ask(client, MSG_GET_FEATURES, 0, 0, false) >> MSG_F_LOG_ALL & 1;
	assert_int_equal(bit, 1);
	bit = vhost_client_ask(client, MSG_GET_PROTOCOL_FEATURES, 0, 0, false) >>
		      MSG_PROTOCOL_LOG_SHMFD &
	      1;
	assert_int_equal(bit, 1);
	start_ring(FEATURES);
	expect(0, 0);
	set_log(LOG_SIZE, 0);
	expect(0, 0);
	set_features(LOGGING);
	expect(0, PAGES_BUFFER | 1);
	set_used(MSG_VRING_F_LOG, 20 * PAGE);
	expect(0, PAGES_BUFFER | 1u << 20);
	set_used(0, 0);
	expect(0, PAGES_BUFFER | 1);
	set_features(FEATURES);
	expect(0, 0);
	/* The ring has never stopped. */
	assert_int_equal(loopback_dev_counted(&self.stops[0]), 0);
}

/* The log is there before the ring, as when a client connects again during a migration. */
static void
test_before_start(void **state)
{
	RTE_SET_USED(state);
	set_log(LOG_SIZE, 0);
	start_ring(LOGGING);
	expect(0, PAGES_BUFFER | 1);
	assert_int_equal(vhost_client_ask(client, MSG_GET_VRING_BASE, 0, 8, false) >> 32,
			 nb_posted);
	vhost_client_ring(client, 0, 0, nb_posted);
	loopback_dev_wait(&self, 0, RTE_VDUSE_VQ_RUNNING);
	expect(0, PAGES_BUFFER | 1);
}

static void
test_moves(void **state)
{
	RTE_SET_USED(state);
	start_ring(LOGGING);
	set_log(LOG_SIZE, 0);
	expect(0, PAGES_BUFFER | 1);
	/* No multiple of a page. */
	set_log(LOG_SIZE, 100);
	expect(100, PAGES_BUFFER | 1);
	/* A bit for each of the first 8 pages, in which the buffer is not. */
	set_log(1, 5);
	expect(5, 1);
}

static void
test_truncated(void **state)
{
	RTE_SET_USED(state);
	unit_sigbus_restore();
	start_ring(LOGGING);
	set_log(LOG_SIZE, 0);
	assert_int_equal(ftruncate(log_file, 0), 0);
	serve_one();
	assert_int_equal(loopback_dev_state(&self, 0), RTE_VDUSE_VQ_RUNNING);
	assert_int_equal(ftruncate(log_file, 2 * LOG_SIZE), 0);
	set_log(LOG_SIZE, 0);
	expect(0, PAGES_BUFFER | 1);
}

static void
dropped(uint64_t size, uint64_t offset, unsigned int nb_fds, int fd)
{
	send_log(size, offset, nb_fds, fd);
	vhost_client_dropped(client);
	client = vhost_client_connect(path);
}

static void
test_malformed(void **state)
{
	int fds[2];

	RTE_SET_USED(state);
	assert_int_equal(pipe(fds), 0);
	dropped(0, 0, 1, log_file);
	dropped(2 * LOG_SIZE + 1, 0, 1, log_file);
	dropped(LOG_SIZE, LOG_SIZE + 1, 1, log_file);
	dropped(LOG_SIZE, UINT64_MAX - LOG_SIZE + 1, 1, log_file);
	dropped(UINT64_MAX, 1, 1, log_file);
	dropped(LOG_SIZE, 0, 1, fds[0]);
	dropped(LOG_SIZE, 0, 0, -1);
	dropped(LOG_SIZE, 0, 2, log_file);
	close(fds[0]);
	close(fds[1]);
	start_ring(LOGGING);
	set_log(LOG_SIZE, 0);
	expect(0, PAGES_BUFFER | 1);
}

static bool done;

static void *
client_main(void *arg)
{
	unsigned int i;

	RTE_SET_USED(arg);
	for (i = 0; i < 300; i++) {
		set_log(LOG_SIZE - i, i);
		set_used(i % 2, i % 3 * PAGE);
		set_features(i % 4 == 0 ? FEATURES : LOGGING);
	}
	rte_atomic_store_explicit(&done, true, rte_memory_order_release);
	return NULL;
}

/* Logs come and go while the ring is polled: an old one is not used any more. */
static void
test_race(void **state)
{
	pthread_t thread;

	RTE_SET_USED(state);
	start_ring(LOGGING);
	done = false;
	assert_int_equal(pthread_create(&thread, NULL, client_main, NULL), 0);
	while (!rte_atomic_load_explicit(&done, rte_memory_order_acquire))
		serve_one();
	pthread_join(thread, NULL);
	/* The current log is mapped, and no other. */
	assert_in_range(unit_maps("unit-dirty-log"), 1, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_on_and_off, setup, teardown),
		cmocka_unit_test_setup_teardown(test_before_start, setup, teardown),
		cmocka_unit_test_setup_teardown(test_moves, setup, teardown),
		cmocka_unit_test_setup_teardown(test_truncated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_malformed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_race, setup, teardown),
	};

	unit_init();
	assert_int_equal(vduse_guard_install(), 0);
	unit_sigbus_keep();
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
