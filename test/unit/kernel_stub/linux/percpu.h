/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* Per-CPU memory is an array. A thread of the test says which CPU it runs on. */
#ifndef KERNEL_STUB_PERCPU_H
#define KERNEL_STUB_PERCPU_H

#include <stdlib.h>

#include <linux/kernel.h>

#define STUB_CPUS	4

extern _Thread_local int stub_cpu;

#define __percpu
#define for_each_possible_cpu(cpu)	for ((cpu) = 0; (cpu) < STUB_CPUS; (cpu)++)
#define per_cpu_ptr(ptr, cpu)		(&(ptr)[cpu])
#define raw_cpu_ptr(ptr)		(&(ptr)[stub_cpu])
#define alloc_percpu(type)		((type *)calloc(STUB_CPUS, sizeof(type)))
#define alloc_percpu_gfp(type, gfp)	((void)(gfp), alloc_percpu(type))
#define free_percpu(ptr)		free(ptr)
#define this_cpu_inc(counter)		this_cpu_add(counter, 1)

/* Counted for the first CPU: sums are the same. */
#define this_cpu_add(counter, n)	((void)__atomic_fetch_add(&(counter), n, __ATOMIC_RELAXED))

#endif
