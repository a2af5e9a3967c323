/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Functions of rte_vhost.h that not every DPDK release from 22.11 on declares. One build of this
 * library works with all of them, so it defines each function.
 */
#ifndef VHOST_NEWER_H
#define VHOST_NEWER_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_vhost.h>

/* The first until 23.07, the second, which replaces it, since 23.03. */
int
rte_vhost_slave_config_change(int vid, bool need_reply);
int
rte_vhost_backend_config_change(int vid, bool need_reply);

/* Since 23.07. */
int
rte_vhost_driver_set_max_queue_num(const char *path, uint32_t max_queue_pairs);
void
rte_vhost_notify_guest(int vid, uint16_t queue_id);

#endif /* VHOST_NEWER_H */
