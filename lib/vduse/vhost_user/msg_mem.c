/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Handlers of messages about memory: a whole table, or one region more or less.
 * Input: a message with files. Output: the new regions (mem.c), mapped by the device.
 * Thread: control.
 */
#include <errno.h>
#include <string.h>

#include <linux/virtio_net.h>

#include <rte_common.h>

#include <vduse/core/device.h>
#include <vduse/vhost_user/msg.h>
#include <vduse/vhost_user/postcopy.h>

void
vhost_user_msg_remap(struct vhost_user *vu)
{
	struct vduse_dev_request request = { .type = VDUSE_UPDATE_IOTLB,
					     .iova_v2.last = UINT64_MAX };
	struct vduse_dev_response response;

	if (vu->up)
		(void)vduse_msg_do(vu->dev, &request, &response);
}

/* The device maps all regions again. When this returns no poller uses an old address. */
static int
msg_mem_changed(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	struct vduse_iotlb *old = NULL;

	vhost_user_vring_pause(vu);
	if (vhost_user_translates(vu))
		old = vhost_user_iommu_memory(vu);
	vhost_user_msg_remap(vu);
	vduse_iotlb_free(old);
	vhost_user_vring_resume(vu);
	return vhost_user_postcopy_on(vu) ? vhost_user_msg_postcopy_memory(vu, msg) : MSG_DONE;
}

int
vhost_user_msg_mem_table(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	struct vhost_user_memory table[MSG_FDS_MAX];
	uint32_t nb = msg->payload.table.nb;
	int ret;

	if (nb > MSG_FDS_MAX || msg->nb_fds != nb ||
	    msg->size < offsetof(union msg_payload, table.regions[nb]))
		return vhost_user_msg_refuse(vu, msg, "has other descriptors than regions");
	memcpy(table, msg->payload.table.regions, nb * sizeof(table[0]));
	ret = vhost_user_mem_add(vu, 0, table, msg->fds, nb);
	if (ret < 0)
		return ret;
	msg->nb_fds = 0;
	return msg_mem_changed(vu, msg);
}

int
vhost_user_msg_mem_slots(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	RTE_SET_USED(vu);
	return vhost_user_msg_number(msg, VHOST_USER_REGIONS_MAX);
}

/* QEMU before 9.2 adds and removes each region once for each queue pair. */
static bool
msg_mem_repeats(const struct vhost_user *vu)
{
	return vu->net && (vu->dev->offered & VHOST_USER_BIT(VIRTIO_NET_F_MQ)) != 0;
}

int
vhost_user_msg_mem_add(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	struct vhost_user_memory region = msg->payload.slot.region;
	int ret;

	if (msg->nb_fds != 1)
		return vhost_user_msg_refuse(vu, msg, "is malformed");
	if (msg_mem_repeats(vu) && vhost_user_mem_has(vu, &region))
		return MSG_DONE;
	ret = vhost_user_mem_add(vu, vu->nb_regions, &region, msg->fds, 1);
	if (ret < 0)
		return ret;
	msg->nb_fds = 0;
	return msg_mem_changed(vu, msg);
}

int
vhost_user_msg_mem_remove(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	struct vhost_user_memory region = msg->payload.slot.region;
	int ret = vhost_user_mem_remove(vu, &region);

	if (ret == -ENOENT && msg_mem_repeats(vu))
		return MSG_DONE;
	if (ret == -ENOENT)
		return vhost_user_msg_refuse(vu, msg, "is of no region");
	return ret < 0 ? ret : msg_mem_changed(vu, msg);
}
