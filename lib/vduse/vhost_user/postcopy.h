/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Memory of a guest that runs before its pages have arrived (post-copy migration). The device uses only
 * pages that are there: those of all others miss, as behind an IOMMU, and a thread waits for them.
 * Input: regions of memory, addresses that missed. Output: translations of iommu.c.
 * Thread: control, unless a function says otherwise.
 */
#ifndef VDUSE_VHOST_USER_POSTCOPY_H
#define VDUSE_VHOST_USER_POSTCOPY_H

#include <vduse/vhost_user/vhost_user.h>

/* Whether this kernel can do it. Any thread. 0 or a negative errno. */
int
vhost_user_postcopy_probe(void);
/*
 * Opens the file that tells the front end which page is waited for, unless it is open, and starts the
 * thread. Returns the descriptor, which stays the device's, or a negative errno with a log line.
 */
int
vhost_user_postcopy_open(struct vhost_user *vu);
/* Pages have not arrived from now on, in the memory that is described next. */
void
vhost_user_postcopy_listen(struct vhost_user *vu);
/* Whether that is so. */
bool
vhost_user_postcopy_on(const struct vhost_user *vu);
/*
 * Waits for pages of the present regions, and of no others. No page is waited for until
 * vhost_user_postcopy_go(). A negative errno with a log line: there is a region where that cannot be.
 */
int
vhost_user_postcopy_memory(struct vhost_user *vu);
/* The front end knows the addresses of vhost_user_postcopy_va(), at which pages are waited for. */
void
vhost_user_postcopy_go(struct vhost_user *vu);
/* Address in this process of a guest physical one; 0: it is in no region. */
uint64_t
vhost_user_postcopy_va(const struct vhost_user *vu, uint64_t physical);
/*
 * Asks for a page. -EINPROGRESS: it comes, however long that takes; -EAGAIN: too many were asked for;
 * -EFAULT: it is in no region.
 */
int
vhost_user_postcopy_ask(struct vhost_user *vu, uint64_t physical);
/* Descriptor that is readable when pages have arrived; -1: none. */
int
vhost_user_postcopy_event(const struct vhost_user *vu);
/* Lets the device use the pages that have arrived. */
void
vhost_user_postcopy_serve(struct vhost_user *vu);
/* Waits for no page any more. One that has not arrived stays missing. */
void
vhost_user_postcopy_close(struct vhost_user *vu);

#endif /* VDUSE_VHOST_USER_POSTCOPY_H */
