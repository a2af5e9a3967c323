/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A process that refuses messages, or stops answering, after each message of an attach: a net
 * device whose control queue virtio_net waits for, and a disk whose first sector is read. The
 * driver gives up, the device can be removed, and the machine continues. For this project's module
 * only: with the kernel's own module a driver waits for such a disk forever.
 *
 * The same under vhost_vdpa: its user learns that the device needs a reset that is impossible.
 */
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>

#include "conform.h"
#include "dev.h"
#include "stall.h"
#include "tap.h"
#include "vhost.h"

/* In seconds. */
#define MSG_TIMEOUT	"1"
#define SECTORS		2048

struct kind {
	const char *name;
	void (*init)(struct dev_arg *arg);
};

/* Without an address of its own virtio_net says on the control queue which one it chose. */
static void
init_ctrl(struct dev_arg *arg)
{
	arg->config.features |= 1ULL << VIRTIO_NET_F_CTRL_VQ | 1ULL << VIRTIO_NET_F_CTRL_MAC_ADDR;
	arg->config.vq_num = 3;
}

static void
init_blk(struct dev_arg *arg)
{
	struct virtio_blk_config config = { .capacity = SECTORS };

	arg->config.device_id = VIRTIO_ID_BLOCK;
	arg->config.vq_num = 1;
	memcpy(arg->config.config, &config.capacity, sizeof(config.capacity));
}

static const struct kind kinds[] = {
	{ "control queue", init_ctrl },
	{ "blk", init_blk },
};

/* The process wants to be asked whether a queue may be ready. */
static int
make(int control, const struct kind *kind)
{
	uint64_t features = 1ULL << VDUSE_F_QUEUE_READY;
	struct dev_arg arg;
	int fd;

	need(ioctl(control, VDUSE_SET_FEATURES, &features) == 0, "set features");
	dev_arg_init(&arg);
	arg.config.ngroups = 1;
	arg.config.nas = 1;
	kind->init(&arg);
	fd = dev_make(control, &arg);
	need(dev_set_attr("msg_timeout", MSG_TIMEOUT), "set msg_timeout");
	return fd;
}

static pid_t
start_child(bool (*work)(void))
{
	pid_t pid = fork();

	if (pid == 0) {
		work();
		_exit(0);
	}
	need(pid > 0, "fork");
	return pid;
}

static bool
network_goes_on(void)
{
	return system("timeout 20 ip link show >/dev/null") == 0;
}

/*
 * Returns whether DRIVER_OK was asked for. A driver that waits where it should give up leaves a
 * machine that no further test can do with: the program ends.
 */
static bool
test_after(int control, const struct kind *kind, unsigned int answered, bool refuse)
{
	const char *how = refuse ? "refuses" : "is silent";
	int fd = make(control, kind);
	struct server server;
	bool last;

	server_start_until(&server, fd, answered, refuse);
	need(tap(child_ends(start_child(dev_attach), 30), "%s: %s after %u: the attach ends",
				kind->name, how, answered), "the driver gives up");
	last = server.last[VDUSE_SET_STATUS].s.status & VIRTIO_CONFIG_S_DRIVER_OK;
	if (!refuse)
		tap(dev_poll(fd) & POLLERR, "%s: %s after %u: the device is broken", kind->name,
				how, answered);
	tap(network_goes_on(), "%s: %s after %u: the network goes on", kind->name, how, answered);
	need(tap(child_ends(start_child(dev_detach), 30), "%s: %s after %u: the detach ends",
				kind->name, how, answered), "the driver gives up");
	server_stop(&server);
	close(fd);
	tap_errno(dev_destroy(control, DEV_NAME), 0, "%s: %s after %u: destroy", kind->name, how,
			answered);
	return last;
}

/*
 * Until the message that is refused is DRIVER_OK, the last one of an attach. Silence costs a second
 * each: only from a queue that is not ready on. Before that it is what silent_test.c does.
 */
static void
test_kind(int control, const struct kind *kind)
{
	unsigned int answered = 0;

	while (!test_after(control, kind, answered, true))
		answered++;
	tap(answered > 2, "%s: DRIVER_OK is not among the first messages", kind->name);
	test_after(control, kind, answered, false);
	test_after(control, kind, answered - 1, false);
}

void
conform_break(bool ours)
{
	int control = control_open(1);
	unsigned int i;

	need(ours && control >= 0, "only for our module");
	module_set("virtio_ctrl_vq", "Y");
	for (i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		test_kind(control, &kinds[i]);
	module_set("virtio_ctrl_vq", "N");
	close(control);
}

static int
set_config_call(int vhost)
{
	int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	need(event >= 0 && ioctl(vhost, VHOST_VDPA_SET_CONFIG_CALL, &event) == 0,
			"VHOST_VDPA_SET_CONFIG_CALL");
	return event;
}

void
conform_break_vhost(int control)
{
	struct server server;
	struct dev_arg arg;
	int fd, vhost, event;

	dev_arg_init(&arg);
	fd = dev_make(control, &arg);
	need(dev_set_attr("msg_timeout", MSG_TIMEOUT), "set msg_timeout");
	need(dev_attach(), "vdpa dev add");
	server_start(&server, fd);
	vhost = vhost_open();
	event = set_config_call(vhost);
	vhost_set_status(vhost, 15);
	tap(vhost_get_status(vhost) == 15, "broken: the driver is ready");
	server_stop(&server);
	tap(vhost_map(vhost, 0, 0x10000, 4096, vhost_memory(1, 1)) < 0, "broken: no answer");
	tap(vhost_get_status(vhost) == (15 | VIRTIO_CONFIG_S_NEEDS_RESET),
			"broken: the driver reads that the device needs a reset");
	tap(dev_wait(event, POLLIN), "broken: the driver is told to read it");
	vhost_set_status(vhost, 0);
	tap(vhost_get_status(vhost) == 0, "broken: a reset");
	vhost_set_status(vhost, 1);
	tap(vhost_get_status(vhost) == 0, "broken: a reset does not mend it");
	close(vhost);
	close(event);
	tap(dev_detach(), "broken: detach");
	close(fd);
	tap_errno(dev_destroy(control, DEV_NAME), 0, "broken: destroy");
}
