// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
/*
 * /dev/vduse/NAME: the interface for the process that serves the device. One
 * opener; its threads may call concurrently. Every argument is copied once,
 * checked, then used.
 */
#include <linux/compat.h>
#include <linux/file.h>
#include <linux/fs.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/slab.h>
#include <linux/uaccess.h>
#include <linux/uio.h>
#include <linux/virtio_config.h>

#include "trace.h"
#include "vduse.h"

#define VQ_SIZE_MAX	32768

static int find_region(struct vduse_dev *dev, u32 asid, u64 start, u64 last,
		       struct vduse_region *region)
{
	struct vduse_domain *domain = vduse_dev_domain(dev, asid);

	return domain ? vduse_domain_find(domain, start, last, region) : -EINVAL;
}

/*
 * Common part of both versions of the lookup: fills in @entry, and installs the
 * file in the process's table after the copy to the process succeeded.
 */
static int hand_out(struct vduse_region *region, void __user *arg, const void *entry, size_t size)
{
	int ret;

	if (copy_to_user(arg, entry, size))
		ret = -EFAULT;
	else
		ret = receive_fd(region->file, NULL, O_CLOEXEC);
	fput(region->file);
	return ret;
}

static int dev_iotlb_get_fd(struct vduse_dev *dev, void __user *arg)
{
	struct vduse_iotlb_entry entry;
	struct vduse_region region;
	int ret;

	if (copy_from_user(&entry, arg, sizeof(entry)))
		return -EFAULT;
	ret = find_region(dev, 0, entry.start, entry.last, &region);
	if (ret)
		return ret;
	memset(&entry, 0, sizeof(entry));
	entry.offset = region.offset;
	entry.start = region.start;
	entry.last = region.last;
	entry.perm = region.perm;
	return hand_out(&region, arg, &entry, sizeof(entry));
}

static int dev_iotlb_get_fd2(struct vduse_dev *dev, void __user *arg)
{
	struct vduse_iotlb_entry_v2 entry;
	struct vduse_region region;
	int ret;

	if (dev->api_version < VDUSE_API_VERSION_1)
		return -ENOTTY;
	if (copy_from_user(&entry, arg, sizeof(entry)))
		return -EFAULT;
	if (memchr_inv(entry.padding, 0, sizeof(entry.padding)) ||
	    memchr_inv(entry.reserved, 0, sizeof(entry.reserved)))
		return -EINVAL;
	ret = find_region(dev, entry.asid, entry.start, entry.last, &region);
	if (ret)
		return ret;
	entry.offset = region.offset;
	entry.start = region.start;
	entry.last = region.last;
	entry.perm = region.perm;
	return hand_out(&region, arg, &entry, sizeof(entry));
}

static int dev_iotlb_get_info(struct vduse_dev *dev, void __user *arg)
{
	struct vduse_iova_info info;
	struct vduse_region region;
	int ret;

	if (copy_from_user(&info, arg, sizeof(info)))
		return -EFAULT;
	if (memchr_inv(info.reserved, 0, sizeof(info.reserved)))
		return -EINVAL;
	ret = find_region(dev, info.asid, info.start, info.last, &region);
	if (ret)
		return ret;
	fput(region.file);
	info.start = region.start;
	info.last = region.last;
	info.capability = region.bounce ? VDUSE_IOVA_CAP_UMEM : 0;
	return copy_to_user(arg, &info, sizeof(info)) ? -EFAULT : 0;
}

static int dev_umem(struct vduse_dev *dev, void __user *arg, bool add)
{
	struct vduse_domain *domain;
	struct vduse_iova_umem umem;

	if (copy_from_user(&umem, arg, sizeof(umem)))
		return -EFAULT;
	if (memchr_inv(umem.reserved, 0, sizeof(umem.reserved)) || umem.asid >= dev->nas)
		return -EINVAL;
	domain = vduse_dev_domain(dev, umem.asid);
	if (!domain)
		return add ? -EINVAL : -ENOENT;
	if (add)
		return vduse_umem_register(domain, umem.iova, umem.uaddr, umem.size);
	return vduse_umem_deregister(domain, umem.iova, umem.size);
}

static int dev_set_config(struct vduse_dev *dev, void __user *arg)
{
	const size_t head = offsetof(struct vduse_config_data, buffer);
	struct vduse_config_data config;
	u8 *buffer;

	if (copy_from_user(&config, arg, head))
		return -EFAULT;
	if (config.offset > dev->config_size || !config.length ||
	    config.length > dev->config_size - config.offset)
		return -EINVAL;
	buffer = memdup_user(arg + head, config.length);
	if (IS_ERR(buffer))
		return PTR_ERR(buffer);
	spin_lock(&dev->config_lock);
	memcpy(dev->config + config.offset, buffer, config.length);
	WRITE_ONCE(dev->generation, dev->generation + 1);
	spin_unlock(&dev->config_lock);
	kfree(buffer);
	return 0;
}

static struct vduse_vq *vq_at(struct vduse_dev *dev, u32 index)
{
	if (index >= dev->vq_num)
		return NULL;
	return dev->vq[array_index_nospec(index, dev->vq_num)];
}

/* Only packed rings may have sizes that are not a power of two. */
static bool vq_size_is_valid(const struct vduse_dev *dev, u16 size)
{
	return size && size <= VQ_SIZE_MAX &&
	       (is_power_of_2(size) || (dev->device_features & BIT_ULL(VIRTIO_F_RING_PACKED)));
}

static bool vq_group_is_valid(const struct vduse_dev *dev, u32 group)
{
	if (dev->api_version < VDUSE_API_VERSION_1)
		return !group;
	return group < dev->ngroups && !vduse_driver_ok(dev);
}

static int dev_vq_setup(struct vduse_dev *dev, void __user *arg)
{
	struct vduse_vq_config config;
	struct vduse_vq *vq;

	if (copy_from_user(&config, arg, sizeof(config)))
		return -EFAULT;
	vq = vq_at(dev, config.index);
	if (!vq || config.reserved1 ||
	    memchr_inv(config.reserved2, 0, sizeof(config.reserved2)) ||
	    !vq_size_is_valid(dev, config.max_size) || !vq_group_is_valid(dev, config.group))
		return -EINVAL;
	mutex_lock(&dev->lock);
	WRITE_ONCE(vq->num_max, config.max_size);
	WRITE_ONCE(vq->group, config.group);
	mutex_unlock(&dev->lock);
	return 0;
}

static void vq_state_to_user(const struct vduse_dev *dev, const struct vdpa_vq_state *state,
			     struct vduse_vq_info *info)
{
	if (vduse_is_packed(dev)) {
		info->packed.last_avail_counter = state->packed.last_avail_counter;
		info->packed.last_avail_idx = state->packed.last_avail_idx;
		info->packed.last_used_counter = state->packed.last_used_counter;
		info->packed.last_used_idx = state->packed.last_used_idx;
	} else {
		info->split.avail_index = state->split.avail_index;
	}
}

static int vq_info(struct vduse_dev *dev, u32 index, struct vduse_vq_info *info)
{
	struct vduse_vq *vq = vq_at(dev, index);
	struct vduse_ring ring;

	if (!vq)
		return -EINVAL;
	spin_lock(&vq->ring_lock);
	ring = vq->ring;
	spin_unlock(&vq->ring_lock);

	memset(info, 0, sizeof(*info));
	info->index = index;
	info->num = ring.num;
	info->desc_addr = ring.desc_addr;
	info->driver_addr = ring.driver_addr;
	info->device_addr = ring.device_addr;
	info->ready = READ_ONCE(vq->ready);
	vq_state_to_user(dev, &ring.state, info);
	return 0;
}

static int dev_vq_get_info(struct vduse_dev *dev, void __user *arg)
{
	struct vduse_vq_info info;
	u32 index;
	int ret;

	if (copy_from_user(&info, arg, sizeof(info)))
		return -EFAULT;
	index = info.index;
	ret = vq_info(dev, index, &info);
	if (!ret && copy_to_user(arg, &info, sizeof(info)))
		ret = -EFAULT;
	return ret;
}

static int dev_vq_setup_kickfd(struct vduse_dev *dev, void __user *arg)
{
	struct vduse_vq_eventfd eventfd;
	struct vduse_vq *vq;

	if (copy_from_user(&eventfd, arg, sizeof(eventfd)))
		return -EFAULT;
	vq = vq_at(dev, eventfd.index);
	return vq ? vduse_vq_set_kickfd(vq, eventfd.fd) : -EINVAL;
}

static int dev_vq_inject_irq(struct vduse_dev *dev, u32 __user *arg)
{
	struct vduse_vq *vq;
	u32 index;

	if (get_user(index, arg))
		return -EFAULT;
	vq = vq_at(dev, index);
	return vq ? vduse_vq_interrupt(vq) : -EINVAL;
}

#ifdef CONFIG_COMPAT
struct compat_iotlb_entry {
	compat_u64 offset;
	compat_u64 start;
	compat_u64 last;
	u8 perm;
};

struct compat_vq_info {
	u32 index;
	u32 num;
	compat_u64 desc_addr;
	compat_u64 driver_addr;
	compat_u64 device_addr;
	struct vduse_vq_state_packed state;
	u8 ready;
};

static_assert(sizeof(struct compat_iotlb_entry) == 28);
static_assert(sizeof(struct compat_vq_info) == 44);

#define COMPAT_IOTLB_GET_FD	_IOWR(VDUSE_BASE, 0x10, struct compat_iotlb_entry)
#define COMPAT_VQ_GET_INFO	_IOWR(VDUSE_BASE, 0x15, struct compat_vq_info)

static int compat_iotlb_get_fd(struct vduse_dev *dev, void __user *arg)
{
	struct compat_iotlb_entry entry;
	struct vduse_region region;
	int ret;

	if (copy_from_user(&entry, arg, sizeof(entry)))
		return -EFAULT;
	ret = find_region(dev, 0, entry.start, entry.last, &region);
	if (ret)
		return ret;
	memset(&entry, 0, sizeof(entry));
	entry.offset = region.offset;
	entry.start = region.start;
	entry.last = region.last;
	entry.perm = region.perm;
	return hand_out(&region, arg, &entry, sizeof(entry));
}

static int compat_vq_get_info(struct vduse_dev *dev, void __user *arg)
{
	struct compat_vq_info out;
	struct vduse_vq_info info;
	int ret;

	if (copy_from_user(&out, arg, sizeof(out)))
		return -EFAULT;
	ret = vq_info(dev, out.index, &info);
	if (ret)
		return ret;
	memset(&out, 0, sizeof(out));
	out.index = info.index;
	out.num = info.num;
	out.desc_addr = info.desc_addr;
	out.driver_addr = info.driver_addr;
	out.device_addr = info.device_addr;
	out.state = info.packed;
	out.ready = info.ready;
	return copy_to_user(arg, &out, sizeof(out)) ? -EFAULT : 0;
}
#endif

static long dispatch(struct vduse_dev *dev, unsigned int cmd, void __user *arg)
{
	switch (cmd) {
	case VDUSE_IOTLB_GET_FD:
		return dev_iotlb_get_fd(dev, arg);
	case VDUSE_IOTLB_GET_FD2:
		return dev_iotlb_get_fd2(dev, arg);
	case VDUSE_IOTLB_GET_INFO:
		return dev_iotlb_get_info(dev, arg);
	case VDUSE_IOTLB_REG_UMEM:
		return dev_umem(dev, arg, true);
	case VDUSE_IOTLB_DEREG_UMEM:
		return dev_umem(dev, arg, false);
	case VDUSE_DEV_GET_FEATURES:
		return put_user(READ_ONCE(dev->driver_features), (u64 __user *)arg);
	case VDUSE_DEV_SET_CONFIG:
		return dev_set_config(dev, arg);
	case VDUSE_DEV_INJECT_CONFIG_IRQ:
		return vduse_config_interrupt(dev);
	case VDUSE_VQ_SETUP:
		return dev_vq_setup(dev, arg);
	case VDUSE_VQ_GET_INFO:
		return dev_vq_get_info(dev, arg);
	case VDUSE_VQ_SETUP_KICKFD:
		return dev_vq_setup_kickfd(dev, arg);
	case VDUSE_VQ_INJECT_IRQ:
		return dev_vq_inject_irq(dev, arg);
	default:
		return -ENOTTY;
	}
}

static long chardev_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vduse_dev *dev = file->private_data;

	if (vduse_msg_broken(dev))
		return -EPERM;
	return dispatch(dev, cmd, (void __user *)arg);
}

#ifdef CONFIG_COMPAT
static long chardev_compat_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct vduse_dev *dev = file->private_data;
	void __user *ptr = compat_ptr(arg);

	if (vduse_msg_broken(dev))
		return -EPERM;
	switch (cmd) {
	case COMPAT_IOTLB_GET_FD:
		return compat_iotlb_get_fd(dev, ptr);
	case COMPAT_VQ_GET_INFO:
		return compat_vq_get_info(dev, ptr);
	default:
		return dispatch(dev, cmd, ptr);
	}
}
#endif

static ssize_t chardev_read_iter(struct kiocb *iocb, struct iov_iter *to)
{
	struct file *file = iocb->ki_filp;

	return vduse_msg_read(file->private_data, to,
			      (file->f_flags & O_NONBLOCK) || (iocb->ki_flags & IOCB_NOWAIT));
}

static ssize_t chardev_write_iter(struct kiocb *iocb, struct iov_iter *from)
{
	return vduse_msg_write(iocb->ki_filp->private_data, from);
}

static __poll_t chardev_poll(struct file *file, poll_table *wait)
{
	return vduse_msg_poll(file->private_data, file, wait);
}

/* The open file keeps the reference that the lookup took. */
static int chardev_open(struct inode *inode, struct file *file)
{
	struct vduse_dev *dev = vduse_registry_get(iminor(inode));
	int ret = 0;

	if (!dev)
		return -ENODEV;
	mutex_lock(&dev->lock);
	if (dev->dead)
		ret = -ENODEV;
	else if (dev->open)
		ret = -EBUSY;
	else
		dev->open = true;
	mutex_unlock(&dev->lock);
	if (ret)
		put_device(&dev->dev);
	else
		file->private_data = dev;
	return ret;
}

/*
 * Unanswered messages, kick fds and buffers in flight are kept for the next
 * opener.
 */
static int chardev_release(struct inode *inode, struct file *file)
{
	struct vduse_dev *dev = file->private_data;
	struct vduse_domain *domain;
	u32 i;

	for (i = 0; i < dev->nas; i++) {
		domain = vduse_dev_domain(dev, i);
		if (!domain)
			continue;
		vduse_umem_release(domain);
		vduse_domain_clear(domain);
	}
	vduse_msg_requeue(dev);
	mutex_lock(&dev->lock);
	dev->open = false;
	mutex_unlock(&dev->lock);
	put_device(&dev->dev);
	return 0;
}

const struct file_operations vduse_dev_fops = {
	.owner = THIS_MODULE,
	.open = chardev_open,
	.release = chardev_release,
	.read_iter = chardev_read_iter,
	.write_iter = chardev_write_iter,
	.poll = chardev_poll,
	.unlocked_ioctl = chardev_ioctl,
#ifdef CONFIG_COMPAT
	.compat_ioctl = chardev_compat_ioctl,
#endif
	.llseek = noop_llseek,
};
