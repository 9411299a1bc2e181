/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds lines by the capitals of the sent bytes, for the ledger. Lines with the same capitals form
 * a group, sorted by state, so that the oldest waiting one is found at once however many there are
 * (with --tag=never all lines may be equal). Pure. */
#pragma once

#include "ledger/ledger-line.h"

/* Capitals and their hash. All zero is the start; free `bytes` at the end. */
struct line_index_key {
	unsigned char *bytes;
	size_t length;
	size_t capacity;
	uint64_t hash;
};

/* Lines with the same capitals. */
struct line_group {
	uint64_t hash;
	struct line_group *next;
	size_t count; /* lines in all lists together */
	struct line_list waiting, unanswered, answered;
	/* Lines that no reply can answer: queued ones, and those with an uncertain refusal. */
	struct line_list unmatchable;
};

/* All zero at first. */
struct line_index {
	struct line_group **buckets;
	size_t mask, count;
	struct line_index_key other; /* a line's key, to compare with */
};

/* The caller has removed all entries. */
void line_index_end(struct line_index *index);

/* Sets the capitals of `n` bytes, and their hash. Returns 0, or -1 when memory is short. */
int line_index_key_set(struct line_index_key *key, const void *text, size_t n);
/* Sets only the capitals, for comparisons: such a key finds no line. */
int line_index_key_capitals(struct line_index_key *key, const void *text, size_t n);
/* Sets the capitals of the sent bytes of a line, and their hash. */
int line_index_key_line(struct line_index_key *key, const struct ledger_line *e);

/* Whether these `n` bytes are the capitals of a line's sent bytes: 1 or 0; -1 when memory is short.
 * If the line is not ASCII, its capitals are written into `spare`. */
int line_index_are_capitals(const void *bytes, size_t n, const struct ledger_line *e,
    struct line_index_key *spare);

/* The lines with these capitals, NULL for none. */
struct line_group *line_index_find(struct line_index *index, const struct line_index_key *key);
/* Adds a line, whose key this is. Returns 0, or -1 when memory is short (nothing changed). */
int line_index_insert(struct line_index *index, struct ledger_line *e,
    const struct line_index_key *key);
/* Moves an added line to the list of its group that fits its new fate. */
void line_index_regroup(struct ledger_line *e);
void line_index_remove(struct line_index *index, struct ledger_line *e);
