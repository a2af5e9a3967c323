/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The CPUs that handle a device's interrupts, on machines of several sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
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

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_choices),
		cmocka_unit_test(test_many_processors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
