/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Messages of a vhost-user driver, before and after librte_vhost handles them. In flows a
 * message, out flows an answer that is ours to give (the configuration space), a refusal, or
 * what changed for the device. librte_vhost's thread; everything in a message is hostile.
 */
#include <string.h>
#include <unistd.h>

#include <rte_version.h>

#include "device.h"
#include "log.h"
#include "vhost_user.h"

/* librte_vhost handles messages whose feature was not negotiated, so the refused ones are here. */
enum msg_type {
	MSG_SET_FEATURES = 2,
	MSG_RESET_OWNER = 4,
	MSG_SET_MEM_TABLE = 5,
	MSG_SET_LOG_BASE = 6,
	MSG_SET_LOG_FD = 7,
	MSG_SET_VRING_NUM = 8,
	MSG_SET_VRING_ADDR = 9,
	MSG_GET_VRING_BASE = 11,
	MSG_SET_VRING_KICK = 12,
	MSG_GET_QUEUE_NUM = 17,
	MSG_SET_BACKEND_CHANNEL = 21,
	MSG_IOTLB = 22,
	MSG_GET_CONFIG = 24,
	MSG_SET_CONFIG = 25,
	MSG_POSTCOPY_ADVISE = 28,
	MSG_POSTCOPY_LISTEN = 29,
	MSG_POSTCOPY_END = 30,
	MSG_GET_INFLIGHT_FD = 31,
	MSG_SET_INFLIGHT_FD = 32,
	MSG_ADD_MEM_REG = 37,
	MSG_REM_MEM_REG = 38,
};

#define MSG_FLAG_NEED_REPLY (1U << 3)
#define MSG_VRING_INDEX	    0xffU
#define MSG_CONFIG_MAX	    256

/* Bytes of the largest payload that librte_vhost has room for: an encryption session. */
#if RTE_VERSION < RTE_VERSION_NUM(25, 3, 0, 0)
#define MSG_PAYLOAD_MAX 632
#else
#define MSG_PAYLOAD_MAX 1072
#endif
#define MSG_FDS_MAX 8

struct msg_config {
	uint32_t offset;
	uint32_t size;
	uint32_t flags;
	uint8_t data[MSG_CONFIG_MAX];
} __attribute__((packed));

/* A message as librte_vhost hands it out; it declares this in no header that is installed. */
struct msg {
	uint32_t type;
	uint32_t flags;
	uint32_t size;
	union {
		uint64_t u64;
		struct {
			uint32_t index;
			uint32_t num;
		} vring;
		struct msg_config config;
		struct {
			uint64_t size;
			uint64_t offset;
			uint16_t nb_queues;
			uint16_t queue_size;
			uint32_t padding;
		} inflight;
		struct {
			uint32_t nb;
			uint32_t padding;
			struct vhost_user_memory regions[MSG_FDS_MAX];
		} table;
		uint8_t bytes[MSG_PAYLOAD_MAX];
	} payload;
	int fds[MSG_FDS_MAX];
	int nb_fds;
} __attribute__((packed));

#define MSG_HEAD offsetof(struct msg, payload)

/* Makes librte_vhost close the connection; with a reply asked for, it would only say no. */
static int
msg_drop(struct msg *msg)
{
	msg->flags &= ~MSG_FLAG_NEED_REPLY;
	return RTE_VHOST_MSG_RESULT_ERR;
}

/* The same, for a message that librte_vhost does not handle any more: the files are ours. */
static int
msg_drop_files(struct msg *msg)
{
	int i;

	for (i = 0; i < RTE_MIN(msg->nb_fds, MSG_FDS_MAX); i++)
		if (msg->fds[i] >= 0)
			close(msg->fds[i]);
	msg->nb_fds = 0;
	return msg_drop(msg);
}

static int
msg_refuse(const struct vhost_user *vu, struct msg *msg, const char *why)
{
	VDUSE_LOG(msg, ERR, vu->dev->name, "client dropped: message %u %s", msg->type, why);
	return msg_drop_files(msg);
}

static int
msg_queue_num(struct vhost_user *vu, struct msg *msg)
{
	if (msg->nb_fds != 0)
		return msg_refuse(vu, msg, "comes with descriptors");
	/* Pairs for a network device, which may have a control queue besides. */
	msg->payload.u64 = vu->net ? vu->dev->nb_vqs / 2 : vu->dev->nb_vqs;
	msg->size = sizeof(msg->payload.u64);
	return RTE_VHOST_MSG_RESULT_REPLY;
}

static bool
msg_config_ok(const struct vhost_user *vu, const struct msg *msg)
{
	const struct msg_config *config = &msg->payload.config;
	const uint32_t head = offsetof(struct msg_config, data);
	uint32_t size = config->size;

	return msg->nb_fds == 0 && size <= MSG_CONFIG_MAX && msg->size >= head &&
	       msg->size - head >= size && config->offset <= vu->dev->config_size;
}

/* Behind the end of the space there are zeroes, as a driver may know more fields than we. */
static int
msg_get_config(struct vhost_user *vu, struct msg *msg)
{
	struct msg_config *config = &msg->payload.config;
	uint32_t len;

	if (!msg_config_ok(vu, msg))
		return msg_refuse(vu, msg, "(GET_CONFIG) is malformed");
	len = RTE_MIN(config->size, vu->dev->config_size - config->offset);
	memset(config->data, 0, config->size);
	pthread_mutex_lock(&vu->lock);
	memcpy(config->data, vu->config + config->offset, len);
	pthread_mutex_unlock(&vu->lock);
	msg->size = offsetof(struct msg_config, data) + config->size;
	return RTE_VHOST_MSG_RESULT_REPLY;
}

/* As over VDUSE: the space has no field that a driver may write, so writes change nothing. */
static int
msg_set_config(struct vhost_user *vu, struct msg *msg)
{
	if (!msg_config_ok(vu, msg))
		return msg_refuse(vu, msg, "(SET_CONFIG) is malformed");
	return RTE_VHOST_MSG_RESULT_OK;
}

/* librte_vhost would take what cannot be, and lose files of what it cannot map. */
static int
msg_set_mem_table(struct vhost_user *vu, struct msg *msg)
{
	struct vhost_user_memory table[MSG_FDS_MAX];
	int fds[MSG_FDS_MAX];
	uint32_t nb = msg->payload.table.nb;

	if (nb > MSG_FDS_MAX || msg->nb_fds != (int)nb ||
	    msg->size < offsetof(struct msg, payload.table.regions[nb]) - MSG_HEAD)
		return msg_refuse(vu, msg, "(SET_MEM_TABLE) has other descriptors than regions");
	memcpy(table, msg->payload.table.regions, nb * sizeof(table[0]));
	memcpy(fds, msg->fds, nb * sizeof(fds[0]));
	if (vhost_user_mem_check(vu, table, fds, nb) < 0)
		return msg_drop_files(msg);
	vhost_user_vring_pause(vu);
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

static void
msg_get_vring_base(struct vhost_user *vu, const struct msg *msg)
{
	uint32_t index = msg->payload.vring.index;

	if (index < vu->dev->nb_vqs)
		vhost_user_vring_stop(vu, (uint16_t)index);
	if (!vhost_user_vring_any(vu))
		vhost_user_vring_reset(vu);
}

/* librte_vhost would believe what a driver writes there. */
static int
msg_get_inflight(struct vhost_user *vu, struct msg *msg)
{
	uint64_t size;
	int fd;

	if (!vu->dev->logs)
		return msg_refuse(vu, msg, "belongs to a feature that is not offered");
	if (msg->nb_fds != 0 || msg->size != sizeof(msg->payload.inflight))
		return msg_refuse(vu, msg, "(GET_INFLIGHT_FD) is malformed");
	fd = vhost_user_inflight_new(vu, &size);
	if (fd < 0)
		return msg_drop(msg);
	msg->payload.inflight.size = size;
	msg->payload.inflight.offset = 0;
	msg->fds[0] = fd;
	msg->nb_fds = 1;
	return RTE_VHOST_MSG_RESULT_REPLY;
}

static int
msg_set_inflight(struct vhost_user *vu, struct msg *msg)
{
	if (!vu->dev->logs)
		return msg_refuse(vu, msg, "belongs to a feature that is not offered");
	if (msg->nb_fds != 1 || msg->size != sizeof(msg->payload.inflight) ||
	    vhost_user_inflight_take(vu, msg->fds[0], msg->payload.inflight.size,
				     msg->payload.inflight.offset) < 0)
		return msg_refuse(vu, msg, "(SET_INFLIGHT_FD) brings back what we did not give");
	return RTE_VHOST_MSG_RESULT_OK;
}

static int
msg_before(struct vhost_user *vu, struct msg *msg)
{
	switch (msg->type) {
	case MSG_GET_QUEUE_NUM:
		return msg_queue_num(vu, msg);
	case MSG_GET_CONFIG:
		return msg_get_config(vu, msg);
	case MSG_SET_CONFIG:
		return msg_set_config(vu, msg);
	case MSG_SET_MEM_TABLE:
		return msg_set_mem_table(vu, msg);
	case MSG_GET_INFLIGHT_FD:
		return msg_get_inflight(vu, msg);
	case MSG_SET_INFLIGHT_FD:
		return msg_set_inflight(vu, msg);
	case MSG_SET_LOG_BASE:
	case MSG_SET_LOG_FD:
	case MSG_IOTLB:
	case MSG_POSTCOPY_ADVISE:
	case MSG_POSTCOPY_LISTEN:
	case MSG_POSTCOPY_END:
		return msg_refuse(vu, msg, "belongs to a feature that is not offered");
	case MSG_ADD_MEM_REG:
	case MSG_REM_MEM_REG:
		vhost_user_vring_pause(vu);
		break;
	case MSG_GET_VRING_BASE:
		msg_get_vring_base(vu, msg);
		break;
	case MSG_RESET_OWNER:
		vhost_user_vring_reset(vu);
		break;
	}
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

static int
msg_memory_changed(struct vhost_user *vu, int vid, struct msg *msg)
{
	struct vduse_dev_request request = { .type = VDUSE_UPDATE_IOTLB, .iova.last = UINT64_MAX };
	struct vduse_dev_response response;

	if (vhost_user_mem_take(vu, vid) < 0)
		return msg_drop(msg);
	if (vu->up)
		(void)vhost_user_ask(vu, &request, &response);
	vhost_user_vring_resume(vu);
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

/* The rings are looked for when the driver kicks a virtqueue off; librte_vhost says nothing. */
static int
msg_kicked_off(struct vhost_user *vu, int vid, struct msg *msg)
{
	uint16_t index = msg->payload.u64 & MSG_VRING_INDEX;
	struct rte_vhost_vring vring;

	if (index >= vu->dev->nb_vqs || rte_vhost_get_vhost_vring(vid, index, &vring) < 0)
		return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	if (vring.desc != NULL && vring.avail != NULL && vring.used != NULL)
		return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	VDUSE_LOG(msg, ERR, vu->dev->name,
		  "client dropped: the rings of virtqueue %u are in no region", index);
	return msg_drop(msg);
}

static int
msg_features_changed(struct vhost_user *vu, struct msg *msg)
{
	uint64_t features = msg->payload.u64 & ~VHOST_USER_BIT(VHOST_USER_F_PROTOCOL_FEATURES);

	if (!vu->up || features == vu->features)
		return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	VDUSE_LOG(msg, ERR, vu->dev->name,
		  "client dropped: it changed features while virtqueues run");
	return msg_drop(msg);
}

static int
msg_after(struct vhost_user *vu, int vid, struct msg *msg)
{
	switch (msg->type) {
	case MSG_SET_FEATURES:
		return msg_features_changed(vu, msg);
	case MSG_SET_BACKEND_CHANNEL:
		pthread_mutex_lock(&vu->lock);
		vu->backend_channel = true;
		pthread_mutex_unlock(&vu->lock);
		break;
	case MSG_SET_MEM_TABLE:
	case MSG_ADD_MEM_REG:
	case MSG_REM_MEM_REG:
		return msg_memory_changed(vu, vid, msg);
	case MSG_SET_VRING_NUM:
	case MSG_SET_VRING_ADDR:
		if (msg->payload.vring.index < vu->dev->nb_vqs)
			vhost_user_vring_refresh(vu, (uint16_t)msg->payload.vring.index);
		break;
	case MSG_SET_VRING_KICK:
		return msg_kicked_off(vu, vid, msg);
	}
	return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
}

static enum rte_vhost_msg_result
msg_pre_handle(int vid, void *msg)
{
	struct vhost_user *vu = vhost_user_find(vid);

	if (vu == NULL)
		return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	/* librte_vhost reads a ring's index in a mapping of its own. */
	vduse_guard_thread(true);
	return msg_before(vu, msg);
}

static enum rte_vhost_msg_result
msg_post_handle(int vid, void *msg)
{
	struct vhost_user *vu = vhost_user_find(vid);
	bool lost = vduse_guard_thread(false);

	if (vu == NULL)
		return RTE_VHOST_MSG_RESULT_NOT_HANDLED;
	if (lost) {
		VDUSE_LOG(msg, ERR, vu->dev->name,
			  "client dropped: it took away memory that its rings are in");
		return msg_drop(msg);
	}
	return msg_after(vu, vid, msg);
}

const struct rte_vhost_user_extern_ops vhost_user_msg_ops = {
	.pre_msg_handle = msg_pre_handle,
	.post_msg_handle = msg_post_handle,
};
