/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Which driver of the vDPA bus has a device: read and changed through sysfs. In flow names,
 * out flow writes that block while the kernel probes or removes a driver: any thread but the
 * control thread.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <vduse/core/log.h>
#include <vduse/kernel/netlink.h>

#define BIND_BUS "/sys/bus/vdpa"

/* Writes text to an attribute. The kernel works on it within the call. */
static int
bind_write(const char *path, const char *text)
{
	ssize_t len;
	int fd, ret;

	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	do {
		len = write(fd, text, strlen(text));
	} while (len < 0 && errno == EINTR);
	ret = len < 0 ? -errno : 0;
	close(fd);
	return ret;
}

static const char *
bind_driver(enum rte_vduse_attach attach)
{
	return attach == RTE_VDUSE_ATTACH_VIRTIO ? "virtio_vdpa" : "vhost_vdpa";
}

/* Takes the name of the driver that link names. -ENODEV if there is none. */
static int
bind_link(const char *link, char *driver, size_t size)
{
	char target[PATH_MAX];
	const char *base;
	ssize_t len;

	len = readlink(link, target, sizeof(target) - 1);
	if (len < 0)
		return errno == ENOENT ? -ENODEV : -errno;
	target[len] = '\0';
	base = strrchr(target, '/');
	snprintf(driver, size, "%.*s", (int)size - 1, base != NULL ? base + 1 : target);
	return 0;
}

/* Takes the name of the driver that has a device. -ENODEV if none has. */
static int
bind_current(const char *name, char *driver, size_t size)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), BIND_BUS "/devices/%s/driver", name);
	return bind_link(path, driver, size);
}

/* Says whether the kernel has the wanted driver, and which module to load if not. */
static int
bind_check(const char *name, const char *driver)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), BIND_BUS "/drivers/%s", driver);
	if (access(path, F_OK) == 0)
		return 0;
	VDUSE_LOG(dev, ERR, name, "the kernel has no driver %s: load it (modprobe %s)", driver,
		  driver);
	return -ENOENT;
}

/* Keeps a device for one driver; "\n" gives it free to any. */
static int
bind_override(const char *name, const char *driver)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), BIND_BUS "/devices/%s/driver_override", name);
	return bind_write(path, driver);
}

/* Hands a device to a driver or takes it away: verb is bind or unbind. */
static int
bind_change(const char *name, const char *driver, const char *verb)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), BIND_BUS "/drivers/%s/%s", driver, verb);
	return bind_write(path, name);
}

/*
 * virtio_vdpa makes a virtio device, which needs a driver of its own. That may be loaded any
 * time, so its absence is worth a line and no error.
 */
static void
bind_check_virtio(const char *name)
{
	char path[PATH_MAX], driver[NAME_MAX];
	struct dirent *entry;
	DIR *dir;

	snprintf(path, sizeof(path), BIND_BUS "/devices/%s", name);
	dir = opendir(path);
	if (dir == NULL)
		return;
	while ((entry = readdir(dir)) != NULL) {
		if (strncmp(entry->d_name, "virtio", strlen("virtio")) != 0)
			continue;
		snprintf(path, sizeof(path), BIND_BUS "/devices/%s/%s/driver", name, entry->d_name);
		if (bind_link(path, driver, sizeof(driver)) == -ENODEV)
			VDUSE_LOG(dev, WARNING, name,
				  "%s has no driver yet: load virtio_net or "
				  "virtio_blk, or see the kernel's log (dmesg)",
				  entry->d_name);
	}
	closedir(dir);
}

static int
bind_move(const char *name, const char *wanted, const char *current)
{
	int ret;

	ret = bind_override(name, wanted);
	if (ret < 0) {
		VDUSE_LOG(dev, ERR, name, "cannot choose %s as driver: %s", wanted, strerror(-ret));
		return ret;
	}
	if (current[0] != '\0')
		ret = bind_change(name, current, "unbind");
	if (ret < 0 && ret != -ENODEV) {
		VDUSE_LOG(dev, ERR, name, "cannot take it away from %s: %s", current,
			  strerror(-ret));
		goto clear;
	}
	ret = bind_change(name, wanted, "bind");
	if (ret < 0) {
		VDUSE_LOG(dev, ERR, name, "%s did not take it: %s; see the kernel's log (dmesg)",
			  wanted, strerror(-ret));
		goto clear;
	}
	return 0;

clear:
	bind_override(name, "\n");
	return ret;
}

/* Gives a device on the bus to the driver that attach names, away from another one. */
static int
bind_device(const char *name, enum rte_vduse_attach attach)
{
	const char *wanted = bind_driver(attach);
	char current[NAME_MAX] = "";
	int ret;

	ret = bind_current(name, current, sizeof(current));
	if (ret < 0 && ret != -ENODEV) {
		VDUSE_LOG(dev, ERR, name, "cannot read which driver has it: %s", strerror(-ret));
		return ret;
	}
	if (strcmp(current, wanted) != 0)
		ret = bind_move(name, wanted, current);
	if (ret == 0 && attach == RTE_VDUSE_ATTACH_VIRTIO)
		bind_check_virtio(name);
	return ret;
}

void
vduse_vdpa_compare(const char *name, enum rte_vduse_attach attach)
{
	char current[NAME_MAX];

	if (attach == RTE_VDUSE_ATTACH_NONE || bind_current(name, current, sizeof(current)) < 0 ||
	    strcmp(current, bind_driver(attach)) == 0)
		return;
	VDUSE_LOG(dev, NOTICE, name,
		  "stays with %s, which uses it; unbind it there before it "
		  "can be given to %s",
		  current, bind_driver(attach));
}

int
vduse_vdpa_attach(const char *name, enum rte_vduse_attach attach)
{
	bool added;
	int ret;

	if (attach == RTE_VDUSE_ATTACH_NONE)
		return 0;
	ret = bind_check(name, bind_driver(attach));
	if (ret < 0)
		return ret;
	ret = vduse_vdpa_add(name);
	if (ret < 0 && ret != -EEXIST)
		return ret;
	added = ret == 0;
	ret = bind_device(name, attach);
	if (ret < 0 && added)
		vduse_vdpa_del(name);
	return ret;
}
