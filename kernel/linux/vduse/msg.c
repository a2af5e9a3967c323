// SPDX-License-Identifier: GPL-2.0-only
// SPDX-FileCopyrightText: 2026 The dpdk-vduse authors
/*
 * Messages. A vDPA op puts a request on the list and sleeps; the process reads
 * it and writes an answer; then the op continues. Process context on both sides.
 *
 * A message lives on the stack of the waiting op, and is on one of the two lists
 * while it waits. It is moved only under the lock, and no pointer to it is used
 * after the lock was dropped: a reader copies a snapshot to the process and, if
 * that fails, finds the message again by its id.
 *
 * If a user of vhost_vdpa is killed, its message is removed. A driver of this
 * kernel outlives its caller, `vdpa dev add`, and does not check the result of a
 * message: a killed caller waits for the answer or the time-out. Without a
 * time-out the kill counts as one, and breaks the device.
 */
#include <linux/poll.h>
#include <linux/sched/signal.h>
#include <linux/string.h>
#include <linux/uio.h>
#include <linux/virtio_config.h>

#include "trace.h"
#include "vduse.h"

struct vduse_msg {
	struct list_head node;		/* pending or sent, until done */
	bool done;			/* writers: lock; readers: the waiter */
	wait_queue_head_t answered;	/* wakes the waiter after done is set */
	struct vduse_dev_request req;
	struct vduse_dev_response resp;
};

void vduse_msg_init(struct vduse_messages *messages)
{
	spin_lock_init(&messages->lock);
	INIT_LIST_HEAD(&messages->pending);
	INIT_LIST_HEAD(&messages->sent);
	init_waitqueue_head(&messages->readers);
	messages->timeout = VDUSE_MSG_TIMEOUT_DEFAULT;
}

bool vduse_msg_broken(const struct vduse_dev *dev)
{
	return READ_ONCE(dev->msg.broken);
}

bool vduse_msg_told(const struct vduse_dev *dev)
{
	return READ_ONCE(dev->msg.told);
}

/* Caller holds the lock. After it is dropped the waiter may be gone. */
static void msg_finish(struct vduse_msg *msg)
{
	list_del(&msg->node);
	WRITE_ONCE(msg->done, true);
	wake_up(&msg->answered);
}

/* Returns false if the device was broken already. */
static bool break_locked(struct vduse_dev *dev)
{
	struct vduse_messages *messages = &dev->msg;
	struct vduse_msg *msg, *next;

	if (messages->broken)
		return false;
	WRITE_ONCE(messages->broken, true);
	if (dev->status)
		WRITE_ONCE(dev->status, dev->status | VIRTIO_CONFIG_S_NEEDS_RESET);
	list_splice_init(&messages->sent, &messages->pending);
	list_for_each_entry_safe(msg, next, &messages->pending, node) {
		msg->resp.result = VDUSE_REQ_RESULT_FAILED;
		msg_finish(msg);
	}
	wake_up_all(&messages->readers);
	return true;
}

/* The process does not respond: neither this module nor the driver waits for it any more. */
void vduse_msg_break(struct vduse_dev *dev)
{
	bool first;

	spin_lock(&dev->msg.lock);
	first = break_locked(dev);
	spin_unlock(&dev->msg.lock);
	if (first)
		vduse_tell_broken(dev);
}

/* The file was closed: the next opener first gets the unanswered messages. */
void vduse_msg_requeue(struct vduse_dev *dev)
{
	spin_lock(&dev->msg.lock);
	list_splice_init(&dev->msg.sent, &dev->msg.pending);
	spin_unlock(&dev->msg.lock);
}

static int msg_enqueue(struct vduse_dev *dev, struct vduse_msg *msg)
{
	struct vduse_messages *messages = &dev->msg;

	init_waitqueue_head(&msg->answered);
	spin_lock(&messages->lock);
	if (messages->broken) {
		spin_unlock(&messages->lock);
		return -EIO;
	}
	msg->req.request_id = messages->next_id++;
	messages->nr_sent++;
	list_add_tail(&msg->node, &messages->pending);
	wake_up(&messages->readers);
	spin_unlock(&messages->lock);
	return 0;
}

/*
 * Returns the remaining time, 0 on time-out, or an error if killed. The vDPA core
 * holds locks meanwhile. The wait is freezable: before the system suspends the
 * process freezes too and cannot answer, and a task that cannot freeze prevents
 * the suspend. Returning after done is set is safe: the writer of done holds the
 * lock, which msg_end() takes.
 */
static long msg_wait(struct vduse_msg *msg, unsigned int timeout, bool kernel)
{
	unsigned int state = (kernel && timeout ? TASK_UNINTERRUPTIBLE : TASK_KILLABLE) |
			     TASK_FREEZABLE_UNSAFE;
	long left = timeout ? (long)timeout * HZ : MAX_SCHEDULE_TIMEOUT;

	return ___wait_event(msg->answered, ___wait_cond_timeout(READ_ONCE(msg->done)), state, 0,
			     left, __ret = schedule_timeout(__ret));
}

/* The wait ended: done, timed out (left is 0) or killed. Then the message is on no list. */
static int msg_end(struct vduse_dev *dev, struct vduse_msg *msg, long left, bool kernel)
{
	struct vduse_messages *messages = &dev->msg;
	int ret = -EIO;

	spin_lock(&messages->lock);
	if (msg->done) {
		ret = msg->resp.result == VDUSE_REQ_RESULT_OK ? 0 : -EIO;
	} else {
		list_del(&msg->node);
		if (left && !kernel)
			ret = -EINTR;
	}
	if (ret)
		messages->nr_failed++;
	spin_unlock(&messages->lock);
	return ret;
}

static int msg_call(struct vduse_dev *dev, struct vduse_msg *msg)
{
	bool kernel = vduse_driver_is_kernel(READ_ONCE(dev->vdpa));
	unsigned int timeout = READ_ONCE(dev->msg.timeout);
	long left;
	int ret;

	ret = msg_enqueue(dev, msg);
	if (ret)
		return ret;
	trace_vduse_msg_begin(dev, &msg->req);
	left = msg_wait(msg, timeout, kernel);
	ret = msg_end(dev, msg, left, kernel);
	trace_vduse_msg_end(dev, &msg->req, ret);
	if (msg->done || ret == -EINTR)
		return ret;
	if (left)
		dev_err(&dev->dev, "killed while message %u waited without a time-out: the device is broken\n",
			msg->req.type);
	else
		dev_err(&dev->dev, "no answer to message %u within %u s: the device is broken\n",
			msg->req.type, timeout);
	vduse_msg_break(dev);
	return ret;
}

static struct vduse_msg *msg_find(struct list_head *list, u32 id)
{
	struct vduse_msg *msg;

	list_for_each_entry(msg, list, node)
		if (msg->req.request_id == id)
			return msg;
	return NULL;
}

/* A reset undoes the effect of these messages. */
static bool msg_sets_state(const struct vduse_dev_request *req)
{
	return (req->type == VDUSE_SET_STATUS && req->s.status) ||
	       req->type == VDUSE_SET_VQ_GROUP_ASID || req->type == VDUSE_SET_VQ_READY;
}

/* 0, or -EAGAIN while there is nothing to read, or -EIO. */
static int msg_take(struct vduse_messages *messages, struct vduse_dev_request *req)
{
	struct vduse_msg *msg;
	int ret = 0;

	spin_lock(&messages->lock);
	msg = list_first_entry_or_null(&messages->pending, struct vduse_msg, node);
	if (msg) {
		*req = msg->req;
		list_move_tail(&msg->node, &messages->sent);
		if (msg_sets_state(req))
			WRITE_ONCE(messages->told, true);
	} else {
		ret = messages->broken ? -EIO : -EAGAIN;
	}
	spin_unlock(&messages->lock);
	return ret;
}

/* A read failed half-way: put the message back to its place in the order. */
static void msg_untake(struct vduse_messages *messages, u32 id)
{
	struct vduse_msg *msg, *other;

	spin_lock(&messages->lock);
	msg = msg_find(&messages->sent, id);
	if (msg) {
		list_for_each_entry(other, &messages->pending, node)
			if ((s32)(other->req.request_id - id) > 0)
				break;
		list_move_tail(&msg->node, &other->node);
		wake_up(&messages->readers);
	}
	spin_unlock(&messages->lock);
}

static bool msg_readable(struct vduse_messages *messages)
{
	return !list_empty_careful(&messages->pending) || READ_ONCE(messages->broken);
}

ssize_t vduse_msg_read(struct vduse_dev *dev, struct iov_iter *to, bool nonblock)
{
	struct vduse_messages *messages = &dev->msg;
	struct vduse_dev_request req;
	int ret;

	if (iov_iter_count(to) < sizeof(req))
		return -EINVAL;
	while ((ret = msg_take(messages, &req)) == -EAGAIN && !nonblock) {
		ret = wait_event_interruptible_exclusive(messages->readers,
							 msg_readable(messages));
		if (ret)
			return ret;
	}
	if (ret)
		return ret;
	if (copy_to_iter(&req, sizeof(req), to) != sizeof(req)) {
		msg_untake(messages, req.request_id);
		return -EFAULT;
	}
	return sizeof(req);
}

/*
 * An accepted status takes effect when the answer is written, so that an
 * interrupt right after it is delivered after DRIVER_OK, and is not delivered
 * after SUSPEND.
 */
static void msg_answer(struct vduse_dev *dev, struct vduse_msg *msg,
		       const struct vduse_dev_response *resp)
{
	msg->resp = *resp;
	if (msg->req.type == VDUSE_SET_STATUS && resp->result == VDUSE_REQ_RESULT_OK) {
		WRITE_ONCE(dev->status, msg->req.s.status);
		if (!msg->req.s.status)
			WRITE_ONCE(dev->msg.told, false);
	}
	if (msg->req.type == VDUSE_SUSPEND && resp->result == VDUSE_REQ_RESULT_OK)
		WRITE_ONCE(dev->suspended, true);
	msg_finish(msg);
}

ssize_t vduse_msg_write(struct vduse_dev *dev, struct iov_iter *from)
{
	struct vduse_dev_response resp;
	struct vduse_msg *msg;

	if (copy_from_iter(&resp, sizeof(resp), from) != sizeof(resp))
		return -EINVAL;
	if (memchr_inv(resp.reserved, 0, sizeof(resp.reserved)))
		return -EINVAL;

	spin_lock(&dev->msg.lock);
	msg = msg_find(&dev->msg.sent, resp.request_id);
	if (msg)
		msg_answer(dev, msg, &resp);
	spin_unlock(&dev->msg.lock);
	return msg ? sizeof(resp) : -ENOENT;
}

__poll_t vduse_msg_poll(struct vduse_dev *dev, struct file *file, poll_table *wait)
{
	struct vduse_messages *messages = &dev->msg;
	__poll_t mask = 0;

	poll_wait(file, &messages->readers, wait);
	spin_lock(&messages->lock);
	if (messages->broken)
		mask |= EPOLLERR;
	if (!list_empty(&messages->pending))
		mask |= EPOLLIN | EPOLLRDNORM;
	if (!list_empty(&messages->sent))
		mask |= EPOLLOUT | EPOLLWRNORM;
	spin_unlock(&messages->lock);
	return mask;
}

static void state_from_split(const struct vduse_vq_state_split *from, struct vdpa_vq_state *to)
{
	to->split.avail_index = from->avail_index;
}

/* Bit fields take only the bits that fit of what the process wrote. */
static void state_from_packed(const struct vduse_vq_state_packed *from, struct vdpa_vq_state *to)
{
	to->packed.last_avail_counter = from->last_avail_counter & 1;
	to->packed.last_avail_idx = from->last_avail_idx & 0x7fff;
	to->packed.last_used_counter = from->last_used_counter & 1;
	to->packed.last_used_idx = from->last_used_idx & 0x7fff;
}

int vduse_msg_get_vq_state(struct vduse_dev *dev, u32 index, struct vdpa_vq_state *state)
{
	struct vduse_msg msg = { .req.type = VDUSE_GET_VQ_STATE };
	int ret;

	msg.req.vq_state.index = index;
	ret = msg_call(dev, &msg);
	if (ret)
		return ret;
	memset(state, 0, sizeof(*state));
	if (vduse_is_packed(dev))
		state_from_packed(&msg.resp.vq_state.packed, state);
	else
		state_from_split(&msg.resp.vq_state.split, state);
	return 0;
}

/*
 * A virtio driver does not check whether DRIVER_OK was accepted and uses the
 * device anyway. If it was refused, break the queues so that the driver does not
 * wait. A device that broke earlier broke the queues of that time; these may be
 * newer.
 */
int vduse_msg_set_status(struct vduse_dev *dev, u8 status)
{
	struct vduse_msg msg = { .req.type = VDUSE_SET_STATUS };
	int ret;

	msg.req.s.status = status;
	ret = msg_call(dev, &msg);
	if (ret && (status & VIRTIO_CONFIG_S_DRIVER_OK) && vduse_break_virtio(dev))
		dev_err(&dev->dev, "the driver is not accepted: its requests fail\n");
	return ret;
}

/* Version 0 leaves the field of the address space zero. */
int vduse_msg_update_iotlb(struct vduse_dev *dev, u32 asid)
{
	struct vduse_msg msg = { .req.type = VDUSE_UPDATE_IOTLB };

	msg.req.iova_v2.start = 0;
	msg.req.iova_v2.last = U64_MAX;
	msg.req.iova_v2.asid = asid;
	return msg_call(dev, &msg);
}

int vduse_msg_set_group_asid(struct vduse_dev *dev, u32 group, u32 asid)
{
	struct vduse_msg msg = { .req.type = VDUSE_SET_VQ_GROUP_ASID };

	msg.req.vq_group_asid.group = group;
	msg.req.vq_group_asid.asid = asid;
	return msg_call(dev, &msg);
}

int vduse_msg_set_vq_ready(struct vduse_dev *dev, u32 index, bool ready)
{
	struct vduse_msg msg = { .req.type = VDUSE_SET_VQ_READY };

	msg.req.vq_ready.num = index;
	msg.req.vq_ready.ready = ready;
	return msg_call(dev, &msg);
}

int vduse_msg_suspend(struct vduse_dev *dev)
{
	struct vduse_msg msg = { .req.type = VDUSE_SUSPEND };

	return msg_call(dev, &msg);
}
