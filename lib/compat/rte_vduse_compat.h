/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef RTE_VDUSE_COMPAT_H
#define RTE_VDUSE_COMPAT_H

/**
 * @file
 * Macros that newer releases of DPDK define, for older releases. A program that includes
 * rte_vduse.h may use them with any release. Each is what DPDK documents under that name; any
 * thread may use it.
 */

#include <rte_atomic.h>
#include <rte_common.h>

/* DPDK 25.03 replaced and deprecated __rte_packed. */
#ifndef __rte_packed_begin
/** Begins the definition of a structure without padding. */
#define __rte_packed_begin
/** Ends the definition of a structure without padding. */
#define __rte_packed_end __attribute__((__packed__))
#endif

/* DPDK 23.11 added these, which its option enable_stdatomic maps to C11 or compiler builtins. */
#if __has_include(<rte_stdatomic.h>)
#include <rte_stdatomic.h>
#else

/** Type of an atomic variable. */
#define RTE_ATOMIC(type) type
/** Qualifier of an atomic variable. */
#define __rte_atomic

/** Memory order of an atomic operation. */
typedef int rte_memory_order;

/** No order. */
#define rte_memory_order_relaxed                        __ATOMIC_RELAXED
/** Later accesses stay after it. */
#define rte_memory_order_acquire                        __ATOMIC_ACQUIRE
/** Earlier accesses stay before it. */
#define rte_memory_order_release                        __ATOMIC_RELEASE
/** All such operations have one order. */
#define rte_memory_order_seq_cst                        __ATOMIC_SEQ_CST

/** Loads a value. */
#define rte_atomic_load_explicit(from, order)           __atomic_load_n(from, order)
/** Stores a value. */
#define rte_atomic_store_explicit(to, value, order)     __atomic_store_n(to, value, order)
/** Stores a value; gives the one before. */
#define rte_atomic_exchange_explicit(at, value, order)  __atomic_exchange_n(at, value, order)
/** Adds a value; gives the one before. */
#define rte_atomic_fetch_add_explicit(at, value, order) __atomic_fetch_add(at, value, order)
/** Subtracts a value; gives the one before. */
#define rte_atomic_fetch_sub_explicit(at, value, order) __atomic_fetch_sub(at, value, order)
/** Sets bits of a value; gives the one before. */
#define rte_atomic_fetch_or_explicit(at, value, order)  __atomic_fetch_or(at, value, order)
/** Stores a value if the one there is as expected; gives whether it did. */
#define rte_atomic_compare_exchange_strong_explicit(at, expected, value, order, failed)            \
	__atomic_compare_exchange_n(at, expected, value, 0, order, failed)
/** The same, and may fail without a reason. */
#define rte_atomic_compare_exchange_weak_explicit(at, expected, value, order, failed)              \
	__atomic_compare_exchange_n(at, expected, value, 1, order, failed)

#endif

#endif /* RTE_VDUSE_COMPAT_H */
