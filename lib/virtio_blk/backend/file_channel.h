/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A channel of a file: file_ring.c opens and closes it, file_channel.c uses it. Thread: see
 * backend.h.
 */
#ifndef VBLK_FILE_CHANNEL_H
#define VBLK_FILE_CHANNEL_H

#include <liburing.h>

#include <virtio_blk/backend/file.h>

enum file_ring {
	FILE_RING,
	FILE_RING_POLLED, /* IORING_SETUP_IOPOLL: reads and writes only */
	FILE_RINGS,
};

struct file_channel {
	struct rte_vduse_blk_channel channel;
	struct file_backend *file;
	struct io_uring rings[FILE_RINGS];
	unsigned int nb_rings;
	unsigned int nb_in_flight; /* on all rings: entries without a seen completion */
	bool overlaps;             /* some were still in flight after the last submit */
	bool polls;                /* FILE_RING_POLLED is open and usable */
	unsigned int nb_polled;    /* in flight on FILE_RING_POLLED */
	const uint8_t *pinned;     /* memory registered with the rings; NULL: none */
	uint64_t pinned_len;
	unsigned int nb_pinned;           /* rings that it is registered with */
	unsigned int nb_rooms;            /* in use; see file_room.c */
	struct vblk_fifo done;            /* finished without a submission */
	struct vblk_fifo again;           /* to be submitted again */
	struct vblk_fifo blocked;         /* wait for earlier writes to the same blocks */
	struct rte_vduse_blk_io *syncing; /* the sync in flight, see file_sync.c; NULL: none */
	struct vblk_fifo synced;          /* share the sync in flight */
	struct vblk_fifo to_sync;         /* arrived after it started: wait for the next one */
	int wake_fd;                      /* registered with FILE_RING; -1: none */
	struct file_range *ranges;        /* one for each of depth operations; or NULL */
	struct file_range_list spare_ranges;
};

/*
 * file_sync.c: starts a sync for an operation. True: the caller submits it. False: it waits for a
 * later sync.
 */
bool
file_sync_begin(struct file_channel *channel, struct rte_vduse_blk_io *io);
/*
 * file_sync.c: ends the sync in flight, which has its result. The operations that share it are
 * done; the next sync is put on the list to submit again.
 */
void
file_sync_end(struct file_channel *channel);

#endif /* VBLK_FILE_CHANNEL_H */
