/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Virtqueues that wait for an address, if the driver is behind an IOMMU and tells translations one
 * by one. No thread waits: the answer changes the memory of the device, after which the virtqueue is
 * looked at again.
 * Input: virtqueues that missed. Output: they run again, the driver is asked, or they fail.
 * Thread: control; vduse_vq_asks() any.
 */
#include <errno.h>

#include <rte_cycles.h>

#include <vduse/core/ctrl_thread.h>
#include <vduse/core/device.h>

/* How long an answer may take before the question is repeated, and the number of questions. */
#define MISS_PATIENCE_MS 1000
#define MISS_ASK_MAX     5

/* Chains whose addresses are looked up before they are needed, how often, and of how many virtqueues. */
#define MISS_AHEAD     16
#define MISS_AHEAD_MS  2
#define MISS_AHEAD_VQS 4

void
vduse_miss_switched(struct rte_vduse_vq *vq)
{
	if (vq->nb_asked > 0 && vduse_vq_region(vq, vq->asked_iova, vq->asked_write) != NULL)
		vq->nb_asked = 0;
}

static void
miss_give_up(struct rte_vduse_vq *vq)
{
	(void)vq->dev->transport->miss(vq->dev, vq->miss_iova, vq->miss_write, true);
	vduse_vq_hold(vq);
	vq->report = false;
	vq->unmapped = false;
	rte_vduse_vq_fail(vq, "its driver's IOMMU does not map the address", vq->miss_iova);
	vduse_vq_release(vq);
}

/*
 * Asks for an address, or repeats the question. Returns the milliseconds until the next one; -1: it
 * was asked often enough.
 */
static int
miss_ask(struct rte_vduse_vq *vq, uint64_t iova, bool write)
{
	uint64_t now = rte_get_timer_cycles();
	int ret;

	if (vq->nb_asked > 0 && vq->asked_iova == iova) {
		if (now < vq->ask_at)
			return (int)((vq->ask_at - now) * MS_PER_S / rte_get_timer_hz()) + 1;
		if (vq->nb_asked == MISS_ASK_MAX)
			return -1;
	} else {
		vq->nb_asked = 0;
	}
	vq->nb_asked++;
	vq->asked_iova = iova;
	vq->asked_write = write;
	vq->ask_at = now + rte_get_timer_hz() * MISS_PATIENCE_MS / MS_PER_S;
	/* If it cannot be sent, it is repeated as one that is not answered. */
	ret = vq->dev->transport->miss(vq->dev, iova, write, false);
	if (ret == -EINPROGRESS)
		vq->nb_asked = 1;
	return ret == -EFAULT ? -1 : MISS_PATIENCE_MS;
}

/*
 * Looks for an address that the next chains need and that is not mapped, before a poller finds it: an
 * application drops the packets for a virtqueue that waits. Returns 1 if there is one; 0; or -EBUSY: a
 * poller has the virtqueue.
 */
static int
miss_ahead(struct rte_vduse_vq *vq, uint64_t *iova, bool *write)
{
	struct rte_vduse_chain chains[MISS_AHEAD];
	struct vring_vq *ring = &vq->ring;
	bool missed;
	uint16_t n;

	if (!vduse_vq_enter(vq))
		return -EBUSY;
	n = vring_pop(ring, chains, MISS_AHEAD);
	missed = ring->fault == VRING_FAULT_MISS;
	*iova = ring->fault_iova;
	*write = vq->miss_write;
	vring_unpop(ring, chains, n);
	/* The poller finds any fault again. */
	ring->fault = VRING_FAULT_NONE;
	vduse_vq_leave(vq);
	return missed;
}

/* Serves a virtqueue if it runs. Returns the milliseconds until the next time; -1: it does not. */
static int
miss_serve_ahead(struct rte_vduse_vq *vq)
{
	uint64_t iova;
	bool write;
	int ret, ms;

	if (rte_atomic_load_explicit(&vq->state, rte_memory_order_relaxed) != RTE_VDUSE_VQ_RUNNING)
		return -1;
	ret = miss_ahead(vq, &iova, &write);
	if (ret > 0) {
		ms = miss_ask(vq, iova, write);
		return ms < 0 ? MISS_PATIENCE_MS : ms;
	}
	/* Not if a poller has it: what was asked may still be open. */
	if (ret == 0)
		vq->nb_asked = 0;
	return MISS_AHEAD_MS;
}

/* Serves a virtqueue if it waits. Returns the milliseconds until the next time; -1: it does not. */
static int
miss_serve_vq(struct rte_vduse_vq *vq)
{
	/* Acquire: pairs with the release in rte_vduse_vq_miss(). */
	uint32_t state = rte_atomic_load_explicit(&vq->state, rte_memory_order_acquire);
	int ms;

	if (state == RTE_VDUSE_VQ_WAITING &&
	    vduse_vq_region(vq, vq->miss_iova, vq->miss_write) != NULL) {
		vq->nb_asked = 0;
		vduse_vq_resume(vq);
		return 0;
	}
	if (state != RTE_VDUSE_VQ_WAITING && !vq->unmapped)
		return -1;
	ms = miss_ask(vq, vq->miss_iova, vq->miss_write);
	if (ms < 0)
		miss_give_up(vq);
	return ms;
}

int
vduse_miss_serve(struct rte_vduse_dev *dev)
{
	int ms, soonest = -1;
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++) {
		ms = miss_serve_vq(&dev->vqs[i]);
		soonest = vduse_ctrl_sooner(soonest, ms);
	}
	/* Chains may be long: with many virtqueues, each has its turn. */
	for (i = 0; i < RTE_MIN(dev->nb_vqs, MISS_AHEAD_VQS); i++) {
		ms = miss_serve_ahead(&dev->vqs[dev->ahead++ % dev->nb_vqs]);
		soonest = vduse_ctrl_sooner(soonest, ms);
	}
	return soonest;
}

bool
vduse_vq_asks(const struct rte_vduse_vq *vq)
{
	return rte_atomic_load_explicit(&vq->dev->asks, rte_memory_order_relaxed) &&
	       rte_atomic_load_explicit(&vq->state, rte_memory_order_relaxed) ==
		       RTE_VDUSE_VQ_RUNNING;
}
