/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Walks the VDUSE interface: every ioctl with every wrong argument, and the messages. TAP on
 * stdout; what a check is called is the same on every kernel.
 *
 *   kernel-conform PART [ours]
 *
 * PART is control, device, order (with two_messages loaded and no other driver), driver (the
 * same with in_kernel), vhost (with vhost_vdpa loaded, virtio_vdpa not), virtio, ctrl, fs or break
 * (with virtio_vdpa, virtio_net and, for break, virtio_blk loaded, vhost_vdpa not).
 */
#include <stdio.h>
#include <string.h>

#include "conform.h"
#include "tap.h"

static const struct {
	const char *name;
	void (*run)(bool ours);
} parts[] = {
	{ "control", conform_control },
	{ "device", conform_device },
	{ "order", conform_order },
	{ "driver", conform_driver },
	{ "vhost", conform_vhost },
	{ "virtio", conform_virtio },
	{ "ctrl", conform_ctrl },
	{ "fs", conform_fs },
	{ "break", conform_break },
};

int
main(int argc, char **argv)
{
	bool ours = argc > 2 && strcmp(argv[2], "ours") == 0;
	unsigned int i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (argc > 1 && strcmp(argv[1], parts[i].name) == 0) {
			parts[i].run(ours);
			return tap_end();
		}
	}
	fprintf(stderr,
		"usage: kernel-conform control|device|order|driver|vhost|virtio|ctrl|fs|break [ours]\n");
	return 2;
}
