/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Device arguments of net_vduse.
 * Input: the text after the name of --vdev. Output: a checked structure.
 * Thread: any.
 */
#ifndef VDUSE_DEVARGS_H
#define VDUSE_DEVARGS_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>

#include <rte_vduse_args.h>
#include <rte_vduse_net.h>

/* What dpdk-pmdinfo and the guide show. */
#define VDUSE_DEVARGS_USAGE                                                                        \
	"iface=<path> "                                                                            \
	"queues=<int> "                                                                            \
	"queue-size=<int> "                                                                        \
	"mac=<mac addr> "                                                                          \
	"mtu=<int> "                                                                               \
	"attach=<none|virtio|vhost> "                                                              \
	"umem=<0|1> "                                                                              \
	"client=<0|1> "                                                                            \
	"any-memory=<0|1> "                                                                        \
	"iommu=<0|1> "                                                                             \
	"postcopy=<0|1> "                                                                          \
	"memory-limit=<bytes> "                                                                    \
	"socket-mode=<octal> "                                                                     \
	"socket-group=<group> "                                                                    \
	"packed=<0|1> "                                                                            \
	"in-order=<0|1> "                                                                          \
	"mergeable=<0|1> "                                                                         \
	"csum=<0|1> "                                                                              \
	"tso=<0|1> "                                                                               \
	"uso=<0|1> "                                                                               \
	"speed=<Mbps> "                                                                            \
	"steer=<app|rss|auto> "                                                                    \
	"hash-report=<0|1> "                                                                       \
	"handover=<path>"

struct vduse_devargs {
	struct rte_vduse_args_dev dev;
	uint32_t speed; /* Mbit/s; 0: none is announced */
	uint16_t mtu;
	bool csum;                 /* offer checksum offload both ways */
	bool tso;                  /* likewise segmentation of TCP; implies csum */
	bool uso;                  /* likewise segmentation of UDP; implies csum */
	bool mergeable;            /* offer that a packet takes several receive buffers */
	bool hash_report;          /* offer hashes of packets to the driver */
	struct rte_ether_addr mac; /* all zeroes if none was given */
	enum rte_vduse_net_steer steer;
	char handover[108]; /* socket at which a newer process asks for the port; empty: none */
};

/*
 * Parses the arguments of the device name. text may be NULL. 0, or a negative errno with one
 * log line that says what is wrong and what to do; out is then undefined.
 */
int
vduse_devargs_parse(const char *name, const char *text, struct vduse_devargs *out);

#endif /* VDUSE_DEVARGS_H */
