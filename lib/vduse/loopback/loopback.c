/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The loopback transport, see loopback.h. Messages go over a socket pair, so that the control
 * thread polls it as it polls the kernel: a file descriptor becomes readable or hangs up.
 * Input: calls of a test. Output: messages to the device, recorded interrupts and answers.
 * Thread: the test's and, in the transport operations, the device's.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rte_common.h>
#include <rte_cycles.h>
#include <rte_vduse_compat.h>

#include <vduse/core/device.h>
#include <vduse/loopback/loopback.h>

#define LOOPBACK_VQS    257 /* 128 pairs and a control queue */
#define LOOPBACK_CONFIG 4096

/* The regions of an address space. */
struct loopback_space {
	struct vduse_file_region *regions;
	unsigned int nb;
	unsigned int max;  /* number allocated */
	unsigned int next; /* at which a walk continues */
};

struct vduse_loopback {
	pthread_mutex_t lock; /* guards all but the sockets and calls */
	int sock[2];          /* of the test, of the device */
	uint64_t features;
	struct loopback_space spaces[VDUSE_ASID_MAX];
	uint64_t walks;
	struct vduse_vq_info vqs[LOOPBACK_VQS];
	int kick_fds[LOOPBACK_VQS];
	int refuse[VDUSE_LOOPBACK_OPS];
	bool left;                    /* a driver is up before the device is created */
	struct rte_vduse_left found;  /* what the left operation returns */
	uint16_t vq_size_max;         /* 0: the announced size */
	uint64_t calls[LOOPBACK_VQS]; /* atomic */
	unsigned int call_us;
	unsigned int call_sleep_us;
	bool kernel_driver;
	bool call_hold;   /* atomic */
	bool call_held;   /* atomic */
	pthread_t caller; /* thread of the last call; written before calls, atomic */
	uint32_t next_id;
	uint8_t config[LOOPBACK_CONFIG];
	uint64_t config_changes;
};

struct vduse_loopback *
vduse_loopback_new(void)
{
	struct vduse_loopback *loop = calloc(1, sizeof(*loop));
	unsigned int i;

	if (loop == NULL)
		return NULL;
	pthread_mutex_init(&loop->lock, NULL);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, loop->sock) < 0) {
		free(loop);
		return NULL;
	}
	for (i = 0; i < LOOPBACK_VQS; i++)
		loop->kick_fds[i] = -1;
	return loop;
}

void
vduse_loopback_free(struct vduse_loopback *loop)
{
	vduse_loopback_regions_clear(loop);
	vduse_loopback_break(loop);
	close(loop->sock[1]);
	pthread_mutex_destroy(&loop->lock);
	free(loop);
}

int
vduse_loopback_send(struct vduse_loopback *loop, struct vduse_dev_request *req)
{
	req->request_id = ++loop->next_id;
	if (send(loop->sock[0], req, sizeof(*req), MSG_NOSIGNAL) != sizeof(*req))
		return -EIO;
	return 0;
}

int
vduse_loopback_answer(struct vduse_loopback *loop, struct vduse_dev_response *resp, int timeout_ms)
{
	struct pollfd poll_fd = { .fd = loop->sock[0], .events = POLLIN };
	int n;

	/* A fuzzer's alarm may interrupt it. */
	do {
		n = poll(&poll_fd, 1, timeout_ms);
	} while (n < 0 && errno == EINTR);
	if (n == 0)
		return -ETIMEDOUT;
	if (n < 0 || recv(loop->sock[0], resp, sizeof(*resp), 0) != sizeof(*resp))
		return -EIO;
	return resp->request_id == loop->next_id ? 0 : -EIO;
}

int
vduse_loopback_ask(struct vduse_loopback *loop, struct vduse_dev_request *req,
		   struct vduse_dev_response *resp, int timeout_ms)
{
	int ret = vduse_loopback_send(loop, req);

	return ret < 0 ? ret : vduse_loopback_answer(loop, resp, timeout_ms);
}

void
vduse_loopback_break(struct vduse_loopback *loop)
{
	if (loop->sock[0] >= 0)
		close(loop->sock[0]);
	loop->sock[0] = -1;
}

int
vduse_loopback_region_add_to(struct vduse_loopback *loop, uint32_t asid, uint64_t first,
			     uint64_t last, uint64_t offset, uint8_t perm, int fd)
{
	struct loopback_space *space = &loop->spaces[asid];
	struct vduse_file_region *regions;
	unsigned int max;
	int ret = -ENOMEM;

	pthread_mutex_lock(&loop->lock);
	regions = space->regions;
	max = space->max;
	if (space->nb == max) {
		max = max == 0 ? 16 : 2 * max;
		regions = realloc(regions, max * sizeof(*regions));
		if (regions == NULL)
			goto unlock;
		space->regions = regions;
		space->max = max;
	}
	regions[space->nb++] = (struct vduse_file_region){
		.first = first,
		.last = last,
		.offset = offset,
		.perm = perm,
		.fd = fd,
	};
	ret = 0;
unlock:
	pthread_mutex_unlock(&loop->lock);
	return ret;
}

int
vduse_loopback_region_add(struct vduse_loopback *loop, uint64_t first, uint64_t last,
			  uint64_t offset, uint8_t perm, int fd)
{
	return vduse_loopback_region_add_to(loop, 0, first, last, offset, perm, fd);
}

void
vduse_loopback_regions_pinnable(struct vduse_loopback *loop)
{
	unsigned int i, asid;

	pthread_mutex_lock(&loop->lock);
	for (asid = 0; asid < VDUSE_ASID_MAX; asid++)
		for (i = 0; i < loop->spaces[asid].nb; i++)
			loop->spaces[asid].regions[i].pinnable = true;
	pthread_mutex_unlock(&loop->lock);
}

void
vduse_loopback_regions_clear(struct vduse_loopback *loop)
{
	unsigned int asid;

	pthread_mutex_lock(&loop->lock);
	for (asid = 0; asid < VDUSE_ASID_MAX; asid++)
		free(loop->spaces[asid].regions);
	memset(loop->spaces, 0, sizeof(loop->spaces));
	pthread_mutex_unlock(&loop->lock);
}

void
vduse_loopback_set_features(struct vduse_loopback *loop, uint64_t features)
{
	pthread_mutex_lock(&loop->lock);
	loop->features = features;
	pthread_mutex_unlock(&loop->lock);
}

void
vduse_loopback_set_vq(struct vduse_loopback *loop, uint16_t index, const struct vduse_vq_info *info)
{
	pthread_mutex_lock(&loop->lock);
	loop->vqs[index] = *info;
	pthread_mutex_unlock(&loop->lock);
}

void
vduse_loopback_refuse(struct vduse_loopback *loop, enum vduse_loopback_op op, int err)
{
	pthread_mutex_lock(&loop->lock);
	loop->refuse[op] = err;
	pthread_mutex_unlock(&loop->lock);
}

void
vduse_loopback_leave(struct vduse_loopback *loop, const struct rte_vduse_left *left)
{
	loop->left = true;
	if (left != NULL)
		loop->found = *left;
}

void
vduse_loopback_vq_size_max(struct vduse_loopback *loop, uint16_t size)
{
	loop->vq_size_max = size;
}

uint64_t
vduse_loopback_calls(struct vduse_loopback *loop, uint16_t index)
{
	/* Acquire: pairs with the release in loopback_vq_call(). */
	return rte_atomic_load_explicit(&loop->calls[index], rte_memory_order_acquire);
}

uint64_t
vduse_loopback_config_changes(struct vduse_loopback *loop)
{
	uint64_t changes;

	pthread_mutex_lock(&loop->lock);
	changes = loop->config_changes;
	pthread_mutex_unlock(&loop->lock);
	return changes;
}

void
vduse_loopback_call_takes(struct vduse_loopback *loop, unsigned int us)
{
	loop->call_us = us;
}

void
vduse_loopback_driver_is_kernel(struct vduse_loopback *loop, bool is)
{
	loop->kernel_driver = is;
}

void
vduse_loopback_call_sleeps(struct vduse_loopback *loop, unsigned int us)
{
	loop->call_sleep_us = us;
}

void
vduse_loopback_call_hold(struct vduse_loopback *loop, bool hold)
{
	rte_atomic_store_explicit(&loop->call_hold, hold, rte_memory_order_relaxed);
}

bool
vduse_loopback_call_held(struct vduse_loopback *loop)
{
	return rte_atomic_load_explicit(&loop->call_held, rte_memory_order_relaxed);
}

bool
vduse_loopback_called_here(struct vduse_loopback *loop)
{
	return pthread_equal(rte_atomic_load_explicit(&loop->caller, rte_memory_order_relaxed),
			     pthread_self()) != 0;
}

uint64_t
vduse_loopback_walks(struct vduse_loopback *loop)
{
	uint64_t walks;

	pthread_mutex_lock(&loop->lock);
	walks = loop->walks;
	pthread_mutex_unlock(&loop->lock);
	return walks;
}

int
vduse_loopback_kick_fd(struct vduse_loopback *loop, uint16_t index)
{
	int fd;

	pthread_mutex_lock(&loop->lock);
	fd = loop->kick_fds[index];
	pthread_mutex_unlock(&loop->lock);
	return fd;
}

void
vduse_loopback_config(struct vduse_loopback *loop, uint32_t offset, void *data, uint32_t len)
{
	pthread_mutex_lock(&loop->lock);
	memcpy(data, loop->config + offset, len);
	pthread_mutex_unlock(&loop->lock);
}

static int
loopback_left(const char *path, void *priv, struct rte_vduse_left *left)
{
	const struct vduse_loopback *loop = priv;

	RTE_SET_USED(path);
	*left = loop->found;
	return loop->left && left->features != 0 ? 0 : -ENOENT;
}

static int
loopback_create(struct rte_vduse_dev *dev, const struct rte_vduse_dev_conf *conf)
{
	struct vduse_loopback *loop = dev->transport_priv;

	if (conf->nb_vqs > LOOPBACK_VQS || conf->config_size > LOOPBACK_CONFIG)
		return -EINVAL;
	/* The kernel keeps the configuration of a device that a dead process left. */
	if (!loop->left)
		memcpy(loop->config, conf->config, conf->config_size);
	dev->taken_over = loop->left;
	if (conf->ctrl_vqs > 0)
		dev->nb_spaces = VDUSE_ASID_MAX;
	if (loop->left && vduse_state_take_groups(dev) < 0)
		return -EEXIST;
	if (loop->vq_size_max != 0)
		dev->vq_size_max = loop->vq_size_max;
	dev->fd = loop->sock[1];
	return 0;
}

static void
loopback_destroy(struct rte_vduse_dev *dev)
{
	dev->fd = -1; /* vduse_loopback_free() closes it */
}

static int
loopback_recv(struct rte_vduse_dev *dev, struct vduse_dev_request *req)
{
	ssize_t n = recv(dev->fd, req, sizeof(*req), MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	return n == sizeof(*req) ? 0 : -EIO;
}

static int
loopback_reply(struct rte_vduse_dev *dev, const struct vduse_dev_response *resp)
{
	return send(dev->fd, resp, sizeof(*resp), MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static int
loopback_region(struct rte_vduse_dev *dev, uint32_t asid, uint64_t from,
		struct vduse_file_region *region)
{
	struct vduse_loopback *loop = dev->transport_priv;
	struct loopback_space *space = &loop->spaces[asid];
	unsigned int i;
	int ret = -ENOENT;

	pthread_mutex_lock(&loop->lock);
	if (from == 0) {
		loop->walks++;
		space->next = 0;
	}
	i = space->next;
	while (i < space->nb && space->regions[i].last < from)
		i++;
	if (i < space->nb) {
		*region = space->regions[i];
		region->fd = fcntl(region->fd, F_DUPFD_CLOEXEC, 0);
		ret = region->fd < 0 ? -errno : 0;
		space->next = i + 1;
	}
	pthread_mutex_unlock(&loop->lock);
	return ret;
}

static int
loopback_umem(struct rte_vduse_dev *dev, bool add, void *va, uint64_t iova, uint64_t size)
{
	RTE_SET_USED(dev);
	RTE_SET_USED(add);
	RTE_SET_USED(va);
	RTE_SET_USED(iova);
	RTE_SET_USED(size);
	return -ENOTSUP;
}

static int
loopback_features(struct rte_vduse_dev *dev, uint64_t *features)
{
	struct vduse_loopback *loop = dev->transport_priv;

	pthread_mutex_lock(&loop->lock);
	*features = loop->features;
	pthread_mutex_unlock(&loop->lock);
	return 0;
}

static int
loopback_vq_setup(struct rte_vduse_dev *dev, uint16_t index, uint16_t max_size)
{
	struct vduse_loopback *loop = dev->transport_priv;

	RTE_SET_USED(max_size);
	/* Only the last one fails, so that the ones before it have to be undone. */
	return index + 1 < dev->nb_vqs ? 0 : loop->refuse[VDUSE_LOOPBACK_VQ_SETUP];
}

static int
loopback_vq_info(struct rte_vduse_dev *dev, uint16_t index, struct vduse_vq_info *info)
{
	struct vduse_loopback *loop = dev->transport_priv;

	pthread_mutex_lock(&loop->lock);
	*info = loop->vqs[index];
	pthread_mutex_unlock(&loop->lock);
	return 0;
}

static int
loopback_vq_kick_fd(struct rte_vduse_dev *dev, uint16_t index, int fd)
{
	struct vduse_loopback *loop = dev->transport_priv;
	int ret;

	pthread_mutex_lock(&loop->lock);
	ret = fd < 0 ? 0 : loop->refuse[VDUSE_LOOPBACK_KICK_FD];
	if (ret == 0)
		loop->kick_fds[index] = fd;
	pthread_mutex_unlock(&loop->lock);
	return ret;
}

static bool
loopback_driver_is_kernel(const struct rte_vduse_dev *dev)
{
	const struct vduse_loopback *loop = dev->transport_priv;

	return loop->kernel_driver;
}

/* Uses so much time of a processor, however often this thread loses it meanwhile. */
static void
loopback_work(unsigned int us)
{
	uint64_t begin = vduse_thread_ns();

	while (vduse_thread_ns() - begin < (uint64_t)us * VDUSE_NS_PER_US)
		;
}

static int
loopback_vq_call(struct rte_vduse_dev *dev, uint16_t index)
{
	struct vduse_loopback *loop = dev->transport_priv;

	if (loop->call_us > 0)
		loopback_work(loop->call_us);
	if (loop->call_sleep_us > 0)
		rte_delay_us_sleep(loop->call_sleep_us);
	while (rte_atomic_load_explicit(&loop->call_hold, rte_memory_order_relaxed)) {
		rte_atomic_store_explicit(&loop->call_held, true, rte_memory_order_relaxed);
		rte_delay_us_sleep(100);
	}
	rte_atomic_store_explicit(&loop->call_held, false, rte_memory_order_relaxed);
	rte_atomic_store_explicit(&loop->caller, pthread_self(), rte_memory_order_relaxed);
	/* Release: caller is written before; pairs with vduse_loopback_calls(). */
	rte_atomic_fetch_add_explicit(&loop->calls[index], 1, rte_memory_order_release);
	return 0;
}

static int
loopback_config_set(struct rte_vduse_dev *dev, uint32_t offset, const void *data, uint32_t len)
{
	struct vduse_loopback *loop = dev->transport_priv;

	pthread_mutex_lock(&loop->lock);
	memcpy(loop->config + offset, data, len);
	pthread_mutex_unlock(&loop->lock);
	return 0;
}

static int
loopback_config_call(struct rte_vduse_dev *dev)
{
	struct vduse_loopback *loop = dev->transport_priv;
	int ret;

	pthread_mutex_lock(&loop->lock);
	ret = loop->refuse[VDUSE_LOOPBACK_CONFIG_CALL];
	if (ret == 0)
		loop->config_changes++;
	pthread_mutex_unlock(&loop->lock);
	return ret;
}

const struct vduse_transport_ops vduse_transport_loopback = {
	.left = loopback_left,
	.create = loopback_create,
	.destroy = loopback_destroy,
	.recv = loopback_recv,
	.reply = loopback_reply,
	.region = loopback_region,
	.umem = loopback_umem,
	.features = loopback_features,
	.vq_setup = loopback_vq_setup,
	.vq_info = loopback_vq_info,
	.vq_kick_fd = loopback_vq_kick_fd,
	.vq_call = loopback_vq_call,
	.driver_is_kernel = loopback_driver_is_kernel,
	.config_set = loopback_config_set,
	.config_call = loopback_config_call,
	.writes_config = true,
	.shares_paths = true,
};
