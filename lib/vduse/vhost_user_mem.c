/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Memory of a vhost-user driver. In flows the table that librte_vhost has mapped, out flow
 * regions with files of their own, so that our mappings do not depend on librte_vhost's.
 * librte_vhost's thread writes, the control thread reads.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"
#include "log.h"
#include "vhost_user.h"

static void
mem_free(struct vhost_user_region *regions, uint32_t nb)
{
	uint32_t i;

	for (i = 0; i < nb; i++)
		if (regions[i].fd >= 0)
			close(regions[i].fd);
	free(regions);
}

static int
mem_compare(const void *a, const void *b)
{
	const struct vhost_user_region *left = a, *right = b;

	return (left->first > right->first) - (left->first < right->first);
}

/* Whether a file reaches as far as a region needs it; one that is no regular file may. */
static bool
mem_file_holds(int fd, uint64_t offset, uint64_t size)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	if (!S_ISREG(st.st_mode))
		return true;
	return offset <= (uint64_t)st.st_size && size <= (uint64_t)st.st_size - offset;
}

static int
mem_region_fill(struct vhost_user *vu, struct vhost_user_region *region,
		const struct rte_vhost_mem_region *from)
{
	const char *name = vu->dev->name;

	region->first = from->guest_phys_addr;
	region->last = from->guest_phys_addr + from->size - 1;
	region->host = from->host_user_addr;
	region->offset = from->host_user_addr - (uintptr_t)from->mmap_addr;
	if (from->size == 0 || region->last < region->first) {
		VDUSE_LOG(iotlb, ERR, name, "client dropped: its region at 0x%" PRIx64
			  " of size 0x%" PRIx64 " is empty or wraps around",
			  from->guest_phys_addr, from->size);
		return -EPROTO;
	}
	if (!mem_file_holds(from->fd, region->offset, from->size)) {
		VDUSE_LOG(iotlb, ERR, name, "client dropped: the file of its region at 0x%" PRIx64
			  " is shorter than the 0x%" PRIx64 " bytes from 0x%" PRIx64,
			  from->guest_phys_addr, from->size, region->offset);
		return -EPROTO;
	}
	region->fd = fcntl(from->fd, F_DUPFD_CLOEXEC, 0);
	if (region->fd < 0) {
		VDUSE_LOG(iotlb, ERR, name, "client dropped: no file descriptor left: %s",
			  strerror(errno));
		return -EPROTO;
	}
	return 0;
}

/* Sorts the regions, and refuses those that lie in one another. */
static int
mem_order(struct vhost_user *vu, struct vhost_user_region *regions, uint32_t nb)
{
	uint32_t i;

	qsort(regions, nb, sizeof(*regions), mem_compare);
	for (i = 1; i < nb; i++) {
		if (regions[i].first > regions[i - 1].last)
			continue;
		VDUSE_LOG(iotlb, ERR, vu->dev->name, "client dropped: its regions at 0x%" PRIx64
			  " and 0x%" PRIx64 " overlap", regions[i - 1].first, regions[i].first);
		return -EPROTO;
	}
	return 0;
}

static void
mem_replace(struct vhost_user *vu, struct vhost_user_region *regions, uint32_t nb)
{
	struct vhost_user_region *old;
	uint32_t nb_old;

	pthread_mutex_lock(&vu->lock);
	old = vu->regions;
	nb_old = vu->nb_regions;
	vu->regions = regions;
	vu->nb_regions = nb;
	pthread_mutex_unlock(&vu->lock);
	mem_free(old, nb_old);
}

int
vhost_user_mem_take(struct vhost_user *vu, int vid)
{
	struct vhost_user_region *regions;
	struct rte_vhost_memory *table;
	uint32_t nb = 0;
	int ret = 0;

	if (rte_vhost_get_mem_table(vid, &table) < 0)
		return -EPROTO;
	regions = calloc(table->nregions + 1, sizeof(*regions));
	if (regions == NULL)
		ret = -ENOMEM;
	while (ret == 0 && nb < table->nregions) {
		ret = mem_region_fill(vu, &regions[nb], &table->regions[nb]);
		nb += ret == 0;
	}
	free(table);
	if (ret == 0)
		ret = mem_order(vu, regions, nb);
	if (ret < 0)
		mem_free(regions, nb);
	else
		mem_replace(vu, regions, nb);
	return ret;
}

void
vhost_user_mem_clear(struct vhost_user *vu)
{
	mem_replace(vu, NULL, 0);
}

int
vhost_user_mem_iova(const struct vhost_user *vu, const void *host, uint64_t *iova)
{
	uint64_t va = (uintptr_t)host;
	uint32_t i;

	for (i = 0; i < vu->nb_regions; i++) {
		const struct vhost_user_region *region = &vu->regions[i];

		if (va < region->host || va - region->host > region->last - region->first)
			continue;
		*iova = region->first + (va - region->host);
		return 0;
	}
	return -EFAULT;
}

int
vhost_user_mem_region(struct vhost_user *vu, uint64_t from, struct vduse_transport_region *region)
{
	uint32_t i = 0;
	int ret = -ENOENT;

	pthread_mutex_lock(&vu->lock);
	while (i < vu->nb_regions && vu->regions[i].last < from)
		i++;
	if (i < vu->nb_regions) {
		*region = (struct vduse_transport_region){
			.first = vu->regions[i].first,
			.last = vu->regions[i].last,
			.offset = vu->regions[i].offset,
			.perm = VDUSE_ACCESS_RW,
			.fd = fcntl(vu->regions[i].fd, F_DUPFD_CLOEXEC, 0),
		};
		ret = region->fd < 0 ? -errno : 0;
	}
	pthread_mutex_unlock(&vu->lock);
	return ret;
}
