/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Gives up root's rights after EAL has allocated its memory and before any image, socket or state
 * file is opened, so that every file is opened and removed with the same rights.
 * Input: a user name. Output: all threads run as that user, with its groups and without
 * capabilities. Thread: main, before devices are created.
 */
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include "app.h"

/* Creating and removing a VDUSE device requires CAP_NET_ADMIN, and only root can access /dev/vduse. */
int
app_user_check(const struct app_devices *devices, const struct blk_devargs *args)
{
	if (devices->user == NULL || args->vhost_user)
		return 0;
	fprintf(stderr,
		"dpdk-vduse-blk: %s: --user: the kernel removes its device for an "
		"administrator only: use iface= with a socket, or no --user\n",
		args->name);
	return -EPERM;
}

static int
user_check(const struct app_devices *devices)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < devices->nb && ret == 0; i++)
		ret = app_user_check(devices, &devices->all[i]->args);
	return ret;
}

/*
 * MCL_FUTURE also locks later mappings, including the memory of clients. For a user without
 * CAP_IPC_LOCK mappings beyond RLIMIT_MEMLOCK fail. If the limit cannot be raised, unlock everything.
 */
static void
user_keep_memory(void)
{
	const struct rlimit most = { RLIM_INFINITY, RLIM_INFINITY };
	int err;

	if (setrlimit(RLIMIT_MEMLOCK, &most) == 0)
		return;
	err = errno;
	(void)munlockall();
	fprintf(stderr,
		"dpdk-vduse-blk: --user: cannot raise RLIMIT_MEMLOCK: %s: memory is not "
		"locked; start it with LimitMEMLOCK=infinity\n",
		strerror(err));
}

/* glibc applies the changes to all threads of the process. */
static int
user_become(const struct passwd *user)
{
	if (initgroups(user->pw_name, user->pw_gid) < 0 ||
	    setresgid(user->pw_gid, user->pw_gid, user->pw_gid) < 0 ||
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid) < 0 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	/* A name with user id 0 would keep root's rights. */
	return geteuid() == 0 || setuid(0) == 0 ? -EPERM : 0;
}

int
app_user_drop(const struct app_devices *devices)
{
	const struct passwd *user;
	int ret;

	if (devices->user == NULL)
		return 0;
	ret = user_check(devices);
	if (ret < 0)
		return ret;
	errno = 0;
	user = getpwnam(devices->user);
	if (user == NULL) {
		ret = errno != 0 ? -errno : -ENOENT;
		fprintf(stderr, "dpdk-vduse-blk: --user %s: %s\n", devices->user,
			ret == -ENOENT ? "there is no such user" : strerror(-ret));
		return ret;
	}
	user_keep_memory();
	ret = user_become(user);
	if (ret < 0)
		fprintf(stderr,
			"dpdk-vduse-blk: --user %s: cannot switch to this user: %s: start it as "
			"root, and name a user that is not root\n",
			devices->user, strerror(-ret));
	return ret;
}
