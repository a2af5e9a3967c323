/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * The state file of a device: memory that outlives a process which is killed, and says to the
 * next one what the rings do not. One process has it open; no thread of lib/vduse touches what
 * is in it.
 */
#ifndef VDUSE_STATE_H
#define VDUSE_STATE_H

#include <stdbool.h>
#include <stddef.h>

struct rte_vduse_dev;

struct rte_vduse_state {
	void *data;   /* size bytes, zeroed unless kept; NULL: closed */
	size_t size;
	int fd;
	bool kept;    /* a process that was killed wrote it, of the device that was taken over */
};

/*
 * Opens the file of a device that was created, with room for size bytes. What is in it counts
 * only if the device was taken over from a dead process (a line in the log says if it does not)
 * or is a socket, and if it is of the same version, device, and size.
 *
 * 0; -EBUSY: another process has it; or what the file system says. One log line.
 */
int
rte_vduse_state_open(const struct rte_vduse_dev *dev, size_t size, struct rte_vduse_state *state);

/* Closes it and removes the file: the device is gone. Harmless on a closed one. */
void
rte_vduse_state_remove(const struct rte_vduse_dev *dev, struct rte_vduse_state *state);

/* Where such files are; made if it was not there, and if that can be done. */
const char *
rte_vduse_state_dir(void);

#endif /* VDUSE_STATE_H */
