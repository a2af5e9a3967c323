/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Definitions of newer DPDK releases for older ones. Any layer, and any application that includes
 * rte_vduse.h, may use them.
 */
#ifndef RTE_VDUSE_COMPAT_H
#define RTE_VDUSE_COMPAT_H

#include <rte_atomic.h>
#include <rte_common.h>

/* DPDK 25.03 replaced and deprecated __rte_packed. */
#ifndef __rte_packed_begin
#define __rte_packed_begin
#define __rte_packed_end __attribute__((__packed__))
#endif

/* DPDK 23.11 added these, which its option enable_stdatomic maps to C11 or compiler builtins. */
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
