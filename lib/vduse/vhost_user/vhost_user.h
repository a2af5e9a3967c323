/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Internals of the vhost-user transport: one socket, the one client that is served, and what that
 * client configured.
 * Thread: control, which reads messages piece by piece and never blocks on a client. The thread
 * that creates the device opens and removes the socket. Polling threads use the call of a virtqueue
 * only, under the virtqueue's lock. Any thread may change the configuration space.
 *
 * dev->fd, which the control thread polls, is an epoll of the listening socket, the client's socket
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
struct vduse_record;
struct vduse_records;

static_assert(RTE_VDUSE_SOCKET_MAX == sizeof(((struct sockaddr_un *)NULL)->sun_path),
	      "the longest path is the kernel's");

#define VHOST_USER_BIT(nr) (UINT64_C(1) << (nr))

/* Features of the protocol, and not of the device. */
#define VHOST_USER_NOT_VIRTIO                                                                      \
	(VHOST_USER_BIT(MSG_F_PROTOCOL_FEATURES) | VHOST_USER_BIT(MSG_F_LOG_ALL))

/* A region of the driver's memory. */
struct vhost_user_region {
	uint64_t first; /* guest physical addresses */
	uint64_t last;
	uint64_t user;   /* the driver's own address of first */
	uint64_t offset; /* of first in the file */
	int fd;          /* closed with the region */
};

/* A message as received, and as sent in reply. */
struct vhost_user_msg {
	uint32_t type;
	uint32_t flags;
	uint32_t size; /* of the payload */
	union msg_payload payload;
	unsigned int nb_fds;
	int fds[MSG_FDS_MAX]; /* closed with the message; -1: taken by its handler */
};

#define VHOST_USER_MSG_HEAD offsetof(struct vhost_user_msg, payload)
static_assert(offsetof(struct vhost_user_msg, payload) == 12,
	      "head and payload are read into one buffer");

/* What the driver configured of a virtqueue. */
struct vhost_user_ring {
	uint32_t size;
	uint16_t avail; /* next position; of a packed ring with the wrap counter in bit 15 */
	uint16_t used;
	bool placed; /* the addresses below are set */
	bool kicked; /* a kick descriptor was sent */
	bool enabled;
	bool paused;       /* stopped because the ring was moved or unmapped; see vring_resume */
	bool logged;       /* log_used is set */
	uint64_t log_used; /* guest physical address of the used ring in the dirty log */
	uint64_t desc;     /* addresses of the driver's process */
	uint64_t driver;
	uint64_t device;
};

#define VHOST_USER_VRING_SIZE_MAX 32768

struct vduse_iotlb;
struct vhost_user_call;
struct vhost_user_closer;
struct vhost_user_log;
struct vhost_user_postcopy;
struct vhost_user_translation;

/* Of a driver behind an IOMMU. */
struct vhost_user_iommu {
	struct vduse_iotlb *memory;             /* all regions, by guest physical address; atomic */
	struct vhost_user_translation *entries; /* sorted by address */
	uint32_t nb;
	bool dropped; /* one was dropped that the front end did not unmap */
};

struct vhost_user_vq {
	struct vhost_user_ring ring;
	struct vduse_vq_info info;    /* reported to core/ by the operation vq_info */
	uint64_t cookie;              /* of the ring, see vq_life in transport.h; valid with info */
	struct vhost_user_call *call; /* under the virtqueue's lock; NULL: no interrupts */
	int kick;                     /* eventfd of the driver, see kick.c; -1: none */
	int kick_to;                  /* eventfd of core/ while it runs; -1: none */
	int kick_epoll;               /* epoll file of a thread that sleeps; -1: none */
	void *kick_ptr;               /* data of its events */
};

/* A write to the configuration space. No writable field is longer. */
struct vhost_user_write {
	uint16_t offset;
	uint8_t len; /* 0: no write */
	uint8_t data[5];
};

struct vhost_user {
	struct rte_vduse_dev *dev;        /* constant */
	char path[RTE_VDUSE_SOCKET_MAX];  /* constant */
	mode_t mode;                      /* of the socket file; constant */
	gid_t gid;                        /* group of the socket file, or -1; constant */
	bool client;                      /* connect instead of listen; constant */
	bool net;                         /* a network device; constant */
	bool iommu_offered;               /* drivers behind an IOMMU are served; constant */
	bool postcopy_offered;            /* a guest may run before its memory is there; constant */
	uint64_t offered;                 /* features of virtio, to a new client; constant */
	bool any_memory;                  /* memory may be in any file; constant */
	bool listening;                   /* the socket file exists; creator's thread only */
	int listener;                     /* -1: none */
	bool paused;                      /* accepts no clients until the timer expires */
	int timer;                        /* see socket.c */
	bool ticking;                     /* the timer is armed */
	struct vhost_user_closer *closer; /* closes what clients sent, see file.c; constant */

	/* The client. */
	int conn;                          /* -1: none */
	bool pending;                      /* msg waits until no request is in flight */
	bool ending;                       /* disconnect once no request is in flight */
	struct vhost_user_msg msg;         /* message being received */
	size_t have;                       /* bytes of msg received so far */
	uint64_t deadline;                 /* for the rest of msg, in timer cycles; 0: none */
	uint64_t acked;                    /* features that it set last */
	uint64_t features;                 /* acked when the first virtqueue started */
	bool refused;                      /* the last SET_FEATURES was refused */
	uint8_t status;                    /* device status that it set last */
	bool up;                           /* the device has DRIVER_OK */
	bool arriving;                     /* from another process: no virtqueue starts */
	bool announces;                    /* announce waits until the device has DRIVER_OK */
	uint8_t announce[6];               /* MAC address of the last SEND_RARP */
	int inflight;                      /* see inflight.c; -1: none */
	struct vhost_user_log *log;        /* see log.c; NULL: none */
	struct vhost_user_write written;   /* last configuration write that had an effect */
	struct vhost_user_region *regions; /* sorted by address */
	uint32_t nb_regions;
	struct vhost_user_iommu iommu;
	struct vhost_user_postcopy *postcopy; /* see postcopy.h; NULL: none */

	pthread_mutex_t lock; /* protects the next two, used by any thread */
	int channel;          /* see channel.c; -1: none */
	uint8_t *config;      /* dev->config_size bytes */

	struct vhost_user_vq vqs[]; /* dev->nb_vqs */
};

/* conn.c: handles one event of the socket, see the operation serve in transport.h. */
int
vhost_user_serve(struct rte_vduse_dev *dev);
/*
 * conn.c: limits what the client is offered to these features, of virtio, until it disconnects: the
 * process before has offered them.
 */
void
vhost_user_conn_offer(struct vhost_user *vu, uint64_t features);
/* conn.c: starts to serve a client and takes over its socket. */
void
vhost_user_conn_begin(struct vhost_user *vu, int fd);
/* conn.c: disconnects the client. -EINPROGRESS: once no request is in flight, see vu->ending. */
int
vhost_user_conn_end(struct vhost_user *vu);
/* conn.c: releases all that the client sent; the device must not use it any more. */
void
vhost_user_conn_close(struct vhost_user *vu);

/*
 * recv.c: reads as much of a message as has arrived. 0: it is complete; -EAGAIN: it is not;
 * -ECONNRESET: the client hung up; -EPROTO with a log line: it violates the protocol.
 */
int
vhost_user_recv(struct vhost_user *vu);
/* recv.c: sends a reply without blocking. -EAGAIN: the socket has no room for it. */
int
vhost_user_send(const struct vhost_user *vu, const struct vhost_user_msg *msg);
/* recv.c: closes the descriptors that still belong to a message. */
void
vhost_user_msg_close(const struct vhost_user *vu, struct vhost_user_msg *msg);

/* socket.c: creates the timer and dev->fd. Creator's thread. 0 or a negative errno. */
int
vhost_user_socket_open(struct vhost_user *vu);
/* socket.c: listens at the path, or starts to connect to it. Logs a failure. Creator's thread. */
int
vhost_user_socket_start(struct vhost_user *vu);
/* socket.c: removes the socket file. Creator's thread. */
void
vhost_user_socket_stop(struct vhost_user *vu);
/* socket.c: closes all of it, after the control thread has dropped the device. */
void
vhost_user_socket_close(struct vhost_user *vu);
/* socket.c: accepts a client. -EINPROGRESS: requests of the previous one are in flight. */
int
vhost_user_socket_accept(struct vhost_user *vu);
/* socket.c: whether the client has not hung up. */
bool
vhost_user_socket_live(const struct vhost_user *vu);
/* socket.c: accepts clients again after there was no descriptor for one. */
void
vhost_user_socket_resume(struct vhost_user *vu);
/* socket.c: tries to connect, in client mode. */
void
vhost_user_socket_connect(struct vhost_user *vu);
/* socket.c: adds a descriptor to the epoll, or removes it. */
int
vhost_user_socket_watch(const struct vhost_user *vu, int fd, bool on);
/* socket.c: arms the timer if something needs it, or disarms it. */
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
/* Whether there is this very region. */
bool
vhost_user_mem_has(const struct vhost_user *vu, const struct vhost_user_memory *region);
/* -ENOENT: no such region. */
int
vhost_user_mem_remove(struct vhost_user *vu, const struct vhost_user_memory *region);
void
vhost_user_mem_clear(struct vhost_user *vu);
/* Translates an address of the driver's process. -EFAULT: no region holds the whole range. */
int
vhost_user_mem_iova(const struct vhost_user *vu, uint64_t user, uint64_t len, uint64_t *iova);
/* As the operation of that name in transport.h. */
int
vhost_user_mem_region(struct vhost_user *vu, uint64_t from, struct vduse_file_region *region);

/* iommu.c: whether the driver is behind an IOMMU. */
bool
vhost_user_iommu_on(const struct vhost_user *vu);
/* Whether the device uses translations: behind an IOMMU, or of pages that are there in post-copy. */
bool
vhost_user_translates(const struct vhost_user *vu);
/* Whether a translation in a range is used, or may be by a request in flight. */
bool
vhost_user_iommu_holds(const struct vhost_user *vu, uint64_t first, uint64_t last);
/*
 * Adds a translation, in place of those that there are. user: the front end's own address of first.
 * -EFAULT: no region holds the whole range; -EINVAL: the offset in a page differs; -ENOMEM with a log
 * line.
 */
int
vhost_user_iommu_map(struct vhost_user *vu, uint64_t first, uint64_t last, uint64_t user,
		     uint8_t perm);
void
vhost_user_iommu_unmap(struct vhost_user *vu, uint64_t first, uint64_t last);
/* Drops all translations. The device uses none any more. */
void
vhost_user_iommu_clear(struct vhost_user *vu);
/*
 * Maps the regions of memory, first or again. Returns the mappings of before, which the caller frees
 * when the device uses them no more; they may be NULL.
 */
struct vduse_iotlb *
vhost_user_iommu_memory(struct vhost_user *vu);
/* As the operation region of transport.h. */
int
vhost_user_iommu_region(const struct vhost_user *vu, uint64_t from,
			struct vduse_file_region *region);

/*
 * call.c: prepares interrupts of the driver through its eventfd. The caller keeps fd and may close
 * it. NULL with a log line: no memory or descriptor.
 */
struct vhost_user_call *
vhost_user_call_open(const char *name, uint16_t index, int fd);
/* May be NULL. */
void
vhost_user_call_close(struct vhost_user_call *call);
/* Not thread-safe. Makes one system call, which no driver can block; but see call_waits. */
int
vhost_user_call_send(struct vhost_user_call *call);
/* The driver's eventfd, which stays the call's. */
int
vhost_user_call_fd(const struct vhost_user_call *call);
/* Whether a driver can block call_send, because there is no io_uring. */
bool
vhost_user_call_waits(const struct vhost_user_call *call);

/* In an event of the epoll: a notification of the virtqueue in the low bits. */
#define VHOST_USER_KICK (UINT64_C(1) << 32)

/*
 * kick.c: sets the eventfd with which the driver notifies a virtqueue, and takes it over. -1: none.
 * It need not stop.
 */
void
vhost_user_kick_from(struct vhost_user *vu, uint16_t index, int fd);
/* kick.c: the same with the descriptor of a message, unless it is no eventfd. */
void
vhost_user_kick_take(struct vhost_user *vu, uint16_t index, struct vhost_user_msg *msg);
/* kick.c: sets the eventfd that notifications are passed on to, which the caller keeps, or -1. */
void
vhost_user_kick_to(struct vhost_user *vu, uint16_t index, int fd);
/*
 * kick.c: a thread that sleeps in an epoll gets notifications by itself, without the control thread.
 * -1: no more. Any thread.
 */
void
vhost_user_kick_epoll(struct vhost_user *vu, uint16_t index, int epoll_fd, void *ptr);
/* kick.c: passes on a notification. */
void
vhost_user_kick_pass(const struct vhost_user *vu, uint16_t index);

/*
 * vring.c: stops a virtqueue so that its ring can be changed. NULL: requests are in flight, call
 * again. Then call vhost_user_vring_go(), which starts it again if nothing is missing. -EFAULT: its
 * rings are in no region.
 */
struct vhost_user_ring *
vhost_user_vring_edit(struct vhost_user *vu, uint16_t index);
int
vhost_user_vring_go(struct vhost_user *vu, uint16_t index);
/* Sets its call descriptor, which the caller keeps; -1: no interrupts. It need not stop. */
void
vhost_user_vring_call(struct vhost_user *vu, uint16_t index, int fd);
/*
 * After the regions changed: stops the virtqueues whose rings moved or are in no region; then
 * starts those again whose rings are in a region.
 */
void
vhost_user_vring_pause(struct vhost_user *vu);
void
vhost_user_vring_resume(struct vhost_user *vu);
/* Stops all virtqueues and resets the device. -EINPROGRESS: requests are in flight. */
int
vhost_user_vring_reset(struct vhost_user *vu);
/* The same, and clears the configuration of all virtqueues. */
int
vhost_user_vring_forget(struct vhost_user *vu);
/* Passes the address of SEND_RARP to the device type, if a driver is up. */
void
vhost_user_vring_announce(struct vhost_user *vu);
/* Whether any virtqueue is ready. */
bool
vhost_user_vring_any(const struct vhost_user *vu);

/*
 * inflight.c: the buffer that the driver keeps while it reconnects. inflight_new() creates it and
 * returns its descriptor, which the caller must not close, or -1 with a log line. inflight_take()
 * takes over the descriptor of one that the driver sends back: 0 or -EPROTO.
 */
int
vhost_user_inflight_new(struct vhost_user *vu, uint64_t *size);
int
vhost_user_inflight_take(struct vhost_user *vu, int fd, uint64_t size, uint64_t offset);
/* Its bytes. */
uint64_t
vhost_user_inflight_size(const struct vhost_user *vu);
void
vhost_user_inflight_close(struct vhost_user *vu);
/*
 * Stores the driver's last write to the configuration space there, because the driver does not
 * write again when it reconnects.
 */
void
vhost_user_inflight_note(struct vhost_user *vu, const struct vhost_user_write *write);
/* Reads it back. False: there is none. */
bool
vhost_user_inflight_noted(const struct vhost_user *vu, struct vhost_user_write *write);
/* Cookie of a virtqueue: the same number as long as the driver keeps the buffer, or 0. */
uint64_t
vhost_user_inflight_cookie(const struct vhost_user *vu, uint16_t index);

/*
 * log.c: maps the dirty log of the front end, in place of the one before. The caller keeps fd. 0, or
 * a negative errno with a log line.
 */
int
vhost_user_log_take(struct vhost_user *vu, int fd, uint64_t size, uint64_t offset);
/* log.c: lets a virtqueue mark that log, or none, as features and ring say now. */
void
vhost_user_log_apply(struct vhost_user *vu, uint16_t index);
/* log.c: the same for all virtqueues. */
void
vhost_user_log_apply_all(struct vhost_user *vu);
void
vhost_user_log_close(struct vhost_user *vu);

/*
 * channel.c: takes over the driver's socket for messages of the device. -EPROTO: it could block, or
 * holds data; it stays the caller's.
 */
int
vhost_user_channel_open(struct vhost_user *vu, int fd);
void
vhost_user_channel_close(struct vhost_user *vu);
/* channel.c: as miss in transport.h. */
int
vhost_user_channel_miss(struct rte_vduse_dev *dev, uint64_t iova, bool write, bool given_up);
/* channel.c: as config_call in transport.h. Any thread; does not block. */
int
vhost_user_channel_config(struct rte_vduse_dev *dev);

/*
 * file.c: the type of a descriptor that a driver sent, found without blocking. Memory is a file of
 * tmpfs, hugetlbfs or memfd_create(); a channel is a unix stream socket.
 */
bool
vhost_user_file_is_memory(int fd);
bool
vhost_user_file_is_eventfd(int fd);
bool
vhost_user_file_is_channel(int fd);
/* Closes fd, on another thread if that could block. Does nothing for -1. */
void
vhost_user_file_close(struct vhost_user_closer *closer, int fd);
/* Shuts a connection down at once and closes it the same way. */
void
vhost_user_file_hang_up(struct vhost_user_closer *closer, int fd);
/* Closes descriptors of one device, also after the device is destroyed. NULL: no memory. */
struct vhost_user_closer *
vhost_user_closer_new(void);
void
vhost_user_closer_free(struct vhost_user_closer *closer);
/* Whether too many descriptors wait to be closed to receive more. */
bool
vhost_user_closer_full(struct vhost_user_closer *closer);

/* In the first byte of VDUSE_RECORD_CLIENT: which descriptors it has. */
#define VHOST_USER_GIVES_LISTENER 1u
#define VHOST_USER_GIVES_CLIENT   2u

/* give.c: as the operations of these names in transport.h. */
int
vhost_user_give_ready(const struct rte_vduse_dev *dev);
int
vhost_user_give(struct rte_vduse_dev *dev, bool rests, struct vduse_records *records);
void
vhost_user_give_hold(struct rte_vduse_dev *dev, bool on);
void
vhost_user_given(struct rte_vduse_dev *dev);
/* take.c: as take in transport.h. */
int
vhost_user_take(struct rte_vduse_dev *dev, struct vduse_record *record);
/* take.c: serves the client that came with dev->from. Logs a failure. Creator's thread. */
int
vhost_user_take_start(struct vhost_user *vu);

/*
 * path.c: locks the folder of a socket against other processes of this library. The caller closes
 * the returned descriptor to unlock it. -EBUSY with a log line: it is locked; another negative
 * errno: the folder cannot be opened.
 */
int
vhost_user_path_lock(const char *name, const char *path);
/* path.c: connects without blocking. Returns the descriptor or a negative errno. */
int
vhost_user_path_connect(const char *path);
/* path.c: removes a stale socket. Under that lock. 0, or a negative errno with a log line. */
int
vhost_user_path_prepare(const char *name, const char *path);
/* path.c: sets vu->mode and vu->gid. 0, or a negative errno with a log line. */
int
vhost_user_path_access(struct vhost_user *vu, const struct rte_vduse_dev_conf *conf);
/* path.c: applies them to the socket file. 0, or a negative errno with a log line. */
int
vhost_user_path_permit(const struct vhost_user *vu);

#endif /* VDUSE_VHOST_USER_H */
