/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A file that another program uses, with the locks of QEMU, and a process that may not use
 * io_uring: the disk is refused with one line, or served if the other program permits it. With
 * share=1 a file is locked while a queue runs.
 */
#include "loopback_blk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include <rte_memory.h>

#define RING 64u
#define SIZE (1 << 20)

/* Ways of use, and where QEMU locks a byte for each. */
#define USE_READ    0
#define USE_WRITE   1
#define USE_RESIZE  3
#define USED(use)   (100 + (use))
#define DENIED(use) (200 + (use))

/* Waiting time for a file that another process has locked. */
#define PATIENCE_US 1000000u

static char path[64], args[96];
static int fd = -1;
static unsigned int waited_us;

void
__wrap_rte_delay_us_sleep(unsigned int us);

/* Nothing changes while the library waits here: it is counted, and costs no time. */
void
__wrap_rte_delay_us_sleep(unsigned int us)
{
	waited_us += us;
}

static int
setup(void **state)
{
	RTE_SET_USED(state);
	strcpy(path, "/var/tmp/unit-blk-XXXXXX");
	fd = mkstemp(path);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, SIZE), 0);
	snprintf(args, sizeof(args), "path=%s", path);
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	unlink(path);
	close(fd);
	return 0;
}

static int
try_open(bool read_only)
{
	struct rte_vduse_blk_conf conf = {
		.size = sizeof(struct rte_vduse_blk_conf),
		.path = "/dev/vduse/unit1",
		.queues = 1,
		.queue_size = RING,
		.read_only = read_only,
		.backend = "file",
		.backend_args = args,
		.socket_id = SOCKET_ID_ANY,
	};
	int ret;

	unit_log_clear();
	waited_us = 0;
	ret = loopback_blk_try(&conf);
	assert_int_equal(unit_log_count("unit1: "), ret < 0);
	assert_int_equal(waited_us, ret == -EAGAIN ? PATIENCE_US : 0);
	return ret;
}

static int
lock_byte(off_t byte, short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1 };

	return fcntl(fd, F_OFD_SETLK, &lock);
}

/* Whether another process has a lock on a byte. */
static bool
is_locked(off_t byte)
{
	struct flock lock = {
		.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = byte, .l_len = 1
	};

	assert_int_equal(fcntl(fd, F_OFD_GETLK, &lock), 0);
	return lock.l_type != F_UNLCK;
}

static void
with_lock(off_t byte, int writer, int reader)
{
	assert_int_equal(lock_byte(byte, F_RDLCK), 0);
	assert_int_equal(try_open(false), writer);
	assert_int_equal(try_open(true), reader);
	assert_int_equal(lock_byte(byte, F_UNLCK), 0);
}

/* Each way in which QEMU may have it. */
static void
qemu_has_it(void **state)
{
	RTE_SET_USED(state);
	with_lock(USED(USE_READ), 0, 0);
	with_lock(USED(USE_WRITE), -EAGAIN, -EAGAIN);
	with_lock(USED(USE_RESIZE), -EAGAIN, -EAGAIN);
	with_lock(DENIED(USE_READ), -EAGAIN, -EAGAIN);
	with_lock(DENIED(USE_WRITE), -EAGAIN, 0);
	with_lock(DENIED(USE_RESIZE), 0, 0);
}

/* The locks that QEMU sees; "qemu-img info -U" locks byte 100 and checks byte 200. */
static void
qemu_sees_ours(void **state)
{
	static struct loopback_blk disk;

	RTE_SET_USED(state);
	loopback_blk_create(&disk, "file", args, RING, false);
	assert_int_equal(lock_byte(USED(USE_READ), F_RDLCK), 0);
	assert_false(is_locked(DENIED(USE_READ)));
	assert_true(is_locked(USED(USE_READ)));
	assert_true(is_locked(USED(USE_WRITE)));
	assert_true(is_locked(DENIED(USE_WRITE)));
	assert_true(is_locked(DENIED(USE_RESIZE)));
	assert_int_equal(lock_byte(USED(USE_READ), F_UNLCK), 0);
	/* A second disk of this project is refused either way. */
	assert_int_equal(try_open(false), -EAGAIN);
	assert_int_equal(try_open(true), -EAGAIN);
	loopback_blk_destroy(&disk);
	assert_false(is_locked(USED(USE_WRITE)));
	loopback_blk_create(&disk, "file", args, RING, true);
	assert_false(is_locked(USED(USE_WRITE)));
	assert_int_equal(try_open(true), 0);
	assert_int_equal(try_open(false), -EAGAIN);
	loopback_blk_destroy(&disk);
}

/* A driver comes up, and its queue gets into this state. */
static void
up(struct loopback_blk *disk, enum rte_vduse_vq_state state, unsigned int waits_us)
{
	unit_log_clear();
	waited_us = 0;
	loopback_blk_up_at(disk, 0, 0);
	assert_int_equal(loopback_blk_state(disk), state);
	assert_int_equal(waited_us, waits_us);
	assert_int_equal(unit_log_count("in use by another process or device"),
			 state == RTE_VDUSE_VQ_ERROR);
}

/* Two disks are one file, as when a guest migrates: the lock is with the one whose queue runs. */
static void
lock_passes_on(void **state)
{
	static struct loopback_blk source, target;
	static uint8_t sent[SIZE / 256], got[SIZE / 256];
	char plain[sizeof(args)];

	RTE_SET_USED(state);
	strcpy(plain, args);
	snprintf(args, sizeof(args), "path=%s,share=1", path);
	assert_int_equal(try_open(false), -EINVAL);
	assert_int_equal(unit_log_count("it needs direct=1"), 1);
	snprintf(args, sizeof(args), "path=%s,share=1,direct=1", path);
	loopback_blk_create(&source, "file", args, RING, false);
	loopback_blk_create(&target, "file", args, RING, false);
	assert_false(is_locked(USED(USE_WRITE)));
	up(&source, RTE_VDUSE_VQ_RUNNING, 0);
	assert_true(is_locked(USED(USE_WRITE)));
	assert_true(is_locked(DENIED(USE_WRITE)));
	blk_pattern(sent, sizeof(sent), 1);
	assert_int_equal(loopback_blk_do(&source, VIRTIO_BLK_T_OUT, 8, sent, sizeof(sent)), 0);
	/* Two at once. The second one waits once, not each time that its driver tries. */
	up(&target, RTE_VDUSE_VQ_ERROR, PATIENCE_US);
	up(&target, RTE_VDUSE_VQ_ERROR, 0);
	assert_int_equal(loopback_blk_do(&source, VIRTIO_BLK_T_IN, 8, got, sizeof(got)), 0);
	assert_true(is_locked(USED(USE_WRITE)));
	strcpy(args, plain);
	assert_int_equal(try_open(false), -EAGAIN);
	loopback_blk_reset(&source);
	assert_false(is_locked(USED(USE_WRITE)));
	assert_false(is_locked(DENIED(USE_WRITE)));
	assert_int_equal(try_open(false), 0);
	/* QEMU has the image. */
	assert_int_equal(lock_byte(DENIED(USE_WRITE), F_RDLCK), 0);
	up(&target, RTE_VDUSE_VQ_ERROR, 0);
	assert_int_equal(lock_byte(DENIED(USE_WRITE), F_UNLCK), 0);
	up(&target, RTE_VDUSE_VQ_RUNNING, 0);
	assert_int_equal(loopback_blk_do(&target, VIRTIO_BLK_T_IN, 8, got, sizeof(got)), 0);
	assert_memory_equal(got, sent, sizeof(got));
	/* It succeeded, so that it may wait again. */
	loopback_blk_reset(&target);
	up(&source, RTE_VDUSE_VQ_RUNNING, 0);
	up(&target, RTE_VDUSE_VQ_ERROR, PATIENCE_US);
	loopback_blk_destroy(&source);
	assert_false(is_locked(USED(USE_WRITE)));
	loopback_blk_destroy(&target);
}

/* This thread's io_uring_setup() fails with err from now on. */
static void
forbid_io_uring(unsigned int err)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_io_uring_setup, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | err),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { .len = RTE_DIM(code), .filter = code };

	assert_int_equal(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), 0);
	assert_int_equal(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program), 0);
}

/* What seccomp and the sysctl say, then what a kernel without it says. The last of the tests. */
static void
no_io_uring(void **state)
{
	static const unsigned int errs[] = { EPERM, ENOSYS };
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(errs); i++) {
		unsigned int fds = unit_fds();

		forbid_io_uring(errs[i]);
		assert_int_equal(try_open(false), -(int)errs[i]);
		assert_int_equal(unit_log_count("needs io_uring"), 1);
		assert_int_equal(unit_log_count("kernel.io_uring_disabled"), 1);
		assert_int_equal(unit_fds(), fds);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(qemu_has_it, setup, teardown),
		cmocka_unit_test_setup_teardown(qemu_sees_ours, setup, teardown),
		cmocka_unit_test_setup_teardown(lock_passes_on, setup, teardown),
		cmocka_unit_test_setup_teardown(no_io_uring, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
