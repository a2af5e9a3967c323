/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * dpdk-vduse-exporter: the telemetry of processes as OpenMetrics text over HTTP. main.c reads the command
 * line, listen.c makes the socket, http.c answers requests, targets.c finds the processes, collect.c reads
 * them through telemetry.c, families.c lists the metrics, text.c writes them.
 */
#ifndef EXPORTER_H
#define EXPORTER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/un.h>

#include <jansson.h>

/* Exit codes. */
#define EXPORTER_OK     0
#define EXPORTER_FAILED 1
#define EXPORTER_USAGE  2

/* A process has so long to answer all queries of one scrape. */
#define TARGET_TIMEOUT_MS 1000
/* Most processes, and devices and queues of one process. */
#define TARGETS_MAX 64
#define DEVICES_MAX 1024
#define QUEUES_MAX  1024

/* A connection to DPDK's telemetry of a process. */
struct telemetry {
	int fd;
	int64_t end_ms; /* monotonic: after it, every query fails */
	char *buffer;
	size_t room;
	const char *error; /* NULL: the connection can be used */
	bool refused;      /* no process serves the socket */
};

/* What a process says about a device: answers of its endpoints. */
struct device {
	json_t *info;      /* an object with the text "name" */
	json_t *vqs;       /* or NULL */
	json_t *queues;    /* list of the counters of each queue or pair; or NULL */
	json_t *histogram; /* or NULL */
	bool block;        /* queues are those of a disk, not of a network device */
};

/* A process to read. */
struct target {
	char path[sizeof(((struct sockaddr_un *)0)->sun_path)]; /* of its telemetry socket */
	char label[sizeof(((struct sockaddr_un *)0)->sun_path)];
	bool found; /* by its socket, not named by the user: it may be no process of dpdk-vduse */
	bool other; /* it answers, and has no endpoints of dpdk-vduse */
	bool up;
	const char *error; /* why it is not up */
	bool refused;      /* no process serves its socket */
	struct device *devices;
	size_t nb_devices;
};

struct targets {
	struct target list[TARGETS_MAX];
	size_t nb;
};

/* What the command line says. */
struct exporter {
	const char *listen;
	bool any_address;
	const char *runtime_dir;
	struct targets named; /* empty: all that are found */
};

/* main.c: prints one line on the standard error. Returns code. */
int
exporter_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* main.c: ends the program if there is no memory. */
void *
exporter_memory(void *memory);
int64_t
exporter_ms(void);

/*
 * listen.c: a listening socket at "ADDRESS:PORT" or "unix:PATH". Returns it, or -1 after it printed why.
 * unix_path: what to remove at the end, or NULL.
 */
int
listen_open(const char *where, bool any_address, const char **unix_path);

/* http.c: starts to answer. Returns 0, or -1 after it printed why. */
int
http_start(const struct exporter *exporter, int fd);
/* Ends connections that are too old. Thread: main, every second. */
void
http_reap(void);
void
http_stop(void);

/* targets.c: adds a process by its socket or its --file-prefix. Returns 0 or -errno. */
int
targets_add_path(struct targets *targets, const char *path);
int
targets_add_prefix(struct targets *targets, const char *runtime_dir, const char *prefix);
/* Adds all processes whose sockets are there. */
void
targets_find(struct targets *targets, const char *runtime_dir);
/* The folder that DPDK uses for its files. */
const char *
targets_runtime_dir(void);

/* telemetry.c. Returns 0, or -1: telemetry->error says why. */
int
telemetry_open(struct telemetry *telemetry, const char *path, int64_t end_ms);
void
telemetry_close(struct telemetry *telemetry);
/*
 * Asks an endpoint; params NULL: without. Returns an object, for the caller to release; NULL: the
 * process has no such answer, or telemetry->error is set.
 */
json_t *
telemetry_ask(struct telemetry *telemetry, const char *endpoint, const char *params);

/* collect.c: reads all processes, at the same time. */
void
collect(struct targets *targets);
void
collect_free(struct targets *targets);

/* Where the values of a metric are. */
enum family_place {
	FAMILY_PROCESS,
	FAMILY_DEVICE, /* device.info */
	FAMILY_VQ,     /* lists in device.vqs */
	FAMILY_BLK,    /* device.queues of a disk */
	FAMILY_NET,    /* device.queues of a network device */
	FAMILY_LATENCY,
};

#define FAMILY_SAMPLES 16

/* A metric. */
struct family {
	const char *name;
	const char *type;
	const char *unit; /* or NULL */
	const char *help;
	enum family_place place;
	uint64_t scale; /* multiplies each value; 0: 1 */
	uint64_t mask;  /* not 0: the value is text, hexadecimal; 1 if it has one of these bits */
	const char *equals; /* not NULL: the value is text; 1 if it is this text */
	struct {
		const char *field;
		const char *label; /* more labels, or NULL */
	} samples[FAMILY_SAMPLES];
};

/* families.c. The last one's name is NULL. */
extern const struct family families[];

/* text.c: writes all metrics. */
void
text_write(const struct targets *targets, FILE *out);

#endif /* EXPORTER_H */
