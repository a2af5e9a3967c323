/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The control queue (VIRTIO 1.2, section 5.1.6.5): what the driver sets with its commands.
 * Thread: control, except for what filter.c reads.
 */
#ifndef VNET_CTRL_H
#define VNET_CTRL_H

#include <linux/virtio_net.h>

#include <rte_ether.h>
#include <rte_mbuf.h>

#include <rte_vduse_chain.h>
#include <vduse/virtqueue.h>

#include <virtio_net/coalesce.h>
#include <virtio_net/device_stats.h>
#include <virtio_net/hash.h>
#include <virtio_net/offload.h>

#define VNET_CTRL_BIT(nr) (UINT64_C(1) << (nr))

/* Features with which there are several pairs (section 5.1.2). */
#define VNET_CTRL_SEVERAL (VNET_CTRL_BIT(VIRTIO_NET_F_MQ) | VNET_CTRL_BIT(VIRTIO_NET_F_RSS))

/* Features of conf.ctrl_queue; MQ and CTRL_GUEST_OFFLOADS come with what they control. */
#define VNET_CTRL_FEATURES                                                                         \
	(VNET_CTRL_BIT(VIRTIO_NET_F_CTRL_VQ) | VNET_CTRL_BIT(VIRTIO_NET_F_CTRL_RX) |               \
	 VNET_CTRL_BIT(VIRTIO_NET_F_CTRL_RX_EXTRA) | VNET_CTRL_BIT(VIRTIO_NET_F_CTRL_VLAN) |       \
	 VNET_CTRL_BIT(VIRTIO_NET_F_CTRL_MAC_ADDR) | VNET_CTRL_BIT(VIRTIO_NET_F_GUEST_ANNOUNCE) |  \
	 VNET_CTRL_BIT(VIRTIO_NET_F_NOTF_COAL) | VNET_CTRL_BIT(VIRTIO_NET_F_VQ_NOTF_COAL) |        \
	 VNET_CTRL_BIT(VIRTIO_NET_F_DEVICE_STATS))

/* Those that make no sense without a control queue. */
#define VNET_CTRL_NEED_VQ                                                                          \
	(VNET_CTRL_FEATURES | VNET_CTRL_BIT(VIRTIO_NET_F_MQ) |                                     \
	 VNET_CTRL_BIT(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) |                                         \
	 VNET_CTRL_BIT(VIRTIO_NET_F_HASH_REPORT) | VNET_CTRL_BIT(VIRTIO_NET_F_RSS))

/* What GUEST_OFFLOADS may switch (section 5.1.6.5.6.1). */
#define VNET_GUEST_OFFLOADS (VNET_OFFLOAD(GUEST_CSUM) | VNET_OFFLOADS_GUEST)

/* Commands of the class VIRTIO_NET_CTRL_RX. */
#define VNET_RX_MODES (VIRTIO_NET_CTRL_RX_NOBCAST + 1)
/* Addresses of one kind that are compared; with more, all of that kind are received. */
#define VNET_MACS_MAX  64
#define VNET_VLANS     4096
#define VNET_VLAN_WORD 64

struct rte_vduse_net;
struct vnet_queue;

/* An address in the lower bytes, in memory order. */
static inline uint64_t
vnet_mac(const void *bytes)
{
	uint64_t mac = 0;

	__builtin_memcpy(&mac, bytes, RTE_ETHER_ADDR_LEN);
	return mac;
}

/* A list of addresses. */
struct vnet_macs {
	bool all; /* there are more: all match */
	uint16_t nb;
	uint64_t macs[VNET_MACS_MAX];
};

/* What packets to the driver pass. One that a burst may read is not changed. */
struct vnet_filter {
	bool rx;                   /* CTRL_RX was negotiated: mode, mac and lists hold */
	bool vlan;                 /* CTRL_VLAN was negotiated: vlans holds */
	bool mode[VNET_RX_MODES];  /* by command: VIRTIO_NET_CTRL_RX_PROMISC and so on */
	uint64_t mac;              /* the driver's own address */
	struct vnet_macs lists[2]; /* of single stations; of groups */
	uint64_t vlans[VNET_VLANS / VNET_VLAN_WORD];
};

struct vnet_ctrl {
	uint64_t features; /* the driver's, from the start of its first virtqueue to the reset */
	bool begun;
	bool known;               /* all commands of the driver, so the state can be recorded */
	bool changed;             /* what the bursts read has to be set again */
	uint16_t pairs;           /* in use */
	uint64_t guest_offloads;  /* in use */
	struct vnet_filter now;   /* as the commands so far say */
	struct vnet_filter in[2]; /* in force: the bursts read the current one */
	struct vnet_rss rss;      /* as now and in */
	struct vnet_rss rss_in[2];
	unsigned int current;
	/* For virtqueues that start: [0] those to the driver, [1] those from it. */
	struct vnet_coal_params coal[2];
	uint64_t commands;    /* received so far */
	uint64_t commands_ok; /* of them, those that were carried out */
};

/* A command: bytes that were not read yet, and room for the answer that is not written yet. */
struct vnet_ctrl_data {
	const struct rte_vduse_chain *chain;
	uint32_t left;
	uint16_t piece;
	uint32_t offset;
	uint32_t room;
	uint16_t to; /* the piece that is written */
	uint32_t to_offset;
	uint8_t *ack;
};

/* Reads each byte of driver memory once. False: there are fewer than len bytes. */
bool
vnet_ctrl_read(struct vnet_ctrl_data *data, void *to, uint32_t len);
bool
vnet_ctrl_skip(struct vnet_ctrl_data *data, uint64_t len);

/* The same, and nothing must be left after them. */
static inline bool
vnet_ctrl_take(struct vnet_ctrl_data *data, void *to, uint32_t len)
{
	return data->left == len && vnet_ctrl_read(data, to, len);
}

/* Writes to the room for the answer, as many bytes as fit. Whether all do. */
bool
vnet_ctrl_put(struct vnet_ctrl_data *data, const void *from, uint32_t len);

/* Writes data that comes before the ack byte, not after it. False, and nothing: too little room. */
bool
vnet_ctrl_put_first(struct vnet_ctrl_data *data, const void *from, uint32_t len);

/* Whether a virtqueue is the control queue of a driver with these features. */
bool
vnet_ctrl_is(const struct rte_vduse_net *net, uint16_t index, uint64_t features);

/* A driver comes up: the state after a reset. resumed: it came up with another process. */
void
vnet_ctrl_begin(struct rte_vduse_net *net, uint64_t features, bool resumed);

/* The driver is gone. */
void
vnet_ctrl_end(struct rte_vduse_net *net);

/* What a burst of this queue, which is kept out, reads of the state. */
void
vnet_ctrl_set_queue(struct rte_vduse_net *net, struct vnet_queue *queue);

/* The control queue: see vduse_vq_serve_t. */
bool
vnet_ctrl_serve(struct rte_vduse_vq *vq, void *arg);

/* Carries out a command without an answer: class, number and data. False: it is refused. */
bool
vnet_ctrl_replay(struct rte_vduse_net *net, uint8_t *bytes, uint16_t len);

/* ctrl_rx.c: commands on receive filters. False: malformed, and nothing is changed. */
bool
vnet_ctrl_rx_mode(struct rte_vduse_net *net, uint8_t command, struct vnet_ctrl_data *data);
bool
vnet_ctrl_mac_table(struct rte_vduse_net *net, uint8_t command, struct vnet_ctrl_data *data);
bool
vnet_ctrl_mac_addr(struct rte_vduse_net *net, uint8_t command, struct vnet_ctrl_data *data);
bool
vnet_ctrl_vlan(struct rte_vduse_net *net, uint8_t command, struct vnet_ctrl_data *data);

/* rss.c: commands on hashes. Likewise. */
bool
vnet_ctrl_rss_config(struct rte_vduse_net *net, uint8_t command, struct vnet_ctrl_data *data);
bool
vnet_ctrl_hash_config(struct rte_vduse_net *net, uint8_t command, struct vnet_ctrl_data *data);

/* coalesce.c: commands on interrupts. Likewise. */
bool
vnet_ctrl_coal(struct rte_vduse_net *net, uint8_t command, struct vnet_ctrl_data *data);
bool
vnet_ctrl_coal_vq(struct rte_vduse_net *net, uint8_t command, struct vnet_ctrl_data *data);

/* device_stats.c: commands for counters. Likewise. */
bool
vnet_ctrl_stats_query(struct rte_vduse_net *net, uint8_t command, struct vnet_ctrl_data *data);
bool
vnet_ctrl_stats_get(struct rte_vduse_net *net, uint8_t command, struct vnet_ctrl_data *data);

/* filter.c: whether the filter drops nothing at all. */
bool
vnet_filter_is_open(const struct vnet_filter *filter);
/* filter.c: whether a packet to the driver passes. Thread: polling. */
bool
vnet_filter_passes(const struct vnet_filter *filter, const struct rte_mbuf *packet);

#endif /* VNET_CTRL_H */
