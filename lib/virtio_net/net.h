/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A network device, inside lib/virtio_net. Virtqueue 2i carries packets of pair i to the driver,
 * virtqueue 2i + 1 packets from the driver (VIRTIO 1.2, section 5.1.2).
 */
#ifndef VNET_NET_H
#define VNET_NET_H

#include <pthread.h>

#include <linux/virtio_net.h>

#include <rte_log.h>
#include <rte_vduse_compat.h>

#include <rte_vduse_net.h>

#include <rte_vduse_state.h>

#include <vduse/virtqueue.h>

#include <virtio_net/coalesce.h>

struct vnet_ctrl;
struct vnet_filter;
struct vnet_position;
struct vnet_rss;
struct vnet_steer;

extern int vnet_logtype;

#define VNET_LOG(level, name, fmt, ...)                                                            \
	rte_log(RTE_LOG_##level, vnet_logtype, "VDUSE: %s: " fmt "\n", name, ##__VA_ARGS__)

/* Rate-limited, for messages that the driver of dev can trigger. */
#define VNET_LOG_DRIVER(level, dev, fmt, ...)                                                      \
	do {                                                                                       \
		if (rte_vduse_dev_may_log(dev))                                                    \
			VNET_LOG(level, rte_vduse_dev_name(dev), fmt, ##__VA_ARGS__);              \
	} while (0)

/* Bytes of a frame beyond its MTU: an Ethernet header with two VLAN tags. */
#define VNET_FRAME_OVERHEAD (RTE_ETHER_HDR_LEN + 2 * RTE_VLAN_HLEN)

/*
 * Bytes of a virtqueue's part of the state file: position.c has those before VNET_PART_CTRL, and
 * ctrl_state.c the others. Larger parts would replace those of an earlier version, which has packed
 * ring positions in them.
 */
#define VNET_PART_CTRL 64u
#define VNET_PART_SIZE 4096u

/* One direction of a pair. The polling thread owns it between enter and leave of vq, otherwise the
 * control thread does.
 */
struct vnet_queue {
	struct rte_vduse_vq *vq;         /* constant */
	const struct rte_vduse_net *net; /* constant once started */
	/* Of struct virtio_net_hdr_v1; 2 less for legacy drivers, more with HASH_REPORT. */
	uint16_t hdr_len;
	bool packed;
	bool mergeable;    /* a packet may take several chains */
	bool csum;         /* the driver may leave checksums to the device */
	bool polled;       /* for packets, since the virtqueue started; atomic */
	bool ctrl;         /* it is the control queue */
	bool told;         /* the log says that it has to be polled; under the lock */
	bool gso_left;     /* the process before may have received the next packet in part */
	bool off;          /* not to be written: see pairs_used, or the above */
	uint32_t tx_room;  /* bytes of a chain of the driver that was seen last; 0: of none */
	uint64_t offloads; /* of VNET_OFFLOADS, what the driver accepted and has not switched off */
	uint64_t tx_flags; /* of packets to the driver: those that are looked at */
	const struct vnet_filter *filter; /* packets to the driver pass it; NULL: all do */
	const struct vnet_rss *rss;       /* hashes of packets to the driver; NULL: none */
	/* Payload of the next chain from the driver that was received already, see gso_rx.c. */
	uint32_t gso_at;
	uint32_t frame_max;               /* longest frame of the MTU at virtqueue start */
	struct vnet_position *position;   /* see position.c; NULL: not recorded. Constant */
	struct rte_vduse_net_stats stats; /* the polling thread writes, any thread reads */
	struct vnet_coal coal;            /* see coalesce.c */
	struct rte_vduse_part part;       /* of the state file, see VNET_PART_SIZE */
} __rte_cache_aligned;

struct rte_vduse_net {
	struct rte_vduse_dev *dev;
	uint16_t pairs;
	bool up;            /* last state that link() was called with; control thread only */
	bool unpolled;      /* the log says that a queue of this driver is not polled; likewise */
	uint16_t nb_queues; /* 2 * pairs, and the control queue */
	/* The control thread writes, as the driver's commands say; any thread reads. Atomic. */
	uint16_t pairs_used;         /* pairs that the driver uses: packets to it go to no others */
	struct vnet_ctrl *ctrl;      /* NULL: there is no control queue. Constant */
	struct vnet_steer *steer;    /* NULL: a queue of the application is a pair. Constant */
	pthread_mutex_t config_lock; /* guards config and mac against the control thread */
	struct rte_ether_addr mac;   /* of the device, which the driver may replace */
	struct virtio_net_config config;
	uint32_t frame_max; /* longest frame of the MTU; set_mtu() writes, pollers read */
	/*
	 * MAC address to send a RARP packet of, in the first bytes; 0: none. The control thread
	 * writes it, the poller of pair 0 takes it.
	 */
	uint64_t announce;
	/* Checksums that the driver left to the device stay so, with a flag. Any thread sets it. */
	bool partial_csum;
	/* Interrupts of some virtqueue may be held back. The control thread sets it. Atomic. */
	bool coalesces;
	struct vnet_coal_watch coal_watch; /* see coalesce.c */
	uint64_t look_at; /* time to report unpolled pairs; 0: never. Control thread only */
	/* Large packets of these features, such as HOST_TSO4, are received whole. Likewise. */
	uint64_t rx_gso;
	bool linear;   /* constant, as are the fields below */
	bool offloads; /* some were offered, so flags of packets to the driver count */
	bool extbuf;
	void (*link)(struct rte_vduse_net *net, bool up, void *arg);
	const struct rte_vduse_dev_ops *watch;
	void (*call)(struct rte_vduse_vq *vq, void *arg);
	void *arg;
	struct vnet_queue queues[];
};

/* net.c: a caller's conf as this library has it. Returns 0 or a negative errno, with a log line. */
int
vnet_conf_take(struct rte_vduse_net_conf *conf, const struct rte_vduse_net_conf *asked);

/* config.c: fills the initial configuration space. */
void
vnet_config_init(struct virtio_net_config *config, const struct rte_vduse_net_conf *conf);

/* config.c: the driver sets its address. 0 or a negative errno. Thread: control. */
int
vnet_config_set_mac(struct rte_vduse_net *net, const struct rte_ether_addr *mac);

/* config.c: the driver announced itself. False: it was not asked to. Thread: control. */
bool
vnet_config_end_announce(struct rte_vduse_net *net);

/* config.c: takes back what the driver changed. Thread: control. */
void
vnet_config_reset(struct rte_vduse_net *net);

/* config.c: longest frame from a driver that knows this MTU; 0: the driver knows none. */
uint32_t
vnet_frame_max(uint16_t mtu);

/* extbuf.c: attaches a buffer of len bytes to an empty mbuf. False: no memory or too long. */
bool
vnet_extbuf_attach(struct rte_mbuf *mbuf, uint32_t len);

/* queue.c: callbacks of the device. */
extern const struct rte_vduse_dev_ops vnet_dev_ops;

/*
 * queue.c: publishes used chains, which are so many, interrupts the driver if it asks for it, reports
 * faults.
 */
void
vnet_queue_finish(struct vnet_queue *queue, uint16_t pushed);
/* queue.c: interrupts the driver. The caller holds the lock of the virtqueue. */
void
vnet_queue_call(struct vnet_queue *queue);
/* queue.c: makes the control thread look at the device when something is due. Thread: control. */
void
vnet_queue_look_again(struct rte_vduse_net *net);

/* take_over.c: changes conf to what the driver of a device left by a dead process has. */
void
vnet_take_over(struct rte_vduse_net_conf *conf, const char *name,
	       const struct rte_vduse_left *left);

/*
 * position.c: opens and closes the record of packed ring positions, and of what the driver's commands
 * set. Returns 0, or a negative errno for a device that was taken over or handed over and needs it.
 * Thread: the application's.
 */
int
vnet_position_open(struct rte_vduse_net *net, bool handed_over);
void
vnet_position_close(struct rte_vduse_net *net);
/* position.c: resumes a started ring at its recorded position. 0, or -EUCLEAN. */
int
vnet_position_start(struct vnet_queue *queue, const struct rte_vduse_vq_info *info);
/* position.c: records the position, before and after publish. Thread: polling. */
void
vnet_position_note(struct vnet_queue *queue);
void
vnet_position_noted(struct vnet_queue *queue);
/*
 * position.c: records how much of the packet of the next chain was received (gso_at). Thread: polling,
 * when the chains that are not used are back in the ring.
 */
void
vnet_position_gso(struct vnet_queue *queue);
/* position.c: gso_at for a started ring; 0 unless it goes on at that packet. Thread: control. */
uint32_t
vnet_position_gso_at(struct vnet_queue *queue);

/* stats.c: counts the packets of a burst. */
void
vnet_stats_count(struct rte_vduse_net_stats *stats, struct rte_mbuf *const *mbufs, uint16_t nb);

/* Adds to a counter that one thread writes and any thread reads. */
static inline void
vnet_stats_add(uint64_t *counter, uint64_t n)
{
	rte_atomic_store_explicit(counter, *counter + n, rte_memory_order_relaxed);
}

#endif /* VNET_NET_H */
