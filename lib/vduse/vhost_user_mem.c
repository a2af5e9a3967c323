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
#include <sys/mman.h>
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

/* Whether a file reaches as far as a region needs it; one that is no regular file may. */
static bool
mem_file_holds(int fd, const struct vhost_user_memory *from)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return false;
	if (!S_ISREG(st.st_mode))
		return true;
	return from->offset <= (uint64_t)st.st_size &&
	       from->size <= (uint64_t)st.st_size - from->offset;
}

/* Tries what librte_vhost is about to do: it loses the file where that fails. */
static bool
mem_file_maps(int fd, const struct vhost_user_memory *from)
{
	size_t size = from->offset + from->size;
	struct stat st;
	void *va;

	if (fstat(fd, &st) < 0 || st.st_blksize <= 0)
		return false;
	size = RTE_ALIGN_MUL_CEIL(size, (size_t)st.st_blksize);
	va = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
	if (va == MAP_FAILED)
		return false;
	munmap(va, size);
	return true;
}

static const char *
mem_fault(const struct vhost_user_memory *from, int fd)
{
	uint64_t end = from->offset + from->size;

	if (from->size == 0)
		return "is empty";
	if (from->first + from->size - 1 < from->first || end < from->size || end > INT64_MAX)
		return "wraps around";
	if (!mem_file_holds(fd, from))
		return "is longer than its file";
	if (!mem_file_maps(fd, from))
		return "cannot be mapped";
	return NULL;
}

static const char *
mem_overlap(const struct vhost_user_memory *table, uint32_t i)
{
	uint32_t j;

	for (j = 0; j < i; j++)
		if (table[j].first < table[i].first + table[i].size &&
		    table[i].first < table[j].first + table[j].size)
			return "overlaps another one";
	return NULL;
}

int
vhost_user_mem_check(const struct vhost_user *vu, const struct vhost_user_memory *table,
		     const int *fds, uint32_t nb)
{
	const char *fault;
	uint32_t i;

	for (i = 0; i < nb; i++) {
		fault = mem_fault(&table[i], fds[i]);
		if (fault == NULL)
			fault = mem_overlap(table, i);
		if (fault == NULL)
			continue;
		VDUSE_LOG(iotlb, ERR, vu->dev->name,
			  "client dropped: its region of 0x%" PRIx64 " bytes at 0x%" PRIx64
			  ", in its file at 0x%" PRIx64 ", %s",
			  table[i].size, table[i].first, table[i].offset, fault);
		return -EPROTO;
	}
	return 0;
}

static int
mem_compare(const void *a, const void *b)
{
	const struct vhost_user_region *left = a, *right = b;

	return (left->first > right->first) - (left->first < right->first);
}

static int
mem_region_fill(struct vhost_user *vu, struct vhost_user_region *region,
		const struct rte_vhost_mem_region *from)
{
	region->first = from->guest_phys_addr;
	region->last = from->guest_phys_addr + from->size - 1;
	region->host = from->host_user_addr;
	region->offset = from->host_user_addr - (uintptr_t)from->mmap_addr;
	region->fd = fcntl(from->fd, F_DUPFD_CLOEXEC, 0);
	if (region->fd >= 0)
		return 0;
	VDUSE_LOG(iotlb, ERR, vu->dev->name, "client dropped: no file descriptor left: %s",
		  strerror(errno));
	return -EMFILE;
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
		return -EIO;
	regions = calloc(table->nregions + 1, sizeof(*regions));
	if (regions == NULL)
		ret = -ENOMEM;
	while (ret == 0 && nb < table->nregions) {
		ret = mem_region_fill(vu, &regions[nb], &table->regions[nb]);
		nb += ret == 0;
	}
	free(table);
	if (ret < 0) {
		mem_free(regions, nb);
		return ret;
	}
	qsort(regions, nb, sizeof(*regions), mem_compare);
	mem_replace(vu, regions, nb);
	return 0;
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
