/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Creation and destruction of devices: names, arguments, errors without leaks. */
#include "create_over.h"
#include "loopback_dev.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_vduse_compat.h>

/* As long as a socket's may be. */
#define TEN      "0123456789"
#define PATH_107 "/" TEN TEN TEN TEN TEN TEN TEN TEN TEN TEN "012345"
static_assert(sizeof(PATH_107) == RTE_VDUSE_SOCKET_MAX, "the longest path is the longest path");

#define PATH_62 "/dev/vduse/a123456789b123456789c123456789d123456789e123456789f123456789gh"

static struct loopback_dev device;
static unsigned int wrong; /* what the control thread found wrong, atomic */

static void
test_path_name(void **state)
{
	static const char *const good[] = { "net0",
					    "a",
					    "A.b-c_9",
					    "...",
					    ".hidden",
					    "controls",
					    &(PATH_62 "i")[sizeof(RTE_VDUSE_PATH) - 1] };
	char path[128];
	size_t i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(good); i++) {
		snprintf(path, sizeof(path), "/dev/vduse/%s", good[i]);
		assert_non_null(rte_vduse_path_name(path));
		assert_string_equal(rte_vduse_path_name(path), good[i]);
	}
}

/* The last part of any other path that has a folder. */
static void
test_path_name_socket(void **state)
{
	static const char *const good[][2] = {
		{ "/run/x.sock", "x.sock" },
		{ "/x", "x" },
		{ "./a b", "a b" },
		{ "../y", "y" },
		{ "/dev/vduse2/net0", "net0" },
		{ "dev/vduse/net0", "net0" },
		{ "/run/vhost/control", "control" },
		{ PATH_107, &PATH_107[1] },
	};
	size_t i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(good); i++) {
		assert_true(rte_vduse_path_is_socket(good[i][0]));
		assert_string_equal(rte_vduse_path_name(good[i][0]), good[i][1]);
	}
	assert_false(rte_vduse_path_is_socket("/dev/vduse/net0"));
	assert_false(rte_vduse_path_is_socket("/dev/vduse/a/b"));
	assert_false(rte_vduse_path_is_socket("net0"));
}

static void
test_path_name_bad(void **state)
{
	static const char *const bad[] = {
		NULL,
		"",
		"/",
		"net0",
		"/dev/vduse",
		"/dev/vduse/",
		"/dev/vduse/control",
		"/dev/vduse/.",
		"/dev/vduse/..",
		"/dev/vduse/a/b",
		"/dev/vduse//net0",
		"/dev/vduse/net 0",
		"/dev/vduse/net0\n",
		"/dev/vduse/n\xc3\xa9t",
		"/dev/vduse/%s",
		PATH_62 "ij",
		"/run/",
		"/run/.",
		"/run/..",
		PATH_107 "x",
	};
	size_t i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(bad); i++)
		if (rte_vduse_path_name(bad[i]) != NULL)
			fail_msg("\"%s\" names a device", bad[i]);
}

/* Creation must fail with one line that names the device, and leave nothing. */
static void
refused(const struct rte_vduse_dev_conf *conf, const char *line)
{
	unsigned int fds = unit_fds();

	unit_log_clear();
	assert_int_equal(create_dev_over(conf, &vduse_transport_loopback, device.loop, &device.dev),
			 -EINVAL);
	assert_null(device.dev);
	assert_int_equal(unit_log_count(line), 1);
	assert_int_equal(unit_log_count(""), 1);
	assert_int_equal(unit_fds(), fds);
}

static void
test_create_bad_name(void **state)
{
	static const char *const bad[] = {
		NULL,
		"",
		"unit0",
		"/dev/vduse/control",
		"/dev/vduse/..",
		"/dev/vduse/a/b",
		"/dev/vduse/a b",
		PATH_62 "ij",
	};
	size_t i;

	RTE_SET_USED(state);
	memset(&device, 0, sizeof(device));
	device.loop = vduse_loopback_new();
	for (i = 0; i < RTE_DIM(bad); i++) {
		struct rte_vduse_dev_conf conf = loopback_dev_conf(&device);

		conf.path = bad[i];
		refused(&conf, "not the path of a device: use /dev/vduse/NAME");
	}
	vduse_loopback_free(device.loop);
}

static void
test_create_bad_size(void **state)
{
	static const uint16_t bad[] = { 0, 1, 3, 255, 257, 32769, 65535 };
	size_t i;

	RTE_SET_USED(state);
	memset(&device, 0, sizeof(device));
	device.loop = vduse_loopback_new();
	for (i = 0; i < RTE_DIM(bad); i++) {
		struct rte_vduse_dev_conf conf = loopback_dev_conf(&device);

		conf.vq_size = bad[i];
		refused(&conf, "unit0: queue size");
	}
	vduse_loopback_free(device.loop);
}

static void
test_create_bad_parts(void **state)
{
	struct rte_vduse_dev_conf conf, bad[3];
	size_t i;

	RTE_SET_USED(state);
	memset(&device, 0, sizeof(device));
	device.loop = vduse_loopback_new();
	conf = loopback_dev_conf(&device);
	for (i = 0; i < RTE_DIM(bad); i++)
		bad[i] = conf;
	bad[0].nb_vqs = 0;
	bad[1].ops = NULL;
	bad[2].config = NULL;
	for (i = 0; i < RTE_DIM(bad); i++)
		refused(&bad[i], "unit0: ");
	vduse_loopback_free(device.loop);
}

/* B21: a virtqueue that the kernel refuses leaves nothing that blocks the next attempt. */
static void
test_create_vq_refused(void **state)
{
	struct rte_vduse_dev_conf conf;
	unsigned int fds;

	RTE_SET_USED(state);
	memset(&device, 0, sizeof(device));
	device.loop = vduse_loopback_new();
	conf = loopback_dev_conf(&device);
	fds = unit_fds();
	unit_log_clear();
	vduse_loopback_refuse(device.loop, VDUSE_LOOPBACK_VQ_SETUP, -ENOSPC);
	assert_int_equal(
		create_dev_over(&conf, &vduse_transport_loopback, device.loop, &device.dev),
		-ENOSPC);
	assert_null(device.dev);
	assert_int_equal(unit_log_count("virtqueue 2 of size 256 refused: No space"), 1);
	assert_int_equal(unit_fds(), fds);
	vduse_loopback_refuse(device.loop, VDUSE_LOOPBACK_VQ_SETUP, 0);
	assert_int_equal(
		create_dev_over(&conf, &vduse_transport_loopback, device.loop, &device.dev), 0);
	loopback_dev_destroy(&device);
}

/* What a machine without VDUSE says; one with it creates the device. */
static void
test_create_in_kernel(void **state)
{
	struct rte_vduse_dev_conf conf = loopback_dev_conf(&device);
	unsigned int fds = unit_fds();
	int ret;

	RTE_SET_USED(state);
	if (access("/dev/vduse/control", F_OK) == 0)
		skip();
	unit_log_clear();
	device.dev = NULL;
	ret = rte_vduse_dev_create(&conf, &device.dev);
	assert_int_equal(ret, -ENOENT);
	assert_null(device.dev);
	assert_int_equal(unit_log_count(""), 1);
	assert_int_equal(unit_log_count("unit0: /dev/vduse/control is missing"), 1);
	assert_int_equal(unit_log_count("modprobe vduse"), 1);
	assert_int_equal(unit_fds(), fds);
}

static void
test_facts(void **state)
{
	struct rte_vduse_dev_stats stats;

	RTE_SET_USED(state);
	loopback_dev_start(&device);
	assert_string_equal(rte_vduse_dev_name(device.dev), "unit0");
	assert_int_equal(rte_vduse_dev_status(device.dev), 0);
	assert_int_equal(rte_vduse_dev_features(device.dev), 0);
	assert_null(rte_vduse_dev_vq(device.dev, LOOPBACK_DEV_VQS));
	assert_null(rte_vduse_dev_vq(device.dev, UINT16_MAX));
	assert_int_equal(device.vqs[1]->index, 1);
	memset(&stats, 0xff, sizeof(stats));
	rte_vduse_dev_stats(device.dev, &stats, sizeof(stats));
	assert_int_equal(stats.messages + stats.resets + stats.iotlb_updates + stats.regions, 0);
	assert_false(stats.broken);
	loopback_dev_destroy(&device);
}

static void
test_config_set(void **state)
{
	uint8_t config[64];

	RTE_SET_USED(state);
	loopback_dev_start(&device);
	assert_int_equal(rte_vduse_dev_config_set(device.dev, 62, "xy", 2), 0);
	vduse_loopback_config(device.loop, 0, config, sizeof(config));
	assert_memory_equal(config, "\1\2\3\0", 4);
	assert_memory_equal(config + 60, "\0\0xy", 4);
	assert_int_equal(rte_vduse_dev_config_set(device.dev, 0, "", 0), -EINVAL);
	assert_int_equal(rte_vduse_dev_config_set(device.dev, 63, "xy", 2), -EINVAL);
	assert_int_equal(rte_vduse_dev_config_set(device.dev, 65, "x", 1), -EINVAL);
	assert_int_equal(rte_vduse_dev_config_set(device.dev, UINT32_MAX, "xy", 2), -EINVAL);
	assert_int_equal(rte_vduse_dev_config_set(device.dev, 1, "x", UINT32_MAX), -EINVAL);
	loopback_dev_destroy(&device);
}

static void
get_never_started(int fd)
{
	struct rte_vduse_dev_conf conf = loopback_dev_conf(&device);

	RTE_SET_USED(fd);
	memset(&device, 0, sizeof(device));
	device.loop = vduse_loopback_new();
	assert_int_equal(
		create_dev_over(&conf, &vduse_transport_loopback, device.loop, &device.dev), 0);
}

static void
get_started(int fd)
{
	loopback_dev_start(&device);
	loopback_dev_region(&device, 0, PAGE, 0, PERM_RW, fd);
	loopback_dev_set_vq(&device, 0, 0, 256);
}

static void
get_running(int fd)
{
	get_started(fd);
	loopback_dev_up(&device);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_RUNNING);
}

static void
get_error(int fd)
{
	get_running(fd);
	assert_true(rte_vduse_vq_enter(device.vqs[0]));
	unit_log_clear();
	rte_vduse_vq_fail(device.vqs[0], "a test, bytes", 17);
	assert_int_equal(
		unit_log_count("the driver must reset the device: a test, bytes 17 (0x11)"), 1);
	rte_vduse_vq_leave(device.vqs[0]);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_ERROR);
	assert_int_equal(device.vqs[0]->faults, 1);
}

static void
get_suspended(int fd)
{
	get_started(fd);
	loopback_dev_set_vq(&device, 0, PAGE, 256);
	loopback_dev_up(&device);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_SUSPENDED);
}

/* The poller has left with a miss; what the control thread makes of it races with the end. */
static void
get_missed(int fd)
{
	get_running(fd);
	assert_true(loopback_dev_burst(&device, 0, 8 * PAGE, false));
}

static void
get_reset(int fd)
{
	get_running(fd);
	assert_true(loopback_dev_set_status(&device, 0));
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_IDLE);
}

static void
get_broken(int fd)
{
	get_running(fd);
	vduse_loopback_break(device.loop);
	loopback_dev_wait(&device, 0, RTE_VDUSE_VQ_IDLE);
}

/* The kernel's message is there, but has not been read yet. */
static void
get_asked(int fd)
{
	struct vduse_dev_request req = { .type = VDUSE_SET_STATUS };

	get_running(fd);
	assert_int_equal(vduse_loopback_send(device.loop, &req), 0);
}

static void
test_destroy(void **state)
{
	static void (*const get[])(int fd) = { get_never_started, get_started,   get_running,
					       get_error,         get_suspended, get_missed,
					       get_reset,         get_broken,    get_asked };
	size_t i;

	RTE_SET_USED(state);
	rte_vduse_dev_destroy(NULL);
	for (i = 0; i < RTE_DIM(get); i++) {
		unsigned int fds = unit_fds();
		int fd = unit_memfd("unit-destroy", PAGE);

		get[i](fd);
		loopback_dev_destroy(&device);
		close(fd);
		assert_int_equal(device.stops[0], device.starts[0]);
		assert_int_equal(unit_maps("unit-destroy"), 0);
		assert_int_equal(unit_fds(), fds);
	}
}

static pthread_t remover;
/* Both atomic. */
static bool removes;       /* the test is about to remove the device */
static bool remover_waits; /* and waits for the control thread */

int
__real_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);
int
__wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex);

/* In lib/vduse, a thread that asks the control thread for something waits here. */
int
__wrap_pthread_cond_wait(pthread_cond_t *cond, pthread_mutex_t *mutex)
{
	if (rte_atomic_load_explicit(&removes, rte_memory_order_relaxed) &&
	    pthread_equal(remover, pthread_self()))
		rte_atomic_store_explicit(&remover_waits, true, rte_memory_order_relaxed);
	return __real_pthread_cond_wait(cond, mutex);
}

static bool
does_remover_wait(void *arg)
{
	RTE_SET_USED(arg);
	return rte_atomic_load_explicit(&remover_waits, rte_memory_order_relaxed);
}

static void
on_status_call_back(struct loopback_dev *self, uint8_t status)
{
	struct rte_vduse_dev_stats stats;

	/* The reset is the last message: it ends while the test is in destroy. */
	if (rte_atomic_load_explicit(&removes, rte_memory_order_relaxed) &&
	    !unit_wait(does_remover_wait, NULL))
		rte_atomic_fetch_add_explicit(&wrong, 1, rte_memory_order_relaxed);
	rte_vduse_dev_stats(self->dev, &stats, sizeof(stats));
	if (rte_vduse_dev_status(self->dev) != status)
		rte_atomic_fetch_add_explicit(&wrong, 1, rte_memory_order_relaxed);
	if (rte_vduse_dev_config_set(self->dev, 0, &status, 1) != 0)
		rte_atomic_fetch_add_explicit(&wrong, 1, rte_memory_order_relaxed);
}

/* B16: callbacks may call back, and removal waits for them without a deadlock. */
static void
test_callbacks(void **state)
{
	struct vduse_dev_request req = { .type = VDUSE_SET_STATUS };
	int fd = unit_memfd("unit-callbacks", PAGE);
	uint8_t config = 0;

	RTE_SET_USED(state);
	loopback_dev_start(&device);
	loopback_dev_region(&device, 0, PAGE, 0, PERM_RW, fd);
	loopback_dev_set_vq(&device, 0, 0, 256);
	device.on_status = on_status_call_back;
	loopback_dev_up(&device);
	vduse_loopback_config(device.loop, 0, &config, 1);
	assert_int_equal(config, STATUS_UP);
	assert_false(pthread_equal(device.thread, pthread_self()));
	remover = pthread_self();
	rte_atomic_store_explicit(&removes, true, rte_memory_order_relaxed);
	assert_int_equal(vduse_loopback_send(device.loop, &req), 0);
	loopback_dev_destroy(&device);
	assert_int_equal(device.status, 0);
	assert_int_equal(device.stops[0], 1);
	assert_int_equal(wrong, 0);
	assert_true(does_remover_wait(NULL));
	rte_atomic_store_explicit(&removes, false, rte_memory_order_relaxed);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path_name),
		cmocka_unit_test(test_path_name_bad),
		cmocka_unit_test(test_path_name_socket),
		cmocka_unit_test(test_create_bad_name),
		cmocka_unit_test(test_create_bad_size),
		cmocka_unit_test(test_create_bad_parts),
		cmocka_unit_test(test_create_vq_refused),
		cmocka_unit_test(test_create_in_kernel),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_config_set),
		cmocka_unit_test(test_destroy),
		cmocka_unit_test(test_callbacks),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
