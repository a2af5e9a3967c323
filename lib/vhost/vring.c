/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Virtqueues: addresses, positions, calls and notifications. Ids of other devices go on to
 * librte_vhost.
 * Thread: the application's.
 */
#include <errno.h>

#include <rte_byteorder.h>

#include <vhost/vhost.h>

int
rte_vhost_get_vhost_vring(int vid, uint16_t vring_idx, struct rte_vhost_vring *vring)
{
	struct vhost_dev *dev = vhost_dev_get(vid);
	struct vhost_vq *vq;

	if (dev == NULL)
		return VHOST_REAL(get_vhost_vring, -ENOTSUP, vid, vring_idx, vring);
	vq = vhost_vq_get(dev, vring_idx);
	if (vq == NULL || vring == NULL)
		return -1;
	vhost_lock();
	*vring = vq->vring;
	/* Once the device is down, nothing waits for the application to drop its addresses. */
	if (dev->up)
		dev->raw = true;
	else
		*vring = vhost_ring_none;
	vhost_unlock();
	return 0;
}

int
rte_vhost_get_vring_base(int vid, uint16_t queue_id, uint16_t *last_avail_idx,
			 uint16_t *last_used_idx)
{
	struct vhost_dev *dev = vhost_dev_get(vid);
	struct vhost_vq *vq;

	if (dev == NULL)
		return VHOST_REAL(get_vring_base, -ENOTSUP, vid, queue_id, last_avail_idx,
				  last_used_idx);
	vq = vhost_vq_get(dev, queue_id);
	if (vq == NULL || last_avail_idx == NULL || last_used_idx == NULL)
		return -1;
	vhost_lock();
	*last_used_idx = vhost_ring_position(vq);
	/* Requests in flight are listed for submission again, so the position is after them. */
	*last_avail_idx = (uint16_t)(*last_used_idx + (vq->based ? 0 : vq->nb_resubmit));
	vhost_unlock();
	return 0;
}

int
rte_vhost_set_vring_base(int vid, uint16_t queue_id, uint16_t last_avail_idx,
			 uint16_t last_used_idx)
{
	struct vhost_dev *dev = vhost_dev_get(vid);
	struct vhost_vq *vq;

	if (dev == NULL)
		return VHOST_REAL(set_vring_base, -ENOTSUP, vid, queue_id, last_avail_idx,
				  last_used_idx);
	vq = vhost_vq_get(dev, queue_id);
	/* lib/virtio_net keeps the positions of its rings. */
	if (vq == NULL || dev->builtin)
		return -1;
	vhost_lock();
	vq->based = true;
	vq->base = last_avail_idx;
	vhost_unlock();
	return 0;
}

int
rte_vhost_vring_call(int vid, uint16_t vring_idx)
{
	struct vhost_dev *dev = vhost_dev_get(vid);
	struct vhost_vq *vq;

	if (dev == NULL)
		return VHOST_REAL(vring_call, -ENOTSUP, vid, vring_idx);
	vq = vhost_vq_get(dev, vring_idx);
	if (vq == NULL)
		return -1;
	return rte_vduse_vq_call(vq->vq) < 0 ? -1 : 0;
}

/* rte_vhost_vring_call() does not block either. */
int
rte_vhost_vring_call_nonblock(int vid, uint16_t vring_idx)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(vring_call_nonblock, -ENOTSUP, vid, vring_idx);
	return rte_vhost_vring_call(vid, vring_idx);
}

void
rte_vhost_notify_guest(int vid, uint16_t queue_id)
{
	if (vhost_dev_get(vid) == NULL)
		VHOST_REAL(notify_guest, (void)0, vid, queue_id);
	else
		(void)rte_vhost_vring_call(vid, queue_id);
}

int
rte_vhost_enable_guest_notification(int vid, uint16_t queue_id, int enable)
{
	struct vhost_dev *dev = vhost_dev_get(vid);
	struct vhost_vq *vq;
	int ret = -1;

	if (dev == NULL)
		return VHOST_REAL(enable_guest_notification, -ENOTSUP, vid, queue_id, enable);
	vq = vhost_vq_get(dev, queue_id);
	if (vq == NULL)
		return -1;
	if (dev->builtin)
		return rte_vduse_net_notify(dev->net, queue_id, enable != 0) < 0 ? -1 : 0;
	vhost_lock();
	if (vq->vring.used != NULL) {
		vhost_ring_notify(vq, enable != 0);
		ret = 0;
	}
	vhost_unlock();
	return ret;
}

/* The avail index does not move until the virtqueue stops. */
int
rte_vhost_get_monitor_addr(int vid, uint16_t queue_id, struct rte_vhost_power_monitor_cond *pmc)
{
	struct vhost_dev *dev = vhost_dev_get(vid);
	struct vhost_vq *vq;
	int ret = -1;

	if (dev == NULL)
		return VHOST_REAL(get_monitor_addr, -ENOTSUP, vid, queue_id, pmc);
	vq = vhost_vq_get(dev, queue_id);
	if (vq == NULL || pmc == NULL)
		return -1;
	vhost_lock();
	if (vq->vring.avail != NULL && !vq->packed) {
		*pmc = (struct rte_vhost_power_monitor_cond){
			.addr = &vq->vring.avail->idx,
			.val = rte_cpu_to_le_16(vhost_ring_position(vq)),
			.mask = UINT16_MAX,
			.size = sizeof(vq->vring.avail->idx),
			.match = 0,
		};
		ret = 0;
	}
	vhost_unlock();
	return ret;
}
