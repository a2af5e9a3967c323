/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Events for a thread that sleeps in an epoll instance of its own instead of polling a virtqueue.
 * Input: the eventfd of the virtqueue and, through the transport, the driver's. Output: events.
 * Thread: any, one at a time for a virtqueue.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>

static void
vq_wake_end(struct rte_vduse_vq *vq)
{
	if (vq->wake_epoll < 0)
		return;
	if (vq->dev->transport->vq_wake_epoll != NULL)
		vq->dev->transport->vq_wake_epoll(vq->dev, vq->index, -1, NULL);
	(void)epoll_ctl(vq->wake_epoll, EPOLL_CTL_DEL, vq->wake_fd, NULL);
	vq->wake_epoll = -1;
}

int
rte_vduse_vq_wake_epoll(struct rte_vduse_vq *vq, int epoll_fd, void *ptr)
{
	struct epoll_event event = { .events = EPOLLIN | EPOLLET, .data.ptr = ptr };
	int fd;

	vq_wake_end(vq);
	if (epoll_fd < 0)
		return 0;
	fd = rte_vduse_vq_wake_fd(vq);
	if (fd < 0)
		return fd;
	if (epoll_ctl(epoll_fd, EPOLL_CTL_ADD, fd, &event) < 0) {
		int err = errno;

		VDUSE_LOG(dev, ERR, vq->dev->name,
			  "virtqueue %u: no event of its driver in epoll file %d: %s", vq->index,
			  epoll_fd, strerror(err));
		return -err;
	}
	vq->wake_epoll = epoll_fd;
	if (vq->dev->transport->vq_wake_epoll != NULL)
		vq->dev->transport->vq_wake_epoll(vq->dev, vq->index, epoll_fd, ptr);
	return 0;
}
