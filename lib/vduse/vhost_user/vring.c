/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Virtqueues of a vhost-user driver.
 * Input: what the driver configured of a ring. Output: the device starts, stops or moves a
 * virtqueue.
 * Thread: control.
 */
#include <errno.h>
#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ring.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/vhost_user/vhost_user.h>

#define VRING_STATUS_UP                                                                            \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK |      \
	 VIRTIO_CONFIG_S_DRIVER_OK)

/* A packed position in the protocol: an index in bits 0-14, its wrap counter in bit 15. */
#define VRING_WRAP  15
#define VRING_INDEX ((1 << VRING_WRAP) - 1)

/* Bytes of a ring, without the event index fields, which a driver may not have mapped. */
#define VRING_DESC_SIZE(size)  (UINT64_C(16) * (size))
#define VRING_AVAIL_SIZE(size) (4 + UINT64_C(2) * (size))
#define VRING_USED_SIZE(size)  (4 + UINT64_C(8) * (size))

static bool
vring_is_packed(const struct vhost_user *vu)
{
	return (vu->features & VHOST_USER_BIT(VIRTIO_F_RING_PACKED)) != 0;
}

static void
vring_status(struct vhost_user *vu, uint8_t status)
{
	struct vduse_dev_request request = { .type = VDUSE_SET_STATUS, .s.status = status };
	struct vduse_dev_response response;

	(void)vduse_msg_do(vu->dev, &request, &response);
}

static void
vring_changed(struct vhost_user *vu, uint16_t index)
{
	struct vduse_dev_request request = {
		.type = VDUSE_TRANSPORT_VQ_CHANGED,
		.vq_state.index = index,
	};
	struct vduse_dev_response response;

	(void)vduse_msg_do(vu->dev, &request, &response);
}

/* Fills in what core/ reads of a virtqueue. -EFAULT: its rings are in no region. */
static int
vring_read(const struct vhost_user *vu, uint16_t index, struct vduse_vq_info *info)
{
	const struct vhost_user_ring *ring = &vu->vqs[index].ring;
	uint64_t driver_size = sizeof(struct vring_packed_desc_event), device_size = driver_size;
	uint64_t desc, driver, device;

	memset(info, 0, sizeof(*info));
	if (!vring_is_packed(vu)) {
		driver_size = VRING_AVAIL_SIZE(ring->size);
		device_size = VRING_USED_SIZE(ring->size);
	}
	/* Behind an IOMMU they are addresses of the driver, which the device asks for as for others. */
	desc = ring->desc;
	driver = ring->driver;
	device = ring->device;
	if (!vhost_user_iommu_on(vu) &&
	    (vhost_user_mem_iova(vu, ring->desc, VRING_DESC_SIZE(ring->size), &desc) < 0 ||
	     vhost_user_mem_iova(vu, ring->driver, driver_size, &driver) < 0 ||
	     vhost_user_mem_iova(vu, ring->device, device_size, &device) < 0))
		return -EFAULT;
	info->desc_addr = desc;
	info->driver_addr = driver;
	info->device_addr = device;
	info->num = ring->size;
	info->ready = 1;
	if (!vring_is_packed(vu)) {
		info->split.avail_index = ring->avail;
		return 0;
	}
	info->packed.last_avail_idx = ring->avail & VRING_INDEX;
	info->packed.last_avail_counter = ring->avail >> VRING_WRAP;
	info->packed.last_used_idx = ring->used & VRING_INDEX;
	info->packed.last_used_counter = ring->used >> VRING_WRAP;
	return 0;
}

/*
 * Replaces the call of a virtqueue, which may be running: its lock excludes the poller, which uses
 * the call only within a burst.
 * The new one is signalled once, because interrupts were lost if there was none, and the driver may
 * not have read the old eventfd. A spurious interrupt does no harm. Without the lock, because the
 * driver decides how long it takes.
 */
void
vhost_user_vring_call(struct vhost_user *vu, uint16_t index, int fd)
{
	struct rte_vduse_vq *vq = &vu->dev->vqs[index];
	struct vhost_user_call *call = NULL, *old;

	/* Another type of file could block the poller as long as the driver likes. */
	if (fd >= 0 && !vhost_user_file_is_eventfd(fd))
		VDUSE_LOG_DRIVER(vu->dev, msg, ERR,
				 "the call descriptor of virtqueue %u is no eventfd: its driver "
				 "gets no interrupts",
				 index);
	else if (fd >= 0)
		call = vhost_user_call_open(vu->dev->name, index, fd);
	rte_spinlock_lock(&vq->lock);
	old = vu->vqs[index].call;
	vu->vqs[index].call = call;
	vduse_vq_call_begin(vq);
	rte_spinlock_unlock(&vq->lock);
	if (call != NULL && vu->vqs[index].info.ready)
		(void)vhost_user_call_send(call);
	vduse_vq_call_end(vq);
	vhost_user_call_close(old);
}

void
vhost_user_vring_announce(struct vhost_user *vu)
{
	if (!vu->up || !vu->announces)
		return;
	vu->announces = false;
	vu->dev->ops->announce(vu->dev, vu->announce, vu->dev->arg);
}

int
vhost_user_vring_go(struct vhost_user *vu, uint16_t index)
{
	struct vhost_user_vq *vq = &vu->vqs[index];
	/* Without protocol features there is no message to enable a virtqueue. */
	bool enabled = vq->ring.enabled || !(vu->acked & VHOST_USER_BIT(MSG_F_PROTOCOL_FEATURES));
	struct vduse_vq_info info;
	int ret;

	if (vq->ring.size == 0 || !vq->ring.placed || !vq->ring.kicked || !enabled || vu->arriving)
		return 0;
	if (!vu->up)
		vu->features = vu->acked & ~VHOST_USER_NOT_VIRTIO;
	ret = vring_read(vu, index, &info);
	if (ret < 0)
		return ret;
	vq->ring.paused = false;
	vq->info = info;
	vq->cookie = vhost_user_inflight_cookie(vu, index);
	if (vu->up) {
		vring_changed(vu, index);
		return 0;
	}
	rte_atomic_store_explicit(&vu->dev->asks, vhost_user_translates(vu),
				  rte_memory_order_relaxed);
	if (vu->dev->asks && vu->iommu.memory == NULL)
		(void)vhost_user_iommu_memory(vu);
	/* The first virtqueue sets DRIVER_OK, upon which core/ starts all that are ready. */
	vu->up = true;
	vring_status(vu, VRING_STATUS_UP);
	vhost_user_vring_announce(vu);
	return 0;
}

/* Stops a virtqueue that has no request in flight. */
static void
vring_halt(struct vhost_user *vu, uint16_t index)
{
	struct vduse_dev_request request = {
		.type = VDUSE_GET_VQ_STATE,
		.vq_state.index = index,
	};
	struct vhost_user_ring *ring = &vu->vqs[index].ring;
	const struct vduse_vq_state_packed *state;
	struct vduse_dev_response response;
	/* Only a started virtqueue has a kick fd, and a position in core/. */
	bool ran = vu->dev->vqs[index].kick_fd >= 0;

	vu->vqs[index].info.ready = 0;
	if (!vu->up)
		return;
	vring_changed(vu, index);
	if (!ran || vduse_msg_do(vu->dev, &request, &response) != 0)
		return;
	/* For GET_VRING_BASE, and for a restart without SET_VRING_BASE. */
	if (!vring_is_packed(vu)) {
		ring->avail = response.vq_state.split.avail_index;
		ring->used = ring->avail;
		return;
	}
	state = &response.vq_state.packed;
	ring->avail = (uint16_t)(state->last_avail_idx | state->last_avail_counter << VRING_WRAP);
	ring->used = (uint16_t)(state->last_used_idx | state->last_used_counter << VRING_WRAP);
}

struct vhost_user_ring *
vhost_user_vring_edit(struct vhost_user *vu, uint16_t index)
{
	if (vu->vqs[index].info.ready) {
		if (vu->up && vduse_drain(vu->dev, index, 1, false) < 0)
			return NULL;
		vring_halt(vu, index);
	}
	return &vu->vqs[index].ring;
}

void
vhost_user_vring_pause(struct vhost_user *vu)
{
	struct vduse_vq_info info;
	uint16_t i;
	int ret;

	for (i = 0; i < vu->dev->nb_vqs; i++) {
		struct vhost_user_vq *vq = &vu->vqs[i];

		if (!vq->info.ready)
			continue;
		ret = vring_read(vu, i, &info);
		if (ret == 0 && vq->info.desc_addr == info.desc_addr &&
		    vq->info.driver_addr == info.driver_addr &&
		    vq->info.device_addr == info.device_addr)
			continue;
		if (ret < 0)
			VDUSE_LOG_DRIVER(vu->dev, dev, ERR,
					 "virtqueue %u stopped: its rings are in no region any "
					 "more, it starts again when they are",
					 i);
		vring_halt(vu, i);
		vq->ring.paused = true;
	}
}

/* QEMU resizes a region by removing and adding it: in between the rings are in no region. */
void
vhost_user_vring_resume(struct vhost_user *vu)
{
	uint16_t i;

	for (i = 0; i < vu->dev->nb_vqs; i++)
		if (vu->vqs[i].ring.paused)
			(void)vhost_user_vring_go(vu, i);
}

bool
vhost_user_vring_any(const struct vhost_user *vu)
{
	uint16_t i;

	for (i = 0; i < vu->dev->nb_vqs; i++)
		if (vu->vqs[i].info.ready)
			return true;
	return false;
}

int
vhost_user_vring_reset(struct vhost_user *vu)
{
	uint16_t i;

	if (vu->up && vduse_drain(vu->dev, 0, vu->dev->nb_vqs, true) < 0)
		return -EINPROGRESS;
	for (i = 0; i < vu->dev->nb_vqs; i++)
		vu->vqs[i].info.ready = 0;
	if (vu->up)
		vring_status(vu, 0);
	vu->up = false;
	rte_atomic_store_explicit(&vu->dev->asks, false, rte_memory_order_relaxed);
	vhost_user_iommu_clear(vu);
	return 0;
}

int
vhost_user_vring_forget(struct vhost_user *vu)
{
	int ret = vhost_user_vring_reset(vu);
	uint16_t i;

	if (ret < 0)
		return ret;
	for (i = 0; i < vu->dev->nb_vqs; i++) {
		vhost_user_vring_call(vu, i, -1);
		vhost_user_kick_from(vu, i, -1);
		vu->vqs[i].ring = (struct vhost_user_ring){ 0 };
	}
	vu->announces = false;
	return 0;
}
