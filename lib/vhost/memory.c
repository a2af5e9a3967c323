/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The driver's memory, as a table for applications that serve the rings themselves.
 * Input: regions of lib/vduse (control thread). Output: copies, which the application frees (any
 * thread).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <vhost/vhost.h>

static struct rte_vhost_memory *
memory_alloc(uint32_t nb)
{
	struct rte_vhost_memory *memory;

	memory = calloc(1, sizeof(*memory) + nb * sizeof(memory->regions[0]));
	if (memory != NULL)
		memory->nregions = nb;
	return memory;
}

void
vhost_memory_take(struct vhost_dev *dev)
{
	const struct rte_vduse_region *regions;
	struct rte_vhost_memory *memory = NULL;
	uint32_t nb, i;

	regions = rte_vduse_dev_regions(dev->dev, &nb);
	if (nb != 0)
		memory = memory_alloc(nb);
	if (nb != 0 && memory == NULL)
		VHOST_LOG(ERR, dev->path, "no memory for a table of %u regions", nb);
	for (i = 0; memory != NULL && i < nb; i++)
		/* The driver's rings and descriptors hold IOVAs only. */
		memory->regions[i] = (struct rte_vhost_mem_region){
			.guest_phys_addr = regions[i].first,
			.guest_user_addr = regions[i].first,
			.host_user_addr = (uint64_t)(uintptr_t)regions[i].va,
			.size = regions[i].last - regions[i].first + 1,
			.mmap_addr = regions[i].va,
			.mmap_size = regions[i].last - regions[i].first + 1,
			.fd = -1,
		};
	vhost_lock();
	free(dev->memory);
	dev->memory = memory;
	vhost_unlock();
}

int
rte_vhost_get_mem_table(int vid, struct rte_vhost_memory **mem)
{
	struct vhost_dev *dev = vhost_dev_get(vid);

	if (dev == NULL)
		return VHOST_REAL(get_mem_table, -ENOTSUP, vid, mem);
	*mem = NULL;
	vhost_lock();
	/* Once the device is down, nothing waits for the application to drop its addresses. */
	if (dev->up && dev->memory != NULL)
		*mem = memory_alloc(dev->memory->nregions);
	if (*mem != NULL) {
		memcpy((*mem)->regions, dev->memory->regions,
		       (*mem)->nregions * sizeof((*mem)->regions[0]));
		dev->raw = true;
	}
	vhost_unlock();
	return *mem != NULL ? 0 : -1;
}
