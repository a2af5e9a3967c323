/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef RTE_VDUSE_H
#define RTE_VDUSE_H

/**
 * @file
 * VDUSE devices: virtio devices whose device side is this process.
 *
 * A device is created, given virtqueues and shown to the kernel. One control thread per
 * process answers the kernel's messages and calls the device type (network, block) back when
 * a virtqueue may be polled and when it may not be any more. Polling threads bracket each
 * burst with rte_vduse_vq_enter() and rte_vduse_vq_leave(); between the two nothing that they
 * reach through the virtqueue is unmapped.
 *
 * Driver memory and threads. A driver may truncate a file of its memory at any time. SIGBUS is
 * handled for the regions in force, whichever thread touches them: that thread goes on with zeroed
 * memory that the driver does not see, and every virtqueue of the device stops at its next
 * rte_vduse_vq_enter(). A thread that does not poll (of a storage library, or of an application
 * that serves rings itself) may access a region until the callback that takes it away returns:
 * vq_drain, vq_memory, vq_remap or vq_stop. It must not keep an address longer, and must not take what it
 * reads for the driver's data once rte_vduse_vq_enter() fails. No thread may access a region with
 * SIGBUS blocked: the kernel then ends the process.
 *
 * The handler of SIGBUS is installed with the first device. Faults elsewhere and signals that a
 * process sent go to the handler that was there before. An application that installs one later
 * must call the one that it replaces. EAL replaces it while it takes huge pages, and does not call
 * it: a driver that truncates its memory meanwhile can end the process. Let EAL take all of its
 * memory before the first device is started: -m or --numa-mem. With --legacy-mem it takes none
 * later.
 *
 * Sections named below are those of the Virtual I/O Device (VIRTIO) specification 1.2.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_common.h>
#include <rte_vduse_chain.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Where the kernel shows VDUSE devices. */
#define RTE_VDUSE_PATH "/dev/vduse/"

/** Longest device name, with its closing NUL. */
#define RTE_VDUSE_NAME_MAX 64

/** Longest path of a vhost-user socket, with its closing NUL. */
#define RTE_VDUSE_SOCKET_MAX 108

/** What the path of a device is, for error messages. */
#define RTE_VDUSE_PATH_USAGE                                                                       \
	RTE_VDUSE_PATH                                                                             \
	"NAME, where NAME is 1 to 63 letters, digits, '.', '_' or '-', and not "                   \
	"\"control\"; or the path of a vhost-user socket, with a '/' and up to 107 "               \
	"characters"

/** Which in-kernel user a device is given to when it starts. */
enum rte_vduse_attach {
	RTE_VDUSE_ATTACH_NONE,   /**< None: somebody else runs "vdpa dev add". */
	RTE_VDUSE_ATTACH_VIRTIO, /**< virtio_vdpa: a device of this kernel. */
	RTE_VDUSE_ATTACH_VHOST,  /**< vhost_vdpa: /dev/vhost-vdpa-N, for a VM or a process. */
};

/** What a virtqueue is doing. */
enum rte_vduse_vq_state {
	RTE_VDUSE_VQ_IDLE,      /**< The driver has not made it ready. */
	RTE_VDUSE_VQ_RUNNING,   /**< It may be polled. */
	RTE_VDUSE_VQ_WAITING,   /**< An address missed: the control thread looks for it. */
	RTE_VDUSE_VQ_SUSPENDED, /**< Its rings are in no region that exists. */
	RTE_VDUSE_VQ_ERROR,     /**< The driver broke the rules; until it resets the device. */
};

struct vduse_transport_ops;
struct rte_vduse_dev;

/** One virtqueue of a device. */
struct rte_vduse_vq;

/** Where a virtqueue lies and where to go on in it, told to the device type at its start. */
struct rte_vduse_vq_info {
	uint64_t desc;     /**< Descriptor area, an iova. */
	uint64_t driver;   /**< Driver area (avail ring), an iova. */
	uint64_t device;   /**< Device area (used ring), an iova. */
	uint64_t features; /**< What the driver accepted. */
	uint32_t size;     /**< Descriptors, 1 to 32768. */
	/**
	 * Where the device goes on. Split: the next avail index to look at. Packed: the next
	 * descriptor to look at in bits 0 to 14 with its wrap counter in bit 15, and the next one
	 * to be marked used in bits 16 to 30 with its wrap counter in bit 31 (section 2.8.1).
	 */
	uint32_t position;
	/**
	 * A process that is dead had started it: the driver is still up, and what was in flight
	 * then is in flight now.
	 */
	bool resumed;
	/**
	 * Not 0: a start with the same number goes on with the same ring, whichever process was
	 * there last. 0: such a start cannot be told from another.
	 */
	uint64_t life;
};

/** A stretch of the driver's memory that is contiguous in ours. */
struct rte_vduse_region {
	uint64_t first; /**< First iova. */
	uint64_t last;  /**< Last iova, inclusive. */
	uint8_t *va;    /**< Where first is mapped. */
	bool readable;  /**< The device may read it. */
	bool writable;  /**< The device may write it. */
	/**
	 * Its pages may be pinned for as long as the region is in force. Nobody puts other ones
	 * into bounce memory, and who shows memory to vhost_vdpa knows that it pins what it is
	 * shown for most devices. Memory shown over a socket may get others at any time.
	 */
	bool pinnable;
};

/**
 * What a device type does when its virtqueues come and go. All are called on the control
 * thread, which holds no lock but that of the virtqueue given.
 */
struct rte_vduse_dev_ops {
	/**
	 * A virtqueue became ready, and its rings are mapped. No poller is in a burst. Returns 0
	 * or a negative errno, which puts the virtqueue into the error state. Where vq_remap is
	 * given the rings are not looked for; -EFAULT then says that they are not mapped: it is
	 * tried again when the memory changes.
	 */
	int (*vq_start)(struct rte_vduse_vq *vq, const struct rte_vduse_vq_info *info, void *arg);
	/** The regions changed: forget addresses. May be NULL. */
	void (*vq_memory)(struct rte_vduse_vq *vq, void *arg);
	/**
	 * For applications that serve rings themselves, in place of rte_vduse_vq_dequeue() and
	 * the rest: the regions changed, find the rings again. 0 or -EFAULT. NULL for all others.
	 */
	int (*vq_remap)(struct rte_vduse_vq *vq, void *arg);
	/**
	 * The regions are about to change, or the virtqueue is about to stop: requests in flight
	 * may hold addresses of the driver's memory. Looks for what is finished of them, without
	 * waiting; no poller is in a burst or comes. Called again until nothing is left, in
	 * whatever state; vq_memory or vq_stop follows. May be NULL, for device types that keep no
	 * address between two bursts.
	 *
	 * @param stop
	 *   The driver resets the device, or is gone: what has not begun may fail.
	 * @return
	 *   Requests left.
	 */
	unsigned int (*vq_drain)(struct rte_vduse_vq *vq, bool stop, void *arg);
	/**
	 * The virtqueue may not be polled any more. No poller is in a burst, and vq_drain left
	 * nothing in flight. After it returns, the device must not access driver memory. Also
	 * called for one that vq_start was not called for, since its rings were never mapped.
	 */
	void (*vq_stop)(struct rte_vduse_vq *vq, void *arg);
	/**
	 * With vq_remap: where the device goes on, as in struct rte_vduse_vq_info, for
	 * VDUSE_GET_VQ_STATE.
	 */
	uint32_t (*vq_position)(struct rte_vduse_vq *vq, void *arg);
	/** The regions were replaced and every virtqueue told of it. May be NULL. */
	void (*memory)(struct rte_vduse_dev *dev, void *arg);
	/** The device status (section 2.1) became this. May be NULL. */
	void (*status)(struct rte_vduse_dev *dev, uint8_t status, void *arg);
	/**
	 * The driver writes to the configuration space, within its size. Returns 0, and the
	 * driver reads what it wrote from now on, or -EINVAL: that cannot be written, and the
	 * space stays as it is. NULL: nothing can.
	 */
	int (*config_write)(struct rte_vduse_dev *dev, uint32_t offset, const void *data,
			    uint32_t len, void *arg);
};

/** What a device is made of. */
struct rte_vduse_dev_conf {
	/**
	 * sizeof() of this structure as the caller was compiled with. Fields that a newer library
	 * adds are 0 for an older caller; a newer caller must leave 0 what an older library does
	 * not know.
	 */
	size_t size;
	const char *path; /**< /dev/vduse/NAME, or of a vhost-user socket. */
	bool client;      /**< Connect to that socket instead of making it. */
	/** Take memory of that socket's clients in any file. By default only memfd, tmpfs and
	 * hugetlbfs: a file system whose server does not answer would block all devices.
	 */
	bool any_memory;
	/**
	 * The most memory that a driver may show, bytes, whether it is allocated or not; bounce
	 * memory of the kernel does not count. 0: 16 TiB over a socket, any size over the kernel.
	 */
	uint64_t memory_limit;
	/**
	 * What the application calls the device; NULL: what its path says. Log lines begin with
	 * it, but those of a VDUSE device with the kernel's name.
	 */
	const char *name;
	uint32_t socket_mode;     /**< Permissions of a socket that is made; 0: 0600. */
	const char *socket_group; /**< Its group, a name or a number; NULL: the process's. */
	uint32_t device_id;       /**< Device type, section 5: 1 network, 2 block. */
	uint32_t vendor_id;       /**< Any. */
	uint64_t features;        /**< Features to offer, sections 5 and 6. */
	/**
	 * Those of them that need a driver that can write the configuration space. Not offered
	 * where it cannot: to a kernel, which lets nobody.
	 */
	uint64_t write_features;
	uint16_t nb_vqs;      /**< Virtqueues, 1 to 65535. */
	uint16_t vq_size;     /**< Largest virtqueue, a power of two, 2 to 32768. */
	const void *config;   /**< Device configuration space, section 2.5; NULL: there is none. */
	uint32_t config_size; /**< Its bytes, up to a page. */
	int socket_id;        /**< NUMA node for memory, or SOCKET_ID_ANY. */
	bool umem;            /**< Give the kernel our huge pages as bounce buffer. */
	/**
	 * The device type keeps a log of what is in flight: a packed ring, which does not tell
	 * how far it came, can be taken over from a dead process, too.
	 */
	bool inflight;
	/**
	 * The device type finishes requests in the order in which it took them, and notes how far
	 * its packed rings came: they can be taken over as well.
	 */
	bool positions;
	const struct rte_vduse_dev_ops *ops; /**< The device type's callbacks. */
	void *arg;                           /**< Handed to each of them. */
	/**
	 * Whom the device talks to, in place of what path names, and what it is handed: for tests
	 * and benchmarks that play the driver in the same process. NULL for all others.
	 */
	const struct vduse_transport_ops *transport;
	void *transport_priv; /**< The transport's. */
};

/** Counters of a device that no virtqueue owns. */
struct rte_vduse_dev_stats {
	uint64_t messages;      /**< Answered messages. */
	uint64_t resets;        /**< Times the driver reset the device. */
	uint64_t iotlb_updates; /**< VDUSE_UPDATE_IOTLB messages. */
	uint64_t regions;       /**< Regions in force now. */
	bool broken;            /**< The kernel gave the device up. */
};

/**
 * Takes the device name out of a path: what follows /dev/vduse/, or the last part of the path
 * of a vhost-user socket.
 *
 * @return the name, which points into path, or NULL if path can be neither. What follows
 *   RTE_VDUSE_PATH cannot name a device if it is empty, "control", longer than
 *   RTE_VDUSE_NAME_MAX - 1, or has other characters than letters, digits, '.', '_', '-'. A
 *   socket's path needs a '/' and is shorter than RTE_VDUSE_SOCKET_MAX. "." and ".." name
 *   neither. Any thread.
 */
const char *
rte_vduse_path_name(const char *path);

/** @return whether a path is that of a vhost-user socket: it has a '/' and does not start with
 *   RTE_VDUSE_PATH. Any thread.
 */
bool
rte_vduse_path_is_socket(const char *path);

/**
 * Creates a device and its virtqueues. It exists from now on as /dev/vduse/NAME, but answers
 * nothing until rte_vduse_dev_start(). A device of that name which a dead process left is
 * taken over when it is the same and somebody uses it, and made anew otherwise.
 *
 * Any thread but the control thread. One log line says what failed and what to do, but for
 * -ENOTSUP: the caller knows what it offered.
 *
 * @param conf
 *   What to create; copied.
 * @param[out] dev
 *   The device.
 * @return
 *   0; -EINVAL (an argument), -ENOTSUP (this kernel refuses the features or the type),
 *   -ENOENT (no VDUSE in the kernel), -EACCES, -EPERM (no permission), -EBUSY (another
 *   process serves that name), -ENOMEM, or what the kernel answered.
 */
int
rte_vduse_dev_create(const struct rte_vduse_dev_conf *conf, struct rte_vduse_dev **dev);

/**
 * Starts to answer the kernel and, if told to, gives the device to a driver: adds it to the
 * vDPA bus and binds it. Blocks while the kernel probes (which needs the control thread, but
 * no poller for a network device). A device that was taken over stays where it is bound.
 *
 * Any thread but the control thread.
 *
 * @return 0 or a negative errno, with one log line; the device is then as before the call.
 */
int
rte_vduse_dev_start(struct rte_vduse_dev *dev, enum rte_vduse_attach attach);

/**
 * The first half of rte_vduse_dev_destroy(): takes the device off the vDPA bus, whoever put it
 * there, and stops answering. No callback is running or comes any more when this returns;
 * pollers find every virtqueue idle, so whoever made them poll can be told. Virtqueues of a
 * block device must be polled until then, for its driver writes out what it has. Blocks as
 * rte_vduse_dev_destroy() does.
 *
 * Any thread but the control thread.
 */
void
rte_vduse_dev_stop(struct rte_vduse_dev *dev);

/**
 * Takes the device off the vDPA bus, whoever put it there, stops answering and removes it
 * from the kernel; frees it. No poller may use a virtqueue of it any more. Blocks while a
 * process holds the device open through vhost_vdpa: the kernel waits for it.
 *
 * Any thread but the control thread. dev may be NULL.
 */
void
rte_vduse_dev_destroy(struct rte_vduse_dev *dev);

/** @return virtqueue index of dev, or NULL if there is no such virtqueue. Any thread. */
struct rte_vduse_vq *
rte_vduse_dev_vq(struct rte_vduse_dev *dev, uint16_t index);

/** @return the name of dev, without its path. Any thread. */
const char *
rte_vduse_dev_name(const struct rte_vduse_dev *dev);

/**
 * Takes a token for a log line that the driver of dev can cause: 64 at once, then one a second. Ask
 * before each such line, so that a driver cannot fill the log.
 *
 * @return whether the line may be written; the next one that may is preceded by the number of
 *   lines suppressed. Any thread.
 */
bool
rte_vduse_dev_may_log(struct rte_vduse_dev *dev);

/** @return the device status (section 2.1) that the driver set last. Any thread. */
uint8_t
rte_vduse_dev_status(const struct rte_vduse_dev *dev);

/**
 * Tells what a device offers: what its conf said, without write_features where the driver cannot
 * write the configuration space. Any thread.
 *
 * @param dev
 *   The device.
 * @return
 *   Feature bits, sections 5 and 6.
 */
uint64_t
rte_vduse_dev_offered(const struct rte_vduse_dev *dev);

/** @return the features that the driver accepted; 0 before it did. Any thread. */
uint64_t
rte_vduse_dev_features(const struct rte_vduse_dev *dev);

/**
 * Copies the counters of a device. Any thread.
 *
 * @param dev
 *   The device.
 * @param[out] stats
 *   Its counters.
 * @param size
 *   sizeof(*stats) as the caller was compiled with: as many bytes are written. Counters that this
 *   library does not know are 0.
 */
void
rte_vduse_dev_stats(const struct rte_vduse_dev *dev, struct rte_vduse_dev_stats *stats,
		    size_t size);

/**
 * Changes bytes of the configuration space and tells the driver (section 2.5.1).
 *
 * Any thread.
 *
 * @return 0; -EINVAL if offset and len leave the space, or what the kernel answered.
 */
int
rte_vduse_dev_config_set(struct rte_vduse_dev *dev, uint32_t offset, const void *data,
			 uint32_t len);

/**
 * Finds the region that holds iova.
 *
 * Only between rte_vduse_vq_enter() and rte_vduse_vq_leave(), or in a callback of vq.
 *
 * @return the region, valid until the bracket ends, or NULL.
 */
const struct rte_vduse_region *
rte_vduse_vq_lookup(const struct rte_vduse_vq *vq, uint64_t iova);

/**
 * Lists the regions in force, in the order of their iovas.
 *
 * Only in a callback of dev; they are gone when the callback ends.
 *
 * @param dev
 *   The device.
 * @param[out] nb
 *   How many there are.
 * @return the regions; NULL if there are none.
 */
const struct rte_vduse_region *
rte_vduse_dev_regions(const struct rte_vduse_dev *dev, uint32_t *nb);

/**
 * Interrupts the driver for vq: one system call. Where those take long, because the driver has very
 * many waiters, the control thread makes them instead. The thread that polls vq.
 * @return 0 or what the kernel answered (-EINVAL while the driver is not up).
 */
int
rte_vduse_vq_call(struct rte_vduse_vq *vq);

/**
 * Says that no region lets the device read (or, if write is set, write) iova. The virtqueue
 * is not polled until the control thread has looked; it then runs on, or is in the error
 * state. Only between enter and leave.
 */
void
rte_vduse_vq_miss(struct rte_vduse_vq *vq, uint64_t iova, bool write);

/**
 * Puts the virtqueue into the error state: until the driver resets the device it is not
 * polled. Logs why, once. Only between enter and leave.
 */
void
rte_vduse_vq_fail(struct rte_vduse_vq *vq, const char *why, uint64_t value);

/**
 * Begins a burst. Costs an uncontended lock; makes no system call.
 *
 * The thread that polls vq.
 *
 * @param vq
 *   The virtqueue.
 * @return
 *   Whether vq may be polled now. If so, rte_vduse_vq_leave() must follow.
 */
bool
rte_vduse_vq_enter(struct rte_vduse_vq *vq);

/**
 * Ends a burst. The thread that began it.
 *
 * @param vq
 *   The virtqueue.
 */
void
rte_vduse_vq_leave(struct rte_vduse_vq *vq);

/**
 * Takes chains that the driver made available. Only between enter and leave.
 *
 * @param vq
 *   The virtqueue.
 * @param[out] chains
 *   Room for nb of them.
 * @param nb
 *   1 to RTE_VDUSE_BURST_MAX.
 * @return
 *   How many were taken: fewer where there are no more, where they took long to read, or where the
 *   next one is faulty or in memory that is not known yet. rte_vduse_vq_flush() sees to both.
 */
uint16_t
rte_vduse_vq_dequeue(struct rte_vduse_vq *vq, struct rte_vduse_chain *chains, uint16_t nb);

/**
 * Gives chains back, as if they had not been taken. Only between enter and leave.
 *
 * @param vq
 *   The virtqueue.
 * @param chains
 *   The last nb that were taken, in that order.
 * @param nb
 *   How many.
 */
void
rte_vduse_vq_requeue(struct rte_vduse_vq *vq, const struct rte_vduse_chain *chains, uint16_t nb);

/**
 * Marks chains as used, used_len bytes of each written. The driver sees them once
 * rte_vduse_vq_flush() is called. Only between enter and leave.
 *
 * @param vq
 *   The virtqueue.
 * @param chains
 *   Chains that were taken; with VIRTIO_F_IN_ORDER in the order in which they were.
 * @param nb
 *   How many.
 */
void
rte_vduse_vq_enqueue(struct rte_vduse_vq *vq, const struct rte_vduse_chain *chains, uint16_t nb);

/**
 * Shows the used chains to the driver, calls it if it wants that, and handles what stopped
 * rte_vduse_vq_dequeue(). At the end of each burst, before leave.
 *
 * @param vq
 *   The virtqueue.
 * @return
 *   Whether the driver was called.
 */
bool
rte_vduse_vq_flush(struct rte_vduse_vq *vq);

/**
 * Counts chains that the driver made available and nobody took. Only between enter and leave.
 *
 * @param vq
 *   The virtqueue.
 * @return
 *   How many there are.
 */
uint32_t
rte_vduse_vq_count(struct rte_vduse_vq *vq);

/**
 * Tells which virtqueue of its device it is. Any thread.
 *
 * @param vq
 *   The virtqueue.
 * @return
 *   Its index.
 */
uint16_t
rte_vduse_vq_index(const struct rte_vduse_vq *vq);

/**
 * Tells where the driver's kicks go. Only in a callback of vq.
 *
 * @param vq
 *   The virtqueue.
 * @return
 *   An eventfd, which stays the device's; -1 while vq is not ready.
 */
int
rte_vduse_vq_kick_fd(const struct rte_vduse_vq *vq);

/** Counters of a virtqueue. */
struct rte_vduse_vq_stats {
	uint64_t misses;               /**< Addresses that the control thread looked for. */
	uint64_t faults;               /**< Times in the error state. */
	enum rte_vduse_vq_state state; /**< What it is doing now. */
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

#endif /* RTE_VDUSE_H */
