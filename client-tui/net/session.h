/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session: one transport to one peer, with one ledger. It resolves the name, connects, sends
 * lines, matches replies and retries; it never blocks and never draws. A front end owns it and adds
 * it to its loop. */
#pragma once

#include "common/fd-watch.h"
#include "ledger/figures.h"
#include "ledger/ledger.h"
#include "ledger/session-event.h"

/* The values of `stream`, in settings and elsewhere. */
enum { SESSION_UDP, SESSION_TCP };

#define SESSION_RETRY_FOR_EVER (-1)
#define SESSION_HOST_MAX 256
#define SESSION_CONGESTION 16 /* room for a congestion control's name */

struct session;

struct session_settings {
	bool stream; /* over TCP, not UDP */
	char host[SESSION_HOST_MAX], port[8];
	int family; /* AF_UNSPEC, AF_INET or AF_INET6 */
	enum ledger_tag tag;
	size_t rows;
	int64_t reply_timeout;
	int window;              /* UDP: lines in flight at most (1 or more) */
	int retries;             /* how often a connection that failed is tried again */
	int64_t connect_timeout; /* how long one attempt to connect may take, ns */
	bool nagle;              /* TCP: TCP_NODELAY is off */
	bool split;              /* TCP: each line is written in two pieces */
	/* TCP's congestion control, tcp_congestion_check(); "": the system's choice. */
	char congestion[SESSION_CONGESTION];
	/* TCP: all lines flow freely from the first on, and the kernel keeps few bytes unsent. */
	bool bulk;
	/* One of several connections over which lines go: its number from 1 on, and from the second
	 * on the first, which has the ledger and the figures of all; the last opened is closed
	 * first. Else 0 and NULL. */
	unsigned connection;
	struct session *first;
};

/* A reply, or a piece of one. Borrowed for the call. */
struct session_reply {
	struct ledger_reply_match matched;
	const unsigned char *text; /* without tag and end of line */
	size_t length;
	bool more; /* a piece of a long reply (stream): `matched` comes with the last one */
};

/* Each may be NULL, but `notice`. */
struct session_hooks {
	void *context;
	void (*reply)(void *context, const struct session_reply *reply);
	/* A line's fate changed for another reason than a reply or the hand-over to the kernel
	 * (`sent` reports that). 0: all waiting lines were cut off at once. */
	void (*row)(void *context, uint64_t number);
	/* A decided line's row is about to be evicted from the ledger. */
	void (*evicted)(void *context, const struct ledger_row *row);
	/* A notice: one line, our own words. `bad`: something is wrong. */
	void (*notice)(void *context, bool bad, const char *text);
	/* A TCP connection reaches another stage, or sends its SYN again. */
	void (*connection)(void *context, const struct session_connection *c);
	/* A socket was opened, from our port `here` to the peer's port `there`; it carries the
	 * session's stream from byte `from` on (0 for datagrams). */
	void (*opened)(void *context, uint16_t here, uint16_t there, uint64_t from);
	/* A line, or its first byte, was handed to the kernel. Its bytes with tag and end of line
	 * are those from `from` to before `to` of the session's stream. `to` is UINT64_MAX while
	 * unknown; the line is reported again then. For a datagram they are 0 and its length. */
	void (*sent)(void *context, uint64_t number, uint64_t from, uint64_t to);
};

struct transport;

extern const struct transport transport_udp, transport_tcp;

/* Opens a session at once (a child process resolves a name). Copies settings and hooks.
 * Returns NULL when memory is short. session_close() ends and frees all, the ledger too. */
struct session *session_open(const struct transport *transport,
    const struct session_settings *settings, const struct session_hooks *hooks, int64_t now);
void session_close(struct session *s);

/* How session_send() gets a line: whole (SESSION_LINE), or over TCP in pieces. The first piece
 * begins its row, the last one ends it; SESSION_BARE, at the end of all input, leaves out the end
 * of line. */
enum session_piece {
	SESSION_FIRST = 1,
	SESSION_LAST = 2,
	SESSION_BARE = 4,
	SESSION_LINE = SESSION_FIRST | SESSION_LAST,
	/* Over TCP: more follows at once. The kernel gets the bytes with what follows, at
	   session_push() at the latest. */
	SESSION_MORE = 8,
	/* One of many lines on a schedule, with unique text: the window does not apply to it. It
	   fails (EXFULL) instead of being queued when the queue is full. */
	SESSION_GENERATED = 16
};

/* Sends a line of any length, without its end, that was typed or read at `typed`. The ledger has
 * its fate. UDP takes whole lines only. Returns 0, or -1 when memory is short. */
int session_send(struct session *s, uint64_t number, const void *text, size_t n, int pieces,
    int64_t typed, int64_t now);
/* Hands what was sent with SESSION_MORE to the kernel. */
void session_push(struct session *s, int64_t now);
/* Whether there is room for another line (plain input waits for it; typing does not). */
bool session_has_room(const struct session *s);
/* No more lines will come: TCP half-closes when all is sent. */
void session_finish(struct session *s, int64_t now);
/* Whether every line has its fate: nothing is queued, nothing waits. */
bool session_is_idle(const struct session *s);
/* Whether it has given up: no retries are left, queued lines have failed. */
bool session_dead(const struct session *s);

/* Whether the first address is being resolved or connected to: nothing has failed yet. */
bool session_opening(const struct session *s);

/* Until when a TCP connection's first line goes alone and the later lines are held back: ns of the
 * monotonic clock, 0 when none are. It changes when the reply comes. */
int64_t session_single_until(const struct session *s);

/* Parts of the loop: adds what to wait for; then handles what is ready, and timers. */
void session_watch(const struct session *s, struct fd_watch *w);
void session_dispatch(struct session *s, const struct fd_watch *w, int64_t now);

const struct ledger *session_ledger(const struct session *s);
bool session_is_stream(const struct session *s);
/* "127.0.0.1:12000", or "host:port" before that is known. session_dispatch() may change it, in
 * place. */
const char *session_peer(const struct session *s);
/* The state of the connection, "refused, again in 2 s"; NULL: ready. Valid until the next call. */
const char *session_state(struct session *s, int64_t now);
int64_t session_reply_timeout(const struct session *s);
/* The kernel's state of the TCP connection in use. Returns 0, or -1 when there is none. */
int session_tcp_sample(const struct session *s, struct tcp_sample *out);
/* Its congestion control, "" where that is not known. Returns `name`. */
char *session_congestion(const struct session *s, char name[SESSION_CONGESTION]);
/* All figures so far, also of a session that has ended; what they borrow is valid until the next
 * session_dispatch(). `schedule` and the server's figures are zero: the caller adds them. */
void session_figures(const struct session *s, int64_t now, struct figures *out);
/* Ends all waiting: datagrams whose reply timeout is not over stay waiting, stream lines are cut
 * off, queued lines fail. Closes the socket; the ledger stays. */
void session_give_up(struct session *s, int64_t now);
