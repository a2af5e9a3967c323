/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file or block device as backend, inside: backend_file.c opens it and finds out what it
 * can, file_channel.c does operations on it through io_uring, file_room.c copies for O_DIRECT,
 * file_discard.c gives blocks back.
 */
#ifndef VBLK_BACKEND_FILE_H
#define VBLK_BACKEND_FILE_H

#include <sys/types.h>

#include "backend.h"

struct file_backend {
	struct vblk_backend backend;
	int fd;                /* constant */
	bool direct;           /* opened with O_DIRECT; constant */
	bool polls;            /* its device has queues without interrupts; constant */
	bool discard_command;  /* it discards otherwise than a file; constant */
	uint32_t memory_align; /* of each vector and its length, if direct; constant */
	/* What the file system turned out not to have; any thread sets it, never unset. */
	bool no_zero_range;
	bool told; /* that memory cannot be pinned; control thread */
	int flush_error;     /* of the first flush that failed; any thread sets it, never unset */
	uint32_t retry_told; /* when a line said that operations are refused; any thread */
};

int
file_channel_open(struct vblk_backend *backend, uint16_t depth, struct vblk_channel **channel);
void
file_channel_close(struct vblk_channel *channel);
void
file_channel_memory(struct vblk_channel *channel, void *va, uint64_t len);
uint16_t
file_submit(struct vblk_channel *channel, struct vblk_io **ios, uint16_t nb);
uint16_t
file_poll(struct vblk_channel *channel, struct vblk_io **ios, uint16_t nb);

/* file_error.c: whether the operation, refused for now, is submitted again; bounded in time. */
bool
file_error_retry(struct file_backend *file, struct vblk_io *io, int result);
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
		  const struct vblk_io *io);

/*
 * file_room.c: gives a read or write that needs it memory of ours, io->room. -EAGAIN: all that a
 * channel may have is in use; -ENOMEM.
 */
int
file_room_take(const struct file_backend *file, unsigned int *nb_rooms, struct vblk_io *io);
void
file_room_leave(unsigned int *nb_rooms, struct vblk_io *io);
/* What is to be moved next, and where: what is to be written is there. */
void *
file_room_next(const struct vblk_io *io, uint64_t *len);
/* So many bytes were moved: io->done. What was read goes to the driver when a room is full. */
void
file_room_advance(struct vblk_io *io, uint64_t len);

#endif /* VBLK_BACKEND_FILE_H */
