/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Backends by name, and their arguments. In flows text, out flows an open backend, or one log
 * line and an error. On the application's threads.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_string_fns.h>

#include <rte_vduse_args.h>

#include <virtio_blk/blk.h>

static const struct vblk_backend_ops *const backends[] = {
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

static bool
backend_arg_set(const struct vblk_arg *arg, const char *value)
{
	uint64_t number;

	switch (arg->type) {
	case VBLK_ARG_STRING:
		free(*(char **)arg->to);
		*(char **)arg->to = strdup(value);
		return value[0] != '\0' && *(char **)arg->to != NULL;
	case VBLK_ARG_SIZE:
		return rte_vduse_args_bytes(value, arg->to);
	case VBLK_ARG_FLAG:
		if (!rte_vduse_args_bytes(value, &number) || number > 1)
			return false;
		*(bool *)arg->to = number != 0;
		return true;
	}
	return false;
}

static const char *
backend_arg_wanted(const struct vblk_arg *arg)
{
	if (arg->type == VBLK_ARG_FLAG)
		return "0 or 1";
	return arg->type == VBLK_ARG_SIZE ? "bytes, such as 64M or 10G" : "a text";
}

static int
backend_arg_take(const char *device, const char *key, const char *value,
		 const struct vblk_arg *known, unsigned int nb)
{
	unsigned int i;

	for (i = 0; i < nb; i++) {
		if (strcmp(key, known[i].key) != 0)
			continue;
		if (value != NULL && backend_arg_set(&known[i], value))
			return 0;
		VBLK_LOG(ERR, device, "%s=%s: use %s", key, value != NULL ? value : "",
			 backend_arg_wanted(&known[i]));
		return -EINVAL;
	}
	VBLK_LOG(ERR, device, "%s=%s: the backend knows no such argument", key,
		 value != NULL ? value : "");
	return -EINVAL;
}

int
vblk_backend_args(const char *device, const char *args, const struct vblk_arg *known,
		  unsigned int nb)
{
	char *copy = strdup(args), *rest = copy, *key, *value;
	int ret = copy == NULL ? vblk_no_memory(device) : 0;

	while (ret == 0 && (key = rte_vduse_args_next(&rest, &value)) != NULL)
		ret = backend_arg_take(device, key, value, known, nb);
	free(copy);
	return ret;
}

int
vblk_backend_open(const char *name, const struct vblk_backend_conf *conf,
		  struct vblk_backend **backend)
{
	unsigned int i;
	int ret;

	for (i = 0; i < RTE_DIM(backends); i++) {
		if (strcmp(name, backends[i]->name) != 0)
			continue;
		ret = backends[i]->open(conf, backend);
		if (ret < 0)
			return ret;
		(*backend)->ops = backends[i];
		(void)rte_strlcpy((*backend)->name, conf->device, sizeof((*backend)->name));
		return 0;
	}
	VBLK_LOG(ERR, conf->device,
		 "backend=%s: use null, ram, file, fault or rbd, if it is built in", name);
	return -EINVAL;
}

void
vblk_backend_close(struct vblk_backend *backend)
{
	backend->ops->close(backend);
}
