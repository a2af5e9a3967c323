/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Discards blocks. A file gets a hole. So does a device with a write zeroes command, because the
 * kernel implements a hole in a device as zeroes. A device that only discards needs the io_uring
 * command of Linux 6.12, which is preferred if both exist.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include <liburing.h>

#include <virtio_blk/backend/file.h>

/* BLOCK_URING_CMD_DISCARD of linux/blkdev.h, which Debian 12 does not have. */
#define FILE_COMMAND_DISCARD _IO(0x12, 0)

uint64_t
file_device_number(dev_t dev, const char *attribute)
{
	/* The queue of a partition is that of the whole device. */
	static const char *const up[] = { "", "../" };
	uint64_t value = 0;
	char path[96];
	size_t i;

	for (i = 0; i < RTE_DIM(up); i++) {
		FILE *file;
		int found;

		snprintf(path, sizeof(path), "/sys/dev/block/%u:%u/%squeue/%s", major(dev),
			 minor(dev), up[i], attribute);
		file = fopen(path, "re");
		if (file == NULL)
			continue;
		found = fscanf(file, "%" SCNu64, &value);
		fclose(file);
		return found == 1 ? value : 0;
	}
	return 0;
}

static void
discard_prep_command(struct io_uring_sqe *sqe, int fd, uint64_t offset, uint64_t len)
{
	io_uring_prep_rw(IORING_OP_URING_CMD, sqe, fd, (void *)(uintptr_t)offset, 0, 0);
	sqe->cmd_op = FILE_COMMAND_DISCARD;
	sqe->addr3 = len;
}

/*
 * Tries a discard of 0 bytes: a kernel with the command returns -EINVAL. So does one without any
 * IORING_OP_URING_CMD, so probe that first.
 */
static bool
discard_has_command(int fd)
{
	struct io_uring_probe *probe;
	struct io_uring_cqe *cqe;
	struct io_uring ring;
	bool has;

	if (io_uring_queue_init(1, &ring, 0) < 0)
		return false;
	probe = io_uring_get_probe_ring(&ring);
	has = probe != NULL && io_uring_opcode_supported(probe, IORING_OP_URING_CMD);
	if (has) {
		discard_prep_command(io_uring_get_sqe(&ring), fd, 0, 0);
		has = io_uring_submit(&ring) == 1 && io_uring_wait_cqe(&ring, &cqe) == 0 &&
		      cqe->res == -EINVAL;
	}
	io_uring_free_probe(probe);
	io_uring_queue_exit(&ring);
	return has;
}

void
file_discard_probe(struct file_backend *file, dev_t dev)
{
	struct rte_vduse_blk_limits *limits = &file->backend.limits;

	file->discard_command =
		file_device_number(dev, "discard_max_bytes") > 0 && discard_has_command(file->fd);
	limits->discard =
		file->discard_command || file_device_number(dev, "write_zeroes_max_bytes") > 0;
	limits->discard_size = (uint32_t)file_device_number(dev, "discard_granularity");
}

void
file_prep_hole(struct io_uring_sqe *sqe, uint64_t offset, uint64_t len)
{
	io_uring_prep_fallocate(sqe, 0, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)offset,
				(off_t)len);
}

void
file_discard_prep(const struct file_backend *file, struct io_uring_sqe *sqe,
		  const struct rte_vduse_blk_io *io)
{
	if (file->discard_command)
		discard_prep_command(sqe, 0, io->offset, io->len);
	else
		file_prep_hole(sqe, io->offset, io->len);
}
