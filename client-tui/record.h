/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A record: all that is known of one line when its fate is decided, apart from any ledger. It is what --json and --csv write,
 * --read reads and the pictures are drawn of. Times are ns since the session's start. Pure. */
#ifndef UPCASE_RECORD_H
#define UPCASE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "event.h"
#include "ledger.h"
#include "witness.h"

/* No such time. */
#define RECORD_NEVER INT64_MIN
/* Packets kept with a line. */
#define RECORD_PACKETS 32

/* One packet of the line that the lab's link saw. */
struct record_packet {
	enum event_way way;
	enum event_fate fate;
	/* A segment with a byte that was sent before. */
	bool again;
	/* It carries something of the line; else it is an acknowledgement alone, a SYN, a FIN. */
	bool payload;
	/* When it came to the link and when it left it (RECORD_NEVER: lost there); the second copy too. */
	int64_t in, out, out2;
	/* TCP: its place in the stream, relative to the first byte, and its bytes; 0 for datagrams. */
	uint32_t seq, length;
};

struct record {
	/* Over TCP. */
	bool stream;
	uint64_t number;
	enum ledger_fate fate;
	bool late, reordered, differs, cut_short, partial;
	uint32_t duplicates;
	/* An errno, 0 for none. */
	int error;
	/* The number in the tag, 0 for none. */
	uint64_t tag;
	int64_t typed_at, sent_at, replied_at;
	/* Owned by the record, may be NULL when the length is 0. The reply only when it is not the line's capitals. */
	unsigned char *text, *reply;
	size_t length, reply_length;
	/* What the link did, when `has_link`: where a datagram died, and its packets. */
	bool has_link;
	enum witness_place place;
	struct record_packet packets[RECORD_PACKETS];
	size_t packet_count;
};

/* From a row of a ledger; `start` is the session's, ns of the monotonic clock; `truth` may be NULL. Copies. Returns 0, or -1 when
 * memory is short. The packets are the caller's to add. */
int record_fill(struct record *r, const struct ledger_row *row, bool stream, const struct witness_line *truth, int64_t start,
    int64_t now);
void record_free(struct record *r);
/* Its round-trip time, ns, -1 if unknown. */
int64_t record_rtt(const struct record *r);

/* The names in records of fates ("answered"), of what the link does ("delivered", "lost") and of places ("going"); static. And
 * back: -1 for none. */
const char *record_fate_name(enum ledger_fate fate);
int record_fate(const char *name);

#endif
