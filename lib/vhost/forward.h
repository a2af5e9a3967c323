/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The functions of DPDK's own librte_vhost, to which calls for all other devices go. They are
 * looked up once, when this library is loaded. No lock is held while one runs, because librte_vhost
 * itself calls some of its exported functions, which this library replaces.
 */
#ifndef VHOST_FORWARD_H
#define VHOST_FORWARD_H

#include <errno.h>
#include <stddef.h>

#include <rte_vhost.h>
#include <rte_vhost_async.h>
#include <rte_vhost_crypto.h>

#include <vhost/newer.h>

/* Every function that this library defines, without its rte_vhost_. */
#define VHOST_FUNCTIONS(X)                                                                         \
	X(async_channel_register)                                                                  \
	X(async_channel_register_thread_unsafe)                                                    \
	X(async_channel_unregister)                                                                \
	X(async_channel_unregister_thread_unsafe)                                                  \
	X(async_dma_configure)                                                                     \
	X(async_dma_unconfigure)                                                                   \
	X(async_get_inflight)                                                                      \
	X(async_get_inflight_thread_unsafe)                                                        \
	X(async_try_dequeue_burst)                                                                 \
	X(avail_entries)                                                                           \
	X(backend_config_change)                                                                   \
	X(clear_queue)                                                                             \
	X(clear_queue_thread_unsafe)                                                               \
	X(clr_inflight_desc_packed)                                                                \
	X(clr_inflight_desc_split)                                                                 \
	X(crypto_driver_start)                                                                     \
	X(dequeue_burst)                                                                           \
	X(driver_attach_vdpa_device)                                                               \
	X(driver_callback_register)                                                                \
	X(driver_detach_vdpa_device)                                                               \
	X(driver_disable_features)                                                                 \
	X(driver_enable_features)                                                                  \
	X(driver_get_features)                                                                     \
	X(driver_get_protocol_features)                                                            \
	X(driver_get_queue_num)                                                                    \
	X(driver_get_vdpa_dev_type)                                                                \
	X(driver_get_vdpa_device)                                                                  \
	X(driver_register)                                                                         \
	X(driver_set_features)                                                                     \
	X(driver_set_max_queue_num)                                                                \
	X(driver_set_protocol_features)                                                            \
	X(driver_start)                                                                            \
	X(driver_unregister)                                                                       \
	X(enable_guest_notification)                                                               \
	X(enqueue_burst)                                                                           \
	X(extern_callback_register)                                                                \
	X(get_ifname)                                                                              \
	X(get_log_base)                                                                            \
	X(get_mem_table)                                                                           \
	X(get_monitor_addr)                                                                        \
	X(get_mtu)                                                                                 \
	X(get_negotiated_features)                                                                 \
	X(get_negotiated_protocol_features)                                                        \
	X(get_numa_node)                                                                           \
	X(get_vdpa_device)                                                                         \
	X(get_vhost_ring_inflight)                                                                 \
	X(get_vhost_vring)                                                                         \
	X(get_vring_base)                                                                          \
	X(get_vring_base_from_inflight)                                                            \
	X(get_vring_num)                                                                           \
	X(log_used_vring)                                                                          \
	X(log_write)                                                                               \
	X(notify_guest)                                                                            \
	X(poll_enqueue_completed)                                                                  \
	X(rx_queue_count)                                                                          \
	X(set_inflight_desc_packed)                                                                \
	X(set_inflight_desc_split)                                                                 \
	X(set_last_inflight_io_packed)                                                             \
	X(set_last_inflight_io_split)                                                              \
	X(set_vring_base)                                                                          \
	X(slave_config_change)                                                                     \
	X(submit_enqueue_burst)                                                                    \
	X(vring_call)                                                                              \
	X(vring_call_nonblock)                                                                     \
	X(vring_stats_get)                                                                         \
	X(vring_stats_get_names)                                                                   \
	X(vring_stats_reset)

#define VHOST_FORWARD_FIELD(name) __typeof__(&rte_vhost_##name) name;

/* NULL: this release of DPDK has no such function. */
struct vhost_forward {
	VHOST_FUNCTIONS(VHOST_FORWARD_FIELD)
};

/* Constant once the library is loaded. */
extern struct vhost_forward vhost_forward;

/* VHOST_REAL(get_mtu, -ENOTSUP, vid, mtu): result of librte_vhost; -ENOTSUP if it has none. */
#define VHOST_REAL(name, none, ...)                                                                \
	(likely(vhost_forward.name != NULL) ? vhost_forward.name(__VA_ARGS__) : (none))

#endif /* VHOST_FORWARD_H */
