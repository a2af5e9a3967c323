/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The driver side of a virtqueue for a poll-mode driver. Each buffer has one descriptor. The driver
 * enables no interrupts and sends no kicks, because the device polls as well.
 * Thread: the driver's lcore.
 */
#ifndef PERF_RING_H
#define PERF_RING_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/vduse.h>
#include <linux/virtio_ring.h>

/* A buffer that is made available or was used: its number and its length in bytes. */
struct perf_buf {
	uint16_t id;
	uint32_t len;
};

/* A segment of a buffer that begins with an indirect table. */
struct perf_piece {
	uint32_t offset; /* from the beginning of the buffer */
	uint32_t len;
	bool device_writes;
};

/* Size of an indirect table in bytes, in both formats (VIRTIO 1.2, 2.7.5.3 and 2.8.7). */
#define PERF_TABLE_BYTES(nb) (16u * (nb))

struct perf_ring;

/* Operations that differ between the two ring formats. */
struct perf_ring_ops {
	uint64_t feature; /* feature bit of the format, or 0 */
	/* Size of the ring memory in bytes. */
	uint64_t (*bytes)(uint16_t size);
	/* Initialises empty rings; memory is zeroed and the common fields are set. */
	void (*init)(struct perf_ring *ring);
	/* Returns the addresses and the start position for the device. */
	void (*locate)(const struct perf_ring *ring, struct vduse_vq_info *info);
	/* Makes buffers available; they must not be available already. */
	void (*post)(struct perf_ring *ring, const struct perf_buf *bufs, uint16_t nb);
	/* Writes the indirect table at the beginning of a buffer. */
	void (*table)(const struct perf_ring *ring, uint16_t id, const struct perf_piece *pieces,
		      uint16_t nb);
	/* Takes up to nb buffers that the device has used. */
	uint16_t (*take)(struct perf_ring *ring, struct perf_buf *bufs, uint16_t nb);
};

struct perf_ring_split {
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t next;  /* avail index */
	uint16_t seen;  /* used index up to which buffers have been taken */
	uint16_t known; /* used index as last read */
};

struct perf_ring_packed {
	struct vring_packed_desc *desc;
	uint16_t next; /* descriptor to be made available next */
	uint16_t seen; /* descriptor that the device uses next */
	bool next_wrap;
	bool seen_wrap;
};

struct perf_ring {
	const struct perf_ring_ops *ops;
	union {
		struct perf_ring_split split;
		struct perf_ring_packed packed;
	};
	uint16_t size;
	uint16_t mask;
	uint16_t nb_bufs;   /* up to size */
	bool device_writes; /* otherwise it reads */
	bool tables;        /* buffers begin with an indirect table */
	bool in_order;
	uint16_t batch;     /* with in_order: buffers left of a batch with one used entry */
	uint16_t expected;  /* with in_order: the buffer that is used next */
	uint32_t batch_len; /* with in_order: bytes of the last one of the batch */
	uint32_t room;      /* bytes of a buffer */
	uint32_t stride;    /* from one buffer to the next */
	uint8_t *va;        /* ring memory */
	uint64_t iova;
	uint8_t *bufs;
	uint64_t bufs_iova;
};

extern const struct perf_ring_ops perf_ring_split_ops;
extern const struct perf_ring_ops perf_ring_packed_ops;

/*
 * Begins a batch. With VIRTIO_F_IN_ORDER a device may write one used entry for a batch: that of its
 * last buffer, at the position of the first (VIRTIO 1.2, 2.7.9 and 2.8.8).
 */
static inline void
perf_ring_batch_begin(struct perf_ring *ring, uint16_t last_id, uint32_t len)
{
	ring->batch = (uint16_t)(((last_id - ring->expected) & ring->mask) + 1);
	ring->batch_len = len;
}

/* Returns the next buffer of the batch. All except the last were used completely. */
static inline struct perf_buf
perf_ring_batch_next(struct perf_ring *ring)
{
	struct perf_buf buf = { .id = ring->expected };

	ring->expected = (uint16_t)((ring->expected + 1) & ring->mask);
	ring->batch--;
	if (ring->batch == 0)
		buf.len = ring->batch_len;
	else if (ring->device_writes)
		buf.len = ring->room;
	return buf;
}

static inline uint8_t *
perf_ring_buf(const struct perf_ring *ring, uint16_t id)
{
	return ring->bufs + (uint64_t)id * ring->stride;
}

static inline uint64_t
perf_ring_buf_iova(const struct perf_ring *ring, uint16_t id)
{
	return ring->bufs_iova + (uint64_t)id * ring->stride;
}

/* Fields of the descriptor of a buffer. */
static inline uint16_t
perf_ring_flags(const struct perf_ring *ring)
{
	if (ring->tables)
		return VRING_DESC_F_INDIRECT;
	return ring->device_writes ? VRING_DESC_F_WRITE : 0;
}

static inline void
perf_ring_post(struct perf_ring *ring, const struct perf_buf *bufs, uint16_t nb)
{
	ring->ops->post(ring, bufs, nb);
}

static inline uint16_t
perf_ring_take(struct perf_ring *ring, struct perf_buf *bufs, uint16_t nb)
{
	return ring->ops->take(ring, bufs, nb);
}

/* Size of the memory of a ring with its buffers; it must be aligned to 4096. */
uint64_t
perf_ring_bytes(const struct perf_ring *ring);

/*
 * Sets up a ring in zeroed memory. The caller has set ops, size, nb_bufs, device_writes, tables,
 * in_order and room.
 */
void
perf_ring_init(struct perf_ring *ring, uint8_t *va, uint64_t iova);

#endif /* PERF_RING_H */
