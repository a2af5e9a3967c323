/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A minimal network device: it drops every packet that its driver sends, and sends none.
 * Input: the path of a device, after EAL's arguments and "--". Output: the number of packets.
 * Thread: main; it polls.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>

#include <rte_debug.h>
#include <rte_eal.h>
#include <rte_memory.h>
#include <rte_vduse.h>

/* Virtio specification, 5.1.2: virtqueue 0 carries packets to the driver, 1 from the driver. */
enum { RX, TX, NB_VQS };

static volatile sig_atomic_t stopping;

static void
on_signal(int number)
{
	stopping = number;
}

/* No state is needed: rte_vduse_vq_enter() reports whether the virtqueue runs. */
static int
on_start(struct rte_vduse_vq *vq, const struct rte_vduse_vq_info *info, void *arg)
{
	RTE_SET_USED(arg);
	printf("virtqueue %u runs, size %u\n", rte_vduse_vq_index(vq), info->size);
	return 0;
}

static void
on_stop(struct rte_vduse_vq *vq, void *arg)
{
	RTE_SET_USED(arg);
	printf("virtqueue %u stopped\n", rte_vduse_vq_index(vq));
}

static const struct rte_vduse_dev_ops ops = { .vq_start = on_start, .vq_stop = on_stop };

/* One burst: each chain is a packet. It is returned to the driver unread. */
static unsigned int
drop(struct rte_vduse_vq *vq)
{
	struct rte_vduse_chain chains[RTE_VDUSE_BURST_MAX];
	uint16_t nb, i;

	if (!rte_vduse_vq_enter(vq))
		return 0;
	nb = rte_vduse_vq_dequeue(vq, chains, RTE_VDUSE_BURST_MAX);
	for (i = 0; i < nb; i++)
		chains[i].used_len = 0;
	rte_vduse_vq_enqueue(vq, chains, nb);
	(void)rte_vduse_vq_flush(vq);
	rte_vduse_vq_leave(vq);
	return nb;
}

int
main(int argc, char **argv)
{
	const struct virtio_net_config config = { .mac = { 2, 0, 0, 0, 0, 1 } };
	struct rte_vduse_dev_conf conf = {
		.size = sizeof(struct rte_vduse_dev_conf),
		.device_id = VIRTIO_ID_NET,
		.features = 1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_ACCESS_PLATFORM |
			    1ULL << VIRTIO_NET_F_MAC,
		.nb_vqs = NB_VQS,
		.vq_size = 256,
		.config = &config,
		.config_size = sizeof(config),
		.socket_id = SOCKET_ID_ANY,
		.ops = &ops,
	};
	struct rte_vduse_dev *dev;
	unsigned long packets = 0;
	int nb_eal = rte_eal_init(argc, argv);

	if (nb_eal < 0 || argc - nb_eal != 2)
		rte_exit(EXIT_FAILURE,
			 "usage: null_net [EAL options] -- " RTE_VDUSE_PATH_USAGE "\n");
	conf.path = argv[nb_eal + 1];
	if (rte_vduse_dev_create(&conf, &dev) < 0 ||
	    rte_vduse_dev_start(dev, RTE_VDUSE_ATTACH_VIRTIO) < 0)
		rte_exit(EXIT_FAILURE, "no device, see above\n");
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	while (!stopping)
		packets += drop(rte_vduse_dev_vq(dev, TX));
	printf("%lu packets\n", packets);
	rte_vduse_dev_destroy(dev);
	return rte_eal_cleanup();
}
