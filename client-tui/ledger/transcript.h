/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The transcript: the items of the panes in their order: lines, strays and notices; and each
 * transport's replies in the order in which they came. Bounded. Pure. */
#pragma once

#include "ledger/ledger.h"
#include "ledger/session-event.h"

/* The items of the panes; each transport's replies in the order in which they came. */
enum transcript_list { LIST_ROWS, LIST_UDP, LIST_TCP, LISTS };

enum transcript_kind {
	TRANSCRIPT_LINE,   /* a typed line: `ledger` and `number` */
	TRANSCRIPT_STRAY,  /* a reply that belongs to no line: `text` */
	TRANSCRIPT_NOTICE, /* a notice or an event: `text`, our own words */
	TRANSCRIPT_ERROR,  /* the same, something wrong */
};

struct transcript_item {
	unsigned char *text; /* NULL for a line */
	size_t length;
	enum transcript_kind kind;
	bool stream; /* over TCP, not UDP; of events only those of connections */
	/* The ledger that has the line. Borrowed: the ledger outlives its items. */
	const struct ledger *ledger;
	/* TCP's ledger of a line that went over both at once; else NULL. */
	const struct ledger *other;
	uint64_t number;
};

/* A reply as it came. */
struct transcript_arrival {
	/* Its text without the tag, always kept (at most TRANSCRIPT_TEXT_MAX bytes). */
	unsigned char *text;
	size_t length;
	enum ledger_match match;
	uint64_t number; /* the line it belongs to (0 for a stray) */
	/* transcript_end() of LIST_ROWS at its arrival; for a stray, the item before is the same.
	 */
	uint64_t items;
};

#define TRANSCRIPT_TEXT_MAX 65536
/* The limit of all texts of strays and notices, and of all texts of one transport's arrivals: a
 * flood of long replies must not take the machine's memory. */
#define TRANSCRIPT_BYTES_MAX (32u * 1024 * 1024)

struct transcript;

/* `capacity` items and as many arrivals of each transport at most, of TRANSCRIPT_BYTES_MAX bytes
 * each; the oldest go first. NULL when memory is short. */
struct transcript *transcript_new(size_t capacity);
void transcript_free(struct transcript *t);
/* Each returns 0, or -1 when memory is short. Copies the texts. */
/* `other`: TCP's ledger, if the line went over both; else NULL. */
int transcript_add_line(struct transcript *t, const struct ledger *ledger,
    const struct ledger *other, bool stream, uint64_t number);
int transcript_add_text(struct transcript *t, enum transcript_kind kind, bool stream,
    const void *text, size_t n);
int transcript_add_event(struct transcript *t, const struct session_event *event);
/* Changes the item's row, if it is still there, to the event's present state. */
int transcript_change_event(struct transcript *t, uint64_t serial,
    const struct session_event *event);
int transcript_add_arrival(struct transcript *t, enum ledger_match match, bool stream,
    uint64_t number, const void *text, size_t n);
void transcript_clear(struct transcript *t);

/* A serial of a list, 1 or more, is never used again: first <= serial < end. */
uint64_t transcript_first(const struct transcript *t, enum transcript_list list);
uint64_t transcript_end(const struct transcript *t, enum transcript_list list);
const struct transcript_item *transcript_item(const struct transcript *t, uint64_t serial);
/* The newest line among the last 1000 items; NULL for none. */
const struct transcript_item *transcript_newest_line(const struct transcript *t);
const struct transcript_arrival *transcript_arrival(const struct transcript *t,
    enum transcript_list list, uint64_t serial);
