/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Version 1 under vhost_vdpa: virtqueue groups and address spaces, and the optional messages.
 * Nothing is checked if the kernel does not support version 1: control_test.c reports that.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conform.h"
#include "dev.h"
#include "tap.h"
#include "vhost.h"

static int
byte_in(int fd, uint32_t asid, uint64_t iova)
{
	struct vduse_iotlb_entry_v2 entry = { .start = iova, .last = iova, .asid = asid };
	int file = ioctl(fd, VDUSE_IOTLB_GET_FD2, &entry), byte;
	uint8_t *va;

	if (file < 0)
		return -1;
	va = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, entry.offset + (iova - entry.start));
	close(file);
	if (va == MAP_FAILED)
		return -2;
	byte = *va;
	munmap(va, 4096);
	return byte;
}

static void
test_setup(int fd)
{
	struct vduse_vq_config vq = { .index = 1, .max_size = DEV_VQ_SIZE, .group = 2 };

	tap_errno(ioctl(fd, VDUSE_VQ_SETUP, &vq), EINVAL, "version 1: vq setup: group 2 of 2");
	vq.group = 1;
	tap_errno(ioctl(fd, VDUSE_VQ_SETUP, &vq), 0, "version 1: vq setup: group 1");
}

static void
test_look_up(int fd)
{
	struct vduse_iotlb_entry_v2 entry = { .last = UINT64_MAX, .asid = 2 };

	tap_errno(ioctl(fd, VDUSE_IOTLB_GET_FD2, &entry), EINVAL, "get fd 2: address space 2 of 2");
	entry.asid = 1;
	tap_errno(ioctl(fd, VDUSE_IOTLB_GET_FD2, &entry), EINVAL, "get fd 2: no map");
	entry.reserved[10] = 1;
	tap_errno(ioctl(fd, VDUSE_IOTLB_GET_FD2, &entry), EINVAL, "get fd 2: reserved field");
	tap_errno(ioctl(fd, VDUSE_IOTLB_GET_FD2, NULL), EFAULT, "get fd 2: bad pointer");
}

static int
set_asid(int vhost, uint32_t group, uint32_t asid)
{
	struct vhost_vring_state state = { .index = group, .num = asid };

	return ioctl(vhost, VHOST_VDPA_SET_GROUP_ASID, &state);
}

static void
test_groups(int vhost, struct server *server)
{
	const struct vduse_dev_request *last = &server->last[VDUSE_SET_VQ_GROUP_ASID];
	struct vhost_vring_state state = { .index = 1 };
	uint32_t number = 0;

	tap(ioctl(vhost, VHOST_VDPA_GET_GROUP_NUM, &number) == 0 && number == 2, "two groups");
	tap(ioctl(vhost, VHOST_VDPA_GET_AS_NUM, &number) == 0 && number == 2,
			"two address spaces");
	tap(ioctl(vhost, VHOST_VDPA_GET_VRING_GROUP, &state) == 0 && state.num == 1,
			"virtqueue 1 is in group 1");
	atomic_store(&server->result, VDUSE_REQ_RESULT_FAILED);
	tap_errno(set_asid(vhost, 1, 1), EIO, "a refused change of address space");
	atomic_store(&server->result, VDUSE_REQ_RESULT_OK);
	tap_errno(set_asid(vhost, 1, 1), 0, "a change of address space");
	tap(last->vq_group_asid.group == 1 && last->vq_group_asid.asid == 1, "as it was asked for");
	tap_errno(set_asid(vhost, 1, 2), EINVAL, "address space 2 of 2");
}

static void
test_same_iova(int vhost, int fd, struct server *server)
{
	const struct vduse_dev_request *last = &server->last[VDUSE_UPDATE_IOTLB];

	tap_errno(vhost_map(vhost, 0, 0x10000, 4096, vhost_memory(1, 0x11)), 0, "map in 0");
	tap(last->iova_v2.asid == 0, "the message says 0");
	tap_errno(vhost_map(vhost, 1, 0x10000, 4096, vhost_memory(1, 0x22)), 0, "map in 1");
	tap(last->iova_v2.asid == 1, "the message says 1");
	tap(byte_in(fd, 0, 0x10000) == 0x11, "one address, the memory of 0");
	tap(byte_in(fd, 1, 0x10000) == 0x22, "one address, the memory of 1");
}

static void
test_optional(int vhost, struct server *server)
{
	const struct vduse_dev_request *last = &server->last[VDUSE_SET_VQ_READY];

	vhost_set_ring(vhost, 0, 64);
	tap(atomic_load(&server->count[VDUSE_SET_VQ_READY]) == 1 && last->vq_ready.num == 0 &&
			last->vq_ready.ready == 1, "a message says that a ring is ready");
	vhost_set_status(vhost, 15);
	tap_errno(set_asid(vhost, 1, 0), EBUSY, "a change of address space after DRIVER_OK");
	tap_errno(ioctl(vhost, VHOST_VDPA_SUSPEND, 0), 0, "suspend");
	tap(atomic_load(&server->count[VDUSE_SUSPEND]) == 1, "a message says so");
	atomic_store(&server->result, VDUSE_REQ_RESULT_FAILED);
	tap_errno(ioctl(vhost, VHOST_VDPA_SUSPEND, 0), EIO, "suspend refused");
	atomic_store(&server->result, VDUSE_REQ_RESULT_OK);
}

/* A process that does not know whether a ring is ready: nothing goes on with it. */
static void
test_ready_refused(int fd, struct server *server)
{
	uint64_t features;
	int vhost = vhost_open();

	atomic_store(&server->result, VDUSE_REQ_RESULT_FAILED);
	vhost_set_ring(vhost, 0, 64);
	tap(dev_poll(fd) & POLLERR, "a refused ready: the device is broken");
	tap_errno(ioctl(fd, VDUSE_DEV_GET_FEATURES, &features), EPERM, "a refused ready: ioctls");
	close(vhost);
}

static void
run(int fd)
{
	struct vduse_vq_config vq = { .index = 1, .max_size = DEV_VQ_SIZE, .group = 0 };
	struct server server;
	int vhost;

	test_setup(fd);
	need(dev_attach(), "vdpa dev add");
	test_look_up(fd);
	server_start(&server, fd);
	vhost = vhost_open();
	test_groups(vhost, &server);
	test_same_iova(vhost, fd, &server);
	test_optional(vhost, &server);
	tap_errno(ioctl(fd, VDUSE_VQ_SETUP, &vq), EINVAL, "vq setup after DRIVER_OK");
	close(vhost);
	tap(byte_in(fd, 0, 0x10000) == -1 && byte_in(fd, 1, 0x10000) == -1,
			"both address spaces are empty after a close");
	test_ready_refused(fd, &server);
	tap(dev_detach(), "version 1: detach");
	server_stop(&server);
}

/*
 * The last of 65 groups and of 64 address spaces. The device has more virtqueues than groups,
 * because vhost_vdpa takes no group whose number is not below that of the virtqueues.
 */
static void
test_many(int control)
{
	struct vduse_vq_config vq = { .index = 1, .max_size = DEV_VQ_SIZE, .group = 64 };
	const struct vduse_dev_request *last;
	struct server server;
	uint32_t groups = 0, spaces = 0;
	struct dev_arg arg;
	int fd, vhost;

	dev_arg_init(&arg);
	arg.config.vq_num = 66;
	arg.config.ngroups = 65;
	arg.config.nas = 64;
	fd = dev_make(control, &arg);
	tap_errno(ioctl(fd, VDUSE_VQ_SETUP, &vq), 0, "many: group 64 of 65");
	need(dev_attach(), "vdpa dev add");
	server_start(&server, fd);
	last = &server.last[VDUSE_SET_VQ_GROUP_ASID];
	vhost = vhost_open();
	tap(ioctl(vhost, VHOST_VDPA_GET_GROUP_NUM, &groups) == 0 && groups == 65, "many: 65 groups");
	tap(ioctl(vhost, VHOST_VDPA_GET_AS_NUM, &spaces) == 0 && spaces == 64,
			"many: 64 address spaces");
	tap_errno(set_asid(vhost, 65, 0), EINVAL, "many: group 65 of 65");
	tap_errno(set_asid(vhost, 64, 64), EINVAL, "many: address space 64 of 64");
	tap_errno(set_asid(vhost, 64, 63), 0, "many: group 64 in address space 63");
	tap(last->vq_group_asid.group == 64 && last->vq_group_asid.asid == 63,
			"many: as it was asked for");
	tap_errno(vhost_map(vhost, 63, 0x10000, 4096, vhost_memory(1, 0x63)), 0, "many: map in 63");
	tap(byte_in(fd, 63, 0x10000) == 0x63, "many: the memory of 63");
	tap(byte_in(fd, 62, 0x10000) == -1 && byte_in(fd, 0, 0x10000) == -1, "many: of 63 only");
	close(vhost);
	tap(byte_in(fd, 63, 0x10000) == -1, "many: 63 is empty after a close");
	tap(dev_detach(), "many: detach");
	server_stop(&server);
	close(fd);
	tap_errno(dev_destroy(control, DEV_NAME), 0, "many: destroy");
}

void
conform_version1(void)
{
	int control = control_open(1), fd;
	uint64_t features = 3;
	struct dev_arg arg;

	if (control < 0)
		return;
	need(ioctl(control, VDUSE_SET_FEATURES, &features) == 0 || errno == EINVAL, "set features");
	dev_arg_init(&arg);
	arg.config.ngroups = 2;
	arg.config.nas = 2;
	fd = dev_make(control, &arg);
	run(fd);
	close(fd);
	tap_errno(dev_destroy(control, DEV_NAME), 0, "version 1: destroy a detached device");
	test_many(control);
	close(control);
}
