/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Between ledger and statistics: fates are decided in any order, but runs of lost lines and delay variation want them in the order
 * of sending. Each line that is sent takes a turn; a turn that is decided is told to the statistics when all before it have
 * been. What is kept are two times for each turn since the oldest one that is open. Pure. */
#ifndef UPCASE_FEED_H
#define UPCASE_FEED_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/stats.h"

/* What becomes of a turn; 0 or more is a round-trip time, ns. */
enum feed_outcome {
	FEED_OPEN = -1,  /* waiting */
	FEED_GHOST = -2, /* waiting, and its row is forgotten */
	FEED_LOST = -3,
	FEED_NONE = -4,  /* neither lost nor a time */
	FEED_VOID = -5,  /* it was not sent after all, or takes another turn */
};

/* A turn: what became of it, and what the person waited, ns, -1 unless it has a time. */
struct feed_turn {
	int64_t outcome, waited;
};

/* All zero is the start; feed_end() at the end. */
struct feed {
	struct feed_turn *slots;
	/* Slots, a power of two, or 0. */
	size_t room;
	/* The oldest turn that is not told yet, and the next one to be taken; less 1, since turns begin with 1. */
	uint64_t head, end;
	/* Lines for which there was no memory: the statistics lack them. */
	uint64_t unfed;
	/* feed_close() was called. */
	bool closed;
};

void feed_end(struct feed *f);
/* A line is sent: its turn, 1 or more; 0 when memory is short. */
uint64_t feed_take(struct feed *f);
/* What became of it, and what the person waited, -1 without a time. Turn 0 is nobody's. Returns false when the turn was told before:
 * nothing is done. */
bool feed_decide(struct feed *f, struct stats *s, uint64_t turn, int64_t outcome, int64_t waited);
/* The row of a line that waits is forgotten. */
void feed_forget(struct feed *f, uint64_t turn);
/* `count` of the forgotten ones from *first to `last` become this, the first of them first; *first goes on. */
void feed_decide_ghosts(struct feed *f, struct stats *s, uint64_t *first, uint64_t last, uint64_t count, int64_t outcome);
/* The end: what is open will not be decided any more, counts as neither lost nor a time, and holds up nothing behind it. */
void feed_close(struct feed *f, struct stats *s);
/* The turns that are not told yet, by index; FEED_VOID behind the last. For tests. */
int64_t feed_at(const struct feed *f, uint64_t index);

#endif
