/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The endpoint /vduse/net: counters of one pair, or the sum of all. rx: from the driver.
 * Input: queries. Output: dictionaries. Thread: of telemetry.
 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <vduse/telemetry.h>

#include <virtio_net/net.h>

/* Names of the counters, in the order of struct rte_vduse_net_stats. */
static const char *const tel_counters[] = {
	"packets",
	"bytes",
	"drops",
	"nombuf",
	"calls",
	"calls_suppressed",
	"bad_descriptors",
	"size_below_64",
	"size_64",
	"size_65_to_127",
	"size_128_to_255",
	"size_256_to_511",
	"size_512_to_1023",
	"size_1024_to_1518",
	"size_above_1518",
	"multicast",
	"broadcast",
	"oversize",
	"csum_passed",
	"csum_software",
	"bad_offloads",
	"gso_passed",
	"gso_software",
	"filtered",
};
static_assert(sizeof(tel_counters) / sizeof(tel_counters[0]) ==
		      sizeof(struct rte_vduse_net_stats) / sizeof(uint64_t),
	      "one name for each counter");

static void
tel_add_direction(const struct rte_vduse_net *net, uint16_t first, uint16_t end, bool rx,
		  struct rte_tel_data *data)
{
	uint64_t sum[RTE_DIM(tel_counters)] = { 0 }, counters[RTE_DIM(tel_counters)];
	struct rte_vduse_net_stats stats;
	char name[32];
	uint16_t i;
	size_t n;

	for (i = first; i < end; i++) {
		rte_vduse_net_stats(net, i, rx, &stats, sizeof(stats));
		memcpy(counters, &stats, sizeof(counters));
		for (n = 0; n < RTE_DIM(sum); n++)
			sum[n] += counters[n];
	}
	for (n = 0; n < RTE_DIM(sum); n++) {
		snprintf(name, sizeof(name), "%s_%s", rx ? "rx" : "tx", tel_counters[n]);
		vduse_tel_dict_uint(data, name, sum[n]);
	}
}

static int
tel_answer_net(const struct vduse_telemetry_query *query)
{
	const struct rte_vduse_net *net = query->arg;
	uint16_t first = 0, end = net->pairs;

	if (query->nb > 0) {
		if (query->numbers[0] >= net->pairs)
			return -EINVAL;
		first = (uint16_t)query->numbers[0];
		end = (uint16_t)(first + 1);
	}
	rte_tel_data_start_dict(query->data);
	vduse_tel_dict_uint(query->data, "pairs", net->pairs);
	vduse_tel_dict_uint(query->data, "pairs_used",
			    rte_atomic_load_explicit(&net->pairs_used, rte_memory_order_relaxed));
	tel_add_direction(net, first, end, true, query->data);
	tel_add_direction(net, first, end, false, query->data);
	return 0;
}

static int
tel_net(const char *cmd, const char *params, struct rte_tel_data *data)
{
	RTE_SET_USED(cmd);
	return vduse_telemetry_answer(params, &vnet_dev_ops, 1, data, tel_answer_net);
}

RTE_INIT(vnet_telemetry_init)
{
	rte_telemetry_register_cmd("/vduse/net", tel_net,
				   "Counters of a network device. Parameters: NAME[,PAIR]");
}
