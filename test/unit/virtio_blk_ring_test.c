/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A driver whose ring is larger than the announced queue size, with more requests in flight than
 * that: the device is resized for it, or the ring is refused with one line.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include <virtio_blk/backend/fault.h>

#include "loopback_blk.h"

#define ANNOUNCED 16u

static struct loopback_blk disk;
static char dir[64], image[96];

static int
setup(void **state)
{
	RTE_SET_USED(state);
	strcpy(dir, "/tmp/unit-ring-XXXXXX");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(setenv("DPDK_VDUSE_RUN_DIR", dir, 1), 0);
	snprintf(image, sizeof(image), "%s/disk.img", dir);
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	loopback_blk_destroy(&disk);
	unlink(image);
	/* The log is gone with the device. */
	assert_int_equal(rmdir(dir), 0);
	return 0;
}

/* A write of the sector of that number. Returns the head of its chain. */
static uint16_t
post_write(uint32_t number)
{
	struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_OUT, .sector = number };
	const struct blk_piece pieces[] = {
		{ .len = BLK_HDR },
		{ .len = BLK_SECTOR },
		{ .len = 1, .write = true },
	};
	uint8_t bytes[BLK_HDR + BLK_SECTOR];
	uint16_t head;

	memcpy(bytes, &header, sizeof(header));
	blk_pattern(bytes + BLK_HDR, BLK_SECTOR, number);
	head = loopback_blk_chain(&disk, pieces, RTE_DIM(pieces), bytes);
	loopback_blk_post(&disk, head);
	return head;
}

static void
check_read(uint32_t number)
{
	uint8_t wanted[BLK_SECTOR], found[BLK_SECTOR];

	blk_pattern(wanted, sizeof(wanted), number);
	assert_int_equal(loopback_blk_do(&disk, VIRTIO_BLK_T_IN, number, found, sizeof(found)),
			 VIRTIO_BLK_S_OK);
	assert_memory_equal(found, wanted, sizeof(found));
}

/* As many requests in flight as the ring holds, all held by the backend until the last is there. */
static void
fill(const char *args, uint32_t size)
{
	uint32_t nb = size / 3, i;

	loopback_blk_create_sized(&disk, "fault", args, size, ANNOUNCED, VRING_SIZE_MAX);
	loopback_blk_up(&disk);
	vblk_fault_hold(disk.blk->backend, true);
	for (i = 0; i < nb; i++)
		(void)post_write(i);
	for (i = 0; vblk_fault_held(disk.blk->backend) < nb; i++) {
		assert_in_range(i, 0, 1000000);
		loopback_blk_poll(&disk);
	}
	assert_int_equal(disk.blk->queues[0].in_flight, nb);
	vblk_fault_hold(disk.blk->backend, false);
	for (i = 0; i < nb; i++)
		assert_int_equal(loopback_blk_status(&disk, loopback_blk_take(&disk)),
				 VIRTIO_BLK_S_OK);
	for (i = 0; i<nb; i += nb> 64 ? nb / 64 : 1)
		check_read(i);
	assert_int_equal(loopback_blk_state(&disk), RTE_VDUSE_VQ_RUNNING);
}

static void
served_ram(void **state)
{
	static const uint32_t sizes[] = { 32, 1024, VRING_SIZE_MAX };
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(sizes); i++) {
		fill("under=ram,size=16M", sizes[i]);
		if (i + 1 < RTE_DIM(sizes))
			loopback_blk_destroy(&disk);
	}
}

#ifdef VBLK_HAVE_LIBURING
static void
served_file(void **state)
{
	char args[160];
	FILE *file = fopen(image, "w");

	RTE_SET_USED(state);
	assert_non_null(file);
	assert_int_equal(ftruncate(fileno(file), 16 << 20), 0);
	fclose(file);
	snprintf(args, sizeof(args), "under=file,path=%s,direct=0", image);
	fill(args, 4096);
}
#endif

/* The same disk, with rings of sizes that come and go. */
static void
changes_its_size(void **state)
{
	static const uint32_t sizes[] = { 8, 256, 16, 64 };
	unsigned int i;

	RTE_SET_USED(state);
	loopback_blk_create_sized(&disk, "ram", "size=16M", 256, ANNOUNCED, VRING_SIZE_MAX);
	for (i = 0; i < RTE_DIM(sizes); i++) {
		disk.driver.size = sizes[i];
		loopback_blk_up(&disk);
		(void)post_write(i);
		assert_int_equal(loopback_blk_status(&disk, loopback_blk_take(&disk)),
				 VIRTIO_BLK_S_OK);
		check_read(i);
		loopback_blk_reset(&disk);
	}
	loopback_blk_up(&disk);
}

/* Where a size was promised to the driver, a larger one is refused until the next reset. */
static void
refused(void **state)
{
	RTE_SET_USED(state);
	loopback_blk_create_sized(&disk, "ram", "size=16M", 64, ANNOUNCED, 0);
	unit_log_clear();
	loopback_blk_up_at(&disk, 0, 0);
	assert_int_equal(loopback_blk_state(&disk), RTE_VDUSE_VQ_ERROR);
	assert_int_equal(unit_log_count("virtqueue 0 of size 64 refused"), 1);
	(void)post_write(0);
	assert_int_equal(rte_vduse_blk_poll(disk.blk, 0), 0);
	loopback_blk_reset(&disk);
	disk.driver.size = ANNOUNCED;
	loopback_blk_up(&disk);
	(void)post_write(2);
	assert_int_equal(loopback_blk_status(&disk, loopback_blk_take(&disk)), VIRTIO_BLK_S_OK);
	check_read(2);
}

/* So is one for whose log there is no room. */
static void
no_room(void **state)
{
	struct rlimit limit, was;

	RTE_SET_USED(state);
	loopback_blk_create_sized(&disk, "ram", "size=16M", 4096, ANNOUNCED, VRING_SIZE_MAX);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
	limit = was;
	limit.rlim_cur = 32768;
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
	unit_log_clear();
	loopback_blk_up_at(&disk, 0, 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
	assert_int_equal(loopback_blk_state(&disk), RTE_VDUSE_VQ_ERROR);
	assert_int_equal(unit_log_count("no room in"), 1);
	loopback_blk_reset(&disk);
	loopback_blk_up(&disk);
	(void)post_write(3);
	assert_int_equal(loopback_blk_status(&disk, loopback_blk_take(&disk)), VIRTIO_BLK_S_OK);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(served_ram, setup, teardown),
#ifdef VBLK_HAVE_LIBURING
		cmocka_unit_test_setup_teardown(served_file, setup, teardown),
#endif
		cmocka_unit_test_setup_teardown(changes_its_size, setup, teardown),
		cmocka_unit_test_setup_teardown(refused, setup, teardown),
		cmocka_unit_test_setup_teardown(no_room, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
