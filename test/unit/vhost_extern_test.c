/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* A device of another type: the application's handler provides the configuration space. */
#include "vhost_app.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

#include <linux/virtio_ids.h>

#include <rte_vduse_vhost.h>
#include <vhost/vhost.h>

/* The head of a vhost-user message, as the specification has it. */
struct message {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
	uint32_t offset;
	uint32_t config_size;
	uint32_t config_flags;
	uint8_t region[256];
};
static_assert(sizeof(struct message) == 6 * sizeof(uint32_t) + 256, "no holes");

static uint8_t first_byte;
static unsigned int asked;
static enum rte_vhost_msg_result answer;

static enum rte_vhost_msg_result
on_message(int vid, void *data)
{
	struct message *message = data;

	assert_int_equal(vid, APP_VID);
	assert_int_equal(message->request, 24);
	assert_int_equal(message->offset, 0);
	asked++;
	memset(message->region, 0x11, 60);
	message->region[0] = first_byte;
	message->config_size = 60;
	return answer;
}

static const struct rte_vhost_user_extern_ops extern_ops = { .pre_msg_handle = on_message };

static int
install(struct vhost_app *app)
{
	RTE_SET_USED(app);
	assert_int_equal(rte_vhost_extern_callback_register(APP_VID, &extern_ops, NULL), 0);
	return 0;
}

static void
begin(void)
{
	struct rte_vduse_vhost_conf conf = { .device_id = VIRTIO_ID_BLOCK, .nb_vqs = 1 };

	vhost_app_register(64, NET_PLAIN, 0);
	assert_int_equal(rte_vduse_vhost_configure(APP_PATH, &conf), 0);
	assert_int_equal(rte_vhost_driver_set_features(APP_PATH, NET_PLAIN), 0);
	vhost_app.new_connection = install;
	asked = 0;
	first_byte = 0x77;
	answer = RTE_VHOST_MSG_RESULT_REPLY;
}

static uint8_t
byte_of_config(uint32_t offset)
{
	uint8_t byte;

	vduse_loopback_config(vhost_app.driver.loop, offset, &byte, 1);
	return byte;
}

static void
test_config(void **state)
{
	RTE_SET_USED(state);
	begin();
	vhost_app_start();
	assert_int_equal(asked, 1);
	assert_int_equal(byte_of_config(0), 0x77);
	assert_int_equal(byte_of_config(59), 0x11);
	first_byte = 0x78;
	assert_int_equal(rte_vhost_slave_config_change(APP_VID, false), 0);
	assert_int_equal(byte_of_config(0), 0x78);
	first_byte = 0x79;
	assert_int_equal(rte_vhost_backend_config_change(APP_VID, false), 0);
	assert_int_equal(byte_of_config(0), 0x79);
	vhost_app_end();
}

/* Without an answer there is no device; with one, later, there is. */
static void
test_no_config(void **state)
{
	unsigned int fds = unit_fds();

	RTE_SET_USED(state);
	begin();
	answer = RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	unit_log_clear();
	assert_int_equal(rte_vhost_driver_start(APP_PATH), -1);
	assert_int_equal(unit_log_count("gives no configuration space"), 1);
	vhost_app_told("new_connection destroy_connection");
	assert_null(vhost_dev_get(APP_VID));
	answer = RTE_VHOST_MSG_RESULT_REPLY;
	vhost_app_start();
	assert_int_equal(asked, 2);
	vhost_app_end();
	assert_int_equal(unit_fds(), fds);
}

static void
test_no_handler(void **state)
{
	RTE_SET_USED(state);
	begin();
	vhost_app.new_connection = NULL;
	assert_int_equal(rte_vhost_driver_start(APP_PATH), -1);
	assert_int_equal(rte_vhost_driver_unregister(APP_PATH), 0);
	loopback_net_destroy(&vhost_app.driver);
}

static void
test_configure_bad(void **state)
{
	struct rte_vduse_vhost_conf conf = { .device_id = VIRTIO_ID_BLOCK };

	RTE_SET_USED(state);
	assert_int_equal(rte_vduse_vhost_configure("/dev/vduse/other", &conf), -ENOENT);
	begin();
	conf.queue_size = 100;
	assert_int_equal(rte_vduse_vhost_configure(APP_PATH, &conf), -EINVAL);
	conf.queue_size = 0;
	conf.config = &conf;
	conf.config_size = RTE_VDUSE_VHOST_CONFIG_MAX + 1;
	assert_int_equal(rte_vduse_vhost_configure(APP_PATH, &conf), -EINVAL);
	conf.config_size = 0;
	vhost_app_start();
	assert_int_equal(rte_vduse_vhost_configure(APP_PATH, &conf), -EBUSY);
	vhost_app_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_config),
		cmocka_unit_test(test_no_config),
		cmocka_unit_test(test_no_handler),
		cmocka_unit_test(test_configure_bad),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
