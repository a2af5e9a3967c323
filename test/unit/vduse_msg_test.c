/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Messages of the kernel: the effect of each, its timing, and that each is answered. */
#include "loopback_dev.h"

#include <string.h>

#include <rte_vduse_compat.h>

static struct loopback_dev device;
static int memory = -1;

/* A device with a page of memory and virtqueue 0 ready in it. */
static int
setup(void **state)
{
	RTE_SET_USED(state);
	memory = loopback_dev_begin(&device, "unit-msg", PAGE, 64, 256);
	unit_log_clear();
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_end(&device, memory);
	return 0;
}

static uint8_t
ask(struct vduse_dev_request *req, struct vduse_dev_response *resp)
{
	memset(resp, 0xff, sizeof(*resp));
	assert_int_equal(vduse_loopback_ask(device.loop, req, resp, UNIT_PATIENCE_MS), 0);
	return (uint8_t)resp->result;
}

/* Nothing is started or mapped before DRIVER_OK, and once after it. */
static void
test_status_sequence(void **state)
{
	static const uint8_t steps[] = { 0, 1, 3, STATUS_FEATURES };
	size_t i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(steps); i++) {
		assert_true(loopback_dev_set_status(&device, steps[i]));
		assert_int_equal(rte_vduse_dev_status(device.dev), steps[i]);
		assert_int_equal(device.status, steps[i]);
		assert_int_equal(unit_maps("unit-msg"), 0);
	}
	assert_int_equal(rte_vduse_dev_features(device.dev), LOOPBACK_DEV_FEATURES);
	assert_int_equal(device.starts[0], 0);
	assert_false(rte_vduse_vq_enter(device.vqs[0]));
	assert_true(loopback_dev_set_status(&device, STATUS_UP));
	loopback_dev_wait(&device, 0, RTE_VDUSE_VQ_RUNNING);
	assert_int_equal(device.desc[0], 64);
	assert_int_equal(unit_maps("unit-msg"), 1);
	assert_true(vduse_loopback_kick_fd(device.loop, 0) >= 0);
	assert_true(loopback_dev_set_status(&device, STATUS_UP));
	assert_int_equal(device.starts[0], 1);
	assert_int_equal(device.stops[0], 0);
}

static void
test_reset(void **state)
{
	struct rte_vduse_dev_stats stats;

	RTE_SET_USED(state);
	loopback_dev_up(&device);
	assert_true(loopback_dev_set_status(&device, 0));
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_IDLE);
	assert_int_equal(device.stops[0], 1);
	assert_int_equal(device.status, 0);
	assert_int_equal(rte_vduse_dev_features(device.dev), 0);
	assert_int_equal(unit_maps("unit-msg"), 0);
	assert_int_equal(vduse_loopback_kick_fd(device.loop, 0), -1);
	loopback_dev_up(&device);
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_RUNNING);
	rte_vduse_dev_stats(device.dev, &stats, sizeof(stats));
	assert_int_equal(stats.resets, 1);
	assert_int_equal(stats.messages, 7);
	assert_int_equal(stats.regions, 1);
}

/* A driver that takes DRIVER_OK back has gone, whatever else it leaves. */
static void
test_driver_ok_taken_back(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_up(&device);
	assert_true(loopback_dev_set_status(&device, STATUS_FEATURES));
	assert_int_equal(loopback_dev_state(&device, 0), RTE_VDUSE_VQ_IDLE);
	assert_int_equal(device.status, STATUS_FEATURES);
	assert_int_equal(unit_maps("unit-msg"), 0);
	assert_true(loopback_dev_set_status(&device, STATUS_UP));
	loopback_dev_wait(&device, 0, RTE_VDUSE_VQ_RUNNING);
}

/* A failed driver says so and stays: its virtqueues run until the reset. */
static void
test_status_failed(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_up(&device);
	assert_true(loopback_dev_set_status(&device, STATUS_UP | VIRTIO_CONFIG_S_FAILED));
	assert_int_equal(device.status, STATUS_UP | VIRTIO_CONFIG_S_FAILED);
	assert_int_equal(device.stops[0], 0);
	assert_int_equal(device.starts[0], 1);
}

static void
test_features_refused(void **state)
{
	RTE_SET_USED(state);
	vduse_loopback_set_features(device.loop, LOOPBACK_DEV_FEATURES | 4);
	assert_true(loopback_dev_set_status(&device, 3));
	assert_false(loopback_dev_set_status(&device, STATUS_FEATURES));
	assert_int_equal(unit_log_count("took features 0x4 that are not offered"), 1);
	assert_int_equal(rte_vduse_dev_features(device.dev), 0);
	assert_int_equal(device.status, 3);
	vduse_loopback_set_features(device.loop, UINT64_C(0x100000000));
	assert_true(loopback_dev_set_status(&device, STATUS_FEATURES));
	assert_int_equal(rte_vduse_dev_features(device.dev), UINT64_C(0x100000000));
}

/* Without FEATURES_OK there was no time to refuse: nothing runs. */
static void
test_features_never_checked(void **state)
{
	RTE_SET_USED(state);
	vduse_loopback_set_features(device.loop, 4);
	loopback_dev_set_status(&device, VIRTIO_CONFIG_S_DRIVER_OK);
	assert_true(loopback_dev_set_status(&device, VIRTIO_CONFIG_S_DRIVER_OK));
	assert_int_equal(unit_log_count("took features 0x4 that are not offered"), 1);
	assert_int_equal(device.starts[0], 0);
	assert_int_equal(unit_maps("unit-msg"), 0);
}

static void
test_vq_state(void **state)
{
	struct vduse_dev_request req = { .type = VDUSE_GET_VQ_STATE };
	struct vduse_dev_response resp;
	uint32_t i;

	RTE_SET_USED(state);
	for (i = 0; i < LOOPBACK_DEV_VQS; i++) {
		req.vq_state.index = i;
		assert_int_equal(ask(&req, &resp), VDUSE_REQ_RESULT_OK);
		assert_int_equal(resp.vq_state.index, i);
		assert_int_equal(resp.vq_state.split.avail_index, 100 + i);
	}
}

/* Both halves of a packed ring's position, to the kernel and from it. */
static void
test_vq_state_packed(void **state)
{
	const struct vduse_vq_state_packed there = { 1, 5, 0, 0x7fff };
	struct vduse_dev_request req = { .type = VDUSE_GET_VQ_STATE, .vq_state.index = 2 };
	struct vduse_vq_info info = { .index = 1, .num = 8, .ready = 1, .packed = there };
	struct vduse_dev_response resp;

	RTE_SET_USED(state);
	vduse_loopback_set_features(device.loop, LOOPBACK_DEV_FEATURES | LOOPBACK_DEV_PACKED);
	vduse_loopback_set_vq(device.loop, 1, &info);
	loopback_dev_up(&device);
	assert_int_equal(rte_atomic_load_explicit(&device.position[1], rte_memory_order_relaxed),
			 0x7fff8005);
	assert_int_equal(ask(&req, &resp), VDUSE_REQ_RESULT_OK);
	assert_int_equal(resp.vq_state.packed.last_avail_counter, 0);
	assert_int_equal(resp.vq_state.packed.last_avail_idx, 102);
	assert_int_equal(resp.vq_state.packed.last_used_counter, 1);
	assert_int_equal(resp.vq_state.packed.last_used_idx, 7);
}

static void
test_vq_state_no_vq(void **state)
{
	static const uint32_t bad[] = { LOOPBACK_DEV_VQS, 65535, 65536, 65537, UINT32_MAX };
	struct vduse_dev_request req = { .type = VDUSE_GET_VQ_STATE };
	struct vduse_dev_response resp;
	size_t i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(bad); i++) {
		req.vq_state.index = bad[i];
		assert_int_equal(ask(&req, &resp), VDUSE_REQ_RESULT_FAILED);
	}
	assert_int_equal(unit_log_count("unit0: asked for the state of virtqueue"), RTE_DIM(bad));
}

/* The kernel refuses answers whose reserved bytes are not zero, and its caller then waits. */
static void
test_unknown(void **state)
{
	static const uint32_t unknown[] = { 6, 255, UINT32_MAX };
	static const uint32_t zero[RTE_DIM(((struct vduse_dev_response *)0)->reserved)];
	struct vduse_dev_response resp;
	size_t i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(unknown); i++) {
		struct vduse_dev_request req = { .type = unknown[i] };

		assert_int_equal(ask(&req, &resp), VDUSE_REQ_RESULT_FAILED);
		assert_memory_equal(resp.reserved, zero, sizeof(zero));
	}
	assert_int_equal(unit_log_count("unit0: message of unknown type"), RTE_DIM(unknown));
}

/* virtio-vdpa maps before the driver is up: there is nothing to do yet. */
static void
test_update_before_driver(void **state)
{
	struct rte_vduse_dev_stats stats;

	RTE_SET_USED(state);
	assert_true(loopback_dev_set_status(&device, STATUS_FEATURES));
	loopback_dev_update(&device);
	assert_int_equal(vduse_loopback_walks(device.loop), 0);
	assert_int_equal(unit_maps("unit-msg"), 0);
	rte_vduse_dev_stats(device.dev, &stats, sizeof(stats));
	assert_int_equal(stats.iotlb_updates, 1);
}

/* B14: virtqueues that the driver enables after DRIVER_OK, one after the other. */
static void
test_late_vqs(void **state)
{
	RTE_SET_USED(state);
	loopback_dev_up(&device);
	assert_int_equal(loopback_dev_state(&device, 1), RTE_VDUSE_VQ_IDLE);
	assert_int_equal(loopback_dev_state(&device, 2), RTE_VDUSE_VQ_IDLE);
	assert_true(rte_vduse_vq_enter(device.vqs[0])); /* the others need no waiting */
	rte_vduse_vq_leave(device.vqs[0]);
	loopback_dev_set_vq(&device, 2, 128, 64);
	loopback_dev_wait(&device, 2, RTE_VDUSE_VQ_RUNNING);
	assert_int_equal(device.desc[2], 128);
	assert_int_equal(loopback_dev_state(&device, 1), RTE_VDUSE_VQ_IDLE);
	unit_sleep_ms(300); /* by now it looks seldom */
	loopback_dev_set_vq(&device, 1, 192, 64);
	loopback_dev_wait(&device, 1, RTE_VDUSE_VQ_RUNNING);
	assert_int_equal(device.starts[0] + device.starts[1] + device.starts[2], 3);
}

static uint8_t
set_ready(uint32_t num, uint32_t ready)
{
	struct vduse_dev_request req = { .type = VDUSE_SET_VQ_READY,
					 .vq_ready = { .num = num, .ready = ready } };
	struct vduse_dev_response resp;

	return ask(&req, &resp);
}

/* A message starts a late virtqueue, and only that: there is no look for it. */
static void
test_ready(void **state)
{
	static const uint32_t bad[] = { LOOPBACK_DEV_VQS, 65535, 65536, 65537, UINT32_MAX };
	size_t i;

	RTE_SET_USED(state);
	device.dev->tells_ready = true; /* no driver is up: nobody reads it */
	assert_int_equal(set_ready(0, 1), VDUSE_REQ_RESULT_OK);
	assert_int_equal(loopback_dev_counted(&device.starts[0]), 0);
	loopback_dev_up(&device);
	for (i = 0; i < RTE_DIM(bad); i++)
		assert_int_equal(set_ready(bad[i], 1), VDUSE_REQ_RESULT_FAILED);
	assert_int_equal(set_ready(1, 1), VDUSE_REQ_RESULT_OK);
	assert_int_equal(loopback_dev_state(&device, 1), RTE_VDUSE_VQ_IDLE);
	loopback_dev_set_vq(&device, 1, 128, 64);
	for (i = 0; i < 20; i++)
		unit_ctrl_turn();
	assert_int_equal(loopback_dev_state(&device, 1), RTE_VDUSE_VQ_IDLE);
	assert_int_equal(set_ready(1, 1), VDUSE_REQ_RESULT_OK);
	assert_int_equal(loopback_dev_state(&device, 1), RTE_VDUSE_VQ_RUNNING);
	assert_int_equal(set_ready(1, 1), VDUSE_REQ_RESULT_OK);
	assert_int_equal(loopback_dev_counted(&device.starts[1]), 1);
	/* The kernel says that it is ready until the answer. */
	assert_int_equal(set_ready(1, 0), VDUSE_REQ_RESULT_OK);
	assert_int_equal(loopback_dev_state(&device, 1), RTE_VDUSE_VQ_IDLE);
	assert_int_equal(loopback_dev_counted(&device.stops[1]), 1);
}

/* Linux 7.3 says in VQ_GET_INFO that a virtqueue is ready only after the answer. */
static void
test_ready_after_answer(void **state)
{
	struct vduse_vq_info info = { .index = 1, .num = 64, .desc_addr = 128 };

	RTE_SET_USED(state);
	device.dev->tells_ready = true; /* no driver is up: nobody reads it */
	loopback_dev_up(&device);
	vduse_loopback_set_vq(device.loop, 1, &info);
	assert_int_equal(set_ready(1, 1), VDUSE_REQ_RESULT_OK);
	assert_int_equal(loopback_dev_state(&device, 1), RTE_VDUSE_VQ_RUNNING);
	assert_int_equal(device.desc[1], 128);
	assert_int_equal(set_ready(1, 0), VDUSE_REQ_RESULT_OK);
	assert_int_equal(loopback_dev_state(&device, 1), RTE_VDUSE_VQ_IDLE);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_status_sequence, setup, teardown),
		cmocka_unit_test_setup_teardown(test_reset, setup, teardown),
		cmocka_unit_test_setup_teardown(test_driver_ok_taken_back, setup, teardown),
		cmocka_unit_test_setup_teardown(test_status_failed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_features_refused, setup, teardown),
		cmocka_unit_test_setup_teardown(test_features_never_checked, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vq_state, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vq_state_packed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_vq_state_no_vq, setup, teardown),
		cmocka_unit_test_setup_teardown(test_unknown, setup, teardown),
		cmocka_unit_test_setup_teardown(test_update_before_driver, setup, teardown),
		cmocka_unit_test_setup_teardown(test_late_vqs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ready, setup, teardown),
		cmocka_unit_test_setup_teardown(test_ready_after_answer, setup, teardown),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
