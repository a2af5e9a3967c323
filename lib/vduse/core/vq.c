/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * One virtqueue, shared by the control thread, which starts, stops and switches it, and the thread
 * that polls it. A poller holds the lock for a burst. The control thread clears enabled before it
 * takes the lock, so that the poller does not take it again.
 * Thread: control for vduse_vq_*; the poller for rte_vduse_vq_*, vduse_vq_guard(), vduse_vq_fault()
 * and vduse_vq_report().
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <linux/virtio_config.h>

#include <rte_bitops.h>
#include <rte_vduse_compat.h>

#include <vduse/core/ctrl_thread.h>
#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/trace.h>

void
vduse_vq_init(struct rte_vduse_dev *dev, uint16_t index)
{
	struct rte_vduse_vq *vq = &dev->vqs[index];

	rte_spinlock_init(&vq->lock);
	vq->state = RTE_VDUSE_VQ_IDLE;
	vq->dev = dev;
	vq->name = dev->name;
	vq->index = index;
	vq->kick_fd = -1;
	vq->wake_fd = -1;
	vq->wake_epoll = -1;
}

void
vduse_vq_free(struct rte_vduse_vq *vq)
{
	if (vq->wake_fd >= 0)
		close(vq->wake_fd);
}

/* Stops polling. After it returns, only the caller accesses the virtqueue. */
static void
vq_lock(struct rte_vduse_vq *vq)
{
	rte_atomic_store_explicit(&vq->enabled, false, rte_memory_order_relaxed);
	rte_spinlock_lock(&vq->lock);
}

/*
 * Ends what vq_lock() or a drain began. A thread that sleeps on the virtqueue found it disabled, or
 * its notifications were disabled by a start: it wakes up, polls and enables them.
 */
void
vduse_vq_let_in(struct rte_vduse_vq *vq, bool enable)
{
	int wake_fd = vq->wake_fd;

	rte_atomic_store_explicit(&vq->enabled, enable, rte_memory_order_relaxed);
	rte_spinlock_unlock(&vq->lock);
	/* Fails only if the counter is full, which wakes the thread too. */
	if (enable && wake_fd >= 0)
		(void)eventfd_write(wake_fd, 1);
}

static void
vq_unlock(struct rte_vduse_vq *vq, enum rte_vduse_vq_state state)
{
	const struct rte_vduse_dev *dev = vq->dev;
	/* One that waits for an address goes on soon. */
	bool runs = state == RTE_VDUSE_VQ_RUNNING || state == RTE_VDUSE_VQ_WAITING;

	if (runs && dev->suspended) {
		state = RTE_VDUSE_VQ_SUSPENDED;
		runs = false;
	}
	rte_atomic_store_explicit(&vq->state, state, rte_memory_order_release);
	/* The driver does not kick for what it made available before. */
	vq->kicked = vq->serve != NULL && state == RTE_VDUSE_VQ_RUNNING;
	vduse_vq_let_in(vq, state == RTE_VDUSE_VQ_RUNNING);
	if (runs == vq->runs)
		return;
	vq->runs = runs;
	if (dev->ops->vq_runs != NULL)
		dev->ops->vq_runs(vq, runs, dev->arg);
}

/* Duplicates an eventfd, or creates one if other is negative. Returns a file or a negative errno. */
static int
vq_eventfd(int other)
{
	int fd = other >= 0 ? fcntl(other, F_DUPFD_CLOEXEC, 0)
			    : eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

void
vduse_vq_hold(struct rte_vduse_vq *vq)
{
	vq_lock(vq);
}

void
vduse_vq_release(struct rte_vduse_vq *vq)
{
	vq_unlock(vq, vq->state);
}

int
vduse_vq_serve(struct rte_vduse_vq *vq, vduse_vq_serve_t serve)
{
	int ret = vduse_ctrl_kicks_add(vq);

	if (ret == 0)
		vq->serve = serve;
	return ret;
}

/* Opened even if nothing reads it: applications that sleep wait for the driver's kicks. */
static int
vq_kick_open(struct rte_vduse_vq *vq)
{
	int ret;

	ret = vq_eventfd(vq->wake_fd);
	if (ret < 0)
		return ret;
	vq->kick_fd = ret;
	ret = vq->dev->transport->vq_kick_fd(vq->dev, vq->index, vq->kick_fd);
	if (ret < 0) {
		close(vq->kick_fd);
		vq->kick_fd = -1;
	}
	return ret;
}

static void
vq_kick_close(struct rte_vduse_vq *vq)
{
	if (vq->kick_fd < 0)
		return;
	if (vq->serve != NULL)
		vduse_ctrl_kicks_remove(vq);
	vq->serve = NULL;
	/* Fails on a broken device, where the kernel has released the eventfd itself. */
	(void)vq->dev->transport->vq_kick_fd(vq->dev, vq->index, -1);
	close(vq->kick_fd);
	vq->kick_fd = -1;
}

static enum rte_vduse_vq_state
vq_start_failed(struct rte_vduse_vq *vq, uint32_t size, int ret)
{
	VDUSE_LOG_DRIVER(vq->dev, dev, ERR, "virtqueue %u (size %u) cannot start: %s", vq->index,
			 size, strerror(-ret));
	vduse_count(&vq->faults);
	return RTE_VDUSE_VQ_ERROR;
}

/* The position at which the device starts, from the kernel's information on either ring format. */
static uint32_t
vq_position(const struct rte_vduse_dev *dev, const struct vduse_vq_info *from)
{
	if (!(dev->features & RTE_BIT64(VIRTIO_F_RING_PACKED)))
		return from->split.avail_index;
	return (from->packed.last_avail_idx & 0x7fffu) |
	       (from->packed.last_avail_counter & 1u) << 15 |
	       (from->packed.last_used_idx & 0x7fffu) << 16 |
	       (from->packed.last_used_counter & 1u) << 31;
}

void
vduse_vq_state(struct rte_vduse_vq *vq, struct vduse_vq_state *state)
{
	const struct rte_vduse_dev *dev = vq->dev;
	/* A drain may have disabled it. */
	bool enabled = rte_atomic_load_explicit(&vq->enabled, rte_memory_order_relaxed);
	uint32_t position;

	vq_lock(vq);
	position = dev->ops->vq_remap != NULL ? dev->ops->vq_position(vq, dev->arg)
					      : vring_position(&vq->ring);
	vduse_vq_let_in(vq, enabled && vq->state == RTE_VDUSE_VQ_RUNNING);
	if (!(dev->features & RTE_BIT64(VIRTIO_F_RING_PACKED))) {
		state->split.avail_index = (uint16_t)position;
		return;
	}
	state->packed.last_avail_idx = position & 0x7fff;
	state->packed.last_avail_counter = position >> 15 & 1;
	state->packed.last_used_idx = position >> 16 & 0x7fff;
	state->packed.last_used_counter = position >> 31;
}

static bool
vq_window(void *arg, uint64_t iova, bool write, struct vring_window *window)
{
	struct rte_vduse_vq *vq = arg;
	const struct rte_vduse_region *region = vduse_vq_region(vq, iova, write);

	if (region == NULL) {
		vq->miss_write = write;
		return false;
	}
	window->first = region->first;
	window->size = region->last - region->first + 1;
	window->delta = (uint64_t)(uintptr_t)region->va - region->first;
	return true;
}

/* Maps the ring and starts the device type's queue. -EFAULT: the ring is in no region. */
static int
vq_ring_start(struct rte_vduse_vq *vq)
{
	const struct rte_vduse_dev *dev = vq->dev;
	const struct rte_vduse_vq_info *info = &vq->info;
	struct vring_layout layout = {
		.desc = info->desc,
		.driver = info->driver,
		.device = info->device,
		.features = info->features,
		.size = info->size,
		.position = info->position,
	};
	int ret;

	if (dev->ops->vq_remap != NULL)
		return dev->ops->vq_start(vq, info, dev->arg);
	ret = vring_start(&vq->ring, &layout, vq_window, vq);
	if (ret < 0)
		return ret;
	vduse_vq_log_apply(vq);
	ret = dev->ops->vq_start(vq, info, dev->arg);
	if (ret < 0)
		vring_stop(&vq->ring);
	return ret;
}

static int
vq_ring_remap(struct rte_vduse_vq *vq)
{
	const struct rte_vduse_dev_ops *ops = vq->dev->ops;
	int ret;

	if (ops->vq_remap != NULL)
		return ops->vq_remap(vq, vq->dev->arg);
	/* The virtqueue may have been started while its ring was not mapped. */
	if (!vq->ring.started)
		return vq_ring_start(vq);
	ret = vring_remap(&vq->ring);
	if (ops->vq_memory != NULL)
		ops->vq_memory(vq, vq->dev->arg);
	return ret;
}

/* A virtqueue whose ring is not mapped waits for memory, unless memory in use was taken away. */
static enum rte_vduse_vq_state
vq_unmapped(struct rte_vduse_vq *vq)
{
	vq->miss_iova = vq->ring.fault_iova;
	vq->unmapped = true;
	return vduse_vq_guard(vq) ? RTE_VDUSE_VQ_SUSPENDED : RTE_VDUSE_VQ_ERROR;
}

static enum rte_vduse_vq_state
vq_start_locked(struct rte_vduse_vq *vq, const struct vduse_vq_info *from)
{
	struct rte_vduse_dev *dev = vq->dev;
	struct rte_vduse_vq_info *info = &vq->info;
	int ret;

	*info = (struct rte_vduse_vq_info){
		.desc = from->desc_addr,
		.driver = from->driver_addr,
		.device = from->device_addr,
		.features = dev->features,
		.size = from->num,
		.position = vq_position(dev, from),
		.resumed = dev->resuming,
	};
	if (dev->transport->vq_life != NULL)
		info->life = dev->transport->vq_life(dev, vq->index);
	vq->iotlb = dev->iotlb[dev->group_asid[vduse_vq_group(dev, vq->index)]];
	vq->report = false;
	/* A client that keeps no inflight buffer does not know the ring again. */
	vq->forgets = dev->transport->reconnects && info->life == 0;
	/* Before the device type starts: if this fails, nothing has to be stopped. */
	ret = vq_kick_open(vq);
	if (ret < 0)
		return vq_start_failed(vq, info->size, ret);
	ret = vq_ring_start(vq);
	if (ret < 0 && ret != -EFAULT) {
		vq_kick_close(vq);
		return vq_start_failed(vq, info->size, ret);
	}
	/*
	 * A process that was killed may have written used entries without the interrupt for them.
	 * A spurious interrupt does no harm.
	 */
	if (dev->taken_over || dev->transport->reconnects)
		(void)vduse_vq_call_send(vq);
	if (ret == -EFAULT)
		return vq_unmapped(vq);
	VDUSE_LOG(dev, DEBUG, dev->name, "virtqueue %u runs, size %u, from 0x%x", vq->index,
		  info->size, info->position);
	VDUSE_TRACE(vq_start, vq->name, vq->index, info->size, info->position);
	return RTE_VDUSE_VQ_RUNNING;
}

/* Starts a virtqueue that is ready, or that a message says is. Returns whether it is still unready. */
static bool
vq_try_start(struct rte_vduse_vq *vq, bool told)
{
	struct rte_vduse_dev *dev = vq->dev;
	struct vduse_vq_info info;
	enum rte_vduse_vq_state state;

	/* Without the lock: a poller changes only other states, and never to idle. */
	if (rte_atomic_load_explicit(&vq->state, rte_memory_order_relaxed) != RTE_VDUSE_VQ_IDLE)
		return false;
	memset(&info, 0, sizeof(info));
	info.index = vq->index;
	if (dev->transport->vq_info(dev, vq->index, &info) < 0)
		return true;
	if ((!told && !info.ready) || info.num == 0)
		return true;
	if (dev->transport->vq_affinity != NULL)
		dev->transport->vq_affinity(dev, vq->index);
	vduse_vq_call_start(vq);
	vq_lock(vq);
	if (info.num <= dev->vq_size_max) {
		state = vq_start_locked(vq, &info);
	} else {
		/* Not every kernel checks the driver's size against the one that was announced. */
		VDUSE_LOG_DRIVER(dev, dev, ERR,
				 "virtqueue %u of size %u refused: the maximum is %u", vq->index,
				 info.num, dev->vq_size_max);
		vduse_count(&vq->faults);
		state = RTE_VDUSE_VQ_ERROR;
	}
	vq->started = state != RTE_VDUSE_VQ_ERROR;
	vq_unlock(vq, state);
	return false;
}

bool
vduse_vq_try_start(struct rte_vduse_vq *vq)
{
	return vq_try_start(vq, false);
}

void
vduse_vq_start_told(struct rte_vduse_vq *vq)
{
	(void)vq_try_start(vq, true);
}

void
vduse_vq_stop(struct rte_vduse_vq *vq)
{
	struct rte_vduse_dev *dev = vq->dev;

	vq_lock(vq);
	if (vq->started) {
		VDUSE_TRACE(vq_stop, vq->name, vq->index);
		dev->ops->vq_stop(vq, dev->arg);
		vring_stop(&vq->ring);
		/* The interrupt posted for the last used entries: it cannot be sent later. */
		if (rte_atomic_exchange_explicit(&vq->call_state, VDUSE_CALL_NONE,
						 rte_memory_order_acquire) == VDUSE_CALL_POSTED)
			(void)vduse_vq_call_send(vq);
	}
	vq->started = false;
	vq->unmapped = false;
	vq->nb_asked = 0;
	rte_atomic_store_explicit(&vq->slow_calls, 0, rte_memory_order_relaxed);
	vq->report = false;
	vq->iotlb = NULL;
	vq_kick_close(vq);
	vq_unlock(vq, RTE_VDUSE_VQ_IDLE);
}

/* Called before the table is switched, because completing requests needs the old regions. */
unsigned int
vduse_vq_drain(struct rte_vduse_vq *vq, bool stop)
{
	struct rte_vduse_dev *dev = vq->dev;
	unsigned int left;

	if (!vq->started || dev->ops->vq_drain == NULL)
		return 0;
	vq_lock(vq);
	left = dev->ops->vq_drain(vq, stop, dev->arg);
	/* Not vq_unlock(): polling stays disabled until the caller's change is done. */
	rte_spinlock_unlock(&vq->lock);
	return left;
}

void
vduse_vq_pause(struct rte_vduse_vq *vq)
{
	vq_lock(vq);
	rte_spinlock_unlock(&vq->lock);
}

void
vduse_vq_forget(struct rte_vduse_vq *vq)
{
	vq_lock(vq);
	vq->forgets = true;
	rte_spinlock_unlock(&vq->lock);
}

void
vduse_vq_drained(struct rte_vduse_vq *vq)
{
	rte_spinlock_lock(&vq->lock);
	vq_unlock(vq, vq->state);
}

/* The ring is mapped at last, and its device type does not start the queue: it is not tried again. */
static enum rte_vduse_vq_state
vq_late_start_failed(struct rte_vduse_vq *vq, int ret)
{
	vq->started = false;
	vq_kick_close(vq);
	return vq_start_failed(vq, vq->info.size, ret);
}

void
vduse_vq_switch(struct rte_vduse_vq *vq, const struct vduse_iotlb *iotlb)
{
	enum rte_vduse_vq_state state;

	vq_lock(vq);
	state = vq->state;
	vq->iotlb = iotlb;
	if (vq->started) {
		int ret;

		vduse_miss_switched(vq);
		vq->unmapped = false;
		ret = vq_ring_remap(vq);
		if (ret < 0 && ret != -EFAULT)
			state = vq_late_start_failed(vq, ret);
		else if (ret < 0 && state != RTE_VDUSE_VQ_ERROR)
			state = vq_unmapped(vq);
		else if (ret == 0 && state == RTE_VDUSE_VQ_SUSPENDED)
			state = RTE_VDUSE_VQ_RUNNING;
	}
	vq_unlock(vq, state);
}

void
vduse_vq_resume(struct rte_vduse_vq *vq)
{
	enum rte_vduse_vq_state state;

	vq_lock(vq);
	state = vq->state;
	vduse_count(&vq->misses);
	vq->report = false;
	if (state == RTE_VDUSE_VQ_WAITING) {
		state = RTE_VDUSE_VQ_RUNNING;
		if (vduse_vq_region(vq, vq->miss_iova, vq->miss_write) == NULL) {
			rte_vduse_vq_fail(vq, "memory in no region that permits it, address",
					  vq->miss_iova);
			state = RTE_VDUSE_VQ_ERROR;
		}
	}
	vq_unlock(vq, state);
}

const struct rte_vduse_region *
rte_vduse_vq_lookup(const struct rte_vduse_vq *vq, uint64_t iova)
{
	const struct vduse_iotlb *table = vq->iotlb;

	/* Every lookup fails once memory is lost, so that the burst ends soon. */
	if (table != NULL &&
	    unlikely(rte_atomic_load_explicit(&table->poisoned, rte_memory_order_relaxed)))
		return NULL;
	return vduse_iotlb_lookup(table, iova);
}

void
rte_vduse_vq_miss(struct rte_vduse_vq *vq, uint64_t iova, bool write)
{
	/* Memory that was taken away is no miss: the virtqueue fails. */
	if (!vduse_vq_guard(vq))
		return;
	VDUSE_TRACE(iotlb_miss, vq->name, vq->index, iova, write);
	vq->miss_iova = iova;
	vq->miss_write = write;
	vq->report = true;
	rte_atomic_store_explicit(&vq->enabled, false, rte_memory_order_relaxed);
	/* Release: pairs with the acquire in ctrl_serve_misses(). */
	rte_atomic_store_explicit(&vq->state, RTE_VDUSE_VQ_WAITING, rte_memory_order_release);
}

void
rte_vduse_vq_fail(struct rte_vduse_vq *vq, const char *why, uint64_t value)
{
	rte_atomic_store_explicit(&vq->enabled, false, rte_memory_order_relaxed);
	rte_atomic_store_explicit(&vq->state, RTE_VDUSE_VQ_ERROR, rte_memory_order_release);
	vduse_count(&vq->faults);
	/* Once per error state: the virtqueue is not polled again until a reset. */
	VDUSE_LOG_DRIVER(vq->dev, dev, ERR,
			 "virtqueue %u stopped, %s: %s %" PRIu64 " (0x%" PRIx64 ")", vq->index,
			 vq->dev->socket ? "its client must reconnect"
					 : "the driver must reset the device",
			 why, value, value);
}

void
vduse_vq_lost(struct rte_vduse_vq *vq, int ret)
{
	vq_lock(vq);
	/* As started still: its position is asked for. */
	if (vq->started)
		rte_vduse_vq_fail(vq, "another process has what the device needs, error",
				  (uint64_t)-ret);
	vq_unlock(vq, vq->state);
}

bool
vduse_vq_fault(struct rte_vduse_vq *vq)
{
	struct vring_vq *ring = &vq->ring;

	if (ring->fault == VRING_FAULT_MISS) {
		ring->fault = VRING_FAULT_NONE;
		rte_vduse_vq_miss(vq, ring->fault_iova, vq->miss_write);
		return false;
	}
	rte_vduse_vq_fail(vq, vring_fault_name(ring->fault), ring->fault_iova);
	return true;
}

bool
vduse_vq_guard(struct rte_vduse_vq *vq)
{
	const struct vduse_iotlb *table = vq->iotlb;

	/* Acquire: pairs with the release in guard_poison(). */
	if (table != NULL &&
	    unlikely(rte_atomic_load_explicit(&table->poisoned, rte_memory_order_acquire))) {
		rte_vduse_vq_fail(vq, "the driver took away memory in use", 0);
		return false;
	}
	return true;
}

int
rte_vduse_vq_wake_fd(struct rte_vduse_vq *vq)
{
	int fd;

	/* With the lock, because the control thread opens and closes kick_fd under it. */
	rte_spinlock_lock(&vq->lock);
	fd = vq->wake_fd >= 0 ? vq->wake_fd : vq_eventfd(vq->kick_fd);
	if (fd >= 0)
		vq->wake_fd = fd;
	rte_spinlock_unlock(&vq->lock);
	if (fd < 0)
		VDUSE_LOG(dev, ERR, vq->dev->name,
			  "no eventfd to wake the thread of virtqueue %u: %s", vq->index,
			  strerror(-fd));
	return fd;
}

struct rte_vduse_vq *
rte_vduse_dev_vq(struct rte_vduse_dev *dev, uint16_t index)
{
	return index < dev->nb_vqs ? &dev->vqs[index] : NULL;
}

void
vduse_vq_report(struct rte_vduse_vq *vq)
{
	RTE_SET_USED(vq);
	vduse_ctrl_wake();
}
