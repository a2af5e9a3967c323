/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Attributes and counters of the fuzzed device: read at any time, and set to valid and invalid
 * values unless that could make the device wait longer.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "dev.h"
#include "fuzz.h"

#define CLASS_DIR	"/sys/class/vduse/" DEV_NAME "/"
#define COUNTERS	"/sys/kernel/debug/vduse/" DEV_NAME

static const char *const readable[] = {
	CLASS_DIR "msg_timeout", CLASS_DIR "bounce_size", CLASS_DIR "vq0/irq_cb_affinity",
	CLASS_DIR "vq1/irq_mode", CLASS_DIR "vq0/irq_mode", COUNTERS,
};

static const char *const writable[] = {
	CLASS_DIR "vq0/irq_cb_affinity", CLASS_DIR "vq1/irq_cb_affinity", CLASS_DIR "vq0/irq_mode",
	CLASS_DIR "vq1/irq_mode",
};

static const char *const values[] = {
	"1", "2", "3", "0", "ffffffff", "work", "inline", "", "nonsense",
};

#define PICK(array, seed)	((array)[rand_r(seed) % (sizeof(array) / sizeof((array)[0]))])

void
fuzz_attribute(unsigned int *seed)
{
	const char *value = PICK(values, seed);
	bool set = rand_r(seed) % 2;
	int file = set ? open(PICK(writable, seed), O_WRONLY | O_CLOEXEC) :
		open(PICK(readable, seed), O_RDONLY | O_CLOEXEC);
	char buffer[1024];

	if (file < 0)
		return;
	/* It fails when the device went, or does not take the value. */
	while (set ? write(file, value, strlen(value)) < 0 && rand_r(seed) % 2 :
			read(file, buffer, sizeof(buffer)) > 0)
		;
	close(file);
}
