/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Commands that configure hashes of packets to the driver, and which hash goes to which pair (sections
 * 5.1.6.5.7 and 5.1.6.5.7.4).
 * Input: the data of a command, which the driver may change meanwhile. Output: struct vnet_rss.
 * Thread: control.
 */
#include <string.h>

#include <rte_byteorder.h>

#include <virtio_net/ctrl.h>
#include <virtio_net/net.h>

/* Reads the length and the bytes of a key, with which a command ends. */
static bool
rss_read_key(struct vnet_ctrl_data *data, struct vnet_rss *rss)
{
	uint8_t len, key[VNET_HASH_KEY_MAX] = { 0 };
	uint32_t i;

	/* Newer versions of Linux send the padding of its structure, one byte, after the key. */
	if (!vnet_ctrl_read(data, &len, sizeof(len)) || len > sizeof(key) ||
	    !vnet_ctrl_read(data, key, len) || data->left > 1)
		return false;
	/* Without a key all hashes would be 0. */
	if (len == 0 && rss->types != 0)
		return false;
	memcpy(rss->key, key, sizeof(key));
	for (i = 0; i < RTE_DIM(rss->key); i++)
		rss->key[i] = rte_be_to_cpu_32(rss->key[i]);
	return true;
}

static bool
rss_read_types(struct vnet_ctrl_data *data, struct vnet_rss *rss)
{
	uint32_t types;

	if (!vnet_ctrl_read(data, &types, sizeof(types)))
		return false;
	rss->types = rte_le_to_cpu_32(types);
	return (rss->types & ~(uint32_t)VNET_HASH_TYPES) == 0;
}

bool
vnet_ctrl_hash_config(struct rte_vduse_net *net, uint8_t command, struct vnet_ctrl_data *data)
{
	struct vnet_rss rss = { 0 };
	uint16_t reserved[4];

	RTE_SET_USED(command);
	/* With RSS, the types and the key come with the table. */
	if ((net->ctrl->features & VNET_CTRL_BIT(VIRTIO_NET_F_RSS)) != 0)
		return false;
	/* Linux has the number of its queues in the reserved fields: they are not checked. */
	if (!rss_read_types(data, &rss) || !vnet_ctrl_read(data, reserved, sizeof(reserved)) ||
	    !rss_read_key(data, &rss))
		return false;
	net->ctrl->rss = rss;
	net->ctrl->changed = true;
	return true;
}

/* A queue number: bit 15 is reserved. */
static bool
rss_read_queue(struct vnet_ctrl_data *data, uint16_t pairs, uint16_t *queue)
{
	if (!vnet_ctrl_read(data, queue, sizeof(*queue)))
		return false;
	*queue = rte_le_to_cpu_16(*queue);
	return *queue < pairs;
}

/* Reads the table, and what pairs its packets may go to. */
static bool
rss_read_table(struct vnet_ctrl_data *data, uint16_t pairs, struct vnet_rss *rss, uint16_t *last)
{
	uint16_t i;

	if (!vnet_ctrl_read(data, &rss->mask, sizeof(rss->mask)))
		return false;
	rss->mask = rte_le_to_cpu_16(rss->mask);
	if (rss->mask >= VNET_RSS_TABLE_MAX || !rte_is_power_of_2(rss->mask + 1u) ||
	    !rss_read_queue(data, pairs, &rss->unclassified))
		return false;
	*last = rss->unclassified;
	for (i = 0; i <= rss->mask; i++) {
		if (!rss_read_queue(data, pairs, &rss->table[i]))
			return false;
		*last = RTE_MAX(*last, rss->table[i]);
	}
	return true;
}

bool
vnet_ctrl_rss_config(struct rte_vduse_net *net, uint8_t command, struct vnet_ctrl_data *data)
{
	struct vnet_rss rss = { .on = true };
	uint16_t last, max_tx;

	RTE_SET_USED(command);
	if (!rss_read_types(data, &rss) || !rss_read_table(data, net->pairs, &rss, &last) ||
	    !vnet_ctrl_read(data, &max_tx, sizeof(max_tx)))
		return false;
	max_tx = rte_le_to_cpu_16(max_tx);
	if (max_tx == 0 || max_tx > net->pairs || !rss_read_key(data, &rss))
		return false;
	net->ctrl->rss = rss;
	/* The driver uses the pairs on which it sends and those on which it receives. */
	net->ctrl->pairs = RTE_MAX(max_tx, (uint16_t)(last + 1));
	net->ctrl->changed = true;
	return true;
}
