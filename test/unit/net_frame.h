/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Frames of TCP and UDP with checksums, for tests of offloads. Checksums are computed here by
 * definition, one byte at a time, not in the way in which the library does it.
 */
#ifndef NET_FRAME_H
#define NET_FRAME_H

#include "loopback_net.h"

#include <netinet/in.h>

#include <rte_ip.h>
#include <rte_mbuf_ptype.h>
#include <rte_tcp.h>
#include <rte_udp.h>

#include <virtio_net/offload.h>

#define FRAME (65535 + 22)

/* A frame, where its parts are, and its L4 checksum: of all, and of the pseudo header alone. */
struct frame {
	uint8_t bytes[FRAME];
	uint16_t l2, l3;
	uint32_t len;
	uint16_t offset; /* of the checksum in the L4 header */
	uint16_t whole, pseudo;
	bool ipv6, udp;
};

/* Sum of bytes as 16-bit words, and some more, with its carries added. */
uint16_t
frame_sum(const uint8_t *bytes, size_t len, uint32_t sum);
void
frame_store16(uint8_t *to, uint16_t value);
/* Where the L4 header begins. */
uint16_t
frame_l4(const struct frame *frame);
/* The L4 checksum in the frame. */
uint8_t *
frame_field(const struct frame *frame);
/* Fills in the L4 checksum, whole and pseudo. */
void
frame_sums(struct frame *frame);
void
frame_make(struct frame *frame, bool ipv6, bool udp, uint16_t payload, uint32_t seed);
/* Inserts len bytes at a place in the L2 or L3 header, and adapts the IP lengths. */
void
frame_insert(struct frame *frame, uint16_t at, const void *bytes, uint16_t len);
/* The header of a driver that leaves the checksum to the device. */
struct virtio_net_hdr_v1
frame_header(const struct frame *frame);
/* The driver sends a frame after a header, in pieces of that length; 0: as few as there can be. */
void
frame_send(struct loopback_net *net, const struct virtio_net_hdr_v1 *hdr, const struct frame *frame,
	   uint32_t piece);
/*
 * A packet in segments of that length, or of as many bytes as an mbuf has, with the flags of an
 * application that leaves checksums out.
 */
struct rte_mbuf *
frame_packet(struct rte_mempool *pool, const struct frame *frame, uint32_t segment);

/* Payload of a segment of a large frame. */
#define FRAME_SEGMENT 1000u

/* Length of all headers. */
uint16_t
frame_headers(const struct frame *frame);
/* A frame with every flag that segments have or lose. */
void
frame_large(struct frame *frame, bool ipv6, bool udp, uint16_t payload);
/* The header of a driver that leaves its segmentation to the device. */
struct virtio_net_hdr_v1
frame_large_header(const struct frame *frame);
/* The frame that an mbuf has, with the layout of another one. */
void
frame_of(struct frame *segment, const struct frame *like, const struct rte_mbuf *mbuf);
/*
 * Checks one segment of a large frame, with byte at of the payload first. partial: its checksum is
 * that of the pseudo header. Returns the bytes of payload in it.
 */
uint32_t
frame_check_segment(const struct frame *frame, const struct frame *segment, uint32_t at,
		    bool partial);
/* Calls test with frames of all protocols, from one byte of payload to 65000. */
void
frame_each_large(void (*test)(const struct frame *frame, uint32_t number));

#endif /* NET_FRAME_H */
