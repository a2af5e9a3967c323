/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* A VDUSE device, controlled ioctl by ioctl. */
#ifndef CONFORM_DEV_H
#define CONFORM_DEV_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include <linux/vduse.h>

#define DEV_NAME	"conform0"
#define DEV_PATH	"/dev/vduse/" DEV_NAME
#define DEV_CONFIG_SIZE	64
#define DEV_VQ_SIZE	256

/* What create_dev() takes, with room for the configuration that ends it. */
struct dev_arg {
	union {
		struct vduse_dev_config config;
		uint8_t room[sizeof(struct vduse_dev_config) + 8192];
	};
};

/* A net device with two virtqueues, that nothing is wrong with. */
void
dev_arg_init(struct dev_arg *arg);

/* An open control file of the given version; -1 if the kernel does not have it. */
int
control_open(uint64_t version);

int
dev_create(int control, const struct dev_arg *arg);
int
dev_destroy(int control, const char *name);
/* Creates, sets the virtqueues up and opens the device; ends the program if that fails. */
int
dev_make(int control, const struct dev_arg *arg);
/* The same in version 1, with the optional messages. */
int
dev_make_optional(int control, struct dev_arg *arg);

/* vdpa dev add, vdpa dev del; false if the program says no. */
bool
dev_attach(void);
bool
dev_detach(void);
/* Writes a parameter of the module. */
void
module_set(const char *name, const char *value);

/* Sets an attribute of /sys/class/vduse/DEV_NAME. */
bool
dev_set_attr(const char *name, const char *value);

/* Maps the region of address space 0 that the address lies in; MAP_FAILED if it lies in none. */
void *
dev_map(int fd, uint64_t iova, int flags, struct vduse_iotlb_entry *entry);

/* poll() of the device's file without waiting. */
int
dev_poll(int fd);
/* So many milliseconds; more on a kernel that is slow, whose tests have VM_PATIENCE. */
int
dev_patience(int ms);
/* Waits at most 5 s, and as dev_patience() says, for the bits. */
bool
dev_wait(int fd, short bits);
int
dev_answer(int fd, uint32_t id, uint32_t result);

/* A thread that answers messages as told, and counts them by type, until the device is broken. */
struct server {
	int fd;
	atomic_uint limit;	/* leave all after so many alone; UINT_MAX: answer all */
	atomic_bool refuse;	/* what is beyond the limit is refused, not left alone */
	atomic_uint total;
	pthread_t thread;
	atomic_bool stop;
	atomic_uint result;
	atomic_uint count[8];
	struct vduse_dev_request last[8];
};

void
server_start(struct server *server, int fd);
/* The same with a limit from the first message on. 0: answer none. */
void
server_start_until(struct server *server, int fd, unsigned int limit, bool refuse);
void
server_stop(struct server *server);

#endif
