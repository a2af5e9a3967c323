/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A virtio-blk driver that polls. Each request uses an indirect table if the device supports that,
 * like Linux's driver. It kicks with event indices, and enables no calls.
 * Input: offsets. Output: requests on a split ring. Thread: the only thread of the client.
 */
#include <err.h>
#include <stdlib.h>
#include <sys/eventfd.h>

#include <linux/virtio_config.h>

#include "disk.h"

#define DISK_BIT(nr)  (UINT64_C(1) << (nr))
#define DISK_INDEX(i) ((uint16_t)((i) & (CLIENT_RING_SIZE - 1)))

static uint64_t
disk_address(const void *va)
{
	return (uintptr_t)va;
}

/* The three descriptors of a request, the first one at number first of its table. */
static void
disk_describe(struct client_disk *disk, uint16_t id, struct vring_desc *desc, uint16_t first,
	      int write)
{
	desc[0] = (struct vring_desc){
		.addr = disk_address(&disk->shared->requests[id].header),
		.len = sizeof(struct virtio_blk_outhdr),
		.flags = VRING_DESC_F_NEXT,
		.next = (uint16_t)(first + 1),
	};
	desc[1] = (struct vring_desc){
		.addr = disk_address(disk->data + (size_t)id * disk->size),
		.len = disk->size,
		.flags = (uint16_t)(VRING_DESC_F_NEXT | (write ? 0 : VRING_DESC_F_WRITE)),
		.next = (uint16_t)(first + 2),
	};
	desc[2] = (struct vring_desc){
		.addr = disk_address(&disk->shared->requests[id].status),
		.len = 1,
		.flags = VRING_DESC_F_WRITE,
	};
}

/* Its descriptors begin at 4 * id, or one there names its table. */
static void
disk_prepare(struct client_disk *disk, uint16_t id, int write)
{
	struct client_shared *shared = disk->shared;
	uint16_t first = (uint16_t)(4 * id);

	shared->requests[id].header.type = write ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN;
	if (!(disk->conn.features & DISK_BIT(VIRTIO_RING_F_INDIRECT_DESC))) {
		disk_describe(disk, id, &shared->desc[first], first, write);
		return;
	}
	disk_describe(disk, id, shared->indirect[id].table, 0, write);
	shared->desc[first] = (struct vring_desc){
		.addr = disk_address(shared->indirect[id].table),
		.len = sizeof(shared->indirect[id].table),
		.flags = VRING_DESC_F_INDIRECT,
	};
}

void
client_disk_open(struct client_disk *disk, const char *path, uint32_t size, uint16_t depth,
		 int write)
{
	size_t head = (sizeof(struct client_shared) + 4095) & ~(size_t)4095;
	struct client_conn *conn = &disk->conn;
	struct virtio_blk_config config;
	struct client_rings rings;
	uint16_t id;

	client_connect(conn, path,
		       DISK_BIT(VIRTIO_F_VERSION_1) | DISK_BIT(VIRTIO_RING_F_EVENT_IDX) |
			       DISK_BIT(VIRTIO_RING_F_INDIRECT_DESC) |
			       DISK_BIT(VIRTIO_BLK_F_FLUSH));
	conn->transport->config_read(conn, &config, offsetof(struct virtio_blk_config, wce));
	disk->capacity = config.capacity * 512;
	disk->size = size;
	client_memory_create(&disk->memory, head + (size_t)size * depth);
	disk->shared = (struct client_shared *)disk->memory.va;
	disk->data = disk->memory.va + head;
	for (id = 0; id < depth; id++)
		disk_prepare(disk, id, write);
	disk->shared->avail.flags = VRING_AVAIL_F_NO_INTERRUPT;
	disk->shared->avail.used_event = 0x8000;
	rings = (struct client_rings){
		.size = CLIENT_RING_SIZE,
		.desc = disk->shared->desc,
		.driver = &disk->shared->avail,
		.device = &disk->shared->used,
	};
	conn->transport->start(conn, &disk->memory, &rings);
}

void
client_disk_close(struct client_disk *disk)
{
	client_disconnect(&disk->conn);
}

void
client_disk_add(struct client_disk *disk, uint16_t id, uint64_t offset)
{
	struct client_shared *shared = disk->shared;

	shared->requests[id].header.sector = offset / 512;
	shared->requests[id].status = UINT8_MAX;
	shared->avail.ring[DISK_INDEX(disk->next++)] = (uint16_t)(4 * id);
}

static int
disk_wants_kick(struct client_disk *disk)
{
	struct client_shared *shared = disk->shared;

	if (!(disk->conn.features & DISK_BIT(VIRTIO_RING_F_EVENT_IDX)))
		return !(__atomic_load_n(&shared->used.flags, __ATOMIC_RELAXED) &
			 VRING_USED_F_NO_NOTIFY);
	return vring_need_event(__atomic_load_n(&shared->used.avail_event, __ATOMIC_RELAXED),
				disk->next, disk->shown);
}

void
client_disk_show(struct client_disk *disk)
{
	if (disk->next == disk->shown)
		return;
	/* Release: the device's acquire of the index sees the requests. */
	__atomic_store_n(&disk->shared->avail.idx, disk->next, __ATOMIC_RELEASE);
	/* With the device's between asking for a kick and looking for requests once more. */
	__atomic_thread_fence(__ATOMIC_SEQ_CST);
	if (disk_wants_kick(disk) && eventfd_write(disk->conn.kick, 1) < 0)
		err(EXIT_FAILURE, "kick");
	disk->shown = disk->next;
}

uint16_t
client_disk_take(struct client_disk *disk, uint16_t *ids, uint16_t max)
{
	struct client_shared *shared = disk->shared;
	/* Acquire: with the device's release, the status of each is there. */
	uint16_t nb = (uint16_t)(__atomic_load_n(&shared->used.idx, __ATOMIC_ACQUIRE) - disk->seen);
	uint16_t i;

	if (nb > max)
		errx(EXIT_FAILURE, "%u requests are done of %u", nb, max);
	for (i = 0; i < nb; i++) {
		uint32_t id = shared->used.ring[DISK_INDEX(disk->seen++)].id / 4;

		if (id >= max || shared->requests[id].status != VIRTIO_BLK_S_OK)
			errx(EXIT_FAILURE, "request %u failed", id);
		ids[i] = (uint16_t)id;
	}
	/* Half a turn back: an index that the device does not reach. */
	if (nb > 0)
		__atomic_store_n(&shared->avail.used_event, (uint16_t)(disk->seen - 0x8000),
				 __ATOMIC_RELAXED);
	return nb;
}
