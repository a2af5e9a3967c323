/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Bounce buffers for requests whose buffers are not aligned for O_DIRECT. Size and number of the
 * buffers are bounded, whatever the driver submits: a request goes through one piece by piece.
 * Input: requests. Output: their data in aligned memory, and back. Thread: see backend.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <virtio_blk/backend/file.h>

#define ROOM_SIZE FILE_ROOM_SIZE
#define ROOMS_MAX 16 /* of a channel */

/* Whether the vectors are aligned for O_DIRECT. */
static bool
room_aligned(const struct file_backend *file, const struct rte_vduse_blk_io *io)
{
	uint16_t i;

	for (i = 0; i < io->nb_iov; i++)
		if (((uintptr_t)io->iov[i].iov_base & (file->memory_align - 1)) != 0 ||
		    io->iov[i].iov_len % file->io_align != 0)
			return false;
	return true;
}

void
file_room_copy(const struct rte_vduse_blk_io *io, uint64_t from, uint64_t len, uint8_t *at)
{
	uint16_t i;

	for (i = 0; len > 0; i++) {
		uint64_t over = RTE_MIN(from, (uint64_t)io->iov[i].iov_len);
		uint64_t n = RTE_MIN(len, io->iov[i].iov_len - over);
		uint8_t *va = (uint8_t *)io->iov[i].iov_base + over;

		memcpy(io->op == RTE_VDUSE_BLK_WRITE ? at : va,
		       io->op == RTE_VDUSE_BLK_WRITE ? va : at, n);
		from -= over;
		at += n;
		len -= n;
	}
}

/* From the heap, because it is rare. */
int
file_room_take(const struct file_backend *file, unsigned int *nb_rooms, struct rte_vduse_blk_io *io)
{
	struct file_io *own = file_io(io);
	if (!own->split &&
	    (io->op == RTE_VDUSE_BLK_ZERO || !file->direct || room_aligned(file, io)))
		return 0;
	if (*nb_rooms == ROOMS_MAX)
		return -EAGAIN;
	own->room = aligned_alloc(RTE_MAX(file->memory_align, 4096u), ROOM_SIZE);
	if (own->room == NULL)
		return -ENOMEM;
	++*nb_rooms;
	return 0;
}

void
file_room_leave(unsigned int *nb_rooms, struct rte_vduse_blk_io *io)
{
	struct file_io *own = file_io(io);
	free(own->room);
	own->room = NULL;
	--*nb_rooms;
}

void *
file_room_next(const struct rte_vduse_blk_io *io, uint64_t *len)
{
	struct file_io *own = file_io(io);
	uint64_t at = own->done % ROOM_SIZE;

	*len = RTE_MIN(io->len - own->done, ROOM_SIZE - at);
	if (io->op == RTE_VDUSE_BLK_WRITE && at == 0)
		file_room_copy(io, own->done, *len, own->room);
	return (uint8_t *)own->room + at;
}

void
file_room_advance(struct rte_vduse_blk_io *io, uint64_t len)
{
	struct file_io *own = file_io(io);
	uint64_t from = own->done / ROOM_SIZE * ROOM_SIZE;

	own->done += len;
	if (io->op == RTE_VDUSE_BLK_READ && (own->done == io->len || own->done == from + ROOM_SIZE))
		file_room_copy(io, from, own->done - from, own->room);
}
