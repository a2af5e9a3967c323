/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Records between two processes that hand a device over. Each is one packet on a socket of packets.
 *
 *   giver  HELLO        what the device is; its state file, its file in the kernel
 *          transport's  what the driver set up
 *          PREPARED     that was all; the taker maps memory and answers
 *   taker  READY        the giver lets the virtqueues come to rest
 *   giver  transport's  where they are
 *          YOURS        from here on the taker serves the device, whatever happens
 *
 * Thread: the application's.
 */
#ifndef VDUSE_HANDOVER_RECORD_H
#define VDUSE_HANDOVER_RECORD_H

#include <assert.h>
#include <stdint.h>

#include <rte_vduse_state.h>

/* Numbers below are messages of the vhost-user protocol. */
enum vduse_record_type {
	VDUSE_RECORD_HELLO = 0x10000,
	VDUSE_RECORD_PREPARED,
	VDUSE_RECORD_READY,
	VDUSE_RECORD_YOURS,
	VDUSE_RECORD_CLIENT, /* vhost-user: the listening socket and the client's */
};

/* Of the records, not of the library: it changes when older processes would misunderstand one. */
#define VDUSE_RECORD_VERSION 1

#define VDUSE_RECORD_FDS  8
#define VDUSE_RECORD_DATA 1024

struct vduse_record {
	uint32_t type;
	uint32_t size; /* bytes of data */
	uint32_t nb_fds;
	int fds[VDUSE_RECORD_FDS]; /* -1: taken, or none */
	uint8_t data[VDUSE_RECORD_DATA];
};

/* The data of HELLO. Its files: bit 0 of files: the state file; bit 1: the device in the kernel. */
struct vduse_record_hello {
	uint32_t version;
	uint32_t files;
	uint32_t tells_ready;
	uint32_t reserved;
	char path[RTE_VDUSE_SOCKET_MAX];
	struct rte_vduse_left left;
};

static_assert(sizeof(struct vduse_record_hello) <= VDUSE_RECORD_DATA, "HELLO is one record");

#define VDUSE_HELLO_STATE  1u
#define VDUSE_HELLO_DEVICE 2u

/* Records to be sent. Their files stay the owner's. */
struct vduse_records {
	struct vduse_record *all;
	uint32_t nb;
	uint32_t room;
};

/* Appends a record and returns it, zeroed but for its type. NULL: no memory. */
struct vduse_record *
vduse_records_add(struct vduse_records *records, uint32_t type);
/* Adds a file to a record. */
void
vduse_record_file(struct vduse_record *record, int fd);
void
vduse_records_free(struct vduse_records *records);

/* Sets how long a send or a receive of the socket may take. */
void
vduse_record_limit(int socket, unsigned int ms);
/* 0, -ETIMEDOUT, or -ECONNRESET: the other process hung up. */
int
vduse_record_send(int socket, const struct vduse_record *record);
int
vduse_records_send(int socket, const struct vduse_records *records);
/* The caller closes its files. -EPROTO: it is malformed. */
int
vduse_record_recv(int socket, struct vduse_record *record);
/* Moves a file out of a record to *fd, and closes what was there. */
void
vduse_record_take(struct vduse_record *record, uint32_t index, int *fd);
/* Closes the files that were not taken. */
void
vduse_record_close(struct vduse_record *record);

#endif /* VDUSE_HANDOVER_RECORD_H */
