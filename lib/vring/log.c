/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Marks what the device writes in the dirty log: the buffers of used chains, used entries, and the
 * area that tells the driver when to kick.
 * Input: chains, positions of a ring. Output: bits of the log.
 * Thread: the one that holds the virtqueue.
 */
#include <rte_common.h>

#include <rte_vduse_compat.h>
#include <vring/log.h>
#include <vring/packed.h>
#include <vring/split.h>
#include <vring/vring.h>

void
vring_log_mark(const struct vring_log *log, uint64_t iova, uint64_t len)
{
	uint64_t page = iova / VRING_LOG_PAGE, last;

	if (len == 0 || page >= log->nb_pages)
		return;
	last = (iova + RTE_MIN(len - 1, UINT64_MAX - iova)) / VRING_LOG_PAGE;
	last = RTE_MIN(last, log->nb_pages - 1);
	/*
	 * Release: pairs with the front end, which clears the bits in an atomic exchange and then
	 * copies the pages. A bit that is set already is set again: a load could be done before
	 * the bytes are visible, and the front end could clear the bit and copy in between.
	 */
	for (; page <= last; page++)
		rte_atomic_fetch_or_explicit(&log->bits[page / 8], (uint8_t)(1u << page % 8),
					     rte_memory_order_release);
}

void
vring_log_va(const struct vring_vq *vq, const void *va, uint64_t len)
{
	if (vq->log != NULL)
		vq->log->mark_va(vq->log, vq->mem.arg, va, len);
}

void
vring_log_chains(const struct vring_vq *vq, const struct rte_vduse_chain *chains, uint16_t nb)
{
	uint16_t i, n;

	for (i = 0; i < nb; i++) {
		const struct rte_vduse_chain *chain = &chains[i];
		uint64_t left = vq->writes_used ? chain->used_len : UINT64_MAX;

		if (chain->bufs == NULL)
			continue;
		for (n = 0; n < chain->nb_in && left > 0; n++) {
			const struct rte_vduse_buf *buf = &chain->bufs[chain->nb_out + n];
			uint64_t len = RTE_MIN(left, (uint64_t)buf->len);

			vring_log_va(vq, buf->va, len);
			left -= len;
		}
	}
}

void
vring_log_notify(const struct vring_vq *vq)
{
	if (vq->ops == &vring_packed_ops) {
		vring_log_mark(vq->log, vq->log_used, sizeof(struct vring_packed_desc_event));
		return;
	}
	/* The flags before the entries, and avail_event after them. */
	vring_log_mark(vq->log, vq->log_used, offsetof(struct vring_used, ring));
	vring_log_mark(vq->log,
		       vq->log_used + offsetof(struct vring_used, ring) +
			       vq->size * sizeof(struct vring_used_elem),
		       sizeof(uint16_t));
}

/* Marks entries of a table in the ring, from one to before another, which may be after a wrap. */
static void
log_entries(const struct vring_vq *vq, uint64_t table, uint64_t entry, uint32_t from, uint32_t to)
{
	if (from < to) {
		vring_log_mark(vq->log, table + from * entry, (to - from) * entry);
		return;
	}
	vring_log_mark(vq->log, table + from * entry, (vq->size - from) * entry);
	vring_log_mark(vq->log, table, to * entry);
}

bool
vring_log_publish(struct vring_vq *vq)
{
	uint16_t from = vq->ops->published(vq), to;
	bool call = vq->ops->publish(vq);

	to = vq->ops->published(vq);
	if (from == to)
		return call;
	if (vq->ops == &vring_packed_ops)
		log_entries(vq, vq->layout.desc, sizeof(struct vring_packed_desc),
			    from & VRING_PACKED_INDEX, to & VRING_PACKED_INDEX);
	else
		log_entries(vq, vq->log_used + offsetof(struct vring_used, ring),
			    sizeof(struct vring_used_elem), from & vq->mask, to & vq->mask);
	vring_log_notify(vq);
	return call;
}
