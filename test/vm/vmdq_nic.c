/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * DPDK's examples/vhost insists on a network card that sorts packets into pools (VMDq), which
 * no virtual machine has. Preloaded, this makes any port pass for one with a single queue: the
 * packets that the test is about go from one vhost device to another, not to the card.
 */
#include <dlfcn.h>

#include <rte_common.h>
#include <rte_ethdev.h>

static __typeof__(&rte_eth_dev_info_get) real_info_get;
static __typeof__(&rte_eth_dev_configure) real_configure;
static __typeof__(&rte_eth_rx_queue_setup) real_rx_queue_setup;
static __typeof__(&rte_eth_tx_queue_setup) real_tx_queue_setup;

/* POSIX lets a pointer from dlsym() be a function's. */
#define FIND(to, name) *(void **)(void *)&real_##to = dlsym(RTLD_NEXT, name)

RTE_INIT(vmdq_nic_find)
{
	FIND(info_get, "rte_eth_dev_info_get");
	FIND(configure, "rte_eth_dev_configure");
	FIND(rx_queue_setup, "rte_eth_rx_queue_setup");
	FIND(tx_queue_setup, "rte_eth_tx_queue_setup");
}

int
rte_eth_dev_info_get(uint16_t port_id, struct rte_eth_dev_info *info)
{
	int ret = real_info_get(port_id, info);

	info->max_vmdq_pools = 8;
	info->vmdq_queue_num = 0;
	info->max_rx_queues = 1;
	return ret;
}

/* Whatever is asked of the card. */
int
rte_eth_dev_configure(uint16_t port_id, uint16_t nb_rx_queue, uint16_t nb_tx_queue,
		      const struct rte_eth_conf *conf)
{
	struct rte_eth_conf plain = { 0 };

	RTE_SET_USED(conf);
	return real_configure(port_id, nb_rx_queue, nb_tx_queue, &plain);
}

int
rte_eth_rx_queue_setup(uint16_t port_id, uint16_t queue, uint16_t nb_desc, unsigned int socket,
		       const struct rte_eth_rxconf *conf, struct rte_mempool *pool)
{
	RTE_SET_USED(conf);
	return real_rx_queue_setup(port_id, queue, nb_desc, socket, NULL, pool);
}

int
rte_eth_tx_queue_setup(uint16_t port_id, uint16_t queue, uint16_t nb_desc, unsigned int socket,
		       const struct rte_eth_txconf *conf)
{
	RTE_SET_USED(conf);
	return real_tx_queue_setup(port_id, queue, nb_desc, socket, NULL);
}
