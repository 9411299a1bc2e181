/* SPDX-License-Identifier: GPL-3.0-or-later */
/* Lines whose fates are known from a record: nothing is matched, and time decides nothing. After
 * these, a ledger has the same totals, rows and statistics as the one that was recorded. Pure. */
#ifndef UPCASE_LEDGER_LEDGER_REPLAY_H
#define UPCASE_LEDGER_LEDGER_REPLAY_H

#include "ledger/ledger.h"

/* A line typed at `now`, queued; its tag is given, 0 for none. ledger_failed() goes on. Returns 0,
 * or -1 when memory is short or the number is not greater than any before. */
int ledger_replay_line(struct ledger *l, uint64_t number, const void *text, size_t n, bool partial,
    uint64_t tag, int64_t now);
/* It was handed to the kernel at `now`; so much of its time until then the session had tried to
 * connect. */
void ledger_replay_sent(struct ledger *l, uint64_t number, int64_t connecting, int64_t now);
/* A waiting or queued line gets a fate without a reply: lost, refused, failed or cut off. */
void ledger_replay_fate(struct ledger *l, uint64_t number, enum ledger_fate fate, int error);

/* The row's members of a first reply. */
struct ledger_replayed {
	bool late, reordered, differs, cut_short;
	/* When it came. */
	int64_t at;
	/* The text if it was not the capitals, else NULL. */
	const unsigned char *reply;
	size_t length;
};

/* The first reply: of a line that waits or, late or read late, is lost. */
void ledger_replay_reply(struct ledger *l, uint64_t number, const struct ledger_replayed *p);
/* One more reply to a line that has one; a reply that belongs to no line. */
void ledger_replay_duplicate(struct ledger *l, uint64_t number);
void ledger_replay_stray(struct ledger *l);

#endif
