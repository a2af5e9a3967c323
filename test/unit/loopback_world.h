/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A network device of one pair over the loopback, the driver of one of its virtqueues, and all that
 * this driver knows, in memory that a child shares: one process may go on where another one
 * stopped. Packets follow from their numbers, and each comes once, in order.
 */
#ifndef LOOPBACK_WORLD_H
#define LOOPBACK_WORLD_H

#include <rte_mbuf.h>

#include <virtio_net/net.h>
#include <vduse/loopback/loopback.h>

#include "unit.h"
#include "vring_driver.h"

#define RING    16u
#define SLOTS   8u /* chains that the driver has out at once: at most 2 descriptors each */
#define BURST   8u
#define RX_ROOM 200u /* bytes of a buffer to receive into */
#define LEN_MAX 400u

#define RX 0 /* virtqueues, as the driver sees them */
#define TX 1

/* What the driver knows, shared with the child, which plays both sides. */
struct world {
	struct driver driver;
	uint16_t descs[RING]; /* driver.packed's */
	uint16_t order[RING];
	uint16_t queue;        /* RX or TX */
	uint32_t posted;       /* chains so far */
	uint32_t taken;        /* of them; they come back in order */
	uint32_t slots[SLOTS]; /* 1 + the chain that each has out, or 0 */
	uint32_t received;     /* RX: number of the packet that comes next */
	uint32_t parts;        /* of that packet, still to come */
	uint32_t got;          /* bytes of it */
	uint8_t packet[2 * LEN_MAX];
	uint32_t polled; /* number of the packet that the device handles next */
	bool device;     /* the device's turn: what changes is its doing */
};

extern struct world *world;
extern struct vduse_loopback *world_loop;
extern struct rte_vduse_net *world_net;
/* The test makes it, with room for LEN_MAX bytes. */
extern struct rte_mempool *world_pool;

/* A new driver on new memory, its ring at an index (packed: a place), and a device. */
void
world_begin(uint16_t queue, uint64_t features, uint16_t index);
/* The end of the driver; the device is gone before. */
void
world_end(void);

bool
world_is_packed(void);

/* The driver posts chains, until there are so many or all its slots are out. */
void
world_send(uint32_t until);
/* The driver takes what is used, and checks it. */
void
world_receive(void);

/* The device handles at most nb packets. */
void
world_poll(uint16_t nb);

/* left: another process served the driver until now. The virtqueue is to be set then. */
void
world_device_create(bool left);
void
world_device_destroy(void);
/* What the transport says of the ring: its position is that of its beginning. */
void
world_device_set_vq(uint16_t index);
/* A message, which is accepted. */
void
world_device_ask(struct vduse_dev_request req);
enum rte_vduse_vq_state
world_device_state(void);

#endif /* LOOPBACK_WORLD_H */
