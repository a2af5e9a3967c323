/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * What a VDUSE device has no use for: the log of dirty pages, hardware vDPA devices, crypto.
 * Calls for a path or id of ours end here, others go on to librte_vhost. On the application's
 * threads.
 */
#include <errno.h>

#include <vhost/path.h>
#include <vhost/vhost.h>

/* The kernel does not ask which pages were written. */
void
rte_vhost_log_write(int vid, uint64_t addr, uint64_t len)
{
	if (vhost_dev_get(vid) == NULL)
		VHOST_REAL(log_write, (void)0, vid, addr, len);
}

void
rte_vhost_log_used_vring(int vid, uint16_t vring_idx, uint64_t offset, uint64_t len)
{
	if (vhost_dev_get(vid) == NULL)
		VHOST_REAL(log_used_vring, (void)0, vid, vring_idx, offset, len);
}

int
rte_vhost_get_log_base(int vid, uint64_t *log_base, uint64_t *log_size)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(get_log_base, -ENOTSUP, vid, log_base, log_size);
	if (log_base == NULL || log_size == NULL)
		return -1;
	*log_base = 0;
	*log_size = 0;
	return 0;
}

struct rte_vdpa_device *
rte_vhost_get_vdpa_device(int vid)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(get_vdpa_device, NULL, vid);
	return NULL;
}

int
rte_vhost_driver_attach_vdpa_device(const char *path, struct rte_vdpa_device *dev)
{
	if (!vhost_path_is_ours(path))
		return VHOST_REAL(driver_attach_vdpa_device, -ENOTSUP, path, dev);
	return -1;
}

int
rte_vhost_driver_detach_vdpa_device(const char *path)
{
	if (!vhost_path_is_ours(path))
		return VHOST_REAL(driver_detach_vdpa_device, -ENOTSUP, path);
	return -1;
}

struct rte_vdpa_device *
rte_vhost_driver_get_vdpa_device(const char *path)
{
	if (!vhost_path_is_ours(path))
		return VHOST_REAL(driver_get_vdpa_device, NULL, path);
	return NULL;
}

int
rte_vhost_driver_get_vdpa_dev_type(const char *path, uint32_t *type)
{
	if (!vhost_path_is_ours(path))
		return VHOST_REAL(driver_get_vdpa_dev_type, -ENOTSUP, path, type);
	return -1;
}

int
rte_vhost_crypto_driver_start(const char *path)
{
	if (!vhost_path_is_ours(path))
		return VHOST_REAL(crypto_driver_start, -ENOTSUP, path);
	return -1;
}
