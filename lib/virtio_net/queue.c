/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Starts, remaps and stops a virtqueue of a network device, and ends a burst.
 * Thread: control; vnet_queue_finish() and the counts: polling.
 */
#include <errno.h>
#include <string.h>

#include <linux/virtio_net.h>

#include <rte_cycles.h>
#include <rte_pause.h>
#include <rte_vduse_compat.h>

#include <virtio_net/ctrl.h>
#include <virtio_net/net.h>
#include <virtio_net/offload.h>
#include <virtio_net/steer.h>

/* An application that polls a queue at all has done so by then. */
#define QUEUE_LOOK_MS 5000

/* Whether the driver sends from a pair, and no thread has received from it. */
static bool
queue_unpolled(const struct rte_vduse_net *net, uint16_t pair)
{
	const struct vnet_queue *queue = &net->queues[2 * pair + 1];

	return rte_atomic_load_explicit(&queue->vq->state, rte_memory_order_relaxed) ==
		       RTE_VDUSE_VQ_RUNNING &&
	       !rte_atomic_load_explicit(&queue->polled, rte_memory_order_relaxed);
}

/*
 * Reports pairs whose packets nobody receives, one line for each driver. To the driver an
 * application sends on the pairs that it likes.
 */
static void
net_look_unpolled(struct rte_vduse_net *net)
{
	uint16_t i, first = net->pairs, nb = 0;

	for (i = 0; i < net->pairs; i++) {
		if (!queue_unpolled(net, i))
			continue;
		first = RTE_MIN(first, i);
		nb++;
	}
	if (nb == 0 || net->unpolled)
		return;
	net->unpolled = true;
	VNET_LOG_DRIVER(NOTICE, net->dev,
			"%u queue pair%s of the driver %s not polled, the first is pair %u: its "
			"packets wait there; poll Rx queue %u, or let the driver use fewer queues",
			nb, nb == 1 ? "" : "s", nb == 1 ? "is" : "are", first, first);
}

static void
net_look(struct rte_vduse_dev *dev, void *arg)
{
	struct rte_vduse_net *net = arg;

	RTE_SET_USED(dev);
	if (net->look_at != 0 && rte_get_timer_cycles() >= net->look_at) {
		net->look_at = 0;
		net_look_unpolled(net);
	}
	vnet_coal_look(net);
	vnet_queue_look_again(net);
}

void
vnet_queue_look_again(struct rte_vduse_net *net)
{
	uint64_t now = rte_get_timer_cycles(), ms = UINT64_MAX, hz = rte_get_timer_hz();

	if (net->look_at != 0)
		ms = net->look_at > now ? (net->look_at - now) * MS_PER_S / hz + 1 : 0;
	if (net->coal_watch.next_ms != 0)
		ms = RTE_MIN(ms, net->coal_watch.next_ms);
	if (ms != UINT64_MAX)
		vduse_dev_look_later(net->dev, (unsigned int)ms, net_look);
}

/* Resumes the ring at the position of the previous process, if there was one. */
static int
queue_resume(struct vnet_queue *queue, const struct rte_vduse_vq_info *info)
{
	const struct rte_vduse_net *net = queue->net;
	struct vring_vq *ring = &queue->vq->ring;
	int ret = vnet_position_start(queue, info);

	if (ret < 0)
		return ret;
	queue->gso_at = vnet_position_gso_at(queue);
	if (vring_position(ring) != info->position)
		VNET_LOG_DRIVER(NOTICE, queue->vq->dev,
				"virtqueue %u resumes at 0x%x, the end of its used buffers, "
				"not at 0x%x",
				queue->vq->index, vring_position(ring), info->position);
	if (net->watch != NULL && net->watch->vq_start != NULL && !queue->ctrl)
		(void)net->watch->vq_start(queue->vq, info, net->arg);
	return queue->ctrl ? vduse_vq_serve(queue->vq, vnet_ctrl_serve) : 0;
}

/* What commands of the driver may change while the virtqueue runs. */
static void
queue_start_state(struct rte_vduse_net *net, struct vnet_queue *queue,
		  const struct rte_vduse_vq_info *info)
{
	if (net->ctrl != NULL) {
		vnet_ctrl_begin(net, info->features, info->resumed);
		vnet_ctrl_set_queue(net, queue);
		vnet_coal_start(net, queue, info->resumed);
		return;
	}
	queue->offloads = vnet_offloads_valid(info->features);
}

static int
queue_start(struct rte_vduse_vq *vq, const struct rte_vduse_vq_info *info, void *arg)
{
	struct rte_vduse_net *net = arg;
	bool ctrl = vnet_ctrl_is(net, vq->index, info->features);
	struct vnet_queue *queue;

	if (vq->index >= 2 * net->pairs && !ctrl)
		return -ENOTSUP;
	queue = &net->queues[vq->index];
	queue->net = net;
	rte_atomic_store_explicit(&queue->polled, false, rte_memory_order_relaxed);
	/* One that is told of virtqueues may access the rings itself. */
	if (vq->index % 2 == 1 && !ctrl && (net->watch == NULL || net->watch->vq_start == NULL))
		net->look_at =
			rte_get_timer_cycles() + QUEUE_LOOK_MS * rte_get_timer_hz() / MS_PER_S;
	vnet_queue_look_again(net);
	queue->ctrl = ctrl;
	queue->told = false;
	queue->packed = (info->features & (UINT64_C(1) << VIRTIO_F_RING_PACKED)) != 0;
	queue->frame_max = rte_atomic_load_explicit(&net->frame_max, rte_memory_order_relaxed);
	queue_start_state(net, queue, info);
	queue->csum = (queue->offloads & VNET_OFFLOAD(CSUM)) != 0;
	queue->tx_flags = net->offloads ? VNET_OFFLOAD_TX_FLAGS : 0;
	queue->mergeable = (info->features & (UINT64_C(1) << VIRTIO_NET_F_MRG_RXBUF)) != 0;
	/* Section 5.1.6.1: without MRG_RXBUF, the header of a legacy driver has no num_buffers. */
	queue->hdr_len = sizeof(struct virtio_net_hdr);
	if (queue->mergeable || (info->features & (UINT64_C(1) << VIRTIO_F_VERSION_1)))
		queue->hdr_len = sizeof(struct virtio_net_hdr_v1);
	if ((info->features & (UINT64_C(1) << VIRTIO_NET_F_HASH_REPORT)) != 0)
		queue->hdr_len = VNET_HASH_HDR_LEN;
	/*
	 * DPDK's driver (22.11 and later) leaves VRING_DESC_F_WRITE set in entries of tables of
	 * packets that it sends: in the first, which has the header, and in the one whose index is
	 * that of the descriptor.
	 */
	vq->ring.reads_tables = vq->index % 2 == 1;
	vq->ring.writes_used = true;
	return queue_resume(queue, info);
}

static void
queue_memory(struct rte_vduse_vq *vq, void *arg)
{
	struct rte_vduse_net *net = arg;

	if (net->watch != NULL && net->watch->vq_remap != NULL && !net->queues[vq->index].ctrl)
		(void)net->watch->vq_remap(vq, net->arg);
}

static void
queue_stop(struct rte_vduse_vq *vq, void *arg)
{
	struct rte_vduse_net *net = arg;

	vnet_coal_stop(&net->queues[vq->index]);
	if (net->watch != NULL && net->watch->vq_stop != NULL && vq->ring.started &&
	    !net->queues[vq->index].ctrl)
		net->watch->vq_stop(vq, net->arg);
}

static void
queue_runs(struct rte_vduse_vq *vq, bool runs, void *arg)
{
	struct rte_vduse_net *net = arg;

	/* No poller sends it, and a driver that suspends the device cannot be called later. */
	if (!runs)
		vnet_coal_rest(&net->queues[vq->index]);
	if (net->watch != NULL && net->watch->vq_runs != NULL)
		net->watch->vq_runs(vq, runs, net->arg);
}

static void
net_memory(struct rte_vduse_dev *dev, void *arg)
{
	struct rte_vduse_net *net = arg;

	if (net->watch != NULL && net->watch->memory != NULL)
		net->watch->memory(dev, net->arg);
}

static void
net_status(struct rte_vduse_dev *dev, uint8_t status, void *arg)
{
	bool up = (status & VIRTIO_CONFIG_S_DRIVER_OK) != 0;
	struct rte_vduse_net *net = arg;

	if (status == 0 && net->ctrl != NULL)
		vnet_ctrl_end(net);
	if (status == 0)
		vnet_steer_forget(net);
	if (net->watch != NULL && net->watch->status != NULL)
		net->watch->status(dev, status, net->arg);
	/* What the driver before asked for is not the next one's. */
	if (!up)
		rte_atomic_store_explicit(&net->announce, 0, rte_memory_order_relaxed);
	if (up == net->up)
		return;
	net->up = up;
	net->unpolled = false;
	if (net->link != NULL)
		net->link(net, up, net->arg);
}

/* Relaxed: the address is all that the poller reads. A new one replaces one not sent yet. */
static void
net_announce(struct rte_vduse_dev *dev, const uint8_t *address, void *arg)
{
	struct rte_vduse_net *net = arg;
	uint64_t announce = 0;

	RTE_SET_USED(dev);
	memcpy(&announce, address, RTE_ETHER_ADDR_LEN);
	rte_atomic_store_explicit(&net->announce, announce, rte_memory_order_relaxed);
}

const struct rte_vduse_dev_ops vnet_dev_ops = {
	.vq_start = queue_start,
	.vq_memory = queue_memory,
	.vq_stop = queue_stop,
	.memory = net_memory,
	.status = net_status,
	.announce = net_announce,
	.vq_runs = queue_runs,
};

static uint32_t
queue_count(struct vnet_queue *queue)
{
	uint32_t count;

	if (!vduse_vq_enter(queue->vq))
		return 0;
	count = queue->off ? 0 : vring_count(&queue->vq->ring);
	vduse_vq_leave(queue->vq);
	return count;
}

uint32_t
rte_vduse_net_rx_count(struct rte_vduse_net *net, uint16_t pair)
{
	return queue_count(&net->queues[2 * pair + 1]);
}

uint32_t
rte_vduse_net_tx_count(struct rte_vduse_net *net, uint16_t pair)
{
	return queue_count(&net->queues[2 * pair]);
}

/*
 * Whether its driver notifies of nothing, and one log line then. The caller holds the lock.
 * Relaxed: the control thread signals the application after it set the flag.
 */
static bool
queue_unkicked(struct vnet_queue *queue)
{
	if (!rte_atomic_load_explicit(&queue->vq->unkicked, rte_memory_order_relaxed))
		return false;
	if (!queue->told)
		VNET_LOG_DRIVER(NOTICE, queue->vq->dev,
				"the client gave no kick descriptor for virtqueue %u, so an "
				"application cannot sleep on it: poll it",
				queue->vq->index);
	queue->told = true;
	return true;
}

int
rte_vduse_net_notify(struct rte_vduse_net *net, uint16_t index, bool enable)
{
	struct vnet_queue *queue;
	bool ctrl, unkicked = false;

	if (index >= 2 * net->pairs)
		return -EINVAL;
	queue = &net->queues[index];
	while (!vduse_vq_enter(queue->vq)) {
		if (!rte_atomic_load_explicit(&queue->vq->enabled, rte_memory_order_relaxed))
			return -EAGAIN;
		rte_pause();
	}
	/* Without MQ it has the index of a pair that is not used. */
	ctrl = queue->ctrl;
	if (!ctrl)
		vring_notify(&queue->vq->ring, enable);
	if (!ctrl && enable)
		unkicked = queue_unkicked(queue);
	vduse_vq_leave(queue->vq);
	if (unkicked)
		return -ENOTSUP;
	return ctrl ? -EAGAIN : 0;
}

void
vnet_queue_call(struct vnet_queue *queue)
{
	/* Fails only while the driver resets: it then needs no interrupt. */
	if (queue->net->call != NULL && !queue->ctrl)
		queue->net->call(queue->vq, queue->net->arg);
	else
		(void)rte_vduse_vq_call(queue->vq);
	vnet_stats_add(&queue->stats.calls, 1);
}

void
vnet_queue_finish(struct vnet_queue *queue, uint16_t pushed)
{
	struct vring_vq *ring = &queue->vq->ring;

	if (pushed > 0) {
		bool packed = queue->position != NULL && queue->packed, call;

		if (packed)
			vnet_position_note(queue);
		call = vring_publish(ring);
		if (packed)
			vnet_position_noted(queue);
		if (unlikely(rte_atomic_load_explicit(&queue->net->coalesces,
						      rte_memory_order_relaxed)))
			call = vnet_coal_passes(queue, pushed, call);
		if (call)
			vnet_queue_call(queue);
		else
			vnet_stats_add(&queue->stats.calls_suppressed, 1);
	}
	if (unlikely(ring->fault != VRING_FAULT_NONE) && vduse_vq_fault(queue->vq))
		vnet_stats_add(&queue->stats.bad_descriptors, 1);
}
