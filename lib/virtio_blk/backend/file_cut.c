/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Vectors of an operation after a short transfer. They are cut in place, so that the kernel continues
 * with the first byte that is not done, and restored before the operation ends: the dirty log is told
 * the whole buffers.
 * Input: operations with bytes done. Output: their vectors. Thread: see backend.h.
 */
#include <virtio_blk/backend/file.h>

void
file_cut_restore(struct rte_vduse_blk_io *io)
{
	struct file_io *own = file_io(io);
	struct iovec *iov = &io->iov[own->done_iov];
	uint64_t missing = io->len;
	uint16_t i;

	for (i = 0; i < io->nb_iov; i++)
		missing -= io->iov[i].iov_len;
	iov->iov_base = (uint8_t *)iov->iov_base - missing;
	iov->iov_len += missing;
	own->cut = false;
}

void
file_cut_advance(struct rte_vduse_blk_io *io)
{
	struct file_io *own = file_io(io);
	uint64_t len = own->done;
	struct iovec *iov;

	if (own->cut)
		file_cut_restore(io);
	own->done_iov = 0;
	while (len >= io->iov[own->done_iov].iov_len)
		len -= io->iov[own->done_iov++].iov_len;
	iov = &io->iov[own->done_iov];
	iov->iov_base = (uint8_t *)iov->iov_base + len;
	iov->iov_len -= len;
	own->cut = true;
}
