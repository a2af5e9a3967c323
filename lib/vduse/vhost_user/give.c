/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A vhost-user device that moves to another process: what its client set up becomes the messages that
 * set it up, with their descriptors. The other process handles them as if the client had sent them,
 * and goes on with the client's connection.
 * Input: struct vhost_user, and positions at rest. Output: records. Thread: control.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <rte_common.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/handover/record.h>
#include <vduse/vhost_user/vhost_user.h>

int
vhost_user_give_ready(const struct rte_vduse_dev *dev)
{
	const struct vhost_user *vu = dev->transport_priv;

	/* Half a message, or one that waits. A client that does not send the rest is dropped. */
	if (vu->have > 0 || vu->pending || vu->ending)
		return -EAGAIN;
	/* The other process has no mapping in which the front end knows of a page that is waited for. */
	if (vu->postcopy != NULL)
		return -EBUSY;
	/* The front end would not know of pages that are written meanwhile. */
	if (vu->log != NULL || (vu->acked & VHOST_USER_BIT(MSG_F_LOG_ALL)))
		return -EBUSY;
	return 0;
}

/* Appends a message with size bytes of payload, at which it returns. NULL: no memory. */
static union msg_payload *
give_message(struct vduse_records *records, uint32_t type, uint32_t size, int fd)
{
	struct vduse_record *record = vduse_records_add(records, type);

	if (record == NULL)
		return NULL;
	record->size = size;
	if (fd >= 0)
		vduse_record_file(record, fd);
	return (union msg_payload *)record->data;
}

static_assert(VDUSE_RECORD_DATA >= sizeof(union msg_payload), "a message is one record");
static_assert(offsetof(struct vduse_record, data) % sizeof(int) == 0, "the payload is packed");

static int
give_number(struct vduse_records *records, uint32_t type, uint64_t value, int fd)
{
	union msg_payload *payload = give_message(records, type, sizeof(payload->u64), fd);

	if (payload == NULL)
		return -ENOMEM;
	payload->u64 = value;
	return 0;
}

static int
give_memory(const struct vhost_user *vu, struct vduse_records *records)
{
	union msg_payload *payload;
	uint32_t i;

	for (i = 0; i < vu->nb_regions; i++) {
		const struct vhost_user_region *region = &vu->regions[i];

		payload = give_message(records, MSG_ADD_MEM_REG, sizeof(payload->slot), region->fd);
		if (payload == NULL)
			return -ENOMEM;
		payload->slot.region = (struct vhost_user_memory){
			.first = region->first,
			.size = region->last - region->first + 1,
			.user = region->user,
			.offset = region->offset,
		};
	}
	return 0;
}

static int
give_inflight(const struct vhost_user *vu, struct vduse_records *records)
{
	union msg_payload *payload;

	if (vu->inflight < 0)
		return 0;
	payload =
		give_message(records, MSG_SET_INFLIGHT_FD, sizeof(payload->inflight), vu->inflight);
	if (payload == NULL)
		return -ENOMEM;
	payload->inflight.size = vhost_user_inflight_size(vu);
	payload->inflight.nb_queues = vu->dev->nb_vqs;
	return 0;
}

/* The last write to the configuration space. With an inflight buffer, that has it. */
static int
give_config(const struct vhost_user *vu, struct vduse_records *records)
{
	const struct vhost_user_write *write = &vu->written;
	union msg_payload *payload;

	if (vu->inflight >= 0 || write->len == 0)
		return 0;
	payload = give_message(records, MSG_SET_CONFIG,
			       offsetof(struct msg_config, data) + write->len, -1);
	if (payload == NULL)
		return -ENOMEM;
	payload->config.offset = write->offset;
	payload->config.size = write->len;
	memcpy(payload->config.data, write->data, write->len);
	return 0;
}

static int
give_device(const struct vhost_user *vu, struct vduse_records *records)
{
	int ret;

	ret = give_number(records, MSG_SET_FEATURES, vu->acked, -1);
	if (ret == 0)
		ret = give_memory(vu, records);
	if (ret == 0)
		ret = give_inflight(vu, records);
	if (ret == 0)
		ret = give_config(vu, records);
	if (ret == 0 && vu->channel >= 0)
		ret = give_number(records, MSG_SET_BACKEND_CHANNEL, 0, vu->channel);
	if (ret == 0 && vu->status != 0)
		ret = give_number(records, MSG_SET_STATUS, vu->status, -1);
	return ret;
}

static int
give_addresses(const struct vhost_user_ring *ring, uint16_t index, struct vduse_records *records)
{
	union msg_payload *payload;

	if (!ring->placed)
		return 0;
	payload = give_message(records, MSG_SET_VRING_ADDR, sizeof(payload->addresses), -1);
	if (payload == NULL)
		return -ENOMEM;
	payload->addresses.index = index;
	payload->addresses.desc = ring->desc;
	payload->addresses.driver = ring->driver;
	payload->addresses.device = ring->device;
	payload->addresses.log = ring->log_used;
	payload->addresses.flags = ring->logged ? MSG_VRING_F_LOG : 0;
	return 0;
}

static int
give_vring(struct vduse_records *records, uint32_t type, uint16_t index, uint32_t num)
{
	union msg_payload *payload = give_message(records, type, sizeof(payload->vring), -1);

	if (payload == NULL)
		return -ENOMEM;
	payload->vring.index = index;
	payload->vring.num = num;
	return 0;
}

static int
give_ring(const struct vhost_user *vu, uint16_t index, struct vduse_records *records)
{
	const struct vhost_user_vq *vq = &vu->vqs[index];
	int ret;

	ret = give_vring(records, MSG_SET_VRING_NUM, index, vq->ring.size);
	if (ret == 0)
		ret = give_addresses(&vq->ring, index, records);
	if (ret == 0 && vq->call != NULL)
		ret = give_number(records, MSG_SET_VRING_CALL, index, vhost_user_call_fd(vq->call));
	if (ret == 0 && vq->ring.kicked)
		ret = give_number(records, MSG_SET_VRING_KICK, index, vq->kick);
	if (ret == 0 && vq->ring.enabled)
		ret = give_vring(records, MSG_SET_VRING_ENABLE, index, 1);
	return ret;
}

/* Nothing is in flight, so that both positions of a packed ring are the same. */
static int
give_position(const struct vhost_user *vu, uint16_t index, struct vduse_records *records)
{
	const struct vhost_user_vq *vq = &vu->vqs[index];
	struct vduse_vq_state state = { .index = index };
	uint16_t position = vq->ring.avail;

	/* Only a started virtqueue has a position in core/. */
	if (vu->dev->vqs[index].started) {
		vduse_vq_state(&vu->dev->vqs[index], &state);
		position = state.split.avail_index;
		if (vu->acked & VHOST_USER_BIT(VIRTIO_F_RING_PACKED))
			position = (uint16_t)(state.packed.last_avail_idx |
					      state.packed.last_avail_counter << 15);
	}
	return give_vring(records, MSG_SET_VRING_BASE, index, position);
}

static int
give_announce(const struct vhost_user *vu, struct vduse_records *records)
{
	union msg_payload *payload = give_message(records, MSG_SEND_RARP, sizeof(payload->u64), -1);

	if (payload == NULL)
		return -ENOMEM;
	memcpy(payload->room, vu->announce, sizeof(vu->announce));
	return 0;
}

/* Which of the two descriptors it has is in the first byte. */
static int
give_client(const struct vhost_user *vu, struct vduse_records *records)
{
	struct vduse_record *record = vduse_records_add(records, VDUSE_RECORD_CLIENT);

	if (record == NULL)
		return -ENOMEM;
	record->size = 1;
	if (vu->listener >= 0) {
		record->data[0] |= VHOST_USER_GIVES_LISTENER;
		vduse_record_file(record, vu->listener);
	}
	if (vu->conn >= 0) {
		record->data[0] |= VHOST_USER_GIVES_CLIENT;
		vduse_record_file(record, vu->conn);
	}
	return 0;
}

int
vhost_user_give(struct rte_vduse_dev *dev, bool rests, struct vduse_records *records)
{
	const struct vhost_user *vu = dev->transport_priv;
	uint16_t i;
	int ret = 0;

	if (vu->conn < 0)
		return rests ? give_client(vu, records) : 0;
	if (!rests)
		ret = give_device(vu, records);
	for (i = 0; i < dev->nb_vqs && ret == 0; i++)
		ret = rests ? give_position(vu, i, records) : give_ring(vu, i, records);
	if (ret == 0 && rests && vu->announces)
		ret = give_announce(vu, records);
	return ret == 0 && rests ? give_client(vu, records) : ret;
}

static void
give_watch(const struct vhost_user *vu, int fd, bool on)
{
	int ret = fd >= 0 ? vhost_user_socket_watch(vu, fd, on) : 0;

	if (ret < 0 && on)
		VDUSE_LOG(dev, ERR, vu->dev->name,
			  "cannot poll its socket again: %s: create it again", strerror(-ret));
}

/* The kicks stay in the epoll. A listener that waits for a descriptor is not in it. */
void
vhost_user_give_hold(struct rte_vduse_dev *dev, bool on)
{
	const struct vhost_user *vu = dev->transport_priv;

	give_watch(vu, vu->conn, !on);
	give_watch(vu, vu->timer, !on);
	if (!vu->paused)
		give_watch(vu, vu->listener, !on);
}

static void
give_drop(const struct vhost_user *vu, int *fd)
{
	if (*fd < 0)
		return;
	(void)vhost_user_socket_watch(vu, *fd, false);
	vhost_user_file_close(vu->closer, *fd);
	*fd = -1;
}

/* Neither is shut down: both belong to the other process, too. */
void
vhost_user_given(struct rte_vduse_dev *dev)
{
	struct vhost_user *vu = dev->transport_priv;

	give_drop(vu, &vu->conn);
	give_drop(vu, &vu->listener);
	vu->listening = false;
}
