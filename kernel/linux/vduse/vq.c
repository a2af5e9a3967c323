// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
/*
 * Virtqueues: a kick of the driver signals the process's eventfd, a call of the
 * process runs the driver's callback. Kicks come in any context, calls from
 * ioctls.
 *
 * A call runs only while there is a driver: status, ready and the callback are
 * checked under irq_lock, and a reset removes the callback under it. A work that
 * was queued before finds no callback; vduse_vq_flush() waits for it.
 */
#include <linux/eventfd.h>
#include <linux/slab.h>
#include <linux/virtio_config.h>
#include <uapi/linux/virtio_ids.h>

#include "trace.h"
#include "vduse.h"

static void kick_signal(struct vduse_vq *vq)
{
	unsigned long flags;

	spin_lock_irqsave(&vq->kick_lock, flags);
	if (READ_ONCE(vq->ready) && !READ_ONCE(vq->dev->suspended)) {
		WRITE_ONCE(vq->kicks, vq->kicks + 1);
		if (vq->kickfd)
			eventfd_signal(vq->kickfd);
		else
			vq->kicked = true;
	}
	spin_unlock_irqrestore(&vq->kick_lock, flags);
}

static void kick_work(struct work_struct *work)
{
	kick_signal(container_of(work, struct vduse_vq, kick_work));
}

void vduse_vq_kick(struct vduse_vq *vq)
{
	trace_vduse_kick(vq);
	/* A kick may come from the wake-up of another eventfd, and these must not nest. */
	if (eventfd_signal_allowed())
		kick_signal(vq);
	else
		queue_work(vduse_irq_wq, &vq->kick_work);
}

int vduse_vq_set_kickfd(struct vduse_vq *vq, int fd)
{
	struct eventfd_ctx *ctx = NULL;
	unsigned long flags;

	if (fd >= 0) {
		ctx = eventfd_ctx_fdget(fd);
		if (IS_ERR(ctx))
			return PTR_ERR(ctx);
	} else if (fd != VDUSE_EVENTFD_DEASSIGN) {
		return 0;
	}
	spin_lock_irqsave(&vq->kick_lock, flags);
	swap(vq->kickfd, ctx);
	if (vq->kickfd && vq->kicked && READ_ONCE(vq->ready) && !READ_ONCE(vq->dev->suspended)) {
		vq->kicked = false;
		eventfd_signal(vq->kickfd);
	}
	spin_unlock_irqrestore(&vq->kick_lock, flags);
	if (ctx)
		eventfd_ctx_put(ctx);
	return 0;
}

static void call_back(struct vduse_vq *vq)
{
	if (READ_ONCE(vq->ready) && !READ_ONCE(vq->dev->suspended) && vq->cb.callback)
		vq->cb.callback(vq->cb.private);
}

static void irq_work(struct work_struct *work)
{
	struct vduse_vq *vq = container_of(work, struct vduse_vq, irq_work);
	unsigned long flags;

	/* Softirqs that the callback raises run when bottom halves are enabled again. */
	local_bh_disable();
	spin_lock_irqsave(&vq->irq_lock, flags);
	call_back(vq);
	spin_unlock_irqrestore(&vq->irq_lock, flags);
	local_bh_enable();
}

/* The next online CPU of the affinity, round robin; any CPU if none is online. */
static int next_cpu(struct vduse_vq *vq)
{
	int cpu;

	if (cpumask_full(&vq->irq_affinity))
		return VDUSE_CPU_ANY;
	cpu = cpumask_next_and(vq->irq_cpu, &vq->irq_affinity, cpu_online_mask);
	if (cpu >= nr_cpu_ids)
		cpu = cpumask_first_and(&vq->irq_affinity, cpu_online_mask);
	return cpu < nr_cpu_ids ? cpu : VDUSE_CPU_ANY;
}

static void queue_call(struct vduse_vq *vq)
{
	vq->irq_cpu = next_cpu(vq);
	if (vq->irq_cpu == VDUSE_CPU_ANY)
		queue_work(vduse_irq_wq, &vq->irq_work);
	else
		queue_work_on(vq->irq_cpu, vduse_irq_cpu_wq, &vq->irq_work);
}

/*
 * A callback with an eventfd only signals it and needs no kworker. Do not signal
 * the eventfd directly: vhost_vdpa drops its reference to the old one before it
 * sets the callback for the new one. Its callback uses the current one.
 */
int vduse_vq_interrupt(struct vduse_vq *vq)
{
	unsigned long flags;
	int ret = 0;

	trace_vduse_call(vq);
	local_bh_disable();
	spin_lock_irqsave(&vq->irq_lock, flags);
	if (!vduse_is_running(vq->dev)) {
		ret = -EINVAL;
	} else if (READ_ONCE(vq->ready)) {
		WRITE_ONCE(vq->irqs, vq->irqs + 1);
		if (vq->cb.trigger || vq->irq_mode == VDUSE_IRQ_INLINE)
			call_back(vq);
		else if (vq->cb.callback)
			queue_call(vq);
	}
	spin_unlock_irqrestore(&vq->irq_lock, flags);
	local_bh_enable();
	return ret;
}

void vduse_vq_set_callback(struct vduse_vq *vq, const struct vdpa_callback *cb)
{
	unsigned long flags;

	spin_lock_irqsave(&vq->irq_lock, flags);
	vq->cb = *cb;
	spin_unlock_irqrestore(&vq->irq_lock, flags);
}

/* After a queue was made not ready, none of its callbacks runs any more. */
void vduse_vq_set_ready(struct vduse_vq *vq, bool ready)
{
	unsigned long flags;

	spin_lock_irqsave(&vq->irq_lock, flags);
	WRITE_ONCE(vq->ready, ready);
	spin_unlock_irqrestore(&vq->irq_lock, flags);
}

void vduse_config_work(struct work_struct *work)
{
	struct vduse_dev *dev = container_of(work, struct vduse_dev, config_work);
	unsigned long flags;

	local_bh_disable();
	spin_lock_irqsave(&dev->irq_lock, flags);
	if (!READ_ONCE(dev->suspended) && dev->config_cb.callback)
		dev->config_cb.callback(dev->config_cb.private);
	spin_unlock_irqrestore(&dev->irq_lock, flags);
	local_bh_enable();
}

int vduse_config_interrupt(struct vduse_dev *dev)
{
	unsigned long flags;
	int ret = 0;

	spin_lock_irqsave(&dev->irq_lock, flags);
	if (!vduse_is_running(dev))
		ret = -EINVAL;
	else
		queue_work(vduse_irq_wq, &dev->config_work);
	spin_unlock_irqrestore(&dev->irq_lock, flags);
	return ret;
}

static void reset_kick(struct vduse_vq *vq)
{
	struct eventfd_ctx *ctx;
	unsigned long flags;

	spin_lock_irqsave(&vq->kick_lock, flags);
	ctx = vq->kickfd;
	vq->kickfd = NULL;
	vq->kicked = false;
	spin_unlock_irqrestore(&vq->kick_lock, flags);
	if (ctx)
		eventfd_ctx_put(ctx);
}

/* Back to the initial state. Call vduse_vq_flush() afterwards, without locks. */
void vduse_vq_reset(struct vduse_vq *vq)
{
	static const struct vdpa_callback none;

	vduse_vq_set_ready(vq, false);
	spin_lock(&vq->ring_lock);
	memset(&vq->ring, 0, sizeof(vq->ring));
	spin_unlock(&vq->ring_lock);
	reset_kick(vq);
	vduse_vq_set_callback(vq, &none);
}

void vduse_vq_flush(struct vduse_vq *vq)
{
	flush_work(&vq->irq_work);
	flush_work(&vq->kick_work);
}

/* Waits for kicks and calls that began before they were disabled. Call it without locks. */
void vduse_vq_settle(struct vduse_vq *vq)
{
	spin_lock_irq(&vq->kick_lock);
	spin_unlock_irq(&vq->kick_lock);
	spin_lock_irq(&vq->irq_lock);
	spin_unlock_irq(&vq->irq_lock);
	vduse_vq_flush(vq);
}

/*
 * A block driver only completes requests, which is cheaper than waking a kworker.
 * A network driver runs the network stack, which must not use the process's CPU.
 */
static enum vduse_irq_mode default_irq_mode(const struct vduse_dev *dev)
{
	return dev->device_id == VIRTIO_ID_BLOCK ? VDUSE_IRQ_INLINE : VDUSE_IRQ_WORK;
}

struct vduse_vq *vduse_vq_alloc(struct vduse_dev *dev, u16 index)
{
	struct vduse_vq *vq = kzalloc(sizeof(*vq), GFP_KERNEL_ACCOUNT);

	if (!vq)
		return NULL;
	vq->dev = dev;
	vq->index = index;
	vq->irq_cpu = VDUSE_CPU_ANY;
	vq->irq_mode = default_irq_mode(dev);
	cpumask_setall(&vq->irq_affinity);
	spin_lock_init(&vq->ring_lock);
	spin_lock_init(&vq->kick_lock);
	spin_lock_init(&vq->irq_lock);
	INIT_WORK(&vq->kick_work, kick_work);
	INIT_WORK(&vq->irq_work, irq_work);
	kobject_init(&vq->kobj, &vduse_vq_ktype);
	return vq;
}

/* Dropping the last reference of the kobject frees it. */
void vduse_vq_free(struct vduse_vq *vq)
{
	reset_kick(vq);
	vduse_vq_flush(vq);
	kobject_put(&vq->kobj);
}
