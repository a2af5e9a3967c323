/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A net device with a control queue. vhost_vdpa's user gets to see it. virtio_net does not at first;
 * with the module's parameter set it does. Nobody serves the queue then: the device breaks in time,
 * and the machine goes on; the next one, which is served, works. Ours only.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#include "conform.h"
#include "ctrl_serve.h"
#include "dev.h"
#include "tap.h"
#include "vhost.h"

#define CTRL_FEATURES	(1ULL << VIRTIO_NET_F_CTRL_VQ | 1ULL << VIRTIO_NET_F_CTRL_RX)
#define CTRL_INDEX	2
#define MSG_TIMEOUT	2
#define INTERFACE	"$(ls /sys/bus/vdpa/devices/" DEV_NAME "/virtio*/net)"

static void
allow(const char *value)
{
	int fd = open("/sys/module/vduse/parameters/virtio_ctrl_vq", O_WRONLY);

	need(fd >= 0 && write(fd, value, 1) == 1, "set virtio_ctrl_vq");
	close(fd);
}

static uint64_t
driver_features(int fd)
{
	uint64_t features = 0;

	ioctl(fd, VDUSE_DEV_GET_FEATURES, &features);
	return features;
}

static void
test_not_offered(int fd)
{
	tap(dev_attach(), "attach a device with a control queue");
	tap((driver_features(fd) & CTRL_FEATURES) == 0, "virtio_net does not get to see it");
	tap(system("ip link set up dev " INTERFACE) == 0, "ip link set up");
	tap(dev_detach(), "detach");
}

static void
test_silent(int fd)
{
	struct pollfd poll_fd = { .fd = fd };

	allow("Y");
	tap(dev_attach(), "attach it where control queues are allowed");
	tap((driver_features(fd) & CTRL_FEATURES) == CTRL_FEATURES, "virtio_net takes it");
	tap(system("timeout 20 ip link set up dev " INTERFACE) == 0, "ip link set up, again");
	tap(system("timeout 20 ip link set promisc on dev " INTERFACE) == 0, "a command");
	tap(poll(&poll_fd, 1, 15000) == 1 && (poll_fd.revents & POLLERR),
			"no answer to it: the device is broken");
	tap(system("timeout 10 ip link show >/dev/null") == 0, "the network goes on");
	tap(dev_detach(), "detach the broken device");
	allow("N");
}

static void
test_served(int fd)
{
	struct ctrl_server server;

	allow("Y");
	tap(dev_attach(), "attach the next device with a control queue");
	ctrl_server_start(&server, fd, CTRL_INDEX);
	tap(system("timeout 20 ip link set up dev " INTERFACE) == 0, "served: ip link set up");
	tap(system("timeout 20 ip link set promisc on dev " INTERFACE) == 0, "served: a command");
	sleep(2 * MSG_TIMEOUT);
	tap(atomic_load(&server.commands) != 0, "served: commands were answered");
	tap(!(dev_poll(fd) & POLLERR), "served: the device is not broken");
	tap(dev_detach(), "served: detach");
	ctrl_server_stop(&server);
	allow("N");
}

/* --- a device for each of them --- */

static void
with_device(void (*test)(int fd), const char *destroyed)
{
	int control = control_open(1), fd;
	struct server server;
	struct dev_arg arg;

	need(control >= 0, "only for our module");
	dev_arg_init(&arg);
	arg.config.features |= CTRL_FEATURES;
	arg.config.vq_num = CTRL_INDEX + 1;
	arg.config.ngroups = 1;
	arg.config.nas = 1;
	fd = dev_make(control, &arg);
	need(dev_set_attr("msg_timeout", "2"), "set msg_timeout");
	server_start(&server, fd);
	test(fd);
	server_stop(&server);
	close(fd);
	tap_errno(dev_destroy(control, DEV_NAME), 0, "%s", destroyed);
	close(control);
}

void
conform_ctrl(bool ours)
{
	need(ours, "only for our module");
	with_device(test_not_offered, "destroy it");
	with_device(test_silent, "destroy the broken device");
	with_device(test_served, "served: destroy");
}

static void
test_vhost(int fd)
{
	uint64_t features = 0;
	int vhost;

	need(dev_attach(), "vdpa dev add");
	vhost = vhost_open();
	vhost_set_status(vhost, 3);
	tap(ioctl(vhost, VHOST_GET_FEATURES, &features) == 0 &&
			(features & CTRL_FEATURES) == CTRL_FEATURES,
			"vhost_vdpa gets to see a control queue");
	tap_errno(ioctl(vhost, VHOST_SET_FEATURES, &features), 0, "vhost_vdpa takes it");
	tap((driver_features(fd) & CTRL_FEATURES) == CTRL_FEATURES, "and the device knows");
	close(vhost);
	need(dev_detach(), "vdpa dev del");
}

void
conform_ctrl_vhost(void)
{
	with_device(test_vhost, "destroy it after vhost_vdpa");
}
