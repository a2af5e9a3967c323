/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Reads and writes the file of --config. */
#ifndef BLK_CONFIG_H
#define BLK_CONFIG_H

#include <stdio.h>

/* Called for each device with a text in the form of a --device argument. 0 or a negative errno. */
typedef int (*blk_config_device_t)(const char *text, void *arg);

/*
 * Reads a file of devices. A line [NAME] begins a device; each line KEY = VALUE after it is an
 * argument. Blank lines and lines that begin with '#' are ignored. Calls device for each device in
 * order. Stops at the first error: returns the result of device, or a negative errno after one line
 * on the standard error that names the file and the line. Thread: main.
 */
int
blk_config_read(const char *path, blk_config_device_t device, void *arg);

/*
 * Writes one device, given as a --device argument, so that blk_config_read() reads it back. 0; -EINVAL:
 * a line cannot hold a key or value of it; or -ENOMEM. Any thread.
 */
int
blk_config_write(const char *text, FILE *out);

/*
 * The arguments of a device, given as a --device argument, with this value of key in place of the one
 * that they have; value NULL: without key. For the caller to free(); NULL: no memory. Any thread.
 */
char *
blk_config_replace(const char *text, const char *key, const char *value);

#endif /* BLK_CONFIG_H */
