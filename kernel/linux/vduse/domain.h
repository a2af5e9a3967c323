/* SPDX-License-Identifier: GPL-2.0-only */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * One address space of a device: translates I/O virtual addresses.
 */
#ifndef VDUSE_DOMAIN_H
#define VDUSE_DOMAIN_H

#include <linux/maple_tree.h>
#include <linux/mutex.h>
#include <linux/sizes.h>
#include <linux/types.h>

#include "bounce.h"

struct file;
struct vhost_iotlb;
struct vduse_umem;

#define VDUSE_BOUNCE_SIZE_MIN	SZ_1M
#define VDUSE_BOUNCE_SIZE_MAX	SZ_1G
/* The minimum bounce memory: it has slots of every class besides the first page. */
#define VDUSE_BOUNCE_SHARE_MIN	max_t(size_t, SZ_256K, 8 * PAGE_SIZE)

/* Rings have addresses above all bounce memory. */
#define VDUSE_COHERENT_START	((u64)VDUSE_BOUNCE_SIZE_MAX)
#define VDUSE_COHERENT_END	(VDUSE_COHERENT_START + SZ_128M)

/*
 * @lock sleeps. The domain lives as long as its file. The device, every mapping
 * of the file and every file descriptor of it hold a reference.
 */
struct vduse_domain {
	struct file *file;
	int node;			/* constant: NUMA node for memory */
	struct vduse_bounce bounce;

	struct mutex lock;		/* protects the next three */
	bool bounce_live;		/* a driver of this kernel may use bounce memory */
	struct maple_tree coherent;	/* page number: struct coherent */
	struct vhost_iotlb *user;	/* vhost_vdpa's map, or NULL; replaced as a whole */

	struct mutex umem_lock;		/* protects umem; taken before mmap_lock */
	struct vduse_umem *umem;	/* writers: umem_lock; readers: any */
};

/* The region of an address. Holds a reference to file. */
struct vduse_region {
	u64 start;
	u64 last;
	u64 offset;
	u32 perm;
	bool bounce;
	struct file *file;
};

struct vduse_domain *vduse_domain_create(size_t bounce_size, int node);
/* Drops the device's reference. */
void vduse_domain_put(struct vduse_domain *domain);

/* First region with an address in [start, last]; -EINVAL if there is none. */
int vduse_domain_find(struct vduse_domain *domain, u64 start, u64 last,
		      struct vduse_region *region);

/* Replaces the map with a copy of vhost_vdpa's map, or with none. @old gets the previous one. */
int vduse_domain_set_user(struct vduse_domain *domain, struct vhost_iotlb *map,
			  struct vhost_iotlb **old);
void vduse_domain_swap_user(struct vduse_domain *domain, struct vhost_iotlb **map);
void vduse_domain_free_user(struct vhost_iotlb *map);

/* The process has closed the device: clear the bounce memory that holds no mapped buffer. */
void vduse_domain_clear(struct vduse_domain *domain);
/* The driver is gone: mark the bounce memory unused. */
void vduse_domain_reset(struct vduse_domain *domain);

void *vduse_domain_alloc_coherent(struct vduse_domain *domain, size_t size, dma_addr_t *addr,
				  gfp_t gfp);
void vduse_domain_free_coherent(struct vduse_domain *domain, dma_addr_t addr);

/* Reads ring memory at this address; -EINVAL if the address is not in a ring. */
int vduse_domain_read_le16(struct vduse_domain *domain, u64 addr, u16 *value);

/* umem.c */
int vduse_umem_register(struct vduse_domain *domain, u64 iova, u64 uaddr, u64 size);
int vduse_umem_deregister(struct vduse_domain *domain, u64 iova, u64 size);
/* Deregisters the umem, if there is one. */
void vduse_umem_release(struct vduse_domain *domain);

#endif
