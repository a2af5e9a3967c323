/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Continuous interrupts while drivers are bound and unbound, and while the driver's eventfd
 * changes.
 */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "conform.h"
#include "dev.h"
#include "tap.h"
#include "vhost.h"

#define ROUNDS	6
#define CHANGES	2000

struct injector {
	int fd;
	pthread_t thread;
	atomic_bool stop;
	unsigned int accepted;	/* with a driver */
	unsigned int refused;	/* EINVAL: without one */
	unsigned int others;
};

static void
count(struct injector *injector, int ret)
{
	if (ret == 0)
		injector->accepted++;
	else if (errno == EINVAL)
		injector->refused++;
	else
		injector->others++;
}

static void *
inject(void *arg)
{
	struct injector *injector = arg;
	uint32_t index;

	while (!atomic_load(&injector->stop)) {
		for (index = 0; index < 2; index++)
			count(injector, ioctl(injector->fd, VDUSE_VQ_INJECT_IRQ, &index));
		count(injector, ioctl(injector->fd, VDUSE_DEV_INJECT_CONFIG_IRQ, 0));
	}
	return NULL;
}

static void
injector_start(struct injector *injector, int fd)
{
	*injector = (struct injector){ .fd = fd };
	need(pthread_create(&injector->thread, NULL, inject, injector) == 0, "start a thread");
}

static void
injector_stop(struct injector *injector)
{
	atomic_store(&injector->stop, true);
	pthread_join(injector->thread, NULL);
	printf("# interrupts: %u with a driver, %u without\n", injector->accepted,
			injector->refused);
}

/* virtio_net: one queue's callback on a kworker, the other's in the ioctl. */
void
conform_race_virtio(int control)
{
	struct injector injector;
	struct server server;
	struct dev_arg arg;
	unsigned int i;
	int fd;

	dev_arg_init(&arg);
	fd = dev_make(control, &arg);
	need(dev_set_attr("vq1/irq_mode", "inline"), "set irq_mode");
	server_start(&server, fd);
	injector_start(&injector, fd);
	for (i = 0; i < ROUNDS; i++)
		need(dev_attach() && dev_detach(), "attach and detach");
	injector_stop(&injector);
	tap(injector.accepted != 0 && injector.refused != 0,
			"interrupts while virtio_net comes and goes");
	tap(injector.others == 0, "and no other answer");
	tap(!(dev_poll(fd) & POLLERR), "and the device is whole");
	server_stop(&server);
	close(fd);
	need(dev_destroy(control, DEV_NAME) == 0, "destroy the device");
}

static void
change_calls(int vhost)
{
	unsigned int i;

	for (i = 0; i < CHANGES; i++)
		close(vhost_set_call(vhost, i % 2));
}

/* vhost_vdpa gives its reference to the old eventfd away before it tells of the new one. */
void
conform_race_vhost(int control)
{
	struct injector injector;
	struct server server;
	struct dev_arg arg;
	uint32_t index = 0;
	int fd, vhost, call;

	dev_arg_init(&arg);
	fd = dev_make(control, &arg);
	server_start(&server, fd);
	need(dev_attach(), "vdpa dev add");
	vhost = vhost_open();
	vhost_set_ring(vhost, 0, 64);
	vhost_set_ring(vhost, 1, 64);
	vhost_set_status(vhost, 15);
	injector_start(&injector, fd);
	change_calls(vhost);
	injector_stop(&injector);
	tap(injector.accepted != 0 && injector.others == 0, "interrupts while eventfds change");
	call = vhost_set_call(vhost, 0);
	tap_errno(ioctl(fd, VDUSE_VQ_INJECT_IRQ, &index), 0, "and one after that");
	tap(dev_wait(call, POLLIN), "which arrives at the last eventfd");
	close(call);
	close(vhost);
	need(dev_detach(), "vdpa dev del");
	server_stop(&server);
	close(fd);
	need(dev_destroy(control, DEV_NAME) == 0, "destroy the device");
}

/* A time-out of 0 is none: one second, the least that there is, passes many times. */
void
conform_no_timeout(int control)
{
	struct server server;
	struct dev_arg arg;
	pid_t pid;
	int fd;

	dev_arg_init(&arg);
	fd = dev_make(control, &arg);
	need(dev_attach(), "vdpa dev add");
	need(dev_set_attr("msg_timeout", "0"), "set msg_timeout");
	pid = vhost_start_waiter(fd);
	need(dev_wait(fd, POLLIN), "a message arrives");
	sleep(3);
	tap(dev_poll(fd) == POLLIN, "no time-out: the message waits");
	server_start(&server, fd);
	tap(vhost_reap(pid) == 0, "no time-out: the waiter goes on");
	need(dev_detach(), "vdpa dev del");
	server_stop(&server);
	close(fd);
	need(dev_destroy(control, DEV_NAME) == 0, "destroy the device");
}
