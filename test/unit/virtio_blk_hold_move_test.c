/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A driver takes its virtqueue away from a disk that holds requests. Its position says nothing of
 * them, so they are tried once more and answered before the message is, whatever comes of it.
 * Input: split and packed rings. Output: no request is left, and the control thread does not wait.
 */
#include <errno.h>

#include <virtio_blk/backend/fault.h>

#include "loopback_log.h"

#define FAILED 3u

static void
poll_some(void)
{
	unsigned int i;

	for (i = 0; i < 10; i++)
		(void)rte_vduse_blk_poll(blk, 0);
}

static uint64_t
held(void)
{
	struct rte_vduse_blk_stats stats;

	rte_vduse_blk_stats(blk, 0, &stats, sizeof(stats));
	return stats.held;
}

/* The oldest ones are held: those that were used since are no prefix of the ring. */
static void
begin(const void *packed)
{
	world_begin(packed != NULL ? PACKED : FEATURES, 0);
	blk->hold.on_error = RTE_VDUSE_BLK_ON_ERROR_WAIT;
	vblk_fault_fail(blk->backend, RTE_VDUSE_BLK_WRITE, -ENOSPC, FAILED);
	driver_send(SLOTS);
	poll_some();
	assert_int_equal(driver_receive(), SLOTS - FAILED);
	assert_int_equal(held(), FAILED);
}

/* Its position is that of its own count: all that it made available is used. */
static void
check_position(void)
{
	struct vduse_dev_request req = { .type = VDUSE_GET_VQ_STATE };
	struct vduse_dev_response resp;
	const struct driver *driver = &world->driver;

	assert_int_equal(vduse_loopback_ask(loop, &req, &resp, UNIT_PATIENCE_MS), 0);
	if (driver_has(driver, VIRTIO_F_RING_PACKED))
		assert_int_equal(resp.vq_state.packed.last_used_idx, driver->packed.seen % RING);
	else
		assert_int_equal(resp.vq_state.split.avail_index,
				 *(volatile uint16_t *)&driver->avail->idx);
}

/* The backend was repaired, but nobody said so. */
static void
repaired(struct vduse_dev_request req)
{
	uint32_t i;

	device_ask(req);
	assert_int_equal(driver_receive(), FAILED);
	assert_int_equal(held(), 0);
	check_position();
	for (i = 0; i < SLOTS; i++)
		assert_int_equal(world->requests[i], REQUEST_USED);
}

/* It was not: the driver gets errors instead of what another process would never find. */
static void
failing(struct vduse_dev_request req)
{
	struct driver *driver = &world->driver;
	struct rte_vduse_blk_stats stats;
	unsigned int lines = unit_log_count("let the disk go on before its driver is migrated");
	uint32_t head, len, i;

	vblk_fault_fail(blk->backend, RTE_VDUSE_BLK_WRITE, -ENOSPC, FAILED);
	device_ask(req);
	for (i = 0; i < FAILED; i++) {
		assert_true(driver_take(driver, &head, &len));
		assert_int_equal(*(uint8_t *)driver_va(
					 driver, driver->data + head / 3 * UINT64_C(4096) + 3000),
				 VIRTIO_BLK_S_IOERR);
	}
	assert_false(driver_take(driver, &head, &len));
	rte_vduse_blk_stats(blk, 0, &stats, sizeof(stats));
	assert_int_equal(stats.io_errors, FAILED);
	assert_int_equal(stats.held, 0);
	assert_true(unit_log_count("let the disk go on before its driver is migrated") > lines);
	check_position();
}

static void
suspend(void **state)
{
	const struct vduse_dev_request suspend = { .type = VDUSE_SUSPEND };

	begin(*state);
	repaired(suspend);
	device_destroy();
	world_end();
	begin(*state);
	failing(suspend);
	device_destroy();
	world_end();
}

/* One virtqueue is disabled, not the device. */
static void
disable(void **state)
{
	const struct vduse_dev_request disable = { .type = VDUSE_SET_VQ_READY };

	begin(*state);
	repaired(disable);
	device_destroy();
	world_end();
	begin(*state);
	failing(disable);
	device_destroy();
	world_end();
}

/* The process before was killed, and nobody polls until the driver suspends the device. */
static void
killed(void **state)
{
	const struct vduse_dev_request suspend = { .type = VDUSE_SUSPEND };
	bool packed = *state != NULL;

	begin(*state);
	state_keep();
	picture_take();
	device_destroy();
	picture_restore(&pictures[0]);
	state_write(pictures[0].log, log_size);
	pictures_free();
	device_restart(packed ? (uint16_t)world->driver.packed.seen : world->driver.seen);
	repaired(suspend);
	device_destroy();
	world_end();
}

/* Its ring is lost, too: what cannot be read is not waited for. */
static void
unreadable(void **state)
{
	const struct vduse_dev_request suspend = { .type = VDUSE_SUSPEND };
	uint16_t i;

	begin(*state);
	for (i = 0; i < RING; i++)
		blk->queues[0].inflight.slots[i].head = UINT16_MAX;
	for (i = 0; i < RING; i++)
		blk->queues[0].inflight.slots[i].first = UINT16_MAX;
	device_ask(suspend);
	assert_int_equal(driver_receive(), 0);
	device_destroy();
	world_end();
}

static char is_packed;

/* On a split and on a packed ring. */
#define BOTH(test)                                                                                 \
	{ #test "_split", test, NULL, NULL, NULL },                                                \
	{                                                                                          \
#test "_packed", test, NULL, NULL, &is_packed                                      \
	}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		BOTH(suspend),
		BOTH(disable),
		BOTH(killed),
		BOTH(unreadable),
	};

	return log_run(tests);
}
