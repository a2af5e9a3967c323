/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A call at /dev/vduse/control whose argument is memory that faults for a long time. Nothing else
 * waits for it: meanwhile another device can be opened, added to the bus and removed.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "conform.h"
#include "dev.h"
#include "stall.h"
#include "tap.h"

struct caller {
	int control;
	unsigned long request;
	void *arg;
	pthread_t thread;
	int result;
};

/* In seconds. Another module keeps them waiting for as long as the page does not come. */
static unsigned int patience;

static void *
call(void *arg)
{
	struct caller *caller = arg;

	caller->result = ioctl(caller->control, caller->request, caller->arg) < 0 ? errno : 0;
	return NULL;
}

static bool
open_other(void)
{
	int fd = open(DEV_PATH, O_RDWR | O_CLOEXEC);

	return fd >= 0 && close(fd) == 0;
}

static bool
attach_other(void)
{
	return dev_attach() && dev_detach();
}

static pid_t
start_child(bool (*work)(void))
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(work() ? 0 : 1);
	need(pid > 0, "fork");
	return pid;
}

/* The argument begins so many bytes before the page. Returns what the call said in the end. */
static int
stalled(int control, unsigned long request, unsigned int before, const void *arg, const char *name)
{
	struct caller caller = { .control = control, .request = request };
	pid_t child[2];
	struct stall stall;
	bool ends[2];
	unsigned int i;

	stall_init(&stall);
	caller.arg = memcpy(stall.page - before, arg, before);
	need(pthread_create(&caller.thread, NULL, call, &caller) == 0, "start a thread");
	stall_wait(&stall);
	child[0] = start_child(open_other);
	child[1] = start_child(attach_other);
	ends[0] = child_ends(child[0], patience);
	ends[1] = child_ends(child[1], ends[0] ? patience : 1);
	tap(ends[0], "stalled %s: another device is opened", name);
	tap(ends[1], "stalled %s: another device is attached and detached", name);
	stall_finish(&stall, true);
	pthread_join(caller.thread, NULL);
	/* They go on now, if they waited. */
	for (i = 0; i < 2; i++)
		waitpid(child[i], NULL, 0);
	return caller.result;
}

void
conform_control_stall(int control, bool ours)
{
	static const char name[] = "conform1";
	struct dev_arg arg;
	int fd;

	patience = ours ? 30 : 3;
	dev_arg_init(&arg);
	fd = dev_make(control, &arg);
	close(fd);
	strcpy(arg.config.name, name);
	tap(stalled(control, VDUSE_CREATE_DEV, 0, &arg, "create") == EINVAL,
			"stalled create: zeros are no device");
	tap(stalled(control, VDUSE_CREATE_DEV, sizeof(arg.config), &arg,
			"create's configuration") == 0, "stalled create: it ends");
	tap_errno(dev_destroy(control, name), 0, "stalled create: destroy");
	tap(stalled(control, VDUSE_DESTROY_DEV, 0, name, "destroy") == EINVAL,
			"stalled destroy: no name is no device");
	if (ours) {
		tap(stalled(control, VDUSE_GET_API_VERSION, 0, name, "get version") == 0,
				"stalled get version: it ends");
		tap(stalled(control, VDUSE_SET_API_VERSION, 0, name, "set version") == 0,
				"stalled set version: it ends");
		tap(stalled(control, VDUSE_GET_FEATURES, 0, name, "get features") == 0,
				"stalled get features: it ends");
		tap(stalled(control, VDUSE_SET_FEATURES, 0, name, "set features") == 0,
				"stalled set features: it ends");
	}
	need(dev_destroy(control, DEV_NAME) == 0, "destroy the device");
}
