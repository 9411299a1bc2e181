/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines whose fates are known from a record. */
#include "ledger/ledger-internal.h"

int ledger_replay_line(struct ledger *l, const struct ledger_row *row, int64_t now)
{
	struct ledger_line *e;

	if (row->number <= l->last_number || ledger_lines_reserve(&l->lines) ||
	    !(e = ledger_new_line(l, row->number, row->text, row->length, now)))
		return -1;
	e->row.partial = row->partial;
	e->row.connection = row->connection;
	if (row->tag)
		ledger_line_set_tag(e, row->tag);
	ledger_age(l, now);
	ledger_insert(l, e);
	return 0;
}

void ledger_replay_sent(struct ledger *l, uint64_t number, int64_t connecting, int64_t now)
{
	struct ledger_line *e = ledger_lines_find(&l->lines, number);

	ledger_sent(l, number, now);
	if (e && connecting <= e->row.sent_at - e->row.typed_at)
		e->row.connecting = connecting;
}

/* The line waits, but its row is evicted: the fate goes to any of the evicted ones. */
static void settle_evicted(struct ledger *l, enum ledger_fate fate)
{
	for (int i = 0; i <= LEDGER_CONNECTIONS; i++)
		for (struct ledger_line *e = l->connections[i].waiting.first; e;
		    e = e->place[LINE_LIST_FATE].next)
			if (e->evicted_waiting) {
				ledger_settle_evicted(l, e, 1, fate);
				return;
			}
}

void ledger_replay_fate(struct ledger *l, uint64_t number, enum ledger_fate fate, int error,
    int64_t now)
{
	struct ledger_line *e = ledger_lines_find(&l->lines, number);

	if (!e) {
		settle_evicted(l, fate);
		return;
	}
	if (!ledger_is_decided(e->row.fate))
		ledger_end_line(l, e, fate, error, now);
}

void ledger_replay_reply(struct ledger *l, const struct ledger_row *row, int64_t now)
{
	const enum ledger_fate fate = row->late ? FATE_LOST : FATE_ANSWERED;
	struct ledger_line *e = ledger_lines_find(&l->lines, row->number);

	if (!e) {
		settle_evicted(l, fate);
		return;
	}
	if (e->row.fate != FATE_WAITING && (e->row.fate != FATE_LOST || e->row.late))
		return;
	e->row.replied_at = now > e->row.sent_at ? now : e->row.sent_at;
	e->row.late = row->late;
	e->row.reordered = row->reordered;
	e->row.differs = row->differs;
	e->row.cut_short = row->cut_short;
	l->totals.late += row->late;
	l->totals.reordered += row->reordered;
	l->totals.differs += row->differs;
	l->totals.cut_short += row->cut_short;
	ledger_change_fate(l, e, fate);
	if (fate == FATE_ANSWERED)
		ledger_count_times(&l->totals, &e->row);
	if (row->reply)
		ledger_store_reply(l, e, row->reply, row->reply_length, 0);
	ledger_make_room(l, 0, 0);
}

void ledger_replay_duplicate(struct ledger *l, uint64_t number)
{
	struct ledger_line *e = ledger_lines_find(&l->lines, number);

	l->totals.duplicates++;
	if (e)
		e->row.duplicates++;
}

void ledger_replay_stray(struct ledger *l)
{
	l->totals.strays++;
}
