/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Requests of secondary processes for counters of a port. A message of EAL holds 256 bytes, so that a
 * structure takes several.
 * Input: a port's name, a structure of it and an offset. Output: bytes of the structure.
 * Thread: in the primary process, EAL's message thread; in a secondary process, any.
 */
#include <assert.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include <ethdev_driver.h>
#include <rte_cycles.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_string_fns.h>

#include "mp.h"
#include "pmd_log.h"
#include "port.h"
#include "xstats.h"

#define MP_NAME    "net_vduse_read"
#define MP_SECONDS 5
#define MP_DATA    240
#define MP_TRIES   10
#define MP_LATE_US 10000

struct mp_request {
	char name[RTE_ETH_NAME_MAX_LEN];
	uint32_t what; /* enum vduse_mp_what */
	uint32_t index;
	uint32_t offset;
	uint32_t size; /* of the whole structure, as the secondary process knows it */
	uint64_t cookie;
};
static_assert(sizeof(struct mp_request) <= RTE_MP_MAX_PARAM_LEN, "fits into a message");

struct mp_reply {
	int32_t error;   /* 0 or a negative errno */
	uint32_t len;    /* bytes of data */
	uint64_t cookie; /* of the request */
	uint8_t data[MP_DATA];
};
static_assert(sizeof(struct mp_reply) <= RTE_MP_MAX_PARAM_LEN, "fits into a message");

union mp_data {
	struct vduse_devargs args;
	struct xstats_device device;
	struct xstats_queue queue;
};

/* Primary process: the ports that are served. A port in it is not freed while the lock is held. */
static const struct rte_eth_dev *mp_ports[RTE_MAX_ETHPORTS];
static pthread_mutex_t mp_ports_lock = PTHREAD_MUTEX_INITIALIZER;

/*
 * Secondary process: EAL refuses a second request of the same name while one is under way. The
 * cookie counts requests.
 */
static pthread_mutex_t mp_request_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t mp_cookie;

/* Returns the size of the structure, or a negative errno. The caller holds mp_ports_lock. */
static int
mp_collect(const struct mp_request *request, union mp_data *data)
{
	const struct vduse_port *port = NULL;
	unsigned int i;

	for (i = 0; i < RTE_DIM(mp_ports); i++)
		if (mp_ports[i] != NULL && strcmp(mp_ports[i]->data->name, request->name) == 0)
			port = mp_ports[i]->data->dev_private;
	if (port == NULL)
		return -ENODEV;
	switch (request->what) {
	case VDUSE_MP_ARGS:
		data->args = port->args;
		return sizeof(data->args);
	case VDUSE_MP_DEVICE:
		vduse_xstats_device_read(port, &data->device);
		return sizeof(data->device);
	case VDUSE_MP_QUEUE:
		if (request->index >= 2u * port->args.dev.queues)
			return -EINVAL;
		vduse_xstats_queue_read(port, request->index, &data->queue);
		return sizeof(data->queue);
	default:
		return -EINVAL;
	}
}

static int
mp_answer(const struct rte_mp_msg *message, const void *peer)
{
	struct rte_mp_msg answer = { .name = MP_NAME, .len_param = sizeof(struct mp_reply) };
	struct mp_reply reply = { .error = -EINVAL };
	struct mp_request request = { 0 };
	union mp_data data;
	int size;

	if (message->len_param == sizeof(request)) {
		memcpy(&request, message->param, sizeof(request));
		request.name[sizeof(request.name) - 1] = '\0';
		reply.cookie = request.cookie;
		pthread_mutex_lock(&mp_ports_lock);
		size = mp_collect(&request, &data);
		pthread_mutex_unlock(&mp_ports_lock);
		reply.error = RTE_MIN(size, 0);
		/* Another build of the driver has other structures. */
		if (size >= 0 && request.size != (uint32_t)size)
			reply.error = -EPROTO;
	}
	if (reply.error == 0 && request.offset < request.size) {
		reply.len = RTE_MIN(request.size - request.offset, (uint32_t)MP_DATA);
		memcpy(reply.data, (const uint8_t *)&data + request.offset, reply.len);
	}
	memcpy(answer.param, &reply, sizeof(reply));
	return rte_mp_reply(&answer, peer);
}

void
vduse_mp_serve(const struct rte_eth_dev *dev)
{
	pthread_mutex_lock(&mp_ports_lock);
	mp_ports[dev->data->port_id] = dev;
	pthread_mutex_unlock(&mp_ports_lock);
	/* ENOTSUP: with --in-memory or --no-shconf there are no secondary processes. */
	if (rte_mp_action_register(MP_NAME, mp_answer) < 0 && rte_errno != EEXIST &&
	    rte_errno != ENOTSUP)
		VDUSE_PMD_LOG(WARNING, dev->data->name,
			      "cannot answer secondary processes: %s; they cannot attach the port",
			      rte_strerror(rte_errno));
}

void
vduse_mp_withdraw(const struct rte_eth_dev *dev)
{
	pthread_mutex_lock(&mp_ports_lock);
	mp_ports[dev->data->port_id] = NULL;
	pthread_mutex_unlock(&mp_ports_lock);
}

/* Sends one request and waits for a reply. 0, or a negative errno. */
static int
mp_ask_once(const struct mp_request *request, struct mp_reply *reply)
{
	const struct timespec limit = { .tv_sec = MP_SECONDS };
	struct rte_mp_msg message = { .name = MP_NAME, .len_param = sizeof(*request) };
	struct rte_mp_reply replies;
	int ret = 0;

	memcpy(message.param, request, sizeof(*request));
	if (rte_mp_request_sync(&message, &replies, &limit) < 0)
		return rte_errno != 0 ? -rte_errno : -EIO;
	/* None: the primary process has ended. */
	if (replies.nb_received != 1 || replies.msgs[0].len_param != sizeof(*reply))
		ret = -EPIPE;
	else
		memcpy(reply, replies.msgs[0].param, sizeof(*reply));
	free(replies.msgs);
	return ret;
}

/* Sends a request and waits for its reply. 0, or a negative errno. */
static int
mp_ask(struct mp_request *request, struct mp_reply *reply)
{
	unsigned int tries = 0;
	int ret;

	pthread_mutex_lock(&mp_request_lock);
	do {
		/*
		 * EAL takes a late reply to a request that timed out for the reply to this one. Let the
		 * reply to this one arrive while no request is under way: EAL then discards it.
		 */
		if (tries > 0)
			rte_delay_us_sleep(MP_LATE_US);
		request->cookie = ++mp_cookie;
		ret = mp_ask_once(request, reply);
		if (ret == 0)
			ret = reply->cookie == request->cookie ? reply->error : -EAGAIN;
	} while (ret == -EAGAIN && ++tries < MP_TRIES);
	pthread_mutex_unlock(&mp_request_lock);
	return ret;
}

int
vduse_mp_read(const struct rte_eth_dev *dev, enum vduse_mp_what what, uint32_t index, void *out,
	      uint32_t size)
{
	struct mp_request request = { .what = what, .index = index, .size = size };
	struct mp_reply reply;
	int ret = 0;

	/* In shared memory: empty after the primary process has closed the port. */
	strlcpy(request.name, dev->data->name, sizeof(request.name));
	while (request.offset < size && ret == 0) {
		ret = mp_ask(&request, &reply);
		if (ret == 0 &&
		    (reply.len == 0 || reply.len > MP_DATA || reply.len > size - request.offset))
			ret = -EPROTO;
		if (ret == 0) {
			memcpy((uint8_t *)out + request.offset, reply.data, reply.len);
			request.offset += reply.len;
		}
	}
	if (ret == -ENODEV)
		VDUSE_PMD_LOG(ERR, request.name[0] != '\0' ? request.name : "(no name)",
			      "the primary process has closed the port");
	else if (ret < 0)
		VDUSE_PMD_LOG(ERR, request.name,
			      "cannot read from the primary process: %s; use the same build of the "
			      "driver in both, and check that the primary process runs",
			      rte_strerror(-ret));
	return ret;
}
