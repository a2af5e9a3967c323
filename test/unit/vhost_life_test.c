/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* An application that uses packets: its callbacks, their timing, and the packets that pass. */
#include "vhost_app.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <vhost/newer.h>
#include <vhost/vhost.h>

#include <rte_vduse_compat.h>

#define UP "new_device vring0+ vring1+"

static struct rte_mempool *pool;
static int answer;             /* of new_device */
static bool blocked, released; /* atomic */

static void
start(uint64_t flags)
{
	vhost_app_register(64, NET_MERGEABLE, flags);
	vhost_app_start();
	vhost_app_told("new_connection");
}

static void
up(void)
{
	loopback_net_up(&vhost_app.driver);
	vhost_app_told(UP);
}

static void
test_life(void **state)
{
	int i;

	RTE_SET_USED(state);
	start(0);
	for (i = 0; i < 3; i++) {
		up();
		loopback_net_reset(&vhost_app.driver);
		vhost_app_told("destroy_device");
	}
	up();
	vhost_app_end();
	vhost_app_told("destroy_device destroy_connection");
}

static void
test_nothing_left(void **state)
{
	unsigned int fds;

	RTE_SET_USED(state);
	start(0);
	vhost_app_end();
	vhost_app_told("destroy_connection");
	fds = unit_fds();
	start(0);
	up();
	vhost_app_end();
	vhost_app_told("destroy_device destroy_connection");
	assert_int_equal(unit_fds(), fds);
	assert_int_equal(unit_maps("unit-net"), 0);
}

static int
answer_with(struct vhost_app *app)
{
	RTE_SET_USED(app);
	return answer;
}

static void
test_refused(void **state)
{
	RTE_SET_USED(state);
	start(0);
	vhost_app.new_device = answer_with;
	answer = -1;
	loopback_net_up(&vhost_app.driver);
	vhost_app_told("new_device");
	loopback_net_reset(&vhost_app.driver);
	answer = 0;
	up();
	loopback_net_reset(&vhost_app.driver);
	vhost_app_told("destroy_device");
	vhost_app_end();
}

static void
block(struct vhost_app *app)
{
	RTE_SET_USED(app);
	rte_atomic_store_explicit(&blocked, true, rte_memory_order_release);
	while (!rte_atomic_load_explicit(&released, rte_memory_order_acquire))
		unit_sleep_ms(1);
}

static bool
is_blocked(void *arg)
{
	RTE_SET_USED(arg);
	return rte_atomic_load_explicit(&blocked, rte_memory_order_acquire);
}

/* A callback that hangs, on a lock for one, keeps no driver waiting: bursts are kept out. */
static void
test_block(void **state)
{
	struct rte_mbuf *mbuf;

	RTE_SET_USED(state);
	blocked = released = false;
	start(0);
	up();
	vhost_app.destroy_device = block;
	loopback_net_reset(&vhost_app.driver);
	assert_int_equal(rte_vhost_dequeue_burst(APP_VID, 1, pool, &mbuf, 1), 0);
	/* A driver that came and went meanwhile is no concern of the application's. */
	loopback_net_up(&vhost_app.driver);
	loopback_net_reset(&vhost_app.driver);
	loopback_net_up(&vhost_app.driver);
	assert_true(unit_wait(is_blocked, NULL));
	rte_atomic_store_explicit(&released, true, rte_memory_order_release);
	vhost_app_told("destroy_device " UP);
	vhost_app_end();
}

static int
unregister(struct vhost_app *app)
{
	RTE_SET_USED(app);
	assert_int_equal(rte_vhost_driver_unregister(APP_PATH), -1);
	return 0;
}

static void
test_unregister_in_callback(void **state)
{
	RTE_SET_USED(state);
	start(0);
	vhost_app.new_device = unregister;
	unit_log_clear();
	up();
	assert_int_equal(unit_log_count("cannot be unregistered by a callback"), 1);
	vhost_app_end();
}

static void
test_info(void **state)
{
	struct rte_vhost_vring vring;
	uint64_t features = 1;
	char path[64];
	uint16_t mtu;

	RTE_SET_USED(state);
	start(0);
	assert_int_equal(rte_vhost_get_ifname(APP_VID, path, sizeof(path)), 0);
	assert_string_equal(path, APP_PATH);
	assert_int_equal(rte_vhost_get_ifname(APP_VID, path, 5), 0);
	assert_string_equal(path, "/dev");
	assert_int_equal(rte_vhost_get_vring_num(APP_VID), 2);
	assert_int_equal(rte_vhost_get_negotiated_features(APP_VID, &features), 0);
	assert_int_equal(features, 0);
	assert_int_equal(rte_vhost_get_mtu(APP_VID, &mtu), -ENOTSUP);
	assert_int_equal(rte_vhost_get_vhost_vring(APP_VID, 2, &vring), -1);
	assert_int_equal(rte_vhost_get_vhost_vring(APP_VID, 1, &vring), 0);
	assert_null(vring.desc);
	assert_int_equal(rte_vhost_enable_guest_notification(APP_VID, 1, 1), -1);
	up();
	assert_int_equal(rte_vhost_get_negotiated_features(APP_VID, &features), 0);
	assert_int_equal(features, NET_MERGEABLE);
	assert_int_equal(rte_vhost_get_vhost_vring(APP_VID, 1, &vring), 0);
	assert_int_equal(vring.size, 64);
	assert_int_equal(vring.callfd, -2);
	assert_true(vring.kickfd >= 0);
	assert_int_equal(rte_vhost_enable_guest_notification(APP_VID, 1, 1), 0);
	assert_int_equal(vring.used->flags, 0);
	assert_int_equal(rte_vhost_enable_guest_notification(APP_VID, 1, 0), 0);
	assert_int_equal(vring.used->flags, VRING_USED_F_NO_NOTIFY);
	assert_int_equal(rte_vhost_enable_guest_notification(APP_VID, 2, 0), -1);
	vhost_app_end();
}

static void
test_packets(void **state)
{
	struct loopback_net *driver = &vhost_app.driver;
	struct rte_mbuf *mbufs[4];
	unsigned int free_before;
	uint16_t i;

	RTE_SET_USED(state);
	start(0);
	up();
	for (i = 0; i < 3; i++)
		loopback_net_send(driver, i, 100u + i);
	assert_int_equal(rte_vhost_rx_queue_count(APP_VID, 1), 3);
	assert_int_equal(rte_vhost_avail_entries(APP_VID, 1), 3);
	/* The wrong direction, and no queue at all. */
	assert_int_equal(rte_vhost_dequeue_burst(APP_VID, 0, pool, mbufs, 4), 0);
	assert_int_equal(rte_vhost_dequeue_burst(APP_VID, 3, pool, mbufs, 4), 0);
	assert_int_equal(rte_vhost_rx_queue_count(APP_VID, 0), 0);
	assert_int_equal(rte_vhost_dequeue_burst(APP_VID, 1, pool, mbufs, 4), 3);
	for (i = 0; i < 3; i++)
		packet_check(mbufs[i], i, 100u + i);

	for (i = 0; i < 2; i++)
		loopback_net_post(driver, NET_RX, loopback_net_chain_len(driver, NET_RX, 2000));
	assert_int_equal(rte_vhost_avail_entries(APP_VID, 0), 2);
	free_before = rte_mempool_avail_count(pool);
	assert_int_equal(rte_vhost_enqueue_burst(APP_VID, 1, mbufs, 3), 0);
	assert_int_equal(rte_vhost_enqueue_burst(APP_VID, 0, mbufs, 3), 2);
	/* What was sent is still the caller's. */
	assert_int_equal(rte_mempool_avail_count(pool), free_before);
	loopback_net_receive(driver, 0, 100);
	loopback_net_receive(driver, 1, 101);
	rte_pktmbuf_free_bulk(mbufs, 3);
	vhost_app_end();
}

static bool
take_over(struct vhost_app *app, uint16_t queue_id)
{
	RTE_SET_USED(app);
	assert_int_equal(queue_id, 1);
	return true;
}

/* Interrupts are counted, or left to the application. */
static void
test_guest_notify(void **state)
{
	struct vduse_loopback *loop;
	struct rte_mbuf *mbuf;
	uint64_t calls;

	RTE_SET_USED(state);
	start(0);
	up();
	loop = vhost_app.driver.loop;
	calls = vduse_loopback_calls(loop, NET_TX);
	loopback_net_send(&vhost_app.driver, 0, 100);
	assert_int_equal(rte_vhost_dequeue_burst(APP_VID, 1, pool, &mbuf, 1), 1);
	rte_pktmbuf_free(mbuf);
	assert_int_equal(vduse_loopback_calls(loop, NET_TX), calls + 1);
	assert_int_equal(vhost_app.guest_notified, 1);

	vhost_app.guest_notify = take_over;
	loopback_net_send(&vhost_app.driver, 0, 100);
	assert_int_equal(rte_vhost_dequeue_burst(APP_VID, 1, pool, &mbuf, 1), 1);
	rte_pktmbuf_free(mbuf);
	assert_int_equal(vduse_loopback_calls(loop, NET_TX), calls + 1);
	assert_int_equal(vhost_app.guest_notified, 1);
	rte_vhost_notify_guest(APP_VID, 1);
	assert_int_equal(vduse_loopback_calls(loop, NET_TX), calls + 2);
	vhost_app_end();
}

static void
test_stats(void **state)
{
	struct rte_vhost_stat_name names[32];
	struct rte_vhost_stat stats[32];
	struct rte_mbuf *mbuf;
	int n;

	RTE_SET_USED(state);
	start(0);
	assert_int_equal(rte_vhost_vring_stats_get_names(APP_VID, 1, NULL, 0), -1);
	vhost_app_end();
	vhost_app_told("destroy_connection");

	start(RTE_VHOST_USER_NET_STATS_ENABLE);
	up();
	loopback_net_send(&vhost_app.driver, 0, 64);
	assert_int_equal(rte_vhost_dequeue_burst(APP_VID, 1, pool, &mbuf, 1), 1);
	rte_pktmbuf_free(mbuf);
	n = rte_vhost_vring_stats_get_names(APP_VID, 1, NULL, 0);
	assert_in_range(n, 12, 32);
	assert_int_equal(rte_vhost_vring_stats_get_names(APP_VID, 1, names, 32), n);
	assert_string_equal(names[0].name, "rx_q0_good_packets");
	assert_int_equal(rte_vhost_vring_stats_get(APP_VID, 1, stats, (unsigned int)n - 1), n);
	assert_int_equal(rte_vhost_vring_stats_get(APP_VID, 1, stats, 32), n);
	assert_int_equal(stats[0].value, 1);
	assert_int_equal(stats[1].value, 64);
	assert_string_equal(names[5].name, "rx_q0_size_64_packets");
	assert_int_equal(stats[5].value, 1);
	assert_int_equal(rte_vhost_vring_stats_reset(APP_VID, 1), 0);
	assert_int_equal(rte_vhost_vring_stats_get(APP_VID, 1, stats, 32), n);
	assert_int_equal(stats[0].value, 0);
	assert_int_equal(rte_vhost_vring_stats_get(APP_VID, 2, stats, 32), -1);
	vhost_app_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_life),
		cmocka_unit_test(test_nothing_left),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_block),
		cmocka_unit_test(test_unregister_in_callback),
		cmocka_unit_test(test_info),
		cmocka_unit_test(test_packets),
		cmocka_unit_test(test_guest_notify),
		cmocka_unit_test(test_stats),
	};

	if (unit_init() < 0)
		return 1;
	pool = packet_pool("vhost", 64, 2048);
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
