/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Interrupt coalescing: its commands, and that an interrupt comes with the buffer or at the time
 * that the driver asked for, whoever polls, and never gets lost.
 */
#include "loopback_ctrl.h"

#include <pthread.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_vduse_compat.h>

#define PAIRS 4
#define LEN   64u
#define COAL  VIRTIO_NET_CTRL_NOTF_COAL
#define EVENT BIT(VIRTIO_RING_F_EVENT_IDX)
/* More than any test takes, us. */
#define LONG UINT32_MAX

struct coal {
	uint32_t max_packets;
	uint32_t max_usecs;
};

static struct loopback_ctrl dev;
static struct rte_mempool *pool;
static struct rte_mbuf *packet;

static int
setup(void **state)
{
	RTE_SET_USED(state);
	packet = loopback_ctrl_packet("coal", LEN);
	pool = packet->pool;
	loopback_ctrl_create(&dev, PAIRS);
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

static uint8_t
set(uint8_t command, uint32_t max_packets, uint32_t max_usecs)
{
	struct coal coal = { rte_cpu_to_le_32(max_packets), rte_cpu_to_le_32(max_usecs) };

	return loopback_ctrl_command(&dev, COAL, command, &coal, sizeof(coal));
}

static uint8_t
set_vq(uint16_t index, uint32_t max_packets, uint32_t max_usecs)
{
	struct {
		uint16_t index, reserved;
		struct coal coal;
	} vq = { rte_cpu_to_le_16(index),
		 0xffff,
		 { rte_cpu_to_le_32(max_packets), rte_cpu_to_le_32(max_usecs) } };

	return loopback_ctrl_command(&dev, COAL, VIRTIO_NET_CTRL_NOTF_COAL_VQ_SET, &vq, sizeof(vq));
}

/* Asks for the parameters of a virtqueue. The byte after them is the answer. */
static uint8_t
get_vq(uint16_t index, uint32_t ack_step, struct coal *coal)
{
	uint8_t bytes[6] = { COAL, VIRTIO_NET_CTRL_NOTF_COAL_VQ_GET, (uint8_t)index,
			     (uint8_t)(index >> 8) };
	struct ctrl_request request = {
		.bytes = bytes, .len = sizeof(bytes), .ack = 12, .ack_step = ack_step
	};
	uint16_t head = loopback_ctrl_post(&dev, &request);
	const uint8_t *answer = loopback_ctrl_answer(&dev, head);
	uint32_t used;

	(void)loopback_ctrl_take(&dev, &used);
	assert_int_equal(used, 9);
	assert_int_equal(answer[9], CTRL_NO_ANSWER);
	memcpy(coal, answer, sizeof(*coal));
	coal->max_packets = rte_le_to_cpu_32(coal->max_packets);
	coal->max_usecs = rte_le_to_cpu_32(coal->max_usecs);
	return answer[8];
}

static void
has(uint16_t index, uint32_t max_packets, uint32_t max_usecs)
{
	static const uint32_t steps[] = { 0, 1, 3, 8 };
	struct coal coal;
	size_t i;

	for (i = 0; i < RTE_DIM(steps); i++) {
		assert_int_equal(get_vq(index, steps[i], &coal), VIRTIO_NET_OK);
		assert_int_equal(coal.max_packets, max_packets);
		assert_int_equal(coal.max_usecs, max_usecs);
	}
}

/* The last command counts, whichever it is, and a new driver begins with 0. */
static void
check_commands(uint64_t features)
{
	bool several = (features & BIT(VIRTIO_NET_F_MQ)) != 0;

	loopback_ctrl_up(&dev, features | CTRL_COAL, 0);
	has(0, 0, 0);
	has(dev.indices[CTRL_RX1], 0, 0);
	assert_int_equal(set(VIRTIO_NET_CTRL_NOTF_COAL_RX_SET, 8, 100), VIRTIO_NET_OK);
	has(0, 8, 100);
	has(dev.indices[CTRL_RX1], several ? 8 : 0, several ? 100 : 0);
	assert_int_equal(set_vq(0, UINT32_MAX, LONG), VIRTIO_NET_OK);
	has(0, UINT32_MAX, LONG);
	has(dev.indices[CTRL_RX1], several ? 8 : 0, several ? 100 : 0);
	assert_int_equal(set(VIRTIO_NET_CTRL_NOTF_COAL_TX_SET, 3, 4), VIRTIO_NET_OK);
	has(0, UINT32_MAX, LONG);
	has(dev.indices[CTRL_RX1], several ? 8 : 3, several ? 100 : 4);
	assert_int_equal(set(VIRTIO_NET_CTRL_NOTF_COAL_RX_SET, 0, 7), VIRTIO_NET_OK);
	has(0, 0, 7);
}

static void
test_commands(void **state)
{
	RTE_SET_USED(state);
	check_commands(CTRL_MQ);
	check_commands(CTRL_MQ | CTRL_PACKED);
	check_commands(CTRL_ALL);
	check_commands(CTRL_ALL | CTRL_PACKED);
}

/* Commands that are wrong in one thing; they change nothing. */
static void
test_wrong(void **state)
{
	static const struct {
		uint8_t command;
		uint32_t len;
	} lens[] = {
		{ VIRTIO_NET_CTRL_NOTF_COAL_TX_SET, 0 },  { VIRTIO_NET_CTRL_NOTF_COAL_TX_SET, 7 },
		{ VIRTIO_NET_CTRL_NOTF_COAL_TX_SET, 9 },  { VIRTIO_NET_CTRL_NOTF_COAL_RX_SET, 4 },
		{ VIRTIO_NET_CTRL_NOTF_COAL_RX_SET, 12 }, { VIRTIO_NET_CTRL_NOTF_COAL_VQ_SET, 0 },
		{ VIRTIO_NET_CTRL_NOTF_COAL_VQ_SET, 11 }, { VIRTIO_NET_CTRL_NOTF_COAL_VQ_SET, 13 },
		{ VIRTIO_NET_CTRL_NOTF_COAL_VQ_SET, 4 },  { VIRTIO_NET_CTRL_NOTF_COAL_VQ_GET, 0 },
		{ VIRTIO_NET_CTRL_NOTF_COAL_VQ_GET, 3 },  { VIRTIO_NET_CTRL_NOTF_COAL_VQ_GET, 5 },
		{ VIRTIO_NET_CTRL_NOTF_COAL_VQ_GET, 12 }, { 4, 8 },
	};
	/* Not set up, the control queue, none, and a number whose low byte is right. */
	static const uint16_t indices[] = { 1, 3, 2 * PAIRS, 2 * PAIRS + 1, 0x100, 0xffff };
	static const uint8_t zeroes[16];
	struct coal coal;
	size_t i;

	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, CTRL_MQ | CTRL_COAL, 0);
	assert_int_equal(set_vq(0, 5, 6), VIRTIO_NET_OK);
	for (i = 0; i < RTE_DIM(lens); i++) {
		assert_int_equal(
			loopback_ctrl_command(&dev, COAL, lens[i].command, zeroes, lens[i].len),
			VIRTIO_NET_ERR);
		has(0, 5, 6);
	}
	for (i = 0; i < RTE_DIM(indices); i++) {
		assert_int_equal(set_vq(indices[i], 1, 1), VIRTIO_NET_ERR);
		assert_int_equal(get_vq(indices[i], 0, &coal), VIRTIO_NET_ERR);
	}
	has(0, 5, 6);
	has(2, 0, 0);
	/* Without MQ, 2 is the control queue. */
	loopback_ctrl_up(&dev, CTRL_ALL | CTRL_COAL, 0);
	assert_int_equal(set_vq(2, 1, 1), VIRTIO_NET_ERR);
	assert_int_equal(set_vq(1, 1, 1), VIRTIO_NET_OK);
}

/* Too little room for parameters and answer: the first byte is the answer. */
static void
test_room(void **state)
{
	static const uint8_t bytes[6] = { COAL, VIRTIO_NET_CTRL_NOTF_COAL_VQ_GET };
	struct ctrl_request request = { .bytes = bytes, .len = sizeof(bytes) };
	uint32_t used;

	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, CTRL_MQ | CTRL_COAL, 0);
	for (request.ack = 1; request.ack < 9; request.ack++) {
		(void)loopback_ctrl_post(&dev, &request);
		assert_int_equal(loopback_ctrl_take(&dev, &used), VIRTIO_NET_ERR);
		assert_int_equal(used, 1);
	}
	request.ack = 0;
	(void)loopback_ctrl_post(&dev, &request);
	assert_int_equal(loopback_ctrl_take(&dev, &used), CTRL_NO_ANSWER);
	assert_int_equal(used, 0);
	has(0, 0, 0);
}

static void
test_not_accepted(void **state)
{
	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, CTRL_MQ | BIT(VIRTIO_NET_F_NOTF_COAL), 0);
	assert_int_equal(set(VIRTIO_NET_CTRL_NOTF_COAL_RX_SET, 1, 1), VIRTIO_NET_OK);
	assert_int_equal(set_vq(0, 1, 1), VIRTIO_NET_ERR);
	loopback_ctrl_up(&dev, CTRL_MQ | BIT(VIRTIO_NET_F_VQ_NOTF_COAL), 0);
	assert_int_equal(set_vq(0, 1, 1), VIRTIO_NET_OK);
	assert_int_equal(set(VIRTIO_NET_CTRL_NOTF_COAL_RX_SET, 1, 1), VIRTIO_NET_ERR);
	assert_int_equal(set(VIRTIO_NET_CTRL_NOTF_COAL_TX_SET, 1, 1), VIRTIO_NET_ERR);
}

static uint64_t
calls(uint16_t index)
{
	return vduse_loopback_calls(dev.loop, index);
}

/* The device fills one buffer of the driver; it need not be interrupted. */
static void
one_to_driver(void)
{
	assert_true(loopback_ctrl_receives(&dev, 0, packet));
}

/* The driver sends one packet on virtqueue 1, and has its buffer back. */
static void
one_from_driver(void)
{
	struct driver *driver = &dev.queues[CTRL_RX1];
	uint16_t desc = dev.next_desc[CTRL_RX1]++ % CTRL_RING;
	struct driver_part part = { driver->data + desc * 4096u, 12 + LEN, 0 };
	uint32_t head, len;
	struct rte_mbuf *got;

	memset(driver_va(driver, part.iova), 0, part.len);
	(void)driver_post_chain(driver, &desc, &part, 1);
	assert_int_equal(rte_vduse_net_rx_burst(dev.net, 0, pool, &got, 1), 1);
	rte_pktmbuf_free(got);
	assert_true(driver_take(driver, &head, &len));
}

/* The driver wants an interrupt for the next buffer that is used. */
static void
want_call(struct driver *driver)
{
	if ((dev.features & EVENT) == 0)
		return;
	if (dev.features & CTRL_PACKED)
		driver_packed_set_event(driver, VRING_PACKED_EVENT_FLAG_DESC, driver->packed.seen);
	else
		driver_set_used_event(driver, driver->seen);
}

static struct rte_vduse_net_stats
stats(bool rx)
{
	struct rte_vduse_net_stats now;

	rte_vduse_net_stats(dev.net, 0, rx, &now, sizeof(now));
	return now;
}

/* Every eighth buffer brings an interrupt. */
static void
check_packets(uint64_t features, uint16_t index, void (*one)(void))
{
	struct rte_vduse_net_stats before, now;
	uint64_t called;
	unsigned int i;

	loopback_ctrl_up(&dev, features | CTRL_COAL, 0);
	assert_int_equal(set_vq(index, 8, LONG), VIRTIO_NET_OK);
	before = stats(index == 1);
	called = calls(index);
	for (i = 0; i < 800; i++) {
		if (i % 8 == 0)
			want_call(&dev.queues[index == 0 ? CTRL_RX0 : CTRL_RX1]);
		one();
		assert_int_equal(calls(index) - called, (i + 1) / 8);
	}
	now = stats(index == 1);
	assert_int_equal(now.calls - before.calls, 100);
	assert_int_equal(now.calls_suppressed - before.calls_suppressed, 700);
}

static void
test_packets(void **state)
{
	static const uint64_t rings[] = { 0, EVENT, CTRL_PACKED, CTRL_PACKED | EVENT };
	size_t i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(rings); i++) {
		check_packets(CTRL_ALL | rings[i], 0, one_to_driver);
		check_packets(CTRL_ALL | rings[i], 1, one_from_driver);
	}
}

/* Interrupts that the driver does not want are not sent later, and none is held back for them. */
static void
test_unwanted(void **state)
{
	struct driver *driver = &dev.queues[CTRL_RX0];
	unsigned int i;
	uint64_t called;

	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, CTRL_ALL | CTRL_COAL, 0);
	assert_int_equal(set_vq(0, 8, LONG), VIRTIO_NET_OK);
	called = calls(0);
	for (i = 0; i < 16; i++) {
		if (i == 4)
			driver->avail->flags = RTE_LE16(VRING_AVAIL_F_NO_INTERRUPT);
		one_to_driver();
	}
	assert_int_equal(calls(0), called);
	driver->avail->flags = 0;
	for (i = 0; i < 8; i++) {
		assert_int_equal(calls(0), called);
		one_to_driver();
	}
	assert_int_equal(calls(0), called + 1);
}

/* A driver with all its buffers used is interrupted, whatever it asked for. */
static void
test_whole_ring(void **state)
{
	uint64_t called;
	unsigned int i;

	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, CTRL_ALL | CTRL_COAL, 0);
	assert_int_equal(set_vq(0, UINT32_MAX, LONG), VIRTIO_NET_OK);
	called = calls(0);
	for (i = 0; i < CTRL_RING; i++) {
		assert_int_equal(calls(0), called);
		one_to_driver();
	}
	assert_int_equal(calls(0), called + 1);
}

static bool
called_again(void *arg)
{
	const uint64_t *called = arg;

	return calls(0) > *called;
}

/* One buffer; the interrupt comes after the time, whoever sends it. poll: a thread polls. */
static void
check_time(uint32_t usecs, bool poll, bool other)
{
	uint64_t hz = rte_get_tsc_hz(), called, begin, end;
	struct rte_mbuf *got;

	assert_int_equal(set_vq(0, 100, usecs), VIRTIO_NET_OK);
	called = calls(0);
	begin = rte_rdtsc();
	one_to_driver();
	/* On a slow machine the time may be over. */
	if (calls(0) != called)
		assert_true(rte_rdtsc() - begin > usecs * (hz / US_PER_S));
	end = begin + UNIT_PATIENCE_MS * hz / MS_PER_S;
	while (poll && calls(0) == called && rte_rdtsc() < end) {
		if (other)
			(void)rte_vduse_net_rx_burst(dev.net, 0, pool, &got, 1);
		else
			(void)rte_vduse_net_tx_copy(dev.net, 0, &packet, 0);
	}
	assert_true(unit_wait(called_again, &called));
	assert_true(rte_rdtsc() - begin > usecs * (hz / US_PER_S));
	assert_int_equal(calls(0), called + 1);
}

static void
test_time(void **state)
{
	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, CTRL_ALL | CTRL_COAL, 0);
	check_time(20000, false, false);
	assert_false(vduse_loopback_called_here(dev.loop));
	check_time(20000, true, false);
	check_time(20000, true, true);
	check_time(100, false, false);
	check_time(100, true, true);
	/* After a pause, in which the control thread stopped looking. */
	unit_sleep_ms(50);
	check_time(3000, false, false);
	loopback_ctrl_up(&dev, CTRL_ALL | CTRL_COAL | CTRL_PACKED, 0);
	check_time(20000, false, false);
	check_time(20000, true, true);
}

/* Where the control thread does not look, a burst sends the interrupt: of either virtqueue. */
static void
check_poll(bool other)
{
	struct vnet_coal_watch *watch = &dev.net->coal_watch;

	unit_sleep_ms(50);
	/* As if it looked already: it is not woken. */
	rte_atomic_store_explicit(&watch->on, true, rte_memory_order_relaxed);
	check_time(1000, true, other);
}

static void
test_poll(void **state)
{
	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, CTRL_ALL | CTRL_COAL, 0);
	check_poll(false);
	check_poll(true);
}

/* New parameters hold for the interrupt that is held back already. */
static void
test_change(void **state)
{
	uint64_t called;
	unsigned int i;

	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, CTRL_ALL | CTRL_COAL, 0);
	for (i = 0; i < 4; i++) {
		unsigned int sent;

		assert_int_equal(set(VIRTIO_NET_CTRL_NOTF_COAL_RX_SET, 8, LONG), VIRTIO_NET_OK);
		called = calls(0);
		for (sent = 0; sent < 5; sent++)
			one_to_driver();
		/* Met by none of these. */
		assert_int_equal(set(VIRTIO_NET_CTRL_NOTF_COAL_TX_SET, 0, 0), VIRTIO_NET_OK);
		assert_int_equal(set_vq(0, 6, LONG - 1), VIRTIO_NET_OK);
		assert_int_equal(set(VIRTIO_NET_CTRL_NOTF_COAL_RX_SET, 100, LONG), VIRTIO_NET_OK);
		assert_int_equal(calls(0), called);
		if (i == 0)
			assert_int_equal(set_vq(0, 5, LONG), VIRTIO_NET_OK);
		else if (i == 1)
			assert_int_equal(set_vq(0, 0, LONG), VIRTIO_NET_OK);
		else if (i == 2)
			assert_int_equal(set_vq(0, 100, 0), VIRTIO_NET_OK);
		else
			assert_int_equal(set_vq(0, 100, 1000), VIRTIO_NET_OK);
		assert_true(unit_wait(called_again, &called));
		assert_int_equal(calls(0), called + 1);
	}
}

/* A reset ends it, and the interrupt held back is not lost if only the device goes. */
static void
test_reset(void **state)
{
	uint64_t called;

	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, CTRL_ALL | CTRL_COAL, 0);
	assert_int_equal(set(VIRTIO_NET_CTRL_NOTF_COAL_RX_SET, 8, LONG), VIRTIO_NET_OK);
	called = calls(0);
	one_to_driver();
	assert_int_equal(calls(0), called);
	loopback_ctrl_reset(&dev);
	assert_int_equal(calls(0), called + 1);
	loopback_ctrl_up(&dev, CTRL_ALL | CTRL_COAL, 0);
	has(0, 0, 0);
	has(1, 0, 0);
	assert_false(rte_atomic_load_explicit(&dev.net->coalesces, rte_memory_order_relaxed));
	called = calls(0);
	one_to_driver();
	one_to_driver();
	assert_int_equal(calls(0), called + 2);
}

static bool poller_stop;

/* Polls both directions, and plays the driver of virtqueue 0. */
static void *
poller_main(void *arg)
{
	struct rte_mbuf *got;

	RTE_SET_USED(arg);
	while (!rte_atomic_load_explicit(&poller_stop, rte_memory_order_relaxed)) {
		(void)loopback_ctrl_receives(&dev, 0, packet);
		(void)rte_vduse_net_rx_burst(dev.net, 0, pool, &got, 1);
	}
	return NULL;
}

static bool
nothing_held(void *arg)
{
	RTE_SET_USED(arg);
	return rte_atomic_load_explicit(&dev.net->queues[0].coal.at, rte_memory_order_relaxed) == 0;
}

/* Parameters change while a thread polls; then it stops, and nothing stays behind. */
static void
test_poller(void **state)
{
	uint64_t called, sent;
	pthread_t thread;
	unsigned int i;

	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, CTRL_ALL | CTRL_COAL, 0);
	called = calls(0);
	for (i = 0; i < 20; i++) {
		unsigned int n;

		poller_stop = false;
		sent = stats(false).calls;
		assert_int_equal(pthread_create(&thread, NULL, poller_main, NULL), 0);
		for (n = 0; n < 10; n++)
			assert_int_equal(set(VIRTIO_NET_CTRL_NOTF_COAL_RX_SET, 1 + n % 7 * 9,
					     n % 3 == 0 ? LONG : 50 + 300 * n),
					 VIRTIO_NET_OK);
		rte_atomic_store_explicit(&poller_stop, true, rte_memory_order_relaxed);
		pthread_join(thread, NULL);
		assert_int_equal(set_vq(0, 64, 500), VIRTIO_NET_OK);
		assert_true(unit_wait(nothing_held, NULL));
		assert_true(stats(false).calls >= sent);
	}
	unit_ctrl_turn();
	/* One that the control thread is about to send serves what the poller wants meanwhile, too. */
	assert_in_range(calls(0) - called, 1, stats(false).calls);
}

/* Bytes at random: each is answered, and the device goes on. */
static void
test_random(void **state)
{
	uint8_t bytes[18];
	struct ctrl_request request = { .bytes = bytes };
	uint32_t seed = 1, used, i, n;

	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, CTRL_MQ | CTRL_COAL, 0);
	for (i = 0; i < 20000; i++) {
		for (n = 0; n < sizeof(bytes); n++) {
			seed = seed * 1664525 + 1013904223;
			bytes[n] = (uint8_t)(seed >> 24) % (n < 6 ? 5 : 255);
		}
		bytes[0] = COAL;
		request.len = 2 + bytes[17] % 14;
		request.ack = 1 + bytes[16] % 12;
		request.ack_step = bytes[15] % 5;
		(void)loopback_ctrl_post(&dev, &request);
		(void)loopback_ctrl_take(&dev, &used);
		assert_true(used == 1 || (used == 9 && bytes[1] == 3));
		if (i % 50 == 0)
			one_to_driver();
	}
	assert_int_equal(set_vq(0, 1, 2), VIRTIO_NET_OK);
	has(0, 1, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_commands),     TEST(test_wrong),   TEST(test_room),
		TEST(test_not_accepted), TEST(test_packets), TEST(test_unwanted),
		TEST(test_whole_ring),   TEST(test_time),    TEST(test_poll),
		TEST(test_change),       TEST(test_reset),   TEST(test_poller),
		TEST(test_random),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
