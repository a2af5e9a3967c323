/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A device of no type over the loopback transport, and its driver. The device's callbacks
 * count, want the descriptor area of a virtqueue to be mapped, and answer what a test tells
 * them to. Whatever goes wrong with a message fails the test.
 */
#ifndef LOOPBACK_DEV_H
#define LOOPBACK_DEV_H

#include <pthread.h>

#include <linux/virtio_config.h>

#include <rte_vduse_compat.h>

#include <vduse/core/device.h>
#include <vduse/virtqueue.h>
#include <rte_vduse.h>
#include <vduse/loopback/loopback.h>

#include "unit.h"

#define LOOPBACK_DEV_VQS      3
#define LOOPBACK_DEV_FEATURES UINT64_C(0x100000001)
#define LOOPBACK_DEV_PACKED   (UINT64_C(1) << VIRTIO_F_RING_PACKED) /* offered, but not taken */

#define STATUS_FEATURES                                                                            \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK)
#define STATUS_UP (STATUS_FEATURES | VIRTIO_CONFIG_S_DRIVER_OK)

#define PERM_RW VDUSE_ACCESS_RW
#define PAGE    UINT64_C(4096)

struct loopback_dev {
	struct vduse_loopback *loop;
	struct rte_vduse_dev *dev;
	struct rte_vduse_vq *vqs[LOOPBACK_DEV_VQS];
	/* Written by the test. */
	int start_result; /* what vq_start returns when the area is mapped */
	bool touch;       /* vq_start and vq_remap read the area, as a ring's would */
	void (*on_status)(struct loopback_dev *self, uint8_t status);
	vduse_vq_serve_t serve; /* for virtqueue 0, on the control thread; or NULL */
	/* Written by the control thread, atomic. */
	unsigned int starts[LOOPBACK_DEV_VQS];
	unsigned int stops[LOOPBACK_DEV_VQS];
	unsigned int remaps[LOOPBACK_DEV_VQS];
	unsigned int statuses;
	unsigned int runs[LOOPBACK_DEV_VQS]; /* times that vq_runs said so, and that it did not */
	unsigned int rests[LOOPBACK_DEV_VQS];
	uint8_t status;
	uint64_t desc[LOOPBACK_DEV_VQS];
	uint32_t position[LOOPBACK_DEV_VQS];
	pthread_t thread; /* that called back */
};

/* A counter of these that the control thread writes. */
static inline unsigned int
loopback_dev_counted(const unsigned int *counter)
{
	return rte_atomic_load_explicit(counter, rte_memory_order_relaxed);
}

/* What rte_vduse_dev_create() would be told for such a device. */
struct rte_vduse_dev_conf
loopback_dev_conf(struct loopback_dev *self);

/* The library maps the rings of such a device. ops: room for its callbacks, as long as it lives. */
void
loopback_dev_conf_mapped(struct rte_vduse_dev_conf *conf, struct rte_vduse_dev_ops *ops);

/* Creates and starts it; self may hold anything. */
void
loopback_dev_start(struct loopback_dev *self);
void
loopback_dev_destroy(struct loopback_dev *self);

/*
 * Starts it with memory in a file of that name and size, whose first page is a region, and virtqueue 0
 * ready with its descriptors at desc. Returns the file. end: destroys it and closes the file.
 */
int
loopback_dev_begin(struct loopback_dev *self, const char *name, uint64_t size, uint64_t desc,
		   uint32_t vq_size);
void
loopback_dev_end(struct loopback_dev *self, int memory);

/* The driver makes a virtqueue ready with its descriptors at desc, or unready (size 0). */
void
loopback_dev_set_vq(struct loopback_dev *self, uint16_t index, uint64_t desc, uint32_t size);

/* The driver sets the status; returns whether it was accepted. */
bool
loopback_dev_set_status(struct loopback_dev *self, uint8_t status);

/* The driver comes up. Returns when the device has started what is ready. */
void
loopback_dev_up(struct loopback_dev *self);

/* The kernel says that memory changed, all of it. */
void
loopback_dev_update(struct loopback_dev *self);

/* A region of driver memory; regions are to be added in the order of their addresses. */
void
loopback_dev_region(struct loopback_dev *self, uint64_t first, uint64_t size, uint64_t offset,
		    uint8_t perm, int fd);

enum rte_vduse_vq_state
loopback_dev_state(struct loopback_dev *self, uint16_t index);

/* Waits until a virtqueue is in that state; fails the test if it does not get there. */
void
loopback_dev_wait(struct loopback_dev *self, uint16_t index, enum rte_vduse_vq_state state);

/* Looks an address up as a poller would. The region is copied; false: there is none. */
bool
loopback_dev_lookup(struct loopback_dev *self, uint16_t index, uint64_t iova,
		    struct rte_vduse_region *region);

/* A poller's burst that needs one address. Returns whether it could run at all. */
bool
loopback_dev_burst(struct loopback_dev *self, uint16_t index, uint64_t iova, bool write);

#endif /* LOOPBACK_DEV_H */
