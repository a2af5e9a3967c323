/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Operations on a file through io_uring, zero-copy. A completion ends an operation, continues it
 * after a short transfer, or retries it in another way that the file system supports.
 * Input: operations of a queue. Output: the same with results. Thread: see backend.h.
 *
 * Completions reach the ring without a system call here: the kernel interrupts the thread that
 * submitted. So another thread, such as the control thread, can wait for them, which cooperative
 * task work (IORING_SETUP_COOP_TASKRUN) would not permit. The ring of a device with poll queues is
 * polled by a system call instead, while operations are in flight there.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include <liburing.h>

#include <rte_vduse_compat.h>

#include <virtio_blk/blk.h>
#include <virtio_blk/backend/file_channel.h>

/* Zeroes to write: at most FILE_ZERO_IOV times FILE_ZERO_SIZE bytes at a time. */
#define FILE_ZERO_SIZE 65536
#define FILE_ZERO_IOV  64

/* Ways of zeroing, best first, then the sync that makes them durable. */
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

static bool
file_is_pinned(const struct file_channel *channel, const void *at, uint64_t len)
{
	uint64_t offset = (uintptr_t)at - (uintptr_t)channel->pinned;

	return channel->pinned != NULL && offset < channel->pinned_len &&
	       len <= channel->pinned_len - offset;
}

/* One buffer: no vector that the kernel would have to copy; a fixed buffer if registered. */
static void
file_prep_stretch(const struct file_channel *channel, struct io_uring_sqe *sqe, bool write,
		  void *at, uint64_t len, uint64_t offset)
{
	int op = write ? IORING_OP_WRITE : IORING_OP_READ;

	if (file_is_pinned(channel, at, len))
		op = write ? IORING_OP_WRITE_FIXED : IORING_OP_READ_FIXED;
	io_uring_prep_rw(op, sqe, 0, at, (unsigned int)len, offset);
	/* The only registered buffer. */
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

/* Prepares a step of an operation with partial blocks. False: use file_prep_zero(). */
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

/* Not for FUA: it may need a flush after the write, which cannot be polled. */
static enum file_ring
file_ring_for(const struct file_channel *channel, const struct rte_vduse_blk_io *io)
{
	bool data = io->op == RTE_VDUSE_BLK_READ || io->op == RTE_VDUSE_BLK_WRITE;

	return channel->polls && data && !io->fua && !file_io(io)->split ? FILE_RING_POLLED
									 : FILE_RING;
}

/* Whether each ring has a free entry. */
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
 * A file system discards and zeroes under a lock that a read takes on a page cache miss, even with
 * IOCB_NOWAIT. So a read meanwhile is punted to a kernel thread, which waits instead of this one.
 * With O_DIRECT the kernel only tries the lock.
 */
static bool
file_may_block(const struct file_backend *file, const struct rte_vduse_blk_io *io)
{
	return io->op == RTE_VDUSE_BLK_READ && !file->direct &&
	       unlikely(rte_atomic_load_explicit(&file->nb_ranges, rte_memory_order_relaxed) != 0);
}

/* Counts discards and zeroes in flight. */
static void
file_count_range(struct file_channel *channel, const struct rte_vduse_blk_io *io, unsigned int nb)
{
	if (unlikely(io->op > RTE_VDUSE_BLK_FLUSH))
		(void)rte_atomic_fetch_add_explicit(&channel->file->nb_ranges, nb,
						    rte_memory_order_relaxed);
}

/* Prepares an entry. The caller checked file_has_room(). */
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

/* -EAGAIN: all ranges of the channel are in use. */
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

/* Releases the bounce buffer and the range of an operation, and leaves its vectors as they were. */
static void
file_leave(struct file_channel *channel, struct rte_vduse_blk_io *io)
{
	struct file_io *own = file_io(io);

	if (unlikely(own->cut))
		file_cut_restore(io);
	if (unlikely(own->room != NULL))
		file_room_leave(&channel->nb_rooms, io);
	if (unlikely(own->range != NULL)) {
		struct file_range *range = own->range;

		file_range_leave(&channel->file->ranges, range);
		TAILQ_INSERT_HEAD(&channel->spare_ranges, range, entry);
		own->range = NULL;
	}
}

/* Sets up an operation on a range of bytes, with whole or partial blocks. */
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
	own->cut = false;
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

/* Entries that are not submitted yet. */
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
	/* Entries that the kernel does not take now (no memory) stay for the next poll. */
	for (i = 0; i < channel->nb_rings; i++) {
		if (io_uring_sq_ready(&channel->rings[i]) > 0)
			(void)io_uring_submit(&channel->rings[i]);
		nb_done += io_uring_cq_ready(&channel->rings[i]);
	}
	channel->overlaps = nb_done < channel->nb_in_flight;
}

/*
 * The kernel rings the doorbell of a device at the end of a submit. For a device that works
 * asynchronously, submit a burst in pieces that double what is in flight: one, two, four. A device
 * that is finished when the kernel returns would only wait for the additional system calls.
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

/* Whether to retry zeroing in the next best way, because the file system lacks this one. */
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

/* Accounts for the bytes moved. Returns whether some are left. */
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
		file_cut_advance(io);
	return true;
}

/* Ends an operation that failed, or that the kernel refused for too long. */
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

/* Whether an operation is finished, with io->result. False: submit it again. */
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
	/* The kernel reports an error once: a concurrent flush may have received it. */
	if (io->op == RTE_VDUSE_BLK_FLUSH)
		io->result = rte_atomic_load_explicit(&channel->file->flush_error,
						      rte_memory_order_relaxed);
	if (unlikely(own->split && own->stage != FILE_SYNC)) {
		uint64_t moved = (uint64_t)result;

		/* fallocate() returns 0 and did all of it. */
		if (io->op == RTE_VDUSE_BLK_ZERO && own->edge == FILE_EDGE_NONE &&
		    own->stage < FILE_WRITE)
			moved = file_edge_zero_len(channel->file, io);
		io->result = file_edge_done(channel->file, io, moved);
		if (io->result < 0)
			return true;
		if (own->done != io->len)
			return false;
	} else if (unlikely(file_continue(io, result))) {
		/* 0: the file is shorter than the disk now, or cannot grow. */
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
 * Whether an operation may be submitted. Each one that it waits for has a time of its own: on a slow
 * file, many of them together take long.
 */
static bool
file_is_ready(struct file_channel *channel, struct rte_vduse_blk_io *io)
{
	struct file_range *range = file_io(io)->range;
	uint64_t before = range->waits_for;
	bool ready = file_range_is_ready(&channel->file->ranges, range);

	if (range->waits_for != before)
		file_io(io)->since = 0;
	return ready;
}

/*
 * Submits blocked operations that are ready. They may wait for a write of a queue that is not
 * polled, so the time is bounded.
 */
static void
file_unblock(struct file_channel *channel)
{
	struct vblk_fifo waiting = channel->blocked;
	struct rte_vduse_blk_io *io;

	vblk_fifo_init(&channel->blocked);
	while (vblk_fifo_take(&waiting, &io, 1) == 1) {
		if (file_has_room(channel) && file_is_ready(channel, io)) {
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

/* Puts an operation that is not finished on the list to submit again. */
static void
file_requeue(struct file_channel *channel, struct rte_vduse_blk_io *io)
{
	if (io->op == RTE_VDUSE_BLK_ZERO && file_io(io)->stage == FILE_SYNC &&
	    io != channel->syncing) {
		/* The zeroes are written: release writes that wait for the range. */
		file_leave(channel, io);
		if (!file_sync_begin(channel, io))
			return;
	}
	vblk_fifo_put(&channel->again, io);
}

/* Reaps the completions of a ring. */
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

		bool refused = ring == FILE_RING_POLLED && cqes[i]->res == -EOPNOTSUPP;

		/* The device lost its poll queues: do not use that ring again. */
		if (unlikely(refused))
			channel->polls = false;
		file_count_range(channel, io, -1u);
		if (likely(!refused && file_finish(channel, io, cqes[i]->res))) {
			file_leave(channel, io);
			if (unlikely(io == channel->syncing))
				file_sync_end(channel);
			ios[n++] = io;
		} else {
			file_requeue(channel, io);
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
		/* The kernel polls the device only inside this system call. */
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
