/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Parses the command line.
 * Input: arguments. Output: a struct perf_options that is completely checked.
 * Thread: main, before anything runs.
 */
#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rte_bitops.h>
#include <rte_common.h>

#include "options.h"

/* Simple IMIX: 7 small, 4 medium and 1 large packet, with the small ones interspersed. */
#define IMIX "64,64,570,64,570,64,1518,64,570,64,570,64"

static const char *const net_directions[] = {
	[PERF_DIRECTION_FROM] = "from-driver",
	[PERF_DIRECTION_TO] = "to-driver",
	[PERF_DIRECTION_BOTH] = "both",
	[PERF_DIRECTION_ECHO] = "echo",
};

static const char *const block_directions[] = {
	[PERF_DIRECTION_FROM] = "write",
	[PERF_DIRECTION_TO] = "read",
	[PERF_DIRECTION_BOTH] = "mixed",
};

static const char *const attaches[] = {
	[RTE_VDUSE_ATTACH_NONE] = "none",
	[RTE_VDUSE_ATTACH_VIRTIO] = "virtio",
	[RTE_VDUSE_ATTACH_VHOST] = "vhost",
};

static const char *const rings[] = { "split", "packed" };
static const char *const patterns[] = { "sequential", "random" };
static const char *const modes[] = { [PERF_MODE_NET] = "net", [PERF_MODE_BLOCK] = "block" };

static const char usage[] =
	"usage: dpdk-vduse-perf [EAL OPTION...] -- [OPTION...]\n"
	"\n"
	"  --mode WHAT            net or block (default: net)\n"
	"  --direction WAY        net: from-driver, to-driver, both or echo (default: both)\n"
	"                         block: read, write or mixed (default: read)\n"
	"  --ring FORMAT          split or packed (default: split)\n"
	"  --mergeable 0|1        net: a packet may take several receive buffers (default: 1)\n"
	"  --offloads 0|1         net: checksum and segmentation offload are negotiated (default: 0)\n"
	"  --in-order 0|1         buffers are used in order (default: 0)\n"
	"  --packet-size N[,N...] net: bytes without FCS, taken in turn, or imix (default: 64)\n"
	"  --block-size N         block: 512 to 1048576 bytes (default: 4096)\n"
	"  --pattern ORDER        block: sequential or random (default: sequential)\n"
	"  --depth N              block: requests of a queue in flight (default: 32)\n"
	"  --backend NAME[,K=V]   block: null, ram, file or fault (default: null)\n"
	"  --inflight 0|1         block: keep the inflight log (default: 0)\n"
	"  --burst N              1 to 64 packets or requests (default: 32)\n"
	"  --queue-size N         a power of two, 2 to 32768 (default: 256)\n"
	"  --one-lcore 0|1        device and driver take turns on one lcore, so that no cache line\n"
	"                         moves between processors (default: 0)\n"
	"  --queues N             queue pairs, or queues of a block device (default: 1)\n"
	"  --warmup SECONDS       not measured (default: 1)\n"
	"  --duration SECONDS     measured (default: 5)\n"
	"  --verify               check every byte and the order; exit 1 if one is wrong\n"
	"  --json FILE            write the results as JSON\n"
	"  --histogram FILE.svg   write a histogram of the latencies\n"
	"  --progress             one line a second, also if stderr is no terminal\n"
	"  --device PATH          serve /dev/vduse/NAME or a vhost-user socket to an external\n"
	"                         driver instead of the internal one\n"
	"  --attach DRIVER        none, virtio or vhost: bind that device to it (default: none)\n"
	"  --help\n"
	"\n"
	"Two lcores poll, with --device or --one-lcore 1 one. Another lcore may sleep and show the progress:\n"
	"  dpdk-vduse-perf --lcores 0@0,1@0,2@1 --in-memory --no-pci -- --direction echo\n";

void
perf_options_usage(void)
{
	fputs(usage, stdout);
}

static int __rte_format_printf(1, 2) options_refuse(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("dpdk-vduse-perf: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	return -EINVAL;
}

/* Parses one word of a list. */
static int
options_word(const char *name, const char *value, const char *const *words, unsigned int nb,
	     unsigned int *word)
{
	char known[128] = "";
	unsigned int i;

	for (i = 0; i < nb; i++) {
		if (strcmp(value, words[i]) == 0) {
			*word = i;
			return 0;
		}
		snprintf(known + strlen(known), sizeof(known) - strlen(known), "%s%s",
			 i == 0 ? "" : ", ", words[i]);
	}
	return options_refuse("--%s %s: use %s", name, value, known);
}

/* Parses a decimal number; *end points after it. */
static int
options_number(const char *name, const char *value, char **end, unsigned long min,
	       unsigned long max, unsigned long *number)
{
	errno = 0;
	*number = strtoul(value, end, 10);
	if (errno != 0 || value[0] < '0' || value[0] > '9' || *number < min || *number > max)
		return options_refuse("--%s %s: use a number from %lu to %lu", name, value, min,
				      max);
	return 0;
}

static int
options_count(const char *name, const char *value, unsigned long min, unsigned long max,
	      uint16_t *count)
{
	unsigned long number;
	char *end;
	int ret;

	ret = options_number(name, value, &end, min, max, &number);
	if (ret == 0 && *end != '\0')
		return options_refuse("--%s %s: not a number", name, value);
	*count = (uint16_t)number;
	return ret;
}

static int
options_bool(const char *name, const char *value, bool *flag)
{
	if (strcmp(value, "0") != 0 && strcmp(value, "1") != 0)
		return options_refuse("--%s %s: use 0 or 1", name, value);
	*flag = value[0] == '1';
	return 0;
}

static int
options_seconds(const char *name, const char *value, double min, double *seconds)
{
	char *end;

	*seconds = strtod(value, &end);
	if (end == value || *end != '\0' || !isfinite(*seconds) || *seconds < min ||
	    *seconds > PERF_SECONDS_MAX)
		return options_refuse("--%s %s: use %g to %d seconds", name, value, min,
				      PERF_SECONDS_MAX);
	return 0;
}

static int
options_sizes(struct perf_options *options, const char *value)
{
	const char *at = strcmp(value, "imix") == 0 ? IMIX : value;
	unsigned long size;
	char *end;
	int ret;

	options->sizes_text = value;
	options->nb_sizes = 0;
	options->max_size = 0;
	for (;; at = end + 1) {
		if (options->nb_sizes == PERF_SIZES_MAX)
			return options_refuse("--packet-size: more than %d sizes", PERF_SIZES_MAX);
		ret = options_number("packet-size", at, &end, PERF_PACKET_MIN, PERF_PACKET_MAX,
				     &size);
		if (ret < 0)
			return ret;
		options->sizes[options->nb_sizes++] = (uint32_t)size;
		options->max_size = RTE_MAX(options->max_size, (uint32_t)size);
		if (*end == '\0')
			return 0;
		if (*end != ',')
			return options_refuse("--packet-size %s: use N[,N...] or imix", value);
	}
}

static int
options_queue_size(struct perf_options *options, const char *value)
{
	int ret = options_count("queue-size", value, 2, 32768, &options->queue_size);

	if (ret == 0 && !rte_is_power_of_2(options->queue_size))
		return options_refuse("--queue-size %s: use a power of two", value);
	return ret;
}

static int
options_block_size(struct perf_options *options, const char *value)
{
	unsigned long bytes;
	char *end;
	int ret;

	ret = options_number("block-size", value, &end, PERF_SECTOR, PERF_BLOCK_MAX, &bytes);
	if (ret == 0 && (*end != '\0' || bytes % PERF_SECTOR != 0))
		return options_refuse("--block-size %s: use a multiple of %d", value, PERF_SECTOR);
	options->block_size = (uint32_t)bytes;
	return ret;
}

/* Parses a name, and after a comma the arguments of the backend. */
static int
options_backend(struct perf_options *options, const char *value)
{
	size_t len = strcspn(value, ",");

	if (len == 0 || len >= PERF_BACKEND_MAX)
		return options_refuse("--backend %s: use NAME[,KEY=VALUE...]", value);
	memcpy(options->backend, value, len);
	options->backend[len] = '\0';
	options->backend_args = value + len + (value[len] == ',');
	return 0;
}

enum option_id {
	OPTION_MODE,
	OPTION_DIRECTION,
	OPTION_RING,
	OPTION_MERGEABLE,
	OPTION_OFFLOADS,
	OPTION_IN_ORDER,
	OPTION_PACKET_SIZE,
	OPTION_BLOCK_SIZE,
	OPTION_PATTERN,
	OPTION_DEPTH,
	OPTION_BACKEND,
	OPTION_INFLIGHT,
	OPTION_LOG,
	OPTION_BURST,
	OPTION_QUEUE_SIZE,
	OPTION_ONE_LCORE,
	OPTION_QUEUES,
	OPTION_WARMUP,
	OPTION_DURATION,
	OPTION_VERIFY,
	OPTION_JSON,
	OPTION_HISTOGRAM,
	OPTION_PROGRESS,
	OPTION_DEVICE,
	OPTION_ATTACH,
	OPTION_HELP,
};

static const struct option long_options[] = {
	[OPTION_MODE] = { "mode", required_argument, NULL, OPTION_MODE },
	[OPTION_DIRECTION] = { "direction", required_argument, NULL, OPTION_DIRECTION },
	[OPTION_RING] = { "ring", required_argument, NULL, OPTION_RING },
	[OPTION_MERGEABLE] = { "mergeable", required_argument, NULL, OPTION_MERGEABLE },
	[OPTION_OFFLOADS] = { "offloads", required_argument, NULL, OPTION_OFFLOADS },
	[OPTION_IN_ORDER] = { "in-order", required_argument, NULL, OPTION_IN_ORDER },
	[OPTION_PACKET_SIZE] = { "packet-size", required_argument, NULL, OPTION_PACKET_SIZE },
	[OPTION_BLOCK_SIZE] = { "block-size", required_argument, NULL, OPTION_BLOCK_SIZE },
	[OPTION_PATTERN] = { "pattern", required_argument, NULL, OPTION_PATTERN },
	[OPTION_DEPTH] = { "depth", required_argument, NULL, OPTION_DEPTH },
	[OPTION_BACKEND] = { "backend", required_argument, NULL, OPTION_BACKEND },
	[OPTION_INFLIGHT] = { "inflight", required_argument, NULL, OPTION_INFLIGHT },
	[OPTION_LOG] = { "log", required_argument, NULL, OPTION_LOG },
	[OPTION_BURST] = { "burst", required_argument, NULL, OPTION_BURST },
	[OPTION_QUEUE_SIZE] = { "queue-size", required_argument, NULL, OPTION_QUEUE_SIZE },
	[OPTION_ONE_LCORE] = { "one-lcore", required_argument, NULL, OPTION_ONE_LCORE },
	[OPTION_QUEUES] = { "queues", required_argument, NULL, OPTION_QUEUES },
	[OPTION_WARMUP] = { "warmup", required_argument, NULL, OPTION_WARMUP },
	[OPTION_DURATION] = { "duration", required_argument, NULL, OPTION_DURATION },
	[OPTION_VERIFY] = { "verify", no_argument, NULL, OPTION_VERIFY },
	[OPTION_JSON] = { "json", required_argument, NULL, OPTION_JSON },
	[OPTION_HISTOGRAM] = { "histogram", required_argument, NULL, OPTION_HISTOGRAM },
	[OPTION_PROGRESS] = { "progress", no_argument, NULL, OPTION_PROGRESS },
	[OPTION_DEVICE] = { "device", required_argument, NULL, OPTION_DEVICE },
	[OPTION_ATTACH] = { "attach", required_argument, NULL, OPTION_ATTACH },
	[OPTION_HELP] = { "help", no_argument, NULL, OPTION_HELP },
	{ NULL, 0, NULL, 0 },
};

/* Options whose value is one of several words. */
static int
options_choose(struct perf_options *options, enum option_id option, const char *value)
{
	const char *name = long_options[option].name;
	unsigned int word = 0;
	int ret;

	switch (option) {
	case OPTION_RING:
		ret = options_word(name, value, rings, RTE_DIM(rings), &word);
		options->packed = word == 1;
		return ret;
	case OPTION_PATTERN:
		ret = options_word(name, value, patterns, RTE_DIM(patterns), &word);
		options->random = word == 1;
		return ret;
	case OPTION_ATTACH:
		ret = options_word(name, value, attaches, RTE_DIM(attaches), &word);
		options->attach = word;
		return ret;
	default:
		ret = options_word(name, value, modes, RTE_DIM(modes), &word);
		options->mode = word;
		return ret;
	}
}

static int
options_value(struct perf_options *options, enum option_id option, const char *value)
{
	const char *name = long_options[option].name;

	switch (option) {
	case OPTION_MERGEABLE:
		return options_bool(name, value, &options->mergeable);
	case OPTION_OFFLOADS:
		return options_bool(name, value, &options->offloads);
	case OPTION_IN_ORDER:
		return options_bool(name, value, &options->in_order);
	case OPTION_ONE_LCORE:
		return options_bool(name, value, &options->one_lcore);
	case OPTION_PACKET_SIZE:
		return options_sizes(options, value);
	case OPTION_BLOCK_SIZE:
		return options_block_size(options, value);
	case OPTION_DEPTH:
		return options_count(name, value, 1, 32768, &options->depth);
	case OPTION_BACKEND:
		return options_backend(options, value);
	case OPTION_INFLIGHT:
	case OPTION_LOG: /* its old name */
		return options_bool(name, value, &options->inflight);
	case OPTION_BURST:
		return options_count(name, value, 1, PERF_BURST_MAX, &options->burst);
	case OPTION_QUEUE_SIZE:
		return options_queue_size(options, value);
	case OPTION_QUEUES:
		return options_count(name, value, 1, PERF_QUEUES_MAX, &options->queues);
	case OPTION_WARMUP:
		return options_seconds(name, value, 0, &options->warmup);
	case OPTION_DURATION:
		return options_seconds(name, value, 0.01, &options->duration);
	default:
		return options_choose(options, option, value);
	}
}

static int
options_set(struct perf_options *options, enum option_id option, const char *value)
{
	switch (option) {
	case OPTION_VERIFY:
		options->verify = true;
		return 0;
	case OPTION_PROGRESS:
		options->progress = true;
		return 0;
	case OPTION_HELP:
		options->help = true;
		return 0;
	case OPTION_DIRECTION:
		options->direction_text = value;
		return 0;
	case OPTION_JSON:
		options->json = value;
		return 0;
	case OPTION_HISTOGRAM:
		options->histogram = value;
		return 0;
	case OPTION_DEVICE:
		options->device = value;
		return 0;
	default:
		return options_value(options, option, value);
	}
}

/* An external driver of a block device may read and write. */
static const char *
options_direction_default(const struct perf_options *options)
{
	if (options->mode == PERF_MODE_NET)
		return "both";
	return options->device != NULL ? "mixed" : "read";
}

/* The allowed words depend on --mode, which may come later. */
static int
options_direction(struct perf_options *options)
{
	const char *value = options->direction_text;
	unsigned int word = 0;
	int ret;

	if (value == NULL)
		value = options_direction_default(options);
	if (options->mode == PERF_MODE_NET)
		ret = options_word("direction", value, net_directions, RTE_DIM(net_directions),
				   &word);
	else
		ret = options_word("direction", value, block_directions, RTE_DIM(block_directions),
				   &word);
	options->direction = word;
	return ret;
}

/* Options that only one of the modes has, or that were given by two names. */
static int
options_check_given(const struct perf_options *options, uint32_t given)
{
	static const uint32_t others[] = {
		[PERF_MODE_NET] = 1u << OPTION_BLOCK_SIZE | 1u << OPTION_PATTERN |
				  1u << OPTION_DEPTH | 1u << OPTION_BACKEND |
				  1u << OPTION_INFLIGHT | 1u << OPTION_LOG,
		[PERF_MODE_BLOCK] = 1u << OPTION_MERGEABLE | 1u << OPTION_PACKET_SIZE,
	};
	const uint32_t inflight = 1u << OPTION_INFLIGHT | 1u << OPTION_LOG;
	uint32_t wrong = given & others[options->mode];

	if ((given & inflight) == inflight)
		return options_refuse("--inflight: given more than once, by --log too; "
				      "give it once");
	if (wrong != 0)
		return options_refuse("--%s: not with --mode %s",
				      long_options[__builtin_ctz(wrong)].name,
				      modes[options->mode]);
	return 0;
}

/* Receive buffers of a ring must hold the longest packet, and a ring all requests. */
static int
options_check_room(const struct perf_options *options)
{
	uint32_t room = PERF_MERGEABLE_ROOM, with_header = options->max_size + PERF_HEADER_MAX;
	uint32_t bufs = (with_header + room - 1) / room;

	if (options->device != NULL)
		return 0;
	if (options->mode == PERF_MODE_BLOCK && options->depth > options->queue_size)
		return options_refuse("--depth %u: the ring has %u descriptors: use a larger "
				      "--queue-size",
				      options->depth, options->queue_size);
	/* VIRTIO 1.2, 2.7.9: descriptors are used in the order of the table. */
	if (options->mode == PERF_MODE_BLOCK && options->in_order &&
	    options->depth != options->queue_size)
		return options_refuse("--in-order 1: --depth %u: use that of --queue-size, %u",
				      options->depth, options->queue_size);
	if (options->mode == PERF_MODE_NET && options->mergeable && bufs > options->queue_size)
		return options_refuse("--queue-size %u: %u bytes take %u receive buffers",
				      options->queue_size, options->max_size, bufs);
	return 0;
}

/* --verify needs data that is written, stored and read. */
static int
options_check_verify(const struct perf_options *options)
{
	if (!options->verify)
		return 0;
	if (options->device != NULL)
		return options_refuse("--verify with --device: the other side's %s are not known",
				      options->mode == PERF_MODE_BLOCK ? "blocks" : "packets");
	if (options->mode == PERF_MODE_NET)
		return 0;
	if (options->direction == PERF_DIRECTION_FROM)
		return options_refuse("--verify: use --direction read or mixed");
	if (strcmp(options->backend, "null") == 0)
		return options_refuse("--verify: backend null keeps nothing: use --backend ram");
	return 0;
}

/* Checks combinations of options. */
static int
options_check(const struct perf_options *options)
{
	if (options->device == NULL && options->attach != RTE_VDUSE_ATTACH_NONE)
		return options_refuse("--attach needs --device");
	if (options->device != NULL && options->one_lcore)
		return options_refuse(
			"--one-lcore 1 with --device: its driver is in another process");
	if (options->device != NULL && options->histogram != NULL)
		return options_refuse("--histogram with --device: latencies need our own driver");
	return options_check_verify(options);
}

int
perf_options_parse(struct perf_options *options, int argc, char **argv)
{
	uint32_t given = 0;
	int option, ret;

	*options = (struct perf_options){
		.mergeable = true,
		.burst = 32,
		.depth = 32,
		.block_size = 4096,
		.backend = "null",
		.backend_args = "",
		.queue_size = 256,
		.queues = 1,
		.warmup = 1,
		.duration = 5,
	};
	(void)options_sizes(options, "64");
	optind = 0; /* EAL used getopt before */
	while ((option = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
		if (option == '?')
			return -EINVAL; /* getopt has printed the reason */
		ret = options_set(options, option, optarg);
		if (ret < 0)
			return ret;
		given |= 1u << option;
	}
	if (optind < argc)
		return options_refuse("%s: not an option", argv[optind]);
	if (options->help)
		return 0;
	ret = options_direction(options);
	if (ret == 0)
		ret = options_check_given(options, given);
	if (ret == 0)
		ret = options_check_room(options);
	return ret < 0 ? ret : options_check(options);
}

bool
perf_options_flow(const struct perf_options *options, enum perf_flow_index flow)
{
	if (options->direction == PERF_DIRECTION_FROM)
		return flow == PERF_FROM;
	return options->direction != PERF_DIRECTION_TO || flow == PERF_TO;
}

const char *
perf_options_direction(const struct perf_options *options)
{
	return options->mode == PERF_MODE_NET ? net_directions[options->direction]
					      : block_directions[options->direction];
}
