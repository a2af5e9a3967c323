/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A file system device under virtio_fs, which maps buffers of any size, whatever maximum is
 * announced, and fails its request or retries forever if a mapping is refused. The file system is a
 * root directory that accepts extended attributes: a value of 64 KiB and its name are one buffer.
 * For this project's module only: the distribution's may not support file systems.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <linux/fuse.h>
#include <linux/virtio_fs.h>
#include <linux/virtio_ids.h>

#include "conform.h"
#include "dev.h"
#include "ring.h"
#include "tap.h"

#define TAG		"conform-fs"
#define FOLDER		"/run/" TAG
#define NAME		"user.large"
#define VALUE_SIZE	65536
#define NR_VQS		2	/* urgent requests, and others */
#define PATIENCE_S	20

/* The device: the thread ends when told. */
struct fs {
	int fd;
	uint8_t *bounce;
	size_t bounce_size;
	struct ring ring[NR_VQS];
	pthread_t thread;
	atomic_bool stop;
	atomic_uint values;		/* attributes that came whole */
	uint8_t in[VALUE_SIZE * 2];
};

struct reply {
	struct fuse_out_header header;
	union {
		struct fuse_init_out init;
		struct fuse_attr_out attr;
	};
};

static void
value_fill(uint8_t *value)
{
	unsigned int i;

	for (i = 0; i < VALUE_SIZE; i++)
		value[i] = i * 7 + i / 4096;
}

/* The value ends the request. */
static bool
value_is_whole(const uint8_t *in, uint32_t len)
{
	static uint8_t right[VALUE_SIZE];

	value_fill(right);
	return len > VALUE_SIZE && memcmp(in + len - VALUE_SIZE, right, VALUE_SIZE) == 0;
}

static uint32_t
answer_init(struct reply *reply)
{
	reply->init = (struct fuse_init_out){
		.major = FUSE_KERNEL_VERSION,
		.minor = FUSE_KERNEL_MINOR_VERSION,
		.max_write = 1 << 20,
	};
	return sizeof(reply->init);
}

static uint32_t
answer_attr(struct reply *reply)
{
	reply->attr = (struct fuse_attr_out){
		.attr = { .ino = FUSE_ROOT_ID, .mode = S_IFDIR | 0755, .nlink = 2 },
	};
	return sizeof(reply->attr);
}

static void
serve_request(struct fs *fs, struct ring *ring)
{
	uint32_t len = ring_copy(ring, fs->bounce, fs->in, sizeof(fs->in), false), size = 0;
	const struct fuse_in_header *in = (const void *)fs->in;
	struct reply reply = { .header.unique = in->unique };

	switch (in->opcode) {
	case FUSE_INIT:
		size = answer_init(&reply);
		break;
	case FUSE_GETATTR:
		size = answer_attr(&reply);
		break;
	case FUSE_SETXATTR:
		if (value_is_whole(fs->in, len))
			atomic_fetch_add(&fs->values, 1);
		else
			reply.header.error = -EIO;
		break;
	case FUSE_DESTROY:
		break;
	default:
		reply.header.error = -ENOSYS;
	}
	reply.header.len = sizeof(reply.header) + size;
	ring_finish(ring, ring_copy(ring, fs->bounce, &reply, reply.header.len, true));
	ioctl(fs->fd, VDUSE_VQ_INJECT_IRQ, &ring->index);
}

static void *
serve_requests(void *arg)
{
	struct fs *fs = arg;
	unsigned int i;

	while (!atomic_load(&fs->stop)) {
		for (i = 0; i < NR_VQS; i++)
			while (ring_has(&fs->ring[i]))
				serve_request(fs, &fs->ring[i]);
		usleep(1000);
	}
	return NULL;
}

static void
fs_start(struct fs *fs, int fd)
{
	struct vduse_iotlb_entry entry;
	unsigned int i;

	memset(fs, 0, sizeof(*fs));
	fs->fd = fd;
	fs->bounce = dev_map(fd, 0, MAP_SHARED, &entry);
	need(fs->bounce != MAP_FAILED, "map bounce memory");
	fs->bounce_size = entry.last - entry.start + 1;
	for (i = 0; i < NR_VQS; i++)
		ring_open(&fs->ring[i], fd, i);
	need(pthread_create(&fs->thread, NULL, serve_requests, fs) == 0, "start a thread");
}

static void
fs_stop(struct fs *fs)
{
	atomic_store(&fs->stop, true);
	pthread_join(fs->thread, NULL);
	munmap(fs->bounce, fs->bounce_size);
}

/* In a process of its own: a request that is tried without end cannot be killed. */
static int
set_value(void)
{
	static uint8_t value[VALUE_SIZE];
	int status = 1;
	unsigned int i;
	pid_t pid;

	value_fill(value);
	pid = fork();
	if (pid == 0)
		_exit(setxattr(FOLDER, NAME, value, sizeof(value), 0) < 0 ? errno : 0);
	for (i = 0; i < PATIENCE_S * 10; i++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
		usleep(100000);
	}
	return -1;
}

static void
test_large_buffer(struct fs *fs)
{
	int ret;

	mkdir(FOLDER, 0755);
	need(mount(TAG, FOLDER, "virtiofs", 0, NULL) == 0, "mount the file system");
	ret = set_value();
	if (ret != 0)
		printf("# setxattr: %s\n", ret < 0 ? "does not end" : strerror(ret));
	tap(ret == 0, "fs: a buffer of more than 64 KiB");
	tap(atomic_load(&fs->values) == 1, "fs: it comes whole");
	need(umount(FOLDER) == 0, "unmount");
	rmdir(FOLDER);
}

void
conform_fs(bool ours)
{
	struct virtio_fs_config config = { .tag = TAG, .num_request_queues = 1 };
	int control = control_open(0), fd;
	static struct fs fs;
	struct server server;
	struct dev_arg arg;

	need(ours, "only for our module");
	dev_arg_init(&arg);
	arg.config.device_id = VIRTIO_ID_FS;
	arg.config.vq_num = NR_VQS;
	arg.config.config_size = sizeof(config);
	memcpy(arg.room + sizeof(arg.config), &config, sizeof(config));
	fd = dev_make(control, &arg);
	need(dev_set_attr("bounce_size", "1048576"), "set bounce_size");
	server_start(&server, fd);
	need(dev_attach(), "attach to virtio_fs");
	fs_start(&fs, fd);
	tap(fs.bounce_size >= 2 << 20, "fs: bounce memory for the largest request");
	test_large_buffer(&fs);
	fs_stop(&fs);
	tap(dev_detach(), "fs: detach");
	server_stop(&server);
	close(fd);
	tap_errno(dev_destroy(control, DEV_NAME), 0, "fs: destroy");
	close(control);
}
