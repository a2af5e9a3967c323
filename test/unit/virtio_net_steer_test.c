/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Steering: packets that two threads send reach the driver on the pair that it asked for, and those
 * of a flow in order.
 */
#include "flow_frame.h"
#include "loopback_ctrl.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_vduse_compat.h>

#include <virtio_net/steer.h>

#define PAIRS    4
#define SENDERS  2
#define FLOWS    32u  /* of a sender */
#define PACKETS  200u /* of a flow */
#define BURST    100  /* more than is sent at once */
#define SLOT     4096u
#define HDR      12u
#define AT_FLOW  100u /* flow and number in the frame */
#define FEATURES (CTRL_MQ | BIT(VIRTIO_NET_F_RSS))
#define NB_MBUFS 1023u

static struct loopback_ctrl dev;
/* A pool for each sender: what the driver of a pool orders between threads, TSan does not see. */
static struct rte_mempool *pools[SENDERS];
static const unsigned int to_driver[PAIRS] = { CTRL_RX0, CTRL_RX1, CTRL_RX2, CTRL_RX3 };

static void
begin(enum rte_vduse_net_steer steer, uint64_t features)
{
	char name[] = "steer0";
	unsigned int i;

	for (i = 0; i < SENDERS; i++, name[5]++) {
		pools[i] = rte_pktmbuf_pool_create(name, NB_MBUFS, 0, 0, 2048, SOCKET_ID_ANY);
		assert_non_null(pools[i]);
	}
	loopback_ctrl_create_hash(&dev, PAIRS, false, steer);
	dev.whole = true;
	loopback_ctrl_up(&dev, features, 0);
}

static void
end(void)
{
	unsigned int i;

	loopback_ctrl_destroy(&dev);
	for (i = 0; i < SENDERS; i++) {
		assert_int_equal(rte_mempool_avail_count(pools[i]), NB_MBUFS);
		rte_mempool_free(pools[i]);
	}
}

/* Flow number f: TCP or UDP, IPv4 or IPv6. What the driver sends of it has both ends swapped. */
static void
frame_of(uint8_t bytes[FLOW_FRAME], uint32_t f, bool from_driver)
{
	struct flow flow = flow_vectors[f % FLOW_VECTORS], there;

	flow.src_port = (uint16_t)(1000 + f);
	there = flow;
	if (from_driver)
		flow = (struct flow){ .src = there.dst,
				      .dst = there.src,
				      .src_port = there.dst_port,
				      .dst_port = there.src_port };
	flow_frame(bytes, &flow, f / FLOW_VECTORS % 2 == 0 ? IPPROTO_TCP : IPPROTO_UDP, PLAIN);
}

static struct rte_mbuf *
packet_of(uint32_t f, uint32_t number)
{
	uint32_t words[2] = { f, number };
	uint8_t bytes[FLOW_FRAME];

	frame_of(bytes, f, false);
	memcpy(bytes + AT_FLOW, words, sizeof(words));
	return flow_packet(pools[f / FLOWS % SENDERS], bytes, FLOW_FRAME, FLOW_FRAME);
}

/* The hash by its definition, one bit at a time. */
static uint32_t
toeplitz(const uint8_t *bytes, uint32_t len)
{
	uint32_t hash = 0, bit, i;

	for (bit = 0; bit < 8 * len; bit++) {
		if ((bytes[bit / 8] >> (7 - bit % 8) & 1) == 0)
			continue;
		for (i = 0; i < 32; i++)
			hash ^= (uint32_t)(flow_key[(bit + i) / 8] >> (7 - (bit + i) % 8) & 1)
				<< (31 - i);
	}
	return hash;
}

static uint16_t
entry_of(uint32_t index)
{
	return (uint16_t)((index * 7 + 1) % PAIRS);
}

/* The pair of a flow by key and table. */
static uint16_t
rss_pair(uint32_t f)
{
	uint8_t bytes[FLOW_FRAME];
	bool ipv6 = flow_is_ipv6(&flow_vectors[f % FLOW_VECTORS]);

	frame_of(bytes, f, false);
	/* The ports follow the addresses. */
	return entry_of(toeplitz(bytes + (ipv6 ? 22 : 26), ipv6 ? 36 : 12) % VNET_RSS_TABLE_MAX);
}

static void
configure(void)
{
	uint8_t data[4 + 2 + 2 + 2 * VNET_RSS_TABLE_MAX + 2 + 1 + VNET_HASH_KEY_MAX] = { 0x3f };
	uint32_t i, at = 8;

	data[4] = VNET_RSS_TABLE_MAX - 1;
	data[6] = 2; /* pair of packets that are not IP */
	for (i = 0; i < VNET_RSS_TABLE_MAX; i++, at += 2)
		data[at] = (uint8_t)entry_of(i);
	data[at] = PAIRS;
	data[at + 2] = sizeof(flow_key);
	memcpy(data + at + 3, flow_key, sizeof(flow_key));
	assert_int_equal(loopback_ctrl_command(&dev, VIRTIO_NET_CTRL_MQ,
					       VIRTIO_NET_CTRL_MQ_RSS_CONFIG, data, sizeof(data)),
			 VIRTIO_NET_OK);
}

static void
set_pairs(uint16_t nb)
{
	nb = rte_cpu_to_le_16(nb);
	assert_int_equal(loopback_ctrl_command(&dev, VIRTIO_NET_CTRL_MQ,
					       VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, &nb, 2),
			 VIRTIO_NET_OK);
}

static void
give(uint16_t pair, uint16_t desc)
{
	struct driver *driver = &dev.queues[to_driver[pair]];
	struct driver_part part = { driver->data + (uint64_t)desc * SLOT, SLOT,
				    VRING_DESC_F_WRITE };

	(void)driver_post_chain(driver, &desc, &part, 1);
}

static void
give_all(uint16_t nb)
{
	uint16_t pair, desc;

	for (pair = 0; pair < PAIRS; pair++)
		for (desc = 0; desc < nb; desc++)
			give(pair, desc);
}

/* The driver receives a packet on a pair, and makes its buffer available again. False: none. */
static bool
take(uint16_t pair, uint32_t *f, uint32_t *number)
{
	struct driver *driver = &dev.queues[to_driver[pair]];
	uint32_t head, len, words[2];

	if (!driver_take(driver, &head, &len))
		return false;
	assert_int_equal(len, HDR + FLOW_FRAME);
	memcpy(words,
	       (uint8_t *)driver_va(driver, driver->data + (uint64_t)head * SLOT) + HDR + AT_FLOW,
	       sizeof(words));
	*f = words[0];
	*number = words[1];
	give(pair, (uint16_t)head);
	return true;
}

/* The driver sends one packet of a flow on a pair, and the application receives it. */
static void
driver_sends(uint32_t f, uint16_t pair)
{
	unsigned int queue = CTRL_TX0 + pair;
	struct driver *driver = &dev.queues[queue];
	uint16_t desc = dev.next_desc[queue]++ % CTRL_RING;
	struct driver_part part = { driver->data + (uint64_t)desc * SLOT, HDR + FLOW_FRAME, 0 };
	uint8_t *bytes = driver_va(driver, part.iova);
	struct rte_mbuf *packet;
	uint32_t head, len;

	memset(bytes, 0, HDR);
	frame_of(bytes + HDR, f, true);
	(void)driver_post_chain(driver, &desc, &part, 1);
	assert_int_equal(rte_vduse_net_rx_burst(dev.net, pair, pools[0], &packet, 1), 1);
	rte_pktmbuf_free(packet);
	assert_true(driver_take(driver, &head, &len));
}

/* Where one packet of a flow that is sent on a queue arrives. */
static uint16_t
arrives(uint32_t f, uint16_t queue)
{
	struct rte_mbuf *packet = packet_of(f, 1);
	uint32_t number, got;
	uint16_t pair, at = PAIRS;

	assert_int_equal(rte_vduse_net_tx_burst(dev.net, queue, &packet, 1), 1);
	for (pair = 0; pair < PAIRS; pair++)
		while (take(pair, &got, &number)) {
			assert_int_equal(at, PAIRS);
			assert_int_equal(got, f);
			at = pair;
		}
	return at;
}

/* Sends its flows in turn, and again what was handed back before what is new. */
static void *
sender_main(void *arg)
{
	uint32_t nth = (uint32_t)(uintptr_t)arg, made = 0;
	struct rte_mbuf *mbufs[BURST];
	uint16_t nb = 0, sent;

	while (nb > 0 || made < FLOWS * PACKETS) {
		for (; nb < BURST && made < FLOWS * PACKETS; made++)
			mbufs[nb++] = packet_of(nth * FLOWS + made % FLOWS, made / FLOWS);
		sent = rte_vduse_net_tx_burst(dev.net, nth == 0 ? 0 : PAIRS - 1, mbufs, nb);
		nb = (uint16_t)(nb - sent);
		memmove(mbufs, mbufs + sent, nb * sizeof(mbufs[0]));
		if (sent == 0)
			sched_yield();
	}
	return NULL;
}

/* Two threads send all flows; each packet must be the next of its flow, on the pair of its flow. */
static void
check_threads(uint16_t (*pair_of)(uint32_t f))
{
	uint64_t end_at = rte_rdtsc() + 10 * UNIT_PATIENCE_MS / 1000 * rte_get_tsc_hz();
	uint32_t next[SENDERS * FLOWS] = { 0 }, all = 0, f, number;
	uint32_t received[PAIRS] = { 0 };
	pthread_t threads[SENDERS];
	uint16_t pair;
	uintptr_t i;

	for (i = 0; i < SENDERS; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, sender_main, (void *)i), 0);
	while (all < SENDERS * FLOWS * PACKETS) {
		for (pair = 0; pair < PAIRS; pair++)
			while (take(pair, &f, &number)) {
				assert_in_range(f, 0, SENDERS * FLOWS - 1);
				assert_int_equal(pair, pair_of(f));
				assert_int_equal(number, next[f]);
				next[f]++;
				received[pair]++;
				all++;
			}
		if (rte_rdtsc() > end_at)
			fail_msg("%u packets of %u arrived", all, SENDERS * FLOWS * PACKETS);
		sched_yield();
	}
	for (i = 0; i < SENDERS; i++)
		pthread_join(threads[i], NULL);
	for (pair = 0; pair < PAIRS; pair++)
		assert_true(received[pair] > 0);
}

static void
check_rss(uint64_t features)
{
	begin(RTE_VDUSE_NET_STEER_RSS, features);
	give_all(32);
	configure();
	check_threads(rss_pair);
	end();
}

static void
test_rss(void **state)
{
	RTE_SET_USED(state);
	check_rss(FEATURES);
	check_rss(FEATURES | CTRL_PACKED);
}

/* Until the driver configures RSS and after it turns it off, the application's queue is the pair. */
static void
test_rss_off(void **state)
{
	struct rte_mbuf *packet;
	uint8_t bytes[FLOW_FRAME] = { 2 };
	uint32_t f, number;

	RTE_SET_USED(state);
	begin(RTE_VDUSE_NET_STEER_RSS, FEATURES);
	give_all(32);
	assert_int_equal(arrives(5, 0), 0);
	/* One pair is in use then. */
	assert_int_equal(arrives(5, 3), 0);
	configure();
	for (f = 0; f < FLOWS; f++)
		assert_int_equal(arrives(f, (uint16_t)(f % PAIRS)), rss_pair(f));
	packet = flow_packet(pools[0], bytes, FLOW_FRAME, FLOW_FRAME);
	assert_int_equal(rte_vduse_net_tx_burst(dev.net, 0, &packet, 1), 1);
	assert_true(take(2, &f, &number));
	set_pairs(2);
	for (f = 0; f < FLOWS; f++)
		assert_int_equal(arrives(f, (uint16_t)(f % PAIRS)), f % 2);
	end();
}

static uint16_t
auto_pair(uint32_t f)
{
	return (uint16_t)((f + 3) % PAIRS);
}

static void
check_auto(uint64_t features)
{
	uint32_t f;

	begin(RTE_VDUSE_NET_STEER_AUTO, features);
	give_all(32);
	set_pairs(PAIRS);
	for (f = 0; f < SENDERS * FLOWS; f++) {
		/* The last counts. */
		driver_sends(f, (uint16_t)(f % PAIRS));
		driver_sends(f, auto_pair(f));
	}
	check_threads(auto_pair);
	end();
}

static void
test_auto(void **state)
{
	RTE_SET_USED(state);
	check_auto(CTRL_MQ);
	check_auto(CTRL_MQ | CTRL_PACKED);
}

/* Flows that are not known, or whose pair is not in use, go to the pair of the queue. */
static void
test_auto_unknown(void **state)
{
	uint32_t f;

	RTE_SET_USED(state);
	begin(RTE_VDUSE_NET_STEER_AUTO, CTRL_MQ);
	give_all(32);
	set_pairs(PAIRS);
	for (f = 0; f < FLOWS; f++)
		assert_int_equal(arrives(f, (uint16_t)(f % PAIRS)), f % PAIRS);
	for (f = 0; f < FLOWS; f++)
		driver_sends(f, 3);
	for (f = 0; f < FLOWS; f++)
		assert_int_equal(arrives(f, 1), 3);
	set_pairs(3);
	for (f = 0; f < FLOWS; f++)
		assert_int_equal(arrives(f, 1), 1);
	/* A new driver's flows are not those of the last one. */
	loopback_ctrl_up(&dev, CTRL_MQ, 0);
	give_all(32);
	set_pairs(PAIRS);
	for (f = 0; f < FLOWS; f++)
		assert_int_equal(arrives(f, 2), 2);
	end();
}

/* More flows than the table holds: each goes to the pair on which it was sent, or to the queue's. */
static void
test_auto_many(void **state)
{
	uint32_t f, known = 0;

	RTE_SET_USED(state);
	begin(RTE_VDUSE_NET_STEER_AUTO, CTRL_MQ);
	give_all(32);
	set_pairs(PAIRS);
	for (f = 0; f < 2 * VNET_STEER_FLOWS; f++)
		driver_sends(f, 1 + f % 3);
	for (f = 0; f < 2 * VNET_STEER_FLOWS; f++) {
		uint16_t pair = arrives(f, 0);

		if (pair != 0)
			assert_int_equal(pair, 1 + f % 3);
		known += pair != 0;
	}
	assert_in_range(known, VNET_STEER_FLOWS / 2, VNET_STEER_FLOWS);
	end();
}

/* Packets of a full or busy pair are handed back in order, after the others were sent. */
static void
check_back(bool busy)
{
	struct rte_vduse_vq *vq = dev.net->queues[2 * 2].vq;
	struct rte_mbuf *mbufs[FLOWS], *rest[FLOWS];
	uint32_t f, nb_rest = 0, got, number, received = 0;
	uint16_t pair, sent;

	for (f = 0; f < FLOWS; f++) {
		mbufs[f] = packet_of(f, 0);
		if (rss_pair(f) == 2)
			rest[nb_rest++] = mbufs[f];
	}
	assert_in_range(nb_rest, 1, FLOWS - 1);
	if (busy)
		rte_spinlock_lock(&vq->lock);
	sent = rte_vduse_net_tx_burst(dev.net, 1, mbufs, FLOWS);
	if (busy)
		rte_spinlock_unlock(&vq->lock);
	assert_int_equal(sent, FLOWS - nb_rest);
	assert_memory_equal(mbufs + sent, rest, nb_rest * sizeof(rest[0]));
	for (pair = 0; pair < PAIRS; pair++)
		while (take(pair, &got, &number)) {
			assert_int_not_equal(pair, 2);
			received++;
		}
	assert_int_equal(received, sent);
	if (!busy)
		for (f = 0; f < FLOWS; f++)
			give(2, (uint16_t)f);
	assert_int_equal(rte_vduse_net_tx_burst(dev.net, 1, mbufs + sent, (uint16_t)nb_rest),
			 nb_rest);
	while (take(2, &got, &number))
		nb_rest--;
	assert_int_equal(nb_rest, 0);
}

static void
test_back(void **state)
{
	uint16_t pair, desc;

	RTE_SET_USED(state);
	begin(RTE_VDUSE_NET_STEER_RSS, FEATURES);
	configure();
	for (pair = 0; pair < PAIRS; pair++)
		for (desc = 0; pair != 2 && desc < FLOWS; desc++)
			give(pair, desc);
	check_back(false);
	check_back(true);
	end();
}

/* tx_copy() sends to the pair that it is given. */
static void
test_copy(void **state)
{
	struct rte_mbuf *packet;
	uint32_t f, got, number;

	RTE_SET_USED(state);
	begin(RTE_VDUSE_NET_STEER_RSS, FEATURES);
	give_all(32);
	configure();
	for (f = 0; f < FLOWS; f++) {
		packet = packet_of(f, 0);
		assert_int_equal(rte_vduse_net_tx_copy(dev.net, 1, &packet, 1), 1);
		assert_true(take(1, &got, &number));
		rte_pktmbuf_free(packet);
	}
	end();
}

/* A driver that configures RSS all the time, and always says the same. */
static void *
changes_main(void *arg)
{
	bool *stop = arg;

	while (!rte_atomic_load_explicit(stop, rte_memory_order_relaxed))
		configure();
	return NULL;
}

static void
test_changes(void **state)
{
	pthread_t thread;
	bool stop = false;

	RTE_SET_USED(state);
	begin(RTE_VDUSE_NET_STEER_RSS, FEATURES);
	give_all(32);
	configure();
	assert_int_equal(pthread_create(&thread, NULL, changes_main, &stop), 0);
	check_threads(rss_pair);
	rte_atomic_store_explicit(&stop, true, rte_memory_order_relaxed);
	pthread_join(thread, NULL);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rss),       cmocka_unit_test(test_rss_off),
		cmocka_unit_test(test_auto),      cmocka_unit_test(test_auto_unknown),
		cmocka_unit_test(test_auto_many), cmocka_unit_test(test_back),
		cmocka_unit_test(test_copy),      cmocka_unit_test(test_changes),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
