/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Preloaded into dpdk-vduse-blk, this kills it at a step of a handover: before or after one of the
 * system calls that the other process or the kernel sees. The process that hands over is "old", the
 * one that takes over is "new"; each counts its steps from 1.
 * Input: the folder KILL_STEP_DIR; kill.old and kill.new there hold the number of the step at which that
 * process dies, as they are when the handover begins. Output: the file steps there, a line for each
 * step: old or new, its number, what it is. Thread: any.
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/vduse.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_common.h>

#include <vduse/handover/record.h>

/* POSIX lets a pointer from dlsym() be a function's. */
#define FIND(to, name) *(void **)(void *)&real.to = dlsym(RTLD_NEXT, name)

#define NAME_SIZE 64

static struct {
	ssize_t (*sendmsg)(int fd, const struct msghdr *msg, int flags);
	ssize_t (*recvmsg)(int fd, struct msghdr *msg, int flags);
	ssize_t (*send)(int fd, const void *data, size_t len, int flags);
	int (*fcntl)(int fd, int command, ...);
	int (*ioctl)(int fd, unsigned long request, ...);
	int (*bind)(int fd, const struct sockaddr *address, socklen_t len);
	int (*unlink)(const char *path);
} real;

static pthread_mutex_t kill_lock = PTHREAD_MUTEX_INITIALIZER;
/* The part that the process plays; NULL: no handover. The lock protects it and the numbers. */
static const char *kill_role;
static unsigned int kill_nb, kill_at;

static FILE *
kill_file(const char *name, const char *mode)
{
	const char *folder = getenv("KILL_STEP_DIR");
	char path[4096];

	snprintf(path, sizeof(path), "%s/%s", folder != NULL ? folder : ".", name);
	return fopen(path, mode);
}

static void
kill_begin(const char *role)
{
	char name[NAME_SIZE];
	FILE *file;

	pthread_mutex_lock(&kill_lock);
	kill_role = role;
	kill_nb = 0;
	kill_at = 0;
	snprintf(name, sizeof(name), "kill.%s", role);
	file = kill_file(name, "re");
	if (file != NULL) {
		if (fscanf(file, "%u", &kill_at) != 1)
			kill_at = 0;
		fclose(file);
	}
	pthread_mutex_unlock(&kill_lock);
}

static void
kill_end(void)
{
	pthread_mutex_lock(&kill_lock);
	kill_role = NULL;
	pthread_mutex_unlock(&kill_lock);
}

/* A step: "after" or "before", and the call. Keeps errno. */
static void
kill_step(const char *when, const char *what)
{
	int err = errno;
	FILE *file;

	pthread_mutex_lock(&kill_lock);
	if (kill_role != NULL) {
		kill_nb++;
		file = kill_file("steps", "ae");
		if (file != NULL) {
			fprintf(file, "%s %u %s %s\n", kill_role, kill_nb, when, what);
			fclose(file);
		}
		if (kill_nb == kill_at)
			raise(SIGKILL);
	}
	pthread_mutex_unlock(&kill_lock);
	errno = err;
}

/* The name of a handover record, or NULL. */
static const char *
kill_record(int fd, const struct msghdr *msg)
{
	static const char *const names[] = { "HELLO", "PREPARED", "READY", "YOURS" };
	uint32_t type;
	int kind = 0;
	socklen_t len = sizeof(kind);

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &kind, &len) < 0 || kind != SOCK_SEQPACKET ||
	    msg->msg_iov[0].iov_len < sizeof(type))
		return NULL;
	memcpy(&type, msg->msg_iov[0].iov_base, sizeof(type));
	if (type < VDUSE_RECORD_HELLO || type - VDUSE_RECORD_HELLO >= RTE_DIM(names))
		return NULL;
	return names[type - VDUSE_RECORD_HELLO];
}

ssize_t
sendmsg(int fd, const struct msghdr *msg, int flags)
{
	const char *record = kill_record(fd, msg);
	char what[NAME_SIZE];
	ssize_t n;

	snprintf(what, sizeof(what), "send %s", record != NULL ? record : "socket");
	if (record == NULL && msg->msg_controllen > 0 && msg->msg_iovlen == 1 &&
	    memmem(msg->msg_iov[0].iov_base, msg->msg_iov[0].iov_len, "device.handover.socket",
		   22) != NULL) {
		kill_begin("old");
		record = "socket";
	}
	if (record != NULL)
		kill_step("before", what);
	n = real.sendmsg(fd, msg, flags);
	if (record != NULL)
		kill_step("after", what);
	return n;
}

ssize_t
recvmsg(int fd, struct msghdr *msg, int flags)
{
	ssize_t n = real.recvmsg(fd, msg, flags);
	const char *record = n > 0 ? kill_record(fd, msg) : NULL;
	char what[NAME_SIZE];

	if (record != NULL) {
		snprintf(what, sizeof(what), "recv %s", record);
		kill_step("after", what);
	}
	return n;
}

/* Requests and answers of the control socket. */
ssize_t
send(int fd, const void *data, size_t len, int flags)
{
	static const char *const names[] = { "device.list", "device.handover", "process.stop",
					     "result", "error" };
	char what[NAME_SIZE];
	unsigned int i;

	for (i = 0; i < RTE_DIM(names); i++)
		if (memmem(data, len, names[i], strlen(names[i])) != NULL)
			break;
	if (i == RTE_DIM(names))
		return real.send(fd, data, len, flags);
	/* The first request of the process that takes over. */
	if (i == 1)
		kill_begin("new");
	snprintf(what, sizeof(what), "send %s", names[i]);
	kill_step("before", what);
	return real.send(fd, data, len, flags);
}

int
fcntl(int fd, int command, ...)
{
	const struct flock *lock;
	va_list list;
	void *arg;
	int ret;

	va_start(list, command);
	arg = va_arg(list, void *);
	va_end(list);
	ret = real.fcntl(fd, command, arg);
	lock = arg;
	/* The process that takes an image locks one byte of it for writing, and others for reading. */
	if (command == F_OFD_SETLK && lock->l_type == F_UNLCK)
		kill_step("after", "unlock");
	else if (command == F_OFD_SETLK && lock->l_type == F_WRLCK)
		kill_step("after", "lock");
	return ret;
}

/* The requests that are steps; NULL: it only asks, or belongs to the driver's requests. */
static const char *
kill_ioctl(unsigned long request)
{
	switch (request) {
	case VDUSE_DEV_GET_FEATURES:
		return "DEV_GET_FEATURES";
	case VDUSE_DEV_SET_CONFIG:
		return "DEV_SET_CONFIG";
	case VDUSE_DEV_INJECT_CONFIG_IRQ:
		return "DEV_INJECT_CONFIG_IRQ";
	case VDUSE_VQ_GET_INFO:
		return "VQ_GET_INFO";
	case VDUSE_VQ_SETUP_KICKFD:
		return "VQ_SETUP_KICKFD";
	default:
		return NULL;
	}
}

int
ioctl(int fd, unsigned long request, ...)
{
	const char *what = kill_ioctl(request);
	va_list list;
	void *arg;

	va_start(list, request);
	arg = va_arg(list, void *);
	va_end(list);
	if (what != NULL)
		kill_step("before", what);
	return real.ioctl(fd, request, arg);
}

/* With the control socket the new process has all that the old one had. */
int
bind(int fd, const struct sockaddr *address, socklen_t len)
{
	int ret;

	if (address->sa_family != AF_UNIX)
		return real.bind(fd, address, len);
	kill_step("before", "bind");
	ret = real.bind(fd, address, len);
	kill_step("after", "bind");
	kill_end();
	return ret;
}

int
unlink(const char *path)
{
	kill_step("before", "unlink");
	return real.unlink(path);
}

__attribute__((constructor)) static void
kill_init(void)
{
	FIND(sendmsg, "sendmsg");
	FIND(recvmsg, "recvmsg");
	FIND(send, "send");
	FIND(fcntl, "fcntl64");
	FIND(ioctl, "ioctl");
	FIND(bind, "bind");
	FIND(unlink, "unlink");
}
