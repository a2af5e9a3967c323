/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/* The build leaves trace events out; this is all that is seen of them. */
#define trace_vduse_map(bounce, iova, size, dir)	((void)(dir))
#define trace_vduse_unmap(bounce, iova, size, dir)	((void)(dir))
