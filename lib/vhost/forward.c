/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Looks up the functions of DPDK's librte_vhost, which comes after this library in the search
 * order.
 * Thread: the one that loads the library.
 */
#include <dlfcn.h>

#include <rte_common.h>

#include <vhost/forward.h>

struct vhost_forward vhost_forward;

/* POSIX allows to convert a pointer from dlsym() to a function pointer. */
#define FORWARD_FIND(name)                                                                         \
	*(void **)(void *)&vhost_forward.name = dlsym(RTLD_NEXT, "rte_vhost_" #name);

RTE_INIT(vhost_forward_find)
{
	VHOST_FUNCTIONS(FORWARD_FIND)
}
