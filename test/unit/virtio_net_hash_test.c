/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The hash of a packet in its virtio-net header, and the command that configures it. */
#include "flow_frame.h"
#include "loopback_ctrl.h"

#include <netinet/in.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_mbuf.h>

#define FEATURES (CTRL_MQ | BIT(VIRTIO_NET_F_HASH_REPORT))
#define HDR      20u
#define SLOT     4096u

static struct loopback_ctrl dev;
static struct rte_mempool *pool;

static int
setup(void **state)
{
	RTE_SET_USED(state);
	pool = rte_pktmbuf_pool_create("hash", 255, 0, 0, 2048, SOCKET_ID_ANY);
	assert_non_null(pool);
	loopback_ctrl_create_hash(&dev, 4, true, RTE_VDUSE_NET_STEER_APP);
	return 0;
}

static int
teardown(void **state)
{
	RTE_SET_USED(state);
	loopback_ctrl_destroy(&dev);
	assert_int_equal(rte_mempool_avail_count(pool), 255);
	rte_mempool_free(pool);
	return 0;
}

/* Types and key of a HASH_CONFIG. Returns its answer. */
static uint8_t
configure(uint32_t types, uint8_t key_len, uint32_t more)
{
	uint8_t data[128] = { 0 };
	uint32_t le = rte_cpu_to_le_32(types);

	memcpy(data, &le, sizeof(le));
	data[12] = key_len;
	memcpy(data + 13, flow_key, sizeof(flow_key));
	return loopback_ctrl_command(&dev, VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_HASH_CONFIG, data,
				     13 + key_len + more);
}

/* The driver receives one packet in buffers of room bytes: header and frame must be these. */
static void
receives(const uint8_t *frame, uint32_t seg, uint32_t room, uint32_t value, uint16_t report)
{
	uint8_t want[HDR + FLOW_FRAME] = { 0 }, got[HDR + FLOW_FRAME];
	struct driver *driver = &dev.queues[CTRL_RX0];
	struct rte_mbuf *packet = flow_packet(pool, frame, FLOW_FRAME, seg);
	uint32_t i, nb = (HDR + FLOW_FRAME + room - 1) / room, head, len, all = 0;

	for (i = 0; i < nb; i++) {
		uint16_t desc = dev.next_desc[CTRL_RX0]++ % CTRL_RING;
		struct driver_part part = { driver->data + (uint64_t)desc * SLOT, room,
					    VRING_DESC_F_WRITE };

		memset(driver_va(driver, part.iova), 0xee, room);
		(void)driver_post_chain(driver, &desc, &part, 1);
	}
	assert_int_equal(rte_vduse_net_tx_burst(dev.net, 0, &packet, 1), 1);
	while (driver_take(driver, &head, &len)) {
		assert_in_range(all + len, 1, sizeof(got));
		memcpy(got + all, driver_va(driver, driver->data + (uint64_t)head * SLOT), len);
		all += len;
	}
	assert_int_equal(all, sizeof(want));
	want[10] = (uint8_t)nb;
	value = rte_cpu_to_le_32(value);
	memcpy(want + 12, &value, sizeof(value));
	want[16] = (uint8_t)report;
	memcpy(want + HDR, frame, FLOW_FRAME);
	assert_memory_equal(got, want, sizeof(want));
}

/* A flow as TCP, UDP and neither, in all shapes. */
static void
check_flow(const struct flow *flow, uint32_t seg, uint32_t room)
{
	uint16_t ip =
		flow_is_ipv6(flow) ? VIRTIO_NET_HASH_REPORT_IPv6 : VIRTIO_NET_HASH_REPORT_IPv4;
	uint8_t frame[FLOW_FRAME];
	enum flow_shape shape;

	for (shape = PLAIN; shape < SHAPES; shape++) {
		bool whole = shape != FRAGMENT;

		flow_frame(frame, flow, IPPROTO_TCP, shape);
		receives(frame, seg, room, whole ? flow->l4 : flow->ip,
			 (uint16_t)(ip + (whole ? 1 : 0)));
		flow_frame(frame, flow, IPPROTO_UDP, shape);
		receives(frame, seg, room, whole ? flow->l4 : flow->ip,
			 (uint16_t)(ip + (whole ? 2 : 0)));
		flow_frame(frame, flow, IPPROTO_ICMP, shape);
		receives(frame, seg, room, flow->ip, ip);
	}
}

static void
check_vectors(uint64_t features)
{
	bool mergeable = (features & BIT(VIRTIO_NET_F_MRG_RXBUF)) != 0;
	uint8_t arp[FLOW_FRAME] = { 2 };
	size_t i;

	loopback_ctrl_up(&dev, features, 0);
	arp[12] = 0x08;
	arp[13] = 0x06;
	/* Nothing is configured yet. */
	receives(arp, FLOW_FRAME, SLOT, 0, VIRTIO_NET_HASH_REPORT_NONE);
	assert_int_equal(configure(VNET_HASH_TYPES, sizeof(flow_key), 0), VIRTIO_NET_OK);
	for (i = 0; i < FLOW_VECTORS; i++) {
		check_flow(&flow_vectors[i], FLOW_FRAME, SLOT);
		check_flow(&flow_vectors[i], 15, SLOT);
		if (mergeable) {
			check_flow(&flow_vectors[i], FLOW_FRAME, 21);
			check_flow(&flow_vectors[i], 15, 77);
		}
	}
	receives(arp, FLOW_FRAME, SLOT, 0, VIRTIO_NET_HASH_REPORT_NONE);
}

static void
test_vectors(void **state)
{
	RTE_SET_USED(state);
	check_vectors(FEATURES);
	check_vectors(FEATURES | CTRL_PACKED);
	check_vectors(FEATURES | BIT(VIRTIO_NET_F_MRG_RXBUF));
	check_vectors(FEATURES | CTRL_PACKED | BIT(VIRTIO_NET_F_MRG_RXBUF));
}

/* Each type alone: the finest one that is enabled. */
static void
test_types(void **state)
{
	static const uint8_t protos[] = { IPPROTO_ICMP, IPPROTO_TCP, IPPROTO_UDP };
	uint8_t frame[FLOW_FRAME];
	uint32_t types, i, p;

	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, FEATURES, 0);
	for (types = 0; types <= VNET_HASH_TYPES; types++) {
		assert_int_equal(configure(types, sizeof(flow_key), 0), VIRTIO_NET_OK);
		for (i = 4; i < 6; i++)
			for (p = 0; p < RTE_DIM(protos); p++) {
				uint32_t mine =
					flow_is_ipv6(&flow_vectors[i]) ? types >> 3 : types & 7;
				uint16_t base = flow_is_ipv6(&flow_vectors[i]) ? 4 : 1;

				flow_frame(frame, &flow_vectors[i], protos[p], PLAIN);
				if (p > 0 && (mine >> p & 1) != 0)
					receives(frame, FLOW_FRAME, SLOT, flow_vectors[i].l4,
						 (uint16_t)(base + p));
				else if ((mine & 1) != 0)
					receives(frame, FLOW_FRAME, SLOT, flow_vectors[i].ip, base);
				else
					receives(frame, FLOW_FRAME, SLOT, 0, 0);
			}
	}
}

/* Frames that end within their headers, which a driver's neighbour may send. */
static void
test_short(void **state)
{
	struct vnet_flow flow;
	uint8_t frame[FLOW_FRAME];
	enum flow_shape shape;
	uint32_t len, i;

	RTE_SET_USED(state);
	for (i = 0; i < FLOW_VECTORS; i++)
		for (shape = PLAIN; shape < SHAPES; shape++)
			for (len = 1; len <= FLOW_FRAME; len++) {
				struct rte_mbuf *packet;
				uint32_t ip = shape == TAGGED ? 18 : 14;

				flow_frame(frame, &flow_vectors[i], IPPROTO_TCP, shape);
				packet = flow_packet(pool, frame, len, 1 + len / 4);
				ip += flow_is_ipv6(&flow_vectors[i]) ? 40 : 20;
				if (len < ip)
					assert_false(vnet_flow_read(packet, &flow));
				if (len < ip + 4 && vnet_flow_read(packet, &flow))
					assert_int_equal(flow.l4, 0);
				rte_pktmbuf_free(packet);
			}
}

/* Hashes that are in force: a refused command leaves them as they are. */
static void
in_force(void)
{
	uint8_t frame[FLOW_FRAME];

	flow_frame(frame, &flow_vectors[0], IPPROTO_TCP, PLAIN);
	receives(frame, FLOW_FRAME, SLOT, flow_vectors[0].l4, VIRTIO_NET_HASH_REPORT_TCPv4);
}

static void
test_commands(void **state)
{
	uint32_t bit, len;
	uint8_t data[64];

	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, FEATURES, 0);
	assert_int_equal(configure(VNET_HASH_TYPES, sizeof(flow_key), 0), VIRTIO_NET_OK);
	in_force();
	for (bit = 6; bit < 32; bit++)
		assert_int_equal(configure(1u << bit | 1, sizeof(flow_key), 0), VIRTIO_NET_ERR);
	assert_int_equal(configure(1, 0, 0), VIRTIO_NET_ERR);
	assert_int_equal(configure(1, sizeof(flow_key) + 1, 0), VIRTIO_NET_ERR);
	assert_int_equal(configure(1, 100, 0), VIRTIO_NET_ERR);
	assert_int_equal(configure(1, sizeof(flow_key), 2), VIRTIO_NET_ERR);
	memset(data, 0, sizeof(data));
	data[0] = 1;
	data[12] = sizeof(flow_key);
	for (len = 0; len < 13 + sizeof(flow_key); len++)
		assert_int_equal(loopback_ctrl_command(&dev, VIRTIO_NET_CTRL_MQ,
						       VIRTIO_NET_CTRL_MQ_HASH_CONFIG, data, len),
				 VIRTIO_NET_ERR);
	in_force();
	/* A shorter key is followed by zeroes; none is needed without a type. */
	assert_int_equal(configure(VNET_HASH_TYPES, 16, 0), VIRTIO_NET_OK);
	in_force();
	assert_int_equal(configure(0, 0, 0), VIRTIO_NET_OK);
	loopback_ctrl_up(&dev, FEATURES & ~BIT(VIRTIO_NET_F_HASH_REPORT), 0);
	assert_int_equal(configure(VNET_HASH_TYPES, sizeof(flow_key), 0), VIRTIO_NET_ERR);
}

/* Packets from the driver come after a header of 20 bytes, too, in one piece or several. */
static void
check_from(uint64_t features)
{
	struct driver *driver = &dev.queues[CTRL_TX0];
	struct rte_mbuf *packet;
	uint8_t frame[FLOW_FRAME];
	uint16_t descs[2], i;
	uint32_t head, len, cut;

	dev.whole = true;
	loopback_ctrl_up(&dev, features, 0);
	flow_frame(frame, &flow_vectors[5], IPPROTO_TCP, PLAIN);
	for (cut = 1, i = 0; cut <= HDR + FLOW_FRAME; cut++, i++) {
		uint64_t at = driver->data + (uint64_t)(2 * i % CTRL_RING) * SLOT;
		uint8_t *bytes = driver_va(driver, at);
		struct driver_part parts[2] = { { at, cut, 0 },
						{ at + cut, HDR + FLOW_FRAME - cut, 0 } };

		descs[0] = 2 * i % CTRL_RING;
		descs[1] = (uint16_t)(descs[0] + 1);
		memset(bytes, 0, HDR);
		memset(bytes + 12, 0xff, 8);
		memcpy(bytes + HDR, frame, FLOW_FRAME);
		(void)driver_post_chain(driver, descs, parts, cut == HDR + FLOW_FRAME ? 1 : 2);
		assert_int_equal(rte_vduse_net_rx_burst(dev.net, 0, pool, &packet, 1), 1);
		assert_int_equal(packet->pkt_len, FLOW_FRAME);
		assert_memory_equal(rte_pktmbuf_mtod(packet, void *), frame, FLOW_FRAME);
		rte_pktmbuf_free(packet);
		assert_true(driver_take(driver, &head, &len));
	}
}

static void
test_from(void **state)
{
	RTE_SET_USED(state);
	check_from(FEATURES);
	check_from(FEATURES | CTRL_PACKED | BIT(VIRTIO_NET_F_CSUM));
}

static void
test_conf(void **state)
{
	struct virtio_net_config config;
	struct rte_vduse_net_conf conf = {
		.size = sizeof(conf),
		.path = "/dev/vduse/unit0",
		.pairs = 2,
		.ctrl_queue = true,
	};

	RTE_SET_USED(state);
	vduse_loopback_config(dev.loop, 0, &config, sizeof(config));
	assert_int_equal(config.rss_max_key_size, 40);
	assert_int_equal(rte_le_to_cpu_32(config.supported_hash_types), 0x3f);
	assert_int_equal(rte_vduse_net_features(&conf) & BIT(VIRTIO_NET_F_HASH_REPORT), 0);
	conf.hash_report = true;
	assert_int_not_equal(rte_vduse_net_features(&conf) & BIT(VIRTIO_NET_F_HASH_REPORT), 0);
	conf.features_off = BIT(VIRTIO_NET_F_CTRL_VQ);
	assert_int_equal(rte_vduse_net_features(&conf) & BIT(VIRTIO_NET_F_HASH_REPORT), 0);
	conf.features_off = 0;
	conf.ctrl_queue = false;
	assert_int_equal(rte_vduse_net_features(&conf) & BIT(VIRTIO_NET_F_HASH_REPORT), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int
main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_vectors),  TEST(test_types), TEST(test_short),
		TEST(test_commands), TEST(test_from),  TEST(test_conf),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
