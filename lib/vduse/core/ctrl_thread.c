/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The control thread: its event loop, and the queue of calls from other threads. See ctrl_thread.h.
 * Input: messages of devices, kicks of virtqueues that it serves, calls, wake-ups of pollers.
 * Output: answers and results.
 * Thread: control, except for what ctrl_thread.h allows on others.
 */
#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_vduse_compat.h>

#include <compat/thread.h>
#include <vduse/core/ctrl_thread.h>
#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/trace.h>

#define CTRL_EVENTS 16
/* Messages served for one device before the others get their turn. */
#define CTRL_MESSAGES 16
/* Interval at which unready virtqueues of started devices are polled, ms: doubles up to the most. */
#define CTRL_POLL_FIRST 1
#define CTRL_POLL_MOST  256
/* Interval at which requests in flight are polled while something waits for them, ms. */
#define CTRL_DRAIN 1

struct ctrl_call {
	STAILQ_ENTRY(ctrl_call) next;
	int (*call)(struct rte_vduse_dev *dev);
	struct rte_vduse_dev *dev;
	int result;
	bool done;
};

static struct {
	pthread_mutex_t lock; /* guards calls, done, and the start of the thread */
	pthread_cond_t done;
	STAILQ_HEAD(, ctrl_call) calls;
	bool running;
	pthread_t self;
	int epoll_fd;
	int wake_fd;
	/* Used by the control thread only. */
	TAILQ_HEAD(, rte_vduse_dev) devices;
	int poll_ms;   /* until unready virtqueues are polled again; -1: there are none */
	int look_ms;   /* until a device type wants to look at its device; -1: none does */
	bool draining; /* something waits for requests in flight */
	bool more;     /* a virtqueue has more for its next turn */
} ctrl = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.done = PTHREAD_COND_INITIALIZER,
	.calls = STAILQ_HEAD_INITIALIZER(ctrl.calls),
	.devices = TAILQ_HEAD_INITIALIZER(ctrl.devices),
	.poll_ms = -1,
	.look_ms = -1,
};

void
vduse_ctrl_wake(void)
{
	if (eventfd_write(ctrl.wake_fd, 1) < 0)
		VDUSE_LOG(dev, ERR, "control thread", "cannot be woken: %s", strerror(errno));
}

static void
ctrl_run_calls(void)
{
	struct ctrl_call *call, *next;
	int ret;

	pthread_mutex_lock(&ctrl.lock);
	for (call = STAILQ_FIRST(&ctrl.calls); call != NULL; call = next) {
		pthread_mutex_unlock(&ctrl.lock);
		ret = call->call(call->dev);
		pthread_mutex_lock(&ctrl.lock);
		/* Without the lock, other threads only appended to the list. */
		next = STAILQ_NEXT(call, next);
		if (ret == -EINPROGRESS) {
			ctrl.draining = true;
			continue;
		}
		STAILQ_REMOVE(&ctrl.calls, call, ctrl_call, next);
		call->result = ret;
		call->done = true;
		pthread_cond_broadcast(&ctrl.done);
	}
	pthread_mutex_unlock(&ctrl.lock);
}

/*
 * Resolves misses: one walk of the memory serves all virtqueues of an address space that missed
 * before it. One that misses during the walk wakes the control thread again.
 */
static void
ctrl_serve_misses(struct rte_vduse_dev *dev, uint32_t asid)
{
	bool walk = false, missed = false;
	uint16_t i, first, nb = vduse_status_space(dev, asid, &first);

	for (i = first; i < first + nb; i++) {
		struct rte_vduse_vq *vq = &dev->vqs[i];

		missed |= vq->missed;
		/* Acquire: pairs with the release in rte_vduse_vq_miss(). */
		vq->missed = rte_atomic_load_explicit(&vq->state, rte_memory_order_acquire) ==
			     RTE_VDUSE_VQ_WAITING;
		walk |= vq->missed;
	}
	if (!walk) {
		/* The virtqueue that missed was stopped or failed during the drain. */
		if (missed)
			vduse_drain_end(dev);
		return;
	}
	if (vduse_drain(dev, first, nb, false) < 0) {
		ctrl.draining = true;
		return;
	}
	(void)vduse_status_remap(dev, asid, true);
	for (i = first; i < first + nb; i++) {
		if (dev->vqs[i].missed)
			vduse_vq_resume(&dev->vqs[i]);
		dev->vqs[i].missed = false;
	}
}

/* Sends at most one interrupt per device and turn: the driver decides how long each takes. */
static void
ctrl_serve_calls(struct rte_vduse_dev *dev)
{
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++) {
		if (vduse_vq_call_posted(&dev->vqs[i])) {
			ctrl.draining = true;
			return;
		}
	}
}

/* Serves each virtqueue that was kicked once: one with more to do waits for the other devices. */
static void
ctrl_serve_kicks(struct rte_vduse_dev *dev)
{
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++) {
		struct rte_vduse_vq *vq = &dev->vqs[i];

		if (!vq->kicked)
			continue;
		if (vduse_vq_enter(vq)) {
			vq->kicked = vq->serve(vq, dev->arg);
			vduse_vq_leave(vq);
		} else {
			/* Another thread holds the lock, or it does not run. */
			vq->kicked =
				rte_atomic_load_explicit(&vq->enabled, rte_memory_order_relaxed);
		}
		ctrl.more |= vq->kicked;
	}
}

/* Starts virtqueues that a driver enables after DRIVER_OK, if no message reports it. */
static void
ctrl_serve_unready(struct rte_vduse_dev *dev)
{
	uint16_t i;

	if (dev->unready == 0)
		return;
	dev->unready = 0;
	if (dev->tells_ready)
		return;
	for (i = 0; i < dev->nb_vqs; i++)
		if (vduse_vq_try_start(&dev->vqs[i]))
			dev->unready++;
}

void
vduse_dev_look_later(struct rte_vduse_dev *dev, unsigned int ms,
		     void (*look)(struct rte_vduse_dev *dev, void *arg))
{
	dev->look_at = rte_get_timer_cycles() + ms * rte_get_timer_hz() / MS_PER_S;
	dev->look = look;
	/* The caller may be served after ctrl_serve_look() in this turn. */
	ctrl.look_ms = vduse_ctrl_sooner(ctrl.look_ms, (int)ms);
}

void
vduse_dev_look_now(struct rte_vduse_dev *dev)
{
	/* Release: pairs with the acquire in ctrl_serve_look(). */
	rte_atomic_store_explicit(&dev->look_now, true, rte_memory_order_release);
	vduse_ctrl_wake();
}

static void
ctrl_serve_look(struct rte_vduse_dev *dev)
{
	uint64_t now, left;

	if (unlikely(rte_atomic_exchange_explicit(&dev->look_now, false,
						  rte_memory_order_acquire)) &&
	    dev->look != NULL)
		dev->look(dev, dev->arg);
	if (dev->look_at == 0)
		return;
	now = rte_get_timer_cycles();
	if (now >= dev->look_at) {
		dev->look_at = 0;
		dev->look(dev, dev->arg);
		return;
	}
	/* Rounded up, so that it does not wake too early. */
	left = (dev->look_at - now) * MS_PER_S / rte_get_timer_hz() + 1;
	ctrl.look_ms = vduse_ctrl_sooner(ctrl.look_ms, (int)left);
}

/* Polls a device's fd for messages, or not: a deferred message keeps those after it waiting. */
static void
ctrl_poll_fd(struct rte_vduse_dev *dev, bool on)
{
	struct epoll_event event = { .events = on ? EPOLLIN : 0, .data.ptr = dev };

	/* Fails if the fd has been removed from the set: nothing to do then. */
	(void)epoll_ctl(ctrl.epoll_fd, EPOLL_CTL_MOD, dev->fd, &event);
}

/*
 * Continues what waited until nothing is in flight: a message, or a hang-up. Returns whether it
 * still waits.
 */
static bool
ctrl_serve_deferred(struct rte_vduse_dev *dev)
{
	if (dev->defers) {
		(void)vduse_msg_handle(dev);
		if (dev->defers)
			return true;
		ctrl_poll_fd(dev, true);
	}
	if (dev->hung_up) {
		if (vduse_drain(dev, 0, dev->nb_vqs, true) < 0)
			return true;
		dev->hung_up = false;
		vduse_status_broken(dev);
	}
	return false;
}

static void
ctrl_serve_devices(void)
{
	struct rte_vduse_dev *dev;
	bool unready = false;
	uint32_t asid;

	ctrl.look_ms = -1;
	TAILQ_FOREACH(dev, &ctrl.devices, next) {
		if (ctrl_serve_deferred(dev)) {
			ctrl.draining = true;
			continue;
		}
		for (asid = 0; asid < dev->nb_spaces && !dev->asks; asid++)
			ctrl_serve_misses(dev, asid);
		if (dev->asks)
			ctrl.look_ms = vduse_ctrl_sooner(ctrl.look_ms, vduse_miss_serve(dev));
		ctrl_serve_calls(dev);
		ctrl_serve_unready(dev);
		ctrl_serve_look(dev);
		ctrl_serve_kicks(dev);
		unready |= dev->unready != 0;
	}
	if (!unready)
		ctrl.poll_ms = -1;
	else if (ctrl.poll_ms < 0)
		ctrl.poll_ms = CTRL_POLL_FIRST;
	else
		ctrl.poll_ms = RTE_MIN(ctrl.poll_ms * 2, CTRL_POLL_MOST);
}

static void
ctrl_serve_messages(struct rte_vduse_dev *dev, uint32_t events)
{
	unsigned int i;

	if (events & (EPOLLERR | EPOLLHUP)) {
		(void)epoll_ctl(ctrl.epoll_fd, EPOLL_CTL_DEL, dev->fd, NULL);
		dev->hung_up = true;
		return;
	}
	for (i = 0; i < CTRL_MESSAGES; i++)
		if (vduse_msg_handle(dev) < 0)
			break;
	if (dev->defers)
		ctrl_poll_fd(dev, false);
	ctrl.poll_ms = -1; /* the driver may be about to enable virtqueues: poll them soon */
}

/*
 * What an fd in the set is of: the address of a device; that of a virtqueue, marked in the lowest
 * bit; or NULL for the wake-up.
 */
#define CTRL_IS_VQ 1u

static void
ctrl_serve_event(const struct epoll_event *event)
{
	uintptr_t whose = (uintptr_t)event->data.ptr;
	struct rte_vduse_vq *vq;
	eventfd_t value;

	if (whose == 0) {
		(void)eventfd_read(ctrl.wake_fd, &value);
	} else if ((whose & CTRL_IS_VQ) == 0) {
		ctrl_serve_messages(event->data.ptr, event->events);
	} else {
		/* A message before it may have stopped the virtqueue: its fd is -1 then. */
		vq = (struct rte_vduse_vq *)(whose - CTRL_IS_VQ);
		VDUSE_TRACE(kick, vq->name, vq->index);
		(void)eventfd_read(vq->kick_fd, &value);
		vq->kicked = vq->serve != NULL;
	}
}

/* Milliseconds until the next turn, if nothing happens. */
static int
ctrl_timeout(void)
{
	if (ctrl.more)
		return 0;
	return ctrl.draining ? CTRL_DRAIN : vduse_ctrl_sooner(ctrl.poll_ms, ctrl.look_ms);
}

static uint32_t
ctrl_main(void *arg)
{
	struct epoll_event events[CTRL_EVENTS];
	int i, n;

	RTE_SET_USED(arg);
	/* The thread that starts this one holds the lock until ctrl.running is set. */
	pthread_mutex_lock(&ctrl.lock);
	ctrl.self = pthread_self();
	pthread_mutex_unlock(&ctrl.lock);
	for (;;) {
		n = epoll_wait(ctrl.epoll_fd, events, CTRL_EVENTS, ctrl_timeout());
		ctrl.draining = false;
		ctrl.more = false;
		for (i = 0; i < n; i++)
			ctrl_serve_event(&events[i]);
		/* After the events: a call may remove a device that an event refers to. */
		ctrl_run_calls();
		ctrl_serve_devices();
	}
	return 0;
}

/* Starts the control thread if it does not run. The caller holds the lock. */
static int
ctrl_start(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	int ret;

	if (ctrl.running)
		return 0;
	ctrl.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	if (ctrl.epoll_fd < 0)
		return -errno;
	ctrl.wake_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	ret = -errno;
	if (ctrl.wake_fd < 0)
		goto close_epoll;
	ret = -errno;
	if (epoll_ctl(ctrl.epoll_fd, EPOLL_CTL_ADD, ctrl.wake_fd, &event) < 0)
		goto close_wake;
	ret = vduse_thread_create("vduse-ctrl", ctrl_main, NULL);
	if (ret < 0)
		goto close_wake;
	ctrl.running = true;
	return 0;

close_wake:
	close(ctrl.wake_fd);
close_epoll:
	close(ctrl.epoll_fd);
	return ret;
}

int
vduse_ctrl_run(int (*function)(struct rte_vduse_dev *dev), struct rte_vduse_dev *dev)
{
	struct ctrl_call call = { .call = function, .dev = dev };
	int ret;

	pthread_mutex_lock(&ctrl.lock);
	ret = ctrl_start();
	if (ret < 0) {
		pthread_mutex_unlock(&ctrl.lock);
		VDUSE_LOG(dev, ERR, dev->name, "cannot start the control thread: %s",
			  strerror(-ret));
		return ret;
	}
	if (pthread_equal(ctrl.self, pthread_self())) {
		pthread_mutex_unlock(&ctrl.lock);
		while ((ret = function(dev)) == -EINPROGRESS)
			usleep(1000 * CTRL_DRAIN);
		return ret;
	}
	STAILQ_INSERT_TAIL(&ctrl.calls, &call, next);
	vduse_ctrl_wake();
	while (!call.done)
		pthread_cond_wait(&ctrl.done, &ctrl.lock);
	pthread_mutex_unlock(&ctrl.lock);
	return call.result;
}

static int
ctrl_add(struct rte_vduse_dev *dev)
{
	struct epoll_event event = { .events = EPOLLIN, .data.ptr = dev };

	if (epoll_ctl(ctrl.epoll_fd, EPOLL_CTL_ADD, dev->fd, &event) < 0) {
		int err = errno;

		VDUSE_LOG(dev, ERR, dev->name, "cannot poll its fd: %s", strerror(err));
		return -err;
	}
	TAILQ_INSERT_TAIL(&ctrl.devices, dev, next);
	return 0;
}

int
vduse_ctrl_kicks_add(struct rte_vduse_vq *vq)
{
	struct epoll_event event = { .events = EPOLLIN,
				     .data.ptr = (void *)((uintptr_t)vq | CTRL_IS_VQ) };

	return epoll_ctl(ctrl.epoll_fd, EPOLL_CTL_ADD, vq->kick_fd, &event) < 0 ? -errno : 0;
}

void
vduse_ctrl_kicks_remove(struct rte_vduse_vq *vq)
{
	(void)epoll_ctl(ctrl.epoll_fd, EPOLL_CTL_DEL, vq->kick_fd, NULL);
}

static int
ctrl_remove(struct rte_vduse_dev *dev)
{
	struct rte_vduse_dev *other;

	TAILQ_FOREACH(other, &ctrl.devices, next) {
		if (other != dev)
			continue;
		(void)epoll_ctl(ctrl.epoll_fd, EPOLL_CTL_DEL, dev->fd, NULL);
		/* The driver of a device that is left sees no failed request. */
		if (vduse_drain(dev, 0, dev->nb_vqs, !dev->left) < 0)
			return -EINPROGRESS;
		TAILQ_REMOVE(&ctrl.devices, dev, next);
		if (dev->left)
			vduse_status_leave(dev);
		else
			vduse_status_reset(dev);
		break;
	}
	return 0;
}

void
vduse_ctrl_pause(struct rte_vduse_dev *dev, bool on)
{
	if (!on) {
		/* It was in the set before. */
		(void)ctrl_add(dev);
		return;
	}
	(void)epoll_ctl(ctrl.epoll_fd, EPOLL_CTL_DEL, dev->fd, NULL);
	TAILQ_REMOVE(&ctrl.devices, dev, next);
}

int
vduse_ctrl_add(struct rte_vduse_dev *dev)
{
	return vduse_ctrl_run(ctrl_add, dev);
}

void
vduse_ctrl_remove(struct rte_vduse_dev *dev)
{
	(void)vduse_ctrl_run(ctrl_remove, dev);
}
