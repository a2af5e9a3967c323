/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See vhost_app.h. */
#include "vhost_app.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vhost/vhost.h>

struct vhost_app vhost_app;
char vhost_app_run_dir[64];

static pthread_mutex_t told_lock = PTHREAD_MUTEX_INITIALIZER;
static char told[512];

static void
tell(int vid, const char *word)
{
	size_t len;

	pthread_mutex_lock(&told_lock);
	len = strlen(told);
	snprintf(told + len, sizeof(told) - len, "%s%s%s", len == 0 ? "" : " ", word,
		 vid == APP_VID ? "" : "(of another device)");
	pthread_mutex_unlock(&told_lock);
}

static int
on_new_connection(int vid)
{
	tell(vid, "new_connection");
	return vhost_app.new_connection != NULL ? vhost_app.new_connection(&vhost_app) : 0;
}

static void
on_destroy_connection(int vid)
{
	tell(vid, "destroy_connection");
}

static int
on_new_device(int vid)
{
	tell(vid, "new_device");
	return vhost_app.new_device != NULL ? vhost_app.new_device(&vhost_app) : 0;
}

static void
on_destroy_device(int vid)
{
	if (vhost_app.destroy_device != NULL)
		vhost_app.destroy_device(&vhost_app);
	tell(vid, "destroy_device");
}

static int
on_vring_state_changed(int vid, uint16_t queue_id, int enable)
{
	char word[32];

	snprintf(word, sizeof(word), "vring%u%s", queue_id, enable ? "+" : "-");
	tell(vid, word);
	return 0;
}

static void
on_guest_notified(int vid)
{
	assert_int_equal(vid, APP_VID);
	vhost_app.guest_notified++;
}

static bool
on_guest_notify(int vid, uint16_t queue_id)
{
	assert_int_equal(vid, APP_VID);
	return vhost_app.guest_notify != NULL && vhost_app.guest_notify(&vhost_app, queue_id);
}

static struct rte_vhost_device_ops app_ops = {
	.new_connection = on_new_connection,
	.destroy_connection = on_destroy_connection,
	.new_device = on_new_device,
	.destroy_device = on_destroy_device,
	.vring_state_changed = on_vring_state_changed,
	.guest_notified = on_guest_notified,
};

void
vhost_app_register(uint32_t size, uint64_t features, uint64_t flags)
{
	bool (*guest_notify)(int vid, uint16_t queue_id) = on_guest_notify;

	/* The slot after the last one of 22.11: guest_notify from 23.07 on. */
	memcpy(&app_ops.guest_notified + 1, &guest_notify, sizeof(guest_notify));
	memset(&vhost_app, 0, sizeof(vhost_app));
	told[0] = '\0';
	snprintf(vhost_app_run_dir, sizeof(vhost_app_run_dir), "/tmp/vduse-unit-%d", getpid());
	setenv("DPDK_VDUSE_RUN_DIR", vhost_app_run_dir, 1);
	loopback_net_driver(&vhost_app.driver, size, features);
	assert_int_equal(rte_vhost_driver_register(APP_PATH, flags), 0);
	assert_int_equal(rte_vhost_driver_callback_register(APP_PATH, &app_ops), 0);
}

void
vhost_app_start(void)
{
	assert_int_equal(rte_vhost_driver_start(APP_PATH), 0);
	assert_non_null(vhost_dev_get(APP_VID));
	vhost_app.driver.dev = vhost_dev_get(APP_VID)->dev;
}

void
vhost_app_end(void)
{
	assert_int_equal(rte_vhost_driver_unregister(APP_PATH), 0);
	assert_null(vhost_dev_get(APP_VID));
	loopback_net_destroy(&vhost_app.driver);
	/* Nothing is left in it. */
	assert_true(rmdir(vhost_app_run_dir) == 0 || errno == ENOENT);
}

static bool
is_told(void *arg)
{
	bool same;

	pthread_mutex_lock(&told_lock);
	same = strcmp(told, arg) == 0;
	if (same)
		told[0] = '\0';
	pthread_mutex_unlock(&told_lock);
	return same;
}

void
vhost_app_told(const char *words)
{
	if (!unit_wait(is_told, (void *)(uintptr_t)words))
		fail_msg("told \"%s\", not \"%s\"", told, words);
}
