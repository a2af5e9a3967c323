/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Hands a device over to another process. The control thread stops reading the driver's messages,
 * which wait for the other process. The virtqueues run on until that is ready; then they come to rest
 * as for a change of memory, so that nothing is in flight, and stay as they are.
 * Input: a device that runs. Output: records. Thread: the application's; give_* with dev only: control.
 */
#include <errno.h>
#include <string.h>

#include <rte_cycles.h>
#include <rte_string_fns.h>

#include <vduse/core/ctrl_thread.h>
#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/core/state_file.h>
#include <vduse/handover/handover.h>

static void
give_begin_step(struct vduse_giving *giving)
{
	giving->end = rte_get_timer_cycles() + giving->ms * (rte_get_timer_hz() / MS_PER_S);
}

/* What to return if a step is not done yet: the control thread calls it again. */
static int
give_wait(const struct rte_vduse_dev *dev)
{
	return rte_get_timer_cycles() < dev->giving->end ? -EINPROGRESS : -ETIMEDOUT;
}

static void
give_left(const struct rte_vduse_dev *dev, struct rte_vduse_left *left)
{
	*left = (struct rte_vduse_left){
		.device_id = dev->device_id,
		.nb_vqs = dev->nb_vqs,
		.vq_size = dev->vq_size,
		.offered = dev->offered & ~dev->withheld,
		.features = dev->features,
		.config_size = RTE_MIN(dev->config_size, (uint32_t)sizeof(left->config)),
		.has_parts = dev->state.header != NULL && dev->state.header->has_parts != 0,
	};
	memcpy(left->config, dev->state.header != NULL ? dev->state.header->config : dev->config,
	       left->config_size);
}

static int
give_hello(const struct rte_vduse_dev *dev, struct vduse_records *records)
{
	struct vduse_record *record = vduse_records_add(records, VDUSE_RECORD_HELLO);
	struct vduse_record_hello hello;

	if (record == NULL)
		return -ENOMEM;
	memset(&hello, 0, sizeof(hello));
	hello.version = VDUSE_RECORD_VERSION;
	hello.tells_ready = dev->tells_ready;
	(void)rte_strlcpy(hello.path, dev->path, sizeof(hello.path));
	give_left(dev, &hello.left);
	if (dev->state.header != NULL) {
		hello.files |= VDUSE_HELLO_STATE;
		vduse_record_file(record, dev->state.fd);
	}
	if (!dev->socket) {
		hello.files |= VDUSE_HELLO_DEVICE;
		vduse_record_file(record, dev->fd);
	}
	memcpy(record->data, &hello, sizeof(hello));
	record->size = sizeof(hello);
	return 0;
}

/*
 * The virtqueues run on, and so the driver's kicks are passed on and misses are served, unless the
 * answers of the driver that this takes are messages.
 */
static void
give_hold(struct rte_vduse_dev *dev)
{
	dev->giving->holds = dev->transport->give_hold != NULL && !dev->asks;
	if (dev->giving->holds) {
		dev->transport->give_hold(dev, true);
		return;
	}
	dev->giving->paused = true;
	vduse_ctrl_pause(dev, true);
}

/* Everything but the positions: they change until the virtqueues rest. */
static int
give_prepare(struct rte_vduse_dev *dev)
{
	struct vduse_records *records = &dev->giving->records;
	int ret = -EAGAIN;

	if (!dev->defers && !dev->hung_up)
		ret = dev->transport->give_ready(dev);
	if (ret == -EAGAIN)
		return give_wait(dev);
	if (ret < 0)
		return ret;
	ret = give_hello(dev, records);
	if (ret == 0)
		ret = dev->transport->give(dev, false, records);
	if (ret == 0 && vduse_records_add(records, VDUSE_RECORD_PREPARED) == NULL)
		ret = -ENOMEM;
	if (ret == 0)
		give_hold(dev);
	return ret;
}

static int
give_rest(struct rte_vduse_dev *dev)
{
	struct vduse_records *records = &dev->giving->records;
	uint16_t i;
	int ret;

	if (!dev->giving->paused)
		vduse_ctrl_pause(dev, true);
	dev->giving->paused = true;
	for (i = 0; i < dev->nb_vqs; i++)
		vduse_vq_pause(&dev->vqs[i]);
	if (vduse_drain(dev, 0, dev->nb_vqs, false) < 0)
		return give_wait(dev);
	for (i = 0; i < dev->nb_vqs; i++)
		(void)vduse_vq_call_posted(&dev->vqs[i]);
	ret = dev->transport->give(dev, true, records);
	if (ret == 0 && vduse_records_add(records, VDUSE_RECORD_YOURS) == NULL)
		ret = -ENOMEM;
	if (ret == 0 && dev->ops->hand_over != NULL)
		ret = dev->ops->hand_over(dev, true, dev->arg);
	return ret;
}

static int
give_go_on(struct rte_vduse_dev *dev)
{
	vduse_drain_end(dev);
	if (dev->giving->paused)
		vduse_ctrl_pause(dev, false);
	if (dev->giving->holds)
		dev->transport->give_hold(dev, false);
	return 0;
}

/* Without what only one process may have, nothing more is done for the driver. */
static int
give_back(struct rte_vduse_dev *dev)
{
	uint16_t i;
	int ret = dev->ops->hand_over != NULL ? dev->ops->hand_over(dev, false, dev->arg) : 0;

	if (ret < 0)
		for (i = 0; i < dev->nb_vqs; i++)
			vduse_vq_lost(&dev->vqs[i], ret);
	(void)give_go_on(dev);
	return ret;
}

/* The other process has it. What both have open is closed here, and nothing is done to it. */
static int
give_let_go(struct rte_vduse_dev *dev)
{
	dev->left = true;
	dev->transport->given(dev);
	vduse_status_leave(dev);
	return 0;
}

static int
give_send(struct vduse_giving *giving, int socket)
{
	int ret = vduse_records_send(socket, &giving->records);

	giving->records.nb = 0;
	return ret;
}

static int
give_await_ready(int socket)
{
	struct vduse_record record;
	int ret = vduse_record_recv(socket, &record);

	if (ret < 0)
		return ret;
	vduse_record_close(&record);
	return record.type == VDUSE_RECORD_READY ? 0 : -ECONNRESET;
}

/* Both while the device is served, and then while it rests. */
static int
give_steps(struct rte_vduse_dev *dev, int socket)
{
	struct vduse_giving *giving = dev->giving;
	int ret;

	give_begin_step(giving);
	ret = vduse_ctrl_run(give_prepare, dev);
	if (ret < 0)
		return ret;
	ret = give_send(giving, socket);
	if (ret == 0)
		ret = give_await_ready(socket);
	if (ret < 0) {
		(void)vduse_ctrl_run(give_go_on, dev);
		return ret;
	}
	give_begin_step(giving);
	ret = vduse_ctrl_run(give_rest, dev);
	if (ret < 0) {
		(void)vduse_ctrl_run(give_go_on, dev);
		return ret;
	}
	ret = give_send(giving, socket);
	(void)vduse_ctrl_run(ret < 0 ? give_back : give_let_go, dev);
	return ret;
}

int
rte_vduse_dev_hand_over(struct rte_vduse_dev *dev, int socket, unsigned int ms)
{
	struct vduse_giving giving = { .ms = ms };
	int ret = -ENOTSUP;

	if (vduse_handover_check_ms(dev->name, ms) < 0)
		return -EINVAL;
	if (dev->transport->give != NULL && dev->ops->vq_remap == NULL && !dev->draining &&
	    dev->started && !dev->stopped) {
		vduse_record_limit(socket, ms);
		dev->giving = &giving;
		ret = give_steps(dev, socket);
		dev->giving = NULL;
		vduse_records_free(&giving.records);
	}
	dev->stopped |= ret == 0;
	if (ret == 0)
		VDUSE_LOG(dev, NOTICE, dev->name, "handed over to another process");
	else
		VDUSE_LOG(dev, ERR, dev->name, "not handed over: %s",
			  ret == -EBUSY
				  ? "its driver is being migrated or is suspended, try again later"
				  : strerror(-ret));
	return ret;
}
