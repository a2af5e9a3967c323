/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef RTE_VDUSE_H
#define RTE_VDUSE_H

/**
 * @file
 * Devices: virtio devices whose device side is this process.
 *
 * A device has virtqueues and is served to a driver over the kernel's VDUSE module or over a
 * vhost-user socket. One control thread per process answers the messages of the kernel or of the
 * socket's client, and tells the device type (network, block) through callbacks when a virtqueue
 * may be polled and when it may not. Polling threads bracket each burst with rte_vduse_vq_enter()
 * and rte_vduse_vq_leave(); between the two nothing that they reach through the virtqueue is
 * unmapped.
 *
 * Driver memory and threads. A driver may truncate a file of its memory at any time. SIGBUS is
 * handled for the regions in force, whichever thread touches them: that thread goes on with zeroed
 * memory that the driver does not see, and every virtqueue in that address space of the device
 * stops at its next rte_vduse_vq_enter(). A thread that does not poll (of a storage library, or of an application
 * that serves rings itself) may access a region until the callback that takes it away returns:
 * vq_drain, vq_memory, vq_remap or vq_stop. It must not keep an address longer, and must not take
 * what it reads for the driver's data once rte_vduse_vq_enter() fails. No thread may access a
 * region with SIGBUS blocked: the kernel then ends the process.
 *
 * The handler of SIGBUS is installed with the first device. Faults elsewhere and signals that a
 * process sent go to the handler that was there before. An application that installs one later
 * must call the one that it replaces. EAL replaces it while it takes huge pages, and does not call
 * it: a driver that truncates its memory meanwhile can end the process. Let EAL take all of its
 * memory before the first device is started: -m or --numa-mem. With --legacy-mem it takes none
 * later.
 *
 * Threads. "The control thread" is the one of this library; callbacks run on it. A function that
 * says "any thread but the control thread" waits for that thread, so a callback must not call it.
 * "The polling thread" of a virtqueue is the one between rte_vduse_vq_enter() and
 * rte_vduse_vq_leave(). Any thread may call enter; one at a time gets in.
 *
 * Errors are negative errno values. Unless a function says otherwise, a pointer must not be NULL.
 *
 * Sections named below are those of the Virtual I/O Device (VIRTIO) specification 1.2.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_vduse_vq.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Directory in which the kernel shows VDUSE devices. */
#define RTE_VDUSE_PATH "/dev/vduse/"

/** Size of the longest device name, bytes, with its closing NUL. */
#define RTE_VDUSE_NAME_MAX 64

/** Size of the longest path of a vhost-user socket, bytes, with its closing NUL. */
#define RTE_VDUSE_SOCKET_MAX 108

/** Text that says what the path of a device may be, for error messages. */
#define RTE_VDUSE_PATH_USAGE                                                                       \
	RTE_VDUSE_PATH                                                                             \
	"NAME, where NAME is 1 to 63 letters, digits, '.', '_' or '-', and not "                   \
	"\"control\"; or the path of a vhost-user socket, with a '/' and up to 107 "               \
	"characters"

/** In-kernel driver that a device is bound to when it starts. */
enum rte_vduse_attach {
	RTE_VDUSE_ATTACH_NONE,   /**< None: the operator runs "vdpa dev add". */
	RTE_VDUSE_ATTACH_VIRTIO, /**< virtio_vdpa: a device of this kernel. */
	RTE_VDUSE_ATTACH_VHOST,  /**< vhost_vdpa: /dev/vhost-vdpa-N, for a VM or a process. */
};

/** A device that comes from another process, see rte_vduse_handover.h. */
struct rte_vduse_handover;

/** Operations of a transport; private to the library. */
struct vduse_transport_ops;

/** A device; opaque. */
struct rte_vduse_dev;

/**
 * Callbacks of a device type. All run on the control thread, which holds no lock other than that
 * of the virtqueue given. Each gets the arg of struct rte_vduse_dev_conf. vq_start and vq_stop are
 * required, the others may be NULL.
 */
struct rte_vduse_dev_ops {
	/**
	 * A virtqueue became ready and its rings are mapped; no thread is in a burst of it.
	 * With vq_remap the library does not map the rings, the device type does.
	 *
	 * @param vq
	 *   The virtqueue.
	 * @param info
	 *   Its addresses, size and position; valid during the call.
	 * @param arg
	 *   The arg of the device's conf.
	 * @return
	 *   0; -EFAULT with vq_remap, if no region holds the rings: vq_remap is called when the
	 *   regions change; or another negative errno, which puts the virtqueue into the error
	 *   state.
	 */
	int (*vq_start)(struct rte_vduse_vq *vq, const struct rte_vduse_vq_info *info, void *arg);
	/**
	 * The regions changed: addresses from earlier look-ups are invalid.
	 *
	 * @param vq
	 *   The virtqueue.
	 * @param arg
	 *   The arg of the device's conf.
	 */
	void (*vq_memory)(struct rte_vduse_vq *vq, void *arg);
	/**
	 * For device types that serve rings without rte_vduse_vq_dequeue() and the like, and NULL
	 * for all others: the regions changed, so the device type looks up the rings again.
	 *
	 * @param vq
	 *   The virtqueue.
	 * @param arg
	 *   The arg of the device's conf.
	 * @return
	 *   0, or -EFAULT if no region holds the rings.
	 */
	int (*vq_remap)(struct rte_vduse_vq *vq, void *arg);
	/**
	 * The regions are about to change, or the virtqueue is about to stop, and requests in
	 * flight may hold addresses of driver memory: completes those that are finished, without
	 * waiting. No thread is in a burst or begins one. Called again until none is left, in any
	 * state of the virtqueue; then vq_memory or vq_stop follows. NULL for device types that
	 * keep no address from one burst to the next.
	 *
	 * @param vq
	 *   The virtqueue.
	 * @param stop
	 *   The driver resets the device, or is gone: requests that have not begun may fail.
	 * @param arg
	 *   The arg of the device's conf.
	 * @return
	 *   Requests that are still in flight.
	 */
	unsigned int (*vq_drain)(struct rte_vduse_vq *vq, bool stop, void *arg);
	/**
	 * The virtqueue stops. No thread is in a burst, and vq_drain left nothing in flight. After
	 * it returns, the device must not access driver memory. Also called for a virtqueue whose
	 * rings were never mapped, so that vq_start was not called.
	 *
	 * @param vq
	 *   The virtqueue.
	 * @param arg
	 *   The arg of the device's conf.
	 */
	void (*vq_stop)(struct rte_vduse_vq *vq, void *arg);
	/**
	 * Required with vq_remap, otherwise not called: the position of the device.
	 *
	 * @param vq
	 *   The virtqueue.
	 * @param arg
	 *   The arg of the device's conf.
	 * @return
	 *   The position, as in struct rte_vduse_vq_info.
	 */
	uint32_t (*vq_position)(struct rte_vduse_vq *vq, void *arg);
	/**
	 * The regions of an address space were replaced, and vq_memory or vq_remap of each of its
	 * virtqueues was called.
	 *
	 * @param dev
	 *   The device.
	 * @param arg
	 *   The arg of the device's conf.
	 */
	void (*memory)(struct rte_vduse_dev *dev, void *arg);
	/**
	 * The device status changed (section 2.1).
	 *
	 * @param dev
	 *   The device.
	 * @param status
	 *   The new status, bits of VIRTIO_CONFIG_S_*.
	 * @param arg
	 *   The arg of the device's conf.
	 */
	void (*status)(struct rte_vduse_dev *dev, uint8_t status, void *arg);
	/**
	 * The driver writes to the configuration space (section 2.5), within its size. NULL: the
	 * driver cannot write to any field.
	 *
	 * @param dev
	 *   The device.
	 * @param offset
	 *   First byte written.
	 * @param data
	 *   The bytes; valid during the call.
	 * @param len
	 *   How many, 1 to 64.
	 * @param arg
	 *   The arg of the device's conf.
	 * @return
	 *   0: the driver reads back what it wrote; or -EINVAL: the space stays as it is.
	 */
	int (*config_write)(struct rte_vduse_dev *dev, uint32_t offset, const void *data,
			    uint32_t len, void *arg);
	/**
	 * For network devices: the front end of a virtual machine that migrated to this host asks
	 * for a RARP packet with the address of the guest, so that switches learn its new port.
	 * Called while a driver is up; a request that comes earlier is kept until then. NULL: the
	 * device does not offer it.
	 *
	 * @param dev
	 *   The device.
	 * @param address
	 *   The MAC address, 6 bytes, unicast and not zero; valid during the call.
	 * @param arg
	 *   The arg of the device's conf.
	 */
	void (*announce)(struct rte_vduse_dev *dev, const uint8_t *address, void *arg);
	/**
	 * The virtqueue began to run, or no longer runs: the driver enabled or disabled it, or it
	 * lost its rings. rte_vduse_vq_stats() says so already, and the lock of the virtqueue is
	 * not held. An error state that a burst causes is told when the driver resets the device.
	 *
	 * @param vq
	 *   The virtqueue.
	 * @param runs
	 *   Whether it runs.
	 * @param arg
	 *   The arg of the device's conf.
	 */
	void (*vq_runs)(struct rte_vduse_vq *vq, bool runs, void *arg);
	/**
	 * The device moves from one process to another, see rte_vduse_handover.h; nothing is in
	 * flight. NULL: the device type has nothing that only one process may have.
	 *
	 * @param dev
	 *   The device.
	 * @param gone
	 *   It goes to another process: give back what only one may have, such as a lock.
	 *   Otherwise it came from one, or comes back: take that.
	 * @param arg
	 *   The arg of the device's conf.
	 * @return
	 *   0, or a negative errno: it is not handed over, or does not start.
	 */
	int (*hand_over)(struct rte_vduse_dev *dev, bool gone, void *arg);
};

/**
 * Configuration of a device. Initialise it with an initializer or memset(), so that fields that are
 * not named are 0.
 */
struct rte_vduse_dev_conf {
	/**
	 * sizeof() of this structure as the caller was compiled with. Fields that a newer library
	 * adds are 0 for an older caller; a newer caller must leave 0 what an older library does
	 * not know.
	 */
	size_t size;
	const char *path; /**< /dev/vduse/NAME, or the path of a vhost-user socket. */
	bool client;      /**< Connect to the socket instead of creating it. */
	/**
	 * Accept memory of the socket's client in any file. By default only memfd, tmpfs and
	 * hugetlbfs: a file system whose server does not answer would block all devices.
	 */
	bool any_memory;
	/**
	 * Offer VIRTIO_F_ACCESS_PLATFORM over a socket: the client's driver is behind an IOMMU
	 * (QEMU: iommu_platform=on), and its translations come by messages.
	 */
	bool iommu;
	/**
	 * Offer post-copy over a socket: a guest that migrates here runs before its memory has arrived.
	 * The client gets a userfaultfd(2) of this process, with which it can change any memory of it:
	 * for trusted clients only. Not together with iommu.
	 */
	bool postcopy;
	/**
	 * Largest sum of the driver's memory regions, bytes, whether their pages are allocated or
	 * not; bounce memory of the kernel does not count. 0: 16 TiB over a socket, no limit over
	 * the kernel.
	 */
	uint64_t memory_limit;
	/**
	 * Name of a vhost-user device, up to RTE_VDUSE_NAME_MAX - 1 characters, for log lines;
	 * NULL: the last part of its path. Log lines of a VDUSE device begin with the kernel's
	 * name of it.
	 */
	const char *name;
	uint32_t socket_mode;     /**< Permissions of a socket that is created; 0: 0600. */
	const char *socket_group; /**< Its group, a name or a number; NULL: the process's. */
	uint32_t device_id;       /**< Device type, section 5: 1 network, 2 block. */
	uint32_t vendor_id;       /**< Vendor, any value; the driver may read it. */
	uint64_t features;        /**< Features to offer, sections 5 and 6. */
	/**
	 * Of features, those that need a driver that can write the configuration space. They are
	 * offered over a socket only: VDUSE has no message for such a write.
	 */
	uint64_t write_features;
	uint16_t nb_vqs;  /**< Virtqueues, 1 to 65535. */
	uint16_t vq_size; /**< Largest virtqueue, a power of two, 2 to 32768. */
	/**
	 * How many of the last virtqueues form a group of their own; 0: all are in one group. A
	 * driver may give the group an address space of its own, as QEMU does with the control
	 * queue of a network device to migrate it. Needs version 1 of the kernel's VDUSE. A socket
	 * has one group and one address space whatever is set here.
	 */
	uint16_t ctrl_vqs;
	const void *config;   /**< Device configuration space, section 2.5; NULL: there is none. */
	uint32_t config_size; /**< Size of config, bytes, up to a page. */
	int socket_id;        /**< NUMA node for memory, or SOCKET_ID_ANY. */
	bool umem;            /**< Give the kernel huge pages of this process as bounce buffer. */
	/**
	 * The device type keeps an inflight log, so that a packed ring, which does not tell its
	 * position, can be taken over from a process that died.
	 */
	bool inflight;
	/**
	 * The device type finishes requests in the order in which it took them, and records the
	 * position of its packed rings, so that they can be taken over as well.
	 */
	bool positions;
	/** The device comes from another process; open until it is started. NULL: it does not. */
	struct rte_vduse_handover *from;
	const struct rte_vduse_dev_ops *ops; /**< The device type's callbacks; not copied. */
	void *arg;                           /**< Given to each of them. */
	/**
	 * Transport in place of the one that path names, and what it is given: for tests and
	 * benchmarks that are the driver themselves. NULL otherwise.
	 */
	const struct vduse_transport_ops *transport;
	void *transport_priv; /**< The transport's. */
};

/** Counters of a device as a whole. A newer library may add some at the end. */
struct rte_vduse_dev_stats {
	uint64_t messages;      /**< Messages answered, of the kernel or of the client. */
	uint64_t resets;        /**< Times the driver reset the device. */
	uint64_t iotlb_updates; /**< VDUSE_UPDATE_IOTLB messages. */
	uint64_t regions;       /**< Regions in force now. */
	bool broken;            /**< The kernel gave up the device; create it again. */
};

/**
 * Finds the device name in a path: the part after RTE_VDUSE_PATH, or the last part of the path of a
 * vhost-user socket. A VDUSE name has 1 to RTE_VDUSE_NAME_MAX - 1 letters, digits, '.', '_' or '-'
 * and is not "control", "." or "..". A socket's path has a '/', is shorter than
 * RTE_VDUSE_SOCKET_MAX, and its last part is not empty, "." or "..".
 *
 * Any thread.
 *
 * @param path
 *   The path; NULL is allowed.
 * @return
 *   The name, which points into path; NULL if path is NULL or is not the path of a device.
 */
const char *
rte_vduse_path_name(const char *path);

/**
 * Tells whether a path is that of a vhost-user socket: it has a '/' and is not below
 * RTE_VDUSE_PATH.
 *
 * Any thread.
 *
 * @param path
 *   The path.
 * @return
 *   Whether it is.
 */
bool
rte_vduse_path_is_socket(const char *path);

/**
 * Creates a device and its virtqueues. The device answers no message before rte_vduse_dev_start().
 *
 * A VDUSE device appears as /dev/vduse/NAME. If one of that name exists that no process serves and
 * a driver uses it, the device is taken over when type, number and size of virtqueues are the same
 * and the features include those that the driver accepted; otherwise the call fails with -EEXIST
 * and nothing is changed. If no driver uses it, it is removed and a new one is created. A socket
 * that was left by a process that died is removed. The new socket is created by
 * rte_vduse_dev_start().
 *
 * On an error a log line says what failed and what to do, except for -ENOTSUP: the caller knows
 * which features it offered.
 *
 * Any thread except the control thread. Not thread-safe with another call for the same path.
 *
 * @param conf
 *   The configuration; copied, apart from ops.
 * @param[out] dev
 *   The device; set on success only.
 * @return
 *   0, or
 *   - -EINVAL: a field of conf is out of range, its size is 0 or too small, or there is no group
 *     socket_group
 *   - -E2BIG: conf is of a newer release and sets a field that this library does not know
 *   - -ENOTSUP: the kernel refuses the features, the device type or the configuration
 *   - -ENOENT, -ENODEV, -ENXIO: the kernel has no VDUSE; or there is no directory for the socket
 *   - -ENOTDIR: a part of the socket's directory is not a directory
 *   - -EACCES, -EPERM: no permission for /dev/vduse/control, the device or the socket's directory
 *   - -EBUSY: a device of this process or another process serves that path, or another process
 *     keeps the socket's directory locked
 *   - -EEXIST: a driver uses the device that exists, and this one cannot serve it; or the path of
 *     the socket exists and is not a socket
 *   - -ENOMEM, -EMFILE, -ENFILE: no memory or file descriptor left
 *   - another negative errno with which the kernel refused a step, as the log line says
 */
int
rte_vduse_dev_create(const struct rte_vduse_dev_conf *conf, struct rte_vduse_dev **dev);

/**
 * Starts to answer messages and, if told to, binds a VDUSE device to a driver: adds it to the vDPA
 * bus and to that driver. Of a vhost-user device it creates the socket and listens, or starts to
 * connect. Blocks while the kernel probes the device, which needs the control thread and, for a
 * block device, threads that poll its queues. A device that was taken over stays bound as it is. On
 * an error the device is as before the call, and a log line says what failed.
 *
 * Any thread except the control thread. Not thread-safe: one call of start, stop or destroy of a
 * device at a time.
 *
 * @param dev
 *   The device, not started yet.
 * @param attach
 *   The driver to bind it to; of no effect on a vhost-user device.
 * @return
 *   0, or
 *   - -ENOENT: the kernel has no vDPA bus or no such driver (modprobe vhost_vdpa or virtio_vdpa),
 *     or there is no directory for the socket
 *   - -EPERM, -EACCES: no permission for the vDPA bus, sysfs or the socket's directory
 *   - -EINVAL, -ENODEV, -ETIMEDOUT: the kernel does not add or probe the device; see its log
 *   - -EBUSY: another process serves the socket or keeps its directory locked
 *   - -EEXIST: the path of the socket exists and is not a socket
 *   - -ENOTDIR, -ENOTSOCK, -EADDRINUSE: something else took the path of the socket meanwhile
 *   - -ENOMEM, -EMFILE, -ENFILE, -ENOSPC, -EAGAIN: no memory, file descriptor, epoll watch or
 *     thread left
 *   - another negative errno with which the kernel refused a step, as the log line says
 */
int
rte_vduse_dev_start(struct rte_vduse_dev *dev, enum rte_vduse_attach attach);

/**
 * Takes a device from its driver and stops answering: the first half of rte_vduse_dev_destroy(). A
 * VDUSE device leaves the vDPA bus, whoever added it. After it returns, no callback runs, and every
 * virtqueue is idle. The queues of a block device must be polled until it returns, because its
 * driver writes back its cache. Blocks while a process has the device open through vhost_vdpa, and
 * until requests in flight are finished. A second call does nothing.
 *
 * Any thread except the control thread. Not thread-safe: see rte_vduse_dev_start().
 *
 * @param dev
 *   The device.
 */
void
rte_vduse_dev_stop(struct rte_vduse_dev *dev);

/**
 * Stops a device as rte_vduse_dev_stop() does, removes it from the kernel or removes its socket,
 * and frees it. No thread may use a virtqueue of it any more. A device that was taken over and
 * never started stays in the kernel, for the next process, as does one that was left. Blocks as rte_vduse_dev_stop() does.
 *
 * Any thread except the control thread. Not thread-safe: see rte_vduse_dev_start().
 *
 * @param dev
 *   The device; NULL is allowed and does nothing.
 */
void
rte_vduse_dev_destroy(struct rte_vduse_dev *dev);

/**
 * Finds a virtqueue of a device. Any thread.
 *
 * @param dev
 *   The device.
 * @param index
 *   Its index, starting at 0.
 * @return
 *   The virtqueue; NULL if the device has no such virtqueue.
 */
struct rte_vduse_vq *
rte_vduse_dev_vq(struct rte_vduse_dev *dev, uint16_t index);

/**
 * Tells the name of a device, as its log lines have it. Any thread.
 *
 * @param dev
 *   The device.
 * @return
 *   The name; valid as long as the device.
 */
const char *
rte_vduse_dev_name(const struct rte_vduse_dev *dev);

/**
 * Takes a token for a log line that the driver can cause: 64 at once, then one per second. Ask
 * before each such line, so that a driver cannot fill the log. If lines were suppressed, it logs
 * how many before it permits the next one. Any thread.
 *
 * @param dev
 *   The device.
 * @return
 *   Whether the line may be written.
 */
bool
rte_vduse_dev_may_log(struct rte_vduse_dev *dev);

/**
 * Tells the device status (section 2.1). Any thread.
 *
 * @param dev
 *   The device.
 * @return
 *   Bits of VIRTIO_CONFIG_S_*, as the driver set them last; 0 after a reset.
 */
uint8_t
rte_vduse_dev_status(const struct rte_vduse_dev *dev);

/**
 * Tells the features that a device offers: those of its conf, without write_features if the driver
 * cannot write the configuration space. Any thread.
 *
 * @param dev
 *   The device.
 * @return
 *   Feature bits (sections 5 and 6).
 */
uint64_t
rte_vduse_dev_offered(const struct rte_vduse_dev *dev);

/**
 * Tells the features that the driver accepted (section 2.2). Any thread.
 *
 * @param dev
 *   The device.
 * @return
 *   The features; 0 until the driver accepts them and after a reset.
 */
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
 * Changes bytes of the configuration space and notifies the driver (section 2.5.1). On an error of
 * the kernel one log line names it.
 *
 * Any thread, callbacks included. Not thread-safe for the same bytes.
 *
 * @param dev
 *   The device.
 * @param offset
 *   First byte to change.
 * @param data
 *   The new bytes, in the byte order of the driver (little-endian).
 * @param len
 *   How many, at least 1; offset + len must not exceed the size of the space.
 * @return
 *   0; -EINVAL if the bytes are not within the space; or the negative errno with which the kernel
 *   refused the change. A driver that cannot be notified is no error: it reads the new value.
 */
int
rte_vduse_dev_config_set(struct rte_vduse_dev *dev, uint32_t offset, const void *data,
			 uint32_t len);

/**
 * Lists the regions in force in address space 0, ordered by iova.
 *
 * The control thread, in a callback of the device.
 *
 * @param dev
 *   The device.
 * @param[out] nb
 *   Number of regions.
 * @return
 *   The regions, valid until the callback ends; NULL if there are none.
 */
const struct rte_vduse_region *
rte_vduse_dev_regions(const struct rte_vduse_dev *dev, uint32_t *nb);

#ifdef __cplusplus
}
#endif

#endif /* RTE_VDUSE_H */
