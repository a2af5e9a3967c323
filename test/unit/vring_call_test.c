/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A driver and a device on separate threads. The driver enables calls, checks the ring once more
 * and sleeps: in every interleaving it either sees the entry or is called.
 */
#include <pthread.h>
#include <sched.h>
#include <time.h>

#include <rte_vduse_compat.h>

#include "unit.h"
#include "vring_driver.h"

#define ROUNDS 100000
#define SIZE   8

static struct driver driver;
static uint32_t calls;
static bool done;

static void *
device_main(void *arg)
{
	uint32_t idle = 0;

	RTE_SET_USED(arg);
	while (!rte_atomic_load_explicit(&done, rte_memory_order_relaxed)) {
		struct rte_vduse_chain chains[SIZE];
		uint16_t n = vring_pop(&driver.vq, chains, SIZE);

		if (n == 0) {
			if (++idle % 64 == 0)
				sched_yield();
			continue;
		}
		vring_push(&driver.vq, chains, n);
		if (vring_publish(&driver.vq))
			rte_atomic_fetch_add_explicit(&calls, 1, rte_memory_order_release);
	}
	return NULL;
}

static void
ask(bool event_idx)
{
	if (driver_has(&driver, VIRTIO_F_RING_PACKED))
		driver_packed_set_event(&driver,
					event_idx ? VRING_PACKED_EVENT_FLAG_DESC
						  : VRING_PACKED_EVENT_FLAG_ENABLE,
					driver.packed.seen);
	else if (event_idx)
		driver_set_used_event(&driver, driver.seen);
	else
		rte_atomic_store_explicit(&driver.avail->flags, 0, rte_memory_order_relaxed);
	/* Pairs with the fence in vring_publish(). */
	rte_atomic_thread_fence(rte_memory_order_seq_cst);
}

/* True when a call came since the count was as told; false when none does. */
static bool
called(uint32_t before)
{
	struct timespec start, now;
	uint32_t i;

	clock_gettime(CLOCK_MONOTONIC, &start);
	do {
		for (i = 0; i < 1024; i++) {
			if (rte_atomic_load_explicit(&calls, rte_memory_order_acquire) != before)
				return true;
			if (i % 64 == 63)
				sched_yield();
		}
		clock_gettime(CLOCK_MONOTONIC, &now);
	} while ((now.tv_sec - start.tv_sec) * 1000 < UNIT_PATIENCE_MS);
	return false;
}

static bool
entry_used(void)
{
	if (driver_has(&driver, VIRTIO_F_RING_PACKED))
		return driver_packed_used(&driver) > 0;
	return driver.seen != rte_atomic_load_explicit(&driver.used->idx, rte_memory_order_acquire);
}

static void
ask_no_more(bool event_idx)
{
	if (driver_has(&driver, VIRTIO_F_RING_PACKED))
		driver_packed_set_event(&driver, VRING_PACKED_EVENT_FLAG_DISABLE, 0);
	else if (!event_idx)
		rte_atomic_store_explicit(&driver.avail->flags, VRING_AVAIL_F_NO_INTERRUPT,
					  rte_memory_order_relaxed);
}

/* Sleeps until an entry is used. False: it was used without a call. */
static bool
entry_wait(bool event_idx)
{
	uint32_t before = rte_atomic_load_explicit(&calls, rte_memory_order_acquire);
	bool woken = true;

	ask(event_idx);
	if (!entry_used())
		woken = called(before);
	ask_no_more(event_idx);
	return woken;
}

static bool
rounds(bool event_idx)
{
	uint32_t i, head, len;
	uint16_t n, got;

	for (i = 0; i < ROUNDS; i++) {
		n = (uint16_t)(1 + i % 3);
		for (got = 0; got < n; got++) {
			struct driver_part part = { driver.data, 1, 0 };

			driver_post_chain(&driver, &got, &part, 1);
		}
		for (got = 0; got < n;) {
			if (driver_take(&driver, &head, &len))
				got++;
			else if (!entry_wait(event_idx))
				return false;
		}
	}
	return true;
}

static void
no_call_is_lost(uint64_t features, bool event_idx)
{
	pthread_t device;
	bool good;

	driver_init(&driver, SIZE, features, 0);
	assert_int_equal(driver_start(&driver), 0);
	ask_no_more(false);
	calls = 0;
	done = false;
	assert_int_equal(pthread_create(&device, NULL, device_main, NULL), 0);
	good = rounds(event_idx);
	rte_atomic_store_explicit(&done, true, rte_memory_order_relaxed);
	pthread_join(device, NULL);
	assert_true(good);
	assert_true(calls > 0);
	driver_free(&driver);
}

static void
no_call_is_lost_with_flags(void **state)
{
	RTE_SET_USED(state);
	no_call_is_lost(0, false);
}

static void
no_call_is_lost_with_event_idx(void **state)
{
	RTE_SET_USED(state);
	no_call_is_lost(UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX, true);
}

static void
no_call_of_a_packed_ring_is_lost(void **state)
{
	uint64_t packed = UINT64_C(1) << VIRTIO_F_RING_PACKED;

	RTE_SET_USED(state);
	no_call_is_lost(packed, false);
	no_call_is_lost(packed | UINT64_C(1) << VIRTIO_RING_F_EVENT_IDX, true);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_call_is_lost_with_flags),
		cmocka_unit_test(no_call_is_lost_with_event_idx),
		cmocka_unit_test(no_call_of_a_packed_ring_is_lost),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
