/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One line inside the ledger: its row, and its places in the ledger's lists; and the ring of all
 * lines. For the ledger's own files only. Pure. */
#pragma once

#include "common/grow.h"
#include "ledger/ledger-row.h"

/* A line is in at most one list of each kind. */
enum line_list_kind {
	LINE_LIST_FATE,  /* queued lines by number; waiting ones by time of sending; lost ones
	                    without a reply */
	LINE_LIST_AGE,   /* lines that were sent and can still be answered, by time of sending */
	LINE_LIST_GROUP, /* lines with the same capitals and in the same state, see line-index.h */
	LINE_LIST_TRUNCATED, /* lines whose reply was cut short */
	LINE_LISTS,
};

struct ledger_line;

struct line_list {
	struct ledger_line *first, *last;
};

struct line_list_place {
	struct line_list *in; /* the list that the entry is in, NULL for none */
	struct ledger_line *previous, *next;
};

/* Memory for entries that are made one after the other and freed in about the same order, as those
 * of a stream: the block is freed with its last entry. */
struct ledger_block {
	size_t users; /* the entries in it, and 1 more while new ones are made in it */
	size_t used;  /* bytes that entries have taken */
	unsigned char bytes[];
};

struct ledger_line {
	struct ledger_row row;
	/* The block that the entry is in; NULL: it has memory of its own. */
	struct ledger_block *block;
	/* The position in the order of sending, RFC 4737's sequence number, 0 for none; of an
	 * evicted row, first and last. */
	uint64_t position, last_position;
	/* 0 for a row that is kept. Else the row is evicted, its text is freed, and it stands for
	 * this many waiting lines, sent from `evicted_since` to row.sent_at. */
	uint64_t evicted_waiting;
	int64_t evicted_since;
	/* The time that the session had tried to connect before the line was typed, ns. */
	int64_t connecting_before;
	bool uncertain; /* it became refused or failed, but the error may belong to another line */
	bool unique; /* the caller guarantees a unique text (generated lines): no tag is needed */
	/* The lines with the same capitals; set while the line can still be answered. */
	struct line_group *group;
	unsigned char *reply; /* with its tag; row.reply points to its text */
	size_t reply_length;
	struct line_list_place place[LINE_LISTS];
	/* The bytes that are sent begin this many before the text and end with it. */
	size_t tag_length;
	unsigned char bytes[]; /* room for any tag, then the text */
};

/* A queued line with a copy of the text, in `*block` or in a new block that takes its place; with
 * `block` NULL, in memory of its own. NULL when memory is short. */
struct ledger_line *ledger_line_new(struct ledger_block **block, uint64_t number, const void *text,
    size_t n, int64_t now);
/* Makes no more entries in this block, which may be NULL. */
void ledger_block_release(struct ledger_block *block);
/* Leaves all lists first. */
void ledger_line_free(struct ledger_line *e);

/* Puts "#17 " before the text. */
void ledger_line_set_tag(struct ledger_line *e, uint64_t tag);
/* The bytes that are sent, and how many. */
static inline const unsigned char *ledger_line_wire(const struct ledger_line *e)
{
	return e->row.text - e->tag_length;
}
static inline size_t ledger_line_wire_length(const struct ledger_line *e)
{
	return e->tag_length + e->row.length;
}

/* Whether `caps`, the capitals of a reply, are a true and not empty beginning of the line's
 * capitals; or the capitals of a true beginning of the line, whose last character may be cut (its
 * first bytes came back unchanged). */
bool ledger_line_cut_short(const struct ledger_line *e, const unsigned char *caps, size_t n);

/* Removes the entry from its list of that kind, if it is in one. */
void ledger_line_remove(struct ledger_line *e, enum line_list_kind link);
/* Moves the entry from its list to this one, before `next`, or to its end. */
void ledger_line_insert(struct line_list *list, struct ledger_line *next, struct ledger_line *e,
    enum line_list_kind link);
static inline void ledger_line_append(struct line_list *list, struct ledger_line *e,
    enum line_list_kind link)
{
	ledger_line_insert(list, NULL, e, link);
}

/* The lines in the order of their numbers: a ring that grows. All zero at first; free `slots`. */
struct ledger_lines {
	struct ledger_line **slots;
	/* Slots, a power of two, or 0; the slot of the oldest line; the number of lines. */
	size_t capacity, head, count;
};

/* Makes room for one more. Returns 0, or -1 when memory is short (nothing changed). */
static inline int ledger_lines_reserve(struct ledger_lines *l)
{
	return l->count < l->capacity
	         ? 0
	         : grow_ring(&l->slots, &l->capacity, l->head, l->count, sizeof *l->slots);
}
/* Adds one, greater than all others; there is room. */
static inline void ledger_lines_push(struct ledger_lines *l, struct ledger_line *e)
{
	l->slots[(l->head + l->count++) & (l->capacity - 1)] = e;
}
/* By age, 0 is the oldest; index < count. */
static inline struct ledger_line *ledger_lines_at(const struct ledger_lines *l, size_t index)
{
	return l->slots[(l->head + index) & (l->capacity - 1)];
}
/* The index of the first line whose number is not less. */
size_t ledger_lines_index(const struct ledger_lines *l, uint64_t number);
/* NULL for none. */
struct ledger_line *ledger_lines_find(const struct ledger_lines *l, uint64_t number);
/* Takes one out; fast near an end. */
struct ledger_line *ledger_lines_take(struct ledger_lines *l, size_t index);
