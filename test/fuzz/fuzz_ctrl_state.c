/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See fuzz_ctrl_state.h. */
#include "fuzz_ctrl_state.h"

#include <string.h>

#include <rte_vduse_compat.h>

#include <virtio_net/steer.h>

#include "fuzz.h"
#include "fuzz_packet.h"

struct fuzz_ctrl_state
fuzz_ctrl_state(const struct rte_vduse_net *net)
{
	const struct vnet_ctrl *ctrl = net->ctrl;
	struct fuzz_ctrl_state state;

	/* Compared as bytes. */
	memset(&state, 0, sizeof(state));
	memcpy(&state.filter, &ctrl->now, sizeof(state.filter));
	memcpy(&state.rss, &ctrl->rss, sizeof(state.rss));
	memcpy(state.coal, ctrl->coal, sizeof(state.coal));
	state.guest_offloads = ctrl->guest_offloads;
	state.pairs = ctrl->pairs;
	return state;
}

static void
check_rss(const struct rte_vduse_net *net, const struct vnet_rss *rss)
{
	uint16_t i;

	fuzz_check(rss->mask < VNET_RSS_TABLE_MAX && rte_is_power_of_2(rss->mask + 1u), "mask 0x%x",
		   rss->mask);
	fuzz_check((rss->types & ~(uint32_t)VNET_HASH_TYPES) == 0, "hash types 0x%x", rss->types);
	fuzz_check(rss->unclassified < net->pairs, "pair %u", rss->unclassified);
	for (i = 0; i <= rss->mask; i++)
		fuzz_check(rss->table[i] < net->pairs, "entry %u is pair %u", i, rss->table[i]);
}

/* A virtqueue of packets: what bursts read is what the commands set. */
static void
check_queue(const struct rte_vduse_net *net, uint16_t index)
{
	const struct vnet_queue *queue = &net->queues[index];
	const struct vnet_ctrl *ctrl = net->ctrl;
	const struct vring_vq *ring = &queue->vq->ring;

	if (rte_atomic_load_explicit(&queue->vq->state, rte_memory_order_acquire) !=
	    RTE_VDUSE_VQ_RUNNING)
		return;
	fuzz_check_used(queue);
	fuzz_check(queue->coal.limit <= ring->size, "interrupts wait for %u buffers of %u",
		   queue->coal.limit, ring->size);
	if (queue->ctrl || index % 2 != 0)
		return;
	fuzz_check(queue->off == (index / 2 >= ctrl->pairs), "virtqueue %u, %u pairs", index,
		   ctrl->pairs);
	fuzz_check(queue->filter == NULL || queue->filter == &ctrl->in[ctrl->current],
		   "virtqueue %u has an old filter", index);
	fuzz_check(queue->rss == &ctrl->rss_in[ctrl->current], "virtqueue %u has an old hash",
		   index);
	fuzz_check((queue->offloads & VNET_GUEST_OFFLOADS & ~ctrl->guest_offloads) == 0,
		   "virtqueue %u has offloads that are switched off", index);
}

void
fuzz_ctrl_check(const struct rte_vduse_net *net)
{
	const struct vnet_ctrl *ctrl = net->ctrl;
	uint16_t used = rte_atomic_load_explicit(&net->pairs_used, rte_memory_order_relaxed), i;

	fuzz_check(used >= 1 && used <= net->pairs, "%u pairs of %u", used, net->pairs);
	check_rss(net, &ctrl->rss);
	check_rss(net, &ctrl->rss_in[ctrl->current]);
	if (net->steer != NULL)
		check_rss(net, &net->steer->rss);
	if (!ctrl->begun)
		return;
	fuzz_check(!ctrl->changed && ctrl->pairs == used, "%u pairs, %u in force", ctrl->pairs,
		   used);
	fuzz_check((ctrl->guest_offloads & ~(ctrl->features & VNET_GUEST_OFFLOADS)) == 0,
		   "offloads that the driver did not accept");
	fuzz_check(ctrl->now.lists[0].nb <= VNET_MACS_MAX && ctrl->now.lists[1].nb <= VNET_MACS_MAX,
		   "a list of %u and %u addresses", ctrl->now.lists[0].nb, ctrl->now.lists[1].nb);
	for (i = 0; i < net->nb_queues; i++)
		check_queue(net, i);
}
