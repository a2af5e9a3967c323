/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A process that serves a disk is killed at every store that another process can see, and a second
 * one continues. A child polls the device while this process single-steps it and takes a snapshot
 * of ring and log whenever they changed. From each snapshot a device is started on an empty disk.
 * The requests done on that disk must be exactly those that the driver had not seen as used.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <virtio_blk/backend/fault.h>

#include "loopback_log.h"

#define ROUNDS 14u /* of the child */

/* Instructions of a sanitizer's program are many: there a format begins at one place only. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define EVERYWHERE false
#else
#define EVERYWHERE true
#endif

/* The child: both sides in turn, requests finish in an order of their own. */
static void
child_run(void)
{
	unsigned int round;

	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	vblk_fault_hold(blk->backend, true);
	for (round = 0; round < ROUNDS; round++) {
		driver_receive();
		/* Some rounds without anything new, so that many finish in one. */
		if (round % 4 != 2)
			driver_send(REQUESTS - SLOTS);
		vblk_fault_release(blk->backend, round % 3, round % 2 == 0);
		world->device = true;
		/* Each instruction from here on. */
		raise(SIGTRAP);
		rte_vduse_blk_poll(blk, 0);
		world->device = false;
	}
	_exit(0);
}

static bool
picture_differs(const struct picture *last)
{
	const struct driver_region *rings = &world->driver.regions[0];

	return memcmp(last->log, blk->queues[0].part.data, log_size) != 0 ||
	       memcmp(last->memory[0], rings->va, rings->size) != 0;
}

/*
 * Lets a child go on, instruction by instruction while it is the device's turn, and keeps what it
 * leaves on the way.
 */
static void
take_pictures(void)
{
	int status;
	pid_t pid;

	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0)
		child_run();
	picture_take();
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		bool device = world->device;

		if (device && picture_differs(&pictures[nb_pictures - 1]))
			picture_take();
		assert_int_equal(ptrace(device ? PTRACE_SINGLESTEP : PTRACE_CONT, pid, NULL, NULL),
				 0);
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* How a run goes on from one picture. eager: the driver has taken and sent before. */
static void
recover(const struct picture *picture, uint16_t index, bool eager)
{
	bool used[REQUESTS];
	uint32_t i;

	picture_restore(picture);
	state_write(picture->log, log_size);
	if (eager) {
		driver_receive();
		driver_send(REQUESTS - 1);
	}
	device_restart(index);
	assert_int_equal(device_state(), RTE_VDUSE_VQ_RUNNING);
	assert_true(vduse_loopback_calls(loop, 0) > 0);
	/* What was used before the new process did anything is never to be done again. */
	driver_receive();
	for (i = 0; i < REQUESTS; i++)
		used[i] = world->requests[i] != REQUEST_OUT;
	poll_until_done();
	for (i = 0; i < world->nb_posted; i++) {
		assert_int_equal(world->requests[i], REQUEST_USED);
		assert_int_equal(disk_byte(i), used[i] ? 0 : request_byte(i));
	}
	device_destroy();
}

static void
every_store(uint64_t features, uint16_t index)
{
	unsigned int i;

	world_begin(features, index);
	state_keep();
	take_pictures();
	device_destroy();
	/* A run that logs nothing would have too few. */
	assert_true(nb_pictures > 3 * (REQUESTS - SLOTS));
	for (i = 0; i < nb_pictures; i++) {
		recover(&pictures[i], index, false);
		recover(&pictures[i], index, true);
	}
	print_message("%u stores\n", nb_pictures);
	pictures_free();
	world_end();
}

static void
killed_at_every_store_split(void **state)
{
	RTE_SET_USED(state);
	every_store(FEATURES, 65530);
	if (EVERYWHERE)
		every_store(FEATURES, 0);
}

static void
killed_at_every_store_packed(void **state)
{
	RTE_SET_USED(state);
	every_store(PACKED, 2 * RING - 7);
	if (EVERYWHERE) {
		every_store(PACKED, 0);
		every_store(PACKED, RING - 5);
	}
}

static void
killed_at_every_store_in_order(void **state)
{
	RTE_SET_USED(state);
	every_store(FEATURES | BIT(VIRTIO_F_IN_ORDER), 3);
	if (EVERYWHERE)
		every_store(PACKED | BIT(VIRTIO_F_IN_ORDER), 3);
}

/* A driver on a socket brings a larger ring than is announced, and fills it. */
static void
killed_with_a_larger_ring(void **state)
{
	RTE_SET_USED(state);
	announced = 4;
	every_store(FEATURES, 65530);
	if (EVERYWHERE)
		every_store(PACKED, 2 * RING - 7);
	announced = RING;
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(killed_at_every_store_split),
		cmocka_unit_test(killed_at_every_store_packed),
		cmocka_unit_test(killed_at_every_store_in_order),
		cmocka_unit_test(killed_with_a_larger_ring),
	};

	return log_run(tests);
}
