// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
/*
 * Memory of the device's process that replaces bounce memory. Ioctls of the
 * device's file pin pages and pass them to the bounce region, or remove and
 * unpin them.
 */
#include <linux/capability.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/sched/mm.h>
#include <linux/sched/signal.h>
#include <linux/slab.h>

#include "domain.h"

struct vduse_umem {
	struct mm_struct *mm;	/* its pinned_vm counts the pages */
	unsigned long nr_pages;
	struct page *page[] __counted_by(nr_pages);
};

static int umem_account(struct vduse_umem *umem)
{
	unsigned long limit = rlimit(RLIMIT_MEMLOCK) >> PAGE_SHIFT;
	s64 pinned = atomic64_add_return(umem->nr_pages, &umem->mm->pinned_vm);

	if (pinned > limit && !capable(CAP_IPC_LOCK)) {
		atomic64_sub(umem->nr_pages, &umem->mm->pinned_vm);
		return -ENOMEM;
	}
	return 0;
}

static int umem_pin(struct vduse_umem *umem, u64 uaddr)
{
	long pinned;

	pinned = pin_user_pages_fast(uaddr, umem->nr_pages, FOLL_LONGTERM | FOLL_WRITE,
				     umem->page);
	if (pinned == umem->nr_pages)
		return 0;
	if (pinned > 0)
		unpin_user_pages(umem->page, pinned);
	return pinned < 0 ? pinned : -ENOMEM;
}

static void umem_free(struct vduse_umem *umem)
{
	atomic64_sub(umem->nr_pages, &umem->mm->pinned_vm);
	mmdrop(umem->mm);
	kvfree(umem);
}

static struct vduse_umem *umem_create(u64 uaddr, u64 size)
{
	unsigned long nr = size >> PAGE_SHIFT;
	struct vduse_umem *umem;
	int ret = -ENOMEM;

	umem = kvzalloc(struct_size(umem, page, nr), GFP_KERNEL_ACCOUNT);
	if (!umem)
		return ERR_PTR(ret);
	umem->nr_pages = nr;
	umem->mm = current->mm;
	mmgrab(umem->mm);
	ret = umem_account(umem);
	if (ret)
		goto err_drop;
	ret = umem_pin(umem, uaddr);
	if (ret) {
		umem_free(umem);
		return ERR_PTR(ret);
	}
	return umem;

err_drop:
	mmdrop(umem->mm);
	kvfree(umem);
	return ERR_PTR(ret);
}

static bool domain_is_live(struct vduse_domain *domain)
{
	bool live;

	mutex_lock(&domain->lock);
	live = domain->bounce_live;
	mutex_unlock(&domain->lock);
	return live;
}

int vduse_umem_register(struct vduse_domain *domain, u64 iova, u64 uaddr, u64 size)
{
	struct vduse_umem *umem;
	int ret = 0;

	if (iova || size != domain->bounce.size || !PAGE_ALIGNED(uaddr) ||
	    uaddr != (unsigned long)uaddr || !domain_is_live(domain))
		return -EINVAL;
	mutex_lock(&domain->umem_lock);
	if (domain->umem) {
		ret = -EEXIST;
		goto unlock;
	}
	umem = umem_create(uaddr, size);
	if (IS_ERR(umem)) {
		ret = PTR_ERR(umem);
		goto unlock;
	}
	vduse_bounce_move(&domain->bounce, umem->page);
	WRITE_ONCE(domain->umem, umem);
unlock:
	mutex_unlock(&domain->umem_lock);
	return ret;
}

static void umem_remove(struct vduse_domain *domain)
{
	struct vduse_umem *umem = domain->umem;

	vduse_bounce_move(&domain->bounce, NULL);
	WRITE_ONCE(domain->umem, NULL);
	unpin_user_pages_dirty_lock(umem->page, umem->nr_pages, true);
	umem_free(umem);
}

int vduse_umem_deregister(struct vduse_domain *domain, u64 iova, u64 size)
{
	int ret = 0;

	mutex_lock(&domain->umem_lock);
	if (!domain->umem)
		ret = -ENOENT;
	else if (iova || size != domain->bounce.size)
		ret = -EINVAL;
	else
		umem_remove(domain);
	mutex_unlock(&domain->umem_lock);
	return ret;
}

void vduse_umem_release(struct vduse_domain *domain)
{
	mutex_lock(&domain->umem_lock);
	if (domain->umem)
		umem_remove(domain);
	mutex_unlock(&domain->umem_lock);
}
