// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
/*
 * The management device "vduse": `vdpa dev add` adds the device with that name
 * to the vDPA bus, `vdpa dev del` removes it. The bus probes drivers before add
 * returns, and these send messages to the process, so no lock of this module is
 * held.
 */
#include <linux/device.h>
#include <linux/err.h>
#include <linux/mod_devicetable.h>
#include <linux/slab.h>
#include <linux/vdpa.h>
#include <uapi/linux/virtio_ids.h>

#include "compat.h"
#include "vduse.h"

static struct vdpa_mgmt_dev mgmt;
static struct device *mgmt_parent;

static bool vqs_are_set_up(const struct vduse_dev *dev)
{
	u32 i;

	for (i = 0; i < dev->vq_num; i++)
		if (!dev->vq[i]->num_max)
			return false;
	return true;
}

/*
 * virtio_fs ignores the maximum mapping size and does not wait for memory: leave
 * room for two of its largest requests, of 256 pages, and for headers.
 */
static size_t share_min(const struct vduse_dev *dev)
{
	return dev->device_id == VIRTIO_ID_FS ? 2 * 256 * PAGE_SIZE : VDUSE_BOUNCE_SHARE_MIN;
}

/* Address spaces are created once and used by every later attach. Caller holds dev->lock. */
static int make_address_spaces(struct vduse_dev *dev)
{
	size_t share = max_t(size_t, dev->bounce_size / dev->nas, share_min(dev));
	struct vduse_domain *domain;
	u32 i;

	for (i = 0; i < dev->nas; i++) {
		if (dev->as[i])
			continue;
		domain = vduse_domain_create(share & PAGE_MASK, dev_to_node(&dev->dev));
		if (IS_ERR(domain))
			return PTR_ERR(domain);
		dev->as[i] = domain;
	}
	return 0;
}

static struct vdpa_device *make_vdpa(struct vduse_dev *dev, const char *name)
{
	const struct vdpa_config_ops *ops = &vduse_vdpa_ops;
	struct vduse_vdpa *vdpa;

	if (dev->vduse_features & BIT_ULL(VDUSE_F_SUSPEND))
		ops = &vduse_vdpa_suspend_ops;
	vdpa = vduse_vdpa_alloc(&dev->dev, ops, dev->ngroups, dev->nas, name);
	if (IS_ERR(vdpa))
		return ERR_CAST(vdpa);
	get_device(&dev->dev);
	vdpa->dev = dev;
	vdpa->vdpa.mdev = &mgmt;
	return &vdpa->vdpa;
}

/* Allocates the vDPA device for the device with this name; it is not on the bus yet. */
static struct vdpa_device *attach(struct vduse_dev *dev, const char *name)
{
	struct vdpa_device *vdpa;
	int ret;

	mutex_lock(&dev->lock);
	if (dev->dead || !vqs_are_set_up(dev)) {
		vdpa = ERR_PTR(-EINVAL);
	} else if (dev->vdpa) {
		vdpa = ERR_PTR(-EEXIST);
	} else {
		ret = make_address_spaces(dev);
		vdpa = ret ? ERR_PTR(ret) : make_vdpa(dev, name);
		if (!IS_ERR(vdpa))
			dev->vdpa = vdpa;
	}
	mutex_unlock(&dev->lock);
	return vdpa;
}

static struct vduse_dev *find_and_get(const char *name)
{
	struct vduse_dev *dev;

	mutex_lock(&vduse_registry_lock);
	dev = vduse_registry_find(name);
	if (dev)
		get_device(&dev->dev);
	mutex_unlock(&vduse_registry_lock);
	return dev;
}

static int mgmt_dev_add(struct vdpa_mgmt_dev *mdev, const char *name,
			const struct vdpa_dev_set_config *config)
{
	struct vduse_dev *dev = find_and_get(name);
	struct vdpa_device *vdpa;
	int ret;

	if (!dev)
		return -EINVAL;
	vdpa = attach(dev, name);
	ret = PTR_ERR_OR_ZERO(vdpa);
	if (ret)
		goto out;
	ret = vduse_map_attach(vdpa);
	if (!ret)
		ret = _vdpa_register_device(vdpa, dev->vq_num);
	if (ret)
		put_device(&vdpa->dev);
out:
	put_device(&dev->dev);
	return ret;
}

static void mgmt_dev_del(struct vdpa_mgmt_dev *mdev, struct vdpa_device *vdpa)
{
	_vdpa_unregister_device(vdpa);
}

static const struct vdpa_mgmtdev_ops mgmt_ops = {
	.dev_add = mgmt_dev_add,
	.dev_del = mgmt_dev_del,
};

static struct virtio_device_id id_table[] = {
	{ VIRTIO_ID_BLOCK, VIRTIO_DEV_ANY_ID },
	{ VIRTIO_ID_NET, VIRTIO_DEV_ANY_ID },
	{ VIRTIO_ID_FS, VIRTIO_DEV_ANY_ID },
	{ 0 },
};

static struct vdpa_mgmt_dev mgmt = {
	.ops = &mgmt_ops,
	.id_table = id_table,
};

int vduse_mgmt_init(void)
{
	int ret;

	mgmt_parent = root_device_register("vduse");
	if (IS_ERR(mgmt_parent))
		return PTR_ERR(mgmt_parent);
	mgmt.device = mgmt_parent;
	ret = vdpa_mgmtdev_register(&mgmt);
	if (ret)
		root_device_unregister(mgmt_parent);
	return ret;
}

void vduse_mgmt_exit(void)
{
	vdpa_mgmtdev_unregister(&mgmt);
	root_device_unregister(mgmt_parent);
}
