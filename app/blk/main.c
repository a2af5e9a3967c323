/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * dpdk-vduse-blk: serves block devices to the kernel, a container or a virtual machine.
 * The main thread sets up the devices, waits for signals, and stops everything: first it takes the
 * devices from their drivers, while lcores still poll them, then it stops the lcores. It does not
 * wait for a backend that does not answer.
 * Input: command line arguments and signals. Output: devices that worker lcores poll.
 * Thread: main.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <rte_alarm.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_log.h>
#include <rte_vduse_handover.h>

#include "app.h"
#include "control/control.h"
#include "eal_args.h"
#include "notify.h"
#include "take_over.h"

#ifndef PR_SET_IO_FLUSHER
#define PR_SET_IO_FLUSHER 57
#endif

/*
 * Without -v only errors of EAL, warnings of its libraries and a line for each device are printed.
 * EAL reads --log-level later, which may enable more. -v is accepted before and after "--".
 */
static void
app_quiet(int argc, char **argv)
{
	int i;

	for (i = 1; i < argc; i++)
		if (strcmp(argv[i], "-v") == 0)
			return;
	(void)rte_log_set_level_pattern("*", RTE_LOG_WARNING);
	/* It warns about each huge page size that has no reserved pages. */
	(void)rte_log_set_level_pattern("lib.eal", RTE_LOG_ERR);
	(void)rte_log_set_level_pattern("lib.vduse.*", RTE_LOG_INFO);
}

/*
 * To free memory, the kernel may need this process to write a page. Therefore lock the memory of the
 * process, and mark it as an I/O flusher, so that its allocations do not wait for its own disk.
 * Returns whether the process is an I/O flusher.
 */
static bool
app_keep_memory(void)
{
	bool flushes = prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0) == 0;

	if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) < 0)
		fprintf(stderr,
			"dpdk-vduse-blk: cannot keep its memory: %s: raise the limit of "
			"locked memory\n",
			strerror(errno));
	return flushes;
}

/* A disk at a socket is not used by this kernel and needs no warning. */
static void
app_warn_kernel_disk(const struct app_devices *devices)
{
	unsigned int i;

	for (i = 0; i < devices->nb; i++)
		if (!devices->all[i]->args.vhost_user)
			break;
	if (i < devices->nb)
		fprintf(stderr,
			"dpdk-vduse-blk: %s: without CAP_SYS_RESOURCE a machine that is "
			"short of memory may hang on its own disk\n",
			devices->all[i]->args.name);
}

/* Opening a backend may block forever. No driver has a device yet, so the signals may end the process. */
static int
app_create(struct app_devices *devices)
{
	sigset_t signals;
	unsigned int i;
	int ret = 0;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	pthread_sigmask(SIG_UNBLOCK, &signals, NULL);
	for (i = 0; i < devices->nb && ret == 0; i++)
		ret = rte_vduse_blk_create(&devices->all[i]->args.conf, &devices->all[i]->blk);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	return ret;
}

static int
app_poll(struct app_devices *devices)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < devices->nb && ret == 0; i++)
		ret = app_device_poll(devices->all[i]->blk);
	return ret;
}

/* The kernel reads the partition table while it attaches a device, so lcores must poll already. */
static int
app_start(struct app_devices *devices)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < devices->nb && ret == 0; i++)
		ret = rte_vduse_blk_start(devices->all[i]->blk, devices->all[i]->args.dev.attach);
	return ret;
}

static void
app_stop(struct app_devices *devices)
{
	unsigned int i;

	for (i = devices->nb; i-- > 0;)
		if (devices->all[i]->blk == NULL)
			continue;
		else if (devices->leave)
			rte_vduse_dev_leave(rte_vduse_blk_dev(devices->all[i]->blk));
		else
			rte_vduse_blk_stop(devices->all[i]->blk);
}

/*
 * Ends like a killed process: requests in flight stay in the inflight log, a VDUSE device stays with
 * its driver, and the next process takes over both.
 */
static void
app_give_up(const char *name, const char *what)
{
	fprintf(stderr,
		"dpdk-vduse-blk: %s: the backend does not %s: ending without it, as if "
		"killed\n",
		name, what);
	fflush(stdout);
	_exit(EXIT_FAILURE);
}

/* A driver that releases a disk waits for its requests, uninterruptibly in the kernel. */
static void
app_drain(struct app_devices *devices)
{
	unsigned int i;

	for (i = 0; i < devices->nb; i++)
		if (devices->all[i]->blk != NULL &&
		    rte_vduse_blk_drain(devices->all[i]->blk, APP_BACKEND_S * MS_PER_S) < 0)
			app_give_up(devices->all[i]->args.name, "finish its requests");
}

/* Thread: EAL's interrupt thread. */
static void
app_close_late(void *arg)
{
	const struct app_device *device = arg;

	app_give_up(device->args.name, "close");
}

static void
app_destroy(struct app_devices *devices)
{
	unsigned int i;

	for (i = devices->nb; i-- > 0;) {
		struct app_device *device = devices->all[i];

		(void)rte_eal_alarm_set(APP_BACKEND_S * US_PER_S, app_close_late, device);
		rte_vduse_blk_destroy(device->blk);
		(void)rte_eal_alarm_cancel(app_close_late, device);
	}
}

/* A device that a client of the control socket acts on is left out. */
static void
app_resize(struct app_devices *devices)
{
	struct app_device *device = app_registry_claim_next(devices, 0);

	while (device != NULL) {
		uint64_t id = device->id;

		(void)rte_vduse_blk_resize(device->blk);
		app_registry_release(devices, device, APP_SERVING);
		device = app_registry_claim_next(devices, id);
	}
}

/* Returns on SIGTERM or SIGINT. */
static void
app_wait(struct app_devices *devices, const sigset_t *signals)
{
	int signum;

	for (;;) {
		if (sigwait(signals, &signum) != 0)
			continue;
		if (signum == SIGUSR1)
			app_summary(devices);
		else if (signum == SIGHUP)
			app_resize(devices);
		else
			break;
	}
	devices->leave &= signum == SIGTERM;
}

/* Clients of the control socket may act on devices until it returns, not later. */
static void
app_close(struct app_devices *devices, struct control *control)
{
	char name[RTE_VDUSE_NAME_MAX];

	control_stop(control);
	if (app_registry_close(devices, name) < 0)
		app_give_up(name, "answer");
	control_join(control);
}

/* From here on other threads may act on the devices. */
static int
app_serve(struct app_devices *devices, struct control *control, const sigset_t *signals)
{
	unsigned int i;
	int ret;

	for (i = 0; i < devices->nb; i++)
		app_registry_release(devices, devices->all[i], APP_SERVING);
	ret = control_start(control);
	if (ret == 0) {
		app_notify_ready(&devices->background);
		app_wait(devices, signals);
	}
	app_notify_stopping();
	app_close(devices, control);
	return ret;
}

/*
 * -ENOENT: there is no process to replace. The control socket of the process before is in use until
 * that ends.
 */
static int
app_begin_after(struct app_devices *devices, struct control **control)
{
	struct take_over *over;
	int ret;

	if (devices->take_over == NULL)
		return -ENOENT;
	ret = take_over_open(devices->take_over, &over);
	if (ret < 0)
		return ret;
	ret = app_poll_start(devices->idle_us);
	if (ret == 0)
		ret = app_replace(devices, over);
	take_over_close(over);
	/* The devices are here: ending would take them from their drivers. */
	if (ret == 0 && control_open(devices, control) < 0)
		fprintf(stderr, "dpdk-vduse-blk: goes on without a control socket\n");
	return ret;
}

/* Backends are opened before lcores poll, devices are started after that. */
static int
app_begin(struct app_devices *devices, struct control **control)
{
	int ret = control_open(devices, control);

	if (ret == 0)
		ret = app_create(devices);
	if (ret == 0)
		ret = app_poll_start(devices->idle_us);
	if (ret == 0)
		ret = app_poll(devices);
	return ret == 0 ? app_start(devices) : ret;
}

static int
app_run(struct app_devices *devices, const sigset_t *signals)
{
	struct control *control = NULL;
	int ret;

	ret = app_begin_after(devices, &control);
	if (ret == -ENOENT)
		ret = app_begin(devices, &control);
	if (ret == 0)
		ret = app_serve(devices, control, signals);
	app_drain(devices);
	app_stop(devices);
	app_poll_stop();
	app_destroy(devices);
	control_close(control);
	return ret;
}

/* Starts EAL. Returns what rte_eal_init() does, after a line if it failed. */
static int
app_eal_init(struct app_eal_args *args, int argc, char **argv)
{
	cpu_set_t mask;
	int ret;

	CPU_ZERO(&mask);
	(void)sched_getaffinity(0, sizeof(mask), &mask);
	ret = app_eal_args_make(argc, argv, &mask, APP_EAL_HUGEPAGES, args);
	if (ret < 0)
		return ret;
	ret = rte_eal_init(args->argc, args->argv);
	if (ret < 0)
		fprintf(stderr,
			"dpdk-vduse-blk: EAL: %s; without a mounted hugetlbfs use "
			"--in-memory; -v prints more\n",
			rte_strerror(rte_errno));
	else if (args->no_huge)
		fprintf(stderr, "dpdk-vduse-blk: no free huge pages: with 128 MB it is faster\n");
	return ret;
}

int
main(int argc, char **argv)
{
	struct app_devices devices = { .idle_us = APP_IDLE_US };
	struct app_eal_args eal;
	sigset_t signals;
	bool flushes;
	int ret;

	devices.background = app_notify_background(argc, argv);
	/* Before EAL creates threads, which inherit the mask: only the main thread gets the signals. */
	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGUSR1);
	pthread_sigmask(SIG_BLOCK, &signals, NULL);
	flushes = app_keep_memory();
	app_quiet(argc, argv);
	ret = app_eal_init(&eal, argc, argv);
	if (ret < 0)
		return EXIT_FAILURE;
	app_registry_init(&devices);
	ret = app_options(eal.argc - ret, eal.argv + ret, &devices);
	if (ret == 0 && !flushes)
		app_warn_kernel_disk(&devices);
	if (ret == 0)
		ret = app_user_drop(&devices);
	if (ret == 0)
		ret = app_run(&devices, &signals);
	app_registry_free(&devices);
	rte_eal_cleanup();
	app_eal_args_free(&eal);
	return ret == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
