/* SPDX-License-Identifier: GPL-2.0-only */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A device, its virtqueues and its messages, and their locks.
 *
 * Locks, outermost first. None is held while a message waits for its answer,
 * except those of the vDPA core:
 *
 *   vduse_registry_lock   mutex   the registry of devices
 *   vduse_dev.lock        mutex   attachment and set-up of a device
 *   vduse_domain.lock     mutex   one address space (domain.h)
 *   vduse_dev.config_lock spin    the configuration space, process context
 *   vduse_messages.lock   spin    messages and the status, process context
 *   vduse_vq.ring_lock    spin    the ring set-up of the driver, process context
 *   vduse_vq.irq_lock     spin    call side of a virtqueue, any context
 *   vduse_vq.kick_lock    spin    kick side of a virtqueue, any context
 *
 * A device lives as long as its struct device is referenced: by the registry,
 * by its open file and by its vDPA device.
 */
#ifndef VDUSE_H
#define VDUSE_H

#include <linux/cpumask.h>
#include <linux/device.h>
#include <linux/kobject.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/vdpa.h>
#include <linux/wait.h>
#include <linux/workqueue.h>

#include <uapi/linux/vduse.h>

#include "domain.h"

#define VDUSE_FEATURES	(BIT_ULL(VDUSE_F_QUEUE_READY) | BIT_ULL(VDUSE_F_SUSPEND))
#define VDUSE_MSG_TIMEOUT_DEFAULT	30
#define VDUSE_CPU_ANY	(-1)

struct vduse_dev;

/* Where the driver's callback runs on an interrupt of the device. */
enum vduse_irq_mode {
	VDUSE_IRQ_WORK,		/* on a kworker of one of the CPUs of the affinity */
	VDUSE_IRQ_INLINE,	/* in the ioctl */
};

/* The ring set-up of the driver. */
struct vduse_ring {
	u32 num;
	u64 desc_addr;
	u64 driver_addr;
	u64 device_addr;
	struct vdpa_vq_state state;
};

struct vduse_vq {
	struct vduse_dev *dev;		/* constant */
	u16 index;			/* constant */
	struct kobject kobj;		/* vqN in sysfs */

	u16 num_max;			/* writers: dev->lock; readers: any */
	u32 group;			/* the same */

	bool ready;			/* writers: irq_lock; readers: any */

	spinlock_t ring_lock;		/* protects ring; process context */
	struct vduse_ring ring;		/* ring_lock */

	spinlock_t kick_lock;		/* any context */
	struct eventfd_ctx *kickfd;	/* kick_lock */
	bool kicked;			/* kick_lock: a kick that found no kickfd */
	struct work_struct kick_work;	/* signals for kicks that must not signal directly */
	u64 kicks;			/* writers: kick_lock; readers: any */

	spinlock_t irq_lock;		/* any context */
	struct vdpa_callback cb;	/* irq_lock */
	enum vduse_irq_mode irq_mode;	/* writers: irq_lock; readers: any */
	int irq_cpu;			/* irq_lock: CPU of the last call */
	struct cpumask irq_affinity;	/* irq_lock; drivers read it without */
	struct work_struct irq_work;
	u64 irqs;			/* writers: irq_lock; readers: any */
};

/* Newer kernels define this type and pass it to the mapping operations. */
struct vduse_vq_group {
	struct vduse_dev *dev;		/* constant */
	u32 asid;			/* writers: dev->lock; constant while a driver maps */
};

struct vduse_messages {
	spinlock_t lock;		/* process context */
	struct list_head pending;	/* lock: not read yet, in order of their ids */
	struct list_head sent;		/* lock: read, not answered */
	u32 next_id;			/* lock */
	bool broken;			/* writers: lock; never unset */
	bool told;			/* writers: lock: see vduse_msg_told() */
	unsigned int timeout;		/* seconds, 0: none; READ_ONCE, WRITE_ONCE */
	wait_queue_head_t readers;
	u64 nr_sent;			/* lock */
	u64 nr_failed;			/* lock */
};

struct vduse_dev {
	struct device dev;
	struct dentry *debugfs;

	/* Constant since creation. */
	u64 api_version;
	u64 vduse_features;
	u64 device_features;
	u32 device_id;
	u32 vendor_id;
	u32 vq_num;
	u32 vq_align;
	u32 ngroups;
	u32 nas;
	u32 config_size;
	struct vduse_vq **vq;

	struct mutex lock;		/* not held while a message waits */
	bool dead;			/* lock: destroyed */
	bool open;			/* lock: a process has opened it */
	struct vdpa_device *vdpa;	/* lock: on the bus */
	unsigned int bounce_size;	/* lock; all address spaces together */
	/* nas of them; NULL before the first attach, then constant. lock. */
	struct vduse_domain **as;
	struct vduse_vq_group *group;	/* ngroups of them */

	spinlock_t config_lock;		/* process context */
	u8 *config;			/* config_lock */
	u32 generation;			/* writers: config_lock */

	u64 driver_features;		/* writers: vDPA ops; readers: any */
	u8 status;			/* writers: msg.lock; readers: any */
	bool suspended;			/* the same; until the next reset */
	struct vduse_messages msg;

	spinlock_t irq_lock;		/* as that of a virtqueue */
	struct vdpa_callback config_cb;	/* irq_lock */
	struct work_struct config_work;

	struct delayed_work ctrl_work;
	bool ctrl_waiting;		/* only used by that work and where it is started */
	u16 ctrl_used;			/* the same */
};

static inline struct vduse_dev *vduse_from_device(struct device *dev)
{
	return container_of(dev, struct vduse_dev, dev);
}

static inline bool vduse_driver_ok(const struct vduse_dev *dev)
{
	return READ_ONCE(dev->status) & VIRTIO_CONFIG_S_DRIVER_OK;
}

/* Whether kicks and calls are delivered. */
static inline bool vduse_is_running(const struct vduse_dev *dev)
{
	return vduse_driver_ok(dev) && !READ_ONCE(dev->suspended);
}

static inline bool vduse_is_packed(const struct vduse_dev *dev)
{
	return READ_ONCE(dev->driver_features) & BIT_ULL(VIRTIO_F_RING_PACKED);
}

/* main.c: devices by name and minor number */
extern struct mutex vduse_registry_lock;
extern const struct class vduse_class;
extern dev_t vduse_devt;
extern struct workqueue_struct *vduse_irq_wq;
extern struct workqueue_struct *vduse_irq_cpu_wq;
struct vduse_dev *vduse_registry_find(const char *name);
struct vduse_dev *vduse_registry_get(unsigned int minor);
int vduse_registry_add(struct vduse_dev *dev);
void vduse_registry_del(struct vduse_dev *dev);

/* control.c: /dev/vduse/control */
extern const struct file_operations vduse_control_fops;

/* device.c: creates and destroys devices; the registry is locked */
int vduse_dev_create(const struct vduse_dev_config *config, const u8 *space, u64 version,
		     u64 features);
int vduse_dev_destroy(const char *name);
/* The address space, or NULL before the first attach or if the number is invalid. */
struct vduse_domain *vduse_dev_domain(struct vduse_dev *dev, u32 asid);

/* chardev.c: /dev/vduse/NAME */
extern const struct file_operations vduse_dev_fops;

/* msg.c: requests to the process and its answers */
void vduse_msg_init(struct vduse_messages *messages);
ssize_t vduse_msg_read(struct vduse_dev *dev, struct iov_iter *to, bool nonblock);
ssize_t vduse_msg_write(struct vduse_dev *dev, struct iov_iter *from);
__poll_t vduse_msg_poll(struct vduse_dev *dev, struct file *file, poll_table *wait);
void vduse_msg_requeue(struct vduse_dev *dev);
/* Call it without spin locks, while the vDPA device exists. */
void vduse_msg_break(struct vduse_dev *dev);
bool vduse_msg_broken(const struct vduse_dev *dev);
/* Whether the process has read a message since the last reset that it answered. */
bool vduse_msg_told(const struct vduse_dev *dev);
/* These wait for the answer: 0, -EIO if it is negative or missing, -EINTR if killed. */
int vduse_msg_get_vq_state(struct vduse_dev *dev, u32 index, struct vdpa_vq_state *state);
int vduse_msg_set_status(struct vduse_dev *dev, u8 status);
int vduse_msg_update_iotlb(struct vduse_dev *dev, u32 asid);
int vduse_msg_set_group_asid(struct vduse_dev *dev, u32 group, u32 asid);
int vduse_msg_set_vq_ready(struct vduse_dev *dev, u32 index, bool ready);
int vduse_msg_suspend(struct vduse_dev *dev);

/* vq.c: kicks, calls and resets of virtqueues */
struct vduse_vq *vduse_vq_alloc(struct vduse_dev *dev, u16 index);
void vduse_vq_free(struct vduse_vq *vq);
void vduse_vq_kick(struct vduse_vq *vq);
int vduse_vq_set_kickfd(struct vduse_vq *vq, int fd);
int vduse_vq_interrupt(struct vduse_vq *vq);
void vduse_vq_set_ready(struct vduse_vq *vq, bool ready);
void vduse_vq_set_callback(struct vduse_vq *vq, const struct vdpa_callback *cb);
void vduse_vq_reset(struct vduse_vq *vq);
void vduse_vq_flush(struct vduse_vq *vq);
void vduse_vq_settle(struct vduse_vq *vq);
int vduse_config_interrupt(struct vduse_dev *dev);
void vduse_config_work(struct work_struct *work);

/* ctrlvq.c: watches virtio_net's control queue from DRIVER_OK to the reset */
void vduse_ctrl_init(struct vduse_dev *dev);
void vduse_ctrl_start(struct vduse_dev *dev);
void vduse_ctrl_stop(struct vduse_dev *dev);

/* broken.c: notifies the driver of a broken device */
void vduse_tell_broken(struct vduse_dev *dev);
/* Breaks the virtio queues, so that requests fail; false if the driver is not virtio. */
bool vduse_break_virtio(struct vduse_dev *dev);
/*
 * The virtio device, with a reference to its struct device, or NULL if the driver
 * is not virtio. Call it from a vDPA operation or between vduse_ctrl_start() and
 * vduse_ctrl_stop(), when the vDPA device exists.
 */
struct virtio_device *vduse_virtio_get(struct vduse_dev *dev);

/* vdpa_ops.c: operations for drivers of the vDPA bus */
extern const struct vdpa_config_ops vduse_vdpa_ops;
extern const struct vdpa_config_ops vduse_vdpa_suspend_ops;
struct vduse_dev *vduse_from_vdpa(struct vdpa_device *vdpa);
bool vduse_driver_is_kernel(const struct vdpa_device *vdpa);

/* mgmt.c: vdpa dev add, vdpa dev del */
int vduse_mgmt_init(void);
void vduse_mgmt_exit(void);

struct vduse_vdpa {
	struct vdpa_device vdpa;
	struct vduse_dev *dev;	/* referenced until the ops' free() */
};

/* map_dma.c or map_virtio.c, depending on the kernel: mapping for drivers of this kernel */
int vduse_map_attach(struct vdpa_device *vdpa);

/* sysfs.c */
extern const struct attribute_group *vduse_dev_groups[];
extern const struct kobj_type vduse_vq_ktype;

/* debugfs.c: counters */
void vduse_debugfs_init(void);
void vduse_debugfs_exit(void);
void vduse_debugfs_add(struct vduse_dev *dev);
void vduse_debugfs_del(struct vduse_dev *dev);

#endif
