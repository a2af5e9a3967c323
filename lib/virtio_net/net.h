/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A network device, inside lib/virtio_net. Virtqueue 2i carries packets of pair i to the
 * driver, virtqueue 2i + 1 those of the driver (VIRTIO 1.2, section 5.1.2).
 */
#ifndef VNET_NET_H
#define VNET_NET_H

#include <linux/virtio_net.h>

#include <rte_log.h>
#include <rte_vduse_compat.h>

#include <rte_vduse_net.h>

#include <rte_vduse_state.h>

#include <vduse/virtqueue.h>

struct vnet_position;

extern int vnet_logtype;

#define VNET_LOG(level, name, fmt, ...)                                                            \
	rte_log(RTE_LOG_##level, vnet_logtype, "VDUSE: %s: " fmt "\n", name, ##__VA_ARGS__)

/* The same for what the driver of dev can cause, as often as it likes. */
#define VNET_LOG_DRIVER(level, dev, fmt, ...)                                                      \
	do {                                                                                       \
		if (rte_vduse_dev_may_log(dev))                                                    \
			VNET_LOG(level, rte_vduse_dev_name(dev), fmt, ##__VA_ARGS__);              \
	} while (0)

/* What a frame may have beside its MTU: an Ethernet header with two VLAN tags. */
#define VNET_FRAME_OVERHEAD (RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN)

/* One direction of a pair. The polling thread's between enter and leave of vq; else the
 * control thread's.
 */
struct vnet_queue {
	struct rte_vduse_vq *vq;         /* constant */
	const struct rte_vduse_net *net; /* constant once started */
	uint16_t hdr_len; /* of struct virtio_net_hdr_v1, or 2 less for old drivers */
	bool packed;
	bool mergeable;                   /* a packet may take several chains */
	uint32_t frame_max;               /* that the MTU allowed when the virtqueue started */
	struct vnet_position *position;   /* see position.c; NULL: it is not noted. Constant */
	struct rte_vduse_net_stats stats; /* the polling thread writes, any thread reads */
	struct rte_vduse_part part;       /* of the state file, where position lies */
} __rte_cache_aligned;

struct rte_vduse_net {
	struct rte_vduse_dev *dev;
	uint16_t pairs;
	bool up; /* what link was told last; the control thread's */
	struct virtio_net_config config;
	uint32_t frame_max; /* that the MTU allows; set_mtu() writes, polling threads read */
	bool linear;        /* constant, as is what follows */
	bool extbuf;
	void (*link)(struct rte_vduse_net *net, bool up, void *arg);
	const struct rte_vduse_dev_ops *watch;
	void (*call)(struct rte_vduse_vq *vq, void *arg);
	void *arg;
	struct vnet_queue queues[];
};

/* config.c: the configuration space that a device begins with. */
void
vnet_config_init(struct virtio_net_config *config, const struct rte_vduse_net_conf *conf);

/* config.c: the longest frame from a driver that was told this MTU; 0: it was told none. */
uint32_t
vnet_frame_max(uint16_t mtu);

/* extbuf.c: gives an empty mbuf memory for len bytes. False: there is none, or it is too much. */
bool
vnet_extbuf_attach(struct rte_mbuf *mbuf, uint32_t len);

/* queue.c: what rte_vduse_dev_ops asks of a virtqueue. */
extern const struct rte_vduse_dev_ops vnet_dev_ops;

/* queue.c: shows used chains, calls the driver if it wants, and reports faults. */
void
vnet_queue_finish(struct vnet_queue *queue, bool pushed);

/* take_over.c: changes what is asked for to what a driver has that a dead process left. */
void
vnet_take_over(struct rte_vduse_net_conf *conf, const char *name,
	       const struct rte_vduse_left *left);

/*
 * position.c: opens what packed rings are noted in, and closes it. An errno: a device that was
 * taken over cannot go on without. Application's thread.
 */
int
vnet_position_open(struct rte_vduse_net *net);
void
vnet_position_close(struct rte_vduse_net *net);
/* position.c: a ring that was started goes on where it is noted to be. 0, or -EUCLEAN. */
int
vnet_position_start(struct vnet_queue *queue, const struct rte_vduse_vq_info *info);
/* position.c: before the driver is shown what was pushed, and after. Polling thread. */
void
vnet_position_note(struct vnet_queue *queue);
void
vnet_position_noted(struct vnet_queue *queue);

/* stats.c: counts packets of one burst. */
void
vnet_stats_count(struct rte_vduse_net_stats *stats, struct rte_mbuf *const *mbufs, uint16_t nb);

/* A counter that one thread writes and any reads. */
static inline void
vnet_stats_add(uint64_t *counter, uint64_t n)
{
	rte_atomic_store_explicit(counter, *counter + n, rte_memory_order_relaxed);
}

#endif /* VNET_NET_H */
