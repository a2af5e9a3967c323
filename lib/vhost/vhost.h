/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Internals of rte_vhost.h over VDUSE: a path below /dev/vduse/ as a vhost device.
 * Thread: three kinds. The application's threads call rte_vhost.h; the control thread of lib/vduse
 * learns what the driver wants; one events thread calls the application back.
 *
 * What the driver wants and what the application was told are both in struct vhost_dev, under one
 * mutex; the events thread brings the second in line with the first. The mutex is never held across
 * a callback or a call that waits for another thread.
 */
#ifndef VHOST_VHOST_H
#define VHOST_VHOST_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/queue.h>

#include <rte_branch_prediction.h>
#include <rte_log.h>
#include <rte_spinlock.h>
#include <rte_vduse_compat.h>
#include <rte_vhost.h>

#include <rte_vduse.h>
#include <rte_vduse_net.h>
#include <rte_vduse_state.h>

#include <vhost/forward.h>
#include <rte_vduse_vhost.h>

extern int vhost_logtype;

#define VHOST_LOG(level, path, fmt, ...)                                                           \
	rte_log(RTE_LOG_##level, vhost_logtype, "VDUSE: %s: " fmt "\n", path, ##__VA_ARGS__)

#define VHOST_BIT(nr) (UINT64_C(1) << (nr))

/* Room for a path. */
#define VHOST_PATH_MAX (sizeof(RTE_VDUSE_PATH) + RTE_VDUSE_NAME_MAX)

/* There is no call fd for applications, which use rte_vhost_vring_call(). */
#define VHOST_NO_CALLFD (-2)

/* A virtqueue. Under the mutex unless a comment says otherwise. */
struct vhost_vq {
	struct rte_vduse_vq *vq; /* constant while started */
	rte_spinlock_t enqueue;  /* held for a burst to the driver, from any thread */
	bool ready;              /* the driver enabled it */
	bool told;               /* value of ready that the application was told */
	bool packed;             /* only if lib/virtio_net serves the rings */
	bool event_idx;
	bool based;                    /* rte_vhost_set_vring_base() was called since the start */
	uint16_t base;                 /* position while the rings are not mapped */
	struct rte_vduse_vq_info info; /* as at the start, to map the rings again */
	struct rte_vhost_vring vring;  /* all NULL while its memory is not mapped */
	struct rte_vduse_part part;
	/* In part; NULL if lib/virtio_net serves the rings. */
	struct rte_vhost_inflight_info_split *inflight;
	uint16_t nb_inflight;                    /* descriptors in it; constant */
	struct rte_vhost_resubmit_info resubmit; /* requests in flight at a kill or remap */
	uint16_t nb_resubmit; /* as found: the application changes resubmit_num */
	uint64_t counter;     /* of requests taken; by the thread that serves the ring */
};

enum vhost_dev_life {
	VHOST_DEV_REGISTERED, /* may be configured */
	VHOST_DEV_STARTING,   /* until it is attached to its driver */
	VHOST_DEV_STARTED,
	VHOST_DEV_REMOVING, /* not found by its path any more */
};

/* A device. Under the mutex unless a comment says otherwise. */
struct vhost_dev {
	TAILQ_ENTRY(vhost_dev) next;
	char path[VHOST_PATH_MAX]; /* constant */
	uint64_t flags;            /* RTE_VHOST_USER_*; constant */
	enum vhost_dev_life life;
	/* Changed by the application's threads until the start, constant afterwards. */
	struct rte_vduse_vhost_conf conf;
	uint8_t config[RTE_VDUSE_VHOST_CONFIG_MAX];
	bool builtin;       /* lib/virtio_net serves the rings, not the application */
	uint64_t supported; /* features that may be enabled */
	uint64_t features;  /* features to offer */
	uint64_t protocol_features;
	const struct rte_vhost_device_ops *ops;
	const struct rte_vhost_user_extern_ops *extern_ops;
	/* Constant while started. */
	int vid;
	struct rte_vduse_net *net; /* NULL unless builtin */
	bool legacy_flags;         /* of dequeued packets, see legacy.c */
	struct rte_vduse_dev *dev;
	struct vhost_vq *vqs;
	/* What the driver wants; written by the control thread. */
	bool driver_ok;
	bool primed;         /* builtin, or the first buffer is in a region; see prime.c */
	bool up;             /* to be served: driver_ok, primed, and a virtqueue is ready */
	uint32_t generation; /* counts the times that it came up */
	struct rte_vhost_memory *memory;
	/* What the application was told; written by the events thread. */
	bool connect;     /* the device should be connected; written by start and unregister */
	bool connected;   /* new_connection was called */
	bool busy;        /* a callback runs */
	uint32_t told;    /* generation of the last new_device; 0: none */
	uint32_t refused; /* generation for which new_device failed */
	bool raw;         /* it may hold addresses of the driver's memory */
};

/* device.c: the mutex, and a condition variable for changes under it. */
void
vhost_lock(void);
void
vhost_unlock(void);
/* Wakes all waiting threads. Under the mutex. */
void
vhost_changed(void);
/* Waits for the next change. Under the mutex, which is released while it waits. */
void
vhost_wait(void);
/* The same, with a time limit. False: it expired. */
bool
vhost_wait_ms(unsigned int ms);

/* Whether a path is below /dev/vduse/. No socket can be there, so malformed names count too. */
static inline bool
vhost_path_is_vduse(const char *path)
{
	return path != NULL && strncmp(path, RTE_VDUSE_PATH, sizeof(RTE_VDUSE_PATH) - 1) == 0;
}

/* device.c: devices by path. Under the mutex. */
TAILQ_HEAD(vhost_dev_list, vhost_dev);
extern struct vhost_dev_list vhost_dev_list;
struct vhost_dev *
vhost_dev_find(const char *path);

/*
 * device.c: devices by id. Applications have arrays of that size. A device gets its id before dev
 * and vqs exist if the application is asked for its configuration space.
 */
extern struct vhost_dev *vhost_dev_ids[RTE_MAX_VHOST_DEVICE];

/* The device of an id. NULL: the id is librte_vhost's. Any thread. */
static inline struct vhost_dev *
vhost_dev_get(int vid)
{
	if (unlikely((unsigned int)vid >= RTE_MAX_VHOST_DEVICE))
		return NULL;
	/* Acquire: pairs with the release in vhost_dev_publish(). */
	return rte_atomic_load_explicit(&vhost_dev_ids[vid], rte_memory_order_acquire);
}

/* A virtqueue of a device, or NULL if it has none of that index. */
static inline struct vhost_vq *
vhost_vq_get(const struct vhost_dev *dev, uint16_t index)
{
	return likely(dev->vqs != NULL && index < dev->conf.nb_vqs) ? &dev->vqs[index] : NULL;
}

/* Negotiated features; 0 while there is no driver. */
static inline uint64_t
vhost_dev_features(const struct vhost_dev *dev)
{
	return dev->dev != NULL ? rte_vduse_dev_features(dev->dev) : 0;
}

/* device.c: creates and destroys the VDUSE device of a path. Application's threads. */
int
vhost_dev_create(struct vhost_dev *dev);
void
vhost_dev_destroy(struct vhost_dev *dev);
/* Gives a device the highest free id, by which it is found then. 0 or -ENOSPC. */
int
vhost_dev_publish(struct vhost_dev *dev);
void
vhost_dev_unpublish(struct vhost_dev *dev);

/*
 * features.c: sets the features that a device of its type supports, and enables them, apart from
 * those that the application disabled before.
 */
void
vhost_features_init(struct vhost_dev *dev);

/* net.c: a device whose rings lib/virtio_net serves. */
void
vhost_net_conf(const struct vhost_dev *dev, struct rte_vduse_net_conf *conf);
int
vhost_net_create(struct vhost_dev *dev);
/* The features that it offers: those that are enabled, without any that needs a disabled one. */
uint64_t
vhost_net_features(const struct vhost_dev *dev);

/* legacy.c: turns flags of received packets into those of packets to transmit. Polling threads. */
void
vhost_legacy_flags(struct rte_mbuf *const *packets, uint16_t nb);

/* driver.c: callbacks of lib/vduse about the driver. */
extern const struct rte_vduse_dev_ops vhost_driver_ops;

/* ring.c: what an application gets for a virtqueue that is not mapped. */
extern const struct rte_vhost_vring vhost_ring_none;
/*
 * Finds the rings of a virtqueue in memory. 0, -EFAULT (they are in no region) or -EINVAL (size
 * or alignment). Control thread.
 */
int
vhost_ring_map(struct vhost_vq *vq);
/* Enables or disables notifications by the driver. Under the mutex. */
void
vhost_ring_notify(struct vhost_vq *vq, bool enable);
/* The next avail index. Under the mutex. */
uint16_t
vhost_ring_position(const struct vhost_vq *vq);

/*
 * inflight.c: opens the state file of a device whose application serves the rings. If it cannot be
 * opened, which is logged, requests in flight are lost by a crash. Application's threads.
 */
int
vhost_inflight_open(struct vhost_dev *dev);
void
vhost_inflight_close(struct vhost_dev *dev);
/* Lists requests taken but not completed, after the rings are mapped. Under the mutex. */
void
vhost_inflight_find(struct vhost_dev *dev, struct vhost_vq *vq);
/* After the driver reset the virtqueue: no request is in flight any more. Under the mutex. */
void
vhost_inflight_forget(struct vhost_vq *vq);

/* driver.c: brings a device up if nothing is missing. Under the mutex. */
void
vhost_driver_evaluate(struct vhost_dev *dev);

/* prime.c: whether a driver's first buffer is in a region. Events thread, under the mutex. */
bool
vhost_prime(struct vhost_dev *dev);

/* memory.c: stores the table of a device's regions for the application. Control thread. */
void
vhost_memory_take(struct vhost_dev *dev);

/* extern.c: asks the application for the configuration space. 0 or a negative errno. */
int
vhost_extern_config(struct vhost_dev *dev);

/* events.c: the thread that calls the application back. 0 or a negative errno. */
int
vhost_events_start(void);
/* Whether the caller is that thread. */
bool
vhost_events_self(void);
/* Waits until the application was told all about a device. Under the mutex. */
void
vhost_events_settle(struct vhost_dev *dev);
/*
 * Takes a device away from the application; waits for it if it has addresses of the driver's
 * memory. Control thread, under the mutex.
 */
void
vhost_events_down(struct vhost_dev *dev);

#endif /* VHOST_VHOST_H */
