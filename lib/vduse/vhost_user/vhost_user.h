/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The vhost-user transport, inside: a socket, its one client, and what that client said.
 *
 * All of it is the control thread's, which reads messages as they come, a piece at a time, and
 * waits for no client. Its creator's thread makes the socket and removes it. Polling threads use
 * nothing but the call of a virtqueue, under the virtqueue's lock; any thread may change the
 * configuration space.
 *
 * The descriptor that the control loop hears of is an epoll of the listening socket, the client's
 * and a timer.
 */
#ifndef VDUSE_VHOST_USER_H
#define VDUSE_VHOST_USER_H

#include <assert.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <sys/un.h>

#include <linux/vduse.h>

#include <rte_vduse.h>
#include <vduse/vhost_user/wire.h>

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

/* A message as it comes, and as it is answered. */
struct vhost_user_msg {
	uint32_t type;
	uint32_t flags;
	uint32_t size; /* of the payload */
	union msg_payload payload;
	unsigned int nb_fds;
	int fds[MSG_FDS_MAX]; /* ours to close; -1: taken out */
};

#define VHOST_USER_MSG_HEAD offsetof(struct vhost_user_msg, payload)
static_assert(offsetof(struct vhost_user_msg, payload) == 12, "head and payload are read at once");

/* What the driver has said of a virtqueue. */
struct vhost_user_ring {
	uint32_t size;
	uint16_t avail; /* where it goes on; of a packed ring with the wrap counter in bit 15 */
	uint16_t used;
	bool placed; /* it has addresses: the driver's own */
	bool kicked;
	bool enabled;
	bool paused; /* while memory changes, and until its rings are in a region again */
	uint64_t desc;
	uint64_t driver;
	uint64_t device;
};

#define VHOST_USER_VRING_SIZE_MAX 32768

struct vhost_user_call;
struct vhost_user_closer;

struct vhost_user_vq {
	struct vhost_user_ring ring;
	struct vduse_vq_info info;    /* what the device is to see */
	uint64_t life;                /* of the ring, as the transport's vq_life says; with info */
	struct vhost_user_call *call; /* under the virtqueue's lock; NULL: no calls */
};

/* A write to the configuration space, short enough for the fields that there are. */
struct vhost_user_write {
	uint16_t offset;
	uint8_t len; /* 0: there was none */
	uint8_t data[5];
};

struct vhost_user {
	struct rte_vduse_dev *dev;        /* constant */
	char path[RTE_VDUSE_SOCKET_MAX];  /* constant */
	mode_t mode;                      /* of the socket that is made; constant */
	gid_t gid;                        /* its group, or -1; constant */
	bool client;                      /* connect instead of listen; constant */
	bool net;                         /* a network device; constant */
	bool any_memory;                  /* memory may be in any file; constant */
	bool listening;                   /* its creator's thread's */
	int listener;                     /* -1: none */
	bool paused;                      /* clients are not accepted until the timer goes off */
	int timer;                        /* see socket.c */
	bool ticking;                     /* the timer goes off once a second */
	struct vhost_user_closer *closer; /* of what clients sent; see file.c; constant */

	/* The client that is served. */
	int conn;                          /* -1: none */
	bool pending;                      /* its message waits for requests in flight */
	bool ending;                       /* it is let go once nothing is in flight */
	struct vhost_user_msg msg;         /* its message, as far as it came */
	size_t have;                       /* bytes of it */
	uint64_t deadline;                 /* of the rest, in timer cycles */
	uint64_t acked;                    /* features that it took last */
	uint64_t features;                 /* features in force since a virtqueue runs */
	bool refused;                      /* the last features that it asked for were refused */
	uint8_t status;                    /* as it set it */
	bool up;                           /* the device was told that the driver is there */
	int inflight;                      /* see inflight.c; -1: none */
	struct vhost_user_write written;   /* the driver's last write to the space, with effect */
	struct vhost_user_region *regions; /* sorted */
	uint32_t nb_regions;

	pthread_mutex_t lock; /* guards the next two, which any thread may use */
	int channel;          /* see channel.c; -1: none */
	uint8_t *config;      /* dev->config_size bytes */

	struct vhost_user_vq vqs[]; /* dev->nb_vqs */
};

/* conn.c: the client's next message, or what else there is to do at the socket. Returns as the
 * operation serve in transport.h.
 */
int
vhost_user_serve(struct rte_vduse_dev *dev);
/* conn.c: a client is served from now on; its socket is ours. */
void
vhost_user_conn_begin(struct vhost_user *vu, int fd);
/* conn.c: lets the client go. -EINPROGRESS: it waits for requests in flight, see vu->ending. */
int
vhost_user_conn_end(struct vhost_user *vu);
/* conn.c: closes what a client gave; the device uses nothing of it any more. */
void
vhost_user_conn_close(struct vhost_user *vu);

/* recv.c: reads what has come of a message. 0: it is whole; -EAGAIN: not yet; -ECONNRESET: the
 * client hung up; -EPROTO: it broke a rule, with a log line.
 */
int
vhost_user_recv(struct vhost_user *vu);
/* recv.c: sends an answer at once or not at all: -EAGAIN. */
int
vhost_user_send(const struct vhost_user *vu, const struct vhost_user_msg *msg);
/* recv.c: closes what is left of a message's descriptors. */
void
vhost_user_msg_close(const struct vhost_user *vu, struct vhost_user_msg *msg);

/* socket.c: makes the socket and what tells of it. Creator's thread. 0 or a negative errno. */
int
vhost_user_socket_open(struct vhost_user *vu);
/* socket.c: listens at the path, or begins to connect to it; with a log line where that fails. */
int
vhost_user_socket_start(struct vhost_user *vu);
/* socket.c: nobody finds the socket any more. Creator's thread. */
void
vhost_user_socket_stop(struct vhost_user *vu);
/* socket.c: closes all of it; the control thread has forgotten the device. */
void
vhost_user_socket_close(struct vhost_user *vu);
/* socket.c: a client waits. -EINPROGRESS: for requests in flight of the one before. */
int
vhost_user_socket_accept(struct vhost_user *vu);
/* socket.c: whether the client has not hung up, and can read. */
bool
vhost_user_socket_live(const struct vhost_user *vu);
/* socket.c: clients were not accepted for want of a descriptor; they are again. */
void
vhost_user_socket_resume(struct vhost_user *vu);
/* socket.c: in client mode, tries to connect. */
void
vhost_user_socket_connect(struct vhost_user *vu);
/* socket.c: hears of a descriptor of the socket, or not any more. */
int
vhost_user_socket_watch(const struct vhost_user *vu, int fd, bool on);
/* socket.c: the timer goes off once a second while something waits for it. */
void
vhost_user_socket_tick(struct vhost_user *vu);

/* Most regions of a driver; each holds a file open. */
#define VHOST_USER_REGIONS_MAX 509

/*
 * mem.c: adds regions to the first `keep` (all or none) that there are, if they are valid; their
 * files belong to the device then. -EPROTO: one is not, with a log line; -EINPROGRESS: requests are
 * in flight, call again once they are done; another negative errno.
 */
int
vhost_user_mem_add(struct vhost_user *vu, uint32_t keep, const struct vhost_user_memory *table,
		   const int *fds, uint32_t nb);
/* -ENOENT: there is none like that. */
int
vhost_user_mem_remove(struct vhost_user *vu, const struct vhost_user_memory *region);
void
vhost_user_mem_clear(struct vhost_user *vu);
/* Where the device has what the driver has at user, all of it. -EFAULT: nowhere. */
int
vhost_user_mem_iova(const struct vhost_user *vu, uint64_t user, uint64_t len, uint64_t *iova);
/* As the operation of that name in transport.h. */
int
vhost_user_mem_region(struct vhost_user *vu, uint64_t from, struct vduse_file_region *region);

/*
 * call.c: what interrupts the driver through its eventfd, which stays the caller's and may be
 * closed. NULL with a log line: there are no interrupts.
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

/*
 * vring.c: what the driver says of a virtqueue is about to change, so it stops. NULL: requests of
 * it are in flight, ask again. Go on with vhost_user_vring_go(), which starts it if it has all that
 * it needs. -EFAULT: it cannot, its rings are in no region.
 */
struct vhost_user_ring *
vhost_user_vring_edit(struct vhost_user *vu, uint16_t index);
int
vhost_user_vring_go(struct vhost_user *vu, uint16_t index);
/* Its call descriptor, which stays the caller's; -1: no calls. The virtqueue goes on. */
void
vhost_user_vring_call(struct vhost_user *vu, uint16_t index, int fd);
/*
 * Memory has changed: stops those whose rings lie elsewhere now, or nowhere; and goes on with those
 * that are in a region again.
 */
void
vhost_user_vring_pause(struct vhost_user *vu);
void
vhost_user_vring_resume(struct vhost_user *vu);
/* The driver is gone, as far as the device is concerned. -EINPROGRESS: requests are in flight. */
int
vhost_user_vring_reset(struct vhost_user *vu);
/* The same, and what the driver said of its virtqueues is forgotten. */
int
vhost_user_vring_forget(struct vhost_user *vu);
/* Whether any virtqueue is ready. */
bool
vhost_user_vring_any(const struct vhost_user *vu);

/*
 * inflight.c: memory that the driver keeps while it reconnects: a descriptor that stays ours and
 * its size, or -1 with a log line; and the driver brings it back: 0 or -EPROTO, the descriptor is
 * ours then.
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

/*
 * channel.c: the driver's socket for messages of the device. 0: it belongs to the device now.
 * -EPROTO: it could block, or there is something in it; it stays the caller's.
 */
int
vhost_user_channel_open(struct vhost_user *vu, int fd);
void
vhost_user_channel_close(struct vhost_user *vu);
/* channel.c: as config_call in transport.h. Any thread; does not block. */
int
vhost_user_channel_config(struct rte_vduse_dev *dev);

/*
 * file.c: the kind of a descriptor that a driver sent, found without blocking. Memory is a file of
 * tmpfs, hugetlbfs or memfd_create().
 */
bool
vhost_user_file_is_memory(int fd);
bool
vhost_user_file_is_eventfd(int fd);
bool
vhost_user_file_is_channel(int fd);
/* Closes it, on a thread of its own where that could block. -1: nothing. */
void
vhost_user_file_close(struct vhost_user_closer *closer, int fd);
/* Ends a connection at once, and closes it like that. */
void
vhost_user_file_hang_up(struct vhost_user_closer *closer, int fd);
/* What closes for a device, and does so after the device is gone. NULL: no memory. */
struct vhost_user_closer *
vhost_user_closer_new(void);
void
vhost_user_closer_free(struct vhost_user_closer *closer);
/* Whether so many descriptors wait to be closed that no more may come. */
bool
vhost_user_closer_full(struct vhost_user_closer *closer);

/*
 * path.c: keeps other processes from making or removing sockets in the folder, until the caller
 * closes the descriptor that it returns. -EBUSY with a log line, or another errno: there is no such
 * folder, or none that can be read.
 */
int
vhost_user_path_lock(const char *name, const char *path);
/* path.c: connects without waiting. The descriptor, or a negative errno. */
int
vhost_user_path_connect(const char *path);
/* path.c: makes room for the socket; under that lock. 0 or a negative errno with a log line. */
int
vhost_user_path_prepare(const char *name, const char *path);
/* path.c: sets vu->mode and vu->gid. 0, or a negative errno and a log line. */
int
vhost_user_path_access(struct vhost_user *vu, const struct rte_vduse_dev_conf *conf);
/* path.c: gives the socket that was made its group and mode. Same returns. */
int
vhost_user_path_permit(const struct vhost_user *vu);

#endif /* VDUSE_VHOST_USER_H */
