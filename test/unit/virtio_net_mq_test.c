/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Several queue pairs at a vhost-user socket: what is offered, up to the largest number of pairs,
 * drivers that use fewer, and pairs that are disabled and enabled while packets flow.
 */
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_byteorder.h>
#include <rte_vduse_compat.h>

#include "loopback_net.h"
#include "vhost_client.h"

#define PAIRS_MAX RTE_VDUSE_NET_PAIRS_MAX
#define RING_SIZE 8 /* vhost_client.c's */
#define LEN       60
#define PACKETS   1024
#define BURST     8
#define TOGGLES   200

#define PLAIN (FEATURE(VIRTIO_F_VERSION_1) | VHOST_USER_BIT(MSG_F_PROTOCOL_FEATURES))
#define MQ    FEATURE(VIRTIO_NET_F_MQ)

/* Of each virtqueue: a page with its ring, then a page with a buffer for each descriptor. */
#define RING_AT(index) (2 * (uint64_t)(index)*PAGE)
#define BUFFER         (PAGE / RING_SIZE)
#define MEMORY         RING_AT(2 * PAIRS_MAX)

static char path[64];
static struct rte_vduse_net *net;
static struct rte_mempool *pool;
static struct driver rings[2 * PAIRS_MAX];
static uint8_t *memory;
static int memory_fd, client;
static unsigned int fds_before;

static void
serve(uint16_t pairs)
{
	const struct rte_vduse_net_conf conf = {
		.size = sizeof(conf),
		.path = path,
		.pairs = pairs,
		.queue_size = 256,
		.mac = { { 2, 0, 0, 0, 0, 1 } },
		.mtu = 1500,
		.socket_id = SOCKET_ID_ANY,
		.transport = &vduse_transport_vhost_user,
	};

	assert_int_equal(rte_vduse_net_create(&conf, &net), 0);
	assert_int_equal(rte_vduse_net_pairs(net), pairs);
	assert_int_equal(rte_vduse_net_start(net, RTE_VDUSE_ATTACH_NONE), 0);
	client = vhost_client_connect(path);
}

static int
setup(void **state)
{
	RTE_SET_USED(state);
	/* The control thread, which stays, has descriptors of its own. */
	unit_ctrl_turn();
	fds_before = unit_fds();
	unit_log_clear();
	snprintf(path, sizeof(path), "/tmp/vduse-unit-mq-%d.sock", getpid());
	net = NULL;
	client = -1;
	memory_fd = unit_memfd("unit-mq", MEMORY);
	memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	pool = packet_pool("mq", PACKETS, 2048);
	return 0;
}

/* No mbuf is lost. */
static int
teardown(void **state)
{
	RTE_SET_USED(state);
	if (client >= 0)
		close(client);
	rte_vduse_net_destroy(net);
	munmap(memory, MEMORY);
	close(memory_fd);
	unit_fds_back(fds_before);
	assert_int_equal(rte_mempool_avail_count(pool), PACKETS);
	rte_mempool_free(pool);
	return 0;
}

/* A new connection, with features and memory. */
static void
driver_begin(uint64_t features)
{
	struct vhost_user_msg table = vhost_client_table(0, MEMORY, true);

	assert_int_equal(vhost_client_ask(client, MSG_SET_FEATURES, features, 8, true), 0);
	vhost_client_send(client, &table, 1, memory_fd);
	assert_int_equal(vhost_client_answer(client, MSG_SET_MEM_TABLE), 0);
}

static bool
is_running(void *arg)
{
	const struct rte_vduse_vq *vq = arg;

	return rte_atomic_load_explicit(&vq->state, rte_memory_order_acquire) ==
	       RTE_VDUSE_VQ_RUNNING;
}

static void
driver_ring(uint16_t index)
{
	struct driver *ring = &rings[index];
	uint8_t *at = memory + RING_AT(index);

	memset(at, 0, PAGE);
	*ring = (struct driver){
		.size = RING_SIZE,
		.desc = (void *)at,
		.avail = (void *)(at + 0x400),
		.used = (void *)(at + 0x800),
	};
	vhost_client_ring(client, index, RING_AT(index), 0);
	assert_true(unit_wait(is_running, rte_vduse_dev_vq(rte_vduse_net_dev(net), index)));
}

static void
driver_pairs(uint16_t pairs)
{
	uint16_t i;

	for (i = 0; i < 2 * pairs; i++)
		driver_ring(i);
}

static void
driver_enable(uint16_t pair, bool enable)
{
	uint16_t i;

	for (i = 0; i < 2; i++)
		assert_int_equal(vhost_client_ask(client, MSG_SET_VRING_ENABLE,
						  (2u * pair + i) | (uint64_t)enable << 32, 8,
						  true),
				 0);
}

static uint8_t *
buffer(uint16_t index, uint16_t slot)
{
	return memory + RING_AT(index) + PAGE + slot * BUFFER;
}

/* Makes the buffer of a virtqueue's next slot available. */
static void
driver_give(uint16_t index, uint16_t flags)
{
	struct driver *ring = &rings[index];
	uint16_t slot = ring->next % RING_SIZE;

	driver_desc(ring, slot, (uint64_t)(buffer(index, slot) - memory), NET_HDR + LEN, flags, 0);
	driver_post(ring, slot);
}

/* The driver sends a packet from a pair. */
static void
driver_sends(uint16_t pair, uint32_t seed)
{
	uint16_t index = 2 * pair + 1;
	struct rte_mbuf *packet = packet_new(pool, seed, LEN, LEN);
	uint8_t *to = buffer(index, rings[index].next % RING_SIZE);

	memset(to, 0, NET_HDR);
	memcpy(to + NET_HDR, rte_pktmbuf_mtod(packet, void *), LEN);
	rte_pktmbuf_free(packet);
	driver_give(index, 0);
}

/* The device receives this packet, and no other one, on a pair. */
static void
device_receives(uint16_t pair, uint32_t seed)
{
	struct rte_mbuf *mbufs[BURST];
	uint32_t head, len;

	assert_int_equal(rte_vduse_net_rx_burst(net, pair, pool, mbufs, BURST), 1);
	packet_check(mbufs[0], seed, LEN);
	rte_pktmbuf_free(mbufs[0]);
	assert_true(driver_take(&rings[2 * pair + 1], &head, &len));
}

static void
device_receives_nothing(uint16_t pair)
{
	struct rte_mbuf *mbufs[BURST];

	assert_int_equal(rte_vduse_net_rx_burst(net, pair, pool, mbufs, BURST), 0);
}

/* A packet from the device to a pair of the driver. */
static void
device_sends(uint16_t pair, uint32_t seed)
{
	struct rte_mbuf *packet = packet_new(pool, seed, LEN, LEN), *sent = packet;
	uint32_t head, len;

	driver_give(2 * pair, VRING_DESC_F_WRITE);
	rte_mbuf_refcnt_update(packet, 1);
	assert_int_equal(rte_vduse_net_tx_burst(net, pair, &sent, 1), 1);
	assert_true(driver_take(&rings[2 * pair], &head, &len));
	assert_int_equal(len, NET_HDR + LEN);
	assert_memory_equal(buffer(2 * pair, (uint16_t)head) + NET_HDR,
			    rte_pktmbuf_mtod(packet, void *), LEN);
	rte_pktmbuf_free(packet);
}

/* The maximum of pairs in the configuration space. */
static uint16_t
config_pairs(void)
{
	struct virtio_net_config config;
	struct vhost_user_msg msg = vhost_client_msg(
		MSG_GET_CONFIG, 0, offsetof(struct msg_config, data) + sizeof(config), false);
	size_t size = VHOST_USER_MSG_HEAD + msg.size;

	msg.payload.config.offset = 0;
	msg.payload.config.size = sizeof(config);
	msg.payload.config.flags = 0;
	vhost_client_send(client, &msg, 0, -1);
	assert_int_equal(recv(client, &msg, size, MSG_WAITALL), size);
	memcpy(&config, msg.payload.config.data, sizeof(config));
	return rte_le_to_cpu_16(config.max_virtqueue_pairs);
}

static void
test_offer(void **state)
{
	static const uint16_t numbers[] = { 1, 2, PAIRS_MAX };
	const uint64_t wanted = MQ | FEATURE(VIRTIO_NET_F_CTRL_VQ);
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(numbers); i++) {
		uint16_t nb = numbers[i];

		serve(nb);
		assert_int_equal(vhost_client_ask(client, MSG_GET_FEATURES, 0, 0, false) & wanted,
				 nb > 1 ? wanted : 0);
		assert_int_equal(vhost_client_ask(client, MSG_GET_PROTOCOL_FEATURES, 0, 0, false) &
					 VHOST_USER_BIT(MSG_PROTOCOL_MQ),
				 nb > 1 ? VHOST_USER_BIT(MSG_PROTOCOL_MQ) : 0);
		assert_int_equal(vhost_client_ask(client, MSG_GET_QUEUE_NUM, 0, 0, false), nb);
		assert_int_equal(config_pairs(), nb);
		/* QEMU takes MQ alone: it serves the control queue. */
		assert_int_equal(vhost_client_ask(client, MSG_SET_FEATURES,
						  nb > 1 ? PLAIN | MQ : PLAIN, 8, true),
				 0);
		close(client);
		client = -1;
		rte_vduse_net_destroy(net);
		net = NULL;
	}
}

static void
test_all_pairs(void **state)
{
	struct rte_vduse_net_stats stats;
	uint16_t i, rx;

	RTE_SET_USED(state);
	serve(PAIRS_MAX);
	driver_begin(PLAIN | MQ);
	driver_pairs(PAIRS_MAX);
	for (i = 0; i < PAIRS_MAX; i++)
		driver_sends(i, i);
	for (i = 0; i < PAIRS_MAX; i++) {
		device_receives(i, i);
		device_sends(i, PAIRS_MAX + i);
	}
	for (i = 0; i < PAIRS_MAX; i++) {
		device_receives_nothing(i);
		for (rx = 0; rx < 2; rx++) {
			rte_vduse_net_stats(net, i, rx, &stats, sizeof(stats));
			assert_int_equal(stats.packets, 1);
			assert_int_equal(stats.drops, 0);
		}
	}
}

static uint32_t
base(uint32_t index)
{
	return (uint32_t)(vhost_client_ask(client, MSG_GET_VRING_BASE, index, 8, false) >> 32);
}

/* A driver sets up fewer pairs than there are, and asks for the positions of all. */
static void
test_fewer(void **state)
{
	uint16_t i;

	RTE_SET_USED(state);
	serve(8);
	driver_begin(PLAIN | MQ);
	driver_pairs(2);
	for (i = 2; i < 8; i++) {
		driver_enable(i, true);
		device_receives_nothing(i);
	}
	/* Never set up, the control queue of the front end, and beyond all. */
	for (i = 4; i <= 17; i++)
		assert_int_equal(base(i), 0);
	assert_int_equal(base(0xffff), 0);
	assert_int_equal(base(0xffffffff), 0);
	for (i = 0; i < 2; i++) {
		driver_sends(i, i);
		device_receives(i, i);
		device_sends(i, i);
	}
	assert_int_equal(base(0), 1);
	assert_int_equal(base(3), 1);
}

/* A driver of all pairs goes, and one of a single pair comes, which sends calls for the others. */
static void
test_comes_back(void **state)
{
	uint16_t i;

	RTE_SET_USED(state);
	serve(4);
	driver_begin(PLAIN | MQ);
	driver_pairs(4);
	driver_sends(3, 1);
	close(client);
	client = vhost_client_connect(path);
	driver_begin(PLAIN);
	for (i = 2; i < 8; i++)
		assert_int_equal(vhost_client_ask(client, MSG_SET_VRING_CALL, i | 1u << 8, 8, true),
				 0);
	driver_pairs(1);
	driver_sends(0, 2);
	device_receives(0, 2);
	device_sends(0, 3);
	for (i = 1; i < 4; i++)
		device_receives_nothing(i);
}

static void
test_disabled(void **state)
{
	RTE_SET_USED(state);
	serve(2);
	driver_begin(PLAIN | MQ);
	driver_pairs(2);
	driver_enable(1, false);
	driver_sends(1, 1);
	driver_sends(0, 2);
	device_receives_nothing(1);
	device_receives(0, 2);
	driver_enable(1, true);
	device_receives(1, 1);
	device_sends(1, 3);
}

static bool polling;
static uint32_t arrived[2];

/* A packet that holds a number. packet_new() is for one thread. */
static void
driver_sends_number(uint16_t pair, uint32_t number)
{
	uint16_t index = 2 * pair + 1;
	uint8_t *to = buffer(index, rings[index].next % RING_SIZE);

	memset(to, 0, NET_HDR + LEN);
	to[NET_HDR] = 2;
	memcpy(to + NET_HDR + RTE_ETHER_HDR_LEN, &number, sizeof(number));
	driver_give(index, 0);
}

/* Receives from both pairs: numbers come in order, each once. */
static void *
poll_pairs(void *arg)
{
	struct rte_mbuf *mbufs[BURST];
	uint16_t pair, nb, i;
	uint32_t number;

	RTE_SET_USED(arg);
	while (rte_atomic_load_explicit(&polling, rte_memory_order_relaxed)) {
		for (pair = 0; pair < 2; pair++) {
			nb = rte_vduse_net_rx_burst(net, pair, pool, mbufs, BURST);
			for (i = 0; i < nb; i++) {
				memcpy(&number,
				       rte_pktmbuf_mtod_offset(mbufs[i], void *, RTE_ETHER_HDR_LEN),
				       sizeof(number));
				assert_int_equal(number, arrived[pair] + i);
			}
			rte_pktmbuf_free_bulk(mbufs, nb);
			rte_atomic_store_explicit(&arrived[pair], arrived[pair] + nb,
						  rte_memory_order_release);
		}
	}
	return NULL;
}

static bool
have_arrived(void *arg)
{
	const uint32_t *sent = arg;
	uint16_t pair;

	for (pair = 0; pair < 2; pair++)
		if (rte_atomic_load_explicit(&arrived[pair], rte_memory_order_acquire) !=
		    sent[pair])
			return false;
	return true;
}

/* Sends until the ring is full. */
static void
driver_fills(uint16_t pair, uint32_t *sent)
{
	struct driver *ring = &rings[2 * pair + 1];
	uint32_t head, len;

	while (driver_take(ring, &head, &len))
		;
	while ((uint16_t)(ring->next - ring->seen) < RING_SIZE)
		driver_sends_number(pair, (*sent)++);
}

/* The second pair goes off and on while both carry packets: none is lost or comes twice. */
static void
test_toggles(void **state)
{
	uint32_t sent[2] = { 0 };
	pthread_t thread;
	bool complete;
	uint16_t i;

	RTE_SET_USED(state);
	serve(2);
	driver_begin(PLAIN | MQ);
	driver_pairs(2);
	memset(arrived, 0, sizeof(arrived));
	polling = true;
	assert_int_equal(pthread_create(&thread, NULL, poll_pairs, NULL), 0);
	/* The poller may come late: go on until it had some packets of the second pair. */
	for (i = 0; i < TOGGLES || (i < 100 * TOGGLES && sent[1] < 4 * RING_SIZE); i++) {
		driver_fills(0, &sent[0]);
		driver_fills(1, &sent[1]);
		driver_enable(1, i % 2 != 0);
	}
	driver_enable(1, true);
	complete = unit_wait(have_arrived, sent);
	rte_atomic_store_explicit(&polling, false, rte_memory_order_relaxed);
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_true(complete);
	assert_in_range(sent[1], 4 * RING_SIZE, UINT32_MAX);
}

/* QEMU before 9.2 adds and removes memory once for each pair. */
static void
test_memory_repeats(void **state)
{
	struct vhost_user_msg msg;
	unsigned int nb_fds, i;

	RTE_SET_USED(state);
	serve(2);
	driver_begin(PLAIN | MQ);
	driver_pairs(2);
	nb_fds = unit_fds();
	msg = vhost_client_slot(MSG_ADD_MEM_REG, 0, MEMORY);
	for (i = 0; i < 3; i++) {
		vhost_client_send(client, &msg, 1, memory_fd);
		assert_int_equal(vhost_client_answer(client, MSG_ADD_MEM_REG), 0);
	}
	assert_int_equal(unit_fds(), nb_fds);
	driver_sends(1, 1);
	device_receives(1, 1);
	/* One that overlaps is another one. */
	msg = vhost_client_slot(MSG_ADD_MEM_REG, 0, MEMORY / 2);
	vhost_client_send(client, &msg, 1, memory_fd);
	assert_int_equal(vhost_client_answer(client, MSG_ADD_MEM_REG), 1);
	msg = vhost_client_slot(MSG_REM_MEM_REG, 0, MEMORY);
	for (i = 0; i < 2; i++) {
		vhost_client_send(client, &msg, 0, -1);
		assert_int_equal(vhost_client_answer(client, MSG_REM_MEM_REG), 0);
	}
	device_receives_nothing(1);
	msg = vhost_client_slot(MSG_ADD_MEM_REG, 0, MEMORY);
	for (i = 0; i < 2; i++) {
		vhost_client_send(client, &msg, 1, memory_fd);
		assert_int_equal(vhost_client_answer(client, MSG_ADD_MEM_REG), 0);
	}
	driver_sends(1, 2);
	device_receives(1, 2);
	assert_int_equal(unit_fds(), nb_fds);
}

static bool
is_logged(void *arg)
{
	return unit_log_count(arg) > 0;
}

/* The log says once which pairs of a driver nobody polls, and nothing where all are polled. */
static void
test_unpolled(void **state)
{
	struct rte_mbuf *mbufs[BURST];
	struct rte_vduse_net *first;
	int first_client, i;

	RTE_SET_USED(state);
	serve(2);
	driver_begin(PLAIN | MQ);
	driver_pairs(2);
	for (i = 0; i < 2; i++)
		assert_int_equal(rte_vduse_net_rx_burst(net, i, pool, mbufs, BURST), 0);
	first = net;
	first_client = client;
	strcat(path, "2");
	serve(6);
	driver_begin(PLAIN | MQ);
	driver_pairs(5);
	device_sends(1, 1);
	driver_sends(0, 1);
	device_receives(0, 1);
	driver_sends(2, 1);
	device_receives(2, 1);
	driver_enable(4, false);
	for (i = 0; i < 4 && !unit_wait(is_logged, "not polled"); i++)
		;
	assert_int_equal(unit_log_count("sock2: 2 queue pairs of the driver are not polled, the "
					"first is pair 1: "),
			 1);
	assert_int_equal(unit_log_count("not polled"), 1);
	close(first_client);
	rte_vduse_net_destroy(first);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_offer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_all_pairs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fewer, setup, teardown),
		cmocka_unit_test_setup_teardown(test_comes_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_disabled, setup, teardown),
		cmocka_unit_test_setup_teardown(test_toggles, setup, teardown),
		cmocka_unit_test_setup_teardown(test_memory_repeats, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unpolled, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
