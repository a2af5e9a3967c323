/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * `vdpa dev add` is killed while the process has not answered DRIVER_OK. virtio_net does not check
 * the result and uses the device from then on, so the answer must still take effect.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/virtio_config.h>

#include "conform.h"
#include "dev.h"
#include "tap.h"

static pid_t
start_attach(int fd)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	close(fd);
	execlp("vdpa", "vdpa", "dev", "add", "name", DEV_NAME, "mgmtdev", "vduse", NULL);
	_exit(1);
}

static bool
sets_driver_ok(const struct vduse_dev_request *req)
{
	return req->type == VDUSE_SET_STATUS && (req->s.status & VIRTIO_CONFIG_S_DRIVER_OK);
}

/* Answers everything before it. */
static struct vduse_dev_request
read_driver_ok(int fd)
{
	struct vduse_dev_request req = { 0 };

	for (;;) {
		need(dev_wait(fd, POLLIN) && read(fd, &req, sizeof(req)) == sizeof(req),
				"read a message");
		if (sets_driver_ok(&req))
			return req;
		need(dev_answer(fd, req.request_id, 0) == 0, "answer");
	}
}

/* Gives a process that was killed some seconds to end; false if it still waits. */
static bool
ends(pid_t pid)
{
	unsigned int tenths;

	for (tenths = 0; tenths < 20; tenths++) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			return true;
		usleep(100000);
	}
	return false;
}

static int
make(int control)
{
	struct dev_arg arg;

	dev_arg_init(&arg);
	return dev_make(control, &arg);
}

static void
remove_device(int control, int fd, const char *name)
{
	struct server server;

	server_start(&server, fd);
	tap(dev_detach(), "%s: detach", name);
	server_stop(&server);
	close(fd);
	tap_errno(dev_destroy(control, DEV_NAME), 0, "%s: destroy", name);
}

static void
test_answered(int control)
{
	int fd = make(control);
	pid_t pid = start_attach(fd);
	struct vduse_dev_request req = read_driver_ok(fd);
	struct server server;
	uint32_t index = 0;
	bool ended;

	kill(pid, SIGKILL);
	ended = ends(pid);
	tap_errno(dev_answer(fd, req.request_id, 0), 0, "killed at DRIVER_OK: the answer counts");
	tap_errno(ioctl(fd, VDUSE_VQ_INJECT_IRQ, &index), 0, "killed at DRIVER_OK: interrupt");
	server_start(&server, fd);
	if (!ended)
		waitpid(pid, NULL, 0);
	server_stop(&server);
	tap(access("/sys/bus/vdpa/devices/" DEV_NAME "/driver", F_OK) == 0,
			"killed at DRIVER_OK: the driver is there");
	remove_device(control, fd, "killed at DRIVER_OK");
}

/* The message may time out as any other: the device is broken then. */
static void
test_timeout(int control)
{
	int fd = make(control);
	pid_t pid;

	need(dev_set_attr("msg_timeout", "3"), "set msg_timeout");
	pid = start_attach(fd);
	read_driver_ok(fd);
	kill(pid, SIGKILL);
	tap(dev_wait(fd, POLLERR), "killed and no answer: the device is broken");
	waitpid(pid, NULL, 0);
	remove_device(control, fd, "killed and no answer");
}

/* Without a time-out the kill is the only end there is. */
static void
test_no_timeout(int control)
{
	int fd = make(control);
	pid_t pid;

	need(dev_set_attr("msg_timeout", "0"), "set msg_timeout");
	pid = start_attach(fd);
	read_driver_ok(fd);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	tap(dev_poll(fd) & POLLERR, "killed without a time-out: the device is broken");
	remove_device(control, fd, "killed without a time-out");
}

void
conform_killed(int control)
{
	test_answered(control);
	test_timeout(control);
	test_no_timeout(control);
}
