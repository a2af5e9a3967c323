/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* A port of net_vduse: the data that its control operations, bursts and statistics share. */
#ifndef VDUSE_PORT_H
#define VDUSE_PORT_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_ethdev.h>
#include <rte_mempool.h>
#include <rte_spinlock.h>

#include <rte_vduse_net.h>

#include "devargs.h"

struct rte_eth_dev;
struct eth_dev_ops;
struct rte_eth_dev_info;

/*
 * dev_private, and process_private too. In a secondary process process_private has args alone.
 * ethdev requires that the application serialises control operations.
 */
struct vduse_port {
	struct rte_vduse_net *net;       /* set at probe, cleared at close */
	struct vduse_devargs args;       /* as given; the application may change mtu and mac */
	struct vduse_handover *handover; /* see handover.c; NULL: no handover=. Constant */
	struct rte_vduse_handover *from; /* until the first start; NULL: from nobody */
	bool served;                     /* was started once: the transport serves the device */
	bool started;             /* written by start and stop, read by the control thread too */
	bool link_off;            /* likewise, by set_link_down and set_link_up */
	rte_spinlock_t link_lock; /* reading and storing the link status is atomic under it */
	uint64_t vlan_drops[];    /* of each Tx queue; its poller writes, any thread reads */
};

/* One Rx or Tx queue. Except the flags, control operations write it only while it is not polled. */
struct vduse_queue {
	bool enabled;  /* written by start and stop, read by the poller */
	bool vlan;     /* likewise; Rx: strip tags, Tx: insert them */
	bool deferred; /* stays stopped when the port starts */
	uint16_t pair;
	uint16_t port_id;
	uint16_t size; /* descriptors, as announced */
	struct rte_vduse_net *net;
	struct rte_mempool *pool; /* Rx only */
	uint64_t *vlan_drops;     /* Tx only: packets that could not be tagged */
};

extern const struct eth_dev_ops vduse_port_ops;

/* The link as ethdev has it. Thread: any. */
struct rte_eth_link
vduse_port_link(const struct vduse_port *port, bool up);

/* Reads the link status and stores it. 0 if it changed, -1 if not. Thread: any. */
int
vduse_port_link_update(struct rte_eth_dev *dev, int wait);

/* Also in secondary processes, from process_private. */
int
vduse_port_infos_get(struct rte_eth_dev *dev, struct rte_eth_dev_info *info);

/* Stops the port if it runs and removes its device. */
int
vduse_port_close(struct rte_eth_dev *dev);

#endif /* VDUSE_PORT_H */
