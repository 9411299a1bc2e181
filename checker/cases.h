/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The cases: texts that a lecturer can read and write (upcase-check(1), THE LANGUAGE OF CASES).
 * Each is one thing that a program must do, tried by a few steps. Pure. */
#pragma once

#define CASES_MAX 64
/* Each level has the cases of the levels before it too. */
#define CASES_LEVELS "textbook, robust, unicode"
enum case_level { CASE_TEXTBOOK, CASE_ROBUST, CASE_UNICODE, CASE_LEVELS };
extern const char *const case_level_names[CASE_LEVELS];

/* What a case needs, a set: a transport; that the judge starts and ends the program; a path that
 * loses nothing; a client that sends more than one line. */
#define CASE_UDP 1u
#define CASE_TCP 2u
#define CASE_TRANSPORTS (CASE_UDP | CASE_TCP)
#define CASE_COMMAND 4u
#define CASE_LOSSLESS 8u
#define CASE_LINES 16u

#define CASE_NEEDS 5
extern const char *const case_need_names[CASE_NEEDS];

struct check_case {
	/* What is right, and what the textbook or the RFC says of it. */
	const char *name, *title, *why;
	enum case_level level;
	unsigned needs;
	/* The steps, each ended by a zero. */
	const char *steps;
	int step_count;
	int64_t points;
	/* It is to run. */
	bool chosen;
};

struct case_table {
	/* Whether a line begins with a step's word. */
	bool (*known)(const char *line);
	struct check_case cases[CASES_MAX];
	int count;
};

/* Reads a text, which it changes and the cases borrow. Returns 0, or -1 with the `reason`, which
 * names the line. */
#define CASES_REASON 200
int cases_read(struct case_table *t, char *text, char reason[CASES_REASON]);
/* Reads the points of cases, "tcp-line 5" on each line, in the same way. */
int cases_weigh(struct case_table *t, char *text, char reason[CASES_REASON]);
/* The case of that name, `n` bytes, or NULL. */
struct check_case *cases_find(struct case_table *t, const char *name, size_t n);
