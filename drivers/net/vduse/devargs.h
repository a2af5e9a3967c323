/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Device arguments of net_vduse. In flows the text behind --vdev's name, out flows a checked
 * structure. A pure function but for its log line; any thread.
 */
#ifndef VDUSE_DEVARGS_H
#define VDUSE_DEVARGS_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

#include <rte_ether.h>

#include <rte_vduse.h>

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
	"memory-limit=<bytes> "                                                                    \
	"socket-mode=<octal> "                                                                     \
	"socket-group=<group> "                                                                    \
	"packed=<0|1> "                                                                            \
	"in-order=<0|1>"

/* Longest path of a device, with its closing NUL. */
#define VDUSE_DEVARGS_IFACE_MAX RTE_VDUSE_SOCKET_MAX
static_assert(sizeof(RTE_VDUSE_PATH) - 1 + RTE_VDUSE_NAME_MAX <= VDUSE_DEVARGS_IFACE_MAX,
	      "the longest path of a VDUSE device must fit");

struct vduse_devargs {
	char iface[VDUSE_DEVARGS_IFACE_MAX];
	uint16_t queues;
	uint16_t queue_size;
	uint16_t mtu;
	struct rte_ether_addr mac; /* all zeroes if none was given */
	enum rte_vduse_attach attach;
	uint32_t socket_mode;  /* 0: the default */
	char socket_group[64]; /* empty: the default */
	bool umem;
	bool client;
	bool any_memory;
	uint64_t memory_limit; /* 0: the default */
	bool packed;
	bool packed_given;
	bool in_order;
};

/*
 * Parses the arguments of the device name. args may be NULL. 0, or a negative errno with one
 * log line that says what is wrong and what to do; out is then undefined.
 */
int
vduse_devargs_parse(const char *name, const char *args, struct vduse_devargs *out);

#endif /* VDUSE_DEVARGS_H */
