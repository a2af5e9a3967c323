/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Structures that an application and the library exchange, each as it was when it was compiled.
 * Input: a structure and its size. Output: the other side's version of it.
 * Thread: any.
 *
 * A structure grows at its end only, and it has no padding there: else an older caller's padding
 * would be read as a newer field.
 */
#ifndef VDUSE_CONF_H
#define VDUSE_CONF_H

#include <stddef.h>

/*
 * conf.c: copies a caller's structure of from->size bytes to conf, of known bytes; first: bytes of
 * the fields of the first release. What the caller does not have is 0, and size is known then.
 * It begins with size_t size and const char *path. 0; -EINVAL: it is shorter than first; -E2BIG: it
 * has a field that this library does not know and that is not 0. One log line.
 */
int
vduse_conf_take(void *conf, size_t known, size_t first, const void *from);

/* VDUSE_CONF_TAKE(to, from, last): the same; last is the last field of the first release. */
#define VDUSE_CONF_TAKE(to, from, last)                                                            \
	vduse_conf_take(to, sizeof(*(to)), offsetof(__typeof__(*(to)), last) + sizeof((to)->last), \
			from)

/*
 * conf.c: copies counters of known bytes to a caller that has room for size: fewer of them, or 0 for
 * those that this library does not know.
 */
void
vduse_conf_give(void *to, size_t size, const void *from, size_t known);

struct vduse_transport_ops;

/*
 * device.c: tells, before a device is created, whether it can have a control queue: ctrl_vqs of struct
 * rte_vduse_dev_conf. path and transport: as there. 0: it can; -ENOTSUP: the kernel has VDUSE API 0,
 * which has no groups, or refuses such a queue of a network device, as Linux up to 7.3 does; or the
 * negative errno with which the kernel could not be asked. Logs nothing. Any thread.
 */
int
vduse_conf_ctrl_vqs(const char *path, const struct vduse_transport_ops *transport);

#endif /* VDUSE_CONF_H */
