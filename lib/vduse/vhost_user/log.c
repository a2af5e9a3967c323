/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The dirty log of a front end that migrates: shared memory with a bit for each page of the guest,
 * which virtqueues mark while VHOST_F_LOG_ALL is acked.
 * Input: the file of the log. Output: a log for each virtqueue.
 * Thread: control; log_mark_va(): the one that holds a virtqueue.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <linux/vduse.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/memory/iotlb.h>
#include <vduse/vhost_user/vhost_user.h>
#include <vring/log.h>

/* A bit for each page of 2^48 bytes: more than any guest has. */
#define LOG_SIZE_MAX (UINT64_C(1) << 33)

struct vhost_user_log {
	struct vring_log log;
	struct vduse_iotlb *table; /* one region: the guard survives a file that is truncated */
};

struct log_file {
	int fd;
	uint64_t size;
	uint64_t offset;
};

static int
log_region(void *arg, uint64_t from, struct vduse_file_region *region)
{
	const struct log_file *file = arg;

	if (from > 0)
		return -ENOENT;
	*region = (struct vduse_file_region){
		.first = 0,
		.last = file->size - 1,
		.offset = file->offset,
		.perm = VDUSE_ACCESS_RW,
		.lent = true,
		.fd = file->fd,
	};
	return 0;
}

/*
 * The regions by guest physical address, which the bits are of. Behind an IOMMU those of the virtqueue
 * are by the driver's addresses.
 */
static const struct vduse_iotlb *
log_regions(const struct vring_log *log, const struct rte_vduse_vq *vq)
{
	const struct vhost_user *vu = vq->dev->transport_priv;

	if (!log->by_va)
		return vq->iotlb;
	/* Acquire: pairs with the release in vhost_user_iommu_memory(). */
	return rte_atomic_load_explicit(&vu->iommu.memory, rte_memory_order_acquire);
}

/* Marks every region that shows the memory: a file may be in the table more than once. */
static void
log_mark_va(const struct vring_log *log, void *arg, const uint8_t *va, uint64_t len)
{
	const struct vduse_iotlb *table = log_regions(log, arg);
	uint32_t i;

	for (i = 0; table != NULL && i < table->nb; i++) {
		const struct rte_vduse_region *region = &table->regions[i];
		uint64_t offset = (uint64_t)(va - (const uint8_t *)region->va);
		uint64_t size = region->last - region->first + 1;

		if (offset < size)
			vring_log_mark(log, region->first + offset, RTE_MIN(len, size - offset));
	}
}

static const char *
log_fault(const struct log_file *file)
{
	struct stat st;

	if (!vhost_user_file_is_memory(file->fd))
		return "is no shared memory";
	if (fstat(file->fd, &st) < 0 || file->size == 0 || file->size > LOG_SIZE_MAX ||
	    (uint64_t)st.st_size < file->size || file->offset > (uint64_t)st.st_size - file->size)
		return "is not within its file";
	return NULL;
}

static int
log_map(struct vhost_user *vu, struct log_file *file, struct vduse_iotlb **table)
{
	const struct vduse_iotlb_source source = {
		.name = vu->dev->name,
		.rate = &vu->dev->log_rate,
		.limit = LOG_SIZE_MAX,
		.arg = file,
		.region = log_region,
	};
	int ret = vduse_iotlb_walk(&source, NULL, false, table);

	if (ret < 0 || (*table)->nb == 1)
		return ret;
	vduse_iotlb_free(*table);
	return -ENOMEM;
}

static void
log_free(struct vhost_user_log *log)
{
	if (log != NULL)
		vduse_iotlb_free(log->table);
	free(log);
}

int
vhost_user_log_take(struct vhost_user *vu, int fd, uint64_t size, uint64_t offset)
{
	struct log_file file = { .fd = fd, .size = size, .offset = offset };
	struct vhost_user_log *log = NULL, *old = vu->log;
	const char *fault = log_fault(&file);

	if (fault == NULL) {
		log = calloc(1, sizeof(*log));
		if (log == NULL || log_map(vu, &file, &log->table) < 0)
			fault = "cannot be mapped";
	}
	if (fault != NULL) {
		VDUSE_LOG_DRIVER(vu->dev, msg, ERR,
				 "client dropped: its dirty log of 0x%" PRIx64
				 " bytes at 0x%" PRIx64 " %s",
				 size, offset, fault);
		free(log);
		return -EPROTO;
	}
	log->log = (struct vring_log){
		.bits = log->table->regions[0].va,
		.nb_pages = 8 * size,
		.by_va = vhost_user_iommu_on(vu),
		.mark_va = log_mark_va,
	};
	vu->log = log;
	vhost_user_log_apply_all(vu);
	log_free(old);
	return 0;
}

void
vhost_user_log_apply(struct vhost_user *vu, uint16_t index)
{
	const struct vhost_user_ring *ring = &vu->vqs[index].ring;
	bool on = vu->log != NULL && (vu->acked & VHOST_USER_BIT(MSG_F_LOG_ALL));

	vduse_vq_log(&vu->dev->vqs[index], on ? &vu->log->log : NULL,
		     ring->logged ? ring->log_used : UINT64_MAX);
}

void
vhost_user_log_apply_all(struct vhost_user *vu)
{
	uint16_t i;

	/* It does not change while virtqueues run. */
	if (vu->log != NULL && !vu->up)
		vu->log->log.by_va = vhost_user_iommu_on(vu);
	for (i = 0; i < vu->dev->nb_vqs; i++)
		vhost_user_log_apply(vu, i);
}

void
vhost_user_log_close(struct vhost_user *vu)
{
	struct vhost_user_log *log = vu->log;

	if (log == NULL)
		return;
	vu->log = NULL;
	vhost_user_log_apply_all(vu);
	log_free(log);
}
