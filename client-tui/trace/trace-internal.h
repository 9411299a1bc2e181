/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of a trace, shared by trace.c (flows, lines, packets, timers), trace-match.c (finds
 * the line of an event) and trace-check.c (compares). For these files only. */
#pragma once

#include "trace/trace.h"

#define CONNECTIONS 64  /* connections of one flow of which segments may still be on their way */
#define REASSEMBLIES 64 /* fragmented datagrams and segments at once */
/* A datagram is found by its first bytes, as many as its first fragment always has: with the
 * smallest MTU, 68 (RFC 791, 3.2), without the headers of IP and UDP. */
#define KEY_BYTES 40
#define SERIALS 8192 /* the last packets, which may turn out to be undelivered */
/* Retransmissions of which the cause is open. */
#define RETRANSMISSIONS 64
#define NO_SLOT UINT32_MAX

/* A line: over UDP in a chain by its bytes, over TCP at a place in the stream, each way. */
struct trace_slot {
	struct trace_line line;
	uint8_t flow;
	bool pending; /* not compared yet */
	/* Another line has the same bytes; some of its packets cannot be told from others. */
	bool ambiguous, unsure;
	union {
		struct {
			/* By the first KEY_BYTES bytes; then by all of them. */
			uint64_t keys[LINK_DIRECTIONS], hashes[LINK_DIRECTIONS];
			uint32_t lengths[LINK_DIRECTIONS];
			uint32_t next[LINK_DIRECTIONS];
		};
		/* The flow's count of bytes, over all connections; before `ends`. */
		struct {
			uint64_t begins[LINK_DIRECTIONS], ends[LINK_DIRECTIONS];
		};
	};
};

/* What left the link of one direction of a connection: see trace-blocking.c. */
struct trace_departures {
	/* The bytes from `final` on that left, in their order and without overlap; when. */
	struct trace_piece {
		uint64_t begin, end;
		int64_t at;
	} *pieces;
	size_t count, capacity;
	/* The lines before the byte `final` are final; which of them left last, and when:
	 * INT64_MIN for none. */
	uint64_t final, latest_line;
	int64_t latest;
	bool unknown; /* the pieces are not known any more */
};

struct trace_connection {
	uint16_t here, there;
	uint64_t from[LINK_DIRECTIONS]; /* the byte of the flow's count at which it begins */
	/* The number before its first byte, once its SYN was seen. */
	bool syn_seen[LINK_DIRECTIONS];
	uint32_t first[LINK_DIRECTIONS];
	uint64_t seen[LINK_DIRECTIONS]; /* how many bytes of it were seen */
	/* All bytes before `acked` are acknowledged; since when their sender knows it. */
	uint64_t acked[LINK_DIRECTIONS];
	int64_t acked_at[LINK_DIRECTIONS];
	/* Of replies: the end of the last small segment; whether one was sent while another had no
	 * ACK, so that the server does not use Nagle's algorithm; when bytes were last sent again.
	 */
	uint64_t small_reply;
	bool no_nagle_back;
	int64_t reply_again_at;
	bool open;                   /* it is established: we have acknowledged the peer's SYN */
	bool ended[LINK_DIRECTIONS]; /* its FIN was seen, or an RST */
	struct trace_departures departures[LINK_DIRECTIONS];
};

struct trace_flow {
	const struct ledger *ledger;
	bool stream, nagle;
	uint8_t window; /* its number in the log of windows */
	int64_t reply_timeout;
	bool seen;            /* the link has carried something of it */
	int64_t closed_at;    /* INT64_MAX while its socket is open */
	uint16_t here, there; /* UDP: its ports */
	/* Its lines, in the order in which they were sent: numbers[begin] to before numbers[end].
	 */
	uint64_t *numbers;
	size_t begin, end, capacity;
	/* TCP: the bytes of its replies; its connections, the last at [count - 1 % CONNECTIONS]. */
	uint64_t replies;
	bool unaligned; /* replies that were not the capitals have unknown places */
	/* Lines that waited behind others; whether some that did are not known. */
	struct blocked_totals blocked;
	bool blocking_unknown;
	struct trace_connection *connections;
	uint64_t count;
	/* Samples of the last connection: [0] the last one, [1] the one before. */
	struct trace_timer timers[LINK_DIRECTIONS][2];
};

/* A line that was sent again, or, of number 0, the segment. */
struct retransmission {
	uint64_t number;
	int flow;
	enum link_direction direction;
	uint8_t slot;              /* its place in the leg's waits */
	bool tail;                 /* the segment: nothing behind it was sent before */
	int64_t at, last;          /* when, and when the try before that was */
	struct trace_timer before; /* the last sample before it */
};

/* A fragmented datagram or segment of which not all fragments were seen. */
struct reassembly {
	/* The datagram's line; 0 for a segment, and when no more of them matter. */
	uint64_t number;
	/* The segment's, or NULL; its first number; the fate of a lost piece, or LINK_NONE. */
	struct trace_flow *flow;
	struct trace_connection *connection;
	uint32_t seq;
	enum link_fate lost;
	enum link_direction direction;
	uint32_t id;
	uint32_t got; /* bytes of payload seen */
	int64_t out;  /* when the last fragment seen leaves the link */
};

struct reported_packet {
	uint64_t serial, number;
	bool stream;
};

/* The lines of one transport, a ring by number, `capacity` long, a power of 2; number 0: empty. */
struct trace_ring {
	struct trace_slot *slots;
	size_t capacity;
};

struct trace {
	size_t max; /* the room of a ring at most */
	/* A line that goes over both has the same number: [0] datagrams, [1] a stream. */
	struct trace_ring rings[2];
	/* The heads of the datagrams' chains, by key; as many as rings[0] has room. */
	uint32_t *chains[LINK_DIRECTIONS];
	struct trace_flow flows[TRACE_FLOWS];
	int flow_count;
	/* The lines that are not compared yet: twice the line's number, and 1 more over a stream.
	 */
	uint64_t *pending;
	size_t pending_count, pending_capacity;
	struct reassembly reassemblies[REASSEMBLIES];
	size_t next_reassembly;
	struct retransmission retransmissions[RETRANSMISSIONS];
	int retransmission_count;
	struct window_log windows;
	struct reported_packet *reported; /* the lines of the last packets, by serial */
	/* A ring: `packet_count` were added, the last is at [(packet_count - 1) % TRACE_PACKETS].
	 */
	struct logged_packet *packets;
	uint64_t packet_count;
	unsigned char *bytes; /* a line's bytes and their capitals */
	size_t bytes_capacity;
	struct trace_totals totals;
};

struct trace_slot *trace_slot(const struct trace *t, bool stream, uint64_t number);
uint32_t *trace_chain(const struct trace *t, enum link_direction direction, uint64_t key);

/* The first line with bytes behind `place`: an index into f->numbers. */
size_t trace_first_line_at(const struct trace *t, const struct trace_flow *f,
    enum link_direction direction, uint64_t place);

/* trace-blocking.c */
/* A segment has the bytes `begin` to before `end` of the flow's count. */
void trace_blocking_take(struct trace *t, struct trace_flow *f, struct trace_connection *c,
    const struct packet_event *e, uint64_t begin, uint64_t end);
/* A packet that left the link did not arrive: what follows is not known. */
void trace_blocking_lost(struct trace_flow *f);
/* All events of packets that came before `now` have been reported. */
void trace_blocking_finish(struct trace *t, int64_t now);

/* `retransmission` lacks the sample before it. */
void trace_retransmitted(struct trace *t, const struct retransmission *retransmission);
/* Adds a mark to the flow's window. */
void trace_mark(struct trace *t, int flow, enum link_direction direction, enum window_mark mark,
    int64_t at);

/* The initial values of a new leg. */
#define TRACE_LEG \
	((struct trace_leg){ .fate = LINK_NONE, \
	    .first_in = TRACE_NEVER, \
	    .last_in = TRACE_NEVER, \
	    .first_out = TRACE_NEVER, \
	    .last_out = TRACE_NEVER })
