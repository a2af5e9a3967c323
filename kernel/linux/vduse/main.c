// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
/*
 * Module init and exit, device numbers, work queues, and the registry of devices
 * by name and by minor number.
 */
#include <linux/cdev.h>
#include <linux/device.h>
#include <linux/err.h>
#include <linux/fs.h>
#include <linux/idr.h>
#include <linux/module.h>
#include <linux/workqueue.h>

#include "compat.h"
#include "vduse.h"

#define CONTROL_MINOR	0
#define DEVICES_MAX	((1U << MINORBITS) - 1)

static unsigned int max_devices = DEVICES_MAX;
module_param(max_devices, uint, 0644);
MODULE_PARM_DESC(max_devices, "Devices that there may be");

DEFINE_MUTEX(vduse_registry_lock);	/* protects the registry and open control files */
static DEFINE_IDR(registry);		/* minor to device */

dev_t vduse_devt;
static struct cdev control_cdev;
static struct cdev dev_cdev;
static struct device *control_device;

struct workqueue_struct *vduse_irq_wq;		/* calls on any CPU */
struct workqueue_struct *vduse_irq_cpu_wq;	/* calls on the CPU they are queued on */

static char *devnode(const struct device *dev, umode_t *mode)
{
	return kasprintf(GFP_KERNEL, "vduse/%s", dev_name(dev));
}

const struct class vduse_class = {
	.name = "vduse",
	.devnode = devnode,
};

/* Called with the lock held, as the next two are. */
struct vduse_dev *vduse_registry_find(const char *name)
{
	struct vduse_dev *dev;
	int minor;

	idr_for_each_entry(&registry, dev, minor)
		if (!strcmp(dev_name(&dev->dev), name))
			return dev;
	return NULL;
}

/* Returns the smallest free minor number. At most max_devices are in use. */
int vduse_registry_add(struct vduse_dev *dev)
{
	unsigned int max = min(READ_ONCE(max_devices), DEVICES_MAX);
	int minor = idr_alloc(&registry, dev, CONTROL_MINOR + 1, CONTROL_MINOR + 1 + max,
			      GFP_KERNEL);

	if (minor < 0)
		return minor;
	dev->dev.devt = MKDEV(MAJOR(vduse_devt), minor);
	return 0;
}

void vduse_registry_del(struct vduse_dev *dev)
{
	idr_remove(&registry, MINOR(dev->dev.devt));
}

/* Takes a reference, so that the device cannot be freed while it is opened. */
struct vduse_dev *vduse_registry_get(unsigned int minor)
{
	struct vduse_dev *dev;

	mutex_lock(&vduse_registry_lock);
	dev = idr_find(&registry, minor);
	if (dev)
		get_device(&dev->dev);
	mutex_unlock(&vduse_registry_lock);
	return dev;
}

static int add_files(void)
{
	int ret;

	ret = alloc_chrdev_region(&vduse_devt, 0, 1 << MINORBITS, "vduse");
	if (ret)
		return ret;
	cdev_init(&control_cdev, &vduse_control_fops);
	control_cdev.owner = THIS_MODULE;
	ret = cdev_add(&control_cdev, vduse_devt, 1);
	if (ret)
		goto err_region;
	cdev_init(&dev_cdev, &vduse_dev_fops);
	dev_cdev.owner = THIS_MODULE;
	ret = cdev_add(&dev_cdev, vduse_devt + 1, (1 << MINORBITS) - 1);
	if (ret)
		goto err_control;
	return 0;

err_control:
	cdev_del(&control_cdev);
err_region:
	unregister_chrdev_region(vduse_devt, 1 << MINORBITS);
	return ret;
}

static void remove_files(void)
{
	cdev_del(&dev_cdev);
	cdev_del(&control_cdev);
	unregister_chrdev_region(vduse_devt, 1 << MINORBITS);
}

/* Interrupts of a disk complete the writes that free memory, so they must not wait for memory. */
static int add_workqueues(void)
{
	vduse_irq_wq = alloc_workqueue("vduse-irq", WQ_HIGHPRI | WQ_MEM_RECLAIM | WQ_UNBOUND |
				       WQ_SYSFS, 0);
	if (!vduse_irq_wq)
		return -ENOMEM;
	vduse_irq_cpu_wq = alloc_workqueue("vduse-irq-cpu", WQ_HIGHPRI | WQ_MEM_RECLAIM |
					   VDUSE_WQ_PERCPU, 0);
	if (!vduse_irq_cpu_wq) {
		destroy_workqueue(vduse_irq_wq);
		return -ENOMEM;
	}
	return 0;
}

static void remove_workqueues(void)
{
	destroy_workqueue(vduse_irq_cpu_wq);
	destroy_workqueue(vduse_irq_wq);
}

/* Last step: from here on processes can open the control file. */
static int add_control(void)
{
	control_device = device_create(&vduse_class, NULL, vduse_devt, NULL, "control");
	return PTR_ERR_OR_ZERO(control_device);
}

static int __init vduse_init(void)
{
	int ret;

	vduse_debugfs_init();
	ret = class_register(&vduse_class);
	if (ret)
		goto err_debugfs;
	ret = add_workqueues();
	if (ret)
		goto err_class;
	ret = add_files();
	if (ret)
		goto err_workqueues;
	ret = vduse_mgmt_init();
	if (ret)
		goto err_files;
	ret = add_control();
	if (ret)
		goto err_mgmt;
	return 0;

err_mgmt:
	vduse_mgmt_exit();
err_files:
	remove_files();
err_workqueues:
	remove_workqueues();
err_class:
	class_unregister(&vduse_class);
err_debugfs:
	vduse_debugfs_exit();
	return ret;
}
module_init(vduse_init);

/* Every device holds a module reference, so no device is left. */
static void __exit vduse_exit(void)
{
	device_destroy(&vduse_class, vduse_devt);
	vduse_mgmt_exit();
	remove_files();
	remove_workqueues();
	class_unregister(&vduse_class);
	vduse_debugfs_exit();
	idr_destroy(&registry);
	/* Code of this module frees structures after a grace period. */
	rcu_barrier();
}
module_exit(vduse_exit);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The dpdk-vduse authors");
MODULE_DESCRIPTION("VDUSE: virtio devices served by processes, on the vDPA bus");
