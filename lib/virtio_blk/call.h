/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * When to interrupt the driver. An interrupt costs its processor more than a request; a driver
 * that goes on sending meanwhile loses nothing if it comes for several at once. So a call waits
 * for as many new requests as used to come, and no longer than it takes to see that none do. A
 * driver that waits for each request shows that by sending none: it is called at once, but for
 * a trial now and then.
 */
#ifndef VBLK_CALL_H
#define VBLK_CALL_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_common.h>

/* Most requests that a call waits for. */
#define VBLK_CALL_MOST 16
/* Calls between two trials: few enough that a late one shows in no 99th percentile. */
#define VBLK_CALL_TRIAL 1024
/* Calls that came in time before one waits for one request more. */
#define VBLK_CALL_STREAK 8

/* How much longer than usual a request may take to come. */
#define VBLK_CALL_PATIENCE 3

/* The polling thread's. Times are in cycles. */
struct vblk_call {
	uint64_t longest;  /* that a call may wait for a request */
	uint64_t last;     /* when requests came last, or a call was wanted */
	uint64_t gap;      /* between requests, on the average */
	uint16_t want;     /* new requests to wait for; 0: none */
	uint16_t came;
	uint16_t streak;
	uint16_t calls;    /* since the last trial */
	bool owed;
};

static inline void
vblk_call_init(struct vblk_call *call, uint64_t longest)
{
	*call = (struct vblk_call){ .longest = longest };
}

/* New requests came. */
static inline void
vblk_call_came(struct vblk_call *call, uint16_t requests, uint64_t now)
{
	uint64_t gap = RTE_MIN(now - call->last, call->longest);

	call->gap = (7 * call->gap + gap) / 8;
	call->last = now;
	call->came = (uint16_t)(call->came + requests);
}

/* The driver wants a call, and is owed none. Returns whether it is due now; else it is owed. */
static inline bool
vblk_call_want(struct vblk_call *call, uint64_t now)
{
	if (call->want == 0 && ++call->calls < VBLK_CALL_TRIAL)
		return true;
	if (call->want == 0)
		call->want = 1;
	call->calls = 0;
	call->came = 0;
	call->last = now;
	call->owed = true;
	return false;
}

/* Returns whether the call that is owed is due now. */
static inline bool
vblk_call_due(struct vblk_call *call, uint64_t now)
{
	if (call->came >= call->want) {
		if (++call->streak == VBLK_CALL_STREAK) {
			call->streak = 0;
			call->want = RTE_MIN((uint16_t)(call->want + 1), VBLK_CALL_MOST);
		}
	} else if (now - call->last < RTE_MIN(VBLK_CALL_PATIENCE * call->gap, call->longest)) {
		return false;
	} else {
		call->want = call->came;
		call->streak = 0;
	}
	call->owed = false;
	return true;
}

#endif /* VBLK_CALL_H */
