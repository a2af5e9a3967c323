/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * One virtqueue: its ring, its lock and its life, as the device types of this library see it. The
 * functions are those of rte_vduse.h, inline: each burst goes through them.
 * Thread: a poller for the length of a burst, else the control thread.
 */
#ifndef VDUSE_VIRTQUEUE_H
#define VDUSE_VIRTQUEUE_H

#include <rte_branch_prediction.h>
#include <rte_spinlock.h>
#include <rte_vduse_compat.h>

#include <vring/vring.h>

#include <rte_vduse.h>

struct vduse_iotlb;

/* The first cache line is shared by a polling thread and the control thread. */
struct rte_vduse_vq {
	/* May be polled. Written by the control thread, and cleared by the poller on a fault. */
	bool enabled;
	/* Held for the length of a burst, and by the control thread while it changes things. */
	rte_spinlock_t lock;
	/* An enum rte_vduse_vq_state. Written under the lock, read by anybody. */
	uint32_t state;
	/* Regions in force, an immutable table. Written by the control thread under the lock. */
	const struct vduse_iotlb *iotlb;
	/* Set by the poller under the lock before it leaves a faulted burst. */
	bool report;
	/* What a look-up that failed last was for. Under the lock. */
	bool miss_write;
	uint64_t miss_iova;        /* the address that missed; written with report */
	struct rte_vduse_dev *dev; /* constant */
	uint16_t index;            /* constant */
	bool started;              /* the driver made it ready; the control thread's */
	bool missed;               /* waits for the walk at hand; the control thread's */
	int kick_fd;               /* kicks of the driver, or -1; the control thread's */
	uint64_t misses;           /* written by the control thread */
	uint64_t faults;           /* times in the error state; written under the lock */
	uint16_t slow_calls;       /* of the last ones; written by the poller under the lock */
	bool owes_call;            /* the control thread is to make one; atomic */
	/* Not where the device type finds rings itself: see vq_remap of struct rte_vduse_dev_ops. */
	struct vring_vq ring;
	struct rte_vduse_vq_info info; /* of the start; the control thread's */
} __rte_cache_aligned;

/* vq.c: the part of vduse_vq_enter() that is not inline. */
bool
vduse_vq_guard(struct rte_vduse_vq *vq);
/* vq.c: the part of vduse_vq_leave() that is not inline. */
void
vduse_vq_report(struct rte_vduse_vq *vq);
/* vq.c: handles a fault of the ring. Whether the driver broke a rule. Between enter and leave. */
bool
vduse_vq_fault(struct rte_vduse_vq *vq);

static inline bool
vduse_vq_enter(struct rte_vduse_vq *vq)
{
	/* The control thread clears enabled before it takes the lock, so that a poller which
	 * comes back at once does not starve it. Relaxed: the lock orders what matters.
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
