/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* /dev/vduse/NAME before the device is on a bus: every ioctl with every invalid argument. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "conform.h"
#include "dev.h"
#include "tap.h"

static int
set_config(int fd, uint32_t offset, uint32_t length)
{
	union {
		struct vduse_config_data head;
		uint8_t room[sizeof(struct vduse_config_data) + 4096];
	} arg = { .head = { .offset = offset, .length = length } };

	return ioctl(fd, VDUSE_DEV_SET_CONFIG, &arg);
}

static void
test_config(int fd)
{
	tap_errno(set_config(fd, 0, DEV_CONFIG_SIZE), 0, "set config: all of it");
	tap_errno(set_config(fd, DEV_CONFIG_SIZE - 1, 1), 0, "set config: the last byte");
	tap_errno(set_config(fd, 0, 0), EINVAL, "set config: nothing");
	tap_errno(set_config(fd, 0, DEV_CONFIG_SIZE + 1), EINVAL, "set config: too long");
	tap_errno(set_config(fd, DEV_CONFIG_SIZE, 1), EINVAL, "set config: at the end");
	tap_errno(set_config(fd, DEV_CONFIG_SIZE + 1, 1), EINVAL, "set config: behind the end");
	tap_errno(set_config(fd, 0xffffffff, 2), EINVAL, "set config: offset 0xffffffff");
	tap_errno(set_config(fd, 1, 0xffffffff), EINVAL, "set config: length 0xffffffff");
	tap_errno(ioctl(fd, VDUSE_DEV_SET_CONFIG, NULL), EFAULT, "set config: bad pointer");
	tap_errno(ioctl(fd, VDUSE_DEV_INJECT_CONFIG_IRQ, 0), EINVAL,
			"config interrupt without a driver");
}

static void
vq_setup(int fd, struct vduse_vq_config config, int error, const char *name)
{
	tap_errno(ioctl(fd, VDUSE_VQ_SETUP, &config), error, "vq setup: %s", name);
}

static void
test_vq_setup(int fd)
{
	tap_errno(ioctl(fd, VDUSE_VQ_SETUP, NULL), EFAULT, "vq setup: bad pointer");
	vq_setup(fd, (struct vduse_vq_config){ .index = 2, .max_size = 256 }, EINVAL, "index 2");
	vq_setup(fd, (struct vduse_vq_config){ .max_size = 256, .reserved1 = 1 }, EINVAL,
			"first reserved field");
	vq_setup(fd, (struct vduse_vq_config){ .max_size = 256, .reserved2[9] = 1 }, EINVAL,
			"last reserved field");
	vq_setup(fd, (struct vduse_vq_config){ .max_size = 256, .group = 1 }, EINVAL, "group 1");
	vq_setup(fd, (struct vduse_vq_config){ .max_size = 0 }, EINVAL, "size 0");
	vq_setup(fd, (struct vduse_vq_config){ .max_size = 3 }, EINVAL, "size 3");
	vq_setup(fd, (struct vduse_vq_config){ .max_size = 65535 }, EINVAL, "size 65535");
	vq_setup(fd, (struct vduse_vq_config){ .max_size = 32768 }, 0, "size 32768");
	vq_setup(fd, (struct vduse_vq_config){ .max_size = 256 }, 0, "size 256");
}

static void
test_vq(int fd)
{
	struct vduse_vq_info info = { .index = 2 }, empty = { .index = 1 };
	uint32_t index = 2;

	tap_errno(ioctl(fd, VDUSE_VQ_GET_INFO, &info), EINVAL, "vq info: index 2");
	tap_errno(ioctl(fd, VDUSE_VQ_GET_INFO, NULL), EFAULT, "vq info: bad pointer");
	info.index = 1;
	tap_errno(ioctl(fd, VDUSE_VQ_GET_INFO, &info), 0, "vq info");
	tap(memcmp(&info, &empty, sizeof(info)) == 0, "vq info of no driver is zero");
	tap_errno(ioctl(fd, VDUSE_VQ_INJECT_IRQ, &index), EINVAL, "interrupt: index 2");
	index = 0xffffffff;
	tap_errno(ioctl(fd, VDUSE_VQ_INJECT_IRQ, &index), EINVAL, "interrupt: index 0xffffffff");
	index = 0;
	tap_errno(ioctl(fd, VDUSE_VQ_INJECT_IRQ, &index), EINVAL, "interrupt without a driver");
	tap_errno(ioctl(fd, VDUSE_VQ_INJECT_IRQ, NULL), EFAULT, "interrupt: bad pointer");
}

static int
set_kickfd(int fd, uint32_t index, int kick)
{
	struct vduse_vq_eventfd arg = { .index = index, .fd = kick };

	return ioctl(fd, VDUSE_VQ_SETUP_KICKFD, &arg);
}

static void
test_kickfd(int fd)
{
	int event = eventfd(0, EFD_CLOEXEC);

	tap_errno(ioctl(fd, VDUSE_VQ_SETUP_KICKFD, NULL), EFAULT, "kickfd: bad pointer");
	tap_errno(set_kickfd(fd, 2, event), EINVAL, "kickfd: index 2");
	tap_errno(set_kickfd(fd, 0, 9999), EBADF, "kickfd: no file");
	tap_errno(set_kickfd(fd, 0, fd), EINVAL, "kickfd: no eventfd");
	tap_errno(set_kickfd(fd, 0, event), 0, "kickfd");
	tap_errno(set_kickfd(fd, 0, event), 0, "kickfd again");
	tap_errno(set_kickfd(fd, 0, VDUSE_EVENTFD_DEASSIGN), 0, "kickfd: none");
	close(event);
}

static void
test_iotlb(int fd)
{
	struct vduse_iotlb_entry entry = { .start = 1, .last = 0 };
	struct vduse_iotlb_entry_v2 entry2 = { .last = UINT64_MAX };
	struct vduse_iova_info info = { .start = 1, .last = 0 };

	tap_errno(ioctl(fd, VDUSE_IOTLB_GET_FD, NULL), EFAULT, "get fd: bad pointer");
	tap_errno(ioctl(fd, VDUSE_IOTLB_GET_FD, &entry), EINVAL, "get fd: start behind last");
	entry = (struct vduse_iotlb_entry){ .last = UINT64_MAX };
	tap_errno(ioctl(fd, VDUSE_IOTLB_GET_FD, &entry), EINVAL, "get fd: no map");
	tap_errno(ioctl(fd, VDUSE_IOTLB_GET_FD2, &entry2), ENOTTY, "get fd 2 in version 0");
	tap_errno(ioctl(fd, VDUSE_IOTLB_GET_INFO, NULL), EFAULT, "get info: bad pointer");
	tap_errno(ioctl(fd, VDUSE_IOTLB_GET_INFO, &info), EINVAL, "get info: start behind last");
	info = (struct vduse_iova_info){ .last = UINT64_MAX };
	tap_errno(ioctl(fd, VDUSE_IOTLB_GET_INFO, &info), EINVAL, "get info: no map");
	info.reserved[4] = 1;
	tap_errno(ioctl(fd, VDUSE_IOTLB_GET_INFO, &info), EINVAL, "get info: reserved field");
	info.reserved[4] = 0;
	info.asid = 1;
	tap_errno(ioctl(fd, VDUSE_IOTLB_GET_INFO, &info), EINVAL, "get info: address space 1");
}

static void
test_umem(int fd)
{
	struct vduse_iova_umem umem = { .size = 64 << 20 };

	tap_errno(ioctl(fd, VDUSE_IOTLB_REG_UMEM, NULL), EFAULT, "umem: bad pointer");
	tap_errno(ioctl(fd, VDUSE_IOTLB_REG_UMEM, &umem), EINVAL, "umem: no region");
	tap_errno(ioctl(fd, VDUSE_IOTLB_DEREG_UMEM, &umem), ENOENT, "umem: none to give back");
	umem.reserved[4] = 1;
	tap_errno(ioctl(fd, VDUSE_IOTLB_REG_UMEM, &umem), EINVAL, "umem: reserved field");
	tap_errno(ioctl(fd, VDUSE_IOTLB_DEREG_UMEM, &umem), EINVAL,
			"umem: reserved field, giving back");
}

static void
test_messages(int fd)
{
	struct vduse_dev_request req;
	struct vduse_dev_response resp = { .request_id = 77 };

	tap(dev_poll(fd) == 0, "poll: nothing");
	tap_errno(read(fd, &req, sizeof(req) - 1), EINVAL, "read: too short");
	tap_errno(read(fd, &req, sizeof(req)), EAGAIN, "read: nothing there");
	tap_errno(write(fd, &resp, sizeof(resp) - 1), EINVAL, "write: too short");
	tap_errno(write(fd, &resp, sizeof(resp)), ENOENT, "write: unknown message");
	resp.reserved[3] = 1;
	tap_errno(write(fd, &resp, sizeof(resp)), EINVAL, "write: reserved field");
}

static void
test_attributes(void)
{
	tap(dev_set_attr("msg_timeout", "5"), "msg_timeout 5");
	tap(!dev_set_attr("msg_timeout", "x"), "msg_timeout x");
	tap(!dev_set_attr("bounce_size", "1048575"), "bounce_size below 1 MiB");
	tap(!dev_set_attr("bounce_size", "1073741825"), "bounce_size above 1 GiB");
	tap(dev_set_attr("bounce_size", "2097152"), "bounce_size 2 MiB");
	tap(!dev_set_attr("vq0/irq_cb_affinity", "0"), "affinity with no CPU");
	tap(dev_set_attr("vq0/irq_cb_affinity", "1"), "affinity with CPU 0");
}

void
conform_device(bool ours)
{
	int control = control_open(0), fd;
	struct dev_arg arg;
	uint64_t features = 99;

	(void)ours;
	dev_arg_init(&arg);
	need(dev_create(control, &arg) == 0, "create a device");
	fd = open(DEV_PATH, O_RDWR | O_NONBLOCK);
	need(fd >= 0, "open " DEV_PATH);
	tap(!dev_attach(), "attach before the virtqueues are set up");
	tap_errno(ioctl(fd, _IO(VDUSE_BASE, 0x1f), 0), ENOTTY, "unknown device ioctl");
	tap_errno(ioctl(fd, VDUSE_DEV_GET_FEATURES, &features), 0, "driver features");
	tap(features == 0, "driver features of no driver are zero");
	tap_errno(ioctl(fd, VDUSE_DEV_GET_FEATURES, NULL), EFAULT, "driver features: bad pointer");
	test_config(fd);
	test_vq_setup(fd);
	test_vq(fd);
	test_kickfd(fd);
	test_iotlb(fd);
	test_umem(fd);
	test_messages(fd);
	test_attributes();
	close(fd);
	need(dev_destroy(control, DEV_NAME) == 0, "destroy the device");
	close(control);
}
