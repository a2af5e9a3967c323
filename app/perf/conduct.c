/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The course of a measurement. In flow counters of the lcores, out flow phases to them, progress
 * to the user and a result. The conductor sleeps most of the time: it is the main thread, or one
 * of its own where the main lcore has to poll.
 */
#include <errno.h>
#include <pthread.h>
#include <string.h>

#include <rte_launch.h>
#include <rte_lcore.h>

#include "conduct.h"
#include "perf_log.h"
#include "progress.h"

#define CONDUCT_TICK_US	   10000
#define CONDUCT_PATIENCE_S 10 /* without a packet, until the missing are taken for lost */

struct conductor {
	struct perf_net *net;
	struct perf_result *result;
};

static bool interrupted; /* atomic; signal handlers write */

void
perf_conduct_interrupt(void)
{
	__atomic_store_n(&interrupted, true, __ATOMIC_RELAXED);
}

static bool
conduct_interrupted(void)
{
	return __atomic_load_n(&interrupted, __ATOMIC_RELAXED);
}

static void
conduct_phase(struct perf_net *net, enum perf_phase phase)
{
	__atomic_store_n(&net->bench.phase, phase, __ATOMIC_RELAXED);
}

static void
conduct_flow_read(const struct perf_flow *from, struct perf_flow *to)
{
	to->packets = __atomic_load_n(&from->packets, __ATOMIC_RELAXED);
	to->bytes = __atomic_load_n(&from->bytes, __ATOMIC_RELAXED);
	to->polls = __atomic_load_n(&from->polls, __ATOMIC_RELAXED);
	to->empty_polls = __atomic_load_n(&from->empty_polls, __ATOMIC_RELAXED);
	to->busy_cycles = __atomic_load_n(&from->busy_cycles, __ATOMIC_RELAXED);
	to->late = __atomic_load_n(&from->late, __ATOMIC_RELAXED);
	to->damaged = __atomic_load_n(&from->damaged, __ATOMIC_RELAXED);
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
conduct_sleep(struct perf_net *net, struct perf_progress *progress, double seconds)
{
	uint64_t end = rte_rdtsc() + (uint64_t)(seconds * (double)rte_get_tsc_hz());

	while (rte_rdtsc() < end && !conduct_interrupted()) {
		rte_delay_us_sleep(CONDUCT_TICK_US);
		perf_progress_tick(progress, net->device.flows);
	}
}

/* Somebody else's driver takes its time. */
static void
conduct_wait_link(struct perf_net *net)
{
	if (!rte_vduse_net_link(net->device.net))
		PERF_LOG("waiting for a driver of %s", net->bench.options->device);
	while (!rte_vduse_net_link(net->device.net) && !conduct_interrupted())
		rte_delay_us_sleep(CONDUCT_TICK_US);
}

static void
conduct_measure(struct perf_net *net, struct perf_progress *progress, struct perf_result *result)
{
	struct perf_flow before[PERF_FLOWS];
	unsigned int i;

	conduct_sleep(net, progress, net->bench.options->warmup);
	conduct_phase(net, PERF_MEASURE);
	for (i = 0; i < PERF_FLOWS; i++)
		conduct_flow_read(&net->device.flows[i], &before[i]);
	result->cycles = rte_rdtsc();
	conduct_sleep(net, progress, net->bench.options->duration);
	result->cycles = rte_rdtsc() - result->cycles;
	for (i = 0; i < PERF_FLOWS; i++) {
		conduct_flow_read(&net->device.flows[i], &result->flows[i].device);
		conduct_flow_subtract(&result->flows[i].device, &before[i]);
	}
}

/* What was sent and arrived so far, each way. Returns whether nothing is on its way. */
static bool
conduct_count(const struct perf_net *net, struct perf_result *result)
{
	const struct perf_flow *device = net->device.flows, *driver = net->driver.flows;
	const struct perf_flow *sender[PERF_FLOWS] = { driver, device };
	const struct perf_flow *receiver[PERF_FLOWS] = { device, driver };
	bool same = true;
	unsigned int i;

	for (i = 0; i < PERF_FLOWS; i++) {
		struct perf_result_flow *way = &result->flows[i];

		way->sent = __atomic_load_n(&sender[i][i].packets, __ATOMIC_RELAXED);
		way->received = __atomic_load_n(&receiver[i][i].packets, __ATOMIC_RELAXED);
		same = same && way->sent == way->received;
	}
	if (net->bench.options->direction == PERF_DIRECTION_ECHO)
		same = same && result->flows[PERF_FROM].received == result->flows[PERF_TO].sent;
	return same;
}

/* Waits until all that was sent has arrived, or for so long that the rest is lost. */
static void
conduct_drain(const struct perf_net *net, struct perf_result *result)
{
	uint64_t patience = CONDUCT_PATIENCE_S * rte_get_tsc_hz(), moved = rte_rdtsc(), last = 0;
	unsigned int calm = 0;

	/* Twice the same: a sender may not have seen the phase when it is first looked at. */
	while (calm < 2 && rte_rdtsc() - moved < patience) {
		uint64_t total;
		bool same;

		rte_delay_us_sleep(CONDUCT_TICK_US);
		same = conduct_count(net, result);
		total = result->flows[PERF_FROM].received + result->flows[PERF_TO].received;
		calm = same && total == last ? calm + 1 : 0;
		if (total != last)
			moved = rte_rdtsc();
		last = total;
	}
}

static void *
conduct(void *arg)
{
	struct conductor *conductor = arg;
	struct perf_net *net = conductor->net;
	struct perf_progress progress;

	perf_progress_begin(&progress, net->bench.options);
	if (net->loop == NULL)
		conduct_wait_link(net);
	conduct_measure(net, &progress, conductor->result);
	perf_progress_end(&progress);
	conduct_phase(net, PERF_DRAIN);
	if (net->loop != NULL)
		conduct_drain(net, conductor->result);
	conduct_phase(net, PERF_STOP);
	return NULL;
}

/* A side that polls. */
struct poller {
	int (*run)(void *arg);
	void *arg;
};

/* Polls on this thread, and lets one of its own conduct. */
static int
conduct_beside(struct conductor *conductor, const struct poller *poller)
{
	pthread_t thread;
	int ret;

	ret = pthread_create(&thread, NULL, conduct, conductor);
	if (ret != 0) {
		PERF_LOG("no thread: %s", strerror(ret));
		conduct_phase(conductor->net, PERF_STOP);
		return -ret;
	}
	poller->run(poller->arg);
	pthread_join(thread, NULL);
	return 0;
}

/* Workers poll; the main lcore only if there are too few. */
static int
conduct_lcores(struct conductor *conductor)
{
	struct perf_net *net = conductor->net;
	struct poller pollers[] = {
		{ perf_device_run, &net->device },
		{ perf_driver_run, &net->driver },
	};
	unsigned int nb = net->loop != NULL ? 2 : 1, lcore, next = 0;
	int ret = 0;

	if (rte_lcore_count() < nb) {
		PERF_LOG("%u lcores have to poll: give EAL as many, such as --lcores "
			 "0@0,1@0,2@1", nb);
		return -EINVAL;
	}
	RTE_LCORE_FOREACH_WORKER(lcore) {
		if (next == nb)
			break;
		rte_eal_remote_launch(pollers[next].run, pollers[next].arg, lcore);
		next++;
	}
	if (next == nb)
		conduct(conductor);
	else
		ret = conduct_beside(conductor, &pollers[next]);
	rte_eal_mp_wait_lcore();
	return ret;
}

/* What can only be known behind the last packet; the lcores do not poll any more. */
static void
conduct_finish(const struct perf_net *net, struct perf_result *result)
{
	enum perf_direction direction = net->bench.options->direction;
	unsigned int i;

	for (i = 0; i < PERF_FLOWS; i++) {
		result->flows[i].late = net->device.flows[i].late + net->driver.flows[i].late;
		result->flows[i].damaged =
			net->device.flows[i].damaged + net->driver.flows[i].damaged;
	}
	if (net->loop == NULL)
		return;
	if (direction == PERF_DIRECTION_FROM || direction == PERF_DIRECTION_BOTH)
		result->flows[PERF_FROM].latency = &net->device.latency;
	if (direction != PERF_DIRECTION_FROM)
		result->flows[PERF_TO].latency = &net->driver.latency;
}

int
perf_conduct(struct perf_net *net, struct perf_result *result)
{
	struct conductor conductor = { net, result };
	int ret;

	*result = (struct perf_result){ .options = net->bench.options, .hz = rte_get_tsc_hz() };
	ret = conduct_lcores(&conductor);
	if (ret < 0)
		return ret;
	result->interrupted = conduct_interrupted();
	conduct_finish(net, result);
	return 0;
}
