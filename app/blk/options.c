/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Parses the command line after EAL's "--".
 * Input: the arguments. Output: the devices to create. Thread: main.
 */
#include <ctype.h>
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "app.h"
#include "blk_config.h"

static const char usage[] =
	"usage: dpdk-vduse-blk [EAL options --] --device NAME,key=value,... [--device ...]\n"
	"       dpdk-vduse-blk [EAL options --] --config FILE\n"
	"  iface=/dev/vduse/NAME or the path of a vhost-user socket; instead of it\n"
	"                        transport=vhost-user,socket=PATH is taken, too\n"
	"  client=0              1: connect to that socket\n"
	"  any-memory=0          1: take memory of the socket's clients in any file\n"
	"  iommu=0               1: serve socket clients whose driver is behind an IOMMU\n"
	"  postcopy=0            1: a guest may run before its memory has arrived\n"
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
	"  on-error=report       of a full or failed backend; wait: hold requests until go-on;\n"
	"                        stop: until the process is started again\n"
	"  umem=0                1: huge pages as the kernel's bounce buffer\n"
	"Write a comma in a value twice: path=/srv/a,,b.img. In FILE write it once.\n"
	"FILE has a line [NAME] for each device, followed by one line KEY = VALUE per argument.\n"
	"--control PATH makes a socket at which devices are added, removed and seen; --control-mode 0600\n"
	"and --control-group GROUP say who may connect. With it the program may start without devices.\n"
	"--take-over PATH takes the devices over from the process with that --control, which then ends.\n"
	"--background returns when the devices are served, and goes on in the background.\n"
	"--user NAME runs as that user, who needs access to the images and to the folders of sockets\n"
	"and state files. Only for devices at sockets.\n"
	"--workers N polls with N processors instead of 1.\n"
	"--stop leave: SIGTERM leaves the devices to the next process; remove is the default.\n"
	"--idle MICROSECONDS=50 polls for so long before an lcore with nothing to do sleeps; 0: always\n"
	"-v prints the messages of EAL and its libraries too; EAL's --log-level selects some.\n"
	"SIGTERM and SIGINT stop it, SIGUSR1 prints counters, SIGHUP checks the backends' sizes.\n";

static int
options_usage(void)
{
	fputs(usage, stderr);
	return -EINVAL;
}

static int
options_add(const char *text, void *arg)
{
	struct app_device *device;

	return app_registry_add(arg, text, &device);
}

static int
options_mode(struct app_devices *devices, const char *text)
{
	char *end;
	unsigned long mode = strtoul(text, &end, 8);

	if (text[0] < '0' || text[0] > '7' || *end != '\0' || mode == 0 || mode > 0777) {
		fprintf(stderr, "dpdk-vduse-blk: --control-mode %s: use 1 to 777, octal\n", text);
		return -EINVAL;
	}
	devices->control_mode = (unsigned int)mode;
	return 0;
}

/* Which file config.save writes is clear if there is one only. */
static int
options_config(struct app_devices *devices, const char *path, unsigned int nb)
{
	devices->config = nb == 1 ? path : NULL;
	return blk_config_read(path, options_add, devices);
}

static int
options_empty(void)
{
	fprintf(stderr, "dpdk-vduse-blk: --config: no device: use [NAME] and lines KEY = VALUE, or "
			"--control\n");
	return -EINVAL;
}

static int
options_stop(const char *text, struct app_devices *devices)
{
	devices->leave = strcmp(text, "leave") == 0;
	if (devices->leave || strcmp(text, "remove") == 0)
		return 0;
	fprintf(stderr, "dpdk-vduse-blk: --stop %s: use leave or remove\n", text);
	return -EINVAL;
}

static int
options_idle(const char *text, unsigned int *idle_us)
{
	unsigned long value;
	char *end;

	errno = 0;
	value = strtoul(text, &end, 10);
	if (errno == 0 && isdigit((unsigned char)text[0]) && *end == '\0' &&
	    value <= APP_IDLE_US_MAX) {
		*idle_us = (unsigned int)value;
		return 0;
	}
	fprintf(stderr, "dpdk-vduse-blk: --idle %s: use 0 to %u microseconds\n", text,
		APP_IDLE_US_MAX);
	return -EINVAL;
}

static int
options_one(struct app_devices *devices, int option, unsigned int *configs)
{
	switch (option) {
	case 'd':
		return options_add(optarg, devices);
	case 'c':
		return options_config(devices, optarg, ++*configs);
	case 'u':
		devices->user = optarg;
		return 0;
	case 's':
		devices->control = optarg;
		return 0;
	case 't':
		devices->take_over = optarg;
		return 0;
	case 'm':
		return options_mode(devices, optarg);
	case 'g':
		devices->control_group = optarg;
		return 0;
	case 'i':
		return options_idle(optarg, &devices->idle_us);
	case 'l':
		return options_stop(optarg, devices);
	case 'v': /* handled before EAL starts */
	case 'b':
	case 'w':
		return 0;
	default:
		return options_usage();
	}
}

int
app_options(int argc, char **argv, struct app_devices *devices)
{
	static const struct option options[] = {
		{ "device", required_argument, NULL, 'd' },
		{ "config", required_argument, NULL, 'c' },
		{ "user", required_argument, NULL, 'u' },
		{ "control", required_argument, NULL, 's' },
		{ "control-mode", required_argument, NULL, 'm' },
		{ "control-group", required_argument, NULL, 'g' },
		{ "take-over", required_argument, NULL, 't' },
		{ "stop", required_argument, NULL, 'l' },
		{ "background", no_argument, NULL, 'b' },
		{ "workers", required_argument, NULL, 'w' },
		{ "idle", required_argument, NULL, 'i' },
		{ "help", no_argument, NULL, 'h' },
		{ NULL, 0, NULL, 0 },
	};
	unsigned int configs = 0;
	int option, ret = 0;

	devices->control_mode = 0600;
	while (ret == 0 && (option = getopt_long(argc, argv, "hv", options, NULL)) != -1)
		ret = options_one(devices, option, &configs);
	if (ret == 0 && optind < argc)
		ret = options_usage();
	if (ret == 0 && devices->nb == 0 && devices->control == NULL)
		ret = configs == 0 ? options_usage() : options_empty();
	if (ret == -ENOMEM)
		fprintf(stderr, "dpdk-vduse-blk: no memory for the devices\n");
	return ret;
}
