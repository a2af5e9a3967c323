/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The socket of a vhost-user device: creates and removes it, and accepts or makes connections.
 * Input: a path. Output: dev->fd, an epoll of the listening socket, the client's socket and a
 * timer; connections for conn.c.
 * Thread: the creator's to open, start, stop and close; the control thread in between.
 *
 * The timer expires once a second while the device waits for the rest of a message, for a
 * descriptor to accept a client with, or, in client mode, for a process that listens at the path.
 */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include <vduse/core/ctrl_thread.h>
#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/vhost_user/vhost_user.h>

/* Clients in the backlog. They are turned away if another one is served. */
#define SOCKET_BACKLOG 128

int
vhost_user_socket_watch(const struct vhost_user *vu, int fd, bool on)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = (uint32_t)fd };

	return epoll_ctl(vu->dev->fd, on ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, fd, &event) < 0 ? -errno
											  : 0;
}

void
vhost_user_socket_tick(struct vhost_user *vu)
{
	bool on = vu->deadline != 0 || vu->paused || (vu->client && vu->conn < 0);
	const struct itimerspec second = {
		.it_value.tv_sec = on ? 1 : 0,
		.it_interval.tv_sec = on ? 1 : 0,
	};

	if (on == vu->ticking)
		return;
	vu->ticking = on;
	(void)timerfd_settime(vu->timer, 0, &second, NULL);
}

int
vhost_user_socket_open(struct vhost_user *vu)
{
	int ret;

	vu->timer = timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	if (vu->timer < 0)
		return -errno;
	vu->dev->fd = epoll_create1(EPOLL_CLOEXEC);
	ret = vu->dev->fd < 0 ? -errno : vhost_user_socket_watch(vu, vu->timer, true);
	if (ret < 0)
		vhost_user_socket_close(vu);
	return ret;
}

static void
socket_close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

void
vhost_user_socket_close(struct vhost_user *vu)
{
	int fd;

	/* Clients in the backlog may have sent descriptors whose close() blocks; see file.c. */
	while (vu->listener >= 0 && (fd = accept4(vu->listener, NULL, NULL, SOCK_CLOEXEC)) >= 0)
		vhost_user_file_hang_up(vu->closer, fd);
	socket_close_one(&vu->listener);
	socket_close_one(&vu->timer);
	socket_close_one(&vu->dev->fd);
}

/*
 * Only the user of this process may connect, unless the mode is changed later. bind() gives the
 * socket file the mode of the descriptor, and no client connects before listen().
 */
static int
socket_bind(struct vhost_user *vu)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	memcpy(address.sun_path, vu->path, sizeof(address.sun_path));
	if (fchmod(vu->listener, 0600) < 0 ||
	    bind(vu->listener, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	vu->listening = true;
	return 0;
}

/* Control thread: it uses the socket from now on. */
static int
socket_begin(struct rte_vduse_dev *dev)
{
	struct vhost_user *vu = dev->transport_priv;

	vhost_user_socket_tick(vu);
	return vu->client ? 0 : vhost_user_socket_watch(vu, vu->listener, true);
}

static int
socket_listen(struct vhost_user *vu)
{
	int ret;

	vu->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ret = vu->listener < 0 ? -errno : socket_bind(vu);
	if (ret == 0)
		ret = vhost_user_path_permit(vu);
	if (ret == 0 && listen(vu->listener, SOCKET_BACKLOG) < 0)
		ret = -errno;
	if (ret == 0)
		ret = vduse_ctrl_run(socket_begin, vu->dev);
	if (ret == 0)
		return 0;
	VDUSE_LOG(dev, ERR, vu->dev->name, "cannot listen at %s: %s", vu->path, strerror(-ret));
	if (vu->listening)
		(void)unlink(vu->path);
	vu->listening = false;
	return ret;
}

/* Under the lock: two processes that start would each remove the socket of the other. */
int
vhost_user_socket_start(struct vhost_user *vu)
{
	const char *name = vu->dev->name;
	int ret, lock;

	if (vu->client) {
		VDUSE_LOG(dev, INFO, name, "connects to %s", vu->path);
		return vduse_ctrl_run(socket_begin, vu->dev);
	}
	lock = vhost_user_path_lock(name, vu->path);
	if (lock == -EBUSY)
		return lock;
	/* Again, as in create: another process may have started in the meantime. */
	ret = vhost_user_path_prepare(name, vu->path);
	if (ret == 0)
		ret = socket_listen(vu);
	if (lock >= 0)
		close(lock);
	if (ret == 0)
		VDUSE_LOG(dev, INFO, name, "listens at %s", vu->path);
	return ret;
}

void
vhost_user_socket_stop(struct vhost_user *vu)
{
	int lock;

	if (!vu->listening)
		return;
	lock = vhost_user_path_lock(vu->dev->name, vu->path);
	(void)unlink(vu->path);
	vu->listening = false;
	if (lock >= 0)
		close(lock);
}

bool
vhost_user_socket_live(const struct vhost_user *vu)
{
	struct pollfd poll_fd = { .fd = vu->conn, .events = POLLRDHUP };

	if (poll(&poll_fd, 1, 0) != 0)
		return false;
	/* A client that exited may have left its end queued in a socket: see channel.c. */
	return send(vu->conn, NULL, 0, MSG_DONTWAIT | MSG_NOSIGNAL) == 0 || errno == EAGAIN;
}

/* Without a descriptor the client has to wait. No event says when one is free: the timer polls. */
static void
socket_accept_failed(struct vhost_user *vu, int err)
{
	if (err == EAGAIN || err == EINTR || err == ECONNABORTED)
		return;
	VDUSE_LOG_DRIVER(vu->dev, dev, ERR,
			 "cannot accept a client, raise the limit of open files: %s",
			 strerror(err));
	(void)vhost_user_socket_watch(vu, vu->listener, false);
	vu->paused = true;
}

int
vhost_user_socket_accept(struct vhost_user *vu)
{
	int fd;

	/* A client that hung up is disconnected first; messages that it left are not read. */
	if (vu->conn >= 0 && !vhost_user_socket_live(vu) && vhost_user_conn_end(vu) < 0)
		return -EINPROGRESS;
	fd = accept4(vu->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd < 0) {
		socket_accept_failed(vu, errno);
		return 0;
	}
	if (vu->conn < 0) {
		vhost_user_conn_begin(vu, fd);
		return 0;
	}
	VDUSE_LOG_DRIVER(vu->dev, dev, NOTICE,
			 "another client was turned away: one at a time is served");
	vhost_user_file_hang_up(vu->closer, fd);
	return 0;
}

void
vhost_user_socket_resume(struct vhost_user *vu)
{
	vu->paused = vhost_user_socket_watch(vu, vu->listener, true) < 0;
}

/* A failure is normal: the process that creates the socket may start later. */
void
vhost_user_socket_connect(struct vhost_user *vu)
{
	int fd = vhost_user_path_connect(vu->path);

	if (fd >= 0)
		vhost_user_conn_begin(vu, fd);
}
