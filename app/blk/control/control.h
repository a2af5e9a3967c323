/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The control socket: JSON-RPC 2.0, one request a line. socket.c makes the socket, server.c serves its
 * clients with a thread each, rpc.c answers a line, methods.c and methods_device.c have the methods.
 */
#ifndef BLK_CONTROL_H
#define BLK_CONTROL_H

#include <stdbool.h>
#include <stddef.h>

#include <jansson.h>

#include "../app.h"

/* Bytes of a request without its newline. */
#define CONTROL_LINE_MAX    (64 * 1024)
#define CONTROL_CLIENTS_MAX 16
/* How long a client may take to read an answer, in seconds. */
#define CONTROL_WRITE_S 10

struct control;

/* What a method returns if its parameters are wrong; call->error says how. */
#define CONTROL_BAD_PARAMS 1

/* One call of a method. */
struct control_call {
	json_t *params; /* an object, or what the client sent instead of one */
	int fd;         /* the client's socket */
	struct app_devices *devices;
	json_t *result;  /* set by the method if it returns 0 */
	bool stop;       /* set by the method: the process is to end after the answer */
	char error[256]; /* what is wrong; empty: what the errno says */
};

/* 0, CONTROL_BAD_PARAMS or a negative errno. It may block; only its client waits. */
typedef int (*control_function_t)(struct control_call *call);

struct control_method {
	const char *name;
	control_function_t function;
};

/* server.c: makes the socket of the options; *control is NULL if none is wanted. 0 or -errno. */
int
control_open(struct app_devices *devices, struct control **control);
/* server.c: serves clients from now on. 0 or -errno. NULL is allowed in all of these. */
int
control_start(struct control *control);
/* server.c: takes no more clients, and disconnects those there are; they may still be served. */
void
control_stop(struct control *control);
/* server.c: waits until no client is served any more. */
void
control_join(struct control *control);
/* server.c: removes the socket. */
void
control_close(struct control *control);

/* socket.c: the listening socket of the options; or a negative errno after one line. */
int
control_socket_open(const struct app_devices *devices);
/* socket.c: closes it, and removes its file if it is still that of fd. */
void
control_socket_close(const struct app_devices *devices, int fd);

/*
 * rpc.c: answers a line. Returns the answer, a line without its newline, for the caller to free();
 * NULL for a notification, which has no answer. *stop: whether the process is to end after the answer.
 */
char *
control_rpc(struct app_devices *devices, int fd, const char *line, size_t len, bool *stop);
/* rpc.c: an error that answers no request. As control_rpc(). */
char *
control_rpc_error(int code, const char *text);

#define CONTROL_RPC_INVALID (-32600)
#define CONTROL_RPC_FAILED  (-32000)

/* Tables of methods; the last one's name is NULL. */
extern const struct control_method control_methods[];
extern const struct control_method control_methods_device[];
extern const struct control_method control_methods_handover[];

/* methods.c: reads the parameters as json_unpack() does; no others are allowed. */
int
control_unpack(struct control_call *call, const char *format, ...);
/* methods.c: says what is wrong. Returns ret. */
int
control_fail(struct control_call *call, int ret, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* methods_device.c: app_registry_claim(), and says why a device cannot be claimed. */
int
control_claim(struct control_call *call, const char *name, enum app_state state,
	      struct app_device **device);

/* save.c: writes all devices to a file that --config reads. 0 or -errno. */
int
control_save(struct control_call *call, const char *path);

/*
 * usage.c: whether this kernel uses the disk of a VDUSE device: -EBUSY, and call->error says for what;
 * or 0. Folders below root are looked at, which is "" but in tests.
 */
int
control_usage(struct control_call *call, const char *root, const char *name);

#endif /* BLK_CONTROL_H */
