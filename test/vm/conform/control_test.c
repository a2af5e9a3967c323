/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * /dev/vduse/control: every ioctl with every invalid argument, and creation and destruction of a
 * device.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/virtio_blk.h>
#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>

#include "conform.h"
#include "dev.h"
#include "tap.h"

static void
test_version(void)
{
	int fd = open("/dev/vduse/control", O_RDWR);
	uint64_t value = 99;

	tap_errno(ioctl(fd, VDUSE_GET_API_VERSION, NULL), EFAULT, "get version: bad pointer");
	tap_errno(ioctl(fd, VDUSE_GET_API_VERSION, &value), 0, "get version");
	tap(value == 1, "the version is 1");
	tap_errno(ioctl(fd, VDUSE_SET_API_VERSION, NULL), EFAULT, "set version: bad pointer");
	value = 2;
	tap_errno(ioctl(fd, VDUSE_SET_API_VERSION, &value), EINVAL, "set version 2");
	value = 1;
	tap_errno(ioctl(fd, VDUSE_SET_API_VERSION, &value), 0, "set version 1");
	value = 0;
	tap_errno(ioctl(fd, VDUSE_SET_API_VERSION, &value), 0, "set version 0");
	value = 99;
	tap(ioctl(fd, VDUSE_GET_API_VERSION, &value) == 0 && value == 0, "version 0 was set");
	close(fd);
}

static void
test_features(void)
{
	int fd = open("/dev/vduse/control", O_RDWR);
	uint64_t value = 0;

	tap_errno(ioctl(fd, VDUSE_GET_FEATURES, NULL), EFAULT, "get features: bad pointer");
	tap_errno(ioctl(fd, VDUSE_SET_FEATURES, NULL), EFAULT, "set features: bad pointer");
	tap_errno(ioctl(fd, VDUSE_GET_FEATURES, &value), 0, "get features");
	tap(value == 3, "the features are queue ready and suspend");
	value = 1ULL << 63;
	tap_errno(ioctl(fd, VDUSE_SET_FEATURES, &value), EINVAL, "set an unknown feature");
	value = 1;
	tap_errno(ioctl(fd, VDUSE_SET_FEATURES, &value), 0, "set feature queue ready");
	tap_errno(ioctl(fd, _IO(VDUSE_BASE, 0x0f), 0), EINVAL, "unknown control ioctl");
	close(fd);
}

/* Creates what must be refused; removes it where it is not. */
static void
refused(int control, const struct dev_arg *arg, int error, const char *name)
{
	int ret = dev_create(control, arg);

	tap_errno(ret, error, "create: %s", name);
	if (ret == 0)
		dev_destroy(control, arg->config.name);
}

#define REFUSE(field, value, name)				\
	do {							\
		dev_arg_init(&arg);				\
		arg.config.field = (value);			\
		refused(control, &arg, EINVAL, name);		\
	} while (0)

static void
test_create_numbers(int control)
{
	struct dev_arg arg;

	REFUSE(reserved[0], 1, "first reserved word");
	REFUSE(reserved[10], 1, "last reserved word");
	REFUSE(config_size, 4097, "configuration space larger than a page");
	REFUSE(vq_num, 0x10000, "65536 virtqueues");
	REFUSE(vq_align, 0, "alignment 0");
	REFUSE(vq_align, 2, "alignment 2");
	REFUSE(vq_align, 3, "alignment 3");
	REFUSE(vq_align, 48, "alignment 48");
	REFUSE(vq_align, 8192, "alignment 8192");
	REFUSE(name[0], 0, "no name");
	REFUSE(ngroups, 1, "groups in version 0");
	REFUSE(nas, 1, "address spaces in version 0");
}

static void
test_create_features(int control)
{
	struct dev_arg arg;

	REFUSE(device_id, 0, "device 0");
	REFUSE(device_id, VIRTIO_ID_CONSOLE, "a console");
	REFUSE(features, 1ULL << VIRTIO_F_VERSION_1, "no ACCESS_PLATFORM");
	REFUSE(features, 1ULL << VIRTIO_F_ACCESS_PLATFORM, "net without VERSION_1");
	REFUSE(features, arg.config.features | 1ULL << VIRTIO_NET_F_CTRL_VQ,
			"net with a control queue");
	dev_arg_init(&arg);
	arg.config.device_id = VIRTIO_ID_BLOCK;
	arg.config.features |= 1ULL << VIRTIO_BLK_F_CONFIG_WCE;
	refused(control, &arg, EINVAL, "block with CONFIG_WCE");
	dev_arg_init(&arg);
	arg.config.device_id = VIRTIO_ID_FS;
	tap_errno(dev_create(control, &arg), 0, "create: a file system");
	dev_destroy(control, DEV_NAME);
}

/* The least and the most of what there may be, and nothing at all. */
static void
test_create_limits(int control)
{
	struct dev_arg arg;

	dev_arg_init(&arg);
	arg.config.vq_num = 0;
	arg.config.config_size = 0;
	tap_errno(dev_create(control, &arg), 0, "create: no virtqueue, no configuration space");
	tap_errno(dev_destroy(control, DEV_NAME), 0, "destroy: no virtqueue");
	dev_arg_init(&arg);
	arg.config.vq_align = 4;
	arg.config.config_size = 4096;
	tap_errno(dev_create(control, &arg), 0, "create: alignment 4, a page of configuration");
	tap_errno(dev_destroy(control, DEV_NAME), 0, "destroy: alignment 4");
	dev_arg_init(&arg);
	memset(arg.config.name, 'n', VDUSE_NAME_MAX);
	tap_errno(dev_create(control, &arg), 0, "create: a name without an end");
	arg.config.name[VDUSE_NAME_MAX - 1] = 0;
	tap_errno(dev_destroy(control, arg.config.name), 0, "destroy: a name of 255 characters");
}

/* The structure is there, what is to follow it is not. */
static void
test_create_pointer(int control)
{
	uint8_t *pages = mmap(NULL, 8192, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct dev_arg arg;
	void *end;

	need(pages != MAP_FAILED && mprotect(pages + 4096, 4096, PROT_NONE) == 0, "mmap");
	dev_arg_init(&arg);
	end = pages + 4096 - sizeof(arg.config);
	memcpy(end, &arg.config, sizeof(arg.config));
	tap_errno(ioctl(control, VDUSE_CREATE_DEV, end), EFAULT, "create: no configuration there");
	munmap(pages, 8192);
}

/* Nothing said on the file: version 0, which has no groups, and stays so. */
static void
test_latched(void)
{
	int control = open("/dev/vduse/control", O_RDWR | O_CLOEXEC), fd;
	struct vduse_iotlb_entry_v2 entry = { .last = UINT64_MAX };
	uint64_t version = 1;
	struct dev_arg arg;

	dev_arg_init(&arg);
	arg.config.ngroups = 1;
	arg.config.nas = 1;
	refused(control, &arg, EINVAL, "groups before any version");
	dev_arg_init(&arg);
	fd = dev_make(control, &arg);
	ioctl(control, VDUSE_SET_API_VERSION, &version);
	tap_errno(ioctl(fd, VDUSE_IOTLB_GET_FD2, &entry), ENOTTY, "a device keeps its version");
	close(fd);
	tap_errno(dev_destroy(control, DEV_NAME), 0, "destroy it from there");
	close(control);
}

/* Only on our module: the kernel's own warns, or makes files that nobody can remove. */
static void
test_create_names(int control)
{
	static const char *const names[] = { ".", "..", "control", "a/b", "/" };
	static const char controls[] = { 1, '\n', '\r', 27, 127 };
	struct dev_arg arg;
	unsigned int i;

	for (i = 0; i < sizeof(controls); i++) {
		dev_arg_init(&arg);
		arg.config.name[1] = controls[i];
		tap_errno(dev_create(control, &arg), EINVAL,
				"create: a name with control character %u", controls[i]);
		dev_destroy(control, arg.config.name);
	}
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		dev_arg_init(&arg);
		strcpy(arg.config.name, names[i]);
		refused(control, &arg, EINVAL, names[i]);
	}
}

static int
child_create(int control)
{
	struct dev_arg arg;

	dev_arg_init(&arg);
	if (setresuid(65534, 65534, 65534) < 0)
		return 255;
	return dev_create(control, &arg) < 0 ? errno : 0;
}

static void
test_create_unprivileged(int control)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0)
		_exit(child_create(control));
	waitpid(pid, &status, 0);
	tap(WIFEXITED(status) && WEXITSTATUS(status) == EPERM, "create: net by a mere user");
}

static void
test_life(int control)
{
	struct dev_arg arg;
	int fd;

	tap_errno(ioctl(control, VDUSE_CREATE_DEV, NULL), EFAULT, "create: bad pointer");
	tap_errno(ioctl(control, VDUSE_DESTROY_DEV, NULL), EFAULT, "destroy: bad pointer");
	tap_errno(dev_destroy(control, "nobody"), EINVAL, "destroy: no such device");
	dev_arg_init(&arg);
	tap_errno(dev_create(control, &arg), 0, "create");
	tap_errno(dev_create(control, &arg), EEXIST, "create it again");
	fd = open(DEV_PATH, O_RDWR);
	tap_errno(fd, 0, "open");
	tap_errno(open(DEV_PATH, O_RDWR), EBUSY, "open it again");
	tap_errno(dev_destroy(control, DEV_NAME), EBUSY, "destroy an open device");
	close(fd);
	tap_errno(dev_destroy(control, DEV_NAME), 0, "destroy");
	tap_errno(open(DEV_PATH, O_RDWR), ENOENT, "open what was destroyed");
}

/* One less than a word has bits, as many, and one more. max_address_spaces is 64. */
static void
test_counts(int control)
{
	static const unsigned int count[] = { 63, 64, 65 };
	struct dev_arg arg;
	unsigned int i;

	for (i = 0; i < 3; i++) {
		dev_arg_init(&arg);
		arg.config.ngroups = count[i];
		arg.config.nas = 1;
		tap_errno(dev_create(control, &arg), 0, "%u groups", count[i]);
		tap_errno(dev_destroy(control, DEV_NAME), 0, "%u groups: destroy", count[i]);
		arg.config.ngroups = 1;
		arg.config.nas = count[i];
		tap_errno(dev_create(control, &arg), count[i] <= 64 ? 0 : EINVAL,
				"%u address spaces", count[i]);
		if (count[i] <= 64)
			tap_errno(dev_destroy(control, DEV_NAME), 0, "%u address spaces: destroy",
					count[i]);
	}
}

static void
test_version1(void)
{
	int control = control_open(1);
	struct dev_arg arg;

	if (control < 0)
		return;
	REFUSE(nas, 1, "version 1 without groups");
	REFUSE(ngroups, 1, "version 1 without address spaces");
	dev_arg_init(&arg);
	arg.config.ngroups = 0x10000;
	arg.config.nas = 1;
	refused(control, &arg, EINVAL, "65536 groups");
	arg.config.ngroups = 1;
	arg.config.nas = 0x10000;
	refused(control, &arg, EINVAL, "65536 address spaces");
	test_counts(control);
	arg.config.ngroups = 2;
	arg.config.nas = 2;
	arg.config.features |= 1ULL << VIRTIO_NET_F_CTRL_VQ;
	tap_errno(dev_create(control, &arg), 0, "version 1: two of each and a control queue");
	tap_errno(dev_destroy(control, DEV_NAME), 0, "version 1: destroy");
	close(control);
}

/* No number is left for another device: nothing of it stays, and one that goes makes room. */
static void
test_max_devices(int control)
{
	struct dev_arg first, second;

	dev_arg_init(&first);
	dev_arg_init(&second);
	strcpy(second.config.name, "conform1");
	module_set("max_devices", "0");
	tap_errno(dev_create(control, &first), ENOSPC, "max_devices 0: create");
	module_set("max_devices", "1");
	tap_errno(dev_create(control, &first), 0, "max_devices 1: create");
	tap_errno(dev_create(control, &second), ENOSPC, "max_devices 1: create another");
	tap_errno(dev_create(control, &first), EEXIST, "max_devices 1: create it again");
	tap(access("/dev/vduse/conform1", F_OK) < 0 && access("/sys/class/vduse/conform1", F_OK) < 0,
			"max_devices 1: nothing is left of it");
	tap_errno(dev_destroy(control, "conform1"), EINVAL, "max_devices 1: there is no other");
	tap_errno(dev_destroy(control, DEV_NAME), 0, "max_devices 1: destroy");
	tap_errno(dev_create(control, &second), 0, "max_devices 1: the other, then");
	module_set("max_devices", "4294967295");
	tap_errno(dev_create(control, &first), 0, "max_devices of all ones: create");
	tap_errno(dev_destroy(control, "conform1"), 0, "max_devices: destroy the other");
	tap_errno(dev_destroy(control, DEV_NAME), 0, "max_devices: destroy");
}

/* A disk's interrupts end writes that free memory: they must get through when there is none. */
static void
test_rescuers(void)
{
	/* One that is at work shows for whom after its name. */
	tap(system("grep -qxsE 'kworker/R-vduse-irq([+-]vduse-irq)?' /run/proc/[0-9]*/comm") == 0,
			"interrupts need no memory");
	tap(system("grep -qxsE 'kworker/R-vduse-irq-cpu([+-]vduse-irq-cpu)?' "
			"/run/proc/[0-9]*/comm") == 0, "interrupts on a CPU need no memory");
}

void
conform_control(bool ours)
{
	int control = control_open(0);

	test_version();
	test_features();
	test_create_numbers(control);
	test_create_features(control);
	test_create_limits(control);
	test_create_pointer(control);
	test_latched();
	if (ours)
		test_create_names(control);
	test_create_unprivileged(control);
	test_life(control);
	test_version1();
	conform_control_stall(control, ours);
	if (ours) {
		test_rescuers();
		test_max_devices(control);
	}
	close(control);
}
