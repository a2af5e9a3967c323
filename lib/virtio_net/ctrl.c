/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Serves the control queue: takes commands, answers each, and puts them in force.
 * Input: chains of a command and room for one byte. Output: VIRTIO_NET_OK or VIRTIO_NET_ERR, and
 * what the bursts of the other virtqueues read. Thread: control.
 */
#include <string.h>

#include <rte_byteorder.h>
#include <rte_vduse_compat.h>

#include <virtio_net/ctrl.h>
#include <virtio_net/ctrl_state.h>
#include <virtio_net/net.h>
#include <virtio_net/offload.h>
#include <virtio_net/steer.h>

/* Work of one turn, after which other devices are served: commands, or pieces of their chains. */
#define CTRL_COMMANDS 16
#define CTRL_PIECES   4096

struct ctrl_header {
	uint8_t class;
	uint8_t command;
};

bool
vnet_ctrl_skip(struct vnet_ctrl_data *data, uint64_t len)
{
	const struct rte_vduse_chain *chain = data->chain;
	uint32_t n;

	if (len > data->left)
		return false;
	data->left -= (uint32_t)len;
	while (len > 0) {
		n = (uint32_t)RTE_MIN(len, chain->bufs[data->piece].len - data->offset);
		data->offset += n;
		len -= n;
		if (data->offset == chain->bufs[data->piece].len) {
			data->piece++;
			data->offset = 0;
		}
	}
	return true;
}

bool
vnet_ctrl_read(struct vnet_ctrl_data *data, void *to, uint32_t len)
{
	uint8_t *bytes = to;
	uint32_t i;

	if (len > data->left)
		return false;
	for (i = 0; i < len; i++) {
		/* volatile: the driver may change the byte, so it is loaded once. */
		const volatile uint8_t *from = data->chain->bufs[data->piece].va;

		bytes[i] = from[data->offset];
		(void)vnet_ctrl_skip(data, 1);
	}
	return true;
}

bool
vnet_ctrl_put(struct vnet_ctrl_data *data, const void *from, uint32_t len)
{
	const struct rte_vduse_chain *chain = data->chain;
	const uint8_t *bytes = from;
	bool fits = len <= data->room;

	len = RTE_MIN(len, data->room);
	data->room -= len;
	while (len > 0) {
		const struct rte_vduse_buf *buf = &chain->bufs[data->to];
		uint32_t n = RTE_MIN(len, buf->len - data->to_offset);

		memcpy(buf->va + data->to_offset, bytes, n);
		bytes += n;
		len -= n;
		data->to_offset += n;
		if (data->to_offset == buf->len) {
			data->to++;
			data->to_offset = 0;
		}
	}
	return fits;
}

/* Begins an answer with len bytes and the ack byte, which is set later. There is room for both. */
static void
ctrl_begin_answer(struct vnet_ctrl_data *data, const void *from, uint32_t len)
{
	uint8_t ack = VIRTIO_NET_ERR;

	data->room = data->chain->in_len;
	data->to = data->chain->nb_out;
	data->to_offset = 0;
	(void)vnet_ctrl_put(data, from, len);
	data->ack = data->chain->bufs[data->to].va + data->to_offset;
	(void)vnet_ctrl_put(data, &ack, sizeof(ack));
}

bool
vnet_ctrl_put_first(struct vnet_ctrl_data *data, const void *from, uint32_t len)
{
	if (data->chain->in_len <= len)
		return false;
	ctrl_begin_answer(data, from, len);
	return true;
}

/* Section 5.1.6.5.4. */
static bool
ctrl_announce_ack(struct rte_vduse_net *net, uint8_t command, struct vnet_ctrl_data *data)
{
	RTE_SET_USED(command);
	return data->left == 0 && vnet_config_end_announce(net);
}

/* Section 5.1.6.5.5. */
static bool
ctrl_pairs(struct rte_vduse_net *net, uint8_t command, struct vnet_ctrl_data *data)
{
	uint16_t pairs;

	RTE_SET_USED(command);
	if (!vnet_ctrl_take(data, &pairs, sizeof(pairs)))
		return false;
	pairs = rte_le_to_cpu_16(pairs);
	if (pairs < VIRTIO_NET_CTRL_MQ_VQ_PAIRS_MIN || pairs > net->pairs)
		return false;
	net->ctrl->pairs = pairs;
	/* The last command counts: this one asks for automatic steering. */
	net->ctrl->rss.on = false;
	net->ctrl->changed = true;
	return true;
}

/* Section 5.1.6.5.6.1. */
static bool
ctrl_guest_offloads(struct rte_vduse_net *net, uint8_t command, struct vnet_ctrl_data *data)
{
	uint64_t offloads;

	RTE_SET_USED(command);
	if (!vnet_ctrl_take(data, &offloads, sizeof(offloads)))
		return false;
	offloads = rte_le_to_cpu_64(offloads);
	if ((offloads & ~(net->ctrl->features & VNET_GUEST_OFFLOADS)) != 0)
		return false;
	net->ctrl->guest_offloads = offloads;
	net->ctrl->changed = true;
	return true;
}

/* run changes nothing if it returns false. */
static const struct ctrl_command {
	struct ctrl_header header;
	uint8_t feature;
	bool (*run)(struct rte_vduse_net *net, uint8_t command, struct vnet_ctrl_data *data);
} ctrl_commands[] = {
	{ { VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC },
	  VIRTIO_NET_F_CTRL_RX,
	  vnet_ctrl_rx_mode },
	{ { VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLMULTI },
	  VIRTIO_NET_F_CTRL_RX,
	  vnet_ctrl_rx_mode },
	{ { VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLUNI },
	  VIRTIO_NET_F_CTRL_RX_EXTRA,
	  vnet_ctrl_rx_mode },
	{ { VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOMULTI },
	  VIRTIO_NET_F_CTRL_RX_EXTRA,
	  vnet_ctrl_rx_mode },
	{ { VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOUNI },
	  VIRTIO_NET_F_CTRL_RX_EXTRA,
	  vnet_ctrl_rx_mode },
	{ { VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOBCAST },
	  VIRTIO_NET_F_CTRL_RX_EXTRA,
	  vnet_ctrl_rx_mode },
	{ { VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET },
	  VIRTIO_NET_F_CTRL_RX,
	  vnet_ctrl_mac_table },
	{ { VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET },
	  VIRTIO_NET_F_CTRL_MAC_ADDR,
	  vnet_ctrl_mac_addr },
	{ { VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD },
	  VIRTIO_NET_F_CTRL_VLAN,
	  vnet_ctrl_vlan },
	{ { VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_DEL },
	  VIRTIO_NET_F_CTRL_VLAN,
	  vnet_ctrl_vlan },
	{ { VIRTIO_NET_CTRL_ANNOUNCE, VIRTIO_NET_CTRL_ANNOUNCE_ACK },
	  VIRTIO_NET_F_GUEST_ANNOUNCE,
	  ctrl_announce_ack },
	{ { VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET }, VIRTIO_NET_F_MQ, ctrl_pairs },
	{ { VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_RSS_CONFIG },
	  VIRTIO_NET_F_RSS,
	  vnet_ctrl_rss_config },
	{ { VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_HASH_CONFIG },
	  VIRTIO_NET_F_HASH_REPORT,
	  vnet_ctrl_hash_config },
	{ { VIRTIO_NET_CTRL_GUEST_OFFLOADS, VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET },
	  VIRTIO_NET_F_CTRL_GUEST_OFFLOADS,
	  ctrl_guest_offloads },
	{ { VIRTIO_NET_CTRL_NOTF_COAL, VIRTIO_NET_CTRL_NOTF_COAL_RX_SET },
	  VIRTIO_NET_F_NOTF_COAL,
	  vnet_ctrl_coal },
	{ { VIRTIO_NET_CTRL_NOTF_COAL, VIRTIO_NET_CTRL_NOTF_COAL_TX_SET },
	  VIRTIO_NET_F_NOTF_COAL,
	  vnet_ctrl_coal },
	{ { VIRTIO_NET_CTRL_NOTF_COAL, VIRTIO_NET_CTRL_NOTF_COAL_VQ_SET },
	  VIRTIO_NET_F_VQ_NOTF_COAL,
	  vnet_ctrl_coal_vq },
	{ { VIRTIO_NET_CTRL_NOTF_COAL, VIRTIO_NET_CTRL_NOTF_COAL_VQ_GET },
	  VIRTIO_NET_F_VQ_NOTF_COAL,
	  vnet_ctrl_coal_vq },
	{ { VIRTIO_NET_CTRL_STATS, VIRTIO_NET_CTRL_STATS_QUERY },
	  VIRTIO_NET_F_DEVICE_STATS,
	  vnet_ctrl_stats_query },
	{ { VIRTIO_NET_CTRL_STATS, VIRTIO_NET_CTRL_STATS_GET },
	  VIRTIO_NET_F_DEVICE_STATS,
	  vnet_ctrl_stats_get },
};

static bool
ctrl_run(struct rte_vduse_net *net, struct vnet_ctrl_data *data)
{
	struct ctrl_header header = { 0 };
	const struct ctrl_command *command;
	bool known = vnet_ctrl_read(data, &header, sizeof(header));
	uint32_t len = data->left;
	size_t i;

	for (i = 0; known && i < RTE_DIM(ctrl_commands); i++) {
		command = &ctrl_commands[i];
		if (header.class != command->header.class ||
		    header.command != command->header.command)
			continue;
		if ((net->ctrl->features & VNET_CTRL_BIT(command->feature)) == 0)
			break;
		if (command->run(net, header.command, data))
			return true;
		break;
	}
	VNET_LOG_DRIVER(NOTICE, net->dev,
			"control command of class %u, number %u, with %u bytes refused: it is "
			"malformed, unknown or of a feature that the driver did not accept",
			header.class, header.command, len);
	return false;
}

bool
vnet_ctrl_replay(struct rte_vduse_net *net, uint8_t *bytes, uint16_t len)
{
	struct rte_vduse_buf buf = { .va = bytes, .len = len };
	const struct rte_vduse_chain chain = { .bufs = &buf, .out_len = len, .nb_out = 1 };
	struct vnet_ctrl_data data = { .chain = &chain, .left = len };

	return ctrl_run(net, &data);
}

/* Answers one command. Without room for the answer it is not carried out. */
static void
ctrl_answer(struct rte_vduse_net *net, struct rte_vduse_chain *chain)
{
	struct vnet_ctrl_data data = { .chain = chain, .left = chain->out_len };

	net->ctrl->commands++;
	chain->used_len = 0;
	if (chain->nb_in == 0)
		return;
	ctrl_begin_answer(&data, NULL, 0);
	if (ctrl_run(net, &data)) {
		*data.ack = VIRTIO_NET_OK;
		net->ctrl->commands_ok++;
	}
	chain->used_len = chain->in_len - data.room;
}

void
vnet_ctrl_set_queue(struct rte_vduse_net *net, struct vnet_queue *queue)
{
	const struct vnet_ctrl *ctrl = net->ctrl;
	const struct vnet_filter *filter = &ctrl->in[ctrl->current];

	/* The control queue comes after all pairs in use, too. */
	queue->off = queue->vq->index / 2 >= ctrl->pairs;
	queue->filter = vnet_filter_is_open(filter) ? NULL : filter;
	queue->rss = &ctrl->rss_in[ctrl->current];
	queue->offloads =
		vnet_offloads_valid((ctrl->features & ~VNET_GUEST_OFFLOADS) | ctrl->guest_offloads);
}

/*
 * Puts the state in force, before the driver sees the answers. A burst reads one filter until it
 * ends, so the other one can be written.
 */
static void
ctrl_apply(struct rte_vduse_net *net)
{
	struct vnet_ctrl *ctrl = net->ctrl;
	uint16_t i;

	ctrl->changed = false;
	ctrl->current = !ctrl->current;
	ctrl->in[ctrl->current] = ctrl->now;
	ctrl->rss_in[ctrl->current] = ctrl->rss;
	rte_atomic_store_explicit(&net->pairs_used, ctrl->pairs, rte_memory_order_relaxed);
	/* Those to the driver. The control queue itself is held by the caller. */
	for (i = 0; i < 2 * net->pairs; i = (uint16_t)(i + 2)) {
		struct vnet_queue *queue = &net->queues[i];

		if (queue->ctrl)
			continue;
		vduse_vq_hold(queue->vq);
		vnet_ctrl_set_queue(net, queue);
		vduse_vq_release(queue->vq);
	}
	vnet_steer_set(net);
}

bool
vnet_ctrl_serve(struct rte_vduse_vq *vq, void *arg)
{
	struct rte_vduse_net *net = arg;
	struct rte_vduse_chain chain;
	uint64_t ok = net->ctrl->commands_ok;
	uint32_t commands = 0, pieces = 0;

	while (commands < CTRL_COMMANDS && pieces < CTRL_PIECES &&
	       vring_pop(&vq->ring, &chain, 1) > 0) {
		ctrl_answer(net, &chain);
		vring_push(&vq->ring, &chain, 1);
		pieces += chain.nb_out + chain.nb_in;
		commands++;
	}
	if (net->ctrl->changed)
		ctrl_apply(net);
	if (net->ctrl->commands_ok != ok)
		vnet_ctrl_state_note(net);
	vnet_queue_finish(&net->queues[vq->index], (uint16_t)commands);
	if (commands == CTRL_COMMANDS || pieces >= CTRL_PIECES)
		return true;
	if (!rte_atomic_load_explicit(&vq->enabled, rte_memory_order_relaxed))
		return false;
	vring_notify(&vq->ring, true);
	return vring_count(&vq->ring) > 0;
}

bool
vnet_ctrl_is(const struct rte_vduse_net *net, uint16_t index, uint64_t features)
{
	bool several = (features & VNET_CTRL_SEVERAL) != 0;

	/* Section 5.1.2: without MQ and RSS, there is one pair, whatever the device has. */
	return net->ctrl != NULL && (features & VNET_CTRL_BIT(VIRTIO_NET_F_CTRL_VQ)) != 0 &&
	       index == (several ? 2 * net->pairs : 2);
}

/* The state after a reset. unknown: another process answered commands that are not known. */
static void
ctrl_reset(struct rte_vduse_net *net, uint64_t features, bool unknown)
{
	struct vnet_ctrl *ctrl = net->ctrl;

	memset(ctrl, 0, sizeof(*ctrl));
	ctrl->features = features;
	/* If unknown, use all that may be in use. */
	ctrl->pairs = 1;
	if (unknown && (features & VNET_CTRL_SEVERAL) != 0)
		ctrl->pairs = net->pairs;
	ctrl->guest_offloads = features & VNET_GUEST_OFFLOADS;
	ctrl->now.rx = (features & VNET_CTRL_BIT(VIRTIO_NET_F_CTRL_RX)) != 0;
	ctrl->now.vlan = (features & VNET_CTRL_BIT(VIRTIO_NET_F_CTRL_VLAN)) != 0;
	ctrl->now.mode[VIRTIO_NET_CTRL_RX_PROMISC] = true;
	ctrl->now.mac = vnet_mac(net->config.mac);
	if (unknown)
		memset(ctrl->now.vlans, 0xff, sizeof(ctrl->now.vlans));
}

/* Another process answered the driver's commands so far. Returns whether they are known. */
static bool
ctrl_resume(struct rte_vduse_net *net, uint64_t features)
{
	if (vnet_ctrl_state_restore(net))
		return true;
	vnet_ctrl_state_clear(net);
	vnet_config_reset(net);
	ctrl_reset(net, features, true);
	if ((features & VNET_CTRL_BIT(VIRTIO_NET_F_CTRL_VQ)) != 0)
		VNET_LOG(
			WARNING, rte_vduse_dev_name(net->dev),
			"what its driver set through the control queue is not known: nothing is "
			"filtered, and all pairs and offloads are in use, until it sets them again");
	return false;
}

void
vnet_ctrl_begin(struct rte_vduse_net *net, uint64_t features, bool resumed)
{
	struct vnet_ctrl *ctrl = net->ctrl;

	if (ctrl->begun)
		return;
	ctrl_reset(net, features, false);
	ctrl->known = !resumed || ctrl_resume(net, features);
	ctrl->begun = true;
	ctrl->changed = false;
	ctrl->in[ctrl->current] = ctrl->now;
	ctrl->rss_in[ctrl->current] = ctrl->rss;
	rte_atomic_store_explicit(&net->pairs_used, ctrl->pairs, rte_memory_order_relaxed);
	vnet_steer_set(net);
	vnet_coal_reset(net);
	vnet_ctrl_state_note(net);
}

void
vnet_ctrl_end(struct rte_vduse_net *net)
{
	vnet_ctrl_state_clear(net);
	net->ctrl->begun = false;
	net->ctrl->rss.on = false;
	vnet_steer_set(net);
	rte_atomic_store_explicit(&net->pairs_used, 1, rte_memory_order_relaxed);
	vnet_config_reset(net);
}
