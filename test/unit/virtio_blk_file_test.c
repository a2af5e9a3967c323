/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Disks in files: writes reach the file and reads return its content; zeroes and holes; O_DIRECT
 * with unaligned memory; pinned pages.
 */
#include "loopback_file.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <linux/capability.h>

#include <rte_memory.h>

#include <virtio_blk/backend/file.h>

static int
setup_pinnable(void **state)
{
	RTE_SET_USED(state);
	return disk_setup_with("", 0, true);
}

static int
setup_direct_pinnable(void **state)
{
	RTE_SET_USED(state);
	return disk_setup_with(",direct=1", 0, true);
}

/* A file that is taken for one that can be polled: the kernel refuses each time. */
static int
setup_no_polling(void **state)
{
	struct rte_vduse_blk_channel **channel;
	struct file_backend *file;

	RTE_SET_USED(state);
	if (!disk_create_file())
		return 0;
	disk_create("");
	file = (struct file_backend *)blk.blk->backend;
	assert_false(file->polls);
	file->polls = true;
	channel = &blk.blk->queues[0].channel;
	file_channel_close(*channel);
	assert_int_equal(vblk_channel_open(blk.blk->backend, RING, channel), 0);
	blk.pinnable = true;
	loopback_blk_up(&blk);
	return 0;
}

static unsigned int waits_until_unlocked;

void
__real_rte_delay_us_sleep(unsigned int us);
void
__wrap_rte_delay_us_sleep(unsigned int us);

/* The lock is let go while the library waits for it. */
void
__wrap_rte_delay_us_sleep(unsigned int us)
{
	if (waits_until_unlocked > 0 && --waits_until_unlocked == 0)
		assert_int_equal(disk_lock(F_UNLCK), 0);
	__real_rte_delay_us_sleep(us);
}

/* A file that the process before, which is gone, has still for a moment. */
static int
setup_taken(void **state)
{
	RTE_SET_USED(state);
	if (!disk_create_file())
		return 0;
	assert_int_equal(disk_lock(F_WRLCK), 0);
	waits_until_unlocked = 20;
	disk_create("");
	assert_int_equal(waits_until_unlocked, 0);
	loopback_blk_up(&blk);
	return 0;
}

static void
data(void **state)
{
	uint32_t len;

	RTE_SET_USED(state);
	disk_need();
	for (len = BLK_SECTOR; len <= 14 * BLK_PIECE; len += 7 * BLK_SECTOR) {
		assert_int_equal(disk_write(len % 31, len, len), VIRTIO_BLK_S_OK);
		disk_check(len % 31, sent, len);
	}
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_FLUSH, 0, NULL, 0), 0);
	assert_int_equal(disk_write(DISK_SIZE / BLK_SECTOR - 1, BLK_SECTOR, 1), VIRTIO_BLK_S_OK);
	disk_check(DISK_SIZE / BLK_SECTOR - 1, sent, BLK_SECTOR);
	assert_int_equal(disk_range(VIRTIO_BLK_T_SECURE_ERASE, 0, 1, 0), VIRTIO_BLK_S_UNSUPP);
}

/*
 * Reads a page whose place in the device's memory another page has taken, unknown to the device.
 * Returns whether it was read into the page that was there before.
 */
static bool
read_reaches_old_page(void)
{
	const struct blk_piece pieces[] = { { .len = BLK_HDR },
					    { .len = BLK_PIECE, .write = true },
					    { .len = 1, .write = true } };
	const struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_IN };
	uint16_t head = loopback_blk_chain(&blk, pieces, RTE_DIM(pieces), &header);
	uint64_t iova = blk.driver.desc[(head + 1) % RING].addr;
	uint8_t *va = loopback_blk_device_va(&blk, iova);
	bool old;

	assert_ptr_equal(mmap(va, BLK_PIECE, PROT_READ | PROT_WRITE,
			      MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0),
			 va);
	loopback_blk_post(&blk, head);
	assert_int_equal(loopback_blk_take(&blk), head);
	assert_int_equal(loopback_blk_status(&blk, head), VIRTIO_BLK_S_OK);
	loopback_blk_written(&blk, head, got);
	old = memcmp(got, sent, BLK_PIECE) == 0;
	/* One of them has it. */
	assert_int_equal(memcmp(va, sent, BLK_PIECE) == 0, !old);
	assert_ptr_equal(mmap(va, BLK_PIECE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, blk.fd,
			      (off_t)(iova - blk.driver.rings)),
			 va);
	return old;
}

/* Pages that stay the same are looked up once; those that a driver may change, each time. */
static void
pinned(void **state)
{
	unsigned int round;

	RTE_SET_USED(state);
	disk_need();
	assert_int_equal(disk_write(0, BLK_PIECE, 1), VIRTIO_BLK_S_OK);
	for (round = 0; round < 2; round++) {
		assert_true(read_reaches_old_page());
		/* Memory that moves is pinned again. */
		loopback_blk_update(&blk);
		assert_true(read_reaches_old_page());
		blk.pinnable = false;
		loopback_blk_up(&blk);
		assert_false(read_reaches_old_page());
		loopback_blk_update(&blk);
		assert_false(read_reaches_old_page());
		blk.pinnable = true;
		loopback_blk_up(&blk);
	}
}

/* Gives this thread these effective capabilities of the first 32. */
static void
caps_set(uint32_t effective)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	assert_int_equal(syscall(SYS_capget, &header, data), 0);
	data[0].effective = effective;
	assert_int_equal(syscall(SYS_capset, &header, data), 0);
}

/* Takes one away. Returns those that there were. */
static uint32_t
caps_without(unsigned int cap)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	assert_int_equal(syscall(SYS_capget, &header, data), 0);
	caps_set(data[0].effective & ~RTE_BIT32(cap));
	return data[0].effective;
}

/* More than the limit of pins_limited(), which the rings do not reach. */
#define PINNED_SIZE (UINT32_C(16) << 20)

/* Lines about memory that the kernel does not pin. */
static unsigned int
tells_of_pins(void *va)
{
	unit_log_clear();
	vblk_channel_memory(blk.blk->queues[0].channel, va, PINNED_SIZE);
	vblk_channel_memory(blk.blk->queues[0].channel, va, PINNED_SIZE);
	vblk_channel_memory(blk.blk->queues[0].channel, NULL, 0);
	return unit_log_count("pin");
}

/* The kernel's bounce memory cannot be pinned where pages are missing: that is no news. */
static void
pins_missing(void **state)
{
	void *hole = mmap(NULL, PINNED_SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	RTE_SET_USED(state);
	disk_need();
	assert_ptr_not_equal(hole, MAP_FAILED);
	rte_log_set_global_level(RTE_LOG_INFO);
	assert_int_equal(tells_of_pins(hole), 0);
	munmap(hole, PINNED_SIZE);
	rte_log_set_global_level(RTE_LOG_NOTICE);
}

/* A limit can be raised, so it is named, once. */
static void
pins_limited(void **state)
{
	struct rlimit before;
	uint32_t caps;
	void *va =
		mmap(NULL, PINNED_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	RTE_SET_USED(state);
	disk_need();
	assert_ptr_not_equal(va, MAP_FAILED);
	rte_log_set_global_level(RTE_LOG_INFO);
	assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &before), 0);
	assert_int_equal(
		setrlimit(RLIMIT_MEMLOCK, &(struct rlimit){ PINNED_SIZE / 2, before.rlim_max }), 0);
	caps = caps_without(CAP_IPC_LOCK);
	/* An io_uring is charged to the user who makes it. */
	loopback_blk_destroy(&blk);
	disk_create(",direct=1");
	assert_int_equal(tells_of_pins(va), 1);
	caps_set(caps);
	assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &before), 0);
	munmap(va, PINNED_SIZE);
	rte_log_set_global_level(RTE_LOG_NOTICE);
}

/* One request whose data lies in pieces of these lengths, each shifted by so many bytes. */
static void
one_scattered(uint32_t each, uint32_t shift, uint64_t sector)
{
	const uint32_t len = 8 * BLK_SECTOR;
	static uint8_t bytes[BLK_HDR + 8 * BLK_SECTOR];
	struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_OUT, .sector = sector };
	struct blk_piece pieces[RING] = { { .len = BLK_HDR } };
	unsigned int nb = 1, i;
	uint16_t head;
	uint32_t left;

	for (left = len; left > 0; left -= pieces[nb++].len)
		pieces[nb] = (struct blk_piece){ .len = RTE_MIN(left, each), .shift = shift };
	pieces[nb++] = (struct blk_piece){ .len = 1, .write = true };
	blk_pattern(sent, len, each + shift);
	memcpy(bytes, &header, BLK_HDR);
	memcpy(bytes + BLK_HDR, sent, len);
	head = loopback_blk_chain(&blk, pieces, nb, bytes);
	loopback_blk_post(&blk, head);
	assert_int_equal(loopback_blk_take(&blk), head);
	assert_int_equal(loopback_blk_status(&blk, head), VIRTIO_BLK_S_OK);
	disk_check(sector, sent, len);
	header.type = VIRTIO_BLK_T_IN;
	for (i = 1; i < nb; i++)
		pieces[i].write = true;
	head = loopback_blk_chain(&blk, pieces, nb, &header);
	loopback_blk_post(&blk, head);
	assert_int_equal(loopback_blk_take(&blk), head);
	loopback_blk_written(&blk, head, got);
	assert_int_equal(got[len], VIRTIO_BLK_S_OK);
	assert_memory_equal(got, sent, len);
}

static void
scattered(void **state)
{
	static const uint32_t lens[] = { 100, 511, 512, 1000, 1024, 2048, 3000 };
	static const uint32_t shifts[] = { 0, 1, 3, 4, 16, 511, 512, 1024 };
	unsigned int i, j;

	RTE_SET_USED(state);
	disk_need();
	for (i = 0; i < RTE_DIM(lens); i++)
		for (j = 0; j < RTE_DIM(shifts); j++)
			one_scattered(lens[i], shifts[j], 8 * (i + j));
}

/* All of them through the backend itself. */
static void
do_ios(struct rte_vduse_blk_io *ios, unsigned int nb, enum rte_vduse_blk_op op, unsigned int first)
{
	struct rte_vduse_blk_channel *channel = blk.blk->queues[0].channel;
	struct rte_vduse_blk_io *row[VBLK_BURST], *finished[VBLK_BURST];
	unsigned int i, sent_nb = 0, done = 0;

	for (i = 0; i < nb; i++) {
		row[i] = &ios[i];
		ios[i].op = op;
	}
	sent_nb = channel->ops->submit(channel, row, (uint16_t)nb);
	assert_int_equal(sent_nb, first);
	while (done < nb) {
		unsigned int n = channel->ops->poll(channel, finished, VBLK_BURST);

		for (i = 0; i < n; i++)
			assert_int_equal(finished[i]->result, 0);
		done += n;
		sent_nb += channel->ops->submit(channel, row + sent_nb, (uint16_t)(nb - sent_nb));
	}
	assert_int_equal(sent_nb, nb);
}

/*
 * Long requests in memory that O_DIRECT does not take, more than it takes copies of. The backend's
 * own memory does not grow with them.
 */
static void
unaligned(void **state)
{
	enum { NB = 24, LEN = 300 * 512 };
	static uint8_t memory[NB][LEN + 8];
	struct iovec iov[NB][2];
	struct rte_vduse_blk_io ios[NB] = { 0 };
	uint8_t *copy;
	unsigned int i;

	RTE_SET_USED(state);
	disk_need();
	if (((struct file_backend *)blk.blk->backend)->memory_align == 1)
		skip();
	copy = malloc(sizeof(memory));
	assert_non_null(copy);
	assert_int_equal(ftruncate(disk_fd, NB * LEN), 0);
	for (i = 0; i < NB; i++) {
		blk_pattern(memory[i], LEN + 8, i);
		iov[i][0] = (struct iovec){ memory[i] + 1, 70001 };
		iov[i][1] = (struct iovec){ memory[i] + 70002, LEN - 70001 };
		ios[i].iov = iov[i];
		ios[i].nb_iov = 2;
		ios[i].offset = (uint64_t)i * LEN;
		ios[i].len = LEN;
	}
	do_ios(ios, NB, RTE_VDUSE_BLK_WRITE, 16);
	memcpy(copy, memory, sizeof(memory));
	for (i = 0; i < NB; i++)
		memset(memory[i] + 1, 0, LEN);
	do_ios(ios, NB, RTE_VDUSE_BLK_READ, 16);
	assert_memory_equal(copy, memory, sizeof(memory));
	assert_int_equal(pread(disk_fd, memory[0], LEN, LEN), LEN);
	assert_memory_equal(memory[0], copy + sizeof(memory[0]) + 1, LEN);
	free(copy);
}

static void
zero_and_check(uint32_t type, uint64_t sector, uint32_t nb, uint32_t flags)
{
	const uint32_t len = 8 * BLK_PIECE;

	assert_int_equal(disk_write(0, len, type + flags + nb), VIRTIO_BLK_S_OK);
	assert_int_equal(disk_range(type, sector, nb, flags), VIRTIO_BLK_S_OK);
	memset(sent + sector * BLK_SECTOR, 0, nb * BLK_SECTOR);
	disk_check(0, sent, len);
}

static void
zeroes(void **state)
{
	struct file_backend *file = (struct file_backend *)blk.blk->backend;
	unsigned int round;

	RTE_SET_USED(state);
	disk_need();
	/* As the file system does it, then as it is done where that cannot. */
	for (round = 0; round < 2; round++) {
		zero_and_check(VIRTIO_BLK_T_WRITE_ZEROES, 0, 64, 0);
		zero_and_check(VIRTIO_BLK_T_WRITE_ZEROES, 3, 1, 0);
		zero_and_check(VIRTIO_BLK_T_WRITE_ZEROES, 5, 50, 1);
		zero_and_check(VIRTIO_BLK_T_DISCARD, 8, 48, 0);
		file->no_zero_range = true;
	}
	/* Larger than what is written at once. */
	assert_int_equal(disk_write(1, BLK_SECTOR, 1), VIRTIO_BLK_S_OK);
	assert_int_equal(disk_write(DISK_SIZE / BLK_SECTOR - 2, BLK_SECTOR, 1), VIRTIO_BLK_S_OK);
	assert_int_equal(disk_range(VIRTIO_BLK_T_WRITE_ZEROES, 1, DISK_SIZE / BLK_SECTOR - 2, 0),
			 0);
	memset(sent, 0, sizeof(sent));
	disk_check(1, sent, BLK_SECTOR);
	disk_check(DISK_SIZE / BLK_SECTOR - 2, sent, BLK_SECTOR);
}

/* A discard gives the space back. */
static void
holes(void **state)
{
	struct stat st;

	RTE_SET_USED(state);
	disk_need();
	assert_int_equal(disk_write(0, 16 * BLK_PIECE, 1), VIRTIO_BLK_S_OK);
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_FLUSH, 0, NULL, 0), 0);
	assert_int_equal(fstat(disk_fd, &st), 0);
	assert_true(st.st_blocks >= 16 * 8);
	assert_int_equal(disk_range(VIRTIO_BLK_T_DISCARD, 0, DISK_SIZE / BLK_SECTOR, 0), 0);
	assert_int_equal(fstat(disk_fd, &st), 0);
	assert_int_equal(st.st_blocks, 0);
	assert_int_equal(st.st_size, DISK_SIZE);
}

/* Offsets and lengths for which 32 bits do not do. */
static void
behind_4g(void **state)
{
	const uint64_t seam = (UINT64_C(1) << 32) / BLK_SECTOR, disk = 2 * seam;
	const uint64_t first = seam - VBLK_RANGE_SECTORS / 2;
	uint8_t before[BLK_SECTOR], behind[BLK_SECTOR];

	RTE_SET_USED(state);
	disk_need();
	assert_int_equal(ftruncate(disk_fd, (off_t)(disk * BLK_SECTOR)), 0);
	assert_int_equal(rte_vduse_blk_resize(blk.blk), 0);
	assert_int_equal(disk_write(first - 1, BLK_SECTOR, 1), VIRTIO_BLK_S_OK);
	memcpy(before, sent, BLK_SECTOR);
	assert_int_equal(disk_write(first + VBLK_RANGE_SECTORS, BLK_SECTOR, 2), VIRTIO_BLK_S_OK);
	memcpy(behind, sent, BLK_SECTOR);
	/* Across the seam, and at what is left of it in 32 bits. */
	assert_int_equal(disk_write(seam - 8, 16 * BLK_SECTOR, 3), VIRTIO_BLK_S_OK);
	disk_check(seam - 8, sent, 16 * BLK_SECTOR);
	memset(sent, 0, 16 * BLK_SECTOR);
	disk_check(0, sent, 16 * BLK_SECTOR);
	assert_int_equal(disk_range(VIRTIO_BLK_T_WRITE_ZEROES, first, VBLK_RANGE_SECTORS, 1), 0);
	disk_check(seam - 8, sent, 16 * BLK_SECTOR);
	disk_check(first, sent, BLK_SECTOR);
	disk_check(first - 1, before, BLK_SECTOR);
	disk_check(first + VBLK_RANGE_SECTORS, behind, BLK_SECTOR);
}

/* Several at a time, finished by the kernel in its own order. */
static void
together(void **state)
{
	const struct blk_piece pieces[] = { { .len = BLK_HDR + BLK_PIECE / 2 },
					    { .len = 1, .write = true } };
	static uint8_t bytes[BLK_HDR + BLK_PIECE / 2];
	unsigned int round, i;

	RTE_SET_USED(state);
	disk_need();
	for (round = 0; round < 50; round++) {
		for (i = 0; i < RING / 2; i++) {
			struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_OUT,
							    .sector = 4 * i };

			memcpy(bytes, &header, BLK_HDR);
			blk_pattern(bytes + BLK_HDR, BLK_PIECE / 2, round * RING + i);
			loopback_blk_post(&blk, loopback_blk_chain(&blk, pieces, 2, bytes));
		}
		for (i = 0; i < RING / 2; i++)
			assert_int_equal(loopback_blk_status(&blk, loopback_blk_take(&blk)), 0);
		for (i = 0; i < RING / 2; i++) {
			blk_pattern(sent, BLK_PIECE / 2, round * RING + i);
			disk_check(4 * i, sent, BLK_PIECE / 2);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(data, disk_setup, disk_teardown),
		cmocka_unit_test_setup_teardown(data, disk_setup_direct, disk_teardown),
		cmocka_unit_test_setup_teardown(data, disk_setup_no_flush, disk_teardown),
		cmocka_unit_test_setup_teardown(data, setup_taken, disk_teardown),
		cmocka_unit_test_setup_teardown(data, setup_pinnable, disk_teardown),
		cmocka_unit_test_setup_teardown(pinned, setup_pinnable, disk_teardown),
		cmocka_unit_test_setup_teardown(data, setup_direct_pinnable, disk_teardown),
		cmocka_unit_test_setup_teardown(pinned, setup_direct_pinnable, disk_teardown),
		cmocka_unit_test_setup_teardown(scattered, setup_direct_pinnable, disk_teardown),
		cmocka_unit_test_setup_teardown(scattered, disk_setup, disk_teardown),
		cmocka_unit_test_setup_teardown(unaligned, disk_setup_direct, disk_teardown),
		cmocka_unit_test_setup_teardown(scattered, disk_setup_direct, disk_teardown),
		cmocka_unit_test_setup_teardown(zeroes, disk_setup, disk_teardown),
		cmocka_unit_test_setup_teardown(zeroes, disk_setup_direct, disk_teardown),
		cmocka_unit_test_setup_teardown(zeroes, disk_setup_no_flush, disk_teardown),
		cmocka_unit_test_setup_teardown(holes, disk_setup, disk_teardown),
		cmocka_unit_test_setup_teardown(behind_4g, disk_setup, disk_teardown),
		cmocka_unit_test_setup_teardown(together, disk_setup, disk_teardown),
		cmocka_unit_test_setup_teardown(together, disk_setup_direct, disk_teardown),
		cmocka_unit_test_setup_teardown(data, setup_no_polling, disk_teardown),
		cmocka_unit_test_setup_teardown(together, setup_no_polling, disk_teardown),
		cmocka_unit_test_setup_teardown(pins_missing, disk_setup_direct, disk_teardown),
		cmocka_unit_test_setup_teardown(pins_limited, disk_setup_direct, disk_teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
