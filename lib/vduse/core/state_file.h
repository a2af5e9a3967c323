/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The format of a state file: a header with one word for each virtqueue, then, from the next page
 * on, the parts that these words locate. For state.c and state_part.c only.
 */
#ifndef VDUSE_STATE_FILE_H
#define VDUSE_STATE_FILE_H

#include <vduse/core/state.h>

#define VDUSE_STATE_MAGIC   "vduse-st"
#define VDUSE_STATE_VERSION 2
#define VDUSE_STATE_PAGE    UINT64_C(4096)

struct vduse_state_header {
	char magic[8];
	uint32_t version;
	uint32_t device_id;
	uint64_t offered;  /* features */
	uint64_t features; /* that the driver accepted last; atomic */
	uint16_t nb_vqs;
	uint16_t vq_size;
	uint32_t config_size;
	uint32_t has_parts; /* not 0: there are parts */
	uint16_t nb_groups; /* of virtqueues; 0: one */
	uint16_t moved;     /* bit N: group N is in address space 1, not 0; atomic */
	char name[RTE_VDUSE_NAME_MAX];
	uint8_t config[RTE_VDUSE_LEFT_CONFIG_MAX];
	/* For each virtqueue: first page of its part (low 32 bits), page count (high); atomic. */
	uint64_t parts[];
};

/* Bytes before the first part. */
size_t
vduse_state_header_len(uint16_t nb_vqs);

/* Whether all parts lie within the file, which has size bytes. */
bool
vduse_state_whole(int fd, const struct vduse_state_header *header, uint64_t size);

#endif /* VDUSE_STATE_FILE_H */
