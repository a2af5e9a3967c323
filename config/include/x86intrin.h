/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * DPDK's rte_vect.h includes the compiler's x86intrin.h, which declares all of AVX-512 even if the
 * program is built for none of it: with GCC most of the time that a file takes. Up to SSE4.2, and what
 * uses general registers (__rdtsc), is what DPDK's headers use then.
 * Input: __AVX__, which the compiler defines when it builds for AVX. Output: declarations.
 */
#if defined(__AVX__) || !__has_include(<x86gprintrin.h>)
#include_next <x86intrin.h>
#else
#include <nmmintrin.h>
#include <x86gprintrin.h>
#endif
