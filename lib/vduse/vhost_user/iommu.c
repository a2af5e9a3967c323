/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Translations of a vhost-user driver behind an IOMMU: a cache of those that the front end told. A
 * translation that is not here is asked for, so any may be dropped at any time.
 * Input: ranges that are mapped and unmapped, in addresses of the front end. Output: the regions of
 * the device, each in memory that is mapped already.
 * Thread: control.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_random.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/memory/iotlb.h>
#include <vduse/vhost_user/postcopy.h>
#include <vduse/vhost_user/vhost_user.h>

#define IOMMU_MAX VDUSE_IOTLB_REGIONS_MAX

/* A page: more than any alignment that a virtqueue needs. */
#define IOMMU_ALIGN 4096

/* A range that is mapped. */
struct vhost_user_translation {
	uint64_t first; /* addresses of the driver */
	uint64_t last;
	uint64_t user;     /* the front end's own address of first */
	uint64_t physical; /* guest physical address of first */
	uint8_t perm;      /* VDUSE_ACCESS_* */
};

bool
vhost_user_iommu_on(const struct vhost_user *vu)
{
	return (vu->acked & VHOST_USER_BIT(VIRTIO_F_ACCESS_PLATFORM)) != 0;
}

bool
vhost_user_translates(const struct vhost_user *vu)
{
	return vhost_user_iommu_on(vu) || vhost_user_postcopy_on(vu);
}

/* Index of the first translation that ends at or after an address. */
static uint32_t
iommu_find(const struct vhost_user_iommu *iommu, uint64_t from)
{
	uint32_t low = 0, high = iommu->nb;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;

		if (iommu->entries[middle].last < from)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static void
iommu_remove(struct vhost_user_iommu *iommu, uint32_t index, uint32_t nb)
{
	memmove(&iommu->entries[index], &iommu->entries[index + nb],
		(iommu->nb - index - nb) * sizeof(iommu->entries[0]));
	iommu->nb -= nb;
}

/* The caller has seen to it that there is room. */
static void
iommu_insert(struct vhost_user_iommu *iommu, uint32_t index,
	     const struct vhost_user_translation *from)
{
	memmove(&iommu->entries[index + 1], &iommu->entries[index],
		(iommu->nb - index) * sizeof(iommu->entries[0]));
	iommu->entries[index] = *from;
	iommu->nb++;
}

/* Moves the begin of a translation. */
static void
iommu_begin_at(struct vhost_user_translation *entry, uint64_t first)
{
	entry->user += first - entry->first;
	entry->physical += first - entry->first;
	entry->first = first;
}

/* Drops what is mapped in a range, and keeps what is before and after it. */
static void
iommu_cut(struct vhost_user_iommu *iommu, uint64_t first, uint64_t last)
{
	uint32_t i = iommu_find(iommu, first), end;

	if (i < iommu->nb && iommu->entries[i].first < first) {
		struct vhost_user_translation after = iommu->entries[i];

		iommu->entries[i++].last = first - 1;
		if (after.last > last) {
			iommu_begin_at(&after, last + 1);
			if (iommu->nb < IOMMU_MAX)
				iommu_insert(iommu, i, &after);
			else
				iommu->dropped = true;
			return;
		}
	}
	for (end = i; end < iommu->nb && iommu->entries[end].last <= last; end++)
		;
	if (end < iommu->nb && iommu->entries[end].first <= last)
		iommu_begin_at(&iommu->entries[end], last + 1);
	iommu_remove(iommu, i, end - i);
}

bool
vhost_user_iommu_holds(const struct vhost_user *vu, uint64_t first, uint64_t last)
{
	const struct vhost_user_iommu *iommu = &vu->iommu;
	uint32_t i = iommu_find(iommu, first);

	/* A request in flight may use a translation that was dropped. */
	return iommu->dropped || (i < iommu->nb && iommu->entries[i].first <= last);
}

void
vhost_user_iommu_unmap(struct vhost_user *vu, uint64_t first, uint64_t last)
{
	iommu_cut(&vu->iommu, first, last);
	if (vu->iommu.nb == 0)
		vu->iommu.dropped = false;
}

/*
 * Whether b goes on where a ends, in one region. The front end's own addresses may be those of several
 * regions: the whole must be where a is.
 */
static bool
iommu_goes_on(const struct vhost_user *vu, const struct vhost_user_translation *a,
	      const struct vhost_user_translation *b)
{
	uint64_t size = a->last - a->first + 1, physical;

	return a->last + 1 == b->first && a->perm == b->perm && a->user + size == b->user &&
	       a->physical + size == b->physical &&
	       vhost_user_mem_iova(vu, a->user, b->last - a->first + 1, &physical) == 0 &&
	       physical == a->physical;
}

/* Adds a translation for a range in which nothing is mapped; neighbours become one. */
static void
iommu_add(struct vhost_user *vu, const struct vhost_user_translation *from)
{
	struct vhost_user_iommu *iommu = &vu->iommu;
	uint32_t i = iommu_find(iommu, from->first);
	struct vhost_user_translation *entries = iommu->entries;

	if (i > 0 && iommu_goes_on(vu, &entries[i - 1], from)) {
		entries[--i].last = from->last;
	} else {
		if (iommu->nb == IOMMU_MAX) {
			iommu_remove(iommu, (uint32_t)rte_rand_max(iommu->nb), 1);
			iommu->dropped = true;
			i = iommu_find(iommu, from->first);
		}
		iommu_insert(iommu, i, from);
	}
	if (i + 1 < iommu->nb && iommu_goes_on(vu, &entries[i], &entries[i + 1])) {
		entries[i].last = entries[i + 1].last;
		iommu_remove(iommu, i + 1, 1);
	}
}

int
vhost_user_iommu_map(struct vhost_user *vu, uint64_t first, uint64_t last, uint64_t user,
		     uint8_t perm)
{
	struct vhost_user_translation entry = {
		.first = first,
		.last = last,
		.user = user,
		.perm = perm,
	};

	if (vhost_user_mem_iova(vu, user, last - first + 1, &entry.physical) < 0)
		return -EFAULT;
	/* A ring that is aligned in the driver's addresses must be aligned in this process's. */
	if ((first ^ entry.physical) % IOMMU_ALIGN != 0)
		return -EINVAL;
	if (vu->iommu.entries == NULL)
		vu->iommu.entries = calloc(IOMMU_MAX, sizeof(vu->iommu.entries[0]));
	if (vu->iommu.entries == NULL) {
		VDUSE_LOG_DRIVER(vu->dev, iotlb, ERR, "no memory for translations");
		return -ENOMEM;
	}
	iommu_cut(&vu->iommu, first, last);
	iommu_add(vu, &entry);
	return 0;
}

void
vhost_user_iommu_clear(struct vhost_user *vu)
{
	free(vu->iommu.entries);
	vu->iommu.entries = NULL;
	vu->iommu.nb = 0;
	vu->iommu.dropped = false;
	vduse_iotlb_free(vu->iommu.memory);
	vu->iommu.memory = NULL;
}

/* Drops translations into memory that the front end took away or moved. */
static void
iommu_sweep(struct vhost_user *vu)
{
	struct vhost_user_iommu *iommu = &vu->iommu;
	uint32_t i, nb = 0;

	for (i = 0; i < iommu->nb; i++) {
		const struct vhost_user_translation *entry = &iommu->entries[i];
		uint64_t physical;

		if (vhost_user_mem_iova(vu, entry->user, entry->last - entry->first + 1,
					&physical) == 0 &&
		    physical == entry->physical)
			iommu->entries[nb++] = *entry;
	}
	iommu->nb = nb;
}

static int
iommu_file_region(void *arg, uint64_t from, struct vduse_file_region *region)
{
	return vhost_user_mem_region(arg, from, region);
}

struct vduse_iotlb *
vhost_user_iommu_memory(struct vhost_user *vu)
{
	const struct vduse_iotlb_source source = {
		.name = vu->dev->name,
		.rate = &vu->dev->log_rate,
		.limit = vu->dev->memory_limit,
		.arg = vu,
		.region = iommu_file_region,
		.sparse = vhost_user_postcopy_on(vu),
	};
	struct vduse_iotlb *old = vu->iommu.memory, *memory = NULL;

	if (vduse_iotlb_walk(&source, old, false, &memory) == -ENOMEM)
		VDUSE_LOG_DRIVER(vu->dev, iotlb, ERR,
				 "no memory for a table of the driver's "
				 "regions");
	/* Release: pairs with the acquire in log_regions(). */
	rte_atomic_store_explicit(&vu->iommu.memory, memory, rte_memory_order_release);
	iommu_sweep(vu);
	return old;
}

int
vhost_user_iommu_region(const struct vhost_user *vu, uint64_t from,
			struct vduse_file_region *region)
{
	const struct vduse_iotlb *memory = vu->iommu.memory;
	uint32_t i;

	for (i = iommu_find(&vu->iommu, from); i < vu->iommu.nb; i++) {
		const struct vhost_user_translation *entry = &vu->iommu.entries[i];
		const struct rte_vduse_region *in = vduse_iotlb_lookup(memory, entry->physical);
		struct vduse_mapping *mapping;
		const uint8_t *va;

		/* A region that could not be mapped. */
		if (in == NULL)
			continue;
		mapping = memory->mappings[in - memory->regions];
		va = (const uint8_t *)in->va + (entry->physical - in->first);
		*region = (struct vduse_file_region){
			.first = entry->first,
			.last = entry->last,
			.offset = mapping->offset + (uint64_t)(va - mapping->va),
			.perm = entry->perm,
			.mapping = mapping,
			.lent = true,
			.fd = -1,
		};
		return 0;
	}
	return -ENOENT;
}
