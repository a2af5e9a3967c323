/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A network device with one queue pair over the loopback. The input controls its driver.
 * Input: a byte of choices about the device, then operations with their arguments. Output: none,
 * unless a check fails: every popped chain is used at the end of a burst, mbufs are intact, and no
 * mbuf and no file descriptor is leaked.
 * Thread: libFuzzer's, which polls too; the control thread works only while it is waited for.
 */
#include <string.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include <rte_mbuf.h>
#include <rte_memory.h>
#include <rte_vduse_compat.h>

#include <vduse/core/device.h>
#include <virtio_net/net.h>
#include <virtio_net/offload.h>

#include "fuzz_packet.h"
#include "fuzz_ring.h"

#define STATUS_FEATURES                                                                            \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK)
#define STATUS_UP (STATUS_FEATURES | VIRTIO_CONFIG_S_DRIVER_OK)

/* The driver's directions: it receives on RX what the device transmits. */
#define RX     0
#define TX     1
#define QUEUES 2

#define POOL_MBUFS 1023
#define POOL_ROOM  1024
/* Fewer than a burst takes. */
#define FEW_MBUFS 31
#define BURST     64
#define POSTS_MAX 1024

struct card {
	struct fuzz_input in;
	struct vduse_loopback *loop;
	struct rte_vduse_net *net;
	struct rte_vduse_dev *dev;
	struct fuzz_memory memory;
	struct fuzz_ring rings[QUEUES];
};

static struct rte_mempool *pool, *few;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	RTE_SET_USED(argc);
	RTE_SET_USED(argv);
	fuzz_init();
	pool = fuzz_pool_new("fuzz", POOL_MBUFS, POOL_ROOM);
	few = fuzz_pool_new("few", FEW_MBUFS, POOL_ROOM);
	return 0;
}

static uint32_t
card_state(struct card *card, uint16_t index)
{
	return rte_atomic_load_explicit(&card->net->queues[index].vq->state,
					rte_memory_order_acquire);
}

static bool
card_ask(struct card *card, struct vduse_dev_request req)
{
	bool ok = fuzz_ask(card->loop, &req);

	fuzz_sync(card->dev);
	return ok;
}

static bool
card_set_status(struct card *card, uint8_t status)
{
	return card_ask(card,
			(struct vduse_dev_request){ .type = VDUSE_SET_STATUS, .s.status = status });
}

static void
card_reset(struct card *card)
{
	uint16_t i;

	fuzz_check(card_set_status(card, 0), "reset refused");
	for (i = 0; i < QUEUES; i++)
		fuzz_check(card_state(card, i) == RTE_VDUSE_VQ_IDLE, "state %u after a reset",
			   card_state(card, i));
	fuzz_check(!rte_vduse_net_link(card->net), "the link is up after a reset");
}

/* After a burst: what it woke the control thread for is done, and all that was popped is used. */
static void
check_burst(struct card *card, uint16_t index)
{
	if (card_state(card, index) == RTE_VDUSE_VQ_WAITING) {
		fuzz_sync(card->dev);
		fuzz_check(card_state(card, index) != RTE_VDUSE_VQ_WAITING, "a miss is not served");
	}
	fuzz_check_used(&card->net->queues[index]);
}

/* The driver sends. */
static void
card_rx(struct card *card)
{
	struct rte_mbuf *mbufs[BURST];
	uint8_t how = fuzz_u8(&card->in);
	uint16_t nb = how % BURST + 1, n, i;

	n = rte_vduse_net_rx_burst(card->net, 0, how & BURST ? few : pool, mbufs, nb);
	fuzz_check(n <= nb, "%u packets of %u", n, nb);
	for (i = 0; i < n; i++) {
		fuzz_check_received(card->net, mbufs[i]);
		rte_pktmbuf_free(mbufs[i]);
	}
	check_burst(card, TX);
	fuzz_ring_reap(&card->rings[TX]);
}

/* A packet in segments. */
static struct rte_mbuf *
card_packet(uint32_t len, uint32_t seg)
{
	struct rte_mbuf *head = NULL, *mbuf;
	uint32_t part;

	do {
		mbuf = rte_pktmbuf_alloc(pool);
		if (mbuf == NULL)
			break;
		part = RTE_MIN(RTE_MIN(len, seg), POOL_ROOM + 0u);
		memset(rte_pktmbuf_append(mbuf, (uint16_t)part), 0x5a, part);
		len -= part;
		if (head == NULL) {
			head = mbuf;
		} else if (rte_pktmbuf_chain(head, mbuf) < 0) {
			rte_pktmbuf_free(mbuf);
			break;
		}
	} while (len > 0);
	return head;
}

/* Writes a byte of a packet, if it has that many. */
static void
packet_put(struct rte_mbuf *mbuf, uint32_t at, uint8_t byte)
{
	while (mbuf != NULL && at >= mbuf->data_len) {
		at -= mbuf->data_len;
		mbuf = mbuf->next;
	}
	if (mbuf != NULL)
		*rte_pktmbuf_mtod_offset(mbuf, uint8_t *, at) = byte;
}

/*
 * A large packet as an application may send it: flags and lengths of its headers agree, with IP
 * options or extension headers, a segment of any size, and headers that lie in any mbufs.
 */
static void
card_large(struct card *card, struct rte_mbuf *mbuf)
{
	uint8_t kind = fuzz_u8(&card->in), options = fuzz_u8(&card->in);
	bool ipv6 = (kind & 1) != 0, udp = (kind & 2) != 0;
	uint16_t size = kind & 4 ? fuzz_u16(&card->in) : fuzz_u8(&card->in), len;

	mbuf->ol_flags |= ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
	mbuf->ol_flags |= udp ? RTE_MBUF_F_TX_UDP_SEG : RTE_MBUF_F_TX_TCP_SEG;
	mbuf->l2_len = RTE_ETHER_HDR_LEN + (kind >> 3 & 3) * RTE_VLAN_HLEN;
	mbuf->l3_len = ipv6 ? 40 + options % 24 * 8 : 20 + options % 11 * 4;
	mbuf->l4_len = udp ? 8 : 20 + options / 16 % 11 * 4;
	mbuf->tso_segsz = RTE_MAX(size, 1);
	len = (uint16_t)(mbuf->pkt_len - mbuf->l2_len - (ipv6 ? 40 : 0));
	packet_put(mbuf, mbuf->l2_len, ipv6 ? 0x60 : (uint8_t)(0x40 | mbuf->l3_len / 4));
	packet_put(mbuf, mbuf->l2_len + (ipv6 ? 4u : 2u), (uint8_t)(len >> 8));
	packet_put(mbuf, mbuf->l2_len + (ipv6 ? 5u : 3u), (uint8_t)len);
	/* FIN, PSH and CWR are of some segments only. */
	if (!udp)
		packet_put(mbuf, mbuf->l2_len + mbuf->l3_len + 13u, kind);
}

/* What an application asks of a device about a packet, right or wrong, and an IP header's lengths. */
static void
card_flags(struct card *card, struct rte_mbuf *mbuf)
{
	static const uint64_t flags[8] = {
		RTE_MBUF_F_TX_IPV4,      RTE_MBUF_F_TX_IPV6,         RTE_MBUF_F_TX_IP_CKSUM,
		RTE_MBUF_F_TX_TCP_CKSUM, RTE_MBUF_F_TX_UDP_CKSUM,    RTE_MBUF_F_TX_TCP_SEG,
		RTE_MBUF_F_TX_UDP_SEG,   RTE_MBUF_F_TX_TUNNEL_VXLAN,
	};
	uint8_t which = fuzz_u8(&card->in);
	uint16_t at, i;

	/* Nobody segments a UDP packet in a tunnel. */
	if ((which & 0xc0) == 0xc0) {
		card_large(card, mbuf);
		return;
	}
	for (i = 0; i < RTE_DIM(flags); i++)
		if (which & 1 << i)
			mbuf->ol_flags |= flags[i];
	mbuf->l2_len = fuzz_u8(&card->in) & 0x7f;
	mbuf->l3_len = fuzz_u8(&card->in);
	if ((mbuf->ol_flags & (RTE_MBUF_F_TX_TCP_SEG | RTE_MBUF_F_TX_UDP_SEG)) != 0) {
		mbuf->l4_len = fuzz_u8(&card->in);
		mbuf->tso_segsz = fuzz_u16(&card->in);
	}
	/* Often what fits: an Ethernet header, IP lengths that are right. */
	if (mbuf->l2_len & 1) {
		uint16_t len;

		mbuf->l2_len = RTE_ETHER_HDR_LEN;
		mbuf->l3_len = mbuf->ol_flags & RTE_MBUF_F_TX_IPV6 ? 40 : 20;
		mbuf->l4_len = 20;
		len = rte_cpu_to_be_16(
			(uint16_t)(mbuf->pkt_len - 14 - (mbuf->l3_len == 40 ? 40 : 0)));
		if (mbuf->data_len < 40)
			return;
		*rte_pktmbuf_mtod_offset(mbuf, uint8_t *, 14) = mbuf->l3_len == 40 ? 0x60 : 0x45;
		memcpy(rte_pktmbuf_mtod_offset(mbuf, void *, mbuf->l3_len == 40 ? 18 : 16), &len,
		       sizeof(len));
		return;
	}
	for (at = mbuf->l2_len; at < mbuf->l2_len + 6 && at < mbuf->data_len; at++)
		*rte_pktmbuf_mtod_offset(mbuf, uint8_t *, at) = fuzz_u8(&card->in);
}

/* The driver receives. */
static void
card_tx(struct card *card)
{
	uint16_t nb = fuzz_u8(&card->in) % BURST + 1, n, i;
	uint32_t len = fuzz_u16(&card->in), seg = fuzz_u8(&card->in) * 8u + 14;
	struct rte_mbuf *mbufs[BURST];
	bool copy = (len & 1) != 0;

	/* Long ones are rare: a few of them take all of the pool. */
	if (len < 0xf000)
		len %= 4096;
	for (i = 0; i < nb; i++) {
		mbufs[i] = card_packet(len, seg);
		if (mbufs[i] == NULL)
			break;
		if (len & 2)
			card_flags(card, mbufs[i]);
	}
	nb = i;
	n = copy ? rte_vduse_net_tx_copy(card->net, 0, mbufs, nb)
		 : rte_vduse_net_tx_burst(card->net, 0, mbufs, nb);
	fuzz_check(n <= nb, "%u packets of %u", n, nb);
	rte_pktmbuf_free_bulk(mbufs + (copy ? 0 : n), copy ? nb : nb - n);
	check_burst(card, RX);
	fuzz_ring_reap(&card->rings[RX]);
}

static void
card_create(struct card *card, uint8_t how, uint8_t size)
{
	struct rte_vduse_net_conf conf = {
		.size = sizeof(struct rte_vduse_net_conf),
		.path = "/dev/vduse/fuzz0",
		.pairs = 1,
		.queue_size = (uint16_t)(2 << size % 8),
		.mac = { { 2, 0, 0, 0, 0, 1 } },
		.mtu = how & 1 ? 0 : RTE_VDUSE_NET_MTU_MAX,
		.socket_id = SOCKET_ID_ANY,
		.linear = (how & 2) != 0,
		.extbuf = (how & 4) != 0,
		.offloads = how & 8 ? UINT64_MAX : 0,
	};

	card->loop = vduse_loopback_new();
	fuzz_check(card->loop != NULL, "no memory");
	conf.transport = &vduse_transport_loopback;
	conf.transport_priv = card->loop;
	if (how & 16)
		vduse_loopback_vq_size_max(card->loop, VRING_SIZE_MAX);
	fuzz_check(rte_vduse_net_create(&conf, &card->net) == 0, "no device");
	rte_vduse_net_set_partial_csum(card->net, (how & 32) != 0);
	rte_vduse_net_set_rx_gso(card->net, how & 64 ? UINT64_MAX : 0);
	card->dev = rte_vduse_net_dev(card->net);
	fuzz_check(rte_vduse_net_start(card->net, RTE_VDUSE_ATTACH_NONE) == 0, "no start");
}

/* What the driver does not take of large packets and of packets without a checksum. */
static uint64_t
card_guest_offloads(struct card *card)
{
	static const uint8_t bits[] = {
		VIRTIO_NET_F_GUEST_CSUM, VIRTIO_NET_F_GUEST_TSO4, VIRTIO_NET_F_GUEST_TSO6,
		VIRTIO_NET_F_GUEST_ECN,  VIRTIO_NET_F_GUEST_USO4, VIRTIO_NET_F_GUEST_USO6,
	};
	uint8_t which = fuzz_u8(&card->in);
	uint64_t features = 0;
	unsigned int i;

	for (i = 0; i < RTE_DIM(bits); i++)
		if (which & 1 << i)
			features |= FUZZ_BIT(bits[i]);
	return features;
}

static uint64_t
card_features(struct card *card)
{
	static const uint8_t bits[] = {
		VIRTIO_F_RING_PACKED,    VIRTIO_F_IN_ORDER,      VIRTIO_RING_F_INDIRECT_DESC,
		VIRTIO_RING_F_EVENT_IDX, VIRTIO_NET_F_MRG_RXBUF, VIRTIO_F_VERSION_1,
	};
	uint8_t without = fuzz_u8(&card->in);
	uint64_t features = card->dev->offered;
	unsigned int i;

	for (i = 0; i < RTE_DIM(bits); i++)
		if (without & 1 << i)
			features &= ~FUZZ_BIT(bits[i]);
	if ((without & 0xc0) == 0xc0)
		features ^= FUZZ_BIT(fuzz_u8(&card->in) % 64);
	/* A driver that leaves checksums and segmentation to the device. */
	if ((without & 0xc0) == 0x40)
		features &= ~card_guest_offloads(card);
	return features;
}

/* A driver comes up with two new rings. */
static void
card_up(struct card *card)
{
	static const uint8_t shifts[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 4, 5, 6, 7, 9, 11, 14 };
	uint8_t size = fuzz_u8(&card->in), how = fuzz_u8(&card->in);
	uint16_t index = how & 1 ? fuzz_u16(&card->in) : 0, i;
	uint64_t features = card_features(card);
	struct vduse_vq_info info;

	card_reset(card);
	fuzz_memory_truncate(&card->memory, 0);
	fuzz_memory_truncate(&card->memory, FUZZ_ALL);
	for (i = 0; i < QUEUES; i++) {
		fuzz_ring_close(&card->rings[i]);
		fuzz_ring_open(&card->rings[i], &card->memory, i * FUZZ_RINGS / QUEUES,
			       1u << shifts[(i == 0 ? size : size >> 4) % 16], features, index);
		info = fuzz_ring_info(&card->rings[i], i, (how & 2) == 0);
		vduse_loopback_set_vq(card->loop, i, &info);
	}
	fuzz_memory_show(&card->memory, card->loop, how & 4 ? how >> 5 : 6);
	vduse_loopback_set_features(card->loop, features);
	if (how & 8)
		(void)card_set_status(card, STATUS_FEATURES);
	(void)card_set_status(card, STATUS_UP);
}

/*
 * What a driver with offloads sends: a header that asks for a checksum or for segmentation, and a
 * frame of IPv4 or IPv6 with TCP or UDP, of which the input may change a byte.
 */
static void
card_frame(struct card *card, uint8_t *hdr_at, uint8_t *at)
{
	uint8_t kind = fuzz_u8(&card->in), types[] = { 0, 1, 4, 5 }, *l3 = at + RTE_ETHER_HDR_LEN;
	bool ipv6 = (kind & 1) != 0, udp = (kind & 2) != 0;
	struct virtio_net_hdr hdr = { .flags = VIRTIO_NET_HDR_F_NEEDS_CSUM };
	uint16_t type, l3_len = ipv6 ? 40 : 20, where;

	memset(at, 0, 128);
	if (kind & 4) {
		*(at + 12) = 0x81;
		l3 += RTE_VLAN_HLEN;
	}
	type = ipv6 ? RTE_BE16(RTE_ETHER_TYPE_IPV6) : RTE_BE16(RTE_ETHER_TYPE_IPV4);
	memcpy(l3 - sizeof(type), &type, sizeof(type));
	l3[0] = ipv6 ? 0x60 : 0x45;
	l3[ipv6 ? 6 : 9] = udp ? 17 : 6;
	l3[l3_len + 12] = 0x50;
	hdr.gso_type = types[kind >> 4 & 3] | (kind & 0x80);
	hdr.gso_size = fuzz_u16(&card->in);
	hdr.csum_start = (uint16_t)(l3 + l3_len - at);
	hdr.csum_offset = udp ? 6 : 16;
	where = fuzz_u8(&card->in);
	if (kind & 8)
		at[where % 128] = fuzz_u8(&card->in);
	memcpy(hdr_at, &hdr, sizeof(hdr));
}

/* A row of like chains: buffers to fill, or packets to send with a header that may be anything. */
static void
card_post(struct card *card)
{
	uint8_t what = fuzz_u8(&card->in), shape = fuzz_u8(&card->in);
	uint32_t nb = 1 + fuzz_u8(&card->in) * (what & 8 ? 16u : 1u), i, j;
	uint32_t len = fuzz_u16(&card->in) % 4096, parts = shape % 8 + 1;
	struct fuzz_ring *ring = &card->rings[what & 1];
	struct fuzz_piece pieces[FUZZ_PIECES];
	struct virtio_net_hdr_v1 *header;
	uint64_t at, first = FUZZ_DATA_IOVA + ring->posted % 192 * 4096;
	uint8_t *bytes = fuzz_memory_at(&card->memory, first, 4096);
	/* Where the frame begins: after the header of a legacy driver, or in the second piece. */
	uint32_t frame = shape & 16 ? 12 + 64 : card->net->queues[TX].hdr_len;

	for (i = 0; i < RTE_MIN(nb, POSTS_MAX); i++) {
		at = FUZZ_DATA_IOVA + ring->posted % 192 * 4096;
		header = fuzz_memory_at(&card->memory, at, sizeof(*header));
		if (header != NULL && (what & 1))
			memset(header, what & 16 ? 0xff : 0, sizeof(*header));
		if (header != NULL && i == 0 && bytes != NULL && (what & 0x21) == 0x21)
			card_frame(card, bytes, bytes + frame);
		/* The header in a piece of its own, or not. */
		pieces[0] = (struct fuzz_piece){ at, shape & 16 ? sizeof(*header) : len,
						 (what & 1) == RX };
		for (j = 1; j < parts; j++)
			pieces[j] = (struct fuzz_piece){ at + 12 + j * 64, len, (what & 1) == RX };
		if (!fuzz_ring_post(ring, pieces, parts, (shape & 8) != 0))
			return;
	}
}

static void
card_write(struct card *card)
{
	uint8_t what = fuzz_u8(&card->in);
	struct fuzz_ring *ring = &card->rings[what & 1];

	switch (what / 2 % 4) {
	case 0:
		fuzz_ring_write_desc(ring, &card->in);
		return;
	case 1:
		fuzz_ring_write_avail(ring, &card->in);
		return;
	case 2:
		fuzz_ring_write_event(ring, &card->in);
		return;
	default:
		fuzz_ring_write_bytes(ring, &card->in);
	}
}

static void
card_message(struct card *card)
{
	static const uint32_t types[] = { VDUSE_UPDATE_IOTLB, VDUSE_GET_VQ_STATE,
					  VDUSE_TRANSPORT_VQ_CHANGED,
					  VDUSE_TRANSPORT_CONFIG_WRITE };
	uint8_t how = fuzz_u8(&card->in);
	struct vduse_dev_request req = { .type = types[how / 16 % 4] };
	uint16_t index = how & 1;
	struct vduse_vq_info info;

	if (req.type == VDUSE_TRANSPORT_CONFIG_WRITE) {
		req = vduse_loopback_config_written(fuzz_u8(&card->in), how);
	} else if (req.type == VDUSE_UPDATE_IOTLB) {
		req.iova_v2.last = UINT64_MAX;
	} else {
		req.vq_state.index = how & 0x80 ? how : index;
	}
	if (req.type == VDUSE_TRANSPORT_VQ_CHANGED) {
		info = fuzz_ring_info(&card->rings[index], index, (how & 2) == 0);
		if (how & 4)
			info.num = fuzz_u16(&card->in);
		if (how & 8)
			info.split.avail_index = fuzz_u16(&card->in);
		vduse_loopback_set_vq(card->loop, index, &info);
	}
	(void)card_ask(card, req);
}

/* What the application may do meanwhile. */
static void
card_application(struct card *card)
{
	uint8_t how = fuzz_u8(&card->in);
	uint16_t value = fuzz_u16(&card->in);
	struct rte_ether_addr mac = { { 2, how } };

	switch (how % 4) {
	case 0:
		(void)rte_vduse_net_set_mtu(card->net, value);
		return;
	case 1:
		(void)rte_vduse_net_set_link(card->net, value & 1);
		return;
	case 2:
		(void)rte_vduse_net_set_mac(card->net, &mac);
		return;
	default:
		(void)rte_vduse_net_notify(card->net, value % 3, (value & 4) != 0);
		(void)rte_vduse_net_tx_count(card->net, 0);
		(void)rte_vduse_net_rx_count(card->net, 0);
		if (value & 8)
			card->dev->ops->announce(card->dev, mac.addr_bytes, card->dev->arg);
	}
}

static void
card_memory(struct card *card)
{
	uint8_t how = fuzz_u8(&card->in);

	fuzz_memory_show(&card->memory, card->loop, how);
	if (how & 0x80)
		(void)card_ask(card, vduse_loopback_memory_changed());
}

static void
card_truncate(struct card *card)
{
	uint16_t size = fuzz_u16(&card->in);

	fuzz_memory_truncate(&card->memory, size & 1 ? FUZZ_ALL : size % 512 * UINT64_C(4096));
}

/* What is to happen more often stands here more often. */
static void (*const operations[])(struct card *card) = {
	card_up,      card_post,        card_post,   card_post,     card_rx,    card_rx,
	card_tx,      card_tx,          card_write,  card_write,    card_write, card_message,
	card_message, card_application, card_memory, card_truncate,
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct card card = { .in = { data, size } };
	unsigned int fds = fuzz_fds(), now, i;
	uint8_t how = fuzz_u8(&card.in), log2 = fuzz_u8(&card.in);

	fuzz_memory_open(&card.memory);
	card_create(&card, how, log2);
	card_up(&card);
	while (card.in.left > 0)
		operations[fuzz_u8(&card.in) % RTE_DIM(operations)](&card);
	card_rx(&card);
	card_tx(&card);
	card_reset(&card);
	rte_vduse_net_destroy(card.net);
	vduse_loopback_free(card.loop);
	for (i = 0; i < QUEUES; i++)
		fuzz_ring_close(&card.rings[i]);
	fuzz_memory_close(&card.memory);
	fuzz_pool_check(pool, POOL_MBUFS);
	fuzz_pool_check(few, FEW_MBUFS);
	/* The control thread's own come with the first device. */
	now = fuzz_fds();
	fuzz_check(now <= fds + 2, "%u file descriptors, were %u", now, fds);
	return 0;
}
