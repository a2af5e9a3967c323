// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
/*
 * The mapping operations of virtio, on the address space of a virtqueue group:
 * buffers are bounced, rings are shared. Called in any context. For kernels in
 * which virtqueues do not use the DMA API.
 */
#include "compat.h"

#ifdef VDUSE_HAVE_VDPA_MAP
#include <linux/dma-mapping.h>
#include <linux/vdpa.h>
#include <linux/virtio_config.h>

#include "slots.h"
#include "vduse.h"

static struct vduse_domain *domain_of(union virtio_map map)
{
	return map.group->dev->as[READ_ONCE(map.group->asid)];
}

static bool copies(unsigned long attrs)
{
	return !(attrs & DMA_ATTR_SKIP_CPU_SYNC);
}

static dma_addr_t map_op_map_page(union virtio_map map, struct page *page, unsigned long offset,
				  size_t size, enum dma_data_direction dir, unsigned long attrs)
{
	return vduse_bounce_map(&domain_of(map)->bounce, page_to_phys(page) + offset, size, dir,
				copies(attrs));
}

static void map_op_unmap_page(union virtio_map map, dma_addr_t addr, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	vduse_bounce_unmap(&domain_of(map)->bounce, addr, dir, copies(attrs));
}

static void map_op_sync_for_cpu(union virtio_map map, dma_addr_t addr, size_t size,
				enum dma_data_direction dir)
{
	if (dir != DMA_TO_DEVICE)
		vduse_bounce_sync(&domain_of(map)->bounce, addr, size, false);
}

static void map_op_sync_for_device(union virtio_map map, dma_addr_t addr, size_t size,
				   enum dma_data_direction dir)
{
	if (dir != DMA_FROM_DEVICE)
		vduse_bounce_sync(&domain_of(map)->bounce, addr, size, true);
}

static void *map_op_alloc(union virtio_map map, size_t size, dma_addr_t *addr, gfp_t gfp)
{
	*addr = DMA_MAPPING_ERROR;
	return vduse_domain_alloc_coherent(domain_of(map), size, addr, gfp);
}

static void map_op_free(union virtio_map map, size_t size, void *va, dma_addr_t addr,
			unsigned long attrs)
{
	vduse_domain_free_coherent(domain_of(map), addr);
}

static bool map_op_need_sync(union virtio_map map, dma_addr_t addr)
{
	return true;
}

static int map_op_mapping_error(union virtio_map map, dma_addr_t addr)
{
	return addr == DMA_MAPPING_ERROR ? -ENOMEM : 0;
}

static size_t map_op_max_mapping_size(union virtio_map map)
{
	return vduse_slots_max(domain_of(map)->bounce.size);
}

const struct virtio_map_ops vduse_virtio_map_ops = {
	.map_page = map_op_map_page,
	.unmap_page = map_op_unmap_page,
	.sync_single_for_cpu = map_op_sync_for_cpu,
	.sync_single_for_device = map_op_sync_for_device,
	.alloc = map_op_alloc,
	.free = map_op_free,
	.need_sync = map_op_need_sync,
	.mapping_error = map_op_mapping_error,
	.max_mapping_size = map_op_max_mapping_size,
};

int vduse_map_attach(struct vdpa_device *vdpa)
{
	vdpa->vmap.group = &vduse_from_vdpa(vdpa)->group[0];
	return 0;
}

#endif /* VDUSE_HAVE_VDPA_MAP */
