/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The virtio-net header of packets from a driver, and offloads in both directions. Network devices
 * that are kept for all runs receive one packet, and send it on.
 * Input: bytes of choices, then a virtio-net header and a frame as a driver sends them. Output:
 * none, unless a check fails: only bytes of the chain are read and only buffers are written, every
 * popped chain is used, packets are what their flags and headers say, no mbuf is lost.
 * Thread: libFuzzer's, which takes the place of the control thread too.
 */
#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include <rte_mbuf.h>
#include <rte_mbuf_ptype.h>
#include <rte_net.h>

#include <vduse/core/device.h>
#include <virtio_net/offload.h>

#include "fuzz_device.h"
#include "fuzz_packet.h"

/* The driver's directions: it receives on RX what the device transmits. */
#define RX 0
#define TX 1

#define PORTS      4
#define RING_SIZE  64
#define RING_ROOM  4096
#define POOL_MBUFS 255
#define POOL_ROOM  1024
/* A pool in which a packet takes several mbufs, and a few packets take all. */
#define FEW_MBUFS 31
#define FEW_ROOM  192
#define BURST     32
/* One chain is finished after as many: a segment for each byte. */
#define BURSTS_MAX 64

/* The chain of the driver in pieces of its own pages, then buffers for what it receives. */
#define CHAIN_MAX    2048
#define PIECE_ROOM   (CHAIN_MAX + 64)
#define PIECES       4
#define BUFFERS_IOVA (FUZZ_DATA_IOVA + UINT64_C(0x10000))
#define BUFFER_ROOM  2112
static_assert(PIECES * PIECE_ROOM <= 0x10000, "pieces and buffers overlap");

/* What a driver accepts of the device apart from offloads that the device asks of it. */
struct port {
	struct fuzz_device device;
	uint64_t features;
};

struct run {
	struct fuzz_input in;
	struct port *from, *to; /* to: NULL if what is received is not sent on */
	struct fuzz_ring rx, tx;
	uint8_t change;      /* of flags and lengths of packets that are sent on */
	uint8_t buffers;     /* number and length of the driver's */
	uint32_t buffer_len; /* of those that are posted */
	uint64_t buffer_at[RING_SIZE];
};

static struct port ports[PORTS];
static struct rte_mempool *pool, *few;

static void
port_open(unsigned int nr, uint64_t without, bool linear, bool extbuf)
{
	static const char *const paths[PORTS] = { "/dev/vduse/fuzz0", "/dev/vduse/fuzz1",
						  "/dev/vduse/fuzz2", "/dev/vduse/fuzz3" };
	struct rte_vduse_net_conf conf = {
		.size = sizeof(struct rte_vduse_net_conf),
		.path = paths[nr],
		.pairs = 1,
		.queue_size = RING_SIZE,
		.mac = { { 2, 0, 0, 0, 0, 1 } },
		.mtu = nr == 2 ? 500 : 0,
		.socket_id = SOCKET_ID_ANY,
		.linear = linear,
		.extbuf = extbuf,
		.offloads = UINT64_MAX,
	};

	fuzz_device_open(&ports[nr].device, &conf);
	/* In-order would hide the lengths of used buffers. */
	ports[nr].features =
		ports[nr].device.dev->offered & ~without & ~FUZZ_BIT(VIRTIO_F_IN_ORDER);
}

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	const uint64_t packed = FUZZ_BIT(VIRTIO_F_RING_PACKED);
	const uint64_t csum = VNET_OFFLOAD(GUEST_CSUM);

	RTE_SET_USED(argc);
	RTE_SET_USED(argv);
	fuzz_init();
	pool = fuzz_pool_new("fuzz", POOL_MBUFS, POOL_ROOM);
	few = fuzz_pool_new("few", FEW_MBUFS, FEW_ROOM);
	/* All offloads, none to the driver, checksums only, all without several buffers a packet. */
	port_open(0, packed, false, false);
	port_open(1, VNET_OFFLOADS_GUEST | csum, false, false);
	port_open(2, packed | VNET_OFFLOADS_GUEST, true, true);
	port_open(3, packed | FUZZ_BIT(VIRTIO_NET_F_MRG_RXBUF), true, false);
	fuzz_device_hide(FUZZ_DATA_IOVA, FUZZ_DATA - FUZZ_TABLE);
	return 0;
}

static const struct vnet_queue *
port_queue(const struct port *port, uint16_t index)
{
	return &port->device.net->queues[index];
}

static void
check_running(const struct port *port, uint16_t index)
{
	fuzz_check(port_queue(port, index)->vq->state == RTE_VDUSE_VQ_RUNNING,
		   "virtqueue %u stopped, state %u", index, port_queue(port, index)->vq->state);
	fuzz_check_used(port_queue(port, index));
}

/* Tells a device of one ring, which is new, or that the virtqueue is not used. */
static void
port_ring(struct port *port, uint16_t index, struct fuzz_ring *ring, uint64_t at)
{
	struct vduse_vq_info info = { .index = index };

	if (ring != NULL) {
		fuzz_device_clear(at, RING_ROOM);
		fuzz_ring_open(ring, fuzz_device_memory(), at, RING_SIZE, port->features, 0);
		info = fuzz_ring_info(ring, index, true);
	}
	vduse_loopback_set_vq(port->device.loop, index, &info);
}

static void
run_up(struct run *run, uint8_t how)
{
	struct rte_vduse_net *net;

	run->from = &ports[how % PORTS];
	run->to = (how & 0x10) != 0 ? NULL : &ports[how / 4 % PORTS];
	net = run->from->device.net;
	rte_vduse_net_set_partial_csum(net, (how & 0x20) != 0);
	rte_vduse_net_set_rx_gso(net, (how & 0x40) != 0 ? UINT64_MAX : 0);
	port_ring(run->from, RX, NULL, 0);
	port_ring(run->from, TX, &run->tx, RING_ROOM);
	if (run->to != NULL) {
		port_ring(run->to, RX, &run->rx, 0);
		if (run->to != run->from) {
			port_ring(run->to, TX, NULL, 0);
			fuzz_device_up(&run->to->device, run->to->features);
		}
	}
	fuzz_device_up(&run->from->device, run->from->features);
}

static void
run_down(struct run *run)
{
	fuzz_device_reset(&run->from->device);
	if (run->to != NULL && run->to != run->from)
		fuzz_device_reset(&run->to->device);
	if (run->to != NULL)
		fuzz_ring_close(&run->rx);
	fuzz_ring_close(&run->tx);
	fuzz_device_hide(FUZZ_DATA_IOVA, PIECES * PIECE_ROOM);
	fuzz_device_hide(BUFFERS_IOVA, RTE_MIN(run->rx.posted, RING_SIZE + 0u) * BUFFER_ROOM);
}

/* The driver sends the rest of the input: pieces that end anywhere, at even and odd addresses. */
static void
run_post(struct run *run, uint8_t shape)
{
	uint8_t cuts[PIECES - 1];
	struct fuzz_piece pieces[PIECES];
	unsigned int nb = 0, i;
	uint32_t left, len;

	fuzz_bytes(&run->in, cuts, sizeof(cuts));
	left = (uint32_t)RTE_MIN(run->in.left, (size_t)CHAIN_MAX);
	for (i = shape % PIECES; left > 0; i--) {
		uint64_t at = FUZZ_DATA_IOVA + nb * PIECE_ROOM + (shape >> 4);

		len = i == 0 ? left : RTE_MIN(left, 1u + cuts[i - 1]);
		/* rte_memcpy() loads the aligned 16 bytes in which its source begins. */
		fuzz_device_unhide(RTE_ALIGN_FLOOR(at, UINT64_C(16)), len + at % 16);
		fuzz_bytes(&run->in, fuzz_memory_at(run->tx.memory, at, len), len);
		pieces[nb++] = (struct fuzz_piece){ at, len, false };
		left -= len;
	}
	if (nb > 0)
		fuzz_check(fuzz_ring_post(&run->tx, pieces, nb, (shape & 8) != 0),
			   "no room for %u pieces", nb);
}

/* The driver adds buffers to its ring, of one length in a run. */
static void
run_post_buffers(struct run *run)
{
	unsigned int nb = run->buffers % 32 + 1u;
	struct fuzz_piece piece = { .len = run->buffer_len, .write = true };

	while (nb-- > 0) {
		piece.iova = BUFFERS_IOVA + run->rx.posted % RING_SIZE * BUFFER_ROOM;
		fuzz_device_unhide(piece.iova, piece.len);
		if (!fuzz_ring_post(&run->rx, &piece, 1, false))
			return;
		run->buffer_at[run->rx.order[(run->rx.posted - 1) % RING_SIZE]] = piece.iova;
	}
}

/* The header of a packet for the driver asks only for what the driver accepted, and is right. */
static void
check_sent(const struct run *run, const struct virtio_net_hdr_v1 *hdr, uint32_t len)
{
	uint64_t offloads = vnet_offloads_valid(run->to->features), need = 0;
	uint32_t start = rte_le_to_cpu_16(hdr->csum_start);

	if (hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		need |= VNET_OFFLOAD(GUEST_CSUM);
		fuzz_check(start + rte_le_to_cpu_16(hdr->csum_offset) + 2 <= len,
			   "a checksum at %u + %u in a packet of %u", start,
			   rte_le_to_cpu_16(hdr->csum_offset), len);
	}
	switch (hdr->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_NONE:
		break;
	case VIRTIO_NET_HDR_GSO_TCPV4:
		need |= VNET_OFFLOAD(GUEST_TSO4);
		break;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		need |= VNET_OFFLOAD(GUEST_TSO6);
		break;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		need |= (offloads & VNET_OFFLOAD(GUEST_USO6)) ? VNET_OFFLOAD(GUEST_USO6)
							      : VNET_OFFLOAD(GUEST_USO4);
		break;
	default:
		fuzz_fail("packet of type 0x%x", hdr->gso_type);
	}
	if (hdr->gso_type & VIRTIO_NET_HDR_GSO_ECN)
		need |= VNET_OFFLOAD(GUEST_ECN);
	fuzz_check((need & ~offloads) == 0, "flags 0x%x and type 0x%x were not accepted",
		   hdr->flags, hdr->gso_type);
	fuzz_check(hdr->gso_type == 0 ||
			   (hdr->gso_size != 0 && (hdr->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) != 0 &&
			    rte_le_to_cpu_16(hdr->hdr_len) < len),
		   "large packet of %u, segments of %u, headers of %u, flags 0x%x", len,
		   hdr->gso_size, hdr->hdr_len, hdr->flags);
}

/* The driver takes back a buffer. */
static bool
run_take(struct run *run, uint64_t *at, uint32_t *len)
{
	enum fuzz_taken taken;
	uint32_t head;

	taken = fuzz_ring_take(&run->rx, &head, len);
	if (taken == FUZZ_TAKEN_NONE)
		return false;
	fuzz_check(taken == FUZZ_TAKEN, "buffer %u was used twice or not posted", head);
	fuzz_check(*len <= run->buffer_len, "%u bytes in a buffer of %u", *len, run->buffer_len);
	*at = run->buffer_at[head];
	return true;
}

/* The driver takes the packets that it received. */
static void
run_reap(struct run *run)
{
	struct virtio_net_hdr_v1 hdr;
	uint32_t len, more, nb, i;
	uint64_t at, other;

	while (run_take(run, &at, &len)) {
		/* One in which a header has no room is used without one. */
		if (run->buffer_len < sizeof(hdr)) {
			fuzz_check(len == 0, "%u bytes without a header", len);
			continue;
		}
		fuzz_check(len >= sizeof(hdr), "%u bytes, not a header", len);
		memcpy(&hdr, fuzz_memory_at(run->rx.memory, at, sizeof(hdr)), sizeof(hdr));
		nb = rte_le_to_cpu_16(hdr.num_buffers);
		fuzz_check(nb >= 1 && (nb == 1 || port_queue(run->to, RX)->mergeable),
			   "a packet in %u buffers", nb);
		for (i = 1; i < nb; i++) {
			fuzz_check(run_take(run, &other, &more) && more > 0,
				   "%u buffers of a packet in %u", i, nb);
			len += more;
		}
		check_sent(run, &hdr, len - (uint32_t)sizeof(hdr));
	}
}

/* What an application asks for that sends on what it received, or something else. */
static void
run_flags(const struct run *run, struct rte_mbuf *mbuf)
{
	bool none = (mbuf->ol_flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_NONE;
	bool large = (mbuf->ol_flags & RTE_MBUF_F_RX_LRO) != 0;
	struct rte_net_hdr_lens lens = { 0 };
	uint32_t ptype = rte_net_get_ptype(
		mbuf, &lens, RTE_PTYPE_L2_MASK | RTE_PTYPE_L3_MASK | RTE_PTYPE_L4_MASK);
	bool udp = (ptype & RTE_PTYPE_L4_MASK) == RTE_PTYPE_L4_UDP;

	mbuf->ol_flags &= RTE_MBUF_F_EXTERNAL;
	mbuf->ol_flags |= RTE_ETH_IS_IPV6_HDR(ptype) ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
	if (none || (run->change & 1))
		mbuf->ol_flags |= udp ? RTE_MBUF_F_TX_UDP_CKSUM : RTE_MBUF_F_TX_TCP_CKSUM;
	if (large || (run->change & 2))
		mbuf->ol_flags |= udp ? RTE_MBUF_F_TX_UDP_SEG : RTE_MBUF_F_TX_TCP_SEG;
	if (run->change & 4)
		mbuf->ol_flags |= RTE_MBUF_F_TX_IP_CKSUM;
	mbuf->l2_len = lens.l2_len & 0x7f;
	mbuf->l3_len = lens.l3_len & 0x1ff;
	mbuf->l4_len = lens.l4_len;
	if (!large)
		mbuf->tso_segsz = (uint16_t)(1u + run->change);
	/* One of the lengths, or both flags of a version, are wrong. */
	switch (run->change >> 5) {
	case 1:
		mbuf->l2_len = run->change & 0x1f;
		break;
	case 2:
		mbuf->l3_len = (uint16_t)((run->change & 0x1f) * 16u) & 0x1ff;
		break;
	case 3:
		mbuf->l4_len = (uint8_t)((run->change & 0x1f) * 8u);
		break;
	case 4:
		mbuf->ol_flags ^= RTE_MBUF_F_TX_IPV4 | RTE_MBUF_F_TX_IPV6;
		break;
	default:
		break;
	}
}

static void
run_send(struct run *run, struct rte_mbuf **mbufs, uint16_t nb)
{
	uint16_t n, i;

	for (i = 0; i < nb; i++)
		run_flags(run, mbufs[i]);
	run_post_buffers(run);
	n = rte_vduse_net_tx_burst(run->to->device.net, 0, mbufs, nb);
	fuzz_check(n <= nb, "%u packets of %u", n, nb);
	rte_pktmbuf_free_bulk(mbufs + n, nb - n);
	check_running(run->to, RX);
	run_reap(run);
}

/* The application receives all of the chain, and sends it on. */
static void
run_receive(struct run *run, struct rte_mempool *from)
{
	struct rte_vduse_net *net = run->from->device.net;
	struct rte_mbuf *mbufs[BURST];
	unsigned int bursts = 0;
	uint16_t n, i;

	do {
		fuzz_check(bursts++ < BURSTS_MAX, "a packet in more than %u bursts", bursts);
		n = rte_vduse_net_rx_burst(net, 0, from, mbufs, BURST);
		fuzz_check(n <= BURST, "%u packets", n);
		for (i = 0; i < n; i++)
			fuzz_check_received(net, mbufs[i]);
		check_running(run->from, TX);
		if (run->to != NULL && n > 0)
			run_send(run, mbufs, n);
		else
			rte_pktmbuf_free_bulk(mbufs, n);
	} while (rte_vduse_net_rx_count(net, 0) > 0);
	fuzz_check(port_queue(run->from, TX)->gso_at == 0, "a packet is left half received");
	fuzz_ring_reap(&run->tx);
	fuzz_check(run->tx.packed ? run->tx.in_ring == 0 : run->tx.nb_free == run->tx.room,
		   "the chain is not used");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint32_t buffer_lens[8] = { 2048, 2048, 1536, 512, 128, 64, 13, 11 };
	struct run run = { .in = { data, size } };
	uint8_t how = fuzz_u8(&run.in), shape = fuzz_u8(&run.in);
	int fd = fuzz_device_next_fd();

	run.buffers = fuzz_u8(&run.in);
	run.buffer_len = buffer_lens[run.buffers >> 5];
	run.change = fuzz_u8(&run.in);
	run_up(&run, how);
	run_post(&run, shape);
	run_receive(&run, (how & 0x80) != 0 ? few : pool);
	run_down(&run);
	fuzz_pool_check(pool, POOL_MBUFS);
	fuzz_pool_check(few, FEW_MBUFS);
	fuzz_check(fuzz_device_next_fd() == fd, "file descriptor %d is leaked", fd);
	return 0;
}
