/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Statistics of a port. The id of an extended statistic is its index: first those of the device,
 * then those of each Rx queue, then those of each Tx queue. All queue pairs of the device are
 * included, so that ids do not depend on what the application configures.
 * Input: the counters of lib/virtio_net and lib/vduse; in a secondary process, those that the primary
 * process sends. Output: ethdev's structures. Thread: any.
 */
#include <errno.h>
#include <stdio.h>

#include <rte_common.h>
#include <rte_eal.h>
#include <rte_vduse.h>
#include <rte_vduse_compat.h>

#include "mp.h"
#include "port.h"
#include "xstats.h"

struct xstats_name {
	const char *name;
	size_t offset; /* of a uint64_t in one of the structures of xstats.h */
};

static const struct xstats_name xstats_device_names[] = {
	{ "device_messages", offsetof(struct xstats_device, dev.messages) },
	{ "device_resets", offsetof(struct xstats_device, dev.resets) },
	{ "device_iotlb_updates", offsetof(struct xstats_device, dev.iotlb_updates) },
	{ "device_regions", offsetof(struct xstats_device, dev.regions) },
	{ "device_broken", offsetof(struct xstats_device, broken) },
};

static const struct xstats_name xstats_queue_names[] = {
	{ "good_packets", offsetof(struct xstats_queue, net.packets) },
	{ "good_bytes", offsetof(struct xstats_queue, net.bytes) },
	{ "dropped_packets", offsetof(struct xstats_queue, net.drops) },
	{ "oversize_dropped", offsetof(struct xstats_queue, net.oversize) },
	{ "mbuf_alloc_failed", offsetof(struct xstats_queue, net.nombuf) },
	{ "multicast_packets", offsetof(struct xstats_queue, net.multicast) },
	{ "broadcast_packets", offsetof(struct xstats_queue, net.broadcast) },
	{ "undersize_packets", offsetof(struct xstats_queue, net.size_bins[0]) },
	{ "size_64_packets", offsetof(struct xstats_queue, net.size_bins[1]) },
	{ "size_65_127_packets", offsetof(struct xstats_queue, net.size_bins[2]) },
	{ "size_128_255_packets", offsetof(struct xstats_queue, net.size_bins[3]) },
	{ "size_256_511_packets", offsetof(struct xstats_queue, net.size_bins[4]) },
	{ "size_512_1023_packets", offsetof(struct xstats_queue, net.size_bins[5]) },
	{ "size_1024_1518_packets", offsetof(struct xstats_queue, net.size_bins[6]) },
	{ "size_1519_max_packets", offsetof(struct xstats_queue, net.size_bins[7]) },
	{ "guest_notifications", offsetof(struct xstats_queue, net.calls) },
	{ "guest_notifications_suppressed", offsetof(struct xstats_queue, net.calls_suppressed) },
	{ "csum_passed", offsetof(struct xstats_queue, net.csum_passed) },
	{ "csum_software", offsetof(struct xstats_queue, net.csum_software) },
	{ "gso_passed", offsetof(struct xstats_queue, net.gso_passed) },
	{ "gso_software", offsetof(struct xstats_queue, net.gso_software) },
	{ "bad_offloads", offsetof(struct xstats_queue, net.bad_offloads) },
	{ "vlan_dropped", offsetof(struct xstats_queue, vlan_drops) },
	{ "filtered_packets", offsetof(struct xstats_queue, net.filtered) },
	{ "bad_descriptors", offsetof(struct xstats_queue, net.bad_descriptors) },
	{ "faults", offsetof(struct xstats_queue, faults) },
	{ "iotlb_misses", offsetof(struct xstats_queue, iotlb_misses) },
	{ "need_reset", offsetof(struct xstats_queue, need_reset) },
	{ "running", offsetof(struct xstats_queue, running) },
};

#define XSTATS_DEVICE RTE_DIM(xstats_device_names)
#define XSTATS_QUEUE  RTE_DIM(xstats_queue_names)

static unsigned int
xstats_count(const struct vduse_port *port)
{
	return XSTATS_DEVICE + 2 * port->args.dev.queues * XSTATS_QUEUE;
}

void
vduse_xstats_device_read(const struct vduse_port *port, struct xstats_device *out)
{
	rte_vduse_dev_stats(rte_vduse_net_dev(port->net), &out->dev, sizeof(out->dev));
	out->broken = out->dev.broken;
}

void
vduse_xstats_queue_read(const struct vduse_port *port, unsigned int queue, struct xstats_queue *out)
{
	bool rx = queue < port->args.dev.queues;
	uint16_t pair = rx ? queue : queue - port->args.dev.queues;
	struct rte_vduse_vq_stats vq;

	rte_vduse_net_stats(port->net, pair, rx, &out->net, sizeof(out->net));
	out->vlan_drops = 0;
	if (!rx)
		out->vlan_drops =
			rte_atomic_load_explicit(&port->vlan_drops[pair], rte_memory_order_relaxed);
	out->net.drops += out->vlan_drops;
	rte_vduse_vq_stats(rte_vduse_dev_vq(rte_vduse_net_dev(port->net), 2 * pair + rx), &vq,
			   sizeof(vq));
	out->faults = vq.faults;
	out->iotlb_misses = vq.misses;
	out->need_reset = vq.state == RTE_VDUSE_VQ_ERROR;
	/* One that waits for an address goes on soon. */
	out->running = vq.state == RTE_VDUSE_VQ_RUNNING || vq.state == RTE_VDUSE_VQ_WAITING;
}

/* Reads the statistics of the device, wherever they are. 0, or a negative errno. */
static int
xstats_device(const struct rte_eth_dev *dev, struct xstats_device *out)
{
	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		return vduse_mp_read(dev, VDUSE_MP_DEVICE, 0, out, sizeof(*out));
	vduse_xstats_device_read(dev->process_private, out);
	return 0;
}

/* The same of a queue. */
static int
xstats_queue(const struct rte_eth_dev *dev, unsigned int queue, struct xstats_queue *out)
{
	if (rte_eal_process_type() != RTE_PROC_PRIMARY)
		return vduse_mp_read(dev, VDUSE_MP_QUEUE, queue, out, sizeof(*out));
	vduse_xstats_queue_read(dev->process_private, queue, out);
	return 0;
}

static uint64_t
xstats_value(const void *counters, const struct xstats_name *name)
{
	return *(const uint64_t *)((const char *)counters + name->offset);
}

int
vduse_xstats_get(struct rte_eth_dev *dev, struct rte_eth_xstat *xstats, unsigned int nb)
{
	const struct vduse_port *port = dev->process_private;
	unsigned int count = xstats_count(port);
	struct xstats_device device;
	struct xstats_queue queue;
	unsigned int i, id;
	int ret;

	if (xstats == NULL || nb < count)
		return count;
	ret = xstats_device(dev, &device);
	if (ret < 0)
		return ret;
	for (id = 0; id < XSTATS_DEVICE; id++)
		xstats[id].value = xstats_value(&device, &xstats_device_names[id]);
	for (i = 0; i < 2u * port->args.dev.queues; i++) {
		ret = xstats_queue(dev, i, &queue);
		if (ret < 0)
			return ret;
		for (; id < XSTATS_DEVICE + (i + 1) * XSTATS_QUEUE; id++)
			xstats[id].value = xstats_value(
				&queue, &xstats_queue_names[(id - XSTATS_DEVICE) % XSTATS_QUEUE]);
	}
	for (id = 0; id < count; id++)
		xstats[id].id = id;
	return count;
}

int
vduse_xstats_get_by_id(struct rte_eth_dev *dev, const uint64_t *ids, uint64_t *values,
		       unsigned int nb)
{
	const struct vduse_port *port = dev->process_private;
	struct xstats_device device;
	struct xstats_queue queue;
	unsigned int i, read = UINT32_MAX;
	int ret;

	if (ids == NULL || values == NULL)
		return xstats_count(port);
	ret = xstats_device(dev, &device);
	if (ret < 0)
		return ret;
	for (i = 0; i < nb; i++) {
		uint64_t id = ids[i];

		if (id >= xstats_count(port))
			return -EINVAL;
		if (id < XSTATS_DEVICE) {
			values[i] = xstats_value(&device, &xstats_device_names[id]);
			continue;
		}
		id -= XSTATS_DEVICE;
		if (read != id / XSTATS_QUEUE) {
			read = id / XSTATS_QUEUE;
			ret = xstats_queue(dev, read, &queue);
			if (ret < 0)
				return ret;
		}
		values[i] = xstats_value(&queue, &xstats_queue_names[id % XSTATS_QUEUE]);
	}
	return nb;
}

int
vduse_xstats_get_names(struct rte_eth_dev *dev, struct rte_eth_xstat_name *names, unsigned int nb)
{
	const struct vduse_port *port = dev->process_private;
	unsigned int count = xstats_count(port);
	unsigned int i, j, id;

	if (names == NULL || nb < count)
		return count;
	for (id = 0; id < XSTATS_DEVICE; id++)
		snprintf(names[id].name, sizeof(names[id].name), "%s",
			 xstats_device_names[id].name);
	for (i = 0; i < 2u * port->args.dev.queues; i++) {
		for (j = 0; j < XSTATS_QUEUE; j++, id++)
			snprintf(names[id].name, sizeof(names[id].name), "%s_q%u_%s",
				 i < port->args.dev.queues ? "rx" : "tx", i % port->args.dev.queues,
				 xstats_queue_names[j].name);
	}
	return count;
}

int
vduse_stats_get(struct rte_eth_dev *dev, struct rte_eth_stats *stats,
		struct eth_queue_stats *queues)
{
	const struct vduse_port *port = dev->process_private;
	struct xstats_queue rx, tx;
	uint16_t i;
	int ret;

	stats->rx_nombuf = 0;
	for (i = 0; i < port->args.dev.queues; i++) {
		ret = xstats_queue(dev, i, &rx);
		if (ret == 0)
			ret = xstats_queue(dev, port->args.dev.queues + i, &tx);
		if (ret < 0)
			return ret;
		stats->ipackets += rx.net.packets;
		stats->ibytes += rx.net.bytes;
		stats->ierrors += rx.net.drops + rx.net.bad_descriptors;
		stats->rx_nombuf += rx.net.nombuf;
		stats->opackets += tx.net.packets;
		stats->obytes += tx.net.bytes;
		stats->oerrors += tx.net.drops + tx.net.bad_descriptors;
		if (queues == NULL || i >= RTE_ETHDEV_QUEUE_STAT_CNTRS)
			continue;
		queues->q_ipackets[i] = rx.net.packets;
		queues->q_ibytes[i] = rx.net.bytes;
		queues->q_errors[i] = rx.net.drops + rx.net.bad_descriptors;
		queues->q_opackets[i] = tx.net.packets;
		queues->q_obytes[i] = tx.net.bytes;
	}
	return 0;
}

int
vduse_stats_reset(struct rte_eth_dev *dev)
{
	struct vduse_port *port = dev->data->dev_private;
	uint16_t i;

	for (i = 0; i < port->args.dev.queues; i++) {
		rte_atomic_store_explicit(&port->vlan_drops[i], 0, rte_memory_order_relaxed);
		rte_vduse_net_stats_reset(port->net, i, true);
		rte_vduse_net_stats_reset(port->net, i, false);
	}
	return 0;
}
