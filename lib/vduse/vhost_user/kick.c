/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Notifications of a vhost-user driver. The eventfd that it sent belongs to it as well: it can read
 * the counter first, or clear O_NONBLOCK, so that a read blocks, and it brings another one when it
 * connects again. So it is never read, nor shown to the application. It is watched edge triggered: in
 * the epoll of the thread that sleeps, if core/ was told that, else in that of the control thread, which
 * passes each notification on to an eventfd of this process.
 * Input: eventfds of the driver and of core/. Output: events and signals.
 * Thread: control; vhost_user_kick_epoll(): any. The lock of the connection is held for changes.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/vhost_user/vhost_user.h>

/* With the lock. */
static void
kick_watch(const struct vhost_user *vu, uint16_t index, bool on)
{
	const struct vhost_user_vq *vq = &vu->vqs[index];
	int epoll_fd = vq->kick_epoll >= 0 ? vq->kick_epoll : vu->dev->fd;
	struct epoll_event event = { .events = EPOLLIN | EPOLLET };

	if (vq->kick < 0 || vq->kick_to < 0)
		return;
	if (vq->kick_epoll >= 0)
		event.data.ptr = vq->kick_ptr;
	else
		event.data.u64 = VHOST_USER_KICK | index;
	if (epoll_ctl(epoll_fd, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, vq->kick, &event) < 0 && on)
		VDUSE_LOG_DRIVER(vu->dev, msg, ERR,
				 "cannot poll the kick descriptor of virtqueue %u: %s: a thread "
				 "that sleeps on it is not woken",
				 index, strerror(errno));
}

void
vhost_user_kick_from(struct vhost_user *vu, uint16_t index, int fd)
{
	struct vhost_user_vq *vq = &vu->vqs[index];

	pthread_mutex_lock(&vu->lock);
	kick_watch(vu, index, false);
	if (vq->kick >= 0)
		close(vq->kick);
	vq->kick = fd;
	kick_watch(vu, index, true);
	pthread_mutex_unlock(&vu->lock);
	rte_atomic_store_explicit(&vu->dev->vqs[index].unkicked, fd < 0, rte_memory_order_relaxed);
	/* A thread that sleeps would not be woken again. */
	if (fd < 0)
		vhost_user_kick_pass(vu, index);
}

void
vhost_user_kick_take(struct vhost_user *vu, uint16_t index, struct vhost_user_msg *msg)
{
	if (msg->nb_fds == 0) {
		vhost_user_kick_from(vu, index, -1);
		return;
	}
	/* The message may be handled again, once no request is in flight. */
	if (msg->fds[0] < 0)
		return;
	if (vhost_user_file_is_eventfd(msg->fds[0])) {
		vhost_user_kick_from(vu, index, msg->fds[0]);
		msg->fds[0] = -1;
		return;
	}
	vhost_user_kick_from(vu, index, -1);
	VDUSE_LOG_DRIVER(vu->dev, msg, WARNING,
			 "the kick descriptor of virtqueue %u is no eventfd: a thread that sleeps "
			 "on the virtqueue is not woken",
			 index);
}

void
vhost_user_kick_to(struct vhost_user *vu, uint16_t index, int fd)
{
	pthread_mutex_lock(&vu->lock);
	kick_watch(vu, index, false);
	vu->vqs[index].kick_to = fd;
	kick_watch(vu, index, true);
	pthread_mutex_unlock(&vu->lock);
}

void
vhost_user_kick_epoll(struct vhost_user *vu, uint16_t index, int epoll_fd, void *ptr)
{
	pthread_mutex_lock(&vu->lock);
	kick_watch(vu, index, false);
	vu->vqs[index].kick_epoll = epoll_fd;
	vu->vqs[index].kick_ptr = ptr;
	kick_watch(vu, index, true);
	pthread_mutex_unlock(&vu->lock);
}

void
vhost_user_kick_pass(const struct vhost_user *vu, uint16_t index)
{
	/* Fails only if the counter is full, which wakes a thread too. */
	if (vu->vqs[index].kick_to >= 0)
		(void)eventfd_write(vu->vqs[index].kick_to, 1);
}
