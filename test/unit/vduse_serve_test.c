/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* A virtqueue that the control thread serves: when it does, and that other devices are served too. */
#include "loopback_dev.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_vduse_compat.h>

#define CTRL_THREAD "vduse-ctrl"
#define WATCH_MS    400
#define IDLE_MS     100

static struct loopback_dev device, other;
static int memory = -1;
/* How often serve was called, and whether it says that there is more. Atomic. */
static unsigned int served, more;
static uint64_t miss; /* an address that serve looks for; 0: none */
static bool wrong_thread;

static unsigned int
load(const unsigned int *counter)
{
	return rte_atomic_load_explicit(counter, rte_memory_order_acquire);
}

static bool
serve(struct rte_vduse_vq *vq, void *arg)
{
	struct loopback_dev *self = arg;

	wrong_thread |= !pthread_equal(self->thread, pthread_self());
	if (miss != 0 && rte_vduse_vq_lookup(vq, miss) == NULL)
		rte_vduse_vq_miss(vq, miss, false);
	rte_atomic_fetch_add_explicit(&served, 1, rte_memory_order_release);
	return load(&more) != 0;
}

static int
setup(void **state)
{
	RTE_SET_USED(state);
	memory = unit_memfd("unit-serve", 2 * PAGE);
	served = 0;
	more = 0;
	miss = 0;
	wrong_thread = false;
	loopback_dev_start(&other);
	loopback_dev_region(&other, 0, PAGE, 0, PERM_RW, memory);
	loopback_dev_set_vq(&other, 0, 0, 256);
	loopback_dev_start(&device);
	device.serve = serve;
	loopback_dev_region(&device, 0, PAGE, 0, PERM_RW, memory);
	loopback_dev_set_vq(&device, 0, 0, 256);
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	rte_atomic_store_explicit(&more, 0, rte_memory_order_relaxed);
	loopback_dev_destroy(&device);
	loopback_dev_destroy(&other);
	close(memory);
	assert_false(wrong_thread);
	return 0;
}

static void
kick(void)
{
	assert_int_equal(eventfd_write(vduse_loopback_kick_fd(device.loop, 0), 1), 0);
}

/* Once after it starts, without a kick: and not again until there is one. */
static void
test_start(void **state)
{
	RTE_SET_USED(state);
	unit_ctrl_turn();
	assert_int_equal(load(&served), 0);
	loopback_dev_up(&device);
	unit_ctrl_turn();
	assert_int_equal(load(&served), 1);
	unit_ctrl_turn();
	assert_int_equal(load(&served), 1);
}

static bool
was_served(void *arg)
{
	return load(&served) >= *(unsigned int *)arg;
}

static void
wait_served(unsigned int nb)
{
	assert_true(unit_wait(was_served, &nb));
}

static void
test_kick(void **state)
{
	unsigned int i;

	RTE_SET_USED(state);
	loopback_dev_up(&device);
	wait_served(1);
	for (i = 2; i < 100; i++) {
		kick();
		wait_served(i);
	}
	unit_ctrl_turn();
	assert_int_equal(load(&served), 99);
}

/* A virtqueue that was reset is not served, one that starts again is. */
static void
test_reset(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_up(&device);
	wait_served(1);
	assert_true(loopback_dev_set_status(&device, 0));
	assert_int_equal(vduse_loopback_kick_fd(device.loop, 0), -1);
	unit_ctrl_turn();
	assert_int_equal(load(&served), 1);
	loopback_dev_up(&device);
	wait_served(2);
	kick();
	wait_served(3);
}

/* Memory that it missed is there now: it goes on without a kick. */
static void
test_miss(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_up(&device);
	wait_served(1);
	loopback_dev_region(&device, PAGE, PAGE, PAGE, PERM_RW, memory);
	miss = PAGE;
	kick();
	wait_served(3);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_RUNNING);
	unit_ctrl_turn();
	assert_int_equal(load(&served), 3);
}

/* One that misses memory which is in no region fails, and is left alone after that. */
static void
test_no_memory(void **state)
{
	unsigned int before;

	RTE_SET_USED(state);
	loopback_dev_up(&device);
	wait_served(1);
	miss = 16 * PAGE;
	kick();
	loopback_dev_wait(&device, 0, RTE_VDUSE_VQ_ERROR);
	before = load(&served);
	kick();
	unit_ctrl_turn();
	assert_int_equal(load(&served), before);
}

/* Memory changes: its ring is looked up again, and it is served. */
static void
test_memory(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_up(&device);
	wait_served(1);
	loopback_dev_update(&device);
	wait_served(2);
}

/* However much there is to do, the other device gets its turns; at the end the thread sleeps. */
static void
test_more(void **state)
{
	uint64_t before;
	unsigned int i;

	RTE_SET_USED(state);
	rte_atomic_store_explicit(&more, 1, rte_memory_order_relaxed);
	loopback_dev_up(&device);
	wait_served(1000);
	for (i = 0; i < 20; i++) {
		loopback_dev_up(&other);
		assert_true(loopback_dev_burst(&other, 0, 0, true));
		assert_true(loopback_dev_set_status(&other, 0));
	}
	rte_atomic_store_explicit(&more, 0, rte_memory_order_relaxed);
	unit_ctrl_turn();
	before = unit_thread_ms(CTRL_THREAD);
	unit_sleep_ms(WATCH_MS);
	assert_in_range(unit_thread_ms(CTRL_THREAD) - before, 0, IDLE_MS);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_start, setup, teardown),
		cmocka_unit_test_setup_teardown(test_kick, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(test_miss, setup, teardown),
		cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory, setup, teardown),
		cmocka_unit_test_setup_teardown(test_more, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
