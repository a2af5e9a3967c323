/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See net_peer.h. */
#include "net_peer.h"
#include "create_over.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_ids.h>

#include <rte_vduse_compat.h>

#define RING_SPACE 0x4000u

struct rte_mempool *peer_pool;
struct peer peers[2];

int
peer_init(void)
{
	if (unit_init() < 0)
		return -1;
	peer_pool = rte_pktmbuf_pool_create("unit", 511, 0, 0, RTE_MBUF_DEFAULT_BUF_SIZE, -1);
	return peer_pool != NULL ? 0 : -1;
}

struct vring_desc *
peer_desc(struct peer *peer, uint16_t vq)
{
	return (struct vring_desc *)(void *)(peer->memory + vq * RING_SPACE);
}

struct vring_avail *
peer_avail(struct peer *peer, uint16_t vq)
{
	return (struct vring_avail *)(void *)(peer->memory + vq * RING_SPACE + 16 * SIZE);
}

struct vring_used *
peer_used(struct peer *peer, uint16_t vq)
{
	return (struct vring_used *)(void *)(peer->memory + vq * RING_SPACE + 0x2000);
}

/* The buffer of a descriptor; its iova is its offset in the file. */
static uint32_t
peer_buffer(uint16_t vq, uint16_t index)
{
	return BUFFERS + (vq * SIZE + index) * BUFFER;
}

void
peer_post(struct peer *peer, uint16_t vq, uint16_t head)
{
	struct vring_avail *avail = peer_avail(peer, vq);

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

void
peer_tell(struct peer *peer, uint8_t status)
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

void
peer_up(struct peer *peer, uint64_t features)
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
	peer_tell(peer, STATUS_UP);
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

int
peer_setup(void **state)
{
	RTE_SET_USED(state);
	create(&peers[0], "/dev/vduse/unit-net0");
	create(&peers[1], "/dev/vduse/unit-net1");
	return 0;
}

int
peer_teardown(void **state)
{
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(peers); i++) {
		rte_vduse_net_destroy(peers[i].net);
		vduse_loopback_free(peers[i].loop);
		munmap(peers[i].memory, MEMORY);
		close(peers[i].fd);
	}
	assert_int_equal(rte_mempool_in_use_count(peer_pool), 0);
	return 0;
}

static uint8_t
byte_at(uint32_t i)
{
	return (uint8_t)(i * 7 + i / 256);
}

void
peer_send(struct peer *peer, uint16_t head, uint32_t len, uint32_t piece)
{
	struct vring_desc *desc = peer_desc(peer, 1);
	uint32_t total = HDR + len, at = 0, i;
	uint16_t index = head;

	while (at < total) {
		uint32_t n = RTE_MIN(piece, total - at);
		uint8_t *to = peer->memory + peer_buffer(1, index);

		for (i = 0; i < n; i++)
			to[i] = at + i < HDR ? 0 : byte_at(at + i - HDR);
		desc[index] = (struct vring_desc){ .addr = peer_buffer(1, index), .len = n };
		at += n;
		if (at < total) {
			desc[index].flags = VRING_DESC_F_NEXT;
			desc[index].next = (uint16_t)(index + 1);
		}
		index++;
	}
	peer_post(peer, 1, head);
}

void
peer_check(struct rte_mbuf *packet, uint32_t len)
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

uint16_t
peer_receive(struct peer *peer, struct rte_mbuf **mbufs, uint16_t nb)
{
	return rte_vduse_net_rx_burst(peer->net, 0, peer_pool, mbufs, nb);
}

void
peer_offer(struct peer *peer, uint16_t nb, uint32_t len)
{
	uint16_t i;

	for (i = 0; i < nb; i++) {
		uint16_t index = peer->next[0] & (SIZE - 1);

		peer_desc(peer, 0)[index] = (struct vring_desc){
			.addr = peer_buffer(0, index),
			.len = len,
			.flags = VRING_DESC_F_WRITE,
		};
		peer_post(peer, 0, index);
	}
}

struct rte_mbuf *
peer_packet(uint32_t len, uint32_t segment)
{
	struct rte_mbuf *packet = rte_pktmbuf_alloc(peer_pool), *next;
	uint32_t at = 0, i;

	assert_non_null(packet);
	while (at < len) {
		uint32_t n = RTE_MIN(segment, len - at);
		uint8_t *to;

		next = at == 0 ? packet : rte_pktmbuf_alloc(peer_pool);
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

void
peer_expect(struct peer *peer, uint32_t len)
{
	struct vring_used *used = peer_used(peer, 0);
	struct virtio_net_hdr_v1 hdr;
	uint32_t at = 0;
	uint16_t n = 1, i;

	for (i = 0; i < n; i++) {
		const struct vring_used_elem *elem = &used->ring[peer->seen[0]++ & (SIZE - 1)];
		const uint8_t *from = peer->memory + peer_buffer(0, (uint16_t)elem->id);
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
