/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * What a device needs of the other side: the kernel, a vhost-user socket, or a test that plays
 * the kernel.
 * Messages and virtqueue information are in the format of linux/vduse.h. All calls come
 * from the control thread or, before it knows the device, from the thread that creates it;
 * vq_call also comes from the threads that poll.
 */
#ifndef VDUSE_TRANSPORT_H
#define VDUSE_TRANSPORT_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <linux/vduse.h>

#include <vduse/memory/iotlb.h>

struct rte_vduse_dev;
struct rte_vduse_dev_conf;
struct rte_vduse_left;

/* Beside the types of linux/vduse.h: a virtqueue (vq_state.index) became ready or is not any
 * more, or moved. When it is answered no poller uses it as it was before.
 */
#define VDUSE_TRANSPORT_VQ_CHANGED 0x1000

/* Another one: the driver writes to the configuration space; this is in place of what the
 * request carries. Answered with a failure when it has no effect.
 */
#define VDUSE_TRANSPORT_CONFIG_WRITE 0x1001

struct vduse_transport_write {
	uint32_t offset;
	uint32_t len;
	uint8_t data[64];
};
static_assert(sizeof(struct vduse_transport_write) <=
		      sizeof(((struct vduse_dev_request *)NULL)->padding),
	      "a message has no room for that");

/* All return 0 or a negative errno unless they say otherwise. */
struct vduse_transport_ops {
	/*
	 * What a dead process left at a path (priv: the transport's) for a driver that may still
	 * use it. -ENOENT: nothing, or somebody serves it.
	 */
	int (*left)(const char *path, void *priv, struct rte_vduse_left *left);
	/* Creates the device, or takes over what a dead process left; fills dev->fd (which is
	 * readable when a message waits), dev->taken_over, and dev->vq_size_max where a driver
	 * may bring larger virtqueues than are announced. Logs what goes wrong.
	 */
	int (*create)(struct rte_vduse_dev *dev, const struct rte_vduse_dev_conf *conf);
	/* Undoes create. */
	void (*destroy)(struct rte_vduse_dev *dev);
	/* Lets drivers come; the control thread answers already. May be NULL. */
	int (*start)(struct rte_vduse_dev *dev);
	/* Gives the device to a driver; blocks until it is probed. May be NULL. */
	int (*attach)(struct rte_vduse_dev *dev, int attach);
	/* Takes the device from its driver; blocks until it is removed. May be NULL. */
	void (*detach)(struct rte_vduse_dev *dev);
	/* Takes the next message. -EAGAIN if none waits. */
	int (*recv)(struct rte_vduse_dev *dev, struct vduse_dev_request *req);
	int (*reply)(struct rte_vduse_dev *dev, const struct vduse_dev_response *resp);
	/*
	 * In place of these two, for messages of another protocol: does what one of them says, by
	 * vduse_msg_do(), and answers it. -EAGAIN: none waits; -EINPROGRESS: it waits for requests
	 * in flight, see vduse_drain(), and the next call goes on with it.
	 */
	int (*serve)(struct rte_vduse_dev *dev);
	/* The first region of an address space that ends at or after from. -ENOENT: none. */
	int (*region)(struct rte_vduse_dev *dev, uint32_t asid, uint64_t from,
		      struct vduse_file_region *region);
	/* Puts memory of ours in place of a bounce region, or takes it back. */
	int (*umem)(struct rte_vduse_dev *dev, bool add, void *va, uint64_t iova, uint64_t size);
	int (*features)(struct rte_vduse_dev *dev, uint64_t *features);
	int (*vq_setup)(struct rte_vduse_dev *dev, uint16_t index, uint16_t max_size);
	int (*vq_info)(struct rte_vduse_dev *dev, uint16_t index, struct vduse_vq_info *info);
	/* A number that lasts as long as the driver's ring does, or 0. May be NULL. */
	uint64_t (*vq_life)(struct rte_vduse_dev *dev, uint16_t index);
	/* fd: an eventfd that the driver's kicks go to, or -1 for none. */
	int (*vq_kick_fd)(struct rte_vduse_dev *dev, uint16_t index, int fd);
	/* Interrupts the driver. */
	int (*vq_call)(struct rte_vduse_dev *dev, uint16_t index);
	/* Keeps the interrupts of a virtqueue off the processors that poll. May be NULL. */
	void (*vq_affinity)(struct rte_vduse_dev *dev, uint16_t index);
	int (*config_set)(struct rte_vduse_dev *dev, uint32_t offset, const void *data,
			  uint32_t len);
	/* Tells the driver that the configuration space changed. -EINVAL: no driver is up. */
	int (*config_call)(struct rte_vduse_dev *dev);
	/* It sends VDUSE_TRANSPORT_VQ_CHANGED; else ready virtqueues are looked for. */
	bool tells_ready;
	/* It sends VDUSE_TRANSPORT_CONFIG_WRITE. */
	bool writes_config;
	/* A driver that comes may be one that a process which is dead served before. */
	bool reconnects;
	/* A path is a name only: a device may take over that of another one in this process. */
	bool shares_paths;
};

extern const struct vduse_transport_ops vduse_transport_kernel;
extern const struct vduse_transport_ops vduse_transport_vhost_user;

#endif /* VDUSE_TRANSPORT_H */
