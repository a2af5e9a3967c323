/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The hash of a packet in its virtio-net header, and the command that configures it. */
#include "loopback_ctrl.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

#include <rte_byteorder.h>
#include <rte_mbuf.h>

#define FRAME    128u
#define FEATURES (CTRL_MQ | BIT(VIRTIO_NET_F_HASH_REPORT))
#define HDR      20u
#define SLOT     4096u

/* Microsoft's key and flows for receive side scaling, and their hashes without and with ports. */
static const uint8_t key[VNET_HASH_KEY_MAX] = {
	0x6d, 0x5a, 0x56, 0xda, 0x25, 0x5b, 0x0e, 0xc2, 0x41, 0x67, 0x25, 0x3d, 0x43, 0xa3,
	0x8f, 0xb0, 0xd0, 0xca, 0x2b, 0xcb, 0xae, 0x7b, 0x30, 0xb4, 0x77, 0xcb, 0x2d, 0xa3,
	0x80, 0x30, 0xf2, 0x0c, 0x6a, 0x42, 0xb7, 0x3b, 0xbe, 0xac, 0x01, 0xfa,
};
static const struct flow {
	const char *dst, *src;
	uint16_t dst_port, src_port;
	uint32_t ip, l4;
} flows[] = {
	{ "161.142.100.80", "66.9.149.187", 1766, 2794, 0x323e8fc2, 0x51ccc178 },
	{ "65.69.140.83", "199.92.111.2", 4739, 14230, 0xd718262a, 0xc626b0ea },
	{ "12.22.207.184", "24.19.198.95", 38024, 12898, 0xd2d0a5de, 0x5c2b394a },
	{ "209.142.163.6", "38.27.205.30", 2217, 48228, 0x82989176, 0xafc7327f },
	{ "202.188.127.2", "153.39.163.191", 1303, 44251, 0x5d1809c5, 0x10e828a2 },
	{ "3ffe:2501:200:3::1", "3ffe:2501:200:1fff::7", 1766, 2794, 0x2cc18cd5, 0x40207d3d },
	{ "ff02::1", "3ffe:501:8::260:97ff:fe40:efab", 4739, 14230, 0x0f0c461c, 0xdde51bbf },
	{ "fe80::200:f8ff:fe21:67cf", "3ffe:1900:4545:3:200:f8ff:fe21:67cf", 38024, 44251,
	  0x4b61e985, 0x02d1feef },
};

/* How a frame differs from a plain one. */
enum shape { PLAIN, TAGGED, OPTIONS, FRAGMENT, SHAPES };

static struct loopback_ctrl dev;
static struct rte_mempool *pool;

static int
setup(void **state)
{
	RTE_SET_USED(state);
	pool = rte_pktmbuf_pool_create("hash", 255, 0, 0, 2048, SOCKET_ID_ANY);
	assert_non_null(pool);
	loopback_ctrl_create_hash(&dev, 4, true);
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

static bool
is_ipv6(const struct flow *flow)
{
	return strchr(flow->src, ':') != NULL;
}

/* Writes the IP header, and an option or extension header. Returns its length. */
static uint32_t
put_ip(uint8_t *ip, const struct flow *flow, uint8_t proto, enum shape shape)
{
	uint32_t len = is_ipv6(flow) ? 40 : 20;

	if (is_ipv6(flow)) {
		ip[0] = 0x60;
		ip[5] = FRAME - 60;
		ip[6] = proto;
		assert_int_equal(inet_pton(AF_INET6, flow->src, ip + 8), 1);
		assert_int_equal(inet_pton(AF_INET6, flow->dst, ip + 24), 1);
		if (shape == OPTIONS || shape == FRAGMENT) {
			ip[6] = shape == FRAGMENT ? IPPROTO_FRAGMENT : IPPROTO_HOPOPTS;
			ip[40] = proto;
			ip[43] = shape == FRAGMENT; /* more follow */
			len += 8;
		}
		return len;
	}
	ip[0] = 0x45;
	ip[3] = FRAME - 18;
	ip[9] = proto;
	assert_int_equal(inet_pton(AF_INET, flow->src, ip + 12), 1);
	assert_int_equal(inet_pton(AF_INET, flow->dst, ip + 16), 1);
	if (shape == OPTIONS) {
		ip[0] = 0x46;
		len += 4;
	} else if (shape == FRAGMENT) {
		ip[6] = 0x20; /* more follow */
	}
	return len;
}

static void
put_frame(uint8_t bytes[FRAME], const struct flow *flow, uint8_t proto, enum shape shape)
{
	uint16_t ports[2] = { htons(flow->src_port), htons(flow->dst_port) };
	uint32_t at = 14;

	memset(bytes, 0, FRAME);
	bytes[0] = 2;
	if (shape == TAGGED) {
		bytes[12] = 0x81;
		bytes[15] = 5;
		at += 4;
	}
	bytes[at - 2] = is_ipv6(flow) ? 0x86 : 0x08;
	bytes[at - 1] = is_ipv6(flow) ? 0xdd : 0x00;
	at += put_ip(bytes + at, flow, proto, shape);
	memcpy(bytes + at, ports, sizeof(ports));
	bytes[at + 12] = 0x50;
}

/* A packet in segments of seg bytes. */
static struct rte_mbuf *
packet_of(const uint8_t *bytes, uint32_t len, uint32_t seg)
{
	struct rte_mbuf *packet = NULL, *segment;
	uint32_t done, n;

	for (done = 0; done < len; done += n) {
		n = RTE_MIN(len - done, seg);
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

/* Types and key of a HASH_CONFIG. Returns its answer. */
static uint8_t
configure(uint32_t types, uint8_t key_len, uint32_t more)
{
	uint8_t data[128] = { 0 };
	uint32_t le = rte_cpu_to_le_32(types);

	memcpy(data, &le, sizeof(le));
	data[12] = key_len;
	memcpy(data + 13, key, sizeof(key));
	return loopback_ctrl_command(&dev, VIRTIO_NET_CTRL_MQ, VIRTIO_NET_CTRL_MQ_HASH_CONFIG, data,
				     13 + key_len + more);
}

/* The driver receives one packet in buffers of room bytes: header and frame must be these. */
static void
receives(const uint8_t *frame, uint32_t seg, uint32_t room, uint32_t value, uint16_t report)
{
	uint8_t want[HDR + FRAME] = { 0 }, got[HDR + FRAME];
	struct driver *driver = &dev.queues[CTRL_RX0];
	struct rte_mbuf *packet = packet_of(frame, FRAME, seg);
	uint32_t i, nb = (HDR + FRAME + room - 1) / room, head, len, all = 0;

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
	memcpy(want + HDR, frame, FRAME);
	assert_memory_equal(got, want, sizeof(want));
}

/* A flow as TCP, UDP and neither, in all shapes. */
static void
check_flow(const struct flow *flow, uint32_t seg, uint32_t room)
{
	uint16_t ip = is_ipv6(flow) ? VIRTIO_NET_HASH_REPORT_IPv6 : VIRTIO_NET_HASH_REPORT_IPv4;
	uint8_t frame[FRAME];
	enum shape shape;

	for (shape = PLAIN; shape < SHAPES; shape++) {
		bool whole = shape != FRAGMENT;

		put_frame(frame, flow, IPPROTO_TCP, shape);
		receives(frame, seg, room, whole ? flow->l4 : flow->ip,
			 (uint16_t)(ip + (whole ? 1 : 0)));
		put_frame(frame, flow, IPPROTO_UDP, shape);
		receives(frame, seg, room, whole ? flow->l4 : flow->ip,
			 (uint16_t)(ip + (whole ? 2 : 0)));
		put_frame(frame, flow, IPPROTO_ICMP, shape);
		receives(frame, seg, room, flow->ip, ip);
	}
}

static void
check_vectors(uint64_t features)
{
	bool mergeable = (features & BIT(VIRTIO_NET_F_MRG_RXBUF)) != 0;
	uint8_t arp[FRAME] = { 2 };
	size_t i;

	loopback_ctrl_up(&dev, features, 0);
	arp[12] = 0x08;
	arp[13] = 0x06;
	/* Nothing is configured yet. */
	receives(arp, FRAME, SLOT, 0, VIRTIO_NET_HASH_REPORT_NONE);
	assert_int_equal(configure(VNET_HASH_TYPES, sizeof(key), 0), VIRTIO_NET_OK);
	for (i = 0; i < RTE_DIM(flows); i++) {
		check_flow(&flows[i], FRAME, SLOT);
		check_flow(&flows[i], 15, SLOT);
		if (mergeable) {
			check_flow(&flows[i], FRAME, 21);
			check_flow(&flows[i], 15, 77);
		}
	}
	receives(arp, FRAME, SLOT, 0, VIRTIO_NET_HASH_REPORT_NONE);
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
	uint8_t frame[FRAME];
	uint32_t types, i, p;

	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, FEATURES, 0);
	for (types = 0; types <= VNET_HASH_TYPES; types++) {
		assert_int_equal(configure(types, sizeof(key), 0), VIRTIO_NET_OK);
		for (i = 4; i < 6; i++)
			for (p = 0; p < RTE_DIM(protos); p++) {
				uint32_t mine = is_ipv6(&flows[i]) ? types >> 3 : types & 7;
				uint16_t base = is_ipv6(&flows[i]) ? 4 : 1;

				put_frame(frame, &flows[i], protos[p], PLAIN);
				if (p > 0 && (mine >> p & 1) != 0)
					receives(frame, FRAME, SLOT, flows[i].l4,
						 (uint16_t)(base + p));
				else if ((mine & 1) != 0)
					receives(frame, FRAME, SLOT, flows[i].ip, base);
				else
					receives(frame, FRAME, SLOT, 0, 0);
			}
	}
}

/* Frames that end within their headers, which a driver's neighbour may send. */
static void
test_short(void **state)
{
	struct vnet_flow flow;
	uint8_t frame[FRAME];
	enum shape shape;
	uint32_t len, i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(flows); i++)
		for (shape = PLAIN; shape < SHAPES; shape++)
			for (len = 1; len <= FRAME; len++) {
				struct rte_mbuf *packet;
				uint32_t ip = shape == TAGGED ? 18 : 14;

				put_frame(frame, &flows[i], IPPROTO_TCP, shape);
				packet = packet_of(frame, len, 1 + len / 4);
				ip += is_ipv6(&flows[i]) ? 40 : 20;
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
	uint8_t frame[FRAME];

	put_frame(frame, &flows[0], IPPROTO_TCP, PLAIN);
	receives(frame, FRAME, SLOT, flows[0].l4, VIRTIO_NET_HASH_REPORT_TCPv4);
}

static void
test_commands(void **state)
{
	uint32_t bit, len;
	uint8_t data[64];

	RTE_SET_USED(state);
	loopback_ctrl_up(&dev, FEATURES, 0);
	assert_int_equal(configure(VNET_HASH_TYPES, sizeof(key), 0), VIRTIO_NET_OK);
	in_force();
	for (bit = 6; bit < 32; bit++)
		assert_int_equal(configure(1u << bit | 1, sizeof(key), 0), VIRTIO_NET_ERR);
	assert_int_equal(configure(1, 0, 0), VIRTIO_NET_ERR);
	assert_int_equal(configure(1, sizeof(key) + 1, 0), VIRTIO_NET_ERR);
	assert_int_equal(configure(1, 100, 0), VIRTIO_NET_ERR);
	assert_int_equal(configure(1, sizeof(key), 1), VIRTIO_NET_ERR);
	memset(data, 0, sizeof(data));
	data[0] = 1;
	data[12] = sizeof(key);
	for (len = 0; len < 13 + sizeof(key); len++)
		assert_int_equal(loopback_ctrl_command(&dev, VIRTIO_NET_CTRL_MQ,
						       VIRTIO_NET_CTRL_MQ_HASH_CONFIG, data, len),
				 VIRTIO_NET_ERR);
	in_force();
	/* A shorter key is followed by zeroes; none is needed without a type. */
	assert_int_equal(configure(VNET_HASH_TYPES, 16, 0), VIRTIO_NET_OK);
	in_force();
	assert_int_equal(configure(0, 0, 0), VIRTIO_NET_OK);
	loopback_ctrl_up(&dev, FEATURES & ~BIT(VIRTIO_NET_F_HASH_REPORT), 0);
	assert_int_equal(configure(VNET_HASH_TYPES, sizeof(key), 0), VIRTIO_NET_ERR);
}

/* Packets from the driver come after a header of 20 bytes, too, in one piece or several. */
static void
check_from(uint64_t features)
{
	struct driver *driver = &dev.queues[CTRL_TX0];
	struct rte_mbuf *packet;
	uint8_t frame[FRAME];
	uint16_t descs[2], i;
	uint32_t head, len, cut;

	dev.whole = true;
	loopback_ctrl_up(&dev, features, 0);
	put_frame(frame, &flows[5], IPPROTO_TCP, PLAIN);
	for (cut = 1, i = 0; cut <= HDR + FRAME; cut++, i++) {
		uint64_t at = driver->data + (uint64_t)(2 * i % CTRL_RING) * SLOT;
		uint8_t *bytes = driver_va(driver, at);
		struct driver_part parts[2] = { { at, cut, 0 },
						{ at + cut, HDR + FRAME - cut, 0 } };

		descs[0] = 2 * i % CTRL_RING;
		descs[1] = (uint16_t)(descs[0] + 1);
		memset(bytes, 0, HDR);
		memset(bytes + 12, 0xff, 8);
		memcpy(bytes + HDR, frame, FRAME);
		(void)driver_post_chain(driver, descs, parts, cut == HDR + FRAME ? 1 : 2);
		assert_int_equal(rte_vduse_net_rx_burst(dev.net, 0, pool, &packet, 1), 1);
		assert_int_equal(packet->pkt_len, FRAME);
		assert_memory_equal(rte_pktmbuf_mtod(packet, void *), frame, FRAME);
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
