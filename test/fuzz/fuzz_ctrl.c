/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A network device with a control queue over the loopback. The input controls its driver: commands
 * of any layout, packets between them, resets.
 * Input: choices about the device, then operations with their arguments. Output: none, unless a
 * check fails: each command of a ring that the input did not damage is answered exactly once, a
 * refused one changes nothing, what the commands set stays within bounds, each packet is counted
 * once, and no mbuf and no file descriptor is leaked.
 * Thread: libFuzzer's, which polls too; the control thread serves the control queue while it is
 * waited for.
 */
#include <string.h>
#include <sys/eventfd.h>

#include <linux/virtio_config.h>

#include <rte_mbuf.h>
#include <rte_vduse_compat.h>

#include <vduse/core/ctrl_thread.h>
#include <vduse/core/device.h>
#include <virtio_net/ctrl.h>
#include <virtio_net/net.h>

#include "fuzz_command.h"
#include "fuzz_ctrl_state.h"
#include "fuzz_packet.h"
#include "fuzz_ring.h"

#define STATUS_FEATURES                                                                            \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK)
#define STATUS_UP (STATUS_FEATURES | VIRTIO_CONFIG_S_DRIVER_OK)

#define PAIRS_MAX  4
#define QUEUES_MAX (2 * PAIRS_MAX + 1)
#define POOL_MBUFS 255
#define POOL_ROOM  1024
#define BURST      8
#define RING_ROOM  (FUZZ_RINGS / 16)
static_assert(QUEUES_MAX <= 16, "rings overlap");

/* Data lies in slots: those of commands first, the rest are of packets. */
#define SLOT         FUZZ_COMMAND_SLOT
#define SLOTS_CTRL   FUZZ_REQUESTS_MAX
#define SLOTS_PACKET 126
static_assert((SLOTS_CTRL + SLOTS_PACKET + 1) * SLOT <= FUZZ_DATA - FUZZ_TABLE, "slots and tables");
/* A queue that has more to do than this never ends: a ring of 256 has 16 turns. */
#define TURNS_MAX 1000

struct card {
	struct fuzz_input in;
	struct vduse_loopback *loop;
	struct rte_vduse_net *net;
	struct rte_vduse_dev *dev;
	struct fuzz_memory memory;
	struct fuzz_ring rings[QUEUES_MAX];
	uint16_t nb_queues;
	uint16_t ctrl; /* index of the control queue with the features of the driver */
	/* The rings and the memory are those of a driver that obeys the rules. */
	bool honest;
	struct fuzz_requests requests;
	uint32_t slots[2]; /* used so far: of commands, of packets */
};

static struct rte_mempool *pool;

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	RTE_SET_USED(argc);
	RTE_SET_USED(argv);
	fuzz_init();
	pool = fuzz_pool_new("fuzz", POOL_MBUFS, POOL_ROOM);
	return 0;
}

static uint32_t
card_state(const struct card *card, uint16_t index)
{
	return rte_atomic_load_explicit(&card->net->queues[index].vq->state,
					rte_memory_order_acquire);
}

static bool
card_has_ctrl(const struct card *card)
{
	return card_state(card, card->ctrl) == RTE_VDUSE_VQ_RUNNING &&
	       card->net->queues[card->ctrl].ctrl;
}

/* On the control thread: whether it has to serve virtqueues. */
static int
dev_is_kicked(struct rte_vduse_dev *dev)
{
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++)
		if (dev->vqs[i].kicked)
			return 1;
	return 0;
}

/* Returns when the control thread has served what it can. */
static void
card_sync(struct card *card)
{
	unsigned int turns;
	bool waits;

	for (turns = 0; turns < TURNS_MAX; turns++) {
		fuzz_sync(card->dev);
		waits = card_state(card, card->ctrl) == RTE_VDUSE_VQ_WAITING;
		if (!waits && vduse_ctrl_run(dev_is_kicked, card->dev) == 0)
			return;
	}
	fuzz_fail("the control queue is served without an end, or a miss is not served");
}

/* After a burst: what it woke the control thread for is done. */
static void
card_burst_end(struct card *card)
{
	uint16_t i;

	for (i = 0; i < card->nb_queues; i++)
		if (card_state(card, i) == RTE_VDUSE_VQ_WAITING) {
			card_sync(card);
			fuzz_check(card_state(card, i) != RTE_VDUSE_VQ_WAITING,
				   "virtqueue %u: a miss is not served", i);
		}
}

static bool
card_ask(struct card *card, struct vduse_dev_request req)
{
	bool ok = fuzz_ask(card->loop, &req);

	card_sync(card);
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
	const struct rte_vduse_net *net = card->net;
	uint16_t i;

	fuzz_check(card_set_status(card, 0), "reset refused");
	for (i = 0; i < card->nb_queues; i++)
		fuzz_check(card_state(card, i) == RTE_VDUSE_VQ_IDLE, "state %u after a reset",
			   card_state(card, i));
	fuzz_check(!rte_vduse_net_link(net), "the link is up after a reset");
	fuzz_check(!net->ctrl->begun && !net->ctrl->rss.on, "commands last after a reset");
	fuzz_check(memcmp(net->config.mac, net->mac.addr_bytes, sizeof(net->config.mac)) == 0,
		   "the driver's address lasts after a reset");
	card->requests.nb = 0;
}

/* The driver kicks, and waits. */
static void
card_kick(struct card *card)
{
	int fd = vduse_loopback_kick_fd(card->loop, card->ctrl);
	uint64_t ok = card->net->ctrl->commands_ok;
	struct fuzz_ctrl_state before = fuzz_ctrl_state(card->net), after;

	if (fd >= 0)
		(void)eventfd_write(fd, 1);
	card_sync(card);
	after = fuzz_ctrl_state(card->net);
	fuzz_check(card->net->ctrl->commands_ok != ok ||
			   memcmp(&before, &after, sizeof(before)) == 0,
		   "a refused command changed something");
	/* A ring that the device refused stays so until the reset. */
	card->honest &= card_has_ctrl(card);
	fuzz_requests_take(&card->requests, &card->rings[card->ctrl], card->honest);
}

static void
card_command(struct card *card)
{
	uint8_t how = fuzz_u8(&card->in), shape = fuzz_u8(&card->in), step = fuzz_u8(&card->in);
	uint64_t at = FUZZ_DATA_IOVA + (uint64_t)(card->slots[0]++ % SLOTS_CTRL) * SLOT + how % 8;
	struct fuzz_command command;

	fuzz_command_read(&command, &card->in, card->net->pairs);
	(void)fuzz_requests_post(&card->requests, &card->rings[card->ctrl], &command, at, shape,
				 step);
	if ((how & 0x18) != 0x18 || card->requests.nb == FUZZ_REQUESTS_MAX)
		card_kick(card);
}

static struct rte_mbuf *
card_packet(struct card *card, uint8_t how)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(pool);
	uint16_t len = how & 0x80 ? POOL_ROOM : 128;
	struct fuzz_frame frame;

	fuzz_check(mbuf != NULL, "no mbuf");
	frame = fuzz_command_frame(&card->in, (uint8_t *)rte_pktmbuf_append(mbuf, len), len);
	if ((how & 0x40) == 0)
		return mbuf;
	mbuf->ol_flags |= frame.ipv6 ? RTE_MBUF_F_TX_IPV6 : RTE_MBUF_F_TX_IPV4;
	mbuf->ol_flags |= frame.udp ? RTE_MBUF_F_TX_UDP_SEG : RTE_MBUF_F_TX_TCP_SEG;
	mbuf->l2_len = frame.l2;
	mbuf->l3_len = frame.l3;
	mbuf->l4_len = frame.l4;
	mbuf->tso_segsz = 1 + fuzz_u8(&card->in);
	return mbuf;
}

/* Packets to the driver that were taken so far, by what became of them. */
static uint64_t
card_counted(const struct card *card)
{
	struct rte_vduse_net_stats stats;
	uint64_t sum = 0;
	uint16_t i;

	for (i = 0; i < card->net->pairs; i++) {
		rte_vduse_net_stats(card->net, i, false, &stats, sizeof(stats));
		sum += stats.packets + stats.drops + stats.filtered;
	}
	return sum;
}

/* The application sends, and the driver receives. */
static void
card_tx(struct card *card)
{
	uint8_t how = fuzz_u8(&card->in);
	uint16_t pair = (uint16_t)(how / 8 % card->net->pairs), nb = how % BURST + 1, n, i;
	uint16_t used = rte_atomic_load_explicit(&card->net->pairs_used, rte_memory_order_relaxed);
	bool copy = fuzz_u8(&card->in) & 1;
	uint64_t counted = card_counted(card);
	struct rte_mbuf *mbufs[BURST];

	for (i = 0; i < nb; i++)
		mbufs[i] = card_packet(card, how);
	n = copy ? rte_vduse_net_tx_copy(card->net, pair, mbufs, nb)
		 : rte_vduse_net_tx_burst(card->net, pair, mbufs, nb);
	fuzz_check(n <= nb, "%u packets of %u", n, nb);
	fuzz_check(n == 0 || pair < used || (!copy && card->net->steer != NULL),
		   "%u packets on pair %u of %u", n, pair, used);
	fuzz_check(card_counted(card) == counted + n, "%u packets, counted from %lu to %lu", n,
		   counted, card_counted(card));
	rte_pktmbuf_free_bulk(mbufs + (copy ? 0 : n), copy ? nb : nb - n);
	card_burst_end(card);
	for (i = 0; i < card->net->pairs; i++)
		if (2 * i != card->ctrl)
			fuzz_ring_reap(&card->rings[2 * i]);
}

/* The driver sends, and the application receives. */
static void
card_rx(struct card *card)
{
	uint16_t pair = (uint16_t)(fuzz_u8(&card->in) % card->net->pairs), n, i;
	struct rte_mbuf *mbufs[BURST];

	n = rte_vduse_net_rx_burst(card->net, pair, pool, mbufs, BURST);
	fuzz_check(n <= BURST, "%u packets", n);
	for (i = 0; i < n; i++) {
		fuzz_check_received(card->net, mbufs[i]);
		rte_pktmbuf_free(mbufs[i]);
	}
	card_burst_end(card);
	fuzz_ring_reap(&card->rings[2 * pair + 1]);
}

/* Buffers to fill, or a frame with a header before it. */
static void
card_post(struct card *card)
{
	uint8_t what = fuzz_u8(&card->in), shape = fuzz_u8(&card->in);
	uint16_t pair = (uint16_t)(what / 2 % card->net->pairs), hdr_len;
	uint16_t index = (uint16_t)(2 * pair + (what & 1));
	uint32_t nb = what & 1 ? 1 : 1 + shape % 16, len = 64 * (1 + what / 16u), i;
	struct fuzz_piece pieces[2];
	uint8_t *bytes;

	if (index == card->ctrl)
		return;
	hdr_len = card->net->queues[index].hdr_len;
	for (i = 0; i < nb; i++) {
		uint64_t at = FUZZ_DATA_IOVA +
			      (SLOTS_CTRL + card->slots[1]++ % SLOTS_PACKET) * (uint64_t)SLOT;

		pieces[0] = (struct fuzz_piece){ at, 12 + len, (what & 1) == 0 };
		pieces[1] = (struct fuzz_piece){ at + 12 + len, 64, (what & 1) == 0 };
		bytes = fuzz_memory_at(&card->memory, at, SLOT);
		if (bytes != NULL && (what & 1)) {
			memset(bytes, 0, hdr_len);
			(void)fuzz_command_frame(&card->in, bytes + hdr_len, 128);
		}
		if (!fuzz_ring_post(&card->rings[index], pieces, 1 + shape / 16 % 2, false))
			return;
	}
}

/* A driver comes up with new rings. */
static void
card_up(struct card *card)
{
	uint8_t size = fuzz_u8(&card->in), how = fuzz_u8(&card->in);
	uint16_t index = how & 1 ? fuzz_u16(&card->in) : 0, i;
	uint64_t features = fuzz_command_features(&card->in, card->dev->offered);
	struct vduse_vq_info info;

	card_reset(card);
	fuzz_memory_truncate(&card->memory, 0);
	fuzz_memory_truncate(&card->memory, FUZZ_ALL);
	card->ctrl = (uint16_t)(features & VNET_CTRL_SEVERAL ? 2 * card->net->pairs : 2);
	for (i = 0; i < card->nb_queues; i++) {
		fuzz_ring_close(&card->rings[i]);
		fuzz_ring_open(&card->rings[i], &card->memory, i * RING_ROOM,
			       1u << (i == card->ctrl ? size % 9 : size >> 5), features, index);
		info = fuzz_ring_info(&card->rings[i], i, (how & 2) == 0);
		vduse_loopback_set_vq(card->loop, i, &info);
	}
	fuzz_memory_show(&card->memory, card->loop, how & 4 ? how >> 5 : 6);
	vduse_loopback_set_features(card->loop, features);
	if (how & 8)
		(void)card_set_status(card, STATUS_FEATURES);
	(void)card_set_status(card, STATUS_UP);
	card->honest = true;
}

/* What breaks the rules, mostly in the control queue. */
static void
card_write(struct card *card)
{
	uint8_t what = fuzz_u8(&card->in);
	struct fuzz_ring *ring = &card->rings[what & 0x80 ? what % card->nb_queues : card->ctrl];

	card->honest = false;
	switch (what / 2 % 8) {
	case 0:
	case 1:
		fuzz_ring_write_desc(ring, &card->in);
		break;
	case 2:
	case 3:
		fuzz_ring_write_avail(ring, &card->in);
		break;
	case 4:
		fuzz_ring_write_event(ring, &card->in);
		break;
	case 5:
		fuzz_memory_truncate(&card->memory, fuzz_u8(&card->in) * UINT64_C(8192));
		break;
	default:
		fuzz_ring_write_bytes(ring, &card->in);
	}
	card_kick(card);
}

static void
card_message(struct card *card)
{
	uint8_t how = fuzz_u8(&card->in);
	uint16_t index = how % card->nb_queues;
	struct vduse_vq_info info;

	switch (how >> 6) {
	case 0:
		(void)card_ask(card, (struct vduse_dev_request){ .type = VDUSE_GET_VQ_STATE,
								 .vq_state.index = index });
		return;
	case 1:
		fuzz_memory_show(&card->memory, card->loop, how);
		(void)card_ask(card, vduse_loopback_memory_changed());
		return;
	default:
		/* A virtqueue is disabled, or set up again, where the driver does not expect it. */
		info = fuzz_ring_info(&card->rings[index], index, (how & 0x40) == 0);
		vduse_loopback_set_vq(card->loop, index, &info);
		card->honest &= index != card->ctrl;
		(void)card_ask(card, (struct vduse_dev_request){ .type = VDUSE_TRANSPORT_VQ_CHANGED,
								 .vq_state.index = index });
	}
}

/* What the application may do meanwhile. */
static void
card_application(struct card *card)
{
	uint8_t how = fuzz_u8(&card->in);
	struct rte_ether_addr mac = { { 2, 0, 0, 0, 0, how / 8 } };
	uint16_t pair = (uint16_t)(how / 8 % card->net->pairs);

	switch (how % 8) {
	case 0:
	case 1:
		(void)rte_vduse_net_announce(card->net);
		return;
	case 2:
		(void)rte_vduse_net_set_mac(card->net, &mac);
		return;
	case 3:
		(void)rte_vduse_net_notify(card->net, how / 8, (how & 0x80) != 0);
		return;
	case 4:
		rte_vduse_net_stats_reset(card->net, pair, (how & 0x80) != 0);
		return;
	case 5:
		(void)rte_vduse_net_set_mtu(card->net, (uint16_t)(how * 40));
		return;
	default:
		(void)rte_vduse_net_tx_count(card->net, pair);
		(void)rte_vduse_net_rx_count(card->net, pair);
	}
}

static void
card_create(struct card *card)
{
	uint8_t how = fuzz_u8(&card->in);
	struct rte_vduse_net_conf conf = {
		.size = sizeof(struct rte_vduse_net_conf),
		.path = "/dev/vduse/fuzz0",
		.pairs = how % PAIRS_MAX + 1,
		.queue_size = 256,
		.mac = { { 2, 0, 0, 0, 0, 1 } },
		.mtu = 1500,
		.socket_id = SOCKET_ID_ANY,
		.offloads = how & 4 ? 0 : UINT64_MAX,
		.ctrl_queue = true,
		.hash_report = (how & 8) != 0,
		.steer = how / 16 % (RTE_VDUSE_NET_STEER_AUTO + 1),
	};

	card->loop = vduse_loopback_new();
	fuzz_check(card->loop != NULL, "no memory");
	conf.transport = &vduse_transport_loopback;
	conf.transport_priv = card->loop;
	fuzz_check(rte_vduse_net_create(&conf, &card->net) == 0, "no device");
	card->dev = rte_vduse_net_dev(card->net);
	card->nb_queues = card->net->nb_queues;
	fuzz_check(rte_vduse_net_start(card->net, RTE_VDUSE_ATTACH_NONE) == 0, "no start");
}

/* What is to happen more often stands here more often. */
static void (*const operations[16])(struct card *card) = {
	card_command, card_command, card_command, card_command,     card_command, card_command,
	card_post,    card_post,    card_tx,      card_tx,          card_rx,      card_up,
	card_write,   card_kick,    card_message, card_application,
};

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct card card = { .in = { data, size } };
	unsigned int fds = fuzz_fds(), now, i;

	fuzz_memory_open(&card.memory);
	card_create(&card);
	card_up(&card);
	while (card.in.left > 0) {
		operations[fuzz_u8(&card.in) % RTE_DIM(operations)](&card);
		fuzz_ctrl_check(card.net);
	}
	card_kick(&card);
	card_reset(&card);
	fuzz_ctrl_check(card.net);
	rte_vduse_net_destroy(card.net);
	vduse_loopback_free(card.loop);
	for (i = 0; i < card.nb_queues; i++)
		fuzz_ring_close(&card.rings[i]);
	fuzz_memory_close(&card.memory);
	fuzz_pool_check(pool, POOL_MBUFS);
	/* The control thread's own come with the first device. */
	now = fuzz_fds();
	fuzz_check(now <= fds + 2, "%u file descriptors, were %u", now, fds);
	return 0;
}
