/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * SEND_RARP of a vhost-user client: a RARP packet comes out of pair 0 as if the driver had sent it,
 * one a burst at most, and none with an address that is not unicast. Guests that announce themselves
 * need none.
 */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_arp.h>
#include <rte_vduse_compat.h>

#include "create_over.h"
#include "loopback_net.h"
#include "vhost_client.h"

#define MEMORY   (4 * PAGE)
#define RING     8u /* of vhost_client_ring() */
#define PACKETS  64
#define LEN      60u
#define FEATURES (FEATURE(VIRTIO_F_VERSION_1) | VHOST_USER_BIT(MSG_F_PROTOCOL_FEATURES))
#define FLOOD    20000u

/* Addresses as the first bytes of a payload: 02:00:00:00:00:NN. */
#define MAC(nr) (UINT64_C(2) | (uint64_t)(nr) << 40)

static char path[64];
static struct rte_vduse_net *net;
static struct rte_mempool *pool;
static struct rte_mbuf *mbufs[PACKETS];
static uint8_t *memory;
static int memory_fd, client;
static uint16_t sent;

static struct rte_vduse_net_conf
conf_of(const char *where)
{
	return (struct rte_vduse_net_conf){
		.size = sizeof(struct rte_vduse_net_conf),
		.path = where,
		.pairs = 1,
		.queue_size = 256,
		.mac = { { 2, 0, 0, 0, 0, 1 } },
		.mtu = 1500,
		.socket_id = SOCKET_ID_ANY,
	};
}

static int
setup(void **state)
{
	struct rte_vduse_net_conf conf = conf_of(path);

	RTE_SET_USED(state);
	unit_log_clear();
	snprintf(path, sizeof(path), "/tmp/vduse-unit-%d.sock", getpid());
	assert_int_equal(create_net_over(&conf, &vduse_transport_vhost_user, NULL, &net), 0);
	assert_int_equal(rte_vduse_net_start(net, RTE_VDUSE_ATTACH_NONE), 0);
	memory_fd = unit_memfd("unit-rarp", MEMORY);
	memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, memory_fd, 0);
	assert_ptr_not_equal(memory, MAP_FAILED);
	pool = packet_pool("rarp", PACKETS, 2048);
	client = vhost_client_connect(path);
	return 0;
}

/* No mbuf is lost. */
static int
teardown(void **state)
{
	RTE_SET_USED(state);
	close(client);
	rte_vduse_net_destroy(net);
	assert_int_equal(rte_mempool_avail_count(pool), PACKETS);
	rte_mempool_free(pool);
	munmap(memory, MEMORY);
	close(memory_fd);
	return 0;
}

/* The client's driver sets up the virtqueue that it sends on. */
static void
driver_up(void)
{
	struct vhost_user_msg table = vhost_client_table(0, MEMORY, true);

	memset(memory, 0, MEMORY);
	sent = 0;
	assert_int_equal(vhost_client_ask(client, MSG_SET_FEATURES, FEATURES, 8, true), 0);
	vhost_client_send(client, &table, 1, memory_fd);
	assert_int_equal(vhost_client_answer(client, MSG_SET_MEM_TABLE), 0);
	vhost_client_ring(client, NET_TX, 0, 0);
}

/* The driver sends packets of zeroes: a header and LEN bytes each. */
static void
driver_send(unsigned int nb)
{
	struct vring_desc *desc = (void *)memory;
	struct vring_avail *avail = (void *)(memory + 0x400);

	while (nb-- > 0) {
		desc[sent % RING] = (struct vring_desc){ .addr = PAGE, .len = NET_HDR + LEN };
		avail->ring[sent % RING] = sent % RING;
		sent++;
	}
	rte_atomic_store_explicit(&avail->idx, sent, rte_memory_order_release);
}

static uint16_t
burst(uint16_t nb)
{
	return rte_vduse_net_rx_burst(net, 0, pool, mbufs, nb);
}

static uint64_t
send_rarp(uint64_t address)
{
	return vhost_client_ask(client, MSG_SEND_RARP, address, 8, true);
}

/* The RARP packet of an address: a broadcast that asks for the sender's own IP address. */
static bool
is_rarp(const struct rte_mbuf *packet, uint64_t address)
{
	const struct rte_ether_hdr *eth = rte_pktmbuf_mtod(packet, const struct rte_ether_hdr *);
	const struct rte_arp_hdr *arp = (const void *)(eth + 1);

	return packet->nb_segs == 1 && packet->pkt_len >= sizeof(*eth) + sizeof(*arp) &&
	       rte_is_broadcast_ether_addr(&eth->dst_addr) &&
	       memcmp(&eth->src_addr, &address, RTE_ETHER_ADDR_LEN) == 0 &&
	       eth->ether_type == rte_cpu_to_be_16(RTE_ETHER_TYPE_RARP) &&
	       arp->arp_opcode == rte_cpu_to_be_16(RTE_ARP_OP_REVREQUEST) &&
	       memcmp(&arp->arp_data.arp_sha, &address, RTE_ETHER_ADDR_LEN) == 0 &&
	       memcmp(&arp->arp_data.arp_tha, &address, RTE_ETHER_ADDR_LEN) == 0;
}

/* A burst that returns nothing but the RARP packet. */
static void
burst_is_rarp(uint16_t nb, uint64_t address)
{
	assert_int_equal(burst(nb), 1);
	assert_true(is_rarp(mbufs[0], address));
	rte_pktmbuf_free(mbufs[0]);
}

/* A guest may announce itself where the front end has the control queue: at a socket. */
static void
test_guest_announce(void **state)
{
	const uint64_t announce = FEATURE(VIRTIO_NET_F_GUEST_ANNOUNCE);
	struct rte_vduse_net_conf conf = conf_of("/dev/vduse/unit0");
	uint64_t features = vhost_client_ask(client, MSG_GET_FEATURES, 0, 0, false);

	RTE_SET_USED(state);
	assert_true(features & announce);
	assert_false(features & FEATURE(VIRTIO_NET_F_CTRL_VQ));
	assert_int_equal(vhost_client_ask(client, MSG_SET_FEATURES, features, 8, true), 0);
	assert_false(rte_vduse_net_features(&conf) & announce);
	conf.path = NULL;
	assert_false(rte_vduse_net_features(&conf) & announce);
	conf.path = path;
	assert_true(rte_vduse_net_features(&conf) & announce);
	conf.features_off = announce;
	assert_false(rte_vduse_net_features(&conf) & announce);
}

/* It comes first, and takes the place of one packet of the ring. */
static void
test_packet(void **state)
{
	struct rte_vduse_net_stats stats;

	RTE_SET_USED(state);
	assert_true(vhost_client_ask(client, MSG_GET_PROTOCOL_FEATURES, 0, 0, false) &
		    VHOST_USER_BIT(MSG_PROTOCOL_RARP));
	driver_up();
	driver_send(5);
	assert_int_equal(send_rarp(MAC(7)), 0);
	assert_int_equal(burst(4), 4);
	assert_true(is_rarp(mbufs[0], MAC(7)));
	assert_int_equal(mbufs[1]->pkt_len, LEN);
	rte_pktmbuf_free_bulk(mbufs, 4);
	assert_int_equal(burst(PACKETS), 2);
	assert_int_equal(mbufs[0]->pkt_len, LEN);
	rte_pktmbuf_free_bulk(mbufs, 2);
	assert_int_equal(burst(PACKETS), 0);
	rte_vduse_net_stats(net, 0, true, &stats, sizeof(stats));
	assert_int_equal(stats.packets, 6);
	assert_int_equal(stats.broadcast, 1);
	assert_int_equal(stats.drops, 0);
	/* QEMU sends several of them. */
	assert_int_equal(send_rarp(MAC(7)), 0);
	burst_is_rarp(PACKETS, MAC(7));
}

/* No more packets than the caller has room for. */
static void
test_room(void **state)
{
	RTE_SET_USED(state);
	driver_up();
	driver_send(1);
	assert_int_equal(send_rarp(MAC(7)), 0);
	assert_int_equal(burst(0), 0);
	burst_is_rarp(1, MAC(7));
	assert_int_equal(burst(1), 1);
	assert_int_equal(mbufs[0]->pkt_len, LEN);
	rte_pktmbuf_free(mbufs[0]);
}

/* Without an mbuf it waits. */
static void
test_empty_pool(void **state)
{
	struct rte_mbuf *all[PACKETS];

	RTE_SET_USED(state);
	driver_up();
	assert_int_equal(rte_pktmbuf_alloc_bulk(pool, all, PACKETS), 0);
	assert_int_equal(send_rarp(MAC(7)), 0);
	assert_int_equal(burst(PACKETS), 0);
	rte_pktmbuf_free_bulk(all, PACKETS);
	burst_is_rarp(PACKETS, MAC(7));
	assert_int_equal(burst(PACKETS), 0);
}

/* What is no address of a guest; the client that asked for a reply stays. */
static void
test_refused(void **state)
{
	static const uint64_t bad[] = {
		0,
		UINT64_C(0xffff) << 48, /* beyond the address */
		UINT64_C(0xffffffffffff),
		MAC(7) | 1,
	};
	unsigned int i;

	RTE_SET_USED(state);
	driver_up();
	for (i = 0; i < RTE_DIM(bad); i++)
		assert_int_equal(send_rarp(bad[i]), 1);
	assert_int_equal(unit_log_count("(SEND_RARP) has a MAC address that is not unicast"),
			 RTE_DIM(bad));
	for (i = 0; i < 8; i++)
		assert_int_equal(vhost_client_ask(client, MSG_SEND_RARP, MAC(7), i, true), 1);
	assert_int_equal(unit_log_count("(SEND_RARP) is malformed"), 8);
	assert_int_equal(burst(PACKETS), 0);
	assert_int_equal(send_rarp(MAC(8)), 0);
	burst_is_rarp(PACKETS, MAC(8));
}

/* QEMU sends the first one before the guest runs. */
static void
test_early(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(send_rarp(MAC(7)), 0);
	assert_int_equal(burst(PACKETS), 0);
	driver_up();
	burst_is_rarp(PACKETS, MAC(7));
	assert_int_equal(burst(PACKETS), 0);
}

/* What a client has asked for is forgotten with it, whether its driver was up or not. */
static void
test_gone(void **state)
{
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < 2; i++) {
		assert_int_equal(send_rarp(MAC(7)), 0);
		close(client);
		client = vhost_client_connect(path);
		driver_up();
		assert_int_equal(burst(PACKETS), 0);
	}
	assert_int_equal(send_rarp(MAC(7)), 0);
	assert_int_equal(vhost_client_ask(client, MSG_RESET_DEVICE, 0, 0, true), 0);
	driver_up();
	assert_int_equal(burst(PACKETS), 0);
}

/* Sends many messages, with changing addresses; only the last one asks for a reply. */
static void *
flood(void *arg)
{
	unsigned int i;

	for (i = 1; i < FLOOD; i++) {
		struct vhost_user_msg msg = vhost_client_msg(MSG_SEND_RARP, MAC(i % 128), 8, false);

		vhost_client_send(client, &msg, 0, -1);
	}
	rte_atomic_store_explicit((bool *)arg, send_rarp(MAC(200)) == 0, rte_memory_order_release);
	return NULL;
}

/* One a burst, beside the packets of the driver; the last address is not lost. */
static void
test_flood(void **state)
{
	unsigned int nb_rarp = 0, nb_packets = 0;
	bool done = false, last = false;
	pthread_t thread;

	RTE_SET_USED(state);
	driver_up();
	assert_int_equal(pthread_create(&thread, NULL, flood, &done), 0);
	while (!last) {
		bool over = rte_atomic_load_explicit(&done, rte_memory_order_acquire);
		uint16_t nb, i;

		driver_send(1);
		nb = burst(2);
		assert_in_range(nb, 1, 2);
		for (i = 0; i < nb; i++) {
			bool rarp = mbufs[i]->pkt_len != LEN;

			assert_true(!rarp || i == 0);
			nb_rarp += rarp;
			nb_packets += !rarp;
			last |= rarp && is_rarp(mbufs[i], MAC(200));
		}
		rte_pktmbuf_free_bulk(mbufs, nb);
		assert_true(last || !over);
	}
	pthread_join(thread, NULL);
	assert_true(done);
	assert_int_equal((uint16_t)nb_packets, sent);
	assert_in_range(nb_rarp, 1, FLOOD);
	assert_int_equal(burst(PACKETS), 0);
	assert_int_equal(unit_log_count("RARP"), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_guest_announce, setup, teardown),
		cmocka_unit_test_setup_teardown(test_packet, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room, setup, teardown),
		cmocka_unit_test_setup_teardown(test_empty_pool, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_early, setup, teardown),
		cmocka_unit_test_setup_teardown(test_gone, setup, teardown),
		cmocka_unit_test_setup_teardown(test_flood, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
