/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Answers commands for device statistics, see device_stats.h. Only types all of whose counters the
 * device has are offered: not those of checksums and segmentation, of which it counts a part, nor
 * those of speed limits, which it does not have.
 * Input: commands of the driver. Output: counters, as rte_vduse_net_stats() has them, in their format.
 * Thread: control.
 */
#include <assert.h>

#include <rte_byteorder.h>

#include <virtio_net/ctrl.h>
#include <virtio_net/device_stats.h>
#include <virtio_net/net.h>

#define STATS_VALUES_MAX 6

/* What is asked of a virtqueue, little-endian. */
struct stats_request {
	uint16_t vq_index;
	uint16_t reserved[3];
	uint64_t types;
};

/* struct virtio_net_stats_reply_hdr with the counters after it, little-endian. */
struct stats_reply {
	uint8_t type;
	uint8_t reserved;
	uint16_t vq_index;
	uint16_t reserved1;
	uint16_t size;
	uint64_t values[STATS_VALUES_MAX];
};

static_assert(sizeof(struct stats_request) == 16, "as the driver sends it");
static_assert(offsetof(struct stats_reply, values) == 8, "as the driver reads it");

/* The type of a virtqueue; 0: there is no such virtqueue. */
static uint64_t
stats_type(const struct rte_vduse_net *net, uint16_t index)
{
	uint64_t features = net->ctrl->features;
	bool several = (features & VNET_CTRL_SEVERAL) != 0;

	if (vnet_ctrl_is(net, index, features))
		return VNET_STATS_TYPE(CVQ);
	if (index >= 2 * (several ? net->pairs : 1))
		return 0;
	return index % 2 == 0 ? VNET_STATS_TYPE(RX_BASIC) : VNET_STATS_TYPE(TX_BASIC);
}

/* Fills in the counters. Returns how many there are. */
static uint32_t
stats_values(const struct rte_vduse_net *net, uint16_t index, uint64_t type, uint64_t *values)
{
	struct rte_vduse_net_stats stats;

	if (type == VNET_STATS_TYPE(CVQ)) {
		values[0] = net->ctrl->commands;
		/* This one is answered with OK, too. */
		values[1] = net->ctrl->commands_ok + 1;
		return 2;
	}
	rte_vduse_net_stats(net, index / 2, index % 2 != 0, &stats, sizeof(stats));
	/* A poller disables the driver's notifications. Others arrive where they are not counted. */
	values[0] = 0;
	values[1] = stats.packets;
	values[2] = stats.bytes;
	values[3] = stats.calls;
	values[4] = stats.drops;
	/*
	 * To the driver, packets that find no buffer stay with the application. From the driver, all
	 * but those that are too long are malformed.
	 */
	values[5] = index % 2 == 0 ? 0 : stats.drops - RTE_MIN(stats.drops, stats.oversize);
	return 6;
}

/* Writes a reply, or the part of it for which there is room: the driver is to make more. */
static void
stats_put(const struct rte_vduse_net *net, uint16_t index, uint64_t type,
	  struct vnet_ctrl_data *data)
{
	struct stats_reply reply = { 0 };
	uint64_t values[STATS_VALUES_MAX];
	uint32_t nb = stats_values(net, index, type, values), i;
	uint32_t size = (uint32_t)(offsetof(struct stats_reply, values) + nb * sizeof(values[0]));

	reply.type = (uint8_t)__builtin_ctzll(type);
	reply.vq_index = rte_cpu_to_le_16(index);
	reply.size = rte_cpu_to_le_16((uint16_t)size);
	for (i = 0; i < nb; i++)
		reply.values[i] = rte_cpu_to_le_64(values[i]);
	(void)vnet_ctrl_put(data, &reply, size);
}

bool
vnet_ctrl_stats_query(struct rte_vduse_net *net, uint8_t command, struct vnet_ctrl_data *data)
{
	const uint64_t types = RTE_LE64(VNET_STATS_TYPES);

	RTE_SET_USED(net);
	RTE_SET_USED(command);
	return data->left == 0 && data->room >= sizeof(types) &&
	       vnet_ctrl_put(data, &types, sizeof(types));
}

bool
vnet_ctrl_stats_get(struct rte_vduse_net *net, uint8_t command, struct vnet_ctrl_data *data)
{
	struct {
		uint16_t index;
		uint64_t type; /* 0: none */
	} asked[2 * RTE_VDUSE_NET_PAIRS_MAX + 1];
	struct stats_request request;
	uint32_t nb = data->left / sizeof(request), i;

	RTE_SET_USED(command);
	/* The limit bounds the work: a driver has no more virtqueues. */
	if (nb == 0 || nb > net->nb_queues || data->left % sizeof(request) != 0)
		return false;
	/* All are checked before anything is written: one that is wrong fails the whole command. */
	for (i = 0; i < nb; i++) {
		uint64_t type;

		(void)vnet_ctrl_read(data, &request, sizeof(request));
		asked[i].index = rte_le_to_cpu_16(request.vq_index);
		asked[i].type = rte_le_to_cpu_64(request.types);
		type = stats_type(net, asked[i].index);
		if (type == 0 || (asked[i].type & ~type) != 0)
			return false;
	}
	for (i = 0; i < nb; i++)
		if (asked[i].type != 0)
			stats_put(net, asked[i].index, asked[i].type, data);
	return true;
}
