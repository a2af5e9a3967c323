/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Virtqueues, device side. Owns no file descriptor and knows no transport: a lookup function
 * translates addresses of the driver's address space (iova).
 * Input: ring memory and available chains. Output: chains of buffers in virtual memory, and used
 * entries. Thread: one at a time per virtqueue; the caller serialises calls.
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
#include <vring/log.h>

#define VRING_SIZE_MIN 2
#define VRING_SIZE_MAX 32768

/* Indirect tables may be longer than the ring: a chain of this length is always accepted. */
#define VRING_CHAIN_MIN_LIMIT 1024

/*
 * A pop ends with the chain in which it has read this many descriptors: a driver may make chains
 * of 32768 empty descriptors available, and each one costs the poller time.
 */
#define VRING_POP_DESCS 4096

/* Why a ring stopped. All but VRING_FAULT_MISS are driver errors and final. */
enum vring_fault {
	VRING_FAULT_NONE,
	VRING_FAULT_MISS,     /* an address in no known region; one may be added */
	VRING_FAULT_AVAIL,    /* more made available than the ring holds */
	VRING_FAULT_INDEX,    /* a descriptor index outside its table */
	VRING_FAULT_LOOP,     /* a chain longer than its table: it loops */
	VRING_FAULT_INDIRECT, /* a malformed, nested or not negotiated indirect table */
	VRING_FAULT_ORDER,    /* a readable descriptor after a writable one */
	VRING_FAULT_ADDRESS,  /* address plus length wraps around */
	VRING_FAULT_LONG,     /* a chain of more pieces than supported */
	VRING_FAULT_COUNT,
};

/* Driver memory that is virtually contiguous: va = iova + delta, modulo 2^64. */
struct vring_window {
	uint64_t first;
	uint64_t size; /* 0: nothing cached */
	uint64_t delta;
};

/*
 * Finds a window that contains iova and permits the access. Called by the polling thread: no
 * system call, no lock.
 */
typedef bool (*vring_lookup_t)(void *arg, uint64_t iova, bool write, struct vring_window *window);

struct vring_mem {
	struct vring_window window[2]; /* the last hit: [0] to read, [1] to write */
	vring_lookup_t lookup;
	void *arg;
};

/*
 * What an inflight log keeps of a chain from pop to publish, so that another process can read the
 * chain again. In a packed ring, used descriptors of other chains may overwrite its descriptors;
 * in a split ring they stay.
 */
struct vring_taken {
	uint16_t head;
	uint16_t nb_descs;
	const struct vring_desc *descs; /* packed ring: copies of the descriptors */
};

/* Addresses, size and start position of a ring, from the transport. */
struct vring_layout {
	uint64_t desc;
	uint64_t driver; /* avail ring, or driver event area */
	uint64_t device; /* used ring, or device event area */
	uint64_t features;
	uint32_t size;
	uint32_t position; /* see vring_position() */
};

struct vring_vq;

/* Operations of a ring format, chosen once, at start. */
struct vring_ops {
	/* Sets the positions from the layout, before the rings are mapped. */
	void (*begin)(struct vring_vq *vq);
	/* Maps the rings. -EFAULT: fault_iova is in no region. */
	int (*map)(struct vring_vq *vq);
	/* Sets the positions, once the rings are mapped. */
	void (*seed)(struct vring_vq *vq);
	/* Writes vq->notify for the driver: kick for the next available chain, or do not. */
	void (*notify)(struct vring_vq *vq);
	uint16_t (*pop)(struct vring_vq *vq, struct rte_vduse_chain *chains, uint16_t nb);
	void (*unpop)(struct vring_vq *vq, const struct rte_vduse_chain *chains, uint16_t nb);
	void (*push)(struct vring_vq *vq, const struct rte_vduse_chain *chains, uint16_t nb);
	bool (*publish)(struct vring_vq *vq);
	bool (*calls_off)(const struct vring_vq *vq);
	uint32_t (*count)(struct vring_vq *vq);
	uint32_t (*position)(const struct vring_vq *vq);
	/* For an inflight log: see the functions of these names. */
	uint16_t (*published)(const struct vring_vq *vq);
	bool (*was_published)(struct vring_vq *vq, uint16_t published);
	int (*resume)(struct vring_vq *vq, uint16_t published, uint32_t used, uint32_t taken);
	bool (*reread)(struct vring_vq *vq, const struct vring_taken *taken,
		       struct rte_vduse_chain *chain);
};

/* Descriptors of a packed ring in a cache line. */
#define VRING_PACKED_LINE 4

/*
 * A packed ring. A place is an index in two laps of the ring, 0 to 2 * size - 1: places below size
 * are the descriptors under wrap counter 1, the others the same descriptors under wrap counter 0.
 */
struct vring_packed {
	struct vring_packed_desc *desc;
	struct vring_packed_desc_event *device_event;       /* when the driver kicks */
	const struct vring_packed_desc_event *driver_event; /* when it wants an interrupt */
	uint32_t avail;                                     /* next place to read */
	uint32_t used;                                      /* next place to write used */
	uint32_t published;                                 /* used at the last publish */
	/* Used descriptors from published on that vring_publish() writes. */
	struct vring_packed_used {
		uint64_t word; /* length, id and flags, in the ring's layout */
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
	uint16_t next_avail;        /* next entry of the avail ring to read */
	uint16_t avail_seen;        /* avail index as last read from the driver */
	uint16_t next_used;         /* next entry of the used ring to write */
	uint16_t published;         /* next_used at the last publish */
	uint16_t disabled_at;       /* published when kicks were last disabled */
	uint16_t *avail_event;      /* with event_idx: when the driver kicks */
	const uint16_t *used_event; /* with event_idx: when it wants an interrupt */
	bool notify;                /* the driver is to kick */
	bool event_idx;
	bool indirect;
	bool in_order;
	bool started;
	/*
	 * Packed: all buffers of a table are to be read, whatever their flags say. The device type
	 * sets it after vring_start() for a queue in which the device never writes to a buffer.
	 */
	bool reads_tables;
	/*
	 * Of a chain, only the first used_len bytes are written, and not what is after them. The
	 * device type sets it after vring_start(), so that less is marked in the log.
	 */
	bool writes_used;
	const struct vring_log *log; /* NULL: nothing is logged. Set by vring_log_set() */
	enum vring_fault fault;
	uint64_t fault_iova; /* the address, index or length that is wrong */
	struct vring_mem mem;
	struct rte_vduse_buf *bufs; /* scratch array that popped chains point into */
	uint32_t nb_bufs;
	uint32_t max_bufs;
	uint32_t chain_limit; /* most descriptors of a chain with an indirect table */
	uint32_t nb_read;     /* descriptors of chains of more than one, since the last pop began */
	struct vring_layout layout;
	struct vring_packed packed;
	uint64_t log_used; /* address that stands for layout.device in the log */
};

/*
 * Starts a virtqueue, which is zeroed or was started before: checks the layout, allocates the
 * scratch array, maps the rings and disables kicks. A split ring starts at its used index, whatever
 * layout->position is. A packed ring starts at the used position of layout->position if an
 * available descriptor is there, otherwise at the avail position.
 *
 * Returns 0, -EINVAL (size, alignment or position), -EFAULT (a ring is not in accessible memory:
 * fault_iova is the address) or -ENOMEM.
 */
int
vring_start(struct vring_vq *vq, const struct vring_layout *layout, vring_lookup_t lookup,
	    void *arg);

/* Maps the rings again after memory changed; positions stay. 0 or -EFAULT. */
int
vring_remap(struct vring_vq *vq);

/*
 * Sets the dirty log, or NULL, of a virtqueue that was started. used: the address by which the used
 * ring (packed: the device event area) is marked.
 */
void
vring_log_set(struct vring_vq *vq, const struct vring_log *log, uint64_t used);

/* Unmaps the rings and frees the scratch array; the position stays. May be called twice. */
void
vring_stop(struct vring_vq *vq);

/*
 * Enables or disables kicks; they are disabled at start. After enabling, check the ring again: the
 * driver does not kick for chains that it made available before.
 */
void
vring_notify(struct vring_vq *vq, bool enable);

/*
 * The position from which a driver or a later start resumes. Split: the avail index. Packed: the
 * avail position in bits 0 to 15 and the used position in bits 16 to 31, each an index of 15 bits
 * and a wrap counter.
 */
uint32_t
vring_position(const struct vring_vq *vq);

/*
 * For an inflight log: the used position that was last published. Split: an index of the used
 * ring. Packed: an index of a descriptor, with the wrap counter in bit 15.
 */
static inline uint16_t
vring_published(const struct vring_vq *vq)
{
	return vq->ops->published(vq);
}

/* Packed ring: the descriptor nb_back descriptors before the avail position. */
struct vring_desc
vring_packed_popped(const struct vring_vq *vq, uint32_t nb_back);

/*
 * For a virtqueue taken over from a killed process: whether that process published anything after
 * this used position.
 */
static inline bool
vring_was_published(struct vring_vq *vq, uint16_t published)
{
	return vq->ops->was_published(vq, published);
}

/*
 * Resumes a ring: after published, used chains (packed: descriptors) were used, and the next taken
 * ones were popped. 0, or -EINVAL: the ring cannot be in this state.
 */
static inline int
vring_resume(struct vring_vq *vq, uint16_t published, uint32_t used, uint32_t taken)
{
	return vq->ops->resume(vq, published, used, taken);
}

/*
 * Resumes a packed ring of a killed process that completed chains in the order in which it popped
 * them. The process had published all before from and was publishing all before to (positions as
 * of vring_published()). 0, or -EINVAL: it was killed while it wrote used descriptors, or the ring
 * cannot be in this state.
 */
int
vring_packed_go_on(struct vring_vq *vq, uint16_t from, uint16_t to);

/* Reads a chain again that the killed process popped. False: vq->fault says why. */
static inline bool
vring_reread(struct vring_vq *vq, const struct vring_taken *taken, struct rte_vduse_chain *chain)
{
	vq->nb_bufs = 0;
	return vq->ops->reread(vq, taken, chain);
}

/* Text of a fault, for a log line. */
const char *
vring_fault_name(enum vring_fault fault);

/*
 * Pops up to nb available chains (at most RTE_VDUSE_BURST_MAX). It returns fewer if no more are
 * available, after VRING_POP_DESCS descriptors, or if the next chain is faulty: vq->fault is then
 * set, and the returned chains are good. Pop returns 0 until the caller clears the fault
 * (VRING_FAULT_MISS, after memory was added) or starts the virtqueue again.
 */
static inline uint16_t
vring_pop(struct vring_vq *vq, struct rte_vduse_chain *chains, uint16_t nb)
{
	return vq->ops->pop(vq, chains, nb);
}

/*
 * Returns the last nb popped chains to the ring, as if they had not been popped. Clears a fault of
 * the chain after them: a later pop finds it again.
 */
static inline void
vring_unpop(struct vring_vq *vq, const struct rte_vduse_chain *chains, uint16_t nb)
{
	vq->ops->unpop(vq, chains, nb);
}

/*
 * Writes used entries, which the driver does not see until vring_publish(). With VIRTIO_F_IN_ORDER
 * chains must be pushed in the order in which they were popped. With a log, the buffers are marked;
 * of chains without bufs the caller marks what it wrote by vring_log_va().
 */
static inline void
vring_push(struct vring_vq *vq, const struct rte_vduse_chain *chains, uint16_t nb)
{
	if (unlikely(vq->log != NULL))
		vring_log_chains(vq, chains, nb);
	vq->ops->push(vq, chains, nb);
}

/* Publishes the pushed entries. Returns whether the driver wants an interrupt for them. */
static inline bool
vring_publish(struct vring_vq *vq)
{
	if (unlikely(vq->log != NULL))
		return vring_log_publish(vq);
	return vq->ops->publish(vq);
}

/*
 * Whether the driver wants no interrupt at all, also for what was published before. A driver that
 * enables interrupts looks for used entries after that. False where event indices do not tell.
 */
static inline bool
vring_calls_off(const struct vring_vq *vq)
{
	return vq->ops->calls_off(vq);
}

/* Number of available chains that are not popped. */
static inline uint32_t
vring_count(struct vring_vq *vq)
{
	return vq->ops->count(vq);
}

#endif /* VRING_H */
