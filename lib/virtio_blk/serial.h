/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The serial number of a device, which may change while polling threads read it: see serial.c. */
#ifndef VBLK_SERIAL_H
#define VBLK_SERIAL_H

#include <stdint.h>

#include <rte_common.h>

#include <rte_vduse_blk.h>

#define VBLK_SERIAL_WORDS                                                                          \
	(RTE_ALIGN_MUL_CEIL(RTE_VDUSE_BLK_SERIAL_MAX, sizeof(uint64_t)) / sizeof(uint64_t))

/* Version n of the text is in texts[n % 2], padded with NUL. All of it is atomic. */
struct vblk_serial {
	uint32_t version;
	uint64_t texts[2][VBLK_SERIAL_WORDS];
};

/* Changes it, to its first RTE_VDUSE_BLK_SERIAL_MAX characters. Any thread, one at a time. */
void
vblk_serial_set(struct vblk_serial *serial, const char *text);

/* Copies the text, padded with NUL. Any thread; waits for none. */
void
vblk_serial_get(const struct vblk_serial *serial, char text[RTE_VDUSE_BLK_SERIAL_MAX]);

#endif /* VBLK_SERIAL_H */
