/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Address spaces. In flow regions as the transport describes them, out flow tables: sorted,
 * immutable, swapped as a whole by the control thread. Polling threads search the table that
 * their virtqueue holds and take no lock.
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
 * Each region may need a mapping, and a process may have 65,530 of them: a bound, so that several
 * devices have room.
 */
#define VDUSE_IOTLB_REGIONS_MAX 4096

#define VDUSE_IOTLB_BUCKETS 1024 /* a power of two */

/* What kind of file it is: whether it has a name of its own, its size and page size. */
struct vduse_map_file {
	bool keyed;
	bool huge;      /* of hugetlbfs */
	bool populates; /* of tmpfs, as a memfd's, or of hugetlbfs */
	uint64_t dev;
	uint64_t ino;
	uint64_t size;
	size_t page_size;
};

/* What of a mapping is still to be made present: populate.c's, under its lock. */
struct vduse_populate {
	TAILQ_ENTRY(vduse_mapping) entry;
	bool pending; /* queued, or being worked on: fd is open */
	bool dropped; /* no table has it any more: the thread frees it */
	int fd;
	uint64_t begin; /* offsets in the file: of all that was asked for */
	uint64_t next;  /* to look at */
	uint64_t end;   /* 0: nothing was asked for */
};

/* A mapped file, or a part of one. Shared by the regions that lie in it. */
struct vduse_mapping {
	unsigned int refs;
	bool keyed;    /* dev and ino name the file */
	bool windowed; /* others may share it: keyed, and the file was long enough */
	bool writable;
	bool ours;      /* umem: not to be unmapped */
	bool lost;      /* atomic; the driver took pages away: set by the guard */
	bool populates; /* a file of tmpfs or hugetlbfs; constant */
	bool huge;      /* of hugetlbfs; constant */
	uint64_t dev;
	uint64_t ino;
	uint64_t offset; /* in the file, of va */
	size_t len;      /* as mmap was told: a multiple of the file's page size */
	size_t page_size;
	uint8_t *va;
	struct vduse_populate populate;
};

struct vduse_iotlb {
	uint32_t nb;
	int poisoned; /* atomic; the driver took memory away under us: set by the guard */
	struct rte_vduse_region *regions;
	struct vduse_mapping **mappings; /* one per region */
	/* Windowed mappings by file and first window: chains of indices of mappings, plus one. */
	uint32_t buckets[VDUSE_IOTLB_BUCKETS];
	uint32_t *next;
	uint64_t seed;                  /* of the hash: drivers choose windows */
	uint64_t nb_compared;           /* mappings looked at to find one that can be shared */
	struct vduse_iotlb *guard_next; /* atomic; the guard's list */
};

/* A region of the driver's memory: a part of a file. */
struct vduse_file_region {
	uint64_t first;
	uint64_t last;
	uint64_t offset; /* of first in the file */
	uint8_t perm;    /* VDUSE_ACCESS_* */
	bool bounce;     /* memory of ours may take its place */
	bool pinnable;   /* its pages stay the same */
	bool lent;       /* fd stays the callee's: it is open until the memory changes */
	int fd;          /* the caller closes it, unless it is lent */
};

/* Who describes the regions of an address space, and what its driver may show. */
struct vduse_iotlb_source {
	const char *name;            /* for the log */
	struct vduse_log_rate *rate; /* of lines that the driver causes */
	uint64_t limit;              /* bytes that the driver may show, bounce memory aside */
	void *arg;
	/* The first region that ends at or after from; its fd is the caller's. -ENOENT: none. */
	int (*region)(void *arg, uint64_t from, struct vduse_file_region *region);
	/* Memory of this process to use in place of a bounce region, or NULL. */
	struct vduse_mapping *(*bounce)(void *arg, uint64_t first, uint64_t size);
};

/*
 * Walks the regions of an address space and maps them. Mappings of old are used again where
 * the file is the same one (for files without a name of their own only if reuse says so).
 *
 * Returns 0, -E2BIG, -EPROTO (regions out of order), or -ENOMEM. Control thread.
 */
int
vduse_iotlb_walk(const struct vduse_iotlb_source *source, struct vduse_iotlb *old, bool reuse,
		 struct vduse_iotlb **table);

/* Frees a table and what only it maps. NULL is fine. Control thread. */
void
vduse_iotlb_free(struct vduse_iotlb *table);

/* The region that holds iova, or NULL. Any thread that holds the table. */
const struct rte_vduse_region *
vduse_iotlb_lookup(const struct vduse_iotlb *table, uint64_t iova);

/* map.c: what fd is. 0 or a negative errno. */
int
vduse_map_stat(int fd, struct vduse_map_file *file);
/* map.c: maps len bytes at offset of a file. NULL: it cannot be mapped, and errno says why. */
struct vduse_mapping *
vduse_mapping_create(const char *name, int fd, const struct vduse_map_file *file, uint64_t offset,
		     uint64_t len, bool writable);
/*
 * A mapping of the same file that begins in the window of offset and covers the range, or NULL.
 * Takes no reference.
 */
struct vduse_mapping *
vduse_mapping_find(struct vduse_iotlb *table, const struct vduse_map_file *file, uint64_t offset,
		   uint64_t len, bool writable);
/* Lets vduse_mapping_find() find table->mappings[index], which it did not find before. */
void
vduse_mapping_share(struct vduse_iotlb *table, uint32_t index);
void
vduse_mapping_put(struct vduse_mapping *mapping);
/* Unmaps and frees what has no reference. Any thread. */
void
vduse_mapping_free(struct vduse_mapping *mapping);

/*
 * populate.c: makes pages of a range of the file present, later and on another thread, as far as
 * the driver has allocated them. fd: the file, which stays the caller's. Control thread.
 */
void
vduse_populate_add(struct vduse_mapping *mapping, int fd, uint64_t from, uint64_t to);
/* Ends that. Returns whether the thread works on it just now: it then frees the mapping. */
bool
vduse_populate_drop(struct vduse_mapping *mapping);
/* For tests, any thread: whether something is left to be made present or to be unmapped. */
bool
vduse_populate_busy(void);

/*
 * guard.c: a driver that truncates a file which is mapped here would end the process with SIGBUS.
 * The guard puts zeroed memory where the page was, and poisons the tables that hold it. Any thread
 * may touch the memory of a table from add to remove.
 */
int
vduse_guard_install(void);
/* The table does not change any more. Control thread. */
void
vduse_guard_add(struct vduse_iotlb *table);
/* No handler uses the table after it returns. Harmless if it was not added. Control thread. */
void
vduse_guard_remove(struct vduse_iotlb *table);

#endif /* VDUSE_IOTLB_H */
