/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The packed ring (VIRTIO 1.2, section 2.8), inside lib/vring. */
#ifndef VRING_PACKED_H
#define VRING_PACKED_H

#include <vring/vring.h>

/* A position: an index, with the wrap counter in bit 15. */
#define VRING_PACKED_WRAP  0x8000u
#define VRING_PACKED_INDEX 0x7fffu

extern const struct vring_ops vring_packed_ops;

#endif /* VRING_PACKED_H */
