/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The file behind --config. */
#ifndef BLK_CONFIG_H
#define BLK_CONFIG_H

/* Takes what would stand behind a device's --device. 0 or a negative errno. */
typedef int (*blk_config_device_t)(const char *text, void *arg);

/*
 * Reads a file of devices: [NAME], alone on its line, begins one, then each line KEY = VALUE is an
 * argument of it. Lines that are blank or begin with '#' say nothing. Devices are taken in their
 * order, up to the first mistake: what device returned, or a negative errno and one line on the
 * standard error that names the file and the line.
 */
int
blk_config_read(const char *path, blk_config_device_t device, void *arg);

#endif /* BLK_CONFIG_H */
