/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * One virtqueue: its ring, lock and state, for the device types of this library. The functions are
 * inline versions of those of rte_vduse.h, because each burst calls them.
 * Thread: the poller during a burst, otherwise control.
 */
#ifndef VDUSE_VIRTQUEUE_H
#define VDUSE_VIRTQUEUE_H

#include <rte_branch_prediction.h>
#include <rte_spinlock.h>
#include <rte_vduse_compat.h>

#include <vring/vring.h>

#include <rte_vduse.h>

struct vduse_iotlb;

/* What the control thread does about interrupts of a virtqueue. */
enum vduse_call_state {
	VDUSE_CALL_NONE,    /* nothing: the poller sends them */
	VDUSE_CALL_POSTED,  /* it has to send one */
	VDUSE_CALL_SENDING, /* it is sending one: the poller posts the next */
};

/*
 * Serves a virtqueue on the control thread, between enter and leave. It does a bounded amount of
 * work, and returns whether there is more: it is called again after all other devices had a turn.
 */
typedef bool (*vduse_vq_serve_t)(struct rte_vduse_vq *vq, void *arg);

/* The first cache line is shared by a polling thread and the control thread. */
struct rte_vduse_vq {
	/* May be polled. Written by the control thread, and cleared by the poller on a fault. */
	bool enabled;
	/* Held by the poller for a burst, and by the control thread for changes. */
	rte_spinlock_t lock;
	/* An enum rte_vduse_vq_state. Written under the lock, read by any thread. */
	uint32_t state;
	/* The current table of regions, immutable. Written by the control thread under the lock. */
	const struct vduse_iotlb *iotlb;
	/* Set by the poller under the lock before it leaves a faulted burst. */
	bool report;
	/* Whether the last lookup that failed was for a write. Under the lock. */
	bool miss_write;
	uint64_t miss_iova;        /* the address that missed; written with report */
	struct rte_vduse_dev *dev; /* constant */
	uint16_t index;            /* constant */
	bool started;              /* the driver made it ready; control thread only */
	bool missed;               /* its miss is being served; control thread only */
	bool unmapped;             /* its ring was not found at miss_iova; control thread only */
	uint8_t nb_asked;          /* times that the address was asked for; control thread only */
	bool asked_write;          /* whether it is to be written; control thread only */
	uint64_t asked_iova;       /* that address; control thread only */
	uint64_t ask_at;           /* when to ask again, timer cycles; control thread only */
	bool runs;                 /* as vq_runs was told; control thread only */
	bool forgets;              /* see vduse_vq_forget(). Under the lock */
	int kick_fd;               /* eventfd of the driver's kicks, or -1; control thread only */
	int wake_fd;               /* see rte_vduse_vq_wake_fd(); -1: not opened. Under the lock */
	int wake_epoll;         /* see rte_vduse_vq_wake_epoll(), whose caller has it; -1: none */
	uint64_t misses;        /* written by the control thread */
	uint64_t faults;        /* number of errors; written under the lock */
	uint64_t slow_call;     /* cycles after which an interrupt is slow; atomic */
	uint16_t slow_calls;    /* slow interrupts less fast ones; atomic, the poller's */
	uint8_t call_state;     /* an enum vduse_call_state; atomic */
	bool kicked;            /* serve is to be called; control thread only */
	bool unkicked;          /* its driver sends no kicks: it has to be polled; atomic */
	vduse_vq_serve_t serve; /* see vduse_vq_serve(); control thread only */
	/* Unused if the device type maps rings itself: see vq_remap of struct rte_vduse_dev_ops. */
	struct vring_vq ring;
	struct rte_vduse_vq_info info; /* as started; control thread only */
	const struct vring_log *log;   /* dirty log of the ring, or NULL; control thread only */
	uint64_t log_used;             /* see vduse_vq_log(); control thread only */
	const char *name;              /* of its device, for VDUSE_TRACE(); constant */
} __rte_cache_aligned;

/* vq.c: the part of vduse_vq_enter() that is not inline. */
bool
vduse_vq_guard(struct rte_vduse_vq *vq);
/* vq.c: the part of vduse_vq_leave() that is not inline. */
void
vduse_vq_report(struct rte_vduse_vq *vq);
/*
 * vq.c: handles a fault of the ring, between enter and leave. Returns true if the driver broke a
 * rule, false for a miss.
 */
bool
vduse_vq_fault(struct rte_vduse_vq *vq);

/*
 * ctrl_thread.c: calls look(dev, arg of its ops) on the control thread in ms from now, once. A later
 * call takes the place of an earlier one. Thread: control.
 */
void
vduse_dev_look_later(struct rte_vduse_dev *dev, unsigned int ms,
		     void (*look)(struct rte_vduse_dev *dev, void *arg));

/*
 * ctrl_thread.c: makes the control thread call the look of the last vduse_dev_look_later() soon, in
 * addition to that one. Thread: any.
 */
void
vduse_dev_look_now(struct rte_vduse_dev *dev);

/*
 * vq.c: makes the control thread serve a virtqueue until it stops: whenever the driver kicks it, and
 * once after it starts, or runs again after a miss or a change of memory. For vq_start, which
 * returns its error. serve gets the arg of the device's conf and enables the driver's kicks itself.
 * Returns 0 or a negative errno.
 */
int
vduse_vq_serve(struct rte_vduse_vq *vq, vduse_vq_serve_t serve);

/*
 * vq.c: keeps the poller out of a virtqueue that may be running, and lets it in again. Thread:
 * control. Not for device types with vq_drain.
 */
void
vduse_vq_hold(struct rte_vduse_vq *vq);
void
vduse_vq_release(struct rte_vduse_vq *vq);

/*
 * miss.c: whether a virtqueue that cannot be entered runs, on a device that asks for each address: it
 * can be entered soon. Any thread.
 */
bool
vduse_vq_asks(const struct rte_vduse_vq *vq);

/*
 * vq_call.c: lets the control thread interrupt the driver without the lock, because the driver
 * decides how long that takes. begin, under the lock: pollers send no interrupt from now on, and
 * rte_vduse_vq_call() only notes one. end, after the lock was released: sends it. Thread: control.
 */
void
vduse_vq_call_begin(struct rte_vduse_vq *vq);
void
vduse_vq_call_end(struct rte_vduse_vq *vq);

/*
 * vq_call.c: interrupts the driver through the transport, now. Returns its result. Thread: the one
 * that may send interrupts.
 */
int
vduse_vq_call_send(struct rte_vduse_vq *vq);

static inline bool
vduse_vq_enter(struct rte_vduse_vq *vq)
{
	/*
	 * The control thread clears enabled before it takes the lock, so that a poller that takes
	 * the lock again at once does not starve it. Relaxed: the lock provides the ordering.
	 */
	if (!rte_atomic_load_explicit(&vq->enabled, rte_memory_order_relaxed))
		return false;
	if (unlikely(!rte_spinlock_trylock(&vq->lock)))
		return false;
	if (unlikely(!rte_atomic_load_explicit(&vq->enabled, rte_memory_order_relaxed) ||
		     !vduse_vq_guard(vq))) {
		rte_spinlock_unlock(&vq->lock);
		return false;
	}
	return true;
}

static inline void
vduse_vq_leave(struct rte_vduse_vq *vq)
{
	bool report = vq->report;

	rte_spinlock_unlock(&vq->lock);
	if (unlikely(report))
		vduse_vq_report(vq);
}

#endif /* VDUSE_VIRTQUEUE_H */
