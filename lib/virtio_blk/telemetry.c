/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The endpoints /vduse/blk and /vduse/blk_latency: of one queue, or the sum of all.
 * Input: queries. Output: dictionaries. Thread: of telemetry.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <vduse/telemetry.h>

#include <virtio_blk/blk.h>

/* Names of the counters, in the order of struct rte_vduse_blk_stats. */
static const char *const tel_counters[] = {
	"reads",           "writes",        "flushes",          "discards",
	"write_zeroes",    "secure_erases", "others",           "read_bytes",
	"written_bytes",   "io_errors",     "bad_requests",     "unsupported",
	"bad_descriptors", "calls",         "calls_suppressed", "in_flight",
	"limited",         "held",
};
static_assert(sizeof(tel_counters) / sizeof(tel_counters[0]) ==
		      sizeof(struct rte_vduse_blk_stats) / sizeof(uint64_t),
	      "one name for each counter");

static const char *const tel_kinds[] = { "read", "write", "flush", "ranges" };
static_assert(RTE_DIM(tel_kinds) == RTE_VDUSE_BLK_LATENCY_KINDS, "one name for each kind");

/* The queues that a query is for. Returns 0 or -EINVAL. */
static int
tel_queues(const struct vduse_telemetry_query *query, uint16_t *first, uint16_t *end)
{
	const struct rte_vduse_blk *blk = query->arg;

	*first = 0;
	*end = blk->nb_queues;
	if (query->nb == 0)
		return 0;
	if (query->numbers[0] >= blk->nb_queues)
		return -EINVAL;
	*first = (uint16_t)query->numbers[0];
	*end = (uint16_t)(*first + 1);
	return 0;
}

static int
tel_answer_blk(const struct vduse_telemetry_query *query)
{
	const struct rte_vduse_blk *blk = query->arg;
	uint64_t sum[RTE_DIM(tel_counters)] = { 0 }, counters[RTE_DIM(tel_counters)];
	struct rte_vduse_blk_stats stats;
	uint16_t first, end, i;
	size_t n;
	int ret = tel_queues(query, &first, &end);

	if (ret < 0)
		return ret;
	for (i = first; i < end; i++) {
		rte_vduse_blk_stats(blk, i, &stats, sizeof(stats));
		memcpy(counters, &stats, sizeof(counters));
		for (n = 0; n < RTE_DIM(sum); n++)
			sum[n] += counters[n];
	}
	rte_tel_data_start_dict(query->data);
	vduse_tel_dict_uint(query->data, "queues", blk->nb_queues);
	vduse_tel_dict_uint(query->data, "sectors", rte_vduse_blk_capacity(blk));
	for (n = 0; n < RTE_DIM(sum); n++)
		vduse_tel_dict_uint(query->data, tel_counters[n], sum[n]);
	return 0;
}

static int
tel_blk(const char *cmd, const char *params, struct rte_tel_data *data)
{
	RTE_SET_USED(cmd);
	return vduse_telemetry_answer(params, &vblk_dev_ops, 1, data, tel_answer_blk);
}

static void
tel_add_latency(struct rte_tel_data *data, const char *kind,
		const struct rte_vduse_blk_latency *latency)
{
	static const struct {
		const char *name;
		double share;
	} rows[] = {
		{ "p50", 0.5 }, { "p90", 0.9 }, { "p99", 0.99 }, { "p99_9", 0.999 }, { "max", 1 }
	};
	char name[32];
	size_t i;

	snprintf(name, sizeof(name), "%s_count", kind);
	vduse_tel_dict_uint(data, name, latency->count);
	snprintf(name, sizeof(name), "%s_mean_ns", kind);
	vduse_tel_dict_uint(data, name, rte_vduse_blk_latency_mean_ns(latency));
	for (i = 0; i < RTE_DIM(rows); i++) {
		snprintf(name, sizeof(name), "%s_%s_ns", kind, rows[i].name);
		vduse_tel_dict_uint(data, name, rte_vduse_blk_latency_ns(latency, rows[i].share));
	}
}

static int
tel_answer_latency(const struct vduse_telemetry_query *query)
{
	const struct rte_vduse_blk *blk = query->arg;
	struct rte_vduse_blk_latency sum, one;
	uint16_t first, end, i;
	unsigned int kind;
	int ret = tel_queues(query, &first, &end);

	if (ret < 0)
		return ret;
	rte_tel_data_start_dict(query->data);
	vduse_tel_dict_uint(query->data, "queues", blk->nb_queues);
	for (kind = 0; kind < RTE_VDUSE_BLK_LATENCY_KINDS; kind++) {
		memset(&sum, 0, sizeof(sum));
		for (i = first; i < end; i++) {
			vblk_latency_copy(&blk->queues[i].latency[kind], &one);
			vblk_latency_sum(&sum, &one);
		}
		tel_add_latency(query->data, tel_kinds[kind], &sum);
	}
	return 0;
}

static int
tel_latency(const char *cmd, const char *params, struct rte_tel_data *data)
{
	RTE_SET_USED(cmd);
	return vduse_telemetry_answer(params, &vblk_dev_ops, 1, data, tel_answer_latency);
}

RTE_INIT(vblk_telemetry_init)
{
	rte_telemetry_register_cmd("/vduse/blk", tel_blk,
				   "Counters of a block device. Parameters: NAME[,QUEUE]");
	rte_telemetry_register_cmd("/vduse/blk_latency", tel_latency,
				   "Latencies of a block device, ns. Parameters: NAME[,QUEUE]");
}
