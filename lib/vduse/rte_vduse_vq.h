/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef RTE_VDUSE_VQ_H
#define RTE_VDUSE_VQ_H

/**
 * @file
 * Virtqueues of a device: bursts of chains, and the driver memory that they point to.
 *
 * Included by rte_vduse.h, which says how threads, memory and errors are handled. Sections are
 * those of the Virtual I/O Device (VIRTIO) specification 1.2.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_vduse_chain.h>

#ifdef __cplusplus
extern "C" {
#endif

/** One virtqueue of a device; opaque, valid as long as its device. */
struct rte_vduse_vq;

/** State of a virtqueue. */
enum rte_vduse_vq_state {
	RTE_VDUSE_VQ_IDLE,      /**< The driver has not made it ready. */
	RTE_VDUSE_VQ_RUNNING,   /**< The device polls it. */
	RTE_VDUSE_VQ_WAITING,   /**< Stalled; the control thread resolves an unmapped address. */
	RTE_VDUSE_VQ_SUSPENDED, /**< No region holds its rings, or the driver suspended the device. */
	RTE_VDUSE_VQ_ERROR,     /**< The driver broke a rule; stopped until it resets the device. */
};

/** Addresses, size and position of a virtqueue, given to the device type at its start. */
struct rte_vduse_vq_info {
	uint64_t desc;     /**< Descriptor area (section 2.6), an iova. */
	uint64_t driver;   /**< Driver area (avail ring), an iova. */
	uint64_t device;   /**< Device area (used ring), an iova. */
	uint64_t features; /**< Features that the driver accepted (section 2.2). */
	uint32_t size;     /**< Descriptors, 1 to 32768. */
	/**
	 * Where the device goes on. Split: the next avail index to look at. Packed: the next
	 * descriptor to look at in bits 0 to 14 with its wrap counter in bit 15, and the next one
	 * to be marked used in bits 16 to 30 with its wrap counter in bit 31 (section 2.8.1).
	 */
	uint32_t position;
	/**
	 * A process that died had started it: the driver is still up, and the chains that were
	 * in flight then are in flight now.
	 */
	bool resumed;
	/**
	 * Cookie of the ring: two starts with the same one that is not 0 are of the same ring,
	 * whichever processes made them. 0: not known.
	 */
	uint64_t life;
};

/** A range of driver memory that is contiguous in this process. */
struct rte_vduse_region {
	uint64_t first; /**< First iova. */
	uint64_t last;  /**< Last iova, inclusive. */
	uint8_t *va;    /**< Address in this process at which first is mapped. */
	bool readable;  /**< The device may read the range. */
	bool writable;  /**< The device may write the range. */
	/**
	 * Its pages may be pinned for as long as the region is in force. True for memory that the
	 * kernel shows: bounce memory keeps its pages, and users of vhost_vdpa expect it to pin
	 * memory. False over a socket: the client may replace pages at any time.
	 */
	bool pinnable;
};

/**
 * Finds the region that holds an iova.
 *
 * The polling thread, between rte_vduse_vq_enter() and rte_vduse_vq_leave(), or the control thread
 * in a callback of the virtqueue.
 *
 * @param vq
 *   The virtqueue.
 * @param iova
 *   The address.
 * @return
 *   The region, valid until rte_vduse_vq_leave() or the end of the callback; NULL if no region
 *   holds the address or the driver truncated its memory.
 */
const struct rte_vduse_region *
rte_vduse_vq_lookup(const struct rte_vduse_vq *vq, uint64_t iova);

/**
 * Interrupts the driver, with one system call. If the driver made those slow, or the control thread
 * is interrupting the driver, the control thread makes them instead, and the result is 0.
 *
 * The polling thread.
 *
 * @param vq
 *   The virtqueue.
 * @return
 *   0; -EINVAL while the driver is not up or has no call descriptor; or the negative errno of the
 *   system call.
 */
int
rte_vduse_vq_call(struct rte_vduse_vq *vq);

/**
 * Reports that no region permits the access to an address. The virtqueue stalls until the control
 * thread has read the regions again. It then runs on, or is in the error state.
 *
 * The polling thread, between rte_vduse_vq_enter() and rte_vduse_vq_leave().
 *
 * @param vq
 *   The virtqueue.
 * @param iova
 *   The address.
 * @param write
 *   Whether the access is a write.
 */
void
rte_vduse_vq_miss(struct rte_vduse_vq *vq, uint64_t iova, bool write);

/**
 * Puts a virtqueue into the error state: it is not polled until the driver resets the device. Logs
 * one line.
 *
 * The polling thread, between rte_vduse_vq_enter() and rte_vduse_vq_leave().
 *
 * @param vq
 *   The virtqueue.
 * @param why
 *   The rule that the driver broke, for the log line.
 * @param value
 *   The value that broke it, for the log line.
 */
void
rte_vduse_vq_fail(struct rte_vduse_vq *vq, const char *why, uint64_t value);

/**
 * Begins a burst. Takes a lock without contention; makes no system call. Does not wait: fails while
 * another thread is in a burst of the virtqueue or the control thread changes it.
 *
 * Any thread, which then is the polling thread until rte_vduse_vq_leave().
 *
 * @param vq
 *   The virtqueue.
 * @return
 *   Whether the burst began. If so, rte_vduse_vq_leave() must follow.
 */
bool
rte_vduse_vq_enter(struct rte_vduse_vq *vq);

/**
 * Ends a burst. The polling thread: the one that began it.
 *
 * @param vq
 *   The virtqueue.
 */
void
rte_vduse_vq_leave(struct rte_vduse_vq *vq);

/**
 * Takes chains that the driver made available (sections 2.7.6 and 2.8). At a chain that is
 * faulty, or whose memory is not mapped, it stops; rte_vduse_vq_flush() handles that.
 *
 * The polling thread, between rte_vduse_vq_enter() and rte_vduse_vq_leave().
 *
 * @param vq
 *   The virtqueue.
 * @param[out] chains
 *   Room for nb chains.
 * @param nb
 *   Most chains to take; of more than RTE_VDUSE_BURST_MAX it takes that many.
 * @return
 *   Number of chains taken, 0 to nb. Fewer than nb if no more are available, if the next one
 *   cannot be taken, or if those taken were long to read.
 */
uint16_t
rte_vduse_vq_dequeue(struct rte_vduse_vq *vq, struct rte_vduse_chain *chains, uint16_t nb);

/**
 * Gives chains back, as if they had not been taken.
 *
 * The polling thread, between rte_vduse_vq_enter() and rte_vduse_vq_leave(), in the burst in which
 * they were taken.
 *
 * @param vq
 *   The virtqueue.
 * @param chains
 *   The chains taken last, in the order in which they were taken.
 * @param nb
 *   Number of chains.
 */
void
rte_vduse_vq_requeue(struct rte_vduse_vq *vq, const struct rte_vduse_chain *chains, uint16_t nb);

/**
 * Marks chains as used (sections 2.7.8 and 2.8), with used_len bytes written to each. The driver
 * sees them after rte_vduse_vq_flush().
 *
 * The polling thread, between rte_vduse_vq_enter() and rte_vduse_vq_leave().
 *
 * @param vq
 *   The virtqueue.
 * @param chains
 *   Chains that were taken and not given back; with VIRTIO_F_IN_ORDER in the order in which they
 *   were taken.
 * @param nb
 *   Number of chains.
 */
void
rte_vduse_vq_enqueue(struct rte_vduse_vq *vq, const struct rte_vduse_chain *chains, uint16_t nb);

/**
 * Says that driver memory was written, for a front end that migrates the driver (a vhost-user
 * socket with VHOST_F_LOG_ALL). rte_vduse_vq_enqueue() does that for the pieces of chains, so only
 * a device type needs it that uses chains after they are valid: it sets bufs to NULL in those, and
 * calls this function for what it wrote, once it is written and before it uses the chain.
 *
 * The polling thread, between rte_vduse_vq_enter() and rte_vduse_vq_leave().
 *
 * @param vq
 *   The virtqueue.
 * @param va
 *   Address in this process, as of a piece.
 * @param len
 *   Length in bytes.
 */
void
rte_vduse_vq_written(struct rte_vduse_vq *vq, const void *va, uint32_t len);

/**
 * Shows used chains to the driver, interrupts it if it wants that (sections 2.7.7 and 2.8.10), and
 * handles the fault that stopped rte_vduse_vq_dequeue(): a miss stalls the virtqueue, a broken rule
 * puts it into the error state.
 *
 * The polling thread, at the end of each burst, before rte_vduse_vq_leave().
 *
 * @param vq
 *   The virtqueue.
 * @return
 *   Whether the driver was interrupted.
 */
bool
rte_vduse_vq_flush(struct rte_vduse_vq *vq);

/**
 * Counts chains that the driver made available and that were not taken.
 *
 * The polling thread, between rte_vduse_vq_enter() and rte_vduse_vq_leave().
 *
 * @param vq
 *   The virtqueue.
 * @return
 *   Number of chains, 0 to the size of the virtqueue.
 */
uint32_t
rte_vduse_vq_count(struct rte_vduse_vq *vq);

/**
 * Tells the index of a virtqueue in its device. Any thread.
 *
 * @param vq
 *   The virtqueue.
 * @return
 *   Its index, starting at 0.
 */
uint16_t
rte_vduse_vq_index(const struct rte_vduse_vq *vq);

/**
 * Tells the eventfd that the driver's notifications go to. The control thread, in a callback of the
 * virtqueue.
 *
 * @param vq
 *   The virtqueue.
 * @return
 *   The eventfd, which the library owns and closes after vq_stop; -1 while the virtqueue is not
 *   ready.
 */
int
rte_vduse_vq_kick_fd(const struct rte_vduse_vq *vq);

/**
 * Tells an eventfd for a thread that sleeps until there is something to poll. The first call opens
 * it; it is the same one until the device is destroyed, whatever drivers come and go. It is
 * signalled at each notification of the driver, and whenever the virtqueue starts or runs on after
 * a change: notifications are then disabled or could not be enabled, so that the thread has to
 * enable them and poll again.
 *
 * Any thread; not within a burst of the virtqueue, nor in a callback of it.
 *
 * @param vq
 *   The virtqueue.
 * @return
 *   The eventfd, which the library owns and which does not block; or a negative errno, with one
 *   log line.
 */
int
rte_vduse_vq_wake_fd(struct rte_vduse_vq *vq);

/**
 * Makes what rte_vduse_vq_wake_fd() is signalled for events of an epoll instance, edge-triggered
 * (EPOLLIN), without a read. For a vhost-user client this spares each wake-up the way through the
 * control thread. Other files may be in the same instance.
 *
 * Any thread, one at a time for a virtqueue; not within a burst of it, nor in a callback.
 *
 * @param vq
 *   The virtqueue.
 * @param epoll_fd
 *   The instance, which replaces an earlier one, or -1: none any more. The caller keeps it, and calls
 *   with -1 before it closes it or destroys the device.
 * @param ptr
 *   The data of the events (data.ptr); unused with -1.
 * @return
 *   0; or a negative errno of eventfd(2) or epoll_ctl(2), with one log line: there are no events.
 */
int
rte_vduse_vq_wake_epoll(struct rte_vduse_vq *vq, int epoll_fd, void *ptr);

/** Counters of a virtqueue. A newer library may add some at the end. */
struct rte_vduse_vq_stats {
	uint64_t misses;               /**< Addresses that the control thread had to resolve. */
	uint64_t faults;               /**< Times that it entered the error state. */
	enum rte_vduse_vq_state state; /**< Its state now. */
};

/**
 * Copies the counters of a virtqueue. Any thread.
 *
 * @param vq
 *   The virtqueue.
 * @param[out] stats
 *   Its counters.
 * @param size
 *   sizeof(*stats), as for rte_vduse_dev_stats().
 */
void
rte_vduse_vq_stats(const struct rte_vduse_vq *vq, struct rte_vduse_vq_stats *stats, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* RTE_VDUSE_VQ_H */
