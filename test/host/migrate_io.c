/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * First and only process of the guest of host_41_migrate_disk: verified I/O on /dev/vda, from several
 * threads, until the guest ends. It has no file system of the host's, which a guest that migrates
 * cannot have. Statically linked.
 *
 * Each thread has a part of the disk, whose blocks are zero at first. It writes blocks, remembers
 * what is in them, and reads them back. No processor writes to the buffers of reads, so that only
 * the device's dirty log tells a migration about them; and they are compared late, so that a
 * migration often comes in between.
 *
 * Input: the disk, /modules. Output: lines on the console: "buffer FRAMES", the guest's page frames
 * of a buffer of reads; "the guest is up"; "progress REQUESTS SWEEPS", how often all of the disk was
 * read; WRONG and ERROR lines.
 * Thread: NB_THREADS of them, and the main one, which reports.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <linux/fs.h>

#define NB_THREADS 16
#define BLOCK      4096u
#define NB_WORDS   (BLOCK / sizeof(uint64_t))
#define MOST       16u /* blocks of a request */
#define NB_LATE    8u  /* reads of a thread that are not compared yet */
#define SECTOR     512u
#define FRAME      ((UINT64_C(1) << 55) - 1) /* of an entry of pagemap */
#define LINES_MOST 100

/* What a read should have found. */
struct late {
	uint8_t *data;
	uint32_t first;
	uint32_t nb; /* blocks; 0: nothing was read */
	uint32_t versions[MOST];
};

struct worker {
	uint32_t first; /* block of the disk */
	uint32_t nb;
	uint32_t *versions; /* of what was written last; 0: never */
	uint32_t version;
	uint32_t cursor; /* of the sweep */
	uint64_t random;
	uint8_t *out;
	struct late late[NB_LATE];
	unsigned int next; /* of late */
	_Atomic uint64_t nb_requests;
	_Atomic uint64_t nb_sweeps;
};

static int disk;
static struct worker workers[NB_THREADS];
static _Atomic unsigned int nb_lines;

__attribute__((format(printf, 1, 2))) static void
report(const char *format, ...)
{
	va_list args;

	if (atomic_fetch_add(&nb_lines, 1) >= LINES_MOST)
		return;
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
}

__attribute__((format(printf, 1, 2))) static void
give_up(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	exit(1);
}

static uint64_t
mix(uint64_t x)
{
	x = (x ^ x >> 32) * UINT64_C(0x9e3779b97f4a7c15);
	return x ^ x >> 29;
}

static uint32_t
roll(struct worker *worker, uint32_t below)
{
	worker->random = worker->random * UINT64_C(6364136223846793005) + 1442695040888963407;
	return (uint32_t)((worker->random >> 33) % below);
}

static void
fill(uint64_t *words, uint32_t block, uint32_t version)
{
	uint64_t seed = mix((uint64_t)block << 32 | version);
	unsigned int i;

	if (version == 0) {
		memset(words, 0, BLOCK);
		return;
	}
	for (i = 0; i < NB_WORDS; i++)
		words[i] = mix(seed + i);
}

/* One line for each wrong block: its first wrong byte, and how many there are. */
static void
compare(const uint8_t *got, uint32_t block, uint32_t version)
{
	uint64_t words[NB_WORDS];
	const uint8_t *want = (const uint8_t *)words;
	unsigned int i, first = BLOCK, nb = 0;

	fill(words, block, version);
	if (memcmp(got, want, BLOCK) == 0)
		return;
	for (i = 0; i < BLOCK; i++) {
		if (got[i] == want[i])
			continue;
		first = first == BLOCK ? i : first;
		nb++;
	}
	report("WRONG: byte %llu of the disk is 0x%02x, not 0x%02x; %u bytes of block %u, version "
	       "%u\n",
	       (unsigned long long)block * BLOCK + first, got[first], want[first], nb, block,
	       version);
}

static void
compare_late(struct late *late)
{
	uint32_t i;

	for (i = 0; i < late->nb; i++)
		compare(late->data + i * BLOCK, late->first + i, late->versions[i]);
	late->nb = 0;
}

static void
check_io(ssize_t ret, const char *what, uint32_t first, uint32_t nb)
{
	if (ret == (ssize_t)(nb * BLOCK))
		return;
	report("ERROR: %s of %u blocks from %u: %s\n", what, nb, first,
	       ret < 0 ? strerror(errno) : "a part only");
}

static void
do_write(struct worker *worker)
{
	uint32_t at = roll(worker, worker->nb), nb = 1 + roll(worker, MOST), i;

	nb = nb < worker->nb - at ? nb : worker->nb - at;
	worker->version++;
	for (i = 0; i < nb; i++) {
		worker->versions[at + i] = worker->version;
		fill((uint64_t *)(worker->out + i * BLOCK), worker->first + at + i,
		     worker->version);
	}
	check_io(pwrite(disk, worker->out, nb * BLOCK, (off_t)(worker->first + at) * BLOCK),
		 "write", worker->first + at, nb);
}

static void
do_read(struct worker *worker, bool sweep)
{
	struct late *late = &worker->late[worker->next++ % NB_LATE];
	uint32_t at = sweep ? worker->cursor : roll(worker, worker->nb);
	uint32_t nb = 1 + roll(worker, MOST), i;
	ssize_t ret;

	compare_late(late);
	nb = nb < worker->nb - at ? nb : worker->nb - at;
	late->first = worker->first + at;
	for (i = 0; i < nb; i++)
		late->versions[i] = worker->versions[at + i];
	ret = pread(disk, late->data, nb * BLOCK, (off_t)late->first * BLOCK);
	check_io(ret, "read", late->first, nb);
	late->nb = ret == (ssize_t)(nb * BLOCK) ? nb : 0;
	if (!sweep)
		return;
	worker->cursor += nb;
	if (worker->cursor < worker->nb)
		return;
	worker->cursor = 0;
	worker->nb_sweeps++;
}

static void *
work(void *arg)
{
	struct worker *worker = arg;

	for (;;) {
		uint32_t what = roll(worker, 64);

		if (what == 0 && fdatasync(disk) < 0)
			report("ERROR: flush: %s\n", strerror(errno));
		else if (what < 24)
			do_write(worker);
		else
			do_read(worker, what < 44);
		worker->nb_requests++;
	}
	return NULL;
}

/* Where a buffer begins in its first page differs from thread to thread. */
static uint8_t *
new_buffer(unsigned int nth)
{
	uint8_t *buffer = aligned_alloc(BLOCK, (MOST + 1) * BLOCK);

	if (buffer == NULL)
		give_up("ERROR: no memory\n");
	/* The kernel gives it pages of its own now. */
	memset(buffer, 0xee, (MOST + 1) * BLOCK);
	if (mlock(buffer, (MOST + 1) * BLOCK) != 0)
		give_up("ERROR: mlock: %s\n", strerror(errno));
	return buffer + nth % (BLOCK / SECTOR) * SECTOR;
}

static void
start_worker(unsigned int nth, uint32_t nb)
{
	struct worker *worker = &workers[nth];
	pthread_t thread;
	unsigned int i;

	worker->first = nth * nb;
	worker->nb = nb;
	worker->random = nth;
	worker->versions = calloc(nb, sizeof(*worker->versions));
	if (worker->versions == NULL)
		give_up("ERROR: no memory\n");
	worker->out = new_buffer(nth);
	for (i = 0; i < NB_LATE; i++)
		worker->late[i].data = new_buffer(nth);
	if (pthread_create(&thread, NULL, work, worker) != 0)
		give_up("ERROR: no thread\n");
}

/* The kernel moves no locked page, and makes no large page of small ones. */
static void
keep_frames(void)
{
	int fd;

	if ((mkdir("/proc", 0755) != 0 && errno != EEXIST) ||
	    mount("proc", "/proc", "proc", 0, NULL) != 0)
		give_up("ERROR: /proc: %s\n", strerror(errno));
	fd = open("/proc/sys/vm/compact_unevictable_allowed", O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, "0", 1) != 1 || prctl(PR_SET_THP_DISABLE, 1, 0, 0, 0) != 0)
		give_up("ERROR: pages may move: %s\n", strerror(errno));
	close(fd);
}

static void
print_frames(const struct worker *worker)
{
	int pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	uint64_t entries[MOST + 1];
	unsigned int i, k;

	for (i = 0; i < NB_LATE; i++) {
		uintptr_t page = (uintptr_t)worker->late[i].data / BLOCK;

		if (pread(pagemap, entries, sizeof(entries), (off_t)(page * sizeof(*entries))) !=
		    sizeof(entries))
			give_up("ERROR: pagemap: %s\n", strerror(errno));
		printf("buffer");
		for (k = 0; k < MOST + 1; k++)
			printf(" %llx", (unsigned long long)(entries[k] & FRAME));
		printf("\n");
	}
	close(pagemap);
}

static void
load_modules(void)
{
	char name[256], path[300];
	FILE *order = fopen("/modules/order", "r");

	if (order == NULL)
		give_up("ERROR: no /modules/order\n");
	while (fscanf(order, "%255s", name) == 1) {
		int fd;

		snprintf(path, sizeof(path), "/modules/%s", name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || syscall(SYS_finit_module, fd, "", 0) != 0)
			give_up("ERROR: %s: %s\n", path, strerror(errno));
		close(fd);
	}
	fclose(order);
}

static void
open_disk(uint64_t *size)
{
	unsigned int i;

	if (mount("dev", "/dev", "devtmpfs", 0, NULL) != 0)
		give_up("ERROR: /dev: %s\n", strerror(errno));
	load_modules();
	for (i = 0; i < 1000; i++) {
		disk = open("/dev/vda", O_RDWR | O_DIRECT | O_CLOEXEC);
		if (disk >= 0)
			break;
		usleep(10000);
	}
	if (disk < 0 || ioctl(disk, BLKGETSIZE64, size) != 0)
		give_up("ERROR: /dev/vda: %s\n", strerror(errno));
}

int
main(void)
{
	uint64_t size, nb_requests, nb_sweeps;
	unsigned int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	open_disk(&size);
	keep_frames();
	for (i = 0; i < NB_THREADS; i++)
		start_worker(i, (uint32_t)(size / BLOCK / NB_THREADS));
	for (i = 0; i < NB_THREADS; i++)
		print_frames(&workers[i]);
	printf("the guest is up\n");
	for (;;) {
		nb_requests = 0;
		nb_sweeps = UINT64_MAX;
		for (i = 0; i < NB_THREADS; i++) {
			uint64_t sweeps = workers[i].nb_sweeps;

			nb_requests += workers[i].nb_requests;
			nb_sweeps = sweeps < nb_sweeps ? sweeps : nb_sweeps;
		}
		printf("progress %llu %llu\n", (unsigned long long)nb_requests,
		       (unsigned long long)nb_sweeps);
		usleep(200000);
	}
}
