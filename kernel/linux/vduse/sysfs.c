// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
/*
 * Attributes of a device, /sys/class/vduse/NAME/, and of its virtqueues,
 * vqN/ below it. The control device has none.
 */
#include <linux/cpumask.h>
#include <linux/device.h>
#include <linux/kstrtox.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "vduse.h"

static ssize_t msg_timeout_show(struct device *device, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(vduse_from_device(device)->msg.timeout));
}

static ssize_t msg_timeout_store(struct device *device, struct device_attribute *attr,
				 const char *buf, size_t count)
{
	unsigned int timeout;
	int ret;

	ret = kstrtouint(buf, 10, &timeout);
	if (ret)
		return ret;
	WRITE_ONCE(vduse_from_device(device)->msg.timeout, timeout);
	return count;
}
static DEVICE_ATTR_RW(msg_timeout);

static ssize_t bounce_size_show(struct device *device, struct device_attribute *attr, char *buf)
{
	return sysfs_emit(buf, "%u\n", READ_ONCE(vduse_from_device(device)->bounce_size));
}

/* Can be written until the first attach, which creates the address spaces. */
static ssize_t bounce_size_store(struct device *device, struct device_attribute *attr,
				 const char *buf, size_t count)
{
	struct vduse_dev *dev = vduse_from_device(device);
	unsigned int size;
	int ret;

	ret = kstrtouint(buf, 10, &size);
	if (!ret && (size < VDUSE_BOUNCE_SIZE_MIN || size > VDUSE_BOUNCE_SIZE_MAX))
		ret = -EINVAL;
	mutex_lock(&dev->lock);
	if (dev->as[0])
		ret = -EPERM;
	if (!ret)
		WRITE_ONCE(dev->bounce_size, size & PAGE_MASK);
	mutex_unlock(&dev->lock);
	return ret ? ret : count;
}
static DEVICE_ATTR_RW(bounce_size);

static struct attribute *vduse_dev_attrs[] = {
	&dev_attr_msg_timeout.attr,
	&dev_attr_bounce_size.attr,
	NULL
};

static const struct attribute_group vduse_dev_group = {
	.attrs = vduse_dev_attrs,
};

const struct attribute_group *vduse_dev_groups[] = {
	&vduse_dev_group,
	NULL
};

struct vq_attribute {
	struct attribute attr;
	ssize_t (*show)(struct vduse_vq *vq, char *buf);
	ssize_t (*store)(struct vduse_vq *vq, const char *buf, size_t count);
};

static ssize_t irq_cb_affinity_show(struct vduse_vq *vq, char *buf)
{
	unsigned long flags;
	ssize_t len;

	spin_lock_irqsave(&vq->irq_lock, flags);
	len = sysfs_emit(buf, "%*pb\n", cpumask_pr_args(&vq->irq_affinity));
	spin_unlock_irqrestore(&vq->irq_lock, flags);
	return len;
}

static ssize_t irq_cb_affinity_store(struct vduse_vq *vq, const char *buf, size_t count)
{
	cpumask_var_t mask;
	unsigned long flags;
	int ret;

	if (!zalloc_cpumask_var(&mask, GFP_KERNEL))
		return -ENOMEM;
	ret = cpumask_parse(buf, mask);
	if (!ret && !cpumask_intersects(mask, cpu_online_mask))
		ret = -EINVAL;
	if (!ret) {
		spin_lock_irqsave(&vq->irq_lock, flags);
		cpumask_copy(&vq->irq_affinity, mask);
		spin_unlock_irqrestore(&vq->irq_lock, flags);
	}
	free_cpumask_var(mask);
	return ret ? ret : count;
}

static struct vq_attribute irq_cb_affinity = __ATTR_RW(irq_cb_affinity);

static const char * const irq_modes[] = {
	[VDUSE_IRQ_WORK] = "work",
	[VDUSE_IRQ_INLINE] = "inline",
};

static ssize_t irq_mode_show(struct vduse_vq *vq, char *buf)
{
	return sysfs_emit(buf, "%s\n", irq_modes[READ_ONCE(vq->irq_mode)]);
}

static ssize_t irq_mode_store(struct vduse_vq *vq, const char *buf, size_t count)
{
	int mode = sysfs_match_string(irq_modes, buf);
	unsigned long flags;

	if (mode < 0)
		return mode;
	spin_lock_irqsave(&vq->irq_lock, flags);
	WRITE_ONCE(vq->irq_mode, mode);
	spin_unlock_irqrestore(&vq->irq_lock, flags);
	return count;
}

static struct vq_attribute irq_mode = __ATTR_RW(irq_mode);

static struct attribute *vduse_vq_attrs[] = {
	&irq_cb_affinity.attr,
	&irq_mode.attr,
	NULL
};
ATTRIBUTE_GROUPS(vduse_vq);

static ssize_t vq_show(struct kobject *kobj, struct attribute *attr, char *buf)
{
	struct vq_attribute *vq_attr = container_of(attr, struct vq_attribute, attr);

	return vq_attr->show(container_of(kobj, struct vduse_vq, kobj), buf);
}

static ssize_t vq_store(struct kobject *kobj, struct attribute *attr, const char *buf,
			size_t count)
{
	struct vq_attribute *vq_attr = container_of(attr, struct vq_attribute, attr);

	return vq_attr->store(container_of(kobj, struct vduse_vq, kobj), buf, count);
}

static const struct sysfs_ops vq_sysfs_ops = {
	.show = vq_show,
	.store = vq_store,
};

static void vq_release(struct kobject *kobj)
{
	kfree(container_of(kobj, struct vduse_vq, kobj));
}

const struct kobj_type vduse_vq_ktype = {
	.release = vq_release,
	.sysfs_ops = &vq_sysfs_ops,
	.default_groups = vduse_vq_groups,
};
