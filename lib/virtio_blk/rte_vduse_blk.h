/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef RTE_VDUSE_BLK_H
#define RTE_VDUSE_BLK_H

/**
 * @file
 * virtio-blk devices served by polling threads, each on a backend that holds the bytes.
 *
 * A device is created on a backend, polled by one thread per queue, started, stopped while it
 * is still polled, and destroyed when it is not any more. Sections are those of the Virtual
 * I/O Device (VIRTIO) specification 1.2.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_vduse.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Most queues of a device. */
#define RTE_VDUSE_BLK_QUEUES_MAX 1024

/** What capacities and positions count in, bytes, whatever the block size (section 5.2.4). */
#define RTE_VDUSE_BLK_SECTOR 512

/** Longest serial number, which has no closing NUL then (section 5.2.6). */
#define RTE_VDUSE_BLK_SERIAL_MAX 20

struct rte_vduse_blk;

/** What a block device is made of. */
struct rte_vduse_blk_conf {
	size_t size;      /**< See struct rte_vduse_dev_conf: sizeof() of this structure. */
	const char *path; /**< /dev/vduse/NAME, or of a vhost-user socket. */
	bool client;      /**< Connect to that socket instead of making it. */
	/** Take memory of that socket's clients in any file. By default only memfd, tmpfs and
	 * hugetlbfs: a file system whose server does not answer would block all devices.
	 */
	bool any_memory;
	uint64_t memory_limit;    /**< See struct rte_vduse_dev_conf. */
	uint32_t socket_mode;     /**< See struct rte_vduse_dev_conf. */
	const char *socket_group; /**< See struct rte_vduse_dev_conf. */
	const char *name;         /**< See struct rte_vduse_dev_conf. */
	bool read_only;           /**< Nothing can be written. */
	uint16_t queues;          /**< Queues, 1 to RTE_VDUSE_BLK_QUEUES_MAX. */
	uint16_t queue_size;      /**< Descriptors, a power of two, 4 to 32768. */
	uint32_t block_size; /**< Logical block, a power of two, 512 to 4096; 0: the backend's. */
	const char *serial;  /**< Up to RTE_VDUSE_BLK_SERIAL_MAX characters; NULL: the name. */
	/** "null", "ram", "file", "rbd", "fault", or one that rte_vduse_blk_backend_register() got. */
	const char *backend;
	const char *backend_args; /**< "key=value,..." of rte_vduse_args.h; NULL: none. */
	int socket_id;            /**< NUMA node for memory, or SOCKET_ID_ANY. */
	bool umem;                /**< See struct rte_vduse_dev_conf. */
	bool packed;              /**< Offer packed rings, too (section 2.8). */
	bool in_order; /**< Offer to finish requests in order: a slow one delays others. */
	/**
	 * Log what is in flight in a file of /run/vduse (or of DPDK_VDUSE_RUN_DIR), so that a
	 * process that takes the device over from one that was killed does all of it, and nothing
	 * that the driver knows to be done. Drivers on a socket have to keep the memory that
	 * VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD gives them; they may then switch the write cache
	 * off (section 5.2.5), which no driver of a kernel may.
	 */
	bool inflight;
	const struct vduse_transport_ops *transport; /**< See struct rte_vduse_dev_conf. */
	void *transport_priv;                        /**< See struct rte_vduse_dev_conf. */
};

/** Counters of one queue. Written by the thread that polls it. */
struct rte_vduse_blk_stats {
	uint64_t reads;            /**< Reads done, whatever their status. */
	uint64_t writes;           /**< Writes done, like reads. */
	uint64_t flushes;          /**< Flushes done, like reads. */
	uint64_t discards;         /**< DISCARD requests done, like reads. */
	uint64_t write_zeroes;     /**< WRITE_ZEROES requests done, like reads. */
	uint64_t secure_erases;    /**< SECURE_ERASE requests done, like reads. */
	uint64_t others;           /**< Identifications, and requests of no known kind. */
	uint64_t read_bytes;       /**< Of reads that succeeded. */
	uint64_t written_bytes;    /**< Of writes that succeeded. */
	uint64_t io_errors;        /**< Answered VIRTIO_BLK_S_IOERR because the backend failed. */
	uint64_t bad_requests;     /**< Answered so because the driver asked for nonsense. */
	uint64_t unsupported;      /**< Answered VIRTIO_BLK_S_UNSUPP. */
	uint64_t bad_descriptors;  /**< Chains that broke the rules; each stops the queue. */
	uint64_t calls;            /**< Interrupts sent to the driver. */
	uint64_t calls_suppressed; /**< Completions for which the driver wanted none. */
	uint64_t in_flight;        /**< Requests that are being worked on now. */
};

/**
 * Opens the backend and creates a block device on it (rte_vduse_dev_create() says more). Any
 * thread but the control thread.
 *
 * @return 0; -EINVAL for a wrong argument; what opening the backend, the log or
 *   rte_vduse_dev_create() returns. One log line.
 */
int
rte_vduse_blk_create(const struct rte_vduse_blk_conf *conf, struct rte_vduse_blk **blk);

/**
 * @return the queues to poll: as many as were asked for, unless the driver of a device that a dead
 *   process left has another number. Any thread.
 */
uint16_t
rte_vduse_blk_queues(const struct rte_vduse_blk *blk);

/**
 * Starts the device: see rte_vduse_dev_start(). A kernel that is given the device reads from
 * it before it answers, so its queues must be polled already.
 */
int
rte_vduse_blk_start(struct rte_vduse_blk *blk, enum rte_vduse_attach attach);

/**
 * Takes the device from its driver: see rte_vduse_dev_stop(). Its queues must be polled until
 * this returns. What is in flight is finished before it does.
 */
void
rte_vduse_blk_stop(struct rte_vduse_blk *blk);

/**
 * Waits until the backend has finished what is in flight; no request is taken meanwhile, but the
 * queues must be polled. So an application learns whether it may stop a device without waiting for
 * a backend that does not answer: stopping one waits for ever. Any thread but the control thread,
 * one at a time.
 *
 * @return 0, or -ETIMEDOUT after ms milliseconds, with one log line. The device then goes on.
 */
int
rte_vduse_blk_drain(struct rte_vduse_blk *blk, unsigned int ms);

/** Removes the device, which nobody polls any more, and closes its backend. May be NULL. */
void
rte_vduse_blk_destroy(struct rte_vduse_blk *blk);

/** @return the device below. Any thread. */
struct rte_vduse_dev *
rte_vduse_blk_dev(struct rte_vduse_blk *blk);

/** @return the capacity in sectors of RTE_VDUSE_BLK_SECTOR bytes. Any thread. */
uint64_t
rte_vduse_blk_capacity(const struct rte_vduse_blk *blk);

/**
 * Looks how large the backend is now and tells the driver (section 5.2.4). Requests behind a
 * new, smaller end fail from now on. Any thread but one at a time.
 * @return 0 or a negative errno.
 */
int
rte_vduse_blk_resize(struct rte_vduse_blk *blk);

/**
 * Takes new requests of a queue, hands them to the backend, and gives finished ones back to
 * the driver, in whichever order they finish. One thread per queue at a time; never blocks;
 * makes no system call when there is nothing to do.
 *
 * @param blk
 *   The device.
 * @param queue
 *   0 to queues - 1; not checked.
 * @return requests taken and given back: 0 says that it was idle, or that no driver is up.
 */
unsigned int
rte_vduse_blk_poll(struct rte_vduse_blk *blk, uint16_t queue);

/** Copies the counters of a queue. Any thread. */
void
rte_vduse_blk_stats(const struct rte_vduse_blk *blk, uint16_t queue,
		    struct rte_vduse_blk_stats *stats, size_t size);

#ifdef __cplusplus
}
#endif

#endif /* RTE_VDUSE_BLK_H */
