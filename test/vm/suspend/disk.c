/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * See disk.h. Each request has a sequence number, which a write fills its sector with; a read must
 * find that of the last write. No two requests for a sector are out at once. The disk is empty in
 * the beginning. Thread: that of the load.
 */
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_ring.h>

#include "check.h"
#include "disk.h"

#define SECTOR       512
#define SECTOR_WORDS (SECTOR / sizeof(uint64_t))
#define UNDONE       0xaa /* a status that no device writes, and data that no request has */

/* Memory of an id. */
struct disk_room {
	struct virtio_blk_outhdr header;
	uint8_t status;
	struct vring_desc table[LOAD_PARTS];
	uint64_t data[SECTOR_WORDS];
};

_Static_assert(sizeof(struct disk_room) <= LOAD_ROOM, "it has room");

struct disk_request {
	uint32_t sector;
	bool write;
	uint64_t sequence;
};

static struct disk_request requests[DISK_IDS];
static uint64_t sectors[DISK_IDS * DISK_SECTORS]; /* what the last write that is done left */
static uint64_t sequence, reads, writes;
static bool reads_back;
static uint32_t read_back[DISK_IDS]; /* sectors of the id read so far */

static struct disk_room *
disk_room(const struct load *load, uint16_t id)
{
	return (void *)load_room(load, id);
}

/* False: all sectors of the id have been read. */
static bool
disk_choose(uint16_t id)
{
	struct disk_request *request = &requests[id];

	if (reads_back && read_back[id] == DISK_SECTORS)
		return false;
	request->sector = id * DISK_SECTORS +
			  (reads_back ? read_back[id]++ : (uint32_t)random() % DISK_SECTORS);
	request->write = !reads_back && random() % 2 == 0;
	request->sequence = ++sequence;
	return true;
}

/* One descriptor that names a table of the parts. */
static void
disk_table(const struct load *load, uint16_t id, struct ring_part *parts)
{
	struct disk_room *room = disk_room(load, id);
	unsigned int i;

	for (i = 0; i < LOAD_PARTS; i++) {
		uint16_t more = !load->ring.packed && i + 1 < LOAD_PARTS ? VRING_DESC_F_NEXT : 0;

		room->table[i] = (struct vring_desc){
			.addr = parts[i].iova,
			.len = parts[i].len,
			.flags = parts[i].flags | more,
			.next = more ? (uint16_t)(i + 1) : 0,
		};
		/* Where a split ring has flags and next, a packed one has an id and flags. */
		if (load->ring.packed) {
			room->table[i].flags = 0;
			room->table[i].next = parts[i].flags;
		}
	}
	parts[0] = (struct ring_part){
		.iova = load_iova(load, id) + offsetof(struct disk_room, table),
		.len = sizeof(room->table),
		.flags = VRING_DESC_F_INDIRECT,
	};
}

static uint16_t
disk_fill(struct load *load, uint16_t id, struct ring_part *parts)
{
	const struct disk_request *request = &requests[id];
	struct disk_room *room = disk_room(load, id);
	uint64_t iova = load_iova(load, id);
	unsigned int i;

	if (!disk_choose(id))
		return 0;
	room->header = (struct virtio_blk_outhdr){
		.type = request->write ? VIRTIO_BLK_T_OUT : VIRTIO_BLK_T_IN,
		.sector = request->sector,
	};
	room->status = UNDONE;
	memset(room->data, UNDONE, SECTOR);
	for (i = 0; request->write && i < SECTOR_WORDS; i++)
		room->data[i] = request->sequence;
	parts[0] = (struct ring_part){ iova, sizeof(room->header), 0 };
	parts[1] = (struct ring_part){ iova + offsetof(struct disk_room, data), SECTOR,
				       request->write ? 0 : VRING_DESC_F_WRITE };
	parts[2] = (struct ring_part){ iova + offsetof(struct disk_room, status), 1,
				       VRING_DESC_F_WRITE };
	if (random() % 2 == 0)
		return LOAD_PARTS;
	disk_table(load, id, parts);
	return 1;
}

static void
disk_done(struct load *load, uint16_t id, uint32_t len)
{
	const struct disk_request *request = &requests[id];
	const struct disk_room *room = disk_room(load, id);
	unsigned int i;

	check(room->status == VIRTIO_BLK_S_OK, "request %llu ended with status %u",
	      (unsigned long long)request->sequence, room->status);
	check(len == (request->write ? 1 : SECTOR + 1), "request %llu: used length %u",
	      (unsigned long long)request->sequence, len);
	if (request->write) {
		sectors[request->sector] = request->sequence;
		writes++;
		return;
	}
	reads++;
	for (i = 0; i < SECTOR_WORDS; i++)
		check(room->data[i] == sectors[request->sector],
		      "sector %u has data of request %llu, not of the last one, %llu",
		      request->sector, (unsigned long long)room->data[i],
		      (unsigned long long)sectors[request->sector]);
}

static bool
disk_written(const struct load *load, uint16_t id)
{
	const struct disk_room *room = disk_room(load, id);
	const uint8_t *data = (const uint8_t *)room->data;
	unsigned int i;

	for (i = 0; !requests[id].write && i < SECTOR; i++)
		if (data[i] != UNDONE)
			return true;
	return room->status != UNDONE;
}

const struct load_ops disk_ops = {
	.fill = disk_fill,
	.done = disk_done,
	.written = disk_written,
};

void
disk_read_back(void)
{
	reads_back = true;
}

void
disk_report(void)
{
	printf("requests: read %llu, write %llu\n", (unsigned long long)reads,
	       (unsigned long long)writes);
}
