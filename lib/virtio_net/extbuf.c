/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * External buffers for packets that are longer than the data room of the application's pool.
 * Input: an empty mbuf. Output: the same with memory of its own, which is freed with the last
 * mbuf that refers to it. Thread: polling.
 */
#include <rte_malloc.h>

#include <virtio_net/net.h>

static void
extbuf_free(void *addr, void *arg)
{
	RTE_SET_USED(addr);
	rte_free(arg);
}

bool
vnet_extbuf_attach(struct rte_mbuf *mbuf, uint32_t len)
{
	struct rte_mbuf_ext_shared_info *shinfo;
	uint32_t size = RTE_PKTMBUF_HEADROOM + len;
	uint16_t buf_len;
	void *buf;

	/* The shared info, aligned, comes after the data. */
	size += sizeof(*shinfo) + sizeof(uintptr_t);
	/* A pinned external buffer cannot be replaced. */
	if (RTE_MBUF_HAS_PINNED_EXTBUF(mbuf) || size > UINT16_MAX)
		return false;
	buf = rte_malloc("vduse_extbuf", size, RTE_CACHE_LINE_SIZE);
	if (buf == NULL)
		return false;
	buf_len = (uint16_t)size;
	shinfo = rte_pktmbuf_ext_shinfo_init_helper(buf, &buf_len, extbuf_free, buf);
	rte_pktmbuf_attach_extbuf(mbuf, buf, rte_malloc_virt2iova(buf), buf_len, shinfo);
	rte_pktmbuf_reset_headroom(mbuf);
	return true;
}
