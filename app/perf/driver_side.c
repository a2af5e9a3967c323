/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * See driver_side.h. Input: packets of the device. Output: packets created here.
 * Makes no system calls between bursts. Thread: the driver's lcore.
 */
#include <linux/virtio_net.h>

#include <rte_branch_prediction.h>

#include "driver_side.h"

#define DRIVER_HDR ((uint32_t)sizeof(struct virtio_net_hdr_v1))

/* Takes back buffers that the device has read. */
static void
driver_reclaim(struct perf_driver_pair *pair)
{
	struct perf_buf bufs[PERF_BURST_MAX];
	uint16_t n = perf_ring_take(&pair->tx, bufs, PERF_BURST_MAX), i;

	for (i = 0; i < n; i++)
		pair->idle[(pair->idle_head + pair->nb_idle + i) & pair->tx.mask] = bufs[i].id;
	pair->nb_idle = (uint16_t)(pair->nb_idle + n);
}

/* Writes a packet with its virtio-net header. */
static uint32_t
driver_make(struct perf_driver_pair *pair, uint16_t id)
{
	/* VIRTIO 1.2, 5.1.6.2: without offloads all fields of the header are 0. */
	static const struct virtio_net_hdr_v1 hdr;
	uint8_t *to = perf_ring_buf(&pair->tx, id);
	uint64_t sequence = pair->source.sequence;
	uint32_t len = perf_source_next(&pair->source);

	memcpy(to, &hdr, sizeof(hdr));
	perf_packet_head(to + DRIVER_HDR, sequence, len, 0);
	if (pair->source.options->verify)
		perf_packet_fill(to + DRIVER_HDR, sequence, 0, len);
	return len;
}

static void
driver_send(struct perf_driver *driver, struct perf_driver_pair *pair)
{
	uint16_t burst = driver->bench->options->burst, n, i;
	uint64_t begin = rte_rdtsc(), bytes = 0;
	struct perf_buf bufs[PERF_BURST_MAX];

	if (pair->nb_idle < burst)
		driver_reclaim(pair);
	if (perf_bench_phase(driver->bench) >= PERF_DRAIN)
		return;
	n = RTE_MIN(burst, pair->nb_idle);
	for (i = 0; i < n; i++) {
		uint32_t len;

		bufs[i].id = pair->idle[(pair->idle_head + i) & pair->tx.mask];
		len = driver_make(pair, bufs[i].id);
		bufs[i].len = DRIVER_HDR + len;
		bytes += len;
	}
	if (n > 0) {
		perf_packet_stamp(perf_ring_buf(&pair->tx, bufs[0].id) + DRIVER_HDR, rte_rdtsc());
		perf_ring_post(&pair->tx, bufs, n);
	}
	pair->idle_head = (uint16_t)((pair->idle_head + n) & pair->tx.mask);
	pair->nb_idle = (uint16_t)(pair->nb_idle - n);
	perf_flow_burst(&driver->flows[PERF_FROM], n, bytes, rte_rdtsc() - begin);
}

/* The first buffer of a packet has the number of buffers and the packet's mark. */
static void
driver_packet_begin(struct perf_driver_packet *packet, const uint8_t *from, uint32_t len,
		    bool mergeable)
{
	const struct virtio_net_hdr_v1 *hdr = (const void *)from;

	*packet = (struct perf_driver_packet){ .buffers = 1, .intact = true };
	if (unlikely(len < DRIVER_HDR + sizeof(struct perf_head)))
		packet->intact = false;
	else
		packet->mark = perf_packet_mark(from + DRIVER_HDR);
	if (mergeable && hdr->num_buffers != 0)
		packet->buffers = rte_le_to_cpu_16(hdr->num_buffers);
	else if (unlikely(mergeable || hdr->num_buffers > 1))
		packet->intact = false;
}

/* Adds one buffer to a packet. Returns whether it was the last one. */
static bool
driver_packet_add(const struct perf_options *options, const struct perf_ring *rx,
		  struct perf_driver_packet *packet, const struct perf_buf *buf)
{
	const uint8_t *from = perf_ring_buf(rx, buf->id);
	uint32_t len = RTE_MIN(buf->len, rx->room);

	if (packet->buffers == 0) {
		driver_packet_begin(packet, from, len, options->mergeable);
		from += DRIVER_HDR;
		len -= RTE_MIN(DRIVER_HDR, len);
	}
	if (options->verify && packet->intact)
		packet->intact = buf->len <= rx->room &&
				 perf_packet_match(from, packet->mark.sequence, packet->len, len);
	packet->len += len;
	return --packet->buffers == 0;
}

static void
driver_receive(struct perf_driver *driver, struct perf_driver_pair *pair)
{
	const struct perf_options *options = driver->bench->options;
	struct perf_driver_packet *packet = &pair->packet;
	struct perf_flow *flow = &driver->flows[PERF_TO];
	uint64_t begin = rte_rdtsc(), packets = 0, bytes = 0, now;
	struct perf_buf bufs[PERF_BURST_MAX];
	uint16_t n, i;

	n = perf_ring_take(&pair->rx, bufs, options->burst);
	now = rte_rdtsc();
	for (i = 0; i < n; i++) {
		bool whole = driver_packet_add(options, &pair->rx, packet, &bufs[i]);

		bufs[i].len = pair->rx.room;
		if (!whole)
			continue;
		packets++;
		bytes += packet->len;
		if (options->verify)
			perf_flow_check(flow, &pair->expected, &packet->mark, packet->len,
					packet->intact);
		perf_bench_latency(driver->bench, &driver->latency, &packet->mark, now);
	}
	if (n > 0)
		perf_ring_post(&pair->rx, bufs, n);
	perf_flow_burst(flow, packets, bytes, now - begin);
}

void
perf_driver_turn(void *arg)
{
	struct perf_driver *driver = arg;
	const struct perf_options *options = driver->bench->options;
	uint16_t i;

	for (i = 0; i < options->queues; i++) {
		if (perf_options_flow(options, PERF_FROM))
			driver_send(driver, &driver->pairs[i]);
		if (perf_options_flow(options, PERF_TO))
			driver_receive(driver, &driver->pairs[i]);
	}
}
