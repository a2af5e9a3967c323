/* SPDX-License-Identifier: BSD-3-Clause */
/* SPDX-FileCopyrightText: 2026 The dpdk-vduse authors */
/*
 * Reads the command line and runs a command.
 * Input: arguments and DPDK_VDUSE_CONTROL. Output: the exit code. Thread: main.
 */
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"

#define MAIN_SOCKET "/run/dpdk-vduse-blk.sock"
/* Most seconds of a time. */
#define MAIN_SECONDS_MAX 86400

enum main_option {
	MAIN_SOCKET_PATH = 1,
	MAIN_TIMEOUT,
	MAIN_JSON,
	MAIN_FORCE,
	MAIN_INTERVAL,
	MAIN_COUNT,
	MAIN_HELP,
};

static const struct option main_options[] = {
	{ "socket", required_argument, NULL, MAIN_SOCKET_PATH },
	{ "timeout", required_argument, NULL, MAIN_TIMEOUT },
	{ "json", no_argument, NULL, MAIN_JSON },
	{ "force", no_argument, NULL, MAIN_FORCE },
	{ "interval", required_argument, NULL, MAIN_INTERVAL },
	{ "count", required_argument, NULL, MAIN_COUNT },
	{ "help", no_argument, NULL, MAIN_HELP },
	{ NULL },
};

int
ctl_fail(int code, const char *format, ...)
{
	va_list args;
	char *text, *clean;
	int ret;

	va_start(args, format);
	ret = vasprintf(&text, format, args);
	va_end(args);
	text = ctl_memory(ret >= 0 ? text : NULL);
	clean = text_clean(text);
	fprintf(stderr, "dpdk-vduse-ctl: %s\n", clean);
	free(clean);
	free(text);
	return code;
}

int
ctl_client_fail(const struct client *client, int ret)
{
	if (ret == CLIENT_PARAMS)
		return ctl_fail(CTL_USAGE, "an argument is not UTF-8");
	return ctl_fail(CTL_FAILED, "%s", client->error);
}

void *
ctl_memory(void *memory)
{
	if (memory == NULL) {
		fputs("dpdk-vduse-ctl: no memory\n", stderr);
		exit(CTL_FAILED);
	}
	return memory;
}

static int
main_help(void)
{
	const struct command *command;

	printf("usage: dpdk-vduse-ctl [--socket PATH] [--timeout SECONDS] [--json] COMMAND\n\n");
	for (command = commands; command->name != NULL; command++)
		printf("    %s%s%s\n", command->name, command->usage[0] != '\0' ? " " : "",
		       command->usage);
	printf("\nThe socket is that of dpdk-vduse-blk --control; the default is $DPDK_VDUSE_CONTROL, or\n"
	       "%s. See dpdk-vduse-ctl(1).\n",
	       MAIN_SOCKET);
	return CTL_OK;
}

static bool
main_seconds(const char *text, double least, double *seconds)
{
	char *end;

	*seconds = strtod(text, &end);
	return end != text && *end == '\0' && *seconds >= least && *seconds <= MAIN_SECONDS_MAX;
}

static bool
main_count(const char *text, unsigned long *count)
{
	char *end;

	errno = 0;
	*count = strtoul(text, &end, 10);
	return text[0] >= '0' && text[0] <= '9' && *end == '\0' && errno == 0 && *count > 0;
}

/* Notes in *given which options of commands were given. */
static int
main_option(struct ctl *ctl, int option, unsigned int *given)
{
	switch (option) {
	case MAIN_SOCKET_PATH:
		ctl->path = optarg;
		return CTL_OK;
	case MAIN_TIMEOUT:
		if (main_seconds(optarg, 0.01, &ctl->timeout_s))
			return CTL_OK;
		return ctl_fail(CTL_USAGE, "--timeout %s: give 0.01 to %d seconds", optarg,
				MAIN_SECONDS_MAX);
	case MAIN_JSON:
		ctl->json = true;
		return CTL_OK;
	case MAIN_FORCE:
		ctl->force = true;
		*given |= COMMAND_FORCE;
		return CTL_OK;
	case MAIN_INTERVAL:
		*given |= COMMAND_TOP;
		if (main_seconds(optarg, 0.1, &ctl->interval_s))
			return CTL_OK;
		return ctl_fail(CTL_USAGE, "--interval %s: give 0.1 to %d seconds", optarg,
				MAIN_SECONDS_MAX);
	case MAIN_COUNT:
		*given |= COMMAND_TOP;
		if (main_count(optarg, &ctl->count))
			return CTL_OK;
		return ctl_fail(CTL_USAGE, "--count %s: give a number from 1", optarg);
	default: /* getopt_long() has said why */
		return CTL_USAGE;
	}
}

static const struct command *
main_command(const struct ctl *ctl, const char *name, unsigned int given)
{
	const struct command *command = commands;

	while (command->name != NULL && strcmp(command->name, name) != 0)
		command++;
	if (command->name == NULL) {
		ctl_fail(CTL_USAGE, "%s: no such command; --help lists them", name);
		return NULL;
	}
	if ((given & ~command->options) != 0 || ctl->nb_args < command->min_args ||
	    ctl->nb_args > command->max_args) {
		ctl_fail(CTL_USAGE, "usage: dpdk-vduse-ctl %s %s", name, command->usage);
		return NULL;
	}
	return command;
}

static int
main_run(struct ctl *ctl, const struct command *command)
{
	int code;

	client_init(&ctl->client, ctl->path,
		    ctl->timeout_s > 0 ? ctl->timeout_s : command->timeout_s);
	code = command->run(ctl);
	client_close(&ctl->client);
	if ((fflush(stdout) != 0 || ferror(stdout)) && code == CTL_OK)
		return ctl_fail(CTL_FAILED, "standard output: %s", strerror(errno));
	return code;
}

int
main(int argc, char **argv)
{
	struct ctl ctl = { .path = getenv("DPDK_VDUSE_CONTROL"), .interval_s = 1 };
	const struct command *command;
	unsigned int given = 0;
	int option, code;

	/* Which characters the terminal shows. */
	(void)setlocale(LC_CTYPE, "");
	if (ctl.path == NULL || ctl.path[0] == '\0')
		ctl.path = MAIN_SOCKET;
	while ((option = getopt_long(argc, argv, "", main_options, NULL)) != -1) {
		if (option == MAIN_HELP)
			return main_help();
		code = main_option(&ctl, option, &given);
		if (code != CTL_OK)
			return code;
	}
	if (optind == argc)
		return ctl_fail(CTL_USAGE, "name a command; --help lists them");
	ctl.nb_args = argc - optind - 1;
	ctl.args = argv + optind + 1;
	command = main_command(&ctl, argv[optind], given);
	return command != NULL ? main_run(&ctl, command) : CTL_USAGE;
}
