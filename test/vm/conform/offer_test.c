/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Features of a net device that are offered to a driver of this kernel. The device has all
 * features. virtio_net must not see a feature that makes it wait for a control queue that it does
 * not have: 6.10 and later stop with BUG() on DEVICE_STATS alone. For this project's module only.
 */
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/virtio_net.h>

#include "conform.h"
#include "dev.h"
#include "tap.h"

#define F(name)		(1ULL << VIRTIO_NET_F_##name)

/* Older headers lack these. */
#define F_CTRL_RX_EXTRA	(1ULL << 20)
#define F_DEVICE_STATS	(1ULL << 50)
#define F_VQ_NOTF_COAL	(1ULL << 52)
#define F_NOTF_COAL	(1ULL << 53)

#define CTRL_FEATURES	(F(CTRL_VQ) | F(CTRL_RX) | F(CTRL_VLAN) | F_CTRL_RX_EXTRA |	\
			 F(GUEST_ANNOUNCE) | F(MQ) | F(CTRL_MAC_ADDR) |			\
			 F(CTRL_GUEST_OFFLOADS) | F_DEVICE_STATS | F_VQ_NOTF_COAL |	\
			 F_NOTF_COAL | F(HASH_REPORT) | F(RSS))

/* virtio_net would put itself below the host's own card that has the same address. */
#define F_STANDBY	F(STANDBY)

#define DATA_FEATURES	(F(CSUM) | F(MAC) | F(HOST_TSO4) | F(MRG_RXBUF))

static void
set_config(struct dev_arg *arg)
{
	struct virtio_net_config config = {
		.mac = { 2 },
		.status = VIRTIO_NET_S_LINK_UP,
		.max_virtqueue_pairs = 1,
		.mtu = 1500,
	};

	memcpy(arg->config.config, &config, sizeof(config));
}

static uint64_t
features_taken(int fd, const char *name)
{
	uint64_t features = 0;

	tap(dev_attach(), "%s: attach", name);
	need(ioctl(fd, VDUSE_DEV_GET_FEATURES, &features) == 0, "driver features");
	need(dev_detach(), "vdpa dev del");
	return features;
}

static void
test_offer(uint64_t features, bool ctrl, const char *name)
{
	int control = control_open(1), fd;
	struct server server;
	struct dev_arg arg;
	uint64_t taken;

	dev_arg_init(&arg);
	arg.config.features |= features;
	arg.config.ngroups = 1;
	arg.config.nas = 1;
	set_config(&arg);
	fd = dev_make(control, &arg);
	ctrl_allow(ctrl);
	server_start(&server, fd);
	taken = features_taken(fd, name);
	tap((taken & (CTRL_FEATURES | F_STANDBY)) == 0, "%s: no control feature is taken", name);
	if (features & F(CSUM))
		tap((taken & DATA_FEATURES) == DATA_FEATURES, "%s: those of frames are", name);
	server_stop(&server);
	ctrl_allow(false);
	close(fd);
	need(dev_destroy(control, DEV_NAME) == 0, "destroy the device");
	close(control);
}

void
conform_offer(void)
{
	test_offer(~0ULL, false, "offer everything");
	test_offer(F_DEVICE_STATS, false, "offer statistics alone");
	test_offer(F_DEVICE_STATS | F(MQ), true, "offer statistics, control queues allowed");
}
