/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Hands a port over to a newer process, see rte_vduse_handover.h. A started port listens at a path; a
 * port that is probed with the same path asks there first. Handing over waits for the other process,
 * so each port has a thread for it, and not the control thread of lib/vduse.
 * Input: a path. Output: a port that goes on in another process; RTE_ETH_EVENT_INTR_RMV in this one.
 * Thread: see handover.h; handover_main(): its own.
 */
#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#include <ethdev_driver.h>
#include <rte_string_fns.h>
#include <rte_vduse_compat.h>
#include <rte_vduse_handover.h>

#include "handover.h"
#include "pmd_log.h"
#include "port.h"

/* Most time of a step: the other process creates its pools meanwhile. */
#define HANDOVER_MS 30000u

struct vduse_handover {
	struct rte_eth_dev *dev;
	int listener;         /* -1: does not listen */
	int stop;             /* eventfd: the thread is to end */
	bool given;           /* written under the lock; atomic */
	pthread_mutex_t lock; /* what changes the device, and a handover */
	pthread_t thread;
};

bool
vduse_handover_given(const struct vduse_port *port)
{
	/* Acquire: pairs with the release in handover_give(). */
	return port->handover != NULL &&
	       rte_atomic_load_explicit(&port->handover->given, rte_memory_order_acquire);
}

bool
vduse_handover_enter(struct vduse_port *port)
{
	if (port->handover == NULL)
		return true;
	pthread_mutex_lock(&port->handover->lock);
	/* One that comes is the other process's until it is started. */
	if (port->from == NULL && !vduse_handover_given(port))
		return true;
	pthread_mutex_unlock(&port->handover->lock);
	return false;
}

void
vduse_handover_leave(struct vduse_port *port)
{
	if (port->handover != NULL)
		pthread_mutex_unlock(&port->handover->lock);
}

static struct sockaddr_un
handover_address(const struct vduse_port *port)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	static_assert(sizeof(port->args.handover) <= sizeof(address.sun_path), "it fits");
	(void)rte_strlcpy(address.sun_path, port->args.handover, sizeof(address.sun_path));
	return address;
}

static int
handover_fail(const struct rte_eth_dev *dev, const char *what)
{
	const struct vduse_port *port = dev->data->dev_private;
	int err = errno;

	VDUSE_PMD_LOG(ERR, dev->data->name, "handover=%s: cannot %s: %s: use another path",
		      port->args.handover, what, strerror(err));
	return -err;
}

/* Returns 0, and in *result a socket, or -1 if no process listens; or a negative errno, with a log line. */
static int
handover_connect(const struct rte_eth_dev *dev, int *result)
{
	const struct sockaddr_un address = handover_address(dev->data->dev_private);
	int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0), ret = 0;

	if (fd < 0)
		return handover_fail(dev, "make a socket");
	if (connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
		*result = fd;
		return 0;
	}
	if (errno != ENOENT && errno != ECONNREFUSED)
		ret = handover_fail(dev, "connect");
	close(fd);
	*result = -1;
	return ret;
}

/* A process that dies before it begins leaves the device, and nobody listens then: the port is new. */
static int
handover_ask(const struct rte_eth_dev *dev, struct rte_vduse_handover **from)
{
	int fd = -1, ret = handover_connect(dev, &fd);

	if (ret < 0 || fd < 0)
		return ret;
	ret = rte_vduse_handover_open(fd, HANDOVER_MS, from);
	if (ret != -ECONNRESET || handover_connect(dev, &fd) < 0)
		return ret;
	if (fd >= 0) {
		close(fd);
		return ret;
	}
	VDUSE_PMD_LOG(NOTICE, dev->data->name,
		      "the process that had it has ended: starts without it");
	return 0;
}

int
vduse_handover_begin(struct rte_eth_dev *dev)
{
	struct vduse_port *port = dev->data->dev_private;
	struct virtio_net_config config;
	struct rte_vduse_left left;
	int ret;

	if (port->args.handover[0] == '\0')
		return 0;
	ret = handover_ask(dev, &port->from);
	if (ret < 0)
		return ret;
	port->handover = calloc(1, sizeof(*port->handover));
	if (port->handover == NULL) {
		vduse_handover_free(port);
		VDUSE_PMD_LOG(ERR, dev->data->name, "no memory for handover=");
		return -ENOMEM;
	}
	port->handover->dev = dev;
	port->handover->listener = -1;
	pthread_mutex_init(&port->handover->lock, NULL);
	if (port->from == NULL)
		return 0;
	rte_vduse_handover_left(port->from, &left);
	if (left.config_size == sizeof(config)) {
		memcpy(&config, left.config, sizeof(config));
		memcpy(port->args.mac.addr_bytes, config.mac, RTE_ETHER_ADDR_LEN);
	}
	return 0;
}

void
vduse_handover_free(struct vduse_port *port)
{
	rte_vduse_handover_close(port->from);
	port->from = NULL;
	if (port->handover == NULL)
		return;
	pthread_mutex_destroy(&port->handover->lock);
	free(port->handover);
	port->handover = NULL;
}

/* Only for a process of the same user. */
static bool
handover_may(int fd)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 && peer.uid == geteuid();
}

/* Whether it was given. */
static bool
handover_give(struct vduse_handover *self, int fd)
{
	struct vduse_port *port = self->dev->data->dev_private;
	bool given = false;

	if (!handover_may(fd)) {
		VDUSE_PMD_LOG(WARNING, self->dev->data->name,
			      "not handed over to a process of another user");
		return false;
	}
	pthread_mutex_lock(&self->lock);
	given = rte_vduse_dev_hand_over(rte_vduse_net_dev(port->net), fd, HANDOVER_MS) == 0;
	/* Release: pairs with the acquire in vduse_handover_given(). */
	if (given)
		rte_atomic_store_explicit(&self->given, true, rte_memory_order_release);
	pthread_mutex_unlock(&self->lock);
	return given;
}

static void *
handover_main(void *arg)
{
	struct vduse_handover *self = arg;
	struct pollfd fds[] = {
		{ .fd = self->listener, .events = POLLIN },
		{ .fd = self->stop, .events = POLLIN },
	};
	bool given = false;
	int fd;

	while (!given && (poll(fds, RTE_DIM(fds), -1) >= 0 || errno == EINTR)) {
		if (fds[1].revents != 0)
			return NULL;
		fd = accept4(self->listener, NULL, NULL, SOCK_CLOEXEC);
		if (fd < 0)
			continue;
		given = handover_give(self, fd);
		close(fd);
	}
	if (!given)
		return NULL;
	if (vduse_port_link_update(self->dev, 0) == 0)
		rte_eth_dev_callback_process(self->dev, RTE_ETH_EVENT_INTR_LSC, NULL);
	rte_eth_dev_callback_process(self->dev, RTE_ETH_EVENT_INTR_RMV, NULL);
	return NULL;
}

/* 0, or a negative errno with a log line. */
static int
handover_listen(struct vduse_handover *self)
{
	const struct sockaddr_un address = handover_address(self->dev->data->dev_private);
	struct stat about;
	int ret;

	self->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	self->stop = eventfd(0, EFD_CLOEXEC);
	if (self->listener < 0 || self->stop < 0) {
		ret = handover_fail(self->dev, "make a socket");
		goto close;
	}
	/* Of a process that is gone, or that has handed the port over; bind() refuses what is no socket. */
	if (lstat(address.sun_path, &about) == 0 && S_ISSOCK(about.st_mode))
		(void)unlink(address.sun_path);
	if (bind(self->listener, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
	    listen(self->listener, 1) < 0) {
		ret = handover_fail(self->dev, "listen");
		goto close;
	}
	ret = pthread_create(&self->thread, NULL, handover_main, self);
	if (ret == 0)
		return 0;
	errno = ret;
	ret = handover_fail(self->dev, "start a thread");
	(void)unlink(address.sun_path);

close:
	if (self->listener >= 0)
		close(self->listener);
	if (self->stop >= 0)
		close(self->stop);
	self->listener = -1;
	return ret;
}

bool
vduse_handover_started(struct rte_eth_dev *dev)
{
	struct vduse_port *port = dev->data->dev_private;
	bool taken = port->from != NULL;

	if (port->handover == NULL)
		return false;
	rte_vduse_handover_close(port->from);
	port->from = NULL;
	/* The port works without it, but it cannot be handed over. */
	(void)handover_listen(port->handover);
	return taken;
}

void
vduse_handover_end(struct rte_eth_dev *dev)
{
	struct vduse_port *port = dev->data->dev_private;
	struct vduse_handover *self = port->handover;

	if (self == NULL || self->listener < 0)
		return;
	(void)eventfd_write(self->stop, 1);
	pthread_join(self->thread, NULL);
	if (!vduse_handover_given(port))
		(void)unlink(port->args.handover);
	close(self->listener);
	close(self->stop);
	self->listener = -1;
}
