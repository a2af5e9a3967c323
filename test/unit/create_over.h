/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Devices over a transport that the test chooses.
 * Input: a conf, which stays as it is, and a transport. Output: what the library returns.
 * Thread: the test's.
 */
#ifndef CREATE_OVER_H
#define CREATE_OVER_H

#include <rte_vduse_blk.h>
#include <rte_vduse_net.h>

static inline int
create_dev_over(const struct rte_vduse_dev_conf *conf, const struct vduse_transport_ops *transport,
		void *priv, struct rte_vduse_dev **dev)
{
	struct rte_vduse_dev_conf over = *conf;

	over.transport = transport;
	over.transport_priv = priv;
	return rte_vduse_dev_create(&over, dev);
}

static inline int
create_net_over(const struct rte_vduse_net_conf *conf, const struct vduse_transport_ops *transport,
		void *priv, struct rte_vduse_net **net)
{
	struct rte_vduse_net_conf over = *conf;

	over.transport = transport;
	over.transport_priv = priv;
	return rte_vduse_net_create(&over, net);
}

static inline int
create_blk_over(const struct rte_vduse_blk_conf *conf, const struct vduse_transport_ops *transport,
		void *priv, struct rte_vduse_blk **blk)
{
	struct rte_vduse_blk_conf over = *conf;

	over.transport = transport;
	over.transport_priv = priv;
	return rte_vduse_blk_create(&over, blk);
}

#endif /* CREATE_OVER_H */
