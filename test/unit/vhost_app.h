/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * An application of rte_vhost.h and the driver of its device, for tests: what the application
 * is told is kept as a line of words.
 */
#ifndef VHOST_APP_H
#define VHOST_APP_H

#include <rte_vhost.h>

#include "loopback_net.h"

#define APP_PATH "/dev/vduse/unit0"
/* The first id that is given. */
#define APP_VID (RTE_MAX_VHOST_DEVICE - 1)

struct vhost_app {
	struct loopback_net driver;
	/* Called in the callback of the same name, on the events thread. May be NULL. */
	int (*new_connection)(struct vhost_app *app);
	int (*new_device)(struct vhost_app *app);
	void (*destroy_device)(struct vhost_app *app);
	/* In place of an interrupt, on the polling thread: true takes it over. May be NULL. */
	bool (*guest_notify)(struct vhost_app *app, uint16_t queue_id);
	unsigned int guest_notified; /* interrupts that it heard of */
};

/* What the application was told since it was asked last, as "new_device vring0+ vring1+". */
extern struct vhost_app vhost_app;

/* Where state files are: of this process alone. */
extern char vhost_app_run_dir[64];

/* Registers the path; set vhost_app's callbacks after it, not before. */
void
vhost_app_register(uint32_t size, uint64_t features, uint64_t flags);
/* Starts it; the device is vhost_app.driver.dev then. */
void
vhost_app_start(void);
/* Unregisters it and frees the driver's memory. */
void
vhost_app_end(void);

/* Waits until the application was told these words, and no others; forgets them. */
void
vhost_app_told(const char *words);

#endif /* VHOST_APP_H */
