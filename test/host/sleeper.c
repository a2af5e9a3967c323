/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * An application that sleeps: it sends back what port 0 receives, and waits for a receive interrupt
 * whenever there is nothing. On lines of stdin it says what it did.
 * Input: packets; "show" and "quit". Output: its counters.
 * Thread: main reads stdin; the first worker lcore polls and sleeps; the control thread of the
 * driver counts events.
 */
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>

#include <rte_eal.h>
#include <rte_epoll.h>
#include <rte_ethdev.h>
#include <rte_interrupts.h>
#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_mbuf.h>
#include <rte_vduse_compat.h>

#define SLEEPER_BURST 32

/* Atomic, relaxed: counters for the main thread, and what it tells the lcore. */
static uint64_t echoed, slept, queue_events;
static bool ended;

static void
add(uint64_t *counter, uint64_t n)
{
	rte_atomic_fetch_add_explicit(counter, n, rte_memory_order_relaxed);
}

static uint64_t
get(const uint64_t *counter)
{
	return rte_atomic_load_explicit(counter, rte_memory_order_relaxed);
}

static int
on_queue_state(uint16_t port, enum rte_eth_event_type event, void *arg, void *ret)
{
	RTE_SET_USED(port);
	RTE_SET_USED(event);
	RTE_SET_USED(arg);
	RTE_SET_USED(ret);
	add(&queue_events, 1);
	return 0;
}

/* Nothing but an interrupt ends it. */
static void
nap(void)
{
	struct rte_epoll_event event;
	int ret;

	ret = rte_eth_dev_rx_intr_enable(0, 0);
	if (ret < 0)
		rte_exit(EXIT_FAILURE, "rx_intr_enable: %s\n", strerror(-ret));
	if (rte_epoll_wait(RTE_EPOLL_PER_THREAD, &event, 1, -1) != 1)
		rte_exit(EXIT_FAILURE, "epoll_wait ended without an event\n");
	add(&slept, 1);
	ret = rte_eth_dev_rx_intr_disable(0, 0);
	if (ret < 0)
		rte_exit(EXIT_FAILURE, "rx_intr_disable: %s\n", strerror(-ret));
}

static int
serve(void *arg)
{
	struct rte_mbuf *mbufs[SLEEPER_BURST];
	uint16_t nb, sent;
	int ret;

	RTE_SET_USED(arg);
	ret = rte_eth_dev_rx_intr_ctl_q(0, 0, RTE_EPOLL_PER_THREAD, RTE_INTR_EVENT_ADD, NULL);
	if (ret < 0)
		rte_exit(EXIT_FAILURE, "rx_intr_ctl_q: %s\n", strerror(-ret));
	while (!rte_atomic_load_explicit(&ended, rte_memory_order_relaxed)) {
		nb = rte_eth_rx_burst(0, 0, mbufs, SLEEPER_BURST);
		if (nb == 0) {
			nap();
			continue;
		}
		sent = rte_eth_tx_burst(0, 0, mbufs, nb);
		rte_pktmbuf_free_bulk(mbufs + sent, nb - sent);
		add(&echoed, sent);
	}
	return 0;
}

static void
must(const char *what, int ret)
{
	if (ret < 0)
		rte_exit(EXIT_FAILURE, "%s: %s\n", what, strerror(-ret));
}

static void
start(void)
{
	const struct rte_eth_conf conf = { .intr_conf.rxq = 1 };
	struct rte_mempool *pool;

	pool = rte_pktmbuf_pool_create("sleeper", 8191, 250, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
				       SOCKET_ID_ANY);
	if (pool == NULL)
		rte_exit(EXIT_FAILURE, "no mempool\n");
	must("configure", rte_eth_dev_configure(0, 1, 1, &conf));
	must("rx_queue_setup", rte_eth_rx_queue_setup(0, 0, 256, SOCKET_ID_ANY, NULL, pool));
	must("tx_queue_setup", rte_eth_tx_queue_setup(0, 0, 256, SOCKET_ID_ANY, NULL));
	must("callback_register",
	     rte_eth_dev_callback_register(0, RTE_ETH_EVENT_QUEUE_STATE, on_queue_state, NULL));
	must("start", rte_eth_dev_start(0));
}

int
main(int argc, char **argv)
{
	char line[64];

	setvbuf(stdout, NULL, _IOLBF, 0);
	must("eal_init", rte_eal_init(argc, argv));
	start();
	must("launch", rte_eal_remote_launch(serve, NULL, rte_get_next_lcore(-1, 1, 0)));
	printf("ready\n");
	while (fgets(line, sizeof(line), stdin) != NULL && strcmp(line, "quit\n") != 0)
		printf("echoed %" PRIu64 " slept %" PRIu64 " queue_events %" PRIu64 "\n",
		       get(&echoed), get(&slept), get(&queue_events));
	rte_atomic_store_explicit(&ended, true, rte_memory_order_relaxed);
	must("eventfd_write", eventfd_write(rte_eth_dev_rx_intr_ctl_q_get_fd(0, 0), 1));
	rte_eal_mp_wait_lcore();
	must("stop", rte_eth_dev_stop(0));
	must("close", rte_eth_dev_close(0));
	return rte_eal_cleanup();
}
