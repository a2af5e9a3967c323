/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef RTE_VDUSE_BLK_H
#define RTE_VDUSE_BLK_H

/**
 * @file
 * virtio-blk devices served by polling threads, each on a backend that holds the bytes.
 *
 * A device is created on a backend, polled by one thread per queue, started, stopped while it
 * is still polled, and destroyed when it is not polled any more. Threads, errors and NULL are as in
 * rte_vduse.h. Sections are those of the Virtual I/O Device (VIRTIO) specification 1.2.
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

/** Unit of capacities and positions, bytes, whatever the block size (section 5.2.4). */
#define RTE_VDUSE_BLK_SECTOR 512

/** Longest serial number, bytes; at that length it has no closing NUL (section 5.2.6). */
#define RTE_VDUSE_BLK_SERIAL_MAX 20

/** A block device; opaque. */
struct rte_vduse_blk;

/**
 * What a device does with a read, write, DISCARD, WRITE_ZEROES or SECURE_ERASE request that its backend
 * fails with ENOSPC, EDQUOT or EIO. Other errors, and those of flushes, are always reported: what was
 * written before a flush that failed may be lost, and to repeat the flush would hide that.
 *
 * A held request is not finished, and stays in the inflight log: another process that takes the device
 * over submits it again. Reset by the driver, the device forgets it. While one is held, the device
 * starts no request. Holding needs inflight and excludes in_order; over a socket whose front end
 * keeps no requests in flight, errors are reported.
 */
enum rte_vduse_blk_on_error {
	RTE_VDUSE_BLK_ON_ERROR_REPORT, /**< The driver gets VIRTIO_BLK_S_IOERR. */
	RTE_VDUSE_BLK_ON_ERROR_WAIT,   /**< It is held until rte_vduse_blk_go_on(). */
	/** It is held until the device is created again; a reset by the driver does not end that. */
	RTE_VDUSE_BLK_ON_ERROR_STOP,
};

/** Configuration of a block device. Initialise it as struct rte_vduse_dev_conf. */
struct rte_vduse_blk_conf {
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
	bool read_only;           /**< The driver cannot write (VIRTIO_BLK_F_RO). */
	uint16_t queues;          /**< Queues, 1 to RTE_VDUSE_BLK_QUEUES_MAX. */
	uint16_t queue_size; /**< Largest virtqueue, descriptors, a power of two, 4 to 32768. */
	uint32_t block_size; /**< Bytes, a power of two, 512 to 4096; 0: the backend's. */
	const char *serial;  /**< Up to RTE_VDUSE_BLK_SERIAL_MAX characters; NULL: the name. */
	/** "null", "ram", "file", "rbd", "fault", or one that rte_vduse_blk_backend_register() got. */
	const char *backend;
	const char *backend_args; /**< "key=value,..." of rte_vduse_args.h; NULL: none. */
	int socket_id;            /**< NUMA node for memory, or SOCKET_ID_ANY. */
	bool umem;                /**< See struct rte_vduse_dev_conf. */
	bool packed;              /**< Offer packed rings as well (section 2.8). */
	bool in_order;            /**< Offer VIRTIO_F_IN_ORDER: a slow request delays others. */
	/**
	 * Keep an inflight log in a file in /run/vduse, or in the directory that the environment
	 * names in DPDK_VDUSE_RUN_DIR, so that a process that takes over the device from one that
	 * was killed repeats the requests that were in flight, and no others. The client of a
	 * socket keeps the log with VHOST_USER_PROTOCOL_F_INFLIGHT_SHMFD (vhost-user document,
	 * "Inflight I/O tracking"); its driver may then disable the write cache (section 5.2.5),
	 * which no driver over the kernel can.
	 */
	bool inflight;
	uint16_t on_error;                           /**< See enum rte_vduse_blk_on_error. */
	uint64_t iops;                               /**< See struct rte_vduse_blk_rate_limits. */
	uint64_t bps;                                /**< See struct rte_vduse_blk_rate_limits. */
	struct rte_vduse_handover *from;             /**< See struct rte_vduse_dev_conf. */
	const struct vduse_transport_ops *transport; /**< See struct rte_vduse_dev_conf. */
	void *transport_priv;                        /**< See struct rte_vduse_dev_conf. */
};

/**
 * Limits of a block device, which all its queues share. Reads and writes count as one request and
 * with their bytes; DISCARD, WRITE_ZEROES and SECURE_ERASE as one request without bytes; others,
 * such as flushes, are not limited. A request over a limit waits in the ring, and so do those after
 * it in that ring. Up to 10 ms worth of a limit that was not used are saved up. Of a request with
 * more bytes than that, the next ones wait until its time has passed.
 */
struct rte_vduse_blk_rate_limits {
	size_t size;   /**< sizeof() of this structure; it may grow at its end. */
	uint64_t iops; /**< Requests per second; 0: no limit. */
	uint64_t bps;  /**< Bytes per second; 0: no limit. */
};

/** Counters of one queue. A newer library may add some at the end. */
struct rte_vduse_blk_stats {
	uint64_t reads;         /**< Reads finished, with any status. */
	uint64_t writes;        /**< Writes finished, with any status. */
	uint64_t flushes;       /**< Flushes finished, with any status. */
	uint64_t discards;      /**< DISCARD requests finished, with any status. */
	uint64_t write_zeroes;  /**< WRITE_ZEROES requests finished, with any status. */
	uint64_t secure_erases; /**< SECURE_ERASE requests finished, with any status. */
	uint64_t others;        /**< GET_ID requests, and requests of an unknown type. */
	uint64_t read_bytes;    /**< Bytes of reads that succeeded. */
	uint64_t written_bytes; /**< Bytes of writes that succeeded. */
	uint64_t io_errors; /**< Requests that ended with VIRTIO_BLK_S_IOERR: the backend failed. */
	uint64_t bad_requests;     /**< Requests that ended so because they were malformed. */
	uint64_t unsupported;      /**< Requests that ended with VIRTIO_BLK_S_UNSUPP. */
	uint64_t bad_descriptors;  /**< Chains that broke a rule; each stops the queue. */
	uint64_t calls;            /**< Interrupts sent to the driver. */
	uint64_t calls_suppressed; /**< Completions for which the driver wanted no interrupt. */
	uint64_t in_flight;        /**< Requests in flight now. */
	uint64_t limited;          /**< Times that a request had to wait for the device's limits. */
	uint64_t held; /**< Requests held now, not in in_flight: see enum rte_vduse_blk_on_error. */
};

/** Kinds of requests whose latencies are counted. */
enum rte_vduse_blk_latency_kind {
	RTE_VDUSE_BLK_LATENCY_READ,
	RTE_VDUSE_BLK_LATENCY_WRITE,
	RTE_VDUSE_BLK_LATENCY_FLUSH,
	RTE_VDUSE_BLK_LATENCY_RANGES, /**< DISCARD, WRITE_ZEROES and SECURE_ERASE. */
};

/** Number of kinds. */
#define RTE_VDUSE_BLK_LATENCY_KINDS 4

/** Number of buckets of a histogram. */
#define RTE_VDUSE_BLK_LATENCY_BUCKETS 656

/**
 * A histogram of latencies: from the time at which a request is taken from the ring to that at which
 * the poll sees that the backend has finished it, with any status. Requests that are answered without
 * the backend are not counted. A request that a killed process left in flight starts when it is taken
 * again. Times are in cycles of the TSC.
 */
struct rte_vduse_blk_latency {
	uint64_t count;  /**< Requests. */
	uint64_t cycles; /**< Sum of their latencies. */
	uint64_t max;    /**< The longest one. */
	/**
	 * Requests by latency. Each latency below 32 has a bucket. Above, each power of two is
	 * divided into 16 equal buckets. The last bucket also has what is longer than 2^44.
	 */
	uint64_t buckets[RTE_VDUSE_BLK_LATENCY_BUCKETS];
};

/**
 * Opens a backend and creates a block device on it (section 5.2). A device that a process which
 * died has left, and that a driver still uses, goes on with the queues, block size and features
 * that its driver has.
 *
 * Any thread except the control thread, as rte_vduse_dev_create(). On an error one log line says
 * what failed.
 *
 * @param conf
 *   The configuration; copied, with its strings.
 * @param[out] blk
 *   The device; set on success only.
 * @return
 *   0, or
 *   - -EINVAL: a field of conf or an argument of the backend is out of range, or the size of conf
 *     is 0 or too small
 *   - -E2BIG: conf is of a newer release and sets a field that this library does not know
 *   - -ENOTSUP: the kernel refuses the device, or the backend cannot serve it
 *   - -EEXIST: a driver uses the device that exists, and this one cannot serve it
 *   - -EAGAIN, -EBUSY: another process has the backend's image, the device or its state file
 *   - -EPROTO: another version of this program wrote the state file
 *   - -EPERM: no permission, or the folder of the state file is not private
 *   - -ENOMEM, -EMFILE, -ENOSPC: no memory, file descriptor or space for the inflight log left
 *   - another error of the backend (that of open(2) for "file", of librbd for "rbd") or of
 *     rte_vduse_dev_create()
 */
int
rte_vduse_blk_create(const struct rte_vduse_blk_conf *conf, struct rte_vduse_blk **blk);

/**
 * Tells the number of queues to poll: that of conf, unless the device was taken over and its driver
 * has another one. Any thread.
 *
 * @param blk
 *   The device.
 * @return
 *   Number of queues, 1 to RTE_VDUSE_BLK_QUEUES_MAX.
 */
uint16_t
rte_vduse_blk_queues(const struct rte_vduse_blk *blk);

/**
 * Starts a block device. See rte_vduse_dev_start(), also for the thread: any except the control
 * thread. A kernel that probes the device reads from it before this returns, so its queues must be
 * polled already.
 *
 * @param blk
 *   The device, not started yet.
 * @param attach
 *   The driver to bind it to; of no effect on a vhost-user device.
 * @return
 *   0 or an error of rte_vduse_dev_start().
 */
int
rte_vduse_blk_start(struct rte_vduse_blk *blk, enum rte_vduse_attach attach);

/**
 * Takes a block device from its driver, as rte_vduse_dev_stop() does, and finishes requests in
 * flight. Its queues must be polled until it returns. Blocks for as long as the backend does not
 * answer, and over the kernel until requests that it holds have gone on; see rte_vduse_blk_drain().
 * Any thread except the control thread.
 *
 * @param blk
 *   The device.
 */
void
rte_vduse_blk_stop(struct rte_vduse_blk *blk);

/**
 * Waits until the backend has finished all requests in flight, so that rte_vduse_blk_stop() will
 * not block on it. No request is taken meanwhile; the queues must be polled.
 *
 * Any thread except the control thread and those that poll. Not thread-safe: one call at a time.
 *
 * @param blk
 *   The device.
 * @param ms
 *   Longest time to wait, milliseconds.
 * @return
 *   0; or, with one log line, and the device goes on
 *   - -ETIMEDOUT: the backend has not finished
 *   - -EBUSY: the device holds requests; see rte_vduse_blk_go_on()
 */
int
rte_vduse_blk_drain(struct rte_vduse_blk *blk, unsigned int ms);

/**
 * Stops a block device and frees it, as rte_vduse_dev_destroy() does, and closes its backend. No
 * thread may poll it any more. Any thread except the control thread.
 *
 * @param blk
 *   The device; NULL is allowed and does nothing.
 */
void
rte_vduse_blk_destroy(struct rte_vduse_blk *blk);

/**
 * Finds the device that serves a block device. Any thread.
 *
 * @param blk
 *   The block device.
 * @return
 *   The device, which the block device owns: not to be started, stopped or destroyed;
 *   rte_vduse_dev_leave() is allowed.
 */
struct rte_vduse_dev *
rte_vduse_blk_dev(struct rte_vduse_blk *blk);

/**
 * Tells the capacity that the driver sees (section 5.2.4). Any thread.
 *
 * @param blk
 *   The device.
 * @return
 *   Sectors of RTE_VDUSE_BLK_SECTOR bytes.
 */
uint64_t
rte_vduse_blk_capacity(const struct rte_vduse_blk *blk);

/**
 * Reads the size of the backend again and tells the driver (section 5.2.4). If it shrank, requests
 * beyond the new end fail from now on.
 *
 * Any thread. Not thread-safe: one call at a time.
 *
 * @param blk
 *   The device.
 * @return
 *   0, also if the size is the same; a negative errno with which the backend cannot tell its size;
 *   or an error of rte_vduse_dev_config_set(). One log line says what failed.
 */
int
rte_vduse_blk_resize(struct rte_vduse_blk *blk);

/**
 * Hands a block device over to another process, see rte_vduse_dev_hand_over(), also for the thread.
 * If it succeeds, the device has to be destroyed, once no thread polls it. With from in its conf,
 * rte_vduse_blk_create() opens the backend while this process has it; the queues of that device have
 * to be polled before rte_vduse_blk_start().
 *
 * @param blk
 *   The device, started.
 * @param socket
 *   See rte_vduse_dev_hand_over().
 * @param ms
 *   The same.
 * @return
 *   0; -ENOTSUP also if the backend cannot be handed over: "ram", "rbd", or one of another version;
 *   or another error of rte_vduse_dev_hand_over().
 */
int
rte_vduse_blk_hand_over(struct rte_vduse_blk *blk, int socket, unsigned int ms);

/**
 * Changes the limits of a device, at any time; also of requests that wait for them. What was used of
 * the limits before is forgotten.
 *
 * Any thread. Not thread-safe: one call at a time.
 *
 * @param blk
 *   The device.
 * @param limits
 *   The limits, all of them; copied.
 * @return
 *   0, or, with one log line and no change
 *   - -EINVAL: the size of limits is 0 or too small
 *   - -E2BIG: limits is of a newer release and sets a field that this library does not know
 */
int
rte_vduse_blk_limits_set(struct rte_vduse_blk *blk, const struct rte_vduse_blk_rate_limits *limits);

/**
 * Tells whether a device holds requests. Any thread.
 *
 * @param blk
 *   The device.
 * @return
 *   0: no; or the errno, positive, of the first one: see enum rte_vduse_blk_on_error. Their number is
 *   the counter held of struct rte_vduse_blk_stats.
 */
int
rte_vduse_blk_held(const struct rte_vduse_blk *blk);

/**
 * Lets a device with RTE_VDUSE_BLK_ON_ERROR_WAIT that holds requests go on: it submits them to the
 * backend again, in the order in which they were taken from each queue, then takes new ones. Those that
 * fail again are held again. Does nothing if none is held. Does not wait.
 *
 * Any thread; thread-safe.
 *
 * @param blk
 *   The device.
 * @return
 *   0; or -EPERM, with one log line: it was created with RTE_VDUSE_BLK_ON_ERROR_STOP.
 */
int
rte_vduse_blk_go_on(struct rte_vduse_blk *blk);

/**
 * Changes the serial number, which drivers ask for with VIRTIO_BLK_T_GET_ID (section 5.2.6). A driver
 * that has asked before is not told of it. The process that starts next, or that the device is handed
 * over to, has the one of its own conf.
 *
 * Any thread except one that polls. Not thread-safe for one device: the caller serialises calls.
 *
 * @param blk
 *   The device.
 * @param serial
 *   1 to RTE_VDUSE_BLK_SERIAL_MAX printable ASCII characters, without a blank at either end. Copied.
 * @return
 *   - 0: requests that are taken from now on are answered with it
 *   - -EINVAL: another length or character; the number stays, and the log has a line
 */
int
rte_vduse_blk_serial_set(struct rte_vduse_blk *blk, const char *serial);

/**
 * Takes new requests of a queue, submits them to the backend, and completes finished ones, in any
 * order unless VIRTIO_F_IN_ORDER was accepted. Never blocks; makes no system call when there is
 * nothing to do.
 *
 * One thread per queue at a time.
 *
 * @param blk
 *   The device.
 * @param queue
 *   0 to rte_vduse_blk_queues() - 1; not checked.
 * @return
 *   Number of requests taken plus requests completed; 0 if it was idle or no driver is up.
 */
unsigned int
rte_vduse_blk_poll(struct rte_vduse_blk *blk, uint16_t queue);

/** Of rte_vduse_blk_sleep(): the thread has to poll the queue. */
#define RTE_VDUSE_BLK_AWAKE UINT64_C(0)
/** Of rte_vduse_blk_sleep(): the thread may sleep until the eventfd of the queue is signalled. */
#define RTE_VDUSE_BLK_SIGNALLED UINT64_MAX

/**
 * Tells an eventfd that wakes a thread which sleeps instead of polling a queue. See
 * rte_vduse_blk_sleep(). It is the same one until the device is destroyed, whatever drivers come
 * and go.
 *
 * Any thread.
 *
 * @param blk
 *   The device.
 * @param queue
 *   0 to rte_vduse_blk_queues() - 1; not checked.
 * @return
 *   The eventfd, which the library owns and which does not block; or a negative errno of
 *   eventfd(2), with one log line.
 */
int
rte_vduse_blk_wake_fd(struct rte_vduse_blk *blk, uint16_t queue);

/**
 * Makes what rte_vduse_blk_wake_fd() is signalled for events of an epoll instance, edge-triggered and
 * without a read: see rte_vduse_vq_wake_epoll(). It is the faster way for vhost-user clients.
 *
 * Any thread, one at a time for a queue; not the one that polls it.
 *
 * @param blk
 *   The device.
 * @param queue
 *   0 to rte_vduse_blk_queues() - 1; not checked.
 * @param epoll_fd
 *   The instance, or -1: none any more, before it is closed or the device is destroyed.
 * @param ptr
 *   The data of the events (data.ptr); unused with -1.
 * @return
 *   0; or a negative errno of eventfd(2) or epoll_ctl(2), with one log line.
 */
int
rte_vduse_blk_wake_epoll(struct rte_vduse_blk *blk, uint16_t queue, int epoll_fd, void *ptr);

/**
 * Prepares a queue for the sleep of the thread that polls it: enables notifications of the driver
 * and, for requests in flight, signals of the backend; then looks once more whether there is
 * something to do. Makes at most a few system calls, and only for requests in flight. A poll that
 * finds something to do disables both, so nothing else ends the sleep of a queue.
 *
 * A thread asks all of its queues, after it found all of them idle for a while, and sleeps if none
 * has to be polled:
 *
 * @code
 * until = RTE_VDUSE_BLK_SIGNALLED;
 * for (i = 0; i < nb && until != RTE_VDUSE_BLK_AWAKE; i++)
 *         until = RTE_MIN(until, rte_vduse_blk_sleep(queues[i].blk, queues[i].index));
 * if (until != RTE_VDUSE_BLK_AWAKE)
 *         nb_events = epoll_wait(epoll_fd, events, max, milliseconds_to(until));
 * for (i = 0; i < nb_events; i++)
 *         eventfd_read(events[i].data.fd, &value);
 * // Now poll all queues again.
 * @endcode
 *
 * epoll_fd holds the rte_vduse_blk_wake_fd() of each queue, level-triggered (EPOLLIN). An eventfd
 * is read before its queue is polled, never between this function and epoll_wait(). With
 * rte_vduse_blk_wake_epoll() nothing is read. The thread holds no lock while it sleeps.
 *
 * It has to poll if requests are available or wait for something that is not signalled, if requests
 * are in flight in a backend without channel_sleep (struct rte_vduse_blk_backend_ops), while another
 * thread looks at the queue, and if rte_vduse_blk_wake_fd() was not called. It may sleep if no
 * driver is up, and while the control thread stops the queue or changes its memory: the eventfd is
 * signalled when the queue runs again.
 *
 * The thread that polls the queue.
 *
 * @param blk
 *   The device.
 * @param queue
 *   0 to rte_vduse_blk_queues() - 1; not checked.
 * @return
 *   RTE_VDUSE_BLK_AWAKE; or the value of rte_get_tsc_cycles() at which the queue has to be polled
 *   if its eventfd is not signalled before; or RTE_VDUSE_BLK_SIGNALLED.
 */
uint64_t
rte_vduse_blk_sleep(struct rte_vduse_blk *blk, uint16_t queue);

/**
 * Asks whether a thread that goes on polling other queues may leave this one out until its eventfd is
 * signalled: as rte_vduse_blk_sleep() says RTE_VDUSE_BLK_SIGNALLED, if no request is in flight
 * either. So a thread with many queues polls only those that work, and looks at its epoll instance
 * from time to time: that bounds how long the first request of another queue waits.
 *
 * The thread that polls the queue.
 *
 * @param blk
 *   The device.
 * @param queue
 *   0 to rte_vduse_blk_queues() - 1; not checked.
 * @return
 *   Whether it needs no poll before its eventfd is signalled. false: poll it on.
 */
bool
rte_vduse_blk_park(struct rte_vduse_blk *blk, uint16_t queue);

/**
 * Copies the counters of a queue. Any thread.
 *
 * @param blk
 *   The device.
 * @param queue
 *   0 to rte_vduse_blk_queues() - 1; not checked.
 * @param[out] stats
 *   The counters.
 * @param size
 *   sizeof(*stats), as for rte_vduse_dev_stats().
 */
void
rte_vduse_blk_stats(const struct rte_vduse_blk *blk, uint16_t queue,
		    struct rte_vduse_blk_stats *stats, size_t size);

/**
 * Copies a histogram of a queue. Requests that finish meanwhile may be in some of its counters only.
 * Any thread.
 *
 * @param blk
 *   The device.
 * @param queue
 *   0 to rte_vduse_blk_queues() - 1.
 * @param kind
 *   The kind of requests.
 * @param[out] latency
 *   The histogram.
 * @param size
 *   sizeof(*latency), as for rte_vduse_dev_stats().
 * @return
 *   0; or -EINVAL: no such queue or kind.
 */
int
rte_vduse_blk_latency(const struct rte_vduse_blk *blk, uint16_t queue,
		      enum rte_vduse_blk_latency_kind kind, struct rte_vduse_blk_latency *latency,
		      size_t size);

/**
 * Computes a percentile of a histogram. Any thread.
 *
 * @param latency
 *   The histogram; histograms may be added, counter by counter, except for max.
 * @param share
 *   Share of the requests, 0 to 1: 0.99 for the 99th percentile. Values beyond are taken as 0 or 1.
 * @return
 *   The latency that this share of the requests did not exceed, nanoseconds; rounded up by at most
 *   1/16, and not above max. 0 if there is no request.
 */
uint64_t
rte_vduse_blk_latency_ns(const struct rte_vduse_blk_latency *latency, double share);

/**
 * Computes the mean of a histogram. Any thread.
 *
 * @param latency
 *   The histogram.
 * @return
 *   The mean latency, nanoseconds; 0 if there is no request.
 */
uint64_t
rte_vduse_blk_latency_mean_ns(const struct rte_vduse_blk_latency *latency);

#ifdef __cplusplus
}
#endif

#endif /* RTE_VDUSE_BLK_H */
