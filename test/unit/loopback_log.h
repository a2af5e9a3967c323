/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A process that serves a disk, its driver, and what is left of both when the process is killed:
 * ring, memory and log. A test is all of them; its log lies in a folder of its own.
 */
#ifndef LOOPBACK_LOG_H
#define LOOPBACK_LOG_H

#include <linux/virtio_blk.h>

#include <virtio_blk/blk.h>
#include <vduse/loopback/loopback.h>

#include "unit.h"
#include "vring_driver.h"

#define RING     16u
#define REQUESTS 24u /* of one run */
#define SLOTS    5u  /* requests that the driver has out at once: 3 descriptors each */
#define SECTOR   512u

#define BIT(nr) (UINT64_C(1) << (nr))
#define FEATURES                                                                                   \
	(BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ACCESS_PLATFORM) |                                 \
	 BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_BLK_F_FLUSH))
#define PACKED (FEATURES | BIT(VIRTIO_F_RING_PACKED))

#define STATUS_UP                                                                                  \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK |      \
	 VIRTIO_CONFIG_S_DRIVER_OK)

/* A request is known by its number: it writes the sector of that number. */
enum request_state { REQUEST_NEW, REQUEST_OUT, REQUEST_USED };

/* What the driver knows, shared with the child, which plays both sides. */
struct world {
	struct driver driver;
	uint16_t descs[RING]; /* driver.packed's */
	uint16_t order[RING];
	enum request_state requests[REQUESTS];
	uint32_t nb_posted;
	uint32_t slots[SLOTS]; /* the request of each, or REQUESTS */
	bool device;           /* the device's turn: what changes is its doing */
};

/* All that outlives a process. */
struct picture {
	struct world world;
	uint8_t *memory[2];
	uint8_t *log;
};

extern struct world *world;
extern struct vduse_loopback *loop;
extern struct rte_vduse_blk *blk;
extern uint8_t header[4096]; /* of the state file */
extern size_t header_size;
extern size_t log_size;
extern uint16_t announced; /* the queue size that the device says; the ring has RING */

/* In the order in which they were taken. */
extern struct picture *pictures;
extern unsigned int nb_pictures;

/* The device over a driver's memory as it is. left: the driver is up already. 0 or an errno. */
int
device_try(bool left);
void
device_create(bool left);
void
device_destroy(void);
/* What the transport says of the ring: positions are those of its beginning. */
void
device_set_vq(uint16_t index);
void
device_ask(struct vduse_dev_request req);
enum rte_vduse_vq_state
device_state(void);
/* Another process starts, and finds what is there. */
void
device_restart(uint16_t index);
/* A new driver on new memory, its ring at an index (packed: a place). */
void
world_begin(uint64_t features, uint16_t index);
void
world_end(void);
uint8_t
request_byte(uint32_t request);
/* The driver sends what it has slots for. */
void
driver_send(uint32_t until);
/* It takes what is used. Returns how much. */
unsigned int
driver_receive(void);
void
poll_until_done(void);
/* One sector, through the device. */
uint8_t
disk_byte(uint32_t sector);
/* Where the state file lies. */
void
state_path(char *path, size_t size);
/* Writes a state file with a log. */
void
state_write(const uint8_t *log, size_t size);
/* Keeps what stands before the log in the file. */
void
state_keep(void);
void
picture_take(void);
void
picture_restore(const struct picture *picture);
void
pictures_free(void);

/* For main(): runs tests. Returns what main() is to return. */
#define log_run(tests) log_run_group(#tests, tests, RTE_DIM(tests))
int
log_run_group(const char *name, const struct CMUnitTest *tests, size_t nb);

#endif /* LOOPBACK_LOG_H */
