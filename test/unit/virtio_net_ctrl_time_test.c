/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * How long a driver waits for the answer to a command, while no thread polls the device and while
 * polling threads keep every processor busy.
 */
#include "loopback_ctrl.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_vduse_compat.h>

#define COMMANDS    401u
#define PAIRS       4u
#define POLLERS_MAX 64u
#define BURST       32u
/* The kernel can let a thread that wakes up wait for one that runs, which the median leaves out. */
#define MEDIAN_US 1000u

static struct loopback_ctrl dev;
static struct rte_mempool *pool;
static bool polling;

static int
setup(void **state)
{
	RTE_SET_USED(state);
	loopback_ctrl_create(&dev, PAIRS);
	dev.whole = true;
	loopback_ctrl_up(&dev, CTRL_MQ, 0);
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	loopback_ctrl_destroy(&dev);
	return 0;
}

static int
compare(const void *a, const void *b)
{
	const uint64_t *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

/* Sends a command, and sleeps rather than polls until its answer is there. Returns cycles. */
static uint64_t
command_cycles(void)
{
	static const uint8_t bytes[] = { VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, 1 };
	const struct ctrl_request request = { .bytes = bytes, .len = sizeof(bytes), .ack = 1 };
	const struct timespec nap = { .tv_nsec = 10000 };
	uint64_t start = rte_rdtsc(), end = start + 10 * rte_get_tsc_hz();
	uint16_t posted = loopback_ctrl_post(&dev, &request);
	uint32_t head, len;

	while (!driver_take(&dev.queues[CTRL_VQ], &head, &len)) {
		assert_true(rte_rdtsc() < end);
		nanosleep(&nap, NULL);
	}
	end = rte_rdtsc();
	assert_int_equal(head, posted);
	assert_int_equal(loopback_ctrl_answer(&dev, posted)[0], VIRTIO_NET_OK);
	return end - start;
}

static void
check_median(const char *when)
{
	uint64_t cycles[COMMANDS], us = rte_get_tsc_hz() / 1000000;
	unsigned int i;

	for (i = 0; i < COMMANDS; i++)
		cycles[i] = command_cycles();
	qsort(cycles, COMMANDS, sizeof(cycles[0]), compare);
	print_message("%s: an answer in %" PRIu64 " us, 99 of 100 in %" PRIu64 " us\n", when,
		      cycles[COMMANDS / 2] / us, cycles[COMMANDS * 99 / 100] / us);
	assert_in_range(cycles[COMMANDS / 2] / us, 0, MEDIAN_US);
}

static void
test_not_polled(void **state)
{
	RTE_SET_USED(state);
	check_median("nothing polls");
}

/* Keeps a processor busy; there is a pair to poll for the first ones. */
static void *
poll_pair(void *arg)
{
	unsigned int cpu = *(unsigned int *)arg;
	struct rte_mbuf *mbufs[BURST];
	cpu_set_t cpus;

	CPU_ZERO(&cpus);
	CPU_SET(cpu, &cpus);
	(void)pthread_setaffinity_np(pthread_self(), sizeof(cpus), &cpus);
	while (rte_atomic_load_explicit(&polling, rte_memory_order_relaxed))
		if (cpu < PAIRS)
			assert_int_equal(
				rte_vduse_net_rx_burst(dev.net, (uint16_t)cpu, pool, mbufs, BURST),
				0);
	return NULL;
}

static void
test_saturated(void **state)
{
	unsigned int nb = (unsigned int)sysconf(_SC_NPROCESSORS_ONLN), cpus[POLLERS_MAX], i;
	pthread_t threads[POLLERS_MAX];

	RTE_SET_USED(state);
	nb = RTE_MIN(nb, POLLERS_MAX);
	polling = true;
	for (i = 0; i < nb; i++) {
		cpus[i] = i;
		assert_int_equal(pthread_create(&threads[i], NULL, poll_pair, &cpus[i]), 0);
	}
	check_median("every processor polls");
	rte_atomic_store_explicit(&polling, false, rte_memory_order_relaxed);
	for (i = 0; i < nb; i++)
		pthread_join(threads[i], NULL);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_not_polled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_saturated, setup, teardown),
	};

	if (unit_init() < 0 || prctl(PR_SET_TIMERSLACK, 1000, 0, 0, 0) < 0)
		return 1;
	pool = rte_pktmbuf_pool_create("time", 255, 0, 0, 2048, SOCKET_ID_ANY);
	if (pool == NULL)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
