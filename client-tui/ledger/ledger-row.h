/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A line's row and the totals of all lines, as the ledger shows them. Pure. */
#pragma once

#define LEDGER_TAG_SIZE 22 /* room that any tag takes at most: "#", 20 digits, " " */

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

/* The words of a transport. */
struct transport_info {
	const char *title, *name; /* "UDP", for people; "udp", for records and options */
	/* What a line that was typed too early waits for: "opening", "connecting". */
	const char *opening;
};

/* By whether it is a stream: UDP, then TCP. */
extern const struct transport_info transport_info[2];

/* One line. The bytes belong to the ledger and live until the row is evicted. */
struct ledger_row {
	uint64_t number; /* given by the caller, increasing; 1 or more */
	enum ledger_fate fate;
	bool stream; /* the line went over a stream, not in a datagram */
	/* Of several connections of the session, the one that it goes over, from 1 on; else 0. */
	uint8_t connection;
	/* When it was typed, sent, answered; refused, failed or cut off. 0 for not yet. */
	int64_t typed_at, sent_at, replied_at, decided_at;
	/* The part of the time before the hand-over in which the session connected, ns. */
	int64_t connecting;
	/* The typed text: `length` bytes, no end of line, no zero byte at the end. For a long line
	 * of a stream, only its first bytes (`partial`). */
	const unsigned char *text;
	size_t length;
	/* The number in the tag, "#17 ", which is sent before the text; 0 for no tag. */
	uint64_t tag;
	/* The first reply's text without its tag when it is not the capitals of `text`, else NULL.
	 */
	const unsigned char *reply;
	size_t reply_length;
	uint32_t duplicates; /* replies after the first */
	bool late;           /* The wait was over when the (first) reply came. Fate is FATE_LOST. */
	/* Datagrams: the first reply came in time, but after that of a later line. */
	bool reordered;
	/* The reply is not the line's capitals, but has the same capitals (an ASCII-only server, an
	 * echo); in a stream it may be any other text. */
	bool differs;
	bool cut_short; /* the reply is only the beginning of the line's capitals */
	/* `text` is only the beginning of the line, and the reply is not kept or compared. */
	bool partial;
	int error; /* why it failed or was refused, as error-text.h has it */
};

/* Least, greatest, mean of times, ns, and the sum of squared differences (Welford). 0 for none. */
struct ledger_times {
	int64_t min, max;
	double mean, m2;
};

/* Whether the fate is final, except for a late reply. */
static inline bool ledger_is_decided(enum ledger_fate fate)
{
	return fate != FATE_QUEUED && fate != FATE_WAITING;
}

/* Whether the line has a reply, perhaps a late one. */
static inline bool ledger_is_replied(const struct ledger_row *row)
{
	return row->fate == FATE_ANSWERED || row->late;
}

/* Whether the line will not be answered within the wait. */
static inline bool ledger_is_unanswered(enum ledger_fate fate)
{
	return fate == FATE_LOST || fate == FATE_REFUSED || fate == FATE_FAILED ||
	       fate == FATE_CUT_OFF;
}

/* One part of the waiting times of lines: the sum over all, and the greatest, ns. */
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
	uint64_t late; /* parts of lost: a reply came after the wait */
	/* Replies after the first, rows reordered, rows that differ, rows cut short. */
	uint64_t duplicates, reordered, differs, cut_short;
	uint64_t strays;  /* replies that match no line */
	uint64_t evicted; /* rows that are no longer kept */
	/* Answered lines whose times are known: the round trip, from handed over to answered; the
	 * wait, from typed to answered, with its parts before the round trip. */
	uint64_t timed;
	struct ledger_times rtt, waited;
	struct ledger_part connecting, queued_for;
};

/* Lines whose fate chance decided; the others are in no percentage of loss. */
static inline uint64_t ledger_answered_or_lost(const struct ledger_totals *t)
{
	return t->answered + t->lost;
}
