/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Parses the command line after EAL's "--".
 * Input: the arguments. Output: the devices to create. Thread: main.
 */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "blk_config.h"

static const char usage[] =
	"usage: dpdk-vduse-blk [EAL options] -- --device NAME,key=value,... [--device ...]\n"
	"       dpdk-vduse-blk [EAL options] -- --config FILE\n"
	"  iface=/dev/vduse/NAME or the path of a vhost-user socket; instead of it\n"
	"                        transport=vhost-user,socket=PATH is taken, too\n"
	"  client=0              1: connect to that socket\n"
	"  any-memory=0          1: take memory of the socket's clients in any file\n"
	"  iommu=0               1: serve socket clients whose driver is behind an IOMMU\n"
	"  socket-mode=0600      permissions of the socket; socket-group=GROUP\n"
	"  memory-limit=16T      the most memory that a driver may show\n"
	"  attach=none           virtio: a disk of this kernel; vhost: /dev/vhost-vdpa-N\n"
	"  backend=...           null (size=), ram (size=), file (path=, direct=0|1), fault,\n"
	"                        rbd (pool=, image=, namespace=, user=, conf=, timeout=)\n"
	"  queues=1              polled by the worker lcores in turn\n"
	"  queue-size=256        descriptors\n"
	"  block-size=512        logical block; the backend's unless given\n"
	"  serial=NAME           up to 20 characters\n"
	"  ro=0                  1: read-only; read-only= is accepted too\n"
	"  packed=0              1: also packed rings; the default at a socket\n"
	"  in-order=0            1: offer to finish requests in order\n"
	"  inflight=1            0: after a kill, what was in flight is not known; log= is accepted\n"
	"                        too\n"
	"  umem=0                1: huge pages as the kernel's bounce buffer\n"
	"Write a comma in a value twice: path=/srv/a,,b.img. In FILE write it once.\n"
	"FILE has a line [NAME] for each device, followed by one line KEY = VALUE per argument.\n"
	"--user NAME runs as that user, who needs access to the images and to the folders of sockets\n"
	"and state files. Only for devices at sockets.\n"
	"-v prints the messages of EAL and its libraries too; EAL's --log-level selects some.\n"
	"SIGTERM and SIGINT stop it, SIGUSR1 prints counters, SIGHUP checks the backends' sizes.\n";

static int
options_usage(void)
{
	fputs(usage, stderr);
	return -EINVAL;
}

/* Two devices must not have the same name or the same path. */
static int
options_check(const struct app_devices *devices, const struct blk_devargs *args)
{
	unsigned int i;

	for (i = 0; i < devices->nb; i++) {
		const struct blk_devargs *other = &devices->all[i]->args;

		if (strcmp(args->name, other->name) == 0) {
			fprintf(stderr,
				"dpdk-vduse-blk: %s: a device of this name is at %s: use "
				"another name for that at %s\n",
				args->name, other->dev.path, args->dev.path);
			return -EBUSY;
		}
		if (strcmp(args->dev.path, other->dev.path) == 0) {
			fprintf(stderr, "dpdk-vduse-blk: %s: %s=%s: %s has it: use another\n",
				args->name, args->vhost_user ? "socket" : "iface", args->dev.path,
				other->name);
			return -EBUSY;
		}
	}
	return 0;
}

/* Each device is allocated separately, because pointers into its arguments must stay valid. */
static int
options_add(const char *text, void *arg)
{
	struct app_devices *devices = arg;
	struct app_device **all;
	int ret;

	all = realloc(devices->all, (devices->nb + 1) * sizeof(all[0]));
	if (all == NULL)
		return -ENOMEM;
	devices->all = all;
	all[devices->nb] = calloc(1, sizeof(*all[0]));
	if (all[devices->nb] == NULL)
		return -ENOMEM;
	ret = blk_devargs_parse(text, &all[devices->nb]->args);
	if (ret == 0)
		ret = options_check(devices, &all[devices->nb]->args);
	devices->nb++;
	return ret;
}

int
app_options(int argc, char **argv, struct app_devices *devices)
{
	static const struct option options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "config", required_argument, NULL, 'c' },
		{ "user", required_argument, NULL, 'u' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	int option, ret = 0;

	while (ret == 0 && (option = getopt_long(argc, argv, "hv", options, NULL)) != -1) {
		if (option == 'd')
			ret = options_add(optarg, devices);
		else if (option == 'c')
			ret = blk_config_read(optarg, options_add, devices);
		else if (option == 'u')
			devices->user = optarg;
		else if (option == 'v')
			continue; /* handled by app_quiet() */
		else
			ret = options_usage();
	}
	if (ret == 0 && (optind < argc || devices->nb == 0))
		ret = options_usage();
	if (ret == -ENOMEM)
		fprintf(stderr, "dpdk-vduse-blk: no memory for the devices\n");
	return ret;
}

void
app_options_free(struct app_devices *devices)
{
	while (devices->nb > 0)
		free(devices->all[--devices->nb]);
	free(devices->all);
	devices->all = NULL;
}
