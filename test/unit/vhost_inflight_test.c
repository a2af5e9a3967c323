/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * An application that marks its requests is killed at every step of a request, and started again:
 * it gets exactly the requests that were in flight. The test simulates a kill by restoring the
 * state file and reporting a left-over device.
 */
#include "vhost_app.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <stdio.h>
#include <unistd.h>

#include <vhost/vhost.h>

#define SIZE 64
#define UP   "new_device vring0+ vring1+"

static uint8_t kept[1 << 16];
static ssize_t kept_size;

static const char *
path(void)
{
	static char name[128];

	snprintf(name, sizeof(name), "%s/unit0.state", vhost_app_run_dir);
	return name;
}

static bool
is_started(void *arg)
{
	bool started;

	RTE_SET_USED(arg);
	vhost_lock();
	started = vhost_dev_get(APP_VID)->life == VHOST_DEV_STARTED;
	vhost_unlock();
	return started;
}

/* used: the used index that the driver's rings show. */
static void
start(uint16_t used)
{
	vhost_app_register(SIZE, NET_PLAIN, 0);
	assert_int_equal(rte_vhost_driver_set_features(APP_PATH, NET_PLAIN), 0);
	vhost_app.driver.begin = used;
	vhost_app_start();
	vhost_app_told("new_connection");
	/* A device that was taken over is asked whether its driver is up; here it comes later. */
	assert_true(unit_wait(is_started, NULL));
	loopback_net_up(&vhost_app.driver);
	loopback_net_send(&vhost_app.driver, 0, 100);
	vhost_app_told(UP);
}

/* What a kill leaves. */
static void
die(void)
{
	int fd = open(path(), O_RDONLY);

	assert_true(fd >= 0);
	kept_size = read(fd, kept, sizeof(kept));
	assert_true(kept_size > 0);
	close(fd);
	vhost_app_end();
}

static void
write_kept(void)
{
	int fd;

	assert_true(mkdir(vhost_app_run_dir, 0700) == 0 || errno == EEXIST);
	fd = open(path(), O_RDWR | O_CREAT | O_TRUNC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, kept, (size_t)kept_size), kept_size);
	close(fd);
}

static void
live_again(uint16_t used)
{
	write_kept();
	loopback_net_taken_over = true;
	start(used);
	loopback_net_taken_over = false;
}

/* These, in this order, are to be done once more. */
static void
left(const uint16_t *descs, uint16_t nb, uint16_t used)
{
	struct rte_vhost_ring_inflight ring;
	uint16_t avail_base, used_base, i;

	assert_int_equal(rte_vhost_get_vhost_ring_inflight(APP_VID, NET_TX, &ring), 0);
	assert_int_equal(ring.resubmit_inflight->resubmit_num, nb);
	for (i = 0; i < nb; i++)
		assert_int_equal(ring.resubmit_inflight->resubmit_list[i].index, descs[i]);
	assert_int_equal(rte_vhost_get_vring_base(APP_VID, NET_TX, &avail_base, &used_base), 0);
	assert_int_equal(used_base, used);
	assert_int_equal(avail_base, (uint16_t)(used + nb));
}

static void
take(uint16_t desc)
{
	assert_int_equal(rte_vhost_set_inflight_desc_split(APP_VID, NET_TX, desc), 0);
}

/* How far the completion of a request came. */
enum step { STEP_NONE, STEP_LAST, STEP_USED, STEP_CLEARED };

static void
killed_at(enum step step, uint16_t used, const uint16_t *descs, uint16_t nb)
{
	struct rte_vhost_vring vring;

	start(0);
	left(NULL, 0, 0);
	take(9);
	take(1);
	take(30);
	assert_int_equal(rte_vhost_get_vhost_vring(APP_VID, NET_TX, &vring), 0);
	if (step >= STEP_LAST)
		assert_int_equal(rte_vhost_set_last_inflight_io_split(APP_VID, NET_TX, 1), 0);
	if (step >= STEP_USED)
		vring.used->idx = 1;
	if (step >= STEP_CLEARED)
		assert_int_equal(rte_vhost_clr_inflight_desc_split(APP_VID, NET_TX, 1, 1), 0);
	die();
	live_again(used);
	left(descs, nb, used);
	/* Requests taken now come after these. */
	take(2);
	die();
	live_again(used);
	{
		uint16_t more[4];

		memcpy(more, descs, nb * sizeof(more[0]));
		more[nb] = 2;
		left(more, (uint16_t)(nb + 1), used);
	}
	vhost_app_end();
}

static void
test_killed(void **state)
{
	static const uint16_t all[] = { 9, 1, 30 }, rest[] = { 9, 30 };

	RTE_SET_USED(state);
	killed_at(STEP_NONE, 0, all, 3);
	killed_at(STEP_LAST, 0, all, 3);
	killed_at(STEP_USED, 1, rest, 2);
	killed_at(STEP_CLEARED, 1, rest, 2);
}

/* A driver that resets the device has nothing in flight; nor has a device that is new. */
static void
test_reset(void **state)
{
	RTE_SET_USED(state);
	start(0);
	take(9);
	loopback_net_reset(&vhost_app.driver);
	vhost_app_told("destroy_device");
	loopback_net_up(&vhost_app.driver);
	loopback_net_send(&vhost_app.driver, 0, 100);
	vhost_app_told(UP);
	left(NULL, 0, 0);
	take(9);
	vhost_app_end();
	assert_int_equal(access(path(), F_OK), -1);
	start(0);
	left(NULL, 0, 0);
	vhost_app_end();
}

/* A file that is of no use says so, and counts for nothing. */
static void
useless(const char *why)
{
	unit_log_clear();
	live_again(0);
	assert_int_equal(unit_log_count(why), 1);
	left(NULL, 0, 0);
	vhost_app_end();
}

/* One that another version wrote may be of use to that: nothing is started, and it stays. */
static void
refused(const char *why)
{
	struct stat st;

	unit_log_clear();
	vhost_app_register(SIZE, NET_PLAIN, 0);
	write_kept();
	loopback_net_taken_over = true;
	assert_int_equal(rte_vhost_driver_set_features(APP_PATH, NET_PLAIN), 0);
	assert_int_equal(rte_vhost_driver_start(APP_PATH), -1);
	loopback_net_taken_over = false;
	assert_int_equal(unit_log_count(why), 1);
	assert_int_equal(stat(path(), &st), 0);
	assert_int_equal(st.st_size, (off_t)kept_size);
	assert_int_equal(unlink(path()), 0);
	vhost_app_end();
}

static void
test_useless(void **state)
{
	uint8_t byte;

	RTE_SET_USED(state);
	start(0);
	take(9);
	die();
	kept_size--;
	useless("it is cut off");
	kept_size = 20;
	useless("it is not a state file");
	kept_size = 0;
	useless("there was none");
	start(0);
	take(9);
	die();
	kept[8]++;
	refused("another version of this program");
	kept[8]--;
	byte = kept[12]++;
	useless("it is of another device");
	kept[12] = byte;
	kept[0] = 'x';
	useless("it is not a state file");
	kept[0] = 'v';
	live_again(0);
	left((const uint16_t[]){ 9 }, 1, 0);
	vhost_app_end();
}

/* Neither a virtqueue nor a descriptor that is none; and a file that lies. */
static void
test_hostile(void **state)
{
	struct rte_vhost_ring_inflight ring;

	RTE_SET_USED(state);
	start(0);
	assert_int_equal(rte_vhost_get_vhost_ring_inflight(APP_VID, 2, &ring), -1);
	assert_int_equal(rte_vhost_get_vhost_ring_inflight(APP_VID, NET_TX, NULL), -1);
	assert_int_equal(rte_vhost_set_inflight_desc_split(APP_VID, NET_TX, SIZE), -1);
	assert_int_equal(rte_vhost_set_inflight_desc_split(APP_VID, 2, 0), -1);
	assert_int_equal(rte_vhost_set_last_inflight_io_split(APP_VID, NET_TX, SIZE), -1);
	assert_int_equal(rte_vhost_clr_inflight_desc_split(APP_VID, NET_TX, 0, SIZE), -1);
	assert_int_equal(rte_vhost_get_vhost_ring_inflight(APP_VID, NET_TX, &ring), 0);
	ring.inflight_split->desc_num = UINT16_MAX;
	ring.inflight_split->last_inflight_io = UINT16_MAX;
	ring.inflight_split->used_idx = 77;
	die();
	live_again(0);
	left(NULL, 0, 0);
	vhost_app_end();
}

/* Where there is no place for a file, nothing is marked, and the rest works. */
static void
test_no_file(void **state)
{
	struct rte_vhost_ring_inflight ring;

	RTE_SET_USED(state);
	vhost_app_register(SIZE, NET_PLAIN, 0);
	setenv("DPDK_VDUSE_RUN_DIR", "/proc/none/such", 1);
	unit_log_clear();
	assert_int_equal(rte_vhost_driver_set_features(APP_PATH, NET_PLAIN), 0);
	vhost_app_start();
	assert_int_equal(unit_log_count("state file"), 1);
	vhost_app_told("new_connection");
	loopback_net_up(&vhost_app.driver);
	loopback_net_send(&vhost_app.driver, 0, 100);
	vhost_app_told(UP);
	assert_int_equal(rte_vhost_get_vhost_ring_inflight(APP_VID, NET_TX, &ring), -1);
	assert_int_equal(rte_vhost_set_inflight_desc_split(APP_VID, NET_TX, 0), -1);
	vhost_app_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_killed),  cmocka_unit_test(test_reset),
		cmocka_unit_test(test_useless), cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_no_file),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
