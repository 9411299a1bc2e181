/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The turns stand in a ring that grows. */
#include "config.h"

#include "ledger/stats-order.h"

#include "common/grow.h"

#include <stdlib.h>

void stats_order_end(struct stats_order *f)
{
	free(f->slots);
}

/* `turn` is 1 or more. */
static struct stats_order_slot *slot(const struct stats_order *f, uint64_t turn)
{
	return &f->slots[(turn - 1) & (f->capacity - 1)];
}

uint64_t stats_order_take(struct stats_order *f)
{
	if (f->end - f->head == f->capacity && grow_ring(&f->slots, &f->capacity, (size_t)f->head,
	                                           f->capacity, sizeof *f->slots) < 0) {
		f->missing_lines++;
		return 0;
	}
	f->end++;
	*slot(f, f->end) = (struct stats_order_slot){ STATS_ORDER_OPEN, -1 };
	return f->end;
}

static void count_decided(struct stats_order *f, struct stats *s)
{
	for (; f->head < f->end; f->head++) {
		const struct stats_order_slot *turn = slot(f, f->head + 1);
		const int64_t outcome = turn->outcome;

		if (outcome == STATS_ORDER_OPEN || outcome == STATS_ORDER_EVICTED)
			return;
		if (outcome != STATS_ORDER_VOID)
			stats_add(s, outcome == STATS_ORDER_LOST, outcome >= 0 ? outcome : -1,
			    turn->waited);
	}
}

bool stats_order_decide(struct stats_order *f, struct stats *s, uint64_t turn, int64_t outcome,
    int64_t waited)
{
	if (turn == 0)
		return true;
	if (turn <= f->head)
		return false;
	*slot(f, turn) = (struct stats_order_slot){ outcome, waited };
	if (turn == f->head + 1)
		count_decided(f, s);
	return true;
}

void stats_order_evict(struct stats_order *f, uint64_t turn)
{
	if (turn > f->head)
		slot(f, turn)->outcome = STATS_ORDER_EVICTED;
}

void stats_order_decide_evicted(struct stats_order *f, struct stats *s, uint64_t *first,
    uint64_t last, uint64_t count, int64_t outcome)
{
	for (; *first && *first <= last && count > 0; ++*first) {
		if (*first <= f->head || slot(f, *first)->outcome != STATS_ORDER_EVICTED)
			continue;
		stats_order_decide(f, s, *first, outcome, -1);
		count--;
	}
}

void stats_order_close(struct stats_order *f, struct stats *s)
{
	for (uint64_t turn = f->head + 1; turn <= f->end; turn++)
		if (slot(f, turn)->outcome == STATS_ORDER_OPEN ||
		    slot(f, turn)->outcome == STATS_ORDER_EVICTED)
			slot(f, turn)->outcome = STATS_ORDER_NONE;
	count_decided(f, s);
	f->closed = true;
}
