/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * One device, inside lib/vduse. Unless a field says otherwise the control thread alone
 * writes and reads it once the device is started.
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

/* A call that takes longer has very many waiters. */
#define VDUSE_SLOW_CALL_US 100

/* API 0 has one address space; API 1 will have several, this many at the most. */
#define VDUSE_ASID_MAX 1

/* Memory of ours in place of the kernel's bounce buffer. */
struct vduse_umem {
	void *va; /* NULL: none */
	uint64_t size;
	bool huge;    /* from EAL's huge pages */
	bool added;   /* the kernel has it */
	bool refused; /* do not try again */
};

struct rte_vduse_dev {
	TAILQ_ENTRY(rte_vduse_dev) next;             /* the control thread's devices */
	char name[RTE_VDUSE_NAME_MAX];               /* for the log, and the kernel's; constant */
	char owner[RTE_VDUSE_NAME_MAX];              /* what the application calls it; constant */
	char path[RTE_VDUSE_SOCKET_MAX];             /* constant */
	TAILQ_ENTRY(rte_vduse_dev) next_path;        /* see device_path.c */
	const struct vduse_transport_ops *transport; /* constant */
	void *transport_priv;                        /* the transport's */
	const struct rte_vduse_dev_ops *ops;         /* constant */
	void *arg;                                   /* constant */
	int fd;                                      /* messages; constant while created */
	int socket_id;                               /* constant */
	uint64_t api_version;                        /* constant while created */
	uint64_t offered;                            /* features; constant */
	uint64_t features;                           /* what the driver took; read by any thread */
	uint32_t config_size;                        /* constant */
	uint32_t device_id;                          /* constant */
	bool socket;           /* its path is that of a vhost-user socket; constant */
	uint64_t memory_limit; /* bytes that a driver may show; constant */
	uint16_t nb_vqs;       /* constant */
	uint16_t vq_size;      /* the largest that is announced; constant */
	uint16_t vq_size_max;  /* the largest that is served; constant */
	bool taken_over;       /* a dead process left it; constant while created */
	bool resuming;         /* virtqueues start where a dead process left them */
	bool want_umem;        /* constant */
	bool inflight;         /* see struct rte_vduse_dev_conf; constant */
	bool started;          /* rte_vduse_dev_start() succeeded; its caller's */
	bool stopped;          /* rte_vduse_dev_stop() was there; its caller's */
	bool draining;         /* answers only, to let a driver go; constant */
	uint8_t status;        /* read by any thread */
	uint64_t slow_call;    /* VDUSE_SLOW_CALL_US in cycles; constant */
	bool defers;           /* deferred waits until nothing is in flight */
	bool gives_up;         /* the kernel gave it up, which is to be served, too */
	struct vduse_dev_request deferred;
	uint64_t drain_warn;  /* when to say that requests take long; 0: none is waited for */
	unsigned int unready; /* virtqueues that a started driver left unready */
	struct vduse_iotlb *iotlb[VDUSE_ASID_MAX];
	struct vduse_umem umem;
	struct vduse_state state;                  /* its creator's thread's */
	uint8_t config[RTE_VDUSE_LEFT_CONFIG_MAX]; /* as created, as far as it is kept; constant */
	struct rte_vduse_dev_stats stats;          /* read by any thread */
	struct vduse_log_rate log_rate;  /* of lines that the driver causes; any thread's */
	struct vduse_log_rate life_rate; /* of those that say that it comes and goes */
	struct rte_vduse_vq vqs[];
};

/* device_path.c: -EBUSY and a log line if another device of this process has the path. */
int
vduse_dev_path_take(struct rte_vduse_dev *dev);
/* device_path.c: another device may have the path now. */
void
vduse_dev_path_leave(struct rte_vduse_dev *dev);

/*
 * device.c: whether this process never served what it took over: it goes, and leaves all of it to
 * the next one.
 */
static inline bool
vduse_dev_leaves(const struct rte_vduse_dev *dev)
{
	return !dev->started && (dev->taken_over || dev->state.kept);
}

/*
 * msg.c: takes one message, acts and answers. -EAGAIN: none waits; -EINPROGRESS: it waits itself,
 * until nothing is in flight, and the next call goes on with it.
 */
int
vduse_msg_handle(struct rte_vduse_dev *dev);

/*
 * msg.c: does at once what a request says; for transports with a protocol of their own, which see
 * that nothing is in flight of what it takes away. 0 or a negative errno. Control thread.
 */
int
vduse_msg_do(struct rte_vduse_dev *dev, const struct vduse_dev_request *req,
	     struct vduse_dev_response *resp);

/*
 * drain.c: looks for what is finished of the requests of some virtqueues, whose pollers take no new
 * ones from now on until the virtqueue changes. stop: requests may fail rather than go on. 0:
 * nothing is in flight, and the memory or the virtqueues may change at once; -EINPROGRESS: not yet,
 * ask again. Control thread.
 */
int
vduse_drain(struct rte_vduse_dev *dev, uint16_t first, uint16_t nb, bool stop);

/* drain.c: what waited is done or does not happen; virtqueues that run are polled again. */
void
vduse_drain_end(struct rte_vduse_dev *dev);

/* status.c: what follows from the driver's status. Control thread. */
int
vduse_status_check_features(struct rte_vduse_dev *dev);
void
vduse_status_driver_ok(struct rte_vduse_dev *dev);
void
vduse_status_reset(struct rte_vduse_dev *dev);
void
vduse_status_broken(struct rte_vduse_dev *dev);
void
vduse_status_set(struct rte_vduse_dev *dev, uint8_t status);
/* Makes regions anew; virtqueues that wait or are suspended go on if they can. */
int
vduse_status_remap(struct rte_vduse_dev *dev, bool reuse);

/* vq.c: one virtqueue. Control thread. */
void
vduse_vq_init(struct rte_vduse_dev *dev, uint16_t index);
/* Starts a virtqueue if the driver made it ready. Returns whether it is still unready. */
bool
vduse_vq_try_start(struct rte_vduse_vq *vq);
void
vduse_vq_stop(struct rte_vduse_vq *vq);
/* Makes the call that a poller posted. Returns whether it posted one. */
bool
vduse_vq_call_posted(struct rte_vduse_vq *vq);
/* Ends polling until it is stopped or switched, and looks what is in flight: how much is left. */
unsigned int
vduse_vq_drain(struct rte_vduse_vq *vq, bool stop);
/* Permits polling again, if it runs. */
void
vduse_vq_drained(struct rte_vduse_vq *vq);
/* Puts a virtqueue on another table; when this returns no poller holds the old one. */
void
vduse_vq_switch(struct rte_vduse_vq *vq, const struct vduse_iotlb *iotlb);
/* After a walk on its behalf: a virtqueue that missed goes on or fails. */
void
vduse_vq_resume(struct rte_vduse_vq *vq);
/* Where a virtqueue goes on, in the kernel's form. */
void
vduse_vq_state(struct rte_vduse_vq *vq, struct vduse_vq_state *state);

/* VDUSE_LOG() for what the device's driver can cause, as often as it likes. */
#define VDUSE_LOG_DRIVER(dev_, type, level, fmt, ...)                                              \
	VDUSE_LOG_RATED(&(dev_)->log_rate, type, level, (dev_)->name, fmt, ##__VA_ARGS__)

/* A counter that one thread at a time writes and any reads. */
static inline void
vduse_count(uint64_t *counter)
{
	rte_atomic_store_explicit(counter, *counter + 1, rte_memory_order_relaxed);
}

/* umem.c: puts huge pages of ours in place of a bounce region. The mapping, or NULL. */
struct vduse_mapping *
vduse_umem_add(struct rte_vduse_dev *dev, uint64_t first, uint64_t size);
void
vduse_umem_free(struct rte_vduse_dev *dev);

#endif /* VDUSE_DEVICE_H */
