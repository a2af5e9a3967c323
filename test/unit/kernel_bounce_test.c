/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The module's bounce.c and slots.c in userspace, with the kernel headers of kernel_stub: which
 * bytes a driver and the device's process see of each other, and moves to other memory while
 * drivers map. Between two steps of a move, where the kernel lets others run, the test acts as
 * another CPU.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <cmocka.h>
#include <pthread.h>

#include <linux/dma-mapping.h>
#include <linux/highmem.h>
#include <linux/percpu.h>
#include <linux/rcupdate.h>

#include "bounce.h"

#define REGION_SIZE ((size_t)4 << 20)
#define NODE        3
#define NR_BUFFERS  512
#define BUFFER_SIZE ((size_t)8 << 10)
/* More than a step of a move may copy or look through with interrupts off, of 4 MiB. */
#define STEP_BYTES ((size_t)256 << 10)
#define STEPS_MIN  4

_Thread_local int stub_cpu;

/* --- what the stubs leave to a test --- */

static pthread_rwlock_t rcu;
static unsigned int nr_calls, wrong_allocations;
static size_t moved, moved_max;
static unsigned int nr_steps;
static void (*between_steps)(void);

void
rcu_read_lock(void)
{
	pthread_rwlock_rdlock(&rcu);
}

void
rcu_read_unlock(void)
{
	pthread_rwlock_unlock(&rcu);
}

void
synchronize_rcu(void)
{
	pthread_rwlock_wrlock(&rcu);
	pthread_rwlock_unlock(&rcu);
}

void
cond_resched(void)
{
	nr_steps++;
	if (moved > moved_max)
		moved_max = moved;
	moved = 0;
	if (between_steps != NULL)
		between_steps();
}

void
memcpy_page(struct page *to, size_t to_offset, struct page *from, size_t from_offset, size_t len)
{
	moved += len;
	memcpy((u8 *)to->va + to_offset, (u8 *)from->va + from_offset, len);
}

/* Huge pages are scarce: every other one is had. */
struct page *
alloc_pages_node(int node, gfp_t gfp, unsigned int order)
{
	size_t nr = (size_t)1 << order, i;
	struct page *pages;
	u8 *memory;

	if (order > 0 && nr_calls++ % 2 == 0)
		return NULL;
	wrong_allocations += node != NODE || (gfp & __GFP_ZERO) == 0 || (gfp & __GFP_ACCOUNT) == 0;
	pages = calloc(nr, sizeof(*pages));
	memory = calloc(nr, PAGE_SIZE);
	if (pages == NULL || memory == NULL)
		abort();
	for (i = 0; i < nr; i++)
		pages[i].va = memory + i * PAGE_SIZE;
	pages->order = order;
	pages->nr_users = 1;
	return pages;
}

void
put_page(struct page *page)
{
	if (--page->nr_users > 0)
		return;
	free(page->va);
	free(page);
}

/* --- driver and process --- */

struct buffer {
	u8 *byte;
	size_t size;
	dma_addr_t addr; /* DMA_MAPPING_ERROR: not mapped */
	enum dma_data_direction dir;
	u8 value; /* all of its bytes, or what the device will have written */
};

static struct vduse_bounce bounce;
static struct buffer buffers[NR_BUFFERS];
static struct page *umem[REGION_SIZE / 4096];
static struct page umem_page[REGION_SIZE / 4096];
static u8 *umem_memory;
static unsigned int seed;

/* What the process sees of an offset. */
static u8 *
seen(u64 offset)
{
	return (u8 *)bounce.pages[offset / PAGE_SIZE]->va + offset % PAGE_SIZE;
}

static bool
all_are(const u8 *byte, size_t size, u8 value)
{
	return size == 0 || (byte[0] == value && memcmp(byte, byte + 1, size - 1) == 0);
}

static bool
seen_all_are(u64 offset, size_t size, u8 value)
{
	size_t i;

	for (i = 0; i < size; i++)
		if (*seen(offset + i) != value)
			return false;
	return true;
}

static void
device_writes(u64 offset, size_t size, u8 value)
{
	size_t i;

	for (i = 0; i < size; i++)
		*seen(offset + i) = value;
}

static void
map(struct buffer *buffer, enum dma_data_direction dir, size_t size)
{
	buffer->size = size;
	buffer->dir = dir;
	buffer->value = rand_r(&seed) % 255 + 1;
	memset(buffer->byte, buffer->value, size);
	buffer->addr = vduse_bounce_map(&bounce, (uintptr_t)buffer->byte, size, dir, true);
}

static void
unmap(struct buffer *buffer)
{
	vduse_bounce_unmap(&bounce, buffer->addr, buffer->dir, true);
	buffer->addr = DMA_MAPPING_ERROR;
}

static int
setup(void **state)
{
	pthread_rwlockattr_t attr;
	unsigned int i;

	(void)state;
	pthread_rwlockattr_init(&attr);
	pthread_rwlockattr_setkind_np(&attr, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
	pthread_rwlock_init(&rcu, &attr);
	seed = 1;
	stub_cpu = 0;
	memset(&bounce, 0, sizeof(bounce));
	assert_int_equal(vduse_bounce_init(&bounce, REGION_SIZE), 0);
	assert_int_equal(vduse_bounce_prepare(&bounce, NODE), 0);
	umem_memory = calloc(REGION_SIZE, 1);
	for (i = 0; i < REGION_SIZE / PAGE_SIZE; i++) {
		umem[i] = &umem_page[i];
		umem[i]->va = umem_memory + i * PAGE_SIZE;
	}
	for (i = 0; i < NR_BUFFERS; i++) {
		buffers[i].byte = malloc(BUFFER_SIZE);
		buffers[i].addr = DMA_MAPPING_ERROR;
		assert_non_null(buffers[i].byte);
	}
	moved = moved_max = nr_steps = 0;
	between_steps = NULL;
	return 0;
}

static int
teardown(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < NR_BUFFERS; i++)
		free(buffers[i].byte);
	vduse_bounce_exit(&bounce);
	free(umem_memory);
	pthread_rwlock_destroy(&rcu);
	return 0;
}

/* --- tests --- */

/* K16: on the node that was asked for, zeroed, and charged to who causes it. */
static void
test_allocation(void **state)
{
	(void)state;
	assert_int_equal(wrong_allocations, 0);
}

/* What the driver finds of a request that the device only began to answer. */
static void
test_written_less(void **state)
{
	struct buffer *secret = &buffers[0], *read = &buffers[1];
	dma_addr_t addr;
	bool copying;

	(void)state;
	for (copying = false;; copying = true) {
		map(secret, DMA_TO_DEVICE, 4096);
		assert_true(seen_all_are(secret->addr, 4096, secret->value));
		addr = secret->addr;
		unmap(secret);
		memset(read->byte, 0xee, 4096);
		read->addr = vduse_bounce_map(&bounce, (uintptr_t)read->byte, 4096, DMA_FROM_DEVICE,
					      copying);
		assert_int_equal(read->addr, addr);
		/* Neither does the process see what is in the driver's memory. */
		assert_true(seen_all_are(addr, 4096, 0));
		device_writes(addr, 100, 0x55);
		vduse_bounce_sync(&bounce, addr, 4096, false);
		vduse_bounce_unmap(&bounce, addr, DMA_FROM_DEVICE, copying);
		assert_true(all_are(read->byte, 100, 0x55));
		assert_true(all_are(read->byte + 100, 4096 - 100, 0));
		if (copying)
			break;
	}
}

static void
test_both_directions(void **state)
{
	struct buffer *buffer = &buffers[0];

	(void)state;
	map(buffer, DMA_BIDIRECTIONAL, 3000);
	assert_true(seen_all_are(buffer->addr, 3000, buffer->value));
	device_writes(buffer->addr, 10, 0);
	vduse_bounce_unmap(&bounce, buffer->addr, DMA_BIDIRECTIONAL, true);
	assert_true(all_are(buffer->byte, 10, 0));
	assert_true(all_are(buffer->byte + 10, 2990, buffer->value));
}

/* Any mapped buffer is as it was, in whatever memory it is now. Then maps or unmaps some. */
static void
use_some(void)
{
	struct buffer *buffer;
	unsigned int i;

	for (i = 0; i < 32; i++) {
		stub_cpu = rand_r(&seed) % STUB_CPUS;
		buffer = &buffers[rand_r(&seed) % NR_BUFFERS];
		if (buffer->addr == DMA_MAPPING_ERROR) {
			map(buffer, rand_r(&seed) % 2 ? DMA_TO_DEVICE : DMA_BIDIRECTIONAL,
			    rand_r(&seed) % BUFFER_SIZE + 1);
			continue;
		}
		memset(buffer->byte, 0, buffer->size);
		vduse_bounce_sync(&bounce, buffer->addr, buffer->size, false);
		assert_true(all_are(buffer->byte, buffer->size, buffer->value));
		if (rand_r(&seed) % 2)
			unmap(buffer);
	}
}

static void
check_all(void)
{
	struct buffer *buffer;
	unsigned int i, mapped = 0;

	for (i = 0; i < NR_BUFFERS; i++) {
		buffer = &buffers[i];
		if (buffer->addr == DMA_MAPPING_ERROR)
			continue;
		mapped++;
		assert_true(seen_all_are(buffer->addr, buffer->size, buffer->value));
	}
	assert_true(mapped > 0);
}

/* K8: a move is made of short steps, and drivers go on between them. */
static void
test_move(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 2 * NR_BUFFERS / 32; i++)
		use_some();
	between_steps = use_some;
	for (i = 0; i < 20; i++) {
		nr_steps = 0;
		vduse_bounce_move(&bounce, umem);
		assert_ptr_equal(bounce.pages, umem);
		assert_true(nr_steps >= STEPS_MIN);
		check_all();
		vduse_bounce_move(&bounce, NULL);
		assert_ptr_equal(bounce.pages, bounce.kernel_pages);
		check_all();
	}
	assert_true(moved <= STEP_BYTES);
	assert_true(moved_max <= STEP_BYTES);
}

struct driver {
	pthread_t thread;
	int cpu;
	unsigned int failed;
	atomic_bool *stop;
};

static void *
map_and_unmap(void *arg)
{
	struct driver *driver = arg;
	unsigned int i, own = driver->cpu + 1, round = 0;
	struct buffer *buffer;

	stub_cpu = driver->cpu;
	while (!atomic_load(driver->stop)) {
		buffer = &buffers[driver->cpu * 16 + rand_r(&own) % 16];
		buffer->size = rand_r(&own) % BUFFER_SIZE + 1;
		memset(buffer->byte, ++round, buffer->size);
		buffer->addr = vduse_bounce_map(&bounce, (uintptr_t)buffer->byte, buffer->size,
						DMA_BIDIRECTIONAL, true);
		memset(buffer->byte, 0, buffer->size);
		for (i = rand_r(&own) % 4; i > 0; i--)
			vduse_bounce_sync(&bounce, buffer->addr, buffer->size, false);
		vduse_bounce_unmap(&bounce, buffer->addr, DMA_BIDIRECTIONAL, true);
		driver->failed += !all_are(buffer->byte, buffer->size, round);
	}
	return NULL;
}

static void
test_move_threads(void **state)
{
	struct driver drivers[STUB_CPUS] = { 0 };
	atomic_bool stop = false;
	int i;

	(void)state;
	for (i = 0; i < STUB_CPUS; i++) {
		drivers[i].cpu = i;
		drivers[i].stop = &stop;
		assert_int_equal(
			pthread_create(&drivers[i].thread, NULL, map_and_unmap, &drivers[i]), 0);
	}
	for (i = 0; i < 50; i++) {
		vduse_bounce_move(&bounce, umem);
		vduse_bounce_move(&bounce, NULL);
		vduse_bounce_clear(&bounce);
	}
	atomic_store(&stop, true);
	for (i = 0; i < STUB_CPUS; i++) {
		pthread_join(drivers[i].thread, NULL);
		assert_int_equal(drivers[i].failed, 0);
	}
}

/* No byte that is not a mapped buffer's is left. */
static void
check_only_mapped(void)
{
	u8 *used = calloc(REGION_SIZE, 1);
	unsigned int i;
	size_t offset;

	assert_non_null(used);
	for (i = 0; i < NR_BUFFERS; i++)
		if (buffers[i].addr != DMA_MAPPING_ERROR)
			memset(used + buffers[i].addr, 1, buffers[i].size);
	for (offset = 0; offset < REGION_SIZE; offset++)
		assert_true(used[offset] || *seen(offset) == 0);
	free(used);
}

/* K17: the next process finds the requests in flight, and nothing of those before. */
static void
test_clear(void **state)
{
	unsigned int i;

	(void)state;
	for (i = 0; i < 2 * NR_BUFFERS / 32; i++)
		use_some();
	device_writes(REGION_SIZE - 5, 5, 0x77);
	nr_steps = 0;
	vduse_bounce_clear(&bounce);
	assert_true(nr_steps >= STEPS_MIN);
	check_all();
	check_only_mapped();
	between_steps = use_some;
	for (i = 0; i < 20; i++) {
		vduse_bounce_clear(&bounce);
		check_all();
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_allocation, setup, teardown),
		cmocka_unit_test_setup_teardown(test_written_less, setup, teardown),
		cmocka_unit_test_setup_teardown(test_both_directions, setup, teardown),
		cmocka_unit_test_setup_teardown(test_move, setup, teardown),
		cmocka_unit_test_setup_teardown(test_move_threads, setup, teardown),
		cmocka_unit_test_setup_teardown(test_clear, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
