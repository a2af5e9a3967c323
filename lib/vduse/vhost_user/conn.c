/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Connections of a vhost-user socket. In flow calls of librte_vhost, on its thread (in client
 * mode also on the thread that connects), out flows what the device's one connection says.
 * Registration is on the thread that creates and destroys the device.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <linux/virtio_config.h>
#include <linux/virtio_net.h>

#include <rte_vduse_compat.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/vhost_user/vhost_user.h>

/* The protocol's numbers: their names in rte_vhost.h change between DPDK releases. */
#define CONN_PROTOCOL_MQ              0
#define CONN_PROTOCOL_REPLY_ACK       3
#define CONN_PROTOCOL_NET_MTU         4
#define CONN_PROTOCOL_BACKEND_CHANNEL 5
#define CONN_PROTOCOL_CONFIG          9
#define CONN_PROTOCOL_INFLIGHT        12
#define CONN_PROTOCOL_MEM_SLOTS       15

/* Devices by path, for new connections; and by librte_vhost's number, for all else. */
static struct {
	pthread_mutex_t lock;
	TAILQ_HEAD(, vhost_user) devices;
	struct vhost_user *by_vid[RTE_MAX_VHOST_DEVICE]; /* atomic */
} conn = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.devices = TAILQ_HEAD_INITIALIZER(conn.devices),
};

struct vhost_user *
vhost_user_find(int vid)
{
	if (vid < 0 || vid >= RTE_MAX_VHOST_DEVICE)
		return NULL;
	/* Acquire: pairs with the release in conn_set(). */
	return rte_atomic_load_explicit(&conn.by_vid[vid], rte_memory_order_acquire);
}

static void
conn_set(int vid, struct vhost_user *vu)
{
	rte_atomic_store_explicit(&conn.by_vid[vid], vu, rte_memory_order_release);
}

/* Under the lock. */
static struct vhost_user *
conn_by_path(const char *path)
{
	struct vhost_user *vu;

	TAILQ_FOREACH(vu, &conn.devices, next)
		if (strcmp(vu->path, path) == 0)
			return vu;
	return NULL;
}

static struct vhost_user *
conn_device(int vid)
{
	char path[PATH_MAX];
	struct vhost_user *vu;

	if (rte_vhost_get_ifname(vid, path, sizeof(path)) < 0)
		return NULL;
	pthread_mutex_lock(&conn.lock);
	vu = conn_by_path(path);
	pthread_mutex_unlock(&conn.lock);
	return vu;
}

/* Ends what a connection was to the device. */
static void
conn_drop(struct vhost_user *vu)
{
	int vid;

	vhost_user_vring_forget(vu);
	vhost_user_mem_clear(vu);
	vhost_user_inflight_close(vu);
	vhost_user_channel_close(vu);
	vu->sock.ino = 0;
	pthread_mutex_lock(&vu->lock);
	vid = vu->vid;
	vu->vid = -1;
	vu->features = 0;
	pthread_mutex_unlock(&vu->lock);
	if (vid >= 0)
		conn_set(vid, NULL);
}

static void
conn_end(struct vhost_user *vu)
{
	bool used = false;
	uint16_t i;

	for (i = 0; i < vu->dev->nb_vqs; i++)
		used |= vu->vqs[i].ring.size > 0;
	conn_drop(vu);
	if (used)
		VDUSE_LOG_RATED(&vu->dev->life_rate, dev, INFO, vu->dev->name,
				"client disconnected");
	else if (vu->net)
		/* QEMU asks for the number of queues, hangs up and tries again without end. */
		VDUSE_LOG_RATED(&vu->dev->life_rate, dev, NOTICE, vu->dev->name,
				"client disconnected before it set up a virtqueue: see that it "
				"wants no more than %u pair%s (queues=%u of QEMU)",
				vu->dev->nb_vqs / 2, vu->dev->nb_vqs / 2 == 1 ? "" : "s",
				vu->dev->nb_vqs / 2);
	else
		VDUSE_LOG_RATED(&vu->dev->life_rate, dev, NOTICE, vu->dev->name,
				"client disconnected before it set up a virtqueue: see that it "
				"wants no more than %u (num-queues= of QEMU)",
				vu->dev->nb_vqs);
}

static int
conn_new(int vid)
{
	struct vhost_user *vu = conn_device(vid);
	struct vhost_user_socket sock;
	int ret;

	if (vu == NULL || vid >= RTE_MAX_VHOST_DEVICE)
		return -1;
	if (vhost_user_socket_live(&vu->sock)) {
		VDUSE_LOG_DRIVER(vu->dev, dev, NOTICE,
				 "another client was turned away: one at a time is served");
		return -1;
	}
	ret = vhost_user_socket_find(vu->path, vu->client, &vu->sock, &sock);
	if (ret < 0) {
		VDUSE_LOG_DRIVER(vu->dev, dev, ERR,
				 "client turned away, raise the limit of open files: %s",
				 strerror(-ret));
		return -1;
	}
	/* That the one before hung up may be read later than that a new one came. */
	if (vu->vid >= 0)
		conn_end(vu);
	if (rte_vhost_extern_callback_register(vid, &vhost_user_msg_ops, NULL) < 0)
		return -1;
	pthread_mutex_lock(&vu->lock);
	vu->vid = vid;
	pthread_mutex_unlock(&vu->lock);
	vu->sock = sock;
	conn_set(vid, vu);
	VDUSE_LOG_RATED(&vu->dev->life_rate, dev, INFO, vu->dev->name, "client connected");
	return 0;
}

static void
conn_destroy(int vid)
{
	struct vhost_user *vu = vhost_user_find(vid);

	if (vu != NULL)
		conn_end(vu);
}

/* librte_vhost hears of no virtqueue, so it has nothing else to call for. */
static const struct rte_vhost_device_ops conn_ops = {
	.new_connection = conn_new,
	.destroy_connection = conn_destroy,
};

static uint64_t
conn_protocol(const struct vhost_user *vu)
{
	uint64_t protocol = VHOST_USER_BIT(CONN_PROTOCOL_REPLY_ACK) |
			    VHOST_USER_BIT(CONN_PROTOCOL_BACKEND_CHANNEL) |
			    VHOST_USER_BIT(CONN_PROTOCOL_CONFIG) |
			    VHOST_USER_BIT(CONN_PROTOCOL_MEM_SLOTS);

	if (vu->net && (vu->dev->offered & VHOST_USER_BIT(VIRTIO_NET_F_MTU)))
		protocol |= VHOST_USER_BIT(CONN_PROTOCOL_NET_MTU);
	/* Queues that complete in order need no log: what the used ring does not have was not
	 * taken.
	 */
	if (vu->dev->logs)
		protocol |= VHOST_USER_BIT(CONN_PROTOCOL_INFLIGHT);
	if (vu->dev->nb_vqs > (vu->net ? 2 : 1))
		protocol |= VHOST_USER_BIT(CONN_PROTOCOL_MQ);
	return protocol;
}

/*
 * rte_vhost_driver_disable_features() could only take from what librte_vhost's own network
 * device offers; ours offers other features, and may be no network device at all.
 */
static int
conn_configure(const struct vhost_user *vu)
{
	uint64_t features = vu->dev->offered & ~VHOST_USER_BIT(VIRTIO_F_ACCESS_PLATFORM);

	features |= VHOST_USER_BIT(VHOST_USER_F_PROTOCOL_FEATURES);
	if (rte_vhost_driver_set_features(vu->path, features) < 0 ||
	    rte_vhost_driver_set_protocol_features(vu->path, conn_protocol(vu)) < 0 ||
	    rte_vhost_driver_callback_register(vu->path, &conn_ops) < 0)
		return -EIO;
	return 0;
}

/* Nobody but our own user is to drive the device, unless somebody changes the mode later. */
static int
conn_listen(const struct vhost_user *vu)
{
	/* The process's: other threads' files get no more than they ask for, at worst less. */
	mode_t mask = umask(0177);
	int ret = rte_vhost_driver_start(vu->path);

	umask(mask);
	return ret;
}

static int
conn_add(struct vhost_user *vu)
{
	int ret = 0;

	pthread_mutex_lock(&conn.lock);
	if (conn_by_path(vu->path) != NULL)
		ret = -EBUSY;
	else
		TAILQ_INSERT_TAIL(&conn.devices, vu, next);
	pthread_mutex_unlock(&conn.lock);
	return ret;
}

static void
conn_remove(struct vhost_user *vu)
{
	pthread_mutex_lock(&conn.lock);
	TAILQ_REMOVE(&conn.devices, vu, next);
	pthread_mutex_unlock(&conn.lock);
}

static void
conn_unregister(struct vhost_user *vu)
{
	if (!vu->registered)
		return;
	/* First: what follows waits until librte_vhost's thread is in no callback of ours, and
	 * that must not wait for the control thread, which may wait for us.
	 */
	pthread_mutex_lock(&vu->lock);
	vu->closing = true;
	pthread_cond_signal(&vu->answered);
	pthread_mutex_unlock(&vu->lock);
	rte_vhost_driver_unregister(vu->path);
	conn_remove(vu);
	/* Not every release says that the connection is gone. The control thread stops the
	 * virtqueues when it is told to forget the device.
	 */
	conn_drop(vu);
	vu->registered = false;
}

static int
conn_register(struct vhost_user *vu)
{
	const char *name = vu->dev->name;
	int ret;

	/* Long after the first time: somebody may have come between. */
	ret = vhost_user_path_prepare(name, vu->path, vu->client);
	if (ret < 0)
		return ret;
	ret = conn_add(vu);
	if (ret < 0) {
		VDUSE_LOG(dev, ERR, name, "another device of this process has %s", vu->path);
		return ret;
	}
	if (rte_vhost_driver_register(vu->path, vu->client ? RTE_VHOST_USER_CLIENT : 0) < 0) {
		conn_remove(vu);
		VDUSE_LOG(dev, ERR, name, "librte_vhost does not take %s: see its log", vu->path);
		return -EIO;
	}
	vu->registered = true;
	vu->closing = false;
	if (conn_configure(vu) < 0 || conn_listen(vu) < 0) {
		VDUSE_LOG(dev, ERR, name, "librte_vhost cannot serve %s: see its log", vu->path);
		ret = -EIO;
	} else {
		ret = vhost_user_path_permit(vu);
	}
	if (ret < 0)
		conn_unregister(vu);
	return ret;
}

/* Two starts at once would each remove the socket that the other has just made. */
int
vhost_user_register(struct vhost_user *vu)
{
	const char *name = vu->dev->name;
	int ret, lock = vu->client ? -1 : vhost_user_path_lock(name, vu->path);

	if (lock == -EBUSY)
		return lock;
	ret = conn_register(vu);
	if (lock >= 0)
		close(lock);
	if (ret == 0)
		VDUSE_LOG(dev, INFO, name, "%s %s", vu->client ? "connects to" : "listens at",
			  vu->path);
	return ret;
}

/* The socket is closed, then removed: a process that starts meanwhile has made its own there. */
void
vhost_user_unregister(struct vhost_user *vu)
{
	int lock = vu->client ? -1 : vhost_user_path_lock(vu->dev->name, vu->path);

	conn_unregister(vu);
	if (lock >= 0)
		close(lock);
}
