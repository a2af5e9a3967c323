// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
/*
 * /dev/vduse/control: any number of openers. Each has its own version and
 * features, which apply to the devices that it creates.
 *
 * Memory of the process is read and written without the registry's lock: the
 * process can delay a page fault for any time, and open() of every device and
 * every vdpa command need the lock.
 */
#include <linux/compat.h>
#include <linux/fs.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/uaccess.h>

#include "vduse.h"

/* State of an open file. Protected by vduse_registry_lock. */
struct control {
	u64 version;
	bool version_chosen;
	u64 features;
};

/* An opener that reads the version before it sets one gets the version that it read. */
static int control_get_version(struct control *control, u64 __user *arg)
{
	u64 version;

	mutex_lock(&vduse_registry_lock);
	if (!control->version_chosen) {
		control->version = VDUSE_API_VERSION_1;
		control->version_chosen = true;
	}
	version = control->version;
	mutex_unlock(&vduse_registry_lock);
	return put_user(version, arg);
}

static int control_set_version(struct control *control, u64 __user *arg)
{
	u64 version;

	if (get_user(version, arg))
		return -EFAULT;
	if (version > VDUSE_API_VERSION_1)
		return -EINVAL;
	mutex_lock(&vduse_registry_lock);
	control->version = version;
	control->version_chosen = true;
	mutex_unlock(&vduse_registry_lock);
	return 0;
}

static int control_set_features(struct control *control, u64 __user *arg)
{
	u64 features;

	if (get_user(features, arg))
		return -EFAULT;
	if (features & ~VDUSE_FEATURES)
		return -EINVAL;
	mutex_lock(&vduse_registry_lock);
	control->features = features;
	mutex_unlock(&vduse_registry_lock);
	return 0;
}

/* Reads the size once; it is the length of the rest. */
static int control_create(struct control *control, void __user *arg)
{
	const size_t head = offsetof(struct vduse_dev_config, config);
	struct vduse_dev_config config;
	u8 *space;
	int ret;

	if (copy_from_user(&config, arg, head))
		return -EFAULT;
	if (config.config_size > PAGE_SIZE)
		return -EINVAL;
	space = memdup_user(arg + head, config.config_size);
	if (IS_ERR(space))
		return PTR_ERR(space);
	config.name[VDUSE_NAME_MAX - 1] = '\0';
	mutex_lock(&vduse_registry_lock);
	ret = vduse_dev_create(&config, space, control->version, control->features);
	mutex_unlock(&vduse_registry_lock);
	kfree(space);
	return ret;
}

static int control_destroy(void __user *arg)
{
	char name[VDUSE_NAME_MAX];
	int ret;

	if (copy_from_user(name, arg, sizeof(name)))
		return -EFAULT;
	name[VDUSE_NAME_MAX - 1] = '\0';
	mutex_lock(&vduse_registry_lock);
	ret = vduse_dev_destroy(name);
	mutex_unlock(&vduse_registry_lock);
	return ret;
}

static long control_ioctl(struct file *file, unsigned int cmd, unsigned long arg)
{
	struct control *control = file->private_data;
	void __user *user = (void __user *)arg;

	switch (cmd) {
	case VDUSE_GET_API_VERSION:
		return control_get_version(control, user);
	case VDUSE_SET_API_VERSION:
		return control_set_version(control, user);
	case VDUSE_GET_FEATURES:
		return put_user(VDUSE_FEATURES, (u64 __user *)user);
	case VDUSE_SET_FEATURES:
		return control_set_features(control, user);
	case VDUSE_CREATE_DEV:
		return control_create(control, user);
	case VDUSE_DESTROY_DEV:
		return control_destroy(user);
	default:
		return -EINVAL;
	}
}

static int control_open(struct inode *inode, struct file *file)
{
	struct control *control = kzalloc(sizeof(*control), GFP_KERNEL_ACCOUNT);

	file->private_data = control;
	return control ? 0 : -ENOMEM;
}

static int control_release(struct inode *inode, struct file *file)
{
	kfree(file->private_data);
	return 0;
}

const struct file_operations vduse_control_fops = {
	.owner = THIS_MODULE,
	.open = control_open,
	.release = control_release,
	.unlocked_ioctl = control_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
	.llseek = noop_llseek,
};
