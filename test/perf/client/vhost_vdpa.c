/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The driver side of /dev/vhost-vdpa-N. Any error ends the client.
 * Input: memory and rings. Output: system calls that describe them to the device.
 * Thread: the only thread of the client.
 */
#include <err.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <linux/vhost.h>
#include <linux/virtio_config.h>

#include "conn.h"

#define STATUS_FOUND   (VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER)
#define STATUS_AGREED  (STATUS_FOUND | VIRTIO_CONFIG_S_FEATURES_OK)
#define STATUS_WORKING (STATUS_AGREED | VIRTIO_CONFIG_S_DRIVER_OK)
#define FEATURE(nr)    (UINT64_C(1) << (nr))
#define NEEDED         (FEATURE(VIRTIO_F_VERSION_1) | FEATURE(VIRTIO_F_ACCESS_PLATFORM))

static void
vdpa_do(struct client_conn *conn, unsigned long request, const char *name, void *argument)
{
	if (ioctl(conn->fd, request, argument) < 0)
		err(EXIT_FAILURE, "%s", name);
}

static void
vdpa_status(struct client_conn *conn, uint8_t status)
{
	vdpa_do(conn, VHOST_VDPA_SET_STATUS, "status", &status);
}

/* Memory appears to the device where the driver has it, until the device file is closed. */
static void
vdpa_memory(struct client_conn *conn, const struct client_memory *memory)
{
	struct vhost_msg_v2 msg = {
		.type = VHOST_IOTLB_MSG_V2,
		.iotlb = {
			.iova = (uintptr_t)memory->va,
			.size = memory->size,
			.uaddr = (uintptr_t)memory->va,
			.perm = VHOST_ACCESS_RW,
			.type = VHOST_IOTLB_UPDATE,
		},
	};

	if (write(conn->fd, &msg, sizeof(msg)) != (ssize_t)sizeof(msg))
		err(EXIT_FAILURE, "memory of the device");
}

static void
vdpa_connect(struct client_conn *conn, const char *path, uint64_t wanted)
{
	uint64_t features, backend = FEATURE(VHOST_BACKEND_F_IOTLB_MSG_V2);

	conn->fd = open(path, O_RDWR | O_CLOEXEC);
	if (conn->fd < 0)
		err(EXIT_FAILURE, "%s", path);
	vdpa_do(conn, VHOST_SET_OWNER, "owner", NULL);
	vdpa_do(conn, VHOST_SET_BACKEND_FEATURES, "backend features", &backend);
	vdpa_status(conn, 0);
	vdpa_status(conn, STATUS_FOUND);
	vdpa_do(conn, VHOST_GET_FEATURES, "features", &features);
	if ((features & NEEDED) != NEEDED)
		errx(EXIT_FAILURE, "%s: features %#llx lack version 1 or access platform", path,
		     (unsigned long long)features);
	conn->features = features & (wanted | NEEDED);
	vdpa_do(conn, VHOST_SET_FEATURES, "features", &conn->features);
	vdpa_status(conn, STATUS_AGREED);
}

static void
vdpa_config_read(struct client_conn *conn, void *config, uint32_t len)
{
	struct vhost_vdpa_config *ask = calloc(1, sizeof(*ask) + len);

	if (ask == NULL)
		err(EXIT_FAILURE, "memory");
	ask->len = len;
	vdpa_do(conn, VHOST_VDPA_GET_CONFIG, "configuration space", ask);
	memcpy(config, ask->buf, len);
	free(ask);
}

static void
vdpa_start(struct client_conn *conn, const struct client_memory *memory,
	   const struct client_rings *rings)
{
	struct vhost_vring_state num = { .num = rings->size };
	struct vhost_vring_state base = { .num = 0 };
	struct vhost_vring_state enable = { .num = 1 };
	struct vhost_vring_file kick = { .fd = conn->kick };
	struct vhost_vring_addr addr = {
		.desc_user_addr = (uintptr_t)rings->desc,
		.used_user_addr = (uintptr_t)rings->device,
		.avail_user_addr = (uintptr_t)rings->driver,
	};

	vdpa_memory(conn, memory);
	vdpa_do(conn, VHOST_SET_VRING_NUM, "ring size", &num);
	vdpa_do(conn, VHOST_SET_VRING_ADDR, "ring addresses", &addr);
	vdpa_do(conn, VHOST_SET_VRING_BASE, "ring index", &base);
	vdpa_do(conn, VHOST_SET_VRING_KICK, "kick", &kick);
	vdpa_do(conn, VHOST_VDPA_SET_VRING_ENABLE, "ring", &enable);
	vdpa_status(conn, STATUS_WORKING);
}

static void
vdpa_stop(struct client_conn *conn)
{
	vdpa_status(conn, 0);
}

const struct client_transport client_vhost_vdpa = {
	.connect = vdpa_connect,
	.config_read = vdpa_config_read,
	.start = vdpa_start,
	.stop = vdpa_stop,
};
