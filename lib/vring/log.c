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

/*
 * Marks bytes of a ring. area: the address that stands for it in the log, unless addresses have no
 * bits. va: where it is in this process.
 */
static void
log_ring(const struct vring_vq *vq, uint64_t area, const void *va, uint64_t offset, uint64_t len)
{
	if (vq->log->by_va)
		vring_log_va(vq, (const uint8_t *)va + offset, len);
	else
		vring_log_mark(vq->log, area + offset, len);
}

void
vring_log_notify(const struct vring_vq *vq)
{
	if (vq->ops == &vring_packed_ops) {
		log_ring(vq, vq->log_used, vq->packed.device_event, 0,
			 sizeof(struct vring_packed_desc_event));
		return;
	}
	/* The flags before the entries, and avail_event after them. */
	log_ring(vq, vq->log_used, vq->used, 0, offsetof(struct vring_used, ring));
	log_ring(vq, vq->log_used, vq->used,
		 offsetof(struct vring_used, ring) + vq->size * sizeof(struct vring_used_elem),
		 sizeof(uint16_t));
}

/* A table of entries in a ring. */
struct log_table {
	uint64_t area; /* as for log_ring() */
	const void *va;
	uint64_t offset;
	uint64_t entry; /* bytes of an entry */
};

/* Marks entries of a table, from one to before another, which may be after a wrap. */
static void
log_entries(const struct vring_vq *vq, const struct log_table *table, uint32_t from, uint32_t to)
{
	uint64_t entry = table->entry;

	if (from < to) {
		log_ring(vq, table->area, table->va, table->offset + from * entry,
			 (to - from) * entry);
		return;
	}
	log_ring(vq, table->area, table->va, table->offset + from * entry,
		 (vq->size - from) * entry);
	log_ring(vq, table->area, table->va, table->offset, to * entry);
}

bool
vring_log_publish(struct vring_vq *vq)
{
	uint16_t from = vq->ops->published(vq), to;
	bool call = vq->ops->publish(vq);

	to = vq->ops->published(vq);
	if (from == to)
		return call;
	if (vq->ops == &vring_packed_ops) {
		const struct log_table descs = { vq->layout.desc, vq->packed.desc, 0,
						 sizeof(struct vring_packed_desc) };

		log_entries(vq, &descs, from & VRING_PACKED_INDEX, to & VRING_PACKED_INDEX);
	} else {
		const struct log_table used = { vq->log_used, vq->used,
						offsetof(struct vring_used, ring),
						sizeof(struct vring_used_elem) };

		log_entries(vq, &used, from & vq->mask, to & vq->mask);
	}
	vring_log_notify(vq);
	return call;
}
