/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See vhost_client.h. */
#include "vhost_client.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int
vhost_client_connect(const char *path)
{
	const struct timeval patience = { .tv_sec = UNIT_PATIENCE_MS / 1000 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	strcpy(address.sun_path, path);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
	return fd;
}

struct vhost_user_msg
vhost_client_msg(uint32_t type, uint64_t value, uint32_t size, bool need_reply)
{
	struct vhost_user_msg msg = {
		.type = type,
		.flags = MSG_VERSION | (need_reply ? MSG_FLAG_NEED_REPLY : 0),
		.size = size,
		.payload.u64 = value,
	};

	return msg;
}

void
vhost_client_send(int fd, const struct vhost_user_msg *msg, unsigned int nb_fds, int with)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(16 * sizeof(int))];
	} control;
	struct iovec bytes = { (void *)(uintptr_t)msg, VHOST_USER_MSG_HEAD + msg->size };
	struct msghdr head = { .msg_iov = &bytes, .msg_iovlen = 1 };
	unsigned int i;

	memset(&control, 0, sizeof(control));
	if (nb_fds > 0) {
		head.msg_control = &control;
		head.msg_controllen = CMSG_SPACE(nb_fds * sizeof(int));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(nb_fds * sizeof(int));
		for (i = 0; i < nb_fds; i++)
			memcpy(CMSG_DATA(&control.align) + i * sizeof(int), &with, sizeof(int));
	}
	assert_int_equal(sendmsg(fd, &head, MSG_NOSIGNAL), bytes.iov_len);
}

uint64_t
vhost_client_answer(int fd, uint32_t type)
{
	struct vhost_user_msg msg;
	ssize_t n;

	/* A ring of the kernel's that this thread used, and that is closed, interrupts it. */
	do {
		n = recv(fd, &msg, VHOST_USER_MSG_HEAD + 8, MSG_WAITALL);
	} while (n < 0 && errno == EINTR);
	assert_int_equal(n, VHOST_USER_MSG_HEAD + 8);
	assert_int_equal(msg.type, type);
	assert_int_equal(msg.flags, MSG_VERSION | MSG_FLAG_REPLY);
	assert_int_equal(msg.size, 8);
	return msg.payload.u64;
}

uint64_t
vhost_client_ask(int fd, uint32_t type, uint64_t value, uint32_t size, bool need_reply)
{
	struct vhost_user_msg msg = vhost_client_msg(type, value, size, need_reply);

	vhost_client_send(fd, &msg, 0, -1);
	return vhost_client_answer(fd, type);
}

void
vhost_client_dropped(int fd)
{
	uint8_t byte;
	ssize_t n = recv(fd, &byte, 1, 0);

	assert_true(n == 0 || (n < 0 && errno == ECONNRESET));
	close(fd);
}

static struct vhost_user_memory
client_region(uint64_t first, uint64_t size)
{
	return (struct vhost_user_memory){
		.first = first,
		.size = size,
		.user = VHOST_CLIENT_USER + first,
	};
}

struct vhost_user_msg
vhost_client_table(uint64_t first, uint64_t size, bool need_reply)
{
	struct vhost_user_msg msg = vhost_client_msg(
		MSG_SET_MEM_TABLE, 0, offsetof(union msg_payload, table.regions[1]), need_reply);

	msg.payload.table.nb = 1;
	msg.payload.table.regions[0] = client_region(first, size);
	return msg;
}

struct vhost_user_msg
vhost_client_slot(uint32_t type, uint64_t first, uint64_t size)
{
	struct vhost_user_msg msg =
		vhost_client_msg(type, 0, sizeof(((union msg_payload *)NULL)->slot), true);

	msg.payload.slot.region = client_region(first, size);
	return msg;
}

static void
client_vring(int fd, uint32_t type, uint16_t index, uint32_t num)
{
	assert_int_equal(vhost_client_ask(fd, type, index | (uint64_t)num << 32, 8, true), 0);
}

void
vhost_client_ring(int fd, uint16_t index, uint64_t first, uint32_t position)
{
	struct vhost_user_msg msg = vhost_client_msg(
		MSG_SET_VRING_ADDR, 0, sizeof(((union msg_payload *)NULL)->addresses), true);

	client_vring(fd, MSG_SET_VRING_NUM, index, VHOST_CLIENT_RING);
	client_vring(fd, MSG_SET_VRING_BASE, index, position);
	msg.payload.addresses.index = index;
	msg.payload.addresses.desc = VHOST_CLIENT_USER + first;
	msg.payload.addresses.driver = VHOST_CLIENT_USER + first + 0x400;
	msg.payload.addresses.device = VHOST_CLIENT_USER + first + 0x800;
	vhost_client_send(fd, &msg, 0, -1);
	assert_int_equal(vhost_client_answer(fd, MSG_SET_VRING_ADDR), 0);
	assert_int_equal(vhost_client_ask(fd, MSG_SET_VRING_KICK, index | 1u << 8, 8, true), 0);
	client_vring(fd, MSG_SET_VRING_ENABLE, index, 1);
}

void
vhost_client_post(uint8_t *page, uint16_t nb, uint64_t iova, uint32_t len, uint16_t flags)
{
	struct vring_desc *desc = (void *)page;
	struct vring_avail *avail = (void *)(page + 0x400);

	desc[0] = (struct vring_desc){ iova, len, flags, 0 };
	avail->ring[nb % VHOST_CLIENT_RING] = 0;
	rte_atomic_store_explicit(&avail->idx, (uint16_t)(nb + 1), rte_memory_order_release);
}
