/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Sum of a part of a packet, as the Internet checksum needs it.
 * Input: an mbuf. Output: the sum, not complemented.
 * Thread: polling.
 */
#include <rte_byteorder.h>
#include <rte_ip.h>

#include <virtio_net/offload.h>

/*
 * rte_raw_cksum_mbuf() of DPDK 22.11 loses carries where a segment begins at an odd place, so each
 * segment is summed alone.
 */
uint16_t
vnet_offload_sum(const struct rte_mbuf *segment, uint32_t at, uint32_t len)
{
	uint32_t sum = 0, done = 0, n;
	uint16_t part;

	for (; segment != NULL && done < len; segment = segment->next) {
		if (at >= segment->data_len) {
			at -= segment->data_len;
			continue;
		}
		n = RTE_MIN(len - done, segment->data_len - at);
		part = rte_raw_cksum(rte_pktmbuf_mtod_offset(segment, const void *, at), n);
		sum += done % 2 != 0 ? rte_bswap16(part) : part;
		done += n;
		at = 0;
	}
	/* At most 65535 segments: no carry is lost before. */
	return vnet_offload_fold(sum);
}
