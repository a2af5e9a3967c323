/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The table of regions of an address space.
 * Input: regions from the transport. Output: a sorted table with mappings; regions by address.
 * Thread: control builds tables; any thread searches them.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_branch_prediction.h>
#include <rte_random.h>
#include <rte_vduse_compat.h>

#include <linux/vduse.h>

#include <vduse/core/log.h>
#include <vduse/memory/iotlb.h>
#include <vduse/trace.h>

const struct rte_vduse_region *
vduse_iotlb_lookup(const struct vduse_iotlb *table, uint64_t iova)
{
	uint32_t low = 0, high;

	if (unlikely(table == NULL))
		return NULL;
	high = table->nb;
	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		const struct rte_vduse_region *region = &table->regions[middle];

		if (iova < region->first)
			high = middle;
		else if (iova > region->last)
			low = middle + 1;
		else
			return region;
	}
	return NULL;
}

void
vduse_iotlb_free(struct vduse_iotlb *table)
{
	uint32_t i;

	if (table == NULL)
		return;
	vduse_guard_remove(table);
	for (i = 0; i < table->nb; i++) {
		const struct rte_vduse_region *region = &table->regions[i];
		uint64_t size = region->last - region->first + 1;

		VDUSE_TRACE(region_remove, region->first, size, region->va);
		vduse_mapping_put(table->mappings[i]);
	}
	free(table->regions);
	free(table->mappings);
	free(table->next);
	free(table);
}

static int
iotlb_grow(struct vduse_iotlb *table, uint32_t *room)
{
	uint32_t want = *room == 0 ? 16 : *room * 2;
	struct rte_vduse_region *regions;
	struct vduse_mapping **mappings;
	uint32_t *next;

	regions = realloc(table->regions, want * sizeof(*regions));
	if (regions == NULL)
		return -ENOMEM;
	table->regions = regions;
	mappings = realloc(table->mappings, want * sizeof(*mappings));
	if (mappings == NULL)
		return -ENOMEM;
	table->mappings = mappings;
	next = realloc(table->next, want * sizeof(*next));
	if (next == NULL)
		return -ENOMEM;
	table->next = next;
	*room = want;
	return 0;
}

/* The mapping that old has for exactly this region, for a file without an inode of its own. */
static struct vduse_mapping *
iotlb_reuse(const struct vduse_iotlb *old, const struct vduse_file_region *from)
{
	const struct rte_vduse_region *region = vduse_iotlb_lookup(old, from->first);
	struct vduse_mapping *mapping;

	if (region == NULL || region->first != from->first || region->last != from->last)
		return NULL;
	mapping = old->mappings[region - old->regions];
	if (mapping->keyed || mapping->offset != from->offset ||
	    rte_atomic_load_explicit(&mapping->lost, rte_memory_order_relaxed))
		return NULL;
	if ((from->perm & VDUSE_ACCESS_WO) && !mapping->writable)
		return NULL;
	return mapping;
}

/*
 * Finds the mapping of a region in this or the old table, or creates it; takes a reference and
 * stores it as the next one of the table.
 */
static struct vduse_mapping *
iotlb_map(const struct vduse_iotlb_source *source, const struct vduse_file_region *from,
	  struct vduse_iotlb *table, struct vduse_iotlb *old, bool reuse)
{
	bool writable = (from->perm & VDUSE_ACCESS_WO) != 0;
	uint64_t len = from->last - from->first + 1;
	struct vduse_mapping *mapping = from->mapping;
	struct vduse_map_file file;
	int ret;

	if (from->bounce)
		mapping = source->bounce(source->arg, from->first, len);
	if (mapping == NULL) {
		ret = vduse_map_stat(from->fd, &file);
		if (ret < 0) {
			VDUSE_LOG_RATED(source->rate, iotlb, ERR, source->name,
					"cannot stat the file of a memory region: %s",
					strerror(-ret));
			return NULL;
		}
		mapping = vduse_mapping_find(table, &file, from->offset, len, writable);
	}
	if (mapping != NULL) {
		mapping->refs++;
		table->mappings[table->nb] = mapping;
		return mapping;
	}
	if (old != NULL) {
		mapping = vduse_mapping_find(old, &file, from->offset, len, writable);
		if (mapping == NULL && reuse)
			mapping = iotlb_reuse(old, from);
	}
	if (mapping != NULL)
		mapping->refs++;
	else
		mapping = vduse_mapping_create(source->name, from->fd, &file, from->offset, len,
					       writable);
	if (mapping != NULL) {
		table->mappings[table->nb] = mapping;
		vduse_mapping_share(table, table->nb);
	}
	return mapping;
}

/* Adds a region. One that cannot be mapped is left out: accesses to it miss. */
static int
iotlb_add(const struct vduse_iotlb_source *source, struct vduse_iotlb *table, uint32_t *room,
	  const struct vduse_file_region *from, struct vduse_iotlb *old, bool reuse)
{
	struct rte_vduse_region *region;
	struct vduse_mapping *mapping;
	uint64_t size;
	int ret;

	if (table->nb == VDUSE_IOTLB_REGIONS_MAX) {
		VDUSE_LOG_RATED(source->rate, iotlb, ERR, source->name,
				"more than %u memory regions: let the driver use larger files",
				VDUSE_IOTLB_REGIONS_MAX);
		return -E2BIG;
	}
	if (table->nb == *room) {
		ret = iotlb_grow(table, room);
		if (ret < 0)
			return ret;
	}
	mapping = iotlb_map(source, from, table, old, reuse);
	if (mapping == NULL)
		return 0;
	region = &table->regions[table->nb];
	region->first = from->first;
	region->last = from->last;
	region->va = mapping->va + (mapping->ours ? 0 : from->offset - mapping->offset);
	region->readable = (from->perm & VDUSE_ACCESS_RO) != 0;
	region->writable = (from->perm & VDUSE_ACCESS_WO) != 0 && mapping->writable;
	region->pinnable = from->pinnable;
	table->nb++;
	size = from->last - from->first + 1;
	if (!from->bounce && from->mapping == NULL && !source->sparse)
		vduse_populate_add(mapping, from->fd, from->offset, from->offset + size);
	VDUSE_TRACE(region_add, source->name, from->first, size, region->va);
	VDUSE_LOG(iotlb, DEBUG, source->name,
		  "region 0x%" PRIx64 "-0x%" PRIx64 " at %p, permissions %u%s", from->first,
		  from->last, (void *)region->va, from->perm, from->bounce ? ", bounce" : "");
	return 0;
}

/* Whether a region is in order and its end does not exceed the maximum size of a file. */
static bool
iotlb_region_ok(const struct vduse_file_region *region, uint64_t from)
{
	if (region->last < region->first || region->first < from)
		return false;
	return region->last - region->first <= INT64_MAX &&
	       region->offset <= INT64_MAX - (region->last - region->first);
}

/*
 * Charges a region to the memory limit. Bounce memory belongs to the kernel and is free; what is
 * mapped was charged before.
 */
static int
iotlb_charge(const struct vduse_iotlb_source *source, const struct vduse_file_region *region,
	     uint64_t *left)
{
	uint64_t len = region->last - region->first + 1;

	if (region->bounce || region->mapping != NULL)
		return 0;
	if (len > *left) {
		VDUSE_LOG_RATED(source->rate, iotlb, ERR, source->name,
				"its driver shares more than the %" PRIu64
				" bytes of memory-limit: raise it",
				source->limit);
		return -E2BIG;
	}
	*left -= len;
	return 0;
}

int
vduse_iotlb_walk(const struct vduse_iotlb_source *source, struct vduse_iotlb *old, bool reuse,
		 struct vduse_iotlb **result)
{
	struct vduse_file_region region;
	uint64_t most = source->limit - RTE_MIN(source->shared, source->limit);
	uint64_t from = 0, left = most;
	struct vduse_iotlb *table;
	uint32_t room = 0;
	int ret = 0;

	table = calloc(1, sizeof(*table));
	if (table == NULL)
		return -ENOMEM;
	table->seed = rte_rand();
	do {
		if (source->region(source->arg, from, &region) < 0)
			break;
		if (iotlb_region_ok(&region, from)) {
			ret = iotlb_charge(source, &region, &left);
			if (ret == 0)
				ret = iotlb_add(source, table, &room, &region, old, reuse);
		} else {
			VDUSE_LOG_RATED(source->rate, iotlb, ERR, source->name,
					"region 0x%" PRIx64 "-0x%" PRIx64
					" is malformed or out of order",
					region.first, region.last);
			ret = -EPROTO;
		}
		if (!region.lent)
			close(region.fd);
		from = region.last + 1;
	} while (ret == 0 && from != 0);
	if (ret < 0) {
		vduse_iotlb_free(table);
		return ret;
	}
	VDUSE_LOG(iotlb, DEBUG, source->name, "%u regions, %" PRIu64 " mappings compared",
		  table->nb, table->nb_compared);
	table->shared = most - left;
	vduse_guard_add(table);
	*result = table;
	return 0;
}
