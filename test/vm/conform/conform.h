/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The parts of the conformance program. ours: also run the checks that other modules may not
 * survive.
 */
#ifndef CONFORM_H
#define CONFORM_H

#include <stdbool.h>

void
conform_control(bool ours);
void
conform_device(bool ours);
void
conform_vhost(bool ours);
void
conform_virtio(bool ours);
void
conform_ctrl(bool ours);
void
conform_fs(bool ours);
void
conform_order(bool ours);
void
conform_driver(bool ours);
void
conform_break(bool ours);
/* What conform_control() goes on with. */
void
conform_control_stall(int control, bool ours);
/* Lets virtio_net have control queues, or not. */
void
ctrl_allow(bool on);
/* What conform_vhost() goes on with. */
void
conform_version1(void);
void
conform_stall(int control);
void
conform_race_vhost(int control);
void
conform_no_timeout(int control);
void
conform_freeze(int control);
void
conform_ctrl_vhost(void);
void
conform_break_vhost(int control);
void
conform_suspend(void);
void
conform_ready(void);
void
conform_size(void);
/* And conform_virtio(). */
void
conform_silent(int control);
void
conform_race_virtio(int control);
void
conform_killed(int control);
void
conform_compat(int fd, int control);
void
conform_traffic(int fd);
void
conform_offer(void);
void
conform_size_virtio(bool ours);

#endif
