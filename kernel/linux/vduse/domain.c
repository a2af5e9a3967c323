// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
/*
 * One address space: bounce memory and rings of drivers of this kernel, or the
 * map that vhost_vdpa sets. Ioctls of the device call the lookups, and mappings
 * of the process cause page faults. Everything here runs in process context and
 * may sleep.
 */
#include <linux/anon_inodes.h>
#include <linux/dma-mapping.h>
#include <linux/err.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/huge_mm.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vdpa.h>
#include <linux/vhost_iotlb.h>

#include "domain.h"

static unsigned int max_maps = 2048;
module_param(max_maps, uint, 0644);
MODULE_PARM_DESC(max_maps, "Regions that vhost_vdpa may map in an address space");

/* Coherent memory, which both sides use at the same time: a ring. */
struct coherent {
	void *va;
	u64 iova;
	size_t size;	/* whole pages */
};

static void coherent_free(struct coherent *coherent)
{
	free_pages_exact(coherent->va, coherent->size);
	kfree(coherent);
}

static int coherent_insert(struct vduse_domain *domain, struct coherent *coherent)
{
	unsigned long start;
	int ret;

	ret = mtree_alloc_range(&domain->coherent, &start, coherent,
				coherent->size >> PAGE_SHIFT,
				VDUSE_COHERENT_START >> PAGE_SHIFT,
				(VDUSE_COHERENT_END >> PAGE_SHIFT) - 1, GFP_KERNEL);
	if (!ret)
		coherent->iova = (u64)start << PAGE_SHIFT;
	return ret;
}

/*
 * The first ring of a driver also allocates the bounce memory: this is a context
 * that may sleep, before the device gets DRIVER_OK.
 */
void *vduse_domain_alloc_coherent(struct vduse_domain *domain, size_t size, dma_addr_t *addr,
				  gfp_t gfp)
{
	struct coherent *coherent;
	int ret;

	if (!gfpflags_allow_blocking(gfp) || !size || size > SZ_128M)
		return NULL;
	coherent = kzalloc(sizeof(*coherent), GFP_KERNEL_ACCOUNT);
	if (!coherent)
		return NULL;
	coherent->size = PAGE_ALIGN(size);
	coherent->va = alloc_pages_exact(coherent->size, gfp | __GFP_ZERO | __GFP_ACCOUNT);
	if (!coherent->va)
		goto err_free;

	mutex_lock(&domain->lock);
	ret = vduse_bounce_prepare(&domain->bounce, domain->node);
	if (!ret)
		ret = coherent_insert(domain, coherent);
	if (!ret)
		domain->bounce_live = true;
	mutex_unlock(&domain->lock);
	if (ret)
		goto err_free_pages;
	*addr = coherent->iova;
	return coherent->va;

err_free_pages:
	free_pages_exact(coherent->va, coherent->size);
err_free:
	kfree(coherent);
	return NULL;
}

void vduse_domain_free_coherent(struct vduse_domain *domain, dma_addr_t addr)
{
	struct coherent *coherent;

	mutex_lock(&domain->lock);
	coherent = mtree_erase(&domain->coherent, addr >> PAGE_SHIFT);
	mutex_unlock(&domain->lock);
	if (!WARN_ON_ONCE(!coherent))
		coherent_free(coherent);
}

int vduse_domain_read_le16(struct vduse_domain *domain, u64 addr, u16 *value)
{
	struct coherent *coherent;
	int ret = -EINVAL;

	mutex_lock(&domain->lock);
	coherent = mtree_load(&domain->coherent, addr >> PAGE_SHIFT);
	if (coherent && addr - coherent->iova <= coherent->size - sizeof(__le16)) {
		*value = le16_to_cpu(READ_ONCE(*(__le16 *)(coherent->va +
							   (addr - coherent->iova))));
		ret = 0;
	}
	mutex_unlock(&domain->lock);
	return ret;
}

static void user_del(struct vhost_iotlb *map, struct vhost_iotlb_map *entry)
{
	struct vdpa_map_file *map_file = entry->opaque;

	fput(map_file->file);
	kfree(map_file);
	vhost_iotlb_map_free(map, entry);
}

void vduse_domain_free_user(struct vhost_iotlb *map)
{
	struct vhost_iotlb_map *entry;

	if (!map)
		return;
	while ((entry = vhost_iotlb_itree_first(map, 0, U64_MAX)))
		user_del(map, entry);
	vhost_iotlb_free(map);
}

static int user_add(struct vhost_iotlb *map, const struct vhost_iotlb_map *entry)
{
	const struct vdpa_map_file *from = entry->opaque;
	struct vdpa_map_file *map_file;
	int ret;

	if (map->nmaps >= READ_ONCE(max_maps))
		return -ENOSPC;
	map_file = kmalloc(sizeof(*map_file), GFP_KERNEL_ACCOUNT);
	if (!map_file)
		return -ENOMEM;
	map_file->file = get_file(from->file);
	map_file->offset = from->offset;
	ret = vhost_iotlb_add_range_ctx(map, entry->start, entry->last, entry->addr,
					entry->perm, map_file);
	if (ret) {
		fput(map_file->file);
		kfree(map_file);
	}
	return ret;
}

static struct vhost_iotlb *user_copy(struct vhost_iotlb *from)
{
	struct vhost_iotlb_map *entry;
	struct vhost_iotlb *map;
	int ret;

	map = vhost_iotlb_alloc(max(READ_ONCE(max_maps), 1U), 0);
	if (!map)
		return ERR_PTR(-ENOMEM);
	for (entry = vhost_iotlb_itree_first(from, 0, U64_MAX); entry;
	     entry = vhost_iotlb_itree_next(entry, 0, U64_MAX)) {
		ret = user_add(map, entry);
		if (ret) {
			vduse_domain_free_user(map);
			return ERR_PTR(ret);
		}
	}
	return map;
}

void vduse_domain_swap_user(struct vduse_domain *domain, struct vhost_iotlb **map)
{
	mutex_lock(&domain->lock);
	swap(domain->user, *map);
	mutex_unlock(&domain->lock);
}

int vduse_domain_set_user(struct vduse_domain *domain, struct vhost_iotlb *map,
			  struct vhost_iotlb **old)
{
	*old = user_copy(map);
	if (IS_ERR(*old))
		return PTR_ERR(*old);
	vduse_domain_swap_user(domain, old);
	return 0;
}

static bool region_bounce(struct vduse_domain *domain, u64 start, struct vduse_region *region)
{
	if (!domain->bounce_live || start >= domain->bounce.size)
		return false;
	*region = (struct vduse_region) {
		.start = 0,
		.last = domain->bounce.size - 1,
		.perm = VHOST_MAP_RW,
		.bounce = true,
		.file = domain->file,
	};
	return true;
}

static bool region_coherent(struct vduse_domain *domain, u64 start, u64 last,
			    struct vduse_region *region)
{
	unsigned long index = start >> PAGE_SHIFT;
	struct coherent *coherent;

	coherent = mt_find(&domain->coherent, &index, last >> PAGE_SHIFT);
	if (!coherent)
		return false;
	*region = (struct vduse_region) {
		.start = coherent->iova,
		.last = coherent->iova + coherent->size - 1,
		.offset = coherent->iova,
		.perm = VHOST_MAP_RW,
		.file = domain->file,
	};
	return true;
}

static bool region_user(struct vduse_domain *domain, u64 start, u64 last,
			struct vduse_region *region)
{
	struct vhost_iotlb_map *entry;
	struct vdpa_map_file *map_file;

	entry = domain->user ? vhost_iotlb_itree_first(domain->user, start, last) : NULL;
	if (!entry)
		return false;
	map_file = entry->opaque;
	*region = (struct vduse_region) {
		.start = entry->start,
		.last = entry->last,
		.offset = map_file->offset,
		.perm = entry->perm,
		.file = map_file->file,
	};
	return true;
}

int vduse_domain_find(struct vduse_domain *domain, u64 start, u64 last,
		      struct vduse_region *region)
{
	bool found;

	if (start > last)
		return -EINVAL;
	mutex_lock(&domain->lock);
	found = region_bounce(domain, start, region) ||
		region_coherent(domain, start, last, region) ||
		region_user(domain, start, last, region);
	if (found)
		get_file(region->file);
	mutex_unlock(&domain->lock);
	return found ? 0 : -EINVAL;
}

void vduse_domain_clear(struct vduse_domain *domain)
{
	mutex_lock(&domain->umem_lock);
	vduse_bounce_clear(&domain->bounce);
	mutex_unlock(&domain->umem_lock);
}

void vduse_domain_reset(struct vduse_domain *domain)
{
	mutex_lock(&domain->lock);
	domain->bounce_live = false;
	mutex_unlock(&domain->lock);
}

static struct page *coherent_page(struct vduse_domain *domain, u64 offset)
{
	struct coherent *coherent = mtree_load(&domain->coherent, offset >> PAGE_SHIFT);
	struct page *page;

	if (!coherent)
		return NULL;
	page = virt_to_page(coherent->va + (offset - coherent->iova));
	get_page(page);
	return page;
}

static vm_fault_t domain_fault(struct vm_fault *vmf)
{
	struct vduse_domain *domain = vmf->vma->vm_file->private_data;
	u64 offset = (u64)vmf->pgoff << PAGE_SHIFT;

	mutex_lock(&domain->lock);
	if (offset < VDUSE_COHERENT_START)
		vmf->page = vduse_bounce_page(&domain->bounce, offset);
	else
		vmf->page = coherent_page(domain, offset);
	mutex_unlock(&domain->lock);
	return vmf->page ? 0 : VM_FAULT_SIGBUS;
}

static const struct vm_operations_struct domain_vm_ops = {
	.fault = domain_fault,
};

static int domain_mmap(struct file *file, struct vm_area_struct *vma)
{
	if (!(vma->vm_flags & VM_SHARED))
		return -EINVAL;
	vm_flags_set(vma, VM_DONTDUMP | VM_DONTEXPAND);
	vma->vm_ops = &domain_vm_ops;
	return 0;
}

static void domain_free(struct vduse_domain *domain)
{
	struct coherent *coherent;
	unsigned long index = 0;

	mt_for_each(&domain->coherent, coherent, index, ULONG_MAX)
		coherent_free(coherent);
	mtree_destroy(&domain->coherent);
	vduse_domain_free_user(domain->user);
	vduse_bounce_exit(&domain->bounce);
	mutex_destroy(&domain->umem_lock);
	mutex_destroy(&domain->lock);
	kfree(domain);
}

static int domain_release(struct inode *inode, struct file *file)
{
	domain_free(file->private_data);
	return 0;
}

static const struct file_operations domain_fops = {
	.owner = THIS_MODULE,
	.mmap = domain_mmap,
	.release = domain_release,
	.get_unmapped_area = thp_get_unmapped_area,
	.llseek = noop_llseek,
};

/* A separate inode with a size allows the kernel to map huge pages. */
static struct file *domain_file(struct vduse_domain *domain)
{
	struct file *file;

	file = anon_inode_create_getfile("[vduse-domain]", &domain_fops, domain, O_RDWR, NULL);
	if (!IS_ERR(file))
		i_size_write(file_inode(file), VDUSE_COHERENT_END);
	return file;
}

struct vduse_domain *vduse_domain_create(size_t bounce_size, int node)
{
	struct vduse_domain *domain;
	int ret;

	domain = kzalloc(sizeof(*domain), GFP_KERNEL_ACCOUNT);
	if (!domain)
		return ERR_PTR(-ENOMEM);
	mutex_init(&domain->lock);
	mutex_init(&domain->umem_lock);
	mt_init_flags(&domain->coherent, MT_FLAGS_ALLOC_RANGE);
	domain->node = node;
	ret = vduse_bounce_init(&domain->bounce, bounce_size);
	if (ret)
		goto err_free;
	domain->file = domain_file(domain);
	if (IS_ERR(domain->file)) {
		ret = PTR_ERR(domain->file);
		goto err_free;
	}
	return domain;

err_free:
	domain_free(domain);
	return ERR_PTR(ret);
}

void vduse_domain_put(struct vduse_domain *domain)
{
	if (domain)
		fput(domain->file);
}
