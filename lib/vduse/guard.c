/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Keeps this process alive when a driver takes a page away that we are about to touch. In
 * flows SIGBUS, out flow a zeroed page in the place of the lost one and a poisoned table,
 * which stops the virtqueues at their next burst. Runs on whichever thread touched the page.
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "iotlb.h"

/* initial-exec: the handler may not be the first to use it, for that would allocate. */
static __thread struct vduse_iotlb *guard_table __attribute__((tls_model("initial-exec")));

static struct sigaction guard_previous;
static pthread_once_t guard_once = PTHREAD_ONCE_INIT;
static int guard_error;

void
vduse_guard_set(struct vduse_iotlb *table)
{
	guard_table = table;
}

static bool
guard_replace(void *va, size_t page_size)
{
	return mmap(RTE_PTR_ALIGN_FLOOR(va, page_size), page_size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) != MAP_FAILED;
}

static struct vduse_mapping *
guard_find(struct vduse_iotlb *table, const uint8_t *va)
{
	uint32_t i;

	for (i = 0; i < table->nb; i++) {
		struct vduse_mapping *mapping = table->mappings[i];

		if (!mapping->ours && va >= mapping->va && va < mapping->va + mapping->len)
			return mapping;
	}
	return NULL;
}

/* Somebody else's fault goes where it went before us. */
static void
guard_pass_on(int signum, siginfo_t *info, void *context)
{
	if (guard_previous.sa_flags & SA_SIGINFO) {
		guard_previous.sa_sigaction(signum, info, context);
	} else if (guard_previous.sa_handler != SIG_DFL && guard_previous.sa_handler != SIG_IGN) {
		guard_previous.sa_handler(signum);
	} else {
		/* On return the access is repeated and ends the process as it should. */
		signal(SIGBUS, SIG_DFL);
	}
}

static void
guard_handler(int signum, siginfo_t *info, void *context)
{
	struct vduse_iotlb *table = guard_table;
	struct vduse_mapping *mapping = NULL;
	int err = errno;

	if (table != NULL && info->si_addr != NULL)
		mapping = guard_find(table, info->si_addr);
	if (mapping == NULL) {
		guard_pass_on(signum, info, context);
		return;
	}
	if (!guard_replace(info->si_addr, mapping->page_size))
		guard_pass_on(signum, info, context);
	/* Read with acquire where a burst begins. */
	__atomic_store_n(&table->poisoned, 1, __ATOMIC_RELEASE);
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
