/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A network device with a control queue over the loopback, and its driver: the control queue, and
 * the virtqueues 0 and 2, on which it receives; or four pairs whole. Nothing polls the device unless
 * a test does.
 */
#ifndef LOOPBACK_CTRL_H
#define LOOPBACK_CTRL_H

#include <linux/virtio_net.h>

#include <rte_vduse_net.h>
#include <rte_vduse_state.h>
#include <vduse/loopback/loopback.h>
#include <virtio_net/ctrl.h>
#include <virtio_net/net.h>

#include "unit.h"
#include "vring_driver.h"

#define CTRL_RING   256u
#define BIT(nr)     (UINT64_C(1) << (nr))
#define CTRL_COAL   (BIT(VIRTIO_NET_F_NOTF_COAL) | BIT(VIRTIO_NET_F_VQ_NOTF_COAL))
#define CTRL_COMMON (VNET_CTRL_FEATURES & ~(CTRL_COAL | BIT(VIRTIO_NET_F_DEVICE_STATS)))
/* All that the control queue has, without MQ and what has a name of its own. */
#define CTRL_ALL                                                                                   \
	(BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ACCESS_PLATFORM) | CTRL_COMMON |                   \
	 BIT(VIRTIO_NET_F_GUEST_CSUM) | BIT(VIRTIO_NET_F_CTRL_GUEST_OFFLOADS) |                    \
	 BIT(VIRTIO_NET_F_STATUS) | BIT(VIRTIO_NET_F_MAC) | BIT(VIRTIO_RING_F_INDIRECT_DESC))
#define CTRL_MQ     (CTRL_ALL | BIT(VIRTIO_NET_F_MQ))
#define CTRL_PACKED BIT(VIRTIO_F_RING_PACKED)

/* What an answer that was not written reads as. */
#define CTRL_NO_ANSWER 0xee

enum { CTRL_RX0, CTRL_RX1, CTRL_VQ, CTRL_QUEUES };
/* The other virtqueues of four pairs, from CTRL_QUEUES on, which need MQ or RSS. */
enum { CTRL_RX2 = CTRL_QUEUES, CTRL_RX3, CTRL_TX0, CTRL_TX1, CTRL_TX2, CTRL_TX3, CTRL_ALL_QUEUES };

struct loopback_ctrl {
	struct vduse_loopback *loop;
	struct rte_vduse_net *net;
	uint64_t features;
	struct driver queues[CTRL_ALL_QUEUES];
	uint16_t indices[CTRL_ALL_QUEUES]; /* of the virtqueues */
	uint16_t next_desc[CTRL_ALL_QUEUES];
	unsigned int nb_queues;
	bool whole; /* the driver has all virtqueues of four pairs */
	bool up;
	bool read_only; /* descriptors and avail ring of the control queue may only be read */
};

/* A command as it is laid out. */
struct ctrl_request {
	const void *bytes;
	uint32_t len;
	uint32_t step;     /* bytes of a descriptor; 0: all */
	uint32_t ack;      /* bytes of room for the answer */
	uint32_t ack_step; /* bytes of a descriptor of it; 0: all */
	bool no_ack_desc;  /* there is no descriptor for it at all */
	bool ack_out;      /* its descriptor may only be read */
	bool indirect;
};

/* All that commands may change. */
struct ctrl_state {
	struct vnet_filter filter;
	uint16_t pairs, pairs_used;
	uint64_t offloads, guest_offloads;
	struct virtio_net_config config;
};

/* A device of so many pairs; no driver is up. */
void
loopback_ctrl_create(struct loopback_ctrl *self, uint16_t pairs);
/* The same, with what its configuration says of hashes and steering. */
void
loopback_ctrl_create_hash(struct loopback_ctrl *self, uint16_t pairs, bool hash_report,
			  enum rte_vduse_net_steer steer);
void
loopback_ctrl_destroy(struct loopback_ctrl *self);
/* A new driver, whose rings begin at an index (packed: a place). */
void
loopback_ctrl_up(struct loopback_ctrl *self, uint64_t features, uint16_t index);
/* It resets the device. */
void
loopback_ctrl_reset(struct loopback_ctrl *self);

/*
 * For a test that kills the process that serves the device: rings of a driver without a device, in
 * memory that is shared with children; in the child, the device and the driver; in a process that
 * takes the device over, the device again. self is in memory that is shared, too. come_up: another
 * driver, whose rings were prepared, on the device of the one before.
 */
void
loopback_ctrl_prepare(struct loopback_ctrl *self, uint16_t pairs, uint64_t features);
void
loopback_ctrl_serve(struct loopback_ctrl *self, uint16_t pairs, bool hash_report,
		    enum rte_vduse_net_steer steer);
void
loopback_ctrl_take_over(struct loopback_ctrl *self, uint16_t pairs, bool hash_report,
			enum rte_vduse_net_steer steer, const struct rte_vduse_left *left);
void
loopback_ctrl_come_up(struct loopback_ctrl *self);

/* Makes a command available, and kicks if the device asked for it. Returns its head. */
uint16_t
loopback_ctrl_post(struct loopback_ctrl *self, const struct ctrl_request *request);
/* Waits for the next used chain: its length, and the byte in the place of the answer. */
uint8_t
loopback_ctrl_take(struct loopback_ctrl *self, uint32_t *len);
/* Both, for a command of two bytes and its data. */
uint8_t
loopback_ctrl_command(struct loopback_ctrl *self, uint8_t class, uint8_t command, const void *data,
		      uint32_t len);
/* Memory of the answer to a command at this head: up to 500 bytes. */
uint8_t *
loopback_ctrl_answer(struct loopback_ctrl *self, uint16_t head);
/* Memory of a command that was laid out at this head. */
uint8_t *
loopback_ctrl_room(struct loopback_ctrl *self, uint16_t head);

struct ctrl_state
loopback_ctrl_state(struct loopback_ctrl *self);

/*
 * A packet of len bytes, from a pool of its own of that name. free: frees both; no other packet of the
 * pool is left.
 */
struct rte_mbuf *
loopback_ctrl_packet(const char *name, uint16_t len);
void
loopback_ctrl_packet_free(struct rte_mbuf *packet);

/* The application sends one packet on a pair. Whether the driver received it. */
bool
loopback_ctrl_receives(struct loopback_ctrl *self, uint16_t pair, struct rte_mbuf *packet);

#endif /* LOOPBACK_CTRL_H */
