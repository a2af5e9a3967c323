/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The CPUs that handle a device's interrupts, on machines of several sizes, and which virtqueues have
 * interrupts that cost the driver much.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include <linux/virtio_ids.h>
#include <linux/virtio_net.h>

#include <rte_bitops.h>
#include <rte_common.h>

#include <vduse/kernel/affinity.h>

/* A machine in letters: f free, m main lcore, w worker lcore. */
static const char *
chosen(const char *machine, bool heavy)
{
	static char mask[AFFINITY_MASK_MAX];
	enum affinity_use uses[AFFINITY_CPUS_MAX];
	long nb = 0;
	size_t len;

	for (; machine[nb] != '\0'; nb++)
		uses[nb] = machine[nb] == 'f'   ? AFFINITY_FREE
			   : machine[nb] == 'm' ? AFFINITY_MAIN
						: AFFINITY_WORKER;
	len = vduse_affinity_mask(uses, nb, heavy, mask, sizeof(mask));
	mask[len] = '\0';
	return mask;
}

static const struct {
	const char *machine;
	bool heavy;
	const char *mask;
} choices[] = {
	/* The lcores are spared. */
	{ "mwff", false, "0000000c" },
	{ "mwff", true, "0000000c" },
	{ "mwwf", false, "00000008" },
	{ "mwwf", true, "00000008" },
	{ "mw", false, "00000001" },
	{ "wwmm", true, "0000000c" },
	/* Interrupts that cost the driver much leave it the last that does not poll. */
	{ "mw", true, "00000002" },
	{ "wwfw", true, "0000000b" },
	{ "wwfw", false, "00000004" },
	/* None polls. */
	{ "mf", true, "00000002" },
	{ "m", true, "00000001" },
	/* All do. */
	{ "ww", false, "" },
	{ "w", true, "" },
};

static void
test_choices(void **state)
{
	unsigned int i;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(choices); i++) {
		const char *mask = chosen(choices[i].machine, choices[i].heavy);

		if (strcmp(mask, choices[i].mask) != 0)
			fail_msg("%s, %s: %s instead of %s", choices[i].machine,
				 choices[i].heavy ? "heavy" : "light", mask, choices[i].mask);
	}
}

static void
test_many_processors(void **state)
{
	char machine[AFFINITY_CPUS_MAX + 1];

	RTE_SET_USED(state);
	memset(machine, 'w', AFFINITY_CPUS_MAX);
	machine[AFFINITY_CPUS_MAX] = '\0';
	machine[AFFINITY_CPUS_MAX - 1] = 'f';
	machine[32] = 'f';
	assert_int_equal(strlen(chosen(machine, true)), AFFINITY_MASK_MAX - 2);
	assert_memory_equal(chosen(machine, true), "80000000,", 9);
	machine[40] = '\0';
	machine[33] = 'f';
	assert_string_equal(chosen(machine, true), "00000003,00000000");
}

#define CTRL RTE_BIT64(VIRTIO_NET_F_CTRL_VQ)
#define MQ   (CTRL | RTE_BIT64(VIRTIO_NET_F_MQ))
#define RSS  (CTRL | RTE_BIT64(VIRTIO_NET_F_RSS))
#define TSO4 RTE_BIT64(VIRTIO_NET_F_GUEST_TSO4)
#define TSO6 RTE_BIT64(VIRTIO_NET_F_GUEST_TSO6)

/* Heavy virtqueues as a set of bits. */
static const struct {
	uint32_t device_id;
	uint64_t features;
	uint16_t nb_vqs;
	uint32_t heavy;
} devices[] = {
	{ VIRTIO_ID_BLOCK, 0, 3, 0x7 },
	/* A device of no type that is known. */
	{ 1000, TSO4 | TSO6, 4, 0 },
	{ VIRTIO_ID_NET, 0, 2, 0 },
	{ VIRTIO_ID_NET, TSO4, 2, 0x1 },
	{ VIRTIO_ID_NET, TSO6, 2, 0x1 },
	{ VIRTIO_ID_NET, MQ, 9, 0 },
	/* Four pairs, with and without a control queue. */
	{ VIRTIO_ID_NET, MQ | TSO4, 8, 0x55 },
	{ VIRTIO_ID_NET, MQ | TSO4, 9, 0x55 },
	{ VIRTIO_ID_NET, RSS | TSO6, 9, 0x55 },
	/* One pair, or a driver that uses one: virtqueue 2 is the control queue. */
	{ VIRTIO_ID_NET, CTRL | TSO4, 3, 0x1 },
	{ VIRTIO_ID_NET, MQ | TSO4, 3, 0x1 },
	{ VIRTIO_ID_NET, CTRL | TSO4, 9, 0x1 },
};

static void
test_heavy(void **state)
{
	unsigned int i;
	uint16_t vq;

	RTE_SET_USED(state);
	for (i = 0; i < RTE_DIM(devices); i++) {
		uint32_t heavy = 0;

		for (vq = 0; vq < devices[i].nb_vqs; vq++)
			if (vduse_affinity_is_heavy(devices[i].device_id, devices[i].features,
						    devices[i].nb_vqs, vq))
				heavy |= RTE_BIT32(vq);
		if (heavy != devices[i].heavy)
			fail_msg("device %u: 0x%x instead of 0x%x", i, heavy, devices[i].heavy);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_many_processors),
		cmocka_unit_test(test_heavy),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
