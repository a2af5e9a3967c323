/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * One device, inside lib/vduse.
 * Thread: control, once the device is started, unless a field or a function says otherwise.
 */
#ifndef VDUSE_DEVICE_H
#define VDUSE_DEVICE_H

#include <sys/queue.h>

#include <rte_vduse_compat.h>

#include <vduse/memory/iotlb.h>
#include <vduse/core/log.h>
#include <rte_vduse.h>
#include <vduse/core/state.h>
#include <vduse/core/transport.h>
#include <vduse/virtqueue.h>

/* An interrupt that takes longer is slow: very many threads wait for its eventfd. */
#define VDUSE_SLOW_CALL_US 100
#define VDUSE_NS_PER_US    1000

/* The maximum number of address spaces, and of groups of virtqueues. VDUSE API 0 has one of each. */
#define VDUSE_ASID_MAX 2

/* Memory of this process in place of the kernel's bounce buffer. */
struct vduse_umem {
	void *va; /* NULL: none */
	uint64_t size;
	bool huge;    /* from EAL's huge pages */
	bool added;   /* registered with the kernel */
	bool refused; /* registering failed: do not try again */
	bool old;     /* registered while an earlier driver was up */
};

struct rte_vduse_dev {
	TAILQ_ENTRY(rte_vduse_dev) next;             /* in the control thread's list */
	char name[RTE_VDUSE_NAME_MAX];               /* in the log and in the kernel; constant */
	char owner[RTE_VDUSE_NAME_MAX];              /* the application's name for it; constant */
	char path[RTE_VDUSE_SOCKET_MAX];             /* constant */
	TAILQ_ENTRY(rte_vduse_dev) next_path;        /* see device_path.c */
	TAILQ_ENTRY(rte_vduse_dev) next_shown;       /* see telemetry.c */
	const struct vduse_transport_ops *transport; /* constant */
	void *transport_priv;                        /* of the transport */
	const struct rte_vduse_dev_ops *ops;         /* constant */
	void *arg;                                   /* constant */
	int fd;                                      /* for messages; constant while created */
	int socket_id;                               /* constant */
	uint64_t api_version;                        /* constant while created */
	uint64_t offered;                            /* features; constant */
	uint64_t withheld; /* features of offered that this driver is not offered; control thread */
	uint64_t features; /* of the driver; read by any thread */
	uint32_t config_size;  /* constant */
	uint32_t device_id;    /* constant */
	bool socket;           /* its path is that of a vhost-user socket; constant */
	uint64_t memory_limit; /* bytes of memory that a driver may share; constant */
	uint16_t nb_vqs;       /* constant */
	uint16_t ctrl_vqs;     /* see struct rte_vduse_dev_conf; constant */
	uint16_t nb_spaces;    /* address spaces, and groups; constant while created */
	uint16_t vq_size;      /* maximum size that is announced; constant */
	uint16_t vq_size_max;  /* maximum size that is served; constant */
	bool tells_ready;      /* a message tells of late virtqueues; constant while created */
	bool taken_over;       /* from a process that died; constant while created */
	bool resuming;         /* virtqueues start where the process that died stopped */
	bool want_umem;        /* constant */
	bool inflight;         /* see struct rte_vduse_dev_conf; constant */
	bool started;          /* rte_vduse_dev_start() succeeded; used by its caller only */
	bool stopped;          /* rte_vduse_dev_stop() was called; used by its caller only */
	bool left;             /* see rte_vduse_dev_leave() and handover/give.c */
	bool draining;         /* answers only, so that a driver can be removed; constant */
	uint8_t status;        /* read by any thread */
	bool asks;             /* for each address, see miss in transport.h; read by any thread */
	uint16_t ahead;        /* virtqueue that miss.c looks ahead for next, modulo nb_vqs */
	bool suspended;        /* until the driver resets the device; read by any thread */
	bool defers;           /* the deferred message waits until nothing is in flight */
	bool hung_up;          /* fd reported an error or a hang-up that is not handled yet */
	struct vduse_dev_request deferred;
	struct vduse_giving *giving;     /* to another process; NULL: not */
	struct rte_vduse_handover *from; /* of another process; NULL: not, or it is started */
	uint64_t drain_warn;  /* time to warn of requests in flight; 0: nothing waits for them */
	unsigned int unready; /* virtqueues that are not ready, though the driver is up */
	uint32_t group_asid[VDUSE_ASID_MAX]; /* address space of each group */
	uint64_t look_at; /* time to call look, see vduse_dev_look_later(); 0: never */
	void (*look)(struct rte_vduse_dev *dev, void *arg);
	bool look_now; /* see vduse_dev_look_now(); atomic */
	struct vduse_iotlb *iotlb[VDUSE_ASID_MAX];
	struct vduse_umem umem;
	struct vduse_state state;                  /* set up by the creating thread */
	uint8_t config[RTE_VDUSE_LEFT_CONFIG_MAX]; /* as created, the first bytes; constant */
	struct rte_vduse_dev_stats stats;          /* read by any thread */
	struct vduse_log_rate log_rate;  /* for lines that the driver causes; any thread */
	struct vduse_log_rate life_rate; /* for lines on drivers that come up and reset */
	struct rte_vduse_vq vqs[];
};

/* device_path.c: -EBUSY and a log line if another device of this process has the path. */
int
vduse_dev_path_take(struct rte_vduse_dev *dev);
/* device_path.c: releases the path. */
void
vduse_dev_path_leave(struct rte_vduse_dev *dev);

/*
 * Whether destroying the device leaves it and its state file to the next process: it was left, or
 * taken over but never started.
 */
static inline bool
vduse_dev_leaves(const struct rte_vduse_dev *dev)
{
	return dev->left || (!dev->started && (dev->taken_over || dev->state.kept));
}

/* The group of a virtqueue: with two of them, the last ctrl_vqs virtqueues are group 1. */
static inline uint32_t
vduse_vq_group(const struct rte_vduse_dev *dev, uint16_t index)
{
	return dev->nb_spaces > 1 && index >= dev->nb_vqs - dev->ctrl_vqs;
}

/*
 * miss.c: serves the virtqueues that wait for an address, of a device that asks for each. Returns
 * the milliseconds after which it is to be called again; -1: when something changes.
 */
int
vduse_miss_serve(struct rte_vduse_dev *dev);
/* miss.c: after the table of a virtqueue changed: an address that is mapped is not asked for. */
void
vduse_miss_switched(struct rte_vduse_vq *vq);

/* status.c: the virtqueues in an address space. Returns their number and sets the first one. */
uint16_t
vduse_status_space(const struct rte_vduse_dev *dev, uint32_t asid, uint16_t *first);

/*
 * msg.c: receives, handles and answers one message. -EAGAIN: none is pending; -EINPROGRESS: the
 * message is deferred until nothing is in flight, and the next call continues it.
 */
int
vduse_msg_handle(struct rte_vduse_dev *dev);

/*
 * msg.c: handles a request without waiting for requests in flight. For transports with their own
 * protocol, which call vduse_drain() first where that is needed. Returns 0 or a negative errno.
 */
int
vduse_msg_do(struct rte_vduse_dev *dev, const struct vduse_dev_request *req,
	     struct vduse_dev_response *resp);

/*
 * drain.c: stops polling nb virtqueues, so that no new requests are taken, and completes finished
 * ones. stop: requests may fail instead of finishing. Returns 0 if nothing is in flight: memory and
 * virtqueues may change now; -EINPROGRESS if requests remain: call it again. Polling starts again
 * with vduse_drain_end() or when the virtqueue is switched, resumed or restarted.
 */
int
vduse_drain(struct rte_vduse_dev *dev, uint16_t first, uint16_t nb, bool stop);

/* drain.c: ends a drain without a change: running virtqueues are polled again. */
void
vduse_drain_end(struct rte_vduse_dev *dev);

/* status.c: reads the driver's features and checks them against those offered. */
int
vduse_status_check_features(struct rte_vduse_dev *dev);
void
vduse_status_driver_ok(struct rte_vduse_dev *dev);
void
vduse_status_reset(struct rte_vduse_dev *dev);
/*
 * Stops polling all virtqueues, also those that start or get memory later, until resume. They keep
 * their positions. vduse_drain() left nothing in flight.
 */
void
vduse_status_suspend(struct rte_vduse_dev *dev);
/* Ends a suspension. All virtqueues are stopped. */
void
vduse_status_resume(struct rte_vduse_dev *dev);
/* Stops all virtqueues without a reset: the next process continues with the driver. */
void
vduse_status_leave(struct rte_vduse_dev *dev);
void
vduse_status_broken(struct rte_vduse_dev *dev);
void
vduse_status_set(struct rte_vduse_dev *dev, uint8_t status);
/*
 * Maps the memory of an address space again and switches its virtqueues to the new table. Those whose
 * rings were not mapped run again if they are now. reuse: see vduse_iotlb_walk().
 */
int
vduse_status_remap(struct rte_vduse_dev *dev, uint32_t asid, bool reuse);
/* Moves a group of virtqueues to an address space. No driver is up. */
void
vduse_status_move(struct rte_vduse_dev *dev, uint32_t group, uint32_t asid);

/* vq.c: one virtqueue. */
void
vduse_vq_init(struct rte_vduse_dev *dev, uint16_t index);
/* Frees what a stopped virtqueue holds. */
void
vduse_vq_free(struct rte_vduse_vq *vq);
/* Starts a virtqueue if the driver made it ready. Returns whether it is still unready. */
bool
vduse_vq_try_start(struct rte_vduse_vq *vq);
/* The same where a message says that it is ready: Linux 7.3 makes it ready after the answer. */
void
vduse_vq_start_told(struct rte_vduse_vq *vq);
void
vduse_vq_stop(struct rte_vduse_vq *vq);
/* Stops polling until the virtqueue changes. Returns the number of requests in flight. */
unsigned int
vduse_vq_drain(struct rte_vduse_vq *vq, bool stop);
/*
 * What is in flight when the virtqueue stops, or held back, is not found again: its driver goes on
 * elsewhere from the position alone. Stops polling; vduse_vq_drain() follows.
 */
void
vduse_vq_forget(struct rte_vduse_vq *vq);
/* Stops polling, without another change. After it returns, no poller is in a burst. */
void
vduse_vq_pause(struct rte_vduse_vq *vq);
/* Lets a running virtqueue be polled again. */
void
vduse_vq_drained(struct rte_vduse_vq *vq);
/* Stops a virtqueue at rest in an error: the device has lost what it needs. Until a reset. */
void
vduse_vq_lost(struct rte_vduse_vq *vq, int ret);
/* Switches a virtqueue to another table. After it returns, no poller uses the old one. */
void
vduse_vq_switch(struct rte_vduse_vq *vq, const struct vduse_iotlb *iotlb);
/* After a miss is served: the virtqueue runs again, or fails if no region has the address. */
void
vduse_vq_resume(struct rte_vduse_vq *vq);
/*
 * Ends vduse_vq_hold() or a drain without a change of state. enable: the poller may enter again; a
 * thread that sleeps on the virtqueue wakes up.
 */
void
vduse_vq_let_in(struct rte_vduse_vq *vq, bool enable);
/* The position at which a virtqueue continues, in the format of linux/vduse.h. */
void
vduse_vq_state(struct rte_vduse_vq *vq, struct vduse_vq_state *state);

/*
 * vq_log.c: sets the dirty log of a virtqueue, also for later starts, or NULL. used: the address by
 * which the used ring (packed: the device event area) is marked; UINT64_MAX: its own. After it
 * returns, no poller uses the old log. Not for device types that map rings themselves.
 */
void
vduse_vq_log(struct rte_vduse_vq *vq, const struct vring_log *log, uint64_t used);
/* Hands the dirty log of a virtqueue to its ring, which runs. The caller holds the lock. */
void
vduse_vq_log_apply(struct rte_vduse_vq *vq);

/* vq_call.c: how long the calling thread had a processor so far. */
uint64_t
vduse_thread_ns(void);

/* vq_call.c: before pollers use a virtqueue with another driver. */
void
vduse_vq_call_start(struct rte_vduse_vq *vq);

/* vq_call.c: sends the interrupt that a poller posted. Returns whether one was posted. */
bool
vduse_vq_call_posted(struct rte_vduse_vq *vq);

/* VDUSE_LOG() with the device's rate limit, for lines that its driver can cause repeatedly. */
#define VDUSE_LOG_DRIVER(dev_, type, level, fmt, ...)                                              \
	VDUSE_LOG_RATED(&(dev_)->log_rate, type, level, (dev_)->name, fmt, ##__VA_ARGS__)

/* Increments a counter that one thread at a time writes and any thread reads. */
static inline void
vduse_count(uint64_t *counter)
{
	rte_atomic_store_explicit(counter, *counter + 1, rte_memory_order_relaxed);
}

/* The region that contains iova, if the driver permits the access, or NULL. */
static inline const struct rte_vduse_region *
vduse_vq_region(const struct rte_vduse_vq *vq, uint64_t iova, bool write)
{
	const struct rte_vduse_region *region = rte_vduse_vq_lookup(vq, iova);

	return region != NULL && (write ? region->writable : region->readable) ? region : NULL;
}

/* umem.c: registers huge pages in place of a bounce region. Returns the mapping, or NULL. */
struct vduse_mapping *
vduse_umem_add(struct rte_vduse_dev *dev, uint64_t first, uint64_t size);
void
vduse_umem_free(struct rte_vduse_dev *dev);

#endif /* VDUSE_DEVICE_H */
