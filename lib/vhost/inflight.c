/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Requests in flight, which a state file would keep. For devices of ours there is none yet:
 * every call says so. Ids that are not ours go on to librte_vhost. On the application's threads.
 */
#include <errno.h>

#include "vhost.h"

int
rte_vhost_get_vhost_ring_inflight(int vid, uint16_t vring_idx,
				  struct rte_vhost_ring_inflight *vring)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(get_vhost_ring_inflight, -ENOTSUP, vid, vring_idx, vring);
	return -ENOTSUP;
}

int
rte_vhost_set_inflight_desc_split(int vid, uint16_t vring_idx, uint16_t idx)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(set_inflight_desc_split, -ENOTSUP, vid, vring_idx, idx);
	return -ENOTSUP;
}

int
rte_vhost_set_inflight_desc_packed(int vid, uint16_t vring_idx, uint16_t head, uint16_t last,
				   uint16_t *inflight_entry)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(set_inflight_desc_packed, -ENOTSUP, vid, vring_idx, head, last,
				  inflight_entry);
	return -ENOTSUP;
}

int
rte_vhost_set_last_inflight_io_split(int vid, uint16_t vring_idx, uint16_t idx)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(set_last_inflight_io_split, -ENOTSUP, vid, vring_idx, idx);
	return -ENOTSUP;
}

int
rte_vhost_set_last_inflight_io_packed(int vid, uint16_t vring_idx, uint16_t head)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(set_last_inflight_io_packed, -ENOTSUP, vid, vring_idx, head);
	return -ENOTSUP;
}

int
rte_vhost_clr_inflight_desc_split(int vid, uint16_t vring_idx, uint16_t last_used_idx, uint16_t idx)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(clr_inflight_desc_split, -ENOTSUP, vid, vring_idx,
				  last_used_idx, idx);
	return -ENOTSUP;
}

int
rte_vhost_clr_inflight_desc_packed(int vid, uint16_t vring_idx, uint16_t head)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(clr_inflight_desc_packed, -ENOTSUP, vid, vring_idx, head);
	return -ENOTSUP;
}

int
rte_vhost_get_vring_base_from_inflight(int vid, uint16_t queue_id, uint16_t *last_avail_idx,
				       uint16_t *last_used_idx)
{
	if (vhost_dev_get(vid) == NULL)
		return VHOST_REAL(get_vring_base_from_inflight, -ENOTSUP, vid, queue_id,
				  last_avail_idx, last_used_idx);
	return -ENOTSUP;
}
