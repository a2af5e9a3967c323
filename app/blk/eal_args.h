/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The arguments of EAL: those given before "--", and defaults for what is missing.
 * Thread: main.
 */
#ifndef BLK_EAL_ARGS_H
#define BLK_EAL_ARGS_H

#include <sched.h>
#include <stdbool.h>

#define APP_EAL_HUGEPAGES "/sys/kernel/mm/hugepages"
#define APP_EAL_ADDED     16  /* arguments that are added at most */
#define APP_EAL_TEXT      512 /* bytes of --lcores */

struct app_eal_args {
	int argc;
	char **argv; /* NULL at the end; its strings are those given, constants, or text */
	char text[APP_EAL_TEXT];
	bool no_huge; /* huge pages would be faster */
};

/*
 * Makes the argument vector for rte_eal_init(). mask: processors that this process may use.
 * hugepages: folder as APP_EAL_HUGEPAGES. Returns 0; or -EINVAL after one line, or -ENOMEM.
 */
int
app_eal_args_make(int argc, char **argv, const cpu_set_t *mask, const char *hugepages,
		  struct app_eal_args *args);
/* Frees the vector. */
void
app_eal_args_free(struct app_eal_args *args);

#endif /* BLK_EAL_ARGS_H */
