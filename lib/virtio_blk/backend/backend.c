/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Backends by name, and their arguments.
 * Input: text. Output: an open backend, or one log line and an error.
 * Thread: the application's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_spinlock.h>
#include <rte_string_fns.h>

#include <virtio_blk/blk.h>

static const struct rte_vduse_blk_backend_ops *const backends[] = {
	&vblk_backend_null, &vblk_backend_ram, &vblk_backend_fault,
#ifdef VBLK_HAVE_LIBURING
	&vblk_backend_file,
#endif
#ifdef VBLK_HAVE_LIBRBD
	&vblk_backend_rbd,
#endif
};

int
vblk_no_memory(const char *device)
{
	VBLK_LOG(ERR, device, "no memory for the backend");
	return -ENOMEM;
}

static void
backend_arg_error(const char *device, enum rte_vduse_arg_fault fault, const char *key,
		  const char *value, const char *text)
{
	if (fault == RTE_VDUSE_ARG_UNKNOWN)
		text = "the backend knows no such argument";
	VBLK_LOG(ERR, device, "%s=%s: %s%s", key, value, fault == RTE_VDUSE_ARG_WRONG ? "use " : "",
		 text);
}

int
vblk_backend_args(const struct rte_vduse_blk_backend_conf *conf, struct rte_vduse_arg *known,
		  unsigned int nb_known, char *rest, size_t rest_size)
{
	const struct rte_vduse_args args = {
		.device = conf->device,
		.known = known,
		.nb_known = nb_known,
		.rest = rest,
		.rest_size = rest_size,
		.error = backend_arg_error,
	};
	int ret = rte_vduse_args_read(&args, conf->args);

	return ret == -ENOMEM ? vblk_no_memory(conf->device) : ret;
}

/* Kinds of backends of others, the newest first. */
struct backend_node {
	const struct rte_vduse_blk_backend_ops *ops;
	struct backend_node *next;
};

static struct backend_node *registered;
static rte_spinlock_t registered_lock = RTE_SPINLOCK_INITIALIZER;

/* Under the lock. */
static const struct rte_vduse_blk_backend_ops *
backend_find(const char *name)
{
	const struct backend_node *node;
	unsigned int i;

	for (i = 0; i < RTE_DIM(backends); i++)
		if (strcmp(name, backends[i]->name) == 0)
			return backends[i];
	for (node = registered; node != NULL; node = node->next)
		if (strcmp(name, node->ops->name) == 0)
			return node->ops;
	return NULL;
}

int
rte_vduse_blk_backend_register(const struct rte_vduse_blk_backend_ops *ops)
{
	const char *name = ops->name != NULL ? ops->name : "";
	struct backend_node *node;
	bool found;

	if (name[0] == '\0' || ops->size < offsetof(__typeof__(*ops), acquire) ||
	    ops->open == NULL || ops->close == NULL || ops->channel_open == NULL ||
	    ops->channel_close == NULL || ops->submit == NULL || ops->poll == NULL) {
		VBLK_LOG(ERR, name, "a backend without its size, its name or one of its functions");
		return -EINVAL;
	}
	node = calloc(1, sizeof(*node));
	if (node == NULL)
		return vblk_no_memory(name);
	node->ops = ops;
	/* One step: of two threads with the same name one is refused. */
	rte_spinlock_lock(&registered_lock);
	found = backend_find(name) != NULL;
	if (!found) {
		node->next = registered;
		registered = node;
	}
	rte_spinlock_unlock(&registered_lock);
	if (!found)
		return 0;
	free(node);
	VBLK_LOG(ERR, name, "there is a backend of that name: use another one");
	return -EEXIST;
}

/* One log line: what can be given. */
static int
backend_unknown(const char *name, const char *device)
{
	char known[256] = "";
	const struct backend_node *node;
	size_t len = 0;
	unsigned int i;

	for (i = 0; i < RTE_DIM(backends); i++)
		len += (size_t)snprintf(known + len, sizeof(known) - len, "%s%s", i > 0 ? ", " : "",
					backends[i]->name);
	rte_spinlock_lock(&registered_lock);
	for (node = registered; node != NULL && len < sizeof(known); node = node->next)
		len += (size_t)snprintf(known + len, sizeof(known) - len, ", %s", node->ops->name);
	rte_spinlock_unlock(&registered_lock);
	VBLK_LOG(ERR, device,
		 "backend=%s: use %s, or load the shared object that registers it (-d)", name,
		 known);
	return -EINVAL;
}

int
vblk_backend_open(const char *name, const struct rte_vduse_blk_backend_conf *conf,
		  struct rte_vduse_blk_backend **backend)
{
	const struct rte_vduse_blk_backend_ops *ops;
	int ret;

	rte_spinlock_lock(&registered_lock);
	ops = backend_find(name);
	rte_spinlock_unlock(&registered_lock);
	if (ops == NULL)
		return backend_unknown(name, conf->device);
	ret = ops->open(conf, backend);
	if (ret < 0)
		return ret;
	(*backend)->ops = ops;
	(void)rte_strlcpy((*backend)->name, conf->device, sizeof((*backend)->name));
	return 0;
}

void
vblk_backend_close(struct rte_vduse_blk_backend *backend)
{
	backend->ops->close(backend);
}
