/* SPDX-License-Identifier: GPL-3.0-or-later */
#include "config.h"

#include "ledger/ledger-replay.h"

#include <stdlib.h>
#include <string.h>

#include "common/grow.h"
#include "ledger/ledger-internal.h"

int ledger_replay_line(struct ledger *l, uint64_t number, const void *text, size_t n, bool partial,
    uint64_t tag, int64_t now)
{
	struct ledger_line *e;

	if (number <= l->last_number || ledger_lines_reserve(&l->lines) ||
	    !(e = ledger_new_line(l, number, text, n, now)))
		return -1;
	e->row.partial = partial;
	if (tag)
		ledger_line_set_tag(e, tag);
	ledger_age(l, now);
	ledger_enter(l, e);
	return 0;
}

void ledger_replay_sent(struct ledger *l, uint64_t number, int64_t connecting, int64_t now)
{
	struct ledger_line *e = ledger_lines_find(&l->lines, number);

	ledger_sent(l, number, now);
	if (e && connecting <= e->row.sent_at - e->row.typed_at)
		e->row.connecting = connecting;
}

/* The line waits, but its row is evicted: any of the evicted ones gets its fate. */
static void settle_evicted(struct ledger *l, enum ledger_fate fate)
{
	for (struct ledger_line *e = l->waiting.first; e; e = e->place[LINE_LIST_FATE].next)
		if (e->evicted_waiting) {
			ledger_settle_evicted(l, e, 1, fate);
			return;
		}
}

void ledger_replay_fate(struct ledger *l, uint64_t number, enum ledger_fate fate, int error)
{
	struct ledger_line *e = ledger_lines_find(&l->lines, number);

	if (!e) {
		settle_evicted(l, fate);
		return;
	}
	if (ledger_is_decided(e->row.fate))
		return;
	e->row.error = error;
	ledger_change_fate(l, e, fate);
}

static void keep_reply(struct ledger *l, struct ledger_line *e, const struct ledger_replayed *p)
{
	if (!p->reply || !(e->reply = grow_copy(p->reply, p->length)))
		return;
	e->reply_length = e->row.reply_length = p->length;
	e->row.reply = e->reply;
	l->bytes += p->length;
}

void ledger_replay_reply(struct ledger *l, uint64_t number, const struct ledger_replayed *p)
{
	const enum ledger_fate fate = p->late ? FATE_LOST : FATE_ANSWERED;
	struct ledger_line *e = ledger_lines_find(&l->lines, number);

	if (!e) {
		settle_evicted(l, fate);
		return;
	}
	if (e->row.fate != FATE_WAITING && (e->row.fate != FATE_LOST || e->row.late))
		return;
	e->row.replied_at = p->at > e->row.sent_at ? p->at : e->row.sent_at;
	e->row.late = p->late;
	e->row.reordered = p->reordered;
	e->row.differs = p->differs;
	e->row.cut_short = p->cut_short;
	l->totals.late += p->late;
	l->totals.reordered += p->reordered;
	l->totals.differs += p->differs;
	l->totals.cut_short += p->cut_short;
	ledger_change_fate(l, e, fate);
	if (fate == FATE_ANSWERED)
		ledger_count_times(&l->totals, &e->row);
	keep_reply(l, e, p);
	ledger_make_room(l, 0, 0);
}

void ledger_replay_duplicate(struct ledger *l, uint64_t number)
{
	struct ledger_line *e = ledger_lines_find(&l->lines, number);

	l->totals.duplicates++;
	if (e)
		e->row.duplicates++;
	else
		l->evicted.duplicates++;
}

void ledger_replay_stray(struct ledger *l)
{
	l->totals.strays++;
}
