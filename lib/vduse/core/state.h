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

#include <rte_vduse.h>

/* Bytes of a configuration space that are kept; a longer one is cut off. */
#define VDUSE_STATE_CONFIG_MAX 256

struct vduse_state_header;

/* In struct rte_vduse_dev. */
struct vduse_state {
	struct vduse_state_header *header; /* mapped; NULL: closed */
	size_t header_len;
	int fd;    /* holds the lock */
	bool kept; /* a process that was killed wrote it */
};

/* What a process that died left behind, and a driver may still use. */
struct vduse_left {
	uint32_t device_id;
	uint16_t nb_vqs;
	uint16_t vq_size;     /* the largest that was promised */
	uint64_t offered;     /* features; 0: unknown */
	uint64_t features;    /* what the driver took */
	uint32_t config_size; /* what is known of the configuration space; 0: nothing */
	uint8_t config[VDUSE_STATE_CONFIG_MAX];
	bool has_parts; /* its virtqueues have parts in the state file */
};

/*
 * Opens the state file of a device that was created. What is in it counts if the device was taken
 * over from a dead process (a line in the log says if it does not) or is a socket, and if it is
 * of the same version and device. Harmless on an open one. Any thread but the control thread.
 *
 * 0; -EBUSY: another process has it; -EPROTO: another version of this program wrote it for a
 * driver that is still there; or what the file system says. One log line, unless quiet is set.
 */
int
rte_vduse_state_open(struct rte_vduse_dev *dev, bool quiet);

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
vduse_state_read(const char *device, struct vduse_left *left);

/* The part of a virtqueue. */
struct rte_vduse_part {
	void *data;  /* size bytes; NULL: closed */
	size_t size; /* a multiple of a page */
	bool kept;   /* a process that was killed wrote it; else it is zeroed */
};

/*
 * Opens the part of a virtqueue with room for size bytes. One that was kept stays if it is large
 * enough; else a new one takes its place, once it is there. Size 0: whatever is there, or -ENOENT.
 * One thread at a time for a device. 0 or what the file system says (-ENOSPC), with one log line;
 * the part is then as it was.
 */
int
rte_vduse_part_open(struct rte_vduse_dev *dev, uint16_t index, size_t size,
		    struct rte_vduse_part *part);
void
rte_vduse_part_close(struct rte_vduse_part *part);

/* Where such files are; made if it was not there, and if that can be done. */
const char *
rte_vduse_state_dir(void);

/* The number that tells sockets of one name apart. */
uint32_t
vduse_state_socket_hash(const char *path);

#endif /* VDUSE_STATE_H */
