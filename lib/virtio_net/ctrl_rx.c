/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Commands that say which packets the driver wants (sections 5.1.6.5.1 to 5.1.6.5.3).
 * Input: the data of a command, which the driver may change meanwhile. Output: the filter.
 * Thread: control.
 */
#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include <rte_byteorder.h>

#include <virtio_net/ctrl.h>
#include <virtio_net/net.h>

bool
vnet_ctrl_rx_mode(struct rte_vduse_net *net, uint8_t command, struct vnet_ctrl_data *data)
{
	uint8_t on;

	if (!vnet_ctrl_take(data, &on, sizeof(on)) || on > 1)
		return false;
	net->ctrl->now.mode[command] = on != 0;
	net->ctrl->changed = true;
	return true;
}

static bool
ctrl_read_macs(struct vnet_ctrl_data *data, struct vnet_macs *list)
{
	uint8_t mac[RTE_ETHER_ADDR_LEN];
	uint32_t nb;

	list->nb = 0;
	list->all = false;
	if (!vnet_ctrl_read(data, &nb, sizeof(nb)))
		return false;
	nb = rte_le_to_cpu_32(nb);
	if (nb > VNET_MACS_MAX) {
		list->all = true;
		return vnet_ctrl_skip(data, (uint64_t)nb * sizeof(mac));
	}
	while (list->nb < nb) {
		if (!vnet_ctrl_read(data, mac, sizeof(mac)))
			return false;
		list->macs[list->nb++] = vnet_mac(mac);
	}
	return true;
}

bool
vnet_ctrl_mac_table(struct rte_vduse_net *net, uint8_t command, struct vnet_ctrl_data *data)
{
	struct vnet_macs lists[2];

	RTE_SET_USED(command);
	if (!ctrl_read_macs(data, &lists[0]) || !ctrl_read_macs(data, &lists[1]) || data->left > 0)
		return false;
	memcpy(net->ctrl->now.lists, lists, sizeof(lists));
	net->ctrl->changed = true;
	return true;
}

bool
vnet_ctrl_mac_addr(struct rte_vduse_net *net, uint8_t command, struct vnet_ctrl_data *data)
{
	struct rte_ether_addr mac;

	RTE_SET_USED(command);
	if (!vnet_ctrl_take(data, &mac, sizeof(mac)) || !rte_is_valid_assigned_ether_addr(&mac) ||
	    vnet_config_set_mac(net, &mac) < 0)
		return false;
	net->ctrl->now.mac = vnet_mac(&mac);
	net->ctrl->changed = true;
	return true;
}

bool
vnet_ctrl_vlan(struct rte_vduse_net *net, uint8_t command, struct vnet_ctrl_data *data)
{
	uint64_t *word, bit;
	uint16_t id;

	if (!vnet_ctrl_take(data, &id, sizeof(id)))
		return false;
	id = rte_le_to_cpu_16(id);
	if (id >= VNET_VLANS)
		return false;
	word = &net->ctrl->now.vlans[id / VNET_VLAN_WORD];
	bit = UINT64_C(1) << id % VNET_VLAN_WORD;
	*word = command == VIRTIO_NET_CTRL_VLAN_ADD ? *word | bit : *word & ~bit;
	net->ctrl->changed = true;
	return true;
}
