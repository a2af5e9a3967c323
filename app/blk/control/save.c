/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Writes the devices that serve to a file that --config reads. The file is complete at any time:
 * another one is written and then renamed.
 * Input: the arguments of the devices as they were given. Output: the file, mode 0600.
 * Thread: the client's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../blk_config.h"
#include "control.h"

struct save {
	FILE *out;
	int ret;
	char name[RTE_VDUSE_NAME_MAX]; /* of the device that cannot be written */
};

/* A device that starts or stops may not exist later. */
static void
save_device(const struct app_device *device, void *arg)
{
	struct save *save = arg;

	if (device->state != APP_SERVING || save->ret < 0)
		return;
	save->ret = blk_config_write(device->text, save->out);
	if (save->ret < 0)
		snprintf(save->name, sizeof(save->name), "%s", device->args.name);
}

/* For the caller to free(). */
static int
save_text(struct control_call *call, char **text)
{
	struct save save = { 0 };
	size_t len;

	save.out = open_memstream(text, &len);
	if (save.out == NULL)
		return -ENOMEM;
	fputs("# Written by config.save of dpdk-vduse-blk.\n", save.out);
	app_registry_each(call->devices, save_device, &save);
	if (fclose(save.out) != 0)
		return -ENOMEM;
	if (save.ret == -EINVAL)
		control_fail(call, save.ret, "%s: a line of --config cannot hold an argument of it",
			     save.name);
	if (save.ret < 0)
		free(*text);
	return save.ret;
}

/* mkstemp() makes a file for its owner alone. */
static int
save_write(const char *text, char *temporary, const char *path)
{
	size_t len = strlen(text), done = 0;
	int fd = mkstemp(temporary), ret = 0;
	ssize_t written;

	if (fd < 0)
		return -errno;
	while (ret == 0 && done < len) {
		written = write(fd, text + done, len - done);
		if (written >= 0)
			done += (size_t)written;
		else if (errno != EINTR)
			ret = -errno;
	}
	if (ret == 0 && fsync(fd) < 0)
		ret = -errno;
	if (close(fd) < 0 && ret == 0)
		ret = -errno;
	if (ret == 0 && rename(temporary, path) < 0)
		ret = -errno;
	if (ret < 0)
		(void)unlink(temporary);
	return ret;
}

int
control_save(struct control_call *call, const char *path)
{
	char *text, *temporary;
	int ret = save_text(call, &text);

	if (ret < 0)
		return ret;
	if (asprintf(&temporary, "%s.XXXXXX", path) < 0) {
		free(text);
		return -ENOMEM;
	}
	ret = save_write(text, temporary, path);
	free(temporary);
	free(text);
	return ret < 0 ? control_fail(call, ret, "%s: %s", path, strerror(-ret)) : 0;
}
