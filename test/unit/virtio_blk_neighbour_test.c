/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A disk whose backend does not finish, while its driver resets it, moves or loses its memory, or
 * while it is removed: meanwhile other devices of the process are served, created and removed.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <rte_vduse_compat.h>

#include "loopback_dev.h"
#include "loopback_fault.h"

static struct loopback_dev neighbour;

/* A device's whole life, each step of which the control thread answers. */
static void
neighbour_lives(void)
{
	loopback_dev_start(&neighbour);
	loopback_dev_up(&neighbour);
	loopback_dev_update(&neighbour);
	loopback_dev_set_status(&neighbour, 0);
	loopback_dev_destroy(&neighbour);
}

/* Whether the disk has its answer already: nothing is waited for. */
static bool
answered(void)
{
	return loopback_blk_answered(&blk, 0);
}

static void
release(void)
{
	vblk_fault_hold(fault, false);
	assert_true(loopback_blk_answered(&blk, UNIT_PATIENCE_MS));
}

static void
while_it_resets(void **state)
{
	uint16_t heads[3];

	RTE_SET_USED(state);
	fault_hold_reads(heads, RTE_DIM(heads));
	loopback_blk_reset_send(&blk);
	neighbour_lives();
	assert_false(answered());
	release();
	loopback_blk_up(&blk);
	fault_check_serves(1);
}

/* Nothing new is taken meanwhile, and all that was in flight is finished. */
static void
while_memory_moves(void **state)
{
	uint16_t heads[3], late;
	unsigned int i;

	RTE_SET_USED(state);
	fault_hold_reads(heads, RTE_DIM(heads));
	loopback_blk_update_send(&blk);
	neighbour_lives();
	late = fault_post(VIRTIO_BLK_T_IN, 9, NULL);
	for (i = 0; i < 100; i++)
		loopback_blk_poll(&blk);
	assert_int_equal(vblk_fault_held(fault), RTE_DIM(heads));
	assert_false(answered());
	release();
	for (i = 0; i < RTE_DIM(heads); i++)
		assert_int_equal(loopback_blk_take(&blk), heads[i]);
	assert_int_equal(loopback_blk_take(&blk), late);
	fault_check_serves(1);
}

/* A message that comes after the one that waits is answered after it. */
static void
messages_keep_their_order(void **state)
{
	struct vduse_dev_request first = vduse_loopback_memory_changed();
	struct vduse_dev_request second = { .type = VDUSE_GET_VQ_STATE };
	struct vduse_dev_response resp;
	uint16_t heads[2];

	RTE_SET_USED(state);
	fault_hold_reads(heads, RTE_DIM(heads));
	assert_int_equal(vduse_loopback_send(blk.loop, &first), 0);
	assert_int_equal(vduse_loopback_send(blk.loop, &second), 0);
	neighbour_lives();
	assert_int_equal(vduse_loopback_answer(blk.loop, &resp, 0), -ETIMEDOUT);
	vblk_fault_hold(fault, false);
	/* The loopback knows the number of the last message alone. */
	assert_int_equal(vduse_loopback_answer(blk.loop, &resp, UNIT_PATIENCE_MS), -EIO);
	assert_int_equal(resp.request_id, first.request_id);
	assert_int_equal(vduse_loopback_answer(blk.loop, &resp, UNIT_PATIENCE_MS), 0);
	assert_int_equal(resp.vq_state.split.avail_index, 2);
}

static void *
remove_disk(void *arg)
{
	rte_vduse_blk_stop(blk.blk);
	rte_atomic_store_explicit((bool *)arg, true, rte_memory_order_release);
	return NULL;
}

static bool
is_silenced(void *arg)
{
	RTE_SET_USED(arg);
	return !rte_atomic_load_explicit(&rte_vduse_dev_vq(blk.dev, 0)->enabled,
					 rte_memory_order_relaxed);
}

static void
while_it_is_removed(void **state)
{
	bool removed = false;
	uint16_t heads[2];
	pthread_t thread;

	RTE_SET_USED(state);
	fault_hold_reads(heads, RTE_DIM(heads));
	assert_int_equal(pthread_create(&thread, NULL, remove_disk, &removed), 0);
	assert_true(unit_wait(is_silenced, NULL));
	neighbour_lives();
	assert_false(rte_atomic_load_explicit(&removed, rte_memory_order_acquire));
	vblk_fault_hold(fault, false);
	pthread_join(thread, NULL);
	assert_true(removed);
}

static bool
is_broken(void *arg)
{
	struct rte_vduse_dev_stats stats;

	RTE_SET_USED(arg);
	rte_vduse_dev_stats(blk.dev, &stats, sizeof(stats));
	return stats.broken;
}

static void
while_it_breaks(void **state)
{
	uint16_t heads[2];

	RTE_SET_USED(state);
	fault_hold_reads(heads, RTE_DIM(heads));
	vduse_loopback_break(blk.loop);
	assert_true(unit_wait(is_silenced, NULL));
	neighbour_lives();
	assert_false(is_broken(NULL));
	vblk_fault_hold(fault, false);
	assert_true(unit_wait(is_broken, NULL));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(while_it_resets, fault_setup, fault_teardown),
		cmocka_unit_test_setup_teardown(while_memory_moves, fault_setup, fault_teardown),
		cmocka_unit_test_setup_teardown(messages_keep_their_order, fault_setup,
						fault_teardown),
		cmocka_unit_test_setup_teardown(while_it_is_removed, fault_setup, fault_teardown),
		cmocka_unit_test_setup_teardown(while_it_breaks, fault_setup, fault_teardown),
	};

	return fault_run(tests);
}
