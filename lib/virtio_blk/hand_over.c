/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Hands a block device over to another process, see rte_vduse_handover.h. The backend is open in both
 * for a while; what only one can have of it, such as a lock, changes hands while nothing is in flight.
 * Input: a device at rest. Output: a backend that is given up, or taken.
 * Thread: the application's; vblk_hand_over(): control.
 */
#include <errno.h>
#include <string.h>

#include <rte_vduse_handover.h>

#include <virtio_blk/blk.h>

int
vblk_hand_over(struct rte_vduse_dev *dev, bool gone, void *arg)
{
	struct rte_vduse_blk *blk = arg;
	int ret = vblk_backend_hand_over(blk->backend, gone);
	uint16_t i;

	/* A queue that starts after that has to acquire it first. */
	for (i = 0; ret < 0 && !gone && i < blk->nb_queues; i++)
		vblk_queue_release(&blk->queues[i]);
	if (ret < 0)
		VBLK_LOG(ERR, rte_vduse_dev_name(dev), "its backend cannot be %s: %s",
			 gone ? "given up" : "taken, another process may have it", strerror(-ret));
	return ret;
}

int
rte_vduse_blk_hand_over(struct rte_vduse_blk *blk, int socket, unsigned int ms)
{
	/* Before the other process has opened it for nothing. */
	if (!VBLK_BACKEND_HAS(blk->backend->ops, hand_over)) {
		VBLK_LOG(ERR, rte_vduse_dev_name(blk->dev),
			 "not handed over: its data or its lock belongs to this process; stop it "
			 "with --stop leave instead, unless its data is in memory");
		return -ENOTSUP;
	}
	return rte_vduse_dev_hand_over(blk->dev, socket, ms);
}
