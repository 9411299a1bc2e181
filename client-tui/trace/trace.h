/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The witness: what the lab's link did with the packets of each line, beside what the client saw of it. It finds out to
 * which line a packet belongs, a datagram by its bytes and a segment by its place in the stream, and when the ledger's verdict
 * and the link's truth are both in, it compares them: a contradiction is a mismatch, and there must be none. Pure: no
 * clock, no socket; times are ns of the monotonic clock, which the link's events have too. */
#ifndef UPCASE_WITNESS_H
#define UPCASE_WITNESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "trace/link-event.h"
#include "ledger/ledger.h"
#include "trace/packet-log.h"

/* Times between two tries kept for a line and a way: the first ones, and in the last place the last one. */
#define WITNESS_WAITS 8
/* Flows at most: as many as a screen has sessions. */
#define WITNESS_FLOWS 256

/* One way of one line: there its request, back its reply. */
struct witness_leg {
	/* Datagrams, or segments with a byte of the line; and segments with a byte that was sent before. */
	uint16_t tries, again;
	/* Datagrams, or segments with the line's last byte, that were let through; second copies count. */
	uint16_t through;
	/* How many of them were lost, and what became of the last of those; EVENT_NONE: none was. */
	uint16_t lost;
	uint8_t fate;
	/* The link made a second copy; it kept one of them back; one of those lost was dropped on cue. */
	bool doubled, held, cue;
	/* Between one try and the next, in microseconds; and the sender's retransmission timeout if it is known that this ran out
	 * then, else 0. */
	uint8_t waits;
	uint32_t wait[WITNESS_WAITS], timeout[WITNESS_WAITS];
	/* When it came to the link first and last. */
	int64_t first_in, last_in;
	/* When the first and the last of what was let through leave the link; INT64_MAX and INT64_MIN before. */
	int64_t first_out, last_out;
};

struct witness_line {
	uint64_t number;
	bool stream;
	struct witness_leg legs[EVENT_WAYS];
};

/* What the kernel of one end said of its retransmission timer. */
struct witness_timer {
	/* When it was asked, and by when it had answered. */
	int64_t asked, answered;
	/* The timeout, ns, and how often it has doubled. */
	int64_t timeout;
	unsigned doubled;
	/* How often it ran out since the connection stands; -1: not told. */
	int ran_out;
};

/* Where a datagram's way ended, as far as the link knows. */
enum witness_place {
	WITNESS_UNKNOWN,      /* the link has not seen it */
	WITNESS_GOING,        /* lost on the way there: legs[EVENT_THERE].fate says how */
	WITNESS_STILL_GOING,  /* it has not left the link yet */
	WITNESS_SERVER,       /* it got there, and no reply was sent */
	WITNESS_COMING,       /* the reply was lost on the way back: legs[EVENT_BACK].fate */
	WITNESS_STILL_COMING, /* the reply has not left the link yet */
	WITNESS_HERE,         /* a reply was let through */
};

/* What cannot be true of both. */
enum witness_mismatch {
	WITNESS_NO_REPLY,   /* answered or late though no reply was let through */
	WITNESS_TOO_EARLY,  /* answered before the link let the reply go */
	WITNESS_LOST,       /* lost though a reply was let through */
	WITNESS_LATE,       /* late though the reply was let through long before the wait was over */
	WITNESS_COPIES,     /* more or fewer replies than were let through */
	WITNESS_ORDER,      /* reordered though it was not overtaken, or the other way round */
	WITNESS_REFUSED,    /* refused by a host that it never reached */
	WITNESS_MISMATCHES
};

struct witness_totals {
	/* Lines whose verdict was compared; that could not be, since the text or the reply does not tell them from others, or the
	 * socket was closed too soon. */
	uint64_t judged, passed_over;
	/* Those that are still to be compared. */
	uint64_t waiting;
	uint64_t mismatches, kinds[WITNESS_MISMATCHES];
	/* The first line with a mismatch, 0 for none, and its kind. */
	uint64_t first;
	enum witness_mismatch first_kind;
	/* Of the lines judged that are lost, over UDP: where. `server`: no reply was sent. `late`: it came after the wait. `before`: the link
	 * has not seen it. */
	uint64_t lost[EVENT_WAYS], server, late, before;
	/* Of these, by what became of the datagram. */
	uint64_t fates[EVENT_WAYS][EVENT_FATES];
	/* TCP segments of ours with or without payload: all, dropped, sent again. */
	uint64_t segments[EVENT_WAYS], dropped[EVENT_WAYS], again[EVENT_WAYS];
	/* Datagrams and segments of ours that were dropped on cue. */
	uint64_t cues;
	/* Datagrams of ours, and those that belong to no line (a server that answers with something else). */
	uint64_t datagrams[EVENT_WAYS], strange[EVENT_WAYS];
};

struct witness;

/* Keeps the truth of the last `lines` lines. NULL when memory is short. */
struct witness *witness_new(size_t lines);
void witness_free(struct witness *w);

/* A session. Line numbers are unique over all flows of a transport: a line that goes over both at once has the same in both. Returns the flow's number, or -1 when there are WITNESS_FLOWS. */
int witness_flow(struct witness *w, bool stream, int64_t wait);
bool witness_is_stream(const struct witness *w, int flow);
/* Where its lines stand; before the first line is sent. The ledger must outlive the last judgement. */
void witness_set_ledger(struct witness *w, int flow, const struct ledger *ledger);
/* Its socket was opened: see session_hooks.opened. */
void witness_opened(struct witness *w, int flow, uint16_t here, uint16_t there, uint64_t from);
/* A line was handed to the kernel: see session_hooks.sent. Call it before the events of its packets. */
void witness_sent(struct witness *w, int flow, uint64_t number, uint64_t from, uint64_t to);
/* Its socket was closed: what comes later is not seen. */
void witness_closed(struct witness *w, int flow, int64_t now);

void witness_event(struct witness *w, const struct event *event);
/* A packet that was let through did not reach its host after all. */
void witness_undelivered(struct witness *w, uint64_t serial, enum event_way way);

/* What the sender's kernel says: this end's for EVENT_THERE, the server's for EVENT_BACK. Best told some times in every timeout. */
void witness_timer(struct witness *w, int flow, enum event_way way, const struct witness_timer *timer);
/* Something was sent again, and the kernel has not been asked since why. */
bool witness_asks(const struct witness *w, int flow, enum event_way way);

/* All events of packets that came to the link before `until` have been told: compares the lines whose fate is decided and of which
 * nothing can come any more. */
void witness_judge(struct witness *w, int64_t until);
/* Some lines are not compared yet. */
bool witness_waits(const struct witness *w);

/* The truth of a line, or NULL if nothing is known of it. Valid until the next event or line. */
const struct witness_line *witness_find(const struct witness *w, bool stream, uint64_t number);
/* The packets of a line, as packets_find(). */
size_t witness_packets(const struct witness *w, bool stream, uint64_t number, struct packet *out, size_t most);
/* The packets that opened, or closed, the TCP connection from our port `port`, as packets_find_handshake(). */
size_t witness_handshake(const struct witness *w, uint16_t port, bool closing, int64_t since, struct packet *out, size_t most);
enum witness_place witness_place(const struct witness_line *line, int64_t now);
const struct witness_totals *witness_totals(const struct witness *w);
/* Without a link: what was recorded of a line, and of the judgements. Returns 0, or -1 when memory is short. */
int witness_put(struct witness *w, const struct witness_line *line);
/* And a packet of it. */
void witness_put_packet(struct witness *w, const struct packet *packet);
void witness_put_totals(struct witness *w, uint64_t judged, uint64_t mismatches);
/* "answered though no reply was let through". Static. */
const char *witness_mismatch_text(enum witness_mismatch kind);

#endif
