/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A driver suspends a network device while a thread polls it: after the answer nothing is taken or
 * interrupts, and the position is that of the driver's own count. A device that starts there serves
 * the rest, each chain once.
 * Input: both directions, split and packed rings. Output: positions.
 */
#include "loopback_world.h"
#include "poller.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#define BEFORE 100u /* chains that are used before, at least: the ring turns */

#define BIT(nr) (UINT64_C(1) << (nr))
#define SPLIT                                                                                      \
	(BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ACCESS_PLATFORM) |                                 \
	 BIT(VIRTIO_RING_F_INDIRECT_DESC) | BIT(VIRTIO_NET_F_MRG_RXBUF))
#define PACKED (SPLIT | BIT(VIRTIO_F_RING_PACKED))

#define STATUS_UP                                                                                  \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK |      \
	 VIRTIO_CONFIG_S_DRIVER_OK)

static char run_dir[] = "/tmp/vduse-unit-XXXXXX";
static struct poller poller;

static void
poll_burst(void)
{
	world_poll(BURST);
}

/* The driver sends and takes, until so many chains have come back. */
static bool
has_taken(void *arg)
{
	const uint32_t *until = arg;

	world_send(UINT32_MAX);
	world_receive();
	return world->taken >= *until;
}

/* The driver's place: the number of the next chain to be used, modulo what the format counts. */
static uint16_t
driver_place(void)
{
	return world_is_packed() ? (uint16_t)world->driver.packed.seen : world->driver.seen;
}

static void
check_position(void)
{
	struct vduse_dev_request req = { .type = VDUSE_GET_VQ_STATE,
					 .vq_state.index = world->queue };
	struct vduse_dev_response resp;
	uint16_t place = driver_place();

	assert_int_equal(vduse_loopback_ask(world_loop, &req, &resp, UNIT_PATIENCE_MS), 0);
	assert_int_equal(resp.result, VDUSE_REQ_RESULT_OK);
	if (!world_is_packed()) {
		assert_int_equal(resp.vq_state.split.avail_index, place);
		assert_int_equal(place, (uint16_t)world->taken);
		return;
	}
	assert_int_equal(resp.vq_state.packed.last_avail_idx, place % RING);
	assert_int_equal(resp.vq_state.packed.last_avail_counter, place < RING);
	assert_int_equal(resp.vq_state.packed.last_used_idx, place % RING);
	assert_int_equal(resp.vq_state.packed.last_used_counter, place < RING);
}

/* There are chains to take, and a poller that would. */
static void
check_stands(void)
{
	uint64_t calls = vduse_loopback_calls(world_loop, world->queue);
	uint32_t taken = world->taken;

	world_send(UINT32_MAX);
	poller_wait(&poller, 2);
	world_device_ask(vduse_loopback_memory_changed());
	poller_wait(&poller, 2);
	world_receive();
	assert_int_equal(world->taken, taken);
	assert_int_equal(vduse_loopback_calls(world_loop, world->queue), calls);
	assert_int_equal(world_device_state(), RTE_VDUSE_VQ_SUSPENDED);
	check_position();
}

static void
suspend_and_continue(void)
{
	struct vduse_dev_request status = { .type = VDUSE_SET_STATUS, .s.status = 0 };
	struct vduse_dev_request suspend = { .type = VDUSE_SUSPEND };
	uint32_t until = world->taken + BEFORE;

	assert_true(unit_wait(has_taken, &until));
	world_send(UINT32_MAX);
	world_device_ask(suspend);
	world_receive();
	check_position();
	check_stands();
	world_device_ask(suspend);
	check_stands();
	world_device_ask(status);
	world_device_set_vq(driver_place());
	status.s.status = STATUS_UP;
	world_device_ask(status);
	world_device_ask(vduse_loopback_memory_changed());
	until = world->taken + BEFORE;
	assert_true(unit_wait(has_taken, &until));
}

static void
suspend(uint16_t queue, uint64_t features)
{
	unsigned int i;

	world_begin(queue, features, 0);
	poller_start(&poller, poll_burst);
	for (i = 0; i < 8; i++)
		suspend_and_continue();
	poller_end(&poller);
	world_receive();
	assert_int_equal(queue == RX ? world->received : world->taken, world->polled);
	world_device_destroy();
	world_end();
}

static void
receive_split(void **state)
{
	RTE_SET_USED(state);
	suspend(RX, SPLIT);
}

static void
receive_packed(void **state)
{
	RTE_SET_USED(state);
	suspend(RX, PACKED);
}

static void
send_split(void **state)
{
	RTE_SET_USED(state);
	suspend(TX, SPLIT);
}

static void
send_packed(void **state)
{
	RTE_SET_USED(state);
	suspend(TX, PACKED);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(receive_split),
		cmocka_unit_test(receive_packed),
		cmocka_unit_test(send_split),
		cmocka_unit_test(send_packed),
	};
	int failed;

	if (unit_init() < 0 || mkdtemp(run_dir) == NULL)
		return EXIT_FAILURE;
	setenv("DPDK_VDUSE_RUN_DIR", run_dir, 1);
	world_pool = rte_pktmbuf_pool_create("suspend", 255, 0, 0, RTE_PKTMBUF_HEADROOM + LEN_MAX,
					     SOCKET_ID_ANY);
	failed = world_pool == NULL || cmocka_run_group_tests(tests, NULL, NULL) != 0;
	(void)rmdir(run_dir);
	return unit_done(failed);
}
