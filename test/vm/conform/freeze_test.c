/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The system freezes its processes, as before a suspend, while one waits for an answer. The kernel
 * gives up after some seconds if a process does not freeze. For this project's module only.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "conform.h"
#include "dev.h"
#include "tap.h"
#include "vhost.h"

static bool
put(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY);
	bool ok = fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value);

	if (fd >= 0)
		close(fd);
	return ok;
}

/* Freezes the processes, waits, and lets them go on. */
static bool
freeze(void)
{
	bool ok;

	need(put("/sys/power/pm_freeze_timeout", "4000"), "set pm_freeze_timeout");
	need(put("/sys/module/suspend/parameters/pm_test_delay", "1"), "set pm_test_delay");
	need(put("/sys/power/pm_test", "freezer"), "a kernel that tests its freezer");
	ok = put("/sys/power/state", "freeze");
	need(put("/sys/power/pm_test", "none"), "set pm_test");
	return ok;
}

void
conform_freeze(int control)
{
	struct server server;
	struct dev_arg arg;
	pid_t pid;
	int fd;

	dev_arg_init(&arg);
	fd = dev_make(control, &arg);
	need(dev_attach(), "vdpa dev add");
	tap(freeze(), "freeze: nobody waits");
	pid = vhost_start_waiter(fd);
	need(dev_wait(fd, POLLIN), "a message arrives");
	tap(freeze(), "freeze: one waits for an answer");
	tap(dev_poll(fd) == POLLIN, "freeze: the message is still there");
	server_start(&server, fd);
	tap(vhost_reap(pid) == 0, "freeze: the waiter goes on");
	need(dev_detach(), "vdpa dev del");
	server_stop(&server);
	close(fd);
	need(dev_destroy(control, DEV_NAME) == 0, "destroy the device");
}
