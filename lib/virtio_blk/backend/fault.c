/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The fault-injecting backend, see fault.h. One mutex guards everything: speed does not matter. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_random.h>

#include <virtio_blk/backend/fault.h>
#include <virtio_blk/blk.h>

struct fault_backend {
	struct rte_vduse_blk_backend backend;
	struct rte_vduse_blk_backend *under;
	pthread_mutex_t lock; /* guards what follows */
	enum rte_vduse_blk_op fail_op;
	int fail_result;
	unsigned int fail_nb;
	uint64_t fail_every; /* fail every Nth operation; 0: none */
	uint64_t delay;      /* us, average of an operation; 0: none */
	bool late;           /* delay before the operation is done, not after */
	uint64_t count;
	bool hold;
	bool newest;
	unsigned int release;
	unsigned int held; /* number held, all channels */
	uint16_t narrow;
};

struct fault_channel {
	struct rte_vduse_blk_channel channel;
	struct fault_backend *backend;
	struct rte_vduse_blk_channel *under;
	unsigned int nb;                /* held */
	struct rte_vduse_blk_io *ios[]; /* in the order in which they finished */
};

static struct fault_backend *
fault_of(struct rte_vduse_blk_backend *backend)
{
	return (struct fault_backend *)backend;
}

void
vblk_fault_fail(struct rte_vduse_blk_backend *backend, enum rte_vduse_blk_op op, int result,
		unsigned int nb)
{
	struct fault_backend *fault = fault_of(backend);

	pthread_mutex_lock(&fault->lock);
	fault->fail_op = op;
	fault->fail_result = result;
	fault->fail_nb = nb;
	pthread_mutex_unlock(&fault->lock);
}

void
vblk_fault_hold(struct rte_vduse_blk_backend *backend, bool hold)
{
	struct fault_backend *fault = fault_of(backend);

	pthread_mutex_lock(&fault->lock);
	fault->hold = hold;
	fault->release = 0;
	pthread_mutex_unlock(&fault->lock);
}

void
vblk_fault_release(struct rte_vduse_blk_backend *backend, unsigned int nb, bool newest)
{
	struct fault_backend *fault = fault_of(backend);

	pthread_mutex_lock(&fault->lock);
	fault->release += nb;
	fault->newest = newest;
	pthread_mutex_unlock(&fault->lock);
}

unsigned int
vblk_fault_held(struct rte_vduse_blk_backend *backend)
{
	struct fault_backend *fault = fault_of(backend);
	unsigned int held;

	pthread_mutex_lock(&fault->lock);
	held = fault->held;
	pthread_mutex_unlock(&fault->lock);
	return held;
}

void
vblk_fault_narrow(struct rte_vduse_blk_backend *backend, uint16_t nb)
{
	struct fault_backend *fault = fault_of(backend);

	pthread_mutex_lock(&fault->lock);
	fault->narrow = nb;
	pthread_mutex_unlock(&fault->lock);
}

/* Arguments that are not this backend's are for the one under it. */
static int
fault_open_under(struct fault_backend *fault, const struct rte_vduse_blk_backend_conf *conf)
{
	size_t size = strlen(conf->args) + 2; /* a comma after the last one, and a NUL */
	struct rte_vduse_blk_backend_conf under_conf = *conf;
	char *rest = malloc(size), *name = NULL;
	struct rte_vduse_arg args[] = {
		{ RTE_VDUSE_ARG("under", STRING, name) },
		{ RTE_VDUSE_ARG("fail-every", BYTES, fault->fail_every) },
		{ RTE_VDUSE_ARG("delay", BYTES, fault->delay) },
		{ RTE_VDUSE_ARG("late", FLAG, fault->late) },
	};
	int ret;

	if (rest != NULL)
		ret = vblk_backend_args(conf, args, RTE_DIM(args), rest, size);
	else
		ret = vblk_no_memory(conf->device);
	if (ret == 0) {
		under_conf.args = rest;
		ret = vblk_backend_open(name != NULL ? name : "ram", &under_conf, &fault->under);
	}
	free(name);
	free(rest);
	return ret;
}

static int
fault_open(const struct rte_vduse_blk_backend_conf *conf, struct rte_vduse_blk_backend **result)
{
	struct fault_backend *fault = calloc(1, sizeof(*fault));
	int ret;

	if (fault == NULL)
		return vblk_no_memory(conf->device);
	ret = fault_open_under(fault, conf);
	if (ret < 0) {
		free(fault);
		return ret;
	}
	fault->backend.limits = fault->under->limits;
	fault->narrow = UINT16_MAX;
	pthread_mutex_init(&fault->lock, NULL);
	*result = &fault->backend;
	return 0;
}

static void
fault_close(struct rte_vduse_blk_backend *backend)
{
	struct fault_backend *fault = fault_of(backend);

	vblk_backend_close(fault->under);
	pthread_mutex_destroy(&fault->lock);
	free(fault);
}

static int
fault_measure(struct rte_vduse_blk_backend *backend)
{
	struct fault_backend *fault = fault_of(backend);
	int ret = 0;

	if (fault->under->ops->measure != NULL)
		ret = fault->under->ops->measure(fault->under);
	backend->limits.size = fault->under->limits.size;
	return ret;
}

static int
fault_acquire(struct rte_vduse_blk_backend *backend)
{
	return vblk_backend_acquire(fault_of(backend)->under);
}

static void
fault_release_under(struct rte_vduse_blk_backend *backend)
{
	vblk_backend_release(fault_of(backend)->under);
}

static int
fault_channel_open(struct rte_vduse_blk_backend *backend, uint16_t depth,
		   struct rte_vduse_blk_channel **result)
{
	struct fault_backend *fault = fault_of(backend);
	struct fault_channel *channel;
	int ret;

	channel = calloc(1, sizeof(*channel) + depth * sizeof(channel->ios[0]));
	if (channel == NULL)
		return -ENOMEM;
	ret = vblk_channel_open(fault->under, depth, &channel->under);
	if (ret < 0) {
		free(channel);
		return ret;
	}
	channel->backend = fault;
	*result = &channel->channel;
	return 0;
}

static void
fault_channel_close(struct rte_vduse_blk_channel *base)
{
	struct fault_channel *channel = (struct fault_channel *)base;

	channel->under->ops->channel_close(channel->under);
	free(channel);
}

static void
fault_channel_memory(struct rte_vduse_blk_channel *base, void *va, uint64_t len)
{
	vblk_channel_memory(((struct fault_channel *)base)->under, va, len);
}

/* When an operation may finish, timer cycles. */
static uint64_t *
fault_due(struct rte_vduse_blk_io *io)
{
	return (uint64_t *)io->priv;
}

/* Holds an operation for a random time up to twice the delay, so that the order changes. */
static void
fault_hold(struct fault_channel *channel, struct rte_vduse_blk_io *io)
{
	uint64_t delay = channel->backend->delay;

	if (delay != 0)
		*fault_due(io) = rte_get_timer_cycles() +
				 rte_rand_max(2 * delay) * rte_get_timer_hz() / US_PER_S;
	channel->ios[channel->nb++] = io;
	channel->backend->held++;
}

/* Whether an operation is to fail. The caller holds the lock. */
static bool
fault_hits(struct fault_backend *fault, struct rte_vduse_blk_io *io)
{
	fault->count++;
	if (fault->fail_every != 0 && fault->count % fault->fail_every == 0) {
		io->result = -EIO;
		return true;
	}
	if (fault->fail_nb == 0 ||
	    (fault->fail_op != RTE_VDUSE_BLK_OPS && fault->fail_op != io->op))
		return false;
	fault->fail_nb--;
	io->result = fault->fail_result;
	return true;
}

static uint16_t
fault_submit(struct rte_vduse_blk_channel *base, struct rte_vduse_blk_io **ios, uint16_t nb)
{
	struct fault_channel *channel = (struct fault_channel *)base;
	struct fault_backend *fault = channel->backend;
	uint16_t i;

	pthread_mutex_lock(&fault->lock);
	nb = RTE_MIN(nb, fault->narrow);
	for (i = 0; i < nb; i++) {
		ios[i]->result = 0;
		if (fault_hits(fault, ios[i]) || fault->late)
			fault_hold(channel, ios[i]);
		else if (channel->under->ops->submit(channel->under, &ios[i], 1) == 0)
			break;
	}
	pthread_mutex_unlock(&fault->lock);
	return i;
}

static int
fault_hand_over(struct rte_vduse_blk_backend *backend, bool gone)
{
	return vblk_backend_hand_over(fault_of(backend)->under, gone);
}

/* Index of a held operation to release, or nb if there is none. The caller holds the lock. */
static unsigned int
fault_next(const struct fault_channel *channel)
{
	const struct fault_backend *fault = channel->backend;
	uint64_t now = rte_get_timer_cycles();
	unsigned int i = 0;

	if (fault->hold && fault->release == 0)
		return channel->nb;
	if (fault->newest && channel->nb > 0)
		return channel->nb - 1;
	while (fault->delay != 0 && i<channel->nb && * fault_due(channel->ios[i])> now)
		i++;
	return i;
}

/* Releases a held operation, or returns NULL. The caller holds the lock. */
static struct rte_vduse_blk_io *
fault_release(struct fault_channel *channel)
{
	struct fault_backend *fault = channel->backend;
	unsigned int at = fault_next(channel);
	struct rte_vduse_blk_io *io;

	if (at == channel->nb)
		return NULL;
	io = channel->ios[at];
	channel->nb--;
	fault->held--;
	if (fault->hold)
		fault->release--;
	memmove(&channel->ios[at], &channel->ios[at + 1],
		(channel->nb - at) * sizeof(channel->ios[0]));
	return io;
}

/*
 * Submits released operations now, so that their data moves now, as with a slow disk. An operation
 * that is to fail is never submitted. Returns the number finished. The caller holds the lock.
 */
static uint16_t
fault_poll_late(struct fault_channel *channel, struct rte_vduse_blk_io **ios, uint16_t nb)
{
	const struct rte_vduse_blk_backend_ops *under = channel->under->ops;
	uint16_t n = under->poll(channel->under, ios, nb);

	while (n < nb) {
		struct rte_vduse_blk_io *io = fault_release(channel);

		if (io == NULL)
			break;
		if (io->result < 0)
			ios[n++] = io;
		else if (under->submit(channel->under, &io, 1) == 0) {
			/* The backend under it is full: the next poll tries again. */
			fault_hold(channel, io);
			break;
		}
	}
	return n;
}

static uint16_t
fault_poll_done(struct fault_channel *channel, struct rte_vduse_blk_io **ios, uint16_t nb)
{
	uint16_t n, i;

	n = channel->under->ops->poll(channel->under, ios, nb);
	for (i = 0; i < n; i++)
		fault_hold(channel, ios[i]);
	for (i = 0; i < nb; i++) {
		ios[i] = fault_release(channel);
		if (ios[i] == NULL)
			break;
	}
	return i;
}

static uint16_t
fault_poll(struct rte_vduse_blk_channel *base, struct rte_vduse_blk_io **ios, uint16_t nb)
{
	struct fault_channel *channel = (struct fault_channel *)base;
	struct fault_backend *fault = channel->backend;

	pthread_mutex_lock(&fault->lock);
	if (fault->late)
		nb = fault_poll_late(channel, ios, nb);
	else
		nb = fault_poll_done(channel, ios, nb);
	pthread_mutex_unlock(&fault->lock);
	return nb;
}

const struct rte_vduse_blk_backend_ops vblk_backend_fault = {
	.size = sizeof(struct rte_vduse_blk_backend_ops),
	.name = "fault",
	.open = fault_open,
	.close = fault_close,
	.measure = fault_measure,
	.channel_open = fault_channel_open,
	.channel_close = fault_channel_close,
	.channel_memory = fault_channel_memory,
	.submit = fault_submit,
	.poll = fault_poll,
	.acquire = fault_acquire,
	.release = fault_release_under,
	.hand_over = fault_hand_over,
};
