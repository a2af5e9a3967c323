/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The record of what a driver set through the control queue, as a process leaves it that is killed
 * at any instruction. A child writes a record while this process single-steps it: after each store,
 * what is in the file is the state before or the one after, never a mixture.
 */
#include "loopback_ctrl.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>

#include <rte_byteorder.h>

#include <virtio_net/ctrl_state.h>

#define PAIRS 4

/* Two full lists of addresses, whose second byte is 1. */
static void
set_macs(struct loopback_ctrl *dev)
{
	const uint32_t nb = RTE_LE32(VNET_MACS_MAX);
	uint8_t bytes[2 * (sizeof(nb) + 6 * VNET_MACS_MAX)];
	uint32_t at = 0, list, i;

	for (list = 0; list < 2; list++) {
		memcpy(bytes + at, &nb, sizeof(nb));
		at += sizeof(nb);
		for (i = 0; i < VNET_MACS_MAX; i++, at += 6)
			memcpy(bytes + at,
			       (uint8_t[]){ (uint8_t)(2 + list), 1, 0, 0, 0, (uint8_t)i }, 6);
	}
	assert_int_equal(loopback_ctrl_command(dev, VIRTIO_NET_CTRL_MAC,
					       VIRTIO_NET_CTRL_MAC_TABLE_SET, bytes, at),
			 VIRTIO_NET_OK);
}

/* The driver replaces one list of addresses by another: the record has one or the other. */
static void
check_copy(const struct loopback_ctrl *dev, unsigned int *nb_old, unsigned int *nb_new)
{
	struct vnet_ctrl *ctrl = dev->net->ctrl, kept = *ctrl;
	const struct vnet_macs *lists = ctrl->now.lists;
	uint32_t list, i;
	uint8_t number;

	assert_true(vnet_ctrl_state_restore(dev->net));
	number = (uint8_t)(lists[0].macs[0] >> 8);
	assert_in_range(number, 1, 2);
	for (list = 0; list < 2; list++) {
		assert_int_equal(lists[list].nb, VNET_MACS_MAX);
		for (i = 0; i < VNET_MACS_MAX; i++)
			assert_int_equal(lists[list].macs[i] >> 8 & 0xff, number);
	}
	*nb_old += number == 1;
	*nb_new += number == 2;
	*ctrl = kept;
}

/* The process is killed after each instruction that changes the record. */
static void
every_store(void **state)
{
	static uint8_t last[VNET_PART_SIZE];
	unsigned int nb_old = 0, nb_new = 0;
	char dir[] = "/tmp/unit-ctrl-state-XXXXXX";
	struct rte_vduse_part *part;
	struct loopback_ctrl dev;
	uint32_t list, i;
	int status;
	pid_t pid;

	RTE_SET_USED(state);
	assert_non_null(mkdtemp(dir));
	assert_int_equal(setenv("DPDK_VDUSE_RUN_DIR", dir, 1), 0);
	loopback_ctrl_create(&dev, PAIRS);
	loopback_ctrl_up(&dev, CTRL_MQ, 0);
	set_macs(&dev);
	unit_ctrl_turn();
	part = &dev.net->queues[dev.net->nb_queues - 1].part;
	assert_non_null(part->data);
	part->kept = true;
	memcpy(last, part->data, sizeof(last));
	pid = fork();
	assert_int_not_equal(pid, -1);
	if (pid == 0) {
		for (list = 0; list < 2; list++)
			for (i = 0; i < VNET_MACS_MAX; i++)
				dev.net->ctrl->now.lists[list].macs[i] += 0x100;
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		vnet_ctrl_state_note(dev.net);
		_exit(0);
	}
	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		if (memcmp(last, part->data, sizeof(last)) != 0) {
			memcpy(last, part->data, sizeof(last));
			check_copy(&dev, &nb_old, &nb_new);
		}
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	/* The copy takes several stores. The last one makes it count. */
	assert_true(nb_old > 1);
	assert_int_equal(nb_new, 1);
	loopback_ctrl_destroy(&dev);
	assert_int_equal(rmdir(dir), 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(every_store) };

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
