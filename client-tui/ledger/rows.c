/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ledger/rows.h"

#include "common/search.h"

static struct ledger_line **slot(const struct ledger_lines *r, size_t index)
{
	return &r->slots[(r->head + index) & (r->capacity - 1)];
}

/* Numbers mostly follow one another: looks first where the row is when none is left out. */
size_t ledger_lines_index(const struct ledger_lines *r, uint64_t number)
{
	uint64_t first, guess;
	size_t i;

	if (r->count == 0 || number <= (first = ledger_lines_at(r, 0)->row.number))
		return 0;
	guess = number - first;
	if (guess < r->count && ledger_lines_at(r, (size_t)guess)->row.number == number)
		return (size_t)guess;
	SEARCH_FIRST(i, 0, r->count, ledger_lines_at(r, i)->row.number >= number);
	return i;
}

struct ledger_line *ledger_lines_find(const struct ledger_lines *r, uint64_t number)
{
	size_t i = ledger_lines_index(r, number);
	if (i == r->count || ledger_lines_at(r, i)->row.number != number)
		return NULL;
	return ledger_lines_at(r, i);
}

struct ledger_line *ledger_lines_take(struct ledger_lines *r, size_t index)
{
	struct ledger_line *e = ledger_lines_at(r, index);
	/* The shorter side closes up. */
	if (index < r->count / 2) {
		for (; index > 0; index--)
			*slot(r, index) = *slot(r, index - 1);
		r->head = (r->head + 1) & (r->capacity - 1);
	} else {
		for (; index + 1 < r->count; index++)
			*slot(r, index) = *slot(r, index + 1);
	}
	r->count--;
	return e;
}
