/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A vhost-user block device whose client sends messages of any kind in any order, with files of any
 * kind, over a socket.
 * Input: a byte of choices about the device, then operations. Output: none, unless a check fails:
 * replies are valid, nothing is in flight or mapped after the client has disconnected, and no file
 * descriptor is leaked.
 * Thread: libFuzzer's, which is the poller; the control thread serves the socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/userfaultfd.h>
#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>

#include <rte_memory.h>
#include <rte_vduse_compat.h>

#include <virtio_blk/backend/fault.h>
#include <virtio_blk/blk.h>
#include <vduse/core/ctrl_thread.h>
#include <vduse/core/device.h>
#include <vduse/vhost_user/vhost_user.h>

#include "fuzz_ring.h"

#define QUEUES 2

/* The driver's own addresses: not those by which the device knows its memory. */
#define USER UINT64_C(0x7f0000000000)

#define POLLS_MAX  32
#define IDLE_POLLS 256

struct client {
	struct fuzz_input in;
	struct rte_vduse_blk *blk;
	struct rte_vduse_dev *dev;
	struct fuzz_memory memory;
	struct fuzz_ring rings[QUEUES];
	bool held;
	int sock;     /* -1: not connected */
	int inflight; /* what the device gave, or -1 */
	uint64_t inflight_size;
	int uffd;          /* of post-copy, or -1 */
	uint64_t waits_at; /* address at which the device waits for the begin of the memory */
};

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	RTE_SET_USED(argc);
	RTE_SET_USED(argv);
	fuzz_init();
	return 0;
}

/* The control thread waits for the backend wherever memory or rings change. */
static void
client_hold(struct client *client, bool hold)
{
	vblk_fault_hold(client->blk->backend, hold);
}

static struct vhost_user *
client_vu(const struct client *client)
{
	return client->dev->transport_priv;
}

static int
serve_all(struct rte_vduse_dev *dev)
{
	int ret;

	do {
		ret = vduse_msg_handle(dev);
	} while (ret == 0);
	return ret == -EAGAIN ? 0 : ret;
}

/* Everything that was sent is dealt with, unless it waits for the backend. */
static void
client_serve(struct client *client)
{
	client_hold(client, false);
	(void)vduse_ctrl_run(serve_all, client->dev);
	client_hold(client, client->held);
}

static void
client_connect(struct client *client)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	if (client->sock >= 0)
		return;
	strcpy(address.sun_path, client->dev->path);
	client->sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fuzz_check(connect(client->sock, (struct sockaddr *)&address, sizeof(address)) == 0,
		   "no connection");
	client_serve(client);
	fuzz_check(client_vu(client)->conn >= 0, "client turned away");
}

static void
check_gone(struct client *client)
{
	const struct vhost_user *vu = client_vu(client);
	unsigned int i;

	fuzz_check(vu->conn < 0, "it is still served");
	for (i = 0; i < QUEUES; i++)
		fuzz_check(client->blk->queues[i].in_flight == 0, "%u in flight",
			   client->blk->queues[i].in_flight);
	fuzz_check(vblk_fault_held(client->blk->backend) == 0, "the backend has requests");
	fuzz_check(client->dev->iotlb[0] == NULL, "memory is mapped");
	fuzz_check(vu->nb_regions == 0, "%u regions", vu->nb_regions);
}

static void
client_disconnect(struct client *client)
{
	if (client->sock < 0)
		return;
	client_hold(client, false);
	close(client->sock);
	client->sock = -1;
	client_serve(client);
	check_gone(client);
}

/* Takes the file that an answer brings. */
static void
client_keep_uffd(struct client *client, const struct msghdr *head)
{
	const struct cmsghdr *control = CMSG_FIRSTHDR(head);

	fuzz_check(control != NULL && control->cmsg_len == CMSG_LEN(sizeof(int)),
		   "not one descriptor");
	if (client->uffd >= 0)
		close(client->uffd);
	memcpy(&client->uffd, CMSG_DATA(control), sizeof(int));
}

/* Takes the memory to keep that an answer brings. */
static void
client_keep(struct client *client, const struct vhost_user_msg *msg, struct msghdr *head)
{
	const struct cmsghdr *control = CMSG_FIRSTHDR(head);

	if (msg->type == MSG_POSTCOPY_ADVISE) {
		client_keep_uffd(client, head);
		return;
	}
	if (msg->type == MSG_SET_MEM_TABLE && msg->size > sizeof(msg->payload.u64))
		client->waits_at = msg->payload.table.regions[0].user;
	if (msg->type != MSG_GET_INFLIGHT_FD) {
		fuzz_check(control == NULL, "a descriptor with an answer to %u", msg->type);
		return;
	}
	fuzz_check(control != NULL && control->cmsg_len == CMSG_LEN(sizeof(int)),
		   "not one descriptor");
	if (client->inflight >= 0)
		close(client->inflight);
	memcpy(&client->inflight, CMSG_DATA(control), sizeof(int));
	client->inflight_size = msg->payload.inflight.size;
}

/* Reads an answer, if there is one. False: there is none, or the client was dropped. */
static bool
client_answer(struct client *client)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} control;
	struct vhost_user_msg msg;
	struct iovec bytes = { &msg, VHOST_USER_MSG_HEAD };
	struct msghdr head = {
		.msg_iov = &bytes,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};
	ssize_t n = recvmsg(client->sock, &head, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0 && errno == EAGAIN)
		return false;
	if (n <= 0) {
		client_disconnect(client);
		return false;
	}
	fuzz_check(n == (ssize_t)VHOST_USER_MSG_HEAD, "a piece of an answer");
	fuzz_check(msg.size <= sizeof(msg.payload), "an answer of %u bytes", msg.size);
	fuzz_check(msg.flags == (MSG_VERSION | MSG_FLAG_REPLY), "flags 0x%x", msg.flags);
	fuzz_check(msg.size == 0 || recv(client->sock, &msg.payload, msg.size, MSG_DONTWAIT) ==
					    (ssize_t)msg.size,
		   "a piece of an answer");
	client_keep(client, &msg, &head);
	return true;
}

/* So many bytes of a message, with its descriptors. */
static void
client_write_bytes(struct client *client, const struct vhost_user_msg *msg, size_t from, size_t to)
{
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(MSG_FDS_MAX * sizeof(int))];
	} control = { 0 };
	struct iovec bytes = { (uint8_t *)(uintptr_t)msg + from, to - from };
	struct msghdr head = { .msg_iov = &bytes, .msg_iovlen = 1 };

	client_hold(client, false);
	if (from == 0 && msg->nb_fds > 0) {
		head.msg_control = &control;
		head.msg_controllen = CMSG_SPACE(msg->nb_fds * sizeof(int));
		control.align.cmsg_level = SOL_SOCKET;
		control.align.cmsg_type = SCM_RIGHTS;
		control.align.cmsg_len = CMSG_LEN(msg->nb_fds * sizeof(int));
		memcpy(CMSG_DATA(&control.align), msg->fds, msg->nb_fds * sizeof(int));
	}
	(void)sendmsg(client->sock, &head, MSG_NOSIGNAL | MSG_DONTWAIT);
	client_serve(client);
}

/* In two pieces where the input says so. */
static void
client_send(struct client *client, struct vhost_user_msg *msg)
{
	size_t len = VHOST_USER_MSG_HEAD + RTE_MIN(msg->size, sizeof(msg->payload));
	size_t piece = (msg->size + msg->type) % 4 == 0 ? len / 2 : len;
	unsigned int i;

	if (client->sock >= 0) {
		client_write_bytes(client, msg, 0, piece);
		if (piece < len)
			client_write_bytes(client, msg, piece, len);
		while (client_answer(client))
			;
	}
	for (i = 0; i < msg->nb_fds; i++)
		close(msg->fds[i]);
}

/* A new descriptor of some kind. */
static int
client_fd(struct client *client, uint8_t kind)
{
	int fds[2] = { -1, -1 };

	switch (kind % 8) {
	case 0:
	case 1:
		return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	case 2:
		fuzz_check(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0, "no pair");
		close(fds[1]);
		return fds[0];
	case 3:
		fuzz_check(pipe2(fds, O_CLOEXEC) == 0, "no pipe");
		close(fds[1]);
		return fds[0];
	case 4:
		return open("/dev/null", O_RDWR | O_CLOEXEC);
	case 5:
		if (client->inflight >= 0)
			return fcntl(client->inflight, F_DUPFD_CLOEXEC, 0);
		/* fall through */
	default:
		return fcntl(client->memory.fd, F_DUPFD_CLOEXEC, 0);
	}
}

static void
client_add_fds(struct client *client, struct vhost_user_msg *msg, unsigned int nb, uint8_t kind)
{
	while (nb-- > 0 && msg->nb_fds < MSG_FDS_MAX) {
		int fd = client_fd(client, kind);

		if (fd >= 0)
			msg->fds[msg->nb_fds++] = fd;
	}
}

static const uint8_t types[] = {
	MSG_SET_FEATURES,        MSG_SET_OWNER,
	MSG_RESET_OWNER,         MSG_SET_MEM_TABLE,
	MSG_SET_LOG_BASE,        MSG_SET_LOG_FD,
	MSG_SET_VRING_NUM,       MSG_SET_VRING_ADDR,
	MSG_SET_VRING_BASE,      MSG_GET_VRING_BASE,
	MSG_SET_VRING_KICK,      MSG_SET_VRING_CALL,
	MSG_SET_VRING_ERR,       MSG_SET_PROTOCOL_FEATURES,
	MSG_GET_QUEUE_NUM,       MSG_SET_VRING_ENABLE,
	MSG_SET_BACKEND_CHANNEL, MSG_IOTLB,
	MSG_GET_CONFIG,          MSG_SET_CONFIG,
	MSG_POSTCOPY_ADVISE,     MSG_GET_INFLIGHT_FD,
	MSG_SET_INFLIGHT_FD,     MSG_GET_MAX_MEM_SLOTS,
	MSG_ADD_MEM_REG,         MSG_REM_MEM_REG,
	MSG_GET_FEATURES,        MSG_GET_PROTOCOL_FEATURES,
	MSG_NET_SET_MTU,         MSG_RESET_DEVICE,
	MSG_SET_STATUS,          MSG_GET_STATUS,
	MSG_SEND_RARP,
};

/* Any message, its payload from the input. */
static void
send_raw(struct client *client)
{
	uint8_t type = fuzz_u8(&client->in), how = fuzz_u8(&client->in);
	uint16_t size = fuzz_u16(&client->in);
	struct vhost_user_msg msg = { .flags = MSG_VERSION };

	msg.type = type < 0xf0 ? types[type % RTE_DIM(types)] : fuzz_u32(&client->in);
	if (how & 1)
		msg.flags |= MSG_FLAG_NEED_REPLY;
	msg.size = size & 0x1000 ? size % 2048u : size % 64u;
	fuzz_bytes(&client->in, msg.payload.room, RTE_MIN(msg.size, 320u));
	client_add_fds(client, &msg, how >> 5, how >> 1);
	client_send(client, &msg);
}

static void
send_vring(struct client *client, uint32_t type, uint32_t index, uint32_t num)
{
	struct vhost_user_msg msg = { .type = type, .flags = MSG_VERSION };

	msg.payload.vring.index = index;
	msg.payload.vring.num = num;
	msg.size = sizeof(msg.payload.vring);
	client_send(client, &msg);
}

static void
send_addr(struct client *client, uint32_t index)
{
	struct vduse_vq_info info = fuzz_ring_info(&client->rings[index], 0, true);
	struct vhost_user_msg msg = { .type = MSG_SET_VRING_ADDR, .flags = MSG_VERSION };

	msg.payload.addresses.index = index;
	msg.payload.addresses.desc = info.desc_addr + USER;
	msg.payload.addresses.driver = info.driver_addr + USER;
	msg.payload.addresses.device = info.device_addr + USER;
	msg.size = sizeof(msg.payload.addresses);
	client_send(client, &msg);
}

static void
send_file(struct client *client, uint32_t type, uint64_t value, uint8_t kind)
{
	struct vhost_user_msg msg = { .type = type, .flags = MSG_VERSION, .size = sizeof(value) };

	msg.payload.u64 = value;
	client_add_fds(client, &msg, 1, kind);
	client_send(client, &msg);
}

static void
send_features(struct client *client)
{
	struct vhost_user_msg msg = { .type = MSG_SET_FEATURES, .flags = MSG_VERSION, .size = 8 };
	uint8_t without = fuzz_u8(&client->in);
	uint64_t features = client->dev->offered | FUZZ_BIT(MSG_F_PROTOCOL_FEATURES);

	if (without & 1)
		features &= ~FUZZ_BIT(VIRTIO_F_RING_PACKED);
	if (without & 2)
		features &= ~FUZZ_BIT(VIRTIO_F_IN_ORDER);
	if (without & 4)
		features &= ~FUZZ_BIT(MSG_F_PROTOCOL_FEATURES);
	if (without & 8)
		features &= ~FUZZ_BIT(VIRTIO_RING_F_EVENT_IDX);
	if (!client_vu(client)->iommu_offered || (without & 16))
		features &= ~FUZZ_BIT(VIRTIO_F_ACCESS_PLATFORM);
	if (without & 32)
		features |= FUZZ_BIT(MSG_F_LOG_ALL);
	msg.payload.u64 = features;
	client_send(client, &msg);
}

/* A region of the memory: some pages from some page on. */
static struct vhost_user_memory
client_region(uint32_t page, uint32_t pages)
{
	uint64_t at = UINT64_C(4096) * page;

	return (struct vhost_user_memory){
		.first = FUZZ_IOVA + at,
		.size = UINT64_C(4096) * pages,
		.user = FUZZ_IOVA + at + USER,
		.offset = at,
	};
}

static void
send_table(struct client *client, uint8_t nb);

static void
send_number(struct client *client, uint32_t type, uint64_t value, uint32_t size)
{
	struct vhost_user_msg msg = { .type = type, .flags = MSG_VERSION, .size = size };

	msg.payload.u64 = value;
	client_send(client, &msg);
}

/* A page arrives, that is perhaps waited for. */
static void
client_arrive(struct client *client, uint8_t page)
{
	struct uffdio_range range = { client->waits_at + page * UINT64_C(4096), 4096 };
	uint8_t *byte = fuzz_memory_at(&client->memory, FUZZ_IOVA + page * UINT64_C(4096), 1);

	if (byte != NULL)
		*byte = page;
	if (client->uffd >= 0)
		(void)ioctl(client->uffd, UFFDIO_WAKE, &range);
}

/* Messages of post-copy, in the order of a front end or in any. */
static void
send_postcopy(struct client *client, uint8_t how, uint8_t page)
{
	switch (how % 8) {
	case 0:
		send_number(client, MSG_POSTCOPY_ADVISE, 0, 0);
		send_number(client, MSG_POSTCOPY_LISTEN, 0, 0);
		send_table(client, page);
		send_number(client, MSG_SET_MEM_TABLE, 0, 8);
		return;
	case 1:
		send_number(client, MSG_POSTCOPY_ADVISE, 0, 0);
		return;
	case 2:
		send_number(client, MSG_POSTCOPY_LISTEN, 0, 0);
		return;
	case 3:
		send_number(client, MSG_POSTCOPY_END, 0, 0);
		return;
	case 4:
		send_number(client, page & 16 ? MSG_ADD_MEM_REG : MSG_SET_MEM_TABLE, page & 15, 8);
		return;
	default:
		client_arrive(client, page);
	}
}

/* A range of some pages is mapped, often where the rings and buffers are, or unmapped. */
static void
send_iotlb(struct client *client)
{
	uint8_t how = fuzz_u8(&client->in), page = fuzz_u8(&client->in), to = fuzz_u8(&client->in);
	struct vhost_user_msg msg = { .type = MSG_IOTLB,
				      .flags = MSG_VERSION | MSG_FLAG_NEED_REPLY,
				      .size = sizeof(struct msg_iotlb) };
	struct vhost_user_memory region = client_region(page, (how >> 4) + 1u);
	bool all = (how & 8) != 0;

	if (client_vu(client)->postcopy_offered) {
		send_postcopy(client, how, page);
		return;
	}
	if (all)
		region = client_region(0, FUZZ_ALL / 4096);
	msg.payload.iotlb = (struct msg_iotlb){
		.iova = region.first + (how & 4 ? 0 : USER),
		.size = region.size,
		.user = all ? region.user : client_region(to, 1).user,
		.perm = all ? VDUSE_ACCESS_RW : (to >> 4) & 3,
		.type = how & 1 ? MSG_IOTLB_UPDATE : MSG_IOTLB_INVALIDATE,
	};
	client_send(client, &msg);
}

/* All of the memory in so many regions. */
static void
send_table(struct client *client, uint8_t nb)
{
	const uint32_t pages = FUZZ_ALL / 4096;
	struct vhost_user_msg msg = { .type = MSG_SET_MEM_TABLE, .flags = MSG_VERSION };
	uint32_t i, at = 0;

	nb = nb % MSG_FDS_MAX + 1;
	msg.payload.table.nb = nb;
	for (i = 0; i < nb; i++, at += pages / 8)
		msg.payload.table.regions[i] =
			client_region(at, i + 1 < nb ? pages / 8 : pages - at);
	msg.size = offsetof(union msg_payload, table.regions[nb]);
	client_add_fds(client, &msg, nb, 7);
	client_send(client, &msg);
}

static void
send_region(struct client *client)
{
	uint8_t how = fuzz_u8(&client->in), page = fuzz_u8(&client->in);
	struct vhost_user_msg msg = { .type = how & 1 ? MSG_ADD_MEM_REG : MSG_REM_MEM_REG,
				      .flags = MSG_VERSION | MSG_FLAG_NEED_REPLY };

	msg.payload.slot.region = client_region(page / 64 * 64 * 2, 64);
	msg.size = sizeof(msg.payload.slot);
	client_add_fds(client, &msg, how & 1, 7);
	client_send(client, &msg);
}

static void
send_config(struct client *client)
{
	uint8_t how = fuzz_u8(&client->in);
	struct vhost_user_msg msg = { .type = how & 1 ? MSG_SET_CONFIG : MSG_GET_CONFIG,
				      .flags = MSG_VERSION | MSG_FLAG_NEED_REPLY };
	struct msg_config *config = &msg.payload.config;

	config->offset = how & 2 ? offsetof(struct virtio_blk_config, wce) : fuzz_u16(&client->in);
	config->size = how & 1 ? how / 16 : fuzz_u16(&client->in);
	fuzz_bytes(&client->in, config->data, RTE_MIN(config->size, 8u));
	msg.size = RTE_MIN(offsetof(struct msg_config, data) + config->size, sizeof(*config));
	client_send(client, &msg);
}

static void
send_inflight(struct client *client)
{
	uint8_t how = fuzz_u8(&client->in);
	struct vhost_user_msg msg = { .type = how & 1 ? MSG_SET_INFLIGHT_FD : MSG_GET_INFLIGHT_FD,
				      .flags = MSG_VERSION };

	msg.payload.inflight.size = how & 2 ? fuzz_u16(&client->in) : client->inflight_size;
	msg.payload.inflight.nb_queues = QUEUES;
	msg.size = sizeof(msg.payload.inflight);
	client_add_fds(client, &msg, how & 1, how & 4 ? how >> 3 : 5);
	client_send(client, &msg);
}

static uint32_t
client_index(struct client *client)
{
	return fuzz_u8(&client->in) % QUEUES;
}

/* A ring comes up as drivers do it. */
static void
client_ring_up(struct client *client)
{
	static const uint8_t shifts[16] = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 4, 5, 6, 7, 9, 11, 12 };
	uint8_t size = fuzz_u8(&client->in), how = fuzz_u8(&client->in);
	uint32_t index = how % QUEUES;
	struct fuzz_ring *ring = &client->rings[index];
	uint16_t at = how & 16 ? fuzz_u16(&client->in) : 0;

	send_vring(client, MSG_GET_VRING_BASE, index, 0);
	fuzz_ring_close(ring);
	fuzz_ring_open(ring, &client->memory, index * FUZZ_RINGS / QUEUES, 1u << shifts[size % 16],
		       client_vu(client)->acked, at);
	if (how & 4)
		send_table(client, how >> 5);
	if (how & 8)
		send_iotlb(client);
	send_vring(client, MSG_SET_VRING_NUM, index, ring->size);
	send_vring(client, MSG_SET_VRING_BASE, index, ring->packed ? 0x8000 : at);
	send_addr(client, index);
	send_file(client, MSG_SET_VRING_CALL, index, 0);
	send_file(client, MSG_SET_VRING_KICK, index, 0);
	send_vring(client, MSG_SET_VRING_ENABLE, index, 1);
}

static void
client_vring(struct client *client)
{
	uint8_t what = fuzz_u8(&client->in);
	uint32_t index = what & 8 ? what : client_index(client);

	switch (what % 8) {
	case 0:
		send_vring(client, MSG_SET_VRING_NUM, index, fuzz_u16(&client->in));
		return;
	case 1:
		send_vring(client, MSG_SET_VRING_BASE, index, fuzz_u16(&client->in));
		return;
	case 2:
		send_vring(client, MSG_GET_VRING_BASE, index, 0);
		return;
	case 3:
		send_vring(client, MSG_SET_VRING_ENABLE, index, what >> 4);
		return;
	case 4:
		send_file(client, MSG_SET_VRING_KICK, index, what >> 4);
		return;
	case 5:
		send_file(client, MSG_SET_VRING_CALL, index, what >> 4);
		return;
	case 6:
		send_addr(client, index % QUEUES);
		return;
	default:
		send_file(client, MSG_SET_BACKEND_CHANNEL, 0, what & 16 ? 2 : what >> 4);
	}
}

static void
client_post(struct client *client)
{
	struct fuzz_ring *ring = &client->rings[client_index(client)];
	uint32_t nb = 1 + fuzz_u8(&client->in), type = fuzz_u8(&client->in) % 4;
	struct fuzz_piece pieces[3];
	struct virtio_blk_outhdr *header;
	uint64_t at;

	while (nb-- > 0) {
		at = FUZZ_DATA_IOVA + ring->posted % 128 * 4096;
		header = fuzz_memory_at(&client->memory, at, sizeof(*header));
		if (header == NULL)
			return;
		*header = (struct virtio_blk_outhdr){ .type = type, .sector = nb };
		pieces[0] = (struct fuzz_piece){ at, sizeof(*header), false };
		pieces[1] = (struct fuzz_piece){ at + 512, 512, type == VIRTIO_BLK_T_IN };
		pieces[2] = (struct fuzz_piece){ at + 2048, 1, true };
		if (!fuzz_ring_post(ring, pieces, RTE_DIM(pieces), type == 3))
			return;
	}
}

static unsigned int
client_poll(struct client *client, uint16_t index)
{
	unsigned int n = rte_vduse_blk_poll(client->blk, index);
	struct rte_vduse_vq *vq = client->blk->queues[index].vq;

	if (rte_atomic_load_explicit(&vq->state, rte_memory_order_acquire) ==
	    RTE_VDUSE_VQ_WAITING) {
		client_hold(client, false);
		fuzz_sync(client->dev);
		client_hold(client, client->held);
	}
	fuzz_ring_reap(&client->rings[index]);
	return n;
}

static void
client_polls(struct client *client)
{
	unsigned int nb = fuzz_u8(&client->in) % POLLS_MAX + 1;

	while (nb-- > 0) {
		(void)client_poll(client, 0);
		(void)client_poll(client, 1);
	}
}

static void
client_write(struct client *client)
{
	uint8_t what = fuzz_u8(&client->in);
	struct fuzz_ring *ring = &client->rings[what & 1];

	switch (what / 2 % 4) {
	case 0:
		fuzz_ring_write_desc(ring, &client->in);
		return;
	case 1:
		fuzz_ring_write_avail(ring, &client->in);
		return;
	case 2:
		fuzz_ring_write_event(ring, &client->in);
		return;
	default:
		fuzz_ring_write_bytes(ring, &client->in);
	}
}

static void
client_table(struct client *client)
{
	send_table(client, fuzz_u8(&client->in));
}

static void
client_hold_or_not(struct client *client)
{
	client->held = !client->held;
	client_hold(client, client->held);
}

static void
client_reconnect(struct client *client)
{
	client_disconnect(client);
	client_connect(client);
}

static void
client_truncate(struct client *client)
{
	uint16_t size = fuzz_u16(&client->in);

	fuzz_memory_truncate(&client->memory, size & 1 ? FUZZ_ALL : size % 512 * UINT64_C(4096));
}

/* What is to happen more often stands here more often. */
static void (*const operations[])(struct client *client) = {
	client_ring_up,     client_ring_up,   send_raw,     send_iotlb,
	client_vring,       send_features,    client_table, send_region,
	send_config,        send_inflight,    client_post,  client_polls,
	client_hold_or_not, client_reconnect, client_write, client_truncate,
};

static void
client_create(struct client *client, uint8_t how)
{
	char path[RTE_VDUSE_SOCKET_MAX];
	struct rte_vduse_blk_conf conf = {
		.size = sizeof(struct rte_vduse_blk_conf),
		.path = path,
		.queues = QUEUES,
		.queue_size = 16,
		.backend = "fault",
		.backend_args = "under=ram,size=1M",
		.socket_id = SOCKET_ID_ANY,
		.packed = (how & 1) != 0,
		.in_order = (how & 2) != 0,
		.inflight = (how & 4) != 0,
		.iommu = (how & 8) != 0,
		.postcopy = (how & 24) == 16,
	};
	unsigned int i;

	snprintf(path, sizeof(path), "%s/blk.sock", fuzz_dir());
	fuzz_check(rte_vduse_blk_create(&conf, &client->blk) == 0, "no device");
	client->dev = rte_vduse_blk_dev(client->blk);
	fuzz_check(rte_vduse_blk_start(client->blk, RTE_VDUSE_ATTACH_NONE) == 0, "no start");
	fuzz_memory_open(&client->memory);
	for (i = 0; i < QUEUES; i++)
		fuzz_ring_open(&client->rings[i], &client->memory, i * FUZZ_RINGS / QUEUES, 16, 0,
			       0);
}

/* Threads of their own close what could block: they have what is left of two seconds. */
static void
check_fds(unsigned int before)
{
	unsigned int i, now = fuzz_fds();

	for (i = 0; now > before + 2 && i < 2000; i++) {
		usleep(1000);
		now = fuzz_fds();
	}
	fuzz_check(now <= before + 2, "%u file descriptors, were %u", now, before);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct client client = { .in = { data, size }, .sock = -1, .inflight = -1, .uffd = -1 };
	unsigned int fds = fuzz_fds(), i;

	client_create(&client, fuzz_u8(&client.in));
	client_connect(&client);
	while (client.in.left > 0)
		operations[fuzz_u8(&client.in) % RTE_DIM(operations)](&client);
	client.held = false;
	client_hold(&client, false);
	for (i = 0; i < IDLE_POLLS && client_poll(&client, 0) + client_poll(&client, 1) > 0; i++)
		;
	client_disconnect(&client);
	rte_vduse_blk_destroy(client.blk);
	if (client.inflight >= 0)
		close(client.inflight);
	if (client.uffd >= 0)
		close(client.uffd);
	for (i = 0; i < QUEUES; i++)
		fuzz_ring_close(&client.rings[i]);
	fuzz_memory_close(&client.memory);
	check_fds(fds);
	return 0;
}
