/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* VLAN strip and insert of net_vduse: every byte of the packets, and those that are refused. */
#include "loopback_net.h"

#include <netinet/in.h>
#include <string.h>

#include <rte_ip.h>
#include <rte_mbuf_ptype.h>
#include <rte_udp.h>

#include "port.h"
#include "vlan.h"

#define RING    64u
#define ROOM    2048
#define PACKETS 256
#define LEN     100u
#define TAG     4u
#define ADDRS   (2u * RTE_ETHER_ADDR_LEN)
#define TCI     0xa123 /* priority 5, VLAN 0x123 */
#define CSUM    (FEATURE(VIRTIO_NET_F_CSUM) | FEATURE(VIRTIO_NET_F_GUEST_CSUM))

static const uint8_t tag[TAG] = { 0x81, 0x00, 0xa1, 0x23 };
static struct loopback_net net;
static struct rte_mempool *pool;
static uint64_t drops;
static struct vduse_queue queue;

/* Checksums are offered, but this driver wants whole ones. */
static int
setup(void **state)
{
	RTE_SET_USED(state);
	loopback_net_create(&net, RING, NET_PLAIN | CSUM);
	net.features = NET_PLAIN;
	loopback_net_up(&net);
	pool = packet_pool("vlan", PACKETS, ROOM);
	drops = 0;
	queue = (struct vduse_queue){ .net = net.net, .vlan_drops = &drops };
	return 0;
}

/* No mbuf is lost. */
static int
teardown(void **state)
{
	RTE_SET_USED(state);
	loopback_net_destroy(&net);
	assert_int_equal(rte_mempool_avail_count(pool), PACKETS);
	rte_mempool_free(pool);
	return 0;
}

static void
packet_tag(struct rte_mbuf *packet, uint64_t flags)
{
	packet->ol_flags |= flags;
	packet->vlan_tci = TCI;
}

static struct rte_mbuf *
packet_ask(uint32_t seed, uint64_t flags)
{
	struct rte_mbuf *packet = packet_new(pool, seed, LEN, ROOM);

	packet_tag(packet, flags);
	return packet;
}

static uint16_t
transmit(struct rte_mbuf **mbufs, uint16_t nb)
{
	return vduse_vlan_tx_burst(&queue, mbufs, nb);
}

static uint16_t
buffer_new(void)
{
	uint16_t head = loopback_net_chain_len(&net, NET_RX, ROOM);

	loopback_net_post(&net, NET_RX, head);
	return head;
}

/* The buffer holds the packet of that seed, with the tag or without one. */
static void
buffer_check(uint16_t head, uint32_t seed, bool tagged)
{
	struct rte_mbuf *plain = packet_new(pool, seed, LEN, ROOM);
	const uint8_t *want = rte_pktmbuf_mtod(plain, const uint8_t *);
	uint8_t got[LEN + TAG];
	uint32_t over = tagged ? TAG : 0;

	loopback_net_read(&net, NET_RX, head, NET_HDR, got, LEN + over);
	assert_memory_equal(got, want, ADDRS);
	if (tagged)
		assert_memory_equal(got + ADDRS, tag, TAG);
	assert_memory_equal(got + ADDRS + over, want + ADDRS, LEN - ADDRS);
	rte_pktmbuf_free(plain);
}

static void
insert(void **state)
{
	struct rte_mbuf *mbufs[4];
	uint16_t heads[4], i;

	RTE_SET_USED(state);
	for (i = 0; i < 4; i++) {
		heads[i] = buffer_new();
		mbufs[i] = packet_ask(i, i % 2 != 0 ? RTE_MBUF_F_TX_VLAN : 0);
	}
	assert_int_equal(transmit(mbufs, 4), 4);
	for (i = 0; i < 4; i++)
		buffer_check(heads[i], i, i % 2 != 0);
	assert_int_equal(loopback_net_stats(&net, false).packets, 4);
	assert_int_equal(loopback_net_stats(&net, false).bytes, 4 * LEN + 2 * TAG);
	assert_int_equal(drops, 0);
}

/* A packet of several segments, of which the first ends right after the addresses. */
static void
insert_segments(void **state)
{
	struct rte_mbuf *packet = packet_new(pool, 7, LEN, ADDRS);
	uint16_t head = buffer_new();

	RTE_SET_USED(state);
	packet_tag(packet, RTE_MBUF_F_TX_VLAN);
	assert_int_equal(transmit(&packet, 1), 1);
	buffer_check(head, 7, true);
}

/* The ring is full: a packet that is sent again has one tag. */
static void
insert_again(void **state)
{
	struct rte_mbuf *mbufs[2] = { packet_ask(1, RTE_MBUF_F_TX_VLAN),
				      packet_ask(2, RTE_MBUF_F_TX_VLAN) };
	uint16_t first = buffer_new(), second;

	RTE_SET_USED(state);
	assert_int_equal(transmit(mbufs, 2), 1);
	assert_int_equal(transmit(mbufs + 1, 1), 0);
	second = buffer_new();
	assert_int_equal(transmit(mbufs + 1, 1), 1);
	buffer_check(first, 1, true);
	buffer_check(second, 2, true);
	assert_int_equal(loopback_net_stats(&net, false).bytes, 2 * (LEN + TAG));
	assert_int_equal(drops, 0);
}

/* The packet is dropped; those before and after it are sent, in order. */
static void
refused(struct rte_mbuf *packet)
{
	struct rte_mbuf *mbufs[3] = { packet_ask(1, RTE_MBUF_F_TX_VLAN), packet, packet_ask(3, 0) };
	uint64_t before = drops;
	uint16_t first = buffer_new(), second = buffer_new();

	assert_int_equal(transmit(mbufs, 3), 3);
	assert_int_equal(drops, before + 1);
	buffer_check(first, 1, true);
	buffer_check(second, 3, false);
	assert_int_equal(rte_vduse_net_tx_count(net.net, 0), 0);
}

static void
insert_refused(void **state)
{
	struct rte_mbuf *packet, *shared;

	RTE_SET_USED(state);
	refused(packet_ask(2, RTE_MBUF_F_TX_QINQ));
	refused(packet_ask(2, RTE_MBUF_F_TX_QINQ | RTE_MBUF_F_TX_VLAN));

	packet = packet_ask(2, RTE_MBUF_F_TX_VLAN);
	packet->data_off = TAG - 1;
	refused(packet);

	/* The caller keeps its reference, with the bytes as they were. */
	shared = packet_ask(2, RTE_MBUF_F_TX_VLAN);
	rte_mbuf_refcnt_update(shared, 1);
	refused(shared);
	packet_check(shared, 2, LEN);

	packet = rte_pktmbuf_clone(shared, pool);
	packet_tag(packet, RTE_MBUF_F_TX_VLAN);
	refused(packet);
	packet_check(shared, 2, LEN);
	rte_pktmbuf_free(shared);

	packet = packet_new(pool, 2, LEN, ADDRS - 1);
	packet_tag(packet, RTE_MBUF_F_TX_VLAN);
	refused(packet);

	packet = packet_ask(2, RTE_MBUF_F_TX_VLAN | RTE_MBUF_F_TX_UDP_CKSUM | RTE_MBUF_F_TX_IPV4);
	packet->l2_len = 124;
	packet->l3_len = sizeof(struct rte_ipv4_hdr);
	refused(packet);
	assert_int_equal(loopback_net_stats(&net, false).drops, 0);
}

/* A packet that is refused is taken even if it is the last, or if none is sent any more. */
static void
insert_refused_alone(void **state)
{
	struct rte_mbuf *mbufs[2] = { packet_ask(1, RTE_MBUF_F_TX_QINQ), packet_ask(2, 0) };

	RTE_SET_USED(state);
	assert_int_equal(transmit(mbufs, 2), 1);
	assert_int_equal(drops, 1);
	rte_pktmbuf_free(mbufs[1]);
	assert_int_equal(transmit(mbufs, 0), 0);
}

/* The checksum is computed after the tag has been inserted, at its new place. */
static void
insert_checksum(void **state)
{
	struct rte_mbuf *packet =
		packet_ask(1, RTE_MBUF_F_TX_VLAN | RTE_MBUF_F_TX_UDP_CKSUM |
				      RTE_MBUF_F_TX_IP_CKSUM | RTE_MBUF_F_TX_IPV4);
	struct rte_ether_hdr *eth = rte_pktmbuf_mtod(packet, struct rte_ether_hdr *);
	struct rte_ipv4_hdr *ip = (void *)(eth + 1);
	struct rte_udp_hdr *udp = (void *)(ip + 1);
	uint16_t len = LEN - sizeof(*eth), head = buffer_new();
	uint8_t got[LEN - sizeof(*eth)];

	RTE_SET_USED(state);
	eth->ether_type = rte_cpu_to_be_16(RTE_ETHER_TYPE_IPV4);
	ip->version_ihl = RTE_IPV4_VHL_DEF;
	ip->total_length = rte_cpu_to_be_16(len);
	ip->fragment_offset = 0;
	ip->next_proto_id = IPPROTO_UDP;
	udp->dgram_len = rte_cpu_to_be_16(len - sizeof(*ip));
	packet->l2_len = sizeof(*eth);
	packet->l3_len = sizeof(*ip);
	assert_int_equal(transmit(&packet, 1), 1);
	loopback_net_read(&net, NET_RX, head, NET_HDR + sizeof(*eth) + TAG, got, len);
	ip = (void *)got;
	assert_int_equal(rte_raw_cksum(ip, sizeof(*ip)), 0xffff);
	assert_int_equal(rte_ipv4_udptcp_cksum_verify(ip, ip + 1), 0);
	assert_int_equal(drops, 0);
}

/* A packet of that length whose EtherType and next two bytes are the tag. */
static struct rte_mbuf *
packet_tagged(uint32_t seed, uint32_t len)
{
	struct rte_mbuf *packet = packet_new(pool, seed, len, ROOM);

	memcpy(rte_pktmbuf_mtod_offset(packet, void *, ADDRS), tag, RTE_MIN(TAG, len - ADDRS));
	packet->packet_type = RTE_PTYPE_L2_ETHER_VLAN | RTE_PTYPE_L3_IPV4;
	packet->vlan_tci = 0;
	return packet;
}

static void
strip(void **state)
{
	const uint64_t flags = RTE_MBUF_F_RX_VLAN | RTE_MBUF_F_RX_VLAN_STRIPPED;
	struct rte_mbuf *mbufs[3] = { packet_tagged(1, LEN), packet_new(pool, 2, LEN, ROOM),
				      packet_tagged(3, 18) };
	struct rte_mbuf *plain = packet_new(pool, 1, LEN, ROOM);
	const uint8_t *want = rte_pktmbuf_mtod(plain, const uint8_t *), *got;

	RTE_SET_USED(state);
	vduse_vlan_strip(mbufs, 3);
	got = rte_pktmbuf_mtod(mbufs[0], const uint8_t *);
	assert_int_equal(mbufs[0]->pkt_len, LEN - TAG);
	assert_int_equal(mbufs[0]->data_len, LEN - TAG);
	assert_int_equal(mbufs[0]->vlan_tci, TCI);
	assert_int_equal(mbufs[0]->ol_flags & flags, flags);
	assert_int_equal(mbufs[0]->packet_type, RTE_PTYPE_L2_ETHER | RTE_PTYPE_L3_IPV4);
	assert_memory_equal(got, want, ADDRS);
	assert_memory_equal(got + ADDRS, want + ADDRS + TAG, LEN - ADDRS - TAG);
	packet_check(mbufs[1], 2, LEN);
	assert_int_equal(mbufs[1]->ol_flags & flags, 0);
	assert_int_equal(mbufs[2]->pkt_len, sizeof(struct rte_ether_hdr));
	assert_int_equal(mbufs[2]->vlan_tci, TCI);
	rte_pktmbuf_free(plain);
	rte_pktmbuf_free_bulk(mbufs, 3);
}

/* The driver may send a frame that has no whole tag: it stays as it is. */
static void
strip_short(void **state)
{
	struct rte_mbuf *packet;
	uint32_t len;

	RTE_SET_USED(state);
	for (len = sizeof(struct rte_ether_hdr); len < sizeof(struct rte_ether_hdr) + TAG; len++) {
		packet = packet_tagged(1, len);
		vduse_vlan_strip(&packet, 1);
		assert_int_equal(packet->pkt_len, len);
		assert_int_equal(packet->ol_flags, 0);
		assert_int_equal(packet->vlan_tci, 0);
		rte_pktmbuf_free(packet);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(insert, setup, teardown),
		cmocka_unit_test_setup_teardown(insert_segments, setup, teardown),
		cmocka_unit_test_setup_teardown(insert_again, setup, teardown),
		cmocka_unit_test_setup_teardown(insert_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(insert_refused_alone, setup, teardown),
		cmocka_unit_test_setup_teardown(insert_checksum, setup, teardown),
		cmocka_unit_test_setup_teardown(strip, setup, teardown),
		cmocka_unit_test_setup_teardown(strip_short, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
