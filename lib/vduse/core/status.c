/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Changes of the driver's status and memory: checks features, starts and stops virtqueues, builds
 * and frees tables of regions.
 * Input: status and memory messages. Output: virtqueues and tables in the state that they require.
 * Thread: control.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <linux/virtio_config.h>

#include <rte_vduse_compat.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/trace.h>

void
vduse_status_set(struct rte_vduse_dev *dev, uint8_t status)
{
	VDUSE_TRACE(status, dev->name, status);
	rte_atomic_store_explicit(&dev->status, status, rte_memory_order_relaxed);
	if (dev->ops->status != NULL && !dev->draining)
		dev->ops->status(dev, status, dev->arg);
}

int
vduse_status_check_features(struct rte_vduse_dev *dev)
{
	uint64_t features;
	int ret;

	ret = dev->transport->features(dev, &features);
	if (ret < 0) {
		VDUSE_LOG_DRIVER(dev, dev, ERR, "cannot read the driver's features: %s",
				 strerror(-ret));
		return ret;
	}
	if (features & ~dev->offered) {
		VDUSE_LOG_DRIVER(dev, dev, ERR,
				 "the driver took features 0x%" PRIx64 " that are not offered",
				 features & ~dev->offered);
		return -EINVAL;
	}
	rte_atomic_store_explicit(&dev->features, features, rte_memory_order_relaxed);
	VDUSE_LOG(dev, DEBUG, dev->name, "features 0x%" PRIx64, features);
	return 0;
}

/* Groups are ranges of virtqueues, and group 1 follows group 0: so each space has one range. */
uint16_t
vduse_status_space(const struct rte_vduse_dev *dev, uint32_t asid, uint16_t *first)
{
	uint16_t i, nb = 0;

	*first = 0;
	for (i = 0; i < dev->nb_vqs; i++) {
		if (dev->group_asid[vduse_vq_group(dev, i)] != asid)
			continue;
		if (nb++ == 0)
			*first = i;
	}
	return nb;
}

void
vduse_status_move(struct rte_vduse_dev *dev, uint32_t group, uint32_t asid)
{
	if (dev->group_asid[group] == asid)
		return;
	/* The virtqueues of the group take the table of the space when they start. */
	dev->group_asid[group] = asid;
	vduse_state_groups(dev);
	VDUSE_LOG(dev, DEBUG, dev->name, "group %u moved to address space %u", group, asid);
}

static uint64_t
status_count_regions(const struct rte_vduse_dev *dev)
{
	uint64_t nb = 0;
	uint32_t asid;

	for (asid = 0; asid < dev->nb_spaces; asid++)
		if (dev->iotlb[asid] != NULL)
			nb += dev->iotlb[asid]->nb;
	return nb;
}

/*
 * Switches every virtqueue of the address space to the new table, then frees the old one: after
 * vduse_vq_switch() no poller holds an address from it.
 */
static void
status_switch(struct rte_vduse_dev *dev, uint32_t asid, struct vduse_iotlb *table)
{
	struct vduse_iotlb *old = dev->iotlb[asid];
	uint16_t i, first, nb = vduse_status_space(dev, asid, &first);

	dev->iotlb[asid] = table;
	for (i = 0; i < nb; i++)
		vduse_vq_switch(&dev->vqs[first + i], table);
	if (dev->ops->memory != NULL && !dev->draining)
		dev->ops->memory(dev, dev->arg);
	vduse_iotlb_free(old);
	rte_atomic_store_explicit(&dev->stats.regions, status_count_regions(dev),
				  rte_memory_order_relaxed);
}

/* An address space during a walk of it. */
struct status_walk {
	struct rte_vduse_dev *dev;
	uint32_t asid;
};

static int
status_region(void *arg, uint64_t from, struct vduse_file_region *region)
{
	const struct status_walk *walk = arg;

	return walk->dev->transport->region(walk->dev, walk->asid, from, region);
}

/* A device has memory for one bounce buffer, which drivers of this kernel use in space 0. */
static struct vduse_mapping *
status_bounce(void *arg, uint64_t first, uint64_t size)
{
	const struct status_walk *walk = arg;

	return walk->asid == 0 ? vduse_umem_add(walk->dev, first, size) : NULL;
}

/* Bytes that the driver shares in the other address spaces: the limit is that of the device. */
static uint64_t
status_shared(const struct rte_vduse_dev *dev, uint32_t asid)
{
	uint64_t shared = 0;
	uint32_t i;

	for (i = 0; i < dev->nb_spaces; i++)
		if (i != asid && dev->iotlb[i] != NULL)
			shared += dev->iotlb[i]->shared;
	return shared;
}

int
vduse_status_remap(struct rte_vduse_dev *dev, uint32_t asid, bool reuse)
{
	struct status_walk walk = { .dev = dev, .asid = asid };
	const struct vduse_iotlb_source source = {
		.name = dev->name,
		.rate = &dev->log_rate,
		.limit = dev->memory_limit,
		.shared = status_shared(dev, asid),
		.arg = &walk,
		.region = status_region,
		.bounce = status_bounce,
	};
	struct vduse_iotlb *table = NULL;
	int ret;

	ret = vduse_iotlb_walk(&source, dev->iotlb[asid], reuse, &table);
	/* vduse_iotlb_walk() logs the other errors. */
	if (ret == -ENOMEM)
		VDUSE_LOG_DRIVER(dev, dev, ERR, "no memory for a table of the driver's regions");
	status_switch(dev, asid, table);
	return ret;
}

void
vduse_status_driver_ok(struct rte_vduse_dev *dev)
{
	uint32_t asid;
	uint16_t i;

	/* Checked again: a driver may skip FEATURES_OK, and one that was taken over set it before. */
	if (vduse_status_check_features(dev) < 0)
		return;
	for (asid = 0; asid < dev->nb_spaces; asid++)
		(void)vduse_status_remap(dev, asid, false);
	dev->unready = 0;
	for (i = 0; i < dev->nb_vqs; i++)
		if (vduse_vq_try_start(&dev->vqs[i]))
			dev->unready++;
	vduse_state_features(dev, dev->features);
	VDUSE_LOG_RATED(&dev->life_rate, dev, INFO, dev->name,
			"driver is up, features 0x%" PRIx64 ", it set up %u virtqueues (up to %u)",
			dev->features, dev->nb_vqs - dev->unready, dev->nb_vqs);
	vduse_status_set(dev, dev->status);
}

/* After it returns, no poller uses a virtqueue and no driver memory is mapped. */
static void
status_stop(struct rte_vduse_dev *dev)
{
	uint32_t asid;
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++)
		vduse_vq_stop(&dev->vqs[i]);
	dev->unready = 0;
	for (asid = 0; asid < dev->nb_spaces; asid++)
		status_switch(dev, asid, NULL);
}

void
vduse_status_reset(struct rte_vduse_dev *dev)
{
	bool was_up = (dev->status & VIRTIO_CONFIG_S_DRIVER_OK) != 0;

	status_stop(dev);
	dev->umem.old = true;
	rte_atomic_store_explicit(&dev->features, 0, rte_memory_order_relaxed);
	if (was_up) {
		vduse_count(&dev->stats.resets);
		VDUSE_LOG_RATED(&dev->life_rate, dev, INFO, dev->name, "driver reset");
	}
	vduse_status_set(dev, 0);
}

/* The device type is not told of a reset: it would forget what the driver set. */
void
vduse_status_leave(struct rte_vduse_dev *dev)
{
	status_stop(dev);
}

void
vduse_status_suspend(struct rte_vduse_dev *dev)
{
	uint16_t i;

	if (dev->suspended)
		return;
	rte_atomic_store_explicit(&dev->suspended, true, rte_memory_order_relaxed);
	for (i = 0; i < dev->nb_vqs; i++) {
		vduse_vq_hold(&dev->vqs[i]);
		vduse_vq_release(&dev->vqs[i]);
		/* After the answer, the interrupt for the last used entries cannot be sent. */
		(void)vduse_vq_call_posted(&dev->vqs[i]);
	}
	VDUSE_LOG_RATED(&dev->life_rate, dev, INFO, dev->name,
			"suspended by its driver, until it resets the device");
}

void
vduse_status_resume(struct rte_vduse_dev *dev)
{
	rte_atomic_store_explicit(&dev->suspended, false, rte_memory_order_relaxed);
}

void
vduse_status_broken(struct rte_vduse_dev *dev)
{
	status_stop(dev);
	rte_atomic_store_explicit(&dev->stats.broken, true, rte_memory_order_relaxed);
	VDUSE_LOG(dev, ERR, dev->name,
		  "the kernel gave the device up, because a message was not answered in time: "
		  "remove the device and create it again");
	vduse_status_set(dev, VIRTIO_CONFIG_S_NEEDS_RESET);
}
