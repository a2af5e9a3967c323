/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See fuzz_device.h. */
#include "fuzz_device.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <sanitizer/asan_interface.h>

#include <rte_vduse_compat.h>

#include <vduse/core/ctrl_thread.h>
#include <vduse/core/device.h>
#include <vduse/memory/iotlb.h>

/* A virtqueue that has more to do than this never ends: a ring of 256 has 16 turns. */
#define TURNS_MAX 1000

static struct fuzz_memory memory;
/* Holds a reference of its own, so that no reset unmaps it. */
static struct vduse_mapping mapping = { .refs = 1, .writable = true };
static struct vduse_transport_ops transport;

/* The region of all memory, which is mapped already. */
static int
device_region(struct rte_vduse_dev *dev, uint32_t asid, uint64_t from,
	      struct vduse_file_region *region)
{
	RTE_SET_USED(dev);
	if (asid != 0 || from > FUZZ_IOVA + FUZZ_ALL - 1)
		return -ENOENT;
	*region = (struct vduse_file_region){
		.first = FUZZ_IOVA,
		.last = FUZZ_IOVA + FUZZ_ALL - 1,
		.perm = VDUSE_ACCESS_RW,
		.lent = true,
		.fd = memory.fd,
		.mapping = &mapping,
	};
	return 0;
}

static void
device_init(void)
{
	if (memory.va != NULL)
		return;
	fuzz_memory_open(&memory);
	mapping.va = memory.va;
	mapping.len = FUZZ_ALL;
	mapping.page_size = (size_t)sysconf(_SC_PAGESIZE);
	transport = vduse_transport_loopback;
	transport.region = device_region;
}

struct fuzz_memory *
fuzz_device_memory(void)
{
	return &memory;
}

/* On the control thread, which from then on leaves the device to the caller. */
static int
device_pause(struct rte_vduse_dev *dev)
{
	vduse_ctrl_pause(dev, true);
	return 0;
}

void
fuzz_device_open(struct fuzz_device *device, struct rte_vduse_net_conf *conf)
{
	device_init();
	device->loop = vduse_loopback_new();
	fuzz_check(device->loop != NULL, "no memory");
	conf->transport = &transport;
	conf->transport_priv = device->loop;
	fuzz_check(rte_vduse_net_create(conf, &device->net) == 0, "no device");
	fuzz_check(rte_vduse_net_start(device->net, RTE_VDUSE_ATTACH_NONE) == 0, "no start");
	device->dev = rte_vduse_net_dev(device->net);
	(void)vduse_ctrl_run(device_pause, device->dev);
}

static void
device_set_status(struct fuzz_device *device, uint8_t status)
{
	struct vduse_dev_request req = { .type = VDUSE_SET_STATUS, .s.status = status };
	struct vduse_dev_response resp;

	(void)vduse_msg_do(device->dev, &req, &resp);
	fuzz_check(resp.result == VDUSE_REQ_RESULT_OK, "status 0x%x refused", status);
}

void
fuzz_device_up(struct fuzz_device *device, uint64_t features)
{
	vduse_loopback_set_features(device->loop, features);
	/* Without FEATURES_OK: a driver may skip it, and is refused later then. */
	device_set_status(device, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
					  VIRTIO_CONFIG_S_DRIVER_OK);
}

void
fuzz_device_reset(struct fuzz_device *device)
{
	uint16_t i;

	device_set_status(device, 0);
	for (i = 0; i < device->dev->nb_vqs; i++)
		fuzz_check(device->dev->vqs[i].state == RTE_VDUSE_VQ_IDLE, "state %u after a reset",
			   device->dev->vqs[i].state);
	fuzz_check(!rte_vduse_net_link(device->net), "the link is up after a reset");
}

void
fuzz_device_serve(struct fuzz_device *device, uint16_t index)
{
	struct rte_vduse_vq *vq = &device->dev->vqs[index];
	unsigned int turns;

	vq->kicked = vq->serve != NULL;
	for (turns = 0; vq->kicked; turns++) {
		fuzz_check(turns < TURNS_MAX, "virtqueue %u is served without an end", index);
		if (!vduse_vq_enter(vq)) {
			vq->kicked = false;
			return;
		}
		vq->kicked = vq->serve(vq, device->dev->arg);
		vduse_vq_leave(vq);
	}
}

void
fuzz_device_clear(uint64_t at, uint64_t len)
{
	memset(memory.va + at, 0, len);
}

void
fuzz_device_hide(uint64_t iova, uint64_t len)
{
	ASAN_POISON_MEMORY_REGION(memory.va + (iova - FUZZ_IOVA), len);
}

void
fuzz_device_unhide(uint64_t iova, uint64_t len)
{
	ASAN_UNPOISON_MEMORY_REGION(memory.va + (iova - FUZZ_IOVA), len);
}

int
fuzz_device_next_fd(void)
{
	int fd = fcntl(memory.fd, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);

	fuzz_check(fd >= 0, "no file descriptor");
	(void)close(fd);
	return fd;
}
