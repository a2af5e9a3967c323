/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A file or block device as backend, inside: file.c opens it and finds out what it can,
 * file_lock.c locks it, file_ring.c opens channels, file_channel.c does operations on them
 * through io_uring, file_error.c decides about errors, file_room.c copies for O_DIRECT,
 * file_edge.c and file_range.c do what is no whole block, file_discard.c gives blocks back,
 * file_sync.c shares syncs.
 */
#ifndef VBLK_BACKEND_FILE_H
#define VBLK_BACKEND_FILE_H

#include <sys/queue.h>
#include <sys/types.h>

#include <rte_spinlock.h>

#include <virtio_blk/backend/backend.h>

#define FILE_ROOM_SIZE UINT64_C(65536)

/* An operation that writes: from its submission to its end, or while it waits. */
struct file_range {
	TAILQ_ENTRY(file_range) entry;
	uint64_t first; /* block */
	uint64_t last;
	uint64_t ticket;
	bool parts; /* it writes parts of blocks */
};
TAILQ_HEAD(file_range_list, file_range);

/* Those of a file, in the order of their tickets. */
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
	uint8_t edge : 7;  /* an enum file_edge */
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
	int fd;                /* constant */
	bool direct;           /* opened with O_DIRECT; constant */
	bool polls;            /* its device has queues without interrupts; constant */
	bool discard_command;  /* it discards otherwise than a file; constant */
	uint32_t memory_align; /* of each vector, if direct; constant */
	uint32_t io_align;     /* of what is read and written, in the file; constant */
	uint32_t hole_align;   /* of what is discarded and zeroed, at least io_align; constant */
	int cached_fd;         /* the same file without O_DIRECT, for its last part; or -1 */
	struct file_ranges ranges; /* if io_align is more than a driver's smallest block */
	/* What the file system turned out not to have; any thread sets it, never unset. */
	bool no_zero_range;
	unsigned int
		nb_ranges;   /* discards and zeroes that the kernel has, of all channels; atomic */
	bool told;           /* that memory cannot be pinned; control thread */
	int flush_error;     /* of the first flush that failed; any thread sets it, never unset */
	uint32_t retry_told; /* when a line said that operations are refused; any thread */
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

/* file_error.c: whether the operation, refused for now, is submitted again; bounded in time. */
bool
file_error_retry(struct file_backend *file, struct rte_vduse_blk_io *io, int result);
/* A flush, or a write that had to flush the page cache, failed: later flushes fail too. */
void
file_error_flush(struct file_backend *file, int result);

/* file_lock.c: 0; -EAGAIN: somebody uses the file who does not permit us. Ends with the fd. */
int
file_lock_take(int fd, bool read_only);

/* file_discard.c: a number that sysfs has of a block device's queue; 0: none. */
uint64_t
file_device_number(dev_t dev, const char *attribute);
/* Whether, and how, a block device discards. */
void
file_discard_probe(struct file_backend *file, dev_t dev);
struct io_uring_sqe;
/* That part of the file has no blocks any more and reads as zeroes. */
void
file_prep_hole(struct io_uring_sqe *sqe, uint64_t offset, uint64_t len);
void
file_discard_prep(const struct file_backend *file, struct io_uring_sqe *sqe,
		  const struct rte_vduse_blk_io *io);

/* file_range.c: see there. The caller fills first, last and parts. Whether it may go. */
void
file_ranges_init(struct file_ranges *ranges);
bool
file_range_enter(struct file_ranges *ranges, struct file_range *range);
bool
file_range_may_go(struct file_ranges *ranges, const struct file_range *range);
void
file_range_leave(struct file_ranges *ranges, struct file_range *range);

/* file_edge.c: what is under way of an operation that is done in steps. */
enum file_edge {
	FILE_EDGE_NONE, /* whole blocks */
	FILE_EDGE_READ, /* the block of an edge, to be changed */
	FILE_EDGE_WRITE,
	FILE_EDGE_PLAIN, /* the edge through the page cache, as it is */
};
struct file_step {
	void *at;
	uint64_t offset;
	uint64_t len;
	bool write;
	bool cached;
};
/* Whether it is done in steps: io->split. A discard shrinks to whole blocks. */
bool
file_edge_begin(const struct file_backend *file, struct rte_vduse_blk_io *io);
/* The next step. False: zeroes for file_edge_zero_len() bytes, which need no memory. */
bool
file_edge_step(const struct file_backend *file, struct rte_vduse_blk_io *io,
	       struct file_step *step);
/* A step moved so many bytes. 0: io->done says how far it is; or -EIO. */
int
file_edge_done(const struct file_backend *file, struct rte_vduse_blk_io *io, uint64_t moved);
uint64_t
file_edge_zero_len(const struct file_backend *file, const struct rte_vduse_blk_io *io);

/*
 * file_room.c: gives a read or write that needs it memory of ours, io->room. -EAGAIN: all that a
 * channel may have is in use; -ENOMEM.
 */
int
file_room_take(const struct file_backend *file, unsigned int *nb_rooms,
	       struct rte_vduse_blk_io *io);
/* Bytes from one place of a request: to memory if it writes, else from there. */
void
file_room_copy(const struct rte_vduse_blk_io *io, uint64_t from, uint64_t len, uint8_t *at);
void
file_room_leave(unsigned int *nb_rooms, struct rte_vduse_blk_io *io);
/* What is to be moved next, and where: what is to be written is there. */
void *
file_room_next(const struct rte_vduse_blk_io *io, uint64_t *len);
/* So many bytes were moved: io->done. What was read goes to the driver when a room is full. */
void
file_room_advance(struct rte_vduse_blk_io *io, uint64_t len);

#endif /* VBLK_BACKEND_FILE_H */
