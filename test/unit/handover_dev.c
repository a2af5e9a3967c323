/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See handover_dev.h. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "create_over.h"
#include "handover_dev.h"

#define FEATURES (LOOPBACK_DEV_FEATURES | VHOST_USER_BIT(MSG_F_PROTOCOL_FEATURES))

struct handover_dev over;

static struct rte_vduse_dev_ops ops;

struct giver {
	pthread_t thread;
	struct rte_vduse_dev *dev;
	unsigned int ms;
	int socket;
	int result;
};

static struct giver giver;

static unsigned int
on_drain(struct rte_vduse_vq *vq, bool stop, void *arg)
{
	RTE_SET_USED(vq);
	RTE_SET_USED(arg);
	return stop ? 0 : rte_atomic_load_explicit(&over.in_flight, rte_memory_order_relaxed);
}

static int
create(struct loopback_dev *dev, struct rte_vduse_handover *from)
{
	struct rte_vduse_dev_conf conf = loopback_dev_conf(dev);
	uint16_t i;
	int ret;

	memset(dev, 0, sizeof(*dev));
	ops = *conf.ops;
	ops.vq_remap = NULL;
	ops.vq_position = NULL;
	ops.vq_drain = on_drain;
	conf.ops = &ops;
	conf.path = over.path;
	conf.inflight = true;
	conf.features |= over.newer;
	conf.iommu = over.iommu;
	conf.from = from;
	ret = create_dev_over(&conf, &vduse_transport_vhost_user, NULL, &dev->dev);
	for (i = 0; i < LOOPBACK_DEV_VQS && ret == 0; i++)
		dev->vqs[i] = rte_vduse_dev_vq(dev->dev, i);
	return ret;
}

void
handover_send_fd(uint32_t type, uint64_t value, int fd)
{
	struct vhost_user_msg msg = vhost_client_msg(type, value, 8, true);

	vhost_client_send(over.client, &msg, 1, fd);
	assert_int_equal(vhost_client_answer(over.client, type), 0);
}

uint64_t
handover_ask(uint32_t type, uint64_t value)
{
	return vhost_client_ask(over.client, type, value, 8, true);
}

/* A split ring in which all was used that there was. */
static void
ring_at(uint16_t index, uint16_t position)
{
	assert_int_equal(pwrite(over.memory, &position, 2, (off_t)(index * PAGE) + 0x402), 2);
	assert_int_equal(pwrite(over.memory, &position, 2, (off_t)(index * PAGE) + 0x802), 2);
}

void
handover_client_up(void)
{
	struct vhost_user_msg slot =
		vhost_client_slot(MSG_ADD_MEM_REG, 4 * HANDOVER_MEMORY, HANDOVER_MEMORY);

	if (!(over.features & LOOPBACK_DEV_PACKED)) {
		ring_at(0, HANDOVER_POSITION);
		ring_at(1, HANDOVER_POSITION - 1);
	}
	assert_int_equal(handover_ask(MSG_SET_FEATURES, over.features), 0);
	vhost_client_send(over.client, &slot, 1, over.memory);
	assert_int_equal(vhost_client_answer(over.client, MSG_ADD_MEM_REG), 0);
	slot = vhost_client_slot(MSG_ADD_MEM_REG, 0, HANDOVER_MEMORY);
	vhost_client_send(over.client, &slot, 1, over.memory);
	assert_int_equal(vhost_client_answer(over.client, MSG_ADD_MEM_REG), 0);
	vhost_client_ring(over.client, 0, 0, HANDOVER_POSITION);
	handover_send_fd(MSG_SET_VRING_KICK, 0, over.kick);
	handover_send_fd(MSG_SET_VRING_CALL, 0, over.call_fd);
	vhost_client_ring(over.client, 1, PAGE, HANDOVER_POSITION - 1);
	assert_int_equal(handover_ask(MSG_SET_VRING_ENABLE, 1), 0);
	assert_int_equal(handover_ask(MSG_SET_VRING_NUM, 2 | UINT64_C(8) << 32), 0);
	assert_int_equal(handover_ask(MSG_SET_VRING_BASE, 2 | UINT64_C(5) << 32), 0);
	assert_int_equal(handover_ask(MSG_SET_STATUS, STATUS_UP), 0);
	loopback_dev_wait(over.now, 0, RTE_VDUSE_VQ_RUNNING);
}

static int
setup(void **state)
{
	RTE_SET_USED(state);
	unit_ctrl_turn();
	strcpy(over.dir, "/tmp/unit-handover-XXXXXX");
	if (mkdtemp(over.dir) == NULL || setenv("DPDK_VDUSE_RUN_DIR", over.dir, 1) < 0)
		return -1;
	over.fds_before = unit_fds();
	unit_log_clear();
	over.in_flight = 0;
	snprintf(over.path, sizeof(over.path), "%s/socket", over.dir);
	over.now = &over.devs[0];
	over.devs[1].dev = NULL;
	if (create(over.now, NULL) < 0 ||
	    rte_vduse_dev_start(over.now->dev, RTE_VDUSE_ATTACH_NONE) < 0)
		return -1;
	over.memory = unit_memfd("unit-handover", HANDOVER_MEMORY);
	over.kick = eventfd(0, EFD_NONBLOCK);
	over.call_fd = eventfd(0, EFD_NONBLOCK);
	over.client = vhost_client_connect(over.path);
	return socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, over.pair);
}

int
handover_setup_split(void **state)
{
	over.features = FEATURES;
	over.newer = 0;
	over.iommu = false;
	return setup(state);
}

int
handover_setup_packed(void **state)
{
	over.features = FEATURES | LOOPBACK_DEV_PACKED;
	over.newer = 0;
	over.iommu = false;
	return setup(state);
}

int
handover_setup_newer_split(void **state)
{
	over.features = FEATURES;
	over.newer = HANDOVER_NEWER;
	over.iommu = false;
	return setup(state);
}

int
handover_setup_newer_packed(void **state)
{
	over.features = FEATURES | LOOPBACK_DEV_PACKED;
	over.newer = HANDOVER_NEWER;
	over.iommu = false;
	return setup(state);
}

static void
close_pair(void)
{
	close(over.pair[0]);
	close(over.pair[1]);
	over.pair[0] = -1;
	over.pair[1] = -1;
}

int
handover_teardown(void **state)
{
	char command[128];

	RTE_SET_USED(state);
	rte_atomic_store_explicit(&over.in_flight, 0, rte_memory_order_relaxed);
	close_pair();
	close(over.client);
	close(over.memory);
	close(over.kick);
	close(over.call_fd);
	rte_vduse_dev_destroy(over.now->dev);
	assert_int_equal(access(over.path, F_OK), -1);
	snprintf(command, sizeof(command), "rm -r %s", over.dir);
	assert_int_equal(system(command), 0);
	unit_fds_back(over.fds_before);
	return 0;
}

static void *
give_main(void *arg)
{
	RTE_SET_USED(arg);
	giver.result = rte_vduse_dev_hand_over(giver.dev, giver.socket, giver.ms);
	return NULL;
}

void
handover_give(unsigned int ms)
{
	giver.dev = over.now->dev;
	giver.socket = over.pair[0];
	giver.ms = ms;
	assert_int_equal(pthread_create(&giver.thread, NULL, give_main, NULL), 0);
}

int
handover_given(void)
{
	assert_int_equal(pthread_join(giver.thread, NULL), 0);
	return giver.result;
}

void
handover_new_pair(void)
{
	close_pair();
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, over.pair), 0);
}

struct loopback_dev *
handover_next_dev(void)
{
	return over.now == &over.devs[0] ? &over.devs[1] : &over.devs[0];
}

int
handover_take(int socket, struct loopback_dev *to)
{
	struct rte_vduse_handover *from = NULL;
	int ret = rte_vduse_handover_open(socket, UNIT_PATIENCE_MS, &from);

	to->dev = NULL;
	if (ret < 0)
		return ret;
	ret = create(to, from);
	if (ret == 0)
		ret = rte_vduse_dev_start(to->dev, RTE_VDUSE_ATTACH_NONE);
	if (ret < 0) {
		rte_vduse_dev_destroy(to->dev);
		to->dev = NULL;
	}
	rte_vduse_handover_close(from);
	return ret;
}

void
handover_do(void)
{
	struct loopback_dev *old = over.now, *to = handover_next_dev();

	handover_new_pair();
	handover_give(UNIT_PATIENCE_MS);
	assert_int_equal(handover_take(over.pair[1], to), 0);
	over.pair[1] = -1;
	assert_int_equal(handover_given(), 0);
	rte_vduse_dev_destroy(old->dev);
	old->dev = NULL;
	over.now = to;
}

void
handover_check(void)
{
	int wake = rte_vduse_vq_wake_fd(over.now->vqs[0]);

	assert_int_equal(handover_ask(MSG_GET_STATUS, 0), STATUS_UP);
	loopback_dev_wait(over.now, 0, RTE_VDUSE_VQ_RUNNING);
	assert_int_equal(loopback_dev_state(over.now, 1), RTE_VDUSE_VQ_IDLE);
	assert_int_equal(loopback_dev_state(over.now, 2), RTE_VDUSE_VQ_IDLE);
	unit_ctrl_turn();
	(void)unit_signalled(&wake);
	(void)unit_signalled(&over.call_fd);
	assert_int_equal(eventfd_write(over.kick, 1), 0);
	assert_true(unit_wait(unit_signalled, &wake));
	assert_true(rte_vduse_vq_enter(over.now->vqs[0]));
	(void)rte_vduse_vq_call(over.now->vqs[0]);
	rte_vduse_vq_leave(over.now->vqs[0]);
	assert_true(unit_wait(unit_signalled, &over.call_fd));
	assert_int_equal(access(over.path, F_OK), 0);
}

uint32_t
handover_base(uint16_t index)
{
	return (uint32_t)(vhost_client_ask(over.client, MSG_GET_VRING_BASE, index, 8, false) >> 32);
}

uint32_t
handover_base_of(uint32_t position)
{
	return over.features & LOOPBACK_DEV_PACKED ? position << 16 | position : position;
}

uint32_t
handover_relay(int from, int to, int nb)
{
	struct vduse_record record;
	uint32_t type = 0;

	for (; nb != 0 && type != VDUSE_RECORD_PREPARED && type != VDUSE_RECORD_YOURS; nb--) {
		assert_int_equal(vduse_record_recv(from, &record), 0);
		type = record.type;
		assert_int_equal(vduse_record_send(to, &record), 0);
		vduse_record_close(&record);
	}
	return type;
}

void *
handover_take_main(void *arg)
{
	struct handover_taker *taker = arg;

	taker->result = handover_take(taker->socket, handover_next_dev());
	return NULL;
}

void
handover_await_prepared(void)
{
	struct vduse_record record;

	do {
		assert_int_equal(vduse_record_recv(over.pair[1], &record), 0);
		vduse_record_close(&record);
	} while (record.type != VDUSE_RECORD_PREPARED);
}
