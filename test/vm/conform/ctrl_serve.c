/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The device side of a control queue: a thread reads the split ring of virtio_net and answers OK to
 * every command.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include "ctrl_serve.h"
#include "dev.h"
#include "tap.h"

static void *
ring_part(struct ctrl_server *server, uint64_t iova, const struct vduse_iotlb_entry *region)
{
	need(iova >= region->start && iova <= region->last, "the ring is one region");
	return server->ring + (iova - region->start);
}

static void
map_ring(struct ctrl_server *server, int fd, uint32_t index)
{
	struct vduse_vq_info info = { .index = index };
	struct vduse_iotlb_entry region;

	need(ioctl(fd, VDUSE_VQ_GET_INFO, &info) == 0 && info.ready, "the control queue is ready");
	server->ring = dev_map(fd, info.desc_addr, MAP_SHARED, &region);
	need((void *)server->ring != MAP_FAILED, "map the control queue");
	server->ring_size = region.last - region.start + 1;
	server->num = info.num;
	server->desc = ring_part(server, info.desc_addr, &region);
	server->avail = ring_part(server, info.driver_addr, &region);
	server->used = ring_part(server, info.device_addr, &region);
	server->bounce = dev_map(fd, 0, MAP_SHARED, &region);
	need((void *)server->bounce != MAP_FAILED, "map bounce memory");
	server->bounce_size = region.last + 1;
}

/* The last descriptor of a command is the byte of its result. */
static void
answer(struct ctrl_server *server, uint16_t head)
{
	const struct vring_desc *desc = &server->desc[head];
	struct vring_used_elem *elem = &server->used->ring[server->next % server->num];

	while (desc->flags & VRING_DESC_F_NEXT)
		desc = &server->desc[desc->next % server->num];
	need(desc->flags & VRING_DESC_F_WRITE && desc->addr < server->bounce_size, "a result");
	server->bounce[desc->addr] = VIRTIO_NET_OK;
	elem->id = head;
	elem->len = 1;
	server->next++;
	/* virtio_net reads the entry once it has read this. */
	__atomic_store_n(&server->used->idx, server->next, __ATOMIC_RELEASE);
	atomic_fetch_add(&server->commands, 1);
}

static void *
lie(void *arg)
{
	struct ctrl_server *server = arg;

	server->used->flags = VRING_USED_F_NO_NOTIFY;
	while (!atomic_load(&server->stop))
		__atomic_store_n(&server->avail->idx, server->used->idx, __ATOMIC_RELAXED);
	return NULL;
}

static void *
serve(void *arg)
{
	struct ctrl_server *server = arg;

	while (!atomic_load(&server->stop)) {
		/* Pairs with virtio_net's barrier after it wrote the descriptors. */
		if (__atomic_load_n(&server->avail->idx, __ATOMIC_ACQUIRE) == server->next)
			usleep(1000);
		else
			answer(server, server->avail->ring[server->next % server->num] % server->num);
	}
	return NULL;
}

static void
start(struct ctrl_server *server, int fd, uint32_t index, void *(*thread)(void *))
{
	memset(server, 0, sizeof(*server));
	map_ring(server, fd, index);
	need(pthread_create(&server->thread, NULL, thread, server) == 0, "start a thread");
}

void
ctrl_server_start(struct ctrl_server *server, int fd, uint32_t index)
{
	start(server, fd, index, serve);
}

void
ctrl_liar_start(struct ctrl_server *server, int fd, uint32_t index)
{
	start(server, fd, index, lie);
}

void
ctrl_server_stop(struct ctrl_server *server)
{
	atomic_store(&server->stop, true);
	pthread_join(server->thread, NULL);
	munmap(server->ring, server->ring_size);
	munmap(server->bounce, server->bounce_size);
}
