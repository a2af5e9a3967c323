/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Chooses the processors that run a virtqueue's interrupts, see affinity.h.
 * Input: EAL's lcores. Output: a mask, written to irq_cb_affinity in sysfs.
 * Thread: control.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>

#include <rte_bitops.h>
#include <rte_lcore.h>

#include <vduse/kernel/affinity.h>
#include <vduse/core/log.h>

#define AFFINITY_BIT(use) (1U << (use))

/* A network driver takes large packets. */
#define AFFINITY_LARGE (RTE_BIT64(VIRTIO_NET_F_GUEST_TSO4) | RTE_BIT64(VIRTIO_NET_F_GUEST_TSO6))
/* It may use more than one pair of virtqueues. */
#define AFFINITY_SEVERAL (RTE_BIT64(VIRTIO_NET_F_MQ) | RTE_BIT64(VIRTIO_NET_F_RSS))

/* The uses whose processors take the interrupts, as a set of AFFINITY_BIT. */
static unsigned int
affinity_choose(const enum affinity_use *uses, long nb, bool heavy)
{
	long count[AFFINITY_USES] = { 0 }, cpu;

	for (cpu = 0; cpu < nb; cpu++)
		count[uses[cpu]]++;
	if (heavy && count[AFFINITY_FREE] + count[AFFINITY_MAIN] == 1 && count[AFFINITY_WORKER] > 0)
		return AFFINITY_BIT(AFFINITY_WORKER);
	if (count[AFFINITY_FREE] > 0)
		return AFFINITY_BIT(AFFINITY_FREE);
	return count[AFFINITY_MAIN] > 0 ? AFFINITY_BIT(AFFINITY_MAIN) : 0;
}

size_t
vduse_affinity_mask(const enum affinity_use *uses, long nb, bool heavy, char *mask, size_t room)
{
	unsigned int chosen = affinity_choose(uses, nb, heavy);
	size_t len = 0;
	long group;

	if (chosen == 0)
		return 0;
	/* The kernel reads masks with the highest processors first. */
	for (group = (nb - 1) / 32; group >= 0; group--) {
		uint32_t bits = 0;
		long cpu;

		for (cpu = group * 32; cpu < RTE_MIN(nb, group * 32 + 32); cpu++)
			if (chosen & AFFINITY_BIT(uses[cpu]))
				bits |= UINT32_C(1) << (cpu % 32);
		len += (size_t)snprintf(mask + len, room - len, "%08x%s", bits,
					group > 0 ? "," : "");
	}
	return len;
}

bool
vduse_affinity_is_heavy(uint32_t device_id, uint64_t features, uint16_t nb_vqs, uint16_t index)
{
	/* Without these a driver has one pair, and virtqueue 2 is its control queue. */
	uint16_t nb = (features & AFFINITY_SEVERAL) != 0 ? nb_vqs : 2;

	if (device_id == VIRTIO_ID_BLOCK)
		return true;
	/* A receive virtqueue has its transmit virtqueue after it, the control queue has none. */
	return device_id == VIRTIO_ID_NET && index % 2 == 0 && index + 1 < nb &&
	       (features & AFFINITY_LARGE) != 0;
}

void
vduse_affinity_set(const char *name, uint16_t vq, bool heavy)
{
	enum affinity_use uses[AFFINITY_CPUS_MAX];
	long nb = RTE_MIN(sysconf(_SC_NPROCESSORS_CONF), AFFINITY_CPUS_MAX);
	char mask[AFFINITY_MASK_MAX];
	unsigned int lcore;
	char path[128];
	size_t len;
	int fd;

	memset(uses, 0, nb * sizeof(*uses));
	RTE_LCORE_FOREACH(lcore) {
		int cpu = rte_lcore_to_cpu_id((int)lcore);

		if (cpu >= 0 && cpu < nb)
			uses[cpu] = lcore == rte_get_main_lcore() ? AFFINITY_MAIN : AFFINITY_WORKER;
	}
	len = vduse_affinity_mask(uses, nb, heavy, mask, sizeof(mask));
	if (len == 0)
		return;
	snprintf(path, sizeof(path), "/sys/class/vduse/%s/vq%u/irq_cb_affinity", name, vq);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, mask, len) < 0)
		/* Not fatal: interrupts are delayed more. Old kernels have no such file. */
		VDUSE_LOG(dev, DEBUG, name, "cannot write %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}
