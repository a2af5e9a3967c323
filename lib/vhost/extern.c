/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Message handlers of the application. The only vhost-user message that VDUSE can pass to them is
 * GET_CONFIG, which asks for the configuration space: before a device is created, and when the
 * application reports a change.
 * Thread: the application's.
 */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <vhost/vhost.h>

int
rte_vhost_extern_callback_register(int vid, struct rte_vhost_user_extern_ops const *const ops,
				   void *ctx)
{
	struct vhost_dev *dev = vhost_dev_get(vid);

	if (dev == NULL)
		return VHOST_REAL(extern_callback_register, -ENOTSUP, vid, ops, ctx);
	vhost_lock();
	dev->extern_ops = ops;
	vhost_unlock();
	return 0;
}

/* As in vhost-user. The room after it is for handlers that write a longer message. */
struct extern_message {
	uint32_t request;
	uint32_t flags;
	uint32_t size;
	struct {
		uint32_t offset;
		uint32_t size;
		uint32_t flags;
		uint8_t region[RTE_VDUSE_VHOST_CONFIG_MAX];
	} config;
	uint8_t room[4096];
};
static_assert(offsetof(struct extern_message, room) == 24 + RTE_VDUSE_VHOST_CONFIG_MAX, "no holes");

#define EXTERN_GET_CONFIG 24
#define EXTERN_VERSION    1

/* Returns the size of the configuration space in the answer, or a negative errno. */
static int
extern_ask(const struct vhost_dev *dev, struct extern_message *message)
{
	const struct rte_vhost_user_extern_ops *ops = dev->extern_ops;

	if (ops == NULL || ops->pre_msg_handle == NULL)
		return -ENOTSUP;
	message->request = EXTERN_GET_CONFIG;
	message->flags = EXTERN_VERSION;
	message->config.size =
		dev->conf.config_size != 0 ? dev->conf.config_size : sizeof(message->config.region);
	message->size =
		offsetof(struct extern_message, room) - offsetof(struct extern_message, config);
	if (ops->pre_msg_handle(dev->vid, message) != RTE_VHOST_MSG_RESULT_REPLY ||
	    message->size == 0)
		return -EIO;
	return (int)RTE_MIN(message->config.size, (uint32_t)sizeof(message->config.region));
}

int
vhost_extern_config(struct vhost_dev *dev)
{
	struct extern_message *message = calloc(1, sizeof(*message));
	int ret;

	if (message == NULL)
		return -ENOMEM;
	ret = extern_ask(dev, message);
	if (ret > 0) {
		memcpy(dev->config, message->config.region, (size_t)ret);
		dev->conf.config_size = (uint32_t)ret;
	}
	free(message);
	if (ret <= 0)
		VHOST_LOG(ERR, dev->path,
			  "the application gives no configuration space: let its "
			  "handler answer GET_CONFIG, or call rte_vduse_vhost_configure()");
	return RTE_MIN(ret, 0);
}

/* The size of the space is fixed when the device is created: bytes beyond it are ignored. */
static int
extern_config_change(struct vhost_dev *dev)
{
	if (vhost_extern_config(dev) < 0)
		return -1;
	return rte_vduse_dev_config_set(dev->dev, 0, dev->config, dev->conf.config_size) < 0 ? -1
											     : 0;
}

int
rte_vhost_slave_config_change(int vid, bool need_reply)
{
	struct vhost_dev *dev = vhost_dev_get(vid);

	if (dev == NULL)
		return VHOST_REAL(slave_config_change, -ENOTSUP, vid, need_reply);
	return extern_config_change(dev);
}

int
rte_vhost_backend_config_change(int vid, bool need_reply)
{
	struct vhost_dev *dev = vhost_dev_get(vid);

	if (dev == NULL)
		return VHOST_REAL(backend_config_change, -ENOTSUP, vid, need_reply);
	return extern_config_change(dev);
}
