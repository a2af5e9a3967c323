/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Offloads of rte_vhost.h: which are offered, and packets from the driver with the flags of both kinds
 * of registration.
 */
#include "vhost_offload.h"

#include <errno.h>
#include <string.h>

#include <linux/virtio_ids.h>

#define LINEAR RTE_VHOST_USER_LINEARBUF_SUPPORT
#define EXTBUF RTE_VHOST_USER_EXTBUF_SUPPORT
/* What neither librte_vhost nor this library offers. */
#define USO (VNET_OFFLOADS & ~ALL)

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

static void
test_offered(void **state)
{
	struct rte_vduse_vhost_conf conf = { .queue_size = 512 };

	RTE_SET_USED(state);
	assert_int_equal(rte_vhost_driver_register(APP_PATH, 0), 0);
	assert_int_equal(offload_offered(), ALL);
	assert_int_equal(rte_vhost_driver_enable_features(APP_PATH, UFO), -1);
	assert_int_equal(rte_vhost_driver_enable_features(APP_PATH, USO), -1);
	assert_int_equal(rte_vhost_driver_disable_features(APP_PATH, UFO | USO), 0);
	/* net_vhost with tso=0; a feature that needs a disabled one is not offered either. */
	assert_int_equal(rte_vhost_driver_disable_features(APP_PATH, TSO), 0);
	assert_int_equal(offload_offered(), VNET_OFFLOAD(CSUM) | GUEST);
	/* What was disabled stays so when the device is configured. */
	assert_int_equal(rte_vduse_vhost_configure(APP_PATH, &conf), 0);
	assert_int_equal(offload_offered(), VNET_OFFLOAD(CSUM) | GUEST);
	assert_int_equal(rte_vhost_driver_enable_features(APP_PATH, TSO), 0);
	assert_int_equal(offload_offered(), ALL);
	/* OVS without userspace-tso-enable. */
	assert_int_equal(rte_vhost_driver_disable_features(APP_PATH, VNET_OFFLOAD(CSUM)), 0);
	assert_int_equal(offload_offered(), GUEST);
	assert_int_equal(rte_vhost_driver_enable_features(APP_PATH, VNET_OFFLOAD(CSUM)), 0);
	assert_int_equal(offload_offered(), ALL);
	assert_int_equal(rte_vhost_driver_disable_features(APP_PATH, UINT64_MAX), 0);
	assert_int_equal(offload_offered(), 0);
	assert_int_equal(rte_vhost_driver_unregister(APP_PATH), 0);
}

/* Large packets do not fit into one mbuf, so they are not offered, as librte_vhost does it. */
static void
test_offered_linear(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(rte_vhost_driver_register(APP_PATH, LINEAR), 0);
	assert_int_equal(offload_offered(), VNET_OFFLOAD(CSUM) | GUEST);
	assert_int_equal(rte_vhost_driver_enable_features(APP_PATH, TSO), -1);
	assert_int_equal(rte_vhost_driver_unregister(APP_PATH), 0);
	assert_int_equal(rte_vhost_driver_register(APP_PATH, LINEAR | EXTBUF), 0);
	assert_int_equal(offload_offered(), ALL);
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
		mbuf = offload_dequeue(&hdr, &sent);
		assert_non_null(mbuf);
		has_bytes(mbuf, &sent);
		has_flags(mbuf, &frame, large && payload > FRAME_SEGMENT);
		rte_pktmbuf_free(mbuf);
		nb++;
	}
	assert_int_equal(offload_counted(1, "rx_q0_csum_passed") +
				 offload_counted(1, "rx_q0_gso_passed"),
			 nb);
	assert_int_equal(offload_counted(1, "rx_q0_csum_software"), 0);
	assert_int_equal(offload_counted(1, "rx_q0_dropped_packets"), 0);
}

static void
test_from_driver(void **state)
{
	RTE_SET_USED(state);
	offload_begin(COMPLIANT, 0, ALL);
	from_driver(has_rx_flags);
	offload_end();
}

static void
test_from_driver_legacy(void **state)
{
	RTE_SET_USED(state);
	offload_begin(0, 0, ALL);
	from_driver(has_tx_flags);
	offload_end();
}

/* One external buffer has a large packet. */
static void
test_from_driver_linear(void **state)
{
	static struct frame frame;
	struct virtio_net_hdr_v1 hdr;
	struct rte_mbuf *mbuf;

	RTE_SET_USED(state);
	offload_begin(COMPLIANT | LINEAR | EXTBUF, 0, ALL);
	frame_large(&frame, false, false, 60000);
	hdr = frame_large_header(&frame);
	mbuf = offload_dequeue(&hdr, &frame);
	assert_non_null(mbuf);
	assert_int_equal(mbuf->nb_segs, 1);
	assert_int_equal(mbuf->tso_segsz, FRAME_SEGMENT);
	assert_true((mbuf->ol_flags & RTE_MBUF_F_RX_LRO) != 0);
	rte_pktmbuf_free(mbuf);
	offload_end();
}

/* A packet whose checksum the driver filled in has no flag, in either mode. */
static void
no_flags(uint64_t flags)
{
	struct virtio_net_hdr_v1 hdr = { .flags = VIRTIO_NET_HDR_F_DATA_VALID };
	static struct frame frame;
	struct rte_mbuf *mbuf;

	offload_begin(flags, 0, ALL);
	frame_make(&frame, false, false, PAYLOAD, 1);
	mbuf = offload_dequeue(&hdr, &frame);
	assert_non_null(mbuf);
	has_bytes(mbuf, &frame);
	assert_int_equal(mbuf->ol_flags, 0);
	rte_pktmbuf_free(mbuf);
	offload_end();
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

	offload_begin(flags, 0, ALL);
	frame_make(&frame, false, true, PAYLOAD, 3);
	frame.bytes[frame.l2 + 9] = 47; /* GRE */
	frame_sums(&frame);
	hdr = frame_header(&frame);
	sent = frame;
	frame_store16(frame_field(&sent), frame.pseudo);
	mbuf = offload_dequeue(&hdr, &sent);
	assert_non_null(mbuf);
	has_bytes(mbuf, &frame);
	assert_int_equal(mbuf->ol_flags, 0);
	assert_int_equal(offload_counted(1, "rx_q0_csum_software"), 1);
	rte_pktmbuf_free(mbuf);
	offload_end();
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

	offload_begin(flags, features, ALL);
	frame_large(&frame, false, false, 3000);
	hdr = frame_large_header(&frame);
	mbuf = offload_dequeue(&hdr, &frame);
	/* Without CSUM the header means nothing, otherwise it is wrong. */
	if (mbuf != NULL) {
		has_bytes(mbuf, &frame);
		assert_int_equal(mbuf->ol_flags, 0);
		rte_pktmbuf_free(mbuf);
	}
	assert_int_equal(offload_counted(1, "rx_q0_bad_offloads"), bad_small);
	assert_int_equal(offload_counted(1, "rx_q0_dropped_packets"), bad_small);
	assert_int_equal(mbuf == NULL, bad_small);
	offload_end();
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

	offload_pool = packet_pool("offload", PACKETS, ROOM);
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
	nb = rte_vhost_dequeue_burst(APP_VID, 1, offload_pool, mbufs, RTE_DIM(mbufs));
	assert_int_equal(nb, 3);
	for (i = 0; i < nb; i++) {
		assert_int_equal(mbufs[i]->ol_flags, 0);
		frame_of(&got, &frame, mbufs[i]);
		at += frame_check_segment(&frame, &got, at, false);
	}
	assert_int_equal(at, 3000);
	rte_pktmbuf_free_bulk(mbufs, nb);
	left_features = 0;
	offload_end();
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
	offload_begin(COMPLIANT, 0, ALL);
	frame_large(&frame, false, true, 3000);
	hdr = frame_large_header(&frame);
	assert_null(offload_dequeue(&hdr, &frame));
	assert_int_equal(offload_counted(1, "rx_q0_bad_offloads"), 1);
	offload_end();
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
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
