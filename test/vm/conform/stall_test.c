/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A reader that stalls in the middle: its buffer is a page that faults late, or never. Meanwhile
 * the message that it reads times out, or the task that waits for the answer is killed.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <unistd.h>

#include "conform.h"
#include "dev.h"
#include "stall.h"
#include "tap.h"
#include "vhost.h"

struct reader {
	struct stall stall;
	int fd;
	pthread_t thread;
	struct vduse_dev_request *req;	/* the page that is not there */
	ssize_t result;
	int error;
};

static void *
read_message(void *arg)
{
	struct reader *reader = arg;

	reader->result = read(reader->fd, reader->req, sizeof(*reader->req));
	reader->error = errno;
	return NULL;
}

/* Returns once read() waits for the page. */
static void
reader_start(struct reader *reader, int fd)
{
	stall_init(&reader->stall);
	reader->fd = fd;
	reader->req = (struct vduse_dev_request *)reader->stall.page;
	need(pthread_create(&reader->thread, NULL, read_message, reader) == 0, "start a thread");
	stall_wait(&reader->stall);
}

static void
reader_finish(struct reader *reader, bool page)
{
	stall_finish(&reader->stall, page);
	pthread_join(reader->thread, NULL);
}

static void
test_killed(int fd)
{
	struct reader reader;
	pid_t pid = vhost_start_waiter(fd);

	need(dev_wait(fd, POLLIN), "a message arrives");
	reader_start(&reader, fd);
	tap(dev_poll(fd) == POLLOUT, "stalled: the message counts as read");
	kill(pid, SIGKILL);
	vhost_reap(pid);
	reader_finish(&reader, false);
	tap(reader.result < 0 && reader.error == EFAULT, "stalled: its memory goes");
	tap(dev_poll(fd) == 0, "stalled: the message of a killed waiter does not come back");
}

/* The waiter lives on: its message must be read once more. */
static void
test_again(int fd)
{
	struct vduse_dev_request req = { 0 };
	struct reader reader;
	pid_t pid = vhost_start_waiter(fd);

	need(dev_wait(fd, POLLIN), "a message arrives");
	reader_start(&reader, fd);
	reader_finish(&reader, false);
	tap(dev_poll(fd) == POLLIN, "stalled: a message that was not read comes back");
	tap(read(fd, &req, sizeof(req)) == sizeof(req) && req.type == VDUSE_SET_STATUS,
			"stalled: it is read");
	kill(pid, SIGKILL);
	vhost_reap(pid);
}

static void
test_timeout(int fd)
{
	struct reader reader;
	pid_t pid = vhost_start_waiter(fd);

	need(dev_wait(fd, POLLIN), "a message arrives");
	reader_start(&reader, fd);
	tap(dev_wait(fd, POLLERR), "stalled: the time is up");
	tap(vhost_reap(pid) == 0, "stalled: the open goes on");
	reader_finish(&reader, true);
	tap(reader.result == sizeof(*reader.req) && reader.req->type == VDUSE_SET_STATUS,
			"stalled: the reader gets what it began to read");
	tap_errno(dev_answer(fd, reader.req->request_id, 0), ENOENT, "stalled: a late answer");
}

static pid_t
start_detach(int fd)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	close(fd);
	_exit(dev_detach() ? 0 : 1);
}

/* The user's open() is refused by the process, or killed. */
static void
end_open(int fd, pid_t user, bool kill_user)
{
	struct vduse_dev_request req = { 0 };
	struct server server;

	need(read(fd, &req, sizeof(req)) == sizeof(req), "read the reset");
	if (kill_user) {
		kill(user, SIGKILL);
		tap(vhost_reap(user) == -1, "removed: the open is killed");
		return;
	}
	need(dev_answer(fd, req.request_id, VDUSE_REQ_RESULT_FAILED) == 0, "refuse the reset");
	server_start(&server, fd);
	tap(vhost_reap(user) == 0, "removed: the open goes on");
	server_stop(&server);
}

/*
 * The device is taken away while a user is within open(). vhost_vdpa waits for users to close it,
 * and is not told of an open that failed.
 */
static void
test_removed(int control, bool kill_user)
{
	pid_t user, detach;
	struct dev_arg arg;
	int fd;

	dev_arg_init(&arg);
	fd = dev_make(control, &arg);
	need(dev_attach(), "vdpa dev add");
	user = vhost_start_waiter(fd);
	need(dev_wait(fd, POLLIN), "a message arrives");
	detach = start_detach(fd);
	while (access(VHOST_PATH, F_OK) == 0)
		usleep(10000);
	usleep(100000);
	end_open(fd, user, kill_user);
	need(tap(child_ends(detach, 10), "removed: the removal ends"), "vdpa dev del");
	close(fd);
	tap_errno(dev_destroy(control, DEV_NAME), 0, "removed: destroy");
}

void
conform_stall(int control)
{
	struct dev_arg arg;
	int fd;

	dev_arg_init(&arg);
	fd = dev_make(control, &arg);
	need(dev_attach(), "vdpa dev add");
	test_killed(fd);
	test_again(fd);
	need(dev_set_attr("msg_timeout", "1"), "set msg_timeout");
	test_timeout(fd);
	close(fd);
	tap(dev_detach(), "stalled: detach");
	tap_errno(dev_destroy(control, DEV_NAME), 0, "stalled: destroy");
	test_removed(control, false);
	test_removed(control, true);
}
