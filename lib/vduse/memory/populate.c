/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Makes pages of driver memory present, so that polling threads take few page faults. Only what is
 * allocated already: a hole of a driver's file stays a hole until a request touches it.
 * Input: ranges of mappings, from the control thread. Output: page table entries.
 * Thread: one of the process, which this file starts. The control thread never waits for it: a
 * mapping that is dropped while the thread works on it is unmapped by the thread.
 *
 * The driver can punch holes between the look at its file and the advice, so a slice is small: it
 * bounds what such a race allocates, and how long the thread holds the lock of the address space.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
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

/* Bytes between two looks at whether the mapping is still wanted; a huge page if that is larger. */
#define POPULATE_SLICE (UINT64_C(2) << 20)

static struct {
	pthread_mutex_t lock; /* guards all here, and struct vduse_populate of every mapping */
	pthread_cond_t wake;
	TAILQ_HEAD(, vduse_mapping) queue;
	struct vduse_mapping *current; /* the thread works on it, without the lock */
	bool running;
	bool failed; /* the thread cannot be started */
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
	uint64_t end;
	off_t data;

	data = lseek(fd, (off_t)*from, SEEK_DATA);
	if (data < 0 || (uint64_t)data >= to)
		return 0;
	*from = RTE_ALIGN_MUL_FLOOR((uint64_t)data, page);
	end = *from + page;
	/* SEEK_HOLE would walk all pages of the file up to the hole, for every slice. */
	while (end < to && end - *from < POPULATE_SLICE &&
	       lseek(fd, (off_t)end, SEEK_DATA) == (off_t)end)
		end += page;
	return end;
}

/* hugetlbfs does not tell where its holes are, only how much there is. */
static uint64_t
populate_next_huge(int fd, size_t page, uint64_t from, uint64_t to)
{
	struct stat st;

	if (fstat(fd, &st) < 0 || (uint64_t)st.st_blocks * 512 < (uint64_t)st.st_size)
		return 0;
	return RTE_MIN(to, from + RTE_MAX(page, POPULATE_SLICE));
}

/* One slice, from an offset of the file. Returns the offset to go on at; to or more: the end. */
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
	/* The driver may truncate the file, memory may be short, and old kernels do not know it. */
	if (madvise(mapping->va + (from - mapping->offset), end - from, advice) < 0)
		return to;
	return end;
}

/* Under the lock. The mapping still holds the file, so that nothing of it is freed here. */
static void
populate_end(struct vduse_populate *job)
{
	close(job->fd);
	job->pending = false;
}

/* Under the lock, which it releases meanwhile: a slice of the first mapping. */
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
	/* Unless the control thread wants what lies before it, too. */
	if (job->next == from)
		job->next = next;
	if (job->dropped) {
		populate_end(job);
		pthread_mutex_unlock(&populate.lock);
		vduse_mapping_free(mapping);
		pthread_mutex_lock(&populate.lock);
	} else if (job->next < job->end) {
		/* All mappings take turns, or a large one would keep the others waiting. */
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

/* Under the lock. Without the thread, polling threads take the faults. */
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
			  "cannot start a thread (%s): pages are mapped when they are polled first",
			  strerror(-ret));
	return populate.running;
}

/* A file position of its own: that of the driver's descriptor is the driver's. */
static int
populate_reopen(int fd)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return open(path, O_RDONLY | O_CLOEXEC);
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
	/* What was asked for once is there, or was a hole. */
	if ((job->end != 0 && from >= job->begin && to <= job->end) || !populate_start())
		goto unlock;
	if (from < job->begin) {
		job->begin = from;
		job->next = from;
	}
	job->end = RTE_MAX(job->end, to);
	if (job->pending)
		goto unlock;
	job->fd = populate_reopen(fd);
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
