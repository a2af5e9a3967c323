/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The connection of one virtqueue to a device: a vhost-user socket, or vhost-vdpa. */
#ifndef CLIENT_CONN_H
#define CLIENT_CONN_H

#include <stddef.h>
#include <stdint.h>

/* Where the driver has memory that the device shall see, and the file that it is from. */
struct client_memory {
	uint8_t *va;
	size_t size;
	int fd;
};

/* The rings of virtqueue 0, in that memory. Their addresses, and all others, are the driver's. */
struct client_rings {
	uint16_t size;
	const void *desc;
	const void *driver;
	const void *device;
};

struct client_transport;

struct client_conn {
	const struct client_transport *transport;
	int fd;
	int kick;
	uint64_t features; /* agreed on */
};

/* What a transport does. Each ends the process when it fails, as all functions here do. */
struct client_transport {
	/* Takes those of the wanted features that the device has. */
	void (*connect)(struct client_conn *conn, const char *path, uint64_t wanted);
	void (*config_read)(struct client_conn *conn, void *config, uint32_t len);
	/* The device may use the rings from here on. */
	void (*start)(struct client_conn *conn, const struct client_memory *memory,
		      const struct client_rings *rings);
	/* The device uses them no more. */
	void (*stop)(struct client_conn *conn);
};

extern const struct client_transport client_vhost_user;
extern const struct client_transport client_vhost_vdpa;

/* Zeroed memory. */
void
client_memory_create(struct client_memory *memory, size_t size);
/* The same, but each page takes memory only once it is written. */
void
client_memory_reserve(struct client_memory *memory, size_t size);

/* A path to a socket, or to a character device of vhost-vdpa. */
void
client_connect(struct client_conn *conn, const char *path, uint64_t wanted);
void
client_disconnect(struct client_conn *conn);

#endif /* CLIENT_CONN_H */
