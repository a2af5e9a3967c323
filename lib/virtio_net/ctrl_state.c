/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Records what the driver set through the control queue, see ctrl_state.h. The record consists of
 * commands that lead to the state from that after a reset, so that the next process applies them
 * through the checks of the driver's own commands. Values that need no check are stored as they are.
 * Input: the state. Output: two copies in the part of the last virtqueue, one of which counts.
 * Thread: control.
 */
#include <assert.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_vduse_compat.h>

#include <virtio_net/ctrl.h>
#include <virtio_net/ctrl_state.h>
#include <virtio_net/net.h>

/* Bytes before a command: its length. Then class and number. */
#define STATE_LEN  2u
#define STATE_HEAD (STATE_LEN + 2u)

/* Room for the longest commands of each kind. */
#define STATE_MACS (VNET_MACS_MAX + 1u)
#define STATE_COMMANDS                                                                             \
	(VNET_RX_MODES * (STATE_HEAD + 1) + STATE_HEAD +                                           \
	 2 * (4 + STATE_MACS * RTE_ETHER_ADDR_LEN) + STATE_HEAD + RTE_ETHER_ADDR_LEN +             \
	 STATE_HEAD + 8 + STATE_HEAD + 2 + STATE_HEAD + 8 + 2 * VNET_RSS_TABLE_MAX + 2 + 1 +       \
	 VNET_HASH_KEY_MAX)

/* File layout. With another layout, the number changes. */
#define STATE_FORMAT 0x100u

struct state_copy {
	uint64_t features; /* of the driver */
	uint64_t vlans[VNET_VLANS / VNET_VLAN_WORD];
	struct vnet_coal_params coal[2];
	uint32_t len; /* of commands */
	uint8_t commands[STATE_COMMANDS];
};

struct ctrl_state {
	uint32_t current; /* STATE_FORMAT + index of the copy that counts; 0: none. Atomic */
	struct state_copy copies[2];
};

static_assert(VNET_PART_CTRL + sizeof(struct ctrl_state) <= VNET_PART_SIZE, "see VNET_PART_SIZE");
static_assert(sizeof(struct vnet_coal_params) == sizeof(uint64_t), "stored at once");

/* The last virtqueue carries no packets: it is the control queue, or is not used. */
static struct ctrl_state *
state_of(const struct rte_vduse_net *net)
{
	uint8_t *part = net->queues[net->nb_queues - 1].part.data;

	return part == NULL ? NULL : (struct ctrl_state *)(part + VNET_PART_CTRL);
}

static void
state_put(struct state_copy *copy, const void *bytes, uint32_t len)
{
	memcpy(copy->commands + copy->len, bytes, len);
	copy->len += len;
}

static void
state_put16(struct state_copy *copy, uint16_t value)
{
	value = rte_cpu_to_le_16(value);
	state_put(copy, &value, sizeof(value));
}

static void
state_put32(struct state_copy *copy, uint32_t value)
{
	value = rte_cpu_to_le_32(value);
	state_put(copy, &value, sizeof(value));
}

/* Begins a command of len bytes. False: it is of a feature that the driver did not accept. */
static bool
state_command(struct state_copy *copy, uint8_t feature, uint8_t class, uint8_t number, size_t len)
{
	const uint8_t header[] = { class, number };
	uint16_t all = (uint16_t)(sizeof(header) + len);

	if ((copy->features & VNET_CTRL_BIT(feature)) == 0)
		return false;
	state_put(copy, &all, sizeof(all));
	state_put(copy, header, sizeof(header));
	return true;
}

static void
state_put_modes(struct state_copy *copy, const struct vnet_filter *filter)
{
	uint8_t command;

	for (command = 0; command < VNET_RX_MODES; command++) {
		const uint8_t on = filter->mode[command];
		uint8_t feature = command < VIRTIO_NET_CTRL_RX_ALLUNI ? VIRTIO_NET_F_CTRL_RX
								      : VIRTIO_NET_F_CTRL_RX_EXTRA;

		if (state_command(copy, feature, VIRTIO_NET_CTRL_RX, command, sizeof(on)))
			state_put(copy, &on, sizeof(on));
	}
}

/* Of a list that is too long, zeroes. */
static void
state_put_macs(struct state_copy *copy, const struct vnet_filter *filter)
{
	static const uint64_t none;
	uint32_t nb[2], i, list;

	for (list = 0; list < 2; list++)
		nb[list] = filter->lists[list].all ? STATE_MACS : filter->lists[list].nb;
	if (!state_command(copy, VIRTIO_NET_F_CTRL_RX, VIRTIO_NET_CTRL_MAC,
			   VIRTIO_NET_CTRL_MAC_TABLE_SET,
			   2 * sizeof(uint32_t) + (nb[0] + nb[1]) * RTE_ETHER_ADDR_LEN))
		return;
	for (list = 0; list < 2; list++) {
		const struct vnet_macs *macs = &filter->lists[list];

		state_put32(copy, nb[list]);
		for (i = 0; i < nb[list]; i++)
			state_put(copy, macs->all ? &none : &macs->macs[i], RTE_ETHER_ADDR_LEN);
	}
}

/* The end of a command on hashes. */
static void
state_put_key(struct state_copy *copy, const struct vnet_rss *rss)
{
	uint8_t len = VNET_HASH_KEY_MAX;
	uint32_t word, i;

	state_put(copy, &len, sizeof(len));
	for (i = 0; i < RTE_DIM(rss->key); i++) {
		word = rte_cpu_to_be_32(rss->key[i]);
		state_put(copy, &word, sizeof(word));
	}
}

static void
state_put_rss(struct state_copy *copy, const struct vnet_ctrl *ctrl)
{
	const struct vnet_rss *rss = &ctrl->rss;
	uint32_t entries = rss->mask + 1u, i;

	if (!state_command(copy, VIRTIO_NET_F_RSS, VIRTIO_NET_CTRL_MQ,
			   VIRTIO_NET_CTRL_MQ_RSS_CONFIG,
			   8 + 2 * entries + 2 + 1 + VNET_HASH_KEY_MAX))
		return;
	state_put32(copy, rss->types);
	state_put16(copy, rss->mask);
	state_put16(copy, rss->unclassified);
	for (i = 0; i < entries; i++)
		state_put16(copy, rss->table[i]);
	state_put16(copy, ctrl->pairs);
	state_put_key(copy, rss);
}

static void
state_put_hash(struct state_copy *copy, const struct vnet_rss *rss)
{
	static const uint16_t reserved[4];

	if (!state_command(copy, VIRTIO_NET_F_HASH_REPORT, VIRTIO_NET_CTRL_MQ,
			   VIRTIO_NET_CTRL_MQ_HASH_CONFIG, 4 + 8 + 1 + VNET_HASH_KEY_MAX))
		return;
	state_put32(copy, rss->types);
	state_put(copy, reserved, sizeof(reserved));
	state_put_key(copy, rss);
}

/* Hashes and pairs. RSS that the driver turned off again leaves its hashes. */
static void
state_put_pairs(struct state_copy *copy, const struct vnet_ctrl *ctrl)
{
	const struct vnet_rss *rss = &ctrl->rss;

	if ((copy->features & VNET_CTRL_BIT(VIRTIO_NET_F_RSS)) == 0 && rss->types != 0)
		state_put_hash(copy, rss);
	else if (rss->on || rss->types != 0)
		state_put_rss(copy, ctrl);
	if (!rss->on && state_command(copy, VIRTIO_NET_F_MQ, VIRTIO_NET_CTRL_MQ,
				      VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, sizeof(ctrl->pairs)))
		state_put16(copy, ctrl->pairs);
}

void
vnet_ctrl_state_note(struct rte_vduse_net *net)
{
	struct ctrl_state *state = state_of(net);
	const struct vnet_ctrl *ctrl = net->ctrl;
	struct state_copy copy = { .features = ctrl->features };
	uint64_t offloads = rte_cpu_to_le_64(ctrl->guest_offloads);
	uint32_t to;

	if (state == NULL || !ctrl->known)
		return;
	memcpy(copy.vlans, ctrl->now.vlans, sizeof(copy.vlans));
	memcpy(copy.coal, ctrl->coal, sizeof(copy.coal));
	state_put_modes(&copy, &ctrl->now);
	state_put_macs(&copy, &ctrl->now);
	if (state_command(&copy, VIRTIO_NET_F_CTRL_MAC_ADDR, VIRTIO_NET_CTRL_MAC,
			  VIRTIO_NET_CTRL_MAC_ADDR_SET, RTE_ETHER_ADDR_LEN))
		state_put(&copy, &ctrl->now.mac, RTE_ETHER_ADDR_LEN);
	if (state_command(&copy, VIRTIO_NET_F_CTRL_GUEST_OFFLOADS, VIRTIO_NET_CTRL_GUEST_OFFLOADS,
			  VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET, sizeof(offloads)))
		state_put(&copy, &offloads, sizeof(offloads));
	state_put_pairs(&copy, ctrl);
	to = rte_atomic_load_explicit(&state->current, rte_memory_order_relaxed) == STATE_FORMAT;
	state->copies[to] = copy;
	/* Release: stored after the copy. A killed process loses no stores. */
	rte_atomic_store_explicit(&state->current, STATE_FORMAT + to, rte_memory_order_release);
}

void
vnet_ctrl_state_clear(struct rte_vduse_net *net)
{
	struct ctrl_state *state = state_of(net);

	if (state != NULL)
		rte_atomic_store_explicit(&state->current, 0, rte_memory_order_relaxed);
}

/* Carries out the commands of a copy. False: they are no commands, or one was refused. */
static bool
state_run(struct rte_vduse_net *net, struct state_copy *copy)
{
	uint32_t at;
	uint16_t len;

	if (copy->len > sizeof(copy->commands))
		return false;
	for (at = 0; at < copy->len; at += STATE_LEN + len) {
		if (copy->len - at < STATE_LEN)
			return false;
		memcpy(&len, copy->commands + at, sizeof(len));
		if (len > copy->len - at - STATE_LEN ||
		    !vnet_ctrl_replay(net, copy->commands + at + STATE_LEN, len))
			return false;
	}
	return true;
}

bool
vnet_ctrl_state_restore(struct rte_vduse_net *net)
{
	const struct ctrl_state *state = state_of(net);
	struct vnet_ctrl *ctrl = net->ctrl;
	struct state_copy copy;
	uint32_t current;

	if (state == NULL || !net->queues[net->nb_queues - 1].part.kept)
		return false;
	current = rte_atomic_load_explicit(&state->current, rte_memory_order_relaxed);
	if (current != STATE_FORMAT && current != STATE_FORMAT + 1)
		return false;
	copy = state->copies[current - STATE_FORMAT];
	if (copy.features != ctrl->features || !state_run(net, &copy))
		return false;
	memcpy(ctrl->now.vlans, copy.vlans, sizeof(copy.vlans));
	memcpy(ctrl->coal, copy.coal, sizeof(copy.coal));
	return true;
}

/* Where those of a virtqueue are, in its own part. The last one's has the record. */
static uint64_t *
state_coal_of(const struct vnet_queue *queue)
{
	uint8_t *part = queue->part.data;

	return part == NULL || queue->ctrl ? NULL : (uint64_t *)(part + VNET_PART_CTRL);
}

void
vnet_ctrl_state_note_coal(struct vnet_queue *queue, const struct vnet_coal_params *params)
{
	uint64_t *place = state_coal_of(queue), word;

	if (place == NULL)
		return;
	memcpy(&word, params, sizeof(word));
	rte_atomic_store_explicit(place, word, rte_memory_order_relaxed);
}

void
vnet_ctrl_state_coal(const struct vnet_queue *queue, struct vnet_coal_params *params)
{
	uint64_t *place = state_coal_of(queue), word;

	if (place == NULL || !queue->part.kept)
		return;
	word = rte_atomic_load_explicit(place, rte_memory_order_relaxed);
	memcpy(params, &word, sizeof(word));
}
