/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Direct calls of vhost_vdpa. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tap.h"
#include "vhost.h"

#define BACKEND_FEATURES	(1ULL << VHOST_BACKEND_F_IOTLB_MSG_V2 |		\
				 1ULL << VHOST_BACKEND_F_IOTLB_ASID |		\
				 1ULL << VHOST_BACKEND_F_IOTLB_BATCH)

int
vhost_open(void)
{
	int vhost = open(VHOST_PATH, O_RDWR | O_CLOEXEC);
	uint64_t features = 0;

	need(vhost >= 0, "open " VHOST_PATH);
	need(ioctl(vhost, VHOST_SET_OWNER, 0) == 0, "VHOST_SET_OWNER");
	need(ioctl(vhost, VHOST_GET_BACKEND_FEATURES, &features) == 0, "backend features");
	features &= BACKEND_FEATURES | 1ULL << VHOST_BACKEND_F_SUSPEND;
	need(ioctl(vhost, VHOST_SET_BACKEND_FEATURES, &features) == 0, "backend features");
	return vhost;
}

void
vhost_set_status(int vhost, uint8_t status)
{
	ioctl(vhost, VHOST_VDPA_SET_STATUS, &status);
}

uint8_t
vhost_get_status(int vhost)
{
	uint8_t status = 0xff;

	ioctl(vhost, VHOST_VDPA_GET_STATUS, &status);
	return status;
}

void
vhost_set_ring(int vhost, unsigned int index, unsigned int num)
{
	struct vhost_vring_state state = { .index = index, .num = num };
	struct vhost_vring_addr addr = {
		.index = index,
		.desc_user_addr = 0x1000,
		.avail_user_addr = 0x2000,
		.used_user_addr = 0x3000,
	};

	need(ioctl(vhost, VHOST_SET_VRING_NUM, &state) == 0, "VHOST_SET_VRING_NUM");
	need(ioctl(vhost, VHOST_SET_VRING_ADDR, &addr) == 0, "VHOST_SET_VRING_ADDR");
	state.num = 1;
	need(ioctl(vhost, VHOST_VDPA_SET_VRING_ENABLE, &state) == 0, "enable a ring");
}

int
vhost_get_base(int vhost, unsigned int index)
{
	struct vhost_vring_state state = { .index = index };

	return ioctl(vhost, VHOST_GET_VRING_BASE, &state);
}

static int
set_event(int vhost, unsigned long request, unsigned int index)
{
	struct vhost_vring_file file = { .index = index, .fd = eventfd(0, EFD_CLOEXEC) };

	need(ioctl(vhost, request, &file) == 0, "hand an eventfd to vhost_vdpa");
	return file.fd;
}

int
vhost_set_kick(int vhost, unsigned int index)
{
	return set_event(vhost, VHOST_SET_VRING_KICK, index);
}

int
vhost_set_call(int vhost, unsigned int index)
{
	return set_event(vhost, VHOST_SET_VRING_CALL, index);
}

void *
vhost_memory(unsigned int pages, uint8_t byte)
{
	int file = memfd_create("conform", MFD_CLOEXEC);
	void *memory;

	need(file >= 0 && ftruncate(file, pages * 4096L) == 0, "make a memfd");
	memory = mmap(NULL, pages * 4096L, PROT_READ | PROT_WRITE, MAP_SHARED, file, 0);
	need(memory != MAP_FAILED, "map a memfd");
	close(file);
	return memset(memory, byte, pages * 4096L);
}

static int
iotlb(int vhost, uint32_t asid, struct vhost_iotlb_msg iotlb)
{
	struct vhost_msg_v2 msg = { .type = VHOST_IOTLB_MSG_V2, .asid = asid, .iotlb = iotlb };

	return write(vhost, &msg, sizeof(msg)) == sizeof(msg) ? 0 : -1;
}

int
vhost_map(int vhost, uint32_t asid, uint64_t iova, uint64_t size, void *memory)
{
	return iotlb(vhost, asid, (struct vhost_iotlb_msg){
		.iova = iova,
		.size = size,
		.uaddr = (uintptr_t)memory,
		.perm = VHOST_ACCESS_RW,
		.type = VHOST_IOTLB_UPDATE,
	});
}

int
vhost_unmap(int vhost, uint32_t asid, uint64_t iova, uint64_t size)
{
	return iotlb(vhost, asid, (struct vhost_iotlb_msg){
		.iova = iova,
		.size = size,
		.type = VHOST_IOTLB_INVALIDATE,
	});
}

int
vhost_batch(int vhost, uint32_t asid, bool begin)
{
	return iotlb(vhost, asid, (struct vhost_iotlb_msg){
		.type = begin ? VHOST_IOTLB_BATCH_BEGIN : VHOST_IOTLB_BATCH_END,
	});
}

pid_t
vhost_start_waiter(int fd)
{
	pid_t pid = fork();

	if (pid == 0) {
		close(fd);
		_exit(open(VHOST_PATH, O_RDWR) < 0 ? errno : 0);
	}
	return pid;
}

int
vhost_reap(pid_t pid)
{
	int status = 0;

	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}
