/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A kernel that refuses: no VDUSE, no permission, another API version, a name in use, a device that
 * cannot be removed. Each step of creating a device returns the right error and leaks nothing. Kernels
 * of each API version get what that version wants. The kernel's side of open() and ioctl() is here;
 * test/unit/meson.build redirects the calls of the libraries to it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/vduse.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>

#include <rte_bitops.h>
#include <rte_memory.h>

#include <rte_vduse_blk.h>
#include <vduse/conf.h>

#include "unit.h"

#define DEVICE  "/dev/vduse/refused"
#define CONTROL "/dev/vduse/control"
#define NB_VQS  3

static struct {
	int control;           /* errno of opening the control device; 0: it is there */
	int device;            /* the same of the device, if there is one */
	unsigned long request; /* this ioctl fails with that errno */
	int error;
	bool exists;
	unsigned int created, destroyed;
	uint64_t version;       /* API that it has */
	bool no_ctrl_vq;        /* network devices may not have one, 7.0 to 7.3 */
	uint64_t chosen;        /* API that it was told */
	bool has_features;      /* it can be asked for optional messages, 7.3 and later */
	uint64_t features;      /* those that it has */
	uint64_t taken;         /* those that it was told */
	uint32_t ngroups, nas;  /* of the device that was created */
	uint32_t group[NB_VQS]; /* of its virtqueues */
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

/* As the kernel has it: false, and nothing is written, where memory ends. */
static bool
is_readable(const void *from, size_t len)
{
	int file = memfd_create("copy", MFD_CLOEXEC);
	bool whole = write(file, from, len) == (ssize_t)len;

	assert_true(file >= 0);
	close(file);
	return whole;
}

static int
kernel_create(const struct vduse_dev_config *config)
{
	if (kernel.no_ctrl_vq && config->device_id == VIRTIO_ID_NET &&
	    (config->features & RTE_BIT64(VIRTIO_NET_F_CTRL_VQ)) != 0) {
		errno = EINVAL;
		return -1;
	}
	if (!is_readable(config->config, config->config_size)) {
		errno = EFAULT;
		return -1;
	}
	if (kernel.exists) {
		errno = EEXIST;
		return -1;
	}
	kernel.exists = true;
	kernel.created++;
	kernel.ngroups = config->ngroups;
	kernel.nas = config->nas;
	return 0;
}

static int
kernel_vq_setup(const struct vduse_vq_config *config)
{
	assert_in_range(config->index, 0, NB_VQS - 1);
	kernel.group[config->index] = config->group;
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
		memcpy(arg, &kernel.version, sizeof(kernel.version));
		return 0;
	case VDUSE_DEV_GET_FEATURES:
		memset(arg, 0, sizeof(uint64_t));
		return 0;
	case VDUSE_CREATE_DEV:
		return kernel_create(arg);
	case VDUSE_DESTROY_DEV:
		kernel.exists = false;
		kernel.destroyed++;
		return 0;
	case VDUSE_SET_API_VERSION:
		memcpy(&kernel.chosen, arg, sizeof(kernel.chosen));
		return 0;
	case VDUSE_GET_FEATURES:
		if (kernel.has_features)
			memcpy(arg, &kernel.features, sizeof(kernel.features));
		else
			errno = EINVAL;
		return kernel.has_features ? 0 : -1;
	case VDUSE_SET_FEATURES:
		memcpy(&kernel.taken, arg, sizeof(kernel.taken));
		return 0;
	case VDUSE_VQ_SETUP:
		return kernel_vq_setup(arg);
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

static const struct rte_vduse_dev_ops ops;

/* A device of any type, with ctrl_vqs of three virtqueues in a group of their own. */
static int
create_groups(uint64_t version, uint16_t ctrl_vqs)
{
	const struct rte_vduse_dev_conf conf = {
		.size = sizeof(struct rte_vduse_dev_conf),
		.path = DEVICE,
		.device_id = VIRTIO_ID_NET,
		.features = ctrl_vqs != 0 ? RTE_BIT64(VIRTIO_NET_F_CTRL_VQ) : 0,
		.nb_vqs = NB_VQS,
		.vq_size = 64,
		.ctrl_vqs = ctrl_vqs,
		.socket_id = SOCKET_ID_ANY,
		.ops = &ops,
	};
	struct rte_vduse_dev *dev = NULL;
	int ret;

	unit_log_clear();
	kernel.version = version;
	ret = rte_vduse_dev_create(&conf, &dev);
	rte_vduse_dev_destroy(dev);
	return ret;
}

/* API 0 has neither groups nor address spaces; what is later than API 1 is not known. */
static void
test_api(void **state)
{
	static const struct {
		uint64_t version, chosen;
		uint16_t ctrl_vqs;
		uint32_t nb, group;
	} tries[] = {
		{ 0, 0, 0, 0, 0 }, { 1, 1, 0, 1, 0 }, { 1, 1, 1, 2, 1 },
		{ 2, 1, 0, 1, 0 }, { 9, 1, 1, 2, 1 },
	};
	size_t i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(tries); i++) {
		assert_int_equal(create_groups(tries[i].version, tries[i].ctrl_vqs), 0);
		assert_int_equal(kernel.chosen, tries[i].chosen);
		assert_int_equal(kernel.ngroups, tries[i].nb);
		assert_int_equal(kernel.nas, tries[i].nb);
		assert_int_equal(kernel.group[0], 0);
		assert_int_equal(kernel.group[NB_VQS - 2], 0);
		assert_int_equal(kernel.group[NB_VQS - 1], tries[i].group);
	}
	assert_int_equal(kernel.created, RTE_DIM(tries));
	assert_int_equal(kernel.destroyed, RTE_DIM(tries));
}

/* Of what the kernel has, what is served is taken, and a refusal is no reason to give up. */
static void
test_features(void **state)
{
	RTE_SET_USED(state);
	kernel.taken = 99;
	assert_int_equal(create_groups(1, 0), 0);
	kernel.has_features = true;
	kernel.features = UINT64_MAX;
	assert_int_equal(create_groups(0, 0), 0);
	assert_int_equal(kernel.taken, 99);
	assert_int_equal(create_groups(1, 0), 0);
	assert_int_equal(kernel.taken, RTE_BIT64(VDUSE_F_QUEUE_READY) | RTE_BIT64(VDUSE_F_SUSPEND));
	kernel.features = RTE_BIT64(63);
	assert_int_equal(create_groups(1, 0), 0);
	assert_int_equal(kernel.taken, 0);
	kernel.request = VDUSE_SET_FEATURES;
	kernel.error = EINVAL;
	assert_int_equal(create_groups(1, 0), 0);
	assert_int_equal(unit_log_count("offers VDUSE features 0x8000000000000000 and refuses"), 1);
	assert_int_equal(kernel.created, kernel.destroyed);
}

static void
test_no_groups(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(create_groups(0, 1), -ENOTSUP);
	assert_int_equal(unit_log_count("refused: "), 1);
	assert_int_equal(unit_log_count("which VDUSE API 0 does not have"), 1);
	kernel.no_ctrl_vq = true;
	assert_int_equal(create_groups(1, 1), -ENOTSUP);
	assert_int_equal(unit_log_count("refused: "), 1);
	assert_int_equal(unit_log_count("has API 1 and refuses the device"), 1);
	assert_int_equal(kernel.created, 0);
	assert_int_equal(unit_fds(), fds);
}

/* Before a device is created: what the kernel says, and that a socket needs nothing of it. */
static void
test_query(void **state)
{
	RTE_SET_USED(state);
	assert_int_equal(vduse_conf_ctrl_vqs(DEVICE, NULL), -ENOTSUP);
	kernel.version = 1;
	assert_int_equal(vduse_conf_ctrl_vqs(DEVICE, NULL), 0);
	assert_int_equal(kernel.chosen, 1);
	kernel.no_ctrl_vq = true;
	assert_int_equal(vduse_conf_ctrl_vqs(DEVICE, NULL), -ENOTSUP);
	kernel.request = VDUSE_CREATE_DEV;
	kernel.error = EPERM;
	assert_int_equal(vduse_conf_ctrl_vqs(DEVICE, NULL), -EPERM);
	kernel.request = VDUSE_SET_API_VERSION;
	assert_int_equal(vduse_conf_ctrl_vqs(DEVICE, NULL), -EPERM);
	kernel.request = VDUSE_GET_API_VERSION;
	kernel.error = ENOTTY;
	assert_int_equal(vduse_conf_ctrl_vqs(DEVICE, NULL), -ENOTTY);
	kernel.control = ENOENT;
	assert_int_equal(vduse_conf_ctrl_vqs(DEVICE, NULL), -ENOENT);
	assert_int_equal(vduse_conf_ctrl_vqs("/tmp/refused", NULL), 0);
	assert_int_equal(kernel.created, 0);
	assert_int_equal(unit_fds(), fds);
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
		cmocka_unit_test_setup(test_api, setup),
		cmocka_unit_test_setup(test_features, setup),
		cmocka_unit_test_setup(test_no_groups, setup),
		cmocka_unit_test_setup(test_query, setup),
	};

	/* A folder in which no state file can be made: devices do without. */
	setenv("DPDK_VDUSE_RUN_DIR", "/proc", 1);
	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
