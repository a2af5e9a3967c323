/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Limits of a disk: the rates that drivers get which always have requests in the ring, and what
 * happens to requests that wait. Processor time may be missing on a busy machine: a rate may never
 * be too high, and has to be reached in the time in which the queues were polled.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <string.h>

#include <rte_cycles.h>

#include "loopback_blk.h"

#define RING  64u
#define DEPTH 8u /* requests that a driver has in the ring */
#define PAGES 3u /* most data of one */

static struct loopback_blk blk, other;

/* One queue and its driver, and what it got. */
struct load {
	struct loopback_blk *ring;
	uint16_t index;
	bool mixed; /* requests of several sizes; otherwise of one sector */
	uint32_t nb_posted;
	uint32_t sizes[RING];  /* of each head */
	uint64_t count, bytes; /* finished */
	uint64_t last, missed; /* cycles: the last poll, and too long without one */
	uint64_t since, until; /* the first and the last time that a request finished */
};

static int
setup(void **state)
{
	RTE_SET_USED(state);
	loopback_blk_create_pair(&blk, &other, "null", "size=1M", RING, false);
	loopback_blk_up(&blk);
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	loopback_blk_destroy(&blk);
	return 0;
}

static void
limit(uint64_t iops, uint64_t bps)
{
	const struct rte_vduse_blk_rate_limits limits = {
		.size = sizeof(limits),
		.iops = iops,
		.bps = bps,
	};

	assert_int_equal(rte_vduse_blk_limits_set(blk.blk, &limits), 0);
}

/* Posts a request with data of whole pages, or of a sector. */
static uint16_t
post(struct loopback_blk *ring, uint32_t type, uint32_t len)
{
	const struct virtio_blk_outhdr header = { .type = type };
	struct blk_piece pieces[2 + PAGES] = { { .len = BLK_HDR } };
	unsigned int nb = 1;
	uint16_t head;

	for (; len > 0; len -= pieces[nb++].len)
		pieces[nb] = (struct blk_piece){ .len = RTE_MIN(len, BLK_PIECE), .write = true };
	pieces[nb++] = (struct blk_piece){ .len = 1, .write = true };
	head = loopback_blk_chain(ring, pieces, nb, &header);
	loopback_blk_post(ring, head);
	return head;
}

/* Whether a request finishes in one poll of the first queue. */
static bool
finishes(uint16_t head)
{
	uint32_t used, len;

	loopback_blk_poll(&blk);
	if (!driver_take(&blk.driver, &used, &len))
		return false;
	assert_int_equal(used, head);
	assert_int_equal(loopback_blk_status(&blk, head), VIRTIO_BLK_S_OK);
	return true;
}

static uint64_t
wait_for(uint16_t queue)
{
	return vblk_limit_wait(&blk.blk->limit, &blk.blk->queues[queue].turn);
}

/* Cycles until the first queue wants to be polled; 0: it is not held. */
static uint64_t
held_for(void)
{
	uint64_t now = rte_rdtsc(), at = wait_for(0);

	return at > now ? at - now : 0;
}

static void
load_post(struct load *load)
{
	static const uint32_t sizes[] = { BLK_SECTOR, BLK_PIECE, PAGES * BLK_PIECE,
					  7 * BLK_SECTOR };
	uint32_t len = load->mixed ? sizes[load->nb_posted % RTE_DIM(sizes)] : BLK_SECTOR;

	load->sizes[post(load->ring, VIRTIO_BLK_T_IN, len)] = len;
	load->nb_posted++;
}

static void
load_start(struct load *load)
{
	unsigned int i;

	load->last = rte_rdtsc();
	for (i = 0; i < DEPTH; i++)
		load_post(load);
}

/* Polls once. Counts what finishes, from the first that does so in time on. */
static void
load_poll(struct load *load)
{
	uint64_t now = rte_rdtsc(), gap = now - load->last, ms = rte_get_tsc_hz() / MS_PER_S;
	uint32_t head, len;

	load->last = now;
	/* Less is made up for from what was saved up. */
	if (load->since != 0 && gap > 8 * ms)
		load->missed += gap - 8 * ms;
	(void)rte_vduse_blk_poll(blk.blk, load->index);
	while (driver_take(&load->ring->driver, &head, &len)) {
		if (load->since != 0) {
			load->count++;
			load->bytes += load->sizes[head];
			load->until = now;
		} else if (gap < ms) {
			load->since = now;
		}
		load_post(load);
	}
}

/* Lets what was saved up pass, so that the measured time begins with none. */
static void
load_settle(struct load *load, uint64_t ms)
{
	uint64_t end = rte_rdtsc() + ms * (rte_get_tsc_hz() / MS_PER_S);

	load_start(load);
	while (rte_rdtsc() < end)
		load_poll(load);
	load->count = load->bytes = load->missed = load->since = 0;
}

static void
load_run(struct load *load, uint64_t ms)
{
	uint64_t end = rte_rdtsc() + ms * (rte_get_tsc_hz() / MS_PER_S);

	while (rte_rdtsc() < end)
		load_poll(load);
}

static void
check_rate(double units, uint64_t rate, uint64_t elapsed, uint64_t missed)
{
	double hz = (double)rte_get_tsc_hz(), most = (double)rate * (double)elapsed / hz;
	double least = (double)rate * (double)(elapsed - RTE_MIN(elapsed, missed)) / hz;

	/* Something has finished, in at least two polls. */
	assert_true(units > 0 && elapsed > 0);
	print_message("# limit %" PRIu64 ": %.4f of it in %.3f s, %.3f s not polled\n", rate,
		      units / most, (double)elapsed / hz, (double)missed / hz);
	if (units > 1.02 * most)
		fail_msg("%.0f, at most %.0f are permitted", units, most);
	if (units < 0.98 * least)
		fail_msg("%.0f, at least %.0f are due", units, least);
}

static void
check_iops(uint64_t iops, uint64_t settle, uint64_t ms)
{
	struct load load = { .ring = &blk };

	limit(iops, 0);
	load_settle(&load, settle);
	load_run(&load, ms);
	check_rate((double)load.count, iops, load.until - load.since, load.missed);
}

static void
iops_1(void **state)
{
	RTE_SET_USED(state);
	check_iops(1, 500, 6100);
}

static void
iops_100(void **state)
{
	RTE_SET_USED(state);
	check_iops(100, 50, 1000);
}

static void
iops_10000(void **state)
{
	RTE_SET_USED(state);
	check_iops(10000, 50, 1000);
}

static void
iops_100000(void **state)
{
	RTE_SET_USED(state);
	check_iops(100000, 50, 1000);
}

static void
bytes_of_mixed_sizes(void **state)
{
	struct load load = { .ring = &blk, .mixed = true };

	RTE_SET_USED(state);
	limit(0, 10000000);
	load_settle(&load, 50);
	load_run(&load, 1000);
	check_rate((double)load.bytes, 10000000, load.until - load.since, load.missed);
}

/* The smaller of the two is reached. */
static void
both_limits(void **state)
{
	struct load load = { .ring = &blk };

	RTE_SET_USED(state);
	limit(100000, 2000 * BLK_SECTOR);
	load_settle(&load, 50);
	load_run(&load, 500);
	check_rate((double)load.count, 2000, load.until - load.since, load.missed);
}

/* After a pause, as much as 10 ms are worth comes at once. */
static void
short_burst(void **state)
{
	struct load load = { .ring = &blk };
	uint64_t passed = 0, begin;

	RTE_SET_USED(state);
	limit(2000, 0);
	load_settle(&load, 50);
	unit_sleep_ms(200);
	begin = rte_rdtsc();
	load.since = begin;
	while (held_for() == 0 || load.count == 0)
		load_poll(&load);
	passed = (rte_rdtsc() - begin) * 2000 / rte_get_tsc_hz();
	assert_in_range(load.count, 20, 22 + passed);
}

static void *
run_thread(void *arg)
{
	load_run(arg, 1000);
	return NULL;
}

static void
two_pollers(void **state)
{
	struct load loads[] = { { .ring = &blk }, { .ring = &other, .index = 1 } };
	pthread_t thread;
	uint64_t since, until;

	RTE_SET_USED(state);
	limit(10000, 0);
	load_settle(&loads[0], 50);
	load_settle(&loads[1], 50);
	assert_int_equal(pthread_create(&thread, NULL, run_thread, &loads[1]), 0);
	load_run(&loads[0], 1000);
	pthread_join(thread, NULL);
	since = RTE_MIN(loads[0].since, loads[1].since);
	until = RTE_MAX(loads[0].until, loads[1].until);
	check_rate((double)(loads[0].count + loads[1].count), 10000, until - since,
		   loads[0].missed + loads[1].missed);
	assert_true(loads[0].count > 0 && loads[1].count > 0);
}

/* What one queue used is gone for the other one, too. */
static void
one_budget(void **state)
{
	RTE_SET_USED(state);
	limit(1, 0);
	assert_true(finishes(post(&blk, VIRTIO_BLK_T_IN, BLK_SECTOR)));
	(void)post(&other, VIRTIO_BLK_T_IN, BLK_SECTOR);
	(void)rte_vduse_blk_poll(blk.blk, 1);
	assert_true(wait_for(1) > rte_rdtsc());
}

/* One lcore sleeps until a queue wants to be polled, and polls the first one first every time. */
static void
no_queue_starves(void **state)
{
	struct load loads[] = { { .ring = &blk }, { .ring = &other, .index = 1 } };
	uint64_t end;

	RTE_SET_USED(state);
	limit(1000, 0);
	load_settle(&loads[0], 50);
	load_settle(&loads[1], 50);
	end = rte_rdtsc() + rte_get_tsc_hz() / 2;
	while (rte_rdtsc() < end) {
		if (wait_for(0) > rte_rdtsc() && wait_for(1) > rte_rdtsc())
			continue;
		load_poll(&loads[0]);
		load_poll(&loads[1]);
	}
	print_message("# %" PRIu64 " and %" PRIu64 "\n", loads[0].count, loads[1].count);
	/* What was saved up while the processor was missing goes to the first. */
	assert_in_range(loads[1].count, loads[0].count / 3, loads[0].count * 3);
	assert_true(loads[1].count > 10);
}

/* One larger than what a second permits passes, and is paid afterwards. */
static void
debt(void **state)
{
	uint64_t hz = rte_get_tsc_hz();
	uint16_t head;

	RTE_SET_USED(state);
	limit(0, BLK_PIECE);
	head = post(&blk, VIRTIO_BLK_T_IN, PAGES * BLK_PIECE);
	assert_true(finishes(head));
	head = post(&blk, VIRTIO_BLK_T_IN, BLK_SECTOR);
	assert_false(finishes(head));
	assert_in_range(held_for(), hz, PAGES * hz);
	limit(0, 0);
	assert_true(finishes(head));
}

static void
counts_and_removal(void **state)
{
	uint16_t heads[3];
	unsigned int i;

	RTE_SET_USED(state);
	limit(1, 0);
	for (i = 0; i < RTE_DIM(heads); i++)
		heads[i] = post(&blk, VIRTIO_BLK_T_IN, BLK_SECTOR);
	assert_true(finishes(heads[0]));
	for (i = 0; i < 100; i++)
		assert_false(finishes(heads[1]));
	assert_int_equal(loopback_blk_stats(&blk).limited, 1);
	assert_int_equal(blk.blk->queues[0].in_flight, 0);
	limit(0, 0);
	assert_int_equal(held_for(), 0);
	for (i = 1; i < RTE_DIM(heads); i++)
		assert_int_equal(loopback_blk_take(&blk), heads[i]);
	assert_int_equal(loopback_blk_stats(&blk).limited, 1);
}

/* From days to a fraction of a second, while a request waits. */
static void
change_while_held(void **state)
{
	uint16_t head;

	RTE_SET_USED(state);
	limit(0, 1);
	head = post(&blk, VIRTIO_BLK_T_IN, PAGES * BLK_PIECE);
	assert_true(finishes(head));
	head = post(&blk, VIRTIO_BLK_T_IN, PAGES * BLK_PIECE);
	assert_false(finishes(head));
	assert_true(held_for() / rte_get_tsc_hz() > 3600);
	limit(1000, 100 * PAGES * BLK_PIECE);
	assert_int_equal(loopback_blk_take(&blk), head);
}

static void
flush_and_id_pass(void **state)
{
	uint8_t id[RTE_VDUSE_BLK_SERIAL_MAX];
	uint16_t head;

	RTE_SET_USED(state);
	limit(1, 1);
	head = post(&blk, VIRTIO_BLK_T_IN, BLK_SECTOR);
	assert_true(finishes(head));
	head = post(&blk, VIRTIO_BLK_T_FLUSH, 0);
	assert_true(finishes(head));
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_GET_ID, 0, id, sizeof(id)),
			 VIRTIO_BLK_S_OK);
	head = post(&blk, VIRTIO_BLK_T_IN, BLK_SECTOR);
	assert_false(finishes(head));
}

/* Holds the first queue for minutes. Returns the head that waits. */
static uint16_t
hold(void)
{
	uint16_t head;

	limit(0, 10);
	head = post(&blk, VIRTIO_BLK_T_IN, PAGES * BLK_PIECE);
	assert_true(finishes(head));
	head = post(&blk, VIRTIO_BLK_T_IN, PAGES * BLK_PIECE);
	assert_false(finishes(head));
	return head;
}

/* Neither a reset nor new memory waits for the limit, and neither ends it. */
static void
reset_while_held(void **state)
{
	uint16_t head;

	RTE_SET_USED(state);
	(void)hold();
	loopback_blk_reset(&blk);
	loopback_blk_up(&blk);
	head = post(&blk, VIRTIO_BLK_T_IN, BLK_SECTOR);
	assert_false(finishes(head));
	assert_true(held_for() / rte_get_tsc_hz() > 60);
	limit(0, 0);
	assert_true(finishes(head));
}

static void
memory_while_held(void **state)
{
	uint16_t head;

	RTE_SET_USED(state);
	head = hold();
	loopback_blk_update(&blk);
	assert_false(finishes(head));
	limit(0, 0);
	assert_int_equal(loopback_blk_take(&blk), head);
}

/* There is nothing in flight to wait for; teardown() removes the device. */
static void
drain_while_held(void **state)
{
	RTE_SET_USED(state);
	(void)hold();
	assert_int_equal(rte_vduse_blk_drain(blk.blk, 1000), 0);
	rte_vduse_blk_stop(blk.blk);
}

static void
sizes_of_limits(void **state)
{
	struct {
		struct rte_vduse_blk_rate_limits known;
		uint64_t newer;
	} limits = { .known = { .size = 8, .iops = 1 } };

	RTE_SET_USED(state);
	assert_int_equal(rte_vduse_blk_limits_set(blk.blk, &limits.known), -EINVAL);
	limits.known.size = sizeof(limits);
	limits.newer = 1;
	assert_int_equal(rte_vduse_blk_limits_set(blk.blk, &limits.known), -E2BIG);
	assert_false(blk.blk->limit.on);
	limits.newer = 0;
	assert_int_equal(rte_vduse_blk_limits_set(blk.blk, &limits.known), 0);
	assert_true(blk.blk->limit.on);
}

#define LIMIT_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		LIMIT_TEST(iops_1),
		LIMIT_TEST(iops_100),
		LIMIT_TEST(iops_10000),
		LIMIT_TEST(iops_100000),
		LIMIT_TEST(bytes_of_mixed_sizes),
		LIMIT_TEST(both_limits),
		LIMIT_TEST(short_burst),
		LIMIT_TEST(two_pollers),
		LIMIT_TEST(one_budget),
		LIMIT_TEST(no_queue_starves),
		LIMIT_TEST(debt),
		LIMIT_TEST(counts_and_removal),
		LIMIT_TEST(change_while_held),
		LIMIT_TEST(flush_and_id_pass),
		LIMIT_TEST(reset_while_held),
		LIMIT_TEST(memory_while_held),
		LIMIT_TEST(drain_while_held),
		LIMIT_TEST(sizes_of_limits),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
