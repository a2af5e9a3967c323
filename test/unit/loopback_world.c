/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See loopback_world.h. */
#include "create_over.h"
#include "loopback_world.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <linux/virtio_net.h>

#include <rte_vduse_compat.h>

#define HDR ((uint32_t)sizeof(struct virtio_net_hdr_v1))

#define STATUS_UP                                                                                  \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK |      \
	 VIRTIO_CONFIG_S_DRIVER_OK)

struct world *world;
struct vduse_loopback *world_loop;
struct rte_vduse_net *world_net;
struct rte_mempool *world_pool;

bool
world_is_packed(void)
{
	return driver_has(&world->driver, VIRTIO_F_RING_PACKED);
}

/* Packets: length and bytes follow from the number, in few instructions: the child steps. */
static uint32_t
packet_len(uint32_t number)
{
	return 60 + number * 37 % (LEN_MAX - 60);
}

static void
packet_fill(uint8_t *bytes, uint32_t number)
{
	memset(bytes, (int)number, packet_len(number));
}

static void
packet_is(const uint8_t *bytes, uint32_t len, uint32_t number)
{
	uint8_t expected[LEN_MAX];

	packet_fill(expected, number);
	assert_int_equal(len, packet_len(number));
	assert_memory_equal(bytes, expected, len);
}

/* The driver. The memory of a slot: header and packet, followed by a table. */
static uint64_t
slot_iova(unsigned int slot, uint32_t offset)
{
	return world->driver.data + slot * UINT64_C(4096) + offset;
}

static void *
slot_va(unsigned int slot, uint32_t offset)
{
	return driver_va(&world->driver, slot_iova(slot, offset));
}

/* A chain of two descriptors, of one, of two, and of two in a table. */
static void
slot_post(unsigned int slot, uint32_t len)
{
	uint16_t flags = world->queue == RX ? VRING_DESC_F_WRITE : 0, i;
	uint16_t descs[2] = { (uint16_t)(2 * slot), (uint16_t)(2 * slot + 1) };
	struct driver_part parts[2] = {
		{ slot_iova(slot, 0), slot % 4 == 1 ? len : HDR, flags },
		{ slot_iova(slot, HDR), len - HDR, flags },
	};
	struct driver_part whole = { slot_iova(slot, 3072), 32, VRING_DESC_F_INDIRECT };
	struct vring_desc *table = slot_va(slot, 3072);

	if (slot % 4 != 3) {
		driver_post_chain(&world->driver, descs, parts, slot % 4 == 1 ? 1 : 2);
		return;
	}
	for (i = 0; i < 2; i++) {
		uint16_t more = i == 0 ? VRING_DESC_F_NEXT : 0;

		/* In a packed ring they follow one another, and flags stand last. */
		table[i] = (struct vring_desc){
			.addr = parts[i].iova,
			.len = parts[i].len,
			.flags = world_is_packed() ? 0 : flags | more,
			.next = world_is_packed() ? flags : (uint16_t)(i + 1),
		};
	}
	driver_post_chain(&world->driver, descs, &whole, 1);
}

void
world_send(uint32_t until)
{
	unsigned int slot;

	for (slot = 0; slot < SLOTS && world->posted < until; slot++) {
		if (world->slots[slot] != 0)
			continue;
		if (world->queue == TX) {
			memset(slot_va(slot, 0), 0, HDR);
			packet_fill(slot_va(slot, HDR), world->posted);
			slot_post(slot, HDR + packet_len(world->posted));
		} else {
			memset(slot_va(slot, 0), 0xee, RX_ROOM);
			slot_post(slot, RX_ROOM);
		}
		world->slots[slot] = ++world->posted;
	}
}

/* A buffer with a packet, or a part of one. */
static void
driver_receive_part(unsigned int slot, uint32_t len)
{
	const struct virtio_net_hdr_v1 *hdr = slot_va(slot, 0);

	assert_in_range(len, 1, RX_ROOM);
	if (world->parts == 0) {
		world->parts = hdr->num_buffers;
		world->got = 0;
		assert_in_range(world->parts, 1, SLOTS);
	}
	assert_in_range(world->got + len, 1, sizeof(world->packet));
	memcpy(world->packet + world->got, slot_va(slot, 0), len);
	world->got += len;
	if (--world->parts == 0)
		packet_is(world->packet + HDR, world->got - HDR, world->received++);
}

void
world_receive(void)
{
	uint32_t head, len;

	while (driver_take(&world->driver, &head, &len)) {
		unsigned int slot = head / 2;

		assert_int_equal(head % 2, 0);
		assert_in_range(slot, 0, SLOTS - 1);
		/* What is used twice has no chain, or another one than the oldest. */
		assert_int_equal(world->slots[slot], ++world->taken);
		world->slots[slot] = 0;
		if (world->queue == RX)
			driver_receive_part(slot, len);
	}
	/* A packet is shown whole. */
	assert_int_equal(world->parts, 0);
}

/* The device. */
static void
device_take_packets(uint16_t nb)
{
	struct rte_mbuf *mbufs[BURST];
	uint16_t i;

	nb = rte_vduse_net_rx_burst(world_net, 0, world_pool, mbufs, nb);
	for (i = 0; i < nb; i++) {
		packet_is(rte_pktmbuf_mtod(mbufs[i], const uint8_t *), mbufs[i]->pkt_len,
			  world->polled++);
		rte_pktmbuf_free(mbufs[i]);
	}
}

static void
device_give_packets(uint16_t nb)
{
	struct rte_mbuf *mbufs[BURST];
	uint16_t i, sent;

	for (i = 0; i < nb; i++) {
		uint32_t number = world->polled + i;

		mbufs[i] = rte_pktmbuf_alloc(world_pool);
		assert_non_null(mbufs[i]);
		packet_fill((void *)rte_pktmbuf_append(mbufs[i], (uint16_t)packet_len(number)),
			    number);
	}
	sent = rte_vduse_net_tx_burst(world_net, 0, mbufs, nb);
	world->polled += sent;
	rte_pktmbuf_free_bulk(mbufs + sent, nb - sent);
}

void
world_poll(uint16_t nb)
{
	if (world->queue == TX)
		device_take_packets(nb);
	else
		device_give_packets(nb);
}

void
world_device_create(bool left)
{
	struct rte_vduse_net_conf conf = {
		.size = sizeof(struct rte_vduse_net_conf),
		.path = "/dev/vduse/unit0",
		.pairs = 1,
		.queue_size = RING,
		.mac = { { 2, 0, 0, 0, 0, 1 } },
		.socket_id = SOCKET_ID_ANY,
	};
	unsigned int i;

	world_loop = vduse_loopback_new();
	assert_non_null(world_loop);
	if (left)
		vduse_loopback_leave(world_loop, NULL);
	vduse_loopback_set_features(world_loop, world->driver.features);
	for (i = 0; i < world->driver.nb_regions; i++) {
		const struct driver_region *region = &world->driver.regions[i];

		assert_int_equal(vduse_loopback_region_add(world_loop, region->first,
							   region->first + region->size - 1, 0,
							   VDUSE_ACCESS_RW, region->fd),
				 0);
	}
	assert_int_equal(create_net_over(&conf, &vduse_transport_loopback, world_loop, &world_net),
			 0);
}

void
world_device_destroy(void)
{
	rte_vduse_net_destroy(world_net);
	vduse_loopback_free(world_loop);
	world_net = NULL;
}

/* What the transport says of the ring: its position is that of its beginning. */
void
world_device_set_vq(uint16_t index)
{
	struct vring_layout layout = driver_layout(&world->driver);
	struct vduse_vq_info info = {
		.num = RING,
		.desc_addr = layout.desc,
		.driver_addr = layout.driver,
		.device_addr = layout.device,
		.ready = 1,
	};

	if (world_is_packed()) {
		info.packed.last_avail_counter = index < RING;
		info.packed.last_used_counter = index < RING;
		info.packed.last_avail_idx = index % RING;
		info.packed.last_used_idx = index % RING;
	} else {
		info.split.avail_index = index;
	}
	vduse_loopback_set_vq(world_loop, world->queue, &info);
}

void
world_device_ask(struct vduse_dev_request req)
{
	struct vduse_dev_response resp;

	assert_int_equal(vduse_loopback_ask(world_loop, &req, &resp, UNIT_PATIENCE_MS), 0);
	assert_int_equal(resp.result, VDUSE_REQ_RESULT_OK);
}

enum rte_vduse_vq_state
world_device_state(void)
{
	return rte_atomic_load_explicit(&world_net->queues[world->queue].vq->state,
					rte_memory_order_acquire);
}

/* A new driver on new memory, its ring at an index (packed: a place), and a device. */
void
world_begin(uint16_t queue, uint64_t features, uint16_t index)
{
	struct vduse_dev_request up = { .type = VDUSE_SET_STATUS, .s.status = STATUS_UP };

	world = mmap(NULL, sizeof(*world), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	assert_ptr_not_equal(world, MAP_FAILED);
	world->queue = queue;
	driver_init_shared(&world->driver, RING, features, index);
	/* The child's are this process's, too. */
	free(world->driver.packed.descs);
	free(world->driver.packed.order);
	world->driver.packed.descs = world->descs;
	world->driver.packed.order = world->order;
	world_device_create(false);
	world_device_set_vq(index);
	assert_int_equal(rte_vduse_net_start(world_net, RTE_VDUSE_ATTACH_NONE), 0);
	world_device_ask(up);
	world_device_ask(vduse_loopback_memory_changed());
	assert_int_equal(world_device_state(), RTE_VDUSE_VQ_RUNNING);
}

void
world_end(void)
{
	world->driver.packed.descs = NULL;
	world->driver.packed.order = NULL;
	driver_free(&world->driver);
	munmap(world, sizeof(*world));
}
