/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ledger's rows in the order of their numbers: a ring that grows. Pure. */
#ifndef UPCASE_ROWS_H
#define UPCASE_ROWS_H

#include "ledger/ledger-line.h"
#include "common/grow.h"

/* All zero is the start; free `slots` at the end. */
struct ledger_lines {
	struct ledger_line **slots;
	/* Slots, a power of two, or 0; the oldest row's slot; rows. */
	size_t capacity, head, count;
};

/* Makes room for one more. 0, or -1 when memory is short (nothing changed). */
static inline int ledger_lines_reserve(struct ledger_lines *r)
{
	return r->count < r->capacity
	         ? 0
	         : grow_ring(&r->slots, &r->capacity, r->head, r->count, sizeof *r->slots);
}
/* Adds one, greater than all others; there is room. */
static inline void ledger_lines_push(struct ledger_lines *r, struct ledger_line *e)
{
	r->slots[(r->head + r->count++) & (r->capacity - 1)] = e;
}
/* By age, 0 is the oldest; index < count. */
static inline struct ledger_line *ledger_lines_at(const struct ledger_lines *r, size_t index)
{
	return r->slots[(r->head + index) & (r->capacity - 1)];
}
/* Where a number is, or would be: the index of the first row that is not less. */
size_t ledger_lines_index(const struct ledger_lines *r, uint64_t number);
/* NULL for none. */
struct ledger_line *ledger_lines_find(const struct ledger_lines *r, uint64_t number);
/* Takes one out, best near an end. */
struct ledger_line *ledger_lines_take(struct ledger_lines *r, size_t index);

#endif
