/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of a witness: what witness.c (lines and flows), witness-match.c (events find lines), witness-timer.c (why segments
 * are sent again) and witness-judge.c (verdicts) share. For these files only. */
#ifndef UPCASE_WITNESS_CORE_H
#define UPCASE_WITNESS_CORE_H

#include "trace/trace.h"

/* Connections of one flow of which segments may still be on their way. */
#define CONNECTIONS 64
/* Datagrams and segments in pieces at once. */
#define PIECES 64
/* A datagram is looked for by as many of its first bytes as its first piece always has, with the smallest MTU that there is: 68
 * (RFC 791, 3.2) without the headers of IP and UDP. */
#define KEY_BYTES 40
/* Packets that may turn out to be undelivered. */
#define SERIALS 8192
/* Segments sent again of which it is open why. */
#define AGAINS 64
#define NO_RECORD UINT32_MAX

/* A line. Over UDP it stands in a chain by its bytes for each way; over TCP it has a place in each way's stream. */
struct record {
	struct witness_line line;
	uint8_t flow;
	/* Not compared yet. */
	bool pending;
	/* Another line looks just like it; some of its packets cannot be told. */
	bool twin, unsure;
	union {
		struct {
			/* By the first KEY_BYTES bytes; then by all of them. */
			uint64_t keys[EVENT_WAYS], hashes[EVENT_WAYS];
			uint32_t lengths[EVENT_WAYS];
			uint32_t next[EVENT_WAYS];
		};
		/* The flow's own count of bytes, over all connections: from `begins` to before `ends`. */
		struct {
			uint64_t begins[EVENT_WAYS], ends[EVENT_WAYS];
		};
	};
};

struct connection {
	uint16_t here, there;
	/* The byte of the flow's count at which it begins. */
	uint64_t from[EVENT_WAYS];
	/* The number before its first byte, once its SYN was seen. */
	bool known[EVENT_WAYS];
	uint32_t first[EVENT_WAYS];
	/* How many bytes of it were seen. */
	uint64_t seen[EVENT_WAYS];
	/* It stands: we have acknowledged the peer's SYN. */
	bool open;
	/* Its FIN was seen, or an RST. */
	bool ended[EVENT_WAYS];
};

struct flow {
	const struct ledger *ledger;
	bool stream;
	int64_t wait;
	/* The link has carried something of it. */
	bool seen;
	/* INT64_MAX while its socket is open. */
	int64_t closed_at;
	/* UDP: its ports. */
	uint16_t here, there;
	/* Its lines, in the order in which they were sent: numbers[begin] to before numbers[end]. */
	uint64_t *numbers;
	size_t begin, end, room;
	/* TCP: how many bytes of replies its lines make, and its connections, the last at [count - 1 % CONNECTIONS]. */
	uint64_t replies;
	/* Replies came that are not the capitals: their places are not known. */
	bool astray;
	struct connection *connections;
	uint64_t count;
	/* What the kernels said of the last connection: [0] last, [1] before. */
	struct witness_timer timers[EVENT_WAYS][2];
};

/* A line's segment was sent again. */
struct again {
	uint64_t number;
	int flow;
	enum event_way way;
	/* Its place in the leg's waits. */
	uint8_t slot;
	/* When, and when the try before that was. */
	int64_t at, last;
	/* What the kernel said last before it. */
	struct witness_timer before;
};

/* A datagram, or a segment, in pieces of which not all were seen. */
struct pieces {
	/* The datagram's line; 0 for a segment, and when no more of them matter. */
	uint64_t number;
	/* The segment's, or NULL; the number of its first byte; what became of the first piece that was lost, or EVENT_NONE. */
	struct flow *flow;
	struct connection *connection;
	uint32_t seq;
	enum event_fate lost;
	enum event_way way;
	uint32_t id;
	/* Bytes of payload seen. */
	uint32_t got;
	/* When the last of what was seen leaves the link. */
	int64_t out;
};

struct told {
	uint64_t serial, number;
	bool stream;
};

/* The lines of one transport, a ring by number, `room` long, a power of 2; number 0: empty. */
struct ring {
	struct record *records;
	size_t room;
};

struct witness {
	/* The room of a ring at most. */
	size_t most;
	/* By transport, since a line that goes over both has the same number in both: [0] datagrams, [1] a stream. */
	struct ring rings[2];
	/* The heads of the datagrams' chains, by key; as many as rings[0] has room. */
	uint32_t *chains[EVENT_WAYS];
	struct flow flows[WITNESS_FLOWS];
	int flow_count;
	/* The lines that are not compared yet: twice their number, and 1 more over a stream. */
	uint64_t *pending;
	size_t pending_count, pending_room;
	struct pieces pieces[PIECES];
	size_t next_pieces;
	struct again agains[AGAINS];
	int again_count;
	/* The lines of the last packets, by serial. */
	struct told *told;
	struct packets *packets;
	/* For a line's bytes and their capitals. */
	unsigned char *bytes;
	size_t bytes_room;
	struct witness_totals totals;
};

/* witness.c */
struct record *witness_record(const struct witness *w, bool stream, uint64_t number);
uint32_t *witness_chain(const struct witness *w, enum event_way way, uint64_t key);
/* An empty record for a line, at whose place an older one may have stood; NULL when memory is short or the line is older than all
 * that are kept. With its number and keys set, witness_enter() makes it one that is found. */
struct record *witness_new_record(struct witness *w, bool stream, uint64_t number);
void witness_enter(struct witness *w, struct record *r);
/* Makes room for `n` bytes at w->bytes. Returns 0 or -1. */
int witness_reserve(struct witness *w, size_t n);

/* witness-timer.c */
/* `again` has its way, slot and times. */
void witness_sent_again(struct witness *w, struct flow *f, const struct record *r, const struct again *again);
/* Another connection: what was said is of the one before. */
void witness_timers_forget(struct witness *w, struct flow *f);

/* What is in common for a new leg. */
#define WITNESS_LEG ((struct witness_leg){ .fate = EVENT_NONE, .first_out = INT64_MAX, .last_out = INT64_MIN })

#endif
