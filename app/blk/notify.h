/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Who started the process learns what it does. Thread: main. */
#ifndef BLK_NOTIFY_H
#define BLK_NOTIFY_H

/*
 * With --background among the arguments: goes on in a child, which gets a descriptor for
 * app_notify_ready(), while the caller's process waits for that and exits. Otherwise -1. To be called
 * before there are threads or locked memory.
 */
int
app_notify_background(int argc, char **argv);
/* The process is the service's main one from now on, instead of the one that it replaces. */
void
app_notify_main(void);
/* The devices are served. *background is -1 after it. */
void
app_notify_ready(int *background);
/* The process begins to stop. */
void
app_notify_stopping(void);

#endif /* BLK_NOTIFY_H */
