/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A block device, inside lib/virtio_blk. A request goes through request.c (parses it), part.c
 * (splits it into operations of bounded size), dispatch.c (submits them) and complete.c (answers
 * the driver). From pop to publish a request has a slot: the one of its head index in a split ring,
 * any free one in a packed ring, whose drivers may choose any id.
 */
#ifndef VBLK_BLK_H
#define VBLK_BLK_H

#include <linux/virtio_blk.h>

#include <rte_log.h>
#include <rte_vduse_compat.h>

#include <vduse/virtqueue.h>

#include <rte_vduse_state.h>

#include <virtio_blk/backend/backend.h>
#include <virtio_blk/inflight.h>
#include <virtio_blk/latency.h>
#include <virtio_blk/limit.h>
#include <virtio_blk/serial.h>
#include <rte_vduse_blk.h>

extern int vblk_logtype;

#define VBLK_LOG(level, name, fmt, ...)                                                            \
	rte_log(RTE_LOG_##level, vblk_logtype, "VDUSE: %s: " fmt "\n", name, ##__VA_ARGS__)

/* Rate-limited, for messages that the driver of dev can trigger. */
#define VBLK_LOG_DRIVER(level, dev, fmt, ...)                                                      \
	do {                                                                                       \
		if (rte_vduse_dev_may_log(dev))                                                    \
			VBLK_LOG(level, rte_vduse_dev_name(dev), fmt, ##__VA_ARGS__);              \
	} while (0)

#define VBLK_BIT(nr) (UINT64_C(1) << (nr))

/*
 * Limits in the configuration space. A driver reads them before it sets the ring size, and without
 * indirect descriptors it puts a whole request into the ring: seg_max suits a ring of 128 or of
 * queue-size, whichever is smaller. FreeBSD attaches only if size_max is at least its maxphys,
 * 1 MiB by default. The Windows driver has room for 16 ranges, whatever is announced.
 */
#define VBLK_SEG_MAX       126
#define VBLK_SIZE_MAX      (UINT32_C(4) << 20)
#define VBLK_RANGES        1
#define VBLK_RANGE_SECTORS (UINT32_C(1) << 22)

/* Ranges that are accepted; drivers may know this number from an earlier version. */
#define VBLK_RANGES_MAX 32

/*
 * Vectors of a request: twice what is announced, because a driver may know 254 from an earlier
 * version, and twice again because a descriptor may cross into another region.
 */
#define VBLK_IOV_MAX(seg_max) (4 * (seg_max) + 4)
static_assert(VBLK_IOV_MAX(VBLK_SEG_MAX) <= 1024, "more vectors than the kernel takes at once");

/* Most requests of a queue in flight with more vectors than that; others wait in the ring. */
#define VBLK_ROOMS 4

/*
 * Limits in bytes: of one operation (a part), of what one poll submits, so that other queues of the
 * lcore are served in between, and of what the backend has in flight of a queue, so that stopping
 * the queue does not take long.
 */
#define VBLK_PART_BYTES   (UINT64_C(2) << 20)
#define VBLK_POLL_BYTES   (UINT64_C(2) << 20)
#define VBLK_FLIGHT_BYTES (UINT64_C(32) << 20)
/* Most vectors of an operation: the limit of the kernel and librbd. */
#define VBLK_PART_IOV 1024

/* Requests popped, and pushed, at a time. */
#define VBLK_BURST 32
static_assert(VBLK_BURST <= RTE_VDUSE_BURST_MAX, "more than the ring pops at once");

/* A request between pop and push. */
struct vblk_request {
	struct rte_vduse_blk_io io;
	struct rte_vduse_chain chain; /* bufs is NULL */
	uint8_t *status;              /* the driver's byte for the result */
	struct iovec *iov;            /* the vectors of the slot; constant */
	/* Set for each request, so keep them together. */
	struct iovec *room; /* vectors of a request with too many for iov; NULL: none */
	uint64_t left;      /* bytes of the data or range after io: see part.c */
	uint16_t nb_left;   /* vectors after those of io, rest not included */
	uint16_t nb_ranges;
	uint16_t next_range;
	bool busy;
	bool finished;     /* by the backend */
	bool held;         /* see hold.c: to be started again by this process */
	uint32_t type;     /* VIRTIO_BLK_T_* */
	uint64_t taken;    /* TSC: see latency.h */
	struct iovec rest; /* of the last vector of io */
	/* Copy of the ranges of DISCARD, WRITE_ZEROES or SECURE_ERASE, in the memory of iov. */
	struct virtio_blk_discard_write_zeroes *ranges;
} __rte_cache_aligned;

/* Operations to be submitted to the backend, in pop order. */
struct vblk_stage {
	struct rte_vduse_blk_io **ios;
	uint16_t nb;
	uint64_t waiting; /* bytes to be submitted */
	uint64_t flying;  /* bytes in flight in the backend */
};

/* Separate stages, so that data does not wait for ranges, which may take long. */
enum vblk_stage_kind {
	VBLK_STAGE_DATA,
	VBLK_STAGE_RANGES,
	VBLK_STAGES,
};

/* See hold.c. */
struct vblk_hold {
	uint16_t on_error; /* enum rte_vduse_blk_on_error; constant */
	int error;         /* errno for which requests are held; 0: none are; atomic */
};

/* One virtqueue. The polling thread owns it between enter and leave of vq, otherwise the control
 * thread does.
 */
struct vblk_queue {
	struct rte_vduse_vq *vq;               /* constant */
	struct rte_vduse_blk *blk;             /* constant */
	struct rte_vduse_blk_channel *channel; /* constant */
	struct vblk_request *requests; /* one per slot; allocated while the ring is started */
	struct iovec *iov;             /* iov_stride per request */
	struct iovec *rooms;           /* for requests with more than iov_max vectors */
	struct iovec *spare_rooms[VBLK_ROOMS];
	uint16_t nb_rooms;                /* free ones */
	struct rte_vduse_blk_io **staged; /* memory of stages */
	struct vblk_stage stages[VBLK_STAGES];
	bool stopping;      /* fail ranges that have not started */
	uint16_t in_flight; /* popped, not completed */
	uint16_t *slots;    /* memory of done, spare, replay and order */
	uint16_t *order;    /* with in-order: circular, the slots in flight */
	uint16_t oldest;    /* its first entry */
	uint16_t *done;     /* slots completed, not published */
	uint16_t nb_done;
	uint16_t *spare; /* packed ring: free slots */
	uint16_t nb_spare;
	uint16_t *replay; /* slots to be started again: a killed process left them, or held ones */
	uint16_t nb_replay;
	uint16_t next_replay;
	struct vring_desc *replay_descs; /* memory for one chain */
	uint16_t depth;                  /* of the channel */
	struct rte_vduse_part part;      /* of the state file, holds the inflight log */
	struct vblk_inflight inflight;
	uint16_t nb_used; /* entries of used, to be pushed */
	bool pushed;      /* entries were pushed, publish them */
	bool packed;
	bool write_through;    /* the driver cannot flush: section 5.2.6.2 */
	bool settable;         /* the driver may disable the write cache */
	bool acquired;         /* counted in nb_acquired; control thread */
	bool asleep;           /* see sleep.c: signals may be enabled; the polling thread */
	int wake_fd;           /* see rte_vduse_blk_wake_fd(); -1: not asked for; atomic */
	struct vblk_turn turn; /* when it is held: see vblk_limit_wait() */
	uint64_t now;          /* TSC of the last pop or poll that gave something */
	struct rte_vduse_chain used[VBLK_BURST];
	struct rte_vduse_blk_stats stats; /* the polling thread writes, any thread reads */
	struct rte_vduse_blk_latency latency[RTE_VDUSE_BLK_LATENCY_KINDS]; /* likewise */
} __rte_cache_aligned;

struct rte_vduse_blk {
	struct rte_vduse_dev *dev;
	struct rte_vduse_blk_backend *backend; /* constant */
	uint64_t capacity;                     /* sectors; atomic */
	bool draining;                         /* pollers pop no request; atomic */
	struct vblk_hold hold;
	bool no_cache;        /* the driver disabled the write cache; atomic */
	uint64_t features;    /* offered; constant */
	uint32_t block_size;  /* constant */
	uint16_t nb_queues;   /* constant */
	uint16_t iov_max;     /* vectors that a request may take; constant */
	uint16_t iov_stride;  /* constant */
	bool read_only;       /* constant */
	bool keeps_inflight;  /* constant */
	uint16_t nb_acquired; /* queues that use the backend; control thread */
	struct vblk_serial serial;
	struct virtio_blk_config config;
	struct vblk_limit limit __rte_cache_aligned; /* its queues share it */
	struct vblk_queue queues[];
};

/* config.c: the features and the initial configuration space of a device. */
uint64_t
vblk_config_features(const struct rte_vduse_blk *blk, const struct rte_vduse_blk_conf *conf);
void
vblk_config_init(struct rte_vduse_blk *blk, const struct rte_vduse_blk_conf *conf);
/* config.c: see struct rte_vduse_dev_ops. */
int
vblk_config_write(struct rte_vduse_dev *dev, uint32_t offset, const void *data, uint32_t len,
		  void *arg);
void
vblk_config_status(struct rte_vduse_dev *dev, uint8_t status, void *arg);

/*
 * room.c: gives a queue a backend channel and an inflight log for a ring of that size. On failure
 * the queue keeps what it has. Nothing may be in flight.
 */
int
vblk_room_make(struct vblk_queue *queue, uint16_t size);
/* room.c: closes both. */
void
vblk_room_close(struct vblk_queue *queue);

/*
 * take_over.c: changes conf to what the driver of a device left by a dead process has. 0, or
 * -EEXIST with a log line: the device cannot be served.
 */
int
vblk_take_over(struct rte_vduse_blk_conf *conf, const char *name,
	       const struct rte_vduse_left *left);
/*
 * take_over.c: adds the features that this driver has to those of conf. 0, or -EEXIST with a log line.
 * handed_over: by a process that serves the driver on if this one cannot.
 */
int
vblk_take_over_features(struct rte_vduse_blk *blk, const char *name,
			const struct rte_vduse_left *left, bool handed_over);

/* queue.c: the queue uses the backend no more, and has to acquire it to start. Thread: control. */
void
vblk_queue_release(struct vblk_queue *queue);

/* hand_over.c: see struct rte_vduse_dev_ops. */
int
vblk_hand_over(struct rte_vduse_dev *dev, bool gone, void *arg);

/* queue.c: callbacks of the device. */
extern const struct rte_vduse_dev_ops vblk_dev_ops;

/* request.c: initialises the request of a popped chain. False: no byte for a status. */
bool
vblk_request_init(struct vblk_request *request, const struct rte_vduse_chain *chain);
/*
 * The used length of a request whose first len writable bytes, without the status, were written
 * (section 2.7.8.2).
 */
uint32_t
vblk_request_used(const struct vblk_request *request, uint32_t len);
/* Copies the header of a request. False: it has none. */
bool
vblk_request_header(const struct rte_vduse_chain *chain, struct virtio_blk_outhdr *header);
/*
 * Parses a request. header: copied before; NULL: not yet. VIRTIO_BLK_S_OK: submit request->io, or, with *done, answer at once. Otherwise
 * the status to answer.
 */
uint8_t
vblk_request_parse(struct vblk_queue *queue, struct vblk_request *request,
		   const struct rte_vduse_chain *chain, const struct virtio_blk_outhdr *header,
		   bool *done);
/* Sets request->io to the first part of the next range. False: there is none. */
bool
vblk_request_next_range(const struct vblk_queue *queue, struct vblk_request *request);

/* part.c: allocates the vectors of long requests. Returns 0 or -ENOMEM. */
int
vblk_part_alloc(struct vblk_queue *queue);
/* part.c: gives a request with more than iov_max pieces its vectors, and takes them back. */
void
vblk_part_take(struct vblk_queue *queue, struct vblk_request *request);
void
vblk_part_leave(struct vblk_queue *queue, struct vblk_request *request);
/* part.c: cuts request->io, which is all of the data, to its first part. Returns a status. */
uint8_t
vblk_part_split(const struct vblk_queue *queue, struct vblk_request *request);
/* part.c: the slow path of vblk_part_next(). */
bool
vblk_part_advance(const struct vblk_queue *queue, struct vblk_request *request, uint8_t *status);
/* part.c: cuts request->io, which is a range, to its first part. */
void
vblk_part_range(const struct vblk_queue *queue, struct vblk_request *request);

/* dispatch.c: pops chains and starts their requests. Returns the number of chains. */
uint16_t
vblk_dispatch_take(struct vblk_queue *queue);
/* dispatch.c: queues an operation; submits queued ones within the limits. */
void
vblk_dispatch_stage(struct vblk_queue *queue, struct vblk_request *request);
void
vblk_dispatch_submit(struct vblk_queue *queue);

/* complete.c: answers a request; not pushed before vblk_complete_push(). */
void
vblk_complete(struct vblk_queue *queue, struct vblk_request *request, uint8_t status);
/* complete.c: polls the backend and completes requests. Returns the number of operations. */
uint16_t
vblk_complete_poll(struct vblk_queue *queue);
void
vblk_complete_push(struct vblk_queue *queue);
/* complete.c: frees the slots of requests that were published. */
void
vblk_complete_published(struct vblk_queue *queue);

/*
 * hold.c: whether a request whose operation failed is held; if not, it has to be answered. Between
 * enter and leave.
 */
bool
vblk_hold(struct vblk_queue *queue, struct vblk_request *request);
/* hold.c: the queue stops and has no requests any more. Thread: control. */
void
vblk_hold_stopped(struct vblk_queue *queue);

/* sleep.c: wakes the threads that sleep on the queues of a device. Any thread. */
void
vblk_sleep_wake(struct rte_vduse_blk *blk);
/*
 * sleep.c: disables what rte_vduse_blk_sleep() enabled, at the first poll that found work. Between
 * enter and leave.
 */
void
vblk_sleep_end(struct vblk_queue *queue);

/* stats.c: counts an answered request. */
void
vblk_stats_count(struct rte_vduse_blk_stats *stats, const struct vblk_request *request,
		 uint8_t status);

/* Whether the device holds requests: its queues start none. */
static inline bool
vblk_hold_on(const struct rte_vduse_blk *blk)
{
	/* Relaxed: a queue that sees it late starts a request, which may be held, too. */
	return rte_atomic_load_explicit(&blk->hold.error, rte_memory_order_relaxed) != 0;
}

static inline enum vblk_stage_kind
vblk_stage_kind(const struct rte_vduse_blk_io *io)
{
	return io->op > RTE_VDUSE_BLK_FLUSH ? VBLK_STAGE_RANGES : VBLK_STAGE_DATA;
}

/* Whether a chain has to wait until a long request frees its vectors. */
static inline bool
vblk_part_wait(const struct vblk_queue *queue, const struct rte_vduse_chain *chain)
{
	return unlikely(RTE_MAX(chain->nb_out, chain->nb_in) > queue->blk->iov_max) &&
	       queue->nb_rooms == 0;
}

/*
 * Sets request->io to the next operation after one that succeeded. False: the request is complete
 * with *status, which the caller set to VIRTIO_BLK_S_OK.
 */
static inline bool
vblk_part_next(const struct vblk_queue *queue, struct vblk_request *request, uint8_t *status)
{
	if (likely(request->left == 0 && request->next_range >= request->nb_ranges))
		return false;
	return vblk_part_advance(queue, request, status);
}

/* Adds to a counter that one thread writes and any thread reads. */
static inline void
vblk_stats_add(uint64_t *counter, uint64_t n)
{
	rte_atomic_store_explicit(counter, *counter + n, rte_memory_order_relaxed);
}

#endif /* VBLK_BLK_H */
