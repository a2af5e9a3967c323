/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The vhost-user transport, inside. Three threads meet here. librte_vhost's thread reads the
 * socket, negotiates features and calls back for all else: we write down what the driver said
 * (mem.c, _vring.c), ask the control thread to act on it and wait
 * (vhost_user_ask()), as the kernel would. librte_vhost maps nothing of the driver's. The control
 * thread reads what was written down and never calls librte_vhost, so neither waits for a lock
 * of the other. Polling threads use nothing but the call of a running virtqueue.
 */
#ifndef VDUSE_VHOST_USER_H
#define VDUSE_VHOST_USER_H

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/queue.h>
#include <sys/un.h>

#include <linux/vduse.h>

#include <rte_vhost.h>

#include <rte_vduse.h>

struct vduse_file_region;

static_assert(RTE_VDUSE_SOCKET_MAX == sizeof(((struct sockaddr_un *)NULL)->sun_path),
	      "the longest path must be what the kernel takes");

#define VHOST_USER_BIT(nr) (UINT64_C(1) << (nr))

/* A region of the driver's memory. */
struct vhost_user_region {
	uint64_t first; /* guest physical addresses */
	uint64_t last;
	uint64_t user;   /* the driver's own address of first */
	uint64_t offset; /* of first in the file */
	int fd;          /* ours */
};

/* A connection. The descriptor is librte_vhost's; its inode tells one connection from the next. */
struct vhost_user_socket {
	int fd;
	uint64_t ino; /* 0: none */
};

/* What the driver has said of a virtqueue. librte_vhost's thread's. */
struct vhost_user_ring {
	uint32_t size;
	uint16_t avail; /* where it goes on; of a packed ring with the wrap counter in bit 15 */
	uint16_t used;
	bool placed; /* it has addresses: the driver's own */
	bool kicked;
	bool enabled;
	bool paused; /* while memory changes */
	uint64_t desc;
	uint64_t driver;
	uint64_t device;
	int call; /* its eventfd, or -1 */
};

#define VHOST_USER_VRING_SIZE_MAX 32768

struct vhost_user_call;

struct vhost_user_vq {
	struct vhost_user_ring ring;
	struct vduse_vq_info info; /* what the control thread is to see */
	uint64_t life;             /* of the ring, as the transport's vq_life says; with info */
	bool ran;                  /* the control thread started it since it was last stopped */
	bool recall;               /* the next start takes next_call in place of call */
	struct vhost_user_call *next_call; /* NULL: no calls */
	struct vhost_user_call *call;      /* the poller's; changes under the virtqueue's lock */
};

/* A write to the configuration space, short enough for the fields that there are. */
struct vhost_user_write {
	uint16_t offset;
	uint8_t len; /* 0: there was none */
	uint8_t data[5];
};

/* One device's message on its way to the control thread and back. */
enum vhost_user_slot {
	VHOST_USER_SLOT_FREE,
	VHOST_USER_SLOT_SENT,
	VHOST_USER_SLOT_TAKEN,
	VHOST_USER_SLOT_ANSWERED,
};

struct vhost_user {
	TAILQ_ENTRY(vhost_user) next;
	struct rte_vduse_dev *dev;       /* constant */
	char path[RTE_VDUSE_SOCKET_MAX]; /* constant */
	mode_t mode;                     /* of the socket that is made; constant */
	gid_t gid;                       /* its group, or -1; constant */
	bool client;                     /* connect instead of listen; constant */
	bool net;                        /* a network device; constant */
	bool any_memory;                 /* memory may be in any file; constant */
	bool registered;                 /* librte_vhost knows it; its creator's thread's */
	/* librte_vhost's thread's. */
	bool up;                         /* the control thread was told that the driver is there */
	struct vhost_user_socket sock;   /* of the connection that is served */
	int inflight;                    /* see inflight.c; -1: none */
	struct vhost_user_write written; /* the driver's last write to the space, with effect */
	/* All below under the lock. */
	pthread_mutex_t lock;
	pthread_cond_t answered;
	bool closing; /* nobody answers any more */
	int vid;      /* librte_vhost's number of the connection, or -1 */
	int channel;  /* see channel.c; -1: none */
	enum vhost_user_slot slot;
	struct vduse_dev_request request;
	struct vduse_dev_response response;
	uint64_t features;                 /* what the driver took */
	struct vhost_user_region *regions; /* sorted */
	uint32_t nb_regions;
	uint8_t *config;            /* dev->config_size bytes */
	struct vhost_user_vq vqs[]; /* dev->nb_vqs; call is the poller's */
};

/* transport.c: asks the control thread and waits. -ESHUTDOWN: it answers no more. */
int
vhost_user_ask(struct vhost_user *vu, const struct vduse_dev_request *request,
	       struct vduse_dev_response *response);

/* conn.c: makes librte_vhost serve the socket, and ends that. Creator's thread. */
int
vhost_user_register(struct vhost_user *vu);
void
vhost_user_unregister(struct vhost_user *vu);

/* msg.c: messages before and after librte_vhost handles them. Its thread. */
extern const struct rte_vhost_user_extern_ops vhost_user_msg_ops;
/* The device of a connection, or NULL. */
struct vhost_user *
vhost_user_find(int vid);

struct vhost_user_memory;

/* Most regions of a driver; each holds a file open. */
#define VHOST_USER_REGIONS_MAX 32

/* mem.c: a table of regions, or one region more or less, is written down if it can be
 * believed; files are ours then. -EPROTO: it cannot, with a log line; another negative errno.
 */
int
vhost_user_mem_set(struct vhost_user *vu, const struct vhost_user_memory *table, const int *fds,
		   uint32_t nb);
int
vhost_user_mem_add(struct vhost_user *vu, const struct vhost_user_memory *region, int fd);
/* -ENOENT: there is none like that. */
int
vhost_user_mem_remove(struct vhost_user *vu, const struct vhost_user_memory *region);
void
vhost_user_mem_clear(struct vhost_user *vu);
/* Where the device has what the driver has at user, all of it. -EFAULT: nowhere. */
int
vhost_user_mem_iova(const struct vhost_user *vu, uint64_t user, uint64_t len, uint64_t *iova);
/* As the operation of that name in transport.h. Control thread. */
int
vhost_user_mem_region(struct vhost_user *vu, uint64_t from, struct vduse_file_region *region);

/* call.c: what interrupts the driver through its eventfd, which stays the caller's and
 * may be closed. NULL with a log line: there are no interrupts.
 */
struct vhost_user_call *
vhost_user_call_open(const char *name, uint16_t index, int fd);
/* May be NULL. */
void
vhost_user_call_close(struct vhost_user_call *call);
/* One thread at a time. One system call, which does not wait, whatever the driver does. */
int
vhost_user_call_send(struct vhost_user_call *call);
/* True: it does, for this machine has no io_uring. */
bool
vhost_user_call_waits(const struct vhost_user_call *call);

/* vring.c: what the driver says of a virtqueue is about to change: it stops. Go on
 * with vhost_user_vring_go(), which starts it if it has all it needs. -EFAULT: it cannot, its
 * rings are in no region. librte_vhost's thread.
 */
struct vhost_user_ring *
vhost_user_vring_edit(struct vhost_user *vu, uint16_t index);
int
vhost_user_vring_go(struct vhost_user *vu, uint16_t index);
/* Its call descriptor, which is ours now; -1: no calls. The virtqueue goes on. */
void
vhost_user_vring_set_call(struct vhost_user *vu, uint16_t index, int fd);
/* Memory has changed: stops those whose rings lie elsewhere now; and goes on with them. */
void
vhost_user_vring_pause(struct vhost_user *vu);
void
vhost_user_vring_resume(struct vhost_user *vu);
/* The driver is gone, as far as the device is concerned. */
void
vhost_user_vring_reset(struct vhost_user *vu);
/* It is, and what it said is forgotten. */
void
vhost_user_vring_forget(struct vhost_user *vu);
/* Whether any virtqueue is ready. */
bool
vhost_user_vring_any(struct vhost_user *vu);

/* inflight.c: memory that the driver keeps while it reconnects: a descriptor that stays
 * ours and its size, or -1 with a log line; and the driver brings it back: 0 or -EPROTO, the
 * descriptor is ours then. librte_vhost's thread.
 */
int
vhost_user_inflight_new(struct vhost_user *vu, uint64_t *size);
int
vhost_user_inflight_take(struct vhost_user *vu, int fd, uint64_t size, uint64_t offset);
void
vhost_user_inflight_close(struct vhost_user *vu);
/* What the driver wrote to the configuration space is kept with it: it does not write again when
 * it reconnects.
 */
void
vhost_user_inflight_note(struct vhost_user *vu, const struct vhost_user_write *write);
/* False: there is no such note. */
bool
vhost_user_inflight_noted(const struct vhost_user *vu, struct vhost_user_write *write);
/* A number that a virtqueue keeps as long as the driver keeps that memory, or 0. */
uint64_t
vhost_user_inflight_life(const struct vhost_user *vu, uint16_t index);

/* socket.c: a connection at path beside the other one, with a time limit for each
 * message, so that one client does not stop librte_vhost for all. -ENOENT: there is none;
 * -EMFILE: no descriptor is left to look for it.
 */
int
vhost_user_socket_find(const char *path, bool client, const struct vhost_user_socket *other,
		       struct vhost_user_socket *sock);
/* Whether it is still there and its client has not hung up. */
bool
vhost_user_socket_live(const struct vhost_user_socket *sock);
/* Whether a reply fits: false if the client does not read the earlier ones. */
bool
vhost_user_socket_reads(const struct vhost_user_socket *sock);

/* channel.c: the driver's socket for messages of the device. 0: it belongs to the
 * device now. -EPROTO: it could block, and stays the caller's.
 */
int
vhost_user_channel_open(struct vhost_user *vu, int fd);
void
vhost_user_channel_close(struct vhost_user *vu);
/* Says that the configuration space changed. Does not wait. -EINVAL: there is no channel. */
int
vhost_user_channel_config(struct vhost_user *vu);

/* file.c: the kind of a descriptor that a driver sent, found without blocking. Memory is
 * a file of tmpfs, hugetlbfs or memfd_create().
 */
bool
vhost_user_file_is_memory(int fd);
bool
vhost_user_file_is_eventfd(int fd);
bool
vhost_user_file_is_channel(int fd);
/* Closes it, on a thread of its own where that could block. -1: nothing. */
void
vhost_user_file_close(int fd);

/* path.c: keeps other processes from making or removing sockets in the folder, until the
 * caller closes the descriptor that it returns. -EBUSY with a log line, or another errno: there is
 * no such folder, or none that can be read.
 */
int
vhost_user_path_lock(const char *name, const char *path);
/* Makes room for the socket; under that lock. 0 or a negative errno with a log line. */
int
vhost_user_path_prepare(const char *name, const char *path, bool client);
/* path.c: sets vu->mode and vu->gid. 0, or a negative errno and a log line. */
int
vhost_user_path_access(struct vhost_user *vu, const struct rte_vduse_dev_conf *conf);
/* path.c: gives the socket that was made its group and mode. Same returns. */
int
vhost_user_path_permit(const struct vhost_user *vu);

#endif /* VDUSE_VHOST_USER_H */
