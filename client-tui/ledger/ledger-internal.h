/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of the ledger, for ledger.c, ledger-match.c (replies) and ledger-replay.c only. */
#pragma once

#include "ledger/ledger.h"
#include "ledger/line-index.h"
#include "ledger/stats.h"

struct ledger {
	struct ledger_settings settings;
	struct ledger_totals totals;
	struct ledger_lines lines;
	/* The block in which a stream's rows are made. A datagram's row has memory of its own: one
	 * that waits may be kept long after its neighbours are evicted. */
	struct ledger_block *block;
	/* Bytes of the rows' lines and replies; waiting lines whose rows are evicted. */
	size_t bytes;
	uint64_t evicted_waiting;
	struct line_list queued, unanswered, aging, truncated;
	struct line_index index;
	struct line_index_key key; /* the line or reply being looked up */
	/* The greatest number; RFC 4737's NextExp. */
	uint64_t last_number, expected;
	/* The statistics of all lines, and the lines that are not reported to them yet. */
	struct stats_order stats_order;
	struct stats stats;
	/* No row with a lower number is decided: the search for a row to evict begins here. */
	uint64_t decided_from;
	/* A reply to an evicted line may come until then: every new datagram gets a tag. */
	int64_t tag_all_until;
	int64_t tag_common_until; /* the same, without lines whose text is unique */
	struct ledger_connection {
		struct line_list waiting;
		/* The time spent connecting, but for the attempt since then (INT64_MAX for none).
		 */
		int64_t connecting, connecting_since;
	} connections[LEDGER_CONNECTIONS + 1];
};

static inline bool ledger_is_datagram(const struct ledger *l)
{
	return l->settings.kind == LEDGER_DATAGRAM;
}

/* Whether more than `span` ns have passed since the line was sent. */
bool ledger_is_over(const struct ledger_line *e, int64_t span, int64_t now);

/* Adds the times of an answered line to the totals. */
void ledger_count_times(struct ledger_totals *t, const struct ledger_row *row);
/* Keeps a reply whose text begins after `skip` bytes. When memory is short, the row is only marked.
 */
void ledger_store_reply(struct ledger *l, struct ledger_line *e, const unsigned char *bytes,
    size_t n, size_t skip);
/* An entry for a new line. NULL when memory is short. */
struct ledger_line *ledger_new_line(struct ledger *l, uint64_t number, const void *text, size_t n,
    int64_t now);
/* Gives the entry a row, queued. Room in the rows was reserved before. */
void ledger_insert(struct ledger *l, struct ledger_line *e);
/* Removes lines that can no longer be answered from the index. */
void ledger_age(struct ledger *l, int64_t now);
/* Refuses, fails or cuts off a line at `now`, 0 if that is not known. */
void ledger_end_line(struct ledger *l, struct ledger_line *e, enum ledger_fate fate, int error,
    int64_t now);
/* Gives a line another fate, counts it, and moves it to the right lists. `late` is set before. */
void ledger_change_fate(struct ledger *l, struct ledger_line *e, enum ledger_fate fate);
/* Evicts rows until there is room for this many more rows (0: only bytes matter) and bytes. */
void ledger_make_room(struct ledger *l, size_t rows, size_t bytes);
/* Gives this fate to `count` lines of an evicted row, which may be freed then. */
void ledger_settle_evicted(struct ledger *l, struct ledger_line *e, uint64_t count,
    enum ledger_fate fate);
