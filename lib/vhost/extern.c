/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Message handlers of the application. Of vhost-user's messages VDUSE has one to offer: the
 * question for the configuration space. On the application's threads.
 */
#include <errno.h>

#include "vhost.h"

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

static int
extern_config_change(struct vhost_dev *dev)
{
	RTE_SET_USED(dev);
	return -ENOTSUP;
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
