/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
#ifndef RTE_VDUSE_ARGS_H
#define RTE_VDUSE_ARGS_H

/**
 * @file
 * Device and backend arguments: "key=value,key=value,...".
 *
 * A key ends at the first '='. A value ends at a comma; two commas in a row stand for one comma in
 * the value. No other character is special, so that a value can be any path. rte_kvargs refuses
 * values with '=' and gives '[' a meaning of its own.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * Takes the next argument off a text.
 *
 * @param rest
 *   The text that is left, which is written to: the key and the value become strings in it. Moved
 *   on to what follows the argument.
 * @param value
 *   Set to the value, or to NULL if the argument has no '='.
 * @return the key, which may be empty; NULL if nothing is left. Thread-safe for different texts.
 */
char *
rte_vduse_args_next(char **rest, char **value);

/**
 * Writes one argument so that rte_vduse_args_next() reads it back, with a closing NUL.
 *
 * @param to
 *   At most size bytes are written here; may be NULL if size is 0.
 * @param size
 *   Bytes at to.
 * @param key
 *   Without ',' and '='.
 * @param value
 *   Any text.
 * @return the length without the NUL that all of it needs, as snprintf() does: size or more if it
 *   was cut off.
 */
size_t
rte_vduse_args_put(char *to, size_t size, const char *key, const char *value);

/**
 * Reads a number of bytes, which may end in K, M, G or T.
 *
 * @param value
 *   Any text.
 * @param[out] bytes
 *   The number, at most INT64_MAX; left alone if there is none.
 * @return whether all of value is one. Thread-safe.
 */
bool
rte_vduse_args_bytes(const char *value, uint64_t *bytes);

#ifdef __cplusplus
}
#endif

#endif /* RTE_VDUSE_ARGS_H */
