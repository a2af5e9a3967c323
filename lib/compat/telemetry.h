/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Unsigned values of telemetry: DPDK 23.03 gave them other names and later removed the old ones.
 * Thread: any.
 */
#ifndef COMPAT_TELEMETRY_H
#define COMPAT_TELEMETRY_H

#include <stdint.h>

#include <rte_telemetry.h>
#include <rte_version.h>

#if RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
#define VDUSE_TEL_UINT RTE_TEL_UINT_VAL
#else
#define VDUSE_TEL_UINT RTE_TEL_U64_VAL
#endif

static inline int
vduse_tel_array_uint(struct rte_tel_data *data, uint64_t value)
{
#if RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
	return rte_tel_data_add_array_uint(data, value);
#else
	return rte_tel_data_add_array_u64(data, value);
#endif
}

static inline int
vduse_tel_dict_uint(struct rte_tel_data *data, const char *name, uint64_t value)
{
#if RTE_VERSION >= RTE_VERSION_NUM(23, 3, 0, 0)
	return rte_tel_data_add_dict_uint(data, name, value);
#else
	return rte_tel_data_add_dict_u64(data, name, value);
#endif
}

#endif /* COMPAT_TELEMETRY_H */
