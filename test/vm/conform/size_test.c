/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Ring sizes. A driver may not use a ring larger than VQ_SETUP announced.
 *
 * Input: sizes set through vhost_vdpa, or chosen by virtio_net. Output: the result of VQ_GET_INFO.
 */
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#include "conform.h"
#include "dev.h"
#include "tap.h"
#include "vhost.h"

/* A valid size of a packed ring only. */
#define PACKED_SIZE	96

static struct vduse_vq_info
vq_info(int fd)
{
	struct vduse_vq_info info = { .index = 0 };

	need(ioctl(fd, VDUSE_VQ_GET_INFO, &info) == 0, "vq info");
	return info;
}

/* Before Linux 7.3 vhost_vdpa leaves that to the module. */
static bool
is_refused(int fd, int vhost, unsigned int num)
{
	struct vhost_vring_state state = { .index = 0, .num = num };
	struct vduse_vq_info info;

	if (ioctl(vhost, VHOST_SET_VRING_NUM, &state) == 0)
		vhost_set_ring(vhost, 0, num);
	info = vq_info(fd);
	return info.ready == 0 && info.num == 0;
}

static bool
is_taken(int fd, int vhost, unsigned int num)
{
	struct vduse_vq_info info;

	vhost_set_ring(vhost, 0, num);
	info = vq_info(fd);
	return info.ready == 1 && info.num == num;
}

static void
test_split(int fd)
{
	int vhost = vhost_open();
	struct vhost_vring_state state = { .index = 0, .num = 32768 };

	tap(is_refused(fd, vhost, 2 * DEV_VQ_SIZE), "size: twice what was promised is not ready");
	tap(is_refused(fd, vhost, 32768), "size: 32768 is not ready");
	tap(is_taken(fd, vhost, DEV_VQ_SIZE), "size: what was promised is ready");
	ioctl(vhost, VHOST_SET_VRING_NUM, &state);
	tap(vq_info(fd).num == DEV_VQ_SIZE, "size: a ring that is ready keeps its size");
	close(vhost);
}

/* vhost itself takes powers of two only. */
static void
test_packed(int fd)
{
	uint64_t features = 1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_ACCESS_PLATFORM |
			1ULL << VIRTIO_F_RING_PACKED;
	int vhost = vhost_open();

	vhost_set_status(vhost, 3);
	need(ioctl(vhost, VHOST_SET_FEATURES, &features) == 0, "VHOST_SET_FEATURES");
	tap(is_refused(fd, vhost, 128), "packed size: 128 of 96 is not ready");
	tap(is_taken(fd, vhost, 64), "packed size: 64 of 96 is ready");
	close(vhost);
}

static int
make_packed(int control, const struct dev_arg *arg)
{
	struct vduse_vq_config vq = { .max_size = PACKED_SIZE };
	int fd = dev_make(control, arg);

	for (vq.index = 0; vq.index < arg->config.vq_num; vq.index++)
		need(ioctl(fd, VDUSE_VQ_SETUP, &vq) == 0, "set up a packed ring of 96");
	return fd;
}

static void
with_device(void (*test)(int fd), bool packed)
{
	int control = control_open(0), fd;
	struct server server;
	struct dev_arg arg;

	dev_arg_init(&arg);
	if (packed)
		arg.config.features |= 1ULL << VIRTIO_F_RING_PACKED;
	fd = packed ? make_packed(control, &arg) : dev_make(control, &arg);
	server_start(&server, fd);
	need(dev_attach(), "vdpa dev add");
	test(fd);
	need(dev_detach(), "vdpa dev del");
	server_stop(&server);
	close(fd);
	need(dev_destroy(control, DEV_NAME) == 0, "destroy the device");
	close(control);
}

void
conform_size(void)
{
	with_device(test_split, false);
	with_device(test_packed, true);
}

static void
test_packed_driver(int fd)
{
	struct vduse_vq_info info = vq_info(fd);

	tap(info.num == PACKED_SIZE && info.ready == 1, "packed size: virtio_net takes 96");
}

/* Packed rings are not offered together with a control queue: the ring becomes a split one. */
static void
test_split_driver(void)
{
	int control = control_open(1), fd;
	struct vduse_vq_info info;
	struct server server;
	struct dev_arg arg;

	dev_arg_init(&arg);
	arg.config.features |= 1ULL << VIRTIO_F_RING_PACKED | 1ULL << VIRTIO_NET_F_CTRL_VQ;
	arg.config.vq_num = 3;
	arg.config.ngroups = 1;
	arg.config.nas = 1;
	fd = make_packed(control, &arg);
	ctrl_allow(true);
	server_start(&server, fd);
	need(dev_attach(), "vdpa dev add");
	info = vq_info(fd);
	tap(info.num == 64 && info.ready == 1, "packed size: a split ring of 64 in place of 96");
	need(dev_detach(), "vdpa dev del");
	server_stop(&server);
	ctrl_allow(false);
	close(fd);
	need(dev_destroy(control, DEV_NAME) == 0, "destroy the device");
	close(control);
}

void
conform_size_virtio(bool ours)
{
	with_device(test_packed_driver, true);
	if (ours)
		test_split_driver();
}
