/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The driver's memory as a table for applications that walk rings themselves. In flow regions
 * (control thread), out flow copies that the application frees (any thread).
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

/* Iovas are all the addresses that the driver's rings and descriptors hold. */
static void
memory_fill(struct rte_vhost_mem_region *to, const struct rte_vduse_region *from)
{
	to->guest_phys_addr = from->first;
	to->guest_user_addr = from->first;
	to->host_user_addr = (uint64_t)(uintptr_t)from->va;
	to->size = from->last - from->first + 1;
	to->mmap_addr = from->va;
	to->mmap_size = to->size;
	to->fd = -1;
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
		memory_fill(&memory->regions[i], &regions[i]);
	vhost_lock();
	free(dev->memory);
	dev->memory = memory;
	vhost_unlock();
}

/* Under the mutex. */
static struct rte_vhost_memory *
memory_copy(struct vhost_dev *dev)
{
	struct rte_vhost_memory *copy;

	/* Behind this nobody would wait until the application lets go of it. */
	if (!dev->up || dev->memory == NULL)
		return NULL;
	copy = memory_alloc(dev->memory->nregions);
	if (copy == NULL)
		return NULL;
	memcpy(copy->regions, dev->memory->regions, copy->nregions * sizeof(copy->regions[0]));
	dev->raw = true;
	return copy;
}

int
rte_vhost_get_mem_table(int vid, struct rte_vhost_memory **mem)
{
	struct vhost_dev *dev = vhost_dev_get(vid);

	if (dev == NULL)
		return VHOST_REAL(get_mem_table, -ENOTSUP, vid, mem);
	vhost_lock();
	*mem = memory_copy(dev);
	vhost_unlock();
	return *mem != NULL ? 0 : -1;
}
