/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The endpoints /vduse/blk, /vduse/blk_latency and /vduse/blk_histogram: of one queue, or the sum of all.
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

/* Upper bounds of the buckets of /vduse/blk_histogram, nanoseconds: 1 us to 10 s. */
static const uint64_t tel_bounds_ns[] = {
	1000,      2500,      5000,       10000,      25000,      50000,       100000,   250000,
	500000,    1000000,   2500000,    5000000,    10000000,   25000000,    50000000, 100000000,
	250000000, 500000000, 1000000000, 2500000000, 5000000000, 10000000000,
};

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

static void
tel_sum(const struct rte_vduse_blk *blk, uint16_t first, uint16_t end, unsigned int kind,
	struct rte_vduse_blk_latency *sum)
{
	struct rte_vduse_blk_latency one;
	uint16_t i;

	memset(sum, 0, sizeof(*sum));
	for (i = first; i < end; i++) {
		vblk_latency_copy(&blk->queues[i].latency[kind], &one);
		vblk_latency_sum(sum, &one);
	}
}

static int
tel_answer_latency(const struct vduse_telemetry_query *query)
{
	const struct rte_vduse_blk *blk = query->arg;
	struct rte_vduse_blk_latency sum;
	unsigned int kind;
	uint16_t first, end;
	int ret = tel_queues(query, &first, &end);

	if (ret < 0)
		return ret;
	rte_tel_data_start_dict(query->data);
	vduse_tel_dict_uint(query->data, "queues", blk->nb_queues);
	for (kind = 0; kind < RTE_VDUSE_BLK_LATENCY_KINDS; kind++) {
		tel_sum(blk, first, end, kind, &sum);
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

static int
tel_add_histogram(struct rte_tel_data *data, const char *kind,
		  const struct rte_vduse_blk_latency *latency)
{
	uint64_t counts[RTE_DIM(tel_bounds_ns)], all;
	struct rte_tel_data *list;
	char name[32];
	size_t i;

	all = vblk_latency_count(latency, tel_bounds_ns, counts, RTE_DIM(counts));
	snprintf(name, sizeof(name), "%s_count", kind);
	vduse_tel_dict_uint(data, name, all);
	snprintf(name, sizeof(name), "%s_sum_ns", kind);
	vduse_tel_dict_uint(data, name, vblk_latency_sum_ns(latency));
	list = vduse_telemetry_list(data, kind, VDUSE_TEL_UINT);
	if (list == NULL)
		return -ENOMEM;
	for (i = 0; i < RTE_DIM(counts); i++)
		vduse_tel_array_uint(list, counts[i]);
	return 0;
}

static int
tel_answer_histogram(const struct vduse_telemetry_query *query)
{
	const struct rte_vduse_blk *blk = query->arg;
	struct rte_vduse_blk_latency sum;
	struct rte_tel_data *list;
	uint16_t first, end;
	unsigned int kind;
	size_t i;
	int ret = tel_queues(query, &first, &end);

	if (ret < 0)
		return ret;
	rte_tel_data_start_dict(query->data);
	list = vduse_telemetry_list(query->data, "le_ns", VDUSE_TEL_UINT);
	if (list == NULL)
		return -ENOMEM;
	for (i = 0; i < RTE_DIM(tel_bounds_ns); i++)
		vduse_tel_array_uint(list, tel_bounds_ns[i]);
	for (kind = 0; kind < RTE_VDUSE_BLK_LATENCY_KINDS; kind++) {
		tel_sum(blk, first, end, kind, &sum);
		ret = tel_add_histogram(query->data, tel_kinds[kind], &sum);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int
tel_histogram(const char *cmd, const char *params, struct rte_tel_data *data)
{
	RTE_SET_USED(cmd);
	return vduse_telemetry_answer(params, &vblk_dev_ops, 1, data, tel_answer_histogram);
}

RTE_INIT(vblk_telemetry_init)
{
	rte_telemetry_register_cmd("/vduse/blk", tel_blk,
				   "Counters of a block device. Parameters: NAME[,QUEUE]");
	rte_telemetry_register_cmd("/vduse/blk_latency", tel_latency,
				   "Latencies of a block device, ns. Parameters: NAME[,QUEUE]");
	rte_telemetry_register_cmd(
		"/vduse/blk_histogram", tel_histogram,
		"Latency histograms of a block device. Parameters: NAME[,QUEUE]");
}
