/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Starts and stops one device while others are served.
 * Input: a device that the caller claimed. Output: it serves, or it does not exist any more.
 * Thread: any that does not poll; it may wait for the backend and for a driver.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <rte_cycles.h>

#include "app.h"

static pthread_mutex_t poll_lock = PTHREAD_MUTEX_INITIALIZER;

int
app_device_poll(struct rte_vduse_blk *blk)
{
	int ret;

	pthread_mutex_lock(&poll_lock);
	ret = app_poll_add(blk);
	pthread_mutex_unlock(&poll_lock);
	if (ret < 0)
		fprintf(stderr, "dpdk-vduse-blk: the queues cannot be polled: %s\n",
			strerror(-ret));
	return ret;
}

void
app_device_unpoll(struct rte_vduse_blk *blk)
{
	pthread_mutex_lock(&poll_lock);
	app_poll_remove(blk);
	pthread_mutex_unlock(&poll_lock);
}

void
app_device_destroy(struct app_devices *devices, struct app_device *device)
{
	struct rte_vduse_blk *blk = device->blk;

	app_device_unpoll(blk);
	app_registry_set_blk(devices, device, NULL);
	rte_vduse_blk_destroy(blk);
}

/* Its queues must be polled. */
static void
device_take_from_driver(struct app_devices *devices, struct app_device *device)
{
	app_registry_set_waits(devices, device, true);
	rte_vduse_blk_stop(device->blk);
	app_registry_set_waits(devices, device, false);
}

/* The kernel reads the partition table while it attaches a device, so lcores must poll already. */
int
app_device_start(struct app_devices *devices, struct app_device *device)
{
	struct rte_vduse_blk *blk;
	int ret;

	ret = rte_vduse_blk_create(&device->args.conf, &blk);
	if (ret < 0)
		return ret;
	app_registry_set_blk(devices, device, blk);
	ret = app_device_poll(blk);
	if (ret < 0)
		goto destroy;
	ret = rte_vduse_blk_start(blk, device->args.dev.attach);
	if (ret == 0)
		return 0;
	device_take_from_driver(devices, device);
destroy:
	app_device_destroy(devices, device);
	return ret;
}

int
app_device_stop(struct app_devices *devices, struct app_device *device)
{
	/* Only this thread writes the pointer, because it claimed the device. */
	struct rte_vduse_blk *blk = device->blk;
	int ret = rte_vduse_blk_drain(blk, APP_BACKEND_S * MS_PER_S);

	if (ret < 0)
		return ret;
	device_take_from_driver(devices, device);
	app_device_destroy(devices, device);
	return 0;
}
