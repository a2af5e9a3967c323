// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
/*
 * For tests: a vDPA bus driver that makes two requests at the same time, which
 * the kernel's own drivers never do. When a device appears, it requests the state
 * of virtqueues 0 and 1, each on a kworker.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/vdpa.h>
#include <linux/workqueue.h>

struct request {
	struct work_struct work;
	struct vdpa_device *vdpa;
	u16 index;
};

struct requests {
	struct request request[2];
};

static void ask(struct work_struct *work)
{
	struct request *request = container_of(work, struct request, work);
	struct vdpa_vq_state state;

	request->vdpa->config->get_vq_state(request->vdpa, request->index, &state);
}

static int two_probe(struct vdpa_device *vdpa)
{
	struct requests *requests = kzalloc(sizeof(*requests), GFP_KERNEL);
	struct request *request;
	u16 i;

	if (!requests)
		return -ENOMEM;
	vdpa_set_drvdata(vdpa, requests);
	for (i = 0; i < ARRAY_SIZE(requests->request); i++) {
		request = &requests->request[i];
		request->vdpa = vdpa;
		request->index = i;
		INIT_WORK(&request->work, ask);
		queue_work(system_unbound_wq, &request->work);
	}
	return 0;
}

static void two_remove(struct vdpa_device *vdpa)
{
	struct requests *requests = vdpa_get_drvdata(vdpa);
	u16 i;

	for (i = 0; i < ARRAY_SIZE(requests->request); i++)
		flush_work(&requests->request[i].work);
	kfree(requests);
}

static struct vdpa_driver two_driver = {
	.driver = { .name = "two_messages" },
	.probe = two_probe,
	.remove = two_remove,
};
module_vdpa_driver(two_driver);

MODULE_LICENSE("GPL");
MODULE_AUTHOR("The dpdk-vduse authors");
MODULE_DESCRIPTION("Test of VDUSE: two requests at the same time");
