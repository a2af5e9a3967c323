/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Requests in flight. Ids of other devices go on to librte_vhost.
 * Input: what an application takes and completes, marked in a state file. Output: after it was
 * killed, the requests that it has to submit again.
 * Thread: the one that serves a ring writes its marks, without a lock.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_vduse_compat.h>

#include <vhost/vhost.h>

/* Version of the layout of struct rte_vhost_inflight_info_split in librte_vhost. */
#define INFLIGHT_VERSION 1

/* The device works without the file, but never overwrites one that it cannot read. */
int
vhost_inflight_open(struct vhost_dev *dev)
{
	size_t size = RTE_ALIGN_CEIL(sizeof(struct rte_vhost_inflight_info_split) +
					     dev->conf.queue_size *
						     sizeof(struct rte_vhost_inflight_desc_split),
				     (size_t)RTE_CACHE_LINE_SIZE);
	uint16_t i;
	int ret;

	if (dev->builtin)
		return 0;
	ret = rte_vduse_state_open(dev->dev, false);
	if (ret < 0)
		return ret == -EPROTO ? ret : 0;
	for (i = 0; i < dev->conf.nb_vqs; i++) {
		struct vhost_vq *vq = &dev->vqs[i];

		if (rte_vduse_part_open(dev->dev, i, size, &vq->part) < 0)
			break;
		vq->inflight = vq->part.data;
		vq->nb_inflight = (uint16_t)dev->conf.queue_size;
	}
	return 0;
}

void
vhost_inflight_close(struct vhost_dev *dev)
{
	uint16_t i;

	for (i = 0; i < dev->conf.nb_vqs; i++) {
		free(dev->vqs[i].resubmit.resubmit_list);
		dev->vqs[i].inflight = NULL;
		rte_vduse_part_close(&dev->vqs[i].part);
	}
}

static int
inflight_compare(const void *left, const void *right)
{
	const struct rte_vhost_resubmit_desc *a = left, *b = right;

	/* In the order in which the application took them. */
	return a->counter < b->counter ? -1 : a->counter > b->counter;
}

static void
inflight_drop_list(struct vhost_vq *vq)
{
	free(vq->resubmit.resubmit_list);
	vq->resubmit = (struct rte_vhost_resubmit_info){ 0 };
	vq->nb_resubmit = 0;
}

/* Lists the marked requests, oldest first. */
static int
inflight_list(struct vhost_vq *vq)
{
	const struct rte_vhost_inflight_info_split *inflight = vq->inflight;
	struct rte_vhost_resubmit_desc *list = NULL;
	uint16_t nb = 0, i;

	for (i = 0; i < vq->nb_inflight; i++)
		nb = (uint16_t)(nb + (inflight->desc[i].inflight == 1));
	if (nb > 0) {
		list = calloc(nb, sizeof(*list));
		if (list == NULL)
			return -ENOMEM;
	}
	for (i = 0; i < vq->nb_inflight; i++) {
		if (inflight->desc[i].inflight != 1)
			continue;
		list[vq->nb_resubmit].index = i;
		list[vq->nb_resubmit++].counter = inflight->desc[i].counter;
	}
	if (nb > 0) {
		qsort(list, nb, sizeof(*list), inflight_compare);
		vq->counter = list[nb - 1].counter + 1;
	}
	vq->resubmit.resubmit_list = list;
	vq->resubmit.resubmit_num = nb;
	return 0;
}

void
vhost_inflight_find(struct vhost_dev *dev, struct vhost_vq *vq)
{
	struct rte_vhost_inflight_info_split *inflight = vq->inflight;
	uint16_t used;

	if (inflight == NULL || vq->vring.used == NULL)
		return;
	used = rte_le_to_cpu_16(
		rte_atomic_load_explicit(&vq->vring.used->idx, rte_memory_order_acquire));
	if (inflight->version != INFLIGHT_VERSION) {
		inflight->version = INFLIGHT_VERSION;
		inflight->desc_num = vq->vring.size;
		inflight->used_idx = used;
	}
	/* The process was killed after it wrote the used index and before it cleared the mark. */
	if (inflight->used_idx != used) {
		if (inflight->last_inflight_io < vq->nb_inflight)
			inflight->desc[inflight->last_inflight_io].inflight = 0;
		inflight->used_idx = used;
	}
	inflight_drop_list(vq);
	if (inflight_list(vq) < 0)
		VHOST_LOG(ERR, dev->path,
			  "virtqueue %u: no memory for what was in flight: unbind "
			  "its driver and bind it again",
			  rte_vduse_vq_index(vq->vq));
	else if (vq->nb_resubmit > 0)
		VHOST_LOG(NOTICE, dev->path, "virtqueue %u: %u requests were in flight",
			  rte_vduse_vq_index(vq->vq), vq->nb_resubmit);
}

void
vhost_inflight_forget(struct vhost_vq *vq)
{
	if (vq->inflight == NULL)
		return;
	memset(vq->inflight->desc, 0, vq->nb_inflight * sizeof(vq->inflight->desc[0]));
	vq->inflight->version = 0;
	vq->counter = 0;
	inflight_drop_list(vq);
}

/* A virtqueue with marks that has this descriptor, or NULL. */
static struct vhost_vq *
inflight_vq(const struct vhost_dev *dev, uint16_t index, uint16_t desc)
{
	struct vhost_vq *vq = vhost_vq_get(dev, index);

	if (vq == NULL || vq->inflight == NULL || desc >= vq->vring.size || desc >= vq->nb_inflight)
		return NULL;
	return vq;
}

int
rte_vhost_get_vhost_ring_inflight(int vid, uint16_t vring_idx,
				  struct rte_vhost_ring_inflight *vring)
{
	const struct vhost_dev *dev = vhost_dev_get(vid);
	struct vhost_vq *vq;

	if (dev == NULL)
		return VHOST_REAL(get_vhost_ring_inflight, -ENOTSUP, vid, vring_idx, vring);
	vq = inflight_vq(dev, vring_idx, 0);
	if (vq == NULL || vring == NULL)
		return -1;
	vring->inflight_split = vq->inflight;
	vring->resubmit_inflight = &vq->resubmit;
	return 0;
}

int
rte_vhost_set_inflight_desc_split(int vid, uint16_t vring_idx, uint16_t idx)
{
	const struct vhost_dev *dev = vhost_dev_get(vid);
	struct vhost_vq *vq;

	if (dev == NULL)
		return VHOST_REAL(set_inflight_desc_split, -ENOTSUP, vid, vring_idx, idx);
	vq = inflight_vq(dev, vring_idx, idx);
	if (vq == NULL)
		return -1;
	vq->inflight->desc[idx].counter = vq->counter++;
	/* Release: orders the counter before the mark, which is read after a kill. */
	rte_atomic_store_explicit(&vq->inflight->desc[idx].inflight, 1, rte_memory_order_release);
	return 0;
}

int
rte_vhost_set_last_inflight_io_split(int vid, uint16_t vring_idx, uint16_t idx)
{
	const struct vhost_dev *dev = vhost_dev_get(vid);
	struct vhost_vq *vq;

	if (dev == NULL)
		return VHOST_REAL(set_last_inflight_io_split, -ENOTSUP, vid, vring_idx, idx);
	vq = inflight_vq(dev, vring_idx, idx);
	if (vq == NULL)
		return -1;
	/* Release: the application writes the used index of the ring next. */
	rte_atomic_store_explicit(&vq->inflight->last_inflight_io, idx, rte_memory_order_release);
	return 0;
}

int
rte_vhost_clr_inflight_desc_split(int vid, uint16_t vring_idx, uint16_t last_used_idx, uint16_t idx)
{
	const struct vhost_dev *dev = vhost_dev_get(vid);
	struct vhost_vq *vq;

	if (dev == NULL)
		return VHOST_REAL(clr_inflight_desc_split, -ENOTSUP, vid, vring_idx, last_used_idx,
				  idx);
	vq = inflight_vq(dev, vring_idx, idx);
	if (vq == NULL)
		return -1;
	/*
	 * Order of writes: the used index of the ring, the mark, used_idx. vhost_inflight_find()
	 * detects a kill between any two of them.
	 */
	rte_atomic_store_explicit(&vq->inflight->desc[idx].inflight, 0, rte_memory_order_release);
	rte_atomic_store_explicit(&vq->inflight->used_idx, last_used_idx, rte_memory_order_release);
	return 0;
}
