/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Interrupts of one virtqueue. The thread that wants one sends it, unless the driver makes that slow.
 * Input: interrupts that a poller wants. Output: calls of the transport.
 * Thread: the poller for rte_vduse_vq_call(); control for the others.
 */
#include <rte_cycles.h>
#include <rte_vduse_compat.h>

#include <vduse/core/ctrl_thread.h>
#include <vduse/core/device.h>
#include <vduse/core/log.h>

/*
 * Number of slow interrupts, less fast ones, after which the control thread sends them. So many are
 * caused by the driver, not by the load of the machine.
 */
#define VQ_SLOW_CALLS 16

static void
vq_post_call(struct rte_vduse_vq *vq)
{
	/* An interrupt that is posted but not sent yet serves this one, too. */
	if (rte_atomic_load_explicit(&vq->owes_call, rte_memory_order_relaxed))
		return;
	/* Release: pairs with the acquire in vduse_vq_call_posted(). */
	rte_atomic_store_explicit(&vq->owes_call, true, rte_memory_order_release);
	vduse_ctrl_wake();
}

static void
vq_count_slow_call(struct rte_vduse_vq *vq)
{
	if (++vq->slow_calls == VQ_SLOW_CALLS)
		VDUSE_LOG_DRIVER(vq->dev, dev, WARNING,
				 "virtqueue %u: an interrupt takes more than %u us, because too "
				 "many threads wait for it: the control thread sends them now",
				 vq->index, VDUSE_SLOW_CALL_US);
}

int
rte_vduse_vq_call(struct rte_vduse_vq *vq)
{
	uint64_t begin;
	int ret;

	if (unlikely(vq->slow_calls == VQ_SLOW_CALLS)) {
		vq_post_call(vq);
		return 0;
	}
	begin = rte_rdtsc();
	ret = vq->dev->transport->vq_call(vq->dev, vq->index);
	if (unlikely(rte_rdtsc() - begin > vq->dev->slow_call))
		vq_count_slow_call(vq);
	else if (unlikely(vq->slow_calls > 0))
		vq->slow_calls--;
	return ret;
}

bool
vduse_vq_call_posted(struct rte_vduse_vq *vq)
{
	if (!rte_atomic_exchange_explicit(&vq->owes_call, false, rte_memory_order_acquire))
		return false;
	/*
	 * Without the lock, which would make every burst fail as long as this takes, and an
	 * application may drop what it cannot send. The poller, which posts all interrupts now, sends
	 * none itself. Only this thread replaces the call eventfd and stops the virtqueue.
	 */
	if (vq->started)
		(void)vq->dev->transport->vq_call(vq->dev, vq->index);
	return true;
}
