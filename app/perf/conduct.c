/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Runs a measurement: sets the phases, reads the counters of the lcores, shows the progress.
 * Input: counters of the lcores. Output: phases for the lcores, and a result.
 * Thread: the conductor, which sleeps most of the time. It is the main thread, or a thread of its
 * own if the main lcore has to poll.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <rte_launch.h>
#include <rte_lcore.h>
#include <rte_vduse_compat.h>

#include "conduct.h"
#include "perf_log.h"
#include "progress.h"

#define CONDUCT_TICK_US    10000
#define CONDUCT_PATIENCE_S 10 /* time without a packet after which missing ones are lost */

/* What an lcore polls: sides of conduct. */
struct conduct_lcore {
	const struct perf_conduct *conduct;
	unsigned int first;
	unsigned int nb;
};

struct conductor {
	const struct perf_conduct *conduct;
	struct conduct_lcore lcores[PERF_SIDES];
	unsigned int nb_lcores;
	struct perf_result *result;
	int ret;
};

static bool interrupted; /* atomic; written by signal handlers */

void
perf_conduct_interrupt(void)
{
	rte_atomic_store_explicit(&interrupted, true, rte_memory_order_relaxed);
}

static bool
conduct_interrupted(void)
{
	return rte_atomic_load_explicit(&interrupted, rte_memory_order_relaxed);
}

static void
conduct_phase(const struct perf_conduct *conduct, enum perf_phase phase)
{
	rte_atomic_store_explicit(&conduct->bench->phase, phase, rte_memory_order_relaxed);
}

static void
conduct_flow_read(const struct perf_flow *from, struct perf_flow *to)
{
	to->packets = rte_atomic_load_explicit(&from->packets, rte_memory_order_relaxed);
	to->bytes = rte_atomic_load_explicit(&from->bytes, rte_memory_order_relaxed);
	to->polls = rte_atomic_load_explicit(&from->polls, rte_memory_order_relaxed);
	to->empty_polls = rte_atomic_load_explicit(&from->empty_polls, rte_memory_order_relaxed);
	to->busy_cycles = rte_atomic_load_explicit(&from->busy_cycles, rte_memory_order_relaxed);
	to->late = rte_atomic_load_explicit(&from->late, rte_memory_order_relaxed);
	to->damaged = rte_atomic_load_explicit(&from->damaged, rte_memory_order_relaxed);
}

static void
conduct_flow_subtract(struct perf_flow *from, const struct perf_flow *what)
{
	from->packets -= what->packets;
	from->bytes -= what->bytes;
	from->polls -= what->polls;
	from->empty_polls -= what->empty_polls;
	from->busy_cycles -= what->busy_cycles;
}

static void
conduct_sleep(const struct perf_conduct *conduct, struct perf_progress *progress, double seconds)
{
	uint64_t end = rte_rdtsc() + (uint64_t)(seconds * (double)rte_get_tsc_hz());

	while (rte_rdtsc() < end && !conduct_interrupted()) {
		rte_delay_us_sleep(CONDUCT_TICK_US);
		perf_progress_tick(progress, conduct->device);
	}
}

void
perf_conduct_wait(bool (*ready)(void *arg), void *arg)
{
	while (!ready(arg) && !conduct_interrupted())
		rte_delay_us_sleep(CONDUCT_TICK_US);
}

static void
conduct_measure(const struct perf_conduct *conduct, struct perf_progress *progress,
		struct perf_result *result)
{
	struct perf_flow before[PERF_FLOWS];
	unsigned int i;

	conduct_sleep(conduct, progress, conduct->bench->options->warmup);
	conduct_phase(conduct, PERF_MEASURE);
	for (i = 0; i < PERF_FLOWS; i++)
		conduct_flow_read(&conduct->device[i], &before[i]);
	result->cycles = rte_rdtsc();
	conduct_sleep(conduct, progress, conduct->bench->options->duration);
	result->cycles = rte_rdtsc() - result->cycles;
	for (i = 0; i < PERF_FLOWS; i++) {
		conduct_flow_read(&conduct->device[i], &result->flows[i].device);
		conduct_flow_subtract(&result->flows[i].device, &before[i]);
	}
}

/* Counts what was sent and what arrived so far, per direction. Returns whether nothing is in flight. */
static bool
conduct_count(const struct perf_conduct *conduct, struct perf_result *result)
{
	bool same = true;
	unsigned int i;

	for (i = 0; i < PERF_FLOWS; i++) {
		struct perf_result_flow *way = &result->flows[i];

		way->sent = rte_atomic_load_explicit(&conduct->sent[i]->packets,
						     rte_memory_order_relaxed);
		way->received = rte_atomic_load_explicit(&conduct->received[i]->packets,
							 rte_memory_order_relaxed);
		same = same && way->sent == way->received;
	}
	if (conduct->bench->options->direction == PERF_DIRECTION_ECHO)
		same = same && result->flows[PERF_FROM].received == result->flows[PERF_TO].sent;
	return same;
}

/* Waits until everything sent has arrived, or until the rest counts as lost. */
static void
conduct_drain(const struct perf_conduct *conduct, struct perf_result *result)
{
	uint64_t patience = CONDUCT_PATIENCE_S * rte_get_tsc_hz(), moved = rte_rdtsc(), last = 0;
	unsigned int calm = 0;

	/* Two equal counts: at the first one a sender may not have seen the new phase. */
	while (calm < 2 && rte_rdtsc() - moved < patience) {
		uint64_t total;
		bool same;

		rte_delay_us_sleep(CONDUCT_TICK_US);
		same = conduct_count(conduct, result);
		total = result->flows[PERF_FROM].received + result->flows[PERF_TO].received;
		calm = same && total == last ? calm + 1 : 0;
		if (total != last)
			moved = rte_rdtsc();
		last = total;
	}
}

static bool
conduct_ours(const struct perf_conduct *conduct)
{
	return conduct->nb_sides == PERF_SIDES;
}

static void *
conduct_run(void *arg)
{
	struct conductor *conductor = arg;
	const struct perf_conduct *conduct = conductor->conduct;
	struct perf_progress progress;

	if (conduct->begin != NULL)
		conductor->ret = conduct->begin(conduct->arg);
	if (conductor->ret == 0) {
		perf_progress_begin(&progress, conduct->bench->options);
		conduct_measure(conduct, &progress, conductor->result);
		perf_progress_end(&progress);
		conduct_phase(conduct, PERF_DRAIN);
		if (conduct_ours(conduct))
			conduct_drain(conduct, conductor->result);
		if (conduct->end != NULL)
			conduct->end(conduct->arg);
	}
	conduct_phase(conduct, PERF_STOP);
	return NULL;
}

static int
conduct_poll(void *arg)
{
	const struct conduct_lcore *lcore = arg;
	const struct perf_side *first = &lcore->conduct->sides[lcore->first], *side;
	const struct perf_side *end = first + lcore->nb;

	for (side = first; side < end; side++)
		if (side->begin != NULL)
			side->begin(side->arg);
	while (perf_bench_phase(lcore->conduct->bench) != PERF_STOP)
		for (side = first; side < end; side++)
			side->turn(side->arg);
	for (side = first; side < end; side++)
		if (side->end != NULL)
			side->end(side->arg);
	return 0;
}

/* Polls on this thread, and runs the conductor on a new one. */
static void
conduct_beside(struct conductor *conductor, struct conduct_lcore *lcore)
{
	pthread_t thread;
	int ret;

	ret = pthread_create(&thread, NULL, conduct_run, conductor);
	if (ret != 0) {
		PERF_LOG("no thread: %s", strerror(ret));
		conduct_phase(conductor->conduct, PERF_STOP);
		conductor->ret = -ret;
		return;
	}
	conduct_poll(lcore);
	pthread_join(thread, NULL);
}

/* Workers poll; the main lcore only if there are too few. */
static void
conduct_lcores(struct conductor *conductor)
{
	unsigned int lcore, next = 0;

	RTE_LCORE_FOREACH_WORKER(lcore) {
		if (next == conductor->nb_lcores)
			break;
		rte_eal_remote_launch(conduct_poll, &conductor->lcores[next], lcore);
		next++;
	}
	if (next == conductor->nb_lcores)
		conduct_run(conductor);
	else
		conduct_beside(conductor, &conductor->lcores[next]);
	rte_eal_mp_wait_lcore();
}

/* Distributes the sides: each has an lcore, or one has both. */
static void
conduct_distribute(struct conductor *conductor)
{
	const struct perf_conduct *conduct = conductor->conduct;
	unsigned int i, each = conduct->bench->options->one_lcore ? conduct->nb_sides : 1;

	conductor->nb_lcores = conduct->nb_sides / each;
	for (i = 0; i < conductor->nb_lcores; i++)
		conductor->lcores[i] =
			(struct conduct_lcore){ .conduct = conduct, .first = i * each, .nb = each };
}

/* Reads what is known only after the last packet. The lcores do not poll any more. */
static void
conduct_finish(const struct perf_conduct *conduct, struct perf_result *result)
{
	unsigned int i;

	result->interrupted = conduct_interrupted();
	for (i = 0; i < PERF_FLOWS && conduct_ours(conduct); i++) {
		const struct perf_flow *sent = conduct->sent[i], *received = conduct->received[i];

		result->flows[i].late = sent->late + received->late;
		result->flows[i].damaged = sent->damaged + received->damaged;
		result->flows[i].latency = conduct->latency[i];
	}
}

int
perf_conduct(const struct perf_conduct *conduct, struct perf_result *result)
{
	struct conductor conductor = { .conduct = conduct, .result = result };

	*result =
		(struct perf_result){ .options = conduct->bench->options, .hz = rte_get_tsc_hz() };
	conduct_distribute(&conductor);
	if (rte_lcore_count() < conductor.nb_lcores) {
		PERF_LOG("%u lcores have to poll: give EAL as many, for example --lcores "
			 "0@0,1@0,2@1",
			 conductor.nb_lcores);
		return -EINVAL;
	}
	conduct_lcores(&conductor);
	if (conductor.ret == 0)
		conduct_finish(conduct, result);
	return conductor.ret;
}
