/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Two network devices of one pair over the loopback transport, and their drivers, each with its
 * memory in a file. A driver writes its split rings itself, right or wrong. The bytes of a packet
 * follow from their places.
 */
#ifndef NET_PEER_H
#define NET_PEER_H

#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <vduse/core/device.h>
#include <vduse/loopback/loopback.h>
#include <virtio_net/net.h>

#include "unit.h"

#define BIT(nr)   (UINT64_C(1) << (nr))
#define PLAIN     (BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ACCESS_PLATFORM))
#define MERGEABLE (PLAIN | BIT(VIRTIO_NET_F_MRG_RXBUF))
#define HDR       sizeof(struct virtio_net_hdr_v1)
#define SIZE      256
#define BUFFERS   0x10000u /* after the rings */
#define BUFFER    2048u
#define MEMORY    (BUFFERS + 2 * SIZE * BUFFER)
#define STATUS_UP                                                                                  \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK |      \
	 VIRTIO_CONFIG_S_DRIVER_OK)

/* A device, its driver's memory and how far the driver got in each virtqueue. */
struct peer {
	struct vduse_loopback *loop;
	struct rte_vduse_net *net;
	uint8_t *memory;
	int fd;
	uint16_t next[2];
	uint16_t seen[2];
	unsigned int links;
};

/* Of the application; see peer_init(). */
extern struct rte_mempool *peer_pool;
extern struct peer peers[2];

/* For main(): as unit_init(), and the pool. 0 or -1. */
int
peer_init(void);

/* For cmocka: both devices, whose drivers are not up. No packet is lost when they go. */
int
peer_setup(void **state);
int
peer_teardown(void **state);

/* The driver sets the status. */
void
peer_tell(struct peer *peer, uint8_t status);
/* The driver comes, new or again, with empty rings. */
void
peer_up(struct peer *peer, uint64_t features);

/* Its rings: virtqueue 0 to the driver, 1 from it. */
struct vring_desc *
peer_desc(struct peer *peer, uint16_t vq);
struct vring_avail *
peer_avail(struct peer *peer, uint16_t vq);
struct vring_used *
peer_used(struct peer *peer, uint16_t vq);
/* Makes the chain at head available. */
void
peer_post(struct peer *peer, uint16_t vq, uint16_t head);

/* The driver sends len bytes over descriptors of piece bytes each, header included. */
void
peer_send(struct peer *peer, uint16_t head, uint32_t len, uint32_t piece);
/* The driver gives nb buffers of len bytes to receive into. */
void
peer_offer(struct peer *peer, uint16_t nb, uint32_t len);
/* The driver takes one packet of len bytes out of as many buffers as the header says. */
void
peer_expect(struct peer *peer, uint32_t len);

/* The application takes what the driver sent. */
uint16_t
peer_receive(struct peer *peer, struct rte_mbuf **mbufs, uint16_t nb);
/* An application's packet in segments of that length, and whether one is a packet of len bytes. */
struct rte_mbuf *
peer_packet(uint32_t len, uint32_t segment);
void
peer_check(struct rte_mbuf *packet, uint32_t len);

#endif /* NET_PEER_H */
