/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Tells who started the process that it serves: systemd, and with --background the shell or script,
 * whose command returns then.
 * Input: steps of the main thread. Output: messages to systemd, an exit code. Thread: main.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#ifdef BLK_HAVE_LIBSYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "app.h"
#include "notify.h"

/* How long systemd may take to read a message, in microseconds. */
#define NOTIFY_WAIT_US 5000000

/* Waits for the process in the background: until it serves, or for the exit code that it ended with. */
static int
notify_wait(pid_t pid, int fd)
{
	int status = 0;
	ssize_t n;
	char byte;

	do
		n = recv(fd, &byte, 1, 0);
	while (n < 0 && errno == EINTR);
	if (n == 1)
		return EXIT_SUCCESS;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return EXIT_FAILURE;
	return WIFEXITED(status) ? WEXITSTATUS(status) : EXIT_FAILURE;
}

int
app_notify_background(int argc, char **argv)
{
	bool background = false;
	int fds[2], i;
	pid_t pid;

	for (i = 1; i < argc; i++)
		background |= strcmp(argv[i], "--background") == 0;
	if (!background)
		return -1;
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0 || (pid = fork()) < 0) {
		fprintf(stderr, "dpdk-vduse-blk: --background: %s\n", strerror(errno));
		exit(EXIT_FAILURE);
	}
	if (pid > 0) {
		close(fds[1]);
		exit(notify_wait(pid, fds[0]));
	}
	close(fds[0]);
	(void)setsid();
	return fds[1];
}

void
app_notify_main(void)
{
#ifdef BLK_HAVE_LIBSYSTEMD
	if (sd_notifyf(0, "MAINPID=%ld", (long)getpid()) > 0)
		(void)sd_notify_barrier(0, NOTIFY_WAIT_US);
#endif
}

void
app_notify_ready(int *background)
{
#ifdef BLK_HAVE_LIBSYSTEMD
	(void)sd_notify(0, "READY=1");
#endif
	if (*background < 0)
		return;
	/* Who waited may be gone. */
	(void)send(*background, "", 1, MSG_NOSIGNAL);
	close(*background);
	*background = -1;
}

void
app_notify_stopping(void)
{
#ifdef BLK_HAVE_LIBSYSTEMD
	(void)sd_notify(0, "STOPPING=1");
#endif
}
