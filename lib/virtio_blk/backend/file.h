/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A file or block device as backend, inside: file.c opens it and finds out its limits, file_lock.c
 * locks it, file_ring.c opens channels, file_channel.c submits operations to io_uring, file_error.c
 * retries and reports errors, file_cut.c continues after short transfers, file_room.c has bounce
 * buffers for O_DIRECT, file_edge.c does partial blocks, file_range.c orders writes that share a
 * block, file_discard.c discards blocks, file_sync.c merges syncs.
 */
#ifndef VBLK_BACKEND_FILE_H
#define VBLK_BACKEND_FILE_H

#include <sys/queue.h>
#include <sys/types.h>

#include <rte_spinlock.h>

#include <virtio_blk/backend/backend.h>

#define FILE_ROOM_SIZE UINT64_C(65536)

/* Blocks of an operation that writes, while it waits or is in flight. */
struct file_range {
	TAILQ_ENTRY(file_range) entry;
	uint64_t first; /* block */
	uint64_t last;
	uint64_t ticket;
	uint64_t waits_for; /* ticket of an operation that it waits for; 0: none */
	bool parts;         /* it writes partial blocks */
};
TAILQ_HEAD(file_range_list, file_range);

/* Ranges of a file, in ticket order. */
struct file_ranges {
	rte_spinlock_t lock;
	struct file_range_list whole;
	struct file_range_list parts;
	uint64_t ticket;
};

/* What the operations of this backend hold besides. */
struct file_io {
	uint64_t done; /* bytes */
	void *room;    /* memory of ours; NULL: none */
	struct file_range *range;
	uint32_t since;    /* it is refused, milliseconds; 0: it is not */
	uint16_t done_iov; /* vectors */
	uint8_t stage;     /* an enum file_stage */
	uint8_t edge : 6;  /* an enum file_edge */
	bool cut : 1;      /* bytes that are done were cut off the vector done_iov */
	bool split : 1;    /* it is done in steps */
};
static_assert(sizeof(struct file_io) <= RTE_VDUSE_BLK_IO_PRIV, "no room for it in an operation");

static inline struct file_io *
file_io(const struct rte_vduse_blk_io *io)
{
	return (struct file_io *)(uintptr_t)io->priv;
}

struct file_backend {
	struct rte_vduse_blk_backend backend;
	int fd;                    /* constant */
	bool direct;               /* opened with O_DIRECT; constant */
	bool polls;                /* its device has poll queues; constant */
	bool share;                /* locked only while a queue runs; constant */
	bool acquired;             /* locked by acquire; control thread */
	bool handed_over;          /* opened while another process had it locked; constant */
	bool lost;                 /* hand_over could not lock it again; control thread */
	bool refused;              /* acquire waited in vain; control thread */
	bool discard_command;      /* discard with BLOCK_URING_CMD_DISCARD; constant */
	uint32_t memory_align;     /* of each vector, if direct; constant */
	uint32_t io_align;         /* of offset and length of reads and writes; constant */
	uint32_t hole_align;       /* of discards and zeroes, at least io_align; constant */
	int cached_fd;             /* without O_DIRECT, for a partial last block; or -1 */
	struct file_ranges ranges; /* used if io_align is more than a sector */
	/* The file system has no FALLOC_FL_ZERO_RANGE; any thread sets it, never cleared. */
	bool no_zero_range;
	unsigned int nb_ranges; /* discards and zeroes in flight, all channels; atomic */
	bool pin_logged;        /* that memory cannot be pinned was logged; control thread */
	int flush_error;        /* first failed flush; any thread sets it, never cleared */
	uint32_t retry_logged;  /* ms, last log line about refused operations; any thread */
};

static inline uint32_t
file_align(const struct file_backend *file, enum rte_vduse_blk_op op)
{
	return op == RTE_VDUSE_BLK_READ || op == RTE_VDUSE_BLK_WRITE ? file->io_align
								     : file->hole_align;
}

int
file_channel_open(struct rte_vduse_blk_backend *backend, uint16_t depth,
		  struct rte_vduse_blk_channel **channel);
void
file_channel_close(struct rte_vduse_blk_channel *channel);
void
file_channel_memory(struct rte_vduse_blk_channel *channel, void *va, uint64_t len);
uint16_t
file_submit(struct rte_vduse_blk_channel *channel, struct rte_vduse_blk_io **ios, uint16_t nb);
uint16_t
file_poll(struct rte_vduse_blk_channel *channel, struct rte_vduse_blk_io **ios, uint16_t nb);
/* file_sleep.c: prepares the process for the other one, for channel_open; and channel_sleep. */
void
file_sleep_init(void);
bool
file_sleep(struct rte_vduse_blk_channel *channel, int fd);

/* file_error.c: whether to submit an operation again after result; bounded in time. */
bool
file_error_retry(struct file_backend *file, struct rte_vduse_blk_io *io, int result);
/* Records a failed flush, or write that had to flush the page cache: later flushes fail. */
void
file_error_flush(struct file_backend *file, int result);

/* file_cut.c: lets the vectors begin after the bytes that are done, in place. Sets io->cut. */
void
file_cut_advance(struct rte_vduse_blk_io *io);
/* Restores the vector that was cut: all together have io->len bytes. Clears io->cut. */
void
file_cut_restore(struct rte_vduse_blk_io *io);

/*
 * file_lock.c: locks a file until file_lock_leave(), or until it is closed. 0; -EAGAIN: another user
 * does not permit it, and nothing is locked.
 */
int
file_lock_take(int fd, bool read_only);
void
file_lock_leave(int fd);

/* file_discard.c: reads a number of a block device's queue from sysfs; 0: none. */
uint64_t
file_device_number(dev_t dev, const char *attribute);
/* Finds out whether and how a block device discards. */
void
file_discard_probe(struct file_backend *file, dev_t dev);
struct io_uring_sqe;
/* Punches a hole: frees blocks, reads as zeroes. */
void
file_prep_hole(struct io_uring_sqe *sqe, uint64_t offset, uint64_t len);
void
file_discard_prep(const struct file_backend *file, struct io_uring_sqe *sqe,
		  const struct rte_vduse_blk_io *io);

/* file_range.c: see there. The caller sets first, last and parts. True: may be submitted. */
void
file_ranges_init(struct file_ranges *ranges);
bool
file_range_enter(struct file_ranges *ranges, struct file_range *range);
bool
file_range_is_ready(struct file_ranges *ranges, struct file_range *range);
void
file_range_leave(struct file_ranges *ranges, struct file_range *range);

/* file_edge.c: the step in flight of an operation with partial blocks. */
enum file_edge {
	FILE_EDGE_NONE,  /* whole blocks */
	FILE_EDGE_READ,  /* read the block of an edge */
	FILE_EDGE_WRITE, /* write it back */
	FILE_EDGE_PLAIN, /* write the edge through the page cache, no read needed */
};
struct file_step {
	void *at;
	uint64_t offset;
	uint64_t len;
	bool write;
	bool cached;
};
/* Sets and returns io->split: needs steps. A discard shrinks to whole blocks. */
bool
file_edge_begin(const struct file_backend *file, struct rte_vduse_blk_io *io);
/* Fills the next step. False: zero file_edge_zero_len() bytes, without a buffer. */
bool
file_edge_step(const struct file_backend *file, struct rte_vduse_blk_io *io,
	       struct file_step *step);
/* Ends a step that moved so many bytes: updates io->done. 0 or -EIO. */
int
file_edge_done(const struct file_backend *file, struct rte_vduse_blk_io *io, uint64_t moved);
uint64_t
file_edge_zero_len(const struct file_backend *file, const struct rte_vduse_blk_io *io);

/*
 * file_room.c: allocates a bounce buffer, io->room, if a read or write needs one. 0; -EAGAIN: the
 * limit of a channel is reached; -ENOMEM.
 */
int
file_room_take(const struct file_backend *file, unsigned int *nb_rooms,
	       struct rte_vduse_blk_io *io);
/* Copies bytes of a request from an offset on: to at for a write, else from at. */
void
file_room_copy(const struct rte_vduse_blk_io *io, uint64_t from, uint64_t len, uint8_t *at);
void
file_room_leave(unsigned int *nb_rooms, struct rte_vduse_blk_io *io);
/* Address and length of the next piece in the bounce buffer; a write's data is in it. */
void *
file_room_next(const struct rte_vduse_blk_io *io, uint64_t *len);
/* Adds len to io->done. Copies read data to the driver when the bounce buffer is full. */
void
file_room_advance(struct rte_vduse_blk_io *io, uint64_t len);

#endif /* VBLK_BACKEND_FILE_H */
