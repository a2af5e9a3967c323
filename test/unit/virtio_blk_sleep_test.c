/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A thread that polls a disk sleeps whenever it is idle, with no time of its own to wake up at. The
 * driver kicks only if it is asked to, makes pauses about as long as that thread polls, changes its
 * memory and resets the device: after a lost wake-up a request would never be finished.
 */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <rte_cycles.h>
#include <rte_pause.h>
#include <rte_vduse_compat.h>

#include <virtio_blk/backend/fault.h>
#include <virtio_blk/blk.h>
#include <vduse/loopback/loopback.h>

#include "create_over.h"
#include "unit.h"
#include "vring_driver.h"

#define RING     16u
#define SECTOR   512u
#define REQUESTS 100000u
#define SECONDS  3u
#define IDLE_US  20u
#define EVERY    512u /* requests between two changes by the control thread */

#define BIT(nr) (UINT64_C(1) << (nr))
#define SPLIT   (BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ACCESS_PLATFORM) | BIT(VIRTIO_BLK_F_FLUSH))
#define EVENTS  (SPLIT | BIT(VIRTIO_RING_F_EVENT_IDX))
#define PACKED  (SPLIT | BIT(VIRTIO_F_RING_PACKED))
#define STATUS_UP                                                                                  \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK |      \
	 VIRTIO_CONFIG_S_DRIVER_OK)

/* What a test runs with. */
struct kind {
	const char *backend;
	uint64_t features;
};

/* The thread that sleeps. */
static struct {
	pthread_t thread;
	int epoll_fd;
	int stop_fd;
	bool stop;              /* atomic */
	unsigned int slept;     /* times; read after its end */
	unsigned int in_flight; /* of them, with requests in the backend */
} sleeper;

static struct vduse_loopback *loop;
static struct rte_vduse_blk *blk;
static struct driver driver;
static char image[] = "/var/tmp/unit-sleep-XXXXXX";
static int image_fd = -1;

static void
sleeper_watch(int fd)
{
	struct epoll_event event = { .events = EPOLLIN, .data.fd = fd };

	assert_int_equal(epoll_ctl(sleeper.epoll_fd, EPOLL_CTL_ADD, fd, &event), 0);
}

static void
sleeper_sleep(void)
{
	struct epoll_event events[2];
	eventfd_t value;
	int nb;

	if (rte_vduse_blk_sleep(blk, 0) == RTE_VDUSE_BLK_AWAKE)
		return;
	sleeper.slept++;
	if (rte_atomic_load_explicit(&blk->queues[0].stats.in_flight, rte_memory_order_relaxed) > 0)
		sleeper.in_flight++;
	nb = epoll_wait(sleeper.epoll_fd, events, RTE_DIM(events), -1);
	while (nb-- > 0)
		(void)eventfd_read(events[nb].data.fd, &value);
}

static void *
sleeper_main(void *arg)
{
	uint64_t idle = IDLE_US * rte_get_timer_hz() / US_PER_S, since = rte_get_timer_cycles();

	while (!rte_atomic_load_explicit(&sleeper.stop, rte_memory_order_relaxed)) {
		if (rte_vduse_blk_poll(blk, 0) > 0) {
			since = rte_get_timer_cycles();
		} else if (rte_get_timer_cycles() - since >= idle) {
			sleeper_sleep();
			since = rte_get_timer_cycles();
		}
	}
	return arg;
}

static void
sleeper_start(void)
{
	memset(&sleeper, 0, sizeof(sleeper));
	sleeper.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
	sleeper.stop_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	sleeper_watch(sleeper.stop_fd);
	sleeper_watch(rte_vduse_blk_wake_fd(blk, 0));
	assert_int_equal(pthread_create(&sleeper.thread, NULL, sleeper_main, NULL), 0);
}

static void
sleeper_end(void)
{
	rte_atomic_store_explicit(&sleeper.stop, true, rte_memory_order_relaxed);
	assert_int_equal(eventfd_write(sleeper.stop_fd, 1), 0);
	pthread_join(sleeper.thread, NULL);
	close(sleeper.stop_fd);
	close(sleeper.epoll_fd);
}

static void
ask(struct vduse_dev_request req)
{
	struct vduse_dev_response resp;

	assert_int_equal(vduse_loopback_ask(loop, &req, &resp, UNIT_PATIENCE_MS), 0);
	assert_int_equal(resp.result, VDUSE_REQ_RESULT_OK);
}

/* The driver comes up with a new ring. */
static void
up(uint64_t features)
{
	struct vduse_dev_request status = { .type = VDUSE_SET_STATUS, .s.status = STATUS_UP };
	struct vduse_vq_info info = { .num = RING, .ready = 1 };
	struct vring_layout layout;
	unsigned int i;

	driver_init_shared(&driver, RING, features, 0);
	layout = driver_layout(&driver);
	info.desc_addr = layout.desc;
	info.driver_addr = layout.driver;
	info.device_addr = layout.device;
	if (features & BIT(VIRTIO_F_RING_PACKED)) {
		info.packed.last_avail_counter = 1;
		info.packed.last_used_counter = 1;
	}
	vduse_loopback_set_vq(loop, 0, &info);
	vduse_loopback_set_features(loop, features);
	vduse_loopback_regions_clear(loop);
	for (i = 0; i < driver.nb_regions; i++) {
		const struct driver_region *region = &driver.regions[i];

		assert_int_equal(vduse_loopback_region_add(loop, region->first,
							   region->first + region->size - 1, 0,
							   VDUSE_ACCESS_RW, region->fd),
				 0);
	}
	ask(status);
	ask(vduse_loopback_memory_changed());
}

static void
down(void)
{
	struct vduse_dev_request status = { .type = VDUSE_SET_STATUS, .s.status = 0 };

	ask(status);
	driver_free(&driver);
}

static void
create(const struct kind *kind)
{
	struct rte_vduse_blk_conf conf = {
		.size = sizeof(struct rte_vduse_blk_conf),
		.path = "/dev/vduse/unit0",
		.queues = 1,
		.queue_size = RING,
		.backend = kind->backend,
		.backend_args = "size=1M",
		.socket_id = SOCKET_ID_ANY,
		.packed = true,
	};
	char args[64];

	if (strcmp(kind->backend, "file") == 0) {
		snprintf(args, sizeof(args), "path=%s", image);
		conf.backend_args = args;
	}
	loop = vduse_loopback_new();
	assert_non_null(loop);
	vduse_loopback_set_features(loop, kind->features);
	assert_int_equal(create_blk_over(&conf, &vduse_transport_loopback, loop, &blk), 0);
	assert_int_equal(rte_vduse_blk_start(blk, RTE_VDUSE_ATTACH_NONE), 0);
}

/* Posts a request of one sector, or a flush, and kicks if the device asks for it. */
static void
post(uint32_t type, uint64_t sector, uint8_t byte)
{
	struct virtio_blk_outhdr header = { .type = type, .sector = sector };
	const uint16_t descs[] = { 0, 1, 2 };
	struct driver_part parts[3] = { { driver.data, sizeof(header), 0 } };
	uint16_t nb = 1;
	int fd;

	memcpy(driver_va(&driver, driver.data), &header, sizeof(header));
	if (type != VIRTIO_BLK_T_FLUSH) {
		memset(driver_va(&driver, driver.data + 1024), byte, SECTOR);
		parts[nb++] = (struct driver_part){ driver.data + 1024, SECTOR, 0 };
	}
	parts[nb++] = (struct driver_part){ driver.data + 2048, 1, VRING_DESC_F_WRITE };
	*(uint8_t *)driver_va(&driver, driver.data + 2048) = 0xaa;
	if (!driver_post_chain(&driver, descs, parts, nb))
		return;
	fd = vduse_loopback_kick_fd(loop, 0);
	assert_int_equal(eventfd_write(fd, 1), 0);
}

/* Fails the test if the request is not finished within a second. */
static void
take(uint32_t number)
{
	uint64_t end = rte_get_timer_cycles() + rte_get_timer_hz();
	uint32_t head, len;

	while (!driver_take(&driver, &head, &len)) {
		if (rte_get_timer_cycles() > end)
			fail_msg("request %u is not finished: a wake-up is lost", number);
		if (number % 2 == 0)
			sched_yield();
	}
	assert_int_equal(*(uint8_t *)driver_va(&driver, driver.data + 2048), VIRTIO_BLK_S_OK);
}

/* About as long as the other thread polls, so that it is about to sleep. */
static void
pause_us(void)
{
	uint64_t us = (uint64_t)rand() % (2 * IDLE_US);
	uint64_t end = rte_get_timer_cycles() + us * rte_get_timer_hz() / US_PER_S;

	while (rte_get_timer_cycles() < end)
		rte_pause();
}

/* Returns the number of requests. */
static uint32_t
drive(const struct kind *kind)
{
	uint64_t end = rte_get_timer_cycles() + SECONDS * rte_get_timer_hz();
	uint32_t i;

	for (i = 0; i < REQUESTS && rte_get_timer_cycles() < end; i++) {
		post(i % 4 == 3 ? VIRTIO_BLK_T_FLUSH : VIRTIO_BLK_T_OUT, i % 64, (uint8_t)i);
		if (i % EVERY == EVERY / 2)
			ask(vduse_loopback_memory_changed());
		take(i);
		pause_us();
		if (i % EVERY == EVERY - 1) {
			down();
			if (i % (2 * EVERY) == EVERY - 1)
				unit_sleep_ms(1);
			up(kind->features);
		}
	}
	return i;
}

static void
sleeps(void **state)
{
	const struct kind *kind = *state;
	uint32_t nb;

	if (strcmp(kind->backend, "file") == 0 && image_fd < 0)
		skip();
	create(kind);
	sleeper_start();
	up(kind->features);
	nb = drive(kind);
	down();
	sleeper_end();
	rte_vduse_blk_destroy(blk);
	vduse_loopback_free(loop);
	print_message("%s: %u requests, slept %u times, %u of them with requests in flight\n",
		      kind->backend, nb, sleeper.slept, sleeper.in_flight);
	assert_in_range(sleeper.slept, 10, UINT32_MAX);
	if (strcmp(kind->backend, "file") == 0)
		assert_in_range(sleeper.in_flight, 1, UINT32_MAX);
}

/* A backend that signals nothing keeps its thread polling, and nothing is to be done without a driver. */
static void
polls(void **state)
{
	const struct kind kind = { "fault", SPLIT };

	RTE_SET_USED(state);
	create(&kind);
	assert_int_equal(rte_vduse_blk_sleep(blk, 0), RTE_VDUSE_BLK_AWAKE);
	assert_false(rte_vduse_blk_park(blk, 0));
	assert_true(rte_vduse_blk_wake_fd(blk, 0) >= 0);
	assert_int_equal(rte_vduse_blk_sleep(blk, 0), RTE_VDUSE_BLK_SIGNALLED);
	assert_true(rte_vduse_blk_park(blk, 0));
	up(SPLIT);
	assert_int_equal(rte_vduse_blk_sleep(blk, 0), RTE_VDUSE_BLK_SIGNALLED);
	assert_true(rte_vduse_blk_park(blk, 0));
	vblk_fault_hold(blk->backend, true);
	post(VIRTIO_BLK_T_OUT, 0, 1);
	assert_int_equal(rte_vduse_blk_sleep(blk, 0), RTE_VDUSE_BLK_AWAKE);
	assert_false(rte_vduse_blk_park(blk, 0));
	assert_int_not_equal(rte_vduse_blk_poll(blk, 0), 0);
	assert_int_equal(rte_vduse_blk_sleep(blk, 0), RTE_VDUSE_BLK_AWAKE);
	assert_false(rte_vduse_blk_park(blk, 0));
	vblk_fault_hold(blk->backend, false);
	assert_int_not_equal(rte_vduse_blk_poll(blk, 0), 0);
	take(1);
	assert_int_equal(rte_vduse_blk_sleep(blk, 0), RTE_VDUSE_BLK_SIGNALLED);
	assert_true(rte_vduse_blk_park(blk, 0));
	down();
	rte_vduse_blk_destroy(blk);
	vduse_loopback_free(loop);
}

/* A thread that may sleep until a request in flight finishes may not leave its queue out. */
static void
parks(void **state)
{
	const struct kind kind = { "file", SPLIT };
	struct vblk_queue *queue;

	RTE_SET_USED(state);
	if (image_fd < 0)
		skip();
	create(&kind);
	queue = &blk->queues[0];
	assert_true(rte_vduse_blk_wake_fd(blk, 0) >= 0);
	up(SPLIT);
	(void)rte_vduse_blk_poll(blk, 0);
	assert_true(rte_vduse_blk_park(blk, 0));
	queue->in_flight = 1;
	assert_int_equal(rte_vduse_blk_sleep(blk, 0), RTE_VDUSE_BLK_SIGNALLED);
	assert_false(rte_vduse_blk_park(blk, 0));
	queue->in_flight = 0;
	assert_true(rte_vduse_blk_park(blk, 0));
	down();
	rte_vduse_blk_destroy(blk);
	vduse_loopback_free(loop);
}

int
main(void)
{
	static const struct kind kinds[] = {
		{ "ram", SPLIT },  { "ram", EVENTS },  { "ram", PACKED },
		{ "file", SPLIT }, { "file", PACKED },
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(polls),
		cmocka_unit_test(parks),
		{ "ram, split", sleeps, NULL, NULL, (void *)(uintptr_t)&kinds[0] },
		{ "ram, event indices", sleeps, NULL, NULL, (void *)(uintptr_t)&kinds[1] },
		{ "ram, packed", sleeps, NULL, NULL, (void *)(uintptr_t)&kinds[2] },
		{ "file, split", sleeps, NULL, NULL, (void *)(uintptr_t)&kinds[3] },
		{ "file, packed", sleeps, NULL, NULL, (void *)(uintptr_t)&kinds[4] },
	};
	int ret;

	if (unit_init() < 0)
		return 1;
#ifdef VBLK_HAVE_LIBURING
	image_fd = mkstemp(image);
	if (image_fd >= 0 && ftruncate(image_fd, 1 << 20) < 0)
		return 1;
#endif
	ret = unit_done(cmocka_run_group_tests(tests, NULL, NULL));
	if (image_fd >= 0)
		unlink(image);
	return ret;
}
