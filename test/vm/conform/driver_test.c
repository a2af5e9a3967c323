/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The device under in_kernel, a test driver: what only kernel code can see or do.
 *
 * Input: attributes of the driver in /sys/module/in_kernel/parameters.
 */
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "conform.h"
#include "dev.h"
#include "tap.h"

#define PARAMETERS	"/sys/module/in_kernel/parameters/"

static unsigned int
driver_says(const char *path)
{
	FILE *file = fopen(path, "r");
	unsigned int value = 0;

	need(file != NULL && fscanf(file, "%u", &value) == 1, path);
	fclose(file);
	return value;
}

/* In a callback that a kworker may have to run first. */
static bool
counts_to(const char *path, unsigned int value)
{
	unsigned int hundredths;

	for (hundredths = 0; hundredths < 500; hundredths++) {
		if (driver_says(path) >= value)
			return driver_says(path) == value;
		usleep(10000);
	}
	return false;
}

/* The vdpa program inherits it: the driver takes it where it is probed. */
static int
set_trigger(void)
{
	int event = eventfd(0, 0), file = open(PARAMETERS "trigger_fd", O_WRONLY);

	need(event >= 0 && file >= 0 && dprintf(file, "%d", event) > 0, "set trigger_fd");
	close(file);
	return event;
}

static void
test_callbacks(int fd, int trigger)
{
	struct pollfd poll_fd = { .fd = trigger, .events = POLLIN };
	uint32_t index = 0;

	tap_errno(ioctl(fd, VDUSE_VQ_INJECT_IRQ, &index), 0, "in kernel: interrupt");
	tap(counts_to(PARAMETERS "callbacks", 1), "in kernel: the callback is called");
	tap_errno(ioctl(fd, VDUSE_DEV_INJECT_CONFIG_IRQ, 0), 0, "in kernel: config interrupt");
	tap(counts_to(PARAMETERS "config_callbacks", 1), "in kernel: so is that of the config");
	tap(poll(&poll_fd, 1, 0) == 0, "in kernel: its eventfd is not touched");
}

void
conform_driver(bool ours)
{
	int control = control_open(0), fd, trigger = set_trigger();
	struct server server;
	struct dev_arg arg;

	(void)ours;
	dev_arg_init(&arg);
	fd = dev_make(control, &arg);
	server_start(&server, fd);
	need(dev_attach(), "vdpa dev add");
	tap(driver_says(PARAMETERS "sizes_taken") == 0, "in kernel: no invalid size is ready");
	tap(driver_says(PARAMETERS "state_left") == 0, "in kernel: all of a ring's state is set");
	test_callbacks(fd, trigger);
	need(dev_detach(), "vdpa dev del");
	server_stop(&server);
	close(fd);
	close(trigger);
	need(dev_destroy(control, DEV_NAME) == 0, "destroy the device");
	close(control);
}
