/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A kernel that refuses: no VDUSE, no permission, another API version, a name in use, a device that
 * cannot be removed. Each step of creating a device returns the right error and leaks nothing. The
 * kernel's side of open() and ioctl() is here; test/unit/meson.build redirects the calls of the
 * libraries to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>

#include <linux/vduse.h>

#include <rte_memory.h>

#include <rte_vduse_blk.h>

#include "unit.h"

#define DEVICE  "/dev/vduse/refused"
#define CONTROL "/dev/vduse/control"

static struct {
	int control;           /* errno of opening the control device; 0: it is there */
	int device;            /* the same of the device, if there is one */
	unsigned long request; /* this ioctl fails with that errno */
	int error;
	bool exists;
	unsigned int created, destroyed;
} kernel;

int
__real_open64(const char *path, int flags, ...);
int
__wrap_open64(const char *path, int flags, ...);
int
__real_ioctl(int fd, unsigned long request, ...);
int
__wrap_ioctl(int fd, unsigned long request, ...);

static int
kernel_open(int error)
{
	if (error == 0)
		return eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	errno = error;
	return -1;
}

int
__wrap_open64(const char *path, int flags, ...)
{
	mode_t mode;
	va_list list;

	if (strcmp(path, CONTROL) == 0)
		return kernel_open(kernel.control);
	if (strcmp(path, DEVICE) == 0)
		return kernel_open(kernel.exists ? kernel.device : ENOENT);
	va_start(list, flags);
	mode = (flags & O_CREAT) != 0 ? va_arg(list, mode_t) : 0;
	va_end(list);
	return __real_open64(path, flags, mode);
}

static int
kernel_create(void)
{
	if (kernel.exists) {
		errno = EEXIST;
		return -1;
	}
	kernel.exists = true;
	kernel.created++;
	return 0;
}

int
__wrap_ioctl(int fd, unsigned long request, ...)
{
	va_list list;
	void *arg;

	va_start(list, request);
	arg = va_arg(list, void *);
	va_end(list);
	if (kernel.error != 0 && request == kernel.request) {
		errno = kernel.error;
		return -1;
	}
	switch (request) {
	case VDUSE_GET_API_VERSION:
	case VDUSE_DEV_GET_FEATURES:
		memset(arg, 0, sizeof(uint64_t));
		return 0;
	case VDUSE_CREATE_DEV:
		return kernel_create();
	case VDUSE_DESTROY_DEV:
		kernel.exists = false;
		kernel.destroyed++;
		return 0;
	case VDUSE_SET_API_VERSION:
	case VDUSE_VQ_SETUP:
		return 0;
	default:
		return __real_ioctl(fd, request, arg);
	}
}

static struct rte_vduse_blk *blk;
static unsigned int fds;

static int
create(void)
{
	const struct rte_vduse_blk_conf conf = {
		.size = sizeof(struct rte_vduse_blk_conf),
		.path = DEVICE,
		.queues = 1,
		.queue_size = 64,
		.backend = "null",
		.socket_id = SOCKET_ID_ANY,
	};

	unit_log_clear();
	return rte_vduse_blk_create(&conf, &blk);
}

static int
setup(void **state)
{
	RTE_SET_USED(state);
	memset(&kernel, 0, sizeof(kernel));
	blk = NULL;
	fds = unit_fds();
	return 0;
}

/* It says so once, and neither the process nor the kernel keeps anything. */
static void
refused(int ret, const char *line)
{
	assert_int_equal(create(), ret);
	if (unit_log_count(line) != 1)
		fail_msg("not one line with \"%s\"", line);
	assert_int_equal(kernel.created, kernel.destroyed);
	assert_int_equal(unit_fds(), fds);
}

static void
refused_request(unsigned long request, int error, int ret, const char *line)
{
	kernel.request = request;
	kernel.error = error;
	refused(ret, line);
}

static void
test_control(void **state)
{
	RTE_SET_USED(state);
	kernel.control = ENOENT;
	refused(-ENOENT, CONTROL " is missing");
	kernel.control = EACCES;
	refused(-EACCES, "no permission to open " CONTROL);
	kernel.control = EIO;
	refused(-EIO, "cannot open " CONTROL);
}

static void
test_version(void **state)
{
	RTE_SET_USED(state);
	refused_request(VDUSE_GET_API_VERSION, ENOTTY, -ENOTTY,
			"cannot ask for the VDUSE API of " CONTROL);
	refused_request(VDUSE_SET_API_VERSION, EINVAL, -EINVAL, "speaks VDUSE API 0 and refuses 0");
}

static void
test_create(void **state)
{
	RTE_SET_USED(state);
	refused_request(VDUSE_CREATE_DEV, EPERM, -EPERM, "CAP_NET_ADMIN is needed");
	refused_request(VDUSE_CREATE_DEV, ENOMEM, -ENOMEM, "refused: cannot be created");
	refused_request(VDUSE_CREATE_DEV, EINVAL, -ENOTSUP, "refuses a block device");
	refused_request(VDUSE_VQ_SETUP, EINVAL, -EINVAL, "virtqueue 0 of size 64 refused");
}

static void
test_open(void **state)
{
	RTE_SET_USED(state);
	kernel.device = EBUSY;
	refused(-EBUSY, "the name is taken");
	kernel.device = EMFILE;
	refused(-EMFILE, "cannot open " DEVICE);
}

static void
test_destroy(void **state)
{
	RTE_SET_USED(state);
	/* The control thread begins with the first device and stays. */
	assert_int_equal(create(), 0);
	rte_vduse_blk_destroy(blk);
	fds = unit_fds();
	assert_int_equal(create(), 0);
	kernel.request = VDUSE_DESTROY_DEV;
	kernel.error = EBUSY;
	rte_vduse_blk_destroy(blk);
	assert_int_equal(unit_log_count("cannot be removed from the kernel"), 1);
	assert_int_equal(unit_fds(), fds);
}

/* A dead process left it, and no driver uses it: it is removed and made again, or stays. */
static void
test_left(void **state)
{
	RTE_SET_USED(state);
	kernel.exists = true;
	kernel.request = VDUSE_DESTROY_DEV;
	kernel.error = EBUSY;
	assert_int_equal(create(), -EBUSY);
	assert_int_equal(unit_log_count("was left behind and cannot be removed"), 1);
	assert_int_equal(kernel.created, 0);
	kernel.error = 0;
	assert_int_equal(create(), 0);
	assert_int_equal(unit_log_count("removing a device that a dead process left"), 1);
	assert_int_equal(kernel.created, 1);
	assert_int_equal(kernel.destroyed, 1);
	rte_vduse_blk_destroy(blk);
	assert_int_equal(kernel.destroyed, 2);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_control, setup),
		cmocka_unit_test_setup(test_version, setup),
		cmocka_unit_test_setup(test_create, setup),
		cmocka_unit_test_setup(test_open, setup),
		cmocka_unit_test_setup(test_destroy, setup),
		cmocka_unit_test_setup(test_left, setup),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
