/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A transport within this process: a test, a fuzzer or a benchmark acts as the kernel and the
 * driver. It does not check what the kernel would check, so tests can pass anything.
 * Thread: one of the test, for all functions here.
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

/* Returns NULL if there is no memory or no file descriptor left. */
struct vduse_loopback *
vduse_loopback_new(void);

/* Must be called after the device is destroyed. */
void
vduse_loopback_free(struct vduse_loopback *loop);

/* Sends a message. Returns 0 or -EIO. */
int
vduse_loopback_send(struct vduse_loopback *loop, struct vduse_dev_request *req);

/* Waits for the answer to the last message, at most timeout_ms. Returns 0, -ETIMEDOUT or -EIO. */
int
vduse_loopback_answer(struct vduse_loopback *loop, struct vduse_dev_response *resp, int timeout_ms);

/* Sends a message and waits for its answer. */
int
vduse_loopback_ask(struct vduse_loopback *loop, struct vduse_dev_request *req,
		   struct vduse_dev_response *resp, int timeout_ms);

/* The message for a change of all memory of an address space. */
static inline struct vduse_dev_request
vduse_loopback_space_changed(uint32_t asid)
{
	return (struct vduse_dev_request){
		.type = VDUSE_UPDATE_IOTLB,
		.iova_v2 = { .start = 0, .last = UINT64_MAX, .asid = asid },
	};
}

/* The same for address space 0. */
static inline struct vduse_dev_request
vduse_loopback_memory_changed(void)
{
	return vduse_loopback_space_changed(0);
}

/* The message for a byte that the driver writes to the configuration space. */
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
 * Adds a region, after those added before. The caller keeps fd open until the regions are cleared.
 * Returns 0 or -ENOMEM.
 */
int
vduse_loopback_region_add(struct vduse_loopback *loop, uint64_t first, uint64_t last,
			  uint64_t offset, uint8_t perm, int fd);

/* The same in the address space asid, 0 or 1. */
int
vduse_loopback_region_add_to(struct vduse_loopback *loop, uint32_t asid, uint64_t first,
			     uint64_t last, uint64_t offset, uint8_t perm, int fd);

/* Marks the regions added so far as memory whose pages stay the same. */
void
vduse_loopback_regions_pinnable(struct vduse_loopback *loop);

void
vduse_loopback_regions_clear(struct vduse_loopback *loop);

/* Sets the features that the driver accepts. */
void
vduse_loopback_set_features(struct vduse_loopback *loop, uint64_t features);

/* Sets what VQ_GET_INFO returns for a virtqueue. */
void
vduse_loopback_set_vq(struct vduse_loopback *loop, uint16_t index,
		      const struct vduse_vq_info *info);

/* Makes an operation of the transport fail with err (0: succeed again). */
enum vduse_loopback_op {
	VDUSE_LOOPBACK_VQ_SETUP,
	VDUSE_LOOPBACK_KICK_FD,
	VDUSE_LOOPBACK_CONFIG_CALL,
	VDUSE_LOOPBACK_OPS,
};
void
vduse_loopback_refuse(struct vduse_loopback *loop, enum vduse_loopback_op op, int err);

/*
 * The driver is up, and another process served it until now. left: what the left operation returns,
 * or NULL for nothing. Must be called before the device is created.
 */
void
vduse_loopback_leave(struct vduse_loopback *loop, const struct rte_vduse_left *left);

/* Allows larger virtqueues than are announced. Must be called before the device is created. */
void
vduse_loopback_vq_size_max(struct vduse_loopback *loop, uint16_t size);

/* Interrupts sent for a virtqueue so far. */
uint64_t
vduse_loopback_calls(struct vduse_loopback *loop, uint16_t index);

/* Sets how much work each interrupt is for its sender, in us of a processor. */
void
vduse_loopback_call_takes(struct vduse_loopback *loop, unsigned int us);

/* Whether the driver is the kernel's: how long its interrupts take does not matter. */
void
vduse_loopback_driver_is_kernel(struct vduse_loopback *loop, bool is);

/* From now on an interrupt waits as long, in microseconds, without work for its sender. */
void
vduse_loopback_call_sleeps(struct vduse_loopback *loop, unsigned int us);
/* hold: an interrupt sent from now on takes until this is called with false. */
void
vduse_loopback_call_hold(struct vduse_loopback *loop, bool hold);
/* Whether a thread is sending an interrupt that is held. */
bool
vduse_loopback_call_held(struct vduse_loopback *loop);
/* Whether the calling thread sent the last interrupt. */
bool
vduse_loopback_called_here(struct vduse_loopback *loop);

/* Number of walks of the regions from the first one. */
uint64_t
vduse_loopback_walks(struct vduse_loopback *loop);

/* Number of configuration interrupts sent. */
uint64_t
vduse_loopback_config_changes(struct vduse_loopback *loop);

/* The kick fd of a virtqueue, or -1. It belongs to the device. */
int
vduse_loopback_kick_fd(struct vduse_loopback *loop, uint16_t index);

/* Copies bytes of the configuration space. */
void
vduse_loopback_config(struct vduse_loopback *loop, uint32_t offset, void *data, uint32_t len);

#endif /* VDUSE_TRANSPORT_LOOPBACK_H */
