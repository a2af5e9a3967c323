/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Interrupt coalescing, see coalesce.h. The thread that polls a virtqueue holds interrupts back. Any
 * thread that polls its pair sends them in time. The control thread sends those of virtqueues that
 * nobody polls any more: it looks at them while interrupts are being held back, and sleeps otherwise.
 * Input: wanted interrupts, and commands of the driver. Output: fewer interrupts.
 * Thread: polling; control for commands, vnet_coal_look(), and a virtqueue that starts or stops.
 */
#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_vduse_compat.h>

#include <virtio_net/coalesce.h>
#include <virtio_net/ctrl.h>
#include <virtio_net/ctrl_state.h>
#include <virtio_net/net.h>

/* Most time between two looks of the control thread. */
#define COAL_TICK_MAX_MS 1000

/* A command for one virtqueue, little-endian. */
struct coal_vq {
	uint16_t vq_index;
	uint16_t reserved; /* ignored */
	struct vnet_coal_params params;
};

/* When the interrupt held back is due. Relaxed: what is done then is done under the lock. */
static uint64_t
coal_at(const struct vnet_queue *queue)
{
	return rte_atomic_load_explicit(&queue->coal.at, rte_memory_order_relaxed);
}

static void
coal_set_at(struct vnet_queue *queue, uint64_t at)
{
	rte_atomic_store_explicit(&queue->coal.at, at, rte_memory_order_relaxed);
}

/* Sends the interrupt held back, if there is one. The caller holds the lock. */
static void
coal_flush(struct vnet_queue *queue)
{
	if (coal_at(queue) == 0)
		return;
	coal_set_at(queue, 0);
	vnet_queue_call(queue);
}

/* The same on the control thread: vduse_vq_call_end() sends it, after the lock is released. */
static void
coal_flush_begin(struct vnet_queue *queue)
{
	vduse_vq_call_begin(queue->vq);
	coal_flush(queue);
}

/* An interrupt was held back: makes sure that the control thread looks at it. */
static void
coal_begun(struct rte_vduse_net *net)
{
	struct vnet_coal_watch *watch = &net->coal_watch;

	rte_atomic_store_explicit(&watch->begun, true, rte_memory_order_relaxed);
	/*
	 * Store at before loading on: pairs with the fence in vnet_coal_look(). Either the control
	 * thread sees the time, or this one sees that it does not look any more.
	 */
	rte_atomic_thread_fence(rte_memory_order_seq_cst);
	if (!rte_atomic_load_explicit(&watch->on, rte_memory_order_relaxed) &&
	    !rte_atomic_exchange_explicit(&watch->on, true, rte_memory_order_relaxed))
		vduse_dev_look_now(net->dev);
}

bool
vnet_coal_passes(struct vnet_queue *queue, uint16_t pushed, bool call)
{
	struct vnet_coal *coal = &queue->coal;

	if (coal_at(queue) == 0) {
		if (!call || pushed >= coal->limit)
			return call;
		coal->pending = pushed;
		coal->since = rte_rdtsc();
		coal_set_at(queue, coal->since + coal->wait);
		coal_begun((struct rte_vduse_net *)(uintptr_t)queue->net);
		return false;
	}
	coal->pending += pushed;
	if (coal->pending < coal->limit)
		return false;
	coal_set_at(queue, 0);
	return call || !vring_calls_off(&queue->vq->ring);
}

/* Whether a held interrupt is due. *at: the time at which it will be; 0: none is held. */
static bool
coal_is_due(const struct vnet_queue *queue, uint64_t *at)
{
	*at = coal_at(queue);
	return *at != 0 && rte_rdtsc() >= *at;
}

void
vnet_coal_poll(struct rte_vduse_net *net, uint16_t pair)
{
	struct vnet_queue *queue = &net->queues[2 * pair], *end = queue + 2;
	uint64_t at;

	for (; queue < end; queue++) {
		/* Where another thread has the lock, that one sends it. */
		if (likely(!coal_is_due(queue, &at)) || !vduse_vq_enter(queue->vq))
			continue;
		if (coal_is_due(queue, &at)) {
			coal_set_at(queue, 0);
			/* It may have disabled interrupts since they were wanted. */
			if (!vring_calls_off(&queue->vq->ring))
				vnet_queue_call(queue);
		}
		vduse_vq_leave(queue->vq);
	}
}

/* Sends what is due. Returns the time of the first one that is not, or 0. */
static uint64_t
coal_send_due(struct rte_vduse_net *net)
{
	uint64_t first = 0, at;
	uint16_t i;

	for (i = 0; i < 2 * net->pairs; i++) {
		struct vnet_queue *queue = &net->queues[i];
		bool due;

		if (coal_is_due(queue, &at)) {
			/* Also where it is not enabled. The driver's memory may be gone then. */
			rte_spinlock_lock(&queue->vq->lock);
			due = coal_is_due(queue, &at);
			if (due)
				coal_flush_begin(queue);
			rte_spinlock_unlock(&queue->vq->lock);
			if (due)
				vduse_vq_call_end(queue->vq);
			at = coal_at(queue);
		}
		if (at != 0 && (first == 0 || at < first))
			first = at;
	}
	return first;
}

void
vnet_coal_look(struct rte_vduse_net *net)
{
	struct vnet_coal_watch *watch = &net->coal_watch;
	bool begun = rte_atomic_exchange_explicit(&watch->begun, false, rte_memory_order_relaxed);
	uint64_t first = coal_send_due(net), now, ms;

	watch->next_ms = 0;
	if (first == 0 && !begun) {
		rte_atomic_store_explicit(&watch->on, false, rte_memory_order_relaxed);
		/* Store on before loading the times: pairs with the fence in coal_begun(). */
		rte_atomic_thread_fence(rte_memory_order_seq_cst);
		first = coal_send_due(net);
		if (first == 0)
			return;
		rte_atomic_store_explicit(&watch->on, true, rte_memory_order_relaxed);
	}
	/* One that is held back after this look is found by the next one, before it is due. */
	watch->next_ms = RTE_MAX(watch->tick_ms, 1u);
	if (first == 0)
		return;
	now = rte_rdtsc();
	ms = first > now ? (first - now) * MS_PER_S / rte_get_tsc_hz() + 1 : 1;
	watch->next_ms = (uint32_t)RTE_MIN(ms, (uint64_t)watch->next_ms);
}

/*
 * Sets the parameters of a virtqueue. The caller holds its lock. Returns whether the interrupt that is
 * held back is due now.
 */
static bool
coal_set(struct vnet_queue *queue, const struct vnet_coal_params *params)
{
	uint32_t packets = rte_le_to_cpu_32(params->max_packets);
	uint32_t usecs = rte_le_to_cpu_32(params->max_usecs);
	struct vnet_coal *coal = &queue->coal;

	coal->params = *params;
	coal->wait = usecs * (rte_get_tsc_hz() / US_PER_S);
	/* A driver all of whose buffers are used can do nothing but wait. */
	coal->limit = usecs == 0 ? 0 : RTE_MIN(packets, (uint32_t)queue->vq->ring.size);
	if (coal_at(queue) == 0)
		return false;
	if (coal->pending >= coal->limit || rte_rdtsc() - coal->since >= coal->wait)
		return true;
	coal_set_at(queue, coal->since + coal->wait);
	return false;
}

/* Whether a virtqueue carries packets of a driver, which set it up. */
static bool
coal_has(const struct vnet_queue *queue)
{
	return !queue->ctrl && queue->vq->started && queue->vq->ring.started;
}

static void
coal_change(struct vnet_queue *queue, const struct vnet_coal_params *params)
{
	bool due;

	vnet_ctrl_state_note_coal(queue, params);
	if (!coal_has(queue))
		return;
	vduse_vq_hold(queue->vq);
	due = coal_set(queue, params);
	if (due)
		coal_flush_begin(queue);
	vduse_vq_release(queue->vq);
	if (due)
		vduse_vq_call_end(queue->vq);
}

/* After virtqueues changed: whether bursts look at the time, and how often the control thread. */
static void
coal_update(struct rte_vduse_net *net)
{
	uint32_t usecs = UINT32_MAX, ms;
	bool coalesces = false;
	uint16_t i;

	for (i = 0; i < 2 * net->pairs; i++) {
		const struct vnet_coal *coal = &net->queues[i].coal;

		if (coal->limit == 0)
			continue;
		coalesces = true;
		usecs = RTE_MIN(usecs, rte_le_to_cpu_32(coal->params.max_usecs));
	}
	ms = usecs / (US_PER_S / MS_PER_S);
	net->coal_watch.tick_ms = RTE_MIN(ms, (uint32_t)COAL_TICK_MAX_MS);
	rte_atomic_store_explicit(&net->coalesces, coalesces, rte_memory_order_relaxed);
	if (!coalesces)
		return;
	/* What is held back already may be due earlier than it was. */
	net->coal_watch.next_ms = 1;
	vnet_queue_look_again(net);
}

bool
vnet_ctrl_coal(struct rte_vduse_net *net, uint8_t command, struct vnet_ctrl_data *data)
{
	bool from_driver = command == VIRTIO_NET_CTRL_NOTF_COAL_TX_SET;
	struct vnet_coal_params params;
	uint16_t i;

	if (!vnet_ctrl_take(data, &params, sizeof(params)))
		return false;
	net->ctrl->coal[from_driver] = params;
	for (i = from_driver; i < 2 * net->pairs; i = (uint16_t)(i + 2))
		coal_change(&net->queues[i], &params);
	coal_update(net);
	return true;
}

bool
vnet_ctrl_coal_vq(struct rte_vduse_net *net, uint8_t command, struct vnet_ctrl_data *data)
{
	bool get = command == VIRTIO_NET_CTRL_NOTF_COAL_VQ_GET, taken;
	struct coal_vq request = { 0 };
	struct vnet_queue *queue = NULL;
	uint16_t index;

	taken = vnet_ctrl_take(data, &request,
			       get ? offsetof(struct coal_vq, params) : sizeof(request));
	index = rte_le_to_cpu_16(request.vq_index);
	if (taken && index < 2 * net->pairs && coal_has(&net->queues[index]))
		queue = &net->queues[index];
	if (get) {
		if (queue != NULL)
			request.params = queue->coal.params;
		/* Also in front of an error: the ack byte has its place there. */
		return vnet_ctrl_put_first(data, &request.params, sizeof(request.params)) &&
		       queue != NULL;
	}
	if (queue == NULL)
		return false;
	coal_change(queue, &request.params);
	coal_update(net);
	return true;
}

void
vnet_coal_reset(struct rte_vduse_net *net)
{
	rte_atomic_store_explicit(&net->coalesces, false, rte_memory_order_relaxed);
}

void
vnet_coal_start(struct rte_vduse_net *net, struct vnet_queue *queue, bool resumed)
{
	struct vnet_coal_params params = { 0 };

	if (!queue->ctrl)
		params = net->ctrl->coal[queue->vq->index % 2];
	if (resumed && net->ctrl->known)
		vnet_ctrl_state_coal(queue, &params);
	vnet_ctrl_state_note_coal(queue, &params);
	/* Nothing is held back: vnet_coal_stop() sent it. */
	(void)coal_set(queue, &params);
	if (queue->coal.limit != 0)
		coal_update(net);
}

void
vnet_coal_stop(struct vnet_queue *queue)
{
	coal_flush(queue);
	queue->coal.limit = 0;
}

void
vnet_coal_rest(struct vnet_queue *queue)
{
	if (coal_at(queue) == 0)
		return;
	rte_spinlock_lock(&queue->vq->lock);
	coal_flush(queue);
	rte_spinlock_unlock(&queue->vq->lock);
}
