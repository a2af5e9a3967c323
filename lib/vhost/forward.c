/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Finds DPDK's librte_vhost behind this library. In flow names, out flow addresses. On the
 * thread that loads the library.
 */
#include <dlfcn.h>

#include <rte_common.h>

#include <vhost/forward.h>

struct vhost_forward vhost_forward;

/* POSIX lets a pointer from dlsym() be a function's. */
#define FORWARD_FIND(name)                                                                         \
	*(void **)(void *)&vhost_forward.name = dlsym(RTLD_NEXT, "rte_vhost_" #name);

RTE_INIT(vhost_forward_find)
{
	VHOST_FUNCTIONS(FORWARD_FIND)
}
