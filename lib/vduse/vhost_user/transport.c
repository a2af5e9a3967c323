/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The vhost-user transport: the operations of transport.h, by what the client configured
 * (vhost_user.h).
 * Input: calls of core/. Output: virtqueues, memory, features; interrupts of the driver.
 * Thread: control, and the thread that creates the device; polling threads for vq_call.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_ids.h>

#include <rte_common.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/handover/handover.h>
#include <vduse/vhost_user/postcopy.h>
#include <vduse/vhost_user/vhost_user.h>

static void
vhost_user_free(struct vhost_user *vu)
{
	pthread_mutex_destroy(&vu->lock);
	if (vu->closer != NULL)
		vhost_user_closer_free(vu->closer);
	free(vu->config);
	free(vu);
}

static struct vhost_user *
vhost_user_alloc(struct rte_vduse_dev *dev, const struct rte_vduse_dev_conf *conf)
{
	struct vhost_user *vu;
	uint16_t i;

	vu = calloc(1, sizeof(*vu) + conf->nb_vqs * sizeof(vu->vqs[0]));
	if (vu == NULL)
		return NULL;
	pthread_mutex_init(&vu->lock, NULL);
	vu->dev = dev;
	strcpy(vu->path, conf->path); /* dev_conf_check() has measured it */
	vu->client = conf->client;
	vu->any_memory = conf->any_memory;
	/* A device type that maps rings itself keeps no virtqueue waiting for an address. */
	vu->iommu_offered = conf->iommu && conf->ops->vq_remap == NULL;
	vu->postcopy_offered = conf->postcopy && !conf->iommu && conf->ops->vq_remap == NULL;
	vu->offered = dev->offered;
	if (!vu->iommu_offered)
		vu->offered &= ~VHOST_USER_BIT(VIRTIO_F_ACCESS_PLATFORM);
	vhost_user_conn_offer(vu, conf->from != NULL ? conf->from->hello.left.offered : UINT64_MAX);
	vu->net = conf->device_id == VIRTIO_ID_NET;
	vu->arriving = conf->from != NULL;
	vu->listener = -1;
	vu->timer = -1;
	vu->conn = -1;
	vu->inflight = -1;
	vu->channel = -1;
	for (i = 0; i < conf->nb_vqs; i++) {
		vu->vqs[i].kick = -1;
		vu->vqs[i].kick_to = -1;
		vu->vqs[i].kick_epoll = -1;
	}
	vu->config = calloc(1, conf->config_size + 1);
	vu->closer = vhost_user_closer_new();
	if (vu->config == NULL || vu->closer == NULL) {
		vhost_user_free(vu);
		return NULL;
	}
	memcpy(vu->config, conf->config, conf->config_size);
	return vu;
}

/*
 * A client sends its state again when it reconnects; the features are in the dead process's state
 * file.
 */
static int
vhost_user_left(const char *path, void *priv, struct rte_vduse_left *left)
{
	int ret = vduse_state_read(path, left);

	RTE_SET_USED(priv);
	return ret == 0 && left->features == 0 ? -ENOENT : ret;
}

/*
 * Checks that the socket can be made, before the device is. In client mode another process makes
 * the socket and its folder, maybe later.
 */
static int
vhost_user_check_path(const char *name, const struct rte_vduse_dev_conf *conf)
{
	int ret, lock;

	if (conf->client || conf->from != NULL)
		return 0;
	lock = vhost_user_path_lock(name, conf->path);
	if (lock == -EBUSY)
		return lock;
	ret = vhost_user_path_prepare(name, conf->path);
	if (lock >= 0)
		close(lock);
	return ret;
}

static int
vhost_user_create(struct rte_vduse_dev *dev, const struct rte_vduse_dev_conf *conf)
{
	struct vhost_user *vu;
	int ret = vhost_user_check_path(dev->name, conf);

	if (ret < 0)
		return ret;
	ret = conf->postcopy ? vhost_user_postcopy_probe() : 0;
	if (ret < 0) {
		VDUSE_LOG(dev, ERR, dev->name, "no post-copy, for want of userfaultfd(2): %s",
			  strerror(-ret));
		return ret;
	}
	vu = vhost_user_alloc(dev, conf);
	if (vu == NULL) {
		VDUSE_LOG(dev, ERR, dev->name, "no memory for a socket");
		return -ENOMEM;
	}
	ret = vhost_user_path_access(vu, conf);
	if (ret < 0)
		goto free_socket;
	ret = vhost_user_socket_open(vu);
	if (ret < 0) {
		VDUSE_LOG(dev, ERR, dev->name, "no file descriptor left: %s", strerror(-ret));
		goto free_socket;
	}
	dev->transport_priv = vu;
	dev->vq_size_max = VHOST_USER_VRING_SIZE_MAX;
	return 0;

free_socket:
	vhost_user_free(vu);
	return ret;
}

/* After the control thread has dropped the device. */
static void
vhost_user_destroy(struct rte_vduse_dev *dev)
{
	struct vhost_user *vu = dev->transport_priv;
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++) {
		vhost_user_call_close(vu->vqs[i].call);
		vhost_user_kick_from(vu, i, -1);
	}
	vhost_user_conn_close(vu);
	vhost_user_socket_close(vu);
	vhost_user_free(vu);
}

static int
vhost_user_start(struct rte_vduse_dev *dev)
{
	if (dev->from != NULL)
		return vhost_user_take_start(dev->transport_priv);
	return vhost_user_socket_start(dev->transport_priv);
}

static void
vhost_user_detach(struct rte_vduse_dev *dev)
{
	vhost_user_socket_stop(dev->transport_priv);
}

static int
vhost_user_region(struct rte_vduse_dev *dev, uint32_t asid, uint64_t from,
		  struct vduse_file_region *region)
{
	struct vhost_user *vu = dev->transport_priv;

	RTE_SET_USED(asid); /* vhost-user has one address space */
	if (vhost_user_translates(vu))
		return vhost_user_iommu_region(vu, from, region);
	return vhost_user_mem_region(vu, from, region);
}

static int
vhost_user_miss(struct rte_vduse_dev *dev, uint64_t iova, bool write, bool given_up)
{
	struct vhost_user *vu = dev->transport_priv;

	if (!vhost_user_postcopy_on(vu))
		return vhost_user_channel_miss(dev, iova, write, given_up);
	return given_up ? 0 : vhost_user_postcopy_ask(vu, iova);
}

/* vhost-user has no bounce buffer to replace. */
static int
vhost_user_umem(struct rte_vduse_dev *dev, bool add, void *va, uint64_t iova, uint64_t size)
{
	RTE_SET_USED(dev);
	RTE_SET_USED(add);
	RTE_SET_USED(va);
	RTE_SET_USED(iova);
	RTE_SET_USED(size);
	return -ENOTSUP;
}

static int
vhost_user_features(struct rte_vduse_dev *dev, uint64_t *features)
{
	const struct vhost_user *vu = dev->transport_priv;

	*features = vu->features;
	return 0;
}

/* The driver chooses the size, up to dev->vq_size_max. */
static int
vhost_user_vq_setup(struct rte_vduse_dev *dev, uint16_t index, uint16_t max_size)
{
	RTE_SET_USED(dev);
	RTE_SET_USED(index);
	RTE_SET_USED(max_size);
	return 0;
}

static int
vhost_user_vq_info(struct rte_vduse_dev *dev, uint16_t index, struct vduse_vq_info *info)
{
	const struct vhost_user *vu = dev->transport_priv;

	*info = vu->vqs[index].info;
	info->index = index;
	return 0;
}

static uint64_t
vhost_user_vq_life(struct rte_vduse_dev *dev, uint16_t index)
{
	const struct vhost_user *vu = dev->transport_priv;

	return vu->vqs[index].cookie;
}

static int
vhost_user_vq_kick_fd(struct rte_vduse_dev *dev, uint16_t index, int fd)
{
	vhost_user_kick_to(dev->transport_priv, index, fd);
	return 0;
}

static void
vhost_user_vq_wake_epoll(struct rte_vduse_dev *dev, uint16_t index, int epoll_fd, void *ptr)
{
	vhost_user_kick_epoll(dev->transport_priv, index, epoll_fd, ptr);
}

static int
vhost_user_vq_call(struct rte_vduse_dev *dev, uint16_t index)
{
	const struct vhost_user *vu = dev->transport_priv;

	if (vu->vqs[index].call == NULL)
		return -EINVAL;
	return vhost_user_call_send(vu->vqs[index].call);
}

static int
vhost_user_config_set(struct rte_vduse_dev *dev, uint32_t offset, const void *data, uint32_t len)
{
	struct vhost_user *vu = dev->transport_priv;

	pthread_mutex_lock(&vu->lock);
	memcpy(vu->config + offset, data, len);
	pthread_mutex_unlock(&vu->lock);
	return 0;
}

const struct vduse_transport_ops vduse_transport_vhost_user = {
	.left = vhost_user_left,
	.create = vhost_user_create,
	.destroy = vhost_user_destroy,
	.start = vhost_user_start,
	.detach = vhost_user_detach,
	.serve = vhost_user_serve,
	.region = vhost_user_region,
	.miss = vhost_user_miss,
	.umem = vhost_user_umem,
	.features = vhost_user_features,
	.vq_setup = vhost_user_vq_setup,
	.vq_info = vhost_user_vq_info,
	.vq_life = vhost_user_vq_life,
	.vq_kick_fd = vhost_user_vq_kick_fd,
	.vq_wake_epoll = vhost_user_vq_wake_epoll,
	.vq_call = vhost_user_vq_call,
	.config_set = vhost_user_config_set,
	.config_call = vhost_user_channel_config,
	.give_ready = vhost_user_give_ready,
	.give = vhost_user_give,
	.give_hold = vhost_user_give_hold,
	.given = vhost_user_given,
	.take = vhost_user_take,
	.tells_ready = true,
	.writes_config = true,
	.reconnects = true,
};
