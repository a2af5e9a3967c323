/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A file or block device as backend, inside: backend_file.c opens it and finds out what it
 * can, file_channel.c does operations on it through io_uring.
 */
#ifndef VBLK_BACKEND_FILE_H
#define VBLK_BACKEND_FILE_H

#include "backend.h"

struct file_backend {
	struct vblk_backend backend;
	int fd;                /* constant */
	bool direct;           /* opened with O_DIRECT; constant */
	uint32_t memory_align; /* of each vector and its length, if direct; constant */
	/* What the file system turned out not to have; any thread sets it, never unset. */
	bool no_zero_range;
};

int
file_channel_open(struct vblk_backend *backend, uint16_t depth, struct vblk_channel **channel);
void
file_channel_close(struct vblk_channel *channel);
uint16_t
file_submit(struct vblk_channel *channel, struct vblk_io **ios, uint16_t nb);
uint16_t
file_poll(struct vblk_channel *channel, struct vblk_io **ios, uint16_t nb);

#endif /* VBLK_BACKEND_FILE_H */
