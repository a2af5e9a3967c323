/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A net device with a control queue. A user of vhost_vdpa is offered the queue. virtio_net is
 * offered it only with the module parameter. If the queue is not served then, the device breaks in
 * time and the machine continues, whatever the process writes into the ring or the configuration
 * space. The next device, which is served, works. For this project's module only.
 */
#include <errno.h>
#include <poll.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#include "conform.h"
#include "ctrl_serve.h"
#include "dev.h"
#include "stall.h"
#include "tap.h"
#include "vhost.h"

#define CTRL_FEATURES	(1ULL << VIRTIO_NET_F_CTRL_VQ | 1ULL << VIRTIO_NET_F_CTRL_RX)
#define CTRL_INDEX	2
#define MSG_TIMEOUT	2
#define INTERFACE	"$(ls /sys/bus/vdpa/devices/" DEV_NAME "/virtio*/net)"

void
ctrl_allow(bool on)
{
	module_set("virtio_ctrl_vq", on ? "Y" : "N");
}

static bool
queue_is_ready(int fd, uint32_t index)
{
	struct vduse_vq_info info = { .index = index };

	return ioctl(fd, VDUSE_VQ_GET_INFO, &info) == 0 && info.ready;
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

	module_set("virtio_ctrl_vq", "Y");
	tap(dev_attach(), "attach it where control queues are allowed");
	tap((driver_features(fd) & CTRL_FEATURES) == CTRL_FEATURES, "virtio_net takes it");
	tap(system("timeout 20 ip link set up dev " INTERFACE) == 0, "ip link set up, again");
	tap(system("timeout 20 ip link set promisc on dev " INTERFACE) == 0, "a command");
	tap(poll(&poll_fd, 1, dev_patience(15000)) == 1 && (poll_fd.revents & POLLERR),
			"no answer to it: the device is broken");
	tap(system("timeout 10 ip link show >/dev/null") == 0, "the network goes on");
	tap(dev_detach(), "detach the broken device");
	module_set("virtio_ctrl_vq", "N");
}

/* The process says in the ring that nothing waits, without end, and that it needs no kicks. */
static void
test_liar(int fd)
{
	struct pollfd poll_fd = { .fd = fd };
	struct ctrl_server server;

	module_set("virtio_ctrl_vq", "Y");
	tap(dev_attach(), "attach a device that lies about its control queue");
	ctrl_liar_start(&server, fd, CTRL_INDEX);
	tap(system("timeout 20 ip link set up dev " INTERFACE) == 0, "liar: ip link set up");
	tap(system("timeout 20 ip link set promisc on dev " INTERFACE) == 0, "liar: a command");
	need(tap(poll(&poll_fd, 1, dev_patience(15000)) == 1 && (poll_fd.revents & POLLERR),
			"liar: the device is broken"), "the driver gives up");
	tap(system("timeout 10 ip link show >/dev/null") == 0, "liar: the network goes on");
	ctrl_server_stop(&server);
	tap(dev_detach(), "liar: detach");
	module_set("virtio_ctrl_vq", "N");
}

static pid_t
start_attach(void)
{
	pid_t pid = fork();

	if (pid == 0)
		_exit(dev_attach() ? 0 : 1);
	need(pid > 0, "fork");
	return pid;
}

/*
 * virtio_net sends a command in its probe. The process, which does not serve it, says meanwhile
 * that there are more pairs of queues, so that the control queue would be another one.
 */
static void
test_moved(int fd)
{
	union {
		struct vduse_config_data head;
		uint8_t room[sizeof(struct vduse_config_data) + 2];
	} set = { .head = {
		.offset = offsetof(struct virtio_net_config, max_virtqueue_pairs),
		.length = 2,
	} };
	uint64_t features = 0;
	pid_t attach;

	set.head.buffer[0] = 9;
	module_set("virtio_ctrl_vq", "Y");
	attach = start_attach();
	/* virtio_net looked at the pairs before it makes its queues. */
	while (!queue_is_ready(fd, CTRL_INDEX) && !(dev_poll(fd) & POLLERR))
		usleep(1000);
	need(ioctl(fd, VDUSE_DEV_SET_CONFIG, &set) == 0, "set config");
	need(tap(child_ends(attach, 30), "moved: the attach ends"), "the driver gives up");
	tap(dev_poll(fd) & POLLERR, "moved: the device is broken");
	tap(ioctl(fd, VDUSE_DEV_GET_FEATURES, &features) < 0, "moved: ioctls of a broken device");
	tap(dev_detach(), "moved: detach");
	module_set("virtio_ctrl_vq", "N");
}

static void
test_served(int fd)
{
	struct ctrl_server server;

	module_set("virtio_ctrl_vq", "Y");
	tap(dev_attach(), "attach the next device with a control queue");
	ctrl_server_start(&server, fd, CTRL_INDEX);
	tap(system("timeout 20 ip link set up dev " INTERFACE) == 0, "served: ip link set up");
	tap(system("timeout 20 ip link set promisc on dev " INTERFACE) == 0, "served: a command");
	sleep(2 * MSG_TIMEOUT);
	tap(atomic_load(&server.commands) != 0, "served: commands were answered");
	tap(!(dev_poll(fd) & POLLERR), "served: the device is not broken");
	tap(dev_detach(), "served: detach");
	ctrl_server_stop(&server);
	module_set("virtio_ctrl_vq", "N");
}

/* --- a device for each of them --- */

static void
with_device(void (*test)(int fd), uint64_t features, const char *destroyed)
{
	int control = control_open(1), fd;
	struct virtio_net_config space = { .max_virtqueue_pairs = 1 };
	struct server server;
	struct dev_arg arg;

	need(control >= 0, "only for our module");
	dev_arg_init(&arg);
	arg.config.features |= features;
	memcpy(arg.config.config, &space, sizeof(space));
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
	with_device(test_not_offered, CTRL_FEATURES, "destroy it");
	with_device(test_silent, CTRL_FEATURES, "destroy the broken device");
	with_device(test_liar, CTRL_FEATURES, "liar: destroy");
	with_device(test_moved, CTRL_FEATURES | 1ULL << VIRTIO_NET_F_MQ, "moved: destroy");
	with_device(test_served, CTRL_FEATURES, "served: destroy");
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
	with_device(test_vhost, CTRL_FEATURES, "destroy it after vhost_vdpa");
}
