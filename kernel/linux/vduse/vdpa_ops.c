// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
/*
 * vDPA operations, called by virtio_vdpa and vhost_vdpa. Except kicks they are
 * serialised and run in process context. Some send a message and wait.
 */
#include <linux/log2.h>
#include <linux/module.h>
#include <linux/nospec.h>
#include <linux/sched.h>
#include <linux/unaligned.h>
#include <linux/vdpa.h>
#include <linux/vhost_iotlb.h>
#include <linux/virtio_config.h>
#include <uapi/linux/virtio_blk.h>
#include <uapi/linux/virtio_ids.h>
#include <uapi/linux/virtio_net.h>
#include <uapi/linux/virtio_ring.h>

#include "slots.h"
#include "vduse.h"

static bool virtio_ctrl_vq;
module_param(virtio_ctrl_vq, bool, 0644);
MODULE_PARM_DESC(virtio_ctrl_vq,
		 "Offer control queues of net devices to this kernel's own virtio_net too");

/*
 * Features that a net device may offer to a driver of this kernel: those for
 * rings and frames. The consequences of other features have not been checked.
 * VIRTIO_NET_F_STANDBY is excluded because the process chooses the MAC address,
 * and net_failover would enslave the host NIC with that address.
 */
#define NET_FEATURES								\
	(BIT_ULL(VIRTIO_RING_F_INDIRECT_DESC) |					\
	 BIT_ULL(VIRTIO_RING_F_EVENT_IDX) | BIT_ULL(VIRTIO_F_VERSION_1) |	\
	 BIT_ULL(VIRTIO_F_ACCESS_PLATFORM) | BIT_ULL(VIRTIO_F_RING_PACKED) |	\
	 BIT_ULL(VIRTIO_F_IN_ORDER) | BIT_ULL(VIRTIO_F_ORDER_PLATFORM) |	\
	 BIT_ULL(VIRTIO_NET_F_CSUM) | BIT_ULL(VIRTIO_NET_F_GUEST_CSUM) |	\
	 BIT_ULL(VIRTIO_NET_F_MTU) | BIT_ULL(VIRTIO_NET_F_MAC) |		\
	 BIT_ULL(VIRTIO_NET_F_GUEST_TSO4) | BIT_ULL(VIRTIO_NET_F_GUEST_TSO6) |	\
	 BIT_ULL(VIRTIO_NET_F_GUEST_ECN) | BIT_ULL(VIRTIO_NET_F_GUEST_UFO) |	\
	 BIT_ULL(VIRTIO_NET_F_HOST_TSO4) | BIT_ULL(VIRTIO_NET_F_HOST_TSO6) |	\
	 BIT_ULL(VIRTIO_NET_F_HOST_ECN) | BIT_ULL(VIRTIO_NET_F_HOST_UFO) |	\
	 BIT_ULL(VIRTIO_NET_F_MRG_RXBUF) | BIT_ULL(VIRTIO_NET_F_STATUS) |	\
	 BIT_ULL(VIRTIO_NET_F_GUEST_USO4) | BIT_ULL(VIRTIO_NET_F_GUEST_USO6) |	\
	 BIT_ULL(VIRTIO_NET_F_HOST_USO) | BIT_ULL(VIRTIO_NET_F_GUEST_HDRLEN) |	\
	 BIT_ULL(VIRTIO_NET_F_SPEED_DUPLEX))

/* Features that need a control queue. virtio_net waits for an answer to each command. */
#define NET_CTRL_FEATURES							\
	(BIT_ULL(VIRTIO_NET_F_CTRL_VQ) | BIT_ULL(VIRTIO_NET_F_CTRL_RX) |	\
	 BIT_ULL(VIRTIO_NET_F_CTRL_RX_EXTRA) |					\
	 BIT_ULL(VIRTIO_NET_F_CTRL_VLAN) | BIT_ULL(VIRTIO_NET_F_MQ) |		\
	 BIT_ULL(VIRTIO_NET_F_GUEST_ANNOUNCE) |					\
	 BIT_ULL(VIRTIO_NET_F_CTRL_MAC_ADDR) |					\
	 BIT_ULL(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) |				\
	 BIT_ULL(VIRTIO_NET_F_DEVICE_STATS) |					\
	 BIT_ULL(VIRTIO_NET_F_RSS) | BIT_ULL(VIRTIO_NET_F_HASH_REPORT) |	\
	 BIT_ULL(VIRTIO_NET_F_NOTF_COAL) | BIT_ULL(VIRTIO_NET_F_VQ_NOTF_COAL))

struct vduse_dev *vduse_from_vdpa(struct vdpa_device *vdpa)
{
	return container_of(vdpa, struct vduse_vdpa, vdpa)->dev;
}

static struct vduse_vq *vq_of(struct vdpa_device *vdpa, u16 index)
{
	return vduse_from_vdpa(vdpa)->vq[index];
}

static int op_set_vq_address(struct vdpa_device *vdpa, u16 index, u64 desc_area, u64 driver_area,
			     u64 device_area)
{
	struct vduse_vq *vq = vq_of(vdpa, index);

	spin_lock(&vq->ring_lock);
	vq->ring.desc_addr = desc_area;
	vq->ring.driver_addr = driver_area;
	vq->ring.device_addr = device_area;
	spin_unlock(&vq->ring_lock);
	return 0;
}

/* Only packed rings may have sizes that are not a power of two. */
static bool vq_size_is_valid(const struct vduse_vq *vq, u32 num)
{
	return num && num <= READ_ONCE(vq->num_max) &&
	       (is_power_of_2(num) || vduse_is_packed(vq->dev));
}

/*
 * The process sized its tables for num_max entries. If the driver sets an
 * invalid size, the virtqueue has no size and cannot become ready. A ready
 * virtqueue keeps its size.
 */
static void op_set_vq_num(struct vdpa_device *vdpa, u16 index, u32 num)
{
	struct vduse_vq *vq = vq_of(vdpa, index);
	bool valid = vq_size_is_valid(vq, num);

	spin_lock(&vq->ring_lock);
	if (!READ_ONCE(vq->ready))
		vq->ring.num = valid ? num : 0;
	spin_unlock(&vq->ring_lock);
	if (!valid)
		dev_warn_ratelimited(&vq->dev->dev,
				     "virtqueue %u: size %u refused, at most %u: it stays disabled\n",
				     index, num, READ_ONCE(vq->num_max));
}

/* The largest size for the driver. For a split ring it is rounded down to a power of two. */
static u16 op_get_vq_size(struct vdpa_device *vdpa, u16 index)
{
	struct vduse_vq *vq = vq_of(vdpa, index);
	u16 num_max = READ_ONCE(vq->num_max);
	u32 num;

	spin_lock(&vq->ring_lock);
	num = vq->ring.num;
	spin_unlock(&vq->ring_lock);
	if (num || !num_max || vduse_is_packed(vq->dev))
		return num ? num : num_max;
	return rounddown_pow_of_two(num_max);
}

/* A virtqueue that the process cannot serve never becomes ready. */
static bool vq_may_be_ready(struct vduse_vq *vq)
{
	bool may;

	spin_lock(&vq->ring_lock);
	may = vq_size_is_valid(vq, vq->ring.num);
	spin_unlock(&vq->ring_lock);
	return may;
}

static u16 op_get_vq_num_max(struct vdpa_device *vdpa)
{
	struct vduse_dev *dev = vduse_from_vdpa(vdpa);
	u16 max = 0;
	u32 i;

	for (i = 0; i < dev->vq_num; i++)
		max = max(max, READ_ONCE(dev->vq[i]->num_max));
	return max;
}

static u32 op_get_vq_align(struct vdpa_device *vdpa)
{
	return vduse_from_vdpa(vdpa)->vq_align;
}

static u32 op_get_vq_group(struct vdpa_device *vdpa, u16 index)
{
	return READ_ONCE(vq_of(vdpa, index)->group);
}

static void op_kick_vq(struct vdpa_device *vdpa, u16 index)
{
	vduse_vq_kick(vq_of(vdpa, index));
}

static void op_set_vq_cb(struct vdpa_device *vdpa, u16 index, struct vdpa_callback *cb)
{
	vduse_vq_set_callback(vq_of(vdpa, index), cb);
}

/*
 * The process starts serving a virtqueue when it reads the message, and stops
 * before it answers. Therefore the virtqueue is ready while the message waits,
 * so that no kick is lost. If the process refuses, its state is unknown.
 */
static void op_set_vq_ready(struct vdpa_device *vdpa, u16 index, bool ready)
{
	struct vduse_dev *dev = vduse_from_vdpa(vdpa);
	struct vduse_vq *vq = vq_of(vdpa, index);
	int ret = 0;

	if (ready && !vq_may_be_ready(vq))
		return;
	if ((dev->vduse_features & BIT_ULL(VDUSE_F_QUEUE_READY)) && vq->ready != ready) {
		vduse_vq_set_ready(vq, true);
		ret = vduse_msg_set_vq_ready(dev, index, ready);
		if (ret == -EIO)
			vduse_msg_break(dev);
	}
	vduse_vq_set_ready(vq, ready && !ret);
}

static bool op_get_vq_ready(struct vdpa_device *vdpa, u16 index)
{
	return READ_ONCE(vq_of(vdpa, index)->ready);
}

static int op_set_vq_state(struct vdpa_device *vdpa, u16 index, const struct vdpa_vq_state *state)
{
	struct vduse_vq *vq = vq_of(vdpa, index);
	struct vdpa_vq_state copy = {};

	/* The rest of the union is uninitialised in the caller. */
	if (vduse_is_packed(vq->dev))
		copy.packed = state->packed;
	else
		copy.split = state->split;
	spin_lock(&vq->ring_lock);
	vq->ring.state = copy;
	spin_unlock(&vq->ring_lock);
	return 0;
}

static int op_get_vq_state(struct vdpa_device *vdpa, u16 index, struct vdpa_vq_state *state)
{
	return vduse_msg_get_vq_state(vduse_from_vdpa(vdpa), index, state);
}

static int op_set_vq_affinity(struct vdpa_device *vdpa, u16 index, const struct cpumask *mask)
{
	struct vduse_vq *vq = vq_of(vdpa, index);
	unsigned long flags;

	spin_lock_irqsave(&vq->irq_lock, flags);
	if (mask)
		cpumask_copy(&vq->irq_affinity, mask);
	else
		cpumask_setall(&vq->irq_affinity);
	spin_unlock_irqrestore(&vq->irq_lock, flags);
	return 0;
}

static const struct cpumask *op_get_vq_affinity(struct vdpa_device *vdpa, u16 index)
{
	return &vq_of(vdpa, index)->irq_affinity;
}

static u32 op_get_device_id(struct vdpa_device *vdpa)
{
	return vduse_from_vdpa(vdpa)->device_id;
}

static u32 op_get_vendor_id(struct vdpa_device *vdpa)
{
	return vduse_from_vdpa(vdpa)->vendor_id;
}

/*
 * vhost_vdpa passes on the requests of its process. Every other driver counts as
 * a driver of this kernel, which trusts the device. vhost_vdpa can only be
 * identified by its name, because it exports nothing else.
 */
bool vduse_driver_is_kernel(const struct vdpa_device *vdpa)
{
	const struct device_driver *driver = READ_ONCE(vdpa->dev.driver);

	return driver && strcmp(driver->name, "vhost_vdpa");
}

/*
 * virtio_net holds the network lock while it spins for an answer on the control
 * queue: a process that does not answer would stop the machine. vhost_vdpa only
 * passes the queue on.
 */
static u64 op_get_device_features(struct vdpa_device *vdpa)
{
	struct vduse_dev *dev = vduse_from_vdpa(vdpa);
	u64 allowed = NET_FEATURES;

	if (dev->device_id != VIRTIO_ID_NET || !vduse_driver_is_kernel(vdpa))
		return dev->device_features;
	if (READ_ONCE(virtio_ctrl_vq) && (dev->device_features & BIT_ULL(VIRTIO_NET_F_CTRL_VQ))) {
		allowed |= NET_CTRL_FEATURES;
		allowed &= ~BIT_ULL(VIRTIO_F_RING_PACKED);	/* ctrlvq.c reads split rings */
	}
	return dev->device_features & allowed;
}

static int op_set_driver_features(struct vdpa_device *vdpa, u64 features)
{
	WRITE_ONCE(vduse_from_vdpa(vdpa)->driver_features, features);
	return 0;
}

static u64 op_get_driver_features(struct vdpa_device *vdpa)
{
	return READ_ONCE(vduse_from_vdpa(vdpa)->driver_features);
}

static void op_set_config_cb(struct vdpa_device *vdpa, struct vdpa_callback *cb)
{
	struct vduse_dev *dev = vduse_from_vdpa(vdpa);
	unsigned long flags;

	spin_lock_irqsave(&dev->irq_lock, flags);
	dev->config_cb = *cb;
	spin_unlock_irqrestore(&dev->irq_lock, flags);
}

static u8 op_get_status(struct vdpa_device *vdpa)
{
	return READ_ONCE(vduse_from_vdpa(vdpa)->status);
}

/* There is no error to return: a caller reads the status back, which changes only on success. */
static void op_set_status(struct vdpa_device *vdpa, u8 status)
{
	struct vduse_dev *dev = vduse_from_vdpa(vdpa);

	if (!vduse_msg_set_status(dev, status) && vduse_driver_is_kernel(vdpa) &&
	    (status & VIRTIO_CONFIG_S_DRIVER_OK))
		vduse_ctrl_start(dev);
}

static size_t op_get_config_size(struct vdpa_device *vdpa)
{
	return vduse_from_vdpa(vdpa)->config_size;
}

/* Half of the bounce memory, so that two CPUs can each build a request. */
static u32 max_segments(struct vduse_dev *dev)
{
	size_t size = vduse_dev_domain(dev, 0)->bounce.size;

	return max_t(u32, size / 2 / vduse_slots_max(size), 1);
}

/*
 * A request of virtio_blk that is larger than all bounce memory would wait for
 * it forever, so the driver is offered fewer segments than the process accepts.
 */
static void limit_requests(struct vdpa_device *vdpa, unsigned int offset, void *buf,
			   unsigned int len)
{
	const unsigned int at = offsetof(struct virtio_blk_config, seg_max);
	struct vduse_dev *dev = vduse_from_vdpa(vdpa);
	u32 segments;
	void *field;

	if (dev->device_id != VIRTIO_ID_BLOCK || !vduse_driver_is_kernel(vdpa) || offset > at ||
	    len < at - offset + sizeof(segments))
		return;
	field = buf + (at - offset);
	segments = min(get_unaligned_le32(field), max_segments(dev));
	put_unaligned_le32(segments, field);
}

static void op_get_config(struct vdpa_device *vdpa, unsigned int offset, void *buf,
			  unsigned int len)
{
	struct vduse_dev *dev = vduse_from_vdpa(vdpa);

	memset(buf, 0, len);
	if (offset >= dev->config_size)
		return;
	spin_lock(&dev->config_lock);
	memcpy(buf, dev->config + offset, min(len, dev->config_size - offset));
	spin_unlock(&dev->config_lock);
	limit_requests(vdpa, offset, buf, len);
}

/* The configuration space is read-only for drivers: the process would not see writes. */
static void op_set_config(struct vdpa_device *vdpa, unsigned int offset, const void *buf,
			  unsigned int len)
{
}

static u32 op_get_generation(struct vdpa_device *vdpa)
{
	return READ_ONCE(vduse_from_vdpa(vdpa)->generation);
}

/* There is no resume: only a reset ends the suspension. */
static int op_suspend(struct vdpa_device *vdpa)
{
	struct vduse_dev *dev = vduse_from_vdpa(vdpa);
	int ret;
	u32 i;

	ret = vduse_msg_suspend(dev);
	if (ret)
		return ret;
	flush_work(&dev->config_work);
	for (i = 0; i < dev->vq_num; i++)
		vduse_vq_settle(dev->vq[i]);
	return 0;
}

static void reset_driver_state(struct vduse_dev *dev)
{
	unsigned long flags;
	u32 i;

	spin_lock(&dev->msg.lock);
	WRITE_ONCE(dev->status, 0);
	WRITE_ONCE(dev->suspended, false);
	spin_unlock(&dev->msg.lock);
	WRITE_ONCE(dev->driver_features, 0);

	spin_lock(&dev->config_lock);
	WRITE_ONCE(dev->generation, dev->generation + 1);
	spin_unlock(&dev->config_lock);

	spin_lock_irqsave(&dev->irq_lock, flags);
	memset(&dev->config_cb, 0, sizeof(dev->config_cb));
	spin_unlock_irqrestore(&dev->irq_lock, flags);
	for (i = 0; i < dev->vq_num; i++)
		vduse_vq_reset(dev->vq[i]);
}

static void reset_address_spaces(struct vduse_dev *dev)
{
	u32 i;

	mutex_lock(&dev->lock);
	for (i = 0; i < dev->nas; i++)
		vduse_domain_reset(dev->as[i]);
	for (i = 0; i < dev->ngroups; i++)
		WRITE_ONCE(dev->group[i].asid, 0);
	mutex_unlock(&dev->lock);
}

/*
 * The user was killed before the process read any of its messages: there is
 * nothing to undo, and a dying task must not wait for an answer, because nothing
 * could interrupt that wait.
 */
static bool nothing_to_reset(const struct vduse_dev *dev)
{
	return !vduse_msg_told(dev) && (current->flags & PF_SIGNALED);
}

/*
 * The kernel side is reset whatever the process answers, and this always returns
 * success: if the reset in vhost_vdpa's open() failed while the device is
 * removed, the removal would wait forever for a file that is never closed.
 */
static int op_reset(struct vdpa_device *vdpa)
{
	struct vduse_dev *dev = vduse_from_vdpa(vdpa);
	u32 i;

	if (!nothing_to_reset(dev))
		vduse_msg_set_status(dev, 0);
	vduse_ctrl_stop(dev);
	reset_driver_state(dev);
	reset_address_spaces(dev);
	flush_work(&dev->config_work);
	for (i = 0; i < dev->vq_num; i++)
		vduse_vq_flush(dev->vq[i]);
	return 0;
}

/* Notify the process of the new map. If it refuses, restore the old map. */
static int op_set_map(struct vdpa_device *vdpa, unsigned int asid, struct vhost_iotlb *iotlb)
{
	struct vduse_dev *dev = vduse_from_vdpa(vdpa);
	struct vduse_domain *domain = vduse_dev_domain(dev, asid);
	struct vhost_iotlb *map;
	int ret;

	if (!domain)
		return -EINVAL;
	ret = vduse_domain_set_user(domain, iotlb, &map);
	if (ret)
		return ret;
	ret = vduse_msg_update_iotlb(dev, asid);
	if (ret)
		vduse_domain_swap_user(domain, &map);
	vduse_domain_free_user(map);
	return ret;
}

/* vhost_vdpa releases an address space: lookups must not find its regions afterwards. */
static int op_reset_map(struct vdpa_device *vdpa, unsigned int asid)
{
	struct vduse_dev *dev = vduse_from_vdpa(vdpa);
	struct vduse_domain *domain = vduse_dev_domain(dev, asid);
	struct vhost_iotlb *map = NULL;
	int ret;

	if (!domain)
		return -EINVAL;
	vduse_domain_swap_user(domain, &map);
	if (!map)
		return 0;
	ret = vduse_msg_update_iotlb(dev, asid);
	vduse_domain_free_user(map);
	return ret;
}

static int op_set_group_asid(struct vdpa_device *vdpa, unsigned int group, unsigned int asid)
{
	struct vduse_dev *dev = vduse_from_vdpa(vdpa);
	int ret;

	if (dev->api_version < VDUSE_API_VERSION_1 || group >= dev->ngroups || asid >= dev->nas)
		return -EINVAL;
	if (vduse_driver_ok(dev))
		return -EBUSY;
	/* The process of vhost_vdpa chooses both values. */
	group = array_index_nospec(group, dev->ngroups);
	asid = array_index_nospec(asid, dev->nas);
	ret = vduse_msg_set_group_asid(dev, group, asid);
	if (ret)
		return ret;
	mutex_lock(&dev->lock);
	WRITE_ONCE(dev->group[group].asid, asid);
	mutex_unlock(&dev->lock);
	return 0;
}

#ifdef VDUSE_HAVE_VDPA_MAP
static union virtio_map op_get_vq_map(struct vdpa_device *vdpa, u16 index)
{
	struct vduse_dev *dev = vduse_from_vdpa(vdpa);

	return (union virtio_map) { .group = &dev->group[op_get_vq_group(vdpa, index)] };
}

#define VDUSE_MAP_OPS	.get_vq_map = op_get_vq_map,
#else
#define VDUSE_MAP_OPS
#endif

/* The last reference to the vDPA device is gone. The address spaces are kept for the next one. */
static void op_free(struct vdpa_device *vdpa)
{
	struct vduse_dev *dev = vduse_from_vdpa(vdpa);

	mutex_lock(&dev->lock);
	dev->vdpa = NULL;
	mutex_unlock(&dev->lock);
	put_device(&dev->dev);
}

#define VDUSE_OPS						\
	VDUSE_MAP_OPS						\
	.set_vq_address		= op_set_vq_address,		\
	.set_vq_num		= op_set_vq_num,		\
	.kick_vq		= op_kick_vq,			\
	.set_vq_cb		= op_set_vq_cb,			\
	.set_vq_ready		= op_set_vq_ready,		\
	.get_vq_ready		= op_get_vq_ready,		\
	.set_vq_state		= op_set_vq_state,		\
	.get_vq_state		= op_get_vq_state,		\
	.get_vq_size		= op_get_vq_size,		\
	.get_vq_align		= op_get_vq_align,		\
	.get_vq_group		= op_get_vq_group,		\
	.get_device_features	= op_get_device_features,	\
	.set_driver_features	= op_set_driver_features,	\
	.get_driver_features	= op_get_driver_features,	\
	.set_config_cb		= op_set_config_cb,		\
	.get_vq_num_max		= op_get_vq_num_max,		\
	.get_device_id		= op_get_device_id,		\
	.get_vendor_id		= op_get_vendor_id,		\
	.get_status		= op_get_status,		\
	.set_status		= op_set_status,		\
	.get_config_size	= op_get_config_size,		\
	.get_config		= op_get_config,		\
	.set_config		= op_set_config,		\
	.get_generation		= op_get_generation,		\
	.set_vq_affinity	= op_set_vq_affinity,		\
	.get_vq_affinity	= op_get_vq_affinity,		\
	.reset			= op_reset,			\
	.set_map		= op_set_map,			\
	.reset_map		= op_reset_map,			\
	.set_group_asid		= op_set_group_asid,		\
	.free			= op_free

const struct vdpa_config_ops vduse_vdpa_ops = {
	VDUSE_OPS,
};

/* vhost_vdpa offers the operations that are set here. */
const struct vdpa_config_ops vduse_vdpa_suspend_ops = {
	VDUSE_OPS,
	.suspend		= op_suspend,
};
