/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * See kernel_side.h. Input: the driver's rings and memory. Output: messages that describe them to
 * the device. Thread: main.
 */
#include <errno.h>

#include <linux/virtio_config.h>

#include <rte_cycles.h>
#include <rte_vduse_compat.h>

#include "kernel_side.h"
#include "perf_log.h"

#define KERNEL_PATIENCE_MS 5000

#define KERNEL_STATUS_FEATURES                                                                     \
	(VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER | VIRTIO_CONFIG_S_FEATURES_OK)

static int
kernel_status(struct vduse_loopback *loop, uint8_t status)
{
	struct vduse_dev_request req = { .type = VDUSE_SET_STATUS, .s.status = status };
	struct vduse_dev_response resp;
	int ret;

	ret = vduse_loopback_ask(loop, &req, &resp, KERNEL_PATIENCE_MS);
	if (ret == 0 && resp.result != VDUSE_REQ_RESULT_OK)
		ret = -EPROTO;
	if (ret < 0)
		PERF_LOG("the device refused status 0x%x", status);
	return ret;
}

void
perf_kernel_vq(struct vduse_loopback *loop, uint16_t index, const struct perf_ring *ring)
{
	struct vduse_vq_info info = { .index = index, .num = ring->size, .ready = 1 };

	ring->ops->locate(ring, &info);
	vduse_loopback_set_vq(loop, index, &info);
}

static int
kernel_wait(struct rte_vduse_dev *dev, uint16_t nb_vqs)
{
	unsigned int ms;
	uint16_t i;

	for (i = 0, ms = 0; i < nb_vqs; ms++) {
		struct rte_vduse_vq_stats vq;

		rte_vduse_vq_stats(rte_vduse_dev_vq(dev, i), &vq, sizeof(vq));
		if (vq.state == RTE_VDUSE_VQ_RUNNING) {
			i++;
			continue;
		}
		if (ms == KERNEL_PATIENCE_MS) {
			PERF_LOG("virtqueue %u does not start", i);
			return -ETIMEDOUT;
		}
		rte_delay_us_sleep(1000);
	}
	return 0;
}

int
perf_kernel_up(struct vduse_loopback *loop, const struct perf_memory *memory, uint64_t features,
	       struct rte_vduse_dev *dev, uint16_t nb_vqs)
{
	int ret;

	ret = vduse_loopback_region_add(loop, PERF_DRIVER_IOVA, PERF_DRIVER_IOVA + memory->size - 1,
					0, VDUSE_ACCESS_RW, memory->fd);
	if (ret < 0)
		return ret;
	vduse_loopback_set_features(loop, features);
	ret = kernel_status(loop, 0);
	if (ret == 0)
		ret = kernel_status(loop, KERNEL_STATUS_FEATURES);
	if (ret == 0)
		ret = kernel_status(loop, KERNEL_STATUS_FEATURES | VIRTIO_CONFIG_S_DRIVER_OK);
	return ret < 0 ? ret : kernel_wait(dev, nb_vqs);
}

void
perf_kernel_down(struct vduse_loopback *loop)
{
	(void)kernel_status(loop, 0);
}
