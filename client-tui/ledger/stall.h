/* SPDX-License-Identifier: GPL-3.0-or-later */
/* When TCP stalls: lines wait, and for longer than its smoothed round-trip time and STALL_MARGIN no
 * byte comes. A segment on time would have been here; what was lost comes again after the
 * retransmission time-out, which Linux never makes shorter than that. A stall lasts from the later
 * of the last byte's arrival and the sending of the line that waits longest, to the next byte's
 * arrival or the connection's end. Made of arrival times alone, so it is exact however seldom
 * anybody looks. A server that takes its time looks the same. Pure; times are ns of the monotonic
 * clock. */
#ifndef UPCASE_LEDGER_STALL_H
#define UPCASE_LEDGER_STALL_H

#include <stdint.h>

#include "common/clock.h"

/* The least retransmission time-out of Linux (TCP_RTO_MIN); RFC 6298 section 2.4 would have a
 * second. */
#define STALL_MARGIN (200 * NS_PER_MS)
/* No line waits. */
#define STALL_NONE INT64_MAX

struct stall_totals {
	uint64_t count;
	int64_t total, longest;
};

/* All zero is the start, of each connection `last_byte` too. */
struct stall {
	struct stall_totals totals;
	/* When the last byte came on this connection, 0 for none yet. */
	int64_t last_byte;
};

/* Bytes came at `at`, or the connection ended. `since`: when the line that waited longest until
 * then was sent, STALL_NONE for none; `round_trip`: smoothed, 0 while not known. */
void stall_end(struct stall *s, int64_t since, int64_t round_trip, int64_t at);
/* A new connection. */
void stall_connection(struct stall *s);
/* The totals as they would be if the stall that goes on, if any, ended now. */
struct stall_totals stall_now(const struct stall *s, int64_t since, int64_t round_trip,
    int64_t now);

#endif
