/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The operations of a transport: the kernel, a vhost-user socket, or a loopback for tests. Messages
 * and virtqueue information have the format of linux/vduse.h.
 * Thread: the application's until vduse_ctrl_add() and after vduse_ctrl_remove(), control between
 * them. start, attach, detach, config_set and config_call: also the application's then. vq_call:
 * also polling threads.
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
struct vduse_record;
struct vduse_records;

/*
 * Message types in addition to those of linux/vduse.h. The first: virtqueue vq_state.index became
 * ready or not ready, or its ring moved. After the answer, no poller uses the old ring.
 */
#define VDUSE_TRANSPORT_VQ_CHANGED 0x1000

/*
 * The second: the driver writes to the configuration space. The padding of the request holds a
 * struct vduse_transport_write. The answer is a failure if the write has no effect.
 */
#define VDUSE_TRANSPORT_CONFIG_WRITE 0x1001

struct vduse_transport_write {
	uint32_t offset;
	uint32_t len;
	uint8_t data[64];
};
static_assert(sizeof(struct vduse_transport_write) <=
		      sizeof(((struct vduse_dev_request *)NULL)->padding),
	      "struct vduse_transport_write does not fit into a request");

/* All return 0 or a negative errno unless they say otherwise. */
struct vduse_transport_ops {
	/*
	 * Describes the device that a process left at a path when it died. priv: transport_priv.
	 * -ENOENT: there is none, or another process serves it.
	 */
	int (*left)(const char *path, void *priv, struct rte_vduse_left *left);
	/*
	 * Creates the device, or takes over the one that a dead process left. Sets dev->fd (which
	 * is readable when a message is pending), dev->taken_over, dev->vq_size_max if drivers may
	 * use larger virtqueues than are announced, and dev->nb_spaces if it can serve the groups
	 * that ctrl_vqs asks for. Logs errors.
	 */
	int (*create)(struct rte_vduse_dev *dev, const struct rte_vduse_dev_conf *conf);
	/*
	 * Whether it can serve the groups that ctrl_vqs asks for, as vduse_conf_ctrl_vqs() returns
	 * it. NULL: it takes ctrl_vqs always.
	 */
	int (*groups)(void);
	/* Undoes create. */
	void (*destroy)(struct rte_vduse_dev *dev);
	/* Accepts drivers. The control thread serves the device already. May be NULL. */
	int (*start)(struct rte_vduse_dev *dev);
	/* Gives the device to a driver; blocks until it is probed. May be NULL. */
	int (*attach)(struct rte_vduse_dev *dev, int attach);
	/* Takes the device from its driver; blocks until it is removed. May be NULL. */
	void (*detach)(struct rte_vduse_dev *dev);
	/* Receives the next message. -EAGAIN: none is pending. */
	int (*recv)(struct rte_vduse_dev *dev, struct vduse_dev_request *req);
	int (*reply)(struct rte_vduse_dev *dev, const struct vduse_dev_response *resp);
	/*
	 * Replaces recv and reply for a transport with its own protocol: receives a message,
	 * handles it with vduse_msg_do() and answers it. -EAGAIN: none is pending; -EINPROGRESS:
	 * it waits for requests in flight, see vduse_drain(), and the next call continues it.
	 */
	int (*serve)(struct rte_vduse_dev *dev);
	/* The first region of an address space that ends at or after from. -ENOENT: none. */
	int (*region)(struct rte_vduse_dev *dev, uint32_t asid, uint64_t from,
		      struct vduse_file_region *region);
	/*
	 * While dev->asks is set: asks the driver for the translation of an address, which comes as
	 * a change of memory. given_up: tells it that the address stays without one. Does not block.
	 * -EINPROGRESS: it comes, however long that takes; -EFAULT: it never does; any other value: it
	 * may come.
	 */
	int (*miss)(struct rte_vduse_dev *dev, uint64_t iova, bool write, bool given_up);
	/* Registers memory of this process in place of a bounce region, or removes it. */
	int (*umem)(struct rte_vduse_dev *dev, bool add, void *va, uint64_t iova, uint64_t size);
	int (*features)(struct rte_vduse_dev *dev, uint64_t *features);
	int (*vq_setup)(struct rte_vduse_dev *dev, uint16_t index, uint16_t max_size);
	int (*vq_info)(struct rte_vduse_dev *dev, uint16_t index, struct vduse_vq_info *info);
	/* A cookie that stays the same as long as the driver uses this ring, or 0. May be NULL. */
	uint64_t (*vq_life)(struct rte_vduse_dev *dev, uint16_t index);
	/* fd: an eventfd for the driver's kicks, or -1 for none. */
	int (*vq_kick_fd)(struct rte_vduse_dev *dev, uint16_t index, int fd);
	/*
	 * The driver's kicks are events of this epoll instance, with ptr as their data, instead of signals
	 * of the eventfd; -1: of the eventfd again. Any thread. NULL: the kernel signals the eventfd by
	 * itself.
	 */
	void (*vq_wake_epoll)(struct rte_vduse_dev *dev, uint16_t index, int epoll_fd, void *ptr);
	/* Interrupts the driver. */
	int (*vq_call)(struct rte_vduse_dev *dev, uint16_t index);
	/* Whether the driver is this kernel's, which nobody makes slow on purpose. NULL: it is not. */
	bool (*driver_is_kernel)(const struct rte_vduse_dev *dev);
	/* Keeps the interrupts of a virtqueue off the processors that poll. May be NULL. */
	void (*vq_affinity)(struct rte_vduse_dev *dev, uint16_t index);
	int (*config_set)(struct rte_vduse_dev *dev, uint32_t offset, const void *data,
			  uint32_t len);
	/* Tells the driver that the configuration space changed. -EINVAL: no driver is up. */
	int (*config_call)(struct rte_vduse_dev *dev);
	/*
	 * A device that moves to another process, see handover/. give_ready: whether it can be given
	 * now: 0; -EAGAIN: soon; or another negative errno. give: appends what the driver set up,
	 * or, rests: where the virtqueues are. give_hold: leaves messages waiting, or goes on to read
	 * them; NULL: the control thread serves nothing of the device meanwhile. given: the other
	 * process has it: closes what both have, and does nothing to it. All NULL: it cannot be
	 * given.
	 */
	int (*give_ready)(const struct rte_vduse_dev *dev);
	int (*give)(struct rte_vduse_dev *dev, bool rests, struct vduse_records *records);
	void (*give_hold)(struct rte_vduse_dev *dev, bool on);
	void (*given)(struct rte_vduse_dev *dev);
	/* Handles what give appended, and takes its files. NULL: give appends nothing. */
	int (*take)(struct rte_vduse_dev *dev, struct vduse_record *record);
	/*
	 * It sends VDUSE_TRANSPORT_VQ_CHANGED. If not, unready virtqueues are polled, unless create
	 * sets dev->tells_ready because VDUSE_SET_VQ_READY is sent.
	 */
	bool tells_ready;
	/* It sends VDUSE_TRANSPORT_CONFIG_WRITE. */
	bool writes_config;
	/* A driver that connects may have been served by a process that died. */
	bool reconnects;
	/* Several devices of this process may have the same path. */
	bool shares_paths;
};

extern const struct vduse_transport_ops vduse_transport_kernel;
extern const struct vduse_transport_ops vduse_transport_vhost_user;

#endif /* VDUSE_TRANSPORT_H */
