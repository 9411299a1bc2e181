/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between ledger and statistics: fates are decided in any order, but runs of lost lines and delay
 * variation want them in the order of sending. Each line that is sent takes a turn; a turn that is
 * decided is reported to the statistics when all before it have been. What is kept are two times
 * for each turn since the oldest one that is open. Pure. */
#ifndef UPCASE_LEDGER_STATS_ORDER_H
#define UPCASE_LEDGER_STATS_ORDER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/stats.h"

/* What becomes of a turn; 0 or more is a round-trip time, ns. */
enum stats_order_outcome {
	STATS_ORDER_OPEN = -1,    /* waiting */
	STATS_ORDER_EVICTED = -2, /* waiting, and its row is evicted */
	STATS_ORDER_LOST = -3,
	STATS_ORDER_NONE = -4, /* neither lost nor a time */
	STATS_ORDER_VOID = -5, /* it was not sent after all, or takes another turn */
};

/* A turn: what became of it, and what the person waited, ns, -1 unless it has a time. */
struct stats_order_slot {
	int64_t outcome, waited;
};

/* All zero is the start; stats_order_end() at the end. */
struct stats_order {
	struct stats_order_slot *slots;
	/* Slots, a power of two, or 0. */
	size_t capacity;
	/* The oldest turn that is not reported yet, and the next one to be taken; less 1, since
	 * turns begin with 1. */
	uint64_t head, end;
	/* Lines for which there was no memory: the statistics lack them. */
	uint64_t missing_lines;
	/* stats_order_close() was called. */
	bool closed;
};

void stats_order_end(struct stats_order *f);
/* A line is sent: its turn, 1 or more; 0 when memory is short. */
uint64_t stats_order_take(struct stats_order *f);
/* What became of it, and what the person waited, -1 without a time. Turn 0 is nobody's. Returns
 * false when the turn was reported before: nothing is done. */
bool stats_order_decide(struct stats_order *f, struct stats *s, uint64_t turn, int64_t outcome,
    int64_t waited);
/* The row of a line that waits is evicted. */
void stats_order_evict(struct stats_order *f, uint64_t turn);
/* `count` of the evicted ones from *first to `last` become this, the first of them first; *first
 * goes on. */
void stats_order_decide_evicted(struct stats_order *f, struct stats *s, uint64_t *first,
    uint64_t last, uint64_t count, int64_t outcome);
/* The end: what is open will not be decided any more, counts as neither lost nor a time, and holds
 * up nothing behind it. */
void stats_order_close(struct stats_order *f, struct stats *s);

#endif
