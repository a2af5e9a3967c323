/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The driver's side of a packed ring (VIRTIO 1.2, section 2.8). See vring_driver.h.
 */
#include <stdlib.h>

#include <rte_vduse_compat.h>

#include "unit.h"
#include "vring_driver.h"

#define AVAIL (1u << VRING_PACKED_DESC_F_AVAIL)
#define USED  (1u << VRING_PACKED_DESC_F_USED)

#define EVENTS_STRIDE 64

void
driver_packed_init(struct driver *driver, uint32_t place)
{
	struct driver_packed *packed = &driver->packed;
	uint64_t events = RTE_ALIGN_CEIL(16 * (uint64_t)driver->size, EVENTS_STRIDE);
	uint64_t end = RTE_ALIGN_CEIL(events + 2 * EVENTS_STRIDE, 4096);
	uint32_t i;

	driver->rings = driver_region(driver, 0, end)->first;
	driver->data = driver_region(driver, 0, 4096 * (uint64_t)driver->size)->first;
	packed->desc = driver_va(driver, driver->rings);
	packed->driver_event = driver_va(driver, driver->rings + events);
	packed->device_event = driver_va(driver, driver->rings + events + EVENTS_STRIDE);
	packed->descs = calloc(driver->size, sizeof(*packed->descs));
	packed->order = calloc(driver->size, sizeof(*packed->order));
	assert_non_null(packed->descs);
	assert_non_null(packed->order);
	packed->next = place;
	packed->seen = place;
	/* As left by earlier turns: entries after the position were used under the other counter. */
	for (i = 0; i < driver->size; i++) {
		bool wrap = (place < driver->size) == (i < place % driver->size);

		packed->desc[i].flags = wrap ? AVAIL | USED : 0;
	}
}

uint16_t
driver_packed_index(const struct driver *driver, uint32_t place)
{
	return (uint16_t)(place < driver->size ? place | 0x8000u : place - driver->size);
}

void
driver_packed_layout(const struct driver *driver, struct vring_layout *layout)
{
	const struct driver_packed *packed = &driver->packed;
	const uint8_t *base = (const uint8_t *)packed->desc;
	uint32_t seen = driver_packed_index(driver, packed->seen);

	layout->driver = driver->rings + (uint64_t)((const uint8_t *)packed->driver_event - base);
	layout->device = driver->rings + (uint64_t)((const uint8_t *)packed->device_event - base);
	layout->position = seen << 16 | seen;
}

static uint32_t
packed_step(const struct driver *driver, uint32_t place, uint32_t nb)
{
	return (place + nb) % (2 * driver->size);
}

bool
driver_packed_post(struct driver *driver, uint16_t id, const struct driver_part *parts, uint16_t nb)
{
	struct driver_packed *packed = &driver->packed;
	uint32_t first = packed->next;
	uint16_t first_flags = 0, i;

	for (i = 0; i < nb; i++) {
		uint32_t place = packed_step(driver, first, i);
		struct vring_packed_desc *desc = &packed->desc[place % driver->size];
		uint16_t flags = parts[i].flags;

		flags |= place < driver->size ? AVAIL : USED;
		if (i + 1 < nb)
			flags |= VRING_DESC_F_NEXT;
		desc->addr = parts[i].iova;
		desc->len = parts[i].len;
		/* Only that of the last one counts. */
		desc->id = i + 1 < nb ? 0xdead : id;
		if (i == 0)
			first_flags = flags;
		else
			desc->flags = flags;
	}
	rte_atomic_store_explicit(&packed->desc[first % driver->size].flags, first_flags,
				  rte_memory_order_release);
	packed->next = packed_step(driver, first, nb);
	packed->descs[id] = nb;
	packed->order[packed->posted++ % driver->size] = id;
	rte_atomic_thread_fence(rte_memory_order_seq_cst);
	return rte_atomic_load_explicit(&packed->device_event->flags, rte_memory_order_relaxed) !=
	       VRING_PACKED_EVENT_FLAG_DISABLE;
}

static const struct vring_packed_desc *
packed_used_at(const struct driver *driver, uint32_t place)
{
	const struct vring_packed_desc *desc = &driver->packed.desc[place % driver->size];
	/* Length, id and flags in one look, as the device shows them: the thread sanitizer sees
	 * that they belong together. Acquire: pairs with the release in packed_show().
	 */
	uint64_t word = rte_atomic_load_explicit((const uint64_t *)(const void *)&desc->len,
						 rte_memory_order_acquire);
	uint16_t flags = (uint16_t)(word >> 48);

	if ((flags & (AVAIL | USED)) != (place < driver->size ? AVAIL | USED : 0))
		return NULL;
	/* Section 2.8.5: without this flag there is no length. */
	if (!(flags & VRING_DESC_F_WRITE))
		assert_int_equal(desc->len, 0);
	return desc;
}

/* Section 2.8.9: chains that one used descriptor stands for, up to the one with this id. */
static uint32_t
packed_batch(const struct driver *driver, uint32_t taken, uint16_t id)
{
	uint32_t n = 0;

	if (!driver_has(driver, VIRTIO_F_IN_ORDER))
		return 1;
	do
		assert_true(n < driver->size);
	while (driver->packed.order[(taken + n++) % driver->size] != id);
	return n;
}

bool
driver_packed_take(struct driver *driver, uint32_t *id, uint32_t *len)
{
	struct driver_packed *packed = &driver->packed;

	if (packed->batch == 0) {
		const struct vring_packed_desc *desc = packed_used_at(driver, packed->seen);

		if (desc == NULL)
			return false;
		packed->batch = packed_batch(driver, packed->taken, desc->id);
		packed->batch_len = desc->len;
		*id = desc->id;
	}
	if (driver_has(driver, VIRTIO_F_IN_ORDER))
		*id = packed->order[packed->taken % driver->size];
	*len = --packed->batch == 0 ? packed->batch_len : 0;
	assert_true(*id < driver->size);
	packed->taken++;
	packed->seen = packed_step(driver, packed->seen, packed->descs[*id]);
	return true;
}

uint32_t
driver_packed_used(const struct driver *driver)
{
	const struct driver_packed *packed = &driver->packed;
	uint32_t taken = packed->taken, place = packed->seen, n = packed->batch, count = n;

	for (;;) {
		const struct vring_packed_desc *desc;

		for (; n > 0; n--, taken++) {
			uint16_t id = packed->order[taken % driver->size];

			place = packed_step(driver, place, packed->descs[id]);
		}
		desc = packed_used_at(driver, place);
		if (desc == NULL || count == packed->posted - packed->taken)
			return count;
		n = packed_batch(driver, taken, desc->id);
		count += n;
	}
}

void
driver_packed_set_event(struct driver *driver, uint16_t flags, uint32_t place)
{
	uint32_t event = (uint32_t)flags << 16 | driver_packed_index(driver, place);

	/* Both at once, as the device reads them. */
	rte_atomic_store_explicit((uint32_t *)(void *)driver->packed.driver_event, event,
				  rte_memory_order_release);
}
