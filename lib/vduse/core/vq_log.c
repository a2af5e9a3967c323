/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The dirty log of one virtqueue.
 * Input: the log that a transport sets. Output: the same at the ring, now and after each start.
 * Thread: control.
 */
#include <vduse/core/device.h>

void
vduse_vq_log_apply(struct rte_vduse_vq *vq)
{
	vring_log_set(&vq->ring, vq->log,
		      vq->log_used != UINT64_MAX ? vq->log_used : vq->info.device);
}

void
vduse_vq_log(struct rte_vduse_vq *vq, const struct vring_log *log, uint64_t used)
{
	/* A drain may have disabled it. */
	bool enabled = rte_atomic_load_explicit(&vq->enabled, rte_memory_order_relaxed);

	vduse_vq_hold(vq);
	vq->log = log;
	vq->log_used = used;
	if (vq->ring.started)
		vduse_vq_log_apply(vq);
	vduse_vq_let_in(vq, enabled && vq->state == RTE_VDUSE_VQ_RUNNING);
}
