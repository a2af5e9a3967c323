/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A block device, inside lib/virtio_blk. A request goes through request.c (what is asked),
 * part.c (in operations of bounded size), dispatch.c (to the backend) and complete.c (back to the
 * driver). From pop to publish it has a
 * slot, and memory of the driver is known by its slot alone: that of its head in a split ring,
 * any in a packed one, whose drivers may choose any id.
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
#include <rte_vduse_blk.h>

extern int vblk_logtype;

#define VBLK_LOG(level, name, fmt, ...)                                                            \
	rte_log(RTE_LOG_##level, vblk_logtype, "VDUSE: %s: " fmt "\n", name, ##__VA_ARGS__)

/* The same for what the driver of dev can cause, as often as it likes. */
#define VBLK_LOG_DRIVER(level, dev, fmt, ...)                                                      \
	do {                                                                                       \
		if (rte_vduse_dev_may_log(dev))                                                    \
			VBLK_LOG(level, rte_vduse_dev_name(dev), fmt, ##__VA_ARGS__);              \
	} while (0)

#define VBLK_BIT(nr) (UINT64_C(1) << (nr))

/*
 * What the configuration space announces. A driver reads it before it says how large its ring is,
 * and without indirect descriptors it puts a whole request into the ring: seg_max is for a ring of
 * 128 or of queue-size, whichever is smaller. FreeBSD attaches only if size_max is at least its
 * maxphys, 1 MiB by default. A driver of Windows has room for 16 ranges, whatever is announced.
 */
#define VBLK_SEG_MAX       126
#define VBLK_SIZE_MAX      (UINT32_C(4) << 20)
#define VBLK_RANGES        1
#define VBLK_RANGE_SECTORS (UINT32_C(1) << 22)

/* Ranges that are accepted: earlier versions announced as many. */
#define VBLK_RANGES_MAX 32

/*
 * Vectors that a request has memory for: twice what is announced, because drivers may have been
 * told 254 by an earlier version, and a descriptor may lie in two regions.
 */
#define VBLK_IOV_MAX(seg_max) (4 * (seg_max) + 4)
static_assert(VBLK_IOV_MAX(VBLK_SEG_MAX) <= 1024, "more vectors than the kernel takes at once");

/* Requests with more pieces than that which a queue works on at a time; others wait in the ring. */
#define VBLK_ROOMS 4

/*
 * Bytes that a driver has the lcore and the backend handle at a time. An operation is no larger
 * than a part, and a poll submits no more than a poll's, so other queues of the lcore are served
 * in between. The backend holds no more than a flight's of a queue, so stopping one does not take
 * long.
 */
#define VBLK_PART_BYTES   (UINT64_C(2) << 20)
#define VBLK_POLL_BYTES   (UINT64_C(2) << 20)
#define VBLK_FLIGHT_BYTES (UINT64_C(32) << 20)
/* Vectors of an operation: what the kernel and librbd take. */
#define VBLK_PART_IOV 1024

/* Requests taken, and given back, in one step. */
#define VBLK_BURST 32
static_assert(VBLK_BURST <= RTE_VDUSE_BURST_MAX, "more than the ring pops at once");

/* A request between pop and push. */
struct vblk_request {
	struct rte_vduse_blk_io io;
	struct rte_vduse_chain chain; /* its pieces are not valid any more */
	uint8_t *status;              /* the driver's byte for the result */
	struct iovec *iov;            /* the vectors of the slot; constant */
	/* Set for each request, so they lie side by side. */
	struct iovec *room; /* vectors of a request with too many for iov; NULL: it has none */
	uint64_t left;      /* bytes of the data, or of the range, after io: see part.c */
	uint16_t nb_left;   /* vectors after those of io, without rest */
	uint16_t nb_ranges;
	uint16_t next_range;
	bool busy;
	bool finished;     /* by the backend */
	uint32_t type;     /* VIRTIO_BLK_T_* */
	struct iovec rest; /* of the last vector of io */
	/* Of DISCARD, WRITE_ZEROES and SECURE_ERASE, in the memory of the vectors: a copy. */
	struct virtio_blk_discard_write_zeroes *ranges;
} __rte_cache_aligned;

/* Operations that wait for the backend, in the order of popping. */
struct vblk_stage {
	struct rte_vduse_blk_io **ios;
	uint16_t nb;
	uint64_t waiting; /* bytes of those here */
	uint64_t flying;  /* bytes that the backend has */
};

/* Data does not wait for ranges, which may take long. */
enum vblk_stage_kind {
	VBLK_STAGE_DATA,
	VBLK_STAGE_RANGES,
	VBLK_STAGES,
};

/* One virtqueue. The polling thread's between enter and leave of vq; else the control
 * thread's.
 */
struct vblk_queue {
	struct rte_vduse_vq *vq;               /* constant */
	struct rte_vduse_blk *blk;             /* constant */
	struct rte_vduse_blk_channel *channel; /* constant */
	struct vblk_request *requests; /* one for each slot; there while the ring is started */
	struct iovec *iov;             /* iov_stride of them for each */
	struct iovec *rooms;           /* for requests that iov_stride is too small for */
	struct iovec *spare_rooms[VBLK_ROOMS];
	uint16_t nb_rooms;                /* spare ones */
	struct rte_vduse_blk_io **staged; /* room for stages */
	struct vblk_stage stages[VBLK_STAGES];
	bool stopping;      /* ranges that have not begun fail */
	uint16_t in_flight; /* popped and not done */
	uint16_t *slots;    /* room for done, spare, replay and order */
	uint16_t *order;    /* with in-order: slots in flight, a ring of them */
	uint16_t oldest;    /* where it begins */
	uint16_t *done;     /* slots that are done and not shown */
	uint16_t nb_done;
	uint16_t *spare; /* of a packed ring: free slots */
	uint16_t nb_spare;
	uint16_t *replay; /* slots that a killed process left, to be taken again */
	uint16_t nb_replay;
	uint16_t next_replay;
	struct vring_desc *replay_descs; /* room for the chain of one */
	uint16_t depth;                  /* of the channel */
	struct rte_vduse_part part;      /* of the state file, where the inflight log lies */
	struct vblk_inflight inflight;
	uint16_t nb_used; /* in used, to be pushed */
	bool pushed;      /* and to be published */
	bool packed;
	bool write_through; /* the driver does not flush: section 5.2.6.2 */
	bool settable;      /* it may switch the write cache off, too */
	struct rte_vduse_chain used[VBLK_BURST];
	struct rte_vduse_blk_stats stats; /* the polling thread writes, any thread reads */
} __rte_cache_aligned;

struct rte_vduse_blk {
	struct rte_vduse_dev *dev;
	struct rte_vduse_blk_backend *backend; /* constant */
	uint64_t capacity;                     /* sectors; atomic */
	bool draining;                         /* pollers take no request; atomic */
	bool no_cache;                         /* the driver switched the write cache off; atomic */
	uint64_t features;                     /* offered; constant */
	uint32_t block_size;                   /* constant */
	uint16_t nb_queues;                    /* constant */
	uint16_t iov_max;                      /* vectors that a request may take; constant */
	uint16_t iov_stride;                   /* constant */
	bool read_only;                        /* constant */
	bool keeps_inflight;                   /* constant */
	char serial[RTE_VDUSE_BLK_SERIAL_MAX]; /* constant */
	struct virtio_blk_config config;
	struct vblk_queue queues[];
};

/* config.c: the features and the configuration space that a device begins with. */
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
 * room.c: gives a queue what serves a ring of that size: a channel of the backend and a log, each
 * at least that large. What it has stays when this fails. Nothing is in flight.
 */
int
vblk_room_make(struct vblk_queue *queue, uint16_t size);
/* room.c: takes it away again. */
void
vblk_room_close(struct vblk_queue *queue);

/*
 * take_over.c: changes what is asked for to what the driver of a device that a dead process left
 * has, so that it goes on. 0; -ENOENT: there is none; -EEXIST: it cannot be served, with a line.
 */
int
vblk_take_over(struct rte_vduse_blk_conf *conf, const char *name,
	       const struct rte_vduse_left *left);
/* take_over.c: the features to offer to it, once those that conf gives are known. */
int
vblk_take_over_features(struct rte_vduse_blk *blk, const char *name,
			const struct rte_vduse_left *left);

/* queue.c: what rte_vduse_dev_ops asks of a virtqueue. */
extern const struct rte_vduse_dev_ops vblk_dev_ops;

/* queue.c: shows used chains, calls the driver if it wants, and reports faults. */
void
vblk_queue_finish(struct vblk_queue *queue);

/* request.c: fills the request of a popped chain. False: it has no place for a status. */
bool
vblk_request_init(struct vblk_request *request, const struct rte_vduse_chain *chain);
/*
 * The used length of a request whose first len bytes to write, without the status, were written
 * (section 2.7.8.2).
 */
uint32_t
vblk_request_used(const struct vblk_request *request, uint32_t len);
/*
 * Reads what the driver asks for. VIRTIO_BLK_S_OK: request->io is to be done, unless done says
 * that nothing is left to do; else the status to answer.
 */
uint8_t
vblk_request_parse(struct vblk_queue *queue, struct vblk_request *request,
		   const struct rte_vduse_chain *chain, bool *done);
/* Makes request->io the first part of the next of its ranges. False: there is none. */
bool
vblk_request_next_range(const struct vblk_queue *queue, struct vblk_request *request);

/* part.c: memory for the vectors of long requests. Returns 0 or -ENOMEM. */
int
vblk_part_alloc(struct vblk_queue *queue);
/* part.c: the parts of the functions below that few requests need. */
void
vblk_part_take(struct vblk_queue *queue, struct vblk_request *request);
uint8_t
vblk_part_split(const struct vblk_queue *queue, struct vblk_request *request);
bool
vblk_part_go_on(const struct vblk_queue *queue, struct vblk_request *request, uint8_t *status);
/* part.c: takes back what vblk_part_room() gave. */
void
vblk_part_leave(struct vblk_queue *queue, struct vblk_request *request);
/* part.c: makes request->io, which is a range, its first part. */
void
vblk_part_range(const struct vblk_queue *queue, struct vblk_request *request);

/* dispatch.c: takes chains off the ring. Returns how many. */
uint16_t
vblk_dispatch_take(struct vblk_queue *queue);
/* dispatch.c: has an operation wait for the backend; hands over what it may have and will take. */
void
vblk_dispatch_stage(struct vblk_queue *queue, struct vblk_request *request);
void
vblk_dispatch_submit(struct vblk_queue *queue);

/* complete.c: answers a request; the driver does not see it before vblk_complete_push(). */
void
vblk_complete(struct vblk_queue *queue, struct vblk_request *request, uint8_t status);
/* complete.c: collects what the backend has finished. Returns how much. */
uint16_t
vblk_complete_poll(struct vblk_queue *queue);
void
vblk_complete_push(struct vblk_queue *queue);
/* complete.c: what was pushed is published. */
void
vblk_complete_shown(struct vblk_queue *queue);

/* stats.c: counts a request that is answered. */
void
vblk_stats_count(struct rte_vduse_blk_stats *stats, const struct vblk_request *request,
		 uint8_t status);

static inline enum vblk_stage_kind
vblk_stage_kind(const struct rte_vduse_blk_io *io)
{
	return io->op > RTE_VDUSE_BLK_FLUSH ? VBLK_STAGE_RANGES : VBLK_STAGE_DATA;
}

/* Whether a chain has to wait until a long request has left its memory. */
static inline bool
vblk_part_wait(const struct vblk_queue *queue, const struct rte_vduse_chain *chain)
{
	return unlikely(RTE_MAX(chain->nb_out, chain->nb_in) > queue->blk->iov_max) &&
	       queue->nb_rooms == 0;
}

/* Gives a request memory for nb vectors, which are no more than its chain's pieces. */
static inline void
vblk_part_room(struct vblk_queue *queue, struct vblk_request *request, uint16_t nb)
{
	if (unlikely(nb > queue->blk->iov_max))
		vblk_part_take(queue, request);
}

/* Makes request->io, which is all of the data, its first part. Returns a status. */
static inline uint8_t
vblk_part_data(const struct vblk_queue *queue, struct vblk_request *request)
{
	if (likely(request->io.len <= VBLK_PART_BYTES && request->io.nb_iov <= VBLK_PART_IOV))
		return VIRTIO_BLK_S_OK;
	return vblk_part_split(queue, request);
}

/*
 * Makes request->io what comes after an operation that succeeded. False: the request is done, with
 * the status, which was VIRTIO_BLK_S_OK.
 */
static inline bool
vblk_part_next(const struct vblk_queue *queue, struct vblk_request *request, uint8_t *status)
{
	if (likely(request->left == 0 && request->next_range >= request->nb_ranges))
		return false;
	return vblk_part_go_on(queue, request, status);
}

/* A counter that one thread writes and any reads. */
static inline void
vblk_stats_add(uint64_t *counter, uint64_t n)
{
	rte_atomic_store_explicit(counter, *counter + n, rte_memory_order_relaxed);
}

#endif /* VBLK_BLK_H */
