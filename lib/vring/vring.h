/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Virtqueues as a device sees them. In flow ring memory and the driver's buffers, as
 * addresses in the driver's address space (iova); out flow chains of buffers that the device
 * may read or write, and back go the used ones. Owns no file descriptor and knows no
 * transport: memory is seen through a lookup function. One thread at a time per virtqueue;
 * whoever calls sees to that.
 */
#ifndef VRING_H
#define VRING_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include <rte_branch_prediction.h>
#include <rte_common.h>

#include <rte_vduse_chain.h>

#define VRING_SIZE_MIN 2
#define VRING_SIZE_MAX 32768

/* Indirect tables may be longer than the ring; this is how long a chain may get at the least. */
#define VRING_CHAIN_MIN_LIMIT 1024

/*
 * A pop that has read so many descriptors of chains and tables ends with the chain that it is at: a
 * driver may make chains of 32768 empty ones available, and each costs the poller time.
 */
#define VRING_POP_DESCS 4096

/* Why a ring stopped. All but VRING_FAULT_MISS are the driver's doing and final. */
enum vring_fault {
	VRING_FAULT_NONE,
	VRING_FAULT_MISS,     /* an address that no known region holds (yet) */
	VRING_FAULT_AVAIL,    /* more made available than the ring holds */
	VRING_FAULT_INDEX,    /* a descriptor index outside its table */
	VRING_FAULT_LOOP,     /* a chain longer than its table: it loops */
	VRING_FAULT_INDIRECT, /* a malformed, nested or not negotiated indirect table */
	VRING_FAULT_ORDER,    /* a readable descriptor behind a writable one */
	VRING_FAULT_ADDRESS,  /* an address and length that wrap around */
	VRING_FAULT_LONG,     /* a chain in more pieces than can be kept */
	VRING_FAULT_COUNT,
};

/* One stretch of driver memory that is contiguous here: va = iova + delta, modulo 2^64. */
struct vring_window {
	uint64_t first;
	uint64_t size; /* 0: nothing cached */
	uint64_t delta;
};

/*
 * Finds the stretch that holds iova and permits reading or writing. The window must start
 * at or before iova and hold it. Runs on the thread that polls: no system call, no lock.
 */
typedef bool (*vring_lookup_t)(void *arg, uint64_t iova, bool write, struct vring_window *window);

struct vring_mem {
	struct vring_window window[2]; /* the last hit: [0] to read, [1] to write */
	vring_lookup_t lookup;
	void *arg;
};

/*
 * What has to be kept of a chain from pop to publish to read it again in another process. The
 * descriptors of a packed ring are overwritten by others' used ones meanwhile, those of a split
 * ring stay.
 */
struct vring_taken {
	uint16_t head;
	uint16_t nb_descs;
	const struct vring_desc *descs; /* of a packed ring, as they stood in it */
};

/* Where a ring lies and where the device goes on in it, as the transport tells. */
struct vring_layout {
	uint64_t desc;
	uint64_t driver; /* avail ring, or driver event area */
	uint64_t device; /* used ring, or device event area */
	uint64_t features;
	uint32_t size;
	uint32_t position; /* see vring_position() */
};

struct vring_vq;

/* What split and packed rings do differently. Chosen once, at start. */
struct vring_ops {
	/* Finds the rings in memory. -EFAULT: fault_iova is where they are not. */
	int (*map)(struct vring_vq *vq);
	/* Sets the positions, once the rings are mapped. */
	void (*seed)(struct vring_vq *vq);
	/* Tells the driver not to kick, or, when loud, to kick for what comes next. */
	void (*quiet)(struct vring_vq *vq);
	uint16_t (*pop)(struct vring_vq *vq, struct rte_vduse_chain *chains, uint16_t nb);
	void (*unpop)(struct vring_vq *vq, const struct rte_vduse_chain *chains, uint16_t nb);
	void (*push)(struct vring_vq *vq, const struct rte_vduse_chain *chains, uint16_t nb);
	bool (*publish)(struct vring_vq *vq);
	uint32_t (*count)(struct vring_vq *vq);
	uint32_t (*position)(const struct vring_vq *vq);
	/* See vring_shown(), vring_was_shown(), vring_resume() and vring_again(). */
	uint16_t (*shown)(const struct vring_vq *vq);
	bool (*was_shown)(struct vring_vq *vq, uint16_t shown);
	int (*resume)(struct vring_vq *vq, uint16_t shown, uint32_t used, uint32_t taken);
	bool (*again)(struct vring_vq *vq, const struct vring_taken *taken,
		      struct rte_vduse_chain *chain);
};

/* Descriptors of a packed ring in a cache line. */
#define VRING_PACKED_LINE 4

/*
 * A packed ring. Its places count from 0 to 2 * size - 1: those below size are the descriptors
 * under wrap counter 1, those above the same under wrap counter 0.
 */
struct vring_packed {
	struct vring_packed_desc *desc;
	struct vring_packed_desc_event *device_event;       /* when the driver kicks */
	const struct vring_packed_desc_event *driver_event; /* when it wants a call */
	uint32_t avail;                                     /* next place to look at */
	uint32_t used;                                      /* next place to be marked used */
	uint32_t published;                                 /* used as the driver last saw it */
	/* Used descriptors at published and behind it, which wait for vring_publish(). */
	struct vring_packed_used {
		uint64_t word; /* length, id and flags, as they stand in the ring */
		uint32_t place;
	} held[VRING_PACKED_LINE];
	uint16_t nb_held;
};

struct vring_vq {
	const struct vring_ops *ops;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t size;
	uint16_t mask;
	uint16_t next_avail;        /* next entry of the avail ring to look at */
	uint16_t avail_seen;        /* avail index as last read from the driver */
	uint16_t next_used;         /* next entry of the used ring to write */
	uint16_t published;         /* next_used as the driver last saw it */
	uint16_t quiet_from;        /* published when avail_event was last moved */
	uint16_t *avail_event;      /* with event_idx: when the driver kicks */
	const uint16_t *used_event; /* with event_idx: when it wants a call */
	bool loud;                  /* the driver shall kick */
	bool event_idx;
	bool indirect;
	bool in_order;
	bool started;
	enum vring_fault fault;
	uint64_t fault_iova; /* the address, index or length that is wrong */
	struct vring_mem mem;
	struct rte_vduse_buf *bufs; /* scratch that popped chains point into */
	uint32_t nb_bufs;
	uint32_t max_bufs;
	uint32_t chain_limit; /* descriptors of a chain with an indirect table */
	uint32_t nb_read;     /* descriptors of chains of more than one, since the last pop began */
	struct vring_layout layout;
	struct vring_packed packed;
};

/*
 * Starts a virtqueue, which is zeroed or was started before: checks the layout, allocates the
 * scratch, finds the rings in memory and tells the driver not to kick. The device goes on where
 * the used buffers end: as a split ring's own used index says when that disagrees with
 * layout->position, and at a packed ring's used position unless nothing is in flight there.
 *
 * Returns 0, -EINVAL (size, alignment or position), -EFAULT (a ring is not in memory that we
 * can read or write: fault_iova says which) or -ENOMEM.
 */
int
vring_start(struct vring_vq *vq, const struct vring_layout *layout, vring_lookup_t lookup,
	    void *arg);

/* Finds the rings again after memory moved; positions are kept. 0 or -EFAULT. */
int
vring_remap(struct vring_vq *vq);

/* Forgets the rings and frees the scratch; the position stays. Harmless on a stopped one. */
void
vring_stop(struct vring_vq *vq);

/*
 * Lets the driver kick, or not, which is how a virtqueue starts. Once it may, what it made
 * available before that is to be looked for again: it may not kick for that.
 */
void
vring_notify(struct vring_vq *vq, bool enable);

/*
 * The position that a driver, or a later start, goes on from. Split: the avail index. Packed:
 * the avail position, and the used one 16 bits above it, each an index of 15 bits and a wrap
 * counter above that.
 */
uint32_t
vring_position(const struct vring_vq *vq);

/*
 * For a log of what is in flight. The used position up to which the driver was shown what is
 * used: an index of the used ring, or a descriptor of a packed ring with its wrap counter above
 * it in bit 15.
 */
static inline uint16_t
vring_shown(const struct vring_vq *vq)
{
	return vq->ops->shown(vq);
}

/* A copy of the descriptor of a packed ring that was popped nb_behind descriptors ago. */
struct vring_desc
vring_packed_popped(const struct vring_vq *vq, uint32_t nb_behind);

/*
 * In a virtqueue that started where another process was killed: whether that one had still
 * shown something behind this used position.
 */
static inline bool
vring_was_shown(struct vring_vq *vq, uint16_t shown)
{
	return vq->ops->was_shown(vq, shown);
}

/*
 * Goes on there: used chains (packed: descriptors) behind shown were used as well, and the taken
 * ones behind those are the device's. 0, or -EINVAL: this ring cannot have come there.
 */
static inline int
vring_resume(struct vring_vq *vq, uint16_t shown, uint32_t used, uint32_t taken)
{
	return vq->ops->resume(vq, shown, used, taken);
}

/*
 * Goes on in a packed ring that another process served until it was killed, and whose chains are
 * finished in the order in which they were popped: it had shown what lies before from, and was
 * showing what lies before to (each as vring_shown() has it). 0, or -EINVAL: it was killed while
 * it wrote used descriptors, or the ring cannot have come there.
 */
int
vring_packed_go_on(struct vring_vq *vq, uint16_t from, uint16_t to);

/* Reads a chain that the other process had popped. False: vq->fault says why. */
static inline bool
vring_again(struct vring_vq *vq, const struct vring_taken *taken, struct rte_vduse_chain *chain)
{
	vq->nb_bufs = 0;
	return vq->ops->again(vq, taken, chain);
}

/* The words for a fault, for a log line. */
const char *
vring_fault_name(enum vring_fault fault);

/*
 * Takes up to nb chains (at most RTE_VDUSE_BURST_MAX) that the driver made available. Fewer can
 * mean that they took long to read (VRING_POP_DESCS), or that the next one is faulty: vq->fault
 * then says so, and the chains before it are good. A fault stays until the caller clears it
 * (VRING_FAULT_MISS, after memory was added) or the queue is started again; as long as it stands,
 * pop returns 0.
 */
static inline uint16_t
vring_pop(struct vring_vq *vq, struct rte_vduse_chain *chains, uint16_t nb)
{
	return vq->ops->pop(vq, chains, nb);
}

/*
 * Gives the last nb popped chains back, as if they had not been popped. With them goes a fault
 * of the chain behind them: it is met again.
 */
static inline void
vring_unpop(struct vring_vq *vq, const struct rte_vduse_chain *chains, uint16_t nb)
{
	vq->ops->unpop(vq, chains, nb);
}

/*
 * Writes used entries; the driver does not see them until vring_publish(). With VIRTIO_F_IN_ORDER
 * chains must be pushed in the order in which they were popped.
 */
static inline void
vring_push(struct vring_vq *vq, const struct rte_vduse_chain *chains, uint16_t nb)
{
	vq->ops->push(vq, chains, nb);
}

/* Shows the pushed entries to the driver. Returns whether it wants a call for them. */
static inline bool
vring_publish(struct vring_vq *vq)
{
	return vq->ops->publish(vq);
}

/* How many chains the driver has made available and pop has not taken. */
static inline uint32_t
vring_count(struct vring_vq *vq)
{
	return vq->ops->count(vq);
}

#endif /* VRING_H */
