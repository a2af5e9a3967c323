/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Messages about a vhost-user driver's memory: a table at once, or region by region. Everything in
 * a message is hostile.
 * Input: a message with files. Output: regions (mem.c), and the device is told of them.
 * Thread: librte_vhost's.
 */
#include <string.h>

#include <vduse/core/device.h>
#include <vduse/vhost_user/msg.h>

/* The control thread maps all anew, and answers when no poller has an old address. */
static int
msg_mem_changed(struct vhost_user *vu)
{
	struct vduse_dev_request request = { .type = VDUSE_UPDATE_IOTLB, .iova.last = UINT64_MAX };
	struct vduse_dev_response response;

	vhost_user_vring_pause(vu);
	if (vu->up)
		(void)vhost_user_ask(vu, &request, &response);
	vhost_user_vring_resume(vu);
	return RTE_VHOST_MSG_RESULT_OK;
}

static int
msg_mem_table(struct vhost_user *vu, struct msg *msg)
{
	struct vhost_user_memory table[MSG_FDS_MAX];
	int fds[MSG_FDS_MAX];
	uint32_t nb = msg->payload.table.nb;

	if (nb > MSG_FDS_MAX || vhost_user_msg_fds(msg) != (int)nb ||
	    msg->size < offsetof(struct msg, payload.table.regions[nb]) - MSG_HEAD)
		return vhost_user_msg_refuse(vu, msg, "has other descriptors than regions");
	memcpy(table, msg->payload.table.regions, nb * sizeof(table[0]));
	memcpy(fds, msg->fds, nb * sizeof(fds[0]));
	if (vhost_user_mem_set(vu, table, fds, nb) < 0)
		return vhost_user_msg_deny(msg);
	msg->nb_fds = 0;
	return msg_mem_changed(vu);
}

static bool
msg_mem_slot_ok(const struct msg *msg, int nb_fds)
{
	return msg->size >= sizeof(msg->payload.slot) && vhost_user_msg_fds(msg) == nb_fds;
}

static int
msg_mem_add(struct vhost_user *vu, struct msg *msg)
{
	struct vhost_user_memory region = msg->payload.slot.region;

	if (!msg_mem_slot_ok(msg, 1))
		return vhost_user_msg_refuse(vu, msg, "is malformed");
	if (vhost_user_mem_add(vu, &region, msg->fds[0]) < 0)
		return vhost_user_msg_deny(msg);
	msg->nb_fds = 0;
	return msg_mem_changed(vu);
}

/* Some drivers send the region's file along, which means nothing. */
static int
msg_mem_remove(struct vhost_user *vu, struct msg *msg)
{
	struct vhost_user_memory region = msg->payload.slot.region;

	if (!msg_mem_slot_ok(msg, 0) && !msg_mem_slot_ok(msg, 1))
		return vhost_user_msg_refuse(vu, msg, "is malformed");
	if (vhost_user_mem_remove(vu, &region) < 0)
		return vhost_user_msg_refuse(vu, msg, "is of no region");
	vhost_user_msg_close(msg);
	return msg_mem_changed(vu);
}

int
vhost_user_msg_mem(struct vhost_user *vu, struct msg *msg)
{
	switch (msg->type) {
	case MSG_SET_MEM_TABLE:
		return msg_mem_table(vu, msg);
	case MSG_GET_MAX_MEM_SLOTS:
		if (vhost_user_msg_fds(msg) != 0)
			return vhost_user_msg_refuse(vu, msg, "comes with descriptors");
		return vhost_user_msg_reply(msg, VHOST_USER_REGIONS_MAX);
	case MSG_ADD_MEM_REG:
		return msg_mem_add(vu, msg);
	case MSG_REM_MEM_REG:
		return msg_mem_remove(vu, msg);
	}
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}
