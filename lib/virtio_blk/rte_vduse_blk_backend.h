/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef RTE_VDUSE_BLK_BACKEND_H
#define RTE_VDUSE_BLK_BACKEND_H

/**
 * @file
 * Backends: what holds the bytes of a block device.
 *
 * A backend takes operations whose memory is the driver's and returns them with a result, in any
 * order. It is opened and closed by an application's thread. Each of its channels serves one queue
 * and is used by one thread at a time: the one that polls the queue, or the control thread while
 * it stops the queue.
 *
 * A program registers a backend before it creates a disk on it. A shared object that registers one
 * when it is loaded (RTE_VDUSE_BLK_BACKEND()) gives it to any program on EAL:
 * `dpdk-vduse-blk -d librte_backend.so -- --device disk0,backend=NAME,...`.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include <rte_common.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What an operation does. */
enum rte_vduse_blk_op {
	RTE_VDUSE_BLK_READ,    /**< Reads len bytes at offset into iov. */
	RTE_VDUSE_BLK_WRITE,   /**< Writes len bytes of iov at offset. */
	RTE_VDUSE_BLK_FLUSH,   /**< Puts all that was written before on stable storage. */
	RTE_VDUSE_BLK_DISCARD, /**< What the range reads as does not matter any more. */
	RTE_VDUSE_BLK_ZERO,    /**< The range reads as zeroes. */
	RTE_VDUSE_BLK_ERASE,   /**< The same, and nobody can have the old bytes back. */
	RTE_VDUSE_BLK_OPS,     /**< How many there are. */
};

/** Bytes of an operation that are the backend's. */
#define RTE_VDUSE_BLK_IO_PRIV 32

/**
 * One operation. Offset and length lie within the backend's size and are multiples of its
 * block_size. From submit until poll returns it, the backend alone accesses it and its vectors.
 */
struct rte_vduse_blk_io {
	enum rte_vduse_blk_op op; /**< What to do. */
	bool fua;                 /**< WRITE, ZERO: on stable storage when it is done. */
	bool unmap;               /**< ZERO: the space may be given back. */
	uint16_t nb_iov;          /**< Vectors at iov. */
	struct iovec *iov;        /**< READ and WRITE: len bytes, no entry empty; may be changed. */
	uint64_t offset;          /**< Bytes. */
	uint64_t len;             /**< Bytes. */
	int result;               /**< Of poll: 0 or a negative errno; -ENOTSUP: it never can. */
	struct rte_vduse_blk_io *next; /**< The backend's, for lists. */
	/** The backend's; undefined before submit. Aligned to 8 bytes. */
	uint8_t priv[RTE_VDUSE_BLK_IO_PRIV];
};

/** What a backend is like. Set by open. */
struct rte_vduse_blk_limits {
	uint64_t size;          /**< Bytes. */
	uint32_t block_size;    /**< Smallest piece that is read or written, a power of two. */
	uint32_t physical_size; /**< Smallest piece that is written without reading first. */
	uint32_t minimum_io;    /**< Bytes that are worth a request; 0: unknown. */
	uint32_t optimal_io;    /**< Bytes of the best request; 0: unknown. */
	uint32_t alignment;     /**< Bytes from 0 to the first physical block. */
	uint32_t discard_size;  /**< Bytes that a DISCARD gives back at the least. */
	bool read_only;         /**< Nothing can be written. */
	uint64_t discard_part;  /**< Most bytes of a DISCARD; 0: any number. */
	uint64_t zero_part;     /**< Most bytes of a ZERO or ERASE; 0: any number. */
	bool discard;           /**< There is DISCARD. */
	bool zero;              /**< There is ZERO. */
	bool erase;             /**< There is ERASE. */
};

struct rte_vduse_blk_backend_ops;

/** An open backend. A backend's own structure begins with it. */
struct rte_vduse_blk_backend {
	const struct rte_vduse_blk_backend_ops *ops; /**< Set by the library after open. */
	char name[64];                               /**< The device's, for log lines; likewise. */
	struct rte_vduse_blk_limits limits;          /**< Set by open and measure. */
};

/** A channel of a backend, for one queue. A backend's own structure begins with it. */
struct rte_vduse_blk_channel {
	const struct rte_vduse_blk_backend_ops *ops; /**< Set by the library. */
};

/** What open is told. */
struct rte_vduse_blk_backend_conf {
	const char *device; /**< Name of the device, for log lines. */
	const char *args;   /**< "key=value,..." of rte_vduse_args.h; never NULL. */
	bool read_only;     /**< The device is read-only: nothing will be written. */
	int socket_id;      /**< NUMA node for memory, or SOCKET_ID_ANY. */
	bool handed_over;   /**< Another process has it open still: see hand_over. */
};

/** A kind of backend. Functions return 0 or a negative errno unless they say otherwise. */
struct rte_vduse_blk_backend_ops {
	/** sizeof() this structure. A member beyond it is taken to be NULL. */
	size_t size;
	/** What `backend=` names. Neither empty nor that of another one. */
	const char *name;
	/**
	 * Opens what conf->args say, and sets limits. Logs what fails. Refuses arguments that it
	 * does not know with -EINVAL. On an application's thread.
	 */
	int (*open)(const struct rte_vduse_blk_backend_conf *conf,
		    struct rte_vduse_blk_backend **backend);
	/** Closes it; all channels are closed. On an application's thread. */
	void (*close)(struct rte_vduse_blk_backend *backend);
	/**
	 * Finds out how large it is now: limits.size. NULL: it never changes. On an application's
	 * thread, while channels are used.
	 */
	int (*measure)(struct rte_vduse_blk_backend *backend);
	/**
	 * Opens a channel for up to depth operations at a time. On an application's thread or the
	 * control thread.
	 */
	int (*channel_open)(struct rte_vduse_blk_backend *backend, uint16_t depth,
			    struct rte_vduse_blk_channel **channel);
	/** Closes a channel that has no operation. On the same threads. */
	void (*channel_close)(struct rte_vduse_blk_channel *channel);
	/**
	 * Most buffers of later operations lie in the len bytes at va, whose pages stay the same
	 * until this is called again; len 0: not any more. The channel has no operation. NULL: no
	 * use for it. On the control thread.
	 */
	void (*channel_memory)(struct rte_vduse_blk_channel *channel, void *va, uint64_t len);
	/**
	 * Takes the first of nb operations, without waiting. Returns how many; the rest are
	 * offered again. On the thread that polls the queue, or the control thread in its place.
	 */
	uint16_t (*submit)(struct rte_vduse_blk_channel *channel, struct rte_vduse_blk_io **ios,
			   uint16_t nb);
	/** Returns up to nb finished operations, without waiting. On the same threads. */
	uint16_t (*poll)(struct rte_vduse_blk_channel *channel, struct rte_vduse_blk_io **ios,
			 uint16_t nb);
	/**
	 * The first queue is about to start: takes what only the user of the data may have, such as
	 * a lock. Operations follow only after it succeeded. If it fails, that queue does not
	 * start, and the next one that starts tries again. NULL: nothing to take. On the control
	 * thread.
	 */
	int (*acquire)(struct rte_vduse_blk_backend *backend);
	/**
	 * The last queue stopped, and no operation is in flight: gives back what acquire took. NULL
	 * if acquire is NULL. On the control thread.
	 */
	void (*release)(struct rte_vduse_blk_backend *backend);
	/**
	 * The disk moves to another process of this machine, or came from one or comes back; no
	 * operation is in flight. NULL: the disk cannot be handed over to another process, for
	 * example because its data is in the memory of this one. On the control thread.
	 *
	 * @param backend
	 *   The backend.
	 * @param gone
	 *   It goes: give up what only one process can have, such as a lock. Otherwise take that,
	 *   which open did not do because handed_over of its conf was set.
	 * @return
	 *   0; or a negative errno, with which the disk stays here or does not start.
	 */
	int (*hand_over)(struct rte_vduse_blk_backend *backend, bool gone);
	/**
	 * The thread that polls the channel is about to sleep while operations are in flight. From
	 * now on the channel writes to the eventfd fd when an operation finishes, until this is
	 * called with -1; it may write once too often, but not too late. The same fd is given each
	 * time until the channel is closed. Returns whether the thread may sleep: false if an
	 * operation has finished already, or if poll has to be called to finish one. Then, and with
	 * -1, the channel need not write. NULL: a queue with operations in flight is polled. On the
	 * thread that polls the queue.
	 */
	bool (*channel_sleep)(struct rte_vduse_blk_channel *channel, int fd);
};

/**
 * Registers a kind of backend, for conf.backend of rte_vduse_blk_create(). It stays until the
 * process ends.
 *
 * Any thread; thread-safe. Also before EAL is initialised.
 *
 * @param ops
 *   What it does. It is not copied and must stay valid.
 * @return
 *   0; -EINVAL: no name, or a required function is missing;
 *   -EEXIST: there is a backend of that name; -ENOMEM. One log line.
 */
int
rte_vduse_blk_backend_register(const struct rte_vduse_blk_backend_ops *ops);

/** Registers a kind of backend when its program or shared object is loaded. */
#define RTE_VDUSE_BLK_BACKEND(ops)                                                                 \
	RTE_INIT(rte_vduse_blk_backend_init_##ops)                                                 \
	{                                                                                          \
		(void)rte_vduse_blk_backend_register(&(ops));                                      \
	}

#ifdef __cplusplus
}
#endif

#endif /* RTE_VDUSE_BLK_BACKEND_H */
