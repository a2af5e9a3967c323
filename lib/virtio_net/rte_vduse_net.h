/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef RTE_VDUSE_NET_H
#define RTE_VDUSE_NET_H

/**
 * @file
 * virtio-net devices served by polling threads: bursts of mbufs to and from a driver.
 *
 * Directions are those of this process: it receives what the driver transmitted (virtqueue
 * 2i + 1) and transmits what the driver receives (virtqueue 2i). Threads, errors and NULL are as in
 * rte_vduse.h. Sections are those of the Virtual I/O Device (VIRTIO) specification 1.2.
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

/** Most queue pairs of a device: vhost-user messages number 256 virtqueues. */
#define RTE_VDUSE_NET_PAIRS_MAX 128

/** Smallest MTU, bytes (section 5.1.4.1). */
#define RTE_VDUSE_NET_MTU_MIN 68
/** Largest MTU, bytes (section 5.1.4.1). */
#define RTE_VDUSE_NET_MTU_MAX 65535

/** Largest link speed, Mbit/s (section 5.1.4). */
#define RTE_VDUSE_NET_SPEED_MAX 2147483647

/** A network device; opaque. */
struct rte_vduse_net;

/** How rte_vduse_net_tx_burst() chooses the pair on which a driver receives a packet. */
enum rte_vduse_net_steer {
	RTE_VDUSE_NET_STEER_APP, /**< The pair that the application names. */
	/**
	 * The pair that the driver's key and table say (VIRTIO_NET_F_RSS, section 5.1.6.5.7); the
	 * pair that the application names until the driver sets them, and after it takes them back
	 * or a process that died left it behind. Needs ctrl_queue.
	 */
	RTE_VDUSE_NET_STEER_RSS,
	/**
	 * The pair on which the driver sent the flow of the packet last (automatic receive
	 * steering, section 5.1.6.5.6); the pair that the application names if that is not known.
	 */
	RTE_VDUSE_NET_STEER_AUTO,
};

/** Configuration of a network device. Initialise it as struct rte_vduse_dev_conf. */
struct rte_vduse_net_conf {
	size_t size;              /**< See struct rte_vduse_dev_conf: sizeof() of this structure. */
	const char *path;         /**< See struct rte_vduse_dev_conf. */
	bool client;              /**< See struct rte_vduse_dev_conf. */
	bool any_memory;          /**< See struct rte_vduse_dev_conf. */
	bool iommu;               /**< See struct rte_vduse_dev_conf. */
	bool postcopy;            /**< See struct rte_vduse_dev_conf. */
	uint64_t memory_limit;    /**< See struct rte_vduse_dev_conf. */
	uint32_t socket_mode;     /**< See struct rte_vduse_dev_conf. */
	const char *socket_group; /**< See struct rte_vduse_dev_conf. */
	const char *name;         /**< See struct rte_vduse_dev_conf. */
	/**
	 * Queue pairs, 1 to RTE_VDUSE_NET_PAIRS_MAX (VIRTIO_NET_F_MQ, section 5.1.6.5.5). More than
	 * one need ctrl_queue, except at a vhost-user socket, whose front end has the control queue.
	 */
	uint16_t pairs;
	uint16_t queue_size; /**< Largest virtqueue, descriptors, a power of two, 2 to 32768. */
	struct rte_ether_addr mac; /**< MAC address of the driver, unicast and not zero. */
	/**
	 * Announced MTU, RTE_VDUSE_NET_MTU_MIN to RTE_VDUSE_NET_MTU_MAX bytes. Longer frames from
	 * the driver are dropped. 0: none is announced, and frames of up to
	 * RTE_VDUSE_NET_MTU_MAX are received.
	 */
	uint16_t mtu;
	/**
	 * Announced link speed in Mbit/s, up to RTE_VDUSE_NET_SPEED_MAX, full duplex
	 * (VIRTIO_NET_F_SPEED_DUPLEX, section 5.1.4). 0: none is announced.
	 */
	uint32_t speed;
	int socket_id; /**< NUMA node for memory, or SOCKET_ID_ANY. */
	bool umem;     /**< See struct rte_vduse_dev_conf. */
	/**
	 * Receive each packet in one segment: one that is too long for it is dropped and counted
	 * as oversize. Otherwise a long packet takes several segments.
	 */
	bool linear;
	/**
	 * Give a received packet that is longer than the data room of the pool memory of
	 * rte_malloc(), attached to its mbuf as an external buffer of up to 65,000 bytes. Not for a
	 * pool whose mbufs have pinned external buffers.
	 */
	bool extbuf;
	/**
	 * The driver came up or went; rte_vduse_net_link() says so already. Runs on the control
	 * thread. May be NULL.
	 *
	 * @param net
	 *   The device.
	 * @param up
	 *   Whether a driver is up.
	 * @param arg
	 *   The arg of this structure.
	 */
	void (*link)(struct rte_vduse_net *net, bool up, void *arg);
	/**
	 * Told of virtqueues, memory and status after the network device itself, and before it
	 * when a virtqueue stops, on the control thread. vq_position and vq_drain are not used. It
	 * and each of its callbacks may be NULL.
	 */
	const struct rte_vduse_dev_ops *watch;
	/**
	 * Called on the polling thread instead of rte_vduse_vq_call() when the driver is to be
	 * interrupted; on the control thread for an interrupt that was held back (see ctrl_queue).
	 * May be NULL.
	 *
	 * @param vq
	 *   The virtqueue.
	 * @param arg
	 *   The arg of this structure.
	 */
	void (*call)(struct rte_vduse_vq *vq, void *arg);
	void *arg;             /**< Given to link, watch and call. */
	uint64_t features_off; /**< Features of rte_vduse_net_features() not to offer. */
	/**
	 * Offloads to offer (section 5.1.3): VIRTIO_NET_F_CSUM lets the driver leave checksums to
	 * the device, VIRTIO_NET_F_GUEST_CSUM the device to the driver. HOST_TSO4, HOST_TSO6,
	 * HOST_ECN and HOST_USO let the driver send packets of up to 64 KiB to be segmented;
	 * GUEST_TSO4, GUEST_TSO6, GUEST_ECN, GUEST_USO4 and GUEST_USO6 let the device. Other bits
	 * have no effect, nor has one without the bit that it needs (section 5.1.3.1).
	 * If any is offered, flags of packets to the driver that ask for an IPv4, TCP or UDP
	 * checksum or for TCP or UDP segmentation are obeyed, whatever the driver accepts.
	 * Otherwise all flags are ignored.
	 */
	uint64_t offloads;
	const struct vduse_transport_ops *transport; /**< See struct rte_vduse_dev_conf. */
	void *transport_priv;                        /**< See struct rte_vduse_dev_conf. */
	/**
	 * Offer a control queue (VIRTIO_NET_F_CTRL_VQ, section 5.1.6.5), which the control thread
	 * serves: with it the driver sets receive filters, its MAC address, the pairs that it uses
	 * and its offloads. Packets that the filters exclude are not sent to it. It may also ask for
	 * fewer interrupts (VIRTIO_NET_F_NOTF_COAL): one for a number of buffers, or a time after the
	 * first one. Bursts of the pair send it at that time, or the control thread if there are
	 * none. It may read counters of its virtqueues (VIRTIO_NET_F_DEVICE_STATS). Not for a
	 * socket, whose client serves the control queue itself.
	 */
	bool ctrl_queue;
	/**
	 * Offer the hash of each packet to the driver in its virtio-net header, computed with the
	 * key that the driver sets (VIRTIO_NET_F_HASH_REPORT, section 5.1.6.4.3). The hash costs
	 * the polling thread time for each packet, and drivers accept it whenever it is offered. Of
	 * effect with ctrl_queue only.
	 */
	bool hash_report;
	uint8_t steer;       /**< enum rte_vduse_net_steer. */
	uint8_t reserved[5]; /**< Must be 0. */
	/**
	 * See struct rte_vduse_dev_conf. The device goes on with the queue size, MTU, features,
	 * pairs and configuration space that its driver has, its MAC address included.
	 */
	struct rte_vduse_handover *from;
};

/**
 * Counters of one direction of a pair, since it was created or reset. A newer library may add some
 * at the end.
 */
struct rte_vduse_net_stats {
	uint64_t packets; /**< Packets received or sent. */
	uint64_t bytes;   /**< Their bytes, without virtio-net headers. */
	/**
	 * Packets dropped. From the driver: shorter than a virtio-net and an Ethernet header, too
	 * long for the pool, or oversize. To the driver: too long for its buffers, or for a buffer
	 * that cannot hold a header.
	 */
	uint64_t drops;
	uint64_t nombuf;           /**< Bursts cut short because the mempool was empty. */
	uint64_t calls;            /**< Interrupts sent to the driver. */
	uint64_t calls_suppressed; /**< Bursts whose interrupt was not wanted or was put off. */
	uint64_t bad_descriptors;  /**< Chains that broke a rule; each stops the queue. */
	uint64_t size_bins[8]; /**< Packets of <64, 64, 65-127, -255, -511, -1023, -1518, larger. */
	uint64_t multicast;    /**< Of packets, those to a multicast address; not broadcast. */
	uint64_t broadcast;    /**< Of packets, those to the broadcast address. */
	/**
	 * Of drops, packets from the driver that are longer than the MTU with an Ethernet header
	 * and two VLAN tags, or than one segment where linear is set. The MTU is the larger one of
	 * the MTU now and the MTU when the driver came up.
	 */
	uint64_t oversize;
	/**
	 * Checksums left to the other side: packets received with RTE_MBUF_F_RX_L4_CKSUM_NONE, or
	 * sent to a driver that accepted VIRTIO_NET_F_GUEST_CSUM.
	 */
	uint64_t csum_passed;
	uint64_t csum_software; /**< Checksums that the polling thread computed. */
	/**
	 * Of drops, packets from the driver whose virtio-net header is wrong, and packets to the
	 * driver whose flags or lengths ask for what is not served.
	 */
	uint64_t bad_offloads;
	uint64_t gso_passed;   /**< Large packets received whole, or sent so to the driver. */
	uint64_t gso_software; /**< Large packets that the polling thread segmented. */
	/**
	 * Packets that were not sent to the driver, because the filters that it set exclude them;
	 * not of drops.
	 */
	uint64_t filtered;
};

/**
 * Creates a network device (section 5.1). A device that a process which died has left, and that a
 * driver still uses, goes on with the queue size, MTU and features that its driver has, and with no
 * fewer pairs than it had, see rte_vduse_net_pairs().
 *
 * Any thread except the control thread, as rte_vduse_dev_create(). On an error one log line says
 * what failed.
 *
 * @param conf
 *   The configuration; copied, apart from watch.
 * @param[out] net
 *   The device; set on success only.
 * @return
 *   0, or
 *   - -EINVAL: a field of conf is out of range, or its size is 0 or too small
 *   - -E2BIG: conf is of a newer release and sets a field that this library does not know
 *   - -ENOTSUP: more than one pair of a VDUSE device without ctrl_queue, or RTE_VDUSE_NET_STEER_RSS
 *     without it; or the kernel refuses the device
 *   - -ENOMEM: no memory left
 *   - -EPROTO: another version of this program wrote the state file of a device to be taken over
 *   - -EBUSY, -EPERM: another process has that state file, or its folder is not private
 *   - another error of rte_vduse_dev_create()
 */
int
rte_vduse_net_create(const struct rte_vduse_net_conf *conf, struct rte_vduse_net **net);

/**
 * Tells the features that a network device of a configuration offers (section 5.1.3). Any thread.
 *
 * @param conf
 *   The configuration; path, mtu, speed, pairs, offloads, features_off, ctrl_queue,
 *   hash_report and steer count.
 * @return
 *   The features; 0, with one log line, where rte_vduse_net_create() refuses the size of conf.
 */
uint64_t
rte_vduse_net_features(const struct rte_vduse_net_conf *conf);

/**
 * Tells whether a network device may have a control queue: ctrl_queue of struct rte_vduse_net_conf.
 * Any thread.
 *
 * @param path
 *   As in the configuration.
 * @return
 *   Whether it may: its path is in /dev/vduse, and the kernel has VDUSE API 1 and accepts it.
 */
bool
rte_vduse_net_may_ctrl_queue(const char *path);

/**
 * Starts a network device. See rte_vduse_dev_start(), also for the thread: any except the control
 * thread.
 *
 * @param net
 *   The device, not started yet.
 * @param attach
 *   The driver to bind it to; of no effect on a vhost-user device.
 * @return
 *   0 or an error of rte_vduse_dev_start().
 */
int
rte_vduse_net_start(struct rte_vduse_net *net, enum rte_vduse_attach attach);

/**
 * Stops a network device and frees it, as rte_vduse_dev_destroy() does. No thread may poll it any
 * more. Any thread except the control thread.
 *
 * @param net
 *   The device; NULL is allowed and does nothing.
 */
void
rte_vduse_net_destroy(struct rte_vduse_net *net);

/**
 * Finds the device that serves a network device. Any thread.
 *
 * @param net
 *   The network device.
 * @return
 *   The device, which the network device owns: not to be started, stopped or destroyed;
 *   rte_vduse_dev_leave() and rte_vduse_dev_hand_over() are allowed.
 */
struct rte_vduse_dev *
rte_vduse_net_dev(struct rte_vduse_net *net);

/**
 * Tells how many queue pairs a network device has: those of its configuration, or more if a process
 * that died left a driver with more. Any thread.
 *
 * @param net
 *   The network device.
 * @return
 *   Queue pairs.
 */
uint16_t
rte_vduse_net_pairs(const struct rte_vduse_net *net);

/**
 * Tells whether a driver is up (DRIVER_OK, section 2.1). Any thread.
 *
 * @param net
 *   The device.
 * @return
 *   Whether one is.
 */
bool
rte_vduse_net_link(const struct rte_vduse_net *net);

/**
 * Sets the link status in the configuration space (VIRTIO_NET_F_STATUS, section 5.1.4); the carrier
 * of the driver follows.
 *
 * Any thread. Not thread-safe with another call that changes the configuration space of the device.
 *
 * @param net
 *   The device.
 * @param up
 *   Whether the link is up.
 * @return
 *   0, or an error of rte_vduse_dev_config_set().
 */
int
rte_vduse_net_set_link(struct rte_vduse_net *net, bool up);

/**
 * Asks the driver to announce itself on the network, as after a migration (VIRTIO_NET_S_ANNOUNCE,
 * section 5.1.6.5.4). Its answer ends the request, as a reset does.
 *
 * Any thread. Not thread-safe with another call that changes the configuration space of the device.
 *
 * @param net
 *   The device.
 * @return
 *   0; -ENOTSUP: no driver is up that accepted VIRTIO_NET_F_GUEST_ANNOUNCE; or an error of
 *   rte_vduse_dev_config_set().
 */
int
rte_vduse_net_announce(struct rte_vduse_net *net);

/**
 * Sets the announced MTU. A driver that is up gets a configuration change notification: an
 * interrupt over VDUSE, a CONFIG_CHANGE message over a socket whose client made a channel for it.
 * The drivers of Linux and DPDK then read the link status only, and keep the MTU that they read when
 * they probed the device. Frames of a driver that came up with a larger one are received until it
 * resets the device. The front end of a socket may have an MTU of its own: QEMU announces host_mtu.
 *
 * Any thread. Not thread-safe with another call that changes the configuration space of the device.
 *
 * @param net
 *   The device.
 * @param mtu
 *   RTE_VDUSE_NET_MTU_MIN to RTE_VDUSE_NET_MTU_MAX, bytes.
 * @return
 *   0; -EINVAL if mtu is smaller than RTE_VDUSE_NET_MTU_MIN; or an error of
 *   rte_vduse_dev_config_set().
 */
int
rte_vduse_net_set_mtu(struct rte_vduse_net *net, uint16_t mtu);

/**
 * Tells what to do with a checksum that the driver left to the device (VIRTIO_NET_F_CSUM): compute
 * it, which is the default, or hand the packet over as it is, with RTE_MBUF_F_RX_L4_CKSUM_NONE and
 * its packet_type. A checksum other than that of TCP or UDP is always computed.
 *
 * Any thread. The burst that is under way may not see it.
 *
 * @param net
 *   The device.
 * @param partial
 *   Whether to hand packets over as they are.
 */
void
rte_vduse_net_set_partial_csum(struct rte_vduse_net *net, bool partial);

/**
 * Tells which large packets of the driver to hand over whole: with RTE_MBUF_F_RX_LRO,
 * RTE_MBUF_F_RX_L4_CKSUM_NONE, tso_segsz and packet_type, and only the pseudo header in its
 * checksum. Others are segmented when they are received, which is the default.
 *
 * Any thread. The burst that is under way may not see it.
 *
 * @param net
 *   The device.
 * @param features
 *   Bits of VIRTIO_NET_F_HOST_TSO4, HOST_TSO6 and HOST_USO, whether they are offered or not.
 */
void
rte_vduse_net_set_rx_gso(struct rte_vduse_net *net, uint64_t features);

/**
 * Sets the MAC address in the configuration space (section 5.1.4). Drivers are notified as by
 * rte_vduse_net_set_mtu(), and those of Linux and DPDK read it when they probe the device only. QEMU
 * and virtio_user have an address of their own.
 * One that a driver sets itself (VIRTIO_NET_F_CTRL_MAC_ADDR) replaces it until the reset.
 *
 * Any thread. Not thread-safe with another call that changes the configuration space of the device.
 *
 * @param net
 *   The device.
 * @param mac
 *   The address; not checked.
 * @return
 *   0, or an error of rte_vduse_dev_config_set().
 */
int
rte_vduse_net_set_mac(struct rte_vduse_net *net, const struct rte_ether_addr *mac);

/**
 * Receives packets that the driver sent. Never blocks. The port field of the mbufs is not set.
 *
 * On pair 0, the first packet of a burst may be a RARP packet that the front end of a vhost-user
 * device asked for (SEND_RARP): it is to be forwarded as if the driver had sent it.
 *
 * One thread per pair at a time.
 *
 * @param net
 *   The device.
 * @param pair
 *   0 to pairs - 1; not checked.
 * @param pool
 *   Pool of the mbufs. A packet that is longer than its data room takes several, unless conf says
 *   linear or extbuf.
 * @param[out] mbufs
 *   Room for nb pointers.
 * @param nb
 *   Most packets to receive.
 * @return
 *   Number of packets received, 0 to nb; 0 also while no driver is up.
 */
uint16_t
rte_vduse_net_rx_burst(struct rte_vduse_net *net, uint16_t pair, struct rte_mempool *pool,
		       struct rte_mbuf **mbufs, uint16_t nb);

/**
 * Sends packets to the driver, and frees those that it sent or dropped. Never blocks.
 *
 * One thread per pair at a time. If the device steers (enum rte_vduse_net_steer), packets go to other
 * pairs, too, and wait a few microseconds for another thread that sends to the same one. Those that
 * cannot be sent, because a pair has no buffers or stays busy, are moved to the end of mbufs, and the
 * others are sent. Packets of a flow stay in order if the rest is sent again before others.
 *
 * @param net
 *   The device.
 * @param pair
 *   0 to pairs - 1; not checked.
 * @param mbufs
 *   The packets.
 * @param nb
 *   Number of packets.
 * @return
 *   Number of packets sent or dropped, 0 to nb; the caller keeps the rest. 0 also while no driver
 *   is up.
 */
uint16_t
rte_vduse_net_tx_burst(struct rte_vduse_net *net, uint16_t pair, struct rte_mbuf **mbufs,
		       uint16_t nb);

/**
 * Sends packets to the driver as rte_vduse_net_tx_burst() does, but frees none: the packets are
 * copied and stay the caller's. They go to that pair, whatever steer of the configuration says. Never
 * blocks.
 *
 * One thread per pair at a time.
 *
 * @param net
 *   The device.
 * @param pair
 *   0 to pairs - 1; not checked.
 * @param mbufs
 *   The packets; not changed.
 * @param nb
 *   Number of packets.
 * @return
 *   Number of packets sent or dropped, 0 to nb.
 */
uint16_t
rte_vduse_net_tx_copy(struct rte_vduse_net *net, uint16_t pair, struct rte_mbuf *const *mbufs,
		      uint16_t nb);

/**
 * Counts buffers of the driver that wait to be filled. The thread that transmits on the pair.
 *
 * @param net
 *   The device.
 * @param pair
 *   0 to pairs - 1; not checked.
 * @return
 *   Number of chains; 0 also while no driver is up.
 */
uint32_t
rte_vduse_net_tx_count(struct rte_vduse_net *net, uint16_t pair);

/**
 * Counts packets of the driver that wait to be received. The thread that receives on the pair.
 *
 * @param net
 *   The device.
 * @param pair
 *   0 to pairs - 1; not checked.
 * @return
 *   Number of chains; 0 also while no driver is up.
 */
uint32_t
rte_vduse_net_rx_count(struct rte_vduse_net *net, uint16_t pair);

/**
 * Enables or disables the driver's notifications of a virtqueue (sections 2.7.10 and 2.8.10). They
 * are disabled when a virtqueue starts. Poll once more after enabling them: the driver may have
 * made buffers available before without a notification.
 *
 * Any thread; waits for the burst that is under way.
 *
 * @param net
 *   The device.
 * @param index
 *   Index of the virtqueue: 2i to the driver, 2i + 1 from the driver.
 * @param enable
 *   Whether the driver is to notify.
 * @return
 *   0, or
 *   - -EINVAL: there is no such virtqueue
 *   - -EAGAIN: it is not running
 *   - -ENOTSUP: enable is set, and the client of the socket gave no kick descriptor: it notifies of
 *     nothing, so poll the virtqueue. One log line for each start of the virtqueue
 */
int
rte_vduse_net_notify(struct rte_vduse_net *net, uint16_t index, bool enable);

/**
 * Copies the counters of one direction of a pair. Any thread.
 *
 * @param net
 *   The device.
 * @param pair
 *   0 to pairs - 1; not checked.
 * @param rx
 *   Whether to copy those of packets from the driver, not those of packets to the driver.
 * @param[out] stats
 *   The counters.
 * @param size
 *   sizeof(*stats), as for rte_vduse_dev_stats().
 */
void
rte_vduse_net_stats(const struct rte_vduse_net *net, uint16_t pair, bool rx,
		    struct rte_vduse_net_stats *stats, size_t size);

/**
 * Zeroes the counters of one direction of a pair. Any thread; a burst that is under way may write
 * some of them again.
 *
 * @param net
 *   The device.
 * @param pair
 *   0 to pairs - 1; not checked.
 * @param rx
 *   Whether to zero those of packets from the driver, not those of packets to the driver.
 */
void
rte_vduse_net_stats_reset(struct rte_vduse_net *net, uint16_t pair, bool rx);

#ifdef __cplusplus
}
#endif

#endif /* RTE_VDUSE_NET_H */
