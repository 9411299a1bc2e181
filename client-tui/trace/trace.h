/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The trace: what the lab's link did with the packets of each line, beside what the client saw of
 * it. It finds the line of each packet, a datagram's by its bytes and a segment's by its place in
 * the stream. When a line's fate is decided in the ledger and on the link, the trace compares the
 * two: a contradiction is a mismatch, which must not happen. Pure: no clock, no socket; times are
 * ns of the monotonic clock, which the link's events have too. */
#pragma once

#include "common/event-line.h"
#include "ledger/figures.h"
#include "ledger/ledger.h"
#include "trace/window.h"

/* Times between tries that are kept of a line each way: the first ones, and the last one. */
#define TRACE_WAITS 8
#define TRACE_FLOWS 256     /* flows at most: as many as a screen has sessions */
#define TRACE_PACKETS 16384 /* packets kept, for pictures of the exchange; the oldest go first */

#define TRACE_NEVER INT64_MIN

/* A line in one direction: its request going, its reply coming. */
struct trace_leg {
	/* Datagrams, or segments with a byte of the line; those with a byte sent before. */
	uint16_t tries, retransmitted;
	/* Datagrams, or segments with the last byte, let through; second copies count. */
	uint16_t through;
	/* How many of them were lost, and what became of the last of those; LINK_NONE: none was. */
	uint16_t lost;
	uint8_t fate;
	/* The link made a second copy; held one back; did anything on request. */
	bool duplicated, held, requested;
	/* Between two tries, us; the sender's timeout, us, if it ran out then, else 0. */
	uint8_t waits;
	/* Bit i: the sender's kernel says that no retransmission timeout ran out before try i + 1.
	 */
	uint8_t no_timeout;
	uint32_t wait[TRACE_WAITS], timeout[TRACE_WAITS];
	/* When the first and the last try came to the link, and when the first and the last packet
	 * that was let through leave it; TRACE_NEVER before. */
	int64_t first_in, last_in, first_out, last_out;
	/* Over TCP: the line with the byte that the receiver still missed when all bytes of this
	 * line had left the link, the one that left last; 0 for none. How much later it left, ns.
	 */
	uint64_t behind;
	int64_t behind_for;
	/* Over TCP: how long the line's last bytes stayed with their sender until all bytes before
	 * them were acknowledged (Nagle's algorithm, RFC 896), ns; 0: they did not. */
	int64_t ack_wait;
};

struct trace_line {
	uint64_t number;
	bool stream;
	struct trace_leg legs[LINK_DIRECTIONS];
};

/* A sample of the kernel of one end, and when it was requested and received. */
struct trace_timer {
	struct tcp_sample tcp;
	int64_t requested, received;
};

/* A packet that the link saw. */
struct link_packet {
	enum link_direction direction;
	enum link_fate fate;
	bool retransmitted; /* a segment with a byte that was sent before */
	bool requested;     /* what the link did was requested for this packet */
	/* It has payload; a packet without is an acknowledgement, a SYN, a FIN or an RST. */
	bool payload;
	bool syn, fin, rst, ack; /* TCP flags */
	/* When it came to the link, left it, and its second copy did, ns; or TRACE_NEVER. */
	int64_t in, out, out2;
	/* TCP: the place of its first byte in the stream, from 0 on, and its bytes. */
	uint32_t seq, length;
};

/* A packet with the line that it belongs to; its times are of the monotonic clock. */
struct logged_packet {
	/* The lines of whose text or reply it carries a byte: several for a segment; for a packet
	 * without payload, the line that was sent last before it. `first` is 0 when there is none.
	 */
	uint64_t first, last;
	bool stream;
	struct link_packet of;
	/* For a packet that opens or closes a TCP connection (SYN, FIN, RST, their
	 * acknowledgements): our port, else 0; whether it closes it. */
	uint16_t port;
	bool closing;
};

/* Where a datagram's way ended, as far as the link knows. */
enum trace_place {
	TRACE_UNKNOWN,      /* the link has not seen it */
	TRACE_GOING,        /* lost on the way there: legs[LINK_GOING].fate says how */
	TRACE_STILL_GOING,  /* it has not left the link yet */
	TRACE_SERVER,       /* it got there, and no reply was sent */
	TRACE_COMING,       /* the reply was lost on the way back: legs[LINK_COMING].fate */
	TRACE_STILL_COMING, /* the reply has not left the link yet */
	TRACE_HERE,         /* a reply was let through */
};

/* How the ledger's fate can contradict the link. */
enum trace_mismatch {
	TRACE_NO_REPLY,  /* answered or late though no reply was let through */
	TRACE_TOO_EARLY, /* answered before the link let the reply go */
	TRACE_LOST,      /* lost though a reply was let through */
	TRACE_LATE,      /* late though the reply was let through long before the wait ended */
	TRACE_COPIES,    /* more or fewer replies than were let through */
	TRACE_ORDER,     /* reordered though it was not overtaken, or the other way round */
	TRACE_REFUSED,   /* refused by a host that it never reached */
	TRACE_MISMATCHES
};

struct trace_totals {
	/* Lines that were compared; that could not be, because their text is not unique or the
	 * socket was closed too soon; that are still to be compared. */
	uint64_t compared, skipped, waiting;
	uint64_t mismatches;
	uint64_t first; /* the first line with a mismatch, 0 for none */
	enum trace_mismatch first_kind;
	/* Where the compared lines that are lost over UDP were lost: on the link; `server`: no
	 * reply was sent; `late`: it came after the timeout; `before`: the link never saw them. */
	uint64_t lost[LINK_DIRECTIONS], server, late, before;
	/* Our TCP segments with or without payload: all, dropped, retransmitted. */
	uint64_t segments[LINK_DIRECTIONS], dropped[LINK_DIRECTIONS],
	    retransmitted[LINK_DIRECTIONS];
	uint64_t requested_drops; /* our datagrams and segments that were dropped on cue */
	uint64_t datagrams[LINK_DIRECTIONS];
};

struct trace;

/* Keeps the last `lines` lines. NULL when memory is short. */
struct trace *trace_new(size_t lines);
void trace_free(struct trace *t);

/* Adds a session's flow. Line numbers are unique over all flows of a transport: a line that goes
 * over both at once has the same in both. Returns its number, or -1 after TRACE_FLOWS. */
int trace_flow(struct trace *t, bool stream, int64_t reply_timeout);
bool trace_is_stream(const struct trace *t, int flow);
/* The ledger of its lines, before the first is sent. It must outlive the last trace_check(). With
 * `nagle` its sockets hold small segments back for an ACK: TCP_NODELAY is off. */
void trace_set_ledger(struct trace *t, int flow, const struct ledger *ledger, bool nagle);
/* Its socket was opened: see session_hooks.opened. */
void trace_opened(struct trace *t, int flow, uint16_t here, uint16_t there, uint64_t from);
/* A line was handed to the kernel, before any event of it: see session_hooks.sent. */
void trace_sent(struct trace *t, int flow, uint64_t number, uint64_t from, uint64_t to);
/* Its socket was closed: the client does not see packets that come later. */
void trace_closed(struct trace *t, int flow, int64_t now);

/* Returns the flow of a TCP segment, else -1. */
int trace_event(struct trace *t, const struct packet_event *event);
/* A packet that the link let through did not reach its host after all. */
void trace_undelivered(struct trace *t, uint64_t serial, enum link_direction direction);

/* A sample of the sender's kernel: this end's for LINK_GOING, the server's for LINK_COMING. */
void trace_timer(struct trace *t, int flow, enum link_direction direction,
    const struct trace_timer *timer);
/* Whether a segment was retransmitted since the last sample. */
bool trace_wants_timer(const struct trace *t, int flow, enum link_direction direction);

/* Compares the lines whose fate is decided and that can get no more packets. All events of packets
 * that came to the link before `until` have been reported. */
void trace_check(struct trace *t, int64_t until);
/* Whether some lines are not compared yet. */
bool trace_is_pending(const struct trace *t);

/* What the link did with a line, or NULL if nothing is known. Valid until the next event or line.
 */
const struct trace_line *trace_find(const struct trace *t, bool stream, uint64_t number);
/* Writes the packets of a line in their order, at most the first `max`. Returns how many. */
size_t trace_packets(const struct trace *t, bool stream, uint64_t number, struct logged_packet *out,
    size_t max);
/* The same for packets since `since` that opened or closed the TCP connection from our `port`. */
size_t trace_handshake(const struct trace *t, uint16_t port, bool closing, int64_t since,
    struct logged_packet *out, size_t max);
/* The line behind which a line of a stream waits at `now` in that direction: its bytes have left
 * the link, but earlier ones have not; 0 for none. */
uint64_t trace_waits_behind(const struct trace *t, uint64_t number, enum link_direction direction,
    int64_t now);
/* Adds the lines of a flow that waited behind others. Returns false if some are not known. */
bool trace_blocked(const struct trace *t, int flow, struct blocked_totals *totals);
enum trace_place trace_place(const struct trace_line *line, int64_t now);
const struct trace_totals *trace_totals(const struct trace *t);
/* The windows of the flows of TCP, and the link's queue; `t` may be NULL, as then is the result. */
const struct window_log *trace_windows(const struct trace *t);
/* Adds a line of a recording, which has no link. Returns 0, or -1 when memory is short. */
int trace_restore(struct trace *t, const struct trace_line *line);
void trace_add_packet(struct trace *t, const struct logged_packet *packet);
void trace_add_window(struct trace *t, const struct window_sample *sample);
/* Sets the results of comparing in a recording. */
void trace_restore_totals(struct trace *t, uint64_t compared, uint64_t mismatches);
/* "answered though no reply was let through". Static. */
const char *trace_mismatch_text(enum trace_mismatch kind);
