/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * GET_VRING_BASE to a disk on a socket that holds requests. A client that keeps an inflight buffer finds
 * them again when it starts the ring, unless it is migrated; one that keeps none gets errors at once.
 * Input: a backend that fails. Output: each request is used once, and the message is answered.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_memory.h>

#include <vduse/core/device.h>
#include <virtio_blk/backend/fault.h>
#include <virtio_blk/blk.h>

#include "poller.h"
#include "vhost_client.h"
#include "vring_driver.h"

#define RING      16u
#define REQUESTS  4u
#define SECTOR    512u
#define BIT(name) (UINT64_C(1) << (name))

static char dir[64], path[96];
static uint8_t bits[1u << 18];
static struct rte_vduse_blk *blk;
static struct poller poller;
static struct driver driver;
static int client;
static unsigned int nb_used, nb_errors;

static void
poll_once(void)
{
	(void)rte_vduse_blk_poll(blk, 0);
}

static void
set(uint32_t type, uint64_t value)
{
	assert_int_equal(vhost_client_ask(client, type, value, 8, true), 0);
}

static uint64_t
get_base(void)
{
	return vhost_client_ask(client, MSG_GET_VRING_BASE, 0, 8, false) >> 32;
}

static void
set_ring(uint64_t base)
{
	const struct vring_layout layout = driver_layout(&driver);
	struct vhost_user_msg msg;

	set(MSG_SET_VRING_NUM, (uint64_t)RING << 32);
	set(MSG_SET_VRING_BASE, base << 32);
	msg = vhost_client_msg(MSG_SET_VRING_ADDR, 0, sizeof(msg.payload.addresses), true);
	msg.payload.addresses.desc = VHOST_CLIENT_USER + layout.desc;
	msg.payload.addresses.driver = VHOST_CLIENT_USER + layout.driver;
	msg.payload.addresses.device = VHOST_CLIENT_USER + layout.device;
	vhost_client_send(client, &msg, 0, -1);
	assert_int_equal(vhost_client_answer(client, MSG_SET_VRING_ADDR), 0);
	set(MSG_SET_VRING_KICK, 1u << 8);
	set(MSG_SET_VRING_ENABLE, UINT64_C(1) << 32);
}

/* The device keeps its own descriptor of what it gives, which is enough for one connection. */
static void
get_inflight(void)
{
	struct vhost_user_msg msg =
		vhost_client_msg(MSG_GET_INFLIGHT_FD, 0, sizeof(msg.payload.inflight), false);
	const ssize_t size = VHOST_USER_MSG_HEAD + sizeof(msg.payload.inflight);

	msg.payload.inflight.nb_queues = 1;
	msg.payload.inflight.queue_size = RING;
	vhost_client_send(client, &msg, 0, -1);
	assert_int_equal(recv(client, &msg, (size_t)size, MSG_WAITALL), size);
}

static void
begin(bool inflight)
{
	const struct rte_vduse_blk_conf conf = {
		.size = sizeof(conf),
		.path = path,
		.queues = 1,
		.queue_size = RING,
		.backend = "fault",
		.backend_args = "under=ram,size=64K",
		.socket_id = SOCKET_ID_ANY,
		.inflight = true,
		.on_error = RTE_VDUSE_BLK_ON_ERROR_WAIT,
	};
	struct vhost_user_msg msg;
	unsigned int i;

	driver_init_shared(&driver, RING, BIT(VIRTIO_F_VERSION_1), 0);
	nb_used = 0;
	nb_errors = 0;
	assert_int_equal(rte_vduse_blk_create(&conf, &blk), 0);
	assert_int_equal(rte_vduse_blk_start(blk, RTE_VDUSE_ATTACH_NONE), 0);
	poller_start(&poller, poll_once);
	client = vhost_client_connect(path);
	set(MSG_SET_FEATURES, driver.features | BIT(MSG_F_PROTOCOL_FEATURES));
	if (inflight)
		get_inflight();
	for (i = 0; i < driver.nb_regions; i++) {
		msg = vhost_client_slot(MSG_ADD_MEM_REG, driver.regions[i].first,
					driver.regions[i].size);
		vhost_client_send(client, &msg, 1, driver.regions[i].fd);
		assert_int_equal(vhost_client_answer(client, MSG_ADD_MEM_REG), 0);
	}
	set_ring(0);
}

static void
end(void)
{
	close(client);
	rte_vduse_blk_stop(blk);
	poller_end(&poller);
	rte_vduse_blk_destroy(blk);
	driver_free(&driver);
}

static void
post_all(void)
{
	uint16_t id;

	for (id = 0; id < REQUESTS; id++) {
		const uint16_t descs[] = { (uint16_t)(3 * id), (uint16_t)(3 * id + 1),
					   (uint16_t)(3 * id + 2) };
		const uint64_t room = driver.data + id * UINT64_C(4096);
		const struct virtio_blk_outhdr header = { .type = VIRTIO_BLK_T_OUT, .sector = id };
		const struct driver_part parts[] = {
			{ room, sizeof(header), 0 },
			{ room + 1024, SECTOR, 0 },
			{ room + 2048, 1, VRING_DESC_F_WRITE },
		};

		memcpy(driver_va(&driver, room), &header, sizeof(header));
		(void)driver_post_chain(&driver, descs, parts, 3);
	}
}

static bool
all_used(void *arg)
{
	uint32_t head, len;

	RTE_SET_USED(arg);
	for (; driver_take(&driver, &head, &len); nb_used++)
		nb_errors +=
			*(uint8_t *)driver_va(&driver, driver.data + head / 3 * UINT64_C(4096) +
							       2048) != VIRTIO_BLK_S_OK;
	return nb_used == REQUESTS;
}

static uint64_t
held(void)
{
	struct rte_vduse_blk_stats stats;

	rte_vduse_blk_stats(blk, 0, &stats, sizeof(stats));
	return stats.held;
}

static bool
all_held(void *arg)
{
	RTE_SET_USED(arg);
	return held() == REQUESTS;
}

/* All are with the backend before the first one fails. */
static void
fail_all(void)
{
	vblk_fault_fail(blk->backend, RTE_VDUSE_BLK_WRITE, -ENOSPC, REQUESTS);
	vblk_fault_hold(blk->backend, true);
	post_all();
	poller_wait(&poller, 10);
	assert_int_equal(vblk_fault_held(blk->backend), REQUESTS);
	vblk_fault_hold(blk->backend, false);
}

/* The client stops the ring and goes on with it: the device repeats what it held. */
static void
stopped(void **state)
{
	uint64_t base;

	RTE_SET_USED(state);
	begin(true);
	fail_all();
	assert_true(unit_wait(all_held, NULL));
	base = get_base();
	assert_int_equal(base, REQUESTS);
	assert_false(all_used(NULL));
	assert_int_equal(nb_used, 0);
	set_ring(base);
	assert_int_equal(rte_vduse_blk_go_on(blk), 0);
	assert_true(unit_wait(all_used, NULL));
	assert_int_equal(nb_errors, 0);
	end();
}

static void
mark_va(const struct vring_log *log, void *arg, const uint8_t *va, uint64_t len)
{
	RTE_SET_USED(log);
	RTE_SET_USED(arg);
	RTE_SET_USED(va);
	RTE_SET_USED(len);
}

static const struct vring_log dirty = {
	.bits = bits,
	.nb_pages = 8 * sizeof(bits),
	.mark_va = mark_va,
};

/* The inflight buffer stays here: the position says that all are used. */
static void
migrated(void **state)
{
	RTE_SET_USED(state);
	begin(true);
	fail_all();
	assert_true(unit_wait(all_held, NULL));
	vduse_vq_log(rte_vduse_dev_vq(rte_vduse_blk_dev(blk), 0), &dirty, UINT64_MAX);
	vblk_fault_fail(blk->backend, RTE_VDUSE_BLK_WRITE, -ENOSPC, 1);
	assert_int_equal(get_base(), REQUESTS);
	assert_true(all_used(NULL));
	assert_int_equal(nb_errors, 1);
	end();
}

static void
without_inflight(void **state)
{
	RTE_SET_USED(state);
	begin(false);
	fail_all();
	assert_true(unit_wait(all_used, NULL));
	assert_int_equal(nb_errors, REQUESTS);
	assert_int_equal(held(), 0);
	assert_int_equal(rte_vduse_blk_held(blk), 0);
	assert_int_equal(get_base(), REQUESTS);
	end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stopped),
		cmocka_unit_test(migrated),
		cmocka_unit_test(without_inflight),
	};
	int failed;

	strcpy(dir, "/tmp/unit-blk-hold-XXXXXX");
	if (unit_init() < 0 || mkdtemp(dir) == NULL)
		return EXIT_FAILURE;
	setenv("DPDK_VDUSE_RUN_DIR", dir, 1);
	snprintf(path, sizeof(path), "%s/socket", dir);
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	(void)rmdir(dir);
	return unit_done(failed);
}
