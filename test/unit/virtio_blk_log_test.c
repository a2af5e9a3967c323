/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The dirty log of a disk: reads mark all of their data, whatever pieces it has and however often
 * the kernel moves only a part; other requests mark their status and nothing else.
 */
#include <string.h>

#include <liburing.h>

#include <vduse/core/device.h>

#include "loopback_file.h"

#define LOG_BYTES (1u << 18)
#define REQUESTS  2000u

static uint8_t bits[LOG_BYTES];
static uint8_t disk[DISK_SIZE], bytes[BLK_BYTES];
static uint64_t random_state;
static bool shortens; /* the kernel moves a part only */
static unsigned int nb_short;

static uint32_t
roll(uint32_t below)
{
	random_state = random_state * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)((random_state >> 33) % below);
}

unsigned int
__real_io_uring_peek_batch_cqe(struct io_uring *ring, struct io_uring_cqe **cqes,
			       unsigned int count);
unsigned int
__wrap_io_uring_peek_batch_cqe(struct io_uring *ring, struct io_uring_cqe **cqes,
			       unsigned int count);

unsigned int
__wrap_io_uring_peek_batch_cqe(struct io_uring *ring, struct io_uring_cqe **cqes,
			       unsigned int count)
{
	unsigned int n = __real_io_uring_peek_batch_cqe(ring, cqes, count), i;

	for (i = 0; i < n && shortens; i++) {
		if (cqes[i]->res < 2 || roll(4) == 0)
			continue;
		cqes[i]->res = 1 + (int)roll((uint32_t)cqes[i]->res);
		nb_short++;
	}
	return n;
}

static void
mark_va(const struct vring_log *log, void *arg, const uint8_t *va, uint64_t len)
{
	const uint8_t *first = loopback_blk_device_va(&blk, blk.driver.rings);

	RTE_SET_USED(arg);
	assert_true(va >= first && va + len <= first + blk.driver.regions[0].size);
	vring_log_mark(log, blk.driver.rings + (uint64_t)(va - first), len);
}

static const struct vring_log dirty = {
	.bits = bits,
	.nb_pages = 8 * (uint64_t)LOG_BYTES,
	.mark_va = mark_va,
};

static void
begin(void)
{
	vduse_vq_log(&blk.dev->vqs[0], &dirty, UINT64_MAX);
	memset(disk, 0, sizeof(disk));
	random_state = 1;
	shortens = false;
	nb_short = 0;
}

static int
setup_ram(void **state)
{
	RTE_SET_USED(state);
	loopback_blk_create(&blk, "ram", "size=1M", RING, false);
	loopback_blk_up(&blk);
	begin();
	return 0;
}

static int
teardown_ram(void **state)
{
	RTE_SET_USED(state);
	loopback_blk_destroy(&blk);
	return 0;
}

static int
setup_file(void **state)
{
	disk_setup(state);
	assert_true(disk_fd >= 0);
	begin();
	return 0;
}

static bool
marked(uint64_t page)
{
	return bits[page / 8] >> page % 8 & 1;
}

/* Of the pages of buffers, those that the device may write of a chain are marked, or its status. */
static void
check_marks(uint16_t head, bool all)
{
	const struct driver *driver = &blk.driver;
	uint64_t first = driver->data / VRING_LOG_PAGE, page, end;
	static bool wanted[2 * RING];
	uint16_t i = head;

	memset(wanted, 0, sizeof(wanted));
	for (;; i = driver->desc[i].next) {
		struct vring_desc desc = driver->desc[i];
		bool last = !(desc.flags & VRING_DESC_F_NEXT);

		end = desc.addr + desc.len;
		page = all ? desc.addr / VRING_LOG_PAGE : (end - 1) / VRING_LOG_PAGE;
		for (; (desc.flags & VRING_DESC_F_WRITE) && (all || last) &&
		       page <= (end - 1) / VRING_LOG_PAGE;
		     page++)
			wanted[page - first] = true;
		if (last)
			break;
	}
	for (i = 0; i < RING; i++)
		assert_int_equal(marked(first + i), wanted[i]);
	assert_true(marked(driver_layout(driver).device / VRING_LOG_PAGE));
}

/*
 * Pieces that together have len bytes: of odd lengths, or whole pages, which lie side by side and
 * become one vector. Returns their number.
 */
static unsigned int
cut(struct blk_piece *pieces, uint32_t len, bool write)
{
	bool whole = len % BLK_PIECE == 0;
	unsigned int nb = 0;

	while (len > 0) {
		uint32_t n = whole ? BLK_PIECE : nb == 12 ? len : RTE_MIN(len, 1 + roll(900));

		pieces[nb++] = (struct blk_piece){ n, write, whole ? 0 : roll(BLK_PIECE - n) };
		len -= n;
	}
	return nb;
}

/* One request with data anywhere; the disk has what was written before. */
static void
request(uint32_t type, uint32_t nb_sectors)
{
	uint64_t sector = roll(DISK_SIZE / BLK_SECTOR - nb_sectors);
	struct virtio_blk_outhdr header = { .type = type, .sector = sector };
	struct blk_piece pieces[16] = { { .len = BLK_HDR } };
	bool in = type == VIRTIO_BLK_T_IN;
	uint32_t len = nb_sectors * BLK_SECTOR;
	unsigned int nb = 1 + cut(pieces + 1, len, in);
	uint16_t head;

	pieces[nb++] = (struct blk_piece){ 1, true, roll(100) };
	memcpy(bytes, &header, BLK_HDR);
	blk_pattern(bytes + BLK_HDR, len, roll(1000));
	head = loopback_blk_chain(&blk, pieces, nb, bytes);
	memset(bits, 0, sizeof(bits));
	loopback_blk_post(&blk, head);
	assert_int_equal(loopback_blk_take(&blk), head);
	assert_int_equal(loopback_blk_status(&blk, head), VIRTIO_BLK_S_OK);
	if (in) {
		loopback_blk_written(&blk, head, got);
		assert_memory_equal(got, disk + sector * BLK_SECTOR, len);
	} else {
		memcpy(disk + sector * BLK_SECTOR, bytes + BLK_HDR, len);
	}
	check_marks(head, in);
}

static void
requests(void)
{
	uint32_t i;

	for (i = 0; i < REQUESTS; i++)
		request(roll(2) ? VIRTIO_BLK_T_IN : VIRTIO_BLK_T_OUT,
			roll(3) ? 1 + roll(6) : 8 + 8 * roll(8));
}

static void
test_requests(void **state)
{
	RTE_SET_USED(state);
	requests();
}

static void
test_short(void **state)
{
	RTE_SET_USED(state);
	shortens = true;
	requests();
	assert_true(nb_short > REQUESTS);
}

/* Answers without an operation of the backend. */
static void
test_others(void **state)
{
	const struct blk_piece id[] = { { .len = BLK_HDR }, { 20, true, 4000 }, { 1, true, 0 } };
	const struct blk_piece beyond[] = { { .len = BLK_HDR }, { 512, true, 0 }, { 1, true, 0 } };
	struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_GET_ID };
	uint16_t head;

	RTE_SET_USED(state);
	head = loopback_blk_chain(&blk, id, 3, &header);
	memset(bits, 0, sizeof(bits));
	loopback_blk_post(&blk, head);
	assert_int_equal(loopback_blk_take(&blk), head);
	assert_int_equal(loopback_blk_status(&blk, head), VIRTIO_BLK_S_OK);
	check_marks(head, true);
	header = (struct virtio_blk_outhdr){ .type = VIRTIO_BLK_T_IN, .sector = UINT32_MAX };
	head = loopback_blk_chain(&blk, beyond, 3, &header);
	memset(bits, 0, sizeof(bits));
	loopback_blk_post(&blk, head);
	assert_int_equal(loopback_blk_take(&blk), head);
	assert_int_equal(loopback_blk_status(&blk, head), VIRTIO_BLK_S_IOERR);
	check_marks(head, false);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_requests, setup_ram, teardown_ram),
		cmocka_unit_test_setup_teardown(test_others, setup_ram, teardown_ram),
		cmocka_unit_test_setup_teardown(test_requests, setup_file, disk_teardown),
		cmocka_unit_test_setup_teardown(test_short, setup_file, disk_teardown),
	};

	unit_init();
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
