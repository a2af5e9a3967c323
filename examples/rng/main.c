/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A device type that is not part of the library: virtio-rng (virtio specification, 5.4). It fills
 * the buffers of its driver with random bytes.
 * Input: the path of a device, after EAL's arguments and "--". With a vhost-user socket, use QEMU's
 * vhost-user-rng-pci as driver side. Output: the number of bytes.
 * Thread: main; it polls.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#include <linux/virtio_config.h>
#include <linux/virtio_ids.h>
#include <linux/virtio_ring.h>

#include <rte_debug.h>
#include <rte_eal.h>
#include <rte_memory.h>
#include <rte_vduse.h>

/* Up to this size getrandom() is neither interrupted nor short. */
#define PIECE_MAX 256

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

/* Fills only the first writable buffer of a chain: the device may return fewer bytes. */
static uint32_t
fill(const struct rte_vduse_chain *chain)
{
	const struct rte_vduse_buf *buf = &chain->bufs[chain->nb_out];
	ssize_t n;

	if (chain->nb_in == 0)
		return 0;
	n = getrandom(buf->va, RTE_MIN(buf->len, (uint32_t)PIECE_MAX), 0);
	return n < 0 ? 0 : (uint32_t)n;
}

static uint64_t
serve(struct rte_vduse_vq *vq)
{
	struct rte_vduse_chain chains[RTE_VDUSE_BURST_MAX];
	uint64_t bytes = 0;
	uint16_t nb, i;

	if (!rte_vduse_vq_enter(vq))
		return 0;
	nb = rte_vduse_vq_dequeue(vq, chains, RTE_VDUSE_BURST_MAX);
	for (i = 0; i < nb; i++) {
		chains[i].used_len = fill(&chains[i]);
		bytes += chains[i].used_len;
	}
	rte_vduse_vq_enqueue(vq, chains, nb);
	(void)rte_vduse_vq_flush(vq);
	rte_vduse_vq_leave(vq);
	return bytes;
}

int
main(int argc, char **argv)
{
	struct rte_vduse_dev_conf conf = {
		.size = sizeof(struct rte_vduse_dev_conf),
		.device_id = VIRTIO_ID_RNG,
		/* QEMU requires the two ring features. */
		.features = 1ULL << VIRTIO_F_VERSION_1 | 1ULL << VIRTIO_F_ACCESS_PLATFORM |
			    1ULL << VIRTIO_RING_F_INDIRECT_DESC | 1ULL << VIRTIO_RING_F_EVENT_IDX,
		.nb_vqs = 1,
		.vq_size = 64,
		.socket_id = SOCKET_ID_ANY,
		.ops = &ops,
	};
	struct rte_vduse_dev *dev;
	uint64_t bytes = 0;
	int nb_eal = rte_eal_init(argc, argv);

	if (nb_eal < 0 || argc - nb_eal != 2)
		rte_exit(EXIT_FAILURE, "usage: rng [EAL options] -- " RTE_VDUSE_PATH_USAGE "\n");
	conf.path = argv[nb_eal + 1];
	if (rte_vduse_dev_create(&conf, &dev) < 0 ||
	    rte_vduse_dev_start(dev, RTE_VDUSE_ATTACH_VIRTIO) < 0)
		rte_exit(EXIT_FAILURE, "no device, see above\n");
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	while (!stopping)
		bytes += serve(rte_vduse_dev_vq(dev, 0));
	printf("%lu bytes\n", (unsigned long)bytes);
	rte_vduse_dev_destroy(dev);
	return rte_eal_cleanup();
}
