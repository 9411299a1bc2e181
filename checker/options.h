/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The command line of upcase-check. */
#pragma once

#include "checker/cases.h"
#include "common/addr.h"
#include "common/options.h"

#define CHECK_PORT 12000
/* Rules of --drop. */
#define CHECK_DROPS_MAX 8

enum check_format { CHECK_TEXT, CHECK_TAP, CHECK_JSON };

struct check_options {
	/* Judge a client, not a server. */
	bool client;
	/* The cases that are chosen, from a file or the program's own. */
	struct case_table table;
	/* Their text, to be freed. */
	char *text;
	const char *cases, *only, *skip;
	enum case_level level;
	/* What the program must use; neither: what it uses. */
	bool udp, tcp;
	/* The command, NULL-terminated; NULL: the server runs at `host`. */
	char **command;
	const char *host;
	/* 0: a free one. */
	int port;
	/* The longest wait for a reply; for all cases; ns. */
	int64_t wait, limit;
	enum check_format format;
	/* Files: of results; of the points of cases. NULL: none. */
	const char *junit, *weights;
	/* The link's settings and rules, as upcase-lab(1) has them; NULL: no lab. */
	const char *lab, *drops[CHECK_DROPS_MAX];
	int drop_count;
	bool list, show, help, version;
};

/* Reads the command line, and the files that it names; `known` tells whether a line begins with a
 * step's word. Returns 0, or -1 after one line on stderr. The caller frees o->text. */
int check_options_read(struct check_options *o, bool (*known)(const char *line), int argc,
    char **argv);
void check_options_help(FILE *out);
/* Prints what completes the last word of a command line, as options.h says. */
void check_options_complete(int argc, char **argv, FILE *out);
