/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Interrupt coalescing (VIRTIO 1.3, "Notifications Coalescing"): an interrupt that the driver wants is held
 * back until so many buffers are used, or so much time has passed since the first of them.
 */
#ifndef VNET_COALESCE_H
#define VNET_COALESCE_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_net.h>

/* Missing from the headers of older releases of Linux: before 6.0, and before 6.6. */
#ifndef VIRTIO_NET_F_NOTF_COAL
#define VIRTIO_NET_F_NOTF_COAL           53
#define VIRTIO_NET_CTRL_NOTF_COAL        6
#define VIRTIO_NET_CTRL_NOTF_COAL_TX_SET 0
#define VIRTIO_NET_CTRL_NOTF_COAL_RX_SET 1
#endif
#ifndef VIRTIO_NET_F_VQ_NOTF_COAL
#define VIRTIO_NET_F_VQ_NOTF_COAL        52
#define VIRTIO_NET_CTRL_NOTF_COAL_VQ_SET 2
#define VIRTIO_NET_CTRL_NOTF_COAL_VQ_GET 3
#endif

struct rte_vduse_net;
struct vnet_queue;

/* struct virtio_net_ctrl_coal, little-endian. With a 0 in it, no interrupt is held back. */
struct vnet_coal_params {
	uint32_t max_packets;
	uint32_t max_usecs;
};

/* Of a virtqueue. Changed under its lock. */
struct vnet_coal {
	uint64_t at;      /* TSC at which a held interrupt is due; 0: none is held. Atomic */
	uint64_t since;   /* when it was held back first, TSC */
	uint64_t wait;    /* at - since, cycles */
	uint32_t pending; /* buffers used since */
	uint32_t limit;   /* number of them that ends it; 0: nothing is held back */
	struct vnet_coal_params params; /* as the driver set them */
};

/* How the control thread looks at the virtqueues of a device, in case that nobody polls them. */
struct vnet_coal_watch {
	bool on;          /* it looks again by itself; atomic */
	bool begun;       /* an interrupt was held back since it looked; atomic */
	uint32_t tick_ms; /* most time between two looks; control thread only */
	uint32_t next_ms; /* time to the next look; 0: no look. Control thread only */
};

/*
 * Whether to send an interrupt now, after pushed buffers were published; call: whether the driver
 * wants one for them. Between enter and leave; also for a virtqueue without a limit.
 */
bool
vnet_coal_passes(struct vnet_queue *queue, uint16_t pushed, bool call);

/* Sends what is due on the virtqueues of a pair. Thread: any that polls one of them, after leave. */
void
vnet_coal_poll(struct rte_vduse_net *net, uint16_t pair);

/* Sends what is due, and sets coal_watch.next_ms. Thread: control. */
void
vnet_coal_look(struct rte_vduse_net *net);

/*
 * A driver comes up, a virtqueue starts and stops. resumed: it ran with another process, whose
 * parameters it keeps if they are known. Thread: control.
 */
void
vnet_coal_reset(struct rte_vduse_net *net);
void
vnet_coal_start(struct rte_vduse_net *net, struct vnet_queue *queue, bool resumed);
void
vnet_coal_stop(struct vnet_queue *queue);
/* Sends what is held back. The virtqueue does not run. */
void
vnet_coal_rest(struct vnet_queue *queue);

#endif /* VNET_COALESCE_H */
