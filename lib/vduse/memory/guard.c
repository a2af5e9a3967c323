/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Keeps this process alive when a driver takes memory away that a thread is about to touch.
 * Input: SIGBUS. Output: zeroed memory in place of what was lost, and poisoned tables, which stop
 * the virtqueues at their next burst.
 * Thread: the handler runs on whichever thread touched the memory; the control thread adds and
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
 * Every table in use. The lock is for who changes the list; the handler takes none, it counts
 * itself as a reader, and a table is freed when no reader is left.
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
	 * Mappings that another table has as well may be lost already. The handler marks a mapping,
	 * then looks for tables: either it finds this one, or the mark is seen here.
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
	/* A handler that began before may still be at the table. It does not sleep. */
	while (rte_atomic_load_explicit(&guard_readers, rte_memory_order_seq_cst) != 0)
		sched_yield();
}

/*
 * Puts zeroed memory in place of a whole mapping: with one piece for each lost page a driver could
 * use up the number of mappings that a process may have. The memory is made elsewhere and moved,
 * because mlockall(MCL_FUTURE) would allocate all of it, and other threads must not see it before
 * it is accessible.
 */
static bool
guard_replace(const struct vduse_mapping *mapping, const uint8_t *lost)
{
	void *va = mmap(NULL, mapping->len, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE,
			-1, 0);

	if (va != MAP_FAILED) {
		(void)munlock(va, mapping->len);
		if (mprotect(va, mapping->len, PROT_READ | PROT_WRITE) == 0 &&
		    mremap(va, mapping->len, mapping->len, MREMAP_MAYMOVE | MREMAP_FIXED,
			   mapping->va) != MAP_FAILED)
			return true;
		munmap(va, mapping->len);
	}
	/* A kernel that does not overcommit refuses a large mapping: the page alone. */
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

/* A device has two tables with the same mapping while the control thread changes them. */
static void
guard_poison(const struct vduse_mapping *mapping)
{
	struct vduse_iotlb *table;
	uint32_t i;

	for (table = guard_load(&guard_tables); table != NULL;
	     table = guard_load(&table->guard_next)) {
		for (i = 0; i < table->nb; i++)
			if (table->mappings[i] == mapping)
				/* Read with acquire where a burst begins. */
				rte_atomic_store_explicit(&table->poisoned, 1,
							  rte_memory_order_release);
	}
}

/* Whether va was a driver's and can be accessed again. */
static bool
guard_repair(const uint8_t *va)
{
	struct vduse_mapping *mapping;
	bool done = false;

	rte_atomic_fetch_add_explicit(&guard_readers, 1, rte_memory_order_seq_cst);
	mapping = guard_find(va);
	if (mapping != NULL) {
		/* First: no burst is to begin on memory that is not the driver's any more. */
		rte_atomic_store_explicit(&mapping->lost, true, rte_memory_order_seq_cst);
		guard_poison(mapping);
		done = guard_replace(mapping, va);
	}
	rte_atomic_fetch_sub_explicit(&guard_readers, 1, rte_memory_order_seq_cst);
	return done;
}

/* Whether no access of this thread caused it, so that none is repeated when the handler returns. */
static bool
guard_is_sent(const siginfo_t *info)
{
	return info->si_code <= 0 || info->si_code == BUS_MCEERR_AO;
}

/* A fault of somebody else is handled as before the guard was installed. */
static void
guard_pass_on(int signum, siginfo_t *info, void *context)
{
	if (guard_previous.sa_flags & SA_SIGINFO) {
		guard_previous.sa_sigaction(signum, info, context);
	} else if (guard_previous.sa_handler != SIG_DFL && guard_previous.sa_handler != SIG_IGN) {
		guard_previous.sa_handler(signum);
	} else if (guard_previous.sa_handler == SIG_DFL || !guard_is_sent(info)) {
		signal(SIGBUS, SIG_DFL);
		/* It is blocked until the handler returns. */
		raise(SIGBUS);
	}
}

static void
guard_handler(int signum, siginfo_t *info, void *context)
{
	int err = errno;

	/* Other codes are of an access that is not aligned, or of none: si_addr means nothing. */
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
