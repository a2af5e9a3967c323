/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The options of the command line, checked. */
#ifndef PERF_OPTIONS_H
#define PERF_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include <rte_vduse.h>

#define PERF_BURST_MAX   64
#define PERF_SIZES_MAX   64
#define PERF_PACKET_MIN  60
#define PERF_PACKET_MAX  65535
#define PERF_QUEUES_MAX  7 /* a loopback device has 16 virtqueues, one of them for control */
#define PERF_SECONDS_MAX 86400
#define PERF_SECTOR      512
#define PERF_BLOCK_MAX   (UINT32_C(1) << 20) /* largest request that the device does in one part */
#define PERF_BACKEND_MAX 16                  /* bytes of a name */

/* Size of receive buffers with mergeable buffers, as common drivers use. */
#define PERF_MERGEABLE_ROOM 2048
#define PERF_HEADER_MAX     12 /* of struct virtio_net_hdr_v1 */

/* The two directions of packets. For a block device: write requests and read requests. */
enum perf_flow_index { PERF_FROM, PERF_TO, PERF_FLOWS };

enum perf_mode { PERF_MODE_NET, PERF_MODE_BLOCK };

enum perf_direction {
	/* For a block device the first three mean: write, read, both. */
	PERF_DIRECTION_FROM, /* the driver sends, the device receives */
	PERF_DIRECTION_TO,   /* the device sends, the driver receives */
	PERF_DIRECTION_BOTH, /* both, independently */
	PERF_DIRECTION_ECHO, /* the device sends packets of the driver back */
};

struct perf_options {
	enum perf_mode mode;
	enum perf_direction direction;
	const char *device; /* NULL: over the loopback */
	enum rte_vduse_attach attach;
	bool packed;
	bool mergeable;
	bool offloads; /* net: checksums and segmentation are negotiated, no packet needs them */
	bool in_order;
	bool inflight; /* block: keep the inflight log */
	bool one_lcore;
	bool verify;
	bool progress;
	bool help;
	const char *direction_text;     /* as it was given, or NULL */
	const char *sizes_text;         /* as it was given */
	uint32_t sizes[PERF_SIZES_MAX]; /* used in turn */
	unsigned int nb_sizes;
	uint32_t max_size;
	uint16_t burst;
	uint16_t queue_size;
	uint16_t queues;
	uint16_t depth;      /* requests of a queue in flight */
	uint32_t block_size; /* bytes of a request */
	bool random;         /* blocks in random order, not sequential */
	char backend[PERF_BACKEND_MAX];
	const char *backend_args;
	double warmup; /* seconds */
	double duration;
	const char *json; /* files, or NULL */
	const char *histogram;
};

/*
 * Parses the arguments after EAL's "--". They must outlive options. 0, or -EINVAL after a line on
 * stderr with the reason.
 */
int
perf_options_parse(struct perf_options *options, int argc, char **argv);

void
perf_options_usage(void);

/* Whether packets are sent in that direction. */
bool
perf_options_flow(const struct perf_options *options, enum perf_flow_index flow);

const char *
perf_options_direction(const struct perf_options *options);

#endif /* PERF_OPTIONS_H */
