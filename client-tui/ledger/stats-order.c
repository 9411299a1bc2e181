/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The turns stand in a ring that grows. */
#include "config.h"

#include "ledger/stats-order.h"
#include "common/grow.h"

#include <stdlib.h>

void feed_end(struct feed *f)
{
	free(f->slots);
}

/* `turn` is 1 or more. */
static struct feed_turn *slot(const struct feed *f, uint64_t turn)
{
	return &f->slots[(turn - 1) & (f->room - 1)];
}

uint64_t feed_take(struct feed *f)
{
	if (f->end - f->head == f->room && grow_ring(&f->slots, &f->room, (size_t)f->head, f->room, sizeof *f->slots) < 0) {
		f->unfed++;
		return 0;
	}
	f->end++;
	*slot(f, f->end) = (struct feed_turn){ FEED_OPEN, -1 };
	return f->end;
}

static void tell(struct feed *f, struct stats *s)
{
	for (; f->head < f->end; f->head++) {
		const struct feed_turn *turn = slot(f, f->head + 1);
		const int64_t outcome = turn->outcome;

		if (outcome == FEED_OPEN || outcome == FEED_GHOST)
			return;
		if (outcome != FEED_VOID)
			stats_add(s, outcome == FEED_LOST, outcome >= 0 ? outcome : -1, turn->waited);
	}
}

bool feed_decide(struct feed *f, struct stats *s, uint64_t turn, int64_t outcome, int64_t waited)
{
	if (turn == 0)
		return true;
	if (turn <= f->head)
		return false;
	*slot(f, turn) = (struct feed_turn){ outcome, waited };
	if (turn == f->head + 1)
		tell(f, s);
	return true;
}

void feed_forget(struct feed *f, uint64_t turn)
{
	if (turn > f->head)
		slot(f, turn)->outcome = FEED_GHOST;
}

void feed_decide_ghosts(struct feed *f, struct stats *s, uint64_t *first, uint64_t last, uint64_t count, int64_t outcome)
{
	for (; *first && *first <= last && count > 0; ++*first) {
		if (*first <= f->head || slot(f, *first)->outcome != FEED_GHOST)
			continue;
		feed_decide(f, s, *first, outcome, -1);
		count--;
	}
}

void feed_close(struct feed *f, struct stats *s)
{
	for (uint64_t turn = f->head + 1; turn <= f->end; turn++)
		if (slot(f, turn)->outcome == FEED_OPEN || slot(f, turn)->outcome == FEED_GHOST)
			slot(f, turn)->outcome = FEED_NONE;
	tell(f, s);
	f->closed = true;
}

int64_t feed_at(const struct feed *f, uint64_t index)
{
	return index < f->end - f->head ? slot(f, f->head + 1 + index)->outcome : FEED_VOID;
}
