/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* A driver that removes memory in use stops a virtqueue of its own device, nothing else. */
#include "loopback_dev.h"

#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_vduse_compat.h>

#define FAR (UINT64_C(1) << 30)

/* More than vm.max_map_count is, but for machines that were told otherwise. */
#define NB_LOST 66000u

static struct loopback_dev device, other;
static int memory = -1, others = -1;

/* The application's own handler, which was there before the guard. */
static sigjmp_buf application_jump;
static volatile sig_atomic_t application_signals;

static void
on_application_sigbus(int signum)
{
	RTE_SET_USED(signum);
	application_signals++;
	siglongjmp(application_jump, 1);
}

static int
setup(void **state)
{
	RTE_SET_USED(state);
	memory = unit_memfd("unit-guard", 4 * PAGE);
	others = unit_memfd("unit-others", PAGE);
	loopback_dev_start(&device);
	loopback_dev_region(&device, 0, 4 * PAGE, 0, PERM_RW, memory);
	loopback_dev_set_vq(&device, 0, 0, 256);
	loopback_dev_set_vq(&device, 1, PAGE, 256);
	loopback_dev_up(&device);
	loopback_dev_start(&other);
	loopback_dev_region(&other, 0, PAGE, 0, PERM_RW, others);
	loopback_dev_set_vq(&other, 0, 0, 256);
	loopback_dev_up(&other);
	unit_log_clear();
	application_signals = 0;
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_destroy(&device);
	loopback_dev_destroy(&other);
	close(memory);
	close(others);
	assert_int_equal(unit_maps("unit-guard"), 0);
	return 0;
}

/* The device runs again, in memory that is back, and nothing of the lost page is left. */
static void
recovers(void)
{
	struct rte_vduse_region region;
	uint32_t value = 0;

	assert_int_equal(ftruncate(memory, 4 * PAGE), 0);
	loopback_dev_up(&device);
	assert_true(loopback_dev_lookup(&device, 0, 2 * PAGE, &region));
	region.va[2 * PAGE] = 99;
	assert_int_equal(pread(memory, &value, 1, 2 * PAGE), 1);
	assert_int_equal(value, 99);
}

static void
test_lost_in_burst(void **state)
{
	const struct rte_vduse_region *region;
	volatile uint8_t *va;

	RTE_SET_USED(state);
	unit_sigbus_restore();
	assert_true(rte_vduse_vq_enter(device.vqs[0]));
	region = rte_vduse_vq_lookup(device.vqs[0], 2 * PAGE);
	assert_non_null(region);
	va = region->va;
	va[2 * PAGE] = 1;
	assert_int_equal(ftruncate(memory, PAGE), 0);
	assert_int_equal(va[2 * PAGE], 0);
	va[3 * PAGE + 5] = 7; /* another page of it, written first */
	assert_int_equal(va[3 * PAGE + 5], 7);
	rte_vduse_vq_leave(device.vqs[0]);
	assert_false(rte_vduse_vq_enter(device.vqs[0]));
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_ERROR);
	assert_int_equal(unit_log_count("unit0: virtqueue 0 stopped"), 1);
	assert_int_equal(unit_log_count("the driver took away memory in use"), 1);
	assert_int_equal(application_signals, 0);
	assert_true(loopback_dev_burst(&other, 0, 0, true));
	recovers();
}

/* Gone between two bursts, and found by the control thread as the rings are looked at. */
static void
test_lost_in_callback(void **state)
{
	RTE_SET_USED(state);
	unit_sigbus_restore();
	device.touch = true;
	assert_int_equal(ftruncate(memory, 0), 0);
	loopback_dev_update(&device);
	assert_false(rte_vduse_vq_enter(device.vqs[0]));
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_ERROR);
	assert_true(loopback_dev_set_status(&device, 0));
	loopback_dev_up(&device);
	assert_false(rte_vduse_vq_enter(device.vqs[0]));
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_ERROR);
	assert_true(loopback_dev_burst(&other, 0, 0, true));
	recovers();
}

/* A memory update brings no lost page back, but it brings a table without the poison. */
static void
test_lost_and_updated(void **state)
{
	const struct rte_vduse_region *region;

	RTE_SET_USED(state);
	unit_sigbus_restore();
	assert_true(rte_vduse_vq_enter(device.vqs[0]));
	region = rte_vduse_vq_lookup(device.vqs[0], 0);
	assert_int_equal(ftruncate(memory, 0), 0);
	((volatile uint8_t *)region->va)[PAGE] = 1;
	rte_vduse_vq_leave(device.vqs[0]);
	assert_int_equal(ftruncate(memory, 4 * PAGE), 0);
	loopback_dev_update(&device);
	recovers();
}

/* Touches memory of the application's own that is gone. Returns whether its handler ran. */
static bool
application_fault(volatile uint8_t *own)
{
	int before = application_signals;

	if (sigsetjmp(application_jump, 1) == 0)
		own[0] = 1;
	return application_signals == before + 1;
}

/* Kilobytes of this process in memory. */
static unsigned long
resident(void)
{
	unsigned long size, pages;
	FILE *file = fopen("/proc/self/statm", "r");

	assert_non_null(file);
	assert_int_equal(fscanf(file, "%lu %lu", &size, &pages), 2);
	fclose(file);
	return pages * 4;
}

/*
 * More lost pages than a process may have mappings, with pages between them that are not touched.
 * What replaces them is not allocated either, though all new memory is to be locked.
 */
static void
test_lost_everywhere(void **state)
{
	int file = unit_memfd("unit-guard", 0);
	const struct rte_vduse_region *region;
	unsigned long before_kib;
	unsigned int before, i;

	RTE_SET_USED(state);
	unit_sigbus_restore();
	loopback_dev_region(&device, FAR, 2 * NB_LOST * PAGE, 0, PERM_RW, file);
	loopback_dev_update(&device);
	/* Without the right to lock memory the rest holds all the same. */
	(void)mlockall(MCL_FUTURE);
	before = unit_maps("");
	before_kib = resident();
	assert_true(rte_vduse_vq_enter(device.vqs[0]));
	region = rte_vduse_vq_lookup(device.vqs[0], FAR);
	assert_non_null(region);
	for (i = 0; i < NB_LOST; i++)
		assert_int_equal(((volatile uint8_t *)region->va)[2 * i * PAGE], 0);
	/* The burst finds nothing any more. */
	assert_null(rte_vduse_vq_lookup(device.vqs[0], 0));
	rte_vduse_vq_miss(device.vqs[0], 0, false);
	rte_vduse_vq_leave(device.vqs[0]);
	assert_in_range(unit_maps(""), before - 2, before + 2);
#ifdef __SANITIZE_THREAD__ /* whose shadow of the memory counts, too */
	RTE_SET_USED(before_kib);
#else
	assert_true(resident() < before_kib + (64 << 10));
#endif
	munlockall();
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_ERROR);
	assert_int_equal(unit_log_count("the driver took away memory in use"), 1);
	assert_true(loopback_dev_burst(&other, 0, 0, true));
	close(file);
	vduse_loopback_regions_clear(device.loop);
	loopback_dev_region(&device, 0, 4 * PAGE, 0, PERM_RW, memory);
	recovers();
}

/* Nobody touched the memory that a signal of a process seems to name: it is the application's. */
static void
test_sent(void **state)
{
	static const int codes[] = { SI_QUEUE, SI_TKILL, SI_USER, BUS_ADRALN, BUS_MCEERR_AO };
	struct rte_vduse_region region;
	unsigned int i;

	RTE_SET_USED(state);
	unit_sigbus_restore();
	assert_true(loopback_dev_lookup(&device, 0, 2 * PAGE, &region));
	for (i = 0; i < RTE_DIM(codes); i++) {
		siginfo_t info = { .si_signo = SIGBUS, .si_code = codes[i] };

		info.si_addr = region.va + 2 * PAGE;
		if (sigsetjmp(application_jump, 1) == 0)
			syscall(SYS_rt_tgsigqueueinfo, getpid(), gettid(), SIGBUS, &info);
		assert_int_equal(application_signals, (int)i + 1);
	}
	assert_true(loopback_dev_burst(&device, 0, 0, true));
}

/* A thread that polls nothing, as a storage library has: it touches what it was given. */
static void *
foreign_thread(void *arg)
{
	volatile uint8_t *va = arg;

	if (sigsetjmp(application_jump, 1) == 0)
		*va = 1;
	return NULL;
}

static void
test_lost_in_foreign_thread(void **state)
{
	struct rte_vduse_region region;
	pthread_t thread;

	RTE_SET_USED(state);
	unit_sigbus_restore();
	assert_true(loopback_dev_lookup(&device, 0, 2 * PAGE, &region));
	assert_int_equal(ftruncate(memory, PAGE), 0);
	assert_int_equal(pthread_create(&thread, NULL, foreign_thread, region.va + 2 * PAGE), 0);
	pthread_join(thread, NULL);
	assert_int_equal(application_signals, 0);
	assert_false(loopback_dev_burst(&device, 0, 0, true));
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_ERROR);
	assert_true(loopback_dev_burst(&other, 0, 0, true));
	recovers();
}

static void *
update_thread(void *arg)
{
	loopback_dev_update(arg);
	return NULL;
}

static bool
update_waits(void *arg)
{
	struct loopback_dev *self = arg;

	return !rte_atomic_load_explicit(&self->vqs[0]->enabled, rte_memory_order_relaxed);
}

/* The table that is about to replace that of the burst has the same mapping. */
static void
test_lost_in_switch(void **state)
{
	const struct rte_vduse_region *region;
	pthread_t thread;

	RTE_SET_USED(state);
	unit_sigbus_restore();
	assert_true(rte_vduse_vq_enter(device.vqs[0]));
	region = rte_vduse_vq_lookup(device.vqs[0], 2 * PAGE);
	assert_int_equal(pthread_create(&thread, NULL, update_thread, &device), 0);
	assert_true(unit_wait(update_waits, &device));
	assert_int_equal(ftruncate(memory, PAGE), 0);
	((volatile uint8_t *)region->va)[2 * PAGE] = 1;
	rte_vduse_vq_leave(device.vqs[0]);
	pthread_join(thread, NULL);
	assert_false(loopback_dev_burst(&device, 0, 0, true));
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_ERROR);
	assert_int_equal(application_signals, 0);
	recovers();
}

/* The guard does not handle faults outside driver memory: in a burst, and after it. */
static void
test_application(void **state)
{
	int fd = unit_memfd("unit-own", PAGE);
	volatile uint8_t *own = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	RTE_SET_USED(state);
	unit_sigbus_restore();
	assert_ptr_not_equal(own, MAP_FAILED);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_true(application_fault(own));
	assert_true(rte_vduse_vq_enter(device.vqs[0]));
	assert_true(application_fault(own));
	rte_vduse_vq_leave(device.vqs[0]);
	assert_true(application_fault(own));
	assert_true(rte_vduse_vq_enter(device.vqs[0]));
	rte_vduse_vq_leave(device.vqs[0]);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_RUNNING);
	loopback_dev_update(&device); /* the table of that burst is freed */
	assert_true(application_fault(own));
	assert_true(loopback_dev_set_status(&device, 0));
	assert_true(application_fault(own));
	munmap((void *)(uintptr_t)own, PAGE);
	close(fd);
}

/* Also a signal that a process sent, which no access repeats. */
static void
test_default_sent(void **state)
{
	int status = 0;
	pid_t child;

	RTE_SET_USED(state);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		signal(SIGBUS, SIG_DFL);
		if (vduse_guard_install() == 0)
			raise(SIGBUS);
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGBUS);
}

/* Without a previous handler the process ends as usual. */
static void
test_default(void **state)
{
	int fd = unit_memfd("unit-own", PAGE), status = 0;
	volatile uint8_t *own = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	pid_t child;

	RTE_SET_USED(state);
	assert_ptr_not_equal(own, MAP_FAILED);
	assert_int_equal(ftruncate(fd, 0), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		signal(SIGBUS, SIG_DFL);
		if (vduse_guard_install() == 0)
			own[0] = 1;
		_exit(0);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(WTERMSIG(status), SIGBUS);
	munmap((void *)(uintptr_t)own, PAGE);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest before[] = { cmocka_unit_test(test_default),
					     cmocka_unit_test(test_default_sent) };
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lost_in_burst, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost_in_callback, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost_and_updated, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost_everywhere, setup, teardown),
		cmocka_unit_test_setup_teardown(test_sent, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost_in_foreign_thread, setup, teardown),
		cmocka_unit_test_setup_teardown(test_lost_in_switch, setup, teardown),
		cmocka_unit_test_setup_teardown(test_application, setup, teardown),
	};
	int failed;

	if (unit_init() < 0)
		return 1;
	/* The guard is installed but once, and remembers what was there. */
	failed = cmocka_run_group_tests(before, NULL, NULL);
	signal(SIGBUS, on_application_sigbus);
	if (vduse_guard_install() < 0)
		return 1;
	unit_sigbus_keep();
	failed += cmocka_run_group_tests(tests, NULL, NULL);
	return unit_done(failed);
}
