/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A disk with on-error=wait holds the requests that its backend fails, and goes on when it is told.
 * Input: a backend that fails so many operations; split and packed rings. Output: each request is used
 * once, without an error, also after a reset, a stop and another process.
 */
#include <errno.h>
#include <sys/eventfd.h>

#include <rte_cycles.h>
#include <rte_memory.h>

#include <virtio_blk/backend/fault.h>

#include "loopback_log.h"

/* Requests that fail, of the SLOTS that are out. */
#define FAILED 3u

static uint64_t
held(void)
{
	struct rte_vduse_blk_stats stats;

	rte_vduse_blk_stats(blk, 0, &stats, sizeof(stats));
	assert_int_equal(stats.io_errors, 0);
	return stats.held;
}

static void
poll_some(void)
{
	unsigned int i;

	for (i = 0; i < 10; i++)
		(void)rte_vduse_blk_poll(blk, 0);
}

static void
begin(uint64_t features, uint16_t on_error)
{
	world_begin(features, 0);
	blk->hold.on_error = on_error;
	state_keep();
}

static void
end(void)
{
	device_destroy();
	world_end();
}

/* The newest one fails first. All but FAILED of them succeed. */
static void
fail_some(int result)
{
	vblk_fault_fail(blk->backend, RTE_VDUSE_BLK_WRITE, result, FAILED);
	vblk_fault_hold(blk->backend, true);
	driver_send(REQUESTS - 1);
	poll_some();
	vblk_fault_release(blk->backend, SLOTS, true);
	poll_some();
	vblk_fault_hold(blk->backend, false);
	assert_int_equal(driver_receive(), SLOTS - FAILED);
	assert_int_equal(rte_vduse_blk_held(blk), -result);
	assert_int_equal(held(), FAILED);
	assert_int_equal(blk->queues[0].in_flight, 0);
}

static void
check_order(void)
{
	const struct vblk_queue *queue = &blk->queues[0];
	uint16_t i;

	assert_int_equal(queue->nb_replay - queue->next_replay, FAILED);
	for (i = (uint16_t)(queue->next_replay + 1); i < queue->nb_replay; i++)
		assert_true(queue->inflight.slots[queue->replay[i - 1]].taken <
			    queue->inflight.slots[queue->replay[i]].taken);
}

/* New requests stay in the ring, and nobody has to poll. */
static void
check_stands(void)
{
	int fd = rte_vduse_blk_wake_fd(blk, 0);
	eventfd_t value;
	unsigned int i;

	driver_send(REQUESTS - 1);
	for (i = 0; i < 10; i++)
		assert_int_equal(rte_vduse_blk_poll(blk, 0), 0);
	assert_int_equal(driver_receive(), 0);
	(void)eventfd_read(fd, &value);
	assert_true(rte_vduse_blk_sleep(blk, 0) == RTE_VDUSE_BLK_SIGNALLED);
	assert_int_equal(eventfd_read(fd, &value), -1);
	assert_int_equal(rte_vduse_blk_go_on(blk), 0);
	assert_int_equal(eventfd_read(fd, &value), 0);
	assert_true(rte_vduse_blk_sleep(blk, 0) == RTE_VDUSE_BLK_AWAKE);
}

static void
check_all_done(void)
{
	uint32_t i;

	do {
		driver_send(REQUESTS - 1);
		poll_until_done();
	} while (world->nb_posted < REQUESTS - 1);
	poll_until_done();
	assert_int_equal(held(), 0);
	assert_int_equal(rte_vduse_blk_held(blk), 0);
	for (i = 0; i < REQUESTS - 1; i++) {
		assert_int_equal(world->requests[i], REQUEST_USED);
		assert_int_equal(disk_byte(i), request_byte(i));
	}
}

static void
go_on(void **state)
{
	static const int results[] = { -ENOSPC, -EDQUOT, -EIO };
	uint64_t features = *state != NULL ? PACKED : FEATURES;
	unsigned int i, lines;

	begin(features, RTE_VDUSE_BLK_ON_ERROR_WAIT);
	lines = unit_log_count("its backend failed (No space left on device)");
	for (i = 0; i < RTE_DIM(results); i++) {
		fail_some(results[i]);
		check_order();
		if (i == 0) {
			/* What is repaired for one request only: the others are held again. */
			vblk_fault_fail(blk->backend, RTE_VDUSE_BLK_WRITE, -ENOSPC, FAILED - 1);
			assert_int_equal(rte_vduse_blk_go_on(blk), 0);
			poll_some();
			assert_int_equal(driver_receive(), 1);
			assert_int_equal(held(), FAILED - 1);
			assert_int_equal(unit_log_count("its backend failed (No space left on "
							"device)"),
					 lines + 2);
		}
		check_stands();
		poll_until_done();
	}
	check_all_done();
	end();
}

/* The disk stands still, but nothing waits for it. */
static void
drain(void **state)
{
	uint64_t before = rte_get_timer_cycles();

	begin(*state != NULL ? PACKED : FEATURES, RTE_VDUSE_BLK_ON_ERROR_WAIT);
	fail_some(-EIO);
	assert_int_equal(rte_vduse_blk_drain(blk, 60000), -EBUSY);
	assert_true(rte_get_timer_cycles() - before < 30 * rte_get_timer_hz());
	assert_int_equal(rte_vduse_blk_go_on(blk), 0);
	poll_until_done();
	assert_int_equal(rte_vduse_blk_drain(blk, 1000), 0);
	check_all_done();
	end();
}

static void
reset(void **state)
{
	struct vduse_dev_request status = { .type = VDUSE_SET_STATUS, .s.status = 0 };

	begin(*state != NULL ? PACKED : FEATURES, RTE_VDUSE_BLK_ON_ERROR_WAIT);
	fail_some(-EIO);
	device_ask(status);
	assert_int_equal(held(), 0);
	assert_int_equal(rte_vduse_blk_held(blk), 0);
	end();
}

static void
destroy(void **state)
{
	begin(*state != NULL ? PACKED : FEATURES, RTE_VDUSE_BLK_ON_ERROR_WAIT);
	fail_some(-EIO);
	end();
}

/* Memory changes: the queue starts again in this process, and takes what was held. */
static void
memory(void **state)
{
	begin(*state != NULL ? PACKED : FEATURES, RTE_VDUSE_BLK_ON_ERROR_WAIT);
	fail_some(-EIO);
	device_ask(vduse_loopback_memory_changed());
	assert_int_equal(held(), FAILED);
	assert_int_equal(rte_vduse_blk_go_on(blk), 0);
	poll_until_done();
	check_all_done();
	end();
}

/* Killed while it holds requests, more often than a request may kill processes. */
static void
killed(void **state)
{
	bool packed = *state != NULL;
	unsigned int i;

	begin(packed ? PACKED : FEATURES, RTE_VDUSE_BLK_ON_ERROR_WAIT);
	fail_some(-ENOSPC);
	for (i = 0; i < 2 * VBLK_INFLIGHT_DEATHS_MAX; i++) {
		picture_take();
		device_destroy();
		picture_restore(&pictures[0]);
		state_write(pictures[0].log, log_size);
		pictures_free();
		device_restart(packed ? (uint16_t)world->driver.packed.seen : world->driver.seen);
		blk->hold.on_error = RTE_VDUSE_BLK_ON_ERROR_WAIT;
		vblk_fault_fail(blk->backend, RTE_VDUSE_BLK_WRITE, -ENOSPC, FAILED);
		poll_some();
		assert_int_equal(driver_receive(), 0);
		assert_int_equal(held(), FAILED);
	}
	assert_int_equal(rte_vduse_blk_go_on(blk), 0);
	poll_until_done();
	assert_int_equal(held(), 0);
	for (i = 0; i < SLOTS; i++)
		assert_int_equal(world->requests[i], REQUEST_USED);
	/* The memory of the disk died with the first process: these are written since then. */
	for (i = 0; i < FAILED; i++)
		assert_int_equal(disk_byte(i), request_byte(i));
	end();
}

static void
stop_at_error(void **state)
{
	begin(*state != NULL ? PACKED : FEATURES, RTE_VDUSE_BLK_ON_ERROR_STOP);
	fail_some(-EIO);
	assert_int_equal(rte_vduse_blk_go_on(blk), -EPERM);
	poll_some();
	assert_int_equal(driver_receive(), 0);
	assert_int_equal(held(), FAILED);
	end();
}

/* One request in slot 0 that fails with a result: the status. */
static uint8_t
status_of(uint32_t type, uint32_t len, enum rte_vduse_blk_op op, int result)
{
	struct driver *driver = &world->driver;
	struct virtio_blk_outhdr hdr = { .type = type };
	struct driver_part parts[3] = {
		{ driver->data, sizeof(hdr), 0 },
		{ driver->data + 1024, len, VRING_DESC_F_WRITE },
		{ driver->data + 3000, 1, VRING_DESC_F_WRITE },
	};
	uint16_t descs[3] = { 0, 1, 2 };
	uint32_t head, used;

	vblk_fault_fail(blk->backend, op, result, 1);
	memcpy(driver_va(driver, driver->data), &hdr, sizeof(hdr));
	if (len == 0)
		parts[1] = parts[2];
	driver_post_chain(driver, descs, parts, len == 0 ? 2 : 3);
	poll_some();
	assert_true(driver_take(driver, &head, &used));
	return *(uint8_t *)driver_va(driver, driver->data + 3000);
}

/* Flushes, and errors that nobody repairs. */
static void
reported(void **state)
{
	begin(*state != NULL ? PACKED : FEATURES, RTE_VDUSE_BLK_ON_ERROR_WAIT);
	assert_int_equal(status_of(VIRTIO_BLK_T_FLUSH, 0, RTE_VDUSE_BLK_FLUSH, -EIO),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(status_of(VIRTIO_BLK_T_FLUSH, 0, RTE_VDUSE_BLK_FLUSH, -ENOSPC),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(status_of(VIRTIO_BLK_T_IN, SECTOR, RTE_VDUSE_BLK_READ, -EBADMSG),
			 VIRTIO_BLK_S_IOERR);
	blk->hold.on_error = RTE_VDUSE_BLK_ON_ERROR_REPORT;
	assert_int_equal(status_of(VIRTIO_BLK_T_IN, SECTOR, RTE_VDUSE_BLK_READ, -EIO),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(rte_vduse_blk_held(blk), 0);
	end();
}

static void
refused(void **state)
{
	struct rte_vduse_blk_conf conf = {
		.size = sizeof(conf),
		.path = "/dev/vduse/unit0",
		.queues = 1,
		.queue_size = RING,
		.backend = "null",
		.socket_id = SOCKET_ID_ANY,
		.on_error = RTE_VDUSE_BLK_ON_ERROR_WAIT,
	};
	struct rte_vduse_blk *none;

	RTE_SET_USED(state);
	assert_int_equal(rte_vduse_blk_create(&conf, &none), -EINVAL);
	conf.inflight = true;
	conf.in_order = true;
	assert_int_equal(rte_vduse_blk_create(&conf, &none), -EINVAL);
	conf.in_order = false;
	conf.on_error = RTE_VDUSE_BLK_ON_ERROR_STOP + 1;
	assert_int_equal(rte_vduse_blk_create(&conf, &none), -EINVAL);
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
		BOTH(go_on),    BOTH(drain),         BOTH(reset),
		BOTH(destroy),  BOTH(memory),        BOTH(killed),
		BOTH(reported), BOTH(stop_at_error), cmocka_unit_test(refused),
	};

	return log_run(tests);
}
