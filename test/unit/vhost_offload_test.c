/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Offloads of rte_vhost.h: which are offered, and packets both ways with the flags of both kinds of
 * registration.
 */
#include "net_frame.h"
#include "vhost_app.h"

#include <errno.h>
#include <string.h>

#include <linux/virtio_ids.h>

#include <vhost/vhost.h>

#define RING      256u
#define ROOM      2048
#define PACKETS   255
#define PAYLOAD   301 /* odd */
#define COMPLIANT RTE_VHOST_USER_NET_COMPLIANT_OL_FLAGS
#define LINEAR    RTE_VHOST_USER_LINEARBUF_SUPPORT
#define EXTBUF    RTE_VHOST_USER_EXTBUF_SUPPORT
#define TSO       (VNET_OFFLOAD(HOST_TSO4) | VNET_OFFLOAD(HOST_TSO6))
#define HOST      (VNET_OFFLOAD(CSUM) | TSO | VNET_OFFLOAD(HOST_ECN))
#define GUEST                                                                                      \
	(VNET_OFFLOAD(GUEST_CSUM) | VNET_OFFLOAD(GUEST_TSO4) | VNET_OFFLOAD(GUEST_TSO6) |          \
	 VNET_OFFLOAD(GUEST_ECN))
#define ALL (HOST | GUEST)
/* What librte_vhost offers and this library does not, and what neither does. */
#define UFO (VNET_OFFLOAD(HOST_UFO) | VNET_OFFLOAD(GUEST_UFO))
#define USO (VNET_OFFLOADS & ~ALL)

static struct rte_mempool *pool;
/* Features that the driver accepted from a process that was killed; 0: there was none. */
static uint64_t left_features;

int
__wrap_rte_vduse_dev_left(const char *path, const struct vduse_transport_ops *transport,
			  void *transport_priv, struct rte_vduse_left *left);

int
__wrap_rte_vduse_dev_left(const char *path, const struct vduse_transport_ops *transport,
			  void *transport_priv, struct rte_vduse_left *left)
{
	RTE_SET_USED(transport);
	RTE_SET_USED(transport_priv);
	assert_string_equal(path, APP_PATH);
	*left = (struct rte_vduse_left){
		.device_id = VIRTIO_ID_NET,
		.nb_vqs = 2,
		.vq_size = RING,
		.offered = left_features,
		.features = left_features,
	};
	return left_features != 0 ? 0 : -ENOENT;
}

static uint64_t
offered(void)
{
	uint64_t features;

	assert_int_equal(rte_vhost_driver_get_features(APP_PATH, &features), 0);
	return features & (VNET_OFFLOADS | UFO);
}

/* A device whose driver accepts these offloads, as far as they are offered. */
static void
begin(uint64_t flags, uint64_t disabled, uint64_t accepted)
{
	pool = packet_pool("offload", PACKETS, ROOM);
	vhost_app_register(RING, NET_MERGEABLE, flags | RTE_VHOST_USER_NET_STATS_ENABLE);
	assert_int_equal(rte_vhost_driver_disable_features(APP_PATH, disabled), 0);
	vhost_app.driver.features |= accepted & offered();
	vhost_app_start();
	vhost_app_told("new_connection");
	loopback_net_up(&vhost_app.driver);
	vhost_app_told("new_device vring0+ vring1+");
}

static void
end(void)
{
	vhost_app_end();
	vhost_app_told("destroy_device destroy_connection");
	assert_int_equal(rte_mempool_avail_count(pool), PACKETS);
	rte_mempool_free(pool);
}

static uint64_t
counted(uint16_t queue, const char *name)
{
	struct rte_vhost_stat_name names[64];
	struct rte_vhost_stat stats[64];
	int i, nb;

	nb = rte_vhost_vring_stats_get_names(APP_VID, queue, names, RTE_DIM(names));
	assert_in_range(nb, 1, RTE_DIM(names));
	assert_int_equal(rte_vhost_vring_stats_get(APP_VID, queue, stats, RTE_DIM(stats)), nb);
	for (i = 0; i < nb; i++)
		if (strcmp(names[i].name, name) == 0)
			return stats[i].value;
	fail_msg("no counter %s", name);
	return 0;
}

static void
test_offered(void **state)
{
	struct rte_vduse_vhost_conf conf = { .queue_size = 512 };

	RTE_SET_USED(state);
	assert_int_equal(rte_vhost_driver_register(APP_PATH, 0), 0);
	assert_int_equal(offered(), ALL);
	assert_int_equal(rte_vhost_driver_enable_features(APP_PATH, UFO), -1);
	assert_int_equal(rte_vhost_driver_enable_features(APP_PATH, USO), -1);
	assert_int_equal(rte_vhost_driver_disable_features(APP_PATH, UFO | USO), 0);
	/* net_vhost with tso=0; a feature that needs a disabled one is not offered either. */
	assert_int_equal(rte_vhost_driver_disable_features(APP_PATH, TSO), 0);
	assert_int_equal(offered(), VNET_OFFLOAD(CSUM) | GUEST);
	/* What was disabled stays so when the device is configured. */
	assert_int_equal(rte_vduse_vhost_configure(APP_PATH, &conf), 0);
	assert_int_equal(offered(), VNET_OFFLOAD(CSUM) | GUEST);
	assert_int_equal(rte_vhost_driver_enable_features(APP_PATH, TSO), 0);
	assert_int_equal(offered(), ALL);
	/* OVS without userspace-tso-enable. */
	assert_int_equal(rte_vhost_driver_disable_features(APP_PATH, VNET_OFFLOAD(CSUM)), 0);
	assert_int_equal(offered(), GUEST);
	assert_int_equal(rte_vhost_driver_enable_features(APP_PATH, VNET_OFFLOAD(CSUM)), 0);
	assert_int_equal(offered(), ALL);
	assert_int_equal(rte_vhost_driver_disable_features(APP_PATH, UINT64_MAX), 0);
	assert_int_equal(offered(), 0);
	assert_int_equal(rte_vhost_driver_unregister(APP_PATH), 0);
}

/* Large packets do not fit into one mbuf, so they are not offered, as librte_vhost does it. */
static void
test_offered_linear(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(rte_vhost_driver_register(APP_PATH, LINEAR), 0);
	assert_int_equal(offered(), VNET_OFFLOAD(CSUM) | GUEST);
	assert_int_equal(rte_vhost_driver_enable_features(APP_PATH, TSO), -1);
	assert_int_equal(rte_vhost_driver_unregister(APP_PATH), 0);
	assert_int_equal(rte_vhost_driver_register(APP_PATH, LINEAR | EXTBUF), 0);
	assert_int_equal(offered(), ALL);
	assert_int_equal(rte_vhost_driver_unregister(APP_PATH), 0);
}

/* As frame_header(): the flags that the checksum of a frame is asked for with. */
static uint64_t
tx_flags(const struct frame *frame, bool large)
{
	return (frame->ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4) |
	       (frame->udp ? RTE_MBUF_F_TX_UDP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM) |
	       (large ? RTE_MBUF_F_TX_TCP_SEG : 0);
}

/* The driver sends a frame that has the sum of the pseudo header only. */
static struct rte_mbuf *
dequeue(const struct virtio_net_hdr_v1 *hdr, const struct frame *sent)
{
	struct rte_mbuf *mbuf = NULL;

	frame_send(&vhost_app.driver, hdr, sent, 0);
	if (rte_vhost_dequeue_burst(APP_VID, 1, pool, &mbuf, 1) == 0)
		mbuf = NULL;
	assert_int_equal(loopback_net_reap(&vhost_app.driver), 1);
	return mbuf;
}

static void
has_bytes(const struct rte_mbuf *mbuf, const struct frame *frame)
{
	static uint8_t bytes[FRAME];

	assert_int_equal(mbuf->pkt_len, frame->len);
	assert_memory_equal(rte_pktmbuf_read(mbuf, 0, frame->len, bytes), frame->bytes, frame->len);
}

static void
has_rx_flags(const struct rte_mbuf *mbuf, const struct frame *frame, bool large)
{
	assert_int_equal(mbuf->ol_flags,
			 RTE_MBUF_F_RX_L4_CKSUM_NONE | (large ? (uint64_t)RTE_MBUF_F_RX_LRO : 0));
	assert_int_equal(mbuf->packet_type & RTE_PTYPE_L4_MASK,
			 frame->udp ? RTE_PTYPE_L4_UDP : RTE_PTYPE_L4_TCP);
	if (large)
		assert_int_equal(mbuf->tso_segsz, FRAME_SEGMENT);
}

/* No field has what an earlier packet left in the mbuf. */
static void
has_tx_flags(const struct rte_mbuf *mbuf, const struct frame *frame, bool large)
{
	struct rte_mbuf want = { .l2_len = frame->l2, .l3_len = frame->l3 };

	want.l4_len = frame_headers(frame) - frame_l4(frame);
	want.tso_segsz = large ? FRAME_SEGMENT : 0;
	assert_int_equal(mbuf->ol_flags, tx_flags(frame, large));
	assert_int_equal(mbuf->tx_offload, want.tx_offload);
}

/* Inserts a VLAN tag. */
static void
tag(struct frame *frame)
{
	memmove(frame->bytes + 16, frame->bytes + 12, frame->len - 12);
	frame_store16(frame->bytes + 12, RTE_ETHER_TYPE_VLAN);
	frame_store16(frame->bytes + 14, 7);
	frame->l2 += 4;
	frame->len += 4;
}

typedef void (*flags_test)(const struct rte_mbuf *mbuf, const struct frame *frame, bool large);

/* Packets of all protocols, of one segment and large; those of one segment follow large ones. */
static void
from_driver(flags_test has_flags)
{
	static const uint16_t payloads[] = { PAYLOAD, 1, 1000, 1001, 31001, 65000, PAYLOAD };
	static struct frame frame, sent;
	struct virtio_net_hdr_v1 hdr;
	struct rte_mbuf *mbuf;
	unsigned int i, nb = 0;

	for (i = 0; i < 8 * RTE_DIM(payloads); i++) {
		uint16_t payload = payloads[i / 8];
		bool udp = (i & 2) != 0, large = !udp && payload != PAYLOAD;

		if (udp && payload > 1000)
			continue;
		frame_large(&frame, (i & 1) != 0, udp, payload);
		if ((i & 4) != 0)
			tag(&frame);
		hdr = large ? frame_large_header(&frame) : frame_header(&frame);
		sent = frame;
		frame_store16(frame_field(&sent), frame.pseudo);
		mbuf = dequeue(&hdr, &sent);
		assert_non_null(mbuf);
		has_bytes(mbuf, &sent);
		has_flags(mbuf, &frame, large && payload > FRAME_SEGMENT);
		rte_pktmbuf_free(mbuf);
		nb++;
	}
	assert_int_equal(counted(1, "rx_q0_csum_passed") + counted(1, "rx_q0_gso_passed"), nb);
	assert_int_equal(counted(1, "rx_q0_csum_software"), 0);
	assert_int_equal(counted(1, "rx_q0_dropped_packets"), 0);
}

static void
test_from_driver(void **state)
{
	RTE_SET_USED(state);
	begin(COMPLIANT, 0, ALL);
	from_driver(has_rx_flags);
	end();
}

static void
test_from_driver_legacy(void **state)
{
	RTE_SET_USED(state);
	begin(0, 0, ALL);
	from_driver(has_tx_flags);
	end();
}

/* One external buffer has a large packet. */
static void
test_from_driver_linear(void **state)
{
	static struct frame frame;
	struct virtio_net_hdr_v1 hdr;
	struct rte_mbuf *mbuf;

	RTE_SET_USED(state);
	begin(COMPLIANT | LINEAR | EXTBUF, 0, ALL);
	frame_large(&frame, false, false, 60000);
	hdr = frame_large_header(&frame);
	mbuf = dequeue(&hdr, &frame);
	assert_non_null(mbuf);
	assert_int_equal(mbuf->nb_segs, 1);
	assert_int_equal(mbuf->tso_segsz, FRAME_SEGMENT);
	assert_true((mbuf->ol_flags & RTE_MBUF_F_RX_LRO) != 0);
	rte_pktmbuf_free(mbuf);
	end();
}

/* A packet whose checksum the driver filled in has no flag, in either mode. */
static void
no_flags(uint64_t flags)
{
	struct virtio_net_hdr_v1 hdr = { .flags = VIRTIO_NET_HDR_F_DATA_VALID };
	static struct frame frame;
	struct rte_mbuf *mbuf;

	begin(flags, 0, ALL);
	frame_make(&frame, false, false, PAYLOAD, 1);
	mbuf = dequeue(&hdr, &frame);
	assert_non_null(mbuf);
	has_bytes(mbuf, &frame);
	assert_int_equal(mbuf->ol_flags, 0);
	rte_pktmbuf_free(mbuf);
	end();
}

static void
test_no_flags(void **state)
{
	RTE_SET_USED(state);
	no_flags(0);
	no_flags(COMPLIANT);
}

/* An L4 checksum that no flag stands for is computed. */
static void
other_protocol(uint64_t flags)
{
	static struct frame frame, sent;
	struct virtio_net_hdr_v1 hdr;
	struct rte_mbuf *mbuf;

	begin(flags, 0, ALL);
	frame_make(&frame, false, true, PAYLOAD, 3);
	frame.bytes[frame.l2 + 9] = 47; /* GRE */
	frame_sums(&frame);
	hdr = frame_header(&frame);
	sent = frame;
	frame_store16(frame_field(&sent), frame.pseudo);
	mbuf = dequeue(&hdr, &sent);
	assert_non_null(mbuf);
	has_bytes(mbuf, &frame);
	assert_int_equal(mbuf->ol_flags, 0);
	assert_int_equal(counted(1, "rx_q0_csum_software"), 1);
	rte_pktmbuf_free(mbuf);
	end();
}

static void
test_other_protocol(void **state)
{
	RTE_SET_USED(state);
	other_protocol(0);
	other_protocol(COMPLIANT);
}

/* What the driver asks for by a feature that was disabled, whether it needs another one or not. */
static void
disabled(uint64_t flags, uint64_t features, uint64_t bad_small)
{
	static struct frame frame;
	struct virtio_net_hdr_v1 hdr;
	struct rte_mbuf *mbuf;

	begin(flags, features, ALL);
	frame_large(&frame, false, false, 3000);
	hdr = frame_large_header(&frame);
	mbuf = dequeue(&hdr, &frame);
	/* Without CSUM the header means nothing, otherwise it is wrong. */
	if (mbuf != NULL) {
		has_bytes(mbuf, &frame);
		assert_int_equal(mbuf->ol_flags, 0);
		rte_pktmbuf_free(mbuf);
	}
	assert_int_equal(counted(1, "rx_q0_bad_offloads"), bad_small);
	assert_int_equal(counted(1, "rx_q0_dropped_packets"), bad_small);
	assert_int_equal(mbuf == NULL, bad_small);
	end();
}

static void
test_disabled(void **state)
{
	RTE_SET_USED(state);
	disabled(0, VNET_OFFLOAD(CSUM), 0);
	disabled(COMPLIANT, VNET_OFFLOAD(CSUM), 0);
	disabled(0, TSO, 1);
	disabled(COMPLIANT, TSO, 1);
	disabled(0, ALL, 0);
}

/*
 * The driver accepted offloads from an application that was killed. The next one has disabled
 * them: it gets whole packets, without flags.
 */
static void
taken_over(uint64_t flags)
{
	static struct frame frame, sent, got;
	struct virtio_net_hdr_v1 hdr;
	struct rte_mbuf *mbufs[8];
	uint32_t at = 0;
	uint16_t nb, i;

	pool = packet_pool("offload", PACKETS, ROOM);
	left_features = NET_MERGEABLE | ALL;
	vhost_app_register(RING, left_features, flags);
	assert_int_equal(rte_vhost_driver_disable_features(APP_PATH, VNET_OFFLOAD(CSUM)), 0);
	vhost_app_start();
	vhost_app_told("new_connection");
	loopback_net_up(&vhost_app.driver);
	vhost_app_told("new_device vring0+ vring1+");
	frame_large(&frame, false, false, 3000);
	hdr = frame_large_header(&frame);
	sent = frame;
	frame_store16(frame_field(&sent), frame.pseudo);
	frame_send(&vhost_app.driver, &hdr, &sent, 0);
	nb = rte_vhost_dequeue_burst(APP_VID, 1, pool, mbufs, RTE_DIM(mbufs));
	assert_int_equal(nb, 3);
	for (i = 0; i < nb; i++) {
		assert_int_equal(mbufs[i]->ol_flags, 0);
		frame_of(&got, &frame, mbufs[i]);
		at += frame_check_segment(&frame, &got, at, false);
	}
	assert_int_equal(at, 3000);
	rte_pktmbuf_free_bulk(mbufs, nb);
	left_features = 0;
	end();
}

static void
test_taken_over(void **state)
{
	RTE_SET_USED(state);
	taken_over(0);
	taken_over(COMPLIANT);
}

/* UDP segmentation is not offered. */
static void
test_udp_segments(void **state)
{
	static struct frame frame;
	struct virtio_net_hdr_v1 hdr;

	RTE_SET_USED(state);
	begin(COMPLIANT, 0, ALL);
	frame_large(&frame, false, true, 3000);
	hdr = frame_large_header(&frame);
	assert_null(dequeue(&hdr, &frame));
	assert_int_equal(counted(1, "rx_q0_bad_offloads"), 1);
	end();
}

/* A frame as an application has it that leaves the checksums out. */
static struct rte_mbuf *
without_sums(const struct frame *frame, bool large)
{
	static struct frame given;
	struct rte_mbuf *packet;

	given = *frame;
	frame_store16(frame_field(&given), 0xdead);
	if (!given.ipv6)
		frame_store16(given.bytes + given.l2 + 10, 0xbeef);
	packet = frame_packet(pool, &given, 0);
	if (large) {
		packet->ol_flags |= RTE_MBUF_F_TX_TCP_SEG;
		packet->tso_segsz = FRAME_SEGMENT;
	}
	return packet;
}

/* The driver takes one packet: its header, and its bytes in segment. */
static struct virtio_net_hdr_v1
driver_takes(const struct frame *like, struct frame *segment)
{
	struct loopback_net *driver = &vhost_app.driver;
	struct virtio_net_hdr_v1 hdr;
	uint32_t head, used;

	assert_true(driver_take(&driver->queues[NET_RX], &head, &used));
	assert_in_range(used, NET_HDR, NET_HDR + FRAME);
	*segment = *like;
	segment->len = used - NET_HDR;
	loopback_net_read(driver, NET_RX, (uint16_t)head, 0, &hdr, NET_HDR);
	loopback_net_read(driver, NET_RX, (uint16_t)head, NET_HDR, segment->bytes, segment->len);
	return hdr;
}

/* Sends a packet, which stays the caller's and as it was. */
static void
enqueue(struct rte_mbuf *packet, unsigned int chains, uint32_t room)
{
	struct loopback_net *driver = &vhost_app.driver;
	static uint8_t before[FRAME], after[FRAME];
	uint32_t len = packet->pkt_len;
	const void *bytes = rte_pktmbuf_read(packet, 0, len, before);

	if (bytes != before)
		memcpy(before, bytes, len);
	while (chains-- > 0)
		loopback_net_post(driver, NET_RX, loopback_net_chain_len(driver, NET_RX, room));
	assert_int_equal(rte_vhost_enqueue_burst(APP_VID, 0, &packet, 1), 1);
	assert_memory_equal(rte_pktmbuf_read(packet, 0, len, after), before, len);
	rte_pktmbuf_free(packet);
}

/* all: the driver takes large packets and partial checksums. Otherwise it gets whole ones. */
static void
to_driver_small(bool all)
{
	static struct frame frame, got, want;
	struct virtio_net_hdr_v1 hdr, none = { 0 }, asks;
	unsigned int i;

	for (i = 0; i < 4; i++) {
		frame_make(&frame, (i & 1) != 0, (i & 2) != 0, PAYLOAD, i);
		want = frame;
		if (all)
			frame_store16(frame_field(&want), frame.pseudo);
		enqueue(without_sums(&frame, false), 1, ROOM);
		hdr = driver_takes(&frame, &got);
		asks = frame_header(&frame);
		assert_memory_equal(&hdr, all ? &asks : &none,
				    offsetof(struct virtio_net_hdr_v1, num_buffers));
		assert_int_equal(got.len, want.len);
		assert_memory_equal(got.bytes, want.bytes, want.len);
	}
	assert_int_equal(counted(0, all ? "tx_q0_csum_passed" : "tx_q0_csum_software"), 4);
}

static void
to_driver_large(bool all)
{
	static struct frame frame, got;
	struct virtio_net_hdr_v1 hdr, want;
	unsigned int i, nb = 0;
	uint32_t at;

	for (i = 0; i < 4; i++) {
		uint16_t payload = (i & 2) != 0 ? 60001 : 3000;

		frame_large(&frame, (i & 1) != 0, false, payload);
		if (all) {
			enqueue(without_sums(&frame, true), 1, NET_HDR + frame.len);
			hdr = driver_takes(&frame, &got);
			want = frame_large_header(&frame);
			assert_memory_equal(&hdr, &want,
					    offsetof(struct virtio_net_hdr_v1, num_buffers));
			assert_int_equal(got.len, frame.len);
			frame_store16(frame_field(&frame), frame.pseudo);
			assert_memory_equal(got.bytes, frame.bytes, frame.len);
			continue;
		}
		nb = (payload + FRAME_SEGMENT - 1) / FRAME_SEGMENT;
		enqueue(without_sums(&frame, true), nb, ROOM);
		for (at = 0; nb > 0; nb--) {
			hdr = driver_takes(&frame, &got);
			assert_int_equal(hdr.flags, 0);
			assert_int_equal(hdr.gso_type, VIRTIO_NET_HDR_GSO_NONE);
			at += frame_check_segment(&frame, &got, at, false);
		}
		assert_int_equal(at, payload);
	}
	assert_int_equal(counted(0, all ? "tx_q0_gso_passed" : "tx_q0_gso_software"), 4);
}

/* Flags of packets to the driver mean the same, however the path was registered. */
static void
to_driver(uint64_t flags, bool all)
{
	begin(flags, 0, all ? ALL : 0);
	to_driver_small(all);
	to_driver_large(all);
	assert_int_equal(counted(0, "tx_q0_dropped_packets"), 0);
	end();
}

static void
test_to_driver(void **state)
{
	RTE_SET_USED(state);
	to_driver(COMPLIANT, true);
	to_driver(0, true);
}

static void
test_to_plain_driver(void **state)
{
	RTE_SET_USED(state);
	to_driver(COMPLIANT, false);
	to_driver(0, false);
}

/*
 * An application with flags of the old kind enqueues what it dequeued, and the driver gets what it
 * sent: its own header, or whole packets.
 */
static void
returns(uint64_t guest)
{
	static struct frame frame, sent, got;
	struct virtio_net_hdr_v1 hdr, back;
	struct rte_mbuf *mbuf;
	uint32_t at = 0;

	begin(0, 0, HOST | guest);
	frame_large(&frame, true, false, 5000);
	hdr = frame_large_header(&frame);
	sent = frame;
	frame_store16(frame_field(&sent), frame.pseudo);
	mbuf = dequeue(&hdr, &sent);
	assert_non_null(mbuf);
	enqueue(mbuf, 5, guest != 0 ? 8000 : ROOM);
	do {
		back = driver_takes(&frame, &got);
		if (guest != 0) {
			assert_memory_equal(&back, &hdr,
					    offsetof(struct virtio_net_hdr_v1, num_buffers));
			assert_memory_equal(got.bytes, sent.bytes, sent.len);
			at = 5000;
		} else {
			at += frame_check_segment(&frame, &got, at, false);
		}
	} while (at < 5000);
	end();
}

static void
test_returns(void **state)
{
	RTE_SET_USED(state);
	returns(GUEST);
	returns(0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_offered),
		cmocka_unit_test(test_offered_linear),
		cmocka_unit_test(test_from_driver),
		cmocka_unit_test(test_from_driver_legacy),
		cmocka_unit_test(test_from_driver_linear),
		cmocka_unit_test(test_no_flags),
		cmocka_unit_test(test_other_protocol),
		cmocka_unit_test(test_disabled),
		cmocka_unit_test(test_taken_over),
		cmocka_unit_test(test_udp_segments),
		cmocka_unit_test(test_to_driver),
		cmocka_unit_test(test_to_plain_driver),
		cmocka_unit_test(test_returns),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
