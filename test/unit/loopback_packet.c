/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Packets, as mbufs and as a driver has them: see loopback_net.h. */
#include "loopback_net.h"

#include <string.h>

static uint8_t expected[NET_HDR + NET_FRAME_MAX + NET_PIECE];
static uint8_t found[sizeof(expected)];

/* The bytes of a packet. The first says that it goes to one station. */
static void
packet_bytes(uint8_t *to, uint32_t seed, uint32_t len)
{
	uint32_t i, x = seed * 2654435761u + 1;

	for (i = 0; i < len; i++) {
		x = x * 1664525 + 1013904223;
		to[i] = (uint8_t)(x >> 24);
	}
	if (len > 0)
		to[0] = 2;
}

struct rte_mempool *
packet_pool(const char *name, unsigned int nb, uint16_t room)
{
	struct rte_mempool *pool;

	pool = rte_pktmbuf_pool_create(name, nb, 0, 0, (uint16_t)(RTE_PKTMBUF_HEADROOM + room),
				       SOCKET_ID_ANY);
	assert_non_null(pool);
	return pool;
}

struct rte_mbuf *
packet_new(struct rte_mempool *pool, uint32_t seed, uint32_t len, uint16_t seg)
{
	struct rte_mbuf *packet = NULL;
	uint32_t done = 0;

	packet_bytes(expected, seed, len);
	do {
		uint16_t n = (uint16_t)RTE_MIN(len - done, (uint32_t)seg);
		struct rte_mbuf *segment = rte_pktmbuf_alloc(pool);

		assert_non_null(segment);
		memcpy(rte_pktmbuf_append(segment, n), expected + done, n);
		if (packet == NULL)
			packet = segment;
		else
			assert_int_equal(rte_pktmbuf_chain(packet, segment), 0);
		done += n;
	} while (done < len);
	return packet;
}

void
packet_check(const struct rte_mbuf *packet, uint32_t seed, uint32_t len)
{
	const void *bytes;
	const char *reason;

	assert_int_equal(rte_mbuf_check(packet, 1, &reason), 0);
	assert_int_equal(packet->pkt_len, len);
	packet_bytes(expected, seed, len);
	bytes = rte_pktmbuf_read(packet, 0, len, found);
	assert_non_null(bytes);
	assert_memory_equal(bytes, expected, len);
}

void
loopback_net_fill(struct loopback_net *self, uint16_t head, uint32_t seed, uint32_t len)
{
	memset(expected, 0, NET_HDR);
	packet_bytes(expected + NET_HDR, seed, len);
	loopback_net_write(self, NET_TX, head, 0, expected, NET_HDR + len);
}

void
loopback_net_send(struct loopback_net *self, uint32_t seed, uint32_t len)
{
	uint16_t head = loopback_net_chain_len(self, NET_TX, NET_HDR + len);

	loopback_net_fill(self, head, seed, len);
	loopback_net_post(self, NET_TX, head);
}

unsigned int
loopback_net_reap(struct loopback_net *self)
{
	unsigned int count = 0;
	uint32_t head, len;

	while (driver_take(&self->queues[NET_TX], &head, &len)) {
		assert_in_range(head, 0, self->queues[NET_TX].size - 1);
		assert_int_equal(len, 0);
		count++;
	}
	return count;
}

unsigned int
loopback_net_receive(struct loopback_net *self, uint32_t seed, uint32_t len)
{
	struct virtio_net_hdr_v1 hdr, plain = { 0 };
	uint32_t head, n, got = 0;
	unsigned int chains = 0;

	do {
		if (!driver_take(&self->queues[NET_RX], &head, &n))
			fail_msg("%u of %u bytes were received", got, NET_HDR + len);
		assert_in_range(n, 1, NET_HDR + len - got);
		loopback_net_read(self, NET_RX, (uint16_t)head, 0, found + got, n);
		got += n;
		chains++;
	} while (got < NET_HDR + len);
	memcpy(&hdr, found, sizeof(hdr));
	plain.num_buffers = (uint16_t)chains;
	assert_memory_equal(&hdr, &plain, sizeof(hdr));
	packet_bytes(expected, seed, len);
	assert_memory_equal(found + NET_HDR, expected, len);
	return chains;
}
