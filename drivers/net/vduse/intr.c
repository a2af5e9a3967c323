/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Receive interrupts of a port: an application that has nothing to poll sleeps until the driver
 * sends. Each Rx queue has an eventfd, which stays the same whatever drivers come and go, so that
 * it stays in the epoll sets of the application. Only EAL reads it: EAL retries a read that finds
 * nothing without end.
 * Input: intr_conf.rxq. Output: dev->intr_handle; notifications of the driver.
 * Thread: see intr.h.
 */
#include <errno.h>
#include <sys/eventfd.h>

#include <ethdev_driver.h>
#include <rte_errno.h>
#include <rte_interrupts.h>

#include <rte_vduse_net.h>

#include "intr.h"
#include "pmd_log.h"
#include "port.h"

/* Virtqueue 2i + 1 is the one that the driver of pair i transmits on. */
static uint16_t
intr_vq(uint16_t id)
{
	return (uint16_t)(2 * id + 1);
}

static int
intr_fd(const struct vduse_port *port, uint16_t id)
{
	return rte_vduse_vq_wake_fd(rte_vduse_dev_vq(rte_vduse_net_dev(port->net), intr_vq(id)));
}

/* Returns 0 or a negative errno. */
static int
intr_fill(const struct rte_eth_dev *dev, struct rte_intr_handle *handle)
{
	const struct vduse_port *port = dev->data->dev_private;
	uint16_t i, nb = dev->data->nb_rx_queues;

	if (rte_intr_vec_list_alloc(handle, "vduse_intr", nb) != 0)
		return -ENOMEM;
	for (i = 0; i < nb; i++) {
		int fd = intr_fd(port, i);

		if (fd < 0)
			return fd;
		if (rte_intr_efds_index_set(handle, i, fd) != 0 ||
		    rte_intr_vec_list_index_set(handle, i, RTE_INTR_VEC_RXTX_OFFSET + i) != 0)
			return -ENOSPC;
	}
	if (rte_intr_type_set(handle, RTE_INTR_HANDLE_VDEV) != 0 ||
	    rte_intr_nb_efd_set(handle, nb) != 0 || rte_intr_max_intr_set(handle, nb + 1) != 0 ||
	    rte_intr_efd_counter_size_set(handle, sizeof(eventfd_t)) != 0)
		return -ENOSPC;
	return 0;
}

int
vduse_intr_configure(struct rte_eth_dev *dev)
{
	struct rte_intr_handle *handle;
	int ret = -ENOMEM;

	vduse_intr_free(dev);
	if (!dev->data->dev_conf.intr_conf.rxq)
		return 0;
	handle = rte_intr_instance_alloc(RTE_INTR_INSTANCE_F_PRIVATE);
	if (handle != NULL)
		ret = intr_fill(dev, handle);
	if (ret == 0) {
		dev->intr_handle = handle;
		return 0;
	}
	VDUSE_PMD_LOG(ERR, dev->device->name,
		      "no receive interrupts for %u queues: %s: configure fewer, or none",
		      dev->data->nb_rx_queues, rte_strerror(-ret));
	rte_intr_vec_list_free(handle);
	rte_intr_instance_free(handle);
	return ret;
}

void
vduse_intr_free(struct rte_eth_dev *dev)
{
	struct rte_intr_handle *handle = dev->intr_handle;

	if (handle == NULL)
		return;
	dev->intr_handle = NULL;
	/* Takes the eventfds out of the application's epoll sets; the library closes them. */
	rte_intr_free_epoll_fd(handle);
	rte_intr_vec_list_free(handle);
	rte_intr_instance_free(handle);
}

int
vduse_intr_enable(struct rte_eth_dev *dev, uint16_t id)
{
	const struct vduse_port *port = dev->data->dev_private;
	int ret;

	if (dev->intr_handle == NULL)
		return -ENOTSUP;
	ret = rte_vduse_net_notify(port->net, intr_vq(id), true);
	/* Without a driver: the start of its virtqueue signals the eventfd. */
	if (ret == -EAGAIN)
		return 0;
	if (ret < 0 && ret != -ENOTSUP)
		return ret;
	/*
	 * The driver does not notify of packets that it sent before, or never (-ENOTSUP): the
	 * application is to poll on instead of sleeping. With an error, one that ignores it would
	 * sleep for ever, and another would end.
	 */
	if (ret == -ENOTSUP || rte_vduse_net_rx_count(port->net, id) > 0)
		(void)eventfd_write(rte_intr_efds_index_get(dev->intr_handle, id), 1);
	return 0;
}

int
vduse_intr_disable(struct rte_eth_dev *dev, uint16_t id)
{
	const struct vduse_port *port = dev->data->dev_private;
	int ret;

	if (dev->intr_handle == NULL)
		return -ENOTSUP;
	ret = rte_vduse_net_notify(port->net, intr_vq(id), false);
	/* They are disabled when a virtqueue starts. */
	return ret == -EAGAIN ? 0 : ret;
}
