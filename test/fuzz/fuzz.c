/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See fuzz.h. */
#include "fuzz.h"

#include <dirent.h>
#include <limits.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_log.h>
#include <rte_vduse_compat.h>

#include <vduse/core/ctrl_thread.h>
#include <vduse/core/device.h>
#include <vduse/memory/iotlb.h>

/* Longer than any answer takes: libFuzzer's -timeout ends a run that hangs, with all stacks. */
#define FUZZ_PATIENCE_MS 600000

static char run_dir[] = "/tmp/vduse-fuzz-XXXXXX";

void
fuzz_bytes(struct fuzz_input *in, void *to, size_t len)
{
	size_t n = RTE_MIN(len, in->left);

	if (n > 0)
		memcpy(to, in->data, n);
	memset((uint8_t *)to + n, 0, len - n);
	in->data += n;
	in->left -= n;
}

uint8_t
fuzz_u8(struct fuzz_input *in)
{
	uint8_t value;

	fuzz_bytes(in, &value, sizeof(value));
	return value;
}

uint16_t
fuzz_u16(struct fuzz_input *in)
{
	uint16_t value;

	fuzz_bytes(in, &value, sizeof(value));
	return value;
}

uint32_t
fuzz_u32(struct fuzz_input *in)
{
	uint32_t value;

	fuzz_bytes(in, &value, sizeof(value));
	return value;
}

uint64_t
fuzz_u64(struct fuzz_input *in)
{
	uint64_t value;

	fuzz_bytes(in, &value, sizeof(value));
	return value;
}

void
fuzz_fail(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fprintf(stderr, "*** FUZZ: ");
	vfprintf(stderr, format, args);
	fprintf(stderr, "\n");
	va_end(args);
	abort();
}

static void
remove_run_dir(void)
{
	struct dirent *entry;
	char path[PATH_MAX];
	DIR *dir = opendir(run_dir);

	while (dir != NULL && (entry = readdir(dir)) != NULL) {
		snprintf(path, sizeof(path), "%s/%s", run_dir, entry->d_name);
		(void)unlink(path);
	}
	if (dir != NULL)
		closedir(dir);
	(void)rmdir(run_dir);
}

/* Lines that a driver causes are formatted, and go nowhere. FUZZ_LOG=1: to stderr. */
static void
log_drop(void)
{
	FILE *stream = getenv("FUZZ_LOG") != NULL ? stderr : fopen("/dev/null", "w");

	if (stream == NULL || rte_openlog_stream(stream) < 0)
		fuzz_fail("no stream for the log");
}

void
fuzz_init(void)
{
	char *argv[] = { "fuzz", "--no-huge",      "--no-pci",           "-m",
			 "256",  "--no-shconf",    "--no-telemetry",     "-l",
			 "0",    "--iova-mode=va", "--log-level=notice", NULL };
	cpu_set_t cpus;

	log_drop();
	if (sched_getaffinity(0, sizeof(cpus), &cpus) < 0 ||
	    rte_eal_init((int)RTE_DIM(argv) - 1, argv) < 0 ||
	    sched_setaffinity(0, sizeof(cpus), &cpus) < 0)
		fuzz_fail("EAL does not start: see FUZZ_LOG=1");
	if (vduse_guard_install() < 0 || mkdtemp(run_dir) == NULL ||
	    setenv("DPDK_VDUSE_RUN_DIR", run_dir, 1) < 0)
		fuzz_fail("no guard, or no folder %s", run_dir);
	atexit(remove_run_dir);
}

const char *
fuzz_dir(void)
{
	return run_dir;
}

unsigned int
fuzz_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	fuzz_check(dir != NULL, "no /proc/self/fd");
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

static int
nothing(struct rte_vduse_dev *dev)
{
	RTE_SET_USED(dev);
	return 0;
}

/* Whether the control thread looks at virtqueues after the calls of a round. */
static bool
work_left(const struct rte_vduse_dev *dev)
{
	uint16_t i;

	for (i = 0; i < dev->nb_vqs; i++)
		if (rte_atomic_load_explicit(&dev->vqs[i].state, rte_memory_order_acquire) ==
		    RTE_VDUSE_VQ_WAITING)
			return true;
	return dev->unready != 0;
}

void
fuzz_sync(struct rte_vduse_dev *dev)
{
	/* With the answer to a second call, what follows the first one is done. */
	(void)vduse_ctrl_run(nothing, dev);
	if (work_left(dev))
		(void)vduse_ctrl_run(nothing, dev);
}

bool
fuzz_ask(struct vduse_loopback *loop, struct vduse_dev_request *req)
{
	struct vduse_dev_response resp;
	int ret = vduse_loopback_ask(loop, req, &resp, FUZZ_PATIENCE_MS);

	fuzz_check(ret == 0, "no answer to message %u: %s", req->type, strerror(-ret));
	return resp.result == VDUSE_REQ_RESULT_OK;
}
