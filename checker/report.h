/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reports the outcomes: for people, as TAP (version 14), as JSON, and as JUnit's XML. */
#pragma once

#include "checker/trial.h"

struct report {
	const struct check_options *options;
	/* The command, or the server's address. */
	char program[1000];
	/* The outcomes, as upcase-check(1), JSON, has them. */
	struct json_t *cases;
	/* "server" or "client". */
	const char *side;
	/* How many cases of a level have a result, and in the last row of all; the points, and
	 * those of all that ran. */
	int counts[CASE_LEVELS + 1][TRIAL_RESULTS];
	int64_t points, of;
	FILE *junit;
};

/* Begins. Returns 0, or -1 after one line on stderr when a file cannot be written. */
int report_begin(struct report *r, const struct trial *t);
void report_case(struct report *r, const struct trial *t, const struct check_case *c);
/* Returns the exit status: 0 if all passed, else 1. */
int report_end(struct report *r);
/* Lists the cases; with `o->show` as a file of cases has them. */
void report_list(const struct check_options *o, FILE *out);
