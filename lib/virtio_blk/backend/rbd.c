/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The rbd backend: an image in a Ceph cluster, through librbd. See backend.h.
 * Input: the names of a pool and an image. Output: the open image. Thread: the application's; the
 * threads of librbd inherit its affinity, so they do not run on polling lcores.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_vduse_compat.h>

#include <virtio_blk/backend/rbd.h>
#include <virtio_blk/blk.h>

/* Timeout to connect to a cluster, in seconds. That to open an image is timeout=. */
#define IMAGE_CONNECT_S "30"

/* Default of librbd: it discards no smaller part of an object. */
#define IMAGE_DISCARD_SIZE 65536

/* Backend arguments. */
struct image_args {
	char *pool;
	char *space; /* in the pool */
	char *image;
	char *user;
	char *conf;
	char *timeout; /* s, of an operation */
};

static int
image_error(const char *device, const char *what, const char *name, int ret)
{
	VBLK_LOG(ERR, device, "rbd: %s %s: %s", what, name != NULL ? name : "", strerror(-ret));
	return ret;
}

static int
image_measure(struct rte_vduse_blk_backend *backend)
{
	struct image_backend *rbd = (struct image_backend *)backend;
	uint64_t size;
	int ret;

	ret = rbd_get_size(rbd->image, &size);
	if (ret < 0)
		return image_error(backend->name, "cannot measure", "the image", ret);
	rte_atomic_store_explicit(&backend->limits.size, size, rte_memory_order_relaxed);
	return 0;
}

static int
image_limits(struct image_backend *rbd, const char *device, bool read_only)
{
	rbd_image_info_t info;
	int ret;

	ret = rbd_stat(rbd->image, &info, sizeof(info));
	if (ret < 0)
		return image_error(device, "cannot get the state of", "the image", ret);
	rbd->backend.limits = (struct rte_vduse_blk_limits){
		.size = info.size,
		.block_size = RTE_VDUSE_BLK_SECTOR,
		.physical_size = 4096,
		.minimum_io = 4096,
		.optimal_io = (uint32_t)RTE_MIN(info.obj_size, (uint64_t)UINT32_MAX / 2 + 1),
		.discard_size = IMAGE_DISCARD_SIZE,
		.read_only = read_only,
		.discard_part = VBLK_DISCARD_PART,
		.zero_part = VBLK_ZERO_PART,
		.discard = true,
		.zero = true,
	};
	return 0;
}

static int
image_connect(struct image_backend *rbd, const char *device, const struct image_args *args)
{
	int ret;

	ret = rados_create(&rbd->cluster, args->user);
	if (ret < 0)
		return image_error(device, "user", args->user, ret);
	ret = rados_conf_read_file(rbd->cluster, args->conf);
	if (ret < 0) {
		image_error(device, "configuration", args->conf, ret);
		goto shut_down;
	}
	if (args->timeout != NULL) {
		ret = rados_conf_set(rbd->cluster, "rados_osd_op_timeout", args->timeout);
		if (ret < 0) {
			image_error(device, "timeout", args->timeout, ret);
			goto shut_down;
		}
	}
	ret = rados_conf_set(rbd->cluster, "client_mount_timeout", IMAGE_CONNECT_S);
	if (ret == 0)
		ret = rados_connect(rbd->cluster);
	if (ret < 0) {
		image_error(device, "no cluster answers", args->conf, ret);
		goto shut_down;
	}
	return 0;

shut_down:
	rados_shutdown(rbd->cluster);
	return ret;
}

static int
image_open_pool(struct image_backend *rbd, const char *device, const struct image_args *args)
{
	int ret;

	ret = rados_ioctx_create(rbd->cluster, args->pool, &rbd->pool);
	if (ret < 0)
		return image_error(device, "pool", args->pool, ret);
	if (args->space != NULL)
		rados_ioctx_set_namespace(rbd->pool, args->space);
	return 0;
}

static int
image_open_image(struct image_backend *rbd, const struct rte_vduse_blk_backend_conf *conf,
		 const struct image_args *args)
{
	int ret;

	if (conf->read_only)
		ret = rbd_open_read_only(rbd->pool, args->image, &rbd->image, NULL);
	else
		ret = rbd_open(rbd->pool, args->image, &rbd->image, NULL);
	if (ret < 0)
		return image_error(conf->device, "image", args->image, ret);
	ret = image_limits(rbd, conf->device, conf->read_only);
	rbd->lock = -1;
	if (ret == 0 && !conf->read_only)
		ret = image_lock(rbd, conf->device, args->image);
	if (ret < 0)
		rbd_close(rbd->image);
	return ret;
}

static int
image_open_all(struct image_backend *rbd, const struct rte_vduse_blk_backend_conf *conf,
	       const struct image_args *args)
{
	int ret;

	if (args->pool == NULL || args->image == NULL) {
		VBLK_LOG(ERR, conf->device, "backend=rbd: it needs pool=NAME and image=NAME");
		return -EINVAL;
	}
	ret = image_connect(rbd, conf->device, args);
	if (ret < 0)
		return ret;
	ret = image_open_pool(rbd, conf->device, args);
	if (ret < 0)
		goto shut_down;
	ret = image_open_image(rbd, conf, args);
	if (ret < 0)
		goto close_pool;
	return 0;

close_pool:
	rados_ioctx_destroy(rbd->pool);
shut_down:
	rados_shutdown(rbd->cluster);
	return ret;
}

static int
image_open(const struct rte_vduse_blk_backend_conf *conf, struct rte_vduse_blk_backend **result)
{
	struct image_backend *rbd = calloc(1, sizeof(*rbd));
	struct image_args values = { 0 };
	struct rte_vduse_arg args[] = {
		{ RTE_VDUSE_ARG("pool", STRING, values.pool) },
		{ RTE_VDUSE_ARG("namespace", STRING, values.space) },
		{ RTE_VDUSE_ARG("image", STRING, values.image) },
		{ RTE_VDUSE_ARG("user", STRING, values.user) },
		{ RTE_VDUSE_ARG("conf", STRING, values.conf) },
		{ RTE_VDUSE_ARG("timeout", STRING, values.timeout) },
	};
	unsigned int i;
	int ret;

	if (rbd == NULL)
		return vblk_no_memory(conf->device);
	ret = vblk_backend_args(conf, args, RTE_DIM(args), NULL, 0);
	if (ret == 0)
		ret = image_open_all(rbd, conf, &values);
	for (i = 0; i < RTE_DIM(args); i++)
		free(*(char **)args[i].to);
	if (ret < 0) {
		free(rbd);
		return ret;
	}
	*result = &rbd->backend;
	return 0;
}

static void
image_close(struct rte_vduse_blk_backend *backend)
{
	struct image_backend *rbd = (struct image_backend *)backend;

	image_unlock(rbd);
	rbd_close(rbd->image);
	rados_ioctx_destroy(rbd->pool);
	rados_shutdown(rbd->cluster);
	free(rbd);
}

const struct rte_vduse_blk_backend_ops vblk_backend_rbd = {
	.size = sizeof(struct rte_vduse_blk_backend_ops),
	.name = "rbd",
	.open = image_open,
	.close = image_close,
	.measure = image_measure,
	.channel_open = image_channel_open,
	.channel_close = image_channel_close,
	.submit = image_submit,
	.poll = image_poll,
};
