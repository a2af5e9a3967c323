/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See vhost_offload.h. */
#include "vhost_offload.h"

#include <string.h>

struct rte_mempool *offload_pool;

uint64_t
offload_offered(void)
{
	uint64_t features;

	assert_int_equal(rte_vhost_driver_get_features(APP_PATH, &features), 0);
	return features & (VNET_OFFLOADS | UFO);
}

void
offload_begin(uint64_t flags, uint64_t disabled, uint64_t accepted)
{
	offload_pool = packet_pool("offload", PACKETS, ROOM);
	vhost_app_register(RING, NET_MERGEABLE, flags | RTE_VHOST_USER_NET_STATS_ENABLE);
	assert_int_equal(rte_vhost_driver_disable_features(APP_PATH, disabled), 0);
	vhost_app.driver.features |= accepted & offload_offered();
	vhost_app_start();
	vhost_app_told("new_connection");
	loopback_net_up(&vhost_app.driver);
	vhost_app_told("new_device vring0+ vring1+");
}

void
offload_end(void)
{
	vhost_app_end();
	vhost_app_told("destroy_device destroy_connection");
	assert_int_equal(rte_mempool_avail_count(offload_pool), PACKETS);
	rte_mempool_free(offload_pool);
}

uint64_t
offload_counted(uint16_t queue, const char *name)
{
	struct rte_vhost_stat_name names[64];
	struct rte_vhost_stat stats[64];
	int i, nb;

	nb = rte_vhost_vring_stats_get_names(APP_VID, queue, names, RTE_DIM(names));
	assert_in_range(nb, 1, RTE_DIM(names));
	assert_int_equal(rte_vhost_vring_stats_get(APP_VID, queue, stats, RTE_DIM(stats)), nb);
	for (i = 0; i < nb; i++)
		if (strcmp(names[i].name, name) == 0)
			return stats[i].value;
	fail_msg("no counter %s", name);
	return 0;
}

struct rte_mbuf *
offload_dequeue(const struct virtio_net_hdr_v1 *hdr, const struct frame *sent)
{
	struct rte_mbuf *mbuf = NULL;

	frame_send(&vhost_app.driver, hdr, sent, 0);
	if (rte_vhost_dequeue_burst(APP_VID, 1, offload_pool, &mbuf, 1) == 0)
		mbuf = NULL;
	assert_int_equal(loopback_net_reap(&vhost_app.driver), 1);
	return mbuf;
}
