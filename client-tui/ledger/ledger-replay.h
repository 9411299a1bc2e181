/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines whose fates are known from a record: nothing is matched, and time decides nothing. After
 * these, a ledger has the same totals, rows and statistics as the one that was recorded. Pure. */
#ifndef UPCASE_LEDGER_LEDGER_REPLAY_H
#define UPCASE_LEDGER_LEDGER_REPLAY_H

#include "ledger/ledger.h"

/* A line typed at `now`, queued; its number, text and tag are the row's, and `partial`.
 * ledger_failed() goes on. Returns 0, or -1 when memory is short or the number is not greater than
 * any before. */
int ledger_replay_line(struct ledger *l, const struct ledger_row *row, int64_t now);
/* It was handed to the kernel at `now`; so much of its time until then the session had tried to
 * connect. */
void ledger_replay_sent(struct ledger *l, uint64_t number, int64_t connecting, int64_t now);
/* A waiting or queued line gets a fate without a reply: lost, refused, failed or cut off. */
void ledger_replay_fate(struct ledger *l, uint64_t number, enum ledger_fate fate, int error);

/* The first reply, which came at `now`: of a line that waits or, late or read late, is lost. The
 * row has its marks and, if it was not the capitals, its text. */
void ledger_replay_reply(struct ledger *l, const struct ledger_row *row, int64_t now);
/* One more reply to a line that has one; a reply that belongs to no line. */
void ledger_replay_duplicate(struct ledger *l, uint64_t number);
void ledger_replay_stray(struct ledger *l);

#endif
