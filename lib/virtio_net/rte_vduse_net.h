/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef RTE_VDUSE_NET_H
#define RTE_VDUSE_NET_H

/**
 * @file
 * virtio-net devices served by polling threads: bursts of mbufs to and from a driver.
 *
 * Directions are this process's: receive is what the driver transmitted (virtqueue 2i + 1),
 * transmit is what the driver receives (virtqueue 2i). Sections are those of the Virtual I/O
 * Device (VIRTIO) specification 1.2.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_ether.h>
#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <rte_vduse.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most queue pairs of a device (section 5.1.6.5.5). */
#define RTE_VDUSE_NET_PAIRS_MAX 32767

/** Smallest MTU, bytes (section 5.1.4.1). */
#define RTE_VDUSE_NET_MTU_MIN 68
/** Largest MTU, bytes. */
#define RTE_VDUSE_NET_MTU_MAX 65535

struct rte_vduse_net;

/** What a network device is made of. */
struct rte_vduse_net_conf {
	size_t size;      /**< See struct rte_vduse_dev_conf: sizeof() of this structure. */
	const char *path; /**< /dev/vduse/NAME, or of a vhost-user socket. */
	bool client;      /**< Connect to that socket instead of making it. */
	/** Take memory of that socket's clients in any file. By default only memfd, tmpfs and
	 * hugetlbfs: a file system whose server does not answer would block all devices.
	 */
	bool any_memory;
	uint64_t memory_limit;     /**< See struct rte_vduse_dev_conf. */
	uint32_t socket_mode;      /**< See struct rte_vduse_dev_conf. */
	const char *socket_group;  /**< See struct rte_vduse_dev_conf. */
	const char *name;          /**< See struct rte_vduse_dev_conf. */
	uint16_t pairs;            /**< Queue pairs, 1 to RTE_VDUSE_NET_PAIRS_MAX. */
	uint16_t queue_size;       /**< Descriptors, a power of two, 2 to 32768. */
	struct rte_ether_addr mac; /**< The driver's address. */
	/**
	 * RTE_VDUSE_NET_MTU_MIN to _MAX. Longer frames from the driver are dropped. 0: none is
	 * announced, and frames of any length that virtio-net knows are received.
	 */
	uint16_t mtu;
	int socket_id; /**< NUMA node for memory, or SOCKET_ID_ANY. */
	bool umem;     /**< See struct rte_vduse_dev_conf. */
	/**
	 * Every received packet is one segment: one that none can hold is dropped, and counted
	 * as oversize. Otherwise it is a chain.
	 */
	bool linear;
	/**
	 * A received packet longer than the data room of the pool gets memory from rte_malloc(),
	 * attached to its mbuf as an external buffer: up to 65,000 bytes. Not for a pool whose
	 * mbufs have pinned external buffers.
	 */
	bool extbuf;
	/**
	 * The driver came up or went; rte_vduse_net_link() says so already. On the control
	 * thread. May be NULL.
	 */
	void (*link)(struct rte_vduse_net *net, bool up, void *arg);
	/**
	 * Told of virtqueues, memory and status behind the network device itself, and before it
	 * when a virtqueue stops; vq_position is not used. May be NULL.
	 */
	const struct rte_vduse_dev_ops *watch;
	/**
	 * Called on the polling thread instead of rte_vduse_vq_call() when the driver is to be
	 * interrupted. May be NULL.
	 */
	void (*call)(struct rte_vduse_vq *vq, void *arg);
	void *arg;             /**< Handed to link, watch and call. */
	uint64_t features_off; /**< Features not to offer, of rte_vduse_net_features(). */
	const struct vduse_transport_ops *transport; /**< See struct rte_vduse_dev_conf. */
	void *transport_priv;                        /**< See struct rte_vduse_dev_conf. */
};

/** Counters of one queue of one direction. Written by the thread that polls it. */
struct rte_vduse_net_stats {
	uint64_t packets; /**< Packets received or sent. */
	uint64_t bytes;   /**< Their bytes, without virtio-net headers. */
	/**
	 * Packets lost here. From the driver: shorter than a header and an Ethernet header, too
	 * long for the pool, or oversize. To the driver: too long for its buffers, or met by one that holds no
	 * header.
	 */
	uint64_t drops;
	uint64_t nombuf;           /**< Bursts cut short because the mempool was empty. */
	uint64_t calls;            /**< Interrupts sent to the driver. */
	uint64_t calls_suppressed; /**< Bursts for which the driver wanted none. */
	uint64_t bad_descriptors;  /**< Chains that broke the rules; each stops the queue. */
	uint64_t size_bins[8]; /**< Packets of <64, 64, 65-127, -255, -511, -1023, -1518, larger. */
	uint64_t multicast;    /**< Of packets, those to a multicast address; not broadcast. */
	uint64_t broadcast;    /**< Of packets, those to the broadcast address. */
	/**
	 * Of drops, those of packets from the driver that are longer than the MTU allows, which
	 * is the larger one of the MTU now and the MTU when the driver came up, with an Ethernet
	 * header and two VLAN tags; or longer than one segment where linear is set.
	 */
	uint64_t oversize;
};

/**
 * Creates a network device (rte_vduse_dev_create() says more). Any thread but the control
 * thread.
 *
 * @return 0; -EINVAL for a wrong argument; -ENOTSUP for more than one pair, which needs the
 *   control queue; or what rte_vduse_dev_create() returns. One log line.
 */
int
rte_vduse_net_create(const struct rte_vduse_net_conf *conf, struct rte_vduse_net **net);

/** @return the features that a device of conf offers. Any thread. */
uint64_t
rte_vduse_net_features(const struct rte_vduse_net_conf *conf);

/** Starts the device: see rte_vduse_dev_start(). */
int
rte_vduse_net_start(struct rte_vduse_net *net, enum rte_vduse_attach attach);

/** Removes the device: see rte_vduse_dev_destroy(). net may be NULL. */
void
rte_vduse_net_destroy(struct rte_vduse_net *net);

/** @return the device below. Any thread. */
struct rte_vduse_dev *
rte_vduse_net_dev(struct rte_vduse_net *net);

/** @return whether a driver is up (DRIVER_OK, section 2.1). Any thread. */
bool
rte_vduse_net_link(const struct rte_vduse_net *net);

/**
 * Says in the configuration space whether the link is up (VIRTIO_NET_F_STATUS, section
 * 5.1.4). The driver's carrier follows. Any thread but one at a time.
 * @return 0 or a negative errno.
 */
int
rte_vduse_net_set_link(struct rte_vduse_net *net, bool up);

/**
 * Changes the announced MTU. A driver reads it when it probes; frames of a driver that came up
 * with a larger one are received until it resets. Any thread but one at a time.
 * @return 0; -EINVAL outside RTE_VDUSE_NET_MTU_MIN to _MAX; or a negative errno.
 */
int
rte_vduse_net_set_mtu(struct rte_vduse_net *net, uint16_t mtu);

/**
 * Changes the address in the configuration space. A driver reads it when it probes. Any
 * thread but one at a time.
 * @return 0 or a negative errno.
 */
int
rte_vduse_net_set_mac(struct rte_vduse_net *net, const struct rte_ether_addr *mac);

/**
 * Receives packets that the driver sent. One thread per pair at a time; never blocks. The
 * port of the mbufs is left to the caller.
 *
 * @param net
 *   The device.
 * @param pair
 *   0 to pairs - 1; not checked.
 * @param pool
 *   Where mbufs come from. A packet longer than its data room takes several, unless conf said
 *   linear or extbuf.
 * @param[out] mbufs
 *   Room for nb pointers.
 * @param nb
 *   Most packets to receive.
 * @return how many packets were received; 0 also while no driver is up.
 */
uint16_t
rte_vduse_net_rx_burst(struct rte_vduse_net *net, uint16_t pair, struct rte_mempool *pool,
		       struct rte_mbuf **mbufs, uint16_t nb);

/**
 * Sends packets to the driver; those sent or dropped are freed. One thread per pair at a
 * time; never blocks.
 *
 * @return how many of mbufs were taken; the rest stay the caller's. 0 also while no driver
 *   is up.
 */
uint16_t
rte_vduse_net_tx_burst(struct rte_vduse_net *net, uint16_t pair, struct rte_mbuf **mbufs,
		       uint16_t nb);

/**
 * Sends packets to the driver like rte_vduse_net_tx_burst(), but leaves all of them to the
 * caller: those that were sent or dropped, of which it returns the number, have been copied.
 */
uint16_t
rte_vduse_net_tx_copy(struct rte_vduse_net *net, uint16_t pair, struct rte_mbuf *const *mbufs,
		      uint16_t nb);

/** @return buffers that wait to be filled on a pair. The thread that transmits on it. */
uint32_t
rte_vduse_net_tx_count(struct rte_vduse_net *net, uint16_t pair);

/** @return packets that wait to be received on a pair. The thread that receives on it. */
uint32_t
rte_vduse_net_rx_count(struct rte_vduse_net *net, uint16_t pair);

/**
 * Lets the driver kick for what it makes available on a virtqueue, or not, which is how a
 * virtqueue starts. Look at the virtqueue once more when kicks are on: what came before that
 * may go without one. Any thread; waits for a burst that is under way.
 *
 * @param net
 *   The device.
 * @param index
 *   Of the virtqueue: 2i to the driver, 2i + 1 from it.
 * @param enable
 *   Whether the driver is to kick.
 * @return 0; -EINVAL (no such virtqueue) or -EAGAIN (it does not run).
 */
int
rte_vduse_net_notify(struct rte_vduse_net *net, uint16_t index, bool enable);

/** Copies the counters of one direction of a pair. Any thread. */
void
rte_vduse_net_stats(const struct rte_vduse_net *net, uint16_t pair, bool rx,
		    struct rte_vduse_net_stats *stats, size_t size);

/** Zeroes the counters of one direction of a pair. Any thread; a burst may add to the old. */
void
rte_vduse_net_stats_reset(struct rte_vduse_net *net, uint16_t pair, bool rx);

#ifdef __cplusplus
}
#endif

#endif /* RTE_VDUSE_NET_H */
