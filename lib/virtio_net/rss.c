/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Commands that configure hashes of packets to the driver (section 5.1.6.5.6).
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

	if (!vnet_ctrl_read(data, &len, sizeof(len)) || len > sizeof(key) ||
	    !vnet_ctrl_take(data, key, len))
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
	/* Linux has the number of its queues in the reserved fields: they are not checked. */
	if (!rss_read_types(data, &rss) || !vnet_ctrl_read(data, reserved, sizeof(reserved)) ||
	    !rss_read_key(data, &rss))
		return false;
	net->ctrl->rss = rss;
	net->ctrl->changed = true;
	return true;
}
