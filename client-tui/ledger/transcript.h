/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The board: what the panes show, in the order of the lecture: lines, strays and notices; and beside it each
 * transport's replies in the order in which they came. Bounded. Pure. */
#ifndef UPCASE_BOARD_H
#define UPCASE_BOARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "record/record.h"

enum board_kind {
	BOARD_LINE,   /* a typed line: `ledger` and `number` */
	BOARD_STRAY,  /* a reply that belongs to no line: `text` */
	BOARD_NOTICE, /* something that happened, an event too: `text`, our own words */
	BOARD_ERROR,  /* the same, something wrong */
};

struct board_item {
	enum board_kind kind;
	/* Over TCP, not UDP (lines and strays). */
	bool stream;
	/* The ledger that the line stands in, and its number there. Not owned: the ledger outlives its items. */
	const struct ledger *ledger;
	/* The same line, with the same number, over TCP when it went over both at once (`ledger` is then UDP's); else NULL. */
	const struct ledger *other;
	uint64_t number;
	unsigned char *text;
	size_t length;
};

/* A reply as it came. */
struct board_arrival {
	enum ledger_match match;
	/* The line it belongs to (0 for a stray). */
	uint64_t number;
	/* board_end() when it came: of a stray, the item before is the same. */
	uint64_t items;
	/* Its text without the tag, always kept (at most BOARD_TEXT_MAX bytes). */
	unsigned char *text;
	size_t length;
};

#define BOARD_TEXT_MAX 65536
/* All texts of strays and notices together, and all texts of one transport's arrivals: a flood of long replies must not take
 * the machine's memory. */
#define BOARD_BYTES_MAX (32u * 1024 * 1024)

struct board;

/* `capacity` items and as many arrivals of each transport at most, of BOARD_BYTES_MAX bytes each; the oldest go first. NULL when memory is short. */
struct board *board_new(size_t capacity);
void board_free(struct board *b);
/* Each returns 0, or -1 when memory is short. Texts are copied. */
int board_add_line(struct board *b, const struct ledger *ledger, bool stream, uint64_t number);
int board_add_both(struct board *b, const struct ledger *udp, const struct ledger *tcp, uint64_t number);
int board_add_text(struct board *b, enum board_kind kind, bool stream, const void *text, size_t n);
int board_add_event(struct board *b, const struct record_event *event);
/* Its row, if it is still there, says what it is now. */
int board_change_event(struct board *b, uint64_t serial, const struct record_event *event);
int board_add_arrival(struct board *b, enum ledger_match match, bool stream, uint64_t number, const void *text,
    size_t n);
/* Forgets all. */
void board_clear(struct board *b);

/* Items are known by a serial that never changes or comes again: first <= serial < end. */
uint64_t board_first(const struct board *b);
uint64_t board_end(const struct board *b);
const struct board_item *board_item(const struct board *b, uint64_t serial);
/* The same of one transport's arrivals, which have serials of their own. */
uint64_t board_arrivals_first(const struct board *b, bool stream);
uint64_t board_arrivals_end(const struct board *b, bool stream);
const struct board_arrival *board_arrival(const struct board *b, bool stream, uint64_t serial);

#endif
