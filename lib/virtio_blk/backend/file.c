/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A file or block device as backend: opens and locks it and finds out its limits. Operations are in
 * file_channel.c.
 * Input: backend arguments. Output: an open backend with its limits. Thread: the application's.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/fs.h>

#include <liburing.h>

#include <rte_bitops.h>
#include <rte_cycles.h>
#include <rte_vduse_compat.h>

#include <virtio_blk/backend/file.h>
#include <virtio_blk/blk.h>

#define FILE_ALIGN_MAX    4096
#define FILE_BLOCK_MAX    (64 << 20)
#define FILE_WAIT_MS      1000
#define FILE_WAIT_STEP_MS 10

/* Finds the offset alignment by trial reads, for kernels that do not report it. */
static uint32_t
file_probe_offset(int fd)
{
	uint32_t align = RTE_VDUSE_BLK_SECTOR;
	void *buf = aligned_alloc(FILE_ALIGN_MAX, FILE_ALIGN_MAX);

	if (buf == NULL)
		return FILE_ALIGN_MAX;
	while (align < FILE_ALIGN_MAX && pread(fd, buf, align, 0) < 0 && errno == EINVAL)
		align *= 2;
	free(buf);
	return align;
}

/* Alignment of offsets and of memory for O_DIRECT. */
static void
file_probe_direct(struct file_backend *file)
{
	struct statx stx;

	memset(&stx, 0, sizeof(stx));
	if (statx(file->fd, "", AT_EMPTY_PATH, STATX_DIOALIGN, &stx) == 0 &&
	    (stx.stx_mask & STATX_DIOALIGN) && stx.stx_dio_offset_align != 0) {
		file->io_align = RTE_MAX(stx.stx_dio_offset_align, file->hole_align);
		file->memory_align = stx.stx_dio_mem_align;
		return;
	}
	file->io_align = RTE_MAX(file_probe_offset(file->fd), file->hole_align);
	file->memory_align = FILE_ALIGN_MAX;
}

/* Topology of a block device; what its driver does not report stays unchanged. */
static void
file_limits_device(struct file_backend *file, dev_t dev)
{
	struct rte_vduse_blk_limits *limits = &file->backend.limits;
	unsigned int value;
	int number;

	if (ioctl(file->fd, BLKSSZGET, &number) == 0 && number >= RTE_VDUSE_BLK_SECTOR)
		file->hole_align = (uint32_t)number;
	limits->physical_size = file->hole_align;
	if (ioctl(file->fd, BLKPBSZGET, &value) == 0)
		limits->physical_size = RTE_MAX(value, file->hole_align);
	if (ioctl(file->fd, BLKIOMIN, &value) == 0)
		limits->minimum_io = value;
	if (ioctl(file->fd, BLKIOOPT, &value) == 0)
		limits->optimal_io = value;
	if (ioctl(file->fd, BLKALIGNOFF, &number) == 0 && number > 0)
		limits->alignment = (uint32_t)number;
	if (ioctl(file->fd, BLKROGET, &number) == 0 && number != 0)
		limits->read_only = true;
	file_discard_probe(file, dev);
}

/* Punching a hole after the end changes nothing and tells whether holes are supported. */
static void
file_limits_regular(struct file_backend *file, const struct stat *st)
{
	struct rte_vduse_blk_limits *limits = &file->backend.limits;

	limits->physical_size = RTE_VDUSE_BLK_SECTOR;
	if (st->st_blksize >= RTE_VDUSE_BLK_SECTOR)
		limits->physical_size = (uint32_t)RTE_MIN(st->st_blksize, FILE_ALIGN_MAX);
	limits->minimum_io = limits->physical_size;
	/*
	 * NFS, CephFS and ZFS report up to some MiB, the unit in which they transfer and free.
	 * It cannot be the physical block size, because some drivers support none above 4096.
	 */
	if (st->st_blksize > FILE_ALIGN_MAX && st->st_blksize <= FILE_BLOCK_MAX &&
	    rte_is_power_of_2((uint32_t)st->st_blksize)) {
		limits->optimal_io = (uint32_t)st->st_blksize;
		limits->discard_size = (uint32_t)st->st_blksize;
	}
	limits->discard = !limits->read_only &&
			  fallocate(file->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				    st->st_size, FILE_ALIGN_MAX) == 0;
}

static int
file_measure(struct rte_vduse_blk_backend *backend)
{
	struct file_backend *file = (struct file_backend *)backend;
	off_t size = lseek(file->fd, 0, SEEK_END);

	if (size < 0) {
		int err = errno;

		VBLK_LOG(ERR, backend->name, "cannot measure its file: %s", strerror(err));
		return -err;
	}
	rte_atomic_store_explicit(&backend->limits.size, (uint64_t)size, rte_memory_order_relaxed);
	return 0;
}

static int
file_kind(const struct stat *st, const char *device, const char *path)
{
	if (S_ISREG(st->st_mode) || S_ISBLK(st->st_mode))
		return 0;
	VBLK_LOG(ERR, device, "path=%s: neither a file nor a block device", path);
	return -EINVAL;
}

/* For a file that may end inside a block: O_DIRECT can only write the whole block. */
static int
file_open_cached(struct file_backend *file, const struct stat *st, const char *device,
		 const char *path)
{
	char self[64];
	int err;

	if (!S_ISREG(st->st_mode) || file->io_align == RTE_VDUSE_BLK_SECTOR)
		return 0;
	snprintf(self, sizeof(self), "/proc/self/fd/%d", file->fd);
	file->cached_fd =
		open(self, O_CLOEXEC | (file->backend.limits.read_only ? O_RDONLY : O_RDWR));
	if (file->cached_fd >= 0)
		return 0;
	err = errno;
	VBLK_LOG(ERR, device, "path=%s: cannot open it through %s: %s: use direct=0", path, self,
		 strerror(err));
	return -err;
}

static int
file_limits(struct file_backend *file, const char *device, const char *path)
{
	struct rte_vduse_blk_limits *limits = &file->backend.limits;
	struct stat st;
	int ret;

	if (fstat(file->fd, &st) < 0)
		return -errno;
	ret = file_kind(&st, device, path);
	if (ret < 0)
		return ret;
	/*
	 * Always 512, so that the logical block size, which partition tables depend on, stays when
	 * the file is moved to another file system.
	 */
	limits->block_size = RTE_VDUSE_BLK_SECTOR;
	file->io_align = RTE_VDUSE_BLK_SECTOR;
	file->hole_align = RTE_VDUSE_BLK_SECTOR;
	if (S_ISBLK(st.st_mode))
		file_limits_device(file, st.st_rdev);
	else
		file_limits_regular(file, &st);
	if (file->direct)
		file_probe_direct(file);
	file->hole_align = RTE_MAX(file->hole_align, file->io_align);
	/* IOPOLL needs O_DIRECT and a device with poll queues. */
	if (!file->direct ||
	    file_device_number(S_ISBLK(st.st_mode) ? st.st_rdev : st.st_dev, "io_poll") != 1)
		file->polls = false;
	if (file->io_align > FILE_ALIGN_MAX) {
		VBLK_LOG(ERR, device, "path=%s: blocks of %u bytes: use direct=0", path,
			 file->io_align);
		return -EINVAL;
	}
	ret = file_open_cached(file, &st, device, path);
	if (ret < 0)
		return ret;
	limits->physical_size = RTE_MAX(limits->physical_size, file->hole_align);
	limits->discard_size = RTE_MAX(limits->discard_size, limits->physical_size);
	/* Zeroes can always be written. */
	limits->zero = true;
	limits->discard_part = VBLK_DISCARD_PART;
	limits->zero_part = VBLK_ZERO_PART;
	return file_measure(&file->backend);
}

/*
 * Opens the file, and locks it unless file_acquire() or file_hand_over() does. -EAGAIN: it is in use.
 */
static int
file_take(struct file_backend *file, const char *path, int flags)
{
	int ret;

	file->fd = open(path, flags);
	if (file->fd < 0)
		return errno == EBUSY ? -EAGAIN : -errno;
	if (file->share || file->handed_over)
		return 0;
	ret = file_lock_take(file->fd, file->backend.limits.read_only);
	if (ret < 0)
		close(file->fd);
	return ret;
}

/* Retries for a while: the kernel releases a killed process's file after its requests and rings. */
static int
file_take_in_time(struct file_backend *file, const char *path, int flags)
{
	unsigned int waited;
	int ret = file_take(file, path, flags);

	for (waited = 0; ret == -EAGAIN && waited < FILE_WAIT_MS; waited += FILE_WAIT_STEP_MS) {
		rte_delay_us_sleep(FILE_WAIT_STEP_MS * 1000);
		ret = file_take(file, path, flags);
	}
	return ret;
}

/* Takes the lock of an open file. The other process may need ms to give it up. */
static int
file_lock_in_time(const struct file_backend *file, unsigned int ms)
{
	bool read_only = file->backend.limits.read_only;
	int ret;

	while ((ret = file_lock_take(file->fd, read_only)) == -EAGAIN && ms > 0) {
		rte_delay_us_sleep(FILE_WAIT_STEP_MS * 1000);
		ms -= FILE_WAIT_STEP_MS;
	}
	return ret;
}

/*
 * Retries as file_take_in_time() does, but after it failed only once at a time, until it succeeds:
 * a driver that starts its queues over and over cannot block the control thread.
 */
static int
file_acquire(struct rte_vduse_blk_backend *backend)
{
	struct file_backend *file = (struct file_backend *)backend;
	int ret;

	if (!file->share && !file->lost)
		return 0;
	ret = file_lock_in_time(file, file->refused ? 0 : FILE_WAIT_MS);
	file->refused = ret < 0;
	file->acquired = ret == 0;
	file->lost &= ret < 0;
	return ret;
}

static void
file_release(struct rte_vduse_blk_backend *backend)
{
	struct file_backend *file = (struct file_backend *)backend;

	if (file->share)
		file_lock_leave(file->fd);
	file->acquired = false;
}

/* With share=1 the queues acquire and release it, which start and stop in either process. */
static int
file_hand_over(struct rte_vduse_blk_backend *backend, bool gone)
{
	struct file_backend *file = (struct file_backend *)backend;
	int ret;

	if (gone) {
		file_lock_leave(file->fd);
		return 0;
	}
	/* If it comes back, they run still. */
	if (file->share && !file->acquired)
		return 0;
	ret = file_lock_in_time(file, FILE_WAIT_MS);
	file->lost = ret < 0;
	file->refused = ret < 0;
	return ret;
}

/* Checks that io_uring is usable, so that a failure is reported once and not for each queue. */
static int
file_probe_ring(const char *device)
{
	struct io_uring ring;
	int ret = io_uring_queue_init(1, &ring, 0);

	if (ret == 0) {
		io_uring_queue_exit(&ring);
		return 0;
	}
	if (ret == -EPERM || ret == -EACCES || ret == -ENOSYS)
		VBLK_LOG(ERR, device,
			 "backend=file needs io_uring, which is forbidden here (%s): "
			 "permit io_uring_setup, io_uring_enter and io_uring_register in the "
			 "seccomp filter of the container or unit, and set the sysctl "
			 "kernel.io_uring_disabled to 0",
			 strerror(-ret));
	else
		VBLK_LOG(ERR, device, "backend=file cannot set up io_uring: %s%s", strerror(-ret),
			 ret == -ENOMEM ? ": raise the limit of locked memory" : "");
	return ret;
}

static void
file_close_fds(struct file_backend *file)
{
	if (file->cached_fd >= 0)
		close(file->cached_fd);
	close(file->fd);
}

static int
file_open_path(struct file_backend *file, const struct rte_vduse_blk_backend_conf *conf,
	       const char *path)
{
	int flags = conf->read_only ? O_RDONLY : O_RDWR, ret;
	struct stat st;

	if (stat(path, &st) == 0) {
		/* Check before open(), which blocks on a FIFO and has side effects on other devices. */
		ret = file_kind(&st, conf->device, path);
		if (ret < 0)
			return ret;
		/* O_EXCL: fails if a file system or another process uses the device. */
		if (S_ISBLK(st.st_mode) && !conf->read_only && !file->share && !file->handed_over)
			flags |= O_EXCL;
	}
	file->backend.limits.read_only = conf->read_only;
	ret = file_take_in_time(file, path, flags | O_CLOEXEC | (file->direct ? O_DIRECT : 0));
	if (ret == -EAGAIN)
		VBLK_LOG(ERR, conf->device,
			 "path=%s is in use by another process, device or file system", path);
	else if (ret < 0)
		VBLK_LOG(ERR, conf->device, "cannot open path=%s: %s%s", path, strerror(-ret),
			 ret == -EINVAL && file->direct ? ": use direct=0" : "");
	if (ret < 0)
		return ret;
	ret = file_limits(file, conf->device, path);
	if (ret < 0)
		file_close_fds(file);
	return ret;
}

static int
file_args(struct file_backend *file, const struct rte_vduse_blk_backend_conf *conf, char **path)
{
	struct rte_vduse_arg args[] = {
		{ RTE_VDUSE_ARG("path", STRING, *path) },
		{ RTE_VDUSE_ARG("direct", FLAG, file->direct) },
		{ RTE_VDUSE_ARG("iopoll", FLAG, file->polls) },
		{ RTE_VDUSE_ARG("share", FLAG, file->share) },
	};
	int ret = vblk_backend_args(conf, args, RTE_DIM(args), NULL, 0);

	if (ret == 0 && *path == NULL) {
		VBLK_LOG(ERR, conf->device, "backend=file: it needs path=FILE");
		ret = -EINVAL;
	}
	/* A flush of the next user does not write what is in the page cache of this machine. */
	if (ret == 0 && file->share && !file->direct) {
		VBLK_LOG(ERR, conf->device,
			 "share=1: it needs direct=1, because other machines do "
			 "not see this one's page cache");
		ret = -EINVAL;
	}
	return ret;
}

static int
file_open(const struct rte_vduse_blk_backend_conf *conf, struct rte_vduse_blk_backend **result)
{
	struct file_backend *file = calloc(1, sizeof(*file));
	char *path = NULL;
	int ret;

	if (file == NULL)
		return vblk_no_memory(conf->device);
	file->polls = true;
	file->handed_over = conf->handed_over;
	file->cached_fd = -1;
	file_ranges_init(&file->ranges);
	ret = file_args(file, conf, &path);
	if (ret == 0)
		ret = file_probe_ring(conf->device);
	if (ret == 0)
		ret = file_open_path(file, conf, path);
	free(path);
	if (ret < 0) {
		free(file);
		return ret;
	}
	*result = &file->backend;
	return 0;
}

static void
file_close(struct rte_vduse_blk_backend *backend)
{
	struct file_backend *file = (struct file_backend *)backend;

	file_close_fds(file);
	free(file);
}

const struct rte_vduse_blk_backend_ops vblk_backend_file = {
	.size = sizeof(struct rte_vduse_blk_backend_ops),
	.name = "file",
	.open = file_open,
	.close = file_close,
	.measure = file_measure,
	.channel_open = file_channel_open,
	.channel_close = file_channel_close,
	.channel_memory = file_channel_memory,
	.submit = file_submit,
	.poll = file_poll,
	.acquire = file_acquire,
	.release = file_release,
	.hand_over = file_hand_over,
	.channel_sleep = file_sleep,
};
