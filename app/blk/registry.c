/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The list of devices. A thread that acts on a device claims it first, so that no other thread acts on
 * it, frees it or adds one of the same name meanwhile.
 * Input: texts of --device. Output: devices with a state each.
 * Thread: any.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rte_common.h>
#include <rte_string_fns.h>

#include "app.h"

void
app_registry_init(struct app_devices *devices)
{
	pthread_condattr_t attr;

	pthread_mutex_init(&devices->lock, NULL);
	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_cond_init(&devices->released, &attr);
	pthread_condattr_destroy(&attr);
}

/* Two devices must not have the same name or the same path. */
static int
registry_check(const struct app_devices *devices, const struct blk_devargs *args)
{
	unsigned int i;

	for (i = 0; i < devices->nb; i++) {
		const struct blk_devargs *other = &devices->all[i]->args;

		if (strcmp(args->name, other->name) == 0) {
			fprintf(stderr,
				"dpdk-vduse-blk: %s: a device of this name is at %s: use "
				"another name for that at %s\n",
				args->name, other->dev.path, args->dev.path);
			return -EEXIST;
		}
		if (strcmp(args->dev.path, other->dev.path) == 0) {
			fprintf(stderr, "dpdk-vduse-blk: %s: %s=%s: %s has it: use another\n",
				args->name, args->vhost_user ? "socket" : "iface", args->dev.path,
				other->name);
			return -EEXIST;
		}
	}
	return 0;
}

/* With the lock held. */
static int
registry_insert(struct app_devices *devices, struct app_device *device)
{
	struct app_device **all;
	int ret;

	if (devices->closing)
		return -ESHUTDOWN;
	ret = registry_check(devices, &device->args);
	if (ret < 0)
		return ret;
	all = realloc(devices->all, (devices->nb + 1) * sizeof(all[0]));
	if (all == NULL)
		return -ENOMEM;
	devices->all = all;
	device->id = ++devices->last_id;
	device->state = APP_STARTING;
	device->claimed = true;
	all[devices->nb++] = device;
	return 0;
}

static void
registry_free(struct app_device *device)
{
	free(device->text);
	free(device);
}

/* Each device is allocated separately, because pointers into its arguments must stay valid. */
int
app_registry_add(struct app_devices *devices, const char *text, struct app_device **out)
{
	struct app_device *device = calloc(1, sizeof(*device));
	int ret;

	if (device == NULL)
		return -ENOMEM;
	device->text = strdup(text);
	ret = device->text != NULL ? blk_devargs_parse(text, &device->args) : -ENOMEM;
	if (ret == 0) {
		pthread_mutex_lock(&devices->lock);
		ret = registry_insert(devices, device);
		pthread_mutex_unlock(&devices->lock);
	}
	if (ret < 0)
		registry_free(device);
	else
		*out = device;
	return ret;
}

void
app_registry_remove(struct app_devices *devices, struct app_device *device)
{
	unsigned int i = 0;

	pthread_mutex_lock(&devices->lock);
	while (devices->all[i] != device)
		i++;
	devices->nb--;
	memmove(&devices->all[i], &devices->all[i + 1],
		(devices->nb - i) * sizeof(devices->all[0]));
	pthread_cond_broadcast(&devices->released);
	pthread_mutex_unlock(&devices->lock);
	registry_free(device);
}

int
app_registry_claim(struct app_devices *devices, const char *name, enum app_state state,
		   struct app_device **out)
{
	struct app_device *device = NULL;
	unsigned int i;
	int ret = 0;

	pthread_mutex_lock(&devices->lock);
	for (i = 0; i < devices->nb && device == NULL; i++)
		if (strcmp(devices->all[i]->args.name, name) == 0)
			device = devices->all[i];
	if (devices->closing)
		ret = -ESHUTDOWN;
	else if (device == NULL)
		ret = -ENODEV;
	else if (device->claimed)
		ret = -EBUSY;
	if (ret == 0) {
		device->claimed = true;
		device->state = state;
		*out = device;
	}
	pthread_mutex_unlock(&devices->lock);
	return ret;
}

struct app_device *
app_registry_claim_next(struct app_devices *devices, uint64_t id)
{
	struct app_device *device = NULL;
	unsigned int i;

	pthread_mutex_lock(&devices->lock);
	for (i = 0; i < devices->nb && device == NULL; i++)
		if (devices->all[i]->id > id && !devices->all[i]->claimed)
			device = devices->all[i];
	if (device != NULL)
		device->claimed = true;
	pthread_mutex_unlock(&devices->lock);
	return device;
}

void
app_registry_release(struct app_devices *devices, struct app_device *device, enum app_state state)
{
	pthread_mutex_lock(&devices->lock);
	device->state = state;
	device->claimed = false;
	pthread_cond_broadcast(&devices->released);
	pthread_mutex_unlock(&devices->lock);
}

void
app_registry_set_blk(struct app_devices *devices, struct app_device *device,
		     struct rte_vduse_blk *blk)
{
	pthread_mutex_lock(&devices->lock);
	device->blk = blk;
	pthread_mutex_unlock(&devices->lock);
}

void
app_registry_set_waits(struct app_devices *devices, struct app_device *device, bool waits)
{
	pthread_mutex_lock(&devices->lock);
	device->waits_driver = waits;
	pthread_mutex_unlock(&devices->lock);
}

void
app_registry_set_text(struct app_devices *devices, struct app_device *device, char *text,
		      const char *serial)
{
	pthread_mutex_lock(&devices->lock);
	RTE_SWAP(device->text, text);
	if (serial != NULL)
		(void)rte_strlcpy(device->args.serial, serial, sizeof(device->args.serial));
	pthread_mutex_unlock(&devices->lock);
	free(text);
}

void
app_registry_each(struct app_devices *devices,
		  void (*each)(const struct app_device *device, void *arg), void *arg)
{
	unsigned int i;

	pthread_mutex_lock(&devices->lock);
	for (i = 0; i < devices->nb; i++)
		each(devices->all[i], arg);
	pthread_mutex_unlock(&devices->lock);
}

/* A claimed device; of several, one that does not wait for a driver. With the lock held. */
static const struct app_device *
registry_claimed(const struct app_devices *devices)
{
	const struct app_device *found = NULL;
	unsigned int i;

	for (i = 0; i < devices->nb; i++) {
		if (!devices->all[i]->claimed)
			continue;
		found = devices->all[i];
		if (!found->waits_driver)
			break;
	}
	return found;
}

int
app_registry_close(struct app_devices *devices, char name[RTE_VDUSE_NAME_MAX])
{
	const struct app_device *claimed;
	struct timespec end;
	int ret = 0;

	clock_gettime(CLOCK_MONOTONIC, &end);
	end.tv_sec += APP_BACKEND_S;
	pthread_mutex_lock(&devices->lock);
	devices->closing = true;
	while ((claimed = registry_claimed(devices)) != NULL) {
		if (pthread_cond_timedwait(&devices->released, &devices->lock, &end) == 0)
			continue;
		claimed = registry_claimed(devices);
		if (claimed != NULL && !claimed->waits_driver) {
			snprintf(name, RTE_VDUSE_NAME_MAX, "%s", claimed->args.name);
			ret = -ETIMEDOUT;
			break;
		}
		/* A virtual machine has it open, and the kernel removes it later. */
		clock_gettime(CLOCK_MONOTONIC, &end);
		end.tv_sec += APP_BACKEND_S;
	}
	pthread_mutex_unlock(&devices->lock);
	return ret;
}

void
app_registry_free(struct app_devices *devices)
{
	while (devices->nb > 0)
		registry_free(devices->all[--devices->nb]);
	free(devices->all);
	devices->all = NULL;
	pthread_cond_destroy(&devices->released);
	pthread_mutex_destroy(&devices->lock);
}
