/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Virtqueues of a vhost-user driver. In flows what librte_vhost knows of one, out flow messages
 * that make the control thread start, stop or move it. librte_vhost's thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_config.h>

#include "device.h"
#include "log.h"
#include "vhost_user.h"

#define VRING_STATUS_UP                                                                            \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK |      \
	 VIRTIO_CONFIG_S_DRIVER_OK)

/* librte_vhost's form of a packed position: an index and its wrap counter above it. */
#define VRING_WRAP  15
#define VRING_INDEX ((1 << VRING_WRAP) - 1)

static bool
vring_is_packed(const struct vhost_user *vu)
{
	return (vu->features & VHOST_USER_BIT(VIRTIO_F_RING_PACKED)) != 0;
}

static int
vring_status(struct vhost_user *vu, uint8_t status)
{
	struct vduse_dev_request request = { .type = VDUSE_SET_STATUS, .s.status = status };
	struct vduse_dev_response response;

	return vhost_user_ask(vu, &request, &response);
}

static void
vring_changed(struct vhost_user *vu, uint16_t index)
{
	struct vduse_dev_request request = {
		.type = VDUSE_TRANSPORT_VQ_CHANGED,
		.vq_state.index = index,
	};
	struct vduse_dev_response response;

	(void)vhost_user_ask(vu, &request, &response);
}

/* Where a virtqueue goes on. */
static void
vring_position_get(const struct vhost_user *vu, uint16_t index, struct vduse_vq_info *info)
{
	uint16_t avail = 0, used = 0;

	(void)rte_vhost_get_vring_base(vu->vid, index, &avail, &used);
	if (!vring_is_packed(vu)) {
		info->split.avail_index = avail;
		return;
	}
	info->packed.last_avail_idx = avail & VRING_INDEX;
	info->packed.last_avail_counter = avail >> VRING_WRAP;
	info->packed.last_used_idx = used & VRING_INDEX;
	info->packed.last_used_counter = used >> VRING_WRAP;
}

/* Tells librte_vhost where a virtqueue stopped: it is asked by the driver, and by us later. */
static void
vring_position_set(const struct vhost_user *vu, uint16_t index, const struct vduse_vq_state *state)
{
	uint16_t avail = state->split.avail_index, used = avail;

	if (vring_is_packed(vu)) {
		avail = state->packed.last_avail_idx | state->packed.last_avail_counter << VRING_WRAP;
		used = state->packed.last_used_idx | state->packed.last_used_counter << VRING_WRAP;
	}
	(void)rte_vhost_set_vring_base(vu->vid, index, avail, used);
}

/* Reads a virtqueue as librte_vhost has it. -EFAULT: its rings are in no region. */
static int
vring_read(const struct vhost_user *vu, uint16_t index, struct vduse_vq_info *info, int *call)
{
	struct rte_vhost_vring vring;

	memset(info, 0, sizeof(*info));
	if (rte_vhost_get_vhost_vring(vu->vid, index, &vring) < 0)
		return -EINVAL;
	if (vhost_user_mem_iova(vu, vring.desc, (uint64_t *)&info->desc_addr) < 0 ||
	    vhost_user_mem_iova(vu, vring.avail, (uint64_t *)&info->driver_addr) < 0 ||
	    vhost_user_mem_iova(vu, vring.used, (uint64_t *)&info->device_addr) < 0)
		return -EFAULT;
	info->num = vring.size;
	info->ready = 1;
	vring_position_get(vu, index, info);
	*call = vring.callfd;
	return 0;
}

/*
 * Takes an eventfd of the driver over. A file of another kind could block whoever polls, for
 * as long as the driver likes.
 */
static int
vring_call_dup(const struct vhost_user *vu, uint16_t index, int fd)
{
	char link[32], kind[32] = "";
	int copy;

	if (fd < 0)
		return -1;
	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	if (readlink(link, kind, sizeof(kind) - 1) < 0 || strcmp(kind, "anon_inode:[eventfd]") != 0) {
		VDUSE_LOG(msg, ERR, vu->dev->name, "the call descriptor of virtqueue %u is no "
			  "eventfd: its driver gets no interrupts", index);
		return -1;
	}
	copy = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (copy < 0)
		VDUSE_LOG(msg, ERR, vu->dev->name, "no file descriptor left to interrupt the driver "
			  "of virtqueue %u: %s", index, strerror(errno));
	return copy;
}

static void
vring_write(struct vhost_user *vu, uint16_t index, const struct vduse_vq_info *info, int call)
{
	struct vhost_user_vq *vq = &vu->vqs[index];
	uint64_t life = vhost_user_inflight_life(vu, index);

	pthread_mutex_lock(&vu->lock);
	vq->info = *info;
	vq->life = life;
	if (vq->next_call >= 0)
		close(vq->next_call);
	vq->next_call = call;
	vq->recall = true;
	pthread_mutex_unlock(&vu->lock);
}

/* The first virtqueue brings the device up; the control thread then looks at all. */
static void
vring_up(struct vhost_user *vu)
{
	vu->up = true;
	(void)vring_status(vu, VRING_STATUS_UP);
}

static void
vring_features(struct vhost_user *vu)
{
	uint64_t features = 0;

	(void)rte_vhost_get_negotiated_features(vu->vid, &features);
	pthread_mutex_lock(&vu->lock);
	vu->features = features & ~VHOST_USER_BIT(VHOST_USER_F_PROTOCOL_FEATURES);
	pthread_mutex_unlock(&vu->lock);
}

void
vhost_user_vring_start(struct vhost_user *vu, uint16_t index)
{
	struct vduse_vq_info info;
	int ret, call;

	if (!vu->up)
		vring_features(vu);
	ret = vring_read(vu, index, &info, &call);
	if (ret < 0) {
		VDUSE_LOG(dev, ERR, vu->dev->name, "virtqueue %u cannot start: %s", index,
			  ret == -EFAULT ? "its rings are in no region" : strerror(-ret));
		return;
	}
	vring_write(vu, index, &info, vring_call_dup(vu, index, call));
	if (vu->up)
		vring_changed(vu, index);
	else
		vring_up(vu);
}

static bool
vring_moved(const struct vduse_vq_info *from, const struct vduse_vq_info *to)
{
	return from->desc_addr != to->desc_addr || from->driver_addr != to->driver_addr ||
	       from->device_addr != to->device_addr || from->num != to->num;
}

void
vhost_user_vring_refresh(struct vhost_user *vu, uint16_t index)
{
	struct vduse_vq_info info;
	int call;

	/* One that lost its rings is stopped by librte_vhost, right behind this. */
	if (!vu->vqs[index].info.ready || vring_read(vu, index, &info, &call) < 0)
		return;
	if (!vring_moved(&vu->vqs[index].info, &info))
		return;
	vhost_user_vring_stop(vu, index);
	vhost_user_vring_start(vu, index);
}

void
vhost_user_vring_stop(struct vhost_user *vu, uint16_t index)
{
	struct vduse_dev_request request = {
		.type = VDUSE_GET_VQ_STATE,
		.vq_state.index = index,
	};
	struct vhost_user_vq *vq = &vu->vqs[index];
	struct vduse_dev_response response;
	bool ran;

	pthread_mutex_lock(&vu->lock);
	vq->info.ready = 0;
	pthread_mutex_unlock(&vu->lock);
	vq->paused = false;
	if (!vu->up)
		return;
	vring_changed(vu, index);
	pthread_mutex_lock(&vu->lock);
	ran = vq->ran;
	vq->ran = false;
	pthread_mutex_unlock(&vu->lock);
	if (ran && vhost_user_ask(vu, &request, &response) == 0)
		vring_position_set(vu, index, &response.vq_state);
}

void
vhost_user_vring_pause(struct vhost_user *vu)
{
	uint16_t i;

	for (i = 0; i < vu->dev->nb_vqs; i++) {
		if (!vu->vqs[i].info.ready)
			continue;
		vhost_user_vring_stop(vu, i);
		vu->vqs[i].paused = true;
	}
}

void
vhost_user_vring_resume(struct vhost_user *vu)
{
	struct vduse_vq_info info;
	uint16_t i;
	int call;

	for (i = 0; i < vu->dev->nb_vqs; i++) {
		bool paused = vu->vqs[i].paused;

		vu->vqs[i].paused = false;
		/* One that lost its rings is not ready any more for librte_vhost either. */
		if (paused && vring_read(vu, i, &info, &call) == 0)
			vhost_user_vring_start(vu, i);
	}
}

bool
vhost_user_vring_any(struct vhost_user *vu)
{
	uint16_t i;

	for (i = 0; i < vu->dev->nb_vqs; i++)
		if (vu->vqs[i].info.ready)
			return true;
	return false;
}

static void
vring_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* Nothing of the driver's stays. A poller that nobody stopped may still write its call fd. */
static void
vring_let_go(struct vhost_user *vu, bool stopped)
{
	uint16_t i;

	pthread_mutex_lock(&vu->lock);
	for (i = 0; i < vu->dev->nb_vqs; i++) {
		vring_close(&vu->vqs[i].next_call);
		if (stopped)
			vring_close(&vu->vqs[i].call);
	}
	pthread_mutex_unlock(&vu->lock);
}

void
vhost_user_vring_reset(struct vhost_user *vu)
{
	uint16_t i;

	pthread_mutex_lock(&vu->lock);
	for (i = 0; i < vu->dev->nb_vqs; i++) {
		vu->vqs[i].info.ready = 0;
		vu->vqs[i].ran = false;
		vu->vqs[i].paused = false;
	}
	pthread_mutex_unlock(&vu->lock);
	vring_let_go(vu, !vu->up || vring_status(vu, 0) == 0);
	vu->up = false;
}
