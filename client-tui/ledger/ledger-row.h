/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A line's row and the totals of all lines, as the ledger shows them. Pure. */
#ifndef UPCASE_LEDGER_LEDGER_ROW_H
#define UPCASE_LEDGER_LEDGER_ROW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Room that any tag takes at most: "#", 20 digits, " ". */
#define LEDGER_TAG_SIZE 22

enum ledger_fate {
	FATE_QUEUED,   /* typed, not yet handed to the kernel */
	FATE_WAITING,  /* handed to the kernel, no reply yet, the wait is not over */
	FATE_ANSWERED, /* the reply came within the wait */
	FATE_LOST,     /* datagram: the wait is over and nothing came (see `late`) */
	FATE_REFUSED,  /* datagram: ICMP port unreachable */
	FATE_FAILED,   /* it could not be sent; `error` says why */
	FATE_CUT_OFF,  /* stream: the connection ended before the reply */
};
#define FATES (FATE_CUT_OFF + 1)

/* "cut off", in records and pictures. */
extern const char *const ledger_fate_names[FATES];

/* One line. The bytes belong to the ledger and live until the row is evicted. */
struct ledger_row {
	/* The line's number, the caller's, increasing; 1 or more. */
	uint64_t number;
	enum ledger_fate fate;
	/* The line went over a stream, not in a datagram. */
	bool stream;
	/* When it was typed, handed to the kernel, and answered (first reply); 0 for not yet. */
	int64_t typed_at, sent_at, replied_at;
	/* The time between typed and handed over in which the session tried to connect, ns. */
	int64_t connecting;
	/* The typed text: `length` bytes, no end of line, no zero byte at the end. For a long line
	 * of a stream, its first bytes only (`partial`). */
	const unsigned char *text;
	size_t length;
	/* The number in the tag, "#17 ": sent with the text and cut off its reply. 0 for no tag. */
	uint64_t tag;
	/* The first reply's text without its tag when it is not the capitals of `text`, else NULL.
	 */
	const unsigned char *reply;
	size_t reply_length;
	/* Replies after the first. */
	uint32_t duplicates;
	/* The wait was over when the (first) reply came. Fate is FATE_LOST. */
	bool late;
	/* Datagrams: its first reply came within the wait, after the reply to a line that was sent
	 * later. */
	bool reordered;
	/* The reply is not the line's capitals, but has the same capitals (an ASCII-only server, an
	 * echo); or, in a stream, is something else altogether. */
	bool differs;
	/* The reply is only the beginning of the line's capitals. */
	bool cut_short;
	/* `text` is only the beginning of the line, and the reply is not kept or compared. */
	bool partial;
	/* Why it failed or was refused, as errors.h has it. */
	int error;
};

/* Least, greatest and mean of some times, ns, and the sum of squared differences from the mean
 * (Welford). All 0 for none. */
struct ledger_times {
	int64_t min, max;
	double mean, m2;
};

/* It has its fate for good, but for a late reply. */
static inline bool ledger_is_decided(enum ledger_fate fate)
{
	return fate != FATE_QUEUED && fate != FATE_WAITING;
}

/* It will never be answered, or only too late. */
static inline bool ledger_is_unanswered(enum ledger_fate fate)
{
	return fate == FATE_LOST || fate == FATE_REFUSED || fate == FATE_FAILED ||
	       fate == FATE_CUT_OFF;
}

/* A part of what lines waited: the sum over all, and the greatest, ns. */
struct ledger_part {
	double sum;
	int64_t max;
};

/* Exact for all lines whatever rows are kept. */
struct ledger_totals {
	uint64_t typed, sent;
	/* By fate, in the order of enum ledger_fate. */
	union {
		uint64_t fates[FATES];
		struct {
			uint64_t queued, waiting, answered, lost, refused, failed, cut_off;
		};
	};
	/* Parts of lost: a reply came after the wait. */
	uint64_t late;
	/* Replies after the first, rows reordered, rows that differ, rows cut short. */
	uint64_t duplicates, reordered, differs, cut_short;
	/* Replies that match no line. */
	uint64_t strays;
	/* Rows no longer kept. */
	uint64_t evicted;
	/* Answered lines whose times are known: the round trip, from handed over to answered; and
	 * what the person waited, from typed to answered, with the parts of it before the round
	 * trip. */
	uint64_t timed;
	struct ledger_times rtt, waited;
	struct ledger_part connecting, queued_for;
};

/* Lines of which chance decided what became of them: answered or lost. What was refused, could not
 * be sent or was cut off is in no percentage of loss. */
static inline uint64_t ledger_by_chance(const struct ledger_totals *t)
{
	return t->answered + t->lost;
}

#endif
