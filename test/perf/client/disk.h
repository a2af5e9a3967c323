/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* A virtio-blk driver with one virtqueue, a split ring, and a fixed number of requests. */
#ifndef CLIENT_DISK_H
#define CLIENT_DISK_H

#include <linux/virtio_blk.h>
#include <linux/virtio_ring.h>

#include "conn.h"

#define CLIENT_RING_SIZE 256
#define CLIENT_DEPTH_MAX (CLIENT_RING_SIZE / 4)

/* What lies in the memory of both sides. Requests have their descriptors for good. */
struct client_shared {
	_Alignas(4096) struct vring_desc desc[CLIENT_RING_SIZE];
	_Alignas(64) struct {
		uint16_t flags;
		uint16_t idx;
		uint16_t ring[CLIENT_RING_SIZE];
		uint16_t used_event;
	} avail;
	_Alignas(4096) struct {
		uint16_t flags;
		uint16_t idx;
		struct vring_used_elem ring[CLIENT_RING_SIZE];
		uint16_t avail_event;
	} used;
	_Alignas(64) struct {
		_Alignas(64) struct vring_desc table[3];
	} indirect[CLIENT_DEPTH_MAX];
	struct {
		_Alignas(64) struct virtio_blk_outhdr header;
		uint8_t status;
	} requests[CLIENT_DEPTH_MAX];
};

struct client_disk {
	struct client_conn conn;
	struct client_memory memory;
	struct client_shared *shared;
	uint8_t *data;
	uint64_t capacity; /* bytes */
	uint32_t size;     /* bytes of each request */
	uint16_t next;     /* avail index */
	uint16_t shown;    /* that the device knows of */
	uint16_t seen;     /* used index */
};

/* Connects to a disk for requests of one size and direction. */
void
client_disk_open(struct client_disk *disk, const char *path, uint32_t size, uint16_t depth,
		 int write);
void
client_disk_close(struct client_disk *disk);

/* Queues request id at an offset; the device sees it after client_disk_show(). */
void
client_disk_add(struct client_disk *disk, uint16_t id, uint64_t offset);
void
client_disk_show(struct client_disk *disk);

/* Takes requests that are done; returns how many. Ends the process if one failed. */
uint16_t
client_disk_take(struct client_disk *disk, uint16_t *ids, uint16_t max);

#endif /* CLIENT_DISK_H */
