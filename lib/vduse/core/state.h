/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The state file of a device: memory that outlives a process that is killed. It holds the features
 * that the device offered and those that its driver accepted, the configuration space, and a part
 * for each virtqueue, whose content belongs to the device type. One process has it open.
 */
#ifndef VDUSE_STATE_H
#define VDUSE_STATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <rte_vduse_state.h>

struct vduse_state_header;

/* In struct rte_vduse_dev. */
struct vduse_state {
	struct vduse_state_header *header; /* mapped; NULL: closed */
	size_t header_len;
	int fd;    /* holds the lock */
	bool kept; /* a process that was killed wrote it */
};

/* Tells the path of the file. False: it is closed. Thread: any. */
bool
vduse_state_file(const struct rte_vduse_dev *dev, char *path, size_t size);

/* Closes the file, and removes it if remove is set. Does nothing if it is closed. */
void
vduse_state_close(struct rte_vduse_dev *dev, bool remove);

/* Record the driver's features and a part of the configuration space. Do nothing without a file. */
void
vduse_state_features(struct rte_vduse_dev *dev, uint64_t features);
void
vduse_state_config(struct rte_vduse_dev *dev, uint32_t offset, const void *data, uint32_t len);

/* Records the address space of each group. Does nothing without a file. */
void
vduse_state_groups(struct rte_vduse_dev *dev);

/*
 * Puts each group of a device that is taken over into the address space that the process that died
 * recorded. Returns 0, or -ENOENT if the device has several groups and no file tells.
 */
int
vduse_state_take_groups(struct rte_vduse_dev *dev);

/* Reads the state file for a device's path. Returns 0, or -ENOENT if there is no usable one. */
int
vduse_state_read(const char *device, struct rte_vduse_left *left);

/* A hash of the path, to distinguish sockets of one name. Not 0. */
uint32_t
vduse_state_socket_hash(const char *path);

#endif /* VDUSE_STATE_H */
