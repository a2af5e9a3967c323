/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When a driver is interrupted: one that waits for each request, one that goes on sending, and
 * one that stops. Time is made up.
 */
#include <stdlib.h>

#include <call.h>

#include "unit.h"

#define GAP	100u
#define LONGEST 100000u

static struct vblk_call call;
static uint64_t now;

/* A request comes and is finished at once. Returns whether the driver is called. */
static bool
request(uint64_t gap)
{
	now += gap;
	vblk_call_came(&call, 1, now);
	if (call.owed)
		return vblk_call_due(&call, now);
	return vblk_call_want(&call, now);
}

/* Nothing comes until the driver is called: how long that takes. */
static uint64_t
wait_call(void)
{
	uint64_t from = now;

	while (!vblk_call_due(&call, now))
		assert_true(++now - from < 2 * LONGEST);
	return now - from;
}

/* It sends the next one when it is called for the last. */
static void
one_at_a_time(void **state)
{
	unsigned int i, late = 0;

	RTE_SET_USED(state);
	vblk_call_init(&call, LONGEST);
	for (i = 0; i < 10 * VBLK_CALL_TRIAL; i++) {
		if (request(GAP))
			continue;
		late++;
		assert_in_range(wait_call(), 1, VBLK_CALL_PATIENCE * (GAP + 1));
	}
	/* A trial now and then, and each of them fails. */
	assert_in_range(late, 9, 10);
	assert_false(call.owed);
}

/* It sends whether it is called or not. */
static void
stream(void **state)
{
	unsigned int i, calls = 0;

	RTE_SET_USED(state);
	vblk_call_init(&call, LONGEST);
	for (i = 0; i < 4 * VBLK_CALL_TRIAL; i++)
		(void)request(GAP);
	assert_int_equal(call.want, VBLK_CALL_MOST);
	for (i = 0; i < 1000 * (VBLK_CALL_MOST + 1u); i++)
		calls += request(GAP);
	assert_in_range(calls, 999, 1001);
}

/* The last call of a stream comes in time, and the next stream is trusted with less. */
static void
stream_ends(void **state)
{
	unsigned int i;

	stream(state);
	while (call.owed)
		(void)request(GAP);
	for (i = 0; i < 6; i++)
		assert_false(request(GAP));
	assert_in_range(wait_call(), 1, VBLK_CALL_PATIENCE * (GAP + 1));
	assert_int_equal(call.want, 5);
	/* After a pause, too: its length says nothing of the requests behind it. */
	assert_false(request(100 * LONGEST));
	assert_in_range(wait_call(), 1, LONGEST);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_at_a_time),
		cmocka_unit_test(stream),
		cmocka_unit_test(stream_ends),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
