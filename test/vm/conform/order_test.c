/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Two messages at the same time, from the test driver two_messages: they are read in order,
 * whatever failed before, until each is answered.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/mman.h>
#include <unistd.h>

#include "conform.h"
#include "dev.h"
#include "tap.h"

static void *nowhere;

static uint32_t
read_id(int fd)
{
	struct vduse_dev_request req = { 0 };

	need(dev_wait(fd, POLLIN) && read(fd, &req, sizeof(req)) == sizeof(req), "read a message");
	need(req.type == VDUSE_GET_VQ_STATE, "it asks for a virtqueue's state");
	return req.request_id;
}

static void
fail_read(int fd, const char *when)
{
	tap_errno(read(fd, nowhere, sizeof(struct vduse_dev_request)), EFAULT,
			"two messages: read %s: bad pointer", when);
}

static int
reopen(int fd)
{
	close(fd);
	fd = open(DEV_PATH, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	need(fd >= 0, "open " DEV_PATH);
	return fd;
}

/* Nothing is read or answered before both are there: what is read goes back by a reopen. */
static int
test_order(int fd)
{
	uint32_t first = read_id(fd), second = read_id(fd);

	fd = reopen(fd);
	fail_read(fd, "the first");
	tap(read_id(fd) == first, "two messages: the first stays the first");
	fail_read(fd, "the second");
	tap(read_id(fd) == second, "two messages: the second stays");
	fd = reopen(fd);
	tap(read_id(fd) == first, "two messages: the first after a reopen");
	fd = reopen(fd);
	tap(read_id(fd) == first && read_id(fd) == second,
			"two messages: both after a reopen, one of them unread");
	tap_errno(dev_answer(fd, second, 0), 0, "two messages: answer the second");
	fd = reopen(fd);
	tap(read_id(fd) == first && dev_poll(fd) == POLLOUT,
			"two messages: only the other one comes again");
	tap_errno(dev_answer(fd, first, 0), 0, "two messages: answer the first");
	tap(dev_poll(fd) == 0, "two messages: none is left");
	return fd;
}

void
conform_order(bool ours)
{
	int control = control_open(0), fd;
	struct dev_arg arg;

	(void)ours;
	nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	dev_arg_init(&arg);
	fd = dev_make(control, &arg);
	need(dev_attach(), "vdpa dev add");
	fd = test_order(fd);
	need(dev_detach(), "vdpa dev del");
	close(fd);
	need(dev_destroy(control, DEV_NAME) == 0, "destroy the device");
	close(control);
}
