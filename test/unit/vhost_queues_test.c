/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * What an application is told of queues: their number, which are ready, and their counters.
 */
#include "vhost_app.h"

#include <stdio.h>
#include <string.h>

#include <linux/virtio_ids.h>

#include <vhost/newer.h>
#include <vhost/vhost.h>

static struct rte_mempool *pool;

static uint32_t
pairs(void)
{
	uint32_t nb = UINT32_MAX;

	assert_int_equal(rte_vhost_driver_get_queue_num(APP_PATH, &nb), 0);
	return nb;
}

/* What the kernel would say. */
static bool ctrl_queue_allowed;

bool
__wrap_rte_vduse_net_may_ctrl_queue(const char *path);

bool
__wrap_rte_vduse_net_may_ctrl_queue(const char *path)
{
	assert_string_equal(path, APP_PATH);
	return ctrl_queue_allowed;
}

static uint64_t
features(void)
{
	uint64_t offered = 0;

	assert_int_equal(rte_vhost_driver_get_features(APP_PATH, &offered), 0);
	return offered;
}

/* Without a control queue a driver has no use for more than one pair: the device has one. */
static void
test_pairs(void **state)
{
	RTE_SET_USED(state);
	vhost_app_register(64, NET_MERGEABLE, 0);
	assert_int_equal(pairs(), 1);
	unit_log_clear();
	assert_int_equal(rte_vhost_driver_set_max_queue_num(APP_PATH, RTE_VDUSE_NET_PAIRS_MAX + 1),
			 -1);
	assert_int_equal(unit_log_count("129 queue pairs: use 1 to 128"), 1);
	assert_int_equal(pairs(), 1);
	assert_int_equal(rte_vhost_driver_set_max_queue_num(APP_PATH, RTE_VDUSE_NET_PAIRS_MAX), 0);
	assert_int_equal(pairs(), RTE_VDUSE_NET_PAIRS_MAX);
	assert_int_equal(rte_vhost_driver_set_max_queue_num(APP_PATH, 4), 0);
	vhost_app_start();
	vhost_app_told("new_connection");
	assert_int_equal(unit_log_count("uses one queue pair, not 4"), 1);
	assert_int_equal(pairs(), 1);
	assert_int_equal(rte_vhost_get_vring_num(APP_VID), 2);
	loopback_net_up(&vhost_app.driver);
	vhost_app_told("new_device vring0+ vring1+");
	assert_int_equal(rte_vhost_avail_entries(APP_VID, 2), 0);
	vhost_app_end();
	vhost_app_told("destroy_device destroy_connection");
}

/* Several pairs have a control queue, of which the application is told nothing. */
static void
test_ctrl_queue(void **state)
{
	uint64_t needs = VHOST_BIT(VIRTIO_NET_F_CTRL_VQ) | VHOST_BIT(VIRTIO_NET_F_MQ);

	RTE_SET_USED(state);
	ctrl_queue_allowed = true;
	vhost_app_register(64, NET_MERGEABLE, 0);
	assert_int_equal(
		rte_vhost_driver_disable_features(APP_PATH, VHOST_BIT(VIRTIO_NET_F_CTRL_VLAN)), 0);
	assert_int_equal(features() & needs, 0);
	assert_int_equal(rte_vhost_driver_set_max_queue_num(APP_PATH, 4), 0);
	assert_int_equal(features() & needs, needs);
	vhost_app_start();
	vhost_app_told("new_connection");
	assert_int_equal(pairs(), 4);
	assert_int_equal(rte_vhost_get_vring_num(APP_VID), 8);
	assert_int_equal(features() & needs, needs);
	loopback_net_up(&vhost_app.driver);
	vhost_app_told("new_device vring0+ vring1+");
	assert_int_equal(rte_vhost_avail_entries(APP_VID, 8), 0);
	vhost_app_end();
	vhost_app_told("destroy_device destroy_connection");
	/* One pair has none. */
	vhost_app_register(64, NET_MERGEABLE, 0);
	assert_int_equal(rte_vhost_driver_set_max_queue_num(APP_PATH, 4), 0);
	assert_int_equal(rte_vhost_driver_set_max_queue_num(APP_PATH, 1), 0);
	assert_int_equal(features() & needs, 0);
	vhost_app_start();
	/* Who ends before the events thread has said that it is there is told neither. */
	vhost_app_told("new_connection");
	assert_int_equal(rte_vhost_get_vring_num(APP_VID), 2);
	vhost_app_end();
	vhost_app_told("destroy_connection");
	ctrl_queue_allowed = false;
}

/* A device that is not a network device has queues, not pairs: their number may be odd. */
static void
test_odd(void **state)
{
	struct rte_vduse_vhost_conf conf = { .device_id = VIRTIO_ID_BLOCK, .nb_vqs = 1 };

	RTE_SET_USED(state);
	vhost_app_register(64, NET_PLAIN, 0);
	assert_int_equal(rte_vduse_vhost_configure(APP_PATH, &conf), 0);
	assert_int_equal(pairs(), 1);
	conf.nb_vqs = 5;
	assert_int_equal(rte_vduse_vhost_configure(APP_PATH, &conf), 0);
	assert_int_equal(pairs(), 3);
	vhost_app_end();
}

/* An application that serves the rings gets as many as it asked for. */
static void
test_raw(void **state)
{
	RTE_SET_USED(state);
	vhost_app_register(64, NET_PLAIN, 0);
	assert_int_equal(rte_vhost_driver_set_features(APP_PATH, NET_PLAIN), 0);
	assert_int_equal(rte_vhost_driver_set_max_queue_num(APP_PATH, 4), 0);
	vhost_app_start();
	assert_int_equal(pairs(), 4);
	assert_int_equal(rte_vhost_get_vring_num(APP_VID), 8);
	vhost_app_end();
}

static void
set_status(uint8_t status)
{
	struct vduse_dev_request req = { .type = VDUSE_SET_STATUS, .s.status = status };
	struct vduse_dev_response resp;

	assert_int_equal(vduse_loopback_ask(vhost_app.driver.loop, &req, &resp, UNIT_PATIENCE_MS),
			 0);
	assert_int_equal(resp.result, VDUSE_REQ_RESULT_OK);
}

static void
set_ready(unsigned int queue, bool ready)
{
	const struct driver *driver = &vhost_app.driver.queues[queue];
	uintptr_t base = (uintptr_t)driver->desc;
	struct vduse_vq_info info = {
		.index = queue,
		.num = driver->size,
		.desc_addr = driver->rings,
		.driver_addr = driver->rings + ((uintptr_t)driver->avail - base),
		.device_addr = driver->rings + ((uintptr_t)driver->used - base),
		.ready = ready,
	};

	vduse_loopback_set_vq(vhost_app.driver.loop, (uint16_t)queue, &info);
}

/* virtio_user enables queues after DRIVER_OK: the application is told of each when it is ready. */
static void
test_late(void **state)
{
	struct rte_mbuf *mbuf;

	RTE_SET_USED(state);
	vhost_app_register(64, NET_MERGEABLE, 0);
	vhost_app_start();
	vhost_app_told("new_connection");
	/* Rings and memory, which stay where they are. */
	loopback_net_up(&vhost_app.driver);
	vhost_app_told("new_device vring0+ vring1+");
	loopback_net_reset(&vhost_app.driver);
	vhost_app_told("destroy_device");

	set_ready(NET_TX, false);
	vduse_loopback_set_features(vhost_app.driver.loop, vhost_app.driver.features);
	set_status(NET_STATUS_UP & ~VIRTIO_CONFIG_S_DRIVER_OK);
	set_status(NET_STATUS_UP);
	vhost_app_told("new_device vring0+");
	assert_int_equal(rte_vhost_dequeue_burst(APP_VID, 1, pool, &mbuf, 1), 0);
	set_ready(NET_TX, true);
	vhost_app_told("vring1+");
	loopback_net_send(&vhost_app.driver, 3, 100);
	assert_int_equal(rte_vhost_dequeue_burst(APP_VID, 1, pool, &mbuf, 1), 1);
	packet_check(mbuf, 3, 100);
	rte_pktmbuf_free(mbuf);
	loopback_net_reset(&vhost_app.driver);
	vhost_app_told("destroy_device");
	vhost_app_end();
}

static uint64_t
value(uint16_t queue, const char *name)
{
	struct rte_vhost_stat_name names[64];
	struct rte_vhost_stat stats[64];
	uint64_t found = UINT64_MAX;
	int i, nb, times = 0;

	nb = rte_vhost_vring_stats_get_names(APP_VID, queue, names, RTE_DIM(names));
	assert_in_range(nb, 1, RTE_DIM(names));
	assert_int_equal(rte_vhost_vring_stats_get(APP_VID, queue, stats, RTE_DIM(stats)), nb);
	for (i = 0; i < nb; i++) {
		assert_int_equal(stats[i].id, i);
		if (strcmp(names[i].name, name) == 0) {
			found = stats[i].value;
			times++;
		}
	}
	assert_int_equal(times, 1);
	return found;
}

/* Each name of DPDK 22.11 that OVS and others look for, with what it counts. */
static void
test_counters(void **state)
{
	static const uint32_t lens[] = { 40, 64, 100, 200, 300, 600, 1200, 1800 };
	static const char *const bins[] = {
		"undersize_packets",      "size_64_packets",       "size_65_127_packets",
		"size_128_255_packets",   "size_256_511_packets",  "size_512_1023_packets",
		"size_1024_1518_packets", "size_1519_max_packets",
	};
	struct rte_mbuf *mbufs[RTE_DIM(lens)];
	char name[64];
	unsigned int i;

	RTE_SET_USED(state);
	vhost_app_register(64, NET_MERGEABLE, RTE_VHOST_USER_NET_STATS_ENABLE);
	vhost_app_start();
	vhost_app_told("new_connection");
	/* There are counters before there is a driver. */
	assert_int_equal(value(1, "rx_q0_good_packets"), 0);
	loopback_net_up(&vhost_app.driver);
	vhost_app_told("new_device vring0+ vring1+");
	for (i = 0; i < RTE_DIM(lens); i++) {
		loopback_net_send(&vhost_app.driver, 2 * i, lens[i]);
		loopback_net_post(&vhost_app.driver, NET_RX,
				  loopback_net_chain_len(&vhost_app.driver, NET_RX, 2000));
	}
	assert_int_equal(rte_vhost_dequeue_burst(APP_VID, 1, pool, mbufs, RTE_DIM(lens)),
			 RTE_DIM(lens));
	assert_int_equal(rte_vhost_enqueue_burst(APP_VID, 0, mbufs, RTE_DIM(lens)), RTE_DIM(lens));
	rte_pktmbuf_free_bulk(mbufs, RTE_DIM(lens));
	for (i = 0; i < RTE_DIM(lens); i++) {
		snprintf(name, sizeof(name), "rx_q0_%s", bins[i]);
		assert_int_equal(value(1, name), 1);
		snprintf(name, sizeof(name), "tx_q0_%s", bins[i]);
		assert_int_equal(value(0, name), 1);
	}
	assert_int_equal(value(1, "rx_q0_good_packets"), RTE_DIM(lens));
	assert_int_equal(value(1, "rx_q0_good_bytes"), 4304);
	assert_int_equal(value(0, "tx_q0_good_bytes"), 4304);
	assert_int_equal(value(0, "tx_q0_guest_notifications"), 1);
	assert_int_equal(value(0, "tx_q0_guest_notifications_suppressed"), 0);
	assert_int_equal(rte_vhost_vring_stats_reset(APP_VID, 0), 0);
	assert_int_equal(value(0, "tx_q0_good_packets"), 0);
	assert_int_equal(value(1, "rx_q0_good_packets"), RTE_DIM(lens));
	vhost_app_end();
	vhost_app_told("destroy_device destroy_connection");
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_pairs),      cmocka_unit_test(test_odd),
		cmocka_unit_test(test_raw),        cmocka_unit_test(test_late),
		cmocka_unit_test(test_ctrl_queue), cmocka_unit_test(test_counters),
	};

	if (unit_init() < 0)
		return 1;
	pool = packet_pool("vhost", 64, 2048);
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
