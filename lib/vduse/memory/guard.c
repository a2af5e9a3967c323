/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Handles SIGBUS, so that a driver that truncates its memory does not end this process.
 * Input: SIGBUS. Output: zeroed memory in place of the lost memory, and poisoned tables, which stop
 * the virtqueues at their next burst.
 * Thread: the handler runs on the thread that accessed the memory; the control thread adds and
 * removes tables.
 */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include <rte_vduse_compat.h>

#include <vduse/memory/iotlb.h>

/*
 * List of all tables in use. Writers take the lock. The handler cannot; it counts itself as a
 * reader, and vduse_guard_remove() waits until there is no reader.
 */
static struct vduse_iotlb *guard_tables; /* atomic */
static unsigned int guard_readers;       /* atomic */
static pthread_mutex_t guard_lock = PTHREAD_MUTEX_INITIALIZER;

static struct sigaction guard_previous;
static pthread_once_t guard_once = PTHREAD_ONCE_INIT;
static int guard_error;

static struct vduse_iotlb *
guard_load(struct vduse_iotlb **link)
{
	return rte_atomic_load_explicit(link, rte_memory_order_seq_cst);
}

void
vduse_guard_add(struct vduse_iotlb *table)
{
	uint32_t i;

	pthread_mutex_lock(&guard_lock);
	table->guard_next = guard_tables;
	rte_atomic_store_explicit(&guard_tables, table, rte_memory_order_seq_cst);
	pthread_mutex_unlock(&guard_lock);
	/*
	 * A mapping shared with another table may be lost already. The handler sets lost, then
	 * walks the list: either it finds this table, or lost is seen here. Both are seq_cst.
	 */
	for (i = 0; i < table->nb; i++)
		if (rte_atomic_load_explicit(&table->mappings[i]->lost, rte_memory_order_seq_cst))
			rte_atomic_store_explicit(&table->poisoned, 1, rte_memory_order_release);
}

void
vduse_guard_remove(struct vduse_iotlb *table)
{
	struct vduse_iotlb **link = &guard_tables;

	pthread_mutex_lock(&guard_lock);
	while (*link != NULL && *link != table)
		link = &(*link)->guard_next;
	if (*link != NULL)
		rte_atomic_store_explicit(link, table->guard_next, rte_memory_order_seq_cst);
	pthread_mutex_unlock(&guard_lock);
	/* A handler that started before may still use the table. Handlers do not sleep. */
	while (rte_atomic_load_explicit(&guard_readers, rte_memory_order_seq_cst) != 0)
		sched_yield();
}

/*
 * The whole mapping: replacing single pages would let a driver exhaust the number of mappings of this
 * process.
 */
static bool
guard_replace(const struct vduse_mapping *mapping, const uint8_t *lost)
{
	if (vduse_mapping_replace(mapping))
		return true;
	/* Without overcommit the kernel refuses a large mapping: replace only the page. */
	return mmap((void *)RTE_ALIGN_FLOOR((uintptr_t)lost, mapping->page_size),
		    mapping->page_size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
}

static struct vduse_mapping *
guard_find(const uint8_t *va)
{
	struct vduse_iotlb *table;
	uint32_t i;

	for (table = guard_load(&guard_tables); table != NULL;
	     table = guard_load(&table->guard_next)) {
		for (i = 0; i < table->nb; i++) {
			struct vduse_mapping *mapping = table->mappings[i];

			if (!mapping->ours && va >= mapping->va && va < mapping->va + mapping->len)
				return mapping;
		}
	}
	return NULL;
}

/* Poisons all tables with the mapping: during a switch, a device has an old and a new one. */
static void
guard_poison(const struct vduse_mapping *mapping)
{
	struct vduse_iotlb *table;
	uint32_t i;

	for (table = guard_load(&guard_tables); table != NULL;
	     table = guard_load(&table->guard_next)) {
		for (i = 0; i < table->nb; i++)
			if (table->mappings[i] == mapping)
				/* Release: pairs with the acquire in vduse_vq_guard(). */
				rte_atomic_store_explicit(&table->poisoned, 1,
							  rte_memory_order_release);
	}
}

/* Returns whether va is driver memory and can be accessed again. */
static bool
guard_repair(const uint8_t *va)
{
	struct vduse_mapping *mapping;
	bool done = false;

	rte_atomic_fetch_add_explicit(&guard_readers, 1, rte_memory_order_seq_cst);
	mapping = guard_find(va);
	if (mapping != NULL) {
		/* Before the replacement: no burst may start on memory that is not the driver's. */
		rte_atomic_store_explicit(&mapping->lost, true, rte_memory_order_seq_cst);
		guard_poison(mapping);
		done = guard_replace(mapping, va);
	}
	rte_atomic_fetch_sub_explicit(&guard_readers, 1, rte_memory_order_seq_cst);
	return done;
}

/* Handles a SIGBUS that is not for driver memory as before the guard was installed. */
static void
guard_pass_on(int signum, siginfo_t *info, void *context)
{
	/* Not caused by an access of this thread that is repeated when the handler returns. */
	bool sent = info->si_code <= 0 || info->si_code == BUS_MCEERR_AO;

	if (guard_previous.sa_flags & SA_SIGINFO) {
		guard_previous.sa_sigaction(signum, info, context);
	} else if (guard_previous.sa_handler != SIG_DFL && guard_previous.sa_handler != SIG_IGN) {
		guard_previous.sa_handler(signum);
	} else if (guard_previous.sa_handler == SIG_DFL || !sent) {
		signal(SIGBUS, SIG_DFL);
		/* Blocked until the handler returns. */
		raise(SIGBUS);
	}
}

static void
guard_handler(int signum, siginfo_t *info, void *context)
{
	int err = errno;

	/* With other codes (an unaligned access, or a signal that was sent) si_addr is not valid. */
	if ((info->si_code != BUS_ADRERR && info->si_code != BUS_MCEERR_AR) ||
	    !guard_repair(info->si_addr))
		guard_pass_on(signum, info, context);
	errno = err;
}

static void
guard_install_once(void)
{
	struct sigaction action;

	memset(&action, 0, sizeof(action));
	action.sa_sigaction = guard_handler;
	action.sa_flags = SA_SIGINFO;
	sigemptyset(&action.sa_mask);
	if (sigaction(SIGBUS, &action, &guard_previous) < 0)
		guard_error = -errno;
}

int
vduse_guard_install(void)
{
	pthread_once(&guard_once, guard_install_once);
	return guard_error;
}
