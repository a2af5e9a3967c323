/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See loopback_blk.h. */
#include "loopback_blk.h"
#include "create_over.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_memory.h>
#include <rte_vduse_compat.h>

#include <vduse/core/device.h>

#define BLK_STATUS_UP                                                                              \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK |      \
	 VIRTIO_CONFIG_S_DRIVER_OK)

/* How far the memory of a second queue's driver lies from that of the first. */
#define BLK_OTHER (UINT64_C(1) << 32)

static struct vduse_loopback *transport;

int
__real_rte_vduse_dev_create(const struct rte_vduse_dev_conf *conf, struct rte_vduse_dev **dev);

int
__wrap_rte_vduse_dev_create(const struct rte_vduse_dev_conf *conf, struct rte_vduse_dev **dev)
{
	if (conf->transport != NULL)
		return __real_rte_vduse_dev_create(conf, dev);
	return create_dev_over(conf, &vduse_transport_loopback, transport, dev);
}

int
loopback_blk_try(const struct rte_vduse_blk_conf *conf)
{
	struct rte_vduse_blk *blk = NULL;
	int ret;

	transport = vduse_loopback_new();
	assert_non_null(transport);
	ret = rte_vduse_blk_create(conf, &blk);
	rte_vduse_blk_destroy(blk);
	vduse_loopback_free(transport);
	return ret;
}

/* Ring, room for each descriptor, and a table for each, in one file. */
static void
blk_lay_out(struct loopback_blk *self, uint32_t size)
{
	uint64_t avail = 16 * (uint64_t)size, used = RTE_ALIGN_CEIL(avail + 6 + 2 * size, 4);
	uint64_t rings = RTE_ALIGN_CEIL(used + 6 + 8 * (uint64_t)size, BLK_PIECE);
	uint64_t all = rings + 2 * (uint64_t)size * BLK_PIECE;
	struct driver *driver = &self->driver;
	uint8_t *va;

	self->fd = unit_memfd("unit-blk", all);
	va = mmap(NULL, all, PROT_READ | PROT_WRITE, MAP_SHARED, self->fd, 0);
	assert_ptr_not_equal(va, MAP_FAILED);
	driver->size = size;
	driver->rings = DRIVER_IOVA;
	driver->data = driver->rings + rings;
	driver->desc = (void *)va;
	driver->avail = (void *)(va + avail);
	driver->used = (void *)(va + used);
	driver->regions[0] = (struct driver_region){ driver->rings, all, va, false };
	driver->nb_regions = 1;
}

/* most: the largest ring that a driver may bring; 0: what is announced. */
static void
blk_create(struct loopback_blk *self, const char *backend, const char *args, uint32_t size,
	   bool read_only, bool log, uint16_t announced, uint16_t most, struct loopback_blk *other)
{
	struct rte_vduse_blk_conf conf = {
		.size = sizeof(struct rte_vduse_blk_conf),
		.path = "/dev/vduse/unit0",
		.queues = other != NULL ? 2 : 1,
		.queue_size = announced,
		.read_only = read_only,
		.backend = backend,
		.backend_args = args,
		.socket_id = SOCKET_ID_ANY,
		.in_order = true,
		.inflight = log,
	};

	memset(self, 0, sizeof(*self));
	self->other = other;
	blk_lay_out(self, size);
	self->loop = vduse_loopback_new();
	assert_non_null(self->loop);
	vduse_loopback_vq_size_max(self->loop, most);
	transport = self->loop;
	assert_int_equal(rte_vduse_blk_create(&conf, &self->blk), 0);
	self->dev = rte_vduse_blk_dev(self->blk);
	self->features = BLK_FEATURES & self->blk->features;
	assert_int_equal(rte_vduse_blk_start(self->blk, RTE_VDUSE_ATTACH_NONE), 0);
}

void
loopback_blk_create(struct loopback_blk *self, const char *backend, const char *args, uint32_t size,
		    bool read_only)
{
	blk_create(self, backend, args, size, read_only, false, (uint16_t)size, 0, NULL);
}

void
loopback_blk_create_logged(struct loopback_blk *self, const char *backend, const char *args,
			   uint32_t size)
{
	blk_create(self, backend, args, size, false, true, (uint16_t)size, 0, NULL);
}

void
loopback_blk_create_sized(struct loopback_blk *self, const char *backend, const char *args,
			  uint32_t size, uint16_t announced, uint16_t most)
{
	blk_create(self, backend, args, size, false, true, announced, most, NULL);
}

void
loopback_blk_create_pair(struct loopback_blk *self, struct loopback_blk *other, const char *backend,
			 const char *args, uint32_t size, bool logged)
{
	blk_create(self, backend, args, size, false, logged, (uint16_t)size, 0, other);
	memset(other, 0, sizeof(*other));
	blk_lay_out(other, size);
	other->driver.rings += BLK_OTHER;
	other->driver.data += BLK_OTHER;
	other->driver.regions[0].first += BLK_OTHER;
	other->features = self->features;
}

static void
blk_free_memory(struct loopback_blk *self)
{
	munmap(self->driver.regions[0].va, self->driver.regions[0].size);
	close(self->fd);
}

void
loopback_blk_destroy(struct loopback_blk *self)
{
	rte_vduse_blk_destroy(self->blk);
	vduse_loopback_free(self->loop);
	blk_free_memory(self);
	if (self->other != NULL)
		blk_free_memory(self->other);
}

static void
blk_ask(struct loopback_blk *self, struct vduse_dev_request *req)
{
	assert_int_equal(vduse_loopback_send(self->loop, req), 0);
	assert_true(loopback_blk_answered(self, UNIT_PATIENCE_MS));
}

bool
loopback_blk_answered(struct loopback_blk *self, int ms)
{
	struct vduse_dev_response resp;

	if (vduse_loopback_answer(self->loop, &resp, ms) < 0)
		return false;
	assert_int_equal(resp.result, VDUSE_REQ_RESULT_OK);
	return true;
}

static void
blk_set_status(struct loopback_blk *self, uint8_t status)
{
	struct vduse_dev_request req = { .type = VDUSE_SET_STATUS, .s.status = status };

	blk_ask(self, &req);
}

void
loopback_blk_reset(struct loopback_blk *self)
{
	blk_set_status(self, 0);
}

void
loopback_blk_reset_send(struct loopback_blk *self)
{
	struct vduse_dev_request req = { .type = VDUSE_SET_STATUS, .s.status = 0 };

	assert_int_equal(vduse_loopback_send(self->loop, &req), 0);
}

void
loopback_blk_update_send(struct loopback_blk *self)
{
	struct vduse_dev_request req = vduse_loopback_memory_changed();

	assert_int_equal(vduse_loopback_send(self->loop, &req), 0);
}

bool
loopback_blk_config_write(struct loopback_blk *self, uint32_t offset, uint8_t byte)
{
	struct vduse_dev_request req = vduse_loopback_config_written(offset, byte);
	struct vduse_dev_response resp;

	assert_int_equal(vduse_loopback_ask(self->loop, &req, &resp, UNIT_PATIENCE_MS), 0);
	return resp.result == VDUSE_REQ_RESULT_OK;
}

void
loopback_blk_update(struct loopback_blk *self)
{
	loopback_blk_update_send(self);
	assert_true(loopback_blk_answered(self, UNIT_PATIENCE_MS));
}

enum rte_vduse_vq_state
loopback_blk_state(struct loopback_blk *self)
{
	return rte_atomic_load_explicit(&rte_vduse_dev_vq(self->dev, 0)->state,
					rte_memory_order_acquire);
}

void
loopback_blk_wait(struct loopback_blk *self, enum rte_vduse_vq_state state)
{
	unsigned int ms;

	for (ms = 0; loopback_blk_state(self) != state; ms++) {
		if (ms == UNIT_PATIENCE_MS)
			fail_msg("the virtqueue is in state %d, not %d",
				 (int)loopback_blk_state(self), (int)state);
		loopback_blk_poll(self);
		unit_sleep_ms(1);
	}
}

/* Makes a new ring and tells the device where it is. */
static void
blk_set_ring(struct loopback_blk *self, struct vduse_loopback *loop, uint32_t index, uint16_t used,
	     uint16_t avail)
{
	struct driver *driver = &self->driver;
	const uint8_t *base = (const uint8_t *)driver->desc;
	struct vduse_vq_info info = {
		.num = driver->size,
		.desc_addr = driver->rings,
		.driver_addr = driver->rings + (uint64_t)((uint8_t *)driver->avail - base),
		.device_addr = driver->rings + (uint64_t)((uint8_t *)driver->used - base),
		.ready = 1,
	};

	memset(driver->desc, 0, (size_t)(driver->data - driver->rings));
	driver->features = self->features;
	driver->avail->idx = avail;
	driver->used->idx = used;
	driver->next = avail;
	driver->seen = used;
	self->next_desc = 0;
	vduse_loopback_set_vq(loop, index, &info);
}

static void
blk_show_memory(const struct loopback_blk *self, struct vduse_loopback *loop)
{
	const struct driver_region *region = &self->driver.regions[0];

	assert_int_equal(vduse_loopback_region_add(loop, region->first,
						   region->first + region->size - 1, 0,
						   VDUSE_ACCESS_RW, self->fd),
			 0);
}

void
loopback_blk_up_at(struct loopback_blk *self, uint16_t used, uint16_t avail)
{
	loopback_blk_reset(self);
	blk_set_ring(self, self->loop, 0, used, avail);
	vduse_loopback_regions_clear(self->loop);
	blk_show_memory(self, self->loop);
	if (self->other != NULL) {
		blk_set_ring(self->other, self->loop, 1, used, avail);
		blk_show_memory(self->other, self->loop);
	}
	if (self->pinnable)
		vduse_loopback_regions_pinnable(self->loop);
	vduse_loopback_set_features(self->loop, self->features);
	blk_set_status(self, BLK_STATUS_UP & ~VIRTIO_CONFIG_S_DRIVER_OK);
	blk_set_status(self, BLK_STATUS_UP);
	/* The ring starts after the answer; after one more message it has started. */
	loopback_blk_update(self);
}

void
loopback_blk_up(struct loopback_blk *self)
{
	loopback_blk_up_at(self, 0, 0);
	assert_int_equal(loopback_blk_state(self), RTE_VDUSE_VQ_RUNNING);
}

uint8_t *
loopback_blk_device_va(struct loopback_blk *self, uint64_t iova)
{
	const struct rte_vduse_region *region;

	region = rte_vduse_vq_lookup(rte_vduse_dev_vq(self->dev, 0), iova);
	assert_non_null(region);
	return region->va + (iova - region->first);
}

static uint16_t
blk_flags(const struct blk_piece *pieces, unsigned int i, unsigned int nb)
{
	return (uint16_t)((pieces[i].write ? VRING_DESC_F_WRITE : 0) |
			  (i + 1 < nb ? VRING_DESC_F_NEXT : 0));
}

/* The table that the chain at head lies in, and its first descriptor. */
static const struct vring_desc *
blk_table(struct loopback_blk *self, uint16_t head, const struct vring_desc **desc)
{
	const struct vring_desc *table = self->driver.desc;

	*desc = &table[head];
	if ((*desc)->flags & VRING_DESC_F_INDIRECT)
		*desc = table = driver_va(&self->driver, (*desc)->addr);
	return table;
}

uint16_t
loopback_blk_chain(struct loopback_blk *self, const struct blk_piece *pieces, unsigned int nb,
		   const void *bytes)
{
	struct driver *driver = &self->driver;
	uint16_t mask = (uint16_t)(driver->size - 1), head = self->next_desc & mask;
	uint64_t tables = driver->data + driver->size * (uint64_t)BLK_PIECE;
	struct vring_desc *table = driver->desc;
	const uint8_t *from = bytes;
	unsigned int i;

	assert_in_range(nb, 1, driver->size);
	if (self->indirect)
		table = driver_va(driver, tables + head * (uint64_t)BLK_PIECE);
	for (i = 0; i < nb; i++) {
		uint16_t index = self->next_desc++ & mask;
		uint64_t room = driver->data + index * (uint64_t)BLK_PIECE + pieces[i].shift;
		uint8_t *va = driver_va(driver, room);

		assert_in_range(pieces[i].len + pieces[i].shift, 0, BLK_PIECE);
		table[self->indirect ? i : index] = (struct vring_desc){
			.addr = room,
			.len = pieces[i].len,
			.flags = blk_flags(pieces, i, nb),
			.next = (uint16_t)(self->indirect ? i + 1 : (index + 1) & mask),
		};
		if (pieces[i].write) {
			memset(va, BLK_NO_STATUS, pieces[i].len);
		} else {
			memcpy(va, from, pieces[i].len);
			from += pieces[i].len;
		}
	}
	if (self->indirect)
		driver_desc(driver, head, tables + head * (uint64_t)BLK_PIECE, nb * sizeof(*table),
			    VRING_DESC_F_INDIRECT, 0);
	return head;
}

void
loopback_blk_post(struct loopback_blk *self, uint16_t head)
{
	driver_post(&self->driver, head);
}

void
loopback_blk_written(struct loopback_blk *self, uint16_t head, void *to)
{
	const struct vring_desc *desc, *table = blk_table(self, head, &desc);
	uint8_t *at = to;

	for (;; desc = &table[desc->next]) {
		if (desc->flags & VRING_DESC_F_WRITE) {
			memcpy(at, driver_va(&self->driver, desc->addr), desc->len);
			at += desc->len;
		}
		if (!(desc->flags & VRING_DESC_F_NEXT))
			return;
	}
}

uint8_t
loopback_blk_status(struct loopback_blk *self, uint16_t head)
{
	const struct vring_desc *desc, *table = blk_table(self, head, &desc), *last = NULL;

	for (;; desc = &table[desc->next]) {
		if ((desc->flags & VRING_DESC_F_WRITE) && desc->len > 0)
			last = desc;
		if (!(desc->flags & VRING_DESC_F_NEXT))
			break;
	}
	assert_non_null(last);
	return *((uint8_t *)driver_va(&self->driver, last->addr) + last->len - 1);
}

void
loopback_blk_poll(struct loopback_blk *self)
{
	(void)rte_vduse_blk_poll(self->blk, 0);
}

uint16_t
loopback_blk_take(struct loopback_blk *self)
{
	uint32_t head, len;
	unsigned int ms;

	for (ms = 0; ms < UNIT_PATIENCE_MS; ms++) {
		loopback_blk_poll(self);
		if (driver_take(&self->driver, &head, &len))
			return (uint16_t)head;
		if (ms > 10)
			unit_sleep_ms(1);
	}
	fail_msg("no request is finished, %u in flight", self->blk->queues[0].in_flight);
	return 0;
}

uint8_t
loopback_blk_do(struct loopback_blk *self, uint32_t type, uint64_t sector, void *data, uint32_t len)
{
	static uint8_t bytes[BLK_HDR + BLK_BYTES];
	struct virtio_blk_outhdr header = { .type = type, .sector = sector };
	bool in = type == VIRTIO_BLK_T_IN || type == VIRTIO_BLK_T_GET_ID;
	struct blk_piece pieces[2 + BLK_BYTES / BLK_PIECE];
	unsigned int nb = 0;
	uint32_t left;
	uint16_t head;

	assert_in_range(len, 0, BLK_BYTES);
	pieces[nb++] = (struct blk_piece){ .len = BLK_HDR };
	for (left = len; left > 0; left -= pieces[nb++].len)
		pieces[nb] = (struct blk_piece){ .len = RTE_MIN(left, BLK_PIECE), .write = in };
	pieces[nb++] = (struct blk_piece){ .len = 1, .write = true };
	memcpy(bytes, &header, sizeof(header));
	if (!in && len > 0)
		memcpy(bytes + BLK_HDR, data, len);
	head = loopback_blk_chain(self, pieces, nb, bytes);
	loopback_blk_post(self, head);
	assert_int_equal(loopback_blk_take(self), head);
	if (in && len > 0) {
		loopback_blk_written(self, head, bytes);
		memcpy(data, bytes, len);
	}
	return loopback_blk_status(self, head);
}

struct rte_vduse_blk_stats
loopback_blk_stats(struct loopback_blk *self)
{
	struct rte_vduse_blk_stats stats;

	rte_vduse_blk_stats(self->blk, 0, &stats, sizeof(stats));
	return stats;
}

void
blk_pattern(void *to, uint32_t len, uint32_t seed)
{
	uint32_t i, x = seed * 2654435761u + 1;
	uint8_t *at = to;

	for (i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		at[i] = (uint8_t)(x >> 24);
	}
}
