/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Creates, takes over and removes devices through /dev/vduse/control, see dev.h.
 * Input: a configuration. Output: a device in the kernel and its fd.
 * Thread: the one that creates or destroys the device, never control.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/vduse.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>

#include <rte_bitops.h>

#include <vduse/core/ctrl_thread.h>
#include <vduse/core/device.h>
#include <vduse/kernel/dev.h>
#include <vduse/core/log.h>
#include <vduse/handover/handover.h>
#include <vduse/kernel/netlink.h>

#define KERNEL_CONTROL RTE_VDUSE_PATH "control"

/* The highest VDUSE API that is supported. Version 1 adds groups and address spaces. */
#define KERNEL_API_MAX ((uint64_t)VDUSE_API_VERSION_1)

/* Optional messages that are served. */
#define KERNEL_FEATURES (RTE_BIT64(VDUSE_F_QUEUE_READY) | RTE_BIT64(VDUSE_F_SUSPEND))

static int
kernel_control_open(const char *name)
{
	int fd = open(KERNEL_CONTROL, O_RDWR | O_CLOEXEC);
	int err = errno;

	if (fd >= 0)
		return fd;
	if (err == ENOENT || err == ENODEV || err == ENXIO)
		VDUSE_LOG(dev, ERR, name,
			  "%s is missing (%s): this kernel needs its vduse module, "
			  "modprobe vduse",
			  KERNEL_CONTROL, strerror(err));
	else if (err == EACCES || err == EPERM)
		VDUSE_LOG(dev, ERR, name,
			  "no permission to open %s (%s): run as root or grant "
			  "access to it",
			  KERNEL_CONTROL, strerror(err));
	else
		VDUSE_LOG(dev, ERR, name, "cannot open %s: %s", KERNEL_CONTROL, strerror(err));
	return -err;
}

/* Sets the API version: the highest that both sides support. */
static int
kernel_negotiate(const char *name, int control, uint64_t *version)
{
	uint64_t kernel;

	if (ioctl(control, VDUSE_GET_API_VERSION, &kernel) < 0) {
		int err = errno;

		VDUSE_LOG(dev, ERR, name,
			  "cannot ask for the VDUSE API of %s: %s; load the "
			  "kernel's module vduse",
			  KERNEL_CONTROL, strerror(err));
		return -err;
	}
	*version = RTE_MIN(kernel, KERNEL_API_MAX);
	if (ioctl(control, VDUSE_SET_API_VERSION, version) < 0) {
		int err = errno;

		VDUSE_LOG(dev, ERR, name,
			  "the kernel speaks VDUSE API %" PRIu64 " and refuses %" PRIu64 ": %s",
			  kernel, *version, strerror(err));
		return -err;
	}
	return 0;
}

/*
 * Takes the optional messages that both sides know, see msg.c. Kernels with API 1 up to 7.2 have none,
 * and no ioctl to ask. A device that is taken over keeps what its creator took.
 */
static void
kernel_take_features(struct rte_vduse_dev *dev, int control)
{
	uint64_t offered, features;

	if (dev->api_version == 0 || ioctl(control, VDUSE_GET_FEATURES, &offered) < 0)
		return;
	features = offered & KERNEL_FEATURES;
	/* A device type that maps rings itself may go on to use them. */
	if (dev->ops->vq_remap != NULL)
		features &= ~RTE_BIT64(VDUSE_F_SUSPEND);
	if (ioctl(control, VDUSE_SET_FEATURES, &features) < 0)
		VDUSE_LOG(dev, WARNING, dev->name,
			  "the kernel offers VDUSE features 0x%" PRIx64 " and refuses 0x%" PRIx64
			  ": %s; drivers cannot suspend the device",
			  offered, features, strerror(errno));
	else
		dev->tells_ready = (features & RTE_BIT64(VDUSE_F_QUEUE_READY)) != 0;
}

/*
 * Asks for a network device with a control queue, for Linux 7.0 to 7.3 have API 1 and refuse that. Its
 * configuration space begins where memory ends, so that no device comes into being: EFAULT means that
 * all the rest was accepted.
 */
static int
kernel_ask_ctrl_vq(int control)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	uint8_t *pages = mmap(NULL, 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct vduse_dev_config *config;
	int ret;

	if (pages == MAP_FAILED)
		return -errno;
	if (mprotect(pages, page, PROT_READ | PROT_WRITE) < 0) {
		ret = -errno;
		goto unmap;
	}
	config = (struct vduse_dev_config *)(pages + page) - 1;
	snprintf(config->name, sizeof(config->name), "none");
	config->device_id = VIRTIO_ID_NET;
	config->features = RTE_BIT64(VIRTIO_F_VERSION_1) | RTE_BIT64(VIRTIO_F_ACCESS_PLATFORM) |
			   RTE_BIT64(VIRTIO_NET_F_CTRL_VQ);
	config->vq_num = 3;
	config->vq_align = (uint32_t)page;
	config->ngroups = VDUSE_ASID_MAX;
	config->nas = VDUSE_ASID_MAX;
	config->config_size = sizeof(struct virtio_net_config);
	ret = ioctl(control, VDUSE_CREATE_DEV, config) < 0 ? -errno : -ENOTSUP;
unmap:
	munmap(pages, 2 * page);
	if (ret == -EFAULT)
		return 0;
	return ret == -EINVAL ? -ENOTSUP : ret;
}

int
vduse_kernel_groups(void)
{
	int fd = open(KERNEL_CONTROL, O_RDWR | O_CLOEXEC), ret;
	uint64_t version;

	if (fd < 0)
		return -errno;
	if (ioctl(fd, VDUSE_GET_API_VERSION, &version) < 0) {
		ret = -errno;
	} else if (version == 0) {
		ret = -ENOTSUP;
	} else {
		version = RTE_MIN(version, KERNEL_API_MAX);
		ret = ioctl(fd, VDUSE_SET_API_VERSION, &version) < 0 ? -errno
								     : kernel_ask_ctrl_vq(fd);
	}
	close(fd);
	return ret;
}

/* A group of its own for some virtqueues needs API 1. */
static int
kernel_set_groups(struct rte_vduse_dev *dev)
{
	if (dev->ctrl_vqs == 0)
		return 0;
	if (dev->api_version == 0) {
		VDUSE_LOG(dev, ERR, dev->name,
			  "its control queue needs a group of its own, which VDUSE API 0 does not "
			  "have: use a kernel, or this project's vduse.ko, with API 1");
		return -ENOTSUP;
	}
	dev->nb_spaces = VDUSE_ASID_MAX;
	return 0;
}

static int
kernel_ask_create(const struct rte_vduse_dev *dev, const struct rte_vduse_dev_conf *conf,
		  int control)
{
	struct vduse_dev_config *config;
	int ret;

	config = calloc(1, sizeof(*config) + conf->config_size);
	if (config == NULL)
		return -ENOMEM;
	snprintf(config->name, sizeof(config->name), "%s", dev->name);
	config->vendor_id = conf->vendor_id;
	config->device_id = conf->device_id;
	config->features = conf->features;
	config->vq_num = conf->nb_vqs;
	config->vq_align = (uint32_t)sysconf(_SC_PAGESIZE);
	/* API 0 requires 0 here. */
	if (dev->api_version > 0) {
		config->ngroups = dev->nb_spaces;
		config->nas = dev->nb_spaces;
	}
	config->config_size = conf->config_size;
	memcpy(config->config, conf->config, conf->config_size);
	ret = ioctl(control, VDUSE_CREATE_DEV, config) < 0 ? -errno : 0;
	free(config);
	return ret;
}

static int
kernel_ask_destroy(int control, const char *name)
{
	char buf[VDUSE_NAME_MAX] = { 0 };

	snprintf(buf, sizeof(buf), "%s", name);
	return ioctl(control, VDUSE_DESTROY_DEV, buf) < 0 ? -errno : 0;
}

static int
kernel_open(struct rte_vduse_dev *dev)
{
	char path[sizeof(RTE_VDUSE_PATH) + RTE_VDUSE_NAME_MAX];
	int ret;

	snprintf(path, sizeof(path), "%s%s", RTE_VDUSE_PATH, dev->name);
	dev->fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (dev->fd >= 0)
		return 0;
	ret = -errno;
	if (ret == -EBUSY)
		VDUSE_LOG(dev, ERR, dev->name,
			  "the name is taken: another process serves %s; choose another name or "
			  "stop that process",
			  path);
	else
		VDUSE_LOG(dev, ERR, dev->name, "cannot open %s: %s", path, strerror(-ret));
	return ret;
}

/* Counts the virtqueues of a device that exists: sysfs has a folder for each. */
static uint16_t
kernel_count_vqs(const char *name)
{
	char path[128];
	uint16_t nb;

	for (nb = 0; nb < UINT16_MAX; nb++) {
		snprintf(path, sizeof(path), "/sys/class/vduse/%s/vq%u", name, nb);
		if (access(path, F_OK) < 0)
			break;
	}
	return nb;
}

/* Describes a device in the kernel. fd: the device. -ENOENT: no driver uses it. */
static int
kernel_inspect(const char *path, int fd, struct rte_vduse_left *left)
{
	const char *name = rte_vduse_path_name(path);
	struct rte_vduse_left recorded;
	struct vduse_vdpa_info info;
	uint64_t features;

	/* A reset clears the features: if there are none, no driver is up. */
	if (ioctl(fd, VDUSE_DEV_GET_FEATURES, &features) < 0 || features == 0 ||
	    vduse_vdpa_get(name, &info) < 0)
		return -ENOENT;
	if (vduse_state_read(path, &recorded) == 0 && recorded.device_id == info.device_id)
		*left = recorded;
	left->device_id = info.device_id;
	left->nb_vqs = kernel_count_vqs(name);
	left->vq_size = info.max_vq_size;
	left->offered = info.features;
	left->features = features;
	return 0;
}

int
vduse_kernel_left(const char *path, void *priv, struct rte_vduse_left *left)
{
	int fd, ret;

	RTE_SET_USED(priv);
	/* Fails if another process serves it. */
	fd = open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return -ENOENT;
	ret = kernel_inspect(path, fd, left);
	close(fd);
	return ret;
}

/* The reason why this process cannot serve a device that a driver uses; NULL: it can. */
static const char *
kernel_difference(const struct rte_vduse_left *left, const struct rte_vduse_dev_conf *conf)
{
	if (left->device_id != conf->device_id)
		return "it is of another type";
	if (left->nb_vqs != conf->nb_vqs)
		return "it has another number of virtqueues";
	if (left->vq_size != conf->vq_size)
		return "its virtqueues are of another size";
	if (left->features & ~conf->features)
		return "its driver took features that are not offered now";
	/* A packed ring does not contain the position of the process that died. */
	if (!conf->inflight && !conf->positions &&
	    (left->features & RTE_BIT64(VIRTIO_F_RING_PACKED)))
		return "its driver has packed rings, whose positions are not known";
	return NULL;
}

/* Removes a device that no process serves. Answers its messages so that its driver can unbind. */
static int
kernel_remove_left(struct rte_vduse_dev *dev, int control)
{
	int ret;

	dev->draining = true;
	ret = vduse_ctrl_add(dev);
	if (ret == 0) {
		(void)vduse_vdpa_del(dev->name);
		vduse_ctrl_remove(dev);
	}
	dev->draining = false;
	close(dev->fd);
	dev->fd = -1;
	ret = kernel_ask_destroy(control, dev->name);
	if (ret < 0)
		VDUSE_LOG(dev, ERR, dev->name,
			  "a device of that name was left behind and cannot be removed: %s; "
			  "end what uses it, then: vdpa dev del %s",
			  strerror(-ret), dev->name);
	return ret;
}

/*
 * Continues to serve the driver of a device. If that is not possible, leaves the device as it is: a
 * file system may be mounted on it.
 */
static int
kernel_continue(struct rte_vduse_dev *dev, const struct rte_vduse_dev_conf *conf,
		const struct rte_vduse_left *left)
{
	const char *difference = kernel_difference(left, conf);
	int ret = -EEXIST;

	if (difference == NULL && vduse_state_take_groups(dev) < 0)
		difference = "no state file tells in which address space its control queue is";
	if (difference != NULL) {
		VDUSE_LOG(
			dev, ERR, dev->name,
			"a driver uses the device that a dead process left, "
			"and this one cannot serve it: %s (%u virtqueues of %u, features 0x%" PRIx64
			"). Start it with the same arguments; to change them, unbind its driver "
			"after that (umount, ip link set down, or end the virtual machine)",
			difference, left->nb_vqs, left->vq_size, left->features);
		goto close_fd;
	}
	dev->taken_over = true;
	/* What its creator took is not known: late virtqueues are looked for, too. */
	dev->tells_ready = false;
	if (left->offered != 0)
		dev->offered &= left->offered;
	/* From now on, the driver reads the configuration of this process. */
	ret = conf->config_size == 0
		      ? 0
		      : dev->transport->config_set(dev, 0, conf->config, conf->config_size);
	if (ret < 0)
		goto close_fd;
	VDUSE_LOG(dev, NOTICE, dev->name, "taken over: its driver goes on");
	return 0;

close_fd:
	close(dev->fd);
	dev->fd = -1;
	return ret;
}

/*
 * The caller knows what it offered and logs what the kernel does not support, unless it is the control
 * queue.
 */
static int
kernel_refused(const struct rte_vduse_dev *dev)
{
	if (dev->ctrl_vqs != 0)
		VDUSE_LOG(
			dev, ERR, dev->name,
			"the kernel's VDUSE has API 1 and refuses the device, as Linux up to 7.3 does "
			"if it has a control queue: use this project's vduse.ko");
	return -ENOTSUP;
}

/* A device of that name exists: takes it over if a driver uses it, else replaces it. */
static int
kernel_take_over(struct rte_vduse_dev *dev, const struct rte_vduse_dev_conf *conf, int control)
{
	struct rte_vduse_left left;
	int ret;

	ret = kernel_open(dev);
	if (ret < 0)
		return ret;
	memset(&left, 0, sizeof(left));
	if (kernel_inspect(dev->path, dev->fd, &left) == 0)
		return kernel_continue(dev, conf, &left);
	VDUSE_LOG(dev, NOTICE, dev->name, "removing a device that a dead process left");
	ret = kernel_remove_left(dev, control);
	if (ret == 0)
		ret = kernel_ask_create(dev, conf, control);
	if (ret == -EINVAL)
		return kernel_refused(dev);
	return ret < 0 ? ret : kernel_open(dev);
}

static int
kernel_create_fresh(struct rte_vduse_dev *dev, const struct rte_vduse_dev_conf *conf, int control)
{
	int ret;

	ret = kernel_ask_create(dev, conf, control);
	if (ret == -EEXIST)
		return kernel_take_over(dev, conf, control);
	if (ret < 0) {
		if (ret == -EINVAL)
			return kernel_refused(dev);
		VDUSE_LOG(dev, ERR, dev->name, "cannot be created: %s%s", strerror(-ret),
			  ret == -EPERM ? " (CAP_NET_ADMIN is needed)" : "");
		return ret;
	}
	ret = kernel_open(dev);
	if (ret < 0)
		(void)kernel_ask_destroy(control, dev->name);
	return ret;
}

/* Of the process that hands the device over, with which it is shared until that lets go. */
static int
kernel_receive(struct rte_vduse_dev *dev, const struct rte_vduse_dev_conf *conf)
{
	int ret;

	dev->fd = dev->from->device_fd;
	dev->from->device_fd = -1;
	ret = kernel_continue(dev, conf, &dev->from->hello.left);
	if (ret == 0)
		dev->tells_ready = dev->from->hello.tells_ready != 0;
	return ret;
}

int
vduse_kernel_create(struct rte_vduse_dev *dev, const struct rte_vduse_dev_conf *conf)
{
	int control, ret;

	control = kernel_control_open(dev->name);
	if (control < 0)
		return control;
	ret = kernel_negotiate(dev->name, control, &dev->api_version);
	if (ret == 0)
		ret = kernel_set_groups(dev);
	if (ret == 0 && dev->from != NULL) {
		ret = kernel_receive(dev, conf);
	} else if (ret == 0) {
		kernel_take_features(dev, control);
		ret = kernel_create_fresh(dev, conf, control);
	}
	close(control);
	return ret;
}

void
vduse_kernel_destroy(struct rte_vduse_dev *dev)
{
	int control, ret;

	if (dev->fd >= 0)
		close(dev->fd);
	dev->fd = -1;
	if (vduse_dev_leaves(dev))
		return;
	control = kernel_control_open(dev->name);
	if (control < 0)
		return;
	ret = kernel_ask_destroy(control, dev->name);
	if (ret < 0)
		VDUSE_LOG(dev, ERR, dev->name, "cannot be removed from the kernel: %s",
			  strerror(-ret));
	close(control);
}
