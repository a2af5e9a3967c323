/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Ports in secondary processes: link status, information and statistics, read only. Packets move in
 * the primary process alone. dev_private belongs to the primary process, which may free it any time;
 * a secondary process has a copy of the device arguments in process_private.
 * Input: a port of the primary process. Output: an Ethernet port of the same number.
 * Thread: the one that probes or removes devices; statistics on any.
 */
#include <errno.h>
#include <stdlib.h>

#include <ethdev_driver.h>
#include <ethdev_vdev.h>

#include "mp.h"
#include "pmd_log.h"
#include "port.h"
#include "secondary.h"
#include "xstats.h"

/* The primary process keeps the link status in shared memory up to date. -1: it has not changed. */
static int
secondary_link_update(struct rte_eth_dev *dev, int wait)
{
	RTE_SET_USED(dev);
	RTE_SET_USED(wait);
	return -1;
}

static int
secondary_infos_get(struct rte_eth_dev *dev, struct rte_eth_dev_info *info)
{
	/* The primary process has closed the port: ethdev would go on with a device that is gone. */
	if (dev->data->name[0] == '\0')
		return -ENODEV;
	return vduse_port_infos_get(dev, info);
}

/* The port of the primary process stays. */
static int
secondary_close(struct rte_eth_dev *dev)
{
	free(dev->process_private);
	dev->process_private = NULL;
	return 0;
}

static const struct eth_dev_ops secondary_ops = {
	.dev_close = secondary_close,
	.dev_infos_get = secondary_infos_get,
	.link_update = secondary_link_update,
	.stats_get = VDUSE_STATS_GET,
	.xstats_get = vduse_xstats_get,
	.xstats_get_by_id = vduse_xstats_get_by_id,
	.xstats_get_names = vduse_xstats_get_names,
};

int
vduse_secondary_probe(struct rte_vdev_device *vdev)
{
	const char *name = rte_vdev_device_name(vdev);
	struct vduse_port *port;
	struct rte_eth_dev *dev;
	int ret;

	dev = rte_eth_dev_attach_secondary(name);
	if (dev == NULL) {
		VDUSE_PMD_LOG(ERR, name,
			      "the primary process has no such port: create it there, a secondary "
			      "process can only attach it");
		return -ENODEV;
	}
	port = calloc(1, sizeof(*port));
	if (port == NULL) {
		VDUSE_PMD_LOG(ERR, name, "no memory for a port");
		ret = -ENOMEM;
		goto release;
	}
	ret = vduse_mp_read(dev, VDUSE_MP_ARGS, 0, &port->args, sizeof(port->args));
	if (ret < 0)
		goto release;
	dev->process_private = port;
	dev->device = &vdev->device;
	dev->dev_ops = &secondary_ops;
	dev->rx_pkt_burst = rte_eth_pkt_burst_dummy;
	dev->tx_pkt_burst = rte_eth_pkt_burst_dummy;
	rte_eth_dev_probing_finish(dev);
	return 0;

release:
	free(port);
	rte_eth_dev_release_port(dev);
	return ret;
}

int
vduse_secondary_remove(struct rte_vdev_device *vdev)
{
	struct rte_eth_dev *dev = rte_eth_dev_allocated(rte_vdev_device_name(vdev));

	/* One of the two processes may have closed the port before. */
	if (dev == NULL)
		return 0;
	secondary_close(dev);
	return rte_eth_dev_release_port(dev);
}
