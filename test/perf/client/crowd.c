/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A client of many disks at vhost-user sockets that are silent once each ring has completed a read,
 * for test/perf/scale. The disks are at PREFIX0, PREFIX1 and so on.
 * Input: a line for each command: attach, reconnect, table, slots.
 * Output: a line with its name and times in milliseconds, when it is done.
 * Thread: only one.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include "conn.h"
#include "vhost_user_msg.h"

#define CROWD_BIT(nr)    (UINT64_C(1) << (nr))
#define CROWD_RING_SIZE  256
#define CROWD_QUEUES_MAX 1024
#define CROWD_DATA       512
/* A region of the driver's memory that nothing uses. */
#define CROWD_REGION (UINT64_C(2) << 20)
/* Regions are reserved for the most that a device may take. */
#define CROWD_REGIONS_MAX 512
#define CROWD_TIMEOUT_MS  60000.0

/* One ring, with the only request that it ever has. */
struct crowd_ring {
	_Alignas(4096) struct vring_desc desc[CROWD_RING_SIZE];
	_Alignas(64) struct {
		uint16_t flags;
		uint16_t idx;
		uint16_t ring[CROWD_RING_SIZE];
		uint16_t used_event;
	} avail;
	_Alignas(64) struct {
		uint16_t flags;
		uint16_t idx;
		struct vring_used_elem ring[CROWD_RING_SIZE];
		uint16_t avail_event;
	} used;
	struct virtio_blk_outhdr header;
	uint8_t status;
	uint8_t data[CROWD_DATA];
};

struct crowd {
	const char *prefix;
	unsigned int nb_disks;
	unsigned int nb_queues; /* of each disk */
	int *socks;
	struct client_memory memory; /* of all rings, then regions that nothing uses */
	struct crowd_ring *rings;    /* nb_queues for each disk */
	uint64_t spare;              /* where those regions begin in memory */
};

static double
crowd_now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static struct vhost_user_memory
crowd_region(const struct crowd *crowd, uint64_t offset, uint64_t size)
{
	uint64_t address = (uintptr_t)crowd->memory.va + offset;

	return (struct vhost_user_memory){
		.first = address, .size = size, .user = address, .offset = offset
	};
}

/* Each driver has its own memory, like a virtual machine. */
static struct vhost_user_memory
crowd_disk_memory(const struct crowd *crowd, unsigned int disk)
{
	uint64_t size = crowd->nb_queues * sizeof(struct crowd_ring);

	return crowd_region(crowd, disk * size, size);
}

/* The first region of the table has the rings; the others are not used. */
static void
crowd_send_table(struct crowd *crowd, unsigned int disk, uint32_t nb, bool ask)
{
	struct client_msg msg = { .request = MSG_SET_MEM_TABLE, .payload.table.nb = nb };
	int fds[MSG_FDS_MAX];
	uint32_t i;

	for (i = 0; i < nb; i++) {
		fds[i] = crowd->memory.fd;
		msg.payload.table.regions[i] =
			i == 0 ? crowd_disk_memory(crowd, disk)
			       : crowd_region(crowd, crowd->spare + i * CROWD_REGION, CROWD_REGION);
	}
	msg.size = (uint32_t)(offsetof(struct client_msg, payload.table.regions[nb]) -
			      CLIENT_MSG_HEAD);
	msg.flags = ask ? MSG_FLAG_NEED_REPLY : 0;
	client_msg_send_files(crowd->socks[disk], &msg, fds, nb);
	if (!ask)
		return;
	client_msg_answer(crowd->socks[disk], &msg);
	if (msg.payload.u64 != 0)
		errx(EXIT_FAILURE, "a table of %u regions is refused", nb);
}

static void
crowd_negotiate(struct crowd *crowd, int sock)
{
	uint64_t protocol = CROWD_BIT(MSG_PROTOCOL_REPLY_ACK) | CROWD_BIT(MSG_PROTOCOL_CONFIG) |
			    CROWD_BIT(MSG_PROTOCOL_MEM_SLOTS);
	uint64_t wanted = CROWD_BIT(VIRTIO_F_VERSION_1) | CROWD_BIT(VIRTIO_RING_F_EVENT_IDX) |
			  CROWD_BIT(VIRTIO_RING_F_INDIRECT_DESC) | CROWD_BIT(VIRTIO_BLK_F_FLUSH) |
			  CROWD_BIT(VIRTIO_BLK_F_MQ) | CROWD_BIT(MSG_F_PROTOCOL_FEATURES);
	uint64_t offered;

	if (crowd->nb_queues > 1)
		protocol |= CROWD_BIT(MSG_PROTOCOL_MQ);
	client_msg_send(sock, &(struct client_msg){ .request = MSG_SET_OWNER }, -1);
	offered = client_msg_get(sock, MSG_GET_FEATURES, 0);
	if ((client_msg_get(sock, MSG_GET_PROTOCOL_FEATURES, 0) & protocol) != protocol)
		errx(EXIT_FAILURE, "a device that lacks one of the protocol features %#llx",
		     (unsigned long long)protocol);
	client_msg_set(sock, MSG_SET_PROTOCOL_FEATURES, protocol, -1);
	if (crowd->nb_queues > 1 && client_msg_get(sock, MSG_GET_QUEUE_NUM, 0) < crowd->nb_queues)
		errx(EXIT_FAILURE, "a device with less than %u queues", crowd->nb_queues);
	client_msg_set(sock, MSG_SET_FEATURES, offered & wanted, -1);
}

/* A read of the first sector is in the ring before the device sees it. */
static void
crowd_fill(struct crowd_ring *ring)
{
	memset(ring, 0, sizeof(*ring));
	ring->desc[0] = (struct vring_desc){ .addr = (uintptr_t)&ring->header,
					     .len = sizeof(ring->header),
					     .flags = VRING_DESC_F_NEXT,
					     .next = 1 };
	ring->desc[1] = (struct vring_desc){ .addr = (uintptr_t)ring->data,
					     .len = CROWD_DATA,
					     .flags = VRING_DESC_F_NEXT | VRING_DESC_F_WRITE,
					     .next = 2 };
	ring->desc[2] = (struct vring_desc){ .addr = (uintptr_t)&ring->status,
					     .len = 1,
					     .flags = VRING_DESC_F_WRITE };
	ring->header.type = VIRTIO_BLK_T_IN;
	ring->status = UINT8_MAX;
	ring->avail.flags = VRING_AVAIL_F_NO_INTERRUPT;
	ring->avail.used_event = 0x8000;
	ring->avail.idx = 1;
}

static void
crowd_start_queue(int sock, uint32_t index, struct crowd_ring *ring)
{
	struct client_msg addr = {
		.request = MSG_SET_VRING_ADDR,
		.size = sizeof(addr.payload.addresses),
		.payload.addresses = {
			.index = index,
			.desc = (uintptr_t)ring->desc,
			.device = (uintptr_t)&ring->used,
			.driver = (uintptr_t)&ring->avail,
		},
	};
	/* The kick for the request. */
	int kick = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	int call = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (kick < 0 || call < 0)
		err(EXIT_FAILURE, "eventfd");
	crowd_fill(ring);
	client_msg_vring(sock, MSG_SET_VRING_NUM, index, CROWD_RING_SIZE);
	client_msg_vring(sock, MSG_SET_VRING_BASE, index, 0);
	client_msg_send(sock, &addr, -1);
	client_msg_set(sock, MSG_SET_VRING_CALL, index, call);
	client_msg_set(sock, MSG_SET_VRING_KICK, index, kick);
	client_msg_vring(sock, MSG_SET_VRING_ENABLE, index, 1);
	/* The device has its own; nothing follows. */
	close(kick);
	close(call);
}

static void
crowd_start_disk(struct crowd *crowd, unsigned int disk)
{
	char path[128];
	unsigned int i;

	snprintf(path, sizeof(path), "%s%u", crowd->prefix, disk);
	crowd->socks[disk] = client_msg_connect(path);
	crowd_negotiate(crowd, crowd->socks[disk]);
	crowd_send_table(crowd, disk, 1, false);
	for (i = 0; i < crowd->nb_queues; i++)
		crowd_start_queue(crowd->socks[disk], i,
				  &crowd->rings[(size_t)disk * crowd->nb_queues + i]);
}

static void
crowd_wait_disk(const struct crowd *crowd, unsigned int disk, double begin)
{
	unsigned int i;

	for (i = 0; i < crowd->nb_queues; i++) {
		struct crowd_ring *ring = &crowd->rings[(size_t)disk * crowd->nb_queues + i];

		/* Acquire: with the device's release, the status is there. */
		while (__atomic_load_n(&ring->used.idx, __ATOMIC_ACQUIRE) != 1) {
			if (crowd_now_ms() - begin > CROWD_TIMEOUT_MS)
				errx(EXIT_FAILURE, "disk %u, queue %u: no answer", disk, i);
			usleep(50);
		}
		if (ring->status != VIRTIO_BLK_S_OK)
			errx(EXIT_FAILURE, "disk %u, queue %u: status %u", disk, i, ring->status);
	}
}

/* From the first connection to the last ring that completes its request. */
static void
crowd_attach(struct crowd *crowd)
{
	double begin = crowd_now_ms();
	unsigned int i;

	for (i = 0; i < crowd->nb_disks; i++)
		crowd_start_disk(crowd, i);
	for (i = 0; i < crowd->nb_disks; i++)
		crowd_wait_disk(crowd, i, begin);
	printf("attach %.3f\n", crowd_now_ms() - begin);
}

/* The driver of the first disk goes without a word, and a new one comes. */
static void
crowd_reconnect(struct crowd *crowd)
{
	double begin = crowd_now_ms();

	close(crowd->socks[0]);
	crowd_start_disk(crowd, 0);
	crowd_wait_disk(crowd, 0, begin);
	printf("reconnect %.3f\n", crowd_now_ms() - begin);
}

/* The largest table replaces that of the first disk. */
static void
crowd_table(struct crowd *crowd)
{
	double begin = crowd_now_ms();

	crowd_send_table(crowd, 0, MSG_FDS_MAX, true);
	printf("table %.3f %u\n", crowd_now_ms() - begin, MSG_FDS_MAX);
	crowd_send_table(crowd, 0, 1, true);
}

static void
crowd_slot(struct crowd *crowd, uint32_t request, uint64_t i)
{
	struct client_msg msg = {
		.request = request,
		.flags = MSG_FLAG_NEED_REPLY,
		.size = sizeof(msg.payload.slot),
		.payload.slot.region =
			crowd_region(crowd, crowd->spare + i * CROWD_REGION, CROWD_REGION),
	};

	client_msg_send(crowd->socks[0], &msg, request == MSG_ADD_MEM_REG ? crowd->memory.fd : -1);
	client_msg_answer(crowd->socks[0], &msg);
	if (msg.payload.u64 != 0)
		errx(EXIT_FAILURE, "message %u: region %u is refused", request, (unsigned int)i);
}

/* The first disk gets as many regions as it takes, one by one, and loses them again. */
static void
crowd_slots(struct crowd *crowd)
{
	uint64_t most = client_msg_get(crowd->socks[0], MSG_GET_MAX_MEM_SLOTS, 0);
	double begin = crowd_now_ms(), before, longest = 0;
	uint64_t i;

	most = most < CROWD_REGIONS_MAX ? most : CROWD_REGIONS_MAX;
	for (i = 1; i < most; i++) {
		before = crowd_now_ms();
		crowd_slot(crowd, MSG_ADD_MEM_REG, i);
		if (crowd_now_ms() - before > longest)
			longest = crowd_now_ms() - before;
	}
	printf("slots %.3f %.3f %u\n", crowd_now_ms() - begin, longest, (unsigned int)most);
	for (i = 1; i < most; i++)
		crowd_slot(crowd, MSG_REM_MEM_REG, i);
}

static void
crowd_do(struct crowd *crowd, const char *command)
{
	if (strcmp(command, "attach\n") == 0)
		crowd_attach(crowd);
	else if (strcmp(command, "reconnect\n") == 0)
		crowd_reconnect(crowd);
	else if (strcmp(command, "table\n") == 0)
		crowd_table(crowd);
	else if (strcmp(command, "slots\n") == 0)
		crowd_slots(crowd);
	else
		errx(2, "%s: use attach, reconnect, table or slots", command);
	fflush(stdout);
}

static void
crowd_create(struct crowd *crowd)
{
	uint64_t rings = (uint64_t)crowd->nb_disks * crowd->nb_queues * sizeof(struct crowd_ring);

	crowd->spare = (rings + CROWD_REGION - 1) & ~(CROWD_REGION - 1);
	client_memory_reserve(&crowd->memory, crowd->spare + CROWD_REGIONS_MAX * CROWD_REGION);
	crowd->rings = (struct crowd_ring *)crowd->memory.va;
	crowd->socks = calloc(crowd->nb_disks, sizeof(*crowd->socks));
	if (crowd->socks == NULL)
		err(EXIT_FAILURE, "memory");
}

int
main(int argc, char **argv)
{
	struct crowd crowd = { 0 };
	char command[32];

	if (argc == 4) {
		crowd.prefix = argv[1];
		crowd.nb_disks = (unsigned int)strtoul(argv[2], NULL, 10);
		crowd.nb_queues = (unsigned int)strtoul(argv[3], NULL, 10);
	}
	if (crowd.nb_disks == 0 || crowd.nb_queues == 0 || crowd.nb_queues > CROWD_QUEUES_MAX)
		errx(2, "usage: blk_crowd PREFIX DISKS QUEUES");
	crowd_create(&crowd);
	while (fgets(command, sizeof(command), stdin) != NULL)
		crowd_do(&crowd, command);
	free(crowd.socks);
	return EXIT_SUCCESS;
}
