/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Interrupts of one virtqueue. A poller sends its own, under the lock. It posts them to the control
 * thread where the driver makes that slow, and while the control thread sends one. The control thread
 * sends without the lock: bursts would fail as long as that takes, and an application may drop what
 * it cannot send.
 * Input: interrupts that a thread wants. Output: calls of the transport, one at a time.
 * Thread: the poller for rte_vduse_vq_call(); control for the others.
 */
#include <time.h>

#include <rte_cycles.h>
#include <rte_vduse_compat.h>

#include <vduse/core/ctrl_thread.h>
#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/trace.h>

/* Number of slow interrupts, less fast ones, after which the control thread sends them. */
#define VQ_SLOW_CALLS 16

int
vduse_vq_call_send(struct rte_vduse_vq *vq)
{
	VDUSE_TRACE(call, vq->name, vq->index);
	return vq->dev->transport->vq_call(vq->dev, vq->index);
}

static void
vq_post_call(struct rte_vduse_vq *vq)
{
	/* An interrupt that is posted but not sent yet serves this one, too. */
	if (rte_atomic_load_explicit(&vq->call_state, rte_memory_order_relaxed) ==
	    VDUSE_CALL_POSTED)
		return;
	/*
	 * Release: pairs with the acquire in vduse_vq_call_posted(). While the control thread sends
	 * one, it looks afterwards, in vq_call_done().
	 */
	if (rte_atomic_exchange_explicit(&vq->call_state, VDUSE_CALL_POSTED,
					 rte_memory_order_release) == VDUSE_CALL_NONE)
		vduse_ctrl_wake();
}

static void
vq_set_slow_calls(struct rte_vduse_vq *vq, uint16_t nb)
{
	rte_atomic_store_explicit(&vq->slow_calls, nb, rte_memory_order_relaxed);
	if (nb == VQ_SLOW_CALLS)
		VDUSE_LOG_DRIVER(vq->dev, dev, WARNING,
				 "virtqueue %u: an interrupt takes more than %u us, because too "
				 "many threads wait for it: the control thread sends them now",
				 vq->index, VDUSE_SLOW_CALL_US);
}

uint64_t
vduse_thread_ns(void)
{
	struct timespec ts = { 0 };

	(void)clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
	return (uint64_t)ts.tv_sec * NS_PER_S + (uint64_t)ts.tv_nsec;
}

/*
 * After one that was slow. Waking waiters is this thread's own work. While another thread has the
 * processor, as the one that the kernel runs the driver's handler on, the driver makes nothing slow:
 * interrupts that the control thread sends would have it run there just as well.
 */
static int
vq_call_measured(struct rte_vduse_vq *vq, uint16_t slow)
{
	uint64_t begin = vduse_thread_ns();
	int ret = vduse_vq_call_send(vq);

	if (vduse_thread_ns() - begin > VDUSE_SLOW_CALL_US * VDUSE_NS_PER_US)
		vq_set_slow_calls(vq, slow + 1);
	else
		vq_set_slow_calls(vq, slow - 1);
	return ret;
}

int
rte_vduse_vq_call(struct rte_vduse_vq *vq)
{
	/*
	 * Relaxed, here and for slow_call: an application may call without the lock, while the
	 * control thread begins with another driver. One call is then measured by the old values.
	 */
	uint16_t slow = rte_atomic_load_explicit(&vq->slow_calls, rte_memory_order_relaxed);
	uint64_t begin;
	int ret;

	/* Acquire: pairs with the release in vq_call_done(). */
	if (unlikely(slow == VQ_SLOW_CALLS ||
		     rte_atomic_load_explicit(&vq->call_state, rte_memory_order_acquire) !=
			     VDUSE_CALL_NONE)) {
		vq_post_call(vq);
		return 0;
	}
	if (unlikely(slow > 0))
		return vq_call_measured(vq, slow);
	begin = rte_rdtsc();
	ret = vduse_vq_call_send(vq);
	if (unlikely(rte_rdtsc() - begin >
		     rte_atomic_load_explicit(&vq->slow_call, rte_memory_order_relaxed)))
		vq_set_slow_calls(vq, 1);
	return ret;
}

/* The control thread sends no more: the poller sends its own, unless it posted one meanwhile. */
static void
vq_call_done(struct rte_vduse_vq *vq)
{
	uint8_t state = VDUSE_CALL_SENDING;

	if (!rte_atomic_compare_exchange_strong_explicit(&vq->call_state, &state, VDUSE_CALL_NONE,
							 rte_memory_order_release,
							 rte_memory_order_relaxed))
		vduse_ctrl_wake();
}

bool
vduse_vq_call_posted(struct rte_vduse_vq *vq)
{
	uint8_t state = VDUSE_CALL_POSTED;

	if (!rte_atomic_compare_exchange_strong_explicit(
		    &vq->call_state, &state, VDUSE_CALL_SENDING, rte_memory_order_acquire,
		    rte_memory_order_relaxed))
		return false;
	/* Only this thread replaces the call eventfd and stops the virtqueue. */
	if (vq->started)
		(void)vduse_vq_call_send(vq);
	vq_call_done(vq);
	return true;
}

void
vduse_vq_call_start(struct rte_vduse_vq *vq)
{
	const struct vduse_transport_ops *transport = vq->dev->transport;
	uint64_t slow = rte_get_tsc_hz() / (US_PER_S / VDUSE_SLOW_CALL_US);

	/* The kernel's own driver may do its work in the call: it is as long as that takes. */
	if (transport->driver_is_kernel != NULL && transport->driver_is_kernel(vq->dev))
		slow = UINT64_MAX;
	rte_atomic_store_explicit(&vq->slow_call, slow, rte_memory_order_relaxed);
}

void
vduse_vq_call_begin(struct rte_vduse_vq *vq)
{
	uint8_t state = VDUSE_CALL_NONE;

	/* It stays posted if it is. Relaxed: the lock provides the ordering. */
	(void)rte_atomic_compare_exchange_strong_explicit(
		&vq->call_state, &state, VDUSE_CALL_SENDING, rte_memory_order_relaxed,
		rte_memory_order_relaxed);
}

void
vduse_vq_call_end(struct rte_vduse_vq *vq)
{
	if (!vduse_vq_call_posted(vq))
		vq_call_done(vq);
}
