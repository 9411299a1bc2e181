/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds lines by the capitals of what was sent, for the ledger. Lines with the same capitals are a
 * group; they stand together, sorted by state, so that the oldest waiting one is at hand however
 * many there are (with --tag=never all lines may be equal). Pure. */
#ifndef UPCASE_LEDGER_LINE_INDEX_H
#define UPCASE_LEDGER_LINE_INDEX_H

#include "ledger/ledger-line.h"

/* Capitals of something and their hash. All zero is the start; free `bytes` at the end. */
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
	/* The number of lines in all lists together. */
	size_t count;
	struct line_list waiting, unanswered, answered;
	/* Lines that block the text but that no reply can answer: queued ones, and those that may
	 * be the wrong ones to have been refused. */
	struct line_list unmatchable;
};

struct line_index {
	struct line_group **buckets;
	size_t mask, count;
	/* A line's key, to compare with. */
	struct line_index_key other;
};

/* 0, or -1 when memory is short. */
int line_index_start(struct line_index *k);
/* Entries must have left before. */
void line_index_end(struct line_index *k);

/* The capitals of `n` bytes, and their hash. 0, or -1 when memory is short. */
int line_index_key_set(struct line_index_key *key, const void *text, size_t n);
/* The capitals alone, to compare with: nothing can be looked up by them. */
int line_index_key_capitals(struct line_index_key *key, const void *text, size_t n);
/* The capitals of what is sent for a line, and their hash. */
int line_index_key_line(struct line_index_key *key, const struct ledger_line *e);

/* Whether these `n` bytes are the capitals of what is sent for a line: 1 or 0; -1 when memory is
 * short. If that is not ASCII, its capitals go into `spare`. */
int line_index_are_capitals(const void *bytes, size_t n, const struct ledger_line *e,
    struct line_index_key *spare);

/* The lines with these capitals, NULL for none. */
struct line_group *line_index_find(struct line_index *k, const struct line_index_key *key);
/* Enters a line, whose key this is. 0, or -1 when memory is short (nothing changed). */
int line_index_enter(struct line_index *k, struct ledger_line *e, const struct line_index_key *key);
/* The fate of a line that was entered has changed: it goes to the list that fits. */
void line_index_regroup(struct ledger_line *e);
/* A line that was entered leaves. */
void line_index_leave(struct line_index *k, struct ledger_line *e);

#endif
