// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
/*
 * DMA API operations for drivers of this kernel, on address space 0: buffers are
 * bounced, rings are shared. Called in any context. For kernels in which
 * virtqueues are mapped through the DMA API only.
 */
#include "compat.h"

#ifndef VDUSE_HAVE_VDPA_MAP
#include <linux/dma-map-ops.h>
#include <linux/dma-mapping.h>
#include <linux/vdpa.h>

#include "slots.h"
#include "vduse.h"

/* Created by the first attach; it exists as long as there is a vDPA device. */
static struct vduse_domain *domain_of(struct device *dev)
{
	return vduse_from_vdpa(dev_to_vdpa(dev))->as[0];
}

static bool copies(unsigned long attrs)
{
	return !(attrs & DMA_ATTR_SKIP_CPU_SYNC);
}

static dma_addr_t dma_op_map_page(struct device *dev, struct page *page, unsigned long offset,
				  size_t size, enum dma_data_direction dir, unsigned long attrs)
{
	return vduse_bounce_map(&domain_of(dev)->bounce, page_to_phys(page) + offset, size, dir,
				copies(attrs));
}

static void dma_op_unmap_page(struct device *dev, dma_addr_t addr, size_t size,
			      enum dma_data_direction dir, unsigned long attrs)
{
	vduse_bounce_unmap(&domain_of(dev)->bounce, addr, dir, copies(attrs));
}

static void dma_op_sync_for_cpu(struct device *dev, dma_addr_t addr, size_t size,
				enum dma_data_direction dir)
{
	if (dir != DMA_TO_DEVICE)
		vduse_bounce_sync(&domain_of(dev)->bounce, addr, size, false);
}

static void dma_op_sync_for_device(struct device *dev, dma_addr_t addr, size_t size,
				   enum dma_data_direction dir)
{
	if (dir != DMA_FROM_DEVICE)
		vduse_bounce_sync(&domain_of(dev)->bounce, addr, size, true);
}

static void *dma_op_alloc(struct device *dev, size_t size, dma_addr_t *addr, gfp_t gfp,
			  unsigned long attrs)
{
	*addr = DMA_MAPPING_ERROR;
	return vduse_domain_alloc_coherent(domain_of(dev), size, addr, gfp);
}

static void dma_op_free(struct device *dev, size_t size, void *va, dma_addr_t addr,
			unsigned long attrs)
{
	vduse_domain_free_coherent(domain_of(dev), addr);
}

static size_t dma_op_max_mapping_size(struct device *dev)
{
	return vduse_slots_max(domain_of(dev)->bounce.size);
}

static const struct dma_map_ops vduse_dma_ops = {
	.map_page = dma_op_map_page,
	.unmap_page = dma_op_unmap_page,
	.sync_single_for_cpu = dma_op_sync_for_cpu,
	.sync_single_for_device = dma_op_sync_for_device,
	.alloc = dma_op_alloc,
	.free = dma_op_free,
	.max_mapping_size = dma_op_max_mapping_size,
};

/* Set the mask last: the DMA API then checks the operations. */
int vduse_map_attach(struct vdpa_device *vdpa)
{
	struct device *dev = &vdpa->dev;

	set_dma_ops(dev, &vduse_dma_ops);
	vdpa->dma_dev = dev;
	dev->dma_mask = &dev->coherent_dma_mask;
	return dma_set_mask_and_coherent(dev, DMA_BIT_MASK(64));
}

#endif /* VDUSE_HAVE_VDPA_MAP */
