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

#include <rte_vduse.h>

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
 *   was cut off. Thread-safe for different memory.
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

/** How the value of an argument is read, and the type of the variable that takes it. */
enum rte_vduse_arg_type {
	RTE_VDUSE_ARG_FLAG,   /**< 0 or 1; bool. */
	RTE_VDUSE_ARG_NUMBER, /**< Decimal, min to max; an unsigned integer. */
	RTE_VDUSE_ARG_POWER,  /**< The same, a power of two. */
	RTE_VDUSE_ARG_BYTES,  /**< See rte_vduse_args_bytes(), at least min; uint64_t. */
	RTE_VDUSE_ARG_MODE,   /**< Octal, 1 to 0777; an unsigned integer. */
	RTE_VDUSE_ARG_NAME,   /**< One of names, read as its index; an enum. */
	RTE_VDUSE_ARG_TEXT,   /**< Not empty; an array of char that it fits into. */
	RTE_VDUSE_ARG_STRING, /**< Not empty; char *, NULL before, for the caller to free(). */
	RTE_VDUSE_ARG_PATH,   /**< What rte_vduse_path_name() takes; an array of char. */
	RTE_VDUSE_ARG_SOCKET, /**< Only what rte_vduse_path_is_socket() is true for. */
	RTE_VDUSE_ARG_OTHER,  /**< What parse takes. */
};

/** One argument that is known. Two with the same variable are two words for one argument. */
struct rte_vduse_arg {
	const char *key;              /**< Without ',' and '='. */
	enum rte_vduse_arg_type type; /**< Says which of the others are looked at. */
	size_t size;                  /**< Bytes of the variable. */
	void *to;     /**< The variable; keeps its value if the argument is not given. */
	uint64_t min; /**< The least that a number may be. */
	uint64_t max; /**< The most that it may be. */
	const char *const *names; /**< The last one is NULL. */
	/** Writes what value says to the variable. Returns whether it is one. */
	bool (*parse)(const char *value, void *to);
	const char *wanted; /**< What an error says the value is to be; NULL: its type says. */
	bool given;         /**< Set by rte_vduse_args_read(). */
};

/** Key, type without its prefix, and variable of a struct rte_vduse_arg. */
#define RTE_VDUSE_ARG(word, kind, variable)                                                        \
	.key = (word), .type = RTE_VDUSE_ARG_##kind, .size = sizeof(variable), .to = &(variable)

/** What is wrong with an argument. */
enum rte_vduse_arg_fault {
	RTE_VDUSE_ARG_WRONG,   /**< Its value; the text says what it is to be. */
	RTE_VDUSE_ARG_TWICE,   /**< It was given before. */
	RTE_VDUSE_ARG_UNKNOWN, /**< No argument has that key. */
	RTE_VDUSE_ARG_MISFIT,  /**< It does not go with another one, or without it. */
};

/** The arguments that a user knows, and what it does about others. */
struct rte_vduse_args {
	const char *device;          /**< Handed to error. */
	struct rte_vduse_arg *known; /**< Known arguments. */
	unsigned int nb_known;       /**< How many they are. */
	/**
	 * Unknown arguments are written here, in their order, each with a comma after it, for
	 * another reader. NULL: they are errors.
	 */
	char *rest;
	size_t rest_size; /**< Bytes at rest. */
	/**
	 * Says what is wrong, on the thread of the call and at most once a call. value is never
	 * NULL. text is what value is to be if fault is RTE_VDUSE_ARG_WRONG, and a sentence
	 * otherwise.
	 */
	void (*error)(const char *device, enum rte_vduse_arg_fault fault, const char *key,
		      const char *value, const char *text);
};

/**
 * Reads all arguments of a text into the variables of those that are known.
 *
 * @param args
 *   The known arguments; their given is written.
 * @param text
 *   "key=value,..."; NULL: none.
 * @return 0; -EINVAL after a call of error; -ENOMEM without one. Variables of the arguments before
 *   the wrong one are written. Thread-safe for different args.
 */
int
rte_vduse_args_read(const struct rte_vduse_args *args, const char *text);

/** Arguments that every device takes, whatever its type. */
struct rte_vduse_args_dev {
	char path[RTE_VDUSE_SOCKET_MAX]; /**< iface= */
	uint16_t queues;                 /**< queues= */
	uint16_t queue_size;             /**< queue-size= */
	enum rte_vduse_attach attach;    /**< attach= */
	bool umem;                       /**< umem= */
	bool client;                     /**< client= */
	bool any_memory;                 /**< any-memory= */
	bool iommu;                      /**< iommu= */
	bool postcopy;                   /**< postcopy= */
	bool packed;                     /**< packed=; for a socket unless given. */
	bool in_order;                   /**< in-order= */
	uint32_t socket_mode;            /**< socket-mode=; 0: the default. */
	char socket_group[64];           /**< socket-group=; empty: the default. */
	uint64_t memory_limit;           /**< memory-limit=; 0: the default. */
};

/** Arguments of struct rte_vduse_args_dev. */
#define RTE_VDUSE_ARGS_DEV 14

/**
 * Sets the arguments that every device takes to their defaults, and makes them known. Thread-safe
 * for different dev.
 *
 * @param[out] dev
 *   The variables.
 * @param[out] known
 *   RTE_VDUSE_ARGS_DEV arguments are written here, iface= first; the user's own may follow.
 * @param queues_max
 *   The most that queues= may be.
 * @param queue_size_min
 *   The least that queue-size= may be.
 */
void
rte_vduse_args_dev(struct rte_vduse_args_dev *dev, struct rte_vduse_arg *known, uint16_t queues_max,
		   uint16_t queue_size_min);

/**
 * Looks whether the arguments that every device takes go together, once all of them are read: for a
 * socket or for the kernel, and iface= is there. Sets packed if it was not given.
 *
 * @param args
 *   Begins with what rte_vduse_args_dev() made known.
 * @param dev
 *   The variables.
 * @return 0, or -EINVAL after a call of error. Thread-safe for different args.
 */
int
rte_vduse_args_dev_check(const struct rte_vduse_args *args, struct rte_vduse_args_dev *dev);

#ifdef __cplusplus
}
#endif

#endif /* RTE_VDUSE_ARGS_H */
