/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * JSON-RPC 2.0.
 * Input: a line of a client, which may hold anything. Output: the answer.
 * Thread: the client's.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "control.h"

#define RPC_PARSE      (-32700)
#define RPC_NO_METHOD  (-32601)
#define RPC_BAD_PARAMS (-32602)

/* Takes value. */
static char *
rpc_answer(json_t *id, const char *key, json_t *value)
{
	json_t *answer = json_pack("{s:s, s:o, s:O?}", "jsonrpc", "2.0", key, value, "id", id);
	char *text = NULL;

	if (answer != NULL)
		text = json_dumps(answer, JSON_COMPACT);
	json_decref(answer);
	return text;
}

/* A text with what a client sent may be cut off within a character, so that it is not UTF-8. */
static json_t *
rpc_text(const char *text)
{
	char plain[256];
	size_t i;

	for (i = 0; i < sizeof(plain) - 1 && text[i] != '\0'; i++)
		plain[i] = (unsigned char)text[i] < 0x80 ? text[i] : '?';
	plain[i] = '\0';
	return json_string(plain);
}

static char *
rpc_error(json_t *id, int code, const char *text)
{
	return rpc_answer(id, "error",
			  json_pack("{s:i, s:o}", "code", code, "message", rpc_text(text)));
}

char *
control_rpc_error(int code, const char *text)
{
	return rpc_error(NULL, code, text);
}

/* What a method returned. */
static char *
rpc_result(json_t *id, struct control_call *call, int ret)
{
	const char *name;

	if (ret == 0)
		return rpc_answer(id, "result", json_incref(call->result));
	if (ret == CONTROL_BAD_PARAMS)
		return rpc_error(id, RPC_BAD_PARAMS, call->error);
	name = strerrorname_np(-ret);
	return rpc_answer(id, "error",
			  json_pack("{s:i, s:o, s:{s:s}}", "code", CONTROL_RPC_FAILED, "message",
				    rpc_text(call->error[0] != '\0' ? call->error : strerror(-ret)),
				    "data", "errno", name != NULL ? name : "EIO"));
}

static control_function_t
rpc_find(const struct control_method *methods, const char *name)
{
	while (methods->name != NULL && strcmp(methods->name, name) != 0)
		methods++;
	return methods->function;
}

/* A request without an id is a notification, which has no answer. */
static char *
rpc_call(struct app_devices *devices, int fd, json_t *id, const char *method, json_t *params,
	 bool *stop)
{
	struct control_call call = { .params = params, .fd = fd, .devices = devices };
	control_function_t function = rpc_find(control_methods, method);
	char *answer = NULL;
	int ret;

	if (function == NULL)
		function = rpc_find(control_methods_device, method);
	if (function == NULL)
		function = rpc_find(control_methods_handover, method);
	if (function == NULL)
		return id != NULL ? rpc_error(id, RPC_NO_METHOD, "no such method") : NULL;
	if (params == NULL)
		call.params = json_object();
	ret = call.params != NULL ? function(&call) : -ENOMEM;
	if (id != NULL)
		answer = rpc_result(id, &call, ret);
	*stop = call.stop;
	json_decref(call.result);
	if (params == NULL)
		json_decref(call.params);
	return answer;
}

static char *
rpc_request(struct app_devices *devices, int fd, json_t *request, bool *stop)
{
	json_t *id = json_object_get(request, "id");
	json_t *params = json_object_get(request, "params");
	const char *version = json_string_value(json_object_get(request, "jsonrpc"));
	const char *method = json_string_value(json_object_get(request, "method"));

	if (json_is_array(request))
		return rpc_error(NULL, CONTROL_RPC_INVALID, "batches are not supported");
	if (!json_is_object(request))
		return rpc_error(NULL, CONTROL_RPC_INVALID, "a request is an object");
	if (id != NULL && !json_is_string(id) && !json_is_number(id) && !json_is_null(id))
		return rpc_error(NULL, CONTROL_RPC_INVALID, "id is a string or a number");
	if (version == NULL || strcmp(version, "2.0") != 0)
		return rpc_error(id, CONTROL_RPC_INVALID, "jsonrpc is \"2.0\"");
	if (method == NULL)
		return rpc_error(id, CONTROL_RPC_INVALID, "method is a string");
	if (params != NULL && !json_is_object(params) && !json_is_array(params))
		return rpc_error(id, CONTROL_RPC_INVALID, "params is an object");
	return rpc_call(devices, fd, id, method, params, stop);
}

/* jansson limits the depth, and refuses what is not UTF-8, NUL characters and numbers too large. */
char *
control_rpc(struct app_devices *devices, int fd, const char *line, size_t len, bool *stop)
{
	json_error_t error;
	json_t *request = json_loadb(line, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &error);
	char *answer;

	*stop = false;
	if (request == NULL)
		return rpc_error(NULL, RPC_PARSE, error.text);
	answer = rpc_request(devices, fd, request, stop);
	json_decref(request);
	return answer;
}
