/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * See state.h. In flows a device, out flows memory backed by a file of its name. On the
 * application's threads.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "device.h"
#include "log.h"
#include "state.h"

#define STATE_MAGIC   "vduse-st"
#define STATE_VERSION 1
#define STATE_DIR     "/run/vduse"

/* What must be the same for the rest to mean anything. */
struct state_header {
	char magic[8];
	uint32_t version;
	uint32_t device_id;
	uint16_t nb_vqs;
	uint16_t vq_size;
	uint32_t reserved;
	uint64_t size;
	char name[RTE_VDUSE_NAME_MAX];
};

/* The data begins behind it, at a cache line. */
#define STATE_DATA RTE_ALIGN_CEIL(sizeof(struct state_header), (size_t)RTE_CACHE_LINE_SIZE)

const char *
rte_vduse_state_dir(void)
{
	const char *dir = getenv("DPDK_VDUSE_RUN_DIR");

	if (dir == NULL || *dir == '\0')
		dir = STATE_DIR;
	(void)mkdir(dir, 0700);
	return dir;
}

static void
state_path(const struct rte_vduse_dev *dev, char *path, size_t size)
{
	const char *dir = rte_vduse_state_dir();

	/* Sockets of one name may lie in many folders. */
	if (dev->socket_hash != 0)
		snprintf(path, size, "%s/%s-%08x.state", dir, dev->name, dev->socket_hash);
	else
		snprintf(path, size, "%s/%s.state", dir, dev->name);
}

static int
state_fail(const struct rte_vduse_dev *dev, const char *path, int err)
{
	VDUSE_LOG(dev, ERR, dev->name, "state file %s: %s; DPDK_VDUSE_RUN_DIR may name another "
		  "folder", path,
		  err == EBUSY || err == EWOULDBLOCK ? "another process has it" : strerror(err));
	return err == EWOULDBLOCK ? -EBUSY : -err;
}

/* A file that this process alone has, or a negative errno and a log line. */
static int
state_file(const struct rte_vduse_dev *dev, const char *path)
{
	int fd, err;

	fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (fd < 0)
		return state_fail(dev, path, errno);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return fd;
	err = errno;
	close(fd);
	return state_fail(dev, path, err);
}

static struct state_header
state_wanted(const struct rte_vduse_dev *dev, size_t size)
{
	struct state_header header;

	memset(&header, 0, sizeof(header));
	memcpy(header.magic, STATE_MAGIC, sizeof(header.magic));
	header.version = STATE_VERSION;
	header.device_id = dev->device_id;
	header.nb_vqs = dev->nb_vqs;
	header.vq_size = dev->vq_size;
	header.size = size;
	snprintf(header.name, sizeof(header.name), "%s", dev->name);
	return header;
}

/* Why a file that a dead process left is of no use, or NULL: it is. */
static const char *
state_useless(int fd, const struct state_header *wanted)
{
	struct state_header header;
	struct stat stat;

	if (fstat(fd, &stat) < 0 || stat.st_size == 0)
		return "there was none";
	if (pread(fd, &header, sizeof(header), 0) != (ssize_t)sizeof(header) ||
	    memcmp(header.magic, wanted->magic, sizeof(header.magic)) != 0)
		return "it is none";
	if (header.version != wanted->version)
		return "it is of another version";
	if (memcmp(&header, wanted, sizeof(header)) != 0)
		return "it is of another device";
	if ((uint64_t)stat.st_size != STATE_DATA + wanted->size)
		return "it is cut off";
	return NULL;
}

/* Empty, then as long as it must be: all zeroes behind the header. */
static int
state_init(int fd, const struct state_header *header)
{
	if (ftruncate(fd, 0) < 0 || ftruncate(fd, (off_t)(STATE_DATA + header->size)) < 0)
		return -errno;
	if (pwrite(fd, header, sizeof(*header), 0) != (ssize_t)sizeof(*header))
		return -EIO;
	return 0;
}

int
rte_vduse_state_open(const struct rte_vduse_dev *dev, size_t size, struct rte_vduse_state *state)
{
	struct state_header header = state_wanted(dev, size);
	const char *useless = "the device is new";
	char path[PATH_MAX];
	uint8_t *va;
	int fd, ret = 0;

	memset(state, 0, sizeof(*state));
	state_path(dev, path, sizeof(path));
	fd = state_file(dev, path);
	if (fd < 0)
		return fd;
	/* Of a socket only its driver knows, later, whether it was there before. */
	if (dev->taken_over || dev->socket_hash != 0) {
		useless = state_useless(fd, &header);
		if (useless != NULL && dev->taken_over)
			VDUSE_LOG(dev, WARNING, dev->name, "state file %s says nothing of what was "
				  "in flight: %s", path, useless);
	}
	if (useless != NULL)
		ret = state_init(fd, &header);
	va = MAP_FAILED;
	if (ret == 0) {
		va = mmap(NULL, STATE_DATA + size, PROT_READ | PROT_WRITE,
			  MAP_SHARED | MAP_POPULATE, fd, 0);
		ret = va == MAP_FAILED ? -errno : 0;
	}
	if (ret < 0) {
		close(fd);
		return state_fail(dev, path, -ret);
	}
	*state = (struct rte_vduse_state){
		.data = va + STATE_DATA,
		.size = size,
		.kept = useless == NULL,
		.fd = fd, /* holds the lock */
	};
	return 0;
}

void
rte_vduse_state_remove(const struct rte_vduse_dev *dev, struct rte_vduse_state *state)
{
	char path[PATH_MAX];

	if (state->data == NULL)
		return;
	state_path(dev, path, sizeof(path));
	(void)unlink(path);
	munmap((uint8_t *)state->data - STATE_DATA, STATE_DATA + state->size);
	close(state->fd);
	memset(state, 0, sizeof(*state));
}
