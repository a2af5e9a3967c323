/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Handlers of messages about post-copy: the guest runs here before all of its memory has arrived.
 * Input: a message. Output: the state of postcopy.c; a reply.
 * Thread: control.
 */
#include <errno.h>

#include <vduse/core/device.h>
#include <vduse/vhost_user/msg.h>
#include <vduse/vhost_user/postcopy.h>

/* It has a reply with the file, or with none: then the front end gives the migration up. */
int
vhost_user_msg_postcopy_advise(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	int fd;

	if (!vu->postcopy_offered)
		return vhost_user_msg_refuse(vu, msg, "belongs to a feature that is not offered");
	fd = vhost_user_postcopy_open(vu);
	msg->size = 0;
	msg->nb_fds = fd >= 0 ? 1 : 0;
	msg->fds[0] = fd;
	return MSG_ANSWER;
}

int
vhost_user_msg_postcopy_listen(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	if (vu->postcopy == NULL)
		return vhost_user_msg_refuse(vu, msg, "comes without POSTCOPY_ADVISE");
	/* What is mapped already could be populated, and would then not arrive. */
	if (vu->nb_regions > 0)
		return vhost_user_msg_refuse(vu, msg, "comes after memory was described");
	vhost_user_postcopy_listen(vu);
	return MSG_DONE;
}

int
vhost_user_msg_postcopy_end(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	int ret;

	if (vu->postcopy == NULL)
		return vhost_user_msg_refuse(vu, msg, "comes without POSTCOPY_ADVISE");
	/* Memory is mapped again. */
	ret = vu->up ? vduse_drain(vu->dev, 0, vu->dev->nb_vqs, false) : 0;
	if (ret < 0)
		return ret;
	vhost_user_postcopy_close(vu);
	rte_atomic_store_explicit(&vu->dev->asks, false, rte_memory_order_relaxed);
	vhost_user_msg_remap(vu);
	vhost_user_iommu_clear(vu);
	return MSG_DONE;
}

int
vhost_user_msg_postcopy_memory(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	int ret = vhost_user_postcopy_memory(vu);
	uint32_t i;

	if (ret < 0)
		return ret;
	if (msg->type == MSG_REM_MEM_REG)
		return MSG_DONE;
	if (msg->type == MSG_ADD_MEM_REG) {
		msg->payload.slot.region.user =
			vhost_user_postcopy_va(vu, msg->payload.slot.region.first);
		return MSG_ANSWER;
	}
	for (i = 0; i < msg->payload.table.nb; i++)
		msg->payload.table.regions[i].user =
			vhost_user_postcopy_va(vu, msg->payload.table.regions[i].first);
	return MSG_ANSWER;
}

bool
vhost_user_msg_is_postcopy_go(const struct vhost_user *vu, const struct vhost_user_msg *msg)
{
	return vhost_user_postcopy_on(vu) && msg->size == sizeof(msg->payload.u64) &&
	       msg->nb_fds == 0 &&
	       (msg->type == 0 || msg->type == MSG_SET_MEM_TABLE || msg->type == MSG_ADD_MEM_REG ||
		msg->type == MSG_REM_MEM_REG);
}

int
vhost_user_msg_postcopy_go(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	if (msg->payload.u64 != 0)
		return vhost_user_msg_drop(vu, "it cannot send the pages that are waited for");
	vhost_user_postcopy_go(vu);
	return MSG_DONE;
}
