/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Hands a device over within this process, while its driver keeps the load up.
 * Input: what gives, takes and drives the device. Output: a device that changed its owner.
 * Thread: the test's; give and take have threads of their own.
 */
#ifndef HANDOVER_PAIR_H
#define HANDOVER_PAIR_H

#include <rte_vduse_handover.h>

struct handover_pair {
	int (*give)(int socket);                      /* hands the device over */
	int (*take)(struct rte_vduse_handover *from); /* creates and starts the next one */
	void (*load)(void);                           /* is called until it is taken */
};

/* Both return 0, or the test fails. */
void
handover_pair_run(const struct handover_pair *pair);

#endif /* HANDOVER_PAIR_H */
