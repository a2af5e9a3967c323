/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Creates, starts, stops and destroys a block device.
 * Input: a configuration. Output: a VDUSE device on an open backend; rte_vduse_blk_poll() serves
 * its virtqueues. Thread: the application's.
 */
#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <linux/virtio_ids.h>

#include <rte_bitops.h>
#include <rte_string_fns.h>
#include <rte_vduse_compat.h>
#include <rte_vduse_handover.h>

#include <vduse/conf.h>

#include <virtio_blk/blk.h>

RTE_LOG_REGISTER(vblk_logtype, lib.vduse.blk, INFO);

#define BLK_QUEUE_SIZE_MIN 4
#define BLK_BLOCK_MAX      4096

static int
blk_conf_check(const struct rte_vduse_blk_conf *conf, const char **name)
{
	*name = rte_vduse_path_name(conf->path);
	if (*name == NULL) {
		VBLK_LOG(ERR, conf->path == NULL ? "(no path)" : conf->path,
			 "not the path of a device: use " RTE_VDUSE_PATH_USAGE);
		return -EINVAL;
	}
	if (conf->name != NULL && rte_vduse_path_is_socket(conf->path))
		*name = conf->name;
	if (conf->queues == 0 || conf->queues > RTE_VDUSE_BLK_QUEUES_MAX) {
		VBLK_LOG(ERR, *name, "%u queues: use 1 to %u", conf->queues,
			 RTE_VDUSE_BLK_QUEUES_MAX);
		return -EINVAL;
	}
	/* A request takes three descriptors where there are no indirect ones. */
	if (conf->queue_size < BLK_QUEUE_SIZE_MIN) {
		VBLK_LOG(ERR, *name, "queue size %u: use a power of two from %u to %u",
			 conf->queue_size, BLK_QUEUE_SIZE_MIN, VRING_SIZE_MAX);
		return -EINVAL;
	}
	if (conf->block_size != 0 &&
	    (conf->block_size < RTE_VDUSE_BLK_SECTOR || conf->block_size > BLK_BLOCK_MAX ||
	     !rte_is_power_of_2(conf->block_size))) {
		VBLK_LOG(ERR, *name, "block size %u: use a power of two from %u to %u",
			 conf->block_size, RTE_VDUSE_BLK_SECTOR, BLK_BLOCK_MAX);
		return -EINVAL;
	}
	if (conf->on_error > RTE_VDUSE_BLK_ON_ERROR_STOP) {
		VBLK_LOG(ERR, *name, "on-error %u: use one of enum rte_vduse_blk_on_error",
			 conf->on_error);
		return -EINVAL;
	}
	if (conf->on_error != RTE_VDUSE_BLK_ON_ERROR_REPORT &&
	    (!conf->inflight || conf->in_order)) {
		VBLK_LOG(ERR, *name,
			 "on-error %s: held requests need the inflight log and are finished out of "
			 "order: use inflight=1 and in-order=0",
			 conf->on_error == RTE_VDUSE_BLK_ON_ERROR_WAIT ? "wait" : "stop");
		return -EINVAL;
	}
	if (conf->serial != NULL && strlen(conf->serial) > RTE_VDUSE_BLK_SERIAL_MAX) {
		VBLK_LOG(ERR, *name, "serial number %s: use at most %u characters", conf->serial,
			 RTE_VDUSE_BLK_SERIAL_MAX);
		return -EINVAL;
	}
	return 0;
}

static size_t
blk_size(uint16_t queues)
{
	return sizeof(struct rte_vduse_blk) + queues * sizeof(struct vblk_queue);
}

/* In pages of its own, so that histograms of requests that never come take no memory. */
static struct rte_vduse_blk *
blk_alloc(const struct rte_vduse_blk_conf *conf, const char *name)
{
	const char *serial = conf->serial != NULL ? conf->serial : name;
	struct rte_vduse_blk *blk;

	blk = mmap(NULL, blk_size(conf->queues), PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (blk == MAP_FAILED) {
		VBLK_LOG(ERR, name, "no memory for %u queues", conf->queues);
		return NULL;
	}
	blk->nb_queues = conf->queues;
	blk->keeps_inflight = conf->inflight;
	blk->hold.on_error = conf->on_error;
	vblk_limit_set(&blk->limit, conf->iops, conf->bps);
	vblk_serial_set(&blk->serial, serial);
	return blk;
}

static void
blk_free(struct rte_vduse_blk *blk)
{
	(void)munmap(blk, blk_size(blk->nb_queues));
}

static int
blk_backend_open(struct rte_vduse_blk *blk, const struct rte_vduse_blk_conf *conf, const char *name)
{
	struct rte_vduse_blk_backend_conf backend_conf = {
		.device = name,
		.args = conf->backend_args != NULL ? conf->backend_args : "",
		.read_only = conf->read_only,
		.socket_id = conf->socket_id,
		.handed_over = conf->from != NULL,
	};
	const struct rte_vduse_blk_limits *limits;
	int ret;

	ret = vblk_backend_open(conf->backend != NULL ? conf->backend : "(none)", &backend_conf,
				&blk->backend);
	if (ret < 0)
		return ret;
	limits = &blk->backend->limits;
	blk->read_only = conf->read_only || limits->read_only;
	blk->block_size = conf->block_size != 0 ? conf->block_size : limits->block_size;
	if (blk->block_size < limits->block_size) {
		VBLK_LOG(ERR, name, "block size %u: the backend has blocks of %u bytes",
			 blk->block_size, limits->block_size);
		vblk_backend_close(blk->backend);
		return -EINVAL;
	}
	return 0;
}

static int
blk_dev_create(struct rte_vduse_blk *blk, const struct rte_vduse_blk_conf *conf, const char *name)
{
	struct rte_vduse_dev_conf dev_conf = {
		.size = sizeof(dev_conf),
		.path = conf->path,
		.client = conf->client,
		.any_memory = conf->any_memory,
		.iommu = conf->iommu,
		.postcopy = conf->postcopy,
		.memory_limit = conf->memory_limit,
		.name = conf->name,
		.socket_mode = conf->socket_mode,
		.socket_group = conf->socket_group,
		.device_id = VIRTIO_ID_BLOCK,
		.vendor_id = 0,
		.features = blk->features,
		.write_features = VBLK_BIT(VIRTIO_BLK_F_CONFIG_WCE),
		.nb_vqs = blk->nb_queues,
		.vq_size = conf->queue_size,
		.config = &blk->config,
		.config_size = sizeof(blk->config),
		.socket_id = conf->socket_id,
		.umem = conf->umem,
		.inflight = conf->inflight,
		.from = conf->from,
		.ops = &vblk_dev_ops,
		.arg = blk,
		.transport = conf->transport,
		.transport_priv = conf->transport_priv,
	};
	int ret = rte_vduse_dev_create(&dev_conf, &blk->dev);

	if (ret == -ENOTSUP)
		VBLK_LOG(ERR, name,
			 "this kernel's VDUSE refuses a block device with features "
			 "0x%" PRIx64 ": use a kernel of 5.15 or later",
			 dev_conf.features);
	if (ret == 0)
		blk->features = rte_vduse_dev_offered(blk->dev);
	return ret;
}

static void
blk_close_queues(struct rte_vduse_blk *blk)
{
	uint16_t i;

	for (i = 0; i < blk->nb_queues; i++)
		vblk_room_close(&blk->queues[i]);
}

/* Allocates for rings of the usual size, so that a failure shows before a driver attaches. */
static int
blk_open_queues(struct rte_vduse_blk *blk, uint16_t queue_size, const char *name)
{
	uint16_t i;
	int ret = 0;

	for (i = 0; i < blk->nb_queues && ret == 0; i++) {
		struct vblk_queue *queue = &blk->queues[i];

		queue->blk = blk;
		queue->wake_fd = -1;
		ret = vblk_room_make(queue, queue_size);
		if (ret < 0)
			VBLK_LOG(ERR, name,
				 "no backend channel or inflight log for queue %u of %u: %s", i,
				 blk->nb_queues, strerror(-ret));
	}
	return ret;
}

/* Opens the inflight logs, which needs the device. */
static int
blk_open_logs(struct rte_vduse_blk *blk, uint16_t queue_size, const char *name)
{
	int ret;

	if (!blk->keeps_inflight)
		return 0;
	ret = rte_vduse_state_open(blk->dev, false);
	return ret < 0 ? ret : blk_open_queues(blk, queue_size, name);
}

static int
blk_create(const struct rte_vduse_blk_conf *conf, const char *name,
	   const struct rte_vduse_left *left, struct rte_vduse_blk *blk)
{
	uint16_t i;
	int ret;

	ret = blk_backend_open(blk, conf, name);
	if (ret < 0)
		return ret;
	ret = blk_open_queues(blk, conf->queue_size, name);
	if (ret < 0)
		goto close_queues;
	vblk_config_init(blk, conf);
	if (left != NULL)
		ret = vblk_take_over_features(blk, name, left, conf->from != NULL);
	if (ret == 0)
		ret = blk_dev_create(blk, conf, name);
	if (ret < 0)
		goto close_queues;
	for (i = 0; i < blk->nb_queues; i++)
		blk->queues[i].vq = rte_vduse_dev_vq(blk->dev, i);
	ret = blk_open_logs(blk, conf->queue_size, name);
	if (ret == 0)
		return 0;
	rte_vduse_dev_destroy(blk->dev);

close_queues:
	blk_close_queues(blk);
	vblk_backend_close(blk->backend);
	return ret;
}

static_assert(offsetof(struct rte_vduse_blk_conf, path) == sizeof(size_t), "see conf.c");
static_assert(sizeof(struct rte_vduse_blk_conf) ==
		      offsetof(struct rte_vduse_blk_conf, transport_priv) + sizeof(void *),
	      "no padding at the end, see conf.h");

/* What the driver of a device has that comes from another process, or that one left. */
static bool
blk_left(const struct rte_vduse_blk_conf *conf, struct rte_vduse_left *left)
{
	if (conf->from == NULL)
		return rte_vduse_dev_left(conf->path, conf->transport, conf->transport_priv,
					  left) == 0;
	rte_vduse_handover_left(conf->from, left);
	return true;
}

int
rte_vduse_blk_create(const struct rte_vduse_blk_conf *conf, struct rte_vduse_blk **result)
{
	struct rte_vduse_blk_conf wanted;
	struct rte_vduse_blk *blk;
	struct rte_vduse_left left;
	const char *name;
	bool found;
	int ret;

	ret = VDUSE_CONF_TAKE(&wanted, conf, transport_priv);
	if (ret < 0)
		return ret;
	ret = blk_conf_check(&wanted, &name);
	if (ret < 0)
		return ret;
	found = blk_left(&wanted, &left);
	if (found)
		ret = vblk_take_over(&wanted, name, &left);
	if (ret < 0)
		return ret;
	blk = blk_alloc(&wanted, name);
	if (blk == NULL)
		return -ENOMEM;
	ret = blk_create(&wanted, name, found ? &left : NULL, blk);
	if (ret < 0) {
		blk_free(blk);
		return ret;
	}
	*result = blk;
	return 0;
}

int
rte_vduse_blk_start(struct rte_vduse_blk *blk, enum rte_vduse_attach attach)
{
	return rte_vduse_dev_start(blk->dev, attach);
}

void
rte_vduse_blk_stop(struct rte_vduse_blk *blk)
{
	rte_vduse_dev_stop(blk->dev);
}

void
rte_vduse_blk_destroy(struct rte_vduse_blk *blk)
{
	if (blk == NULL)
		return;
	rte_vduse_dev_destroy(blk->dev);
	blk_close_queues(blk);
	vblk_backend_close(blk->backend);
	blk_free(blk);
}

uint16_t
rte_vduse_blk_queues(const struct rte_vduse_blk *blk)
{
	return blk->nb_queues;
}

struct rte_vduse_dev *
rte_vduse_blk_dev(struct rte_vduse_blk *blk)
{
	return blk->dev;
}

uint64_t
rte_vduse_blk_capacity(const struct rte_vduse_blk *blk)
{
	return rte_atomic_load_explicit(&blk->capacity, rte_memory_order_relaxed);
}
