/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Backends that a program registers: an incomplete one and a second one of a name are refused; a
 * disk on one gets its requests, arguments and limits; an unknown name is answered with known ones.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <rte_memory.h>

#include <rte_vduse_blk_backend.h>

#include "loopback_blk.h"

static struct {
	char args[64];
	bool read_only;
	unsigned int opened, closed, channels, submitted;
	int acquired;
	int acquire_ret; /* of the next acquire */
} seen;

struct test_channel {
	struct rte_vduse_blk_channel channel;
	struct rte_vduse_blk_io *done;
};

static int
test_open(const struct rte_vduse_blk_backend_conf *conf, struct rte_vduse_blk_backend **backend)
{
	strcpy(seen.args, conf->args);
	seen.read_only = conf->read_only;
	if (strcmp(conf->args, "fail=1") == 0)
		return -ENXIO;
	*backend = calloc(1, sizeof(**backend));
	assert_non_null(*backend);
	(*backend)->limits.size = 1 << 20;
	(*backend)->limits.block_size = 512;
	(*backend)->limits.physical_size = 512;
	seen.opened++;
	return 0;
}

static void
test_close(struct rte_vduse_blk_backend *backend)
{
	assert_string_equal(backend->name, "unit0");
	seen.closed++;
	free(backend);
}

static int
test_channel_open(struct rte_vduse_blk_backend *backend, uint16_t depth,
		  struct rte_vduse_blk_channel **channel)
{
	RTE_SET_USED(backend);
	RTE_SET_USED(depth);
	*channel = calloc(1, sizeof(struct test_channel));
	assert_non_null(*channel);
	seen.channels++;
	return 0;
}

static void
test_channel_close(struct rte_vduse_blk_channel *channel)
{
	seen.channels--;
	free(channel);
}

/* Reads give 0x5a; all bytes of priv may be used. */
static uint16_t
test_submit(struct rte_vduse_blk_channel *base, struct rte_vduse_blk_io **ios, uint16_t nb)
{
	struct test_channel *channel = (struct test_channel *)base;
	uint16_t i;

	for (i = 0; i < nb; i++) {
		memset(ios[i]->priv, 0xff, sizeof(ios[i]->priv));
		if (ios[i]->op == RTE_VDUSE_BLK_READ)
			memset(ios[i]->iov[0].iov_base, 0x5a, ios[i]->iov[0].iov_len);
		ios[i]->result = ios[i]->op == RTE_VDUSE_BLK_WRITE ? -ENOSPC : 0;
		ios[i]->next = channel->done;
		channel->done = ios[i];
		seen.submitted++;
	}
	return nb;
}

static uint16_t
test_poll(struct rte_vduse_blk_channel *base, struct rte_vduse_blk_io **ios, uint16_t nb)
{
	struct test_channel *channel = (struct test_channel *)base;
	uint16_t i;

	for (i = 0; i < nb && channel->done != NULL; i++) {
		ios[i] = channel->done;
		channel->done = ios[i]->next;
	}
	return i;
}

static int
test_acquire(struct rte_vduse_blk_backend *backend)
{
	assert_string_equal(backend->name, "unit0");
	seen.acquired += seen.acquire_ret == 0;
	return seen.acquire_ret;
}

static void
test_release(struct rte_vduse_blk_backend *backend)
{
	assert_string_equal(backend->name, "unit0");
	seen.acquired--;
}

static const struct rte_vduse_blk_backend_ops complete = {
	.size = sizeof(struct rte_vduse_blk_backend_ops),
	.name = "unit",
	.open = test_open,
	.close = test_close,
	.channel_open = test_channel_open,
	.channel_close = test_channel_close,
	.submit = test_submit,
	.poll = test_poll,
	.acquire = test_acquire,
	.release = test_release,
};
RTE_VDUSE_BLK_BACKEND(complete)

static int
test_acquire_unknown(struct rte_vduse_blk_backend *backend)
{
	RTE_SET_USED(backend);
	fail_msg("it is beyond the size of the structure");
	return 0;
}

/* Built before there were acquire and release. */
static const struct rte_vduse_blk_backend_ops older = {
	.size = offsetof(struct rte_vduse_blk_backend_ops, acquire),
	.name = "older",
	.open = test_open,
	.close = test_close,
	.channel_open = test_channel_open,
	.channel_close = test_channel_close,
	.submit = test_submit,
	.poll = test_poll,
	.acquire = test_acquire_unknown,
};
RTE_VDUSE_BLK_BACKEND(older)

static void
incomplete(void **state)
{
	struct rte_vduse_blk_backend_ops ops = complete;

	RTE_SET_USED(state);
	assert_int_equal(rte_vduse_blk_backend_register(&complete), -EEXIST);
	ops.name = "file";
	assert_int_equal(rte_vduse_blk_backend_register(&ops), -EEXIST);
	ops.name = "";
	assert_int_equal(rte_vduse_blk_backend_register(&ops), -EINVAL);
	ops.name = NULL;
	assert_int_equal(rte_vduse_blk_backend_register(&ops), -EINVAL);
	ops.name = "other";
	ops.size = 0;
	assert_int_equal(rte_vduse_blk_backend_register(&ops), -EINVAL);
	ops.size = offsetof(struct rte_vduse_blk_backend_ops, acquire) - 1;
	assert_int_equal(rte_vduse_blk_backend_register(&ops), -EINVAL);
	ops.size = complete.size;
	ops.submit = NULL;
	assert_int_equal(rte_vduse_blk_backend_register(&ops), -EINVAL);
}

static void
unknown(void **state)
{
	struct rte_vduse_blk_conf conf = {
		.size = sizeof(conf),
		.path = "/dev/vduse/unit0",
		.queues = 1,
		.queue_size = 64,
		.backend = "nothing",
		.socket_id = SOCKET_ID_ANY,
	};

	RTE_SET_USED(state);
	unit_log_clear();
	assert_int_equal(loopback_blk_try(&conf), -EINVAL);
	assert_int_equal(unit_log_count("backend=nothing: use null, ram, fault"), 1);
	assert_int_equal(unit_log_count(", unit, or load"), 1);
	conf.backend = "unit";
	conf.backend_args = "fail=1";
	assert_int_equal(loopback_blk_try(&conf), -ENXIO);
	assert_int_equal(seen.opened, 0);
}

static void
served(void **state)
{
	struct rte_vduse_blk_conf conf = {
		.size = sizeof(conf),
		.path = "/dev/vduse/unit0",
		.queues = 2,
		.queue_size = 64,
		.backend = "unit",
		.backend_args = "a=1,b=2",
		.read_only = true,
		.socket_id = SOCKET_ID_ANY,
	};

	RTE_SET_USED(state);
	assert_int_equal(loopback_blk_try(&conf), 0);
	assert_string_equal(seen.args, "a=1,b=2");
	assert_true(seen.read_only);
	assert_int_equal(seen.opened, 1);
	assert_int_equal(seen.closed, 1);
	assert_int_equal(seen.channels, 0);
}

/* A read gets what the backend gave, a write its error. */
static void
requests(void **state)
{
	static struct loopback_blk blk;
	uint8_t bytes[2 * BLK_SECTOR], want[2 * BLK_SECTOR];
	unsigned int closed = seen.closed;

	RTE_SET_USED(state);
	loopback_blk_create(&blk, "unit", "", 16, false);
	loopback_blk_up(&blk);
	memset(want, 0x5a, sizeof(want));
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_IN, 3, bytes, sizeof(bytes)),
			 VIRTIO_BLK_S_OK);
	assert_memory_equal(bytes, want, sizeof(want));
	assert_int_equal(loopback_blk_do(&blk, VIRTIO_BLK_T_OUT, 3, bytes, sizeof(bytes)),
			 VIRTIO_BLK_S_IOERR);
	assert_int_equal(seen.submitted, 2);
	loopback_blk_destroy(&blk);
	assert_int_equal(seen.closed, closed + 1);
}

/* A backend that is in use elsewhere: no request before it can be acquired. */
static void
acquired(void **state)
{
	static struct loopback_blk blk;

	RTE_SET_USED(state);
	loopback_blk_create(&blk, "unit", "", 16, false);
	assert_int_equal(seen.acquired, 0);
	seen.acquire_ret = -EAGAIN;
	unit_log_clear();
	loopback_blk_up_at(&blk, 0, 0);
	assert_int_equal(loopback_blk_state(&blk), RTE_VDUSE_VQ_ERROR);
	assert_int_equal(unit_log_count("its backend is in use by another process or device"), 1);
	loopback_blk_reset(&blk);
	assert_int_equal(seen.acquired, 0);
	seen.acquire_ret = 0;
	loopback_blk_up(&blk);
	assert_int_equal(seen.acquired, 1);
	loopback_blk_reset(&blk);
	assert_int_equal(seen.acquired, 0);
	loopback_blk_up(&blk);
	loopback_blk_destroy(&blk);
	assert_int_equal(seen.acquired, 0);
	loopback_blk_create(&blk, "older", "", 16, false);
	loopback_blk_up(&blk);
	loopback_blk_destroy(&blk);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(incomplete), cmocka_unit_test(unknown),  cmocka_unit_test(served),
		cmocka_unit_test(requests),   cmocka_unit_test(acquired),
	};

	if (unit_init() < 0)
		return 1;
	return unit_done(cmocka_run_group_tests(tests, NULL, NULL));
}
