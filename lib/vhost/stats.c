/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Counters of virtqueues, with the names that librte_vhost gives them. Ids of other devices go on
 * to librte_vhost.
 * Thread: the application's.
 */
#include <errno.h>
#include <stdio.h>

#include <vhost/vhost.h>

struct stats_name {
	const char *name;
	size_t offset;
};

#define STATS_FIELD(field) offsetof(struct rte_vduse_net_stats, field)

static const struct stats_name stats_names[] = {
	{ "good_packets", STATS_FIELD(packets) },
	{ "good_bytes", STATS_FIELD(bytes) },
	{ "multicast_packets", STATS_FIELD(multicast) },
	{ "broadcast_packets", STATS_FIELD(broadcast) },
	{ "undersize_packets", STATS_FIELD(size_bins[0]) },
	{ "size_64_packets", STATS_FIELD(size_bins[1]) },
	{ "size_65_127_packets", STATS_FIELD(size_bins[2]) },
	{ "size_128_255_packets", STATS_FIELD(size_bins[3]) },
	{ "size_256_511_packets", STATS_FIELD(size_bins[4]) },
	{ "size_512_1023_packets", STATS_FIELD(size_bins[5]) },
	{ "size_1024_1518_packets", STATS_FIELD(size_bins[6]) },
	{ "size_1519_max_packets", STATS_FIELD(size_bins[7]) },
	{ "guest_notifications", STATS_FIELD(calls) },
	{ "guest_notifications_suppressed", STATS_FIELD(calls_suppressed) },
	{ "dropped_packets", STATS_FIELD(drops) },
	{ "oversize_dropped", STATS_FIELD(oversize) },
	{ "nombuf", STATS_FIELD(nombuf) },
	{ "bad_descriptors", STATS_FIELD(bad_descriptors) },
	{ "csum_passed", STATS_FIELD(csum_passed) },
	{ "csum_software", STATS_FIELD(csum_software) },
	{ "gso_passed", STATS_FIELD(gso_passed) },
	{ "gso_software", STATS_FIELD(gso_software) },
	{ "bad_offloads", STATS_FIELD(bad_offloads) },
};

/* As in librte_vhost, an application enables counters when it registers the path. */
static bool
stats_ok(const struct vhost_dev *dev, uint16_t queue_id)
{
	return dev->net != NULL && queue_id < dev->conf.nb_vqs &&
	       (dev->flags & RTE_VHOST_USER_NET_STATS_ENABLE) != 0;
}

int
rte_vhost_vring_stats_get_names(int vid, uint16_t queue_id, struct rte_vhost_stat_name *name,
				unsigned int size)
{
	struct vhost_dev *dev = vhost_dev_get(vid);
	unsigned int i;

	if (dev == NULL)
		return VHOST_REAL(vring_stats_get_names, -ENOTSUP, vid, queue_id, name, size);
	if (!stats_ok(dev, queue_id))
		return -1;
	if (name == NULL || size < RTE_DIM(stats_names))
		return RTE_DIM(stats_names);
	for (i = 0; i < RTE_DIM(stats_names); i++)
		snprintf(name[i].name, sizeof(name[i].name), "%s_q%u_%s",
			 queue_id & 1 ? "rx" : "tx", queue_id / 2, stats_names[i].name);
	return RTE_DIM(stats_names);
}

int
rte_vhost_vring_stats_get(int vid, uint16_t queue_id, struct rte_vhost_stat *stats, unsigned int n)
{
	struct vhost_dev *dev = vhost_dev_get(vid);
	struct rte_vduse_net_stats from;
	unsigned int i;

	if (dev == NULL)
		return VHOST_REAL(vring_stats_get, -ENOTSUP, vid, queue_id, stats, n);
	if (!stats_ok(dev, queue_id))
		return -1;
	if (stats == NULL || n < RTE_DIM(stats_names))
		return RTE_DIM(stats_names);
	rte_vduse_net_stats(dev->net, queue_id / 2, queue_id & 1, &from, sizeof(from));
	for (i = 0; i < RTE_DIM(stats_names); i++) {
		stats[i].id = i;
		stats[i].value = *(const uint64_t *)RTE_PTR_ADD(&from, stats_names[i].offset);
	}
	return RTE_DIM(stats_names);
}

int
rte_vhost_vring_stats_reset(int vid, uint16_t queue_id)
{
	struct vhost_dev *dev = vhost_dev_get(vid);

	if (dev == NULL)
		return VHOST_REAL(vring_stats_reset, -ENOTSUP, vid, queue_id);
	if (!stats_ok(dev, queue_id))
		return -1;
	rte_vduse_net_stats_reset(dev->net, queue_id / 2, queue_id & 1);
	return 0;
}
