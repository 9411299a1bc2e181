/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Completion. A shell's script runs "PROGRAM --complete WORD..." with the words of the command line
 * up to the cursor; what may stand for the last one, which may be half written, is printed, a line
 * each: the whole word, and behind a tab its help. Lines that begin with a tab say what the shell
 * itself knows:
 *   files, hosts, commands   a name of that kind; behind the "=" of "--save=fi"
 *   command N                the words behind the first N are a command line of their own
 *   about TEXT               what the value is
 * The shell chooses those that fit. Pure. */
#pragma once

#include "common/options.h"

/* Whether the command line asks for this. The words are then those behind argv[1]. */
bool complete_asked(int argc, char **argv);

/* Prints the options and their values; argv[0] does not count. With `permute` options may stand
 * behind operands. Returns -1; or, where the last word is an operand, prints nothing and returns
 * the number of operands before it: without `permute`, the words directly before it. */
int complete_options(const struct options_spec *table, bool permute, int argc, char **argv,
    FILE *out);
/* Prints the options that may stand for `word`, as complete_options() does. */
void complete_names(const struct options_spec *table, const char *word, FILE *out);

/* What may follow in the words of a command, by the word before. A table ends without a command. */
struct complete_row {
	/* `after` is the word before: "" for the command itself, COMPLETE_ANY for any other. */
	const char *command, *after;
	/* Separated by blanks; NULL: a file's name. */
	const char *words;
};
#define COMPLETE_ANY "*"
/* The first row for the word `last`, "" for the command itself; NULL: none. */
const struct complete_row *complete_find(const struct complete_row *table, const char *command,
    const char *last);

/* Writes the words of a list, with commas or without, a line each. */
void complete_put(struct text *t, const char *words);
/* Writes what may follow in an order to the link: "set", "preset", "drop", "hold" or "unplug". */
void complete_order(struct text *t, const char *order, const char *last);
/* Room for the words of any order. */
#define COMPLETE_WORDS 2000
