/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * SET_VQ_READY. The test answers by hand and checks the time between the message and its answer;
 * then the driver's process is killed at that point. For this project's module only.
 */
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "conform.h"
#include "dev.h"
#include "tap.h"
#include "vhost.h"

static bool
read_ready(int fd, struct vduse_dev_request *req, bool ready)
{
	return dev_wait(fd, POLLIN) && read(fd, req, sizeof(*req)) == sizeof(*req) &&
	       req->type == VDUSE_SET_VQ_READY && req->vq_ready.num == 0 &&
	       req->vq_ready.ready == ready;
}

static bool
is_ready(int fd)
{
	struct vduse_vq_info info = { .index = 0 };

	need(ioctl(fd, VDUSE_VQ_GET_INFO, &info) == 0, "vq info");
	return info.ready;
}

static void *
enable(void *vhost)
{
	vhost_set_ring(*(int *)vhost, 0, 64);
	return NULL;
}

static void *
disable(void *vhost)
{
	struct vhost_vring_state state = { .index = 0, .num = 0 };

	ioctl(*(int *)vhost, VHOST_VDPA_SET_VRING_ENABLE, &state);
	return NULL;
}

static bool
kick_arrives(int driver, int device)
{
	uint64_t one = 1;

	need(write(driver, &one, sizeof(one)) == sizeof(one), "kick");
	return dev_wait(device, POLLIN) && read(device, &one, sizeof(one)) == sizeof(one);
}

static void
test_window(int fd, int vhost)
{
	struct vduse_vq_eventfd kick = { .index = 0, .fd = eventfd(0, EFD_CLOEXEC) };
	int driver = vhost_set_kick(vhost, 0);
	struct vduse_dev_request req = { 0 };
	pthread_t thread;

	need(ioctl(fd, VDUSE_VQ_SETUP_KICKFD, &kick) == 0, "set up a kickfd");
	need(pthread_create(&thread, NULL, enable, &vhost) == 0, "start a thread");
	tap(read_ready(fd, &req, true), "ready: a message says so");
	tap(is_ready(fd), "ready: before the answer");
	tap(kick_arrives(driver, kick.fd), "ready: a kick before the answer arrives");
	need(dev_answer(fd, req.request_id, 0) == 0, "answer");
	pthread_join(thread, NULL);
	tap(is_ready(fd), "ready: after the answer");
	need(pthread_create(&thread, NULL, disable, &vhost) == 0, "start a thread");
	tap(read_ready(fd, &req, false), "not ready: a message says so");
	tap(kick_arrives(driver, kick.fd), "not ready: a kick before the answer arrives");
	need(dev_answer(fd, req.request_id, 0) == 0, "answer");
	pthread_join(thread, NULL);
	tap(!is_ready(fd), "not ready: after the answer");
	close(driver);
	close(kick.fd);
}

static void
test_refused(int fd, int vhost)
{
	struct vduse_dev_request req = { 0 };
	pthread_t thread;

	need(pthread_create(&thread, NULL, enable, &vhost) == 0, "start a thread");
	need(read_ready(fd, &req, true), "read the message");
	need(dev_answer(fd, req.request_id, VDUSE_REQ_RESULT_FAILED) == 0, "refuse");
	pthread_join(thread, NULL);
	tap(dev_poll(fd) & POLLERR, "ready: refused: the device is broken");
}

/* Answers the reset of its open() and reads the message that a ring is ready. */
static pid_t
start_user(int fd, struct vduse_dev_request *req)
{
	pid_t pid = fork();

	if (pid == 0) {
		close(fd);
		vhost_set_ring(vhost_open(), 0, 64);
		_exit(0);
	}
	need(dev_wait(fd, POLLIN) && read(fd, req, sizeof(*req)) == sizeof(*req), "the reset");
	need(dev_answer(fd, req->request_id, 0) == 0, "answer");
	need(read_ready(fd, req, true), "the message that a ring is ready");
	return pid;
}

/* Its close() resets: the process was told something since the last reset. */
static void
test_killed(int fd)
{
	struct vduse_dev_request req = { 0 };
	struct server server;
	pid_t pid = start_user(fd, &req);

	kill(pid, SIGKILL);
	tap(dev_wait(fd, POLLIN), "ready: killed: a message follows");
	tap(!(dev_poll(fd) & POLLERR), "ready: killed: the device is not broken");
	server_start(&server, fd);
	tap(vhost_reap(pid) == -1, "ready: killed: the user ends");
	server_stop(&server);
	tap(server.total != 0 && server.last[VDUSE_SET_STATUS].type == VDUSE_SET_STATUS &&
			server.last[VDUSE_SET_STATUS].s.status == 0,
			"ready: killed: it is a reset");
	tap_errno(ioctl(fd, VDUSE_VQ_GET_INFO, &(struct vduse_vq_info){ .index = 0 }), 0,
			"ready: killed: ioctls go on");
	tap((dev_poll(fd) & POLLERR) == 0, "ready: killed: the device is whole");
}

static int
open_answered(int fd)
{
	struct server server;
	int vhost;

	server_start(&server, fd);
	vhost = vhost_open();
	server_stop(&server);
	return vhost;
}

static void
close_answered(int fd, int vhost)
{
	struct server server;

	server_start(&server, fd);
	close(vhost);
	server_stop(&server);
}

void
conform_ready(void)
{
	int control = control_open(1), fd, vhost;
	struct dev_arg arg;
	struct server server;

	fd = dev_make_optional(control, &arg);
	need(dev_attach(), "vdpa dev add");
	vhost = open_answered(fd);
	test_window(fd, vhost);
	close_answered(fd, vhost);
	test_killed(fd);
	vhost = open_answered(fd);
	test_refused(fd, vhost);
	close_answered(fd, vhost);
	server_start(&server, fd);
	need(dev_detach(), "vdpa dev del");
	server_stop(&server);
	close(fd);
	need(dev_destroy(control, DEV_NAME) == 0, "destroy the device");
	close(control);
}
