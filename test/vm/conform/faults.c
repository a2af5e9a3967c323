/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Calls in which one allocation, or one copy to or from us, fails: first the first one, then the
 * second, until a call has no more of them. Whatever came of it, nothing is left in the way of the
 * same call without a fault. Needs a kernel with fault injection; TAP on stdout.
 *
 *   kernel-faults vhost|virtio     with that driver of the vDPA bus loaded, the other not
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <libmnl/libmnl.h>
#include <linux/vdpa.h>

#include "dev.h"
#include "tap.h"
#include <vduse/kernel/vdpa_msg.h>
#include "vhost.h"

#define BOUNCE_SIZE	(1UL << 20)
/* Far more than any call here has. */
#define FAULTS_MAX	5000

static int fail_nth, control, device, vhost;
static struct dev_arg arg;

/* --- faults --- */

static void
fail_at(unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	/* What was left of the last one may be this copy's, and that only. */
	need(write(fail_nth, text, len) == len || write(fail_nth, text, len) == len,
			"write to fail-nth");
}

static bool
has_failed(void)
{
	char text[16] = "";

	return pread(fail_nth, text, sizeof(text) - 1, 0) > 0 && atoi(text) == 0;
}

/*
 * The call returns 0 or a negative errno. The check undoes what it did; false: that was wrong.
 * The last time there was no fault: the call must succeed.
 */
static void
inject(const char *name, int (*call)(void), bool (*check)(int ret))
{
	unsigned int nth, wrong = 0;
	bool failed = true;
	int ret = 0;

	for (nth = 1; failed && nth < FAULTS_MAX; nth++) {
		fail_at(nth);
		ret = call();
		failed = has_failed();
		fail_at(0);
		if (!check(ret) && wrong++ == 0)
			printf("# %s, fault %u: %s is wrong\n", name, nth, strerror(-ret));
	}
	printf("# %u faults\n", nth - 2);
	tap(wrong == 0 && nth > 2 && !failed && ret == 0, "faults: %s", name);
}

static int
result(int ret)
{
	return ret < 0 ? -errno : 0;
}

/* --- making and destroying --- */

static int
create(void)
{
	return result(dev_create(control, &arg));
}

static bool
check_create(int ret)
{
	return result(dev_destroy(control, DEV_NAME)) == (ret == 0 ? 0 : -EINVAL);
}

static int
destroy(void)
{
	return result(dev_destroy(control, DEV_NAME));
}

static bool
check_destroy(int ret)
{
	return result(dev_create(control, &arg)) == (ret == 0 ? 0 : -EEXIST);
}

/* --- the vDPA bus: by hand, for the faults are this thread's --- */

static struct mnl_socket *netlink;
static uint16_t family;

/* The kernel works while we send. */
static int
vdpa_send(uint8_t command)
{
	char buf[VDUSE_VDPA_MSG_MAX];
	const struct nlmsghdr *request = command == 0 ? vduse_vdpa_msg_family(buf, 1) :
		vduse_vdpa_msg_request(buf, 1, family, command, DEV_NAME);

	return result(mnl_socket_sendto(netlink, request, request->nlmsg_len));
}

/* The answer may have been what failed. */
static void
vdpa_drain(void)
{
	char buf[VDUSE_VDPA_MSG_MAX];

	while (recv(mnl_socket_get_fd(netlink), buf, sizeof(buf), MSG_DONTWAIT) > 0)
		if (family == 0)
			vduse_vdpa_msg_family_id((struct nlmsghdr *)buf, &family);
}

static void
vdpa_connect(void)
{
	netlink = mnl_socket_open(NETLINK_GENERIC);
	need(netlink != NULL && mnl_socket_bind(netlink, 0, MNL_SOCKET_AUTOPID) == 0, "netlink");
	need(vdpa_send(0) == 0, "send");
	vdpa_drain();
	need(family != 0, "find the vdpa family");
}

static bool
on_the_bus(void)
{
	return access("/sys/bus/vdpa/devices/" DEV_NAME, F_OK) == 0;
}

static int
attach(void)
{
	return vdpa_send(VDPA_CMD_DEV_NEW);
}

static bool
check_attach(int ret)
{
	(void)ret;
	vdpa_drain();
	return !on_the_bus() || dev_detach();
}

static int
detach(void)
{
	return vdpa_send(VDPA_CMD_DEV_DEL);
}

static bool
check_detach(int ret)
{
	(void)ret;
	vdpa_drain();
	return on_the_bus() || dev_attach();
}

/* --- calls at a device with a driver of this kernel --- */

static struct vduse_iova_umem whole = { .size = BOUNCE_SIZE };

static int
umem_register(void)
{
	return result(ioctl(device, VDUSE_IOTLB_REG_UMEM, &whole));
}

static int
umem_deregister(void)
{
	return result(ioctl(device, VDUSE_IOTLB_DEREG_UMEM, &whole));
}

static bool
check_umem_register(int ret)
{
	return umem_deregister() == (ret == 0 ? 0 : -ENOENT);
}

/* To give memory back needs none: at most the argument cannot be read. */
static bool
check_umem_deregister(int ret)
{
	return umem_register() == (ret == 0 ? 0 : -EEXIST) && (ret == 0 || ret == -EFAULT);
}

static int file;

static int
get_fd(void)
{
	struct vduse_iotlb_entry entry = { .last = 0 };

	file = ioctl(device, VDUSE_IOTLB_GET_FD, &entry);
	return result(file);
}

static bool
check_get_fd(int ret)
{
	return ret < 0 || close(file) == 0;
}

static int
reopen(void)
{
	close(device);
	device = open(DEV_PATH, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	return result(device);
}

static bool
check_reopen(int ret)
{
	return ret == 0 || reopen() == 0;
}

static void
run_virtio(void)
{
	whole.uaddr = (uintptr_t)mmap(NULL, BOUNCE_SIZE, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	inject("register a umem", umem_register, check_umem_register);
	need(umem_register() == 0, "register a umem");
	inject("give a umem back", umem_deregister, check_umem_deregister);
	inject("get the file of a region", get_fd, check_get_fd);
}

/* --- calls at a device with a user of vhost_vdpa --- */

static uint8_t *memory;

static int
map(void)
{
	return result(vhost_map(vhost, 0, 0x20000, 4096, memory));
}

/* What was mapped before is there whatever became of it. */
static bool
check_map(int ret)
{
	struct vduse_iotlb_entry entry = { .start = 0x10000, .last = 0x10000 };

	file = ioctl(device, VDUSE_IOTLB_GET_FD, &entry);
	if (file < 0 || close(file) < 0)
		return false;
	return (ret == 0 || map() == 0) && vhost_unmap(vhost, 0, 0x20000, 4096) == 0;
}

static void
run_vhost(void)
{
	memory = vhost_memory(1, 0x5a);
	vhost = vhost_open();
	need(vhost_map(vhost, 0, 0x10000, 4096, memory) == 0, "map");
	inject("map", map, check_map);
	close(vhost);
}

/* A device whose messages are answered whatever else happens to it. */
static void
run(bool virtio)
{
	struct server server;

	device = dev_make(control, &arg);
	need(dev_set_attr("bounce_size", "1048576"), "set bounce_size");
	inject("open", reopen, check_reopen);
	server_start(&server, device);
	inject("attach", attach, check_attach);
	need(dev_attach(), "vdpa dev add");
	inject("detach", detach, check_detach);
	need(on_the_bus() || dev_attach(), "vdpa dev add");
	if (virtio)
		run_virtio();
	else
		run_vhost();
	tap(dev_detach(), "detach");
	server_stop(&server);
	close(device);
}

int
main(int argc, char **argv)
{
	fail_nth = open("/proc/thread-self/fail-nth", O_RDWR | O_CLOEXEC);
	if (fail_nth < 0 || argc < 2) {
		fprintf(stderr, "usage: kernel-faults vhost|virtio, with fault injection\n");
		return 2;
	}
	control = control_open(1);
	dev_arg_init(&arg);
	arg.config.ngroups = 1;
	arg.config.nas = 1;
	vdpa_connect();
	inject("create", create, check_create);
	need(dev_create(control, &arg) == 0, "create a device");
	inject("destroy", destroy, check_destroy);
	need(dev_destroy(control, DEV_NAME) == 0, "destroy the device");
	run(strcmp(argv[1], "virtio") == 0);
	tap_errno(dev_destroy(control, DEV_NAME), 0, "destroy");
	return tap_end();
}
