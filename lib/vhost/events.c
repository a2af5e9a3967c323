/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The thread that calls applications back.
 * Input: what the driver wants, and what the application was told. Output: the callbacks of struct
 * rte_vhost_device_ops that make the two agree.
 * Thread: events. A callback may block, and may call all of rte_vhost.h but
 * rte_vhost_driver_unregister(). The control thread waits for this thread only if the application
 * holds addresses of memory that is unmapped; it excludes a burst by itself.
 */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <compat/thread.h>

#include <vhost/vhost.h>

/* Interval of looking for the first buffer of a driver that is up, ms: first and longest. */
#define EVENTS_PRIME_FIRST 1u
#define EVENTS_PRIME_MOST  64u

static struct {
	pthread_mutex_t lock; /* serialises the start of the thread */
	bool running;
	pthread_t self; /* under vhost_lock() */
} events = { .lock = PTHREAD_MUTEX_INITIALIZER };

static void
events_new_connection(struct vhost_dev *dev)
{
	dev->connected = true;
	vhost_unlock();
	if (dev->ops != NULL && dev->ops->new_connection != NULL &&
	    dev->ops->new_connection(dev->vid) < 0)
		VHOST_LOG(ERR, dev->path, "the application's new_connection failed");
	vhost_lock();
}

static void
events_destroy_connection(struct vhost_dev *dev)
{
	dev->connected = false;
	vhost_unlock();
	if (dev->ops != NULL && dev->ops->destroy_connection != NULL)
		dev->ops->destroy_connection(dev->vid);
	vhost_lock();
}

static void
events_new_device(struct vhost_dev *dev)
{
	uint32_t generation = dev->generation;
	int ret = 0;

	vhost_unlock();
	if (dev->ops != NULL && dev->ops->new_device != NULL)
		ret = dev->ops->new_device(dev->vid);
	if (ret < 0)
		VHOST_LOG(ERR, dev->path,
			  "the application's new_device refuses it until the "
			  "driver comes up again");
	vhost_lock();
	if (ret < 0)
		dev->refused = generation;
	else
		dev->told = generation;
}

static void
events_destroy_device(struct vhost_dev *dev)
{
	uint16_t i;

	vhost_unlock();
	if (dev->ops != NULL && dev->ops->destroy_device != NULL)
		dev->ops->destroy_device(dev->vid);
	vhost_lock();
	dev->told = 0;
	dev->raw = false;
	for (i = 0; i < dev->conf.nb_vqs; i++)
		dev->vqs[i].told = false;
}

static void
events_vring_state(struct vhost_dev *dev, uint16_t index)
{
	bool ready = dev->vqs[index].ready;

	dev->vqs[index].told = ready;
	vhost_unlock();
	if (dev->ops != NULL && dev->ops->vring_state_changed != NULL)
		(void)dev->ops->vring_state_changed(dev->vid, index, ready);
	vhost_lock();
}

/* The next callback that a device needs, or NULL. Under the mutex. */
static void (*events_next(const struct vhost_dev *dev))(struct vhost_dev *dev)
{
	if (dev->connect && !dev->connected)
		return events_new_connection;
	if (dev->told != 0 && (!dev->up || dev->told != dev->generation))
		return events_destroy_device;
	if (dev->up && dev->told == 0 && dev->refused != dev->generation)
		return events_new_device;
	if (dev->connected && !dev->connect)
		return events_destroy_connection;
	return NULL;
}

/* Makes one callback, if one is needed. Under the mutex, which is released while it runs. */
static bool
events_step(struct vhost_dev *dev)
{
	void (*next)(struct vhost_dev * dev) = events_next(dev);
	uint16_t vq = dev->told != 0 ? 0 : dev->conf.nb_vqs;

	/* Otherwise the first virtqueue whose state the application was not told. */
	while (next == NULL && vq < dev->conf.nb_vqs && dev->vqs[vq].ready == dev->vqs[vq].told)
		vq++;
	if (next == NULL && vq == dev->conf.nb_vqs)
		return false;
	dev->busy = true;
	if (next != NULL)
		next(dev);
	else
		events_vring_state(dev, vq);
	dev->busy = false;
	vhost_changed();
	return true;
}

/* Looks for first buffers. Returns whether a device still waits for one. Under the mutex. */
static bool
events_prime(void)
{
	struct vhost_dev *dev;
	bool wait = false;

	TAILQ_FOREACH(dev, &vhost_dev_list, next) {
		if (!dev->driver_ok || dev->primed)
			continue;
		if (vhost_prime(dev))
			vhost_driver_evaluate(dev);
		wait |= !dev->up;
	}
	return wait;
}

/* Makes one callback of any device. Under the mutex. */
static bool
events_one(void)
{
	struct vhost_dev *dev;

	/* The list may change during the callback, so the next search starts from its head. */
	TAILQ_FOREACH(dev, &vhost_dev_list, next)
		if (dev->vid >= 0 && events_step(dev))
			return true;
	return false;
}

static uint32_t
events_main(void *arg)
{
	unsigned int ms = EVENTS_PRIME_FIRST;

	RTE_SET_USED(arg);
	vhost_lock();
	events.self = pthread_self();
	for (;;) {
		bool prime = events_prime();

		if (events_one())
			continue;
		if (prime && !vhost_wait_ms(ms)) {
			ms = RTE_MIN(2 * ms, EVENTS_PRIME_MOST);
			continue;
		}
		if (!prime)
			vhost_wait();
		ms = EVENTS_PRIME_FIRST;
	}
	return 0;
}

int
vhost_events_start(void)
{
	int ret = 0;

	pthread_mutex_lock(&events.lock);
	if (!events.running)
		ret = vduse_thread_create("vduse-vhost", events_main, NULL);
	if (ret == 0)
		events.running = true;
	pthread_mutex_unlock(&events.lock);
	if (ret < 0)
		VHOST_LOG(ERR, "events thread", "cannot be started: %s", strerror(-ret));
	return ret;
}

bool
vhost_events_self(void)
{
	bool self;

	vhost_lock();
	self = pthread_equal(events.self, pthread_self());
	vhost_unlock();
	return self;
}

void
vhost_events_settle(struct vhost_dev *dev)
{
	while (dev->busy || events_next(dev) != NULL)
		vhost_wait();
}

void
vhost_events_down(struct vhost_dev *dev)
{
	dev->up = false;
	vhost_changed();
	while (dev->raw && (dev->busy || dev->told != 0))
		vhost_wait();
	dev->raw = false;
}
