/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The transport over the kernel: read, write and ioctls on /dev/vduse/NAME. Creation and removal
 * are in dev.c.
 * Thread: see transport.h.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <vduse/kernel/affinity.h>
#include <vduse/core/device.h>
#include <vduse/kernel/dev.h>
#include <vduse/core/log.h>
#include <vduse/kernel/netlink.h>

static int
kernel_ioctl(const struct rte_vduse_dev *dev, unsigned long request, void *arg)
{
	int ret = ioctl(dev->fd, request, arg);

	return ret < 0 ? -errno : ret;
}

static int
kernel_start(struct rte_vduse_dev *dev)
{
	VDUSE_LOG(dev, INFO, dev->name, "serves %s", dev->path);
	return 0;
}

static int
kernel_attach(struct rte_vduse_dev *dev, int attach)
{
	/* The driver that uses it keeps it. */
	if (dev->taken_over) {
		vduse_vdpa_compare(dev->name, attach);
		return 0;
	}
	return vduse_vdpa_attach(dev->name, attach);
}

static void
kernel_detach(struct rte_vduse_dev *dev)
{
	int ret = vduse_vdpa_del(dev->name);

	/* If there is no vDPA bus, or the device is not on it, no driver has it. */
	if (ret < 0 && ret != -ENODEV && ret != -ENOENT)
		VDUSE_LOG(dev, ERR, dev->name, "cannot be removed from the vDPA bus: %s",
			  strerror(-ret));
}

static int
kernel_recv(struct rte_vduse_dev *dev, struct vduse_dev_request *req)
{
	ssize_t n;

	do {
		n = read(dev->fd, req, sizeof(*req));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	/* API 0 has no address space in this message, and what is there instead is not specified. */
	if (dev->api_version == 0 && req->type == VDUSE_UPDATE_IOTLB)
		req->iova_v2.asid = 0;
	return n == sizeof(*req) ? 0 : -EIO;
}

static int
kernel_reply(struct rte_vduse_dev *dev, const struct vduse_dev_response *resp)
{
	ssize_t n;

	do {
		n = write(dev->fd, resp, sizeof(*resp));
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	return n == sizeof(*resp) ? 0 : -EIO;
}

/* Whether the kernel accepts memory of this process in place of a region. */
static bool
kernel_region_is_bounce(const struct rte_vduse_dev *dev, uint32_t asid, uint64_t first,
			uint64_t last)
{
	struct vduse_iova_info info;

	memset(&info, 0, sizeof(info));
	info.start = first;
	info.last = first;
	info.asid = asid;
	if (kernel_ioctl(dev, VDUSE_IOTLB_GET_INFO, &info) < 0)
		return false;
	return info.start == first && info.last == last && (info.capability & VDUSE_IOVA_CAP_UMEM);
}

/*
 * VDUSE_IOTLB_GET_FD does the same for address space 0. It is used there because the device that a
 * process takes over may be of API 0, although the kernel has API 1.
 */
static int
kernel_region_fd(const struct rte_vduse_dev *dev, uint32_t asid, struct vduse_iotlb_entry *entry)
{
	struct vduse_iotlb_entry_v2 entry_v2;
	int fd;

	if (asid == 0)
		return kernel_ioctl(dev, VDUSE_IOTLB_GET_FD, entry);
	memset(&entry_v2, 0, sizeof(entry_v2));
	entry_v2.start = entry->start;
	entry_v2.last = entry->last;
	entry_v2.asid = asid;
	fd = kernel_ioctl(dev, VDUSE_IOTLB_GET_FD2, &entry_v2);
	if (fd < 0)
		return fd;
	entry->offset = entry_v2.offset;
	entry->start = entry_v2.start;
	entry->last = entry_v2.last;
	entry->perm = entry_v2.perm;
	return fd;
}

static int
kernel_region(struct rte_vduse_dev *dev, uint32_t asid, uint64_t from,
	      struct vduse_file_region *region)
{
	struct vduse_iotlb_entry entry;
	int fd;

	memset(&entry, 0, sizeof(entry));
	entry.start = from;
	entry.last = UINT64_MAX;
	fd = kernel_region_fd(dev, asid, &entry);
	if (fd == -EMFILE || fd == -ENFILE)
		VDUSE_LOG(iotlb, ERR, dev->name, "no file descriptor left for a memory region: %s",
			  strerror(-fd));
	if (fd < 0)
		return -ENOENT;
	*region = (struct vduse_file_region){
		.first = entry.start,
		.last = entry.last,
		.offset = entry.offset,
		.perm = entry.perm,
		.bounce = entry.start == 0 &&
			  kernel_region_is_bounce(dev, asid, entry.start, entry.last),
		.pinnable = true,
		.fd = fd,
	};
	return 0;
}

static int
kernel_umem(struct rte_vduse_dev *dev, bool add, void *va, uint64_t iova, uint64_t size)
{
	struct vduse_iova_umem umem;

	memset(&umem, 0, sizeof(umem));
	umem.uaddr = (uintptr_t)va;
	umem.iova = iova;
	umem.size = size;
	return kernel_ioctl(dev, add ? VDUSE_IOTLB_REG_UMEM : VDUSE_IOTLB_DEREG_UMEM, &umem);
}

static int
kernel_features(struct rte_vduse_dev *dev, uint64_t *features)
{
	return kernel_ioctl(dev, VDUSE_DEV_GET_FEATURES, features);
}

static int
kernel_vq_setup(struct rte_vduse_dev *dev, uint16_t index, uint16_t max_size)
{
	struct vduse_vq_config config;

	memset(&config, 0, sizeof(config));
	config.index = index;
	config.max_size = max_size;
	config.group = vduse_vq_group(dev, index);
	return kernel_ioctl(dev, VDUSE_VQ_SETUP, &config);
}

static int
kernel_vq_info(struct rte_vduse_dev *dev, uint16_t index, struct vduse_vq_info *info)
{
	info->index = index;
	return kernel_ioctl(dev, VDUSE_VQ_GET_INFO, info);
}

static int
kernel_vq_kick_fd(struct rte_vduse_dev *dev, uint16_t index, int fd)
{
	struct vduse_vq_eventfd kick = {
		.index = index,
		.fd = fd < 0 ? VDUSE_EVENTFD_DEASSIGN : fd,
	};

	return kernel_ioctl(dev, VDUSE_VQ_SETUP_KICKFD, &kick);
}

static int
kernel_vq_call(struct rte_vduse_dev *dev, uint16_t index)
{
	uint32_t arg = index;

	return kernel_ioctl(dev, VDUSE_VQ_INJECT_IRQ, &arg);
}

static bool
kernel_driver_is_kernel(const struct rte_vduse_dev *dev)
{
	return vduse_vdpa_is_bound(dev->name, RTE_VDUSE_ATTACH_VIRTIO);
}

static void
kernel_vq_affinity(struct rte_vduse_dev *dev, uint16_t index)
{
	bool heavy = vduse_affinity_is_heavy(dev->device_id, rte_vduse_dev_features(dev),
					     dev->nb_vqs, index);

	vduse_affinity_set(dev->name, index, heavy);
}

static int
kernel_config_set(struct rte_vduse_dev *dev, uint32_t offset, const void *data, uint32_t len)
{
	struct vduse_config_data *config;
	int ret;

	config = calloc(1, sizeof(*config) + len);
	if (config == NULL)
		return -ENOMEM;
	config->offset = offset;
	config->length = len;
	memcpy(config->buffer, data, len);
	ret = kernel_ioctl(dev, VDUSE_DEV_SET_CONFIG, config);
	free(config);
	return ret;
}

/*
 * A driver that suspended the device does not resume it, and the other process would run it. Huge
 * pages of this process would go with it.
 */
static int
kernel_give_ready(const struct rte_vduse_dev *dev)
{
	if (dev->umem.added)
		return -ENOTSUP;
	return dev->suspended ? -EBUSY : 0;
}

/* All of it is in the kernel and in the state file. */
static int
kernel_give(struct rte_vduse_dev *dev, bool rests, struct vduse_records *records)
{
	RTE_SET_USED(dev);
	RTE_SET_USED(rests);
	RTE_SET_USED(records);
	return 0;
}

/* Before the virtqueues stop: that would take the kick descriptors away from the kernel. */
static void
kernel_given(struct rte_vduse_dev *dev)
{
	close(dev->fd);
	dev->fd = -1;
}

static int
kernel_config_call(struct rte_vduse_dev *dev)
{
	return kernel_ioctl(dev, VDUSE_DEV_INJECT_CONFIG_IRQ, NULL);
}

const struct vduse_transport_ops vduse_transport_kernel = {
	.left = vduse_kernel_left,
	.groups = vduse_kernel_groups,
	.create = vduse_kernel_create,
	.destroy = vduse_kernel_destroy,
	.start = kernel_start,
	.attach = kernel_attach,
	.detach = kernel_detach,
	.recv = kernel_recv,
	.reply = kernel_reply,
	.region = kernel_region,
	.umem = kernel_umem,
	.features = kernel_features,
	.vq_setup = kernel_vq_setup,
	.vq_info = kernel_vq_info,
	.vq_kick_fd = kernel_vq_kick_fd,
	.vq_call = kernel_vq_call,
	.driver_is_kernel = kernel_driver_is_kernel,
	.vq_affinity = kernel_vq_affinity,
	.config_set = kernel_config_set,
	.config_call = kernel_config_call,
	.give_ready = kernel_give_ready,
	.give = kernel_give,
	.given = kernel_given,
};
