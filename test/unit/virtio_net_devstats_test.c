/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Device statistics over the control queue: what is counted, and every wrong question. */
#include "loopback_ctrl.h"

#include <string.h>

#include <rte_byteorder.h>

#include <virtio_net/device_stats.h>

#define PAIRS 4
#define LEN   64u
#define STATS VIRTIO_NET_CTRL_STATS
#define QUERY VIRTIO_NET_CTRL_STATS_QUERY
#define GET   VIRTIO_NET_CTRL_STATS_GET

#define CVQ VNET_STATS_TYPE(CVQ)
#define RX  VNET_STATS_TYPE(RX_BASIC)
#define TX  VNET_STATS_TYPE(TX_BASIC)
/* Types that this device has no counters for. */
#define OTHERS (BIT(1) | BIT(2) | BIT(3) | BIT(17) | BIT(18) | BIT(19) | BIT(4) | BIT(33) | BIT(63))

/* Bytes of a reply. */
#define CVQ_SIZE   24u
#define BASIC_SIZE 56u

struct ask {
	uint16_t index;
	uint16_t reserved[3];
	uint64_t types;
};

static struct loopback_ctrl dev;
static struct rte_mempool *pool;
static struct rte_mbuf *packet;

static int
setup(void **state)
{
	RTE_SET_USED(state);
	packet = loopback_ctrl_packet("devstats", LEN);
	pool = packet->pool;
	loopback_ctrl_create(&dev, PAIRS);
	return 0;
}

/* The same, with a device that steers by RSS. */
static int
setup_rss(void **state)
{
	setup(state);
	loopback_ctrl_destroy(&dev);
	loopback_ctrl_create_hash(&dev, PAIRS, false, RTE_VDUSE_NET_STEER_RSS);
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	loopback_ctrl_destroy(&dev);
	loopback_ctrl_packet_free(packet);
	return 0;
}

static struct ask
ask(uint16_t index, uint64_t types)
{
	/* The device ignores what is reserved. */
	return (struct ask){ rte_cpu_to_le_16(index), { 1, 2, 3 }, rte_cpu_to_le_64(types) };
}

/* A command with so much room for its answer, ack byte included. Returns the answer. */
static const uint8_t *
request(uint8_t command, const void *data, uint32_t len, uint32_t room, uint32_t step,
	uint32_t *used)
{
	uint8_t bytes[512] = { STATS, command };
	struct ctrl_request request = {
		.bytes = bytes, .len = 2 + len, .ack = room, .ack_step = step
	};
	uint16_t head;

	assert_in_range(request.len, 2, sizeof(bytes));
	if (len > 0)
		memcpy(bytes + 2, data, len);
	head = loopback_ctrl_post(&dev, &request);
	(void)loopback_ctrl_take(&dev, used);
	return loopback_ctrl_answer(&dev, head);
}

static void
refused(uint8_t command, const void *data, uint32_t len, uint32_t room)
{
	uint32_t used;
	const uint8_t *answer = request(command, data, len, room, 0, &used);

	assert_int_equal(answer[0], VIRTIO_NET_ERR);
	assert_int_equal(answer[1], CTRL_NO_ANSWER);
	assert_int_equal(used, 1);
}

static uint64_t
value(const uint8_t *reply, unsigned int nth)
{
	uint64_t value;

	memcpy(&value, reply + 8 + 8 * nth, sizeof(value));
	return rte_le_to_cpu_64(value);
}

static void
is_reply(const uint8_t *reply, uint8_t type, uint16_t index, uint16_t size)
{
	const uint8_t header[8] = { type, 0, (uint8_t)index, (uint8_t)(index >> 8),
				    0,    0, (uint8_t)size,  (uint8_t)(size >> 8) };

	assert_memory_equal(reply, header, sizeof(header));
}

static void
check_query(uint64_t features)
{
	static const uint32_t steps[] = { 0, 1, 5, 8 };
	const uint64_t types = RTE_LE64(CVQ | RX | TX);
	const uint8_t *answer;
	uint32_t used, room;
	size_t i;

	loopback_ctrl_up(&dev, features | BIT(VIRTIO_NET_F_DEVICE_STATS), 0);
	for (i = 0; i < RTE_DIM(steps); i++) {
		answer = request(QUERY, NULL, 0, 9, steps[i], &used);
		assert_int_equal(answer[0], VIRTIO_NET_OK);
		assert_memory_equal(answer + 1, &types, sizeof(types));
		assert_int_equal(used, 9);
	}
	answer = request(QUERY, NULL, 0, 100, 0, &used);
	assert_int_equal(answer[0], VIRTIO_NET_OK);
	assert_int_equal(used, 9);
	assert_int_equal(answer[9], CTRL_NO_ANSWER);
	for (room = 1; room < 9; room++)
		refused(QUERY, NULL, 0, room);
	refused(QUERY, "", 1, 9);
	refused(QUERY, &types, sizeof(types), 9);
	refused(2, NULL, 0, 9);
}

static void
test_query(void **state)
{
	RTE_SET_USED(state);
	check_query(CTRL_ALL);
	check_query(CTRL_MQ);
	check_query(CTRL_MQ | CTRL_PACKED);
}

/* The driver sends a packet of len bytes on virtqueue 1, after a header. */
static void
from_driver(uint32_t len)
{
	struct driver *driver = &dev.queues[CTRL_RX1];
	uint16_t desc = dev.next_desc[CTRL_RX1]++ % CTRL_RING;
	struct driver_part part = { driver->data + desc * 4096u, 12 + len, 0 };
	uint32_t head, used;
	struct rte_mbuf *got;

	memset(driver_va(driver, part.iova), 0, part.len);
	(void)driver_post_chain(driver, &desc, &part, 1);
	if (rte_vduse_net_rx_burst(dev.net, 0, pool, &got, 1) == 1)
		rte_pktmbuf_free(got);
	assert_true(driver_take(driver, &head, &used));
}

/* Each counter of each type, as the application sees it. */
static void
check_counters(uint64_t features)
{
	const struct ask asks[] = { ask(1, TX), ask(2, CVQ), ask(0, RX) };
	struct rte_vduse_net_stats to, from;
	const uint8_t *answer;
	uint32_t used;
	unsigned int i;

	loopback_ctrl_up(&dev, features | BIT(VIRTIO_NET_F_DEVICE_STATS), 0);
	rte_vduse_net_stats_reset(dev.net, 0, false);
	rte_vduse_net_stats_reset(dev.net, 0, true);
	for (i = 0; i < 3; i++)
		assert_true(loopback_ctrl_receives(&dev, 0, packet));
	for (i = 0; i < 5; i++)
		from_driver(LEN + i);
	from_driver(10);
	/* Two commands, of which one is refused, and this one. */
	assert_int_equal(loopback_ctrl_command(&dev, 99, 0, NULL, 0), VIRTIO_NET_ERR);
	assert_int_equal(loopback_ctrl_command(&dev, VIRTIO_NET_CTRL_RX, 0, "\1", 1),
			 VIRTIO_NET_OK);
	answer = request(GET, asks, sizeof(asks), 1 + CVQ_SIZE + 2 * BASIC_SIZE, 7, &used);
	assert_int_equal(answer[0], VIRTIO_NET_OK);
	assert_int_equal(used, 1 + CVQ_SIZE + 2 * BASIC_SIZE);
	rte_vduse_net_stats(dev.net, 0, true, &from, sizeof(from));
	rte_vduse_net_stats(dev.net, 0, false, &to, sizeof(to));
	answer++;
	is_reply(answer, 16, 1, BASIC_SIZE);
	assert_int_equal(value(answer, 0), 0);
	assert_int_equal(value(answer, 1), 5);
	assert_int_equal(value(answer, 2), 5 * LEN + 10);
	assert_int_equal(value(answer, 3), from.calls);
	assert_int_equal(value(answer, 3), 6);
	assert_int_equal(value(answer, 4), 1);
	assert_int_equal(value(answer, 5), 1);
	answer += BASIC_SIZE;
	is_reply(answer, 32, 2, CVQ_SIZE);
	assert_int_equal(value(answer, 0), 3);
	assert_int_equal(value(answer, 1), 2);
	answer += CVQ_SIZE;
	is_reply(answer, 0, 0, BASIC_SIZE);
	assert_int_equal(value(answer, 0), 0);
	assert_int_equal(value(answer, 1), 3);
	assert_int_equal(value(answer, 2), 3 * LEN);
	assert_int_equal(value(answer, 3), to.calls);
	assert_int_equal(value(answer, 3), 3);
	assert_int_equal(value(answer, 4), 0);
	assert_int_equal(value(answer, 5), 0);
}

static void
test_counters(void **state)
{
	RTE_SET_USED(state);
	check_counters(CTRL_ALL);
	check_counters(CTRL_ALL | CTRL_PACKED);
}

/* All virtqueues in one command; only what is valid is written, and no more than fits. */
static void
check_room(uint64_t features)
{
	struct ask asks[2 * PAIRS + 1];
	const uint32_t all = 1 + 2 * PAIRS * BASIC_SIZE + CVQ_SIZE;
	const uint8_t *answer;
	uint32_t used, room;
	uint16_t i;

	loopback_ctrl_up(&dev, features | BIT(VIRTIO_NET_F_DEVICE_STATS), 0);
	for (i = 0; i < 2 * PAIRS; i++)
		asks[i] = ask(i, i % 2 == 0 ? RX : TX);
	asks[i] = ask(i, CVQ);
	for (room = 1; room < 512; room++) {
		answer = request(GET, asks, sizeof(asks), room, 0, &used);
		assert_int_equal(answer[0], VIRTIO_NET_OK);
		assert_int_equal(used, RTE_MIN(room, all));
		if (room < 511)
			assert_int_equal(answer[used], CTRL_NO_ANSWER);
	}
	for (i = 0; i < 2 * PAIRS; i++)
		is_reply(answer + 1 + i * BASIC_SIZE, i % 2 == 0 ? 0 : 16, i, BASIC_SIZE);
	is_reply(answer + 1 + i * BASIC_SIZE, 32, i, CVQ_SIZE);
	/* Nothing is asked of a virtqueue. */
	asks[0] = ask(0, 0);
	answer = request(GET, asks, sizeof(asks[0]), 100, 0, &used);
	assert_int_equal(answer[0], VIRTIO_NET_OK);
	assert_int_equal(used, 1);
}

static void
test_room(void **state)
{
	RTE_SET_USED(state);
	check_room(CTRL_MQ);
}

/* RSS has several pairs, with and without MQ. */
static void
test_rss(void **state)
{
	RTE_SET_USED(state);
	check_room(CTRL_ALL | BIT(VIRTIO_NET_F_RSS));
	check_room(CTRL_MQ | BIT(VIRTIO_NET_F_RSS));
}

static void
test_wrong(void **state)
{
	const struct ask wrong[] = {
		ask(0, TX),      ask(0, CVQ),           ask(1, RX),
		ask(1, RX | TX), ask(2 * PAIRS, RX),    ask(2 * PAIRS, TX | CVQ),
		ask(0xffff, RX), ask(2 * PAIRS + 1, 0), ask(2 * PAIRS + 2, RX),
		ask(0x100, RX),  ask(0, RX | OTHERS),   ask(0, UINT64_MAX),
	};
	struct ask asks[2 * PAIRS + 2] = { ask(0, RX), ask(1, TX), ask(2 * PAIRS, CVQ) };
	unsigned int bit, i;
	uint32_t len;

	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, CTRL_MQ | BIT(VIRTIO_NET_F_DEVICE_STATS), 0);
	for (len = 0; len <= sizeof(asks[0]) * 3; len++)
		if (len == 0 || len % sizeof(asks[0]) != 0)
			refused(GET, asks, len, 300);
	for (i = 0; i < RTE_DIM(wrong); i++) {
		refused(GET, &wrong[i], sizeof(wrong[i]), 300);
		/* The last one of three. */
		asks[2] = wrong[i];
		refused(GET, asks, 3 * sizeof(asks[0]), 300);
	}
	for (bit = 0; bit < 64; bit++) {
		asks[0] = ask(0, BIT(bit));
		if (BIT(bit) != RX)
			refused(GET, asks, sizeof(asks[0]), 300);
	}
	for (i = 0; i < RTE_DIM(asks); i++)
		asks[i] = ask(0, RX);
	refused(GET, asks, sizeof(asks), 300);
	/* Without MQ there is one pair, and 2 is the control queue. */
	loopback_ctrl_up(&dev, CTRL_ALL | BIT(VIRTIO_NET_F_DEVICE_STATS), 0);
	asks[0] = ask(2, RX);
	refused(GET, asks, sizeof(asks[0]), 300);
	asks[0] = ask(3, TX);
	refused(GET, asks, sizeof(asks[0]), 300);
	asks[0] = ask(2 * PAIRS, CVQ);
	refused(GET, asks, sizeof(asks[0]), 300);
}

static void
test_not_accepted(void **state)
{
	struct ask asks = ask(0, RX);

	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, CTRL_MQ, 0);
	refused(QUERY, NULL, 0, 9);
	refused(GET, &asks, sizeof(asks), 300);
}

/* A new driver's control queue has answered nothing yet. */
static void
test_reset(void **state)
{
	const struct ask asks = ask(2 * PAIRS, CVQ);
	const uint8_t *answer;
	uint32_t used;
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < 2; i++) {
		loopback_ctrl_up(&dev, CTRL_MQ | BIT(VIRTIO_NET_F_DEVICE_STATS), 0);
		answer = request(GET, &asks, sizeof(asks), 1 + CVQ_SIZE, 0, &used);
		assert_int_equal(value(answer + 1, 0), 1);
		assert_int_equal(value(answer + 1, 1), 1);
	}
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_query), TEST(test_counters),
		TEST(test_room),  cmocka_unit_test_setup_teardown(test_rss, setup_rss, teardown),
		TEST(test_wrong), TEST(test_not_accepted),
		TEST(test_reset),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
