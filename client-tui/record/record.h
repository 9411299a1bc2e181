/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The records of a session, independent of a ledger: --json and --csv write them, --read reads
 * them, and pictures show them. Times are ns since the session's start. Pure. */
#pragma once

#include "ledger/figures.h"
#include "ledger/ledger.h"
#include "ledger/line-times.h"
#include "ledger/session-event.h"
#include "trace/trace.h"

#define RECORD_VERSION 1
/* The contents of standard output: replies as plain text, or records as JSON Lines or CSV. */
enum record_output { RECORD_OUTPUT_TEXT, RECORD_OUTPUT_JSON, RECORD_OUTPUT_CSV };
/* The maximum number of sessions in a file, as many as a screen has. */
#define RECORDER_SESSIONS 256
/* Generated lines at most, and their greatest length: the payload of a datagram over IPv4. */
#define RECORD_COUNT_MAX 1000000000
/* The count of lines without an end. */
#define RECORD_ENDLESS (-1)
#define RECORD_SIZE_MAX 65507
#define RECORD_NEVER TRACE_NEVER /* a time that does not exist */
/* The maximum numbers of packets and of duplicates' times kept with a line. */
#define RECORD_PACKETS 32
#define RECORD_DUPLICATES 16
#define RECORD_REASON 200
#define RECORD_LINE_MAX (16u * 1024 * 1024) /* the longest line of a file of records */

struct record {
	unsigned session; /* the number of its session in the file, from 0 on */
	/* The ledger's row, but with RECORD_NEVER for a missing or unknown time, and `decided_at`
	 * of lost lines too. Its text and reply are owned. */
	struct ledger_row row;
	enum trace_place place; /* the place where a datagram was lost, in the lab */
	/* The numbers of known times of duplicates, and of packets. */
	uint8_t duplicate_count, packet_count;
	int64_t *duplicate_at; /* owned; NULL for none */
	/* The link's effects in each direction, and its packets; owned, NULL outside the lab. */
	struct trace_leg *legs;
	struct link_packet *packets;
	const char *peer; /* the session's peer, borrowed, for CSV only */
	uint64_t at_line; /* the line of the file from which it was read */
};

void record_free(struct record *r);
/* A copy of a leg, or of a packet, with `by` ns added to its times. */
struct trace_leg record_leg_shifted(const struct trace_leg *leg, int64_t by);
struct link_packet record_packet_shifted(const struct link_packet *p, int64_t by);
/* The name of a packet's flags, "SYN-ACK"; NULL if they have none. Static. */
const char *record_flags_name(const struct link_packet *p);
/* Sets the flags by their name. Returns 0, or -1 for an unknown name. */
int record_flags(const char *name, struct link_packet *p);

/* A reply with a record of its own: a stray, or one that came after its line's record was written.
 */
struct record_reply {
	unsigned session;
	const char *peer;
	enum ledger_match match;
	int64_t rtt; /* the round-trip time is -1 if unknown */
	/* The line's number, 0 for a stray, the transport, the present state of the row, and the
	 * reply with its time. The reply is owned if it was read from a file. */
	struct ledger_row row;
};

/* Copies an event, its texts and packets. Returns 0, or -1 when memory is short. */
int record_event_copy(struct session_event *to, const struct session_event *e);
void record_event_free(struct session_event *e);

#define RECORD_LINK 900

struct record_run {
	int64_t started;  /* the session's time 0, ns since 1970, UTC */
	int64_t ended_at; /* ns of the monotonic clock; in a record since `started` */
	enum ledger_tag tag;
	/* Generated lines as in the settings; 0: none, and no limit of time. */
	int64_t count, interval, size, duration;
	bool stopped; /* the run was stopped before all lines were sent */
	/* The link's settings at the start, in words of link_status_line(); "" outside the lab. */
	char link[RECORD_LINK];
};

struct record_session {
	unsigned session;
	bool stream;
	char *peer;
	int64_t reply_timeout;
};

struct record_sum {
	struct record_session of;
	struct figures figures; /* `stats` is borrowed */
};

/* The end of a file. */
struct record_summary {
	struct record_run run;   /* `ended_at`, `stopped` and the link at the end */
	struct record_sum *sums; /* one for each session; owned if they were read from a file */
	size_t count;
	/* In the lab: the lines compared with the link's events, and those that contradict. */
	bool is_compared;
	uint64_t compared, mismatches;
};

/* Writes "2026-11-23T05:55:01.123456789Z" for ns since 1970. */
#define RECORD_DATE_SIZE 40
char *record_date(int64_t wall, char buf[RECORD_DATE_SIZE]);

/* Returns true if the bytes are UTF-8, which records have as text; other bytes are written in
 * base64 (RFC 4648 section 4). Without `controls`, control characters are refused too. */
bool record_is_text(const unsigned char *bytes, size_t n, bool controls);
/* Returns base64, malloc()ed, with a zero at its end; NULL if memory is short. */
char *record_base64(const unsigned char *bytes, size_t n);
/* Decodes base64 into malloc()ed bytes; NULL if the text is no base64 or memory is short. */
unsigned char *record_from_base64(const char *text, size_t n, size_t *length);
