/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Address spaces: tables of regions, sorted and immutable. The control thread replaces a table as a
 * whole. Polling threads search the table of their virtqueue without a lock.
 * Input: regions from the transport. Output: tables, mappings.
 * Thread: control, unless a function says otherwise.
 */
#ifndef VDUSE_IOTLB_H
#define VDUSE_IOTLB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/queue.h>

#include <rte_common.h>

#include <rte_vduse.h>

struct vduse_log_rate;

/*
 * The maximum number of regions. Each may need a mapping, of which a process may have 65,530, for
 * several devices.
 */
#define VDUSE_IOTLB_REGIONS_MAX 4096

#define VDUSE_IOTLB_BUCKETS 1024 /* a power of two */

/* A file of the driver's memory. */
struct vduse_map_file {
	bool keyed;     /* dev and ino identify it */
	bool huge;      /* in hugetlbfs */
	bool populates; /* in tmpfs (a memfd, for example) or hugetlbfs */
	uint64_t dev;
	uint64_t ino;
	uint64_t size;
	size_t page_size;
};

/* Pages of a mapping that are not populated yet. For populate.c, under its lock. */
struct vduse_populate {
	TAILQ_ENTRY(vduse_mapping) entry;
	bool pending; /* queued or in progress: fd is open */
	bool dropped; /* no table uses the mapping: the populating thread frees it */
	int fd;
	uint64_t begin; /* offset in the file at which the requested range begins */
	uint64_t next;  /* offset to continue at */
	uint64_t end;   /* end of the requested range; 0: nothing was requested */
};

/* A mapped file, or a part of one. Shared by the regions that lie in it. */
struct vduse_mapping {
	unsigned int refs;
	bool keyed;    /* dev and ino identify the file */
	bool windowed; /* regions may share it: keyed, and within the size of the file */
	bool writable;
	bool ours;      /* umem: not to be unmapped */
	bool lost;      /* atomic; the driver took pages away: set by the guard */
	bool populates; /* the file is in tmpfs or hugetlbfs; constant */
	bool huge;      /* the file is in hugetlbfs; constant */
	uint64_t dev;
	uint64_t ino;
	uint64_t offset; /* in the file, of va */
	size_t len;      /* as passed to mmap: a multiple of the file's page size */
	size_t page_size;
	uint8_t *va;
	struct vduse_populate populate;
};

struct vduse_iotlb {
	uint32_t nb;
	int poisoned; /* atomic; the driver took away memory in use: set by the guard */
	struct rte_vduse_region *regions;
	struct vduse_mapping **mappings; /* one per region */
	/* Hash of windowed mappings, by file and first window: chains of index in mappings + 1. */
	uint32_t buckets[VDUSE_IOTLB_BUCKETS];
	uint32_t *next;
	uint64_t seed;                  /* of the hash, as drivers choose the windows */
	uint64_t nb_compared;           /* mappings compared to find one that can be shared */
	uint64_t shared;                /* bytes that count for the limit on the driver's memory */
	struct vduse_iotlb *guard_next; /* atomic; in the guard's list */
};

/* A region of the driver's memory: a part of a file. */
struct vduse_file_region {
	uint64_t first;
	uint64_t last;
	uint64_t offset; /* of first in the file */
	uint8_t perm;    /* VDUSE_ACCESS_* */
	bool bounce;     /* memory of this process may replace it */
	bool pinnable;   /* its pages stay the same */
	bool lent;       /* the transport keeps fd open until the memory changes */
	int fd;          /* the caller closes it, unless it is lent */
	/* It is mapped already, and counts for no limit. NULL: map fd. */
	struct vduse_mapping *mapping;
};

/* The source of the regions of an address space, and the limit on the driver's memory. */
struct vduse_iotlb_source {
	const char *name;            /* for the log */
	struct vduse_log_rate *rate; /* of lines that the driver causes */
	uint64_t limit;              /* bytes that the driver may share, without bounce memory */
	uint64_t shared;             /* of these, bytes in other address spaces of the device */
	bool sparse;                 /* pages come later: none may be populated */
	void *arg;
	/* Returns the first region that ends at or after from. -ENOENT: none. */
	int (*region)(void *arg, uint64_t from, struct vduse_file_region *region);
	/* Returns memory of this process to use in place of a bounce region, or NULL. */
	struct vduse_mapping *(*bounce)(void *arg, uint64_t first, uint64_t size);
};

/*
 * Walks the regions of an address space and maps them. Uses mappings of old again if the file is
 * the same; for files that no inode identifies, only if reuse is set and the region is the same.
 *
 * Returns 0, -E2BIG, -EPROTO (regions out of order), or -ENOMEM.
 */
int
vduse_iotlb_walk(const struct vduse_iotlb_source *source, struct vduse_iotlb *old, bool reuse,
		 struct vduse_iotlb **table);

/* Frees a table and the mappings that only it uses. Does nothing for NULL. */
void
vduse_iotlb_free(struct vduse_iotlb *table);

/* The region that contains iova, or NULL. Any thread that holds the table. */
const struct rte_vduse_region *
vduse_iotlb_lookup(const struct vduse_iotlb *table, uint64_t iova);

/* map.c: describes the file that fd refers to. Returns 0 or a negative errno. */
int
vduse_map_stat(int fd, struct vduse_map_file *file);
/*
 * map.c: opens a driver's file again, because lseek() must not move the file position of the driver.
 * Returns the descriptor, or -1.
 */
int
vduse_map_reopen(int fd);
/* Bytes of a file that are looked at, or populated, at once; at least one page. */
#define VDUSE_MAP_SLICE (UINT64_C(2) << 20)
/*
 * map.c: the end of the pages of a file of tmpfs that are allocated, from one on that is. Up to a
 * slice, and not beyond the page in which `to` is. Any thread.
 */
uint64_t
vduse_map_there(int fd, uint64_t from, size_t page, uint64_t to);
/*
 * map.c: as mmap() of a driver's file, with MAP_SHARED and these flags. Without permissions first: if the
 * application locks its memory (mlockall(MCL_FUTURE)), the kernel would allocate all that the driver
 * shows, on this thread. Any thread.
 */
void *
vduse_map_shared(void *va, size_t len, int prot, int flags, int fd, uint64_t offset);
/* map.c: maps len bytes at offset of a file. Returns NULL if that fails, with a log line. */
struct vduse_mapping *
vduse_mapping_create(const char *name, int fd, const struct vduse_map_file *file, uint64_t offset,
		     uint64_t len, bool writable);
/*
 * A mapping of the same file that begins in the window of offset and covers the range, or NULL.
 * Does not take a reference.
 */
struct vduse_mapping *
vduse_mapping_find(struct vduse_iotlb *table, const struct vduse_map_file *file, uint64_t offset,
		   uint64_t len, bool writable);
/* Adds table->mappings[index] to the hash that vduse_mapping_find() searches. */
void
vduse_mapping_share(struct vduse_iotlb *table, uint32_t index);
void
vduse_mapping_put(struct vduse_mapping *mapping);
/*
 * Replaces a mapping with zeroed memory. That is mapped elsewhere and then moved: it must be unlocked
 * first, or mlockall(MCL_FUTURE) would allocate all of it, and other threads must not access it before
 * it has its permissions. Any thread, also in a signal handler. False: the kernel refuses.
 */
bool
vduse_mapping_replace(const struct vduse_mapping *mapping);
/* Unmaps and frees a mapping without references. Any thread. */
void
vduse_mapping_free(struct vduse_mapping *mapping);

/*
 * populate.c: requests that another thread populates the page tables for a range of the file, where
 * the driver has allocated pages. fd: the file; the caller keeps it.
 */
void
vduse_populate_add(struct vduse_mapping *mapping, int fd, uint64_t from, uint64_t to);
/* Cancels that. Returns true if the thread is working on the mapping and will free it. */
bool
vduse_populate_drop(struct vduse_mapping *mapping);
/* For tests: whether a mapping still has to be populated or freed. Any thread. */
bool
vduse_populate_busy(void);

/*
 * guard.c: a driver that truncates a mapped file would end the process with SIGBUS. The guard
 * replaces the lost memory with zeroed memory, and poisons the tables that contain it. It covers a
 * table from add to remove, for accesses of any thread.
 */
int
vduse_guard_install(void);
/* The table must not change after this call. */
void
vduse_guard_add(struct vduse_iotlb *table);
/* After it returns, no handler uses the table. Does nothing if the table was not added. */
void
vduse_guard_remove(struct vduse_iotlb *table);

#endif /* VDUSE_IOTLB_H */
