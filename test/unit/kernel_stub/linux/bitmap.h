/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef KERNEL_STUB_BITMAP_H
#define KERNEL_STUB_BITMAP_H

#include <linux/kernel.h>

#define STUB_LONG_BITS	(8 * sizeof(unsigned long))
#define DECLARE_BITMAP(name, bits) \
	unsigned long name[((bits) + STUB_LONG_BITS - 1) / STUB_LONG_BITS]

static inline void
__set_bit(unsigned long nr, unsigned long *map)
{
	map[nr / STUB_LONG_BITS] |= 1UL << nr % STUB_LONG_BITS;
}

static inline void
__clear_bit(unsigned long nr, unsigned long *map)
{
	map[nr / STUB_LONG_BITS] &= ~(1UL << nr % STUB_LONG_BITS);
}

static inline void
bitmap_zero(unsigned long *map, unsigned int bits)
{
	memset(map, 0, (bits + STUB_LONG_BITS - 1) / STUB_LONG_BITS * sizeof(long));
}

static inline void
bitmap_set(unsigned long *map, unsigned int start, unsigned int nr)
{
	while (nr-- > 0)
		__set_bit(start++, map);
}

/* Returns bits if all are set. */
static inline unsigned long
find_first_zero_bit(const unsigned long *map, unsigned long bits)
{
	unsigned long nr;

	for (nr = 0; nr < bits; nr++)
		if (!(map[nr / STUB_LONG_BITS] & 1UL << nr % STUB_LONG_BITS))
			break;
	return nr;
}

#endif
