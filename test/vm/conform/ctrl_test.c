/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * A net device with a control queue that nobody serves, under virtio_net: not offered at first;
 * with the module's parameter set the device breaks in time, and the machine goes on. Ours only.
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
#include "dev.h"
#include "tap.h"

#define CTRL_FEATURES	(1ULL << VIRTIO_NET_F_CTRL_VQ | 1ULL << VIRTIO_NET_F_CTRL_RX)
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

void
conform_ctrl(bool ours)
{
	int control = control_open(1), fd;
	struct server server;
	struct dev_arg arg;

	need(ours && control >= 0, "only for our module");
	dev_arg_init(&arg);
	arg.config.features |= CTRL_FEATURES;
	arg.config.vq_num = 3;
	arg.config.ngroups = 1;
	arg.config.nas = 1;
	fd = dev_make(control, &arg);
	need(dev_set_attr("msg_timeout", "2"), "set msg_timeout");
	server_start(&server, fd);
	test_not_offered(fd);
	test_silent(fd);
	server_stop(&server);
	close(fd);
	tap_errno(dev_destroy(control, DEV_NAME), 0, "destroy the broken device");
	close(control);
}
