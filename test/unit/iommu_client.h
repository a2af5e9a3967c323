/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * A vhost-user client whose driver is behind an IOMMU: what it tells, and what it is asked. Whatever goes
 * wrong with the sockets fails the test.
 */
#ifndef IOMMU_CLIENT_H
#define IOMMU_CLIENT_H

#include "vhost_client.h"

/* Gives the device a back-end channel. Returns the client's end, which the caller closes. */
int
iommu_client_channel(int client);

/* A message that maps (MSG_IOTLB_UPDATE) or unmaps (MSG_IOTLB_INVALIDATE) a range. */
struct vhost_user_msg
iommu_client_msg(uint8_t type, uint64_t iova, uint64_t size, uint64_t user, uint8_t perm);

/* Sends it. Returns what the device answers: 0, or 1 if it refuses. */
uint64_t
iommu_client_tell(int client, uint8_t type, uint64_t iova, uint64_t size, uint64_t user,
		  uint8_t perm);

/* Waits until the device asks for an address (MSG_IOTLB_MISS), or gives it up. */
void
iommu_client_asked(int channel, uint8_t type, uint64_t iova, uint8_t perm);

/* After a turn of the control thread, the device has asked for nothing more. */
void
iommu_client_asked_nothing(int channel);

#endif /* IOMMU_CLIENT_H */
