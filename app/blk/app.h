/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Internal interface of dpdk-vduse-blk. options.c parses the command line, user.c switches the user,
 * registry.c keeps the list of devices, device.c starts and stops one of them, poll.c polls them,
 * control/ lets clients of a socket manage them.
 */
#ifndef BLK_APP_H
#define BLK_APP_H

#include <pthread.h>

#include <rte_vduse_blk.h>

#include "blk_devargs.h"

/* How long a stop waits for a backend, in seconds. */
#define APP_BACKEND_S 30

/* How long an lcore polls before it sleeps, unless it is told. */
#define APP_IDLE_US     50
#define APP_IDLE_US_MAX 1000000

enum app_state {
	APP_STARTING,
	APP_SERVING,
	APP_STOPPING,
};

/* A device. What is not said to be constant is read and written under the lock of the list. */
struct app_device {
	struct blk_devargs args;   /* constant, except serial */
	char *text;                /* the arguments, with what was changed since */
	uint64_t id;               /* later devices have larger ones; constant */
	struct rte_vduse_blk *blk; /* NULL: not created, or destroyed */
	enum app_state state;
	bool claimed;      /* one thread acts on it, and nobody else may */
	bool waits_driver; /* that thread waits for a driver, for as long as it takes */
};

struct app_devices {
	pthread_mutex_t lock; /* never held while something blocks */
	pthread_cond_t released;
	struct app_device **all; /* in the order of their ids */
	unsigned int nb;
	uint64_t last_id;
	bool closing; /* no device may be claimed or added any more */

	/* Options; constant after app_options(). */
	const char *user;          /* to switch to; NULL: none */
	const char *config;        /* the file of --config; NULL: none, or several */
	const char *take_over;     /* the control socket of the process to replace; NULL: none */
	const char *control;       /* the control socket; NULL: none */
	const char *control_group; /* NULL: that of the process */
	unsigned int control_mode;
	bool leave; /* SIGTERM leaves the devices to the next process; the main thread changes it */
	int background;       /* for app_notify_ready(); -1: nobody waits */
	unsigned int idle_us; /* lcores sleep after that; 0: they poll always */
};

/* options.c: parses the command line. 0, or a negative errno after one line with the reason. */
int
app_options(int argc, char **argv, struct app_devices *devices);

/* registry.c: an empty list. */
void
app_registry_init(struct app_devices *devices);
/*
 * registry.c: adds a device that is to be created, as a --device argument says. It is starting and
 * claimed by the caller. 0; -EINVAL: wrong arguments; -EEXIST: its name or path is used; -ESHUTDOWN:
 * the process ends; or -ENOMEM. One line on the standard error says what is wrong.
 */
int
app_registry_add(struct app_devices *devices, const char *text, struct app_device **device);
/* registry.c: removes a device that the caller claimed and that is destroyed, and frees it. */
void
app_registry_remove(struct app_devices *devices, struct app_device *device);
/*
 * registry.c: claims a serving device, which gets the state. 0; -ENODEV: there is none of this name;
 * -EBUSY: another thread acts on it; or -ESHUTDOWN: the process ends.
 */
int
app_registry_claim(struct app_devices *devices, const char *name, enum app_state state,
		   struct app_device **device);
/* registry.c: claims the next serving device after the one with this id. NULL: no more. */
struct app_device *
app_registry_claim_next(struct app_devices *devices, uint64_t id);
/* registry.c: gives a claimed device back. */
void
app_registry_release(struct app_devices *devices, struct app_device *device, enum app_state state);
/* registry.c: changes what others see of a claimed device. */
void
app_registry_set_blk(struct app_devices *devices, struct app_device *device,
		     struct rte_vduse_blk *blk);
void
app_registry_set_waits(struct app_devices *devices, struct app_device *device, bool waits);
/*
 * registry.c: records what a client changed of a claimed device. text: its arguments with that, from
 * malloc(); serial: NULL if it stays.
 */
void
app_registry_set_text(struct app_devices *devices, struct app_device *device, char *text,
		      const char *serial);
/* registry.c: calls each with all devices, under the lock: it must not block. */
void
app_registry_each(struct app_devices *devices,
		  void (*each)(const struct app_device *device, void *arg), void *arg);
/*
 * registry.c: lets nobody claim a device any more, and waits until none is claimed. 0; or -ETIMEDOUT
 * after APP_BACKEND_S if a backend does not answer, with the name of its device.
 */
int
app_registry_close(struct app_devices *devices, char name[RTE_VDUSE_NAME_MAX]);
/* registry.c: frees the list. The devices must not exist any more. */
void
app_registry_free(struct app_devices *devices);

/*
 * device.c: creates, polls and starts a claimed device, which serves then. 0, or a negative errno after
 * one line with the reason; it is not created then.
 */
int
app_device_start(struct app_devices *devices, struct app_device *device);
/*
 * device.c: finishes the requests of a claimed device, stops and destroys it. 0; or -ETIMEDOUT: its
 * backend does not finish, and it goes on serving.
 */
int
app_device_stop(struct app_devices *devices, struct app_device *device);
/* device.c: destroys a claimed device that is stopped or handed over. */
void
app_device_destroy(struct app_devices *devices, struct app_device *device);
/* device.c: app_poll_add() and app_poll_remove() for callers on several threads. */
int
app_device_poll(struct rte_vduse_blk *blk);
void
app_device_unpoll(struct rte_vduse_blk *blk);

struct take_over;

/*
 * replace.c: takes the devices over from another process, as far as it has them, and starts them;
 * lcores poll. 0 if there is one at least; or a negative errno after lines with the reasons.
 */
int
app_replace(struct app_devices *devices, struct take_over *over);

/* user.c: switches to devices->user. 0, or a negative errno after one line with the reason. */
int
app_user_drop(const struct app_devices *devices);
/* user.c: 0; or -EPERM after one line with the reason: a user cannot remove this device. */
int
app_user_check(const struct app_devices *devices, const struct blk_devargs *args);

/*
 * poll.c: starts the worker lcores, which have nothing to poll yet. They sleep when there was nothing
 * to do for idle_us microseconds; 0: never. 0 or -errno, with a line.
 */
int
app_poll_start(unsigned int idle_us);
/* poll.c: lets worker lcores poll the queues of a device. 0, or -errno: none is polled. */
int
app_poll_add(struct rte_vduse_blk *blk);
/* poll.c: returns when no lcore polls the device any more. */
void
app_poll_remove(struct rte_vduse_blk *blk);
/* poll.c: stops polling. Returns when no lcore polls any more. */
void
app_poll_stop(void);

/* summary.c: prints the counters of the devices to the standard output. */
void
app_summary(struct app_devices *devices);

#endif /* BLK_APP_H */
