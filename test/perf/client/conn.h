/* SPDX-License-Identifier: BSD-3-Clause */
/* The driver's end of a vhost-user socket, as far as one virtqueue needs it. */
#ifndef CLIENT_VHOST_USER_H
#define CLIENT_VHOST_USER_H

#include <stddef.h>
#include <stdint.h>

/* Where the driver has memory that the device shall see, and the file that it is from. */
struct client_memory {
	uint8_t *va;
	size_t size;
	int fd;
};

/* The rings of virtqueue 0, in that memory. */
struct client_rings {
	uint16_t size;
	const void *desc;
	const void *driver;
	const void *device;
};

struct client_conn {
	int fd;
	int kick;
	int call;
	uint64_t features; /* agreed on */
};

/* Zeroed memory. Ends the process when there is none, as all of these do when they fail. */
void
client_memory_create(struct client_memory *memory, size_t size);

/* Connects and takes those of the wanted features that the device has. */
void
client_connect(struct client_conn *conn, const char *path, uint64_t wanted);

void
client_config_read(struct client_conn *conn, void *config, uint32_t len);

/* The device may use the rings from here on. */
void
client_start(struct client_conn *conn, const struct client_memory *memory,
	     const struct client_rings *rings);

/* The device uses them no more. */
void
client_stop(struct client_conn *conn);

#endif /* CLIENT_VHOST_USER_H */
