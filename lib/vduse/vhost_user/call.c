/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Interrupts of a vhost-user driver, through the eventfd that it sent.
 * write() to an eventfd blocks when its counter is full, and the driver can clear O_NONBLOCK at any
 * time, because that flag belongs to the open file that both share. The kernel never blocks when it
 * signals an eventfd itself. So the eventfd is registered with an io_uring, and a no-op request on
 * that ring interrupts the driver.
 * Thread: the control thread opens and closes. Sending is under the virtqueue's lock, or on the
 * control thread while the poller posts its interrupts.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#ifdef VDUSE_HAVE_LIBURING
#include <liburing.h>

#include <rte_vduse_compat.h>
#endif

#include <rte_branch_prediction.h>

#include <vduse/core/log.h>
#include <vduse/vhost_user/vhost_user.h>

struct vhost_user_call {
	int fd;         /* the driver's eventfd */
	bool ring_used; /* it is signalled through the ring */
#ifdef VDUSE_HAVE_LIBURING
	struct io_uring ring;
#endif
};

#ifdef VDUSE_HAVE_LIBURING
static int
call_ring_open(struct vhost_user_call *call, int fd)
{
	int ret;

	ret = io_uring_queue_init(1, &call->ring, 0);
	if (ret < 0)
		return ret;
	ret = io_uring_register_eventfd(&call->ring, fd);
	if (ret < 0)
		io_uring_queue_exit(&call->ring);
	return ret;
}

static void
call_ring_close(struct vhost_user_call *call)
{
	io_uring_queue_exit(&call->ring);
}

/* The no-op has completed when this returns; its result does not matter. */
static int
call_ring_send(struct vhost_user_call *call)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&call->ring);
	int ret;

	/* NULL: the kernel did not accept the last one, which is still queued. */
	if (sqe != NULL)
		io_uring_prep_nop(sqe);
	ret = io_uring_submit(&call->ring);
	io_uring_cq_advance(&call->ring, io_uring_cq_ready(&call->ring));
	return ret < 0 ? ret : 0;
}
#else
static int
call_ring_open(struct vhost_user_call *call, int fd)
{
	RTE_SET_USED(call);
	RTE_SET_USED(fd);
	return -ENOSYS;
}

static void
call_ring_close(struct vhost_user_call *call)
{
	RTE_SET_USED(call);
}

static int
call_ring_send(struct vhost_user_call *call)
{
	RTE_SET_USED(call);
	return -ENOSYS;
}
#endif

/* Once per process: it concerns all devices. */
static void
call_warn(const char *name, int err)
{
	static bool warned;

	if (!rte_atomic_exchange_explicit(&warned, true, rte_memory_order_relaxed))
		VDUSE_LOG(msg, NOTICE, name,
			  "no io_uring (%s): a driver that fills the counter of "
			  "its call descriptor blocks the lcore that polls it",
			  strerror(-err));
}

struct vhost_user_call *
vhost_user_call_open(const char *name, uint16_t index, int fd)
{
	struct vhost_user_call *call = malloc(sizeof(*call));
	int ret;

	if (call == NULL)
		goto fail;
	call->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (call->fd < 0)
		goto free_call;
	ret = call_ring_open(call, fd);
	call->ring_used = ret == 0;
	if (ret < 0)
		call_warn(name, ret);
	return call;

free_call:
	free(call);
fail:
	VDUSE_LOG(msg, ERR, name,
		  "no memory or file descriptor left for the interrupts of "
		  "virtqueue %u: %s",
		  index, strerror(errno));
	return NULL;
}

void
vhost_user_call_close(struct vhost_user_call *call)
{
	if (call == NULL)
		return;
	if (call->ring_used)
		call_ring_close(call);
	close(call->fd);
	free(call);
}

int
vhost_user_call_send(struct vhost_user_call *call)
{
	struct pollfd pollfd = { .fd = call->fd, .events = POLLOUT };

	if (likely(call->ring_used))
		return call_ring_send(call);
	/* A full counter wakes the driver already, and a write would block. */
	if (poll(&pollfd, 1, 0) == 0)
		return 0;
	return eventfd_write(call->fd, 1) < 0 ? -errno : 0;
}

int
vhost_user_call_fd(const struct vhost_user_call *call)
{
	return call->fd;
}

bool
vhost_user_call_waits(const struct vhost_user_call *call)
{
	return !call->ring_used;
}
