/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * See device_side.h. Input: packets of the driver. Output: packets created here or sent back.
 * Makes no system calls between bursts. Thread: the device's lcore.
 */
#include "device_side.h"

/* Creates a packet of len bytes from an mbuf and as many others as needed. */
static bool
device_extend(struct rte_mempool *pool, struct rte_mbuf *packet, uint32_t len)
{
	struct rte_mbuf *tail = packet;

	packet->pkt_len = len;
	for (;;) {
		tail->data_len = (uint16_t)RTE_MIN(len, (uint32_t)rte_pktmbuf_tailroom(tail));
		len -= tail->data_len;
		if (len == 0)
			return true;
		tail->next = rte_pktmbuf_alloc(pool);
		if (tail->next == NULL)
			return false;
		tail = tail->next;
		packet->nb_segs++;
	}
}

static void
device_fill(struct rte_mbuf *packet, uint64_t sequence)
{
	uint32_t offset = 0;

	for (; packet != NULL; packet = packet->next) {
		perf_packet_fill(rte_pktmbuf_mtod(packet, uint8_t *), sequence, offset,
				 packet->data_len);
		offset += packet->data_len;
	}
}

/* Creates a burst of new packets. Without free mbufs the next call tries again. */
static void
device_make(struct perf_device *device, struct perf_device_pair *pair)
{
	const struct perf_options *options = device->bench->options;
	uint16_t i;

	if (rte_pktmbuf_alloc_bulk(device->pool, pair->mbufs, options->burst) < 0)
		return;
	for (i = 0; i < options->burst; i++) {
		struct rte_mbuf *packet = pair->mbufs[i];
		uint64_t sequence = pair->source.sequence;

		pair->lens[i] = perf_source_next(&pair->source);
		if (unlikely(!device_extend(device->pool, packet, pair->lens[i]))) {
			/* The packet was not sent, so its number is used again. */
			pair->source.sequence = sequence;
			rte_pktmbuf_free_bulk(&pair->mbufs[i], options->burst - i);
			break;
		}
		perf_packet_head(rte_pktmbuf_mtod(packet, void *), sequence, pair->lens[i], 0);
		if (options->verify)
			device_fill(packet, sequence);
	}
	pair->first = 0;
	pair->last = i;
}

/* Sends the pending packets. */
static void
device_send(struct perf_device *device, uint16_t index, bool stamp)
{
	struct perf_device_pair *pair = &device->pairs[index];
	uint16_t waiting = (uint16_t)(pair->last - pair->first), n, i;
	uint64_t begin = rte_rdtsc(), bytes = 0;

	if (stamp)
		perf_packet_stamp(rte_pktmbuf_mtod(pair->mbufs[pair->first], void *), begin);
	n = rte_vduse_net_tx_burst(device->net, index, pair->mbufs + pair->first, waiting);
	for (i = 0; i < n; i++)
		bytes += pair->lens[pair->first + i];
	perf_flow_burst(&device->flows[PERF_TO], n, bytes, rte_rdtsc() - begin);
	pair->first = (uint16_t)(pair->first + n);
}

static void
device_to(struct perf_device *device, uint16_t index)
{
	struct perf_device_pair *pair = &device->pairs[index];

	if (pair->first == pair->last && perf_bench_phase(device->bench) < PERF_DRAIN)
		device_make(device, pair);
	if (pair->first < pair->last)
		device_send(device, index, true);
}

static bool
device_match(const struct rte_mbuf *packet, uint64_t sequence)
{
	uint32_t offset = 0;

	for (; packet != NULL; packet = packet->next) {
		if (!perf_packet_match(rte_pktmbuf_mtod(packet, const uint8_t *), sequence, offset,
				       packet->data_len))
			return false;
		offset += packet->data_len;
	}
	return true;
}

/* Checks packets of the internal driver: their heads are in the first mbuf. */
static void
device_inspect(struct perf_device *device, struct perf_device_pair *pair,
	       struct rte_mbuf *const *mbufs, uint16_t nb)
{
	const struct perf_options *options = device->bench->options;
	bool last = options->direction != PERF_DIRECTION_ECHO;
	uint64_t now = rte_rdtsc();
	uint16_t i;

	for (i = 0; i < nb; i++) {
		const struct rte_mbuf *packet = mbufs[i];
		struct perf_mark mark = perf_packet_mark(rte_pktmbuf_mtod(packet, const void *));

		if (options->verify)
			perf_flow_check(&device->flows[PERF_FROM], &pair->expected, &mark,
					packet->pkt_len, device_match(packet, mark.sequence));
		if (last)
			perf_bench_latency(device->bench, &device->latency, &mark, now);
	}
}

static uint16_t
device_receive(struct perf_device *device, uint16_t index, struct rte_mbuf **mbufs)
{
	uint64_t begin = rte_rdtsc(), end, bytes = 0;
	uint16_t n, i;

	n = rte_vduse_net_rx_burst(device->net, index, device->pool, mbufs,
				   device->bench->options->burst);
	end = rte_rdtsc();
	for (i = 0; i < n; i++)
		bytes += mbufs[i]->pkt_len;
	perf_flow_burst(&device->flows[PERF_FROM], n, bytes, end - begin);
	if (n > 0 && device->ours)
		device_inspect(device, &device->pairs[index], mbufs, n);
	return n;
}

static void
device_from(struct perf_device *device, uint16_t index)
{
	struct rte_mbuf *mbufs[PERF_BURST_MAX];
	uint16_t n = device_receive(device, index, mbufs);

	if (n > 0)
		rte_pktmbuf_free_bulk(mbufs, n);
}

static void
device_both(struct perf_device *device, uint16_t index)
{
	device_to(device, index);
	device_from(device, index);
}

/* Receives no more until all packets received before have been sent back. */
static void
device_echo(struct perf_device *device, uint16_t index)
{
	struct perf_device_pair *pair = &device->pairs[index];

	if (pair->first == pair->last) {
		uint16_t i;

		pair->first = 0;
		pair->last = device_receive(device, index, pair->mbufs);
		for (i = 0; i < pair->last; i++)
			pair->lens[i] = pair->mbufs[i]->pkt_len;
	}
	if (pair->first < pair->last)
		device_send(device, index, false);
}

static void (*const device_polls[])(struct perf_device *device, uint16_t index) = {
	[PERF_DIRECTION_FROM] = device_from,
	[PERF_DIRECTION_TO] = device_to,
	[PERF_DIRECTION_BOTH] = device_both,
	[PERF_DIRECTION_ECHO] = device_echo,
};

void
perf_device_turn(void *arg)
{
	struct perf_device *device = arg;
	const struct perf_options *options = device->bench->options;
	uint16_t i;

	for (i = 0; i < options->queues; i++)
		device_polls[options->direction](device, i);
}

void
perf_device_end(void *arg)
{
	struct perf_device *device = arg;
	uint16_t i;

	for (i = 0; i < device->bench->options->queues; i++) {
		struct perf_device_pair *pair = &device->pairs[i];

		rte_pktmbuf_free_bulk(pair->mbufs + pair->first,
				      (unsigned int)(pair->last - pair->first));
	}
}
