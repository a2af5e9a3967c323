/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Messages of the transport. Each is answered, because a driver waits for the answer. The work is
 * in status.c and vq.c.
 * Input: a request. Output: its response.
 * Thread: control.
 */
#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include <linux/virtio_config.h>

#include <rte_vduse_compat.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/trace.h>

/* What to do after the answer is sent; NULL: nothing. */
typedef void (*msg_after_t)(struct rte_vduse_dev *dev);

static int
msg_vq_state(struct rte_vduse_dev *dev, const struct vduse_dev_request *req,
	     struct vduse_dev_response *resp)
{
	struct rte_vduse_vq *vq = rte_vduse_dev_vq(dev, RTE_MIN(req->vq_state.index, UINT16_MAX));

	if (vq == NULL || dev->draining) {
		VDUSE_LOG_DRIVER(dev, msg, ERR, "asked for the state of virtqueue %u of %u",
				 req->vq_state.index, dev->nb_vqs);
		return -EINVAL;
	}
	resp->vq_state.index = req->vq_state.index;
	vduse_vq_state(vq, &resp->vq_state);
	return 0;
}

/*
 * A reset of the driver ends a suspension and moves every group back to address space 0, without a
 * message.
 */
static void
msg_reset(struct rte_vduse_dev *dev)
{
	uint32_t group;

	vduse_status_resume(dev);
	for (group = 0; group < dev->nb_spaces; group++)
		vduse_status_move(dev, group, 0);
}

static int
msg_status(struct rte_vduse_dev *dev, const struct vduse_dev_request *req, msg_after_t *after)
{
	uint8_t old = dev->status, status = req->s.status;
	int ret;

	VDUSE_LOG(msg, DEBUG, dev->name, "status 0x%02x, was 0x%02x", status, old);
	if (dev->draining) {
		dev->status = status;
		return 0;
	}
	/* Pollers stop before the answer, because the driver may then free its memory. */
	if (status == 0 || ((old & ~status) & VIRTIO_CONFIG_S_DRIVER_OK)) {
		vduse_status_reset(dev);
		old = 0;
	}
	if (status == 0)
		msg_reset(dev);
	if (status & ~old & VIRTIO_CONFIG_S_FEATURES_OK) {
		ret = vduse_status_check_features(dev);
		if (ret < 0)
			return ret;
	}
	if (!(status & ~old & VIRTIO_CONFIG_S_DRIVER_OK)) {
		vduse_status_set(dev, status);
		return 0;
	}
	/* After the answer: the kernel refuses interrupts before it. */
	rte_atomic_store_explicit(&dev->status, status, rte_memory_order_relaxed);
	*after = vduse_status_driver_ok;
	return 0;
}

static int
msg_iotlb(struct rte_vduse_dev *dev, const struct vduse_dev_request *req)
{
	uint32_t asid = req->iova_v2.asid;

	if (asid >= dev->nb_spaces) {
		VDUSE_LOG_DRIVER(dev, msg, ERR,
				 "memory of address space %u changed, of %u: message refused", asid,
				 dev->nb_spaces);
		return -EINVAL;
	}
	VDUSE_LOG(msg, DEBUG, dev->name,
		  "memory of address space %u changed in 0x%" PRIx64 "-0x%" PRIx64, asid,
		  (uint64_t)req->iova_v2.start, (uint64_t)req->iova_v2.last);
	VDUSE_TRACE(iotlb_update, dev->name, asid, req->iova_v2.start, req->iova_v2.last);
	vduse_count(&dev->stats.iotlb_updates);
	/* Memory is mapped only while a driver is up. */
	if (!(dev->status & VIRTIO_CONFIG_S_DRIVER_OK))
		return 0;
	/* If it fails, the table is empty: virtqueues stop and no stale region is used. */
	(void)vduse_status_remap(dev, asid, false);
	return 0;
}

static int
msg_group_asid(struct rte_vduse_dev *dev, const struct vduse_dev_request *req)
{
	uint32_t group = req->vq_group_asid.group, asid = req->vq_group_asid.asid;

	/* A device that is being removed may have more groups than this process knows. */
	if (dev->draining)
		return 0;
	if (group >= dev->nb_spaces || asid >= dev->nb_spaces) {
		VDUSE_LOG_DRIVER(dev, msg, ERR,
				 "group %u to be moved to address space %u, of %u each: message "
				 "refused",
				 group, asid, dev->nb_spaces);
		return -EINVAL;
	}
	if (dev->status & VIRTIO_CONFIG_S_DRIVER_OK) {
		VDUSE_LOG_DRIVER(dev, msg, ERR,
				 "group %u to be moved to address space %u while its driver is up: "
				 "the driver must reset the device first",
				 group, asid);
		return -EBUSY;
	}
	vduse_status_move(dev, group, asid);
	return 0;
}

/* msg_drain() completed all requests. There is no message to resume: the driver resets the device. */
static int
msg_suspend(struct rte_vduse_dev *dev)
{
	/* A device that is being removed serves no virtqueue. */
	if (!dev->draining)
		vduse_status_suspend(dev);
	return 0;
}

static int
msg_vq_changed(struct rte_vduse_dev *dev, const struct vduse_dev_request *req)
{
	struct rte_vduse_vq *vq = rte_vduse_dev_vq(dev, RTE_MIN(req->vq_state.index, UINT16_MAX));

	if (vq == NULL)
		return -EINVAL;
	/* DRIVER_OK starts all virtqueues that are ready. */
	if (!(dev->status & VIRTIO_CONFIG_S_DRIVER_OK))
		return 0;
	vduse_vq_stop(vq);
	(void)vduse_vq_try_start(vq);
	return 0;
}

/*
 * The kernel breaks a device that refuses. So a virtqueue that cannot start, which is its driver's
 * fault, is no reason to refuse. While it is switched off, the kernel still says that it is ready.
 */
static int
msg_vq_ready(struct rte_vduse_dev *dev, const struct vduse_dev_request *req)
{
	struct rte_vduse_vq *vq = rte_vduse_dev_vq(dev, RTE_MIN(req->vq_ready.num, UINT16_MAX));

	/* A device that is being removed may have more virtqueues than this process knows. */
	if (dev->draining)
		return 0;
	if (vq == NULL) {
		VDUSE_LOG_DRIVER(dev, msg, ERR, "virtqueue %u of %u became ready: message refused",
				 req->vq_ready.num, dev->nb_vqs);
		return -EINVAL;
	}
	if (!(dev->status & VIRTIO_CONFIG_S_DRIVER_OK))
		return 0;
	if (req->vq_ready.ready)
		vduse_vq_start_told(vq);
	else
		vduse_vq_stop(vq);
	return 0;
}

static int
msg_config_write(struct rte_vduse_dev *dev, const struct vduse_dev_request *req)
{
	struct vduse_transport_write write;
	int ret;

	memcpy(&write, req->padding, sizeof(write));
	if (dev->ops->config_write == NULL || dev->draining || write.len > sizeof(write.data) ||
	    write.offset > dev->config_size || write.len > dev->config_size - write.offset)
		return -EINVAL;
	ret = dev->ops->config_write(dev, write.offset, write.data, write.len, dev->arg);
	if (ret == 0)
		ret = dev->transport->config_set(dev, write.offset, write.data, write.len);
	return ret;
}

static const char *
msg_name(uint32_t type)
{
	switch (type) {
	case VDUSE_GET_VQ_STATE:
		return "GET_VQ_STATE";
	case VDUSE_SET_STATUS:
		return "SET_STATUS";
	case VDUSE_UPDATE_IOTLB:
		return "UPDATE_IOTLB";
	case VDUSE_SET_VQ_GROUP_ASID:
		return "SET_VQ_GROUP_ASID";
	case VDUSE_SET_VQ_READY:
		return "SET_VQ_READY";
	case VDUSE_SUSPEND:
		return "SUSPEND";
	case VDUSE_TRANSPORT_VQ_CHANGED:
		return "virtqueue changed";
	case VDUSE_TRANSPORT_CONFIG_WRITE:
		return "configuration written";
	default:
		return "unknown";
	}
}

/*
 * Drains the requests that use what a message takes away: memory or virtqueues. Requests of a
 * virtqueue that is only changed, or of a device that is suspended, do not fail: another process may
 * continue where it stops.
 */
static int
msg_drain(struct rte_vduse_dev *dev, const struct vduse_dev_request *req)
{
	uint16_t first, nb;

	if (dev->draining || !(dev->status & VIRTIO_CONFIG_S_DRIVER_OK))
		return 0;
	switch (req->type) {
	case VDUSE_SET_STATUS:
		if (req->s.status & VIRTIO_CONFIG_S_DRIVER_OK)
			return 0;
		return vduse_drain(dev, 0, dev->nb_vqs, true);
	case VDUSE_UPDATE_IOTLB:
		nb = vduse_status_space(dev, req->iova_v2.asid, &first);
		return vduse_drain(dev, first, nb, false);
	case VDUSE_SET_VQ_READY:
		if (req->vq_ready.ready || req->vq_ready.num >= dev->nb_vqs)
			return 0;
		vduse_vq_forget(&dev->vqs[req->vq_ready.num]);
		return vduse_drain(dev, (uint16_t)req->vq_ready.num, 1, false);
	case VDUSE_SUSPEND:
		for (first = 0; first < dev->nb_vqs; first++)
			vduse_vq_forget(&dev->vqs[first]);
		return vduse_drain(dev, 0, dev->nb_vqs, false);
	case VDUSE_TRANSPORT_VQ_CHANGED:
		if (req->vq_state.index >= dev->nb_vqs)
			return 0;
		return vduse_drain(dev, (uint16_t)req->vq_state.index, 1, false);
	default:
		return 0;
	}
}

static int
msg_do(struct rte_vduse_dev *dev, const struct vduse_dev_request *req,
       struct vduse_dev_response *resp, msg_after_t *after)
{
	int ret;

	memset(resp, 0, sizeof(*resp));
	resp->request_id = req->request_id;
	switch (req->type) {
	case VDUSE_GET_VQ_STATE:
		ret = msg_vq_state(dev, req, resp);
		break;
	case VDUSE_SET_STATUS:
		ret = msg_status(dev, req, after);
		break;
	case VDUSE_UPDATE_IOTLB:
		ret = msg_iotlb(dev, req);
		break;
	case VDUSE_SET_VQ_GROUP_ASID:
		ret = msg_group_asid(dev, req);
		break;
	case VDUSE_SET_VQ_READY:
		ret = msg_vq_ready(dev, req);
		break;
	case VDUSE_SUSPEND:
		ret = msg_suspend(dev);
		break;
	case VDUSE_TRANSPORT_VQ_CHANGED:
		ret = msg_vq_changed(dev, req);
		break;
	case VDUSE_TRANSPORT_CONFIG_WRITE:
		ret = msg_config_write(dev, req);
		break;
	default:
		VDUSE_LOG_DRIVER(dev, msg, ERR, "message of unknown type %u refused", req->type);
		ret = -ENOTSUP;
	}
	resp->result = ret < 0 ? VDUSE_REQ_RESULT_FAILED : VDUSE_REQ_RESULT_OK;
	vduse_count(&dev->stats.messages);
	return ret;
}

int
vduse_msg_do(struct rte_vduse_dev *dev, const struct vduse_dev_request *req,
	     struct vduse_dev_response *resp)
{
	msg_after_t after = NULL;
	int ret = msg_do(dev, req, resp, &after);

	if (after != NULL)
		after(dev);
	return ret;
}

int
vduse_msg_handle(struct rte_vduse_dev *dev)
{
	struct vduse_dev_request req = dev->deferred;
	struct vduse_dev_response resp;
	msg_after_t after = NULL;
	int ret = 0;

	if (dev->transport->serve != NULL) {
		ret = dev->transport->serve(dev);
		dev->defers = ret == -EINPROGRESS;
		return ret;
	}
	if (!dev->defers) {
		ret = dev->transport->recv(dev, &req);
		if (ret < 0)
			return ret;
		VDUSE_TRACE(vduse_msg, dev->name, req.type, req.request_id);
	}
	ret = msg_drain(dev, &req);
	dev->defers = ret < 0;
	if (ret < 0) {
		dev->deferred = req;
		return ret;
	}
	(void)msg_do(dev, &req, &resp, &after);
	ret = dev->transport->reply(dev, &resp);
	if (ret == -ENOENT)
		VDUSE_LOG_DRIVER(dev, msg, NOTICE,
				 "the kernel no longer waits for the answer to message %u (%s)",
				 req.type, msg_name(req.type));
	else if (ret < 0)
		VDUSE_LOG_DRIVER(dev, msg, ERR, "cannot answer message %u (%s): %s", req.type,
				 msg_name(req.type), strerror(-ret));
	if (after != NULL)
		after(dev);
	return 0;
}
