/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * What newer releases of DPDK define, for those before them. Any layer and any application that
 * includes rte_vduse.h may use it.
 */
#ifndef RTE_VDUSE_COMPAT_H
#define RTE_VDUSE_COMPAT_H

#include <rte_atomic.h>
#include <rte_common.h>

/* 25.03 replaced __rte_packed by these two, and deprecated it. */
#ifndef __rte_packed_begin
#define __rte_packed_begin
#define __rte_packed_end __attribute__((__packed__))
#endif

/* 23.11 has the atomics of C11, which a build option of DPDK maps to the compiler's or to C11's. */
#if __has_include(<rte_stdatomic.h>)
#include <rte_stdatomic.h>
#else

#define RTE_ATOMIC(type) type
#define __rte_atomic

typedef int rte_memory_order;

#define rte_memory_order_relaxed __ATOMIC_RELAXED
#define rte_memory_order_acquire __ATOMIC_ACQUIRE
#define rte_memory_order_release __ATOMIC_RELEASE
#define rte_memory_order_seq_cst __ATOMIC_SEQ_CST

#define rte_atomic_load_explicit(from, order)           __atomic_load_n(from, order)
#define rte_atomic_store_explicit(to, value, order)     __atomic_store_n(to, value, order)
#define rte_atomic_exchange_explicit(at, value, order)  __atomic_exchange_n(at, value, order)
#define rte_atomic_fetch_add_explicit(at, value, order) __atomic_fetch_add(at, value, order)
#define rte_atomic_fetch_sub_explicit(at, value, order) __atomic_fetch_sub(at, value, order)
#define rte_atomic_compare_exchange_strong_explicit(at, expected, value, order, failed)            \
	__atomic_compare_exchange_n(at, expected, value, 0, order, failed)
#define rte_atomic_compare_exchange_weak_explicit(at, expected, value, order, failed)              \
	__atomic_compare_exchange_n(at, expected, value, 1, order, failed)

#endif

#endif /* RTE_VDUSE_COMPAT_H */
