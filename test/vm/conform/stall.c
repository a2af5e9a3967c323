/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Memory whose page faults userfaultfd delays, and child processes that must not wait for it. */
#include <fcntl.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <linux/userfaultfd.h>

#include "dev.h"
#include "stall.h"
#include "tap.h"

void
stall_init(struct stall *stall)
{
	struct uffdio_register range = {
		.range.len = STALL_PAGE,
		.mode = UFFDIO_REGISTER_MODE_MISSING,
	};
	struct uffdio_api api = { .api = UFFD_API };

	stall->room = mmap(NULL, 2 * STALL_PAGE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	need(stall->room != MAP_FAILED, "mmap");
	stall->page = stall->room + STALL_PAGE;
	stall->uffd = syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
	need(stall->uffd >= 0 && ioctl(stall->uffd, UFFDIO_API, &api) == 0, "userfaultfd");
	range.range.start = (uintptr_t)stall->page;
	need(ioctl(stall->uffd, UFFDIO_REGISTER, &range) == 0, "UFFDIO_REGISTER");
}

void
stall_wait(struct stall *stall)
{
	struct uffd_msg msg;

	need(dev_wait(stall->uffd, POLLIN) && read(stall->uffd, &msg, sizeof(msg)) > 0,
			"the call touches the page");
}

void
stall_finish(struct stall *stall, bool page)
{
	struct uffdio_zeropage zero = { .range = { (uintptr_t)stall->page, STALL_PAGE } };

	if (page)
		need(ioctl(stall->uffd, UFFDIO_ZEROPAGE, &zero) == 0, "UFFDIO_ZEROPAGE");
	else
		munmap(stall->page, STALL_PAGE);
	/* This wakes the tasks that wait for a page. */
	close(stall->uffd);
}

bool
child_ends(pid_t pid, unsigned int seconds)
{
	unsigned int tenths;
	int status;

	for (tenths = 0; tenths < 10 * seconds; tenths++) {
		if (waitpid(pid, &status, WNOHANG) == pid)
			return WIFEXITED(status) && WEXITSTATUS(status) == 0;
		usleep(100000);
	}
	return false;
}
