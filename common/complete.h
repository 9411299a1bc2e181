/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What may follow in commands and orders, for Tab in the client and in a shell. Pure. */
#pragma once

#include "common/text.h"

/* What may follow, by the word before. A table ends without a command. */
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
/* Writes what may follow in an order to the link: "set", "preset", "drop", "hold",
 * "unplug" or "events"; `last` is the word before, "" for the order itself. */
void complete_order(struct text *t, const char *order, const char *last);
/* Room for the words of any order. */
#define COMPLETE_WORDS 2000
