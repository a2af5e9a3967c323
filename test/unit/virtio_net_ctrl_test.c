/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The control queue: every command is answered, and a wrong one changes nothing. */
#include "loopback_ctrl.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <rte_vduse_compat.h>

#define PAIRS 4

static struct loopback_ctrl dev;

static int
setup(void **state)
{
	RTE_SET_USED(state);
	loopback_ctrl_create(&dev, PAIRS);
	unit_log_clear();
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	loopback_ctrl_destroy(&dev);
	return 0;
}

static void
same(const struct ctrl_state *before)
{
	struct ctrl_state now = loopback_ctrl_state(&dev);

	assert_memory_equal(&now, before, sizeof(now));
}

static void
accepted(uint8_t class, uint8_t command, const void *data, uint32_t len)
{
	assert_int_equal(loopback_ctrl_command(&dev, class, command, data, len), VIRTIO_NET_OK);
}

static void
refused(uint8_t class, uint8_t command, const void *data, uint32_t len)
{
	struct ctrl_state before = loopback_ctrl_state(&dev);

	assert_int_equal(loopback_ctrl_command(&dev, class, command, data, len), VIRTIO_NET_ERR);
	same(&before);
}

/* A list of addresses, each with its number. Returns its bytes. */
static uint32_t
put_macs(uint8_t *to, uint32_t nb, uint8_t first)
{
	uint32_t i, le = rte_cpu_to_le_32(nb);

	memcpy(to, &le, sizeof(le));
	to += sizeof(le);
	for (i = 0; i < nb; i++) {
		uint8_t mac[6] = { first, 0, 0, 0, (uint8_t)(i >> 8), (uint8_t)i };

		memcpy(to + 6 * i, mac, sizeof(mac));
	}
	return (uint32_t)sizeof(le) + 6 * nb;
}

static void
check_classes(uint64_t features, uint16_t index)
{
	const uint8_t mac[6] = { 2, 9, 9, 9, 9, 9 }, on = 1, off = 0;
	const uint16_t vlan = RTE_LE16(4095), pairs = RTE_LE16(PAIRS);
	uint64_t offloads = 0;
	uint8_t table[1024], command;
	struct ctrl_state now;
	uint32_t len;

	loopback_ctrl_up(&dev, features, index);
	for (command = 0; command < VNET_RX_MODES; command++) {
		assert_int_equal(loopback_ctrl_state(&dev).filter.mode[command], command == 0);
		accepted(VIRTIO_NET_CTRL_RX, command, &on, 1);
		assert_true(loopback_ctrl_state(&dev).filter.mode[command]);
		accepted(VIRTIO_NET_CTRL_RX, command, &off, 1);
		assert_false(loopback_ctrl_state(&dev).filter.mode[command]);
	}
	len = put_macs(table, 3, 2);
	len += put_macs(table + len, VNET_MACS_MAX, 3);
	accepted(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, table, len);
	accepted(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, mac, sizeof(mac));
	accepted(VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, &vlan, sizeof(vlan));
	accepted(VIRTIO_NET_CTRL_GUEST_OFFLOADS, VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET, &offloads,
		 sizeof(offloads));
	now = loopback_ctrl_state(&dev);
	assert_int_equal(now.filter.lists[0].nb, 3);
	assert_int_equal(now.filter.lists[1].nb, VNET_MACS_MAX);
	assert_int_equal(now.filter.vlans[63], UINT64_C(1) << 63);
	assert_memory_equal(now.config.mac, mac, sizeof(mac));
	assert_int_equal(now.guest_offloads, 0);
	accepted(VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_DEL, &vlan, sizeof(vlan));
	assert_int_equal(loopback_ctrl_state(&dev).filter.vlans[63], 0);
	if (features & BIT(VIRTIO_NET_F_MQ)) {
		accepted(VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, &pairs, 2);
		assert_int_equal(loopback_ctrl_state(&dev).pairs_used, PAIRS);
	}
	offloads = RTE_LE64(BIT(VIRTIO_NET_F_GUEST_CSUM));
	accepted(VIRTIO_NET_CTRL_GUEST_OFFLOADS, VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET, &offloads,
		 sizeof(offloads));
	assert_int_equal(loopback_ctrl_state(&dev).guest_offloads, offloads);
}

static void
test_classes(void **state)
{
	RTE_SET_USED(state);
	check_classes(CTRL_MQ, 0);
	check_classes(CTRL_MQ | CTRL_PACKED, 0);
	check_classes(CTRL_ALL, 0);
	check_classes(CTRL_ALL | CTRL_PACKED, 0);
}

/* A reset takes back all that commands set. */
static void
test_reset(void **state)
{
	const uint8_t own[6] = { 2, 0, 0, 0, 0, 1 };
	struct ctrl_state now;

	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, CTRL_MQ, 0);
	check_classes(CTRL_MQ, 0);
	loopback_ctrl_reset(&dev);
	now = loopback_ctrl_state(&dev);
	assert_memory_equal(now.config.mac, own, sizeof(own));
	assert_int_equal(now.pairs_used, 1);
	loopback_ctrl_up(&dev, CTRL_MQ, 0);
	now = loopback_ctrl_state(&dev);
	assert_true(now.filter.mode[VIRTIO_NET_CTRL_RX_PROMISC]);
	assert_int_equal(now.filter.lists[0].nb + now.filter.lists[1].nb, 0);
	assert_int_equal(now.guest_offloads, BIT(VIRTIO_NET_F_GUEST_CSUM));
}

/* Commands that are wrong in one thing. */
static void
check_wrong(uint64_t features)
{
	static const uint8_t two = 2, one = 1, group[6] = { 3 }, zero[6];
	static const struct {
		uint8_t class, command;
		uint32_t len;
		const void *data;
	} wrong[] = {
		{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, 0, "" },
		{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, 2, "\0" },
		{ VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, 1, &two },
		{ VIRTIO_NET_CTRL_RX, VNET_RX_MODES, 1, &one },
		{ VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, 0, "" },
		{ VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, 4, "\0\0\0" },
		{ VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, 9, "\0\0\0\0\0\0\0\0" },
		{ VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, 8, "\1\0\0\0\0\0\0" },
		{ VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, 8, "\xff\xff\xff\xff\0\0\0" },
		{ VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, 8, "\0\0\0\0\1\0\0" },
		{ VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, 5, "\2\0\0\0" },
		{ VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, 7, "\2\0\0\0\0\0" },
		{ VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, 6, group },
		{ VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, 6, zero },
		{ VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, 1, "\1" },
		{ VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, 2, "\0\x10" },
		{ VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, 2, "\xff\xff" },
		{ VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_DEL, 3, "\1\0" },
		{ VIRTIO_NET_CTRL_VLAN, 2, 2, "\1" },
		{ VIRTIO_NET_CTRL_ANNOUNCE, VIRTIO_NET_CTRL_ANNOUNCE_ACK, 0, "" },
		{ VIRTIO_NET_CTRL_ANNOUNCE, VIRTIO_NET_CTRL_ANNOUNCE_ACK, 1, "" },
		{ VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, 0, "" },
		{ VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, 1, "\1" },
		{ VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, 2, "\0" },
		{ VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, 2, "\5" },
		{ VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, 2, "\xff\xff" },
		{ VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, 3, "\2\0" },
		{ VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_RSS_CONFIG, 2, "\2" },
		{ VIRTIO_NET_CTRL_GUEST_OFFLOADS, VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET, 7,
		  "\0\0\0\0\0\0" },
		{ VIRTIO_NET_CTRL_GUEST_OFFLOADS, VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET, 8,
		  "\x82\0\0\0\0\0\0" },
		{ VIRTIO_NET_CTRL_GUEST_OFFLOADS, VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET, 8,
		  "\1\0\0\0\0\0\0" },
		{ VIRTIO_NET_CTRL_NOTF_COAL, 0, 8, "\0\0\0\0\0\0\0" },
		{ 0xff, 0xff, 1, "" },
	};
	size_t i;

	loopback_ctrl_up(&dev, features, 0);
	for (i = 0; i < RTE_DIM(wrong); i++)
		refused(wrong[i].class, wrong[i].command, wrong[i].data, wrong[i].len);
}

static void
test_wrong(void **state)
{
	RTE_SET_USED(state);
	check_wrong(CTRL_MQ);
	check_wrong(CTRL_MQ | CTRL_PACKED);
}

/* Right ones, of features that this driver did not accept. */
static void
test_not_accepted(void **state)
{
	static const struct {
		uint8_t feature, class, command;
		uint32_t len;
	} commands[] = {
		{ VIRTIO_NET_F_CTRL_RX, VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, 1 },
		{ VIRTIO_NET_F_CTRL_RX, VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLMULTI, 1 },
		{ VIRTIO_NET_F_CTRL_RX, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, 8 },
		{ VIRTIO_NET_F_CTRL_RX_EXTRA, VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLUNI, 1 },
		{ VIRTIO_NET_F_CTRL_RX_EXTRA, VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOBCAST, 1 },
		{ VIRTIO_NET_F_CTRL_MAC_ADDR, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET,
		  6 },
		{ VIRTIO_NET_F_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_VLAN_ADD, 2 },
		{ VIRTIO_NET_F_MQ, VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, 2 },
		{ VIRTIO_NET_F_CTRL_GUEST_OFFLOADS, VIRTIO_NET_CTRL_GUEST_OFFLOADS,
		  VIRTIO_NET_CTRL_GUEST_OFFLOADS_SET, 8 },
	};
	static const uint8_t offload[8], mac[8] = { 2, 1 };
	const uint8_t *data;
	size_t i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(commands); i++) {
		data = commands[i].class == VIRTIO_NET_CTRL_RX ||
				       commands[i].class == VIRTIO_NET_CTRL_GUEST_OFFLOADS ||
				       commands[i].len == 8
			       ? offload
			       : mac;
		loopback_ctrl_up(&dev, CTRL_MQ, 0);
		if (commands[i].class != VIRTIO_NET_CTRL_MQ)
			accepted(commands[i].class, commands[i].command, data, commands[i].len);
		loopback_ctrl_up(&dev, CTRL_MQ & ~BIT(commands[i].feature), 0);
		refused(commands[i].class, commands[i].command, data, commands[i].len);
	}
}

/* No room for the answer: nothing is done, and the driver has its chain back. */
static void
check_no_room(uint64_t features)
{
	static const uint8_t command[3] = { VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLMULTI, 1 };
	const struct ctrl_request requests[] = {
		{ .bytes = command, .len = 3, .no_ack_desc = true },
		{ .bytes = command, .len = 3, .ack = 1, .ack_out = true },
		{ .bytes = command, .len = 3, .ack = 0 },
		{ .bytes = command, .len = 3, .ack = 0, .step = 1, .indirect = true },
		{ .bytes = command, .len = 0, .ack = 0 },
	};
	struct ctrl_state before;
	uint32_t used;
	size_t i;

	loopback_ctrl_up(&dev, features, 0);
	before = loopback_ctrl_state(&dev);
	for (i = 0; i < RTE_DIM(requests); i++) {
		(void)loopback_ctrl_post(&dev, &requests[i]);
		assert_int_equal(loopback_ctrl_take(&dev, &used), CTRL_NO_ANSWER);
		assert_int_equal(used, 0);
		same(&before);
	}
	accepted(command[0], command[1], &command[2], 1);
}

static void
test_no_room(void **state)
{
	RTE_SET_USED(state);
	check_no_room(CTRL_MQ);
	check_no_room(CTRL_MQ | CTRL_PACKED);
}

/* Only the first byte of a longer room is written; a command without any bytes is an error. */
static void
test_room(void **state)
{
	static const uint8_t command[3] = { VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLMULTI, 1 };
	struct ctrl_request request = { .bytes = command, .len = 3, .ack = 8 };
	uint16_t head;
	uint32_t used;

	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, CTRL_MQ, 0);
	head = loopback_ctrl_post(&dev, &request);
	assert_int_equal(loopback_ctrl_take(&dev, &used), VIRTIO_NET_OK);
	assert_int_equal(used, 1);
	assert_int_equal(loopback_ctrl_room(&dev, head)[2048 + 1], CTRL_NO_ANSWER);
	for (request.len = 0; request.len < 3; request.len++) {
		(void)loopback_ctrl_post(&dev, &request);
		assert_int_equal(loopback_ctrl_take(&dev, &used), VIRTIO_NET_ERR);
		assert_int_equal(used, 1);
	}
}

/* However a command is cut up, and over the end of the ring and of its indices. */
static void
check_pieces(uint64_t features, uint16_t index)
{
	static const uint32_t steps[] = { 0, 1, 2, 3, 7 };
	uint8_t command[64] = { VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET };
	struct ctrl_request request = { .bytes = command, .ack = 1 };
	struct vnet_filter filter;
	uint32_t used, i;

	loopback_ctrl_up(&dev, features, index);
	for (i = 0; i < 1000; i++) {
		request.len = 2 + put_macs(command + 2, i % 5, 2);
		request.len += put_macs(command + request.len, 1 + i % 3, (uint8_t)(2 * i + 1));
		request.step = steps[i % RTE_DIM(steps)];
		request.indirect = i % 2 != 0;
		(void)loopback_ctrl_post(&dev, &request);
		assert_int_equal(loopback_ctrl_take(&dev, &used), VIRTIO_NET_OK);
		assert_int_equal(used, 1);
		if (i % 50 != 0)
			continue;
		filter = loopback_ctrl_state(&dev).filter;
		assert_int_equal(filter.lists[0].nb, i % 5);
		assert_int_equal(filter.lists[1].nb, 1 + i % 3);
		assert_int_equal(filter.lists[1].macs[0] & 0xff, (uint8_t)(2 * i + 1));
	}
}

static void
test_pieces(void **state)
{
	RTE_SET_USED(state);
	check_pieces(CTRL_MQ, 65400);
	check_pieces(CTRL_MQ | CTRL_PACKED, CTRL_RING - 10);
	check_pieces(CTRL_MQ | CTRL_PACKED, 2 * CTRL_RING - 10);
	check_pieces(CTRL_MQ | BIT(VIRTIO_RING_F_EVENT_IDX), 65400);
	check_pieces(CTRL_MQ | CTRL_PACKED | BIT(VIRTIO_RING_F_EVENT_IDX), 0);
}

/* More than one turn's work with one kick. */
static void
test_many(void **state)
{
	static const uint8_t command[3] = { VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_NOUNI, 1 };
	const struct ctrl_request request = { .bytes = command, .len = 3, .ack = 1 };
	uint32_t used;
	unsigned int i;

	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, CTRL_MQ, 0);
	for (i = 0; i < 75; i++)
		(void)loopback_ctrl_post(&dev, &request);
	for (i = 0; i < 75; i++) {
		assert_int_equal(loopback_ctrl_take(&dev, &used), VIRTIO_NET_OK);
		assert_int_equal(used, 1);
	}
}

/* The rings of a shadow control queue: what the driver writes may only be read. */
static void
test_read_only(void **state)
{
	const uint8_t on = 1;

	RTE_SET_USED(state);
	dev.read_only = true;
	loopback_ctrl_up(&dev, CTRL_MQ, 0);
	accepted(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLMULTI, &on, 1);
	assert_true(loopback_ctrl_state(&dev).filter.mode[VIRTIO_NET_CTRL_RX_ALLMULTI]);
}

/* The largest number of pairs that Linux has by default on large machines. */
static void
test_128_pairs(void **state)
{
	struct loopback_ctrl large;
	uint16_t pairs = RTE_LE16(128);

	RTE_SET_USED(state);
	loopback_ctrl_create(&large, 128);
	loopback_ctrl_up(&large, CTRL_MQ, 0);
	assert_int_equal(large.indices[CTRL_VQ], 256);
	assert_int_equal(loopback_ctrl_command(&large, VIRTIO_NET_CTRL_MQ,
					       VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, &pairs, 2),
			 VIRTIO_NET_OK);
	assert_int_equal(loopback_ctrl_state(&large).pairs_used, 128);
	pairs = RTE_LE16(129);
	assert_int_equal(loopback_ctrl_command(&large, VIRTIO_NET_CTRL_MQ,
					       VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, &pairs, 2),
			 VIRTIO_NET_ERR);
	assert_int_equal(loopback_ctrl_state(&large).pairs_used, 128);
	loopback_ctrl_destroy(&large);
}

static struct rte_mbuf *
packet_to(struct rte_mempool *pool, uint8_t first)
{
	struct rte_mbuf *packet = rte_pktmbuf_alloc(pool);
	uint8_t *bytes;

	assert_non_null(packet);
	assert_non_null(rte_pktmbuf_append(packet, 64));
	bytes = rte_pktmbuf_mtod(packet, uint8_t *);
	memset(bytes, 0, 64);
	bytes[0] = first;
	return packet;
}

/* Without MQ, virtqueue 2 is the control queue: no packet of a second pair goes there. */
static void
test_no_mq(void **state)
{
	struct rte_mempool *pool = rte_pktmbuf_pool_create("no_mq", 15, 0, 0, 2048, SOCKET_ID_ANY);
	static const uint8_t command[3] = { VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_ALLMULTI, 1 };
	const struct ctrl_request request = { .bytes = command, .len = 3, .ack = 1 };
	struct rte_mbuf *packet;
	uint32_t used;

	RTE_SET_USED(state);
	assert_non_null(pool);
	loopback_ctrl_up(&dev, CTRL_ALL, 0);
	packet = packet_to(pool, 2);
	assert_int_equal(rte_vduse_net_tx_copy(dev.net, 1, &packet, 1), 0);
	assert_int_equal(rte_vduse_net_tx_count(dev.net, 1), 0);
	assert_int_equal(rte_vduse_net_notify(dev.net, 2, false), -EAGAIN);
	(void)loopback_ctrl_post(&dev, &request);
	assert_int_equal(rte_vduse_net_tx_copy(dev.net, 1, &packet, 1), 0);
	assert_int_equal(loopback_ctrl_take(&dev, &used), VIRTIO_NET_OK);
	rte_pktmbuf_free(packet);
	rte_mempool_free(pool);
}

/* Packets go to the pairs that the driver uses only. */
static void
test_pairs(void **state)
{
	struct rte_mempool *pool = rte_pktmbuf_pool_create("pairs", 15, 0, 0, 2048, SOCKET_ID_ANY);
	struct rte_mbuf *packet;
	uint16_t pairs = RTE_LE16(2);

	RTE_SET_USED(state);
	assert_non_null(pool);
	packet = packet_to(pool, 2);
	loopback_ctrl_up(&dev, CTRL_MQ, 0);
	assert_true(loopback_ctrl_receives(&dev, 0, packet));
	assert_false(loopback_ctrl_receives(&dev, 1, packet));
	accepted(VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, &pairs, 2);
	assert_true(loopback_ctrl_receives(&dev, 0, packet));
	assert_true(loopback_ctrl_receives(&dev, 1, packet));
	pairs = RTE_LE16(1);
	accepted(VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, &pairs, 2);
	assert_true(loopback_ctrl_receives(&dev, 0, packet));
	assert_false(loopback_ctrl_receives(&dev, 1, packet));
	rte_pktmbuf_free(packet);
	rte_mempool_free(pool);
}

static void
test_announce(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(rte_vduse_net_announce(dev.net), -ENOTSUP);
	loopback_ctrl_up(&dev, CTRL_MQ, 0);
	assert_int_equal(rte_vduse_net_set_link(dev.net, true), 0);
	assert_int_equal(rte_vduse_net_announce(dev.net), 0);
	assert_int_equal(loopback_ctrl_state(&dev).config.status,
			 VIRTIO_NET_S_LINK_UP | VIRTIO_NET_S_ANNOUNCE);
	/* Another change of the status keeps it. */
	assert_int_equal(rte_vduse_net_set_link(dev.net, false), 0);
	assert_int_equal(loopback_ctrl_state(&dev).config.status, VIRTIO_NET_S_ANNOUNCE);
	refused(VIRTIO_NET_CTRL_ANNOUNCE, VIRTIO_NET_CTRL_ANNOUNCE_ACK, "", 1);
	accepted(VIRTIO_NET_CTRL_ANNOUNCE, VIRTIO_NET_CTRL_ANNOUNCE_ACK, "", 0);
	assert_int_equal(loopback_ctrl_state(&dev).config.status, 0);
	assert_int_equal(rte_vduse_net_announce(dev.net), 0);
	loopback_ctrl_reset(&dev);
	assert_int_equal(loopback_ctrl_state(&dev).config.status, 0);
}

static bool poller_stop;
static unsigned int poller_bursts;

static void *
poller_main(void *arg)
{
	struct rte_mempool *pool = arg;
	struct rte_mbuf *packet = packet_to(pool, 2), *got;

	while (!rte_atomic_load_explicit(&poller_stop, rte_memory_order_relaxed)) {
		(void)rte_vduse_net_tx_copy(dev.net, 0, &packet, 1);
		(void)rte_vduse_net_tx_copy(dev.net, 1, &packet, 1);
		if (rte_vduse_net_rx_burst(dev.net, 0, pool, &got, 1) > 0)
			rte_pktmbuf_free(got);
		rte_atomic_fetch_add_explicit(&poller_bursts, 1, rte_memory_order_relaxed);
	}
	rte_pktmbuf_free(packet);
	return NULL;
}

static bool
poller_polls(void *arg)
{
	RTE_SET_USED(arg);
	return rte_atomic_load_explicit(&poller_bursts, rte_memory_order_relaxed) > 0;
}

/* A thread that polls without a pause delays no answer for long: see loopback_ctrl_take(). */
static void
test_poller(void **state)
{
	struct rte_mempool *pool = rte_pktmbuf_pool_create("poller", 63, 0, 0, 2048, SOCKET_ID_ANY);
	pthread_t thread;
	unsigned int i;

	RTE_SET_USED(state);
	assert_non_null(pool);
	loopback_ctrl_up(&dev, CTRL_MQ, 0);
	poller_stop = false;
	poller_bursts = 0;
	assert_int_equal(pthread_create(&thread, NULL, poller_main, pool), 0);
	assert_true(unit_wait(poller_polls, NULL));
	for (i = 0; i < 200; i++) {
		uint16_t pairs = rte_cpu_to_le_16((uint16_t)(1 + i % 2));
		uint8_t promisc = i % 3 == 0;

		accepted(VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, &pairs, 2);
		accepted(VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_RX_PROMISC, &promisc, 1);
	}
	rte_atomic_store_explicit(&poller_stop, true, rte_memory_order_relaxed);
	pthread_join(thread, NULL);
	rte_mempool_free(pool);
}

static void
test_conf(void **state)
{
	struct rte_vduse_net_conf conf = {
		.size = sizeof(conf),
		.path = "./unit-ctrl.sock",
		.pairs = 1,
		.queue_size = CTRL_RING,
		.mac = { { 2, 0, 0, 0, 0, 1 } },
		.socket_id = SOCKET_ID_ANY,
		.ctrl_queue = true,
	};
	struct rte_vduse_net *net;
	uint64_t features;

	RTE_SET_USED(state);
	assert_int_equal(rte_vduse_net_create(&conf, &net), -EINVAL);
	assert_int_equal(unit_log_count("VDUSE"), 1);
	assert_int_equal(unit_log_count("unit-ctrl.sock: a control queue"), 1);
	conf.path = "/dev/vduse/unit-ctrl";
	features = rte_vduse_net_features(&conf);
	assert_int_equal(features & VNET_CTRL_NEED_VQ, VNET_CTRL_FEATURES);
	conf.features_off = BIT(VIRTIO_NET_F_CTRL_VQ);
	assert_int_equal(rte_vduse_net_features(&conf), features & ~VNET_CTRL_NEED_VQ);
	conf.features_off = 0;
	conf.ctrl_queue = false;
	assert_int_equal(rte_vduse_net_features(&conf), features & ~VNET_CTRL_NEED_VQ);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_classes),      TEST(test_reset),   TEST(test_wrong),
		TEST(test_not_accepted), TEST(test_no_room), TEST(test_room),
		TEST(test_pieces),       TEST(test_many),    TEST(test_read_only),
		TEST(test_128_pairs),    TEST(test_no_mq),   TEST(test_pairs),
		TEST(test_announce),     TEST(test_poller),  TEST(test_conf),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
