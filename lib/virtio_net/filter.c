/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Filters of packets to the driver, as its commands set them (sections 5.1.6.5.1 to 5.1.6.5.3).
 * Input: a packet of the application. Output: whether the driver is to receive it.
 * Thread: polling; vnet_filter_is_open(): control.
 */
#include <rte_byteorder.h>

#include <virtio_net/ctrl.h>

bool
vnet_filter_is_open(const struct vnet_filter *filter)
{
	if (filter->rx)
		return filter->mode[VIRTIO_NET_CTRL_RX_PROMISC];
	return !filter->vlan;
}

static bool
filter_list_has(const struct vnet_macs *list, uint64_t mac)
{
	uint16_t i;

	if (list->all)
		return true;
	for (i = 0; i < list->nb; i++)
		if (list->macs[i] == mac)
			return true;
	return false;
}

static bool
filter_address(const struct vnet_filter *filter, const struct rte_ether_addr *dst)
{
	const bool *mode = filter->mode;

	if (rte_is_broadcast_ether_addr(dst))
		return !mode[VIRTIO_NET_CTRL_RX_NOBCAST];
	if (rte_is_multicast_ether_addr(dst))
		return !mode[VIRTIO_NET_CTRL_RX_NOMULTI] &&
		       (mode[VIRTIO_NET_CTRL_RX_ALLMULTI] ||
			filter_list_has(&filter->lists[1], vnet_mac(dst)));
	return !mode[VIRTIO_NET_CTRL_RX_NOUNI] &&
	       (mode[VIRTIO_NET_CTRL_RX_ALLUNI] || filter->mac == vnet_mac(dst) ||
		filter_list_has(&filter->lists[0], vnet_mac(dst)));
}

/* A tag with the VLAN 0 only gives a priority. */
static bool
filter_vlan(const struct vnet_filter *filter, rte_be16_t tci)
{
	uint16_t id = rte_be_to_cpu_16(tci) % VNET_VLANS;

	return id == 0 || (filter->vlans[id / VNET_VLAN_WORD] >> id % VNET_VLAN_WORD & 1) != 0;
}

bool
vnet_filter_passes(const struct vnet_filter *filter, const struct rte_mbuf *packet)
{
	struct {
		struct rte_ether_hdr ether;
		rte_be16_t tci;
	} room;
	uint32_t len = RTE_MIN(packet->pkt_len, (uint32_t)sizeof(room));
	const struct rte_ether_hdr *ether = rte_pktmbuf_read(packet, 0, len, &room);

	/* The driver sees for itself that this is no frame. */
	if (unlikely(ether == NULL || len < sizeof(*ether)))
		return true;
	if (filter->vlan && ether->ether_type == RTE_BE16(RTE_ETHER_TYPE_VLAN) &&
	    len == sizeof(room) && !filter_vlan(filter, *(const rte_be16_t *)(ether + 1)))
		return false;
	return !filter->rx || filter_address(filter, &ether->dst_addr);
}
