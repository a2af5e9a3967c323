/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * See postcopy.h. The thread reads a page in a mapping of its own, which is registered with a
 * userfaultfd: the kernel tells the front end, and the read returns once the page is there. No other
 * thread accesses that mapping, so no page that is missing can hold the control thread or a poller.
 * Input: addresses. Output: ranges that are there.
 * Thread: control, and one for each device in post-copy. The control thread never waits for it.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

#include <compat/thread.h>
#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/vhost_user/msg.h>
#include <vduse/vhost_user/postcopy.h>

#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

/* Pages asked for, and arrived but not served, at once. More are asked for again. */
#define POSTCOPY_MAX 256

/* The mappings in which pages are waited for. */
struct postcopy_map {
	unsigned int refs; /* the device, and the thread while it waits; under the lock */
	struct vduse_iotlb *table;
	int *files; /* of each region, to look for pages that are there; -1: none */
};

struct postcopy_range {
	uint64_t first; /* guest physical addresses */
	uint64_t last;
};

struct vhost_user_postcopy {
	bool on;                       /* control thread only */
	uint64_t nb;                   /* pages waited for; control thread only */
	int uffd;                      /* constant */
	int event;                     /* constant */
	char name[RTE_VDUSE_NAME_MAX]; /* constant */
	pthread_mutex_t lock;          /* protects the rest */
	pthread_cond_t wake;
	bool ended; /* the thread frees all of this */
	bool goes;
	struct postcopy_map *map; /* NULL: none */
	uint64_t asked[POSTCOPY_MAX];
	uint32_t nb_asked;
	struct postcopy_range done[POSTCOPY_MAX];
	uint32_t nb_done;
};

/* The thread's accesses are those of user mode: without privileges the kernel permits no others. */
static int
postcopy_uffd(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	int fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);

	if (fd < 0 && errno == EINVAL)
		fd = (int)syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (ioctl(fd, UFFDIO_API, &api) < 0) {
		int ret = -errno;

		close(fd);
		return ret;
	}
	return fd;
}

int
vhost_user_postcopy_probe(void)
{
	int fd = postcopy_uffd();

	if (fd < 0)
		return fd;
	close(fd);
	return 0;
}

static void
postcopy_map_free(struct postcopy_map *map)
{
	uint32_t i;

	for (i = 0; map->files != NULL && map->table != NULL && i < map->table->nb; i++)
		if (map->files[i] >= 0)
			close(map->files[i]);
	vduse_iotlb_free(map->table);
	free(map->files);
	free(map);
}

/*
 * Nobody waits in a mapping any more: it becomes zeroed memory first, in which the thread goes on. If
 * it were unregistered instead, the thread would allocate the page that is missing, and the front end
 * could not fill it any more. The caller holds the lock.
 */
static void
postcopy_drop_map(struct vhost_user_postcopy *pc)
{
	struct postcopy_map *map = pc->map;
	uint32_t i;

	pc->map = NULL;
	pc->goes = false;
	if (map == NULL)
		return;
	for (i = 0; i < map->table->nb; i++) {
		const struct vduse_mapping *mapping = map->table->mappings[i];
		struct uffdio_range range = { (uintptr_t)mapping->va, mapping->len };

		if (!vduse_mapping_replace(mapping))
			VDUSE_LOG(iotlb, ERR, pc->name,
				  "cannot release 0x%zx bytes of memory in post-copy: %s",
				  mapping->len, strerror(errno));
		(void)ioctl(pc->uffd, UFFDIO_WAKE, &range);
	}
	if (--map->refs == 0)
		postcopy_map_free(map);
}

/* Waits for the page of an address. False: it is in no region. */
static bool
postcopy_fetch(const struct postcopy_map *map, uint64_t physical, struct postcopy_range *range)
{
	const struct rte_vduse_region *region = vduse_iotlb_lookup(map->table, physical);
	const struct vduse_mapping *mapping;
	uint64_t begin, page, end; /* offsets in the mapping */
	uint32_t index;

	if (region == NULL)
		return false;
	index = (uint32_t)(region - map->table->regions);
	mapping = map->table->mappings[index];
	begin = (uint64_t)(region->va - mapping->va);
	page = RTE_ALIGN_MUL_FLOOR(begin + (physical - region->first), mapping->page_size);
	(void)*(const volatile uint8_t *)(mapping->va + page);
	end = page + mapping->page_size;
	/* Those after it may be there as well. */
	if (map->files[index] >= 0)
		end = vduse_map_there(map->files[index], mapping->offset + page, mapping->page_size,
				      mapping->offset + mapping->len) -
		      mapping->offset;
	/* The region may have a part of the first and of the last page. */
	range->first = region->first + (RTE_MAX(page, begin) - begin);
	range->last = RTE_MIN(region->first + (end - begin) - 1, region->last);
	return true;
}

/* Waits for the page that was asked for first. The caller holds the lock, which is released meanwhile. */
static void
postcopy_serve_first(struct vhost_user_postcopy *pc)
{
	struct postcopy_map *map = pc->map;
	uint64_t physical = pc->asked[0];
	struct postcopy_range range;
	bool there;

	map->refs++;
	pthread_mutex_unlock(&pc->lock);
	there = postcopy_fetch(map, physical, &range);
	pthread_mutex_lock(&pc->lock);
	pc->nb_asked--;
	memmove(pc->asked, pc->asked + 1, pc->nb_asked * sizeof(pc->asked[0]));
	/* Unless it is the zeroed memory of a mapping that was dropped. */
	if (there && map == pc->map) {
		pc->done[pc->nb_done++] = range;
		(void)eventfd_write(pc->event, 1);
	}
	if (--map->refs == 0)
		postcopy_map_free(map);
}

static void
postcopy_free(struct vhost_user_postcopy *pc)
{
	pthread_cond_destroy(&pc->wake);
	pthread_mutex_destroy(&pc->lock);
	if (pc->uffd >= 0)
		close(pc->uffd);
	if (pc->event >= 0)
		close(pc->event);
	free(pc);
}

static uint32_t
postcopy_main(void *arg)
{
	struct vhost_user_postcopy *pc = arg;

	pthread_mutex_lock(&pc->lock);
	while (!pc->ended) {
		if (pc->goes && pc->nb_asked > 0)
			postcopy_serve_first(pc);
		else
			pthread_cond_wait(&pc->wake, &pc->lock);
	}
	pthread_mutex_unlock(&pc->lock);
	postcopy_free(pc);
	return 0;
}

/* Returns 0 or a negative errno; then nothing is left. */
static int
postcopy_new(struct vhost_user *vu)
{
	struct vhost_user_postcopy *pc = calloc(1, sizeof(*pc));
	int ret;

	if (pc == NULL)
		return -ENOMEM;
	strcpy(pc->name, vu->dev->name);
	pthread_mutex_init(&pc->lock, NULL);
	pthread_cond_init(&pc->wake, NULL);
	pc->event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ret = pc->event < 0 ? -errno : 0;
	pc->uffd = postcopy_uffd();
	if (ret == 0 && pc->uffd < 0)
		ret = pc->uffd;
	if (ret == 0)
		ret = vhost_user_socket_watch(vu, pc->event, true);
	if (ret == 0)
		ret = vduse_thread_create("vduse-postcopy", postcopy_main, pc);
	if (ret < 0)
		postcopy_free(pc);
	else
		vu->postcopy = pc;
	return ret;
}

int
vhost_user_postcopy_open(struct vhost_user *vu)
{
	int ret = vu->postcopy == NULL ? postcopy_new(vu) : 0;

	if (ret == 0)
		return vu->postcopy->uffd;
	VDUSE_LOG_DRIVER(vu->dev, msg, ERR, "cannot wait for memory in post-copy: %s",
			 strerror(-ret));
	return ret;
}

void
vhost_user_postcopy_listen(struct vhost_user *vu)
{
	vu->postcopy->on = true;
	VDUSE_LOG_RATED(&vu->dev->life_rate, dev, INFO, vu->dev->name,
			"post-copy: memory arrives while the driver runs");
}

bool
vhost_user_postcopy_on(const struct vhost_user *vu)
{
	return vu->postcopy != NULL && vu->postcopy->on;
}

static int
postcopy_region(void *arg, uint64_t from, struct vduse_file_region *region)
{
	return vhost_user_mem_region(arg, from, region);
}

/* A file of its own to look for pages that are there; -1: none. */
static int
postcopy_file(struct vhost_user *vu, const struct vduse_iotlb *table, uint32_t i)
{
	struct vduse_file_region region;

	if (!table->mappings[i]->populates || table->mappings[i]->huge ||
	    vhost_user_mem_region(vu, table->regions[i].first, &region) < 0)
		return -1;
	return vduse_map_reopen(region.fd);
}

/* Lets the front end know which of the pages is waited for. */
static int
postcopy_register(const struct vhost_user_postcopy *pc, const struct vduse_iotlb *table)
{
	uint32_t i;

	for (i = 0; i < table->nb; i++) {
		struct uffdio_register range = {
			.range = { (uintptr_t)table->mappings[i]->va, table->mappings[i]->len },
			.mode = UFFDIO_REGISTER_MODE_MISSING,
		};

		if (ioctl(pc->uffd, UFFDIO_REGISTER, &range) < 0)
			return -errno;
	}
	return 0;
}

/* NULL with errno: it cannot be. */
static struct postcopy_map *
postcopy_map_new(struct vhost_user *vu)
{
	const struct vduse_iotlb_source source = {
		.name = vu->dev->name,
		.rate = &vu->dev->log_rate,
		.limit = vu->dev->memory_limit,
		.arg = vu,
		.region = postcopy_region,
		.sparse = true,
	};
	struct postcopy_map *map = calloc(1, sizeof(*map));
	uint32_t i;
	int ret;

	if (map == NULL)
		return NULL;
	map->refs = 1;
	ret = vduse_iotlb_walk(&source, NULL, false, &map->table);
	if (ret == 0) {
		map->files = malloc((map->table->nb + 1) * sizeof(map->files[0]));
		ret = map->files == NULL ? -ENOMEM : 0;
	}
	for (i = 0; ret == 0 && i < map->table->nb; i++)
		map->files[i] = postcopy_file(vu, map->table, i);
	if (ret == 0)
		ret = postcopy_register(vu->postcopy, map->table);
	if (ret == 0)
		return map;
	postcopy_map_free(map);
	errno = -ret;
	return NULL;
}

int
vhost_user_postcopy_memory(struct vhost_user *vu)
{
	struct vhost_user_postcopy *pc = vu->postcopy;
	struct postcopy_map *map = postcopy_map_new(vu);
	int ret = map == NULL ? -errno : 0;

	if (ret < 0)
		VDUSE_LOG_DRIVER(vu->dev, iotlb, ERR,
				 "refused: cannot wait for pages of its memory in post-copy: %s",
				 strerror(-ret));
	pthread_mutex_lock(&pc->lock);
	postcopy_drop_map(pc);
	pc->map = map;
	pthread_mutex_unlock(&pc->lock);
	return ret;
}

void
vhost_user_postcopy_go(struct vhost_user *vu)
{
	struct vhost_user_postcopy *pc = vu->postcopy;

	pthread_mutex_lock(&pc->lock);
	pc->goes = pc->map != NULL;
	pthread_cond_signal(&pc->wake);
	pthread_mutex_unlock(&pc->lock);
}

uint64_t
vhost_user_postcopy_va(const struct vhost_user *vu, uint64_t physical)
{
	/* Only this thread changes the map. */
	const struct postcopy_map *map = vu->postcopy->map;
	const struct rte_vduse_region *region =
		map == NULL ? NULL : vduse_iotlb_lookup(map->table, physical);

	return region == NULL ? 0 : (uintptr_t)region->va + (physical - region->first);
}

int
vhost_user_postcopy_ask(struct vhost_user *vu, uint64_t physical)
{
	struct vhost_user_postcopy *pc = vu->postcopy;
	uint32_t i;
	int ret = -EINPROGRESS;

	if (vhost_user_postcopy_va(vu, physical) == 0)
		return -EFAULT;
	physical = RTE_ALIGN_FLOOR(physical, UINT64_C(4096));
	pthread_mutex_lock(&pc->lock);
	for (i = 0; i < pc->nb_asked && pc->asked[i] != physical; i++)
		;
	if (i == pc->nb_asked && pc->nb_asked + pc->nb_done < POSTCOPY_MAX) {
		pc->asked[pc->nb_asked++] = physical;
		pthread_cond_signal(&pc->wake);
	} else if (i == pc->nb_asked) {
		ret = -EAGAIN;
	}
	pthread_mutex_unlock(&pc->lock);
	return ret;
}

int
vhost_user_postcopy_event(const struct vhost_user *vu)
{
	return vu->postcopy == NULL ? -1 : vu->postcopy->event;
}

/* Whatever of a range is in the regions that there are now. */
static void
postcopy_arrived(struct vhost_user *vu, const struct postcopy_range *range)
{
	uint32_t i;

	for (i = 0; i < vu->nb_regions; i++) {
		const struct vhost_user_region *region = &vu->regions[i];

		if (region->first <= range->first && range->last <= region->last)
			(void)vhost_user_iommu_map(vu, range->first, range->last,
						   region->user + (range->first - region->first),
						   VDUSE_ACCESS_RW);
	}
}

void
vhost_user_postcopy_serve(struct vhost_user *vu)
{
	struct vhost_user_postcopy *pc = vu->postcopy;
	struct postcopy_range done[POSTCOPY_MAX];
	eventfd_t value;
	uint32_t i, nb;

	(void)eventfd_read(pc->event, &value);
	pthread_mutex_lock(&pc->lock);
	nb = pc->nb_done;
	memcpy(done, pc->done, nb * sizeof(done[0]));
	pc->nb_done = 0;
	pthread_mutex_unlock(&pc->lock);
	for (i = 0; i < nb; i++)
		postcopy_arrived(vu, &done[i]);
	pc->nb += nb;
	if (nb > 0)
		vhost_user_msg_remap(vu);
}

void
vhost_user_postcopy_close(struct vhost_user *vu)
{
	struct vhost_user_postcopy *pc = vu->postcopy;

	if (pc == NULL)
		return;
	if (pc->on)
		VDUSE_LOG_RATED(&vu->dev->life_rate, dev, INFO, vu->dev->name,
				"post-copy ended: waited for %" PRIu64 " ranges of memory", pc->nb);
	(void)vhost_user_socket_watch(vu, pc->event, false);
	vu->postcopy = NULL;
	pthread_mutex_lock(&pc->lock);
	postcopy_drop_map(pc);
	pc->ended = true;
	pthread_cond_signal(&pc->wake);
	pthread_mutex_unlock(&pc->lock);
}
