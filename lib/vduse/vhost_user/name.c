/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Names of vhost-user messages, for the log.
 * Input: a number. Output: the protocol's name for it.
 * Thread: any.
 */
#include <rte_common.h>

#include <vduse/vhost_user/msg.h>
#include <vduse/vhost_user/wire.h>

const char *
vhost_user_msg_name(uint32_t type)
{
	static const char *const names[] = {
		[MSG_GET_FEATURES] = "GET_FEATURES",
		[MSG_SET_FEATURES] = "SET_FEATURES",
		[MSG_SET_OWNER] = "SET_OWNER",
		[MSG_RESET_OWNER] = "RESET_OWNER",
		[MSG_SET_MEM_TABLE] = "SET_MEM_TABLE",
		[MSG_SET_LOG_BASE] = "SET_LOG_BASE",
		[MSG_SET_LOG_FD] = "SET_LOG_FD",
		[MSG_SET_VRING_NUM] = "SET_VRING_NUM",
		[MSG_SET_VRING_ADDR] = "SET_VRING_ADDR",
		[MSG_SET_VRING_BASE] = "SET_VRING_BASE",
		[MSG_GET_VRING_BASE] = "GET_VRING_BASE",
		[MSG_SET_VRING_KICK] = "SET_VRING_KICK",
		[MSG_SET_VRING_CALL] = "SET_VRING_CALL",
		[MSG_SET_VRING_ERR] = "SET_VRING_ERR",
		[MSG_GET_PROTOCOL_FEATURES] = "GET_PROTOCOL_FEATURES",
		[MSG_SET_PROTOCOL_FEATURES] = "SET_PROTOCOL_FEATURES",
		[MSG_GET_QUEUE_NUM] = "GET_QUEUE_NUM",
		[MSG_SET_VRING_ENABLE] = "SET_VRING_ENABLE",
		[MSG_SET_BACKEND_CHANNEL] = "SET_BACKEND_CHANNEL",
		[MSG_IOTLB] = "IOTLB",
		[MSG_GET_CONFIG] = "GET_CONFIG",
		[MSG_SET_CONFIG] = "SET_CONFIG",
		[MSG_POSTCOPY_ADVISE] = "POSTCOPY_ADVISE",
		[MSG_POSTCOPY_LISTEN] = "POSTCOPY_LISTEN",
		[MSG_POSTCOPY_END] = "POSTCOPY_END",
		[MSG_GET_INFLIGHT_FD] = "GET_INFLIGHT_FD",
		[MSG_SET_INFLIGHT_FD] = "SET_INFLIGHT_FD",
		[MSG_GET_MAX_MEM_SLOTS] = "GET_MAX_MEM_SLOTS",
		[MSG_ADD_MEM_REG] = "ADD_MEM_REG",
		[MSG_REM_MEM_REG] = "REM_MEM_REG",
	};

	if (type >= RTE_DIM(names) || names[type] == NULL)
		return "unknown";
	return names[type];
}
