/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * File descriptors that a vhost-user driver sends. The driver chooses what they refer to: a file on
 * a FUSE or NFS server that does not answer blocks stat(), mmap() and even close(), and close() of
 * a TCP socket that lingers blocks. So does close() of a unix socket, the connection included, with
 * such a descriptor unread in it.
 * Input: descriptors as received. Output: their type, found without a call that can block; and a
 * close that does not block the caller.
 * Thread: control. Each device that needs it has a thread that closes.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vduse/vhost_user/vhost_user.h>

/* A device reads no more messages while so many descriptors wait to be closed. */
#define FILE_CLOSING_MAX 64

struct file_closing {
	STAILQ_ENTRY(file_closing) next;
	int fd;
};

/* One per device, so that a descriptor that blocks delays no other device. */
struct vhost_user_closer {
	pthread_mutex_t lock;
	STAILQ_HEAD(, file_closing) fds;
	unsigned int nb; /* entries of fds, and the one that is being closed */
	bool runs;       /* the closing thread runs */
	bool gone;       /* the device is destroyed: the thread frees this */
};

struct vhost_user_closer *
vhost_user_closer_new(void)
{
	struct vhost_user_closer *closer = calloc(1, sizeof(*closer));

	if (closer == NULL)
		return NULL;
	pthread_mutex_init(&closer->lock, NULL);
	STAILQ_INIT(&closer->fds);
	return closer;
}

/* Closes all descriptors. Under the lock, which it releases while it closes one. */
static void
closer_close(struct vhost_user_closer *closer)
{
	struct file_closing *entry;

	while ((entry = STAILQ_FIRST(&closer->fds)) != NULL) {
		STAILQ_REMOVE_HEAD(&closer->fds, next);
		pthread_mutex_unlock(&closer->lock);
		close(entry->fd);
		free(entry);
		pthread_mutex_lock(&closer->lock);
		closer->nb--;
	}
}

/* Closes what no thread was created for. */
static void
closer_free(struct vhost_user_closer *closer)
{
	pthread_mutex_lock(&closer->lock);
	closer_close(closer);
	pthread_mutex_unlock(&closer->lock);
	pthread_mutex_destroy(&closer->lock);
	free(closer);
}

bool
vhost_user_closer_full(struct vhost_user_closer *closer)
{
	bool full;

	pthread_mutex_lock(&closer->lock);
	full = closer->nb >= FILE_CLOSING_MAX;
	pthread_mutex_unlock(&closer->lock);
	return full;
}

bool
vhost_user_file_is_memory(int fd)
{
	/* Only tmpfs, memfd and hugetlbfs have seals; the kernel asks no file system for them. */
	return fcntl(fd, F_GET_SEALS) >= 0;
}

bool
vhost_user_file_is_eventfd(int fd)
{
	char link[32], kind[32] = "";

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return readlink(link, kind, sizeof(kind) - 1) >= 0 &&
	       strcmp(kind, "anon_inode:[eventfd]") == 0;
}

bool
vhost_user_file_is_channel(int fd)
{
	int domain, type;
	socklen_t len = sizeof(domain);

	return getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &len) == 0 && domain == AF_UNIX &&
	       getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len) == 0 && type == SOCK_STREAM;
}

static void *
closer_run(void *arg)
{
	struct vhost_user_closer *closer = arg;
	bool gone;

	pthread_mutex_lock(&closer->lock);
	closer_close(closer);
	closer->runs = false;
	gone = closer->gone;
	pthread_mutex_unlock(&closer->lock);
	if (gone)
		closer_free(closer);
	return NULL;
}

/*
 * Under the lock. If no thread can be created, the next descriptor tries again. The thread blocks
 * all signals, so that they interrupt the application's threads.
 */
static void
closer_start(struct vhost_user_closer *closer)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;

	if (closer->runs || pthread_attr_init(&attr) != 0)
		return;
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	closer->runs = pthread_create(&thread, &attr, closer_run, closer) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
}

void
vhost_user_closer_free(struct vhost_user_closer *closer)
{
	bool runs;

	pthread_mutex_lock(&closer->lock);
	closer->gone = true;
	if (!STAILQ_EMPTY(&closer->fds))
		closer_start(closer);
	runs = closer->runs;
	pthread_mutex_unlock(&closer->lock);
	if (!runs)
		closer_free(closer);
}

void
vhost_user_file_hang_up(struct vhost_user_closer *closer, int fd)
{
	(void)shutdown(fd, SHUT_RDWR);
	vhost_user_file_close(closer, fd);
}

void
vhost_user_file_close(struct vhost_user_closer *closer, int fd)
{
	struct file_closing *entry;

	if (fd < 0)
		return;
	if (vhost_user_file_is_memory(fd) || vhost_user_file_is_eventfd(fd)) {
		close(fd);
		return;
	}
	entry = malloc(sizeof(*entry));
	if (entry == NULL) {
		close(fd);
		return;
	}
	entry->fd = fd;
	pthread_mutex_lock(&closer->lock);
	STAILQ_INSERT_TAIL(&closer->fds, entry, next);
	closer->nb++;
	closer_start(closer);
	pthread_mutex_unlock(&closer->lock);
}
