/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Random calls of a vhost_vdpa user: those of a virtual machine monitor, in any order, with random
 * and nearly valid arguments. Each file is closed before the function returns.
 */
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "fuzz.h"
#include "vhost.h"

#define CALLS	64

static const unsigned long requests[] = {
	VHOST_SET_VRING_NUM, VHOST_SET_VRING_BASE, VHOST_GET_VRING_BASE, VHOST_SET_VRING_ADDR,
	VHOST_VDPA_GET_DEVICE_ID, VHOST_VDPA_GET_STATUS, VHOST_VDPA_SET_VRING_ENABLE,
	VHOST_VDPA_GET_VRING_NUM, VHOST_VDPA_GET_CONFIG_SIZE, VHOST_VDPA_GET_VQS_COUNT,
	VHOST_VDPA_GET_GROUP_NUM, VHOST_VDPA_GET_AS_NUM, VHOST_VDPA_GET_VRING_GROUP,
	VHOST_VDPA_SET_GROUP_ASID, VHOST_VDPA_SUSPEND, VHOST_VDPA_GET_IOVA_RANGE,
	VHOST_GET_FEATURES,
};

/* Addresses that meet now and then. */
static uint64_t
address(unsigned int *seed)
{
	return rand_r(seed) % 8 ? (uint64_t)(rand_r(seed) % 64) << 12 : fuzz_pick(seed);
}

static void
map(int vhost, unsigned int *seed)
{
	static __thread void *memory;
	uint64_t size = rand_r(seed) % 8 ? (uint64_t)(1 + rand_r(seed) % 16) << 12 :
		fuzz_pick(seed);
	uint32_t asid = rand_r(seed) % 3;

	if (memory == NULL)
		memory = vhost_memory(16, 1);
	switch (rand_r(seed) % 8) {
	case 0: vhost_batch(vhost, asid, true); break;
	case 1: vhost_batch(vhost, asid, false); break;
	case 2:
	case 3: vhost_unmap(vhost, asid, address(seed), size); break;
	default: vhost_map(vhost, asid, address(seed), size, memory); break;
	}
}

static void
event(int vhost, unsigned int *seed)
{
	struct vhost_vring_file file = { .index = rand_r(seed) % 3, .fd = eventfd(0, 0) };
	uint64_t one = 1;

	if (ioctl(vhost, rand_r(seed) % 2 ? VHOST_SET_VRING_KICK : VHOST_SET_VRING_CALL,
			&file) == 0 && write(file.fd, &one, sizeof(one)) < 0)
		return;
	if (file.fd >= 0)
		close(file.fd);
}

static void
config(int vhost, unsigned int *seed)
{
	union {
		struct vhost_vdpa_config head;
		uint64_t word[64];
	} arg = { .head = { .off = fuzz_pick(seed), .len = fuzz_pick(seed) % 256 } };

	ioctl(vhost, rand_r(seed) % 2 ? VHOST_VDPA_GET_CONFIG : VHOST_VDPA_SET_CONFIG, &arg);
}

static void
status(int vhost, unsigned int *seed)
{
	static const uint8_t likely[] = { 0, 1, 3, 11, 15 };
	uint64_t features = 1ULL << 32 | 1ULL << 33;

	if (rand_r(seed) % 2)
		ioctl(vhost, VHOST_SET_FEATURES, &features);
	vhost_set_status(vhost, rand_r(seed) % 4 ? likely[rand_r(seed) % 5] : rand_r(seed));
}

static void
call(int vhost, unsigned int *seed)
{
	uint64_t arg[32];

	switch (rand_r(seed) % 8) {
	case 0:
	case 1:
	case 2: map(vhost, seed); break;
	case 3: event(vhost, seed); break;
	case 4: config(vhost, seed); break;
	case 5: status(vhost, seed); break;
	default:
		fuzz_fill(arg, 32, seed);
		ioctl(vhost, requests[rand_r(seed) % (sizeof(requests) / sizeof(requests[0]))],
				arg);
		break;
	}
}

void
fuzz_vhost(int vhost, unsigned int *seed)
{
	uint64_t features = 0;
	int i;

	ioctl(vhost, VHOST_SET_OWNER, 0);
	if (ioctl(vhost, VHOST_GET_BACKEND_FEATURES, &features) == 0)
		ioctl(vhost, VHOST_SET_BACKEND_FEATURES, &features);
	for (i = 0; i < CALLS; i++)
		call(vhost, seed);
	close(vhost);
}
