/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Parts of a state file, one for each virtqueue: a driver may bring a ring of any size, so a part
 * is made when it is known how large it must be. See state.h.
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

static bool
part_in_file(uint64_t word, uint16_t nb_vqs, uint64_t size)
{
	return PART_FIRST(word) >= vduse_state_header_len(nb_vqs) / VDUSE_STATE_PAGE &&
	       PART_FIRST(word) + PART_PAGES(word) <= size / VDUSE_STATE_PAGE;
}

bool
vduse_state_whole(int fd, const struct vduse_state_header *header, uint64_t size)
{
	uint64_t word;
	uint16_t i;

	if (size < vduse_state_header_len(header->nb_vqs))
		return false;
	for (i = 0; i < header->nb_vqs; i++) {
		off_t at = (off_t)(sizeof(*header) + i * sizeof(word));

		if (pread(fd, &word, sizeof(word), at) != (ssize_t)sizeof(word) ||
		    (word != 0 && !part_in_file(word, header->nb_vqs, size)))
			return false;
	}
	return true;
}

/* Adds pages to the end of the file. Its word, or 0 with errno set. */
static uint64_t
part_add(int fd, size_t size)
{
	uint64_t nb = RTE_ALIGN_CEIL(size, (size_t)VDUSE_STATE_PAGE) / VDUSE_STATE_PAGE;
	struct stat stat;
	int ret;

	if (fstat(fd, &stat) < 0)
		return 0;
	/* All of it now: without room a store would end the process with SIGBUS. */
	ret = posix_fallocate(fd, stat.st_size, (off_t)(nb * VDUSE_STATE_PAGE));
	if (ret != 0) {
		(void)ftruncate(fd, stat.st_size);
		errno = ret;
		return 0;
	}
	return PART_WORD((uint64_t)stat.st_size / VDUSE_STATE_PAGE, nb);
}

static int
part_map(int fd, uint64_t word, struct rte_vduse_part *part)
{
	size_t size = (size_t)(PART_PAGES(word) * VDUSE_STATE_PAGE);
	void *va = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd,
			(off_t)(PART_FIRST(word) * VDUSE_STATE_PAGE));

	if (va == MAP_FAILED)
		return -errno;
	*part = (struct rte_vduse_part){ .data = va, .size = size };
	return 0;
}

int
rte_vduse_part_open(struct rte_vduse_dev *dev, uint16_t index, size_t size,
		    struct rte_vduse_part *part)
{
	struct vduse_state *state = &dev->state;
	uint64_t *place = &state->header->parts[index], word = *place;
	struct rte_vduse_part opened;
	bool kept;
	int ret;

	if (size == 0 && word == 0)
		return -ENOENT;
	kept = word != 0 && PART_PAGES(word) * VDUSE_STATE_PAGE >= size;
	if (!kept)
		word = part_add(state->fd, size);
	ret = word == 0 ? -errno : part_map(state->fd, word, &opened);
	if (ret < 0) {
		VDUSE_LOG_DRIVER(dev, dev, ERR,
				 "no room in %s for what virtqueue %u has in "
				 "flight, %zu bytes: %s",
				 rte_vduse_state_dir(), index, size, strerror(-ret));
		return ret;
	}
	rte_vduse_part_close(part);
	opened.kept = kept && state->kept;
	*part = opened;
	state->header->has_parts = 1;
	/* Release: the file is as long as the word says. */
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
