/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See loopback_net.h. Packets are in loopback_packet.c. */
#include "loopback_net.h"
#include "create_over.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <vduse/core/device.h>

#include <rte_vduse_compat.h>

#define NET_CHAIN_MAX 1024

static const char *const fd_names[] = { "unit-net-rx", "unit-net-tx" };

struct vduse_loopback *loopback_net_transport;
bool loopback_net_taken_over;

int
__real_rte_vduse_dev_create(const struct rte_vduse_dev_conf *conf, struct rte_vduse_dev **dev);

int
__wrap_rte_vduse_dev_create(const struct rte_vduse_dev_conf *conf, struct rte_vduse_dev **dev)
{
	int ret;

	if (conf->transport != NULL)
		return __real_rte_vduse_dev_create(conf, dev);
	ret = create_dev_over(conf, &vduse_transport_loopback, loopback_net_transport, dev);
	if (ret == 0)
		(*dev)->taken_over = loopback_net_taken_over;
	return ret;
}

static void
on_link(struct rte_vduse_net *net, bool up, void *arg)
{
	struct loopback_net *self = arg;

	/* Both must agree: the counter stays at 0 for the tests if they do not. */
	if (rte_vduse_net_link(net) != up)
		return;
	rte_atomic_fetch_add_explicit(&self->links, 1, rte_memory_order_relaxed);
	rte_atomic_store_explicit(&self->up, up, rte_memory_order_release);
}

/* Rings and buffers of a queue in a file of its own. */
static void
net_lay_out(struct loopback_net *self, unsigned int queue, uint32_t size)
{
	struct driver *driver = &self->queues[queue];
	uint64_t avail = 16 * (uint64_t)size, used = RTE_ALIGN_CEIL(avail + 6 + 2 * size, 4);
	uint64_t rings = RTE_ALIGN_CEIL(used + 6 + 8 * (uint64_t)size, NET_PIECE);
	uint64_t all = rings + (uint64_t)size * NET_PIECE;
	uint8_t *va;

	self->fds[queue] = unit_memfd(fd_names[queue], all);
	va = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_SHARED, self->fds[queue], 0);
	assert_ptr_not_equal(va, MAP_FAILED);
	memset(driver, 0, sizeof(*driver));
	driver->size = size;
	driver->features = self->features;
	driver->rings = DRIVER_IOVA * (queue + 1);
	driver->data = driver->rings + rings;
	driver->desc = (void *)va;
	driver->avail = (void *)(va + avail);
	driver->used = (void *)(va + used);
	driver->regions[0] = (struct driver_region){ driver->rings, all, va, false };
	driver->nb_regions = 1;
}
void
loopback_net_driver(struct loopback_net *self, uint32_t size, uint64_t features)
{
	memset(self, 0, sizeof(*self));
	self->features = features;
	net_lay_out(self, NET_RX, size);
	net_lay_out(self, NET_TX, size);
	self->loop = vduse_loopback_new();
	assert_non_null(self->loop);
	loopback_net_transport = self->loop;
}

void
loopback_net_create(struct loopback_net *self, uint32_t size, uint64_t features)
{
	struct rte_vduse_net_conf conf = {
		.size = sizeof(struct rte_vduse_net_conf),
		.path = "/dev/vduse/unit0",
		.pairs = 1,
		.queue_size = (uint16_t)size,
		.mac = { { 2, 0, 0, 0, 0, 1 } },
		.mtu = RTE_VDUSE_NET_MTU_MAX,
		.socket_id = SOCKET_ID_ANY,
		.link = on_link,
		.arg = self,
		.offloads = features,
	};

	loopback_net_driver(self, size, features);
	assert_int_equal(rte_vduse_net_create(&conf, &self->net), 0);
	self->dev = rte_vduse_net_dev(self->net);
	assert_int_equal(rte_vduse_net_start(self->net, RTE_VDUSE_ATTACH_NONE), 0);
}

void
loopback_net_destroy(struct loopback_net *self)
{
	unsigned int i;

	rte_vduse_net_destroy(self->net);
	vduse_loopback_free(self->loop);
	for (i = 0; i < 2; i++) {
		munmap(self->queues[i].regions[0].va, self->queues[i].regions[0].size);
		close(self->fds[i]);
	}
}

void
loopback_net_regions(struct loopback_net *self)
{
	unsigned int i;

	vduse_loopback_regions_clear(self->loop);
	for (i = 0; i < 2; i++) {
		const struct driver_region *region = &self->queues[i].regions[0];

		assert_int_equal(vduse_loopback_region_add(self->loop, region->first,
							   region->first + region->size - 1, 0,
							   VDUSE_ACCESS_RW, self->fds[i]),
				 0);
	}
}

static void
net_ask(struct loopback_net *self, struct vduse_dev_request *req)
{
	struct vduse_dev_response resp;

	assert_int_equal(vduse_loopback_ask(self->loop, req, &resp, UNIT_PATIENCE_MS), 0);
	assert_int_equal(resp.result, VDUSE_REQ_RESULT_OK);
}

static void
net_set_status(struct loopback_net *self, uint8_t status)
{
	struct vduse_dev_request req = { .type = VDUSE_SET_STATUS, .s.status = status };

	net_ask(self, &req);
}

void
loopback_net_update(struct loopback_net *self)
{
	struct vduse_dev_request req = vduse_loopback_memory_changed();

	net_ask(self, &req);
}

void
loopback_net_reset(struct loopback_net *self)
{
	net_set_status(self, 0);
}

static bool
is_up(void *arg)
{
	struct loopback_net *self = arg;

	if (self->net == NULL)
		return (rte_vduse_dev_status(self->dev) & VIRTIO_CONFIG_S_DRIVER_OK) != 0;
	return rte_atomic_load_explicit(&self->up, rte_memory_order_acquire);
}

/* Rings as new, and where the transport finds them. */
static void
net_ready(struct loopback_net *self, unsigned int queue)
{
	struct driver *driver = &self->queues[queue];
	const uint8_t *base = (const uint8_t *)driver->desc;
	struct vduse_vq_info info = {
		.index = queue,
		.num = driver->size,
		.desc_addr = driver->rings,
		.driver_addr = driver->rings + (uint64_t)((uint8_t *)driver->avail - base),
		.device_addr = driver->rings + (uint64_t)((uint8_t *)driver->used - base),
		.ready = 1,
	};

	memset(driver->desc, 0, (size_t)(driver->data - driver->rings));
	driver->next = self->begin;
	driver->seen = self->begin;
	driver->avail->idx = self->begin;
	driver->used->idx = self->begin;
	self->next_desc[queue] = 0;
	vduse_loopback_set_vq(self->loop, (uint16_t)queue, &info);
}

void
loopback_net_up(struct loopback_net *self)
{
	loopback_net_reset(self);
	net_ready(self, NET_RX);
	net_ready(self, NET_TX);
	loopback_net_regions(self);
	vduse_loopback_set_features(self->loop, self->features);
	net_set_status(self, NET_STATUS_UP & ~VIRTIO_CONFIG_S_DRIVER_OK);
	net_set_status(self, NET_STATUS_UP);
	assert_true(unit_wait(is_up, self));
}

enum rte_vduse_vq_state
loopback_net_state(struct loopback_net *self, unsigned int queue)
{
	return rte_atomic_load_explicit(&rte_vduse_dev_vq(self->dev, (uint16_t)queue)->state,
					rte_memory_order_acquire);
}

void
loopback_net_wait(struct loopback_net *self, unsigned int queue, enum rte_vduse_vq_state state)
{
	unsigned int ms;

	for (ms = 0; loopback_net_state(self, queue) != state; ms++) {
		if (ms == UNIT_PATIENCE_MS)
			fail_msg("virtqueue %u is in state %d, not %d", queue,
				 (int)loopback_net_state(self, queue), (int)state);
		unit_sleep_ms(1);
	}
}

static uint16_t
net_flags(unsigned int queue, bool more)
{
	return (uint16_t)((queue == NET_RX ? VRING_DESC_F_WRITE : 0) |
			  (more ? VRING_DESC_F_NEXT : 0));
}

uint16_t
loopback_net_chain(struct loopback_net *self, unsigned int queue, const uint32_t *lens,
		   unsigned int nb)
{
	struct driver *driver = &self->queues[queue];
	uint16_t mask = (uint16_t)(driver->size - 1), head = self->next_desc[queue] & mask;
	unsigned int i;

	assert_in_range(nb, 1, driver->size);
	for (i = 0; i < nb; i++) {
		uint16_t index = self->next_desc[queue]++ & mask;

		assert_in_range(lens[i], 0, NET_PIECE);
		driver_desc(driver, index, driver->data + index * NET_PIECE, lens[i],
			    net_flags(queue, i + 1 < nb), (index + 1) & mask);
	}
	return head;
}

uint16_t
loopback_net_indirect(struct loopback_net *self, unsigned int queue, const uint32_t *lens,
		      unsigned int nb)
{
	struct driver *driver = &self->queues[queue];
	uint16_t mask = (uint16_t)(driver->size - 1), head = self->next_desc[queue]++ & mask;
	uint64_t room = driver->data + head * NET_PIECE, table = room + NET_PIECE / 2;
	struct vring_desc *descs = driver_va(driver, table);
	unsigned int i;

	/* Half of the slot for the table, the other half for the pieces. */
	assert_in_range(nb, 1, NET_PIECE / 2 / sizeof(*descs));
	for (i = 0; i < nb; i++) {
		descs[i] = (struct vring_desc){ .addr = room,
						.len = lens[i],
						.flags = net_flags(queue, i + 1 < nb),
						.next = (uint16_t)(i + 1) };
		room += lens[i];
	}
	assert_in_range(room, 0, table);
	driver_desc(driver, head, table, nb * sizeof(*descs), VRING_DESC_F_INDIRECT, 0);
	return head;
}

uint16_t
loopback_net_chain_len(struct loopback_net *self, unsigned int queue, uint32_t len)
{
	uint32_t lens[NET_CHAIN_MAX];
	unsigned int nb = 0;

	do {
		lens[nb] = RTE_MIN(len, NET_PIECE);
		len -= lens[nb++];
	} while (len > 0);
	return loopback_net_chain(self, queue, lens, nb);
}

void
loopback_net_post(struct loopback_net *self, unsigned int queue, uint16_t head)
{
	driver_post(&self->queues[queue], head);
}

/* Copies between a chain and a buffer, from an offset in the chain on. */
static void
net_copy(struct loopback_net *self, unsigned int queue, uint16_t head, uint32_t offset,
	 uint8_t *buf, uint32_t len, bool write)
{
	struct driver *driver = &self->queues[queue];
	const struct vring_desc *table = driver->desc, *desc = &table[head];

	if (desc->flags & VRING_DESC_F_INDIRECT)
		desc = table = driver_va(driver, desc->addr);
	while (len > 0) {
		uint32_t over = RTE_MIN(offset, desc->len), n = RTE_MIN(len, desc->len - over);
		uint8_t *va = n > 0 ? (uint8_t *)driver_va(driver, desc->addr) + over : buf;

		memcpy(write ? va : buf, write ? buf : va, n);
		offset -= over;
		buf += n;
		len -= n;
		assert_true(len == 0 || (desc->flags & VRING_DESC_F_NEXT));
		desc = &table[desc->next];
	}
}

void
loopback_net_read(struct loopback_net *self, unsigned int queue, uint16_t head, uint32_t offset,
		  void *to, uint32_t len)
{
	net_copy(self, queue, head, offset, to, len, false);
}

void
loopback_net_write(struct loopback_net *self, unsigned int queue, uint16_t head, uint32_t offset,
		   const void *from, uint32_t len)
{
	net_copy(self, queue, head, offset, (uint8_t *)(uintptr_t)from, len, true);
}

struct rte_vduse_net_stats
loopback_net_stats(const struct loopback_net *self, bool rx)
{
	struct rte_vduse_net_stats stats;

	rte_vduse_net_stats(self->net, 0, rx, &stats, sizeof(stats));
	return stats;
}
