/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Keeps a disk busy and measures its rate, for test/perf/blk_host, blk_vm and scale.
 * Input: options. Output: a line "figure WHO JOB VALUE IO/s"; at depth 1 two more, with the median
 * and the 99th percentile of the request times.
 * Thread: only one, which polls.
 */
#include <err.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "disk.h"

#define JOB_TIMES_MAX (1U << 23)
#define JOB_RAMP_NS   200000000U

struct job {
	const char *who;
	const char *name;
	const char *path;
	bool write;
	bool random;
	uint32_t size;
	uint16_t depth;
	double seconds;
	struct timespec pause; /* before each request, at depth 1 */
};

struct job_state {
	const struct job *job;
	struct client_disk disk;
	uint64_t blocks; /* of the disk */
	uint64_t next;   /* a block, or what the next random one is made of */
	uint32_t *times; /* ns */
	size_t nb_times;
};

static uint64_t
job_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

static void
job_add(struct job_state *state, uint16_t id)
{
	uint64_t block;

	if (state->job->random) {
		/* xorshift64 */
		state->next ^= state->next << 13;
		state->next ^= state->next >> 7;
		state->next ^= state->next << 17;
		block = (state->next >> 32) * state->blocks >> 32;
	} else {
		block = state->next++;
		if (state->next == state->blocks)
			state->next = 0;
	}
	client_disk_add(&state->disk, id, block * state->job->size);
}

static uint16_t
job_turn(struct job_state *state)
{
	uint16_t ids[CLIENT_DEPTH_MAX], n, i;

	n = client_disk_take(&state->disk, ids, state->job->depth);
	for (i = 0; i < n; i++)
		job_add(state, ids[i]);
	client_disk_show(&state->disk);
	return n;
}

static void
job_begin(struct job_state *state)
{
	uint16_t i;

	for (i = 0; i < state->job->depth; i++)
		job_add(state, i);
	client_disk_show(&state->disk);
}

/* Nothing may be under way when the memory goes. */
static void
job_end(struct job_state *state)
{
	uint16_t ids[CLIENT_DEPTH_MAX], left = state->job->depth;

	while (left > 0)
		left = (uint16_t)(left - client_disk_take(&state->disk, ids, state->job->depth));
}

/* Requests a second, at full depth. */
static double
job_run_many(struct job_state *state)
{
	uint64_t begin = job_now() + JOB_RAMP_NS, now = 0, count = 0, end;
	bool ramp = true;
	unsigned int turn = 0;

	end = begin + (uint64_t)(state->job->seconds * 1e9);
	job_begin(state);
	while (now < end) {
		count += job_turn(state);
		if (++turn % 64 != 0)
			continue;
		now = job_now();
		if (ramp && now >= begin) {
			ramp = false;
			begin = now;
			count = 0;
		}
	}
	job_end(state);
	return (double)count * 1e9 / (double)(now - begin);
}

/* Requests a second, one by one, and how long each takes. */
static double
job_run_one(struct job_state *state)
{
	uint64_t begin = job_now() + JOB_RAMP_NS, start = 0, now = 0, end;
	uint16_t id;

	end = begin + (uint64_t)(state->job->seconds * 1e9);
	while (now < end && state->nb_times < JOB_TIMES_MAX) {
		if (state->job->pause.tv_nsec > 0)
			nanosleep(&state->job->pause, NULL);
		start = job_now();
		job_begin(state);
		while (client_disk_take(&state->disk, &id, 1) == 0)
			;
		now = job_now();
		if (start >= begin)
			state->times[state->nb_times++] = (uint32_t)(now - start);
	}
	return (double)state->nb_times * 1e9 / (double)(now - begin);
}

static int
job_compare_times(const void *a, const void *b)
{
	uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

	return (left > right) - (left < right);
}

static void
job_report(struct job_state *state, double rate)
{
	const struct job *job = state->job;
	size_t nb = state->nb_times;

	printf("figure %s %s %.0f IO/s\n", job->who, job->name, rate);
	if (nb == 0)
		return;
	qsort(state->times, nb, sizeof(*state->times), job_compare_times);
	printf("figure %s %s:p50 %.3f us\n", job->who, job->name, state->times[nb / 2] / 1e3);
	printf("figure %s %s:p99 %.3f us\n", job->who, job->name,
	       state->times[nb - nb / 100 - 1] / 1e3);
}

static bool
job_parse(int argc, char **argv, struct job *job)
{
	unsigned long pause_us = argc > 8 ? strtoul(argv[8], NULL, 10) : 0;
	unsigned long depth = strtoul(argv[6], NULL, 10);

	job->who = argv[1];
	job->name = argv[2];
	job->path = argv[3];
	job->random = strncmp(argv[4], "rand", 4) == 0;
	job->write = strcmp(argv[4] + (job->random ? 4 : 0), "write") == 0;
	job->size = (uint32_t)strtoul(argv[5], NULL, 10);
	job->depth = (uint16_t)depth;
	job->seconds = strtod(argv[7], NULL);
	job->pause.tv_nsec = (long)pause_us * 1000;
	return pause_us < 1000000 && job->size > 0 && job->size % 512 == 0 && depth > 0 &&
	       depth <= CLIENT_DEPTH_MAX && job->seconds > 0;
}

int
main(int argc, char **argv)
{
	struct job job;
	struct job_state state = { .job = &job, .next = UINT64_C(0x9e3779b97f4a7c15) };
	double rate;

	if ((argc != 8 && argc != 9) || !job_parse(argc, argv, &job))
		errx(2, "usage: blk_client WHO JOB SOCKET|/dev/vhost-vdpa-N [rand]read|[rand]write "
			"BLOCK_SIZE DEPTH SECONDS [PAUSE_US]");
	state.times = calloc(JOB_TIMES_MAX, sizeof(*state.times));
	if (state.times == NULL)
		err(EXIT_FAILURE, "memory");
	client_disk_open(&state.disk, job.path, job.size, job.depth, job.write);
	state.blocks = state.disk.capacity / job.size;
	if (!job.random)
		state.next = 0;
	rate = job.depth == 1 ? job_run_one(&state) : job_run_many(&state);
	job_report(&state, rate);
	client_disk_close(&state.disk);
	free(state.times);
	return EXIT_SUCCESS;
}
