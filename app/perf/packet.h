/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The packets: an Ethernet header, a mark with the packet's number and time of sending, and with
 * --verify bytes computed from the packet's number. Thread: any.
 */
#ifndef PERF_PACKET_H
#define PERF_PACKET_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_ether.h>

#include <rte_vduse_compat.h>

#include "options.h"

#define PERF_MARK_MAGIC 0x76647573

/* Follows the Ethernet header. In host byte order, because it does not leave this machine. */
struct __rte_packed_begin perf_mark {
	uint64_t sequence;
	uint64_t tsc; /* time of sending; 0: not sampled */
	uint32_t len; /* of the packet */
	uint32_t magic;
} __rte_packed_end;

struct perf_head {
	struct rte_ether_hdr ether;
	struct perf_mark mark;
};

static_assert(sizeof(struct perf_head) == RTE_ETHER_HDR_LEN + sizeof(struct perf_mark),
	      "a hole in the head of a packet");
static_assert(sizeof(struct perf_head) <= PERF_PACKET_MIN, "every packet has a head");

/* Source of packets: numbers from 0, lengths in turn. One for each sending virtqueue. */
struct perf_source {
	const struct perf_options *options;
	uint64_t sequence;
	unsigned int size;
};

/* The length of the next packet. */
static inline uint32_t
perf_source_next(struct perf_source *source)
{
	uint32_t len = source->options->sizes[source->size];

	source->size = source->size + 1 == source->options->nb_sizes ? 0 : source->size + 1;
	source->sequence++;
	return len;
}

/* Writes the head of a packet; a time of 0 means that it is not sampled. */
static inline void
perf_packet_head(void *to, uint64_t sequence, uint32_t len, uint64_t tsc)
{
	struct perf_head head = {
		.ether = {
			.dst_addr = { { 2, 0, 0, 0, 0, 1 } },
			.src_addr = { { 2, 0, 0, 0, 0, 2 } },
			.ether_type = RTE_BE16(0x88b5), /* for local experiments */
		},
		.mark = { sequence, tsc, len, PERF_MARK_MAGIC },
	};

	memcpy(to, &head, sizeof(head));
}

static inline struct perf_mark
perf_packet_mark(const void *packet)
{
	struct perf_mark mark;

	memcpy(&mark, (const uint8_t *)packet + offsetof(struct perf_head, mark), sizeof(mark));
	return mark;
}

/* Changes the time in a packet that was refused and is sent again. */
static inline void
perf_packet_stamp(void *packet, uint64_t tsc)
{
	memcpy((uint8_t *)packet + offsetof(struct perf_head, mark.tsc), &tsc, sizeof(tsc));
}

/* Writes len bytes of a packet's pattern from offset on, except the head. */
void
perf_packet_fill(uint8_t *to, uint64_t sequence, uint32_t offset, uint32_t len);

/* Whether these bytes of a packet match its pattern, except the head. */
bool
perf_packet_match(const uint8_t *from, uint64_t sequence, uint32_t offset, uint32_t len);

#endif /* PERF_PACKET_H */
