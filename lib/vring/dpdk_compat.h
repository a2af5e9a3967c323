/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * What DPDK 25.03 and later define, for the releases before it. Any layer may include it; what
 * only lib/vduse needs is in its compat.h.
 */
#ifndef VRING_DPDK_COMPAT_H
#define VRING_DPDK_COMPAT_H

#include <rte_common.h>

/* 25.03 replaced __rte_packed by these two, and deprecated it. */
#ifndef __rte_packed_begin
#define __rte_packed_begin
#define __rte_packed_end __attribute__((__packed__))
#endif

#endif /* VRING_DPDK_COMPAT_H */
