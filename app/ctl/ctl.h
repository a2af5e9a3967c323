/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * The command line client of dpdk-vduse-blk's control socket. main.c reads the command line, client.c
 * calls methods of the server, commands.c and top.c have the commands, table.c prints.
 */
#ifndef CTL_H
#define CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

#include <jansson.h>

/* Exit codes. */
#define CTL_OK     0
#define CTL_FAILED 1
#define CTL_USAGE  2

/* Most bytes of an answer. */
#define CLIENT_ANSWER_MAX ((size_t)64 << 20)

/* Results of client_call(). */
#define CLIENT_OK     0
#define CLIENT_ERROR  1 /* the server answered with an error */
#define CLIENT_BROKEN 2 /* there is no answer, or none that can be used */
#define CLIENT_PARAMS 3 /* params is NULL: an argument is not UTF-8 */

/* A connection. */
struct client {
	const char *path;
	double timeout_s; /* of a call */
	int fd;
	json_int_t id; /* of the last request */
	bool closed;   /* the server closed the connection instead of answering */
	char *data;    /* what was received and is not used yet */
	size_t len;
	size_t room;
	char errno_name[32]; /* of an error of the server; may be empty */
	char error[512]; /* what went wrong, as the server wrote it: print it with text_clean() */
};

/* The first call connects. */
void
client_init(struct client *client, const char *path, double timeout_s);
void
client_close(struct client *client);
/* The next call connects again. */
void
client_reset(struct client *client);
/*
 * Calls a method with params, which it releases, and waits for the answer. CLIENT_OK: *result is for the
 * caller to release. Otherwise client->error says why.
 */
int
client_call(struct client *client, const char *method, json_t *params, json_t **result);

/* What the command line says. */
struct ctl {
	struct client client;
	const char *path;    /* of the socket */
	double timeout_s;    /* 0: not given */
	double interval_s;   /* of top */
	unsigned long count; /* of top; 0: without end */
	bool json;
	bool force;
	int nb_args;
	char **args; /* those after the command */
};

/* Prints one line on the standard error. Returns code. */
int
ctl_fail(int code, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Prints why client_call() failed. Returns the exit code. */
int
ctl_client_fail(const struct client *client, int ret);
/* Ends the program if there is no memory. */
void *
ctl_memory(void *memory);

/* Options that only some commands have. */
#define COMMAND_FORCE 1
#define COMMAND_TOP   2

struct command {
	const char *name;
	const char *usage; /* its arguments */
	int min_args;
	int max_args;
	unsigned int options;
	double timeout_s;
	int (*run)(struct ctl *ctl); /* returns the exit code */
};

/* The last one's name is NULL. */
extern const struct command commands[];

/* top.c */
int
top_run(struct ctl *ctl);

/* table.c: a copy in which '?' stands for what is no printable character, for the caller to free(). */
char *
text_clean(const char *text);
/* table.c: prints a value as JSON in one line without control characters. */
void
text_json(const json_t *value, FILE *out);

/* Columns of a table. */
#define TABLE_COLUMNS_MAX 16

struct table_cell {
	char *text;
	int width; /* columns on a terminal */
};

/* A table: cells are added row by row. */
struct table {
	const char *align; /* a letter for each column at least: 'l' or 'r' */
	size_t columns;
	size_t nb_cells;
	struct table_cell *cells;
};

/* heads: a cell for each column; NULL: the table has none, or the caller adds them. */
void
table_init(struct table *table, const char *align, const char *const *heads);
/* Adds a cell. The text may come from the server. */
void
table_cell(struct table *table, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Adds a cell with a string, number or truth value; "-" for others. */
void
table_json(struct table *table, const json_t *value);
/* Adds a cell with a number of bytes, such as 64M. */
void
table_bytes(struct table *table, json_int_t bytes);
/* Prints up to max_rows rows, and how many there are more. */
void
table_print(const struct table *table, size_t max_rows, FILE *out);
void
table_free(struct table *table);

#endif /* CTL_H */
