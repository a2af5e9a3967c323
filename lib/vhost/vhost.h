/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A path below /dev/vduse/ as an application of rte_vhost.h sees it. Three kinds of threads
 * meet here: the application's, lib/vduse's control thread, which knows what the driver wants,
 * and one events thread, which calls the application back. What the driver wants and what the
 * application was told are both kept in the device, under one mutex; the events thread brings
 * the second in line with the first. The mutex is held neither across a callback nor across a
 * call that waits for another thread.
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

/* What applications know of calls by file descriptor: there is none, see rte_vhost_vring_call(). */
#define VHOST_NO_CALLFD (-2)

/* A virtqueue. Under the mutex but where it says otherwise. */
struct vhost_vq {
	struct rte_vduse_vq *vq; /* constant while started */
	rte_spinlock_t enqueue;  /* held for a burst to the driver: they come from any thread */
	bool ready;              /* the driver made it so */
	bool told;               /* the application knows */
	bool packed;             /* only where lib/virtio_net serves the rings */
	bool event_idx;
	bool based;                    /* rte_vhost_set_vring_base() was there since the start */
	uint16_t base;                 /* where the device goes on when the rings are gone */
	struct rte_vduse_vq_info info; /* of the start, for a later look-up */
	struct rte_vhost_vring vring;  /* all NULL while its memory is not there */
	struct rte_vduse_part part;
	/* There; NULL where lib/virtio_net serves the rings. */
	struct rte_vhost_inflight_info_split *inflight;
	uint16_t nb_inflight;                    /* descriptors that it has room for; constant */
	struct rte_vhost_resubmit_info resubmit; /* what a dead process, or a lost memory, left */
	uint16_t nb_resubmit; /* as it was found: the application counts the other down */
	uint64_t counter;     /* of requests taken; the thread's that serves the ring */
};

enum vhost_dev_life {
	VHOST_DEV_REGISTERED, /* may be configured */
	VHOST_DEV_STARTING,   /* a thread gives it to its driver */
	VHOST_DEV_STARTED,
	VHOST_DEV_REMOVING, /* nobody finds it by its path any more */
};

/* Under the mutex but where it says otherwise. */
struct vhost_dev {
	TAILQ_ENTRY(vhost_dev) next;
	char path[VHOST_PATH_MAX]; /* constant */
	uint64_t flags;            /* RTE_VHOST_USER_*; constant */
	enum vhost_dev_life life;
	/* Until the start the application's threads change these; constant then. */
	struct rte_vduse_vhost_conf conf;
	uint8_t config[RTE_VDUSE_VHOST_CONFIG_MAX];
	bool builtin;       /* packets are ours, in lib/virtio_net; not raw rings */
	uint64_t supported; /* features that may be enabled */
	uint64_t features;  /* features to offer */
	uint64_t protocol_features;
	const struct rte_vhost_device_ops *ops;
	const struct rte_vhost_user_extern_ops *extern_ops;
	/* Constant while started. */
	int vid;
	struct rte_vduse_net *net; /* of a builtin one */
	struct rte_vduse_dev *dev;
	struct vhost_vq *vqs;
	/* What the driver wants; the control thread writes. */
	bool driver_ok;
	bool primed;         /* builtin, or its buffers are known to be in a region */
	bool up;             /* it may be served */
	uint32_t generation; /* counts the times that it came up */
	struct rte_vhost_memory *memory;
	/* What the application knows; the events thread writes. */
	bool connect; /* wanted: by who starts and who removes it */
	bool connected;
	bool busy;        /* in a callback */
	uint32_t told;    /* the generation that it was given; 0: none */
	uint32_t refused; /* the generation that it did not take */
	bool raw;         /* it has addresses of the driver's memory */
};

/* device.c: the mutex, and what is to be looked at when something under it changed. */
void
vhost_lock(void);
void
vhost_unlock(void);
/* Wakes whoever waits. Under the mutex. */
void
vhost_changed(void);
/* Waits for the next change. Under the mutex, which it lets go of meanwhile. */
void
vhost_wait(void);
/* The same, for so long at the most. Returns false when time was up. */
bool
vhost_wait_ms(unsigned int ms);

/* Whether a path is a VDUSE device's. Malformed names are: they cannot be a socket's path. */
static inline bool
vhost_path_is_ours(const char *path)
{
	return path != NULL && strncmp(path, RTE_VDUSE_PATH, sizeof(RTE_VDUSE_PATH) - 1) == 0;
}

/* device.c: devices by path. Under the mutex. */
TAILQ_HEAD(vhost_dev_list, vhost_dev);
extern struct vhost_dev_list vhost_dev_list;
struct vhost_dev *
vhost_dev_find(const char *path);

/*
 * device.c: devices by id; applications index arrays of that many. One that is asked for its
 * configuration space before it is created has an id, but neither dev nor vqs yet.
 */
extern struct vhost_dev *vhost_dev_ids[RTE_MAX_VHOST_DEVICE];

/* The device of an id, or NULL: librte_vhost's. Any thread. */
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

/* The features that the driver took; 0 while there is none. */
static inline uint64_t
vhost_dev_features(const struct vhost_dev *dev)
{
	return dev->dev != NULL ? rte_vduse_dev_features(dev->dev) : 0;
}

/* device.c: creates and removes what a path stands for. Application's threads. */
int
vhost_dev_create(struct vhost_dev *dev);
void
vhost_dev_destroy(struct vhost_dev *dev);
/* Gives a device without an id the highest free one, at which it is found. 0 or -ENOSPC. */
int
vhost_dev_publish(struct vhost_dev *dev);
void
vhost_dev_unpublish(struct vhost_dev *dev);

/* features.c: what a path may offer, of the type that it is. */
void
vhost_features_init(struct vhost_dev *dev);

/* net.c: the network device of a path. */
void
vhost_net_conf(const struct vhost_dev *dev, struct rte_vduse_net_conf *conf);
int
vhost_net_create(struct vhost_dev *dev);

/* driver.c: what lib/vduse tells of the driver. */
extern const struct rte_vduse_dev_ops vhost_driver_ops;

/* ring.c: what an application sees of a virtqueue that is not there. */
extern const struct rte_vhost_vring vhost_ring_none;
/*
 * Finds the rings of a virtqueue in memory. 0, -EFAULT (they are in no region) or -EINVAL (size
 * or alignment). Control thread.
 */
int
vhost_ring_map(struct vhost_vq *vq);
/* Asks the driver to kick, or not to. Under the mutex. */
void
vhost_ring_notify(struct vhost_vq *vq, bool enable);
/* The avail index at which the device goes on. Under the mutex. */
uint16_t
vhost_ring_position(const struct vhost_vq *vq);

/*
 * inflight.c: opens the state file of a device that serves its rings itself. Without one, which
 * a line in the log says, nothing is known after a crash. Application's threads.
 */
int
vhost_inflight_open(struct vhost_dev *dev);
void
vhost_inflight_close(struct vhost_dev *dev);
/* Finds what was taken and not completed, once the rings are mapped. Under the mutex. */
void
vhost_inflight_find(struct vhost_dev *dev, struct vhost_vq *vq);
/* The driver took the virtqueue away: nothing is in flight any more. Under the mutex. */
void
vhost_inflight_forget(struct vhost_vq *vq);

/* driver.c: brings a device up if everything is there for that. Under the mutex. */
void
vhost_driver_evaluate(struct vhost_dev *dev);

/* prime.c: looks whether a driver's first buffer is in a region. Events thread, under the mutex. */
bool
vhost_prime(struct vhost_dev *dev);

/* memory.c: keeps the table of a device's regions for the application. Control thread. */
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
/* Waits until the application knows all of a device. Under the mutex. */
void
vhost_events_settle(struct vhost_dev *dev);
/*
 * Takes a device away from the application; waits for it if it has addresses of the driver's
 * memory. Control thread, under the mutex.
 */
void
vhost_events_down(struct vhost_dev *dev);

#endif /* VHOST_VHOST_H */
