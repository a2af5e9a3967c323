/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Gets a device from another process. The records come from a process of this project, and yet they
 * are checked as a driver's messages are: what is wrong ends the handover, and the other process
 * serves on.
 * Input: records. Output: a device that is set up but does not run. Thread: the application's; take_*
 * with dev only: control.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>

#include <vduse/core/ctrl_thread.h>
#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/handover/handover.h>

static int
take_hello(struct rte_vduse_handover *from)
{
	struct vduse_record *record = &from->record;
	uint32_t n = 0;

	if (record->type != VDUSE_RECORD_HELLO || record->size != sizeof(from->hello))
		return -EPROTO;
	memcpy(&from->hello, record->data, sizeof(from->hello));
	if (from->hello.version != VDUSE_RECORD_VERSION ||
	    record->nb_fds != (uint32_t)__builtin_popcount(from->hello.files) ||
	    (from->hello.files & ~(VDUSE_HELLO_STATE | VDUSE_HELLO_DEVICE)) != 0 ||
	    from->hello.left.config_size > sizeof(from->hello.left.config) ||
	    from->hello.path[sizeof(from->hello.path) - 1] != '\0')
		return -EPROTO;
	if (from->hello.files & VDUSE_HELLO_STATE)
		vduse_record_take(record, n++, &from->state_fd);
	if (from->hello.files & VDUSE_HELLO_DEVICE)
		vduse_record_take(record, n++, &from->device_fd);
	return 0;
}

int
vduse_handover_check_ms(const char *name, unsigned int ms)
{
	if (ms >= 1 && ms <= VDUSE_HANDOVER_MS_MAX)
		return 0;
	VDUSE_LOG(dev, ERR, name, "a step of a handover cannot take %u ms: use 1 to %u", ms,
		  VDUSE_HANDOVER_MS_MAX);
	return -EINVAL;
}

int
rte_vduse_handover_open(int socket, unsigned int ms, struct rte_vduse_handover **result)
{
	struct rte_vduse_handover *from;
	int ret = -ENOMEM;

	if (vduse_handover_check_ms("handover", ms) < 0) {
		close(socket);
		return -EINVAL;
	}
	from = calloc(1, sizeof(*from));
	if (from == NULL) {
		close(socket);
	} else {
		from->socket = socket;
		from->ms = ms;
		from->state_fd = -1;
		from->device_fd = -1;
		from->listener = -1;
		from->client = -1;
		vduse_record_limit(socket, ms);
		ret = vduse_record_recv(socket, &from->record);
		if (ret == 0)
			ret = take_hello(from);
	}
	if (ret == 0) {
		*result = from;
		return 0;
	}
	VDUSE_LOG(dev, ERR, "handover",
		  "no device comes from the other process: %s; see what it logs",
		  ret == -EPROTO ? "it is of another version" : strerror(-ret));
	rte_vduse_handover_close(from);
	return ret;
}

void
rte_vduse_handover_left(const struct rte_vduse_handover *from, struct rte_vduse_left *left)
{
	*left = from->hello.left;
}

static void
take_close_file(int fd)
{
	if (fd >= 0)
		close(fd);
}

void
rte_vduse_handover_close(struct rte_vduse_handover *from)
{
	if (from == NULL)
		return;
	vduse_record_close(&from->record);
	take_close_file(from->state_fd);
	take_close_file(from->device_fd);
	take_close_file(from->listener);
	take_close_file(from->client);
	close(from->socket);
	free(from);
}

int
vduse_take_no_features(const char *name, uint64_t features)
{
	VDUSE_LOG(dev, ERR, name,
		  "not taken over: its driver uses features 0x%" PRIx64
		  ", which are not offered here: use the same arguments, or a build that has them",
		  features);
	return -EEXIST;
}

int
vduse_take_check(const struct rte_vduse_handover *from, const char *name,
		 const struct rte_vduse_dev_conf *conf)
{
	const struct rte_vduse_left *left = &from->hello.left;
	const char *difference = NULL;

	if (strcmp(from->hello.path, conf->path) != 0)
		difference = "path";
	else if (left->device_id != conf->device_id)
		difference = "type";
	else if (left->nb_vqs != conf->nb_vqs)
		difference = "number of virtqueues";
	if (difference == NULL && (left->features & ~conf->features) == 0)
		return 0;
	if (difference == NULL)
		return vduse_take_no_features(name, left->features & ~conf->features);
	VDUSE_LOG(dev, ERR, name, "not taken over: its %s is another one: use the same arguments",
		  difference);
	return -EEXIST;
}

static int
take_record(struct rte_vduse_dev *dev)
{
	return dev->transport->take != NULL ? dev->transport->take(dev, &dev->from->record)
					    : -EPROTO;
}

/* Handles records until one of a type. */
static int
take_until(struct rte_vduse_dev *dev, enum vduse_record_type type)
{
	struct rte_vduse_handover *from = dev->from;
	int ret;

	for (;;) {
		vduse_record_close(&from->record);
		ret = vduse_record_recv(from->socket, &from->record);
		if (ret < 0 || from->record.type == (uint32_t)type)
			return ret;
		ret = vduse_ctrl_run(take_record, dev);
		if (ret < 0)
			return ret;
	}
}

/* So that only addresses have to be looked up once the device is ours. */
static int
take_map(struct rte_vduse_dev *dev)
{
	uint32_t asid;

	for (asid = 0; asid < dev->nb_spaces; asid++)
		(void)vduse_status_remap(dev, asid, true);
	return 0;
}

/* What only one process may have, such as the lock on an image. */
static int
take_alone(struct rte_vduse_dev *dev)
{
	return dev->ops->hand_over != NULL ? dev->ops->hand_over(dev, false, dev->arg) : 0;
}

int
vduse_take(struct rte_vduse_dev *dev)
{
	const struct vduse_record ready = { .type = VDUSE_RECORD_READY };
	int ret = take_until(dev, VDUSE_RECORD_PREPARED);

	if (ret == 0)
		ret = vduse_ctrl_run(take_map, dev);
	if (ret == 0)
		ret = vduse_record_send(dev->from->socket, &ready);
	if (ret == 0)
		ret = take_until(dev, VDUSE_RECORD_YOURS);
	if (ret < 0) {
		VDUSE_LOG(dev, ERR, dev->name, "not taken over, the other process serves it: %s",
			  strerror(-ret));
		return ret;
	}
	ret = vduse_ctrl_run(take_alone, dev);
	if (ret == 0)
		VDUSE_LOG(dev, NOTICE, dev->name,
			  "taken over from another process: its driver goes on");
	return ret;
}
