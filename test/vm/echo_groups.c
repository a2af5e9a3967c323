/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A device for net_15_groups.sh: three virtqueues, the last of them in a group of its own. Each writes
 * what a chain says back into the same chain.
 * Input: the path of a device, after EAL's arguments and "--".
 * Thread: main; it polls.
 */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>

#include <rte_debug.h>
#include <rte_eal.h>
#include <rte_memory.h>
#include <rte_vduse.h>

#define NB_VQS 3

static volatile sig_atomic_t stopping;

static void
on_signal(int number)
{
	stopping = number;
}

static int
on_start(struct rte_vduse_vq *vq, const struct rte_vduse_vq_info *info, void *arg)
{
	RTE_SET_USED(vq);
	RTE_SET_USED(info);
	RTE_SET_USED(arg);
	return 0;
}

static void
on_stop(struct rte_vduse_vq *vq, void *arg)
{
	RTE_SET_USED(vq);
	RTE_SET_USED(arg);
}

static const struct rte_vduse_dev_ops ops = { .vq_start = on_start, .vq_stop = on_stop };

static uint32_t
echo(const struct rte_vduse_chain *chain)
{
	const struct rte_vduse_buf *from = &chain->bufs[0];
	const struct rte_vduse_buf *to = &chain->bufs[chain->nb_out];
	uint32_t len;

	if (chain->nb_out == 0 || chain->nb_in == 0)
		return 0;
	len = RTE_MIN(from->len, to->len);
	memcpy(to->va, from->va, len);
	return len;
}

static void
serve(struct rte_vduse_vq *vq)
{
	struct rte_vduse_chain chains[RTE_VDUSE_BURST_MAX];
	uint16_t nb, i;

	if (!rte_vduse_vq_enter(vq))
		return;
	nb = rte_vduse_vq_dequeue(vq, chains, RTE_VDUSE_BURST_MAX);
	for (i = 0; i < nb; i++)
		chains[i].used_len = echo(&chains[i]);
	rte_vduse_vq_enqueue(vq, chains, nb);
	(void)rte_vduse_vq_flush(vq);
	rte_vduse_vq_leave(vq);
}

int
main(int argc, char **argv)
{
	const struct virtio_net_config config = { .mac = { 2, 0, 0, 0, 0, 1 } };
	struct rte_vduse_dev_conf conf = {
		.size = sizeof(struct rte_vduse_dev_conf),
		.device_id = VIRTIO_ID_NET,
		.features = 1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_ACCESS_PLATFORM |
			    1ULL << VIRTIO_NET_F_MAC | 1ULL << VIRTIO_NET_F_CTRL_VQ,
		.nb_vqs = NB_VQS,
		.vq_size = 64,
		.ctrl_vqs = 1,
		.config = &config,
		.config_size = sizeof(config),
		.socket_id = SOCKET_ID_ANY,
		.ops = &ops,
	};
	struct rte_vduse_dev *dev;
	int nb_eal = rte_eal_init(argc, argv);
	uint16_t i;

	if (nb_eal < 0 || argc - nb_eal != 2)
		rte_exit(EXIT_FAILURE, "usage: echo-groups [EAL options] -- DEVICE\n");
	conf.path = argv[nb_eal + 1];
	signal(SIGTERM, on_signal);
	if (rte_vduse_dev_create(&conf, &dev) < 0 ||
	    rte_vduse_dev_start(dev, RTE_VDUSE_ATTACH_VHOST) < 0)
		rte_exit(EXIT_FAILURE, "no device, see above\n");
	while (!stopping)
		for (i = 0; i < NB_VQS; i++)
			serve(rte_vduse_dev_vq(dev, i));
	rte_vduse_dev_destroy(dev);
	return rte_eal_cleanup();
}
