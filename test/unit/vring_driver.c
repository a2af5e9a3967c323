/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * See vring_driver.h.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <rte_vduse_compat.h>

#include "unit.h"
#include "vring_driver.h"

#define DRIVER_ALIGN 4096

static bool
driver_lookup(void *arg, uint64_t iova, bool write, struct vring_window *window)
{
	struct driver *driver = arg;
	unsigned int i;

	driver->lookups++;
	for (i = 0; i < driver->nb_regions; i++) {
		const struct driver_region *region = &driver->regions[i];

		if (iova - region->first >= region->size || (write && region->read_only))
			continue;
		window->first = region->first;
		window->size = region->size;
		window->delta = (uint64_t)(uintptr_t)region->va - region->first;
		return true;
	}
	return false;
}

struct driver_region *
driver_region(struct driver *driver, uint64_t iova, uint64_t size)
{
	struct driver_region *region = &driver->regions[driver->nb_regions];

	assert_true(driver->nb_regions < DRIVER_REGIONS);
	region->first =
		iova != 0 ? iova
			  : DRIVER_IOVA * (driver->nth * DRIVER_REGIONS + driver->nb_regions + 1);
	region->size = size;
	if (driver->shared) {
		region->fd = unit_memfd("unit-driver", size);
		region->va = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, region->fd, 0);
		assert_ptr_not_equal(region->va, MAP_FAILED);
	} else {
		/* On the heap, where a sanitizer sees what goes too far. */
		region->va = aligned_alloc(DRIVER_ALIGN, RTE_ALIGN_CEIL(size, DRIVER_ALIGN));
		assert_non_null(region->va);
		memset(region->va, 0, size);
	}
	driver->nb_regions++;
	return region;
}

void *
driver_va(struct driver *driver, uint64_t iova)
{
	unsigned int i;

	for (i = 0; i < driver->nb_regions; i++)
		if (iova - driver->regions[i].first < driver->regions[i].size)
			return driver->regions[i].va + (iova - driver->regions[i].first);
	fail_msg("0x%lx is in no region", (unsigned long)iova);
	return NULL;
}

static void
driver_lay_out(struct driver *driver, uint32_t size, uint64_t features, uint16_t index)
{
	uint64_t avail = 16 * (uint64_t)size, used = RTE_ALIGN_CEIL(avail + 6 + 2 * size, 4);
	uint64_t end = RTE_ALIGN_CEIL(used + 6 + 8 * (uint64_t)size, DRIVER_ALIGN);

	driver->size = size;
	driver->features = features;
	if (driver_has(driver, VIRTIO_F_RING_PACKED)) {
		driver_packed_init(driver, index);
		return;
	}
	driver->rings = driver_region(driver, 0, end)->first;
	driver->data = driver_region(driver, 0, 4096 * (uint64_t)size)->first;
	driver->desc = driver_va(driver, driver->rings);
	driver->avail = driver_va(driver, driver->rings + avail);
	driver->used = driver_va(driver, driver->rings + used);
	driver->next = index;
	driver->seen = index;
	driver->avail->idx = index;
	driver->used->idx = index;
}

void
driver_init(struct driver *driver, uint32_t size, uint64_t features, uint16_t index)
{
	memset(driver, 0, sizeof(*driver));
	driver_lay_out(driver, size, features, index);
}

void
driver_init_shared(struct driver *driver, uint32_t size, uint64_t features, uint16_t index)
{
	driver_init_shared_nth(driver, 0, size, features, index);
}

void
driver_init_shared_nth(struct driver *driver, unsigned int nth, uint32_t size, uint64_t features,
		       uint16_t index)
{
	memset(driver, 0, sizeof(*driver));
	driver->shared = true;
	driver->nth = nth;
	driver_lay_out(driver, size, features, index);
}

static void
driver_region_free(const struct driver *driver, struct driver_region *region)
{
	if (!driver->shared) {
		free(region->va);
		return;
	}
	munmap(region->va, region->size);
	close(region->fd);
}

void
driver_free(struct driver *driver)
{
	unsigned int i;

	vring_stop(&driver->vq);
	for (i = 0; i < driver->nb_regions; i++)
		driver_region_free(driver, &driver->regions[i]);
	free(driver->packed.descs);
	free(driver->packed.order);
}

struct vring_layout
driver_layout(const struct driver *driver)
{
	const uint8_t *base = (const uint8_t *)driver->desc;
	struct vring_layout layout = {
		.desc = driver->rings,
		.driver = driver->rings + (uint64_t)((const uint8_t *)driver->avail - base),
		.device = driver->rings + (uint64_t)((const uint8_t *)driver->used - base),
		.features = driver->features,
		.size = driver->size,
		.position = driver->next,
	};

	if (driver_has(driver, VIRTIO_F_RING_PACKED))
		driver_packed_layout(driver, &layout);
	return layout;
}

int
driver_start(struct driver *driver)
{
	struct vring_layout layout = driver_layout(driver);

	return vring_start(&driver->vq, &layout, driver_lookup, driver);
}

void
driver_desc(struct driver *driver, uint16_t index, uint64_t iova, uint32_t len, uint16_t flags,
	    uint16_t next)
{
	driver->desc[index] =
		(struct vring_desc){ .addr = iova, .len = len, .flags = flags, .next = next };
}

bool
driver_post(struct driver *driver, uint16_t head)
{
	const uint16_t *avail_event = (const void *)&driver->used->ring[driver->size];
	uint16_t old = driver->next++;

	driver->avail->ring[old & (driver->size - 1)] = head;
	rte_atomic_store_explicit(&driver->avail->idx, driver->next, rte_memory_order_release);
	/* Pairs with the barrier in vring_notify(). */
	rte_atomic_thread_fence(rte_memory_order_seq_cst);
	if (driver_has(driver, VIRTIO_RING_F_EVENT_IDX))
		return vring_need_event(
			rte_atomic_load_explicit(avail_event, rte_memory_order_relaxed),
			driver->next, old);
	return !(rte_atomic_load_explicit(&driver->used->flags, rte_memory_order_relaxed) &
		 VRING_USED_F_NO_NOTIFY);
}

bool
driver_post_chain(struct driver *driver, const uint16_t *descs, const struct driver_part *parts,
		  uint16_t nb)
{
	uint16_t i;

	if (driver_has(driver, VIRTIO_F_RING_PACKED))
		return driver_packed_post(driver, descs[0], parts, nb);
	for (i = 0; i < nb; i++) {
		bool more = i + 1 < nb;

		driver_desc(driver, descs[i], parts[i].iova, parts[i].len,
			    (uint16_t)(parts[i].flags | (more ? VRING_DESC_F_NEXT : 0)),
			    more ? descs[i + 1] : 0);
	}
	return driver_post(driver, descs[0]);
}

/* Section 2.7.9: one entry, at the place of the first, for all chains up to the one it names. */
static void
driver_take_in_order(struct driver *driver, uint32_t *head, uint32_t *len)
{
	uint16_t mask = (uint16_t)(driver->size - 1), slot = driver->seen & mask;

	if (driver->batch == 0) {
		const struct vring_used_elem *elem = &driver->used->ring[slot];

		while (driver->avail->ring[(driver->seen + driver->batch) & mask] != elem->id) {
			driver->batch++;
			assert_true(driver->batch < driver->size);
		}
		driver->batch++;
		driver->batch_len = elem->len;
	}
	*head = driver->avail->ring[slot];
	*len = --driver->batch == 0 ? driver->batch_len : 0;
	driver->seen++;
}

bool
driver_take(struct driver *driver, uint32_t *head, uint32_t *len)
{
	const struct vring_used_elem *elem;

	if (driver_has(driver, VIRTIO_F_RING_PACKED))
		return driver_packed_take(driver, head, len);
	if (driver->seen == rte_atomic_load_explicit(&driver->used->idx, rte_memory_order_acquire))
		return false;
	if (driver_has(driver, VIRTIO_F_IN_ORDER)) {
		driver_take_in_order(driver, head, len);
		return true;
	}
	elem = &driver->used->ring[driver->seen++ & (driver->size - 1)];
	*head = elem->id;
	*len = elem->len;
	return true;
}

void
driver_set_used_event(struct driver *driver, uint16_t event)
{
	rte_atomic_store_explicit(&driver->avail->ring[driver->size], event,
				  rte_memory_order_relaxed);
}
