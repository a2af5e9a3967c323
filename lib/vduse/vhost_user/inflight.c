/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The inflight buffer: memory that a vhost-user driver keeps while it reconnects, and drops when it
 * starts from scratch. The protocol means it for a log of requests in flight, but the driver can
 * write to it, so the device keeps its inflight log elsewhere. Here are only a cookie for each
 * virtqueue, which tells a ring that was there before from a new one, and the driver's own last
 * write to the configuration space.
 * It is accessed with pread() and pwrite(), because the driver could truncate a mapped file.
 * Thread: control.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_random.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/vhost_user/vhost_user.h>

/* Whole pages for the driver to map: a cookie for each virtqueue, then the write. */
#define INFLIGHT_SIZE(nb_vqs) RTE_ALIGN_CEIL(((nb_vqs) + 1) * sizeof(uint64_t), UINT64_C(4096))

static_assert(sizeof(struct vhost_user_write) == sizeof(uint64_t),
	      "it is stored in the place of one cookie");

uint64_t
vhost_user_inflight_size(const struct vhost_user *vu)
{
	return INFLIGHT_SIZE(vu->dev->nb_vqs);
}

int
vhost_user_inflight_new(struct vhost_user *vu, uint64_t *size)
{
	int fd;

	*size = INFLIGHT_SIZE(vu->dev->nb_vqs);
	fd = memfd_create("vduse-inflight", MFD_CLOEXEC);
	if (fd >= 0 && ftruncate(fd, (off_t)*size) == 0) {
		vhost_user_inflight_close(vu);
		vu->inflight = fd;
		vhost_user_inflight_note(vu, &vu->written);
		return fd;
	}
	VDUSE_LOG_DRIVER(vu->dev, msg, ERR, "cannot create the inflight buffer: %s",
			 strerror(errno));
	if (fd >= 0)
		close(fd);
	return -1;
}

int
vhost_user_inflight_take(struct vhost_user *vu, int fd, uint64_t size, uint64_t offset)
{
	struct stat stat;

	/* A file of another kind could block the reader. */
	if (!vhost_user_file_is_memory(fd) || fstat(fd, &stat) < 0 || offset != 0 ||
	    size != INFLIGHT_SIZE(vu->dev->nb_vqs) || (uint64_t)stat.st_size < size)
		return -EPROTO;
	vhost_user_inflight_close(vu);
	vu->inflight = fd;
	return 0;
}

void
vhost_user_inflight_close(struct vhost_user *vu)
{
	if (vu->inflight >= 0)
		close(vu->inflight);
	vu->inflight = -1;
}

void
vhost_user_inflight_note(struct vhost_user *vu, const struct vhost_user_write *write)
{
	vu->written = *write;
	if (vu->inflight < 0)
		return;
	if (pwrite(vu->inflight, write, sizeof(*write),
		   (off_t)(vu->dev->nb_vqs * sizeof(*write))) != sizeof(*write))
		VDUSE_LOG_DRIVER(vu->dev, msg, WARNING,
				 "a driver that reconnects has to write to "
				 "the configuration space again: %s",
				 strerror(errno));
}

bool
vhost_user_inflight_noted(const struct vhost_user *vu, struct vhost_user_write *write)
{
	return vu->inflight >= 0 &&
	       pread(vu->inflight, write, sizeof(*write),
		     (off_t)(vu->dev->nb_vqs * sizeof(*write))) == sizeof(*write) &&
	       write->len > 0 && write->len <= sizeof(write->data);
}

uint64_t
vhost_user_inflight_cookie(const struct vhost_user *vu, uint16_t index)
{
	const ssize_t size = sizeof(uint64_t);
	off_t place = (off_t)index * size;
	uint64_t cookie;

	if (vu->inflight < 0 || pread(vu->inflight, &cookie, (size_t)size, place) != size)
		return 0;
	if (cookie != 0)
		return cookie;
	cookie = rte_rand() | 1;
	return pwrite(vu->inflight, &cookie, (size_t)size, place) == size ? cookie : 0;
}
