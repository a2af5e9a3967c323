/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A network device of one pair over the loopback transport, and its driver: memory in files,
 * rings, packets whose bytes follow from a seed, and what the driver gets to see of ours.
 * Directions here are the driver's: it receives on NET_RX what the device transmits.
 */
#ifndef LOOPBACK_NET_H
#define LOOPBACK_NET_H

#include <linux/virtio_net.h>

#include <rte_mbuf.h>
#include <rte_mempool.h>

#include <rte_vduse_net.h>
#include <vduse/loopback/loopback.h>

#include "unit.h"
#include "vring_driver.h"

#define NET_RX 0
#define NET_TX 1

#define NET_HDR       ((uint32_t)sizeof(struct virtio_net_hdr_v1))
#define NET_FRAME_MAX (65535u + 14 + 8)
/* Largest piece of a chain: the space after each descriptor. */
#define NET_PIECE 4096u

#define FEATURE(name) (UINT64_C(1) << (name))
#define NET_PLAIN     (FEATURE(VIRTIO_F_VERSION_1) | FEATURE(VIRTIO_F_ACCESS_PLATFORM))
#define NET_MERGEABLE (NET_PLAIN | FEATURE(VIRTIO_NET_F_MRG_RXBUF))

#define NET_STATUS_UP                                                                              \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK |      \
	 VIRTIO_CONFIG_S_DRIVER_OK)

struct loopback_net {
	struct vduse_loopback *loop;
	struct rte_vduse_net *net;
	struct rte_vduse_dev *dev;
	struct driver queues[2];
	uint16_t begin;        /* index at which rings are made ready */
	uint16_t next_desc[2]; /* descriptors are used one after the other */
	uint64_t features;
	int fds[2]; /* a file for each queue's memory */
	/* Written by the control thread, atomic. */
	unsigned int links;
	bool up;
};

/* What takes the place of rte_vduse_dev_create() below lib/virtio_net: see meson.build. */
int
__wrap_rte_vduse_dev_create(const struct rte_vduse_dev_conf *conf, struct rte_vduse_dev **dev);
/* The transport's private data for the devices created from now on. */
extern struct vduse_loopback *loopback_net_transport;
/* Whether devices made from now on are said to have been left by a process that was killed. */
extern bool loopback_net_taken_over;

/* A driver's memory and rings of that size, for a device that the caller creates: self->dev. */
void
loopback_net_driver(struct loopback_net *self, uint32_t size, uint64_t features);
/* Creates a device too; no driver is up yet. */
void
loopback_net_create(struct loopback_net *self, uint32_t size, uint64_t features);
/* Destroys the device, if it was created here, and the rest. */
void
loopback_net_destroy(struct loopback_net *self);

/* The driver (re)sets its rings, shows its memory and comes up. */
void
loopback_net_up(struct loopback_net *self);
/* The driver resets the device. */
void
loopback_net_reset(struct loopback_net *self);
void
loopback_net_update(struct loopback_net *self);
/* Updates the regions of the transport without notifying the device. */
void
loopback_net_regions(struct loopback_net *self);

enum rte_vduse_vq_state
loopback_net_state(struct loopback_net *self, unsigned int queue);
void
loopback_net_wait(struct loopback_net *self, unsigned int queue, enum rte_vduse_vq_state state);

/*
 * Lays out a chain of these pieces: for the device to write on NET_RX, to read on NET_TX. Its
 * descriptors follow one another. Returns its head.
 */
uint16_t
loopback_net_chain(struct loopback_net *self, unsigned int queue, const uint32_t *lens,
		   unsigned int nb);
/* The same with an indirect table; all of it in 4 KiB. */
uint16_t
loopback_net_indirect(struct loopback_net *self, unsigned int queue, const uint32_t *lens,
		      unsigned int nb);
/* One of as few pieces as hold len bytes. */
uint16_t
loopback_net_chain_len(struct loopback_net *self, unsigned int queue, uint32_t len);
/* Makes the chain at head available. */
void
loopback_net_post(struct loopback_net *self, unsigned int queue, uint16_t head);

/* Copies bytes of the pieces of the chain at head, as if they were one buffer. */
void
loopback_net_read(struct loopback_net *self, unsigned int queue, uint16_t head, uint32_t offset,
		  void *to, uint32_t len);
void
loopback_net_write(struct loopback_net *self, unsigned int queue, uint16_t head, uint32_t offset,
		   const void *from, uint32_t len);

/* The driver sends a packet of len bytes after a header, in one chain. */
void
loopback_net_send(struct loopback_net *self, uint32_t seed, uint32_t len);
/* Fills a chain with a header and a packet. */
void
loopback_net_fill(struct loopback_net *self, uint16_t head, uint32_t seed, uint32_t len);

/* The driver takes back its sent buffers, checks that they are unchanged, returns their number. */
unsigned int
loopback_net_reap(struct loopback_net *self);

/*
 * The driver receives a packet, of however many chains; it must be this one. Returns the
 * chains that it took. Fails the test if there is none.
 */
unsigned int
loopback_net_receive(struct loopback_net *self, uint32_t seed, uint32_t len);

/* Counters of the packets from the driver (rx), or to it. */
struct rte_vduse_net_stats
loopback_net_stats(const struct loopback_net *self, bool rx);

/* mbufs: a packet in segments of seg bytes, and whether one is that packet. */
struct rte_mempool *
packet_pool(const char *name, unsigned int nb, uint16_t room);
struct rte_mbuf *
packet_new(struct rte_mempool *pool, uint32_t seed, uint32_t len, uint16_t seg);
void
packet_check(const struct rte_mbuf *packet, uint32_t seed, uint32_t len);

#endif /* LOOPBACK_NET_H */
