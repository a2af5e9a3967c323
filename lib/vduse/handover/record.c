/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Sends and receives the records of record.h.
 * Input: records and their files. Output: packets on a socket, and the reverse.
 * Thread: the application's; vduse_records_add() also control.
 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <rte_common.h>

#include <vduse/handover/record.h>

#define RECORD_ROOM_FIRST 64

/* What of a record is sent. */
struct record_head {
	uint32_t type;
	uint32_t size;
};

union record_files {
	struct cmsghdr align;
	char room[CMSG_SPACE(VDUSE_RECORD_FDS * sizeof(int))];
};

struct vduse_record *
vduse_records_add(struct vduse_records *records, uint32_t type)
{
	struct vduse_record *record;

	if (records->nb == records->room) {
		uint32_t room = RTE_MAX(2 * records->room, (uint32_t)RECORD_ROOM_FIRST);

		record = realloc(records->all, room * sizeof(*record));
		if (record == NULL)
			return NULL;
		records->all = record;
		records->room = room;
	}
	record = &records->all[records->nb++];
	memset(record, 0, sizeof(*record));
	record->type = type;
	return record;
}

void
vduse_record_file(struct vduse_record *record, int fd)
{
	record->fds[record->nb_fds++] = fd;
}

void
vduse_records_free(struct vduse_records *records)
{
	free(records->all);
	memset(records, 0, sizeof(*records));
}

void
vduse_record_limit(int socket, unsigned int ms)
{
	const struct timeval limit = { .tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000 };

	(void)setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
	(void)setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
}

static int
record_error(int err)
{
	return err == EAGAIN ? -ETIMEDOUT : -ECONNRESET;
}

int
vduse_record_send(int socket, const struct vduse_record *record)
{
	struct record_head head = { .type = record->type, .size = record->size };
	struct iovec bytes[] = {
		{ .iov_base = &head, .iov_len = sizeof(head) },
		{ .iov_base = (void *)(uintptr_t)record->data, .iov_len = record->size },
	};
	struct msghdr msg = { .msg_iov = bytes, .msg_iovlen = RTE_DIM(bytes) };
	size_t len = record->nb_fds * sizeof(int);
	union record_files files;
	ssize_t n;

	if (record->nb_fds > 0) {
		struct cmsghdr *rights;

		memset(&files, 0, sizeof(files));
		msg.msg_control = &files;
		msg.msg_controllen = CMSG_SPACE(len);
		rights = CMSG_FIRSTHDR(&msg);
		rights->cmsg_level = SOL_SOCKET;
		rights->cmsg_type = SCM_RIGHTS;
		rights->cmsg_len = CMSG_LEN(len);
		memcpy(CMSG_DATA(rights), record->fds, len);
	}
	do {
		n = sendmsg(socket, &msg, MSG_NOSIGNAL);
	} while (n < 0 && errno == EINTR);
	return n < 0 ? record_error(errno) : 0;
}

int
vduse_records_send(int socket, const struct vduse_records *records)
{
	uint32_t i;
	int ret = 0;

	for (i = 0; i < records->nb && ret == 0; i++)
		ret = vduse_record_send(socket, &records->all[i]);
	return ret;
}

static void
record_take_files(struct vduse_record *record, struct msghdr *msg)
{
	struct cmsghdr *rights = CMSG_FIRSTHDR(msg);

	if (rights == NULL || rights->cmsg_level != SOL_SOCKET || rights->cmsg_type != SCM_RIGHTS)
		return;
	record->nb_fds = (uint32_t)((rights->cmsg_len - CMSG_LEN(0)) / sizeof(int));
	memcpy(record->fds, CMSG_DATA(rights), record->nb_fds * sizeof(int));
}

int
vduse_record_recv(int socket, struct vduse_record *record)
{
	struct record_head head;
	struct iovec bytes[] = {
		{ .iov_base = &head, .iov_len = sizeof(head) },
		{ .iov_base = record->data, .iov_len = sizeof(record->data) },
	};
	union record_files files;
	struct msghdr msg = {
		.msg_iov = bytes,
		.msg_iovlen = RTE_DIM(bytes),
		.msg_control = &files,
		.msg_controllen = sizeof(files),
	};
	ssize_t n;

	memset(record, 0, offsetof(struct vduse_record, data));
	do {
		n = recvmsg(socket, &msg, MSG_CMSG_CLOEXEC);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return record_error(errno);
	if (n == 0)
		return -ECONNRESET;
	record_take_files(record, &msg);
	if ((size_t)n < sizeof(head) || (msg.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) != 0 ||
	    head.size != (size_t)n - sizeof(head)) {
		vduse_record_close(record);
		return -EPROTO;
	}
	record->type = head.type;
	record->size = head.size;
	return 0;
}

void
vduse_record_take(struct vduse_record *record, uint32_t index, int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = record->fds[index];
	record->fds[index] = -1;
}

void
vduse_record_close(struct vduse_record *record)
{
	uint32_t i;

	for (i = 0; i < record->nb_fds; i++)
		if (record->fds[i] >= 0)
			close(record->fds[i]);
	record->nb_fds = 0;
}
