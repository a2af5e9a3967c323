/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * SUSPEND: from the answer until the next reset no kick reaches the process and no interrupt
 * reaches the driver. For this project's module only.
 */
#include <errno.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "conform.h"
#include "dev.h"
#include "tap.h"
#include "vhost.h"

struct events {
	int driver;	/* the driver kicks */
	int device;	/* the process is kicked */
	int call;	/* the driver is called */
};

static const uint32_t index_0;

static bool
is_set(int event, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = event, .events = POLLIN };
	uint64_t count;

	return poll(&poll_fd, 1, timeout_ms) == 1 && read(event, &count, sizeof(count)) == 8;
}

static void
kick(const struct events *events)
{
	uint64_t one = 1;

	need(write(events->driver, &one, sizeof(one)) == sizeof(one), "kick");
}

static void
start(int fd, int vhost, struct events *events)
{
	struct vduse_vq_eventfd arg = { .index = 0, .fd = eventfd(0, EFD_CLOEXEC) };

	events->device = arg.fd;
	events->driver = vhost_set_kick(vhost, 0);
	events->call = vhost_set_call(vhost, 0);
	vhost_set_ring(vhost, 0, 64);
	need(ioctl(fd, VDUSE_VQ_SETUP_KICKFD, &arg) == 0, "set up a kickfd");
	vhost_set_status(vhost, 15);
	need(vhost_get_status(vhost) == 15, "DRIVER_OK");
}

static void
stop(struct events *events)
{
	close(events->driver);
	close(events->device);
	close(events->call);
}

static void
check_runs(int fd, const struct events *events, const char *when)
{
	kick(events);
	tap(is_set(events->device, 5000), "%s: a kick arrives", when);
	tap_errno(ioctl(fd, VDUSE_VQ_INJECT_IRQ, &index_0), 0, "%s: interrupt", when);
	tap(is_set(events->call, 5000), "%s: it arrives", when);
	tap_errno(ioctl(fd, VDUSE_DEV_INJECT_CONFIG_IRQ, 0), 0, "%s: config interrupt", when);
}

/* A second suspend waits for what the kick left to a kworker. */
static void
check_stands(int fd, int vhost, const struct events *events)
{
	tap_errno(ioctl(fd, VDUSE_VQ_INJECT_IRQ, &index_0), EINVAL, "suspended: interrupt");
	tap_errno(ioctl(fd, VDUSE_DEV_INJECT_CONFIG_IRQ, 0), EINVAL, "suspended: config interrupt");
	kick(events);
	tap_errno(ioctl(vhost, VHOST_VDPA_SUSPEND, 0), 0, "suspended: suspend again");
	tap(!is_set(events->device, 1000), "suspended: no kick arrives");
	tap(!is_set(events->call, 0), "suspended: no interrupt arrives");
	tap(vhost_get_base(vhost, 0) == 0, "suspended: the ring's state is told");
}

static void
test_suspend(int fd, struct server *server)
{
	int vhost = vhost_open();
	struct events events;

	start(fd, vhost, &events);
	check_runs(fd, &events, "before suspend");
	atomic_store(&server->result, VDUSE_REQ_RESULT_FAILED);
	tap_errno(ioctl(vhost, VHOST_VDPA_SUSPEND, 0), EIO, "suspend: refused");
	atomic_store(&server->result, VDUSE_REQ_RESULT_OK);
	check_runs(fd, &events, "suspend refused");
	tap_errno(ioctl(vhost, VHOST_VDPA_SUSPEND, 0), 0, "suspend: accepted");
	check_stands(fd, vhost, &events);
	stop(&events);
	close(vhost);
	vhost = vhost_open();
	start(fd, vhost, &events);
	check_runs(fd, &events, "after a reset");
	stop(&events);
	close(vhost);
}

void
conform_suspend(void)
{
	int control = control_open(1), fd;
	struct server server;
	struct dev_arg arg;

	fd = dev_make_optional(control, &arg);
	server_start(&server, fd);
	need(dev_attach(), "vdpa dev add");
	test_suspend(fd, &server);
	need(dev_detach(), "vdpa dev del");
	server_stop(&server);
	close(fd);
	need(dev_destroy(control, DEV_NAME) == 0, "destroy the device");
	close(control);
}
