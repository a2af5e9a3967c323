/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A process that stops answering, after each message of an attach to virtio_net and at the detach:
 * the device breaks after the time-out, it can be removed, and the machine continues.
 */
#include <poll.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "conform.h"
#include "dev.h"
#include "tap.h"

/* In seconds; a broken device fails everything that follows at once. */
#define MSG_TIMEOUT	"1"
#define PATIENCE	10

static struct dev_arg arg;

static bool
network_goes_on(void)
{
	return system("timeout 5 ip link show >/dev/null") == 0;
}

static int
make(int control)
{
	int fd = dev_make(control, &arg);

	need(dev_set_attr("msg_timeout", MSG_TIMEOUT), "set msg_timeout");
	return fd;
}

/* False also if it was not on the bus. */
static bool
remove_device(int control, int fd)
{
	bool detached = dev_detach();

	close(fd);
	return dev_destroy(control, DEV_NAME) == 0 && detached;
}

/* All is answered; how many messages an attach has. */
static unsigned int
count_messages(int control)
{
	struct server server;
	int fd = make(control);
	unsigned int nb;

	server_start(&server, fd);
	need(dev_attach(), "vdpa dev add");
	nb = atomic_load(&server.total);
	need(dev_detach(), "vdpa dev del");
	server_stop(&server);
	close(fd);
	need(dev_destroy(control, DEV_NAME) == 0, "destroy the device");
	return nb;
}

static void
test_attach(int control, unsigned int answered)
{
	struct server server;
	int fd = make(control);
	time_t begin = time(NULL);

	if (answered != 0) {
		server_start(&server, fd);
		atomic_store(&server.limit, answered);
	}
	dev_attach();
	tap(time(NULL) - begin < PATIENCE, "silent after %u: the attach ends", answered);
	tap(dev_poll(fd) & POLLERR, "silent after %u: the device is broken", answered);
	tap(network_goes_on(), "silent after %u: the network goes on", answered);
	if (answered != 0)
		server_stop(&server);
	tap(remove_device(control, fd), "silent after %u: it goes", answered);
}

static void
test_detach(int control)
{
	struct server server;
	int fd = make(control);

	server_start(&server, fd);
	need(dev_attach(), "vdpa dev add");
	server_stop(&server);
	tap(dev_detach(), "silent at the detach: it ends");
	tap(dev_poll(fd) & POLLERR, "silent at the detach: the device is broken");
	tap(network_goes_on(), "silent at the detach: the network goes on");
	close(fd);
	tap_errno(dev_destroy(control, DEV_NAME), 0, "silent at the detach: it goes");
}

void
conform_silent(int control)
{
	unsigned int answered, nb;

	dev_arg_init(&arg);
	nb = count_messages(control);
	for (answered = 0; answered < nb; answered++)
		test_attach(control, answered);
	test_detach(control);
	tap(count_messages(control) == nb, "the name serves again");
}
