/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Handler of the message that maps or unmaps a range of a driver behind an IOMMU.
 * Input: a message. Output: the translations of iommu.c, used by the virtqueues at once.
 * Thread: control.
 */
#include <errno.h>

#include <vduse/core/device.h>
#include <vduse/vhost_user/msg.h>

int
vhost_user_msg_iotlb(struct vhost_user *vu, struct vhost_user_msg *msg)
{
	uint64_t first = msg->payload.iotlb.iova, last = first + msg->payload.iotlb.size - 1;
	uint8_t type = msg->payload.iotlb.type, perm = msg->payload.iotlb.perm;
	int ret = 0;

	if (!vu->iommu_offered)
		return vhost_user_msg_refuse(vu, msg, "belongs to a feature that is not offered");
	if (!vhost_user_iommu_on(vu))
		return vhost_user_msg_refuse(vu, msg, "belongs to a feature that is not acked");
	if (type != MSG_IOTLB_UPDATE && type != MSG_IOTLB_INVALIDATE)
		return vhost_user_msg_refuse(vu, msg, "is neither an update nor an invalidation");
	/*
	 * The size of the whole address space is 0 in 64 bits. To drop too much does no harm, to keep
	 * what is invalid does.
	 */
	if (type == MSG_IOTLB_INVALIDATE && last < first)
		last = UINT64_MAX;
	if (type == MSG_IOTLB_UPDATE && (msg->payload.iotlb.size == 0 || last < first))
		return vhost_user_msg_refuse(vu, msg, "has a range that is empty or wraps around");
	if (type == MSG_IOTLB_UPDATE && (perm == 0 || perm > VDUSE_ACCESS_RW))
		return vhost_user_msg_refuse(vu, msg, "permits no access");
	/* Requests in flight may use what is mapped there. */
	if (vhost_user_iommu_holds(vu, first, last)) {
		if (vu->up)
			ret = vduse_drain(vu->dev, 0, vu->dev->nb_vqs, false);
		if (ret < 0)
			return ret;
		vhost_user_iommu_unmap(vu, first, last);
	} else if (type == MSG_IOTLB_INVALIDATE) {
		return MSG_DONE;
	}
	if (type == MSG_IOTLB_UPDATE)
		ret = vhost_user_iommu_map(vu, first, last, msg->payload.iotlb.user, perm);
	vhost_user_msg_remap(vu);
	if (ret == -EFAULT)
		return vhost_user_msg_refuse(vu, msg, "maps memory that is in no region");
	if (ret == -EINVAL)
		return vhost_user_msg_refuse(vu, msg, "maps to another offset in a page");
	return ret < 0 ? ret : MSG_DONE;
}
