/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The split ring (VIRTIO 1.2, section 2.7), inside lib/vring. */
#ifndef VRING_SPLIT_H
#define VRING_SPLIT_H

#include <vring/vring.h>

extern const struct vring_ops vring_split_ops;

/* split_chain.c: reads the chain at head. False: vq->fault says why, or no scratch is left. */
bool
vring_split_chain(struct vring_vq *vq, uint16_t head, struct rte_vduse_chain *chain);

#endif /* VRING_SPLIT_H */
