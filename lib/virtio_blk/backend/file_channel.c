/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Operations on a file. In flow those of a queue, out flow io_uring entries that name the
 * driver's pages themselves; a completion is finished, continued where it stopped short, or
 * done another way where the file system has no better one. See backend.h for the threads.
 *
 * Completions reach the ring without a system call of ours: the kernel interrupts the thread
 * that submitted. Another thread can therefore wait for them, as the control thread does, which
 * cooperative task work (IORING_SETUP_COOP_TASKRUN) would not permit. A device that has queues
 * without interrupts is asked by a system call instead, while something is in flight there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <liburing.h>

#include <rte_vduse_compat.h>

#include <virtio_blk/blk.h>
#include <virtio_blk/backend/file_channel.h>

/* Zeroes for file systems that cannot make them: FILE_ZERO_IOV times FILE_ZERO_SIZE at once. */
#define FILE_ZERO_SIZE 65536
#define FILE_ZERO_IOV  64

/* Ways of zeroing, the best first, and what makes it durable. */
enum file_stage {
	FILE_PUNCH,
	FILE_RANGE,
	FILE_WRITE,
	FILE_SYNC,
};

static const uint8_t file_zeroes[FILE_ZERO_SIZE] __rte_aligned(4096);
static struct iovec file_zero_iov[FILE_ZERO_IOV];

RTE_INIT(file_zero_init)
{
	unsigned int i;

	for (i = 0; i < FILE_ZERO_IOV; i++)
		file_zero_iov[i] = (struct iovec){ (void *)(uintptr_t)file_zeroes, FILE_ZERO_SIZE };
}

/* Takes len bytes off the front of the vectors, whose memory is the request's for good. */
static void
file_advance(struct rte_vduse_blk_io *io, size_t len)
{
	struct file_io *own = file_io(io);
	while (len > 0 && len >= io->iov[own->done_iov].iov_len)
		len -= io->iov[own->done_iov++].iov_len;
	if (len > 0) {
		struct iovec *iov = &io->iov[own->done_iov];

		iov->iov_base = (uint8_t *)iov->iov_base + len;
		iov->iov_len -= len;
	}
}

static bool
file_is_pinned(const struct file_channel *channel, const void *at, uint64_t len)
{
	uint64_t offset = (uintptr_t)at - (uintptr_t)channel->pinned;

	return channel->pinned != NULL && offset < channel->pinned_len &&
	       len <= channel->pinned_len - offset;
}

/* One stretch of memory: it needs no vector, which the kernel would have to copy. */
static void
file_prep_stretch(const struct file_channel *channel, struct io_uring_sqe *sqe, bool write,
		  void *at, uint64_t len, uint64_t offset)
{
	int op = write ? IORING_OP_WRITE : IORING_OP_READ;

	if (file_is_pinned(channel, at, len))
		op = write ? IORING_OP_WRITE_FIXED : IORING_OP_READ_FIXED;
	io_uring_prep_rw(op, sqe, 0, at, (unsigned int)len, offset);
	/* Of the one buffer that is registered. */
	sqe->buf_index = 0;
}

static void
file_prep_data(const struct file_channel *channel, struct io_uring_sqe *sqe,
	       const struct rte_vduse_blk_io *io)
{
	struct file_io *own = file_io(io);
	uint64_t offset = io->offset + own->done, left = io->len - own->done;
	struct iovec *iov = &io->iov[own->done_iov];
	void *at = own->room != NULL ? file_room_next(io, &left) : iov->iov_base;
	unsigned int nb_iov = (unsigned int)(io->nb_iov - own->done_iov);
	bool write = io->op == RTE_VDUSE_BLK_WRITE;

	if (own->room != NULL || nb_iov == 1)
		file_prep_stretch(channel, sqe, write, at, left, offset);
	else
		io_uring_prep_rw(write ? IORING_OP_WRITEV : IORING_OP_READV, sqe, 0, iov, nb_iov,
				 offset);
	if (io->fua)
		sqe->rw_flags = RWF_DSYNC;
}

/* A step of an operation that is no whole blocks. False: it is one of file_prep_zero(). */
static bool
file_prep_split(const struct file_channel *channel, struct io_uring_sqe *sqe,
		struct rte_vduse_blk_io *io)
{
	struct file_step step;

	if (file_io(io)->stage == FILE_SYNC && io->op == RTE_VDUSE_BLK_ZERO)
		return false;
	if (!file_edge_step(channel->file, io, &step))
		return false;
	io_uring_prep_rw(step.write ? IORING_OP_WRITE : IORING_OP_READ, sqe,
			 step.cached && channel->file->cached_fd >= 0 ? 1 : 0, step.at,
			 (unsigned int)step.len, step.offset);
	if (step.write && io->fua && io->op == RTE_VDUSE_BLK_WRITE)
		sqe->rw_flags = RWF_DSYNC;
	return true;
}

static void
file_prep_zero(const struct file_channel *channel, struct io_uring_sqe *sqe,
	       const struct rte_vduse_blk_io *io)
{
	struct file_io *own = file_io(io);
	uint64_t offset = io->offset + own->done, left = file_edge_zero_len(channel->file, io);

	if (own->stage == FILE_PUNCH)
		file_prep_hole(sqe, offset, left);
	else if (own->stage == FILE_RANGE)
		io_uring_prep_fallocate(sqe, 0, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE,
					(off_t)offset, (off_t)left);
	else if (own->stage == FILE_SYNC)
		io_uring_prep_fsync(sqe, 0, IORING_FSYNC_DATASYNC);
	else if (left >= FILE_ZERO_SIZE)
		io_uring_prep_writev(
			sqe, 0, file_zero_iov,
			(unsigned int)RTE_MIN(left / FILE_ZERO_SIZE, (uint64_t)FILE_ZERO_IOV),
			offset);
	else
		io_uring_prep_write(sqe, 0, file_zeroes, (unsigned int)left, offset);
}

/* A write that must be on stable storage may need a flush behind it, which cannot be polled for. */
static enum file_ring
file_ring_for(const struct file_channel *channel, const struct rte_vduse_blk_io *io)
{
	bool data = io->op == RTE_VDUSE_BLK_READ || io->op == RTE_VDUSE_BLK_WRITE;

	return channel->polls && data && !io->fua && !file_io(io)->split ? FILE_RING_POLLED
									 : FILE_RING;
}

/* Whether each ring has an entry left. */
static bool
file_has_room(const struct file_channel *channel)
{
	unsigned int i;

	for (i = 0; i < channel->nb_rings; i++)
		if (unlikely(io_uring_sq_space_left(&channel->rings[i]) == 0))
			return false;
	return true;
}

/*
 * A file system gives blocks back, and zeroes them, under a lock that a read of the page cache
 * takes where it finds no page, even a read that must not block: then a thread of the kernel's
 * waits for it instead of this one. With O_DIRECT the kernel only tries.
 */
static bool
file_may_block(const struct file_backend *file, const struct rte_vduse_blk_io *io)
{
	return io->op == RTE_VDUSE_BLK_READ && !file->direct &&
	       unlikely(rte_atomic_load_explicit(&file->nb_ranges, rte_memory_order_relaxed) != 0);
}

/* Discards and zeroes that the kernel has. */
static void
file_count_range(struct file_channel *channel, const struct rte_vduse_blk_io *io, unsigned int nb)
{
	if (unlikely(io->op > RTE_VDUSE_BLK_FLUSH))
		(void)rte_atomic_fetch_add_explicit(&channel->file->nb_ranges, nb,
						    rte_memory_order_relaxed);
}

/* There is room. */
static void
file_prep(struct file_channel *channel, struct rte_vduse_blk_io *io)
{
	enum file_ring ring = file_ring_for(channel, io);
	struct io_uring_sqe *sqe = io_uring_get_sqe(&channel->rings[ring]);

	channel->nb_in_flight++;
	if (ring == FILE_RING_POLLED)
		channel->nb_polled++;
	file_count_range(channel, io, 1);
	if (unlikely(file_io(io)->split) && file_prep_split(channel, sqe, io)) {
		sqe->flags |= IOSQE_FIXED_FILE;
		io_uring_sqe_set_data(sqe, io);
		return;
	}
	switch (io->op) {
	case RTE_VDUSE_BLK_FLUSH:
		io_uring_prep_fsync(sqe, 0, IORING_FSYNC_DATASYNC);
		break;
	case RTE_VDUSE_BLK_DISCARD:
		file_discard_prep(channel->file, sqe, io);
		break;
	case RTE_VDUSE_BLK_ZERO:
		file_prep_zero(channel, sqe, io);
		break;
	default:
		file_prep_data(channel, sqe, io);
		break;
	}
	sqe->flags |= IOSQE_FIXED_FILE;
	if (file_may_block(channel->file, io))
		sqe->flags |= IOSQE_ASYNC;
	io_uring_sqe_set_data(sqe, io);
}

/* -EAGAIN: as many as there is room for are in flight. */
static int
file_take_range(struct file_channel *channel, struct rte_vduse_blk_io *io)
{
	struct file_io *own = file_io(io);
	struct file_range *range = TAILQ_FIRST(&channel->spare_ranges);
	uint64_t align = channel->file->hole_align;

	if (range == NULL)
		return -EAGAIN;
	TAILQ_REMOVE(&channel->spare_ranges, range, entry);
	range->first = io->offset / align;
	range->last = (io->offset + io->len - 1) / align;
	range->parts = own->split;
	own->range = range;
	return 0;
}

/* What an operation had beside its memory. */
static void
file_leave(struct file_channel *channel, struct rte_vduse_blk_io *io)
{
	struct file_io *own = file_io(io);
	if (unlikely(own->room != NULL))
		file_room_leave(&channel->nb_rooms, io);
	if (unlikely(own->range != NULL)) {
		struct file_range *range = own->range;

		file_range_leave(&channel->file->ranges, range);
		TAILQ_INSERT_HEAD(&channel->spare_ranges, range, entry);
		own->range = NULL;
	}
}

/* An operation on bytes of the file, which are whole blocks or not. */
static void
file_begin_range(struct file_channel *channel, struct rte_vduse_blk_io *io)
{
	const struct file_backend *file = channel->file;
	bool writes = io->op != RTE_VDUSE_BLK_READ;

	(void)file_edge_begin(file, io);
	if (io->op != RTE_VDUSE_BLK_DISCARD)
		io->result = file_room_take(file, &channel->nb_rooms, io);
	if (likely(channel->ranges == NULL) || !writes || io->result < 0 || io->len == 0)
		return;
	io->result = file_take_range(channel, io);
	if (io->result < 0 && file_io(io)->room != NULL)
		file_room_leave(&channel->nb_rooms, io);
}

static void
file_begin(struct file_channel *channel, struct rte_vduse_blk_io *io)
{
	struct file_io *own = file_io(io);
	const struct file_backend *file = channel->file;

	own->done = 0;
	own->done_iov = 0;
	own->room = NULL;
	own->range = NULL;
	own->split = false;
	own->stage = io->unmap ? FILE_PUNCH : FILE_RANGE;
	if (io->op == RTE_VDUSE_BLK_ZERO && !io->unmap &&
	    rte_atomic_load_explicit(&file->no_zero_range, rte_memory_order_relaxed))
		own->stage = FILE_WRITE;
	own->since = 0;
	io->result = io->op == RTE_VDUSE_BLK_ERASE ? -ENOTSUP : 0;
	if (io->op == RTE_VDUSE_BLK_FLUSH)
		io->result = rte_atomic_load_explicit(&file->flush_error, rte_memory_order_relaxed);
	else if (io->op != RTE_VDUSE_BLK_ERASE)
		file_begin_range(channel, io);
}

/* Entries that the kernel has not seen. */
static unsigned int
file_nb_prepared(const struct file_channel *channel)
{
	unsigned int n = 0, i;

	for (i = 0; i < channel->nb_rings; i++)
		n += io_uring_sq_ready(&channel->rings[i]);
	return n;
}

static void
file_enter(struct file_channel *channel)
{
	unsigned int nb_done = 0, i;

	if (file_nb_prepared(channel) == 0)
		return;
	/* What the kernel does not take now (no memory) stays in the ring for the next poll. */
	for (i = 0; i < channel->nb_rings; i++) {
		if (io_uring_sq_ready(&channel->rings[i]) > 0)
			(void)io_uring_submit(&channel->rings[i]);
		nb_done += io_uring_cq_ready(&channel->rings[i]);
	}
	channel->overlaps = nb_done < channel->nb_in_flight;
}

/*
 * The kernel starts a device with the last of what it is given at a time. One that works on its
 * own is therefore given a burst in pieces that double what it has: one, two, four. One that is
 * finished when the kernel returns would wait for our system calls only.
 */
static void
file_enter_early(struct file_channel *channel)
{
	unsigned int nb = file_nb_prepared(channel);

	if (channel->overlaps && nb > channel->nb_in_flight - nb)
		file_enter(channel);
}

uint16_t
file_submit(struct rte_vduse_blk_channel *base, struct rte_vduse_blk_io **ios, uint16_t nb)
{
	struct file_channel *channel = (struct file_channel *)base;
	uint16_t n;

	for (n = 0; n < nb; n++) {
		struct rte_vduse_blk_io *io = ios[n];

		if (!file_has_room(channel))
			break;
		file_begin(channel, io);
		if (unlikely(io->result == -EAGAIN))
			break;
		/* Failed, or a discard of no whole block. */
		if (unlikely(io->result < 0 || (io->op == RTE_VDUSE_BLK_DISCARD && io->len == 0))) {
			vblk_fifo_put(&channel->done, io);
			continue;
		}
		if (unlikely(file_io(io)->range != NULL) &&
		    !file_range_enter(&channel->file->ranges, file_io(io)->range)) {
			vblk_fifo_put(&channel->blocked, io);
			continue;
		}
		if (io->op == RTE_VDUSE_BLK_FLUSH && !file_sync_begin(channel, io))
			continue;
		file_prep(channel, io);
		file_enter_early(channel);
	}
	file_enter(channel);
	return n;
}

/* What the file system cannot do is done in the next best way. */
static bool
file_zero_fall_back(struct file_channel *channel, struct rte_vduse_blk_io *io, int result)
{
	struct file_io *own = file_io(io);
	if (io->op != RTE_VDUSE_BLK_ZERO || result != -EOPNOTSUPP || own->stage >= FILE_WRITE ||
	    (own->split && own->edge != FILE_EDGE_NONE))
		return false;
	if (own->stage == FILE_RANGE)
		rte_atomic_store_explicit(&channel->file->no_zero_range, true,
					  rte_memory_order_relaxed);
	own->stage++;
	return true;
}

/* Bytes were moved; true: not all. */
static bool
file_continue(struct rte_vduse_blk_io *io, int result)
{
	struct file_io *own = file_io(io);
	bool data = io->op == RTE_VDUSE_BLK_READ || io->op == RTE_VDUSE_BLK_WRITE;

	if (!data && !(io->op == RTE_VDUSE_BLK_ZERO && own->stage == FILE_WRITE))
		return false;
	if (unlikely(data && own->room != NULL)) {
		file_room_advance(io, (uint64_t)result);
		return own->done != io->len;
	}
	own->done += (uint64_t)result;
	if (own->done == io->len)
		return false;
	if (data)
		file_advance(io, (size_t)result);
	return true;
}

/* The kernel refused it for too long, or it failed. */
static void
file_fail(struct file_channel *channel, struct rte_vduse_blk_io *io, int result)
{
	bool flush = io->op == RTE_VDUSE_BLK_FLUSH ||
		     (io->op == RTE_VDUSE_BLK_ZERO && file_io(io)->stage == FILE_SYNC) ||
		     (io->op == RTE_VDUSE_BLK_WRITE && io->fua && !channel->file->direct);

	io->result = result == -EOPNOTSUPP ? -ENOTSUP : result;
	if (flush && result != -EOPNOTSUPP && result != -EAGAIN && result != -EINTR)
		file_error_flush(channel->file, result);
}

/* Zeroes that need no memory are all there, or as many as were written. */
static int
file_split_done(struct file_channel *channel, struct rte_vduse_blk_io *io, int result)
{
	struct file_io *own = file_io(io);
	uint64_t moved = (uint64_t)result;

	if (io->op == RTE_VDUSE_BLK_ZERO && own->edge == FILE_EDGE_NONE && own->stage < FILE_WRITE)
		moved = file_edge_zero_len(channel->file, io);
	return file_edge_done(channel->file, io, moved);
}

/* Whether an operation is finished: io->result then says how. Else it is submitted again. */
static bool
file_finish(struct file_channel *channel, struct rte_vduse_blk_io *io, int result)
{
	struct file_io *own = file_io(io);
	io->result = 0;
	if (unlikely(file_error_retry(channel->file, io, result) ||
		     file_zero_fall_back(channel, io, result)))
		return false;
	if (unlikely(result < 0)) {
		file_fail(channel, io, result);
		return true;
	}
	/* One that ran beside a flush that failed may have had its error taken from it. */
	if (io->op == RTE_VDUSE_BLK_FLUSH)
		io->result = rte_atomic_load_explicit(&channel->file->flush_error,
						      rte_memory_order_relaxed);
	if (unlikely(own->split && own->stage != FILE_SYNC)) {
		io->result = file_split_done(channel, io, result);
		if (io->result < 0)
			return true;
		if (own->done != io->len)
			return false;
	} else if (unlikely(file_continue(io, result))) {
		/* The file has become shorter than the disk, or is as full as it gets. */
		io->result = result == 0 ? -EIO : 0;
		return result == 0;
	}
	if (io->op == RTE_VDUSE_BLK_ZERO && io->fua && own->stage != FILE_SYNC) {
		own->stage = FILE_SYNC;
		return false;
	}
	return true;
}

static void
file_resubmit(struct file_channel *channel)
{
	struct rte_vduse_blk_io *io;

	while (file_has_room(channel) && vblk_fifo_take(&channel->again, &io, 1) == 1)
		file_prep(channel, io);
	file_enter(channel);
}

/*
 * Submits those whose turn has come. Another queue's write may be what they wait for, of a queue
 * that nobody polls: they wait for a bounded time.
 */
static void
file_unblock(struct file_channel *channel)
{
	struct vblk_fifo waiting = channel->blocked;
	struct rte_vduse_blk_io *io;

	vblk_fifo_init(&channel->blocked);
	while (vblk_fifo_take(&waiting, &io, 1) == 1) {
		if (file_has_room(channel) &&
		    file_range_may_go(&channel->file->ranges, file_io(io)->range)) {
			file_io(io)->since = 0;
			file_prep(channel, io);
		} else if (file_error_retry(channel->file, io, -EAGAIN)) {
			vblk_fifo_put(&channel->blocked, io);
		} else {
			io->result = -EAGAIN;
			file_leave(channel, io);
			vblk_fifo_put(&channel->done, io);
		}
	}
}

/* A device may lose its queues without interrupts; it is not asked for them again. */
static bool
file_polled_no_more(struct file_channel *channel, enum file_ring ring, int result)
{
	if (likely(ring != FILE_RING_POLLED || result != -EOPNOTSUPP))
		return false;
	channel->polls = false;
	return true;
}

/* An operation that is not finished: its next step. */
static void
file_go_on(struct file_channel *channel, struct rte_vduse_blk_io *io)
{
	if (io->op == RTE_VDUSE_BLK_ZERO && file_io(io)->stage == FILE_SYNC &&
	    io != channel->syncing) {
		/* The zeroes are there: nobody has to wait for them. */
		file_leave(channel, io);
		if (!file_sync_begin(channel, io))
			return;
	}
	vblk_fifo_put(&channel->again, io);
}

/* Collects what is finished on one ring. */
static uint16_t
file_reap(struct file_channel *channel, enum file_ring ring, struct rte_vduse_blk_io **ios,
	  uint16_t nb)
{
	struct io_uring_cqe *cqes[VBLK_BURST];
	unsigned int seen, i;
	uint16_t n = 0;

	seen = io_uring_peek_batch_cqe(&channel->rings[ring], cqes,
				       RTE_MIN((unsigned int)nb, RTE_DIM(cqes)));
	for (i = 0; i < seen; i++) {
		struct rte_vduse_blk_io *io = io_uring_cqe_get_data(cqes[i]);

		file_count_range(channel, io, -1u);
		if (likely(!file_polled_no_more(channel, ring, cqes[i]->res) &&
			   file_finish(channel, io, cqes[i]->res))) {
			file_leave(channel, io);
			if (unlikely(io == channel->syncing))
				file_sync_end(channel);
			ios[n++] = io;
		} else {
			file_go_on(channel, io);
		}
	}
	io_uring_cq_advance(&channel->rings[ring], seen);
	channel->nb_in_flight -= seen;
	if (ring == FILE_RING_POLLED)
		channel->nb_polled -= seen;
	return n;
}

uint16_t
file_poll(struct rte_vduse_blk_channel *base, struct rte_vduse_blk_io **ios, uint16_t nb)
{
	struct file_channel *channel = (struct file_channel *)base;
	uint16_t n;

	n = vblk_fifo_take(&channel->done, ios, nb);
	n = (uint16_t)(n + file_reap(channel, FILE_RING, ios + n, (uint16_t)(nb - n)));
	if (channel->nb_polled > 0) {
		/* The kernel asks the device while it is asked itself, and only then. */
		if (io_uring_cq_ready(&channel->rings[FILE_RING_POLLED]) == 0)
			(void)io_uring_get_events(&channel->rings[FILE_RING_POLLED]);
		n = (uint16_t)(n +
			       file_reap(channel, FILE_RING_POLLED, ios + n, (uint16_t)(nb - n)));
	}
	if (unlikely(channel->blocked.first != NULL))
		file_unblock(channel);
	file_resubmit(channel);
	return n;
}
