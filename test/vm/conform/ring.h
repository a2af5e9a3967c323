/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Split rings of a driver of this kernel, from the device side. The driver is trusted. */
#ifndef CONFORM_RING_H
#define CONFORM_RING_H

#include <stdbool.h>
#include <stdint.h>

#include <linux/virtio_ring.h>

struct ring {
	uint32_t index;
	struct vring_desc *desc;
	struct vring_avail *avail;
	struct vring_used *used;
	uint16_t next;		/* of avail, and of used */
};

/* Goes on where the device was. Ends the program if the driver has no such ring. */
void
ring_open(struct ring *ring, int fd, uint32_t index);

bool
ring_has(const struct ring *ring);

/*
 * Copies the next chain's bytes from buffer to what the device may write, or to buffer from what
 * it may read; base is the bounce memory. Returns how many.
 */
uint32_t
ring_copy(const struct ring *ring, uint8_t *base, void *buffer, uint32_t size, bool write);

/* Gives the next chain back, with so many bytes written. */
void
ring_finish(struct ring *ring, uint32_t written);

#endif
