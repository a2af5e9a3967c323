/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The client of a vhost-user device: it connects, its messages are handled one after the other, and
 * it disconnects.
 * Input: events of the socket's epoll. Output: complete messages for msg.c.
 * Thread: control.
 */
#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include <rte_cycles.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/trace.h>
#include <vduse/vhost_user/msg.h>
#include <vduse/vhost_user/postcopy.h>
#include <vduse/vhost_user/vhost_user.h>

void
vhost_user_conn_begin(struct vhost_user *vu, int fd)
{
	int ret = vhost_user_socket_watch(vu, fd, true);

	if (ret < 0) {
		VDUSE_LOG_DRIVER(vu->dev, dev, ERR, "client turned away: %s", strerror(-ret));
		vhost_user_file_hang_up(vu->closer, fd);
		return;
	}
	vu->conn = fd;
	VDUSE_LOG_RATED(&vu->dev->life_rate, dev, INFO, vu->dev->name, "client connected");
}

void
vhost_user_conn_offer(struct vhost_user *vu, uint64_t features)
{
	vu->dev->withheld = vu->dev->offered & ~(vu->offered & features);
}

/* With too few queues QEMU hangs up after GET_QUEUE_NUM and connects again, without end. */
static void
conn_say_gone(const struct vhost_user *vu, bool used)
{
	const unsigned int nb = vu->dev->nb_vqs;

	if (used)
		VDUSE_LOG_RATED(&vu->dev->life_rate, dev, INFO, vu->dev->name,
				"client disconnected");
	else if (vu->net)
		VDUSE_LOG_RATED(&vu->dev->life_rate, dev, NOTICE, vu->dev->name,
				"client disconnected before it set up a virtqueue: see that it "
				"wants no more than %u pair%s (queues=%u of QEMU)",
				nb / 2, nb / 2 == 1 ? "" : "s", nb / 2);
	else
		VDUSE_LOG_RATED(&vu->dev->life_rate, dev, NOTICE, vu->dev->name,
				"client disconnected before it set up a virtqueue: see that it "
				"wants no more than %u (num-queues= of QEMU)",
				nb);
}

void
vhost_user_conn_close(struct vhost_user *vu)
{
	vhost_user_msg_close(vu, &vu->msg);
	vhost_user_log_close(vu);
	vhost_user_postcopy_close(vu);
	vhost_user_iommu_clear(vu);
	vhost_user_mem_clear(vu);
	vhost_user_inflight_close(vu);
	vhost_user_channel_close(vu);
	vu->have = 0;
	vu->deadline = 0;
	vu->acked = 0;
	vhost_user_conn_offer(vu, UINT64_MAX);
	vu->features = 0;
	vu->refused = false;
	vu->status = 0;
	if (vu->conn >= 0) {
		(void)vhost_user_socket_watch(vu, vu->conn, false);
		vhost_user_file_hang_up(vu->closer, vu->conn);
	}
	vu->conn = -1;
}

int
vhost_user_conn_end(struct vhost_user *vu)
{
	bool used = false;
	uint16_t i;

	for (i = 0; i < vu->dev->nb_vqs; i++)
		used |= vu->vqs[i].ring.size > 0;
	vu->pending = false;
	vu->ending = vhost_user_vring_forget(vu) < 0;
	if (vu->ending)
		return -EINPROGRESS;
	vhost_user_conn_close(vu);
	conn_say_gone(vu, used);
	return 0;
}

/* Handles a complete message: at once, or again when no request is in flight any more. */
static int
conn_handle(struct vhost_user *vu)
{
	int ret = vhost_user_msg_handle(vu, &vu->msg);

	/* It was refused because of a change while it waited: nothing else restarts the rings. */
	if (vu->pending && ret != -EINPROGRESS)
		vduse_drain_end(vu->dev);
	vu->pending = ret == -EINPROGRESS;
	if (ret == 0)
		vu->have = 0;
	if (ret == 0 || vu->pending)
		return ret;
	return vhost_user_conn_end(vu);
}

/* Once a second while the timer is armed, see socket.c. */
static int
conn_tick(struct vhost_user *vu)
{
	uint64_t nb;

	(void)!read(vu->timer, &nb, sizeof(nb));
	if (vu->paused)
		vhost_user_socket_resume(vu);
	if (vu->client && vu->conn < 0)
		vhost_user_socket_connect(vu);
	if (vu->deadline == 0 || rte_get_timer_cycles() < vu->deadline)
		return 0;
	VDUSE_LOG_DRIVER(vu->dev, msg, ERR,
			 "client dropped: half a message, and the rest did not come");
	return vhost_user_conn_end(vu);
}

static int
conn_turn(struct vhost_user *vu)
{
	struct epoll_event event;
	int ret;

	if (vu->ending)
		return vhost_user_conn_end(vu);
	/* A client that is gone needs no results: its requests may fail. */
	if (vu->pending && !vhost_user_socket_live(vu))
		return vhost_user_conn_end(vu);
	if (vu->pending)
		return conn_handle(vu);
	if (vhost_user_closer_full(vu->closer)) {
		if (!vu->dev->defers)
			VDUSE_LOG_DRIVER(
				vu->dev, msg, ERR,
				"client not served: it sent descriptors that do not close");
		return -EINPROGRESS;
	}
	if (epoll_wait(vu->dev->fd, &event, 1, 0) <= 0)
		return -EAGAIN;
	if (event.data.u64 & VHOST_USER_KICK) {
		VDUSE_TRACE(kick, vu->dev->name, (uint16_t)event.data.u64);
		vhost_user_kick_pass(vu, (uint16_t)event.data.u64);
		return 0;
	}
	if (event.data.u64 == (uint32_t)vu->timer)
		return conn_tick(vu);
	if (event.data.u64 == (uint32_t)vhost_user_postcopy_event(vu)) {
		vhost_user_postcopy_serve(vu);
		return 0;
	}
	if (event.data.u64 != (uint32_t)vu->conn)
		return vhost_user_socket_accept(vu);
	ret = vhost_user_recv(vu);
	if (ret == -EAGAIN)
		return 0;
	return ret == 0 ? conn_handle(vu) : vhost_user_conn_end(vu);
}

int
vhost_user_serve(struct rte_vduse_dev *dev)
{
	struct vhost_user *vu = dev->transport_priv;
	int ret = conn_turn(vu);

	vhost_user_socket_tick(vu);
	return ret;
}
