/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include <stdlib.h>

#include "ledger/rows.h"
#include "common/grow.h"
#include "common/search.h"

static struct entry **slot(const struct rows *r, size_t index)
{
	return &r->slots[(r->head + index) & (r->room - 1)];
}

int rows_reserve(struct rows *r)
{
	return r->count < r->room ? 0 : grow_ring(&r->slots, &r->room, r->head, r->count, sizeof *r->slots);
}

void rows_push(struct rows *r, struct entry *e)
{
	*slot(r, r->count++) = e;
}

struct entry *rows_at(const struct rows *r, size_t index)
{
	return *slot(r, index);
}

/* Numbers mostly follow one another: looks first where the row is when none is left out. */
size_t rows_index(const struct rows *r, uint64_t number)
{
	size_t i;

	if (r->count && number >= rows_at(r, 0)->row.number) {
		uint64_t guess = number - rows_at(r, 0)->row.number;
		if (guess < r->count && rows_at(r, (size_t)guess)->row.number == number)
			return (size_t)guess;
	}
	SEARCH_FIRST(i, 0, r->count, rows_at(r, i)->row.number >= number);
	return i;
}

struct entry *rows_find(const struct rows *r, uint64_t number)
{
	size_t i = rows_index(r, number);
	if (i == r->count || rows_at(r, i)->row.number != number)
		return NULL;
	return rows_at(r, i);
}

struct entry *rows_take(struct rows *r, size_t index)
{
	struct entry *e = rows_at(r, index);
	/* The shorter side closes up. */
	if (index < r->count / 2) {
		for (; index > 0; index--)
			*slot(r, index) = *slot(r, index - 1);
		r->head = (r->head + 1) & (r->room - 1);
	} else {
		for (; index + 1 < r->count; index++)
			*slot(r, index) = *slot(r, index + 1);
	}
	r->count--;
	return e;
}
