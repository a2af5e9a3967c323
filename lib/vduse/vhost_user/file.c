/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * File descriptors that a vhost-user driver sends. The driver chooses what is behind them: a file
 * of a FUSE or NFS server that does not answer blocks stat(), mmap() and even close(), and a TCP
 * socket that lingers blocks close(). So does a socket of the driver's with such a one unread in it,
 * the connection for one.
 * Input: descriptors as they came. Output: of which kind they are, found without a call that can
 * block; and a close that does not block the caller.
 * Thread: control; the closing threads are this file's own.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/queue.h>
#include <sys/socket.h>
#include <unistd.h>

#include <vduse/vhost_user/vhost_user.h>

/* Threads that close. Each may hang for as long as the file's server does not answer. */
#define FILE_CLOSERS_MAX 16

struct file_closing {
	STAILQ_ENTRY(file_closing) next;
	int fd;
};

static struct {
	pthread_mutex_t lock;
	STAILQ_HEAD(, file_closing) fds;
	unsigned int nb_threads;
} closing = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.fds = STAILQ_HEAD_INITIALIZER(closing.fds),
};

bool
vhost_user_file_is_memory(int fd)
{
	/* tmpfs, memfd and hugetlbfs have seals; the kernel asks no file system for them. */
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
file_closer(void *arg)
{
	struct file_closing *entry;

	RTE_SET_USED(arg);
	pthread_mutex_lock(&closing.lock);
	while ((entry = STAILQ_FIRST(&closing.fds)) != NULL) {
		STAILQ_REMOVE_HEAD(&closing.fds, next);
		pthread_mutex_unlock(&closing.lock);
		close(entry->fd);
		free(entry);
		pthread_mutex_lock(&closing.lock);
	}
	closing.nb_threads--;
	pthread_mutex_unlock(&closing.lock);
	return NULL;
}

/* Under the lock. With no thread left to start, one that runs takes the descriptor later. */
static void
file_closer_start(void)
{
	pthread_attr_t attr;
	pthread_t thread;

	if (closing.nb_threads == FILE_CLOSERS_MAX || pthread_attr_init(&attr) != 0)
		return;
	(void)pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	if (pthread_create(&thread, &attr, file_closer, NULL) == 0)
		closing.nb_threads++;
	pthread_attr_destroy(&attr);
}

void
vhost_user_file_hang_up(int fd)
{
	(void)shutdown(fd, SHUT_RDWR);
	vhost_user_file_close(fd);
}

void
vhost_user_file_close(int fd)
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
	pthread_mutex_lock(&closing.lock);
	STAILQ_INSERT_TAIL(&closing.fds, entry, next);
	file_closer_start();
	pthread_mutex_unlock(&closing.lock);
}
