/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The pattern of --verify. Input: packet numbers. Output: bytes; a packet may be in pieces.
 * Thread: the lcores of both sides.
 */
#include "packet.h"

/* Makes consecutive packets differ in most bytes. */
static inline uint8_t
packet_seed(uint64_t sequence)
{
	return (uint8_t)((sequence * UINT64_C(0x9e3779b97f4a7c15)) >> 56);
}

/* Its period is longer than the longest packet. */
static inline uint8_t
packet_byte(uint8_t seed, uint32_t offset)
{
	return (uint8_t)(seed + 3 * offset + 5 * (offset >> 8));
}

/* Number of bytes of a piece that belong to the head. */
static inline uint32_t
packet_skip(uint32_t offset, uint32_t len)
{
	uint32_t head = sizeof(struct perf_head);

	return offset >= head ? 0 : RTE_MIN(head - offset, len);
}

void
perf_packet_fill(uint8_t *to, uint64_t sequence, uint32_t offset, uint32_t len)
{
	uint8_t seed = packet_seed(sequence);
	uint32_t i;

	for (i = packet_skip(offset, len); i < len; i++)
		to[i] = packet_byte(seed, offset + i);
}

bool
perf_packet_match(const uint8_t *from, uint64_t sequence, uint32_t offset, uint32_t len)
{
	uint8_t seed = packet_seed(sequence), wrong = 0;
	uint32_t i;

	for (i = packet_skip(offset, len); i < len; i++)
		wrong |= (uint8_t)(from[i] ^ packet_byte(seed, offset + i));
	return wrong == 0;
}
