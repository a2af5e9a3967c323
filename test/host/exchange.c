/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * DPDK's virtio driver at a device that sends every frame back on the queue that it came from:
 *
 *   exchange EAL_ARGS -- FRAMES SEGMENTS DEVARGS...
 *
 * One port of net_virtio_user after the other, each with other device arguments. Each queue sends
 * FRAMES frames of 60 bytes up to what its receive buffers take, in up to SEGMENTS segments, 7 or
 * more. All bytes of what comes back are compared, and the order.
 * Input: frames. Output: a line for each port; exit code 1 for the first difference or loss.
 * Thread: main.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_cycles.h>
#include <rte_dev.h>
#include <rte_eal.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>

#define QUEUES_MAX   8
#define RING_SIZE    256
#define BURST        32
#define NAME         "net_virtio_user0"
#define PATIENCE_SEC 20
/* Frames of a queue that have not come back, and their receive buffers: no frame is dropped. */
#define FRAMES_OUT  32
#define BUFFERS_OUT (RING_SIZE / 2)

#define FRAME_MIN    60
#define FRAME_MAX    (RTE_ETHER_HDR_LEN + 65535)
#define BUFFER_SMALL 2048 /* of a driver that merges */
#define BUFFER_LARGE 9600 /* the longest frame of one that does not; seven hold any frame */
#define SEGMENTS_MIN 7
/* Every ring full, those to send with tables of packets that the driver has not freed yet. */
#define LARGE_NB     (QUEUES_MAX * RING_SIZE * (SEGMENTS_MIN + 1) + QUEUES_MAX * BURST)
#define CONTENT_SIZE (1u << 18)

struct queue {
	uint32_t sent, received;
	uint32_t buffers; /* at most so many receive buffers do the frames take that are out */
};

static struct queue queues[QUEUES_MAX];
static uint8_t content[CONTENT_SIZE];
static struct rte_mempool *small, *large;
static uint16_t nb_queues;
static uint32_t nb_frames, nb_segments, frame_max;
static bool merges;
static uint64_t bytes;

/* A frame as long and as random as its queue and number say; where is room for the longest one. */
static uint32_t
frame_make(uint16_t queue, uint32_t number, uint8_t *where)
{
	const uint32_t edges[] = { FRAME_MIN,        frame_max,     BUFFER_SMALL,
				   BUFFER_SMALL + 1, FRAME_MIN + 1, frame_max - 1 };
	uint64_t seed = ((uint64_t)queue << 32 | number) * UINT64_C(0x9e3779b97f4a7c15);
	const uint32_t id[] = { rte_cpu_to_be_32(queue), rte_cpu_to_be_32(number) };
	const struct rte_ether_hdr header = {
		.dst_addr.addr_bytes = { 2, 0, 0, 0, 0, 1 },
		.src_addr.addr_bytes = { 2, 0, 0, 0, 0, 2 },
		.ether_type = RTE_BE16(0x88b5),
	};
	/* Most are short, some are very long. */
	uint32_t len = FRAME_MIN + (uint32_t)(seed >> 40) % (frame_max - FRAME_MIN + 1);

	len = RTE_MAX((uint32_t)FRAME_MIN, len >> (seed >> 36 & 7));
	if (number < RTE_DIM(edges))
		len = edges[number];
	memcpy(where, &content[(seed >> 8) % (CONTENT_SIZE - FRAME_MAX)], len);
	memcpy(where, &header, sizeof(header));
	memcpy(where + sizeof(header), id, sizeof(id));
	return len;
}

/* Receive buffers of a frame; those after the first have no headroom that the header is in. */
static uint32_t
frame_buffers(uint32_t len)
{
	return merges ? (len + BUFFER_SMALL - 1) / BUFFER_SMALL : 1;
}

static struct rte_mbuf *
segment(const uint8_t *from, uint32_t len)
{
	struct rte_mbuf *mbuf = rte_pktmbuf_alloc(large);

	if (mbuf == NULL)
		rte_exit(EXIT_FAILURE, "no mbuf to send\n");
	memcpy(rte_pktmbuf_append(mbuf, (uint16_t)len), from, len);
	return mbuf;
}

/* A frame in up to nb_segments segments of random lengths. */
static struct rte_mbuf *
packet(const uint8_t *from, uint32_t len)
{
	uint32_t most = 1 + (uint32_t)rand() % nb_segments;
	struct rte_mbuf *head = NULL;

	while (len > 0) {
		/* What is left must fit into the segments that are left. */
		uint32_t nb = head != NULL ? head->nb_segs : 0;
		uint32_t after = nb + 1 < most ? most - nb - 1 : 0;
		uint32_t min = len > after * BUFFER_LARGE ? len - after * BUFFER_LARGE : 1;
		uint32_t n = RTE_MIN(len, (uint32_t)BUFFER_LARGE);
		struct rte_mbuf *mbuf;

		if (min < n && after > 0)
			n = min + (uint32_t)rand() % (n - min + 1);
		mbuf = segment(from, n);
		if (head == NULL)
			head = mbuf;
		else if (rte_pktmbuf_chain(head, mbuf) < 0)
			rte_exit(EXIT_FAILURE, "too many segments\n");
		from += n;
		len -= n;
	}
	return head;
}

/* Sends what there is room for. Returns frames sent. */
static uint32_t
queue_send(uint16_t port, uint16_t id)
{
	static uint8_t frame[FRAME_MAX];
	struct queue *queue = &queues[id];
	uint32_t before = queue->sent;

	while (queue->sent < nb_frames && queue->sent - queue->received < FRAMES_OUT) {
		uint32_t len = frame_make(id, queue->sent, frame);
		struct rte_mbuf *mbuf;

		if (queue->buffers + frame_buffers(len) > BUFFERS_OUT)
			break;
		mbuf = packet(frame, len);
		if (rte_eth_tx_burst(port, id, &mbuf, 1) == 0) {
			rte_pktmbuf_free(mbuf);
			break;
		}
		queue->buffers += frame_buffers(len);
		queue->sent++;
	}
	return queue->sent - before;
}

/* Compares a frame with the next one that has to come. */
static void
frame_check(uint16_t id, struct rte_mbuf *mbuf)
{
	static uint8_t wanted[FRAME_MAX], got[FRAME_MAX];
	struct queue *queue = &queues[id];
	uint32_t len, at;
	const uint8_t *data;

	if (queue->received == queue->sent)
		rte_exit(EXIT_FAILURE, "queue %u: a frame that was not sent\n", id);
	len = frame_make(id, queue->received, wanted);
	if (mbuf->pkt_len != len)
		rte_exit(EXIT_FAILURE, "queue %u: frame %u: %u bytes came back of %u\n", id,
			 queue->received, mbuf->pkt_len, len);
	data = rte_pktmbuf_read(mbuf, 0, len, got);
	if (data == NULL)
		rte_exit(EXIT_FAILURE, "queue %u: frame %u: segments of less than %u bytes\n", id,
			 queue->received, len);
	for (at = 0; at < len && data[at] == wanted[at];)
		at++;
	if (at < len)
		rte_exit(EXIT_FAILURE, "queue %u: frame %u of %u bytes differs at byte %u\n", id,
			 queue->received, len, at);
	queue->buffers -= frame_buffers(len);
	queue->received++;
	bytes += len;
}

static uint32_t
queue_receive(uint16_t port, uint16_t id)
{
	struct rte_mbuf *mbufs[BURST];
	uint16_t nb = rte_eth_rx_burst(port, id, mbufs, BURST), i;

	for (i = 0; i < nb; i++) {
		frame_check(id, mbufs[i]);
		rte_pktmbuf_free(mbufs[i]);
	}
	return nb;
}

static void
lost(void)
{
	uint16_t id;

	for (id = 0; id < nb_queues; id++)
		printf("queue %u: %u of %u frames came back\n", id, queues[id].received,
		       queues[id].sent);
	rte_exit(EXIT_FAILURE, "nothing more comes\n");
}

static void
exchange(uint16_t port)
{
	uint64_t patience = PATIENCE_SEC * rte_get_timer_hz(), last = rte_get_timer_cycles();
	uint16_t id, done = 0;

	while (done < nb_queues) {
		uint32_t moved = 0;

		for (id = done = 0; id < nb_queues; id++) {
			moved += queue_receive(port, id) + queue_send(port, id);
			done += queues[id].received == nb_frames;
		}
		if (moved > 0)
			last = rte_get_timer_cycles();
		else if (rte_get_timer_cycles() - last > patience)
			lost();
	}
}

static void
must(const char *what, int ret)
{
	if (ret < 0)
		rte_exit(EXIT_FAILURE, "%s: %s\n", what, strerror(-ret));
}

static void
start(uint16_t port)
{
	struct rte_eth_conf conf = { .txmode.offloads = RTE_ETH_TX_OFFLOAD_MULTI_SEGS };
	struct rte_eth_dev_info info;
	uint16_t id;
	int ret;

	must("info_get", rte_eth_dev_info_get(port, &info));
	nb_queues = info.max_rx_queues;
	if (nb_queues > QUEUES_MAX)
		rte_exit(EXIT_FAILURE, "%u queues\n", nb_queues);
	conf.txmode.offloads &= info.tx_offload_capa;
	if (merges)
		conf.rxmode.offloads = RTE_ETH_RX_OFFLOAD_SCATTER;
	must("configure", rte_eth_dev_configure(port, nb_queues, nb_queues, &conf));
	for (id = 0; id < nb_queues; id++) {
		must("rx_queue_setup", rte_eth_rx_queue_setup(port, id, RING_SIZE, SOCKET_ID_ANY,
							      NULL, merges ? small : large));
		must("tx_queue_setup",
		     rte_eth_tx_queue_setup(port, id, RING_SIZE, SOCKET_ID_ANY, NULL));
	}
	must("start", rte_eth_dev_start(port));
	/* The frames are not for the driver's MAC address. -ENOTSUP: its device cannot filter. */
	ret = rte_eth_promiscuous_enable(port);
	must("promiscuous_enable", ret == -ENOTSUP ? 0 : ret);
}

/* One port from its arguments to its end. */
static void
run(const char *devargs)
{
	uint16_t port;

	memset(queues, 0, sizeof(queues));
	bytes = 0;
	merges = strstr(devargs, "mrg_rxbuf=0") == NULL;
	frame_max = merges ? FRAME_MAX : BUFFER_LARGE;
	must(devargs, rte_eal_hotplug_add("vdev", NAME, devargs));
	must("port", rte_eth_dev_get_port_by_name(NAME, &port));
	start(port);
	printf("%s\n", devargs);
	exchange(port);
	printf("-- %u frames, %" PRIu64 " bytes\n", nb_frames * nb_queues, bytes);
	must("stop", rte_eth_dev_stop(port));
	must("close", rte_eth_dev_close(port));
	must("hotplug_remove", rte_eal_hotplug_remove("vdev", NAME));
}

int
main(int argc, char **argv)
{
	int ret, i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	ret = rte_eal_init(argc, argv);
	must("eal_init", ret);
	argc -= ret;
	argv += ret;
	if (argc < 4)
		rte_exit(EXIT_FAILURE, "arguments: FRAMES SEGMENTS DEVARGS...\n");
	nb_frames = (uint32_t)atoi(argv[1]);
	nb_segments = RTE_MAX((uint32_t)atoi(argv[2]), (uint32_t)SEGMENTS_MIN);
	small = rte_pktmbuf_pool_create("small", 4095, 0, 0, BUFFER_SMALL + RTE_PKTMBUF_HEADROOM,
					SOCKET_ID_ANY);
	large = rte_pktmbuf_pool_create("large", LARGE_NB, 0, 0,
					BUFFER_LARGE + RTE_PKTMBUF_HEADROOM, SOCKET_ID_ANY);
	if (small == NULL || large == NULL)
		rte_exit(EXIT_FAILURE, "no mempool\n");
	for (i = 0; i < (int)sizeof(content); i++)
		content[i] = (uint8_t)rand();
	for (i = 3; i < argc; i++)
		run(argv[i]);
	return rte_eal_cleanup();
}
