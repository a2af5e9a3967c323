/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The other side in this process: a test, a fuzzer or a benchmark plays the kernel and the
 * driver. One thread drives it; the device's control thread and pollers are the rest of the
 * process. What the kernel would check, it does not: it can hand out anything.
 */
#ifndef VDUSE_TRANSPORT_LOOPBACK_H
#define VDUSE_TRANSPORT_LOOPBACK_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <linux/vduse.h>

#include <vduse/core/transport.h>

struct vduse_loopback;

/* The transport; transport_priv is a struct vduse_loopback. */
extern const struct vduse_transport_ops vduse_transport_loopback;

/* NULL: no memory or no file descriptor left. */
struct vduse_loopback *
vduse_loopback_new(void);

/* After the device is destroyed. */
void
vduse_loopback_free(struct vduse_loopback *loop);

/* Sends a message. 0 or -EIO. */
int
vduse_loopback_send(struct vduse_loopback *loop, struct vduse_dev_request *req);

/* Waits for the answer to the message sent last, at most timeout_ms. 0, -ETIMEDOUT or -EIO. */
int
vduse_loopback_answer(struct vduse_loopback *loop, struct vduse_dev_response *resp, int timeout_ms);

/* Sends a message and waits for its answer. */
int
vduse_loopback_ask(struct vduse_loopback *loop, struct vduse_dev_request *req,
		   struct vduse_dev_response *resp, int timeout_ms);

/* The message that says that memory changed, all of it. */
static inline struct vduse_dev_request
vduse_loopback_memory_changed(void)
{
	return (struct vduse_dev_request){
		.type = VDUSE_UPDATE_IOTLB,
		.iova = { .start = 0, .last = UINT64_MAX },
	};
}

/* The message that says that the driver writes a byte to the configuration space. */
static inline struct vduse_dev_request
vduse_loopback_config_written(uint32_t offset, uint8_t byte)
{
	struct vduse_transport_write write = { .offset = offset, .len = 1, .data = { byte } };
	struct vduse_dev_request req = { .type = VDUSE_TRANSPORT_CONFIG_WRITE };

	memcpy(req.padding, &write, sizeof(write));
	return req;
}

/* The kernel gives the device up. */
void
vduse_loopback_break(struct vduse_loopback *loop);

/*
 * Adds a region. Kept in the order of the calls. fd stays the caller's, open until the regions
 * are cleared. 0 or -ENOMEM.
 */
int
vduse_loopback_region_add(struct vduse_loopback *loop, uint64_t first, uint64_t last,
			  uint64_t offset, uint8_t perm, int fd);

/* Regions that are there become memory whose pages stay the same. */
void
vduse_loopback_regions_pinnable(struct vduse_loopback *loop);

void
vduse_loopback_regions_clear(struct vduse_loopback *loop);

/* The features that the driver takes. */
void
vduse_loopback_set_features(struct vduse_loopback *loop, uint64_t features);

/* What VQ_GET_INFO says of a virtqueue. */
void
vduse_loopback_set_vq(struct vduse_loopback *loop, uint16_t index,
		      const struct vduse_vq_info *info);

/* The next calls of this operation of the transport fail with err (0: succeed again). */
enum vduse_loopback_op {
	VDUSE_LOOPBACK_VQ_SETUP,
	VDUSE_LOOPBACK_KICK_FD,
	VDUSE_LOOPBACK_CONFIG_CALL,
	VDUSE_LOOPBACK_OPS,
};
void
vduse_loopback_refuse(struct vduse_loopback *loop, enum vduse_loopback_op op, int err);

/*
 * Before the device is created: its driver is up, and another process served it until now. left:
 * what a device type is told of it, or NULL: nothing.
 */
void
vduse_loopback_leave(struct vduse_loopback *loop, const struct rte_vduse_left *left);

/* Before the device is created: a driver may bring larger virtqueues than are announced. */
void
vduse_loopback_vq_size_max(struct vduse_loopback *loop, uint16_t size);

/* Interrupts sent for a virtqueue so far. */
uint64_t
vduse_loopback_calls(struct vduse_loopback *loop, uint16_t index);

/* How long a call takes from now on, us, and whether this thread made the last one. */
void
vduse_loopback_call_takes(struct vduse_loopback *loop, unsigned int us);
bool
vduse_loopback_called_here(struct vduse_loopback *loop);

/* Times that the regions were walked from the start. */
uint64_t
vduse_loopback_walks(struct vduse_loopback *loop);

/* Times that the driver was told of a change of the configuration space. */
uint64_t
vduse_loopback_config_changes(struct vduse_loopback *loop);

/* The kick fd of a virtqueue, or -1. Still the device's. */
int
vduse_loopback_kick_fd(struct vduse_loopback *loop, uint16_t index);

/* Copies bytes of the configuration space. */
void
vduse_loopback_config(struct vduse_loopback *loop, uint32_t offset, void *data, uint32_t len);

#endif /* VDUSE_TRANSPORT_LOOPBACK_H */
