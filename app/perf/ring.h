/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A virtqueue as a poll-mode driver sees it: buffers of one descriptor each, no interrupts asked
 * for and no kicks sent, since the device polls as well. The lcore of the driver's side.
 */
#ifndef PERF_RING_H
#define PERF_RING_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/vduse.h>
#include <linux/virtio_ring.h>

/* A buffer that is made available or came back: its number and how many bytes. */
struct perf_buf {
	uint16_t id;
	uint32_t len;
};

/* A piece of a buffer that begins with a table of them. */
struct perf_piece {
	uint32_t offset; /* from the beginning of the buffer */
	uint32_t len;
	bool device_writes;
};

/* Bytes of a table of descriptors, in either format (VIRTIO 1.2, sections 2.7.5.3 and 2.8.7). */
#define PERF_TABLE_BYTES(nb) (16u * (nb))

struct perf_ring;

/* What the two formats do differently. */
struct perf_ring_ops {
	uint64_t feature; /* that chooses it, or 0 */
	/* Bytes of ring memory. */
	uint64_t (*bytes)(uint16_t size);
	/* Writes empty rings; memory is zeroed and the fields that all formats have are set. */
	void (*init)(struct perf_ring *ring);
	/* Says where the device finds them and where it begins. */
	void (*locate)(const struct perf_ring *ring, struct vduse_vq_info *info);
	/* Makes buffers available; they must not be so already. */
	void (*post)(struct perf_ring *ring, const struct perf_buf *bufs, uint16_t nb);
	/* Writes the table that a buffer begins with. */
	void (*table)(const struct perf_ring *ring, uint16_t id, const struct perf_piece *pieces,
		      uint16_t nb);
	/* Takes back up to nb buffers that the device used. */
	uint16_t (*take)(struct perf_ring *ring, struct perf_buf *bufs, uint16_t nb);
};

struct perf_ring_split {
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t next;  /* avail index */
	uint16_t seen;  /* used index up to which buffers were taken */
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
	bool device_writes; /* else it reads */
	bool tables;        /* a buffer is known by the table that it begins with */
	bool in_order;
	uint16_t batch;     /* with in_order: buffers left of a batch that was used as one */
	uint16_t expected;  /* with in_order: the buffer that comes back next */
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
 * With VIRTIO_F_IN_ORDER a device may write one used entry for a batch: the one of its last
 * buffer, at the place of the first (VIRTIO 1.2, sections 2.7.9 and 2.8.8). Begins a batch.
 */
static inline void
perf_ring_batch_begin(struct perf_ring *ring, uint16_t last_id, uint32_t len)
{
	ring->batch = (uint16_t)(((last_id - ring->expected) & ring->mask) + 1);
	ring->batch_len = len;
}

/* The next buffer of the batch: all but the last were used completely. */
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

/* Of the descriptor of a buffer. */
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

/* Memory that a ring with its buffers takes; it must begin at a multiple of 4096. */
uint64_t
perf_ring_bytes(const struct perf_ring *ring);

/*
 * Sets a ring up in zeroed memory. Before: ops, size, nb_bufs, device_writes, tables, in_order
 * and room.
 */
void
perf_ring_init(struct perf_ring *ring, uint8_t *va, uint64_t iova);

#endif /* PERF_RING_H */
