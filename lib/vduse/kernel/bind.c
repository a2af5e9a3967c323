/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Reads and changes, through sysfs, which driver of the vDPA bus a device is bound to.
 * Input: names of devices and drivers. Output: writes to sysfs.
 * Thread: any but control for what writes, because the kernel probes or removes a driver during a
 * write and that sends messages to the device.
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

/* Writes text to an attribute. Returns when the kernel has acted on it. */
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

/* Reads the name of the driver that a link points to. -ENODEV if there is none. */
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

/* Reads the name of the driver that a device is bound to. -ENODEV if there is none. */
static int
bind_current(const char *name, char *driver, size_t size)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), BIND_BUS "/devices/%s/driver", name);
	return bind_link(path, driver, size);
}

/* Reserves a device for one driver; "\n" allows any. */
static int
bind_override(const char *name, const char *driver)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), BIND_BUS "/devices/%s/driver_override", name);
	return bind_write(path, driver);
}

/* Binds a device to a driver or unbinds it: verb is "bind" or "unbind". */
static int
bind_change(const char *name, const char *driver, const char *verb)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), BIND_BUS "/drivers/%s/%s", driver, verb);
	return bind_write(path, name);
}

/*
 * virtio_vdpa creates a virtio device, which needs another driver. That may be loaded at any time,
 * so only a warning is logged if it is missing.
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
		VDUSE_LOG(dev, ERR, name, "cannot be unbound from %s: %s", current, strerror(-ret));
		goto clear;
	}
	ret = bind_change(name, wanted, "bind");
	if (ret < 0) {
		VDUSE_LOG(dev, ERR, name, "cannot be bound to %s: %s; see the kernel's log (dmesg)",
			  wanted, strerror(-ret));
		goto clear;
	}
	return 0;

clear:
	bind_override(name, "\n");
	return ret;
}

/* Binds a device on the bus to the driver for attach, and unbinds it from another one. */
static int
bind_device(const char *name, enum rte_vduse_attach attach)
{
	const char *wanted = bind_driver(attach);
	char current[NAME_MAX] = "";
	int ret;

	ret = bind_current(name, current, sizeof(current));
	if (ret < 0 && ret != -ENODEV) {
		VDUSE_LOG(dev, ERR, name, "cannot read its driver: %s", strerror(-ret));
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
		  "stays bound to %s, which uses it: unbind it before it can be bound to %s",
		  current, bind_driver(attach));
}

bool
vduse_vdpa_is_bound(const char *name, enum rte_vduse_attach attach)
{
	char current[NAME_MAX];

	return bind_current(name, current, sizeof(current)) == 0 &&
	       strcmp(current, bind_driver(attach)) == 0;
}

int
vduse_vdpa_attach(const char *name, enum rte_vduse_attach attach)
{
	const char *driver = bind_driver(attach);
	char path[PATH_MAX];
	bool added;
	int ret;

	if (attach == RTE_VDUSE_ATTACH_NONE)
		return 0;
	snprintf(path, sizeof(path), BIND_BUS "/drivers/%s", driver);
	if (access(path, F_OK) < 0) {
		VDUSE_LOG(dev, ERR, name, "the kernel has no driver %s: load it (modprobe %s)",
			  driver, driver);
		return -ENOENT;
	}
	ret = vduse_vdpa_add(name);
	if (ret < 0 && ret != -EEXIST)
		return ret;
	added = ret == 0;
	ret = bind_device(name, attach);
	if (ret < 0 && added)
		vduse_vdpa_del(name);
	return ret;
}
