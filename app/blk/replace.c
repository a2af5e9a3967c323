/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Takes the place of another process: its devices come here one after the other, each with a short
 * pause, and then it ends. A device that does not come stays there, and so does that process.
 * Input: the devices of this process's arguments. Output: they serve. Thread: main.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "app.h"
#include "notify.h"
#include "take_over.h"

/* One that the other process does not have, or that its death left, starts as usual. */
static int
replace_device(struct app_devices *devices, struct take_over *over, struct app_device *device)
{
	struct rte_vduse_handover *from;
	int ret = take_over_begin(over, device->args.name, &from);

	if (ret == 0) {
		device->args.conf.from = from;
		ret = app_device_start(devices, device);
		device->args.conf.from = NULL;
		(void)take_over_end(over, from);
		if (ret == 0)
			return 0;
	}
	if (ret == -ENODEV || !take_over_alive(over))
		return app_device_start(devices, device);
	fprintf(stderr, "dpdk-vduse-blk: %s: not taken over, the other process serves it: %s\n",
		device->args.name, strerror(-ret));
	return ret;
}

/* Those that the other process does not have come first: what is wrong with one changes nothing. */
static int
replace_start_new(struct app_devices *devices, struct take_over *over)
{
	unsigned int i;
	int ret = 0;

	for (i = 0; i < devices->nb && ret == 0; i++)
		if (take_over_has(over, devices->all[i]->args.name) == 0)
			ret = app_device_start(devices, devices->all[i]);
	return ret;
}

int
app_replace(struct app_devices *devices, struct take_over *over)
{
	unsigned int i = 0, nb_failed = 0;
	int ret = replace_start_new(devices, over);

	if (ret < 0) {
		fprintf(stderr, "dpdk-vduse-blk: nothing is taken over\n");
		return ret;
	}
	while (i < devices->nb) {
		int one = 0;

		if (devices->all[i]->blk == NULL)
			one = replace_device(devices, over, devices->all[i]);
		if (one == 0) {
			i++;
			continue;
		}
		ret = one;
		nb_failed++;
		app_registry_remove(devices, devices->all[i]);
	}
	if (nb_failed > 0 && devices->nb > 0)
		fprintf(stderr, "dpdk-vduse-blk: %u devices were not taken over\n", nb_failed);
	if (nb_failed > 0 || take_over_has_more(over))
		return devices->nb > 0 ? 0 : ret;
	/* Before the other one ends: the end of its main process would end the service. */
	app_notify_main();
	(void)take_over_stop(over);
	return devices->nb > 0 ? 0 : ret;
}
