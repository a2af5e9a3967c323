/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A channel of a file: what file_ring.c opens and closes, and file_channel.c uses. See backend.h
 * for the threads.
 */
#ifndef VBLK_FILE_CHANNEL_H
#define VBLK_FILE_CHANNEL_H

#include <liburing.h>

#include <virtio_blk/backend/file.h>

enum file_ring {
	FILE_RING,
	FILE_RING_POLLED, /* reads and writes of a device that is polled, all that may be there */
	FILE_RINGS,
};

struct file_channel {
	struct rte_vduse_blk_channel channel;
	struct file_backend *file;
	struct io_uring rings[FILE_RINGS];
	unsigned int nb_rings;
	unsigned int nb_in_flight; /* on all of them: entries whose completions were not seen */
	bool overlaps;             /* some were not finished when the kernel returned last */
	bool polls;                /* there is the other one, and the device does not refuse */
	unsigned int nb_polled;    /* in flight there */
	const uint8_t *pinned;     /* memory that the kernel has the pages of; NULL: none */
	uint64_t pinned_len;
	unsigned int nb_pinned;           /* rings that know it */
	unsigned int nb_rooms;            /* in use; see file_room.c */
	struct vblk_fifo done;            /* failed before the kernel had it */
	struct vblk_fifo again;           /* to be submitted once more */
	struct vblk_fifo blocked;         /* wait for earlier writes to the same blocks */
	struct rte_vduse_blk_io *syncing; /* the sync in flight, see file_sync.c; NULL: none */
	struct vblk_fifo synced;          /* share it */
	struct vblk_fifo to_sync;         /* arrived after it began: wait for the next one */
	struct file_range *ranges;        /* room for those of depth operations; or NULL */
	struct file_range_list spare_ranges;
};

/*
 * file_sync.c: whether an operation that needs a sync becomes the one in flight, for the caller to
 * submit. False: it waits, and is done with a later one.
 */
bool
file_sync_begin(struct file_channel *channel, struct rte_vduse_blk_io *io);
/*
 * file_sync.c: the sync in flight is finished, and has its result. Those who share it are done;
 * the next one is submitted again with what else is.
 */
void
file_sync_end(struct file_channel *channel);

#endif /* VBLK_FILE_CHANNEL_H */
