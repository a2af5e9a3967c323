/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The command that configures RSS: each field is checked, and a wrong one changes nothing. */
#include "flow_frame.h"
#include "loopback_ctrl.h"

#include <errno.h>
#include <string.h>

#include <rte_byteorder.h>

#include <virtio_net/steer.h>

#define PAIRS    4
#define FEATURES (CTRL_MQ | BIT(VIRTIO_NET_F_RSS))

static struct loopback_ctrl dev;

static int
setup(void **state)
{
	RTE_SET_USED(state);
	loopback_ctrl_create_hash(&dev, PAIRS, true, RTE_VDUSE_NET_STEER_RSS);
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	loopback_ctrl_destroy(&dev);
	return 0;
}

/* The fields of a command, as numbers of the CPU. */
struct config {
	uint32_t types;
	uint16_t mask, unclassified, table[256], max_tx;
	uint8_t key_len;
	uint32_t nb_table; /* entries that are written, and bytes of the key */
	uint32_t nb_key;
};

static struct config
good(void)
{
	struct config config = { .types = VNET_HASH_TYPES, .mask = 127, .unclassified = 1 };
	uint16_t i;

	for (i = 0; i < RTE_DIM(config.table); i++)
		config.table[i] = i % 3;
	config.max_tx = 2;
	config.nb_table = 128;
	config.key_len = VNET_HASH_KEY_MAX;
	config.nb_key = VNET_HASH_KEY_MAX;
	return config;
}

static uint32_t
put16(uint8_t *to, uint16_t value)
{
	value = rte_cpu_to_le_16(value);
	memcpy(to, &value, sizeof(value));
	return sizeof(value);
}

static uint32_t
lay_out(uint8_t *to, const struct config *config)
{
	uint32_t types = rte_cpu_to_le_32(config->types), at = sizeof(types), i;

	memcpy(to, &types, sizeof(types));
	at += put16(to + at, config->mask);
	at += put16(to + at, config->unclassified);
	for (i = 0; i < config->nb_table; i++)
		at += put16(to + at, config->table[i]);
	at += put16(to + at, config->max_tx);
	to[at++] = config->key_len;
	memset(to + at, 0, config->nb_key);
	memcpy(to + at, flow_key, RTE_MIN(config->nb_key, (uint32_t)sizeof(flow_key)));
	return at + config->nb_key;
}

static uint8_t
send_bytes(const uint8_t *bytes, uint32_t len)
{
	return loopback_ctrl_command(&dev, VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_RSS_CONFIG, bytes,
				     len);
}

static uint8_t
send_config(const struct config *config)
{
	uint8_t bytes[1024];

	return send_bytes(bytes, lay_out(bytes, config));
}

/* All that the command changes. */
struct before {
	struct vnet_rss rss, steer;
	struct ctrl_state state;
};

static struct before
look(void)
{
	struct before now;

	memset(&now, 0, sizeof(now));
	now.state = loopback_ctrl_state(&dev);
	now.rss = dev.net->ctrl->rss;
	now.steer = dev.net->steer->rss;
	return now;
}

static void
refused(const struct config *config)
{
	struct before before = look(), after;

	assert_int_equal(send_config(config), VIRTIO_NET_ERR);
	after = look();
	assert_memory_equal(&after, &before, sizeof(after));
}

static void
check_good(uint64_t features)
{
	struct config config = good();
	struct vnet_rss rss;
	uint32_t size, i;

	loopback_ctrl_up(&dev, features, 0);
	assert_int_equal(dev.indices[CTRL_VQ], 2 * PAIRS);
	assert_false(look().steer.on);
	for (size = 1; size <= VNET_RSS_TABLE_MAX; size *= 2) {
		config.mask = (uint16_t)(size - 1);
		config.nb_table = size;
		assert_int_equal(send_config(&config), VIRTIO_NET_OK);
		rss = look().steer;
		assert_true(rss.on);
		assert_int_equal(rss.types, VNET_HASH_TYPES);
		assert_int_equal(rss.mask, size - 1);
		assert_int_equal(rss.unclassified, 1);
		for (i = 0; i < size; i++)
			assert_int_equal(rss.table[i], i % 3);
		assert_int_equal(rss.key[0], 0x6d5a56da);
		assert_int_equal(rss.key[9], 0xbeac01fa);
		/* Pairs of the table count, whatever max_tx_vq says. */
		assert_int_equal(look().state.pairs_used, RTE_MAX(2u, RTE_MIN(size, 3u)));
	}
	config.max_tx = PAIRS;
	assert_int_equal(send_config(&config), VIRTIO_NET_OK);
	assert_int_equal(look().state.pairs_used, PAIRS);
	/* Linux sends one byte of padding. */
	config.nb_key++;
	assert_int_equal(send_config(&config), VIRTIO_NET_OK);
	/* The last key is shorter: what is missing is 0. */
	config.key_len = config.nb_key = 5;
	assert_int_equal(send_config(&config), VIRTIO_NET_OK);
	assert_int_equal(look().steer.key[1], 0x25000000);
	assert_int_equal(look().steer.key[9], 0);
	config.key_len = config.nb_key = 0;
	config.types = 0;
	assert_int_equal(send_config(&config), VIRTIO_NET_OK);
}

static void
test_good(void **state)
{
	RTE_SET_USED(state);
	check_good(FEATURES);
	check_good(FEATURES | CTRL_PACKED);
	/* Without MQ, too: the control queue is after all pairs (section 5.1.2). */
	check_good(FEATURES & ~BIT(VIRTIO_NET_F_MQ));
}

#define WRONG(field, value)                                                                        \
	do {                                                                                       \
		struct config wrong = good();                                                      \
                                                                                                   \
		wrong.field = value;                                                               \
		refused(&wrong);                                                                   \
	} while (0)

static void
check_wrong(uint64_t features)
{
	struct config config = good();
	uint32_t bit, size;

	loopback_ctrl_up(&dev, features, 0);
	assert_int_equal(send_config(&config), VIRTIO_NET_OK);
	for (bit = 6; bit < 32; bit++)
		WRONG(types, 1u << bit);
	for (size = 1; size <= 256; size++) {
		config = good();
		config.mask = (uint16_t)(size - 1);
		config.nb_table = size;
		if (!rte_is_power_of_2(size) || size > 128)
			refused(&config);
	}
	WRONG(mask, 0xffff);
	WRONG(mask, 63);
	WRONG(unclassified, PAIRS);
	WRONG(unclassified, 0x8000);
	WRONG(table[0], PAIRS);
	WRONG(table[127], PAIRS);
	WRONG(table[64], 0x8001);
	WRONG(max_tx, 0);
	WRONG(max_tx, PAIRS + 1);
	WRONG(max_tx, 0xffff);
	WRONG(key_len, 0);
	WRONG(key_len, 38);
	WRONG(key_len, 41);
	WRONG(key_len, 255);
	WRONG(nb_key, 39);
	WRONG(nb_key, 42);
	config = good();
	config.key_len = config.nb_key = 41;
	refused(&config);
	config.key_len = config.nb_key = 0;
	refused(&config);
}

static void
test_wrong(void **state)
{
	RTE_SET_USED(state);
	check_wrong(FEATURES);
	check_wrong(FEATURES | CTRL_PACKED);
}

/* Cut off anywhere. */
static void
test_cut(void **state)
{
	struct config config = good();
	uint8_t bytes[1024];
	uint32_t len, all;
	struct before before, after;

	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, FEATURES, 0);
	all = lay_out(bytes, &config);
	before = look();
	for (len = 0; len < all; len++)
		assert_int_equal(send_bytes(bytes, len), VIRTIO_NET_ERR);
	after = look();
	assert_memory_equal(&after, &before, sizeof(after));
	assert_int_equal(send_bytes(bytes, all), VIRTIO_NET_OK);
}

/* The last command counts; with RSS, that on hashes is refused; a reset takes all back. */
static void
test_ends(void **state)
{
	const uint16_t pairs = RTE_LE16(3);
	struct config config = good();
	uint8_t hash[13] = { 0 };

	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, FEATURES | BIT(VIRTIO_NET_F_HASH_REPORT), 0);
	assert_int_equal(loopback_ctrl_command(&dev, VIRTIO_NET_CTRL_MQ,
					       VIRTIO_NET_CTRL_MQ_HASH_CONFIG, hash, sizeof(hash)),
			 VIRTIO_NET_ERR);
	assert_int_equal(send_config(&config), VIRTIO_NET_OK);
	assert_int_equal(loopback_ctrl_command(&dev, VIRTIO_NET_CTRL_MQ,
					       VIRTIO_NET_CTRL_MQ_VQ_PAIRS_SET, &pairs, 2),
			 VIRTIO_NET_OK);
	assert_false(look().steer.on);
	assert_int_equal(look().rss.types, VNET_HASH_TYPES);
	assert_int_equal(send_config(&config), VIRTIO_NET_OK);
	assert_true(look().steer.on);
	loopback_ctrl_reset(&dev);
	assert_false(look().steer.on);
	loopback_ctrl_up(&dev, CTRL_MQ, 0);
	refused(&config);
}

static void
test_conf(void **state)
{
	struct virtio_net_config space;
	struct rte_vduse_net_conf conf = {
		.size = sizeof(conf),
		.path = "/dev/vduse/unit0",
		.pairs = 2,
		.queue_size = CTRL_RING,
		.mac = { { 2, 0, 0, 0, 0, 1 } },
		.ctrl_queue = true,
	};
	struct rte_vduse_net *net;

	RTE_SET_USED(state);
	vduse_loopback_config(dev.loop, 0, &space, sizeof(space));
	assert_int_equal(space.rss_max_key_size, 40);
	assert_int_equal(rte_le_to_cpu_16(space.rss_max_indirection_table_length), 128);
	assert_int_equal(rte_le_to_cpu_32(space.supported_hash_types), 0x3f);
	for (conf.steer = 0; conf.steer < 3; conf.steer++)
		assert_int_equal((rte_vduse_net_features(&conf) & BIT(VIRTIO_NET_F_RSS)) != 0,
				 conf.steer == RTE_VDUSE_NET_STEER_RSS);
	unit_log_clear();
	assert_int_equal(rte_vduse_net_create(&conf, &net), -EINVAL);
	assert_int_equal(unit_log_count("unit0: steering 3: "), 1);
	conf.steer = RTE_VDUSE_NET_STEER_RSS;
	conf.ctrl_queue = false;
	conf.pairs = 1;
	unit_log_clear();
	assert_int_equal(rte_vduse_net_features(&conf) & BIT(VIRTIO_NET_F_RSS), 0);
	assert_int_equal(rte_vduse_net_create(&conf, &net), -ENOTSUP);
	assert_int_equal(unit_log_count("unit0: steering by RSS needs a control queue"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_good), TEST(test_wrong), TEST(test_cut), TEST(test_ends), TEST(test_conf),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
