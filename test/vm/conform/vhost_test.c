/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The device under vhost_vdpa: messages and their waiters, kicks and calls, maps. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#include "conform.h"
#include "dev.h"
#include "tap.h"
#include "vhost.h"

static struct dev_arg arg;

/* --- messages, with a process of its own that waits in open() --- */

static int
test_redelivery(int fd)
{
	struct vduse_dev_request first = { 0 }, again = { 0 };
	void *nowhere = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pid_t pid = vhost_start_waiter(fd);

	tap(dev_wait(fd, POLLIN), "a message arrives");
	tap(dev_poll(fd) == POLLIN, "poll: to be read");
	tap_errno(read(fd, nowhere, sizeof(first)), EFAULT, "read: bad pointer");
	tap(dev_poll(fd) == POLLIN, "poll: still to be read");
	tap_errno(read(fd, &first, sizeof(first)), 0, "read");
	tap(first.type == VDUSE_SET_STATUS && first.s.status == 0, "opening resets");
	tap(dev_poll(fd) == POLLOUT, "poll: to be answered");
	tap_errno(dev_answer(fd, first.request_id + 1, 0), ENOENT, "answer with a wrong id");
	close(fd);
	fd = open(DEV_PATH, O_RDWR | O_NONBLOCK);
	tap(dev_poll(fd) == POLLIN, "poll after a reopen: to be read");
	tap_errno(read(fd, &again, sizeof(again)), 0, "read after a reopen");
	tap(memcmp(&first, &again, sizeof(first)) == 0, "the same message");
	tap_errno(dev_answer(fd, again.request_id, 0), 0, "answer");
	/* It is on its way out by now, and that resets once more. */
	tap(dev_wait(fd, POLLIN) && read(fd, &again, sizeof(again)) == sizeof(again) &&
			dev_answer(fd, again.request_id, 0) == 0, "closing asks again");
	tap(vhost_reap(pid) == 0, "the waiter goes on");
	return fd;
}

/* Its reset at the end is a message too. */
static void
test_killed(int fd)
{
	struct vduse_dev_request req = { 0 };
	pid_t pid = vhost_start_waiter(fd);

	tap(dev_wait(fd, POLLIN), "another waiter");
	kill(pid, SIGKILL);
	vhost_reap(pid);
	tap(dev_poll(fd) == 0, "killed: its message goes, unread");
	pid = vhost_start_waiter(fd);
	tap(dev_wait(fd, POLLIN) && read(fd, &req, sizeof(req)) == sizeof(req), "and another");
	kill(pid, SIGKILL);
	vhost_reap(pid);
	tap(dev_poll(fd) == 0, "killed: its message goes, read");
	tap_errno(dev_answer(fd, req.request_id, 0), ENOENT, "a late answer");
}

static void
test_timeout(int control)
{
	uint64_t features;
	struct vduse_dev_request req;
	int fd = dev_make(control, &arg);
	pid_t pid;

	need(dev_attach(), "vdpa dev add");
	need(dev_set_attr("msg_timeout", "1"), "set msg_timeout");
	pid = vhost_start_waiter(fd);
	tap(dev_wait(fd, POLLERR), "no answer in time: poll says error");
	tap(vhost_reap(pid) == 0, "no answer in time: the open goes on");
	tap_errno(ioctl(fd, VDUSE_DEV_GET_FEATURES, &features), EPERM, "ioctls of a broken device");
	tap_errno(read(fd, &req, sizeof(req)), EIO, "read of a broken device");
	close(fd);
	fd = open(DEV_PATH, O_RDWR | O_NONBLOCK);
	tap(dev_poll(fd) == POLLERR, "a reopen does not mend it");
	close(fd);
	tap(dev_detach(), "a broken device is taken off the bus");
	tap_errno(dev_destroy(control, DEV_NAME), 0, "a broken device is destroyed");
}

/* --- status, calls and kicks --- */

static void
test_status(int vhost, struct server *server)
{
	atomic_store(&server->result, VDUSE_REQ_RESULT_FAILED);
	vhost_set_status(vhost, 1);
	tap(vhost_get_status(vhost) == 0, "a refused status does not hold");
	atomic_store(&server->result, VDUSE_REQ_RESULT_OK);
	vhost_set_status(vhost, 1);
	tap(vhost_get_status(vhost) == 1, "an accepted status holds");
}

static void
test_ring(int vhost, int fd)
{
	struct vduse_vq_info info = { .index = 0 };

	vhost_set_ring(vhost, 0, 64);
	tap_errno(ioctl(fd, VDUSE_VQ_GET_INFO, &info), 0, "vq info of a ring");
	tap(info.num == 64 && info.desc_addr == 0x1000 && info.driver_addr == 0x2000 &&
			info.device_addr == 0x3000 && info.ready == 1, "the ring as it was set");
}

static bool
readable(int event)
{
	struct pollfd poll_fd = { .fd = event, .events = POLLIN };
	uint64_t count;

	return poll(&poll_fd, 1, dev_patience(3000)) == 1 && read(event, &count, sizeof(count)) == 8;
}

static void
test_kick(int vhost, int fd)
{
	struct vduse_vq_eventfd arg_kick = { .index = 0 };
	int driver = vhost_set_kick(vhost, 0), device = eventfd(0, EFD_CLOEXEC);
	uint64_t one = 1;

	need(write(driver, &one, sizeof(one)) == sizeof(one), "kick");
	usleep(300000);
	arg_kick.fd = device;
	tap_errno(ioctl(fd, VDUSE_VQ_SETUP_KICKFD, &arg_kick), 0, "kickfd after the kick");
	tap(readable(device), "the kick is not lost");
	need(write(driver, &one, sizeof(one)) == sizeof(one), "kick");
	tap(readable(device), "a kick arrives");
	close(device);
	close(driver);
}

static void *
set_driver_ok(void *vhost)
{
	vhost_set_status(*(int *)vhost, 15);
	return NULL;
}

/* No server: the answer is given by hand. */
static void
test_driver_ok(int vhost, int fd, bool ours)
{
	struct vduse_dev_request req = { 0 };
	int call = vhost_set_call(vhost, 0);
	uint32_t index = 0;
	pthread_t thread;

	pthread_create(&thread, NULL, set_driver_ok, &vhost);
	need(dev_wait(fd, POLLIN) && read(fd, &req, sizeof(req)) == sizeof(req), "DRIVER_OK");
	tap_errno(ioctl(fd, VDUSE_VQ_INJECT_IRQ, &index), EINVAL,
			"interrupt before DRIVER_OK is answered");
	need(dev_answer(fd, req.request_id, 0) == 0, "answer");
	if (ours)
		tap_errno(ioctl(fd, VDUSE_VQ_INJECT_IRQ, &index), 0,
				"interrupt right after the answer");
	pthread_join(thread, NULL);
	tap_errno(ioctl(fd, VDUSE_VQ_INJECT_IRQ, &index), 0, "interrupt with a driver");
	tap(readable(call), "a call arrives");
	tap_errno(ioctl(fd, VDUSE_DEV_INJECT_CONFIG_IRQ, 0), 0, "config interrupt with a driver");
	close(call);
}

/* --- the configuration space --- */

/* A struct vhost_vdpa_config and its bytes. */
struct config {
	uint32_t off;
	uint32_t len;
	uint8_t byte[DEV_CONFIG_SIZE];
};

static bool
get_config(int vhost, uint8_t *byte)
{
	struct config config = { .len = DEV_CONFIG_SIZE };
	bool ok = ioctl(vhost, VHOST_VDPA_GET_CONFIG, &config) == 0;

	memcpy(byte, config.byte, DEV_CONFIG_SIZE);
	return ok;
}

static void
test_config(int vhost, int fd)
{
	union {
		struct vduse_config_data head;
		uint8_t room[sizeof(struct vduse_config_data) + 2];
	} set = { .head = { .offset = DEV_CONFIG_SIZE - 2, .length = 2 } };
	struct config write = { .off = DEV_CONFIG_SIZE - 2, .len = 2 };
	uint8_t byte[DEV_CONFIG_SIZE];
	uint32_t size = 0;

	tap(ioctl(vhost, VHOST_VDPA_GET_CONFIG_SIZE, &size) == 0 && size == DEV_CONFIG_SIZE,
			"the size of the configuration space");
	set.head.buffer[0] = 0xa1;
	set.head.buffer[1] = 0xa2;
	need(ioctl(fd, VDUSE_DEV_SET_CONFIG, &set) == 0, "set config");
	tap(get_config(vhost, byte) && byte[0] == 0 && byte[DEV_CONFIG_SIZE - 2] == 0xa1 &&
			byte[DEV_CONFIG_SIZE - 1] == 0xa2, "the driver reads what was set");
	ioctl(vhost, VHOST_VDPA_SET_CONFIG, &write);
	tap(get_config(vhost, byte) && byte[DEV_CONFIG_SIZE - 1] == 0xa2,
			"what the driver writes is ignored");
}

/* The vdpa program reads a network device's whole structure. */
static void
test_short_config(int control)
{
	struct dev_arg short_arg = arg;
	int fd;

	short_arg.config.features |= 1ULL << VIRTIO_NET_F_MTU;
	short_arg.config.config_size = 4;
	memset(short_arg.config.config, 0xff, 64);
	fd = dev_make(control, &short_arg);
	need(dev_attach(), "vdpa dev add");
	tap(system("vdpa -j dev config show " DEV_NAME " | grep -q '\"mtu\":0[,}]'") == 0,
			"beyond the configuration space zero is read");
	need(dev_detach(), "vdpa dev del");
	close(fd);
	need(dev_destroy(control, DEV_NAME) == 0, "destroy the device");
}

/* --- maps --- */

/* The first byte at this address, or -1 without a map, as the device sees it. */
static int
byte_at(int fd, uint64_t iova)
{
	struct vduse_iotlb_entry entry = { .start = iova, .last = iova };
	int file = ioctl(fd, VDUSE_IOTLB_GET_FD, &entry), byte;
	uint8_t *va;

	if (file < 0)
		return -1;
	va = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, entry.offset + (iova - entry.start));
	close(file);
	if (va == MAP_FAILED)
		return -2;
	byte = *va;
	munmap(va, 4096);
	return byte;
}

static void
test_map(int vhost, int fd, struct server *server)
{
	uint8_t *memory = vhost_memory(4, 0x5a);
	unsigned int before = atomic_load(&server->count[VDUSE_UPDATE_IOTLB]);
	struct vduse_iotlb_entry entry = { .start = 0x10000, .last = 0x10000 };
	const struct vduse_dev_request *last = &server->last[VDUSE_UPDATE_IOTLB];
	void *private;
	int file;

	tap_errno(vhost_map(vhost, 0, 0x10000, 2 * 4096, memory), 0, "map");
	tap(atomic_load(&server->count[VDUSE_UPDATE_IOTLB]) == before + 1, "one message for a map");
	tap(last->iova.start == 0 && last->iova.last == UINT64_MAX, "it is about everything");
	tap(byte_at(fd, 0x10000) == 0x5a, "the device sees the memory");
	file = ioctl(fd, VDUSE_IOTLB_GET_FD, &entry);
	tap(fcntl(file, F_GETFD) == FD_CLOEXEC, "the file is closed on exec");
	tap(entry.start == 0x10000 && entry.last == 0x11fff && entry.perm == VDUSE_ACCESS_RW,
			"the region as it was mapped");
	close(file);
	private = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	tap_errno(vhost_map(vhost, 0, 0x40000, 4096, private), 0, "map private memory");
	tap(byte_at(fd, 0x40000) == -1, "private memory is not there");
	atomic_store(&server->result, VDUSE_REQ_RESULT_FAILED);
	tap(vhost_map(vhost, 0, 0x20000, 4096, memory + 3 * 4096) < 0, "a refused map");
	atomic_store(&server->result, VDUSE_REQ_RESULT_OK);
	tap(byte_at(fd, 0x20000) == -1, "a refused map is not there");
	tap(byte_at(fd, 0x10000) == 0x5a, "what was mapped before is");
	tap_errno(vhost_map(vhost, 0, 0x20000, 4096, memory), 0, "map what was refused");
}

static void
test_unmap(int vhost, int fd, struct server *server)
{
	unsigned int before = atomic_load(&server->count[VDUSE_UPDATE_IOTLB]);

	tap_errno(vhost_unmap(vhost, 0, 0x20000, 4096), 0, "unmap");
	tap(atomic_load(&server->count[VDUSE_UPDATE_IOTLB]) == before + 1,
			"one message for an unmap");
	tap(byte_at(fd, 0x20000) == -1, "what was unmapped is not there");
	tap(byte_at(fd, 0x10000) == 0x5a, "what was not unmapped is");
}

static void
test_batch(int vhost, int fd, struct server *server)
{
	uint8_t *memory = vhost_memory(1, 0x33);
	unsigned int before = atomic_load(&server->count[VDUSE_UPDATE_IOTLB]), i;

	need(vhost_batch(vhost, 0, true) == 0, "begin a batch");
	for (i = 0; i < 16; i++)
		need(vhost_map(vhost, 0, 0x800000 + i * 0x2000, 4096, memory) == 0, "map");
	tap(atomic_load(&server->count[VDUSE_UPDATE_IOTLB]) == before, "no message in a batch");
	tap(byte_at(fd, 0x800000) == -1, "nor is anything there");
	tap_errno(vhost_batch(vhost, 0, false), 0, "the end of a batch");
	tap(atomic_load(&server->count[VDUSE_UPDATE_IOTLB]) == before + 1,
			"one message for a batch");
	tap(byte_at(fd, 0x800000) == 0x33 && byte_at(fd, 0x800000 + 15 * 0x2000) == 0x33,
			"all of the batch is there");
	need(vhost_unmap(vhost, 0, 0x800000, 16 * 0x2000) == 0, "unmap");
	tap(byte_at(fd, 0x800000 + 15 * 0x2000) == -1, "unmapped at once");
}

/*
 * One region is there already. Each change sends all of the map: most of it comes in a batch.
 * vhost_vdpa has one word for every failure.
 */
static void
test_map_limit(int vhost, int fd)
{
	uint8_t *memory = vhost_memory(1, 7);
	int nb = 1;

	vhost_batch(vhost, 0, true);
	while (nb < 2000 && vhost_map(vhost, 0, 0x1000000 + nb * 0x2000ULL, 4096, memory) == 0)
		nb++;
	need(vhost_batch(vhost, 0, false) == 0, "the end of a batch");
	while (nb < 4096 && vhost_map(vhost, 0, 0x1000000 + nb * 0x2000ULL, 4096, memory) == 0)
		nb++;
	tap(nb == 2048, "2048 maps and no more");
	tap(byte_at(fd, 0x1000000 + 2047 * 0x2000ULL) == 7, "the last one is there");
	/* vhost_vdpa has no word for a batch that failed. */
	vhost_batch(vhost, 0, true);
	vhost_map(vhost, 0, 0x10000000, 4096, memory);
	vhost_batch(vhost, 0, false);
	tap(byte_at(fd, 0x10000000) == -1 && byte_at(fd, 0x1000000 + 2047 * 0x2000ULL) == 7,
			"a batch beyond that leaves what was there");
}

/* What a vhost_vdpa user leaves must not be found by who comes next. */
static void
test_close(int fd)
{
	struct vduse_iotlb_entry entry = { .last = UINT64_MAX };

	tap_errno(ioctl(fd, VDUSE_IOTLB_GET_FD, &entry), EINVAL, "nothing is mapped after a close");
}

static void
run_vhost(int fd, bool ours)
{
	struct server server;
	int vhost;

	server_start(&server, fd);
	vhost = vhost_open();
	test_status(vhost, &server);
	test_config(vhost, fd);
	test_map(vhost, fd, &server);
	test_unmap(vhost, fd, &server);
	test_batch(vhost, fd, &server);
	if (ours)
		test_map_limit(vhost, fd);
	test_ring(vhost, fd);
	test_kick(vhost, fd);
	vhost_get_base(vhost, 0);
	tap(atomic_load(&server.count[VDUSE_GET_VQ_STATE]) == 1, "the ring's state is asked for");
	server_stop(&server);
	test_driver_ok(vhost, fd, ours);
	server_start(&server, fd);
	close(vhost);
	tap(server.last[VDUSE_SET_STATUS].s.status == 0, "closing resets");
	test_close(fd);
	tap(dev_detach(), "detach");
	server_stop(&server);
}

void
conform_vhost(bool ours)
{
	int control = control_open(0), fd;

	dev_arg_init(&arg);
	fd = dev_make(control, &arg);
	tap(dev_attach(), "attach");
	tap(!dev_attach(), "attach again");
	fd = test_redelivery(fd);
	test_killed(fd);
	tap_errno(dev_destroy(control, DEV_NAME), EBUSY, "destroy an attached device");
	run_vhost(fd, ours);
	close(fd);
	tap_errno(dev_destroy(control, DEV_NAME), 0, "destroy a detached device");
	test_short_config(control);
	test_timeout(control);
	if (ours) {
		conform_stall(control);
		conform_break_vhost(control);
		conform_race_vhost(control);
		conform_no_timeout(control);
		conform_freeze(control);
		conform_ctrl_vhost();
		conform_suspend();
		conform_ready();
	}
	close(control);
	conform_size();
	conform_version1();
}
