/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* See unit.h. */
#include "unit.h"

#include <dirent.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#include <rte_eal.h>
#include <rte_log.h>

#include <vduse/core/ctrl_thread.h>
#include <vduse/memory/iotlb.h>

static int log_fd = -1;
static off_t log_start;
static struct sigaction sigbus_kept;

/* What is logged goes to a file in memory, where tests look for it. */
static int
log_keep(void)
{
	FILE *stream;

	log_fd = memfd_create("unit-log", MFD_CLOEXEC);
	if (log_fd < 0)
		return -1;
	stream = fdopen(dup(log_fd), "a");
	if (stream == NULL)
		return -1;
	return rte_openlog_stream(stream);
}

int
unit_init(void)
{
	char *argv[] = { "unit", "--no-huge",      "--no-pci",           "-m",
			 "256",  "--no-shconf",    "--no-telemetry",     "-l",
			 "0",    "--iova-mode=va", "--log-level=notice", NULL };
	cpu_set_t cpus;

	if (log_keep() < 0 || sched_getaffinity(0, sizeof(cpus), &cpus) < 0)
		return -1;
	if (rte_eal_init((int)RTE_DIM(argv) - 1, argv) < 0) {
		unit_done(1);
		return -1;
	}
	/* Threads of the tests would all inherit the one processor of the main lcore. */
	return sched_setaffinity(0, sizeof(cpus), &cpus);
}

int
unit_done(int failed)
{
	char chunk[4096];
	off_t at = 0;
	ssize_t n;

	while (failed != 0 && (n = pread(log_fd, chunk, sizeof(chunk), at)) > 0) {
		fwrite(chunk, 1, (size_t)n, stderr);
		at += n;
	}
	return failed != 0;
}

void
unit_log_clear(void)
{
	log_start = lseek(log_fd, 0, SEEK_END);
}

unsigned int
unit_log_count(const char *text)
{
	size_t size = (size_t)(lseek(log_fd, 0, SEEK_END) - log_start);
	char *log = calloc(1, size + 1), *line, *rest = NULL;
	unsigned int count = 0;

	assert_non_null(log);
	assert_int_equal(pread(log_fd, log, size, log_start), size);
	for (line = strtok_r(log, "\n", &rest); line != NULL; line = strtok_r(NULL, "\n", &rest))
		count += strstr(line, text) != NULL;
	free(log);
	return count;
}

void
unit_sleep_ms(unsigned int ms)
{
	struct timespec time = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L };

	nanosleep(&time, NULL);
}

bool
unit_signalled(void *arg)
{
	eventfd_t value;

	return eventfd_read(*(int *)arg, &value) == 0;
}

bool
unit_wait(bool (*condition)(void *arg), void *arg)
{
	unsigned int ms;

	for (ms = 0; ms < UNIT_PATIENCE_MS; ms++) {
		if (condition(arg))
			return true;
		unit_sleep_ms(1);
	}
	return condition(arg);
}

static int
turn(struct rte_vduse_dev *dev)
{
	RTE_SET_USED(dev);
	return 0;
}

/*
 * A turn is: messages, calls, what was deferred. The first call may be of a turn that began before
 * the message came. The second is of the next one: what was deferred was looked at before it, and
 * messages after that.
 */
void
unit_ctrl_turn(void)
{
	assert_int_equal(vduse_ctrl_run(turn, NULL), 0);
	assert_int_equal(vduse_ctrl_run(turn, NULL), 0);
}

static bool
is_populated(void *arg)
{
	RTE_SET_USED(arg);
	return !vduse_populate_busy();
}

void
unit_populated(void)
{
	assert_true(unit_wait(is_populated, NULL));
}

unsigned int
unit_fds(void)
{
	unsigned int count = 0;
	DIR *dir;

	unit_populated();
	dir = opendir("/proc/self/fd");
	assert_non_null(dir);
	while (readdir(dir) != NULL)
		count++;
	closedir(dir);
	return count;
}

static bool
has_fds(void *arg)
{
	return unit_fds() <= *(unsigned int *)arg;
}

void
unit_fds_back(unsigned int most)
{
	assert_true(unit_wait(has_fds, &most));
}

unsigned int
unit_maps(const char *text)
{
	unsigned int count = 0;
	char line[512];
	FILE *maps;

	unit_populated();
	maps = fopen("/proc/self/maps", "r");
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps) != NULL)
		count += strstr(line, text) != NULL;
	fclose(maps);
	return count;
}

static bool
has_no_maps(void *arg)
{
	return unit_maps(arg) == 0;
}

void
unit_maps_gone(const char *text)
{
	assert_true(unit_wait(has_no_maps, (void *)(uintptr_t)text));
}

static bool
has_logged(void *arg)
{
	return unit_log_count(arg) > 0;
}

void
unit_log_wait(const char *text)
{
	assert_true(unit_wait(has_logged, (void *)(uintptr_t)text));
}

/* Whether a thread of this process has this name; its processor time then. */
static bool
thread_read(const char *id, const char *name, uint64_t *ms)
{
	unsigned long user, system;
	char path[64], line[512] = "", *end;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/task/%.16s/stat", id);
	file = fopen(path, "r");
	if (file == NULL)
		return false;
	if (fgets(line, sizeof(line), file) == NULL)
		line[0] = '\0';
	fclose(file);
	end = strrchr(line, ')');
	if (end == NULL || strstr(line, name) == NULL)
		return false;
	/* proc(5): fields 14 and 15; the first one after the name is the third. */
	if (sscanf(end + 1, " %*c %*d %*d %*d %*d %*d %*u %*u %*u %*u %*u %lu %lu", &user,
		   &system) != 2)
		return false;
	*ms = (user + system) * 1000 / (unsigned long)sysconf(_SC_CLK_TCK);
	return true;
}

uint64_t
unit_thread_ms(const char *name)
{
	DIR *dir = opendir("/proc/self/task");
	const struct dirent *entry;
	bool found = false;
	uint64_t ms = 0;

	assert_non_null(dir);
	while (!found && (entry = readdir(dir)) != NULL)
		found = thread_read(entry->d_name, name, &ms);
	closedir(dir);
	assert_true(found);
	return ms;
}

int
unit_memfd(const char *name, uint64_t size)
{
	int fd = memfd_create(name, MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

void
unit_sigbus_keep(void)
{
	sigaction(SIGBUS, NULL, &sigbus_kept);
}

void
unit_sigbus_restore(void)
{
	sigaction(SIGBUS, &sigbus_kept, NULL);
}
