/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Creates VDUSE devices with direct calls of the kernel. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>

#include "dev.h"
#include "tap.h"

void
dev_arg_init(struct dev_arg *arg)
{
	struct vduse_dev_config *config = &arg->config;

	memset(arg, 0, sizeof(*arg));
	strcpy(config->name, DEV_NAME);
	config->device_id = VIRTIO_ID_NET;
	config->features = 1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_ACCESS_PLATFORM;
	config->vq_num = 2;
	config->vq_align = 4096;
	config->config_size = DEV_CONFIG_SIZE;
}

int
control_open(uint64_t version)
{
	int fd = open("/dev/vduse/control", O_RDWR | O_CLOEXEC);

	need(fd >= 0, "open /dev/vduse/control");
	if (ioctl(fd, VDUSE_SET_API_VERSION, &version) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

int
dev_create(int control, const struct dev_arg *arg)
{
	return ioctl(control, VDUSE_CREATE_DEV, arg);
}

int
dev_destroy(int control, const char *name)
{
	char buffer[VDUSE_NAME_MAX] = "";

	strncpy(buffer, name, sizeof(buffer) - 1);
	return ioctl(control, VDUSE_DESTROY_DEV, buffer);
}

int
dev_make(int control, const struct dev_arg *arg)
{
	struct vduse_vq_config vq = { .max_size = DEV_VQ_SIZE };
	int fd;

	need(dev_create(control, arg) == 0, "create a device");
	fd = open(DEV_PATH, O_RDWR | O_CLOEXEC | O_NONBLOCK);
	need(fd >= 0, "open " DEV_PATH);
	for (vq.index = 0; vq.index < arg->config.vq_num; vq.index++)
		need(ioctl(fd, VDUSE_VQ_SETUP, &vq) == 0, "set up a virtqueue");
	return fd;
}

int
dev_make_optional(int control, struct dev_arg *arg)
{
	uint64_t features = 1ULL << VDUSE_F_QUEUE_READY | 1ULL << VDUSE_F_SUSPEND;

	need(ioctl(control, VDUSE_SET_FEATURES, &features) == 0, "set features");
	dev_arg_init(arg);
	arg->config.ngroups = 1;
	arg->config.nas = 1;
	return dev_make(control, arg);
}

bool
dev_attach(void)
{
	return system("vdpa dev add name " DEV_NAME " mgmtdev vduse 2>/dev/null") == 0;
}

bool
dev_detach(void)
{
	return system("vdpa dev del " DEV_NAME " 2>/dev/null") == 0;
}

bool
dev_set_attr(const char *name, const char *value)
{
	char path[256];
	bool ok;
	int fd;

	snprintf(path, sizeof(path), "/sys/class/vduse/" DEV_NAME "/%s", name);
	fd = open(path, O_WRONLY);
	need(fd >= 0, path);
	ok = write(fd, value, strlen(value)) == (ssize_t)strlen(value);
	close(fd);
	return ok;
}

void
module_set(const char *name, const char *value)
{
	char path[256];
	int fd;

	snprintf(path, sizeof(path), "/sys/module/vduse/parameters/%s", name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	need(fd >= 0 && write(fd, value, strlen(value)) == (ssize_t)strlen(value), path);
	close(fd);
}

void *
dev_map(int fd, uint64_t iova, int flags, struct vduse_iotlb_entry *entry)
{
	int file;
	void *va;

	*entry = (struct vduse_iotlb_entry){ .start = iova, .last = iova };
	file = ioctl(fd, VDUSE_IOTLB_GET_FD, entry);
	if (file < 0)
		return MAP_FAILED;
	va = mmap(NULL, entry->last - entry->start + 1, PROT_READ | PROT_WRITE, flags, file,
			entry->offset);
	close(file);
	return va;
}

int
dev_poll(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN | POLLOUT };

	return poll(&poll_fd, 1, 0) < 0 ? -1 : poll_fd.revents;
}

int
dev_patience(int ms)
{
	const char *patience = getenv("VM_PATIENCE");

	return patience != NULL && atoi(patience) > 1 ? ms * atoi(patience) : ms;
}

bool
dev_wait(int fd, short bits)
{
	struct pollfd poll_fd = { .fd = fd, .events = bits };

	return poll(&poll_fd, 1, dev_patience(5000)) == 1 && (poll_fd.revents & bits) == bits;
}

int
dev_answer(int fd, uint32_t id, uint32_t result)
{
	struct vduse_dev_response resp = { .request_id = id, .result = result };

	return write(fd, &resp, sizeof(resp)) == sizeof(resp) ? 0 : -1;
}

static bool
beyond_limit(struct server *server)
{
	return atomic_load(&server->total) >= atomic_load(&server->limit);
}

static void
serve_one(struct server *server)
{
	uint32_t result = beyond_limit(server) ? VDUSE_REQ_RESULT_FAILED :
		atomic_load(&server->result);
	struct vduse_dev_request req;

	if (read(server->fd, &req, sizeof(req)) != sizeof(req))
		return;
	if (req.type < 8) {
		server->last[req.type] = req;
		atomic_fetch_add(&server->count[req.type], 1);
	}
	dev_answer(server->fd, req.request_id, result);
	atomic_fetch_add(&server->total, 1);
}

static bool
is_silent(struct server *server)
{
	return beyond_limit(server) && !atomic_load(&server->refuse);
}

static void *
serve(void *arg)
{
	struct server *server = arg;
	struct pollfd poll_fd = { .fd = server->fd };

	while (!atomic_load(&server->stop) && !(poll_fd.revents & POLLERR)) {
		poll_fd.events = is_silent(server) ? 0 : POLLIN;
		if (poll(&poll_fd, 1, 50) == 1 && (poll_fd.revents & POLLIN))
			serve_one(server);
	}
	return NULL;
}

void
server_start(struct server *server, int fd)
{
	server_start_until(server, fd, UINT_MAX, false);
}

void
server_start_until(struct server *server, int fd, unsigned int limit, bool refuse)
{
	memset(server, 0, sizeof(*server));
	server->fd = fd;
	server->limit = limit;
	server->refuse = refuse;
	need(pthread_create(&server->thread, NULL, serve, server) == 0, "start a thread");
}

void
server_stop(struct server *server)
{
	atomic_store(&server->stop, true);
	pthread_join(server->thread, NULL);
}
