/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The state file of a device: memory that outlives a process which is killed. It says what the
 * device offered, what its driver took, and, in a part for each virtqueue, what the device type
 * keeps there. One process has it open.
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

/* Closes it; and removes the file, where the device is gone. Harmless on a closed one. */
void
vduse_state_close(struct rte_vduse_dev *dev, bool remove);

/* Notes what the driver took, and a part of the configuration space. Harmless without a file. */
void
vduse_state_features(struct rte_vduse_dev *dev, uint64_t features);
void
vduse_state_config(struct rte_vduse_dev *dev, uint32_t offset, const void *data, uint32_t len);

/* Reads the state file of a device's path. 0; -ENOENT: there is none that can be read. */
int
vduse_state_read(const char *device, struct rte_vduse_left *left);

/* The number that tells sockets of one name apart. */
uint32_t
vduse_state_socket_hash(const char *path);

#endif /* VDUSE_STATE_H */
