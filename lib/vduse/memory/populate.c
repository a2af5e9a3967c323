/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Populates page tables for driver memory, so that polling threads take few page faults. Only pages
 * that are allocated already: a hole in a driver's file stays one until a request accesses it.
 * Input: ranges of mappings, from the control thread. Output: page table entries.
 * Thread: its own, one per process. The control thread never waits for it: a mapping that is
 * dropped while the thread works on it is unmapped by the thread.
 *
 * The driver can punch a hole after the file is checked and before madvise() populates it. Slices
 * are small to bound the memory that this allocates, and the time for which mmap_lock is held.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <compat/thread.h>
#include <vduse/memory/iotlb.h>
#include <vduse/core/log.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ  22
#define MADV_POPULATE_WRITE 23
#endif

static struct {
	pthread_mutex_t lock; /* guards this, and struct vduse_populate of every mapping */
	pthread_cond_t wake;
	TAILQ_HEAD(, vduse_mapping) queue;
	struct vduse_mapping *current; /* the thread works on it, without the lock */
	bool running;
	bool failed; /* the thread could not be started */
} populate = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.wake = PTHREAD_COND_INITIALIZER,
	.queue = TAILQ_HEAD_INITIALIZER(populate.queue),
};

/*
 * Finds the next range to populate, at most a slice: *from moves to it. Returns its end, or 0 if
 * nothing is left before to.
 */
static uint64_t
populate_next(int fd, size_t page, uint64_t *from, uint64_t to)
{
	off_t data;

	data = lseek(fd, (off_t)*from, SEEK_DATA);
	if (data < 0 || (uint64_t)data >= to)
		return 0;
	*from = RTE_ALIGN_MUL_FLOOR((uint64_t)data, page);
	return vduse_map_there(fd, *from, page, to);
}

/* hugetlbfs does not report holes, only the number of blocks: populates files without holes. */
static uint64_t
populate_next_huge(int fd, size_t page, uint64_t from, uint64_t to)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || (uint64_t)st.st_blocks * 512 < (uint64_t)st.st_size)
		return 0;
	return RTE_MIN(to, from + RTE_MAX(page, VDUSE_MAP_SLICE));
}

/* Populates a slice. Returns the offset in the file to continue at; to or more: nothing is left. */
static uint64_t
populate_slice(const struct vduse_mapping *mapping, int fd, uint64_t from, uint64_t to)
{
	int advice = mapping->writable ? MADV_POPULATE_WRITE : MADV_POPULATE_READ;
	size_t page = mapping->page_size;
	uint64_t end;

	if (mapping->huge)
		end = populate_next_huge(fd, page, from, to);
	else
		end = populate_next(fd, page, &from, to);
	if (end == 0)
		return to;
	/* Fails if the driver truncates the file, memory is short, or the kernel is too old. */
	if (madvise(mapping->va + (from - mapping->offset), end - from, advice) < 0)
		return to;
	return end;
}

/*
 * Ends a job. The caller holds the lock. Closing the file frees none of its memory, because it is
 * still mapped.
 */
static void
populate_end(struct vduse_populate *job)
{
	close(job->fd);
	job->pending = false;
}

/* Populates a slice of a queued mapping. The caller holds the lock, which is released meanwhile. */
static void
populate_serve(struct vduse_mapping *mapping)
{
	struct vduse_populate *job = &mapping->populate;
	uint64_t from = job->next, to = job->end, next;

	TAILQ_REMOVE(&populate.queue, mapping, populate.entry);
	populate.current = mapping;
	pthread_mutex_unlock(&populate.lock);
	next = populate_slice(mapping, job->fd, from, to);
	pthread_mutex_lock(&populate.lock);
	populate.current = NULL;
	/* Unless the control thread moved the beginning of the range. */
	if (job->next == from)
		job->next = next;
	if (job->dropped) {
		populate_end(job);
		pthread_mutex_unlock(&populate.lock);
		vduse_mapping_free(mapping);
		pthread_mutex_lock(&populate.lock);
	} else if (job->next < job->end) {
		/* To the end of the queue, so that a large mapping does not delay the others. */
		TAILQ_INSERT_TAIL(&populate.queue, mapping, populate.entry);
	} else {
		populate_end(job);
	}
}

static uint32_t
populate_main(void *arg)
{
	RTE_SET_USED(arg);
	pthread_mutex_lock(&populate.lock);
	for (;;) {
		struct vduse_mapping *mapping = TAILQ_FIRST(&populate.queue);

		if (mapping != NULL)
			populate_serve(mapping);
		else
			pthread_cond_wait(&populate.wake, &populate.lock);
	}
	return 0;
}

/* Starts the thread; without it, polling threads take the faults. The caller holds the lock. */
static bool
populate_start(void)
{
	int ret;

	if (populate.running || populate.failed)
		return populate.running;
	ret = vduse_thread_create("vduse-populate", populate_main, NULL);
	populate.running = ret == 0;
	populate.failed = ret < 0;
	if (ret < 0)
		VDUSE_LOG(iotlb, WARNING, "populate",
			  "cannot start a thread (%s): polling threads take the page faults",
			  strerror(-ret));
	return populate.running;
}

void
vduse_populate_add(struct vduse_mapping *mapping, int fd, uint64_t from, uint64_t to)
{
	struct vduse_populate *job = &mapping->populate;

	if (!mapping->populates)
		return;
	from = RTE_ALIGN_MUL_FLOOR(from, mapping->page_size);
	to = RTE_ALIGN_MUL_CEIL(to, mapping->page_size);
	pthread_mutex_lock(&populate.lock);
	if (job->end == 0) {
		job->begin = from;
		job->next = from;
	}
	/* A range that was requested before is populated, or was a hole. */
	if ((job->end != 0 && from >= job->begin && to <= job->end) || !populate_start())
		goto unlock;
	if (from < job->begin) {
		job->begin = from;
		job->next = from;
	}
	job->end = RTE_MAX(job->end, to);
	if (job->pending)
		goto unlock;
	job->fd = vduse_map_reopen(fd);
	if (job->fd < 0)
		goto unlock;
	job->pending = true;
	TAILQ_INSERT_TAIL(&populate.queue, mapping, populate.entry);
	pthread_cond_signal(&populate.wake);
unlock:
	pthread_mutex_unlock(&populate.lock);
}

bool
vduse_populate_drop(struct vduse_mapping *mapping)
{
	struct vduse_populate *job = &mapping->populate;
	bool busy;

	pthread_mutex_lock(&populate.lock);
	busy = populate.current == mapping;
	job->dropped = busy;
	if (!busy && job->pending) {
		TAILQ_REMOVE(&populate.queue, mapping, populate.entry);
		populate_end(job);
	}
	pthread_mutex_unlock(&populate.lock);
	return busy;
}

bool
vduse_populate_busy(void)
{
	bool busy;

	pthread_mutex_lock(&populate.lock);
	busy = populate.current != NULL || !TAILQ_EMPTY(&populate.queue);
	pthread_mutex_unlock(&populate.lock);
	return busy;
}
