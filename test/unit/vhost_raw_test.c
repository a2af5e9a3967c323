/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * An application that serves the rings itself: the addresses that it gets, and that the driver
 * waits until the application has released them.
 */
#include "vhost_app.h"

#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include <vhost/vhost.h>

#include <rte_vduse_compat.h>

#define UP "new_device vring0+ vring1+"

static struct rte_vhost_memory *memory;
/* Atomic. */
static bool gone;
static bool ctrl_waits;       /* the control thread, for the events thread */
static unsigned int nb_looks; /* for a first buffer */
static bool nobody_waited;    /* when the application released the addresses */

static pthread_t events_thread; /* under vhost_lock() */
static pthread_t test_thread;

void
__real_vhost_wait(void);
void
__wrap_vhost_wait(void);
bool
__real_vhost_prime(struct vhost_dev *dev);
bool
__wrap_vhost_prime(struct vhost_dev *dev);

void
__wrap_vhost_wait(void)
{
	bool ctrl = !pthread_equal(events_thread, pthread_self()) &&
		    !pthread_equal(test_thread, pthread_self());

	if (ctrl)
		rte_atomic_store_explicit(&ctrl_waits, true, rte_memory_order_relaxed);
	__real_vhost_wait();
	if (ctrl)
		rte_atomic_store_explicit(&ctrl_waits, false, rte_memory_order_relaxed);
}

/* Of the events thread, before it makes callbacks. */
bool
__wrap_vhost_prime(struct vhost_dev *dev)
{
	rte_atomic_fetch_add_explicit(&nb_looks, 1, rte_memory_order_relaxed);
	return __real_vhost_prime(dev);
}

static bool
does_ctrl_wait(void *arg)
{
	RTE_SET_USED(arg);
	return rte_atomic_load_explicit(&ctrl_waits, rte_memory_order_relaxed);
}

static bool
has_looked(void *arg)
{
	const unsigned int *until = arg;

	return (int)(rte_atomic_load_explicit(&nb_looks, rte_memory_order_relaxed) - *until) >= 0;
}

/*
 * The application is told nothing: the events thread has made a whole look for a first buffer, and
 * the callbacks that follow from it, and begins another look.
 */
static void
told_nothing(void)
{
	unsigned int until = rte_atomic_load_explicit(&nb_looks, rte_memory_order_relaxed) + 2;
	bool looked = unit_wait(has_looked, &until);

	vhost_app_told("");
	assert_true(looked);
}

static int
take_memory(struct vhost_app *app)
{
	RTE_SET_USED(app);
	vhost_lock();
	events_thread = pthread_self();
	vhost_unlock();
	rte_atomic_store_explicit(&gone, false, rte_memory_order_release);
	assert_int_equal(rte_vhost_get_mem_table(APP_VID, &memory), 0);
	return 0;
}

/* Lets go only when the driver waits for that; uses what it has to the end. */
static void
free_memory(struct vhost_app *app)
{
	uint32_t i;

	RTE_SET_USED(app);
	if (!unit_wait(does_ctrl_wait, NULL))
		rte_atomic_store_explicit(&nobody_waited, true, rte_memory_order_relaxed);
	for (i = 0; i < memory->nregions && !nobody_waited; i++)
		*(volatile uint8_t *)(uintptr_t)memory->regions[i].host_user_addr += 0;
	free(memory);
	memory = NULL;
	rte_atomic_store_explicit(&gone, true, rte_memory_order_release);
}

/* Ends the device; the application let go of memory while its driver waited for it, each time. */
static void
end(void)
{
	vhost_app_end();
	assert_false(rte_atomic_load_explicit(&nobody_waited, rte_memory_order_relaxed));
}

static void
start(void)
{
	vhost_app_register(64, NET_PLAIN, 0);
	assert_int_equal(rte_vhost_driver_set_features(APP_PATH, NET_PLAIN), 0);
	vhost_app_start();
	vhost_app_told("new_connection");
	vhost_app.new_device = take_memory;
	vhost_app.destroy_device = free_memory;
	loopback_net_up(&vhost_app.driver);
	loopback_net_send(&vhost_app.driver, 0, 100);
	vhost_app_told(UP);
}

/*
 * Memory becomes known with the first buffer in it, as virtio_vdpa's does: the application hears
 * of the device then, and gets all of the memory.
 */
static void
test_first_buffer(void **state)
{
	struct loopback_net *driver = &vhost_app.driver;
	struct driver *queue = &driver->queues[NET_TX];
	uint64_t iova;
	int fd = unit_memfd("unit-net-late", 4096);

	RTE_SET_USED(state);
	vhost_app_register(64, NET_PLAIN, 0);
	assert_int_equal(rte_vhost_driver_set_features(APP_PATH, NET_PLAIN), 0);
	vhost_app_start();
	vhost_app_told("new_connection");
	vhost_app.new_device = take_memory;
	vhost_app.destroy_device = free_memory;
	loopback_net_up(driver);
	iova = queue->data + 0x100000;
	told_nothing();
	assert_int_equal(
		vduse_loopback_region_add(driver->loop, iova, iova + 4095, 0, VDUSE_ACCESS_RW, fd),
		0);
	driver_desc(queue, 0, iova, 100, 0, 0);
	loopback_net_post(driver, NET_TX, 0);
	vhost_app_told(UP);
	assert_int_equal(memory->nregions, 3);
	end();
	close(fd);
}

static void
test_memory(void **state)
{
	const struct driver_region *region;
	uint64_t len;
	unsigned int i;

	RTE_SET_USED(state);
	start();
	assert_int_equal(memory->nregions, 2);
	for (i = 0; i < 2; i++) {
		region = &vhost_app.driver.queues[i].regions[0];
		len = region->size + 1;
		*(volatile uint8_t *)(region->va + 5) = (uint8_t)(0x5a + i);
		assert_int_equal(*(uint8_t *)(uintptr_t)rte_vhost_va_from_guest_pa(
					 memory, region->first + 5, &len),
				 0x5a + i);
		assert_int_equal(len, region->size - 5);
	}
	end();
	vhost_app_told("destroy_device destroy_connection");
}

static void
test_reset_waits(void **state)
{
	RTE_SET_USED(state);
	start();
	loopback_net_reset(&vhost_app.driver);
	assert_true(rte_atomic_load_explicit(&gone, rte_memory_order_acquire));
	vhost_app_told("destroy_device");
	assert_int_equal(rte_vhost_get_mem_table(APP_VID, &memory), -1);
	end();
}

static void
test_update_waits(void **state)
{
	RTE_SET_USED(state);
	start();
	loopback_net_update(&vhost_app.driver);
	vhost_app_told("destroy_device " UP);
	loopback_net_update(&vhost_app.driver);
	vhost_app_told("destroy_device " UP);
	end();
}

/* Memory goes away for good; the virtqueues come back with it. */
static void
test_update_empty(void **state)
{
	RTE_SET_USED(state);
	start();
	vduse_loopback_regions_clear(vhost_app.driver.loop);
	loopback_net_update(&vhost_app.driver);
	assert_true(rte_atomic_load_explicit(&gone, rte_memory_order_acquire));
	vhost_app_told("destroy_device");
	loopback_net_regions(&vhost_app.driver);
	loopback_net_update(&vhost_app.driver);
	vhost_app_told(UP);
	end();
}

static void
test_vring(void **state)
{
	struct driver *queue = &vhost_app.driver.queues[NET_TX];
	struct rte_vhost_power_monitor_cond cond;
	struct rte_vhost_vring vring;

	RTE_SET_USED(state);
	start();
	assert_int_equal(rte_vhost_get_vhost_vring(APP_VID, NET_TX, &vring), 0);
	queue->desc[7].len = 0x1234;
	queue->avail->idx = 9;
	assert_int_equal(vring.desc[7].len, 0x1234);
	assert_int_equal(vring.avail->idx, 9);
	vring.used->idx = 3;
	assert_int_equal(queue->used->idx, 3);
	assert_int_equal(rte_vhost_get_monitor_addr(APP_VID, NET_TX, &cond), 0);
	assert_ptr_equal(cond.addr, &vring.avail->idx);
	assert_int_equal(cond.val, 3);
	assert_int_equal(rte_vhost_vring_call(APP_VID, NET_TX), 0);
	assert_int_equal(vduse_loopback_calls(vhost_app.driver.loop, NET_TX), 1);
	assert_int_equal(rte_vhost_vring_call(APP_VID, 2), -1);
	/* Packets are the application's own affair. */
	assert_int_equal(rte_vhost_enqueue_burst(APP_VID, 0, NULL, 0), 0);
	assert_int_equal(rte_vhost_avail_entries(APP_VID, NET_TX), 0);
	end();
}

static uint16_t
state_of(uint32_t index)
{
	struct vduse_dev_request req = { .type = VDUSE_GET_VQ_STATE, .vq_state.index = index };
	struct vduse_dev_response resp;

	assert_int_equal(vduse_loopback_ask(vhost_app.driver.loop, &req, &resp, UNIT_PATIENCE_MS),
			 0);
	assert_int_equal(resp.result, VDUSE_REQ_RESULT_OK);
	return resp.vq_state.split.avail_index;
}

static void
test_base(void **state)
{
	uint16_t avail, used;

	RTE_SET_USED(state);
	start();
	vhost_app.driver.queues[NET_TX].used->idx = 5;
	assert_int_equal(rte_vhost_get_vring_base(APP_VID, NET_TX, &avail, &used), 0);
	assert_int_equal(avail, 5);
	assert_int_equal(used, 5);
	assert_int_equal(state_of(NET_TX), 5);
	assert_int_equal(rte_vhost_set_vring_base(APP_VID, NET_TX, 7, 7), 0);
	assert_int_equal(state_of(NET_TX), 7);
	loopback_net_reset(&vhost_app.driver);
	assert_int_equal(state_of(NET_TX), 7);
	assert_int_equal(rte_vhost_set_vring_base(APP_VID, 2, 7, 7), -1);
	end();
}

/* A driver whose rings are no rings: the application does not get to see them. */
static void
test_bad_rings(void **state)
{
	struct loopback_net *driver = &vhost_app.driver;
	struct rte_vhost_vring vring;

	RTE_SET_USED(state);
	vhost_app_register(64, NET_PLAIN, 0);
	assert_int_equal(rte_vhost_driver_set_features(APP_PATH, NET_PLAIN), 0);
	vhost_app_start();
	vhost_app_told("new_connection");
	driver->queues[NET_TX].size = 48;
	driver->queues[NET_RX].rings += 8;
	loopback_net_up(driver);
	loopback_net_wait(driver, NET_TX, RTE_VDUSE_VQ_ERROR);
	loopback_net_wait(driver, NET_RX, RTE_VDUSE_VQ_ERROR);
	loopback_net_send(driver, 0, 100);
	told_nothing();
	assert_int_equal(rte_vhost_get_vhost_vring(APP_VID, NET_TX, &vring), 0);
	assert_null(vring.desc);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_first_buffer), cmocka_unit_test(test_memory),
		cmocka_unit_test(test_reset_waits),  cmocka_unit_test(test_update_waits),
		cmocka_unit_test(test_update_empty), cmocka_unit_test(test_vring),
		cmocka_unit_test(test_base),         cmocka_unit_test(test_bad_rings),
	};

	test_thread = pthread_self();
	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
