/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * See driver_memory.h. It uses a file, not EAL's memory, because the device maps a driver's memory
 * from files. Thread: main.
 */
#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <linux/memfd.h>

#include <rte_common.h>
#include <rte_eal.h>

#include "driver_memory.h"
#include "perf_log.h"

#define MEMORY_HUGE_PAGE (UINT64_C(2) << 20)

static int
memory_refuse(struct perf_memory *memory, const char *what)
{
	int err = errno;

	PERF_LOG("cannot %s %lu MB for the driver's rings and buffers: %s%s", what,
		 (unsigned long)(memory->size >> 20), strerror(err),
		 rte_eal_has_hugepages() != 0
			 ? "; reserve more huge pages of 2 MB, or use smaller queues"
			 : "");
	perf_memory_free(memory);
	return -err;
}

int
perf_memory_create(struct perf_memory *memory, uint64_t size)
{
	unsigned int flags = MFD_CLOEXEC;
	void *va;

	if (rte_eal_has_hugepages() != 0)
		flags |= MFD_HUGETLB | MFD_HUGE_2MB;
	memory->size = RTE_ALIGN_CEIL(size, MEMORY_HUGE_PAGE);
	memory->va = NULL;
	memory->fd = memfd_create("vduse-perf", flags);
	if (memory->fd < 0 || ftruncate(memory->fd, (off_t)memory->size) < 0)
		return memory_refuse(memory, "get");
	va = mmap(NULL, memory->size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, memory->fd,
		  0);
	if (va == MAP_FAILED)
		return memory_refuse(memory, "map");
	memory->va = va;
	return 0;
}

void
perf_memory_free(struct perf_memory *memory)
{
	if (memory->va != NULL)
		munmap(memory->va, memory->size);
	if (memory->size != 0 && memory->fd >= 0)
		close(memory->fd);
	*memory = (struct perf_memory){ .fd = -1 };
}
