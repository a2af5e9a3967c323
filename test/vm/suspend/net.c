/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * See net.h. Each packet has a sequence number. Packets come back in order, none of them twice; what
 * the device could not send back while it was suspended is missing. Thread: that of the load.
 */
#include <stdio.h>
#include <string.h>

#include <linux/if_ether.h>
#include <linux/virtio_net.h>
#include <linux/virtio_ring.h>

#include "check.h"
#include "net.h"

#define HEADER sizeof(struct virtio_net_hdr_v1)
#define LENGTH 64
#define BUFFER 1600
#define UNDONE 0xaa

struct net_packet {
	uint8_t virtio[HEADER];
	struct ethhdr ether;
	uint8_t room[2];
	uint64_t sequence;
} __attribute__((packed));

static uint64_t sent, seen, came, missing;
static bool stopped;

static struct net_packet *
net_packet(const struct load *load, uint16_t id)
{
	return (void *)load_room(load, id);
}

static uint16_t
net_fill_rx(struct load *load, uint16_t id, struct ring_part *parts)
{
	memset(net_packet(load, id), UNDONE, sizeof(struct net_packet));
	parts[0] = (struct ring_part){ load_iova(load, id), BUFFER, VRING_DESC_F_WRITE };
	return 1;
}

static void
net_done_rx(struct load *load, uint16_t id, uint32_t len)
{
	const struct net_packet *packet = net_packet(load, id);

	check(len == HEADER + LENGTH, "a packet of %u bytes came back", len);
	check(packet->sequence > seen && packet->sequence <= sent,
	      "packet %llu came back after packet %llu, of %llu",
	      (unsigned long long)packet->sequence, (unsigned long long)seen,
	      (unsigned long long)sent);
	missing += packet->sequence - seen - 1;
	seen = packet->sequence;
	came++;
}

static bool
net_written_rx(const struct load *load, uint16_t id)
{
	const uint8_t *at = load_room(load, id);
	unsigned int i;

	for (i = 0; i < sizeof(struct net_packet); i++)
		if (at[i] != UNDONE)
			return true;
	return false;
}

static uint16_t
net_fill_tx(struct load *load, uint16_t id, struct ring_part *parts)
{
	struct net_packet *packet = net_packet(load, id);

	if (stopped)
		return 0;
	memset(packet, 0, HEADER + LENGTH);
	memset(packet->ether.h_dest, 0xff, ETH_ALEN);
	packet->ether.h_source[0] = 2;
	/* The type for local experiments, in network byte order. */
	packet->ether.h_proto = (uint16_t)(0x88 | 0xb5 << 8);
	packet->sequence = ++sent;
	parts[0] = (struct ring_part){ load_iova(load, id), HEADER + LENGTH, 0 };
	return 1;
}

static void
net_done_tx(struct load *load, uint16_t id, uint32_t len)
{
	(void)load;
	check(len == 0, "used length %u of the packet in the buffer of id %u", len, id);
}

static bool
net_written_tx(const struct load *load, uint16_t id)
{
	(void)load;
	(void)id;
	return false;
}

const struct load_ops net_rx_ops = {
	.fill = net_fill_rx,
	.done = net_done_rx,
	.written = net_written_rx,
};

const struct load_ops net_tx_ops = {
	.fill = net_fill_tx,
	.done = net_done_tx,
	.written = net_written_tx,
};

void
net_stop(void)
{
	stopped = true;
}

void
net_report(void)
{
	printf("packets: sent %llu, back %llu, missing %llu\n", (unsigned long long)sent,
	       (unsigned long long)came, (unsigned long long)(missing + sent - seen));
}
