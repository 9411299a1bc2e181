/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The time that the person waited, from Enter to the reply, and its parts: the session connected,
 * the line was queued, the line and its reply were on the wire (the round trip). Pure. */
#pragma once

#include "common/clock.h"
#include "ledger/ledger-row.h"

/* Shorter times between Enter and the hand-over, spent in the program itself, are not shown. */
#define PARTS_DIFFER NS_PER_MS

/* ns. `waited` is the sum of the others. */
struct parts {
	int64_t waited, connecting, queued, wire;
	bool stream;
};

/* `waited` alone. */
static inline int64_t parts_waited(const struct ledger_row *row)
{
	return (row->sent_at > row->typed_at ? row->sent_at - row->typed_at : 0) +
	       (row->replied_at > row->sent_at ? row->replied_at - row->sent_at : 0);
}
/* The parts of a line that was handed to the kernel; without a reply, `wire` is 0. */
struct parts parts_of_row(const struct ledger_row *row);

/* What parts_text() shows: the time; also the greatest part before the wire; all parts. */
enum parts_detail { PARTS_TIME, PARTS_LONGEST, PARTS_ALL };

/* Whether the time before the wire is shown: at least 1 ms and a twentieth of the whole. */
bool parts_differ(const struct parts *p);
/* "906 ms", "906 ms: 861 connecting", "906 ms: 861 connecting, 44.8 on the wire"; parts that do not
 * differ are left out. `micro` is the sign for micro. Returns `buf`. */
char *parts_text(const struct parts *p, enum parts_detail detail, const char *micro, char *buf,
    size_t size);
/* The parts alone, "861 ms connecting, 44.8 ms on the wire"; "" if they do not differ. */
char *parts_alone(const struct parts *p, enum parts_detail detail, const char *micro, char *buf,
    size_t size);
