/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Devices made and destroyed by hand, for scripts that look at what is left of them.
 *
 *   kernel-life create NAME
 *   kernel-life destroy NAME
 *   kernel-life race SECONDS    one thread makes and destroys, others open and read
 *   kernel-life maxima          as many virtqueues as there may be
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "dev.h"
#include "tap.h"

#define OPENERS	3

static atomic_bool race_over;
static atomic_uint race_opens;

static int
create(const char *name, unsigned int vqs)
{
	int control = control_open(0), ret;
	struct dev_arg arg;

	dev_arg_init(&arg);
	strncpy(arg.config.name, name, sizeof(arg.config.name) - 1);
	arg.config.vq_num = vqs;
	ret = dev_create(control, &arg) < 0 ? -errno : 0;
	close(control);
	return ret;
}

static int
destroy(const char *name)
{
	int control = control_open(0), ret;

	ret = dev_destroy(control, name) < 0 ? -errno : 0;
	close(control);
	return ret;
}

/* Uses what it opened: a device freed too early is found then. */
static void *
race_open(void *unused)
{
	struct vduse_dev_request req;
	uint64_t features;
	int fd;

	while (!atomic_load(&race_over)) {
		fd = open(DEV_PATH, O_RDWR | O_NONBLOCK);
		if (fd < 0)
			continue;
		atomic_fetch_add(&race_opens, 1);
		ioctl(fd, VDUSE_DEV_GET_FEATURES, &features);
		if (read(fd, &req, sizeof(req)) > 0)
			printf("a message from nowhere\n");
		close(fd);
	}
	return unused;
}

static int
race(int seconds)
{
	pthread_t thread[OPENERS];
	int i, nb = 0, ret = 0;
	time_t end = time(NULL) + seconds;

	for (i = 0; i < OPENERS; i++)
		need(pthread_create(&thread[i], NULL, race_open, NULL) == 0, "start a thread");
	while (time(NULL) < end && ret == 0) {
		ret = create(DEV_NAME, 2);
		do
			i = destroy(DEV_NAME);
		while (i == -EBUSY);
		if (ret == 0)
			ret = i;
		nb++;
	}
	atomic_store(&race_over, true);
	for (i = 0; i < OPENERS; i++)
		pthread_join(thread[i], NULL);
	printf("%d devices, %u opens: %s\n", nb, atomic_load(&race_opens), strerror(-ret));
	return ret;
}

static int
maxima(void)
{
	int ret = create(DEV_NAME, 65535);

	printf("65535 virtqueues: %s\n", strerror(-ret));
	if (ret == 0)
		destroy(DEV_NAME);
	ret = create(DEV_NAME, 1024);
	printf("1024 virtqueues: %s\n", strerror(-ret));
	return ret ? ret : destroy(DEV_NAME);
}

int
main(int argc, char **argv)
{
	int ret = -EINVAL;

	if (argc > 2 && strcmp(argv[1], "create") == 0)
		ret = create(argv[2], 2);
	else if (argc > 2 && strcmp(argv[1], "destroy") == 0)
		ret = destroy(argv[2]);
	else if (argc > 2 && strcmp(argv[1], "race") == 0)
		ret = race(atoi(argv[2]));
	else if (argc > 1 && strcmp(argv[1], "maxima") == 0)
		ret = maxima();
	if (ret < 0)
		fprintf(stderr, "kernel-life: %s\n", strerror(-ret));
	return ret < 0 ? 1 : 0;
}
