/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Reads the file of --config. Thread: main. */
#ifndef BLK_CONFIG_H
#define BLK_CONFIG_H

/* Called for each device with a text in the form of a --device argument. 0 or a negative errno. */
typedef int (*blk_config_device_t)(const char *text, void *arg);

/*
 * Reads a file of devices. A line [NAME] begins a device; each line KEY = VALUE after it is an
 * argument. Blank lines and lines that begin with '#' are ignored. Calls device for each device in
 * order. Stops at the first error: returns the result of device, or a negative errno after one line
 * on the standard error that names the file and the line.
 */
int
blk_config_read(const char *path, blk_config_device_t device, void *arg);

#endif /* BLK_CONFIG_H */
