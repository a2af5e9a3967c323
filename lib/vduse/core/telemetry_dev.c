/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The endpoints /vduse/list, /vduse/info, /vduse/vq and /vduse/iotlb. What belongs to the control
 * thread is copied there, a page at a time, and becomes text here. An answer has room for 16 KiB: what
 * does not fit into a page is left out, and the answer says how much.
 * Input: queries. Output: dictionaries. Thread: of telemetry; dev_read_*: control.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>

#include <linux/virtio_ids.h>

#include <rte_vduse_compat.h>

#include <vduse/core/ctrl_thread.h>
#include <vduse/core/device.h>
#include <vduse/telemetry.h>

/* So that the longest answers fit: names of 63 characters, virtqueues and regions of large numbers.
 * Each page is also below the entries of an array and a dictionary. */
#define DEV_NAMES   128u
#define DEV_VQS     128u
#define DEV_REGIONS 128u

struct dev_vq {
	uint32_t state;
	bool ready;
	uint32_t size;
	uint32_t started_at;
	uint64_t misses;
	uint64_t faults;
};

struct dev_region {
	uint64_t first;
	uint64_t last;
	bool readable;
	bool writable;
	bool huge;
};

/* What the control thread is to copy, and the copy. One query at a time is answered: telemetry.c. */
static struct {
	uint32_t asid;
	uint32_t from;
	uint32_t nb;    /* copied */
	uint32_t total; /* there are */
	union {
		struct dev_vq vqs[DEV_VQS];
		struct dev_region regions[DEV_REGIONS];
	};
} page;

static int
dev_list(const char *cmd, const char *params, struct rte_tel_data *data)
{
	struct rte_tel_data *names;
	unsigned int nb, shown;
	uint32_t from = 0;

	RTE_SET_USED(cmd);
	if (params != NULL) {
		params = vduse_telemetry_number(params, &from);
		if (params == NULL || *params != '\0')
			return -EINVAL;
	}
	rte_tel_data_start_dict(data);
	names = vduse_telemetry_list(data, "names", RTE_TEL_STRING_VAL);
	if (names == NULL)
		return -ENOMEM;
	nb = vduse_telemetry_names(names, from, DEV_NAMES);
	shown = RTE_MIN(DEV_NAMES, nb - RTE_MIN(from, nb));
	vduse_tel_dict_uint(data, "devices", nb);
	vduse_tel_dict_uint(data, "left_out", nb - shown);
	return 0;
}

static const char *
dev_transport_name(const struct rte_vduse_dev *dev)
{
	if (dev->transport == &vduse_transport_kernel)
		return "vduse";
	return dev->transport == &vduse_transport_vhost_user ? "vhost-user" : "other";
}

static const char *
dev_type_name(const struct rte_vduse_dev *dev)
{
	if (dev->device_id == VIRTIO_ID_NET)
		return "net";
	return dev->device_id == VIRTIO_ID_BLOCK ? "block" : "other";
}

static void
dev_answer_stats(const struct rte_vduse_dev *dev, struct rte_tel_data *data)
{
	struct rte_vduse_dev_stats stats;

	rte_vduse_dev_stats(dev, &stats, sizeof(stats));
	vduse_tel_dict_uint(data, "broken", stats.broken);
	vduse_tel_dict_uint(data, "messages", stats.messages);
	vduse_tel_dict_uint(data, "resets", stats.resets);
	vduse_tel_dict_uint(data, "iotlb_updates", stats.iotlb_updates);
	vduse_tel_dict_uint(data, "regions", stats.regions);
}

static int
dev_answer_info(const struct vduse_telemetry_query *query)
{
	const struct rte_vduse_dev *dev = query->dev;
	struct rte_tel_data *data = query->data;
	char file[PATH_MAX];

	rte_tel_data_start_dict(data);
	rte_tel_data_add_dict_string(data, "name", dev->name);
	rte_tel_data_add_dict_string(data, "path", dev->path);
	rte_tel_data_add_dict_string(data, "type", dev_type_name(dev));
	vduse_tel_dict_uint(data, "device_id", dev->device_id);
	rte_tel_data_add_dict_string(data, "transport", dev_transport_name(dev));
	vduse_tel_dict_uint(data, "api_version", dev->api_version);
	vduse_telemetry_hex(data, "status", rte_vduse_dev_status(dev));
	vduse_telemetry_hex(data, "offered", dev->offered);
	vduse_telemetry_hex(data, "features", rte_vduse_dev_features(dev));
	vduse_tel_dict_uint(data, "virtqueues", dev->nb_vqs);
	vduse_tel_dict_uint(data, "address_spaces", dev->nb_spaces);
	vduse_tel_dict_uint(data, "taken_over", dev->taken_over);
	vduse_tel_dict_uint(data, "suspended",
			    rte_atomic_load_explicit(&dev->suspended, rte_memory_order_relaxed));
	dev_answer_stats(dev, data);
	/* Cut if it is longer than a string of telemetry. */
	(void)rte_tel_data_add_dict_string(data, "state_file",
					   vduse_state_file(dev, file, sizeof(file)) ? file : "");
	return 0;
}

static int
dev_info(const char *cmd, const char *params, struct rte_tel_data *data)
{
	RTE_SET_USED(cmd);
	return vduse_telemetry_answer(params, NULL, 0, data, dev_answer_info);
}

static int
dev_read_vqs(struct rte_vduse_dev *dev)
{
	uint32_t i;

	for (i = 0; i < page.nb; i++) {
		const struct rte_vduse_vq *vq = &dev->vqs[page.from + i];

		page.vqs[i] = (struct dev_vq){
			.state = rte_atomic_load_explicit(&vq->state, rte_memory_order_relaxed),
			.ready = vq->started,
			.size = vq->started ? vq->info.size : 0,
			.started_at = vq->started ? vq->info.position : 0,
			.misses = rte_atomic_load_explicit(&vq->misses, rte_memory_order_relaxed),
			.faults = rte_atomic_load_explicit(&vq->faults, rte_memory_order_relaxed),
		};
	}
	return 0;
}

static const char *
dev_state_name(uint32_t state)
{
	static const char *const names[] = {
		[RTE_VDUSE_VQ_IDLE] = "idle",       [RTE_VDUSE_VQ_RUNNING] = "running",
		[RTE_VDUSE_VQ_WAITING] = "waiting", [RTE_VDUSE_VQ_SUSPENDED] = "suspended",
		[RTE_VDUSE_VQ_ERROR] = "error",
	};

	return state < RTE_DIM(names) ? names[state] : "?";
}

static int
dev_answer_vq(struct rte_tel_data *data, const struct dev_vq *vq)
{
	rte_tel_data_start_dict(data);
	rte_tel_data_add_dict_string(data, "state", dev_state_name(vq->state));
	vduse_tel_dict_uint(data, "ready", vq->ready);
	vduse_tel_dict_uint(data, "size", vq->size);
	vduse_telemetry_hex(data, "started_at", vq->started_at);
	vduse_tel_dict_uint(data, "misses", vq->misses);
	vduse_tel_dict_uint(data, "faults", vq->faults);
	return 0;
}

/* A list for each value. */
static int
dev_answer_vq_lists(struct rte_tel_data *data, uint16_t total)
{
	struct rte_tel_data *state, *ready, *size, *started_at, *misses, *faults;
	uint32_t i;

	rte_tel_data_start_dict(data);
	vduse_tel_dict_uint(data, "virtqueues", total);
	vduse_tel_dict_uint(data, "left_out", total - page.nb);
	state = vduse_telemetry_list(data, "state", RTE_TEL_STRING_VAL);
	ready = vduse_telemetry_list(data, "ready", VDUSE_TEL_UINT);
	size = vduse_telemetry_list(data, "size", VDUSE_TEL_UINT);
	started_at = vduse_telemetry_list(data, "started_at", RTE_TEL_STRING_VAL);
	misses = vduse_telemetry_list(data, "misses", VDUSE_TEL_UINT);
	faults = vduse_telemetry_list(data, "faults", VDUSE_TEL_UINT);
	if (state == NULL || ready == NULL || size == NULL || started_at == NULL ||
	    misses == NULL || faults == NULL)
		return -ENOMEM;
	for (i = 0; i < page.nb; i++) {
		const struct dev_vq *vq = &page.vqs[i];

		rte_tel_data_add_array_string(state, dev_state_name(vq->state));
		vduse_tel_array_uint(ready, vq->ready);
		vduse_tel_array_uint(size, vq->size);
		vduse_telemetry_hex(started_at, NULL, vq->started_at);
		vduse_tel_array_uint(misses, vq->misses);
		vduse_tel_array_uint(faults, vq->faults);
	}
	return 0;
}

static int
dev_answer_vqs(const struct vduse_telemetry_query *query)
{
	int ret;

	page.from = query->nb > 0 ? query->numbers[0] : 0;
	if (page.from >= query->dev->nb_vqs)
		return -EINVAL;
	page.nb = query->nb > 0 ? 1 : RTE_MIN(DEV_VQS, query->dev->nb_vqs);
	ret = vduse_ctrl_run(dev_read_vqs, query->dev);
	if (ret < 0)
		return ret;
	return query->nb > 0 ? dev_answer_vq(query->data, &page.vqs[0])
			     : dev_answer_vq_lists(query->data, query->dev->nb_vqs);
}

static int
dev_vq(const char *cmd, const char *params, struct rte_tel_data *data)
{
	RTE_SET_USED(cmd);
	return vduse_telemetry_answer(params, NULL, 1, data, dev_answer_vqs);
}

static int
dev_read_regions(struct rte_vduse_dev *dev)
{
	const struct vduse_iotlb *table = dev->iotlb[page.asid];
	uint32_t i;

	page.total = table != NULL ? table->nb : 0;
	page.nb = RTE_MIN(DEV_REGIONS, page.total - RTE_MIN(page.from, page.total));
	for (i = 0; i < page.nb; i++) {
		const struct rte_vduse_region *region = &table->regions[page.from + i];
		const struct vduse_mapping *mapping = table->mappings[page.from + i];

		page.regions[i] = (struct dev_region){
			.first = region->first,
			.last = region->last,
			.readable = region->readable,
			.writable = region->writable,
			.huge = mapping->huge || (mapping->ours && dev->umem.huge),
		};
	}
	return 0;
}

/* A list for each value. */
static int
dev_answer_regions(struct rte_tel_data *data)
{
	struct rte_tel_data *first, *last, *perm, *size, *huge;
	uint32_t i;

	first = vduse_telemetry_list(data, "first", RTE_TEL_STRING_VAL);
	last = vduse_telemetry_list(data, "last", RTE_TEL_STRING_VAL);
	perm = vduse_telemetry_list(data, "perm", RTE_TEL_STRING_VAL);
	size = vduse_telemetry_list(data, "size", VDUSE_TEL_UINT);
	huge = vduse_telemetry_list(data, "huge", VDUSE_TEL_UINT);
	if (first == NULL || last == NULL || perm == NULL || size == NULL || huge == NULL)
		return -ENOMEM;
	for (i = 0; i < page.nb; i++) {
		const struct dev_region *region = &page.regions[i];
		const char text[] = { region->readable ? 'r' : '-', region->writable ? 'w' : '-',
				      '\0' };

		vduse_telemetry_hex(first, NULL, region->first);
		vduse_telemetry_hex(last, NULL, region->last);
		rte_tel_data_add_array_string(perm, text);
		vduse_tel_array_uint(size, region->last - region->first + 1);
		vduse_tel_array_uint(huge, region->huge);
	}
	return 0;
}

static int
dev_answer_iotlb(const struct vduse_telemetry_query *query)
{
	int ret;

	page.asid = query->nb > 0 ? query->numbers[0] : 0;
	page.from = query->nb > 1 ? query->numbers[1] : 0;
	if (page.asid >= query->dev->nb_spaces)
		return -EINVAL;
	ret = vduse_ctrl_run(dev_read_regions, query->dev);
	if (ret < 0)
		return ret;
	rte_tel_data_start_dict(query->data);
	vduse_tel_dict_uint(query->data, "address_spaces", query->dev->nb_spaces);
	vduse_tel_dict_uint(query->data, "address_space", page.asid);
	vduse_tel_dict_uint(query->data, "regions", page.total);
	vduse_tel_dict_uint(query->data, "from", page.from);
	vduse_tel_dict_uint(query->data, "left_out", page.total - page.nb);
	return dev_answer_regions(query->data);
}

static int
dev_iotlb(const char *cmd, const char *params, struct rte_tel_data *data)
{
	RTE_SET_USED(cmd);
	return vduse_telemetry_answer(params, NULL, 2, data, dev_answer_iotlb);
}

RTE_INIT(dev_telemetry_init)
{
	rte_telemetry_register_cmd("/vduse/list", dev_list,
				   "Names of the devices. Parameters: [FROM]");
	rte_telemetry_register_cmd("/vduse/info", dev_info, "A device. Parameters: NAME");
	rte_telemetry_register_cmd("/vduse/vq", dev_vq,
				   "Virtqueues of a device. Parameters: NAME[,INDEX]");
	rte_telemetry_register_cmd(
		"/vduse/iotlb", dev_iotlb,
		"Memory regions of a device. Parameters: NAME[,ADDRESS_SPACE[,FROM]]");
}
