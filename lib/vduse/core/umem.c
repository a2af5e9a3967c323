/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Huge pages of this process as the kernel's bounce buffer, so that accesses cause no page faults
 * and few TLB misses.
 * Input: a bounce region. Output: its mapping.
 * Thread: control.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <rte_malloc.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>

#define UMEM_ALIGN (2u << 20)

/* The kernel accounts the buffer as locked memory, also for root. */
static void
umem_raise_limit(uint64_t size)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_MEMLOCK, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
		return;
	limit.rlim_cur += size;
	if (limit.rlim_max != RLIM_INFINITY && limit.rlim_max < limit.rlim_cur)
		limit.rlim_max = limit.rlim_cur;
	(void)setrlimit(RLIMIT_MEMLOCK, &limit);
}

static int
umem_alloc(struct rte_vduse_dev *dev, uint64_t size)
{
	struct vduse_umem *umem = &dev->umem;

	umem->va = rte_zmalloc_socket("vduse_umem", size, UMEM_ALIGN, dev->socket_id);
	umem->huge = umem->va != NULL;
	if (!umem->huge) {
		umem->va = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
				0);
		if (umem->va == MAP_FAILED) {
			umem->va = NULL;
			return -ENOMEM;
		}
		(void)madvise(umem->va, size, MADV_HUGEPAGE);
	}
	umem->size = size;
	return 0;
}

struct vduse_mapping *
vduse_umem_add(struct rte_vduse_dev *dev, uint64_t first, uint64_t size)
{
	struct vduse_umem *umem = &dev->umem;
	struct vduse_mapping *mapping;
	int ret = 0;

	if (!dev->want_umem || umem->refused || (umem->added && umem->size != size))
		return NULL;
	/* From 7.0 on, a device that vdpa dev add attaches again has a new bounce buffer, the kernel's. */
	if (umem->added && umem->old) {
		(void)dev->transport->umem(dev, false, umem->va, first, size);
		umem->added = false;
	}
	umem->old = false;
	if (!umem->added) {
		umem_raise_limit(size);
		if (umem->va == NULL)
			ret = umem_alloc(dev, size);
		if (ret == 0)
			ret = dev->transport->umem(dev, true, umem->va, first, size);
		if (ret < 0) {
			VDUSE_LOG(
				iotlb, WARNING, dev->name,
				"the kernel does not accept our memory as bounce buffer (%s) and uses "
				"its own: raise the locked memory limit by %" PRIu64 " bytes",
				strerror(-ret), size);
			umem->refused = true;
			return NULL;
		}
		umem->added = true;
	}
	mapping = calloc(1, sizeof(*mapping));
	if (mapping == NULL)
		return NULL;
	mapping->ours = true;
	mapping->writable = true;
	mapping->len = size;
	mapping->page_size = 4096;
	mapping->va = umem->va;
	return mapping; /* without a reference: the caller takes the first one */
}

void
vduse_umem_free(struct rte_vduse_dev *dev)
{
	struct vduse_umem *umem = &dev->umem;

	if (umem->va == NULL)
		return;
	if (umem->huge)
		rte_free(umem->va);
	else
		munmap(umem->va, umem->size);
	memset(umem, 0, sizeof(*umem));
}
