/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Finds lines by the capitals of what was sent, for the ledger. Lines with the same capitals are twins; they
 * stand together, sorted by state, so that the oldest waiting one is at hand however many there are
 * (with --tag=never all lines may be equal). Pure. */
#ifndef UPCASE_LOOKUP_H
#define UPCASE_LOOKUP_H

#include "ledger/ledger-line.h"

/* Capitals of something and their hash. All zero is the start; free `bytes` at the end. */
struct lookup_key {
	unsigned char *bytes;
	size_t length;
	size_t room;
	uint64_t hash;
};

/* Lines with the same capitals. */
struct lookup_twins {
	uint64_t hash;
	struct lookup_twins *next;
	/* How many lines, in all lists together. */
	size_t count;
	struct entry_list waiting, silent, answered;
	/* Lines that block the text but that no reply can answer: queued ones, and those that may be
	 * the wrong ones to have been refused. */
	struct entry_list mute;
};

struct lookup {
	struct lookup_twins **buckets;
	size_t mask, count;
	/* A line's key, to compare with. */
	struct lookup_key other;
};

/* 0, or -1 when memory is short. */
int lookup_start(struct lookup *k);
/* Entries must have left before. */
void lookup_end(struct lookup *k);

/* The capitals of `n` bytes. 0, or -1 when memory is short. */
int lookup_key_set(struct lookup_key *key, const void *text, size_t n);
/* The capitals of what is sent for a line. */
int lookup_key_line(struct lookup_key *key, const struct entry *e);

/* The lines with these capitals, NULL for none. */
struct lookup_twins *lookup_find(struct lookup *k, const struct lookup_key *key);
/* Enters a line, whose key this is. 0, or -1 when memory is short (nothing changed). */
int lookup_enter(struct lookup *k, struct entry *e, const struct lookup_key *key);
/* Its fate changed: it goes to the list that fits. Nothing happens if it was not entered. */
void lookup_sort(struct entry *e);
void lookup_leave(struct lookup *k, struct entry *e);

#endif
