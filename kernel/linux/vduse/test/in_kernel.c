// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
/*
 * For tests: a vDPA bus driver for operations that only kernel code can do. It
 * enables a ring with invalid sizes, reads the complete state of a ring, and sets
 * callbacks together with an eventfd, as vhost_vdpa does.
 *
 * Input: trigger_fd, the number of an eventfd in the process that adds the device.
 * Output: the other parameters of the module.
 */
#include <linux/eventfd.h>
#include <linux/module.h>
#include <linux/string.h>
#include <linux/vdpa.h>
#include <linux/virtio_config.h>

static int trigger_fd = -1;
module_param(trigger_fd, int, 0644);
MODULE_PARM_DESC(trigger_fd, "The eventfd that comes with the callbacks");

static unsigned int callbacks;
module_param(callbacks, uint, 0444);
MODULE_PARM_DESC(callbacks, "Interrupts of virtqueue 0");

static unsigned int config_callbacks;
module_param(config_callbacks, uint, 0444);
MODULE_PARM_DESC(config_callbacks, "Interrupts of the configuration space");

static unsigned int sizes_taken;
module_param(sizes_taken, uint, 0444);
MODULE_PARM_DESC(sizes_taken, "Invalid sizes of virtqueue 0 that became ready");

static unsigned int state_left;
module_param(state_left, uint, 0444);
MODULE_PARM_DESC(state_left, "Bytes of virtqueue 0's state that were not set");

static struct eventfd_ctx *trigger;

static irqreturn_t count_call(void *counter)
{
	WRITE_ONCE(*(unsigned int *)counter, READ_ONCE(*(unsigned int *)counter) + 1);
	return IRQ_HANDLED;
}

/* A split ring of at most 256 entries. */
static void try_sizes(struct vdpa_device *vdpa)
{
	static const u32 sizes[] = { 0, 3, 96, 257, 512, 65536, 0x80000000 };
	const struct vdpa_config_ops *ops = vdpa->config;
	unsigned int i;

	sizes_taken = 0;
	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		ops->set_vq_num(vdpa, 0, sizes[i]);
		ops->set_vq_ready(vdpa, 0, true);
		sizes_taken += ops->get_vq_ready(vdpa, 0);
		ops->set_vq_ready(vdpa, 0, false);
	}
}

static void look_at_state(struct vdpa_device *vdpa)
{
	const u8 left = 0xa5;
	struct vdpa_vq_state state;
	const u8 *byte = (const u8 *)&state;
	unsigned int i;

	memset(&state, left, sizeof(state));
	state_left = vdpa->config->get_vq_state(vdpa, 0, &state) ? sizeof(state) : 0;
	for (i = 0; i < sizeof(state); i++)
		state_left += byte[i] == left;
}

static void start(struct vdpa_device *vdpa)
{
	const struct vdpa_config_ops *ops = vdpa->config;
	struct vdpa_callback call = { count_call, &callbacks, trigger };
	struct vdpa_callback config = { count_call, &config_callbacks, trigger };

	callbacks = 0;
	config_callbacks = 0;
	ops->set_vq_cb(vdpa, 0, &call);
	ops->set_config_cb(vdpa, &config);
	ops->set_vq_num(vdpa, 0, 256);
	ops->set_vq_ready(vdpa, 0, true);
	ops->set_status(vdpa, VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER |
			VIRTIO_CONFIG_S_FEATURES_OK | VIRTIO_CONFIG_S_DRIVER_OK);
}

static int in_kernel_probe(struct vdpa_device *vdpa)
{
	trigger = eventfd_ctx_fdget(trigger_fd);
	if (IS_ERR(trigger))
		return PTR_ERR(trigger);
	try_sizes(vdpa);
	look_at_state(vdpa);
	start(vdpa);
	return 0;
}

static void in_kernel_remove(struct vdpa_device *vdpa)
{
	vdpa_reset(vdpa, 0);
	eventfd_ctx_put(trigger);
}

static struct vdpa_driver in_kernel_driver = {
	.driver = { .name = "in_kernel" },
	.probe = in_kernel_probe,
	.remove = in_kernel_remove,
};
module_vdpa_driver(in_kernel_driver);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The dpdk-vduse authors");
MODULE_DESCRIPTION("Test of VDUSE: what only code in the kernel sees");
