/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A block device of one queue over the loopback transport, and its driver: memory in a file,
 * a ring, and requests of any layout, right or wrong. The test is the poller, too.
 */
#ifndef LOOPBACK_BLK_H
#define LOOPBACK_BLK_H

#include <linux/virtio_blk.h>

#include <virtio_blk/blk.h>
#include <rte_vduse_blk.h>
#include <vduse/loopback/loopback.h>

#include "unit.h"
#include "vring_driver.h"

#define FEATURE(name) (UINT64_C(1) << (name))

/* Room of a descriptor, and of the bytes of a chain, either way. */
#define BLK_PIECE 4096u
#define BLK_BYTES (16u * BLK_PIECE)

#define BLK_HDR    ((uint32_t)sizeof(struct virtio_blk_outhdr))
#define BLK_SECTOR ((uint32_t)RTE_VDUSE_BLK_SECTOR)

/* What a driver takes that knows all. */
#define BLK_FEATURES                                                                               \
	(FEATURE(VIRTIO_F_VERSION_1) | FEATURE(VIRTIO_F_ACCESS_PLATFORM) |                         \
	 FEATURE(VIRTIO_RING_F_INDIRECT_DESC) | FEATURE(VIRTIO_BLK_F_FLUSH) |                      \
	 FEATURE(VIRTIO_BLK_F_DISCARD) | FEATURE(VIRTIO_BLK_F_WRITE_ZEROES) |                      \
	 FEATURE(VIRTIO_BLK_F_SECURE_ERASE))

/* A byte that no device answers: the status was not written. */
#define BLK_NO_STATUS 0xaa

/* One descriptor. */
struct blk_piece {
	uint32_t len;
	bool write;     /* for the device to write */
	uint32_t shift; /* bytes from the beginning of its room */
};

struct loopback_blk {
	struct vduse_loopback *loop;
	struct rte_vduse_blk *blk;
	struct rte_vduse_dev *dev;
	struct driver driver;
	uint16_t next_desc; /* descriptors are used one after the other */
	uint64_t features;
	bool indirect; /* chains lie in indirect tables */
	bool pinnable; /* its memory may be pinned, from the next time that it comes up */
	int fd;
	struct loopback_blk *other; /* the ring of its second queue; NULL: it has one queue */
};

/* What takes the place of rte_vduse_dev_create() below lib/virtio_blk: see meson.build. */
int
__wrap_rte_vduse_dev_create(const struct rte_vduse_dev_conf *conf, struct rte_vduse_dev **dev);

/* Whether a device could be created that way; it is removed again. */
int
loopback_blk_try(const struct rte_vduse_blk_conf *conf);

/* Creates a device on a backend, with a ring of that size; no driver is up yet. */
void
loopback_blk_create(struct loopback_blk *self, const char *backend, const char *args, uint32_t size,
		    bool read_only);
/* The same with a log, in DPDK_VDUSE_RUN_DIR. */
void
loopback_blk_create_logged(struct loopback_blk *self, const char *backend, const char *args,
			   uint32_t size);
/* The same where another size is announced. most: what a driver may bring; 0: that. */
void
loopback_blk_create_sized(struct loopback_blk *self, const char *backend, const char *args,
			  uint32_t size, uint16_t announced, uint16_t most);
/* The same with two queues, and with a log if logged is set; other is a driver of the second one, and comes up with self. */
void
loopback_blk_create_pair(struct loopback_blk *self, struct loopback_blk *other, const char *backend,
			 const char *args, uint32_t size, bool logged);
void
loopback_blk_destroy(struct loopback_blk *self);

/* The driver makes a new ring and comes up with self->features of those offered. */
void
loopback_blk_up(struct loopback_blk *self);
/* The same with these indices in the ring, which the device is told starts at 0. */
void
loopback_blk_up_at(struct loopback_blk *self, uint16_t used, uint16_t avail);
/* The driver resets the device; returns when it has the answer. */
void
loopback_blk_reset(struct loopback_blk *self);
/* The same in two steps: whether the answer came within ms. */
void
loopback_blk_reset_send(struct loopback_blk *self);
bool
loopback_blk_answered(struct loopback_blk *self, int ms);
/* The kernel says that memory changed. In one step, or in the first of two. */
void
loopback_blk_update(struct loopback_blk *self);
void
loopback_blk_update_send(struct loopback_blk *self);

/* The driver writes a byte to the configuration space. Returns whether it may. */
bool
loopback_blk_config_write(struct loopback_blk *self, uint32_t offset, uint8_t byte);

enum rte_vduse_vq_state
loopback_blk_state(struct loopback_blk *self);
void
loopback_blk_wait(struct loopback_blk *self, enum rte_vduse_vq_state state);

/* Where the device sees memory of the driver. */
uint8_t *
loopback_blk_device_va(struct loopback_blk *self, uint64_t iova);

/*
 * Lays out a chain of these pieces and fills those to read with bytes, in order; those to
 * write get BLK_NO_STATUS everywhere. Returns its head, not yet posted.
 */
uint16_t
loopback_blk_chain(struct loopback_blk *self, const struct blk_piece *pieces, unsigned int nb,
		   const void *bytes);
void
loopback_blk_post(struct loopback_blk *self, uint16_t head);

/* What the device wrote: the bytes of the pieces to write, in order. */
void
loopback_blk_written(struct loopback_blk *self, uint16_t head, void *to);
/* Its last byte. */
uint8_t
loopback_blk_status(struct loopback_blk *self, uint16_t head);

/* Polls once. */
void
loopback_blk_poll(struct loopback_blk *self);
/* Polls until a chain is used: its head. Fails the test if none is. */
uint16_t
loopback_blk_take(struct loopback_blk *self);

/*
 * A whole request of a plain layout: header, data (out or in), status. data of len bytes is
 * sent, or received. Returns its status.
 */
uint8_t
loopback_blk_do(struct loopback_blk *self, uint32_t type, uint64_t sector, void *data,
		uint32_t len);

struct rte_vduse_blk_stats
loopback_blk_stats(struct loopback_blk *self);

/* Bytes that follow from a seed. */
void
blk_pattern(void *to, uint32_t len, uint32_t seed);

#endif /* LOOPBACK_BLK_H */
