/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ledger/stall.h"

/* The length of the stall at `at`, ns; 0 for none. */
static int64_t length_of(const struct stall *s, int64_t since, int64_t round_trip, int64_t at)
{
	const int64_t begin = since > s->last_byte ? since : s->last_byte;

	if (since == STALL_NONE || at <= begin || at - begin <= round_trip + STALL_MARGIN)
		return 0;
	return at - begin;
}

static void add(struct stall_totals *t, int64_t length)
{
	if (length == 0)
		return;
	t->count++;
	t->total += length;
	if (length > t->longest)
		t->longest = length;
}

void stall_end(struct stall *s, int64_t since, int64_t round_trip, int64_t at)
{
	add(&s->totals, length_of(s, since, round_trip, at));
	if (at > s->last_byte)
		s->last_byte = at;
}

void stall_connection(struct stall *s)
{
	s->last_byte = 0;
}

struct stall_totals stall_now(const struct stall *s, int64_t since, int64_t round_trip, int64_t now)
{
	struct stall_totals t = s->totals;

	add(&t, length_of(s, since, round_trip, now));
	return t;
}
