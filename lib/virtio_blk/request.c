/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Parses requests (VIRTIO 1.2, section 5.2.6). Descriptors may split the bytes anywhere: the first
 * 16 readable bytes are the header, the last writable one is the status, data is in between. The
 * driver is not trusted: all is copied once, checked, then used.
 * Input: a popped chain. Output: an operation for the backend, or the status to answer.
 * Thread: polling.
 */
#include <string.h>

#include <rte_byteorder.h>
#include <rte_vduse_compat.h>

#include <virtio_blk/blk.h>
#include <virtio_blk/trace.h>

#define REQUEST_HEADER ((uint32_t)sizeof(struct virtio_blk_outhdr))
#define REQUEST_RANGE  ((uint32_t)sizeof(struct virtio_blk_discard_write_zeroes))

static_assert(sizeof(struct iovec) == REQUEST_RANGE, "ranges use the memory of vectors");

uint32_t
vblk_request_used(const struct vblk_request *request, uint32_t len)
{
	const struct rte_vduse_chain *chain = &request->chain;

	/* The status is the last byte: included only if all bytes before it were written. */
	return len == chain->in_len - 1 ? chain->in_len : len;
}

bool
vblk_request_init(struct vblk_request *request, const struct rte_vduse_chain *chain)
{
	const struct rte_vduse_buf *last;

	if (unlikely(chain->nb_in == 0))
		return false;
	/* No piece is empty. */
	last = &chain->bufs[chain->nb_out + chain->nb_in - 1];
	request->status = last->va + last->len - 1;
	request->chain = *chain;
	request->chain.bufs = NULL;
	request->room = NULL;
	request->left = 0;
	request->nb_left = 0;
	request->nb_ranges = 0;
	request->next_range = 0;
	request->io.iov = request->iov;
	request->busy = true;
	request->finished = false;
	request->held = false;
	return true;
}

/* Copies len readable bytes of a chain, from an offset on; the chain has them. */
static void
request_copy(const struct rte_vduse_chain *chain, uint32_t offset, void *to, uint32_t len)
{
	const struct rte_vduse_buf *buf = chain->bufs;
	uint8_t *at = to;

	for (; len > 0; buf++) {
		uint32_t over = RTE_MIN(offset, buf->len), n = RTE_MIN(len, buf->len - over);

		memcpy(at, buf->va + over, n);
		offset -= over;
		at += n;
		len -= n;
	}
	/* Keeps the compiler from reading driver memory again in place of the copy. */
	rte_compiler_barrier();
}

/* Makes vectors of len bytes of the pieces, from an offset on. Returns their number. */
static uint16_t
request_map(const struct rte_vduse_buf *buf, uint32_t offset, uint64_t len, struct iovec *iov)
{
	uint16_t n = 0;

	for (; len > 0; buf++) {
		uint32_t over = RTE_MIN(offset, buf->len);
		size_t size = (size_t)RTE_MIN(len, (uint64_t)buf->len - over);
		uint8_t *va = buf->va + over;

		offset -= over;
		len -= size;
		if (size == 0)
			continue;
		if (n > 0 && (uint8_t *)iov[n - 1].iov_base + iov[n - 1].iov_len == va) {
			iov[n - 1].iov_len += size;
			continue;
		}
		iov[n++] = (struct iovec){ .iov_base = va, .iov_len = size };
	}
	return n;
}

/* Whether nb sectors from sector on are on the disk; cannot overflow. */
static bool
request_on_disk(const struct rte_vduse_blk *blk, uint64_t sector, uint64_t nb)
{
	uint64_t capacity = rte_vduse_blk_capacity(blk);

	return sector <= capacity && nb <= capacity - sector;
}

/* Section 5.2.6.2: without a write cache, a completed write is on stable storage. */
static bool
request_is_through(const struct vblk_queue *queue)
{
	/* Relaxed: the driver made the request available after its config write was answered. */
	return queue->write_through ||
	       (queue->settable &&
		rte_atomic_load_explicit(&queue->blk->no_cache, rte_memory_order_relaxed));
}

/* IN and OUT. */
static uint8_t
request_data(struct vblk_queue *queue, struct vblk_request *request,
	     const struct rte_vduse_chain *chain, uint64_t sector, bool *done)
{
	bool write = request->type == VIRTIO_BLK_T_OUT;
	/* There must be no data of the other direction. */
	uint32_t other = write ? chain->in_len - 1 : chain->out_len - REQUEST_HEADER;
	uint32_t len = write ? chain->out_len - REQUEST_HEADER : chain->in_len - 1;
	struct rte_vduse_blk_io *io = &request->io;

	if (unlikely(other != 0 || len % RTE_VDUSE_BLK_SECTOR != 0))
		return VIRTIO_BLK_S_IOERR;
	if (unlikely(!request_on_disk(queue->blk, sector, len / RTE_VDUSE_BLK_SECTOR)))
		return VIRTIO_BLK_S_IOERR;
	if (unlikely(write && queue->blk->read_only))
		return VIRTIO_BLK_S_IOERR;
	*done = len == 0;
	io->op = write ? RTE_VDUSE_BLK_WRITE : RTE_VDUSE_BLK_READ;
	io->fua = write && request_is_through(queue);
	io->offset = sector * RTE_VDUSE_BLK_SECTOR;
	io->len = len;
	if (unlikely((write ? chain->nb_out : chain->nb_in) > queue->blk->iov_max))
		vblk_part_take(queue, request);
	if (write) {
		request->chain.used_len = 1;
		io->nb_iov = request_map(chain->bufs, REQUEST_HEADER, len, io->iov);
	} else {
		request->chain.used_len = chain->in_len;
		io->nb_iov = request_map(chain->bufs + chain->nb_out, 0, len, io->iov);
	}
	if (likely(request->io.len <= VBLK_PART_BYTES && request->io.nb_iov <= VBLK_PART_IOV))
		return VIRTIO_BLK_S_OK;
	return vblk_part_split(queue, request);
}

/* GET_ID: the serial number, padded with NUL, cut to the driver's buffer. */
static uint8_t
request_id(const struct vblk_queue *queue, struct vblk_request *request,
	   const struct rte_vduse_chain *chain)
{
	char serial[RTE_VDUSE_BLK_SERIAL_MAX];
	struct iovec iov[RTE_VDUSE_BLK_SERIAL_MAX];
	uint32_t len = RTE_MIN(chain->in_len - 1, (uint32_t)sizeof(serial)), at = 0;
	uint16_t nb, i;

	vblk_serial_get(&queue->blk->serial, serial);
	nb = request_map(chain->bufs + chain->nb_out, 0, len, iov);
	for (i = 0; i < nb; i++) {
		memcpy(iov[i].iov_base, serial + at, iov[i].iov_len);
		vring_log_va(&queue->vq->ring, iov[i].iov_base, iov[i].iov_len);
		at += (uint32_t)iov[i].iov_len;
	}
	request->chain.used_len = vblk_request_used(request, len);
	return VIRTIO_BLK_S_OK;
}

/*
 * Whether a command with ranges is supported, negotiated and permitted. The driver of a device that
 * was taken over may have negotiated one that the backend does not support now.
 */
static uint8_t
request_permits(const struct vblk_queue *queue, uint32_t type)
{
	const struct rte_vduse_blk_limits *limits = &queue->blk->backend->limits;
	bool able = type == VIRTIO_BLK_T_DISCARD        ? limits->discard
		    : type == VIRTIO_BLK_T_WRITE_ZEROES ? limits->zero
							: limits->erase;
	unsigned int feature = type == VIRTIO_BLK_T_DISCARD        ? VIRTIO_BLK_F_DISCARD
			       : type == VIRTIO_BLK_T_WRITE_ZEROES ? VIRTIO_BLK_F_WRITE_ZEROES
								   : VIRTIO_BLK_F_SECURE_ERASE;

	if (queue->blk->read_only)
		return VIRTIO_BLK_S_IOERR;
	if (!able || (queue->vq->info.features & VBLK_BIT(feature)) == 0)
		return VIRTIO_BLK_S_UNSUPP;
	return VIRTIO_BLK_S_OK;
}

/* Section 5.2.6.2: unknown flags, and unmap except for WRITE_ZEROES, are unsupported. */
static uint8_t
request_range_check(const struct vblk_queue *queue, uint32_t type,
		    const struct virtio_blk_discard_write_zeroes *range)
{
	uint32_t flags = rte_le_to_cpu_32(range->flags), nb = rte_le_to_cpu_32(range->num_sectors);

	if (type == VIRTIO_BLK_T_WRITE_ZEROES)
		flags &= ~(uint32_t)VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP;
	if (flags != 0)
		return VIRTIO_BLK_S_UNSUPP;
	if (nb > VBLK_RANGE_SECTORS ||
	    !request_on_disk(queue->blk, rte_le_to_cpu_64(range->sector), nb))
		return VIRTIO_BLK_S_IOERR;
	return VIRTIO_BLK_S_OK;
}

bool
vblk_request_next_range(const struct vblk_queue *queue, struct vblk_request *request)
{
	struct rte_vduse_blk_io *io = &request->io;

	while (request->next_range < request->nb_ranges) {
		const struct virtio_blk_discard_write_zeroes *range =
			&request->ranges[request->next_range++];

		if (range->num_sectors == 0)
			continue;
		io->offset = rte_le_to_cpu_64(range->sector) * RTE_VDUSE_BLK_SECTOR;
		io->len = (uint64_t)rte_le_to_cpu_32(range->num_sectors) * RTE_VDUSE_BLK_SECTOR;
		io->unmap =
			(range->flags & rte_cpu_to_le_32(VIRTIO_BLK_WRITE_ZEROES_FLAG_UNMAP)) != 0;
		vblk_part_range(queue, request);
		return true;
	}
	return false;
}

/* DISCARD, WRITE_ZEROES and SECURE_ERASE: checks all ranges before it starts one. */
static uint8_t
request_ranges(struct vblk_queue *queue, struct vblk_request *request,
	       const struct rte_vduse_chain *chain, bool *done)
{
	uint32_t len = chain->out_len - REQUEST_HEADER, i;
	uint8_t status = request_permits(queue, request->type);

	if (status != VIRTIO_BLK_S_OK)
		return status;
	if (chain->in_len != 1 || len == 0 || len % REQUEST_RANGE != 0 ||
	    len / REQUEST_RANGE > VBLK_RANGES_MAX)
		return VIRTIO_BLK_S_IOERR;
	request->ranges = (void *)request->io.iov;
	request->nb_ranges = (uint16_t)(len / REQUEST_RANGE);
	request_copy(chain, REQUEST_HEADER, request->ranges, len);
	for (i = 0; i < request->nb_ranges && status == VIRTIO_BLK_S_OK; i++)
		status = request_range_check(queue, request->type, &request->ranges[i]);
	if (status != VIRTIO_BLK_S_OK)
		return status;
	request->io.op = request->type == VIRTIO_BLK_T_DISCARD        ? RTE_VDUSE_BLK_DISCARD
			 : request->type == VIRTIO_BLK_T_WRITE_ZEROES ? RTE_VDUSE_BLK_ZERO
								      : RTE_VDUSE_BLK_ERASE;
	request->io.fua = request_is_through(queue);
	request->chain.used_len = chain->in_len;
	*done = !vblk_request_next_range(queue, request);
	return VIRTIO_BLK_S_OK;
}

bool
vblk_request_header(const struct rte_vduse_chain *chain, struct virtio_blk_outhdr *header)
{
	/* Lengths saturate at UINT32_MAX. */
	if (unlikely(chain->out_len < REQUEST_HEADER || chain->out_len == UINT32_MAX ||
		     chain->in_len == UINT32_MAX))
		return false;
	request_copy(chain, 0, header, sizeof(*header));
	return true;
}

uint8_t
vblk_request_parse(struct vblk_queue *queue, struct vblk_request *request,
		   const struct rte_vduse_chain *chain, const struct virtio_blk_outhdr *header,
		   bool *done)
{
	struct virtio_blk_outhdr own;
	uint64_t sector;

	*done = false;
	request->type = UINT32_MAX;
	if (likely(header == NULL)) {
		if (unlikely(!vblk_request_header(chain, &own)))
			return VIRTIO_BLK_S_IOERR;
		header = &own;
	}
	request->type = rte_le_to_cpu_32(header->type);
	sector = rte_le_to_cpu_64(header->sector);
	VDUSE_TRACE(blk_take, queue->vq->name, queue->vq->index, chain->head, request->type, sector,
		    chain->out_len, chain->in_len);
	switch (request->type) {
	case VIRTIO_BLK_T_IN:
	case VIRTIO_BLK_T_OUT:
		return request_data(queue, request, chain, sector, done);
	case VIRTIO_BLK_T_FLUSH:
		request->io.op = RTE_VDUSE_BLK_FLUSH;
		request->io.offset = 0;
		request->io.len = 0;
		request->chain.used_len = vblk_request_used(request, 0);
		return VIRTIO_BLK_S_OK;
	case VIRTIO_BLK_T_GET_ID:
		*done = true;
		return request_id(queue, request, chain);
	case VIRTIO_BLK_T_DISCARD:
	case VIRTIO_BLK_T_WRITE_ZEROES:
	case VIRTIO_BLK_T_SECURE_ERASE:
		return request_ranges(queue, request, chain, done);
	default:
		return VIRTIO_BLK_S_UNSUPP;
	}
}
