/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Receive filters that the driver sets: which packets it gets, and that the others are counted. */
#include "loopback_ctrl.h"

#include <string.h>

#define LEN 64

static struct loopback_ctrl dev;
static struct rte_mempool *pool;
static uint64_t filtered; /* as the device has to count */

static const struct rte_ether_addr own = { { 2, 0, 0, 0, 0, 1 } };
static const struct rte_ether_addr stranger = { { 2, 0, 0, 0, 0, 99 } };
static const struct rte_ether_addr friend = { { 2, 0, 0, 0, 0, 2 } };
static const struct rte_ether_addr group = { { 1, 0, 0x5e, 0, 0, 1 } };
static const struct rte_ether_addr other_group = { { 1, 0, 0x5e, 0, 0, 2 } };
static const struct rte_ether_addr everybody = { { 255, 255, 255, 255, 255, 255 } };

static int
setup(void **state)
{
	RTE_SET_USED(state);
	pool = rte_pktmbuf_pool_create("filter", 15, 0, 0, 2048, SOCKET_ID_ANY);
	assert_non_null(pool);
	loopback_ctrl_create(&dev, 2);
	filtered = 0;
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	loopback_ctrl_destroy(&dev);
	assert_int_equal(rte_mempool_avail_count(pool), 15);
	rte_mempool_free(pool);
	return 0;
}

static struct rte_vduse_net_stats
stats(void)
{
	struct rte_vduse_net_stats now;

	rte_vduse_net_stats(dev.net, 0, false, &now, sizeof(now));
	return now;
}

/* A frame in segments of seg bytes; with a tag if tci is not negative. */
static struct rte_mbuf *
frame(const struct rte_ether_addr *dst, int tci, uint32_t len, uint16_t seg)
{
	uint8_t bytes[LEN] = { 0 };
	struct rte_mbuf *packet = NULL, *segment;
	uint32_t done, n;

	memcpy(bytes, dst, sizeof(*dst));
	bytes[12] = 0x08;
	if (tci >= 0) {
		bytes[12] = 0x81;
		bytes[14] = (uint8_t)(tci >> 8);
		bytes[15] = (uint8_t)tci;
	}
	for (done = 0; done < len; done += n) {
		n = RTE_MIN(len - done, (uint32_t)seg);
		segment = rte_pktmbuf_alloc(pool);
		assert_non_null(segment);
		assert_non_null(rte_pktmbuf_append(segment, (uint16_t)n));
		memcpy(rte_pktmbuf_mtod(segment, void *), bytes + done, n);
		if (packet == NULL)
			packet = segment;
		else
			assert_int_equal(rte_pktmbuf_chain(packet, segment), 0);
	}
	return packet;
}

static bool
sent(struct rte_mbuf *packet)
{
	uint64_t drops = stats().drops;
	bool received = loopback_ctrl_receives(&dev, 0, packet);

	rte_pktmbuf_free(packet);
	filtered += !received;
	assert_int_equal(stats().filtered, filtered);
	assert_int_equal(stats().drops, drops);
	return received;
}

/* In one segment, and with headers in several. */
static bool
passes(const struct rte_ether_addr *dst, int tci)
{
	bool whole = sent(frame(dst, tci, LEN, LEN));

	assert_int_equal(sent(frame(dst, tci, LEN, 5)), whole);
	return whole;
}

static void
command(uint8_t class, uint8_t number, const void *data, uint32_t len)
{
	assert_int_equal(loopback_ctrl_command(&dev, class, number, data, len), VIRTIO_NET_OK);
}

static void
mode(uint8_t number, uint8_t on)
{
	command(VIRTIO_NET_CTRL_RX, number, &on, 1);
}

/* A table of two lists; the first address of each is the one given. */
static void
table(const struct rte_ether_addr *uni, uint32_t nb_uni, const struct rte_ether_addr *multi,
      uint32_t nb_multi)
{
	uint8_t data[1024] = { 0 };
	uint32_t at, le;

	le = rte_cpu_to_le_32(nb_uni);
	memcpy(data, &le, 4);
	/* The last one, so that all of a list are compared. */
	if (nb_uni > 0)
		memcpy(data + 4 + 6 * (nb_uni - 1), uni, 6);
	at = 4 + 6 * nb_uni;
	le = rte_cpu_to_le_32(nb_multi);
	memcpy(data + at, &le, 4);
	if (nb_multi > 0)
		memcpy(data + at + 4 + 6 * (nb_multi - 1), multi, 6);
	command(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_TABLE_SET, data, at + 4 + 6 * nb_multi);
}

/* At the start a driver gets everything, whatever its features. */
static void
test_start(void **state)
{
	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, CTRL_MQ, 0);
	assert_true(passes(&stranger, -1));
	assert_true(passes(&group, -1));
	assert_true(passes(&everybody, -1));
	assert_true(passes(&stranger, 7));
}

static void
test_own(void **state)
{
	const struct rte_ether_addr next = { { 2, 7, 7, 7, 7, 7 } };

	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, CTRL_MQ, 0);
	mode(VIRTIO_NET_CTRL_RX_PROMISC, 0);
	assert_true(passes(&own, -1));
	assert_true(passes(&everybody, -1));
	assert_false(passes(&stranger, -1));
	assert_false(passes(&group, -1));
	command(VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_MAC_ADDR_SET, &next, sizeof(next));
	assert_false(passes(&own, -1));
	assert_true(passes(&next, -1));
	mode(VIRTIO_NET_CTRL_RX_PROMISC, 1);
	assert_true(passes(&stranger, -1));
	/* A new driver has the address of the device again. */
	loopback_ctrl_up(&dev, CTRL_MQ, 0);
	mode(VIRTIO_NET_CTRL_RX_PROMISC, 0);
	assert_true(passes(&own, -1));
	assert_false(passes(&next, -1));
}

static void
test_modes(void **state)
{
	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, CTRL_MQ, 0);
	mode(VIRTIO_NET_CTRL_RX_PROMISC, 0);
	mode(VIRTIO_NET_CTRL_RX_ALLMULTI, 1);
	assert_true(passes(&group, -1));
	assert_false(passes(&stranger, -1));
	mode(VIRTIO_NET_CTRL_RX_NOMULTI, 1);
	assert_false(passes(&group, -1));
	assert_true(passes(&everybody, -1));
	mode(VIRTIO_NET_CTRL_RX_NOBCAST, 1);
	assert_false(passes(&everybody, -1));
	mode(VIRTIO_NET_CTRL_RX_ALLUNI, 1);
	assert_true(passes(&stranger, -1));
	mode(VIRTIO_NET_CTRL_RX_NOUNI, 1);
	assert_false(passes(&stranger, -1));
	assert_false(passes(&own, -1));
	/* Promiscuous is everything. */
	mode(VIRTIO_NET_CTRL_RX_PROMISC, 1);
	assert_true(passes(&own, -1));
	assert_true(passes(&everybody, -1));
}

static void
test_table(void **state)
{
	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, CTRL_MQ, 0);
	mode(VIRTIO_NET_CTRL_RX_PROMISC, 0);
	table(&friend, VNET_MACS_MAX, &group, VNET_MACS_MAX);
	assert_true(passes(&own, -1));
	assert_true(passes(&friend, -1));
	assert_true(passes(&group, -1));
	assert_false(passes(&stranger, -1));
	assert_false(passes(&other_group, -1));
	/* Too many of one kind: all of that kind. */
	table(&friend, VNET_MACS_MAX + 1, &group, 1);
	assert_true(passes(&stranger, -1));
	assert_true(passes(&group, -1));
	assert_false(passes(&other_group, -1));
	table(&friend, 1, &group, VNET_MACS_MAX + 1);
	assert_true(passes(&friend, -1));
	assert_false(passes(&stranger, -1));
	assert_true(passes(&other_group, -1));
	table(NULL, 0, NULL, 0);
	assert_false(passes(&friend, -1));
	assert_false(passes(&group, -1));
}

static void
vlan(uint8_t number, uint16_t id)
{
	uint16_t le = rte_cpu_to_le_16(id);

	command(VIRTIO_NET_CTRL_VLAN, number, &le, sizeof(le));
}

/* Frames without a tag, or with one that only has a priority, are of no VLAN. */
static void
check_vlan(uint64_t features)
{
	loopback_ctrl_up(&dev, features, 0);
	if (features & BIT(VIRTIO_NET_F_CTRL_RX))
		mode(VIRTIO_NET_CTRL_RX_PROMISC, 0);
	assert_false(passes(&own, 7));
	assert_true(passes(&own, -1));
	assert_true(passes(&own, 0xe000));
	vlan(VIRTIO_NET_CTRL_VLAN_ADD, 7);
	vlan(VIRTIO_NET_CTRL_VLAN_ADD, 4095);
	assert_true(passes(&own, 7));
	assert_true(passes(&own, 0xe007));
	assert_true(passes(&own, 4095));
	assert_false(passes(&own, 8));
	assert_false(passes(&own, 71));
	vlan(VIRTIO_NET_CTRL_VLAN_DEL, 7);
	assert_false(passes(&own, 7));
	assert_true(passes(&own, 4095));
}

static void
test_vlan(void **state)
{
	RTE_SET_USED(state);
	check_vlan(CTRL_MQ);
	check_vlan(CTRL_MQ | CTRL_PACKED);
	check_vlan(CTRL_ALL & ~(BIT(VIRTIO_NET_F_CTRL_RX) | BIT(VIRTIO_NET_F_CTRL_RX_EXTRA)));
}

/* Filters of features that were not accepted do not filter. */
static void
test_not_accepted(void **state)
{
	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, CTRL_MQ & ~BIT(VIRTIO_NET_F_CTRL_VLAN), 0);
	mode(VIRTIO_NET_CTRL_RX_PROMISC, 0);
	assert_true(passes(&own, 7));
	assert_false(passes(&stranger, 7));
	loopback_ctrl_up(&dev,
			 BIT(VIRTIO_F_VERSION_1) | BIT(VIRTIO_F_ACCESS_PLATFORM) |
				 BIT(VIRTIO_NET_F_CTRL_VQ),
			 0);
	assert_true(passes(&stranger, 7));
}

/* A frame that ends in its header or its tag. */
static void
test_short(void **state)
{
	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, CTRL_MQ, 0);
	mode(VIRTIO_NET_CTRL_RX_PROMISC, 0);
	assert_true(sent(frame(&own, 7, 14, LEN)));
	assert_true(sent(frame(&own, 7, 15, 4)));
	assert_false(sent(frame(&own, 7, 16, 4)));
	assert_false(sent(frame(&stranger, -1, 14, 6)));
	assert_true(sent(frame(&stranger, -1, 13, LEN)));
}

/* Of a burst those that pass are sent in their order, and all are taken. */
static void
test_burst(void **state)
{
	const struct rte_ether_addr *dst[] = { &stranger,  &own, &group,   &stranger,
					       &everybody, &own, &stranger };
	struct driver *driver = &dev.queues[CTRL_RX0];
	struct rte_mbuf *packets[RTE_DIM(dst)];
	uint32_t head, len;
	uint16_t i;

	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, CTRL_MQ, 0);
	mode(VIRTIO_NET_CTRL_RX_PROMISC, 0);
	for (i = 0; i < 3; i++) {
		struct driver_part part = { driver->data + i * UINT64_C(4096), 4096,
					    VRING_DESC_F_WRITE };

		(void)driver_post_chain(driver, &i, &part, 1);
	}
	for (i = 0; i < RTE_DIM(dst); i++)
		packets[i] = frame(dst[i], -1, LEN, LEN);
	assert_int_equal(rte_vduse_net_tx_burst(dev.net, 0, packets, RTE_DIM(dst)), RTE_DIM(dst));
	for (i = 0; i < 3; i++) {
		assert_true(driver_take(driver, &head, &len));
		assert_memory_equal((uint8_t *)driver_va(driver, driver->data + head * 4096) + 12,
				    i == 1 ? &everybody : &own, 6);
	}
	assert_false(driver_take(driver, &head, &len));
	assert_int_equal(stats().filtered, 4);
	assert_int_equal(stats().packets, 3);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_start), TEST(test_own),   TEST(test_modes), TEST(test_table),
		TEST(test_vlan),  TEST(test_short), TEST(test_burst), TEST(test_not_accepted),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
