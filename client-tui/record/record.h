/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A record: all that is known of one line when its fate is decided, apart from any ledger. It is
 * what --json and --csv write, --read reads and the pictures are drawn of. Times are ns since the
 * session's start. Pure. */
#ifndef UPCASE_RECORD_H
#define UPCASE_RECORD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/event-line.h"
#include "ledger/figures.h"
#include "ledger/ledger.h"
#include "ledger/line-times.h"
#include "ledger/session-event.h"
#include "trace/trace.h"

/* The version of the format that is written, and read. */
#define RECORD_VERSION 1
/* What is written: replies as plain text; a record a line, as JSON Lines or as CSV. */
enum record_output { RECORD_OUTPUT_TEXT, RECORD_OUTPUT_JSON, RECORD_OUTPUT_CSV };
/* Sessions of a file at most, as many as a screen has. */
#define RECORDER_SESSIONS 256
/* Generated lines at most, and the longest of them: what a datagram carries over IPv4. */
#define RECORD_COUNT_MAX 1000000000
#define RECORD_SIZE_MAX 65507
/* No such time. */
#define RECORD_NEVER INT64_MIN
/* Packets kept with a line. */
#define RECORD_PACKETS 32
/* Duplicates of which the times are kept with a line. */
#define RECORD_DUPLICATES 16
/* Room for the reason why a record is refused. */
#define RECORD_WHY 200
/* The longest line of a file of records. */
#define RECORD_LINE_MAX (16u * 1024 * 1024)

/* One packet of the line that the lab's link saw. */
struct record_packet {
	enum link_way way;
	enum link_fate fate;
	/* A segment with a byte that was sent before. */
	bool retransmitted;
	/* It carries something of the line; else it is an acknowledgement alone, a SYN, a FIN, an
	 * RST. */
	bool payload;
	/* Its flags, of TCP. */
	bool syn, fin, rst, ack;
	/* Not the link's word: the server's end is reckoned. Never recorded. */
	bool reckoned;
	/* When it came to the link and when it left it (RECORD_NEVER: lost there); the second copy
	 * too. */
	int64_t in, out, out2;
	/* TCP: its place in the stream, relative to the first byte, and its bytes; 0 for datagrams.
	 */
	uint32_t seq, length;
};

struct record {
	/* Of which session of the file it is, from 0 on; over TCP; to whom, borrowed and for CSV
	 * only. */
	unsigned session;
	bool stream;
	const char *peer;
	uint64_t number;
	enum ledger_fate fate;
	bool late, reordered, differs, cut_short, partial;
	uint32_t duplicates;
	/* An errno, 0 for none. */
	int error;
	/* The number in the tag, 0 for none. */
	uint64_t tag;
	/* When the fate was decided without a reply: RECORD_NEVER when it was not, or is not known.
	 */
	int64_t typed_at, sent_at, replied_at, decided_at;
	/* How much of the time from typed to sent the session tried to connect, ns. */
	int64_t connecting;
	/* When duplicates came, as far as it is known: RECORD_DUPLICATES at most, owned. */
	int64_t *duplicate_at;
	size_t duplicate_count;
	/* Owned by the record, may be NULL when the length is 0. The reply only when it is not the
	 * line's capitals. */
	unsigned char *text, *reply;
	size_t length, reply_length;
	/* What the link did, both ways: LINK_WAYS of them, with times as above, and owned; NULL
	 * outside the lab. With it, where a datagram died, and its packets, owned. */
	struct trace_leg *legs;
	enum trace_place place;
	struct record_packet *packets;
	size_t packet_count;
	/* The line of the file that it was read from. */
	uint64_t at_line;
};

/* `start` is the session's, ns of the monotonic clock. */
/* One way of a line as it is recorded, and back: a time that there is none of is RECORD_NEVER in
 * the record. */
struct trace_leg record_leg_of(const struct trace_leg *leg, int64_t start);
struct trace_leg record_leg_back(const struct trace_leg *leg, int64_t start);
/* A packet of a line as it is recorded, and back. */
struct record_packet record_packet_of(const struct logged_packet *packet, int64_t start);
/* Moves its times by so many ns. */
void record_packet_move(struct record_packet *p, int64_t by);
struct logged_packet record_packet_back(const struct record_packet *packet, bool stream,
    uint64_t number, int64_t start);
void record_free(struct record *r);
/* What the person waited, and its parts. */
struct parts record_parts(const struct record *r);

/* A reply that stands for itself: a stray, or one that came after its line's record was written. */
struct record_reply {
	unsigned session;
	bool stream;
	const char *peer;
	enum ledger_match match;
	/* The line's number, 0 for a stray. */
	uint64_t number;
	/* What the line's row says with it. */
	bool reordered, differs, cut_short;
	/* Its round-trip time is -1 if unknown. */
	int64_t replied_at, rtt;
	/* Owned when it was read. */
	unsigned char *text;
	size_t length;
};

/* A packet's flags in records, and beside its arrow: "SYN-ACK"; NULL where they say nothing.
 * Static. And back: sets them, -1 for none. */
const char *record_flags_name(const struct record_packet *p);
int record_flags(const char *name, struct record_packet *p);
/* Copies all texts and packets. Returns 0, or -1 when memory is short. */
int record_event_copy(struct session_event *to, const struct session_event *e);
/* Its packet with times as `at` is. */
struct record_packet record_event_packet(const struct session_event *e, size_t index);
void record_event_free(struct session_event *e);

/* Room for the words of a link. */
#define RECORD_LINK 900

/* A run as a whole. */
struct record_run {
	/* When the session's time 0 was, ns since 1970, UTC. */
	int64_t started;
	/* Its end, ns of the monotonic clock; in a record since `started`. */
	int64_t ended_at;
	enum ledger_tag tag;
	/* Generated lines: as in the settings; count 0: none. */
	int64_t count, interval, size;
	/* Stopped before all lines were sent. */
	bool stopped;
	/* In the lab the link's settings at the start, in words as link_status_line() has them; ""
	 * elsewhere. */
	char link[RECORD_LINK];
};

/* A session of the file. */
struct record_session {
	unsigned session;
	bool stream;
	char *peer;
	int64_t reply_timeout;
};

/* What a session's lines come to, in the summary. */
struct record_sum {
	struct record_session of;
	/* `stats` is borrowed. */
	struct figures figures;
};

/* The end of a file. */
struct record_summary {
	/* Its end, since the session's start; whether it was stopped; the link then. */
	struct record_run run;
	/* One a session, owned when they were read. */
	struct record_sum *sums;
	size_t count;
	/* In the lab: lines compared with what the link did, and of them in contradiction. */
	bool has_truth;
	uint64_t compared, mismatches;
};

/* "2026-11-23T05:55:01.123456789Z", from ns since 1970. */
#define RECORD_DATE_SIZE 40
char *record_date(int64_t wall, char buf[RECORD_DATE_SIZE]);

/* Bytes as they stand in a record: as text when they are UTF-8 (without `controls`: and have none),
 * else in base64 (RFC 4648 section 4). */
bool record_is_text(const unsigned char *bytes, size_t n, bool controls);
/* malloc()ed, with a zero behind it; NULL when memory is short. */
char *record_base64(const unsigned char *bytes, size_t n);
/* malloc()ed; NULL when it is no base64, or memory is short. */
unsigned char *record_from_base64(const char *text, size_t n, size_t *length);

#endif
