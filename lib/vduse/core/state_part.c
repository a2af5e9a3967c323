/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Parts of a state file, one for each virtqueue. A part is allocated when the virtqueue starts,
 * because the driver chooses the size of its ring. See state.h.
 * Input: a device and a size. Output: memory backed by the file.
 * Thread: the one that creates the device, then the control thread.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <rte_vduse_compat.h>

#include <vduse/core/device.h>
#include <vduse/core/log.h>
#include <vduse/core/state_file.h>

#define PART_WORD(first, nb) ((uint64_t)(nb) << 32 | (first))
#define PART_FIRST(word)     ((uint32_t)(word))
#define PART_PAGES(word)     ((word) >> 32)

size_t
vduse_state_header_len(uint16_t nb_vqs)
{
	return RTE_ALIGN_CEIL(sizeof(struct vduse_state_header) + nb_vqs * sizeof(uint64_t),
			      (size_t)VDUSE_STATE_PAGE);
}

bool
vduse_state_whole(int fd, const struct vduse_state_header *header, uint64_t size)
{
	size_t header_len = vduse_state_header_len(header->nb_vqs);
	uint64_t word;
	uint16_t i;

	if (size < header_len)
		return false;
	for (i = 0; i < header->nb_vqs; i++) {
		off_t at = (off_t)(sizeof(*header) + i * sizeof(word));

		if (pread(fd, &word, sizeof(word), at) != (ssize_t)sizeof(word))
			return false;
		if (word != 0 && (PART_FIRST(word) < header_len / VDUSE_STATE_PAGE ||
				  PART_FIRST(word) + PART_PAGES(word) > size / VDUSE_STATE_PAGE))
			return false;
	}
	return true;
}

/* Appends a part to the file. Returns its word, or 0 with errno set. */
static uint64_t
part_add(int fd, size_t size)
{
	uint64_t nb = RTE_ALIGN_CEIL(size, (size_t)VDUSE_STATE_PAGE) / VDUSE_STATE_PAGE;
	struct stat stat;
	int ret;

	if (fstat(fd, &stat) < 0)
		return 0;
	/* Allocated now: in a sparse file on a full disk, a store raises SIGBUS. */
	ret = posix_fallocate(fd, stat.st_size, (off_t)(nb * VDUSE_STATE_PAGE));
	if (ret != 0) {
		(void)ftruncate(fd, stat.st_size);
		errno = ret;
		return 0;
	}
	return PART_WORD((uint64_t)stat.st_size / VDUSE_STATE_PAGE, nb);
}

int
rte_vduse_part_open(struct rte_vduse_dev *dev, uint16_t index, size_t size,
		    struct rte_vduse_part *part)
{
	struct vduse_state *state = &dev->state;
	uint64_t *place = &state->header->parts[index], word = *place;
	void *va = MAP_FAILED;
	bool kept;
	int ret;

	if (size == 0 && word == 0)
		return -ENOENT;
	kept = word != 0 && PART_PAGES(word) * VDUSE_STATE_PAGE >= size;
	if (!kept)
		word = part_add(state->fd, size);
	if (word != 0)
		va = mmap(NULL, PART_PAGES(word) * VDUSE_STATE_PAGE, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_POPULATE, state->fd,
			  (off_t)(PART_FIRST(word) * VDUSE_STATE_PAGE));
	if (va == MAP_FAILED) {
		ret = -errno;
		VDUSE_LOG_DRIVER(dev, dev, ERR,
				 "no room in %s for the state of virtqueue %u, %zu bytes: %s",
				 rte_vduse_state_dir(), index, size, strerror(-ret));
		return ret;
	}
	rte_vduse_part_close(part);
	*part = (struct rte_vduse_part){
		.data = va,
		.size = PART_PAGES(word) * VDUSE_STATE_PAGE,
		.kept = kept && state->kept,
	};
	state->header->has_parts = 1;
	/* Release: the part is allocated in the file before its word is stored. */
	rte_atomic_store_explicit(place, word, rte_memory_order_release);
	return 0;
}

void
rte_vduse_part_close(struct rte_vduse_part *part)
{
	if (part->data != NULL)
		munmap(part->data, part->size);
	memset(part, 0, sizeof(*part));
}
