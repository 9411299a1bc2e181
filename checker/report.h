/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Reports the outcomes: for people, as TAP (version 14), as JSON, and as JUnit's XML. */
#pragma once

#include "checker/trial.h"

struct report {
	const struct check_options *options;
	/* What ran, in its order. */
	struct {
		const struct check_case *of;
		struct trial_outcome outcome;
	} cases[CASES_MAX];
	int count;
	bool utf8, coloured;
	FILE *junit;
};

/* Begins. Returns 0, or -1 after one line on stderr when a file cannot be written. */
int report_begin(struct report *r, const struct trial *t);
void report_case(struct report *r, const struct trial *t, const struct check_case *c);
/* Returns the exit status: 0 if all passed, else 1. */
int report_end(struct report *r, const struct trial *t);
/* Lists the cases; with `o->show` as a file of cases has them. */
void report_list(const struct check_options *o, FILE *out);
