/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See loopback_fault.h. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <vduse/memory/iotlb.h>

#include "loopback_fault.h"

#define FAULT_ARGS "under=ram,size=1M"

struct loopback_blk blk;
struct rte_vduse_blk_backend *fault;
uint8_t sent[BLK_BYTES], got[BLK_BYTES];

static int
setup_with(const char *args, uint64_t without, bool indirect)
{
	loopback_blk_create(&blk, "fault", args, RING, false);
	fault = blk.blk->backend;
	blk.features &= ~without;
	blk.indirect = indirect;
	loopback_blk_up(&blk);
	return 0;
}

int
fault_setup(void **state)
{
	RTE_SET_USED(state);
	return setup_with(FAULT_ARGS, 0, false);
}

int
fault_setup_indirect(void **state)
{
	RTE_SET_USED(state);
	return setup_with(FAULT_ARGS, 0, true);
}

int
fault_setup_in_order(void **state)
{
	RTE_SET_USED(state);
	loopback_blk_create(&blk, "fault", FAULT_ARGS, RING, false);
	fault = blk.blk->backend;
	blk.features |= FEATURE(VIRTIO_F_IN_ORDER);
	loopback_blk_up(&blk);
	return 0;
}

int
fault_setup_no_flush(void **state)
{
	RTE_SET_USED(state);
	return setup_with(FAULT_ARGS, FEATURE(VIRTIO_BLK_F_FLUSH), false);
}

int
fault_setup_logged(void **state)
{
	RTE_SET_USED(state);
	loopback_blk_create_logged(&blk, "fault", FAULT_ARGS, RING);
	fault = blk.blk->backend;
	blk.features |= FEATURE(VIRTIO_BLK_F_CONFIG_WCE);
	loopback_blk_up(&blk);
	return 0;
}

int
fault_setup_late(void **state)
{
	RTE_SET_USED(state);
	return setup_with(FAULT_ARGS ",late=1", 0, false);
}

int
fault_teardown(void **state)
{
	RTE_SET_USED(state);
	vblk_fault_hold(fault, false);
	loopback_blk_destroy(&blk);
	return 0;
}

uint16_t
fault_post(uint32_t type, uint64_t sector, const void *data)
{
	struct virtio_blk_outhdr header = { .type = type, .sector = sector };
	const struct blk_piece pieces[] = {
		{ .len = BLK_HDR },
		{ .len = BLK_SECTOR, .write = type == VIRTIO_BLK_T_IN },
		{ .len = 1, .write = true },
	};
	uint8_t bytes[BLK_HDR + BLK_SECTOR] = { 0 };
	uint16_t head;

	memcpy(bytes, &header, sizeof(header));
	if (data != NULL)
		memcpy(bytes + BLK_HDR, data, BLK_SECTOR);
	head = loopback_blk_chain(&blk, pieces, RTE_DIM(pieces), bytes);
	loopback_blk_post(&blk, head);
	return head;
}

void
fault_check_serves(uint32_t seed)
{
	blk_pattern(sent, 4 * BLK_SECTOR, seed);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_OUT, 8, sent, 4 * BLK_SECTOR), 0);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, 8, got, 4 * BLK_SECTOR), 0);
	assert_memory_equal(got, sent, 4 * BLK_SECTOR);
	assert_int_equal(loopback_blk_stats(&blk).in_flight, 0);
}

static bool
all_held(void *arg)
{
	loopback_blk_poll(&blk);
	return vblk_fault_held(fault) == *(unsigned int *)arg;
}

void
fault_wait_held(unsigned int nb)
{
	assert_true(unit_wait(all_held, &nb));
}

void
fault_hold_reads(uint16_t *heads, unsigned int nb)
{
	unsigned int i;

	vblk_fault_hold(fault, true);
	for (i = 0; i < nb; i++)
		heads[i] = fault_post(VIRTIO_BLK_T_IN, i, NULL);
	fault_wait_held(nb);
}

int
fault_run_group(const char *name, const struct CMUnitTest *tests, size_t nb)
{
	char run_dir[] = "/tmp/vduse-unit-XXXXXX";
	int failed;

	if (unit_init() < 0 || vduse_guard_install() < 0 || mkdtemp(run_dir) == NULL)
		return 1;
	setenv("DPDK_VDUSE_RUN_DIR", run_dir, 1);
	unit_sigbus_keep();
	failed = _cmocka_run_group_tests(name, tests, nb, NULL, NULL);
	(void)rmdir(run_dir);
	return unit_done(failed);
}
