/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Bursts of a network device, with a driver in a memory file and the loopback as kernel: packets of
 * every layout in both directions. A hostile driver stops only its own queue.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_ids.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>
#include <rte_vduse_compat.h>

#include <vduse/core/device.h>
#include <virtio_net/net.h>
#include <vduse/loopback/loopback.h>

#include "create_over.h"
#include "unit.h"

#define BIT(nr)    (UINT64_C(1) << (nr))
#define PLAIN      (BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ACCESS_PLATFORM))
#define MERGEABLE  (PLAIN | BIT(VIRTIO_NET_F_MRG_RXBUF))
#define HDR        sizeof(struct virtio_net_hdr_v1)
#define SIZE       256
#define RING_SPACE 0x4000u
#define BUFFERS    0x10000u /* after the rings */
#define BUFFER     2048u
#define MEMORY     (BUFFERS + 2 * SIZE * BUFFER)
#define STATUS_UP                                                                                  \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK |      \
	 VIRTIO_CONFIG_S_DRIVER_OK)

/* A device, its driver's memory and how far the driver got in each virtqueue. */
struct peer {
	struct vduse_loopback *loop;
	struct rte_vduse_net *net;
	uint8_t *memory;
	int fd;
	uint16_t next[2];
	uint16_t seen[2];
	unsigned int links;
};

static struct rte_mempool *pool;
static struct peer peers[2];

static struct vring_desc *
desc_of(struct peer *peer, uint16_t vq)
{
	return (struct vring_desc *)(void *)(peer->memory + vq * RING_SPACE);
}

static struct vring_avail *
avail_of(struct peer *peer, uint16_t vq)
{
	return (struct vring_avail *)(void *)(peer->memory + vq * RING_SPACE + 16 * SIZE);
}

static struct vring_used *
used_of(struct peer *peer, uint16_t vq)
{
	return (struct vring_used *)(void *)(peer->memory + vq * RING_SPACE + 0x2000);
}

/* The buffer of a descriptor; its iova is its offset in the file. */
static uint32_t
buffer_of(uint16_t vq, uint16_t index)
{
	return BUFFERS + (vq * SIZE + index) * BUFFER;
}

static void
post(struct peer *peer, uint16_t vq, uint16_t head)
{
	struct vring_avail *avail = avail_of(peer, vq);

	avail->ring[peer->next[vq]++ & (SIZE - 1)] = head;
	rte_atomic_store_explicit(&avail->idx, peer->next[vq], rte_memory_order_release);
}

static void
on_link(struct rte_vduse_net *net, bool up, void *arg)
{
	struct peer *peer = arg;

	assert_int_equal(rte_vduse_net_link(net), up);
	rte_atomic_fetch_add_explicit(&peer->links, 1, rte_memory_order_relaxed);
}

static void
tell(struct peer *peer, uint8_t status)
{
	struct vduse_dev_request req = { .type = VDUSE_SET_STATUS };
	struct vduse_dev_response resp;

	req.s.status = status;
	assert_int_equal(vduse_loopback_ask(peer->loop, &req, &resp, UNIT_PATIENCE_MS), 0);
	assert_int_equal(resp.result, VDUSE_REQ_RESULT_OK);
}

static bool
runs(const struct rte_vduse_vq *vq)
{
	return rte_atomic_load_explicit(&vq->state, rte_memory_order_relaxed) ==
	       RTE_VDUSE_VQ_RUNNING;
}

static bool
both_run(void *arg)
{
	struct peer *peer = arg;

	return runs(peer->net->queues[0].vq) && runs(peer->net->queues[1].vq);
}

/* The driver comes, new or again, with empty rings. */
static void
up(struct peer *peer, uint64_t features)
{
	uint16_t vq;

	memset(peer->memory, 0, BUFFERS);
	memset(peer->next, 0, sizeof(peer->next));
	memset(peer->seen, 0, sizeof(peer->seen));
	vduse_loopback_set_features(peer->loop, features);
	for (vq = 0; vq < 2; vq++) {
		struct vduse_vq_info info = {
			.index = vq,
			.desc_addr = vq * RING_SPACE,
			.driver_addr = vq * RING_SPACE + 16 * SIZE,
			.device_addr = vq * RING_SPACE + 0x2000,
			.num = SIZE,
			.ready = 1,
		};

		vduse_loopback_set_vq(peer->loop, vq, &info);
	}
	tell(peer, STATUS_UP);
	assert_true(unit_wait(both_run, peer));
}

/* As rte_vduse_net_create() does, but over the loopback. */
static void
create(struct peer *peer, const char *path)
{
	struct rte_vduse_net_conf conf = { .size = sizeof(conf), .pairs = 1, .mtu = 1500 };
	struct rte_vduse_net *net = aligned_alloc(64, sizeof(*net) + 2 * sizeof(net->queues[0]));
	struct rte_vduse_dev_conf dev_conf = {
		.size = sizeof(struct rte_vduse_dev_conf),
		.path = path,
		.device_id = VIRTIO_ID_NET,
		.features = rte_vduse_net_features(&conf),
		.nb_vqs = 2,
		.vq_size = SIZE,
		.config = &net->config,
		.config_size = sizeof(net->config),
		.ops = &vnet_dev_ops,
		.arg = net,
	};

	memset(net, 0, sizeof(*net) + 2 * sizeof(net->queues[0]));
	vnet_config_init(&net->config, &conf);
	net->pairs = 1;
	net->frame_max = vnet_frame_max(0);
	net->link = on_link;
	net->arg = peer;
	memset(peer, 0, sizeof(*peer));
	peer->net = net;
	peer->loop = vduse_loopback_new();
	peer->fd = unit_memfd("unit-net", MEMORY);
	peer->memory = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_SHARED, peer->fd, 0);
	assert_ptr_not_equal(peer->memory, MAP_FAILED);
	vduse_loopback_region_add(peer->loop, 0, MEMORY - 1, 0, VDUSE_ACCESS_RW, peer->fd);
	assert_int_equal(
		create_dev_over(&dev_conf, &vduse_transport_loopback, peer->loop, &net->dev), 0);
	net->queues[0].vq = rte_vduse_dev_vq(net->dev, 0);
	net->queues[1].vq = rte_vduse_dev_vq(net->dev, 1);
	assert_int_equal(rte_vduse_net_start(net, RTE_VDUSE_ATTACH_NONE), 0);
}

static int
setup(void **state)
{
	RTE_SET_USED(state);
	create(&peers[0], "/dev/vduse/unit-net0");
	create(&peers[1], "/dev/vduse/unit-net1");
	return 0;
}

static int
teardown(void **state)
{
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(peers); i++) {
		rte_vduse_net_destroy(peers[i].net);
		vduse_loopback_free(peers[i].loop);
		munmap(peers[i].memory, MEMORY);
		close(peers[i].fd);
	}
	assert_int_equal(rte_mempool_in_use_count(pool), 0);
	return 0;
}

static uint8_t
byte_at(uint32_t i)
{
	return (uint8_t)(i * 7 + i / 256);
}

/* The driver sends len bytes over descriptors of piece bytes each, header included. */
static void
driver_send(struct peer *peer, uint16_t head, uint32_t len, uint32_t piece)
{
	struct vring_desc *desc = desc_of(peer, 1);
	uint32_t total = HDR + len, at = 0, i;
	uint16_t index = head;

	while (at < total) {
		uint32_t n = RTE_MIN(piece, total - at);
		uint8_t *to = peer->memory + buffer_of(1, index);

		for (i = 0; i < n; i++)
			to[i] = at + i < HDR ? 0 : byte_at(at + i - HDR);
		desc[index] = (struct vring_desc){ .addr = buffer_of(1, index), .len = n };
		at += n;
		if (at < total) {
			desc[index].flags = VRING_DESC_F_NEXT;
			desc[index].next = (uint16_t)(index + 1);
		}
		index++;
	}
	post(peer, 1, head);
}

static void
expect_packet(struct rte_mbuf *packet, uint32_t len)
{
	uint8_t copy[RTE_VDUSE_NET_MTU_MAX + 64];
	const uint8_t *data = rte_pktmbuf_read(packet, 0, len, copy);
	uint32_t i;

	assert_int_equal(packet->pkt_len, len);
	assert_non_null(data);
	for (i = 0; i < len; i++)
		if (data[i] != byte_at(i))
			fail_msg("byte %u of %u", i, len);
	assert_true(rte_mbuf_check(packet, 1, &(const char *){ NULL }) == 0);
}

static uint16_t
receive(struct peer *peer, struct rte_mbuf **mbufs, uint16_t nb)
{
	return rte_vduse_net_rx_burst(peer->net, 0, pool, mbufs, nb);
}

static void
received_in_every_shape(void **state)
{
	static const uint32_t pieces[] = { 1, 5, 11, 12, 13, 100, BUFFER };
	static const uint32_t lens[] = { 14, 60, 64, 65, 242, 1514, 1518, 9014, 65550 };
	unsigned int p, l, packets = 0;
	struct rte_vduse_net_stats stats;
	struct rte_mbuf *packet;

	RTE_SET_USED(state);
	up(&peers[0], PLAIN);
	for (p = 0; p < RTE_DIM(pieces); p++) {
		for (l = 0; l < RTE_DIM(lens); l++) {
			if ((HDR + lens[l]) / pieces[p] >= SIZE)
				continue;
			driver_send(&peers[0], 0, lens[l], pieces[p]);
			assert_int_equal(receive(&peers[0], &packet, 1), 1);
			expect_packet(packet, lens[l]);
			rte_pktmbuf_free(packet);
			assert_int_equal(used_of(&peers[0], 1)->idx, peers[0].next[1]);
			packets++;
		}
	}
	assert_in_range(packets, 30, 100);
	rte_vduse_net_stats(peers[0].net, 0, true, &stats, sizeof(stats));
	assert_int_equal(stats.packets, packets);
	assert_int_equal(vduse_loopback_calls(peers[0].loop, 1), packets);
}

static void
runts_and_giants_are_dropped(void **state)
{
	struct rte_vduse_net_stats stats;
	struct rte_mbuf *packet;

	RTE_SET_USED(state);
	up(&peers[0], PLAIN);
	driver_send(&peers[0], 0, 13, BUFFER);
	assert_int_equal(receive(&peers[0], &packet, 1), 0);
	driver_send(&peers[0], 0, vnet_frame_max(0) + 1, BUFFER);
	assert_int_equal(receive(&peers[0], &packet, 1), 0);
	rte_vduse_net_stats(peers[0].net, 0, true, &stats, sizeof(stats));
	assert_int_equal(stats.drops, 2);
	assert_int_equal(used_of(&peers[0], 1)->idx, 2); /* the driver has its buffers back */
}

/* What cannot be taken now is taken later. */
static void
an_empty_pool_loses_nothing(void **state)
{
	struct rte_mbuf *all[1024], *packet;
	unsigned int n = 0;

	RTE_SET_USED(state);
	up(&peers[0], PLAIN);
	driver_send(&peers[0], 0, 100, BUFFER);
	while (n < RTE_DIM(all) && (all[n] = rte_pktmbuf_alloc(pool)) != NULL)
		n++;
	assert_in_range(n, 1, RTE_DIM(all) - 1);
	assert_int_equal(receive(&peers[0], &packet, 1), 0);
	rte_pktmbuf_free_bulk(all, n);
	assert_int_equal(receive(&peers[0], &packet, 1), 1);
	expect_packet(packet, 100);
	rte_pktmbuf_free(packet);
}

/* The driver gives nb buffers of len bytes to receive into. */
static void
driver_offer(struct peer *peer, uint16_t nb, uint32_t len)
{
	uint16_t i;

	for (i = 0; i < nb; i++) {
		uint16_t index = peer->next[0] & (SIZE - 1);

		desc_of(peer, 0)[index] = (struct vring_desc){
			.addr = buffer_of(0, index),
			.len = len,
			.flags = VRING_DESC_F_WRITE,
		};
		post(peer, 0, index);
	}
}

static struct rte_mbuf *
make_packet(uint32_t len, uint32_t segment)
{
	struct rte_mbuf *packet = rte_pktmbuf_alloc(pool), *next;
	uint32_t at = 0, i;

	assert_non_null(packet);
	while (at < len) {
		uint32_t n = RTE_MIN(segment, len - at);
		uint8_t *to;

		next = at == 0 ? packet : rte_pktmbuf_alloc(pool);
		assert_non_null(next);
		to = (uint8_t *)rte_pktmbuf_append(next, (uint16_t)n);
		for (i = 0; i < n; i++)
			to[i] = byte_at(at + i);
		if (at != 0)
			assert_int_equal(rte_pktmbuf_chain(packet, next), 0);
		at += n;
	}
	return packet;
}

/* The driver takes one packet of len bytes out of as many buffers as the header says. */
static void
driver_expect(struct peer *peer, uint32_t len)
{
	struct vring_used *used = used_of(peer, 0);
	struct virtio_net_hdr_v1 hdr;
	uint32_t at = 0;
	uint16_t n = 1, i;

	for (i = 0; i < n; i++) {
		const struct vring_used_elem *elem = &used->ring[peer->seen[0]++ & (SIZE - 1)];
		const uint8_t *from = peer->memory + buffer_of(0, (uint16_t)elem->id);
		uint32_t k = 0;

		if (i == 0) {
			memcpy(&hdr, from, HDR);
			n = hdr.num_buffers;
			k = HDR;
			assert_int_equal(hdr.flags, 0);
		}
		for (; k < elem->len; k++)
			if (from[k] != byte_at(at++))
				fail_msg("byte %u of %u", at - 1, len);
	}
	assert_int_equal(at, len);
}

static void
sent_in_every_shape(void **state)
{
	static const uint32_t segments[] = { 50, 700, 2000 };
	static const uint32_t lens[] = { 14, 64, 1514, 2036, 2037, 9014 };
	unsigned int s, l;

	RTE_SET_USED(state);
	up(&peers[0], MERGEABLE);
	for (s = 0; s < RTE_DIM(segments); s++) {
		for (l = 0; l < RTE_DIM(lens); l++) {
			struct rte_mbuf *packets[2] = { make_packet(lens[l], segments[s]),
							make_packet(lens[l], segments[s]) };

			driver_offer(&peers[0], 12, BUFFER);
			assert_int_equal(rte_vduse_net_tx_burst(peers[0].net, 0, packets, 2), 2);
			driver_expect(&peers[0], lens[l]);
			driver_expect(&peers[0], lens[l]);
			assert_int_equal(used_of(&peers[0], 0)->idx, peers[0].seen[0]);
			/* Start over, so that buffers do not pile up. */
			tell(&peers[0], 0);
			up(&peers[0], MERGEABLE);
		}
	}
}

/* A packet waits for buffers; without merging one that can never fit is dropped. */
static void
buffers_too_few_or_too_small(void **state)
{
	struct rte_mbuf *packet = make_packet(5000, 2000);
	struct rte_vduse_net_stats stats;

	RTE_SET_USED(state);
	up(&peers[0], MERGEABLE);
	driver_offer(&peers[0], 2, BUFFER);
	assert_int_equal(rte_vduse_net_tx_burst(peers[0].net, 0, &packet, 1), 0);
	assert_int_equal(used_of(&peers[0], 0)->idx, 0);
	driver_offer(&peers[0], 1, BUFFER);
	assert_int_equal(rte_vduse_net_tx_burst(peers[0].net, 0, &packet, 1), 1);
	driver_expect(&peers[0], 5000);
	tell(&peers[0], 0);
	up(&peers[0], PLAIN);
	packet = make_packet(5000, 2000);
	driver_offer(&peers[0], 8, BUFFER);
	assert_int_equal(rte_vduse_net_tx_burst(peers[0].net, 0, &packet, 1), 1);
	rte_vduse_net_stats(peers[0].net, 0, false, &stats, sizeof(stats));
	assert_int_equal(stats.drops, 1);
	assert_int_equal(used_of(&peers[0], 0)->idx, 0);
}

/* Packets of a full burst both ways, more than one pop takes. */
static void
bursts_longer_than_a_pop(void **state)
{
	struct rte_mbuf *mbufs[200];
	uint16_t i, done = 0, n;

	RTE_SET_USED(state);
	up(&peers[0], MERGEABLE);
	for (i = 0; i < 200; i++)
		driver_send(&peers[0], i, 60u + i, BUFFER);
	while ((n = receive(&peers[0], mbufs + done, (uint16_t)(200 - done))) > 0)
		done += n;
	assert_int_equal(done, 200);
	for (i = 0; i < 200; i++)
		expect_packet(mbufs[i], 60u + i);
	driver_offer(&peers[0], 150, BUFFER);
	assert_int_equal(rte_vduse_net_tx_burst(peers[0].net, 0, mbufs, 200), 150);
	for (i = 0; i < 150; i++)
		driver_expect(&peers[0], 60u + i);
	rte_pktmbuf_free_bulk(mbufs + 150, 50);
}

static bool
in_error(void *arg)
{
	struct rte_vduse_vq *vq = arg;

	return rte_atomic_load_explicit(&vq->state, rte_memory_order_acquire) == RTE_VDUSE_VQ_ERROR;
}

/* The broken queue stops; the other queue and the other device go on; a reset mends it. */
static void
expect_contained(uint64_t counted)
{
	struct vnet_queue *broken = &peers[0].net->queues[1];
	struct rte_vduse_net_stats stats;
	struct rte_mbuf *packet;

	assert_int_equal(receive(&peers[0], &packet, 1), 0);
	assert_true(unit_wait(in_error, broken->vq));
	rte_vduse_net_stats(peers[0].net, 0, true, &stats, sizeof(stats));
	assert_int_equal(stats.bad_descriptors, counted);
	assert_int_equal(broken->vq->faults, 1);
	assert_int_equal(receive(&peers[0], &packet, 1), 0);
	driver_offer(&peers[0], 1, BUFFER);
	packet = make_packet(100, 2000);
	assert_int_equal(rte_vduse_net_tx_burst(peers[0].net, 0, &packet, 1), 1);
	driver_expect(&peers[0], 100);
	up(&peers[1], PLAIN);
	driver_send(&peers[1], 0, 100, BUFFER);
	assert_int_equal(receive(&peers[1], &packet, 1), 1);
	rte_pktmbuf_free(packet);
	tell(&peers[0], 0);
	up(&peers[0], MERGEABLE);
	driver_send(&peers[0], 0, 100, BUFFER);
	assert_int_equal(receive(&peers[0], &packet, 1), 1);
	rte_pktmbuf_free(packet);
}

static void
a_loop_is_contained(void **state)
{
	RTE_SET_USED(state);
	up(&peers[0], MERGEABLE);
	desc_of(&peers[0], 1)[0] = (struct vring_desc){
		.addr = BUFFERS,
		.len = 1,
		.flags = VRING_DESC_F_NEXT,
	};
	post(&peers[0], 1, 0);
	expect_contained(1);
}

static void
more_than_the_ring_is_contained(void **state)
{
	RTE_SET_USED(state);
	up(&peers[0], MERGEABLE);
	avail_of(&peers[0], 1)->idx = SIZE + 1;
	expect_contained(1);
}

/* It might come into being: the control thread looks first, so it is no bad descriptor. */
static void
an_address_outside_every_region_is_contained(void **state)
{
	RTE_SET_USED(state);
	up(&peers[0], MERGEABLE);
	desc_of(&peers[0], 1)[0] = (struct vring_desc){ .addr = MEMORY, .len = 100 };
	post(&peers[0], 1, 0);
	expect_contained(0);
}

static void
a_buffer_smaller_than_a_header_costs_one_packet(void **state)
{
	struct rte_mbuf *packets[2] = { make_packet(100, 2000), make_packet(101, 2000) };
	struct rte_vduse_net_stats stats;

	RTE_SET_USED(state);
	up(&peers[0], MERGEABLE);
	driver_offer(&peers[0], 1, HDR - 1);
	driver_offer(&peers[0], 1, BUFFER);
	assert_int_equal(rte_vduse_net_tx_burst(peers[0].net, 0, packets, 2), 2);
	rte_vduse_net_stats(peers[0].net, 0, false, &stats, sizeof(stats));
	assert_int_equal(stats.bad_descriptors, 0);
	assert_int_equal(stats.drops, 1);
	assert_false(in_error(peers[0].net->queues[0].vq));
	/* The small one went back empty. */
	assert_int_equal(used_of(&peers[0], 0)->ring[peers[0].seen[0]++ & (SIZE - 1)].len, 0);
	driver_expect(&peers[0], 101);
}

static void
nothing_moves_without_a_driver(void **state)
{
	struct rte_mbuf *packet = make_packet(100, 2000), *none;

	RTE_SET_USED(state);
	assert_false(rte_vduse_net_link(peers[0].net));
	assert_int_equal(receive(&peers[0], &none, 1), 0);
	assert_int_equal(rte_vduse_net_tx_burst(peers[0].net, 0, &packet, 1), 0);
	assert_int_equal(rte_vduse_net_rx_count(peers[0].net, 0), 0);
	up(&peers[0], PLAIN);
	assert_int_equal(rte_atomic_load_explicit(&peers[0].links, rte_memory_order_relaxed), 1);
	driver_send(&peers[0], 0, 100, BUFFER);
	assert_int_equal(rte_vduse_net_rx_count(peers[0].net, 0), 1);
	tell(&peers[0], 0);
	assert_int_equal(rte_atomic_load_explicit(&peers[0].links, rte_memory_order_relaxed), 2);
	assert_int_equal(receive(&peers[0], &none, 1), 0);
	rte_pktmbuf_free(packet);
}

#define BURST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BURST(received_in_every_shape),
		BURST(runts_and_giants_are_dropped),
		BURST(an_empty_pool_loses_nothing),
		BURST(sent_in_every_shape),
		BURST(buffers_too_few_or_too_small),
		BURST(bursts_longer_than_a_pop),
		BURST(a_loop_is_contained),
		BURST(more_than_the_ring_is_contained),
		BURST(an_address_outside_every_region_is_contained),
		BURST(a_buffer_smaller_than_a_header_costs_one_packet),
		BURST(nothing_moves_without_a_driver),
	};

	if (unit_init() < 0)
		return 1;
	pool = rte_pktmbuf_pool_create("unit", 511, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, -1);
	if (pool == NULL)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
