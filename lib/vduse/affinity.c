/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See affinity.h. In flow EAL's lcores, out flows a mask to irq_cb_affinity in sysfs.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <rte_lcore.h>

#include "affinity.h"
#include "log.h"

#define AFFINITY_CPUS_MAX 4096

static void
affinity_mark_lcores(bool *polls, long nb, bool main_too)
{
	unsigned int lcore;

	for (lcore = 0; lcore < RTE_MAX_LCORE; lcore++) {
		int cpu;

		if (!rte_lcore_is_enabled(lcore))
			continue;
		if (!main_too && lcore == rte_get_main_lcore())
			continue;
		cpu = rte_lcore_to_cpu_id((int)lcore);
		if (cpu >= 0 && cpu < nb)
			polls[cpu] = true;
	}
}

/* Writes the processors that do not poll as the kernel reads masks. 0: there are none. */
static size_t
affinity_mask(const bool *polls, long nb, char *mask, size_t room)
{
	size_t len = 0;
	bool any = false;
	long group;

	for (group = (nb - 1) / 32; group >= 0; group--) {
		uint32_t bits = 0;
		long cpu;

		for (cpu = group * 32; cpu < RTE_MIN(nb, group * 32 + 32); cpu++)
			if (!polls[cpu])
				bits |= UINT32_C(1) << (cpu % 32);
		any |= bits != 0;
		len += (size_t)snprintf(mask + len, room - len, "%08x%s", bits,
					group > 0 ? "," : "");
	}
	return any ? len : 0;
}

static size_t
affinity_choose(char *mask, size_t room)
{
	long nb = RTE_MIN(sysconf(_SC_NPROCESSORS_CONF), AFFINITY_CPUS_MAX);
	bool polls[AFFINITY_CPUS_MAX] = { false };
	size_t len;

	affinity_mark_lcores(polls, nb, true);
	len = affinity_mask(polls, nb, mask, room);
	if (len != 0)
		return len;
	memset(polls, 0, sizeof(polls));
	affinity_mark_lcores(polls, nb, false);
	return affinity_mask(polls, nb, mask, room);
}

void
vduse_affinity_spare_lcores(const char *name, uint16_t vq)
{
	char mask[AFFINITY_CPUS_MAX / 32 * 9 + 1];
	char path[128];
	size_t len;
	int fd;

	len = affinity_choose(mask, sizeof(mask));
	if (len == 0)
		return;
	snprintf(path, sizeof(path), "/sys/class/vduse/%s/vq%u/irq_cb_affinity", name, vq);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, mask, len) < 0)
		/* It still works, with more delay; old kernels have no such file. */
		VDUSE_LOG(dev, DEBUG, name, "cannot write %s: %s", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}
