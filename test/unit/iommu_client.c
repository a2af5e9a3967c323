/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See iommu_client.h. */
#include "iommu_client.h"

#include <sys/socket.h>
#include <unistd.h>

int
iommu_client_channel(int client)
{
	struct vhost_user_msg msg = vhost_client_msg(MSG_SET_BACKEND_CHANNEL, 0, 0, true);
	const struct timeval patience = { .tv_sec = UNIT_PATIENCE_MS / 1000 };
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
	vhost_client_send(client, &msg, 1, pair[1]);
	assert_int_equal(vhost_client_answer(client, MSG_SET_BACKEND_CHANNEL), 0);
	close(pair[1]);
	assert_int_equal(setsockopt(pair[0], SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)),
			 0);
	return pair[0];
}

struct vhost_user_msg
iommu_client_msg(uint8_t type, uint64_t iova, uint64_t size, uint64_t user, uint8_t perm)
{
	struct vhost_user_msg msg = vhost_client_msg(MSG_IOTLB, 0, sizeof(struct msg_iotlb), true);

	msg.payload.iotlb = (struct msg_iotlb){ iova, size, user, perm, type, { 0 } };
	return msg;
}

uint64_t
iommu_client_tell(int client, uint8_t type, uint64_t iova, uint64_t size, uint64_t user,
		  uint8_t perm)
{
	struct vhost_user_msg msg = iommu_client_msg(type, iova, size, user, perm);

	vhost_client_send(client, &msg, 0, -1);
	return vhost_client_answer(client, MSG_IOTLB);
}

void
iommu_client_asked(int channel, uint8_t type, uint64_t iova, uint8_t perm)
{
	struct {
		uint32_t type, flags, size;
		struct msg_iotlb miss;
	} __attribute__((packed)) msg;

	assert_int_equal(recv(channel, &msg, sizeof(msg), MSG_WAITALL), sizeof(msg));
	assert_int_equal(msg.type, MSG_BACKEND_IOTLB);
	assert_int_equal(msg.flags, MSG_VERSION);
	assert_int_equal(msg.size, sizeof(msg.miss));
	assert_int_equal(msg.miss.type, type);
	assert_int_equal(msg.miss.iova, iova);
	assert_int_equal(msg.miss.perm, perm);
}

void
iommu_client_asked_nothing(int channel)
{
	uint8_t byte;

	unit_ctrl_turn();
	assert_int_equal(recv(channel, &byte, 1, MSG_DONTWAIT), -1);
}
