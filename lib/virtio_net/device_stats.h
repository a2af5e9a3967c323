/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Device statistics (VIRTIO after 1.3, "Device Statistics"), which a driver reads over the control queue. */
#ifndef VNET_DEVICE_STATS_H
#define VNET_DEVICE_STATS_H

#include <linux/virtio_net.h>

/* Missing from the headers of Linux before 6.10. */
#ifndef VIRTIO_NET_F_DEVICE_STATS
#define VIRTIO_NET_F_DEVICE_STATS            50
#define VIRTIO_NET_CTRL_STATS                8
#define VIRTIO_NET_CTRL_STATS_QUERY          0
#define VIRTIO_NET_CTRL_STATS_GET            1
#define VIRTIO_NET_STATS_TYPE_REPLY_CVQ      32
#define VIRTIO_NET_STATS_TYPE_REPLY_RX_BASIC 0
#define VIRTIO_NET_STATS_TYPE_REPLY_TX_BASIC 16
#endif

#define VNET_STATS_TYPE(name) (UINT64_C(1) << VIRTIO_NET_STATS_TYPE_REPLY_##name)
/* Types with counters of ours. */
#define VNET_STATS_TYPES                                                                           \
	(VNET_STATS_TYPE(CVQ) | VNET_STATS_TYPE(RX_BASIC) | VNET_STATS_TYPE(TX_BASIC))

#endif /* VNET_DEVICE_STATS_H */
