/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See fuzz_vhost.h. */
#include "fuzz_vhost.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <rte_common.h>

#include "fuzz.h"

struct fuzz_vhost fuzz_vhost;

/* In place of librte_vhost's functions: see meson.build. */
int
__wrap_rte_vhost_driver_register(const char *path, uint64_t flags);
int
__wrap_rte_vhost_driver_set_features(const char *path, uint64_t features);
int
__wrap_rte_vhost_driver_set_protocol_features(const char *path, uint64_t features);
int
__wrap_rte_vhost_driver_callback_register(const char *path,
					  struct rte_vhost_device_ops const *const ops);
int
__wrap_rte_vhost_driver_start(const char *path);
int
__wrap_rte_vhost_driver_unregister(const char *path);
int
__wrap_rte_vhost_get_ifname(int vid, char *buf, size_t len);
int
__wrap_rte_vhost_get_negotiated_features(int vid, uint64_t *features);
int
__wrap_rte_vhost_extern_callback_register(int vid,
					  struct rte_vhost_user_extern_ops const *const ops,
					  void *ctx);

int
__wrap_rte_vhost_driver_register(const char *path, uint64_t flags)
{
	RTE_SET_USED(flags);
	snprintf(fuzz_vhost.path, sizeof(fuzz_vhost.path), "%s", path);
	return 0;
}

int
__wrap_rte_vhost_driver_set_features(const char *path, uint64_t features)
{
	RTE_SET_USED(path);
	fuzz_vhost.offered = features;
	return 0;
}

int
__wrap_rte_vhost_driver_set_protocol_features(const char *path, uint64_t features)
{
	RTE_SET_USED(path);
	RTE_SET_USED(features);
	return 0;
}

int
__wrap_rte_vhost_driver_callback_register(const char *path,
					  struct rte_vhost_device_ops const *const ops)
{
	RTE_SET_USED(path);
	fuzz_vhost.device = ops;
	return 0;
}

int
__wrap_rte_vhost_driver_start(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	fuzz_vhost.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	fuzz_check(fuzz_vhost.listener >= 0 &&
			   bind(fuzz_vhost.listener, (struct sockaddr *)&address,
				sizeof(address)) == 0 &&
			   listen(fuzz_vhost.listener, 1) == 0,
		   "no socket at %s", path);
	return 0;
}

int
__wrap_rte_vhost_driver_unregister(const char *path)
{
	close(fuzz_vhost.listener);
	(void)unlink(path);
	return 0;
}

int
__wrap_rte_vhost_get_ifname(int vid, char *buf, size_t len)
{
	RTE_SET_USED(vid);
	snprintf(buf, len, "%s", fuzz_vhost.path);
	return 0;
}

int
__wrap_rte_vhost_get_negotiated_features(int vid, uint64_t *features)
{
	RTE_SET_USED(vid);
	*features = fuzz_vhost.features;
	return 0;
}

int
__wrap_rte_vhost_extern_callback_register(int vid,
					  struct rte_vhost_user_extern_ops const *const ops,
					  void *ctx)
{
	RTE_SET_USED(vid);
	RTE_SET_USED(ctx);
	fuzz_vhost.msg = ops;
	return 0;
}

/* What librte_vhost does about a message that is left to it. */
static int
vhost_left(const struct msg *msg)
{
	if (msg->type != MSG_SET_FEATURES || msg->size != sizeof(msg->payload.u64))
		return RTE_VHOST_MSG_RESULT_OK;
	if (msg->payload.u64 & ~fuzz_vhost.offered)
		return RTE_VHOST_MSG_RESULT_ERR;
	fuzz_vhost.features = msg->payload.u64;
	return RTE_VHOST_MSG_RESULT_OK;
}

int
fuzz_vhost_message(int vid, struct msg *msg)
{
	int result = fuzz_vhost.msg->pre_msg_handle(vid, msg), after;

	if (result != RTE_VHOST_MSG_RESULT_NOT_HANDLED)
		return result;
	fuzz_check(msg->nb_fds == 0, "%d descriptors left", msg->nb_fds);
	result = vhost_left(msg);
	after = fuzz_vhost.msg->post_msg_handle(vid, msg);
	return after == RTE_VHOST_MSG_RESULT_NOT_HANDLED ? result : after;
}
