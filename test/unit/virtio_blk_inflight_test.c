/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A process was killed with requests in flight, and the next one finds an inflight log: none, a
 * part of one, one of another device or ring, an old one, or one with wrong bytes. The log is
 * recovered, or refused with a log line; it is never used silently if it is wrong.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <virtio_blk/backend/fault.h>

#include "loopback_log.h"

/* A run that is left with requests in flight, to go on with logs of all kinds. */
static const struct picture *
left_in_flight(uint64_t features)
{
	world_begin(features, 0);
	state_keep();
	vblk_fault_hold(blk->backend, true);
	driver_send(SLOTS);
	rte_vduse_blk_poll(blk, 0);
	vblk_fault_release(blk->backend, 2, true);
	rte_vduse_blk_poll(blk, 0);
	picture_take();
	vblk_fault_hold(blk->backend, false);
	device_destroy();
	return &pictures[0];
}

/* The virtqueue does not start, and the log says why. */
static void
expect_refused(const char *why)
{
	unit_log_clear();
	device_restart(0);
	assert_int_equal(device_state(), RTE_VDUSE_VQ_ERROR);
	assert_int_equal(unit_log_count("nobody knows which"), 1);
	assert_int_equal(unit_log_count(why), 1);
	assert_int_equal(driver_receive(), 2);
	device_destroy();
}

/* Nothing starts, and the file stays for the program that can read it. */
static void
expect_no_start(const char *why)
{
	struct stat before, after;
	char path[64];

	state_path(path, sizeof(path));
	assert_int_equal(stat(path, &before), 0);
	unit_log_clear();
	assert_int_equal(device_try(true), -EPROTO);
	assert_int_equal(unit_log_count(why), 1);
	assert_int_equal(stat(path, &after), 0);
	assert_int_equal(before.st_size, after.st_size);
	vduse_loopback_free(loop);
}

static void
refuse_logs(uint64_t features)
{
	const struct picture *picture = left_in_flight(features);
	struct vblk_inflight_ring *ring = (void *)picture->log;
	uint8_t *log = picture->log;
	char path[64];

	state_path(path, sizeof(path));
	(void)unlink(path);
	picture_restore(picture);
	expect_refused("there was none");
	picture_restore(picture);
	state_write(log, log_size / 2);
	expect_refused("it is cut off");
	picture_restore(picture);
	header[8]++;
	state_write(log, log_size);
	expect_no_start("another version of this program");
	header[8]--;
	picture_restore(picture);
	header[12]++;
	state_write(log, log_size);
	expect_refused("it is of another device");
	header[12]--;
	picture_restore(picture);
	ring->desc += 4096;
	state_write(log, log_size);
	expect_refused("another ring");
	ring->desc -= 4096;
	pictures_free();
	world_end();
}

static void
logs_that_are_none(void **state)
{
	RTE_SET_USED(state);
	refuse_logs(FEATURES);
	refuse_logs(PACKED);
}

/* A driver that came up while no process served the device has a new ring: the log is not used. */
static void
new_driver_old_log(void **state)
{
	struct vduse_dev_request up = { .type = VDUSE_SET_STATUS, .s.status = STATUS_UP };
	const struct picture *picture = left_in_flight(FEATURES);
	unsigned int i;

	RTE_SET_USED(state);
	picture_restore(picture);
	memset(world->driver.regions[0].va, 0, world->driver.regions[0].size);
	world->driver.next = world->driver.seen = 0;
	for (i = 0; i < SLOTS; i++)
		world->slots[i] = REQUESTS;
	state_write(picture->log, log_size);
	/* No driver is up as the new process starts; then it is told of one. */
	device_create(true);
	vduse_loopback_refuse(loop, VDUSE_LOOPBACK_CONFIG_CALL, -EINVAL);
	device_set_vq(0);
	assert_int_equal(rte_vduse_blk_start(blk, RTE_VDUSE_ATTACH_NONE), 0);
	device_ask(up);
	device_ask(vduse_loopback_memory_changed());
	assert_int_equal(device_state(), RTE_VDUSE_VQ_RUNNING);
	driver_send(2 * SLOTS);
	poll_until_done();
	for (i = 0; i < 2 * SLOTS; i++)
		assert_int_equal(disk_byte(i), i < SLOTS ? 0 : request_byte(i));
	device_destroy();
	pictures_free();
	world_end();
}

/* Whatever stands in a log: all goes on, or nothing does, and no byte lies elsewhere. */
static void
damage_never_kills(void **state)
{
	static const uint64_t features[] = { FEATURES, PACKED };
	unsigned int format, seed, i;

	RTE_SET_USED(state);
	for (format = 0; format < 2; format++) {
		const struct picture *picture = left_in_flight(features[format]);
		uint8_t *log = malloc(log_size);

		assert_non_null(log);
		for (seed = 0; seed < 300; seed++) {
			srand(seed);
			memcpy(log, picture->log, log_size);
			for (i = 0; i < 1 + seed % 8; i++)
				log[(unsigned int)rand() % log_size] = (uint8_t)rand();
			picture_restore(picture);
			state_write(log, log_size);
			device_restart(0);
			for (i = 0; i < 4; i++)
				(void)rte_vduse_blk_poll(blk, 0);
			device_destroy();
		}
		free(log);
		pictures_free();
		world_end();
	}
}

/* The process is killed: what it wrote to ring and log is all that is left. */
static void
killed(void)
{
	uint8_t *log = malloc(log_size);

	assert_non_null(log);
	memcpy(log, blk->queues[0].part.data, log_size);
	picture_take();
	/* The library drains; then all is set back to the moment of the death. */
	vblk_fault_hold(blk->backend, false);
	device_destroy();
	picture_restore(&pictures[nb_pictures - 1]);
	state_write(log, log_size);
	free(log);
}

/* One process after the other dies with these requests in flight; the backend holds number held. */
static void
next_death(unsigned int in_flight)
{
	device_create(true);
	vblk_fault_hold(blk->backend, true);
	device_set_vq(0);
	assert_int_equal(rte_vduse_blk_start(blk, RTE_VDUSE_ATTACH_NONE), 0);
	device_ask(vduse_loopback_memory_changed());
	assert_int_equal(device_state(), RTE_VDUSE_VQ_RUNNING);
	(void)rte_vduse_blk_poll(blk, 0);
	(void)rte_vduse_blk_poll(blk, 0);
	assert_int_equal(blk->queues[0].in_flight, in_flight);
}

/* The driver's view of a request: answered, with which status. */
static uint8_t
take_status(uint32_t *slot)
{
	uint32_t head, len;

	assert_true(driver_take(&world->driver, &head, &len));
	*slot = head / 3;
	assert_in_range(*slot, 0, SLOTS - 1);
	world->requests[world->slots[*slot]] = REQUEST_USED;
	world->slots[*slot] = REQUESTS;
	return *(uint8_t *)driver_va(&world->driver,
				     world->driver.data + *slot * UINT64_C(4096) + 3000);
}

/*
 * Five requests, the first of which kills every process that takes it. The third process takes it
 * alone, so that it is the only one that three died with; the fourth answers it with an error and
 * does the others.
 */
static void
request_that_kills(uint64_t features)
{
	uint32_t slot, other, request;
	unsigned int i;

	world_begin(features, 0);
	state_keep();
	vblk_fault_hold(blk->backend, true);
	driver_send(SLOTS);
	rte_vduse_blk_poll(blk, 0);
	request = world->slots[0];
	killed();
	next_death(SLOTS);
	killed();
	next_death(1);
	killed();
	unit_log_clear();
	device_restart(0);
	for (i = 0; i < 2 * SLOTS; i++)
		(void)rte_vduse_blk_poll(blk, 0);
	assert_int_equal(unit_log_count("3 processes died with the request at descriptor"), 1);
	assert_int_equal(take_status(&slot), VIRTIO_BLK_S_IOERR);
	assert_int_equal(slot, 0);
	for (i = 1; i < SLOTS; i++)
		assert_int_equal(take_status(&other), VIRTIO_BLK_S_OK);
	assert_int_equal(disk_byte(request), 0);
	for (i = 1; i < SLOTS; i++)
		assert_int_equal(disk_byte(request + i), request_byte(request + i));
	/* The slot of that request is as any other again. */
	driver_send(2 * SLOTS);
	poll_until_done();
	for (i = SLOTS; i < 2 * SLOTS; i++)
		assert_int_equal(disk_byte(i), request_byte(i));
	device_destroy();
	pictures_free();
	world_end();
}

static void
request_that_kills_every_process(void **state)
{
	RTE_SET_USED(state);
	request_that_kills(FEATURES);
	request_that_kills(PACKED);
	request_that_kills(FEATURES | BIT(VIRTIO_F_IN_ORDER));
	request_that_kills(PACKED | BIT(VIRTIO_F_IN_ORDER));
}

/* Somebody else writes to the log of a process that runs: no byte outside it is touched. */
static void
written_by_others(uint16_t first, uint16_t link, uint16_t nb_descs)
{
	struct vblk_inflight *log;
	unsigned int i;

	world_begin(PACKED, 0);
	state_keep();
	vblk_fault_hold(blk->backend, true);
	driver_send(SLOTS);
	rte_vduse_blk_poll(blk, 0);
	log = &blk->queues[0].inflight;
	for (i = 0; i < RING; i++) {
		log->links[i] = link;
		log->slots[i].first = first;
		log->slots[i].nb_descs = nb_descs;
	}
	unit_log_clear();
	vblk_fault_hold(blk->backend, false);
	poll_until_done();
	driver_send(2 * SLOTS);
	poll_until_done();
	assert_in_range(log->nb_spare, 0, RING);
	assert_true(unit_log_count("somebody else wrote to its log") >= 1);
	for (i = 0; i < 2 * SLOTS; i++)
		assert_int_equal(disk_byte(i), request_byte(i));
	vblk_fault_hold(blk->backend, true);
	driver_send(3 * SLOTS);
	rte_vduse_blk_poll(blk, 0);
	killed();
	device_restart(0);
	assert_int_equal(device_state(), RTE_VDUSE_VQ_ERROR);
	device_destroy();
	pictures_free();
	world_end();
}

static void
log_that_others_write_to(void **state)
{
	RTE_SET_USED(state);
	written_by_others(UINT16_MAX, UINT16_MAX, 3);
	written_by_others(0, UINT16_MAX, 3);
	written_by_others(0, 0, UINT16_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(logs_that_are_none),
		cmocka_unit_test(new_driver_old_log),
		cmocka_unit_test(damage_never_kills),
		cmocka_unit_test(request_that_kills_every_process),
		cmocka_unit_test(log_that_others_write_to),
	};

	return log_run(tests);
}
