/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The rbd backend, inside: rbd.c opens an image, rbd_lock.c locks it, rbd_channel.c does its I/O.
 * Names that begin with rbd_ are librbd's.
 */
#ifndef VBLK_BACKEND_RBD_H
#define VBLK_BACKEND_RBD_H

#include <rados/librados.h>
#include <rbd/librbd.h>

#include <virtio_blk/backend/backend.h>

struct image_backend {
	struct rte_vduse_blk_backend backend;
	rados_t cluster;
	rados_ioctx_t pool;
	rbd_image_t image;
	int lock; /* fd of the file that names the lock owner, or -1; see rbd_lock.c */
};

/* rbd_lock.c: makes this process the only writer, or a negative errno with a log line. */
int
image_lock(struct image_backend *rbd, const char *device, const char *name);
void
image_unlock(struct image_backend *rbd);

int
image_channel_open(struct rte_vduse_blk_backend *backend, uint16_t depth,
		   struct rte_vduse_blk_channel **result);
void
image_channel_close(struct rte_vduse_blk_channel *channel);
uint16_t
image_submit(struct rte_vduse_blk_channel *channel, struct rte_vduse_blk_io **ios, uint16_t nb);
uint16_t
image_poll(struct rte_vduse_blk_channel *channel, struct rte_vduse_blk_io **ios, uint16_t nb);

#endif /* VBLK_BACKEND_RBD_H */
