/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * librte_vhost, played: what it would be told of one socket, a socket that listens, and messages
 * that it hands out. Its functions that lib/vduse calls are replaced by the linker, see
 * meson.build.
 * Thread: libFuzzer's, as librte_vhost's.
 */
#ifndef FUZZ_VHOST_H
#define FUZZ_VHOST_H

#include <rte_vhost.h>

#include <vduse/vhost_user/msg.h>

struct fuzz_vhost {
	char path[RTE_VDUSE_SOCKET_MAX];
	const struct rte_vhost_device_ops *device;
	const struct rte_vhost_user_extern_ops *msg; /* of the one connection */
	uint64_t offered;
	uint64_t features; /* of the connection */
	int listener;
};

extern struct fuzz_vhost fuzz_vhost;

/* Handles a message as librte_vhost does. Returns an RTE_VHOST_MSG_RESULT_*. */
int
fuzz_vhost_message(int vid, struct msg *msg);

#endif /* FUZZ_VHOST_H */
