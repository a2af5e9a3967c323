// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
/*
 * Creates and destroys devices. Input: a configuration from /dev/vduse/control,
 * which is checked here. Output: a device with its file and sysfs entries. The
 * registry is locked, so that a device cannot be opened before it is complete.
 */
#include <linux/capability.h>
#include <linux/ctype.h>
#include <linux/device.h>
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/topology.h>
#include <linux/virtio_config.h>
#include <uapi/linux/virtio_blk.h>
#include <uapi/linux/virtio_ids.h>
#include <uapi/linux/virtio_net.h>

#include "vduse.h"

static unsigned int max_vqs = 1024;
module_param(max_vqs, uint, 0644);
MODULE_PARM_DESC(max_vqs, "Virtqueues that a device may have");

static unsigned int max_groups = 1024;
module_param(max_groups, uint, 0644);
MODULE_PARM_DESC(max_groups, "Virtqueue groups that a device may have");

static unsigned int max_address_spaces = 64;
module_param(max_address_spaces, uint, 0644);
MODULE_PARM_DESC(max_address_spaces, "Address spaces that a device may have");

static unsigned int bounce_size = 64 << 20;
module_param(bounce_size, uint, 0644);
MODULE_PARM_DESC(bounce_size, "Bytes of bounce memory of a new device, 1 MiB to 1 GiB");

/* The name is used as file name, in uevents and in log lines. */
static bool name_is_valid(const char *name)
{
	size_t len = strnlen(name, VDUSE_NAME_MAX), i;

	if (!len || len == VDUSE_NAME_MAX || !strcmp(name, ".") || !strcmp(name, "..") ||
	    !strcmp(name, "control"))
		return false;
	for (i = 0; i < len; i++)
		if (name[i] == '/' || iscntrl(name[i]))
			return false;
	return true;
}

static bool has_feature(const struct vduse_dev_config *config, unsigned int bit)
{
	return config->features & BIT_ULL(bit);
}

/*
 * A driver could change the cache mode of a block device without the process
 * noticing. A control queue of a net device requires version 1.
 */
static bool features_are_valid(const struct vduse_dev_config *config, u64 version)
{
	if (!has_feature(config, VIRTIO_F_ACCESS_PLATFORM))
		return false;
	switch (config->device_id) {
	case VIRTIO_ID_BLOCK:
		return !has_feature(config, VIRTIO_BLK_F_CONFIG_WCE);
	case VIRTIO_ID_NET:
		return has_feature(config, VIRTIO_F_VERSION_1) &&
		       (version >= VDUSE_API_VERSION_1 ||
			!has_feature(config, VIRTIO_NET_F_CTRL_VQ));
	case VIRTIO_ID_FS:
		return true;
	default:
		return false;
	}
}

static bool groups_are_valid(const struct vduse_dev_config *config, u64 version)
{
	if (version < VDUSE_API_VERSION_1)
		return !config->ngroups && !config->nas;
	return config->ngroups && config->ngroups <= min(READ_ONCE(max_groups), 0xffffU) &&
	       config->nas && config->nas <= min(READ_ONCE(max_address_spaces), 0xffffU);
}

static bool config_is_valid(const struct vduse_dev_config *config, u64 version)
{
	return !memchr_inv(config->reserved, 0, sizeof(config->reserved)) &&
	       name_is_valid(config->name) &&
	       config->config_size <= PAGE_SIZE &&
	       config->vq_num <= min(READ_ONCE(max_vqs), 0xffffU) &&
	       config->vq_align >= 4 && config->vq_align <= PAGE_SIZE &&
	       is_power_of_2(config->vq_align) &&
	       features_are_valid(config, version) &&
	       groups_are_valid(config, version);
}

static int check(const struct vduse_dev_config *config, u64 version)
{
	if (!config_is_valid(config, version))
		return -EINVAL;
	if (config->device_id == VIRTIO_ID_NET && !capable(CAP_NET_ADMIN))
		return -EPERM;
	return vduse_registry_find(config->name) ? -EEXIST : 0;
}

static void dev_release(struct device *device)
{
	struct vduse_dev *dev = vduse_from_device(device);
	u32 i;

	for (i = 0; dev->as && i < dev->nas; i++)
		vduse_domain_put(dev->as[i]);
	kvfree(dev->as);
	kvfree(dev->group);
	kvfree(dev->vq);
	kvfree(dev->config);
	mutex_destroy(&dev->lock);
	kfree(dev);
}

static void free_vqs(struct vduse_dev *dev)
{
	u32 i;

	for (i = 0; i < dev->vq_num && dev->vq[i]; i++) {
		vduse_vq_free(dev->vq[i]);
		dev->vq[i] = NULL;
	}
}

static int alloc_tables(struct vduse_dev *dev, const u8 *space)
{
	u32 i;

	dev->vq = kvcalloc(dev->vq_num, sizeof(*dev->vq), GFP_KERNEL_ACCOUNT);
	dev->as = kvcalloc(dev->nas, sizeof(*dev->as), GFP_KERNEL_ACCOUNT);
	dev->group = kvcalloc(dev->ngroups, sizeof(*dev->group), GFP_KERNEL_ACCOUNT);
	dev->config = kvmemdup(space, dev->config_size, GFP_KERNEL_ACCOUNT);
	if (!dev->vq || !dev->as || !dev->group || !dev->config)
		return -ENOMEM;
	for (i = 0; i < dev->ngroups; i++)
		dev->group[i].dev = dev;
	for (i = 0; i < dev->vq_num; i++) {
		dev->vq[i] = vduse_vq_alloc(dev, i);
		if (!dev->vq[i])
			return -ENOMEM;
	}
	return 0;
}

static void copy_config(struct vduse_dev *dev, const struct vduse_dev_config *config)
{
	dev->device_features = config->features;
	dev->device_id = config->device_id;
	dev->vendor_id = config->vendor_id;
	dev->vq_num = config->vq_num;
	dev->vq_align = config->vq_align;
	dev->ngroups = max(config->ngroups, 1U);
	dev->nas = max(config->nas, 1U);
	dev->config_size = config->config_size;
	dev->bounce_size = clamp_t(unsigned int, READ_ONCE(bounce_size), VDUSE_BOUNCE_SIZE_MIN,
				   VDUSE_BOUNCE_SIZE_MAX) & PAGE_MASK;
}

/* From here on put_device() frees it. */
static struct vduse_dev *alloc_dev(const struct vduse_dev_config *config, u64 version,
				   u64 features)
{
	struct vduse_dev *dev = kzalloc(sizeof(*dev), GFP_KERNEL_ACCOUNT);

	if (!dev)
		return NULL;
	mutex_init(&dev->lock);
	spin_lock_init(&dev->config_lock);
	spin_lock_init(&dev->irq_lock);
	INIT_WORK(&dev->config_work, vduse_config_work);
	vduse_msg_init(&dev->msg);
	vduse_ctrl_init(dev);
	dev->api_version = version;
	dev->vduse_features = features;
	copy_config(dev, config);
	device_initialize(&dev->dev);
	/* The process usually runs on the node on which it creates the device. */
	set_dev_node(&dev->dev, numa_node_id());
	dev->dev.class = &vduse_class;
	dev->dev.release = dev_release;
	dev->dev.groups = vduse_dev_groups;
	return dev;
}

static int add_vqs_to_sysfs(struct vduse_dev *dev)
{
	u32 i;
	int ret;

	for (i = 0; i < dev->vq_num; i++) {
		ret = kobject_add(&dev->vq[i]->kobj, &dev->dev.kobj, "vq%u", i);
		if (ret)
			return ret;
	}
	return 0;
}

static int publish(struct vduse_dev *dev)
{
	int ret;

	ret = vduse_registry_add(dev);
	if (ret)
		return ret;
	ret = device_add(&dev->dev);
	if (ret)
		goto err_registry;
	ret = add_vqs_to_sysfs(dev);
	if (ret)
		goto err_device;
	vduse_debugfs_add(dev);
	return 0;

err_device:
	free_vqs(dev);
	device_del(&dev->dev);
err_registry:
	vduse_registry_del(dev);
	return ret;
}

int vduse_dev_create(const struct vduse_dev_config *config, const u8 *space, u64 version,
		     u64 features)
{
	struct vduse_dev *dev;
	int ret;

	ret = check(config, version);
	if (ret)
		return ret;
	dev = alloc_dev(config, version, features);
	if (!dev)
		return -ENOMEM;
	ret = dev_set_name(&dev->dev, "%s", config->name);
	if (!ret)
		ret = alloc_tables(dev, space);
	if (!ret)
		ret = publish(dev);
	if (ret) {
		if (dev->vq)
			free_vqs(dev);
		put_device(&dev->dev);
		return ret;
	}
	/* Its sysfs and debugfs entries and its work call functions of this module. */
	__module_get(THIS_MODULE);
	return 0;
}

static int claim_for_destruction(struct vduse_dev *dev)
{
	int ret = 0;

	mutex_lock(&dev->lock);
	if (dev->vdpa || dev->open)
		ret = -EBUSY;
	else
		dev->dead = true;
	mutex_unlock(&dev->lock);
	return ret;
}

int vduse_dev_destroy(const char *name)
{
	struct vduse_dev *dev = vduse_registry_find(name);
	int ret;

	if (!dev)
		return -EINVAL;
	ret = claim_for_destruction(dev);
	if (ret)
		return ret;
	vduse_registry_del(dev);
	vduse_debugfs_del(dev);
	cancel_work_sync(&dev->config_work);
	vduse_ctrl_stop(dev);
	free_vqs(dev);
	device_del(&dev->dev);
	put_device(&dev->dev);
	module_put(THIS_MODULE);
	return 0;
}

struct vduse_domain *vduse_dev_domain(struct vduse_dev *dev, u32 asid)
{
	struct vduse_domain *domain = NULL;

	mutex_lock(&dev->lock);
	if (asid < dev->nas)
		domain = dev->as[array_index_nospec(asid, dev->nas)];
	mutex_unlock(&dev->lock);
	return domain;
}
