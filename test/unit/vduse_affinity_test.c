/* SPDX-License-Identifier: BSD-3-Clause */
/* Which processors take a device's interrupts, for machines of several sizes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>
#include <rte_common.h>

#include "affinity.h"

/* A machine in letters: f free, m main lcore, w worker lcore. */
static const char *
chosen(const char *machine, bool disk)
{
	static char mask[AFFINITY_MASK_MAX];
	enum affinity_use uses[AFFINITY_CPUS_MAX];
	long nb = 0;
	size_t len;

	for (; machine[nb] != '\0'; nb++)
		uses[nb] = machine[nb] == 'f' ? AFFINITY_FREE :
			   machine[nb] == 'm' ? AFFINITY_MAIN : AFFINITY_WORKER;
	len = vduse_affinity_mask(uses, nb, disk, mask, sizeof(mask));
	mask[len] = '\0';
	return mask;
}

static void
test_lcores_are_spared(void **state)
{
	RTE_SET_USED(state);
	assert_string_equal(chosen("mwff", false), "0000000c");
	assert_string_equal(chosen("mwff", true), "0000000c");
	assert_string_equal(chosen("mwwf", false), "00000008");
	assert_string_equal(chosen("mw", false), "00000001");
	assert_string_equal(chosen("wwmm", true), "0000000c");
}

static void
test_disk_leaves_the_last_to_the_driver(void **state)
{
	RTE_SET_USED(state);
	assert_string_equal(chosen("mw", true), "00000002");
	assert_string_equal(chosen("wwfw", true), "0000000b");
	assert_string_equal(chosen("mwwf", true), "00000008");
	assert_string_equal(chosen("mf", true), "00000002");
	assert_string_equal(chosen("m", true), "00000001");
}

static void
test_nothing_to_choose(void **state)
{
	RTE_SET_USED(state);
	assert_string_equal(chosen("ww", false), "");
	assert_string_equal(chosen("w", true), "");
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
		cmocka_unit_test(test_lcores_are_spared),
		cmocka_unit_test(test_disk_leaves_the_last_to_the_driver),
		cmocka_unit_test(test_nothing_to_choose),
		cmocka_unit_test(test_many_processors),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
