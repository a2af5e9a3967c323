/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The mode net: creates a device and, over the loopback, the kernel's part and a driver; lets the
 * lcores poll; destroys everything. Thread: main.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include <rte_errno.h>
#include <rte_malloc.h>

#include "bench_net.h"
#include "conduct.h"
#include "kernel_side.h"
#include "perf_log.h"
#include "wishes.h"

#define NET_BIT(nr) (UINT64_C(1) << (nr))

/* Enough for lcore caches and bursts; the longest packets need 33 mbufs each. */
#define NET_POOL_MBUFS 4095
#define NET_POOL_CACHE 256

/* Checksums and segmentation of TCP, both ways. */
#define NET_OFFLOADS                                                                               \
	(NET_BIT(VIRTIO_NET_F_CSUM) | NET_BIT(VIRTIO_NET_F_GUEST_CSUM) |                           \
	 NET_BIT(VIRTIO_NET_F_HOST_TSO4) | NET_BIT(VIRTIO_NET_F_HOST_TSO6) |                       \
	 NET_BIT(VIRTIO_NET_F_GUEST_TSO4) | NET_BIT(VIRTIO_NET_F_GUEST_TSO6))

/*
 * The path over the loopback, which is a name only. Several pairs have the path of a socket: its
 * front end, not the device, has the control queue then.
 */
static const char *
net_path(const struct perf_options *options)
{
	if (options->device != NULL)
		return options->device;
	return options->queues > 1 ? "/run/perf.sock" : RTE_VDUSE_PATH "perf";
}

static uint64_t
net_features(const struct perf_options *options, uint64_t offered)
{
	const struct perf_wish wishes[] = {
		{ NET_BIT(VIRTIO_F_VERSION_1) | NET_BIT(VIRTIO_F_ACCESS_PLATFORM), "" },
		{ options->queues > 1 ? NET_BIT(VIRTIO_NET_F_MQ) : 0, "--queues" },
		{ options->packed ? NET_BIT(VIRTIO_F_RING_PACKED) : 0, "--ring packed" },
		{ options->in_order ? NET_BIT(VIRTIO_F_IN_ORDER) : 0, "--in-order 1" },
		{ options->offloads ? NET_OFFLOADS : 0, "--offloads 1" },
		{ options->mergeable ? NET_BIT(VIRTIO_NET_F_MRG_RXBUF) : 0, "--mergeable 1" },
	};

	return perf_features(wishes, RTE_DIM(wishes), offered);
}

static struct rte_vduse_net_conf
net_conf(const struct perf_options *options)
{
	uint32_t mtu = RTE_MIN(options->max_size, (uint32_t)PERF_PACKET_MAX) - RTE_ETHER_HDR_LEN;

	return (struct rte_vduse_net_conf){
		.size = sizeof(struct rte_vduse_net_conf),
		.path = net_path(options),
		.pairs = options->queues,
		.queue_size = options->queue_size,
		.mac = { { 2, 0, 0, 0, 0, 2 } },
		.mtu = (uint16_t)RTE_MAX(mtu, (uint32_t)RTE_ETHER_MTU),
		.socket_id = SOCKET_ID_ANY,
		.offloads = options->offloads ? NET_OFFLOADS : 0,
	};
}

static int
net_kernel_up(struct perf_net *net, uint64_t features)
{
	uint16_t pairs = net->bench.options->queues, i;

	for (i = 0; i < pairs; i++) {
		perf_kernel_vq(net->loop, (uint16_t)(2 * i), &net->driver.pairs[i].rx);
		perf_kernel_vq(net->loop, (uint16_t)(2 * i + 1), &net->driver.pairs[i].tx);
	}
	return perf_kernel_up(net->loop, &net->driver.memory, features,
			      rte_vduse_net_dev(net->device.net), (uint16_t)(2 * pairs));
}

static int
net_create_loopback(struct perf_net *net, const struct rte_vduse_net_conf *conf)
{
	struct rte_vduse_net_conf over = *conf;
	uint64_t features;
	int ret;

	features = net_features(net->bench.options, rte_vduse_net_features(conf));
	if (features == 0)
		return -ENOTSUP;
	ret = perf_driver_create(&net->driver, &net->bench);
	if (ret < 0)
		return ret;
	net->loop = vduse_loopback_new();
	if (net->loop == NULL)
		return -ENOMEM;
	over.transport = &vduse_transport_loopback;
	over.transport_priv = net->loop;
	ret = rte_vduse_net_create(&over, &net->device.net);
	if (ret < 0)
		return ret;
	ret = rte_vduse_net_start(net->device.net, RTE_VDUSE_ATTACH_NONE);
	if (ret < 0)
		return ret;
	return net_kernel_up(net, features);
}

static int
net_create_device(struct perf_net *net, const struct rte_vduse_net_conf *conf)
{
	int ret;

	ret = rte_vduse_net_create(conf, &net->device.net);
	if (ret < 0)
		return ret;
	return rte_vduse_net_start(net->device.net, net->bench.options->attach);
}

static int
net_create(struct perf_net *net)
{
	const struct perf_options *options = net->bench.options;
	struct rte_vduse_net_conf conf = net_conf(options);
	uint16_t i;

	net->device.bench = &net->bench;
	net->device.ours = options->device == NULL;
	for (i = 0; i < options->queues; i++)
		net->device.pairs[i].source.options = options;
	net->device.pool = rte_pktmbuf_pool_create("perf", NET_POOL_MBUFS, NET_POOL_CACHE, 0,
						   RTE_MBUF_DEFAULT_BUF_SIZE, SOCKET_ID_ANY);
	if (net->device.pool == NULL) {
		PERF_LOG("cannot get %d mbufs: %s: give EAL more memory", NET_POOL_MBUFS,
			 rte_strerror(rte_errno));
		return -ENOMEM;
	}
	return options->device == NULL ? net_create_loopback(net, &conf)
				       : net_create_device(net, &conf);
}

static void
net_destroy(struct perf_net *net)
{
	if (net->loop != NULL && net->device.net != NULL)
		perf_kernel_down(net->loop);
	rte_vduse_net_destroy(net->device.net);
	if (net->loop != NULL)
		vduse_loopback_free(net->loop);
	perf_driver_free(&net->driver);
	rte_mempool_free(net->device.pool);
	rte_free(net);
}

static bool
net_linked(void *arg)
{
	const struct perf_net *net = arg;

	return rte_vduse_net_link(net->device.net);
}

/* An external driver may come up later. */
static int
net_wait_link(void *arg)
{
	const struct perf_net *net = arg;

	if (!net_linked(arg))
		PERF_LOG("waiting for a driver of %s", net->bench.options->device);
	perf_conduct_wait(net_linked, arg);
	return 0;
}

static int
net_conduct(struct perf_net *net, struct perf_result *result)
{
	enum perf_direction direction = net->bench.options->direction;
	struct perf_conduct conduct = {
		.bench = &net->bench,
		.sides = { { .turn = perf_device_turn,
			     .end = perf_device_end,
			     .arg = &net->device },
			   { .turn = perf_driver_turn, .arg = &net->driver } },
		.nb_sides = net->loop != NULL ? 2 : 1,
		.device = net->device.flows,
		.sent = { &net->driver.flows[PERF_FROM], &net->device.flows[PERF_TO] },
		.received = { &net->device.flows[PERF_FROM], &net->driver.flows[PERF_TO] },
		.begin = net->loop != NULL ? NULL : net_wait_link,
		.arg = net,
	};

	if (direction == PERF_DIRECTION_FROM || direction == PERF_DIRECTION_BOTH)
		conduct.latency[PERF_FROM] = &net->device.latency;
	if (direction != PERF_DIRECTION_FROM)
		conduct.latency[PERF_TO] = &net->driver.latency;
	return perf_conduct(&conduct, result);
}

int
perf_net_run(const struct perf_options *options, int (*done)(const struct perf_result *result))
{
	struct perf_net *net;
	struct perf_result result;
	int ret;

	net = rte_zmalloc(NULL, sizeof(*net), RTE_CACHE_LINE_SIZE);
	if (net == NULL) {
		PERF_LOG("no memory: give EAL more");
		return -ENOMEM;
	}
	net->bench.options = options;
	ret = net_create(net);
	if (ret == 0)
		ret = net_conduct(net, &result);
	if (ret == 0)
		ret = done(&result);
	net_destroy(net);
	return ret;
}
