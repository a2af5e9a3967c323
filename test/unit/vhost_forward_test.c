/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Functions for paths or ids that are not VDUSE devices call the function of the same name in
 * librte_vhost with the same arguments. If librte_vhost does not have it, the call fails. For VDUSE
 * devices, unsupported functions are refused and not forwarded.
 */
#include "vhost_app.h"

#include <errno.h>
#include <string.h>

#include <rte_vhost_async.h>
#include <rte_vhost_crypto.h>

#include <vhost/vhost.h>

/* What every call is given. */
#define PATH    "/run/not-ours"
#define VID     3
#define QUEUE   5
#define FIRST   7
#define SECOND  11
#define DMA     2
#define CHANNEL 1
#define COUNT   9
/* The return value of every librte_vhost function here; this library does not use it. */
#define ANSWER 29

static struct rte_mbuf *mbufs[COUNT];
static uint64_t wide[2];
static uint32_t number;
static uint16_t positions[2];
static uint16_t mtu;
static int in_flight;
static char name[32];
static struct rte_vhost_vring vring;
static struct rte_vhost_power_monitor_cond condition;
/* Never read: addresses that are compared. */
static struct rte_mempool *const pool = (struct rte_mempool *)(uintptr_t)0x1000;
static struct rte_vdpa_device *const vdpa = (struct rte_vdpa_device *)(uintptr_t)0x2000;
static unsigned int called;

static int
of_vid(int vid)
{
	called++;
	assert_int_equal(vid, VID);
	return ANSWER;
}

static int
of_path(const char *path)
{
	called++;
	assert_string_equal(path, PATH);
	return ANSWER;
}

static int
of_queue(int vid, uint16_t queue_id)
{
	assert_int_equal(queue_id, QUEUE);
	return of_vid(vid);
}

static void
of_queue_void(int vid, uint16_t queue_id)
{
	of_queue(vid, queue_id);
}

static int
of_queue_enable(int vid, uint16_t queue_id, int enable)
{
	assert_int_equal(enable, 1);
	return of_queue(vid, queue_id);
}

static int
of_head(int vid, uint16_t queue_id, uint16_t head)
{
	assert_int_equal(head, FIRST);
	return of_queue(vid, queue_id);
}

static int
of_heads(int vid, uint16_t queue_id, uint16_t head, uint16_t last, uint16_t *entry)
{
	assert_int_equal(last, SECOND);
	assert_ptr_equal(entry, positions);
	return of_head(vid, queue_id, head);
}

static int
of_positions(int vid, uint16_t queue_id, uint16_t *avail, uint16_t *used)
{
	assert_ptr_equal(avail, &positions[0]);
	assert_ptr_equal(used, &positions[1]);
	return of_queue(vid, queue_id);
}

static int
of_base(int vid, uint16_t queue_id, uint16_t avail, uint16_t used)
{
	assert_int_equal(avail, FIRST);
	assert_int_equal(used, SECOND);
	return of_queue(vid, queue_id);
}

static int
of_vring(int vid, uint16_t queue_id, struct rte_vhost_vring *ring)
{
	assert_ptr_equal(ring, &vring);
	return of_queue(vid, queue_id);
}

static int
of_condition(int vid, uint16_t queue_id, struct rte_vhost_power_monitor_cond *pmc)
{
	assert_ptr_equal(pmc, &condition);
	return of_queue(vid, queue_id);
}

static int
of_name(int vid, char *buf, size_t len)
{
	assert_ptr_equal(buf, name);
	assert_int_equal(len, sizeof(name));
	return of_vid(vid);
}

static uint16_t
of_vid_16(int vid)
{
	return (uint16_t)of_vid(vid);
}

static int
of_vid_wide(int vid, uint64_t *value)
{
	assert_ptr_equal(value, &wide[0]);
	return of_vid(vid);
}

static int
of_vid_mtu(int vid, uint16_t *value)
{
	assert_ptr_equal(value, &mtu);
	return of_vid(vid);
}

static int
of_log_base(int vid, uint64_t *base, uint64_t *size)
{
	assert_ptr_equal(base, &wide[0]);
	assert_ptr_equal(size, &wide[1]);
	return of_vid(vid);
}

static void
of_log_write(int vid, uint64_t addr, uint64_t len)
{
	assert_int_equal(addr, FIRST);
	assert_int_equal(len, SECOND);
	of_vid(vid);
}

static void
of_log_used(int vid, uint16_t queue_id, uint64_t offset, uint64_t len)
{
	assert_int_equal(queue_id, QUEUE);
	of_log_write(vid, offset, len);
}

static struct rte_vdpa_device *
of_vid_vdpa(int vid)
{
	of_vid(vid);
	return vdpa;
}

static struct rte_vdpa_device *
of_path_vdpa(const char *path)
{
	of_path(path);
	return vdpa;
}

static int
of_path_attach(const char *path, struct rte_vdpa_device *dev)
{
	assert_ptr_equal(dev, vdpa);
	return of_path(path);
}

static int
of_path_number(const char *path, uint32_t *value)
{
	assert_ptr_equal(value, &number);
	return of_path(path);
}

static int
of_path_pairs(const char *path, uint32_t pairs)
{
	assert_int_equal(pairs, FIRST);
	return of_path(path);
}

static int
of_path_set(const char *path, uint64_t value)
{
	assert_int_equal(value, FIRST);
	return of_path(path);
}

static int
of_path_get(const char *path, uint64_t *value)
{
	assert_ptr_equal(value, &wide[0]);
	return of_path(path);
}

static uint16_t
of_copies(int vid, uint16_t queue_id, struct rte_mbuf **pkts, uint16_t count, int16_t dma_id,
	  uint16_t vchan_id)
{
	assert_ptr_equal(pkts, mbufs);
	assert_int_equal(count, COUNT);
	assert_int_equal(dma_id, DMA);
	assert_int_equal(vchan_id, CHANNEL);
	return (uint16_t)of_queue(vid, queue_id);
}

static uint16_t
of_copies_back(int vid, uint16_t queue_id, struct rte_mempool *mbuf_pool, struct rte_mbuf **pkts,
	       uint16_t count, int *nr_inflight, int16_t dma_id, uint16_t vchan_id)
{
	assert_ptr_equal(mbuf_pool, pool);
	assert_ptr_equal(nr_inflight, &in_flight);
	return of_copies(vid, queue_id, pkts, count, dma_id, vchan_id);
}

static int
of_channel(int16_t dma_id, uint16_t vchan_id)
{
	called++;
	assert_int_equal(dma_id, DMA);
	assert_int_equal(vchan_id, CHANNEL);
	return ANSWER;
}

/* FORWARDS(name, theirs, none, arguments): with this one function in librte_vhost, and with none. */
#define FORWARDS(name, theirs, none, ...)                                                          \
	do {                                                                                       \
		called = 0;                                                                        \
		memset(&vhost_forward, 0, sizeof(vhost_forward));                                  \
		assert_int_equal(rte_vhost_##name(__VA_ARGS__), none);                             \
		vhost_forward.name = (theirs);                                                     \
		assert_int_equal(rte_vhost_##name(__VA_ARGS__), ANSWER);                           \
		assert_int_equal(called, 1);                                                       \
	} while (0)

#define FORWARDS_VOID(name, theirs, ...)                                                           \
	do {                                                                                       \
		called = 0;                                                                        \
		memset(&vhost_forward, 0, sizeof(vhost_forward));                                  \
		rte_vhost_##name(__VA_ARGS__);                                                     \
		vhost_forward.name = (theirs);                                                     \
		rte_vhost_##name(__VA_ARGS__);                                                     \
		assert_int_equal(called, 1);                                                       \
	} while (0)

#define FORWARDS_VDPA(name, theirs, whose)                                                         \
	do {                                                                                       \
		called = 0;                                                                        \
		memset(&vhost_forward, 0, sizeof(vhost_forward));                                  \
		assert_null(rte_vhost_##name(whose));                                              \
		vhost_forward.name = (theirs);                                                     \
		assert_ptr_equal(rte_vhost_##name(whose), vdpa);                                   \
		assert_int_equal(called, 1);                                                       \
	} while (0)

static struct vhost_forward real;

static int
keep_real(void **state)
{
	RTE_SET_USED(state);
	real = vhost_forward;
	return 0;
}

static int
put_real_back(void **state)
{
	RTE_SET_USED(state);
	vhost_forward = real;
	return 0;
}

static void
test_async(void **state)
{
	RTE_SET_USED(state);
	FORWARDS(async_channel_register, of_queue, -ENOTSUP, VID, QUEUE);
	FORWARDS(async_channel_unregister, of_queue, -ENOTSUP, VID, QUEUE);
	FORWARDS(async_channel_register_thread_unsafe, of_queue, -ENOTSUP, VID, QUEUE);
	FORWARDS(async_channel_unregister_thread_unsafe, of_queue, -ENOTSUP, VID, QUEUE);
	FORWARDS(async_get_inflight, of_queue, -ENOTSUP, VID, QUEUE);
	FORWARDS(async_get_inflight_thread_unsafe, of_queue, -ENOTSUP, VID, QUEUE);
	FORWARDS(submit_enqueue_burst, of_copies, 0, VID, QUEUE, mbufs, COUNT, DMA, CHANNEL);
	FORWARDS(poll_enqueue_completed, of_copies, 0, VID, QUEUE, mbufs, COUNT, DMA, CHANNEL);
	FORWARDS(clear_queue, of_copies, 0, VID, QUEUE, mbufs, COUNT, DMA, CHANNEL);
	FORWARDS(clear_queue_thread_unsafe, of_copies, 0, VID, QUEUE, mbufs, COUNT, DMA, CHANNEL);
	FORWARDS(async_try_dequeue_burst, of_copies_back, 0, VID, QUEUE, pool, mbufs, COUNT,
		 &in_flight, DMA, CHANNEL);
	FORWARDS(async_dma_configure, of_channel, -ENOTSUP, DMA, CHANNEL);
	FORWARDS(async_dma_unconfigure, of_channel, -ENOTSUP, DMA, CHANNEL);
}

static void
test_path(void **state)
{
	RTE_SET_USED(state);
	FORWARDS(driver_set_features, of_path_set, -ENOTSUP, PATH, FIRST);
	FORWARDS(driver_enable_features, of_path_set, -ENOTSUP, PATH, FIRST);
	FORWARDS(driver_disable_features, of_path_set, -ENOTSUP, PATH, FIRST);
	FORWARDS(driver_get_features, of_path_get, -ENOTSUP, PATH, &wide[0]);
	FORWARDS(driver_set_protocol_features, of_path_set, -ENOTSUP, PATH, FIRST);
	FORWARDS(driver_get_protocol_features, of_path_get, -ENOTSUP, PATH, &wide[0]);
	FORWARDS(driver_get_queue_num, of_path_number, -ENOTSUP, PATH, &number);
	FORWARDS(driver_set_max_queue_num, of_path_pairs, -ENOTSUP, PATH, FIRST);
	FORWARDS(driver_attach_vdpa_device, of_path_attach, -ENOTSUP, PATH, vdpa);
	FORWARDS(driver_detach_vdpa_device, of_path, -ENOTSUP, PATH);
	FORWARDS(driver_get_vdpa_dev_type, of_path_number, -ENOTSUP, PATH, &number);
	FORWARDS(crypto_driver_start, of_path, -ENOTSUP, PATH);
	FORWARDS_VDPA(driver_get_vdpa_device, of_path_vdpa, PATH);
}

static void
test_device(void **state)
{
	RTE_SET_USED(state);
	FORWARDS(get_ifname, of_name, -ENOTSUP, VID, name, sizeof(name));
	FORWARDS(get_vring_num, of_vid_16, 0, VID);
	FORWARDS(get_negotiated_features, of_vid_wide, -ENOTSUP, VID, &wide[0]);
	FORWARDS(get_negotiated_protocol_features, of_vid_wide, -ENOTSUP, VID, &wide[0]);
	FORWARDS(get_mtu, of_vid_mtu, -ENOTSUP, VID, &mtu);
	FORWARDS(get_numa_node, of_vid, -ENOTSUP, VID);
	FORWARDS(get_log_base, of_log_base, -ENOTSUP, VID, &wide[0], &wide[1]);
	FORWARDS_VOID(log_write, of_log_write, VID, FIRST, SECOND);
	FORWARDS_VOID(log_used_vring, of_log_used, VID, QUEUE, FIRST, SECOND);
	FORWARDS_VDPA(get_vdpa_device, of_vid_vdpa, VID);
}

static void
test_vring(void **state)
{
	RTE_SET_USED(state);
	FORWARDS(get_vhost_vring, of_vring, -ENOTSUP, VID, QUEUE, &vring);
	FORWARDS(get_vring_base, of_positions, -ENOTSUP, VID, QUEUE, &positions[0], &positions[1]);
	FORWARDS(set_vring_base, of_base, -ENOTSUP, VID, QUEUE, FIRST, SECOND);
	FORWARDS(vring_call, of_queue, -ENOTSUP, VID, QUEUE);
	FORWARDS(vring_call_nonblock, of_queue, -ENOTSUP, VID, QUEUE);
	FORWARDS(enable_guest_notification, of_queue_enable, -ENOTSUP, VID, QUEUE, 1);
	FORWARDS(get_monitor_addr, of_condition, -ENOTSUP, VID, QUEUE, &condition);
	FORWARDS(set_inflight_desc_packed, of_heads, -ENOTSUP, VID, QUEUE, FIRST, SECOND,
		 positions);
	FORWARDS(set_last_inflight_io_packed, of_head, -ENOTSUP, VID, QUEUE, FIRST);
	FORWARDS(clr_inflight_desc_packed, of_head, -ENOTSUP, VID, QUEUE, FIRST);
	FORWARDS(get_vring_base_from_inflight, of_positions, -ENOTSUP, VID, QUEUE, &positions[0],
		 &positions[1]);
	FORWARDS_VOID(notify_guest, of_queue_void, VID, QUEUE);
}

/* A call that went on would fail there: its arguments are not those that are expected. */
static void
test_ours_async(void)
{
	vhost_forward.async_channel_register = of_queue;
	vhost_forward.submit_enqueue_burst = of_copies;
	vhost_forward.async_try_dequeue_burst = of_copies_back;
	assert_int_equal(rte_vhost_async_channel_register(APP_VID, 0), -ENOTSUP);
	assert_int_equal(rte_vhost_async_channel_unregister(APP_VID, 0), -ENOTSUP);
	assert_int_equal(rte_vhost_async_channel_register_thread_unsafe(APP_VID, 0), -ENOTSUP);
	assert_int_equal(rte_vhost_async_channel_unregister_thread_unsafe(APP_VID, 0), -ENOTSUP);
	assert_int_equal(rte_vhost_async_get_inflight(APP_VID, 0), -ENOTSUP);
	assert_int_equal(rte_vhost_async_get_inflight_thread_unsafe(APP_VID, 0), -ENOTSUP);
	assert_int_equal(rte_vhost_submit_enqueue_burst(APP_VID, 0, mbufs, COUNT, 0, 0), 0);
	assert_int_equal(rte_vhost_poll_enqueue_completed(APP_VID, 0, mbufs, COUNT, 0, 0), 0);
	assert_int_equal(rte_vhost_clear_queue(APP_VID, 0, mbufs, COUNT, 0, 0), 0);
	assert_int_equal(rte_vhost_clear_queue_thread_unsafe(APP_VID, 0, mbufs, COUNT, 0, 0), 0);
	in_flight = 0;
	assert_int_equal(
		rte_vhost_async_try_dequeue_burst(APP_VID, 0, pool, mbufs, COUNT, &in_flight, 0, 0),
		0);
	assert_int_equal(in_flight, -1);
}

static void
test_ours_other(void)
{
	vhost_forward.get_vdpa_device = of_vid_vdpa;
	vhost_forward.log_write = of_log_write;
	vhost_forward.log_used_vring = of_log_used;
	rte_vhost_log_write(APP_VID, 0, 1);
	rte_vhost_log_used_vring(APP_VID, 0, 0, 1);
	memset(wide, 0xff, sizeof(wide));
	assert_int_equal(rte_vhost_get_log_base(APP_VID, NULL, &wide[1]), -1);
	assert_int_equal(rte_vhost_get_log_base(APP_VID, &wide[0], &wide[1]), 0);
	assert_int_equal(wide[0] | wide[1], 0);
	assert_null(rte_vhost_get_vdpa_device(APP_VID));
	assert_int_equal(rte_vhost_driver_attach_vdpa_device(APP_PATH, vdpa), -1);
	assert_int_equal(rte_vhost_driver_detach_vdpa_device(APP_PATH), -1);
	assert_null(rte_vhost_driver_get_vdpa_device(APP_PATH));
	assert_int_equal(rte_vhost_driver_get_vdpa_dev_type(APP_PATH, &number), -1);
	assert_int_equal(rte_vhost_crypto_driver_start(APP_PATH), -1);
}

static void
test_ours_info(void)
{
	wide[0] = UINT64_MAX;
	assert_int_equal(rte_vhost_get_negotiated_protocol_features(APP_VID, &wide[0]), 0);
	assert_int_equal(wide[0], 0);
	assert_int_equal(rte_vhost_get_negotiated_protocol_features(APP_VID, NULL), -1);
	assert_int_equal(rte_vhost_get_negotiated_features(APP_VID, NULL), -1);
	assert_int_equal(rte_vhost_get_ifname(APP_VID, NULL, 0), -1);
	assert_int_equal(rte_vhost_get_mtu(APP_VID, NULL), -ENODEV);
	/* No driver yet: it has taken no feature, and has no ring in the memory of a node. */
	assert_int_equal(rte_vhost_get_mtu(APP_VID, &mtu), -ENOTSUP);
	assert_int_equal(rte_vhost_get_numa_node(APP_VID), -1);
}

static void
test_ours_vring(void)
{
	assert_int_equal(rte_vhost_get_vhost_vring(APP_VID, 99, &vring), -1);
	assert_int_equal(rte_vhost_get_vhost_vring(APP_VID, 0, NULL), -1);
	assert_int_equal(rte_vhost_get_vring_base(APP_VID, 0, NULL, NULL), -1);
	assert_int_equal(rte_vhost_set_vring_base(APP_VID, 0, 0, 0), -1);
	assert_int_equal(rte_vhost_vring_call(APP_VID, 99), -1);
	assert_int_equal(rte_vhost_enable_guest_notification(APP_VID, 99, 1), -1);
	assert_int_equal(rte_vhost_get_monitor_addr(APP_VID, 0, NULL), -1);
	assert_int_equal(rte_vhost_get_monitor_addr(APP_VID, 99, &condition), -1);
	assert_int_equal(rte_vhost_set_inflight_desc_packed(APP_VID, 0, 0, 0, positions), -ENOTSUP);
	assert_int_equal(rte_vhost_set_last_inflight_io_packed(APP_VID, 0, 0), -ENOTSUP);
	assert_int_equal(rte_vhost_clr_inflight_desc_packed(APP_VID, 0, 0), -ENOTSUP);
	assert_int_equal(
		rte_vhost_get_vring_base_from_inflight(APP_VID, 0, &positions[0], &positions[1]),
		-ENOTSUP);
}

/* Offered features are fixed at the start; an unregistered path has none. */
static void
test_ours_settled(void)
{
	static const char *const paths[] = { APP_PATH, "/dev/vduse/nobody" };
	size_t i;

	for (i = 0; i < RTE_DIM(paths); i++) {
		assert_int_equal(rte_vhost_driver_set_features(paths[i], NET_PLAIN), -1);
		assert_int_equal(rte_vhost_driver_enable_features(paths[i], 0), -1);
		assert_int_equal(rte_vhost_driver_disable_features(paths[i], 0), -1);
		assert_int_equal(rte_vhost_driver_set_protocol_features(paths[i], 0), -1);
		assert_int_equal(rte_vhost_driver_set_max_queue_num(paths[i], 1), -1);
	}
	assert_int_equal(rte_vhost_driver_get_features(paths[1], &wide[0]), -1);
	assert_int_equal(rte_vhost_driver_get_protocol_features(paths[1], &wide[0]), -1);
	assert_int_equal(rte_vhost_driver_get_queue_num(paths[1], &number), -1);
}

static void
test_ours(void **state)
{
	RTE_SET_USED(state);
	vhost_app_register(64, NET_PLAIN, 0);
	vhost_app_start();
	called = 0;
	test_ours_async();
	test_ours_other();
	test_ours_info();
	test_ours_vring();
	test_ours_settled();
	assert_int_equal(called, 0);
	vhost_app_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_async, keep_real, put_real_back),
		cmocka_unit_test_setup_teardown(test_path, keep_real, put_real_back),
		cmocka_unit_test_setup_teardown(test_device, keep_real, put_real_back),
		cmocka_unit_test_setup_teardown(test_vring, keep_real, put_real_back),
		cmocka_unit_test_setup_teardown(test_ours, keep_real, put_real_back),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
