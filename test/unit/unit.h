/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* What unit tests need of the process: EAL, the log, /proc/self and patience. */
#ifndef UNIT_H
#define UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

/* cmocka 2 deprecates the name that cmocka 1 has alone. */
#ifdef assert_uint_in_range
#undef assert_in_range
#define assert_in_range assert_uint_in_range
#endif

#include <rte_common.h>

/* Longer than anything takes, sanitizers and a busy machine included. */
#define UNIT_PATIENCE_MS 20000

/* Starts EAL without huge pages, devices or files, and keeps the log. 0 or -1. */
int
unit_init(void);

/* For the end of main(): shows the log if tests failed. Returns what main() is to return. */
int
unit_done(int failed);

/* Forgets the log so far. */
void
unit_log_clear(void);

/* Lines of the log that hold text. */
unsigned int
unit_log_count(const char *text);

/* Waits until a line of the log holds text; the test fails if none does for UNIT_PATIENCE_MS. */
void
unit_log_wait(const char *text);

/* Waits until condition(arg) holds; false if it does not for UNIT_PATIENCE_MS. */
bool
unit_wait(bool (*condition)(void *arg), void *arg);

void
unit_sleep_ms(unsigned int ms);

/* Whether an eventfd, *(int *)arg, was signalled; it no longer is after that. For unit_wait(), too. */
bool
unit_signalled(void *arg);

/*
 * Returns after the control thread, started if need be, has looked once at all that was sent to
 * it before the call, and at what it had deferred. An answer that is not there then is held back.
 */
void
unit_ctrl_turn(void);

/* Waits until no memory of a driver is being made present any more, and what was dropped is gone. */
void
unit_populated(void);

/* Open file descriptors of this process, after unit_populated(). */
unsigned int
unit_fds(void);

/*
 * Waits until no more than this many are open. A vhost-user device has its sockets closed on another
 * thread, which may outlive it: a test that counts after one must not begin before that thread ends.
 */
void
unit_fds_back(unsigned int most);

/*
 * Mappings of this process whose line in /proc/self/maps holds text ("" for all), after
 * unit_populated().
 */
unsigned int
unit_maps(const char *text);

/* Waits until unit_maps() is 0: a populating thread unmaps later than the owner of a mapping drops it. */
void
unit_maps_gone(const char *text);

/* Processor time that the thread of this name took so far, ms. */
uint64_t
unit_thread_ms(const char *name);

/* A file in memory as a driver's: its name shows in unit_maps(). Fails the test if it cannot. */
int
unit_memfd(const char *name, uint64_t size);

/*
 * cmocka handles SIGBUS itself while a test runs. A test that wants the handler which was there
 * before, the guard's for one, keeps it in main() and brings it back as it begins.
 */
void
unit_sigbus_keep(void);
void
unit_sigbus_restore(void);

#endif /* UNIT_H */
