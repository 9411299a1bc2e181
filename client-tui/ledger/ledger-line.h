/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One line inside the ledger: its row, and its places in the ledger's lists. For ledger.c and
 * lookup.c only. Pure. */
#ifndef UPCASE_ENTRY_H
#define UPCASE_ENTRY_H

#include "ledger/ledger.h"

/* A line stands in at most one list of each kind. */
enum entry_link {
	LINK_FATE, /* queued lines by number; waiting ones by time of sending; lost ones without a reply */
	LINK_AGE,  /* lines that were sent and can still be answered, by time of sending */
	LINK_TWIN, /* lines with the same capitals and in the same state, see lookup.h */
	LINK_CLIP, /* lines whose reply was cut short */
	ENTRY_LINKS,
};

struct entry;

struct entry_list {
	struct entry *first, *last;
};

struct entry_place {
	/* The list that the entry stands in, NULL for none. */
	struct entry_list *in;
	struct entry *previous, *next;
};

struct entry {
	struct ledger_row row;
	/* Its place in the order of sending, 1 or more; RFC 4737's sequence number. */
	uint64_t order;
	/* Its turn in the feed, 0 for none; of a ghost the first and the last of those it stands for. */
	uint64_t turn, turn_last;
	/* 0 for a row that is kept. Else the row is forgotten, its text is gone, and this stands for so
	 * many waiting lines, sent from `ghosts_since` to row.sent_at. */
	uint64_t ghosts;
	int64_t ghosts_since;
	/* How long the ledger's session had tried to connect in all when it was typed. */
	int64_t connecting_before;
	/* It became refused or failed, though it may have been another line. */
	bool doubted;
	/* Its text is like no other's that says so too. */
	bool unlike;
	/* The lines with the same capitals, while it could still be answered. */
	struct lookup_twins *twins;
	/* The whole reply, with its tag, whose text row.reply points to. */
	unsigned char *reply;
	size_t reply_length;
	struct entry_place place[ENTRY_LINKS];
	/* What is sent ends where the text ends and begins so much before it. */
	size_t tag_length;
	/* Room for any tag, then the text. */
	unsigned char bytes[];
};

/* A queued line with a copy of the text. NULL when memory is short. */
struct entry *entry_new(uint64_t number, const void *text, size_t n, int64_t now);
/* Leaves all lists first. */
void entry_free(struct entry *e);

/* Puts "#17 " before the text. */
void entry_set_tag(struct entry *e, uint64_t tag);
/* The bytes that go over the wire, and how many. */
const unsigned char *entry_wire(const struct entry *e);
size_t entry_wire_length(const struct entry *e);

/* Whether `caps`, the capitals of a reply, are a true and not empty beginning of the line's capitals; or
 * the capitals of a true beginning of the line, whose last character may be cut (its first bytes
 * came back unchanged). */
bool entry_cut_short(const struct entry *e, const unsigned char *caps, size_t n);

/* The entry leaves the list of that kind in which it stands, if any. */
void entry_leave(struct entry *e, enum entry_link link);
/* It leaves that list and goes to the end of this one, or before `next` (NULL: to the end). */
void entry_append(struct entry_list *list, struct entry *e, enum entry_link link);
void entry_insert(struct entry_list *list, struct entry *next, struct entry *e, enum entry_link link);

#endif
