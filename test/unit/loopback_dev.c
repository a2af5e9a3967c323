/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See loopback_dev.h. */
#include "create_over.h"
#include "loopback_dev.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <rte_vduse_compat.h>

static const uint8_t loopback_config[64] = { 1, 2, 3 };

static void
count(unsigned int *counter)
{
	rte_atomic_fetch_add_explicit(counter, 1, rte_memory_order_relaxed);
}

/* What a device type does that finds its rings again. */
static int
find_area(struct loopback_dev *self, const struct rte_vduse_vq *vq)
{
	uint64_t desc = self->desc[vq->index];
	const struct rte_vduse_region *region = rte_vduse_vq_lookup(vq, desc);

	if (region == NULL)
		return -EFAULT;
	if (self->touch)
		(void)*(volatile uint8_t *)(region->va + (desc - region->first));
	return 0;
}

static int
on_vq_start(struct rte_vduse_vq *vq, const struct rte_vduse_vq_info *info, void *arg)
{
	struct loopback_dev *self = arg;

	self->desc[vq->index] = info->desc;
	rte_atomic_store_explicit(&self->position[vq->index], info->position,
				  rte_memory_order_relaxed);
	self->thread = pthread_self();
	if (self->start_result < 0)
		return self->start_result;
	count(&self->starts[vq->index]);
	if (self->serve != NULL && vq->index == 0)
		assert_int_equal(vduse_vq_serve(vq, self->serve), 0);
	return find_area(self, vq);
}

static int
on_vq_remap(struct rte_vduse_vq *vq, void *arg)
{
	struct loopback_dev *self = arg;

	count(&self->remaps[vq->index]);
	return find_area(self, vq);
}

static void
on_vq_stop(struct rte_vduse_vq *vq, void *arg)
{
	struct loopback_dev *self = arg;

	count(&self->stops[vq->index]);
}

/* Something that tells virtqueues apart, and the halves of a packed ring's position. */
static uint32_t
on_vq_position(struct rte_vduse_vq *vq, void *arg)
{
	RTE_SET_USED(arg);
	return 0x80070000 + 100 + vq->index;
}

static void
on_status(struct rte_vduse_dev *dev, uint8_t status, void *arg)
{
	struct loopback_dev *self = arg;

	RTE_SET_USED(dev);
	if (self->on_status != NULL)
		self->on_status(self, status);
	rte_atomic_store_explicit(&self->status, status, rte_memory_order_relaxed);
	rte_atomic_fetch_add_explicit(&self->statuses, 1, rte_memory_order_release);
}

/* Counts those only that come when the state is the new one. */
static void
on_vq_runs(struct rte_vduse_vq *vq, bool runs, void *arg)
{
	struct loopback_dev *self = arg;
	struct rte_vduse_vq_stats stats;

	rte_vduse_vq_stats(vq, &stats, sizeof(stats));
	if ((stats.state == RTE_VDUSE_VQ_RUNNING) == runs)
		count(runs ? &self->runs[vq->index] : &self->rests[vq->index]);
}

static const struct rte_vduse_dev_ops loopback_ops = {
	.vq_start = on_vq_start,
	.vq_remap = on_vq_remap,
	.vq_stop = on_vq_stop,
	.vq_position = on_vq_position,
	.status = on_status,
	.vq_runs = on_vq_runs,
};

struct rte_vduse_dev_conf
loopback_dev_conf(struct loopback_dev *self)
{
	return (struct rte_vduse_dev_conf){
		.size = sizeof(struct rte_vduse_dev_conf),
		.path = "/dev/vduse/unit0",
		.device_id = 1,
		.features = LOOPBACK_DEV_FEATURES | LOOPBACK_DEV_PACKED,
		.nb_vqs = LOOPBACK_DEV_VQS,
		.vq_size = 256,
		.config = loopback_config,
		.config_size = sizeof(loopback_config),
		.socket_id = -1,
		.ops = &loopback_ops,
		.arg = self,
	};
}

void
loopback_dev_start(struct loopback_dev *self)
{
	struct rte_vduse_dev_conf conf = loopback_dev_conf(self);
	uint16_t i;

	memset(self, 0, sizeof(*self));
	self->loop = vduse_loopback_new();
	assert_non_null(self->loop);
	vduse_loopback_set_features(self->loop, LOOPBACK_DEV_FEATURES);
	assert_int_equal(create_dev_over(&conf, &vduse_transport_loopback, self->loop, &self->dev),
			 0);
	for (i = 0; i < LOOPBACK_DEV_VQS; i++)
		self->vqs[i] = rte_vduse_dev_vq(self->dev, i);
	assert_int_equal(rte_vduse_dev_start(self->dev, RTE_VDUSE_ATTACH_NONE), 0);
}

void
loopback_dev_destroy(struct loopback_dev *self)
{
	rte_vduse_dev_destroy(self->dev);
	vduse_loopback_free(self->loop);
	self->dev = NULL;
	self->loop = NULL;
}

void
loopback_dev_set_vq(struct loopback_dev *self, uint16_t index, uint64_t desc, uint32_t size)
{
	struct vduse_vq_info info = {
		.index = index,
		.num = size,
		.desc_addr = desc,
		.ready = size != 0,
	};

	vduse_loopback_set_vq(self->loop, index, &info);
}

bool
loopback_dev_set_status(struct loopback_dev *self, uint8_t status)
{
	struct vduse_dev_request req = { .type = VDUSE_SET_STATUS, .s.status = status };
	struct vduse_dev_response resp;

	assert_int_equal(vduse_loopback_ask(self->loop, &req, &resp, UNIT_PATIENCE_MS), 0);
	return resp.result == VDUSE_REQ_RESULT_OK;
}

static bool
is_up(void *arg)
{
	struct loopback_dev *self = arg;

	return rte_atomic_load_explicit(&self->status, rte_memory_order_acquire) &
	       VIRTIO_CONFIG_S_DRIVER_OK;
}

void
loopback_dev_up(struct loopback_dev *self)
{
	assert_true(loopback_dev_set_status(self, 0));
	assert_true(loopback_dev_set_status(self, STATUS_FEATURES));
	assert_true(loopback_dev_set_status(self, STATUS_UP));
	assert_true(unit_wait(is_up, self));
}

void
loopback_dev_update(struct loopback_dev *self)
{
	struct vduse_dev_request req = vduse_loopback_memory_changed();
	struct vduse_dev_response resp;

	assert_int_equal(vduse_loopback_ask(self->loop, &req, &resp, UNIT_PATIENCE_MS), 0);
	assert_int_equal(resp.result, VDUSE_REQ_RESULT_OK);
}

void
loopback_dev_region(struct loopback_dev *self, uint64_t first, uint64_t size, uint64_t offset,
		    uint8_t perm, int fd)
{
	assert_int_equal(
		vduse_loopback_region_add(self->loop, first, first + size - 1, offset, perm, fd),
		0);
}

int
loopback_dev_begin(struct loopback_dev *self, const char *name, uint64_t size, uint64_t desc,
		   uint32_t vq_size)
{
	int memory = unit_memfd(name, size);

	loopback_dev_start(self);
	loopback_dev_region(self, 0, PAGE, 0, PERM_RW, memory);
	loopback_dev_set_vq(self, 0, desc, vq_size);
	return memory;
}

void
loopback_dev_end(struct loopback_dev *self, int memory)
{
	loopback_dev_destroy(self);
	close(memory);
}

enum rte_vduse_vq_state
loopback_dev_state(struct loopback_dev *self, uint16_t index)
{
	return rte_atomic_load_explicit(&self->vqs[index]->state, rte_memory_order_acquire);
}

struct wait_state {
	struct loopback_dev *self;
	uint16_t index;
	enum rte_vduse_vq_state state;
};

static bool
in_state(void *arg)
{
	const struct wait_state *wait = arg;

	return loopback_dev_state(wait->self, wait->index) == wait->state;
}

void
loopback_dev_wait(struct loopback_dev *self, uint16_t index, enum rte_vduse_vq_state state)
{
	struct wait_state wait = { self, index, state };

	if (!unit_wait(in_state, &wait))
		fail_msg("virtqueue %u is in state %d, not %d", index,
			 (int)loopback_dev_state(self, index), (int)state);
}

static bool
is_entered(void *arg)
{
	return rte_vduse_vq_enter(arg);
}

bool
loopback_dev_lookup(struct loopback_dev *self, uint16_t index, uint64_t iova,
		    struct rte_vduse_region *region)
{
	const struct rte_vduse_region *found;

	/* The control thread may have it for a moment: behind an IOMMU it looks ahead. */
	assert_true(unit_wait(is_entered, self->vqs[index]));
	found = rte_vduse_vq_lookup(self->vqs[index], iova);
	if (found != NULL)
		*region = *found;
	rte_vduse_vq_leave(self->vqs[index]);
	return found != NULL;
}

bool
loopback_dev_burst(struct loopback_dev *self, uint16_t index, uint64_t iova, bool write)
{
	struct rte_vduse_vq *vq = self->vqs[index];
	const struct rte_vduse_region *region;

	if (!rte_vduse_vq_enter(vq))
		return false;
	region = rte_vduse_vq_lookup(vq, iova);
	if (region == NULL || !(write ? region->writable : region->readable))
		rte_vduse_vq_miss(vq, iova, write);
	rte_vduse_vq_leave(vq);
	return true;
}

static int
dev_starts(struct rte_vduse_vq *vq, const struct rte_vduse_vq_info *info, void *arg)
{
	RTE_SET_USED(vq);
	RTE_SET_USED(info);
	RTE_SET_USED(arg);
	return 0;
}

void
loopback_dev_conf_mapped(struct rte_vduse_dev_conf *conf, struct rte_vduse_dev_ops *ops)
{
	*ops = *conf->ops;
	ops->vq_start = dev_starts;
	ops->vq_remap = NULL;
	ops->vq_position = NULL;
	conf->ops = ops;
}
