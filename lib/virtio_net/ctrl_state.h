/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * What the driver set through the control queue, in the state file: the process that takes the
 * device over after a kill goes on with it. Functions do nothing if there is no file.
 * Thread: control.
 */
#ifndef VNET_CTRL_STATE_H
#define VNET_CTRL_STATE_H

#include <stdbool.h>

struct rte_vduse_net;
struct vnet_coal_params;
struct vnet_queue;

/*
 * Records the state, after commands were accepted and before their chains are published: a command
 * without an answer is carried out again. A process that is killed meanwhile leaves the state before.
 */
void
vnet_ctrl_state_note(struct rte_vduse_net *net);

/* The device was reset, or what the driver set is not known. */
void
vnet_ctrl_state_clear(struct rte_vduse_net *net);

/*
 * Applies what a killed process recorded to the state after a reset. False: there is no usable
 * record, and the state may be changed in part.
 */
bool
vnet_ctrl_state_restore(struct rte_vduse_net *net);

/* Records and reads the coalescing parameters of a virtqueue that carries packets. */
void
vnet_ctrl_state_note_coal(struct vnet_queue *queue, const struct vnet_coal_params *params);
void
vnet_ctrl_state_coal(const struct vnet_queue *queue, struct vnet_coal_params *params);

#endif /* VNET_CTRL_STATE_H */
