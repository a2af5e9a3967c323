/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The driver side of a device: a user of vhost_vdpa, call by call. */
#ifndef CONFORM_VHOST_H
#define CONFORM_VHOST_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include <linux/vhost.h>

#define VHOST_PATH	"/dev/vhost-vdpa-0"

/* Opens it and takes every backend feature that this program knows. */
int
vhost_open(void);

void
vhost_set_status(int vhost, uint8_t status);
uint8_t
vhost_get_status(int vhost);

/* Addresses 0x1000, 0x2000 and 0x3000, and ready. */
void
vhost_set_ring(int vhost, unsigned int index, unsigned int num);
int
vhost_get_base(int vhost, unsigned int index);

/* New eventfds. */
int
vhost_set_kick(int vhost, unsigned int index);
int
vhost_set_call(int vhost, unsigned int index);

/* Shared memory, every byte of it this one. */
void *
vhost_memory(unsigned int pages, uint8_t byte);
int
vhost_map(int vhost, uint32_t asid, uint64_t iova, uint64_t size, void *memory);
int
vhost_unmap(int vhost, uint32_t asid, uint64_t iova, uint64_t size);
/* Between its begin and its end the device does not hear of maps. */
int
vhost_batch(int vhost, uint32_t asid, bool begin);

/* A process that opens it, which waits for an answer. It does not keep fd open. */
pid_t
vhost_start_waiter(int fd);
/* Its errno, 0 for none; -1 if it was killed. */
int
vhost_reap(pid_t pid);

#endif
