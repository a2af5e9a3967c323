/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Operations with partial blocks of the file, done in steps. A read reads the whole blocks around
 * it. A write reads the block at an edge, modifies it and writes it back; whole blocks between the
 * edges are written directly. A partial last block of the file is written through the page cache,
 * because O_DIRECT would make the file longer. file_range.c excludes other writes meanwhile.
 *
 * Input: an operation and the result of its last step. Output: its next step.
 * Thread: the one that polls the channel.
 */
#include <errno.h>
#include <string.h>

#include <rte_vduse_compat.h>

#include <virtio_blk/backend/file.h>

/* Position of a step in its block. */
struct edge_place {
	uint64_t at;    /* offset in the file */
	uint64_t block; /* offset of its block */
	uint64_t len;   /* bytes of the operation in that block */
};

static struct edge_place
edge_place(const struct file_backend *file, const struct rte_vduse_blk_io *io)
{
	struct file_io *own = file_io(io);
	uint64_t align = file_align(file, io->op);
	struct edge_place place;

	place.at = io->offset + own->done;
	place.block = place.at & ~(align - 1);
	place.len = RTE_MIN(align - (place.at - place.block), io->len - own->done);
	return place;
}

/* Bytes in whole blocks from here on. */
static uint64_t
edge_middle(const struct file_backend *file, const struct rte_vduse_blk_io *io)
{
	return (io->len - file_io(io)->done) & ~((uint64_t)file_align(file, io->op) - 1);
}

bool
file_edge_begin(const struct file_backend *file, struct rte_vduse_blk_io *io)
{
	struct file_io *own = file_io(io);
	uint32_t align = file_align(file, io->op);
	uint64_t end = io->offset + io->len;

	own->edge = FILE_EDGE_NONE;
	own->split = ((io->offset | io->len) & (align - 1)) != 0;
	if (io->op != RTE_VDUSE_BLK_DISCARD || !own->split)
		return own->split;
	/* Partial blocks need not be discarded. */
	own->split = false;
	io->offset = RTE_ALIGN_CEIL(io->offset, (uint64_t)align);
	end &= ~((uint64_t)align - 1);
	io->len = end > io->offset ? end - io->offset : 0;
	return false;
}

/* Starts an edge, a block that the operation covers in part. */
static void
edge_enter(const struct file_backend *file, struct rte_vduse_blk_io *io,
	   const struct edge_place *place)
{
	struct file_io *own = file_io(io);
	uint64_t size =
		rte_atomic_load_explicit(&file->backend.limits.size, rte_memory_order_relaxed);
	uint64_t align = file_align(file, io->op);

	if (place->len == align)
		return;
	if (!file->direct || place->block + align > size)
		own->edge = FILE_EDGE_PLAIN;
	else
		own->edge = FILE_EDGE_READ;
}

/* Copies the driver's data, or zeroes, into the bounce buffer. */
static void
edge_fill(const struct rte_vduse_blk_io *io, uint64_t in_room, uint64_t len)
{
	struct file_io *own = file_io(io);
	uint8_t *at = (uint8_t *)own->room + in_room;

	if (io->op == RTE_VDUSE_BLK_ZERO)
		memset(at, 0, len);
	else
		file_room_copy(io, own->done, len, at);
}

bool
file_edge_step(const struct file_backend *file, struct rte_vduse_blk_io *io, struct file_step *step)
{
	struct file_io *own = file_io(io);
	struct edge_place place = edge_place(file, io);
	uint64_t align = file_align(file, io->op), middle;

	*step = (struct file_step){ .at = own->room, .offset = place.block, .len = align };
	if (io->op == RTE_VDUSE_BLK_READ) {
		step->len =
			RTE_MIN(RTE_ALIGN_CEIL(io->len - own->done + place.at - place.block, align),
				FILE_ROOM_SIZE);
		return true;
	}
	if (own->edge == FILE_EDGE_NONE)
		edge_enter(file, io, &place);
	step->write = own->edge != FILE_EDGE_READ;
	if (own->edge == FILE_EDGE_PLAIN) {
		edge_fill(io, 0, place.len);
		step->offset = place.at;
		step->len = place.len;
		step->cached = true;
	} else if (own->edge == FILE_EDGE_NONE) {
		if (io->op == RTE_VDUSE_BLK_ZERO)
			return false;
		middle = RTE_MIN(edge_middle(file, io), FILE_ROOM_SIZE);
		edge_fill(io, 0, middle);
		step->len = middle;
	}
	return true;
}

static int
edge_read_done(const struct file_backend *file, struct rte_vduse_blk_io *io, uint64_t moved)
{
	struct file_io *own = file_io(io);
	struct edge_place place = edge_place(file, io);
	uint64_t before = place.at - place.block, len;

	/* The file is shorter than the disk now. */
	if (moved <= before)
		return -EIO;
	len = RTE_MIN(moved - before, io->len - own->done);
	file_room_copy(io, own->done, len, (uint8_t *)own->room + before);
	own->done += len;
	return 0;
}

int
file_edge_done(const struct file_backend *file, struct rte_vduse_blk_io *io, uint64_t moved)
{
	struct file_io *own = file_io(io);
	struct edge_place place = edge_place(file, io);
	uint64_t align = file_align(file, io->op);

	if (io->op == RTE_VDUSE_BLK_READ)
		return edge_read_done(file, io, moved);
	switch ((enum file_edge)own->edge) {
	case FILE_EDGE_READ:
		if (moved != align)
			return -EIO;
		edge_fill(io, place.at - place.block, place.len);
		own->edge = FILE_EDGE_WRITE;
		return 0;
	case FILE_EDGE_WRITE:
		if (moved != align)
			return -EIO;
		moved = place.len;
		break;
	case FILE_EDGE_PLAIN:
	case FILE_EDGE_NONE:
		if (moved == 0)
			return -EIO;
		break;
	}
	own->edge = FILE_EDGE_NONE;
	own->done += moved;
	return 0;
}

uint64_t
file_edge_zero_len(const struct file_backend *file, const struct rte_vduse_blk_io *io)
{
	struct file_io *own = file_io(io);
	return own->split ? edge_middle(file, io) : io->len - own->done;
}
