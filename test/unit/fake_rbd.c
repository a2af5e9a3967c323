/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See fake_rbd.h. Thread: any; operations are finished by two of its own. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rados/librados.h>
#include <rbd/librbd.h>

#include "fake_rbd.h"

enum fake_kind { FAKE_READ, FAKE_WRITE, FAKE_FLUSH, FAKE_ZERO };

/* A completion, and from the call on its operation. */
struct fake_op {
	struct fake_op *next;
	void *arg;
	rbd_callback_t callback;
	enum fake_kind kind;
	const struct iovec *iov;
	int nb_iov;
	uint64_t offset, len;
	ssize_t result;
};

struct fake_rbd fake_rbd = { .lock = PTHREAD_MUTEX_INITIALIZER, .size = FAKE_RBD_SIZE };

static pthread_cond_t fake_work = PTHREAD_COND_INITIALIZER;
static pthread_t fake_threads[2];
static struct fake_op *fake_ops;
static bool fake_ends;
static unsigned int fake_seed = 1;

/* Any of those that wait. */
static struct fake_op *
fake_pick(void)
{
	unsigned int nth = (unsigned int)rand_r(&fake_seed) % fake_rbd.in_flight;
	struct fake_op **at = &fake_ops, *op;

	while (nth-- > 0 && (*at)->next != NULL)
		at = &(*at)->next;
	op = *at;
	*at = op->next;
	return op;
}

static void
fake_copy(const struct fake_op *op)
{
	uint8_t *at = fake_rbd.data + op->offset;
	int i;

	for (i = 0; i < op->nb_iov; i++) {
		if (op->kind == FAKE_READ)
			memcpy(op->iov[i].iov_base, at, op->iov[i].iov_len);
		else
			memcpy(at, op->iov[i].iov_base, op->iov[i].iov_len);
		at += op->iov[i].iov_len;
	}
}

static ssize_t
fake_do(const struct fake_op *op)
{
	if (op->offset + op->len > fake_rbd.size)
		return op->kind == FAKE_READ ? 0 : -EINVAL;
	if (fake_rbd.fail > 0) {
		fake_rbd.fail--;
		return fake_rbd.fail_error;
	}
	switch (op->kind) {
	case FAKE_READ:
		fake_copy(op);
		if (fake_rbd.cut == 0)
			return (ssize_t)op->len;
		fake_rbd.cut--;
		return (ssize_t)op->len - 1;
	case FAKE_WRITE:
		fake_copy(op);
		return 0;
	case FAKE_ZERO:
		memset(fake_rbd.data + op->offset, 0, op->len);
		return 0;
	default:
		fake_rbd.flushes++;
		memcpy(fake_rbd.stable, fake_rbd.data, sizeof(fake_rbd.stable));
		return 0;
	}
}

static void *
fake_main(void *arg)
{
	struct fake_op *op;

	pthread_mutex_lock(&fake_rbd.lock);
	while (!fake_ends) {
		if (fake_ops == NULL || fake_rbd.hold) {
			pthread_cond_wait(&fake_work, &fake_rbd.lock);
			continue;
		}
		op = fake_pick();
		op->result = fake_do(op);
		fake_rbd.in_flight--;
		pthread_mutex_unlock(&fake_rbd.lock);
		op->callback(op, op->arg);
		pthread_mutex_lock(&fake_rbd.lock);
		fake_rbd.called_back++;
	}
	pthread_mutex_unlock(&fake_rbd.lock);
	return arg;
}

void
fake_rbd_start(void)
{
	unsigned int i;

	fake_ends = false;
	for (i = 0; i < 2; i++)
		if (pthread_create(&fake_threads[i], NULL, fake_main, NULL) != 0)
			abort();
}

void
fake_rbd_stop(void)
{
	unsigned int i;

	pthread_mutex_lock(&fake_rbd.lock);
	fake_ends = true;
	pthread_cond_broadcast(&fake_work);
	pthread_mutex_unlock(&fake_rbd.lock);
	for (i = 0; i < 2; i++)
		pthread_join(fake_threads[i], NULL);
}

void
fake_rbd_hold(bool hold)
{
	pthread_mutex_lock(&fake_rbd.lock);
	fake_rbd.hold = hold;
	pthread_cond_broadcast(&fake_work);
	pthread_mutex_unlock(&fake_rbd.lock);
}

int
rbd_aio_create_completion(void *arg, rbd_callback_t callback, rbd_completion_t *completion)
{
	struct fake_op *op = calloc(1, sizeof(*op));

	if (op == NULL)
		return -ENOMEM;
	op->arg = arg;
	op->callback = callback;
	*completion = op;
	__atomic_add_fetch(&fake_rbd.completions, 1, __ATOMIC_RELAXED);
	return 0;
}

void
rbd_aio_release(rbd_completion_t completion)
{
	free(completion);
	__atomic_sub_fetch(&fake_rbd.completions, 1, __ATOMIC_RELAXED);
}

ssize_t
rbd_aio_get_return_value(rbd_completion_t completion)
{
	return ((struct fake_op *)completion)->result;
}

static int
fake_take(rbd_completion_t completion, enum fake_kind kind, uint64_t offset, uint64_t len)
{
	struct fake_op *op = completion;
	int ret = 0;

	op->kind = kind;
	op->offset = offset;
	op->len = len;
	pthread_mutex_lock(&fake_rbd.lock);
	if (fake_rbd.refuse > 0) {
		fake_rbd.refuse--;
		ret = fake_rbd.refuse_error;
	} else {
		op->next = fake_ops;
		fake_ops = op;
		fake_rbd.in_flight++;
		if (fake_rbd.in_flight > fake_rbd.most)
			fake_rbd.most = fake_rbd.in_flight;
		pthread_cond_broadcast(&fake_work);
	}
	pthread_mutex_unlock(&fake_rbd.lock);
	return ret;
}

static int
fake_vector(enum fake_kind kind, const struct iovec *iov, int nb, uint64_t offset,
	    rbd_completion_t completion)
{
	struct fake_op *op = completion;
	uint64_t len = 0;
	int i;

	for (i = 0; i < nb; i++)
		len += iov[i].iov_len;
	op->iov = iov;
	op->nb_iov = nb;
	return fake_take(completion, kind, offset, len);
}

int
rbd_aio_readv(rbd_image_t image, const struct iovec *iov, int nb, uint64_t offset,
	      rbd_completion_t completion)
{
	(void)image;
	return fake_vector(FAKE_READ, iov, nb, offset, completion);
}

int
rbd_aio_writev(rbd_image_t image, const struct iovec *iov, int nb, uint64_t offset,
	       rbd_completion_t completion)
{
	(void)image;
	return fake_vector(FAKE_WRITE, iov, nb, offset, completion);
}

int
rbd_aio_flush(rbd_image_t image, rbd_completion_t completion)
{
	(void)image;
	return fake_take(completion, FAKE_FLUSH, 0, 0);
}

int
rbd_aio_discard(rbd_image_t image, uint64_t offset, uint64_t len, rbd_completion_t completion)
{
	(void)image;
	return fake_take(completion, FAKE_ZERO, offset, len);
}

int
rbd_aio_write_zeroes(rbd_image_t image, uint64_t offset, size_t len, rbd_completion_t completion,
		     int zero_flags, int op_flags)
{
	(void)image;
	if ((zero_flags & ~RBD_WRITE_ZEROES_FLAG_THICK_PROVISION) != 0 || op_flags != 0)
		return -EINVAL;
	return fake_take(completion, FAKE_ZERO, offset, len);
}

int
rbd_open(rados_ioctx_t io, const char *name, rbd_image_t *image, const char *snap_name)
{
	(void)io;
	if (snap_name != NULL || fake_rbd.open_error != 0)
		return fake_rbd.open_error;
	if (strcmp(name, "image") != 0)
		return -ENOENT;
	*image = &fake_rbd;
	fake_rbd.images++;
	return 0;
}

int
rbd_open_read_only(rados_ioctx_t io, const char *name, rbd_image_t *image, const char *snap_name)
{
	return rbd_open(io, name, image, snap_name);
}

int
rbd_close(rbd_image_t image)
{
	(void)image;
	fake_rbd.images--;
	return 0;
}

int
rbd_get_size(rbd_image_t image, uint64_t *size)
{
	(void)image;
	*size = fake_rbd.size;
	return 0;
}

int
rbd_stat(rbd_image_t image, rbd_image_info_t *info, size_t size)
{
	(void)image;
	memset(info, 0, size);
	info->size = fake_rbd.size;
	info->obj_size = UINT64_C(4) << 20;
	return 0;
}

int
rbd_get_features(rbd_image_t image, uint64_t *features)
{
	(void)image;
	*features = fake_rbd.features;
	return 0;
}

int
rbd_get_id(rbd_image_t image, char *id, size_t size)
{
	(void)image;
	return snprintf(id, size, "1") < 0;
}

int
rbd_lock_acquire(rbd_image_t image, rbd_lock_mode_t mode)
{
	(void)image;
	if (mode != RBD_LOCK_MODE_EXCLUSIVE || fake_rbd.owner[0] != '\0')
		return -EROFS;
	strcpy(fake_rbd.owner, FAKE_RBD_SELF);
	return 0;
}

int
rbd_lock_release(rbd_image_t image)
{
	(void)image;
	fake_rbd.owner[0] = '\0';
	return 0;
}

int
rbd_lock_break(rbd_image_t image, rbd_lock_mode_t mode, const char *owner)
{
	(void)image;
	if (mode != RBD_LOCK_MODE_EXCLUSIVE || strcmp(owner, fake_rbd.owner) != 0)
		return -EBUSY;
	fake_rbd.owner[0] = '\0';
	fake_rbd.broken++;
	return 0;
}

int
rbd_lock_get_owners(rbd_image_t image, rbd_lock_mode_t *mode, char **owners, size_t *nb)
{
	(void)image;
	if (fake_rbd.owner[0] == '\0')
		return -ENOENT;
	*mode = RBD_LOCK_MODE_EXCLUSIVE;
	owners[0] = strdup(fake_rbd.owner);
	*nb = 1;
	return 0;
}

void
rbd_lock_get_owners_cleanup(char **owners, size_t nb)
{
	while (nb-- > 0)
		free(owners[nb]);
}

int
rados_create(rados_t *cluster, const char *const id)
{
	(void)id;
	*cluster = &fake_rbd;
	fake_rbd.clusters++;
	return 0;
}

void
rados_shutdown(rados_t cluster)
{
	(void)cluster;
	fake_rbd.clusters--;
}

int
rados_conf_read_file(rados_t cluster, const char *path)
{
	(void)cluster;
	return path != NULL && strcmp(path, "/nowhere") == 0 ? -ENOENT : 0;
}

int
rados_conf_set(rados_t cluster, const char *option, const char *value)
{
	(void)cluster;
	return strcmp(option, "rados_osd_op_timeout") == 0 && atoi(value) <= 0 ? -EINVAL : 0;
}

int
rados_connect(rados_t cluster)
{
	(void)cluster;
	return fake_rbd.connect_error;
}

int
rados_ioctx_create(rados_t cluster, const char *pool, rados_ioctx_t *io)
{
	(void)cluster;
	if (strcmp(pool, "pool") != 0)
		return -ENOENT;
	*io = &fake_rbd;
	fake_rbd.pools++;
	return 0;
}

void
rados_ioctx_destroy(rados_ioctx_t io)
{
	(void)io;
	fake_rbd.pools--;
}

void
rados_ioctx_set_namespace(rados_ioctx_t io, const char *space)
{
	(void)io;
	(void)space;
}

int64_t
rados_ioctx_get_id(rados_ioctx_t io)
{
	(void)io;
	return 1;
}

int
rados_cluster_fsid(rados_t cluster, char *fsid, size_t size)
{
	(void)cluster;
	return snprintf(fsid, size, "00000000-0000-0000-0000-000000000001") < 0;
}
