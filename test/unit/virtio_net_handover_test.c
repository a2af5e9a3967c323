/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A network device over a socket that changes its owner while it is under load: every packet comes
 * back once and in order, and the driver sees the same address, MTU and link. A large packet that is
 * half segmented then is segmented once.
 */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_vduse_handover.h>

#include <virtio_net/net.h>

#include "handover_pair.h"
#include "poller.h"
#include "vhost_client.h"
#include "vring_driver.h"

#define RING      64u
#define TIMES     20u
#define DEPTH     16u /* packets that are sent and have not come back, at most */
#define BURST     8u
#define LEN       100u
#define ROOM      4096u
#define HDR       sizeof(struct virtio_net_hdr_v1)
#define MTU       1400
#define RX        0 /* virtqueues, as the driver sees them */
#define TX        1
#define BIT(name) (UINT64_C(1) << (name))
#define OFFLOADS  (BIT(VIRTIO_NET_F_CSUM) | BIT(VIRTIO_NET_F_HOST_TSO4))
#define IP        14u /* where the headers of a large packet begin, and its payload */
#define TCP       34u
#define PAYLOAD   54u
#define SEGMENT   500u
#define SEGMENTS  6u

static const struct rte_ether_addr first_mac = { { 2, 0, 0, 0, 0, 1 } };
static const struct rte_ether_addr other_mac = { { 2, 0, 0, 0, 0, 2 } };

static char dir[64], path[96];
static struct rte_mempool *pool;
static struct rte_vduse_net *net, *next;
static struct rte_vduse_net *polled[2]; /* under the lock, as what the application keeps */
static struct rte_mbuf *kept[BURST];
static uint16_t nb_kept;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct poller poller;
static struct driver queues[2];
static int client, pair[2], given;
static bool packed, busy[DEPTH];
static uint64_t nb_sent, nb_back;

/* What one receives, the one that serves sends back. */
static void
poll_one(struct rte_vduse_net *which)
{
	uint16_t sent;

	if (nb_kept == 0)
		nb_kept = rte_vduse_net_rx_burst(which, 0, pool, kept, BURST);
	if (nb_kept == 0)
		return;
	sent = rte_vduse_net_tx_burst(which, 0, kept, nb_kept);
	nb_kept -= sent;
	memmove(kept, kept + sent, nb_kept * sizeof(kept[0]));
}

static void
poll_all(void)
{
	unsigned int i;

	pthread_mutex_lock(&lock);
	for (i = 0; i < RTE_DIM(polled); i++)
		if (polled[i] != NULL)
			poll_one(polled[i]);
	pthread_mutex_unlock(&lock);
}

static void
set_polled(unsigned int i, struct rte_vduse_net *which)
{
	pthread_mutex_lock(&lock);
	polled[i] = which;
	pthread_mutex_unlock(&lock);
}

static int
create(struct rte_vduse_handover *from, const struct rte_ether_addr *mac, uint16_t mtu,
       struct rte_vduse_net **result)
{
	const struct rte_vduse_net_conf conf = {
		.size = sizeof(conf),
		.path = path,
		.pairs = 1,
		.queue_size = RING,
		.mac = *mac,
		.mtu = mtu,
		.offloads = OFFLOADS,
		.socket_id = SOCKET_ID_ANY,
		.from = from,
	};

	return rte_vduse_net_create(&conf, result);
}

static void
set(uint32_t type, uint64_t value)
{
	assert_int_equal(vhost_client_ask(client, type, value, 8, true), 0);
}

static void
set_up_ring(uint16_t index)
{
	const struct vring_layout layout = driver_layout(&queues[index]);
	struct vhost_user_msg msg;

	set(MSG_SET_VRING_NUM, (uint64_t)RING << 32 | index);
	set(MSG_SET_VRING_BASE, (uint64_t)(layout.position & 0xffff) << 32 | index);
	msg = vhost_client_msg(MSG_SET_VRING_ADDR, 0, sizeof(msg.payload.addresses), true);
	msg.payload.addresses.index = index;
	msg.payload.addresses.desc = VHOST_CLIENT_USER + layout.desc;
	msg.payload.addresses.driver = VHOST_CLIENT_USER + layout.driver;
	msg.payload.addresses.device = VHOST_CLIENT_USER + layout.device;
	vhost_client_send(client, &msg, 0, -1);
	assert_int_equal(vhost_client_answer(client, MSG_SET_VRING_ADDR), 0);
	set(MSG_SET_VRING_KICK, 1u << 8 | index);
	set(MSG_SET_VRING_ENABLE, UINT64_C(1) << 32 | index);
}

static void
set_up(void)
{
	struct vhost_user_msg msg;
	unsigned int i, queue;

	set(MSG_SET_FEATURES, queues[0].features | BIT(MSG_F_PROTOCOL_FEATURES));
	for (queue = 0; queue < 2; queue++) {
		for (i = 0; i < queues[queue].nb_regions; i++) {
			const struct driver_region *region = &queues[queue].regions[i];

			msg = vhost_client_slot(MSG_ADD_MEM_REG, region->first, region->size);
			vhost_client_send(client, &msg, 1, region->fd);
			assert_int_equal(vhost_client_answer(client, MSG_ADD_MEM_REG), 0);
		}
	}
	set_up_ring(RX);
	set_up_ring(TX);
}

static uint8_t *
place(unsigned int queue, uint32_t id, uint64_t *iova)
{
	*iova = queues[queue].data + (uint64_t)id * ROOM;
	return driver_va(&queues[queue], *iova);
}

static void
offer(uint16_t id)
{
	struct driver_part part = { .len = ROOM, .flags = VRING_DESC_F_WRITE };

	memset(place(RX, id, &part.iova), 0xee, HDR + LEN);
	(void)driver_post_chain(&queues[RX], &id, &part, 1);
}

static void
send_one(uint16_t id)
{
	struct driver_part part = { .len = HDR + LEN };
	uint8_t *to = place(TX, id, &part.iova);

	memset(to, 0, HDR + LEN);
	memset(to + HDR, (int)(nb_sent % 251), LEN);
	memcpy(to + HDR, &nb_sent, sizeof(nb_sent));
	busy[id] = true;
	nb_sent++;
	(void)driver_post_chain(&queues[TX], &id, &part, 1);
}

static void
take_all(void)
{
	uint32_t id, len;
	uint64_t number, iova;

	while (driver_take(&queues[TX], &id, &len)) {
		assert_true(id < DEPTH && busy[id]);
		busy[id] = false;
	}
	while (driver_take(&queues[RX], &id, &len)) {
		const uint8_t *packet = place(RX, id, &iova) + HDR;

		assert_int_equal(len, HDR + LEN);
		memcpy(&number, packet, sizeof(number));
		assert_int_equal(number, nb_back);
		assert_int_equal(packet[LEN - 1], nb_back % 251);
		nb_back++;
		offer((uint16_t)id);
	}
}

static void
load(void)
{
	uint16_t id;

	for (id = 0; id < DEPTH; id++)
		if (!busy[id] && nb_sent - nb_back < DEPTH)
			send_one(id);
	take_all();
}

static bool
has_back(void *arg)
{
	load();
	return nb_back >= *(uint64_t *)arg;
}

static void
more(uint64_t nb)
{
	uint64_t want = nb_back + nb;

	assert_true(unit_wait(has_back, &want));
}

static int
give(int socket)
{
	return rte_vduse_dev_hand_over(rte_vduse_net_dev(net), socket, UNIT_PATIENCE_MS);
}

static void *
give_main(void *arg)
{
	RTE_SET_USED(arg);
	given = give(pair[0]);
	return NULL;
}

/* Its own address and MTU are others: those of the driver count. */
static int
take(struct rte_vduse_handover *from)
{
	int ret = create(from, &first_mac, 9000, &next);

	if (ret < 0)
		return ret;
	set_polled(1, next);
	return rte_vduse_net_start(next, RTE_VDUSE_ATTACH_NONE);
}

static void
hand_over(void)
{
	static const struct handover_pair run = { .give = give, .take = take, .load = load };

	handover_pair_run(&run);
	set_polled(0, next);
	set_polled(1, NULL);
	rte_vduse_net_destroy(net);
	net = next;
}

static void
test_load(void **state)
{
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < TIMES; i++) {
		more(DEPTH);
		hand_over();
	}
	more(10 * DEPTH);
	assert_int_equal(net->config.mtu, MTU);
	assert_int_equal(net->config.status & VIRTIO_NET_S_LINK_UP, VIRTIO_NET_S_LINK_UP);
	assert_memory_equal(net->config.mac, &other_mac, sizeof(other_mac));
	assert_memory_equal(&net->mac, &other_mac, sizeof(other_mac));
	assert_true(rte_vduse_net_link(net));
}

/* The other process gives up: the device goes on. */
static void
test_given_up(void **state)
{
	struct rte_vduse_handover *from;
	pthread_t giver;

	RTE_SET_USED(state);
	more(DEPTH);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
	assert_int_equal(pthread_create(&giver, NULL, give_main, net), 0);
	assert_int_equal(rte_vduse_handover_open(pair[1], UNIT_PATIENCE_MS, &from), 0);
	assert_int_equal(create(from, &first_mac, MTU, &next), 0);
	more(DEPTH);
	rte_vduse_net_destroy(next);
	rte_vduse_handover_close(from);
	pthread_join(giver, NULL);
	close(pair[0]);
	assert_int_equal(given, -ECONNRESET);
	more(10 * DEPTH);
	hand_over();
	more(10 * DEPTH);
}

static void
send_large(uint16_t id)
{
	static const struct virtio_net_hdr_v1 hdr = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = VIRTIO_NET_HDR_GSO_TCPV4,
		.hdr_len = RTE_LE16(PAYLOAD),
		.gso_size = RTE_LE16(SEGMENT),
		.csum_start = RTE_LE16(TCP),
		.csum_offset = RTE_LE16(16),
	};
	struct driver_part part = { .len = HDR + PAYLOAD + SEGMENTS * SEGMENT };
	uint8_t *to = place(TX, id, &part.iova), *frame = to + HDR;
	uint16_t length = PAYLOAD - IP + SEGMENTS * SEGMENT;

	memset(to, 0, part.len);
	memcpy(to, &hdr, HDR);
	frame[12] = 0x08; /* IPv4 */
	frame[IP] = 0x45;
	frame[IP + 2] = (uint8_t)(length >> 8);
	frame[IP + 3] = (uint8_t)length;
	frame[IP + 9] = IPPROTO_TCP;
	frame[TCP + 12] = 5 << 4;
	busy[id] = true;
	(void)driver_post_chain(&queues[TX], &id, &part, 1);
}

/* Segments by their sequence numbers, of which the first is *next. */
static void
receive_segments(uint16_t nb, uint32_t *next_number)
{
	struct rte_mbuf *mbufs[SEGMENTS];
	uint16_t n = rte_vduse_net_rx_burst(net, 0, pool, mbufs, nb), i;

	assert_int_equal(n, nb);
	for (i = 0; i < n; i++) {
		rte_be32_t number;

		memcpy(&number, rte_pktmbuf_mtod_offset(mbufs[i], void *, TCP + 4), sizeof(number));
		assert_int_equal(rte_be_to_cpu_32(number), *next_number);
		assert_int_equal(mbufs[i]->pkt_len, PAYLOAD + SEGMENT);
		*next_number += SEGMENT;
		rte_pktmbuf_free(mbufs[i]);
	}
}

static int
take_unpolled(struct rte_vduse_handover *from)
{
	int ret = create(from, &first_mac, MTU, &next);

	return ret < 0 ? ret : rte_vduse_net_start(next, RTE_VDUSE_ATTACH_NONE);
}

/* Between two bursts that receive one packet in segments. */
static void
test_half_segmented(void **state)
{
	static const struct handover_pair run = { give, take_unpolled, take_all };
	uint32_t number = 0;

	RTE_SET_USED(state);
	more(10 * DEPTH);
	while (nb_back < nb_sent)
		take_all();
	/* The last ones came back after the used entries of their requests were looked for. */
	take_all();
	assert_false(busy[0]);
	set_polled(0, NULL);
	send_large(0);
	receive_segments(2, &number);
	handover_pair_run(&run);
	rte_vduse_net_destroy(net);
	net = next;
	receive_segments(SEGMENTS - 2, &number);
	take_all();
	assert_false(busy[0]);
	/* The next one begins at its beginning, in this process and in another one. */
	send_large(0);
	handover_pair_run(&run);
	rte_vduse_net_destroy(net);
	net = next;
	number = 0;
	receive_segments(SEGMENTS, &number);
	set_polled(0, net);
	more(10 * DEPTH);
}

static int
setup(bool is_packed)
{
	uint64_t features;
	uint16_t i;

	packed = is_packed;
	features = BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_NET_F_MTU) | OFFLOADS |
		   (packed ? BIT(VIRTIO_F_RING_PACKED) : 0);
	strcpy(dir, "/tmp/unit-net-over-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(setenv("DPDK_VDUSE_RUN_DIR", dir, 1), 0);
	snprintf(path, sizeof(path), "%s/socket", dir);
	memset(busy, 0, sizeof(busy));
	nb_sent = 0;
	nb_back = 0;
	for (i = 0; i < 2; i++)
		driver_init_shared_nth(&queues[i], i, RING, features, 0);
	for (i = 0; i < RING / 2; i++)
		offer(i);
	assert_int_equal(create(NULL, &first_mac, MTU, &net), 0);
	assert_int_equal(rte_vduse_net_set_mac(net, &other_mac), 0);
	set_polled(0, net);
	poller_start(&poller, poll_all);
	assert_int_equal(rte_vduse_net_start(net, RTE_VDUSE_ATTACH_NONE), 0);
	assert_int_equal(rte_vduse_net_set_link(net, true), 0);
	client = vhost_client_connect(path);
	set_up();
	return 0;
}

static int
setup_split(void **state)
{
	RTE_SET_USED(state);
	return setup(false);
}

static int
setup_packed(void **state)
{
	RTE_SET_USED(state);
	return setup(true);
}

static int
teardown(void **state)
{
	char command[128];
	unsigned int i;

	RTE_SET_USED(state);
	close(client);
	poller_end(&poller);
	set_polled(0, NULL);
	rte_vduse_net_destroy(net);
	rte_pktmbuf_free_bulk(kept, nb_kept);
	nb_kept = 0;
	for (i = 0; i < 2; i++)
		driver_free(&queues[i]);
	assert_int_equal(rte_mempool_in_use_count(pool), 0);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	return system(command);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_load, setup_split, teardown),
		cmocka_unit_test_setup_teardown(test_load, setup_packed, teardown),
		cmocka_unit_test_setup_teardown(test_half_segmented, setup_split, teardown),
		cmocka_unit_test_setup_teardown(test_half_segmented, setup_packed, teardown),
		cmocka_unit_test_setup_teardown(test_given_up, setup_split, teardown),
		cmocka_unit_test_setup_teardown(test_given_up, setup_packed, teardown),
	};

	if (unit_init() < 0)
		return 1;
	pool = rte_pktmbuf_pool_create("handover", 255, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE,
				       SOCKET_ID_ANY);
	return unit_done(pool == NULL || cmocka_run_group_tests(tests, NULL, NULL) != 0);
}
