/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Creation of control threads for all DPDK releases. meson checks for the newer function. */
#ifndef COMPAT_THREAD_H
#define COMPAT_THREAD_H

#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <stdlib.h>

#include <rte_lcore.h>
#include <rte_thread.h>

/* Starts a detached DPDK control thread, not on an lcore. Returns 0 or a negative errno. */
static inline int
vduse_thread_create(const char *name, uint32_t (*run)(void *arg), void *arg);

#ifdef VDUSE_HAVE_THREAD_CREATE_CONTROL
static inline int
vduse_thread_create(const char *name, uint32_t (*run)(void *arg), void *arg)
{
	rte_thread_t id;
	int ret;

	/* It returns a positive error number. */
	ret = rte_thread_create_control(&id, name, run, arg);
	if (ret == 0)
		rte_thread_detach(id);
	return ret > 0 ? -ret : ret;
}
#else
struct vduse_thread_start {
	uint32_t (*run)(void *arg);
	void *arg;
};

static void *
vduse_thread_trampoline(void *arg)
{
	struct vduse_thread_start start = *(struct vduse_thread_start *)arg;

	free(arg);
	start.run(start.arg);
	return NULL;
}

static inline int
vduse_thread_create(const char *name, uint32_t (*run)(void *arg), void *arg)
{
	struct vduse_thread_start *start = malloc(sizeof(*start));
	pthread_t id;
	int ret;

	if (start == NULL)
		return -ENOMEM;
	start->run = run;
	start->arg = arg;
	ret = rte_ctrl_thread_create(&id, name, NULL, vduse_thread_trampoline, start);
	if (ret < 0) {
		free(start);
		return ret;
	}
	pthread_detach(id);
	return 0;
}
#endif

#endif /* COMPAT_THREAD_H */
