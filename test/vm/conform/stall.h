/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Memory whose page fault is delayed: two pages, the second of which userfaultfd holds back. A
 * kernel call that reads or writes it waits until the test ends the wait.
 *
 * Input: when to end the wait, and whether with a zeroed page or with a fault. Output: the pages,
 * and whether a call waits. Not thread-safe: the caller serialises calls.
 */
#ifndef CONFORM_STALL_H
#define CONFORM_STALL_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define STALL_PAGE	4096

struct stall {
	int uffd;
	uint8_t *room;		/* a page that is there, and page right after it */
	uint8_t *page;
};

void
stall_init(struct stall *stall);
/* Returns when a task waits for the page; ends the program if none does within 5 s. */
void
stall_wait(struct stall *stall);
/* The page comes, or goes for good. Either ends the wait. */
void
stall_finish(struct stall *stall, bool page);

/* True if the child ends with exit code 0 within so many seconds. It is reaped if it ends. */
bool
child_ends(pid_t pid, unsigned int seconds);

#endif
