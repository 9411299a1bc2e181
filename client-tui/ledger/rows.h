/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The ledger's rows in the order of their numbers: a ring that grows. Pure. */
#ifndef UPCASE_ROWS_H
#define UPCASE_ROWS_H

#include "ledger/ledger-line.h"

/* All zero is the start; free `slots` at the end. */
struct rows {
	struct entry **slots;
	/* Slots, a power of two, or 0; the oldest row's slot; rows. */
	size_t room, head, count;
};

/* Makes room for one more. 0, or -1 when memory is short (nothing changed). */
int rows_reserve(struct rows *r);
/* Adds one, greater than all others; there is room. */
void rows_push(struct rows *r, struct entry *e);
/* By age, 0 is the oldest; index < count. */
struct entry *rows_at(const struct rows *r, size_t index);
/* Where a number is, or would be: the index of the first row that is not less. */
size_t rows_index(const struct rows *r, uint64_t number);
/* NULL for none. */
struct entry *rows_find(const struct rows *r, uint64_t number);
/* Takes one out, best near an end. */
struct entry *rows_take(struct rows *r, size_t index);

#endif
