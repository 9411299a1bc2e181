/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session: one transport to one peer, with one ledger. It looks the name up, connects, sends
 * lines, matches replies, retries; it never blocks and never draws. A front end owns it and adds it
 * to its loop. */
#ifndef UPCASE_NET_SESSION_H
#define UPCASE_NET_SESSION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "ledger/figures.h"
#include "ledger/ledger.h"
#include "ledger/session-event.h"
#include "common/fd-watch.h"

enum session_transport { SESSION_UDP, SESSION_TCP };
enum session_family { SESSION_ANY_FAMILY, SESSION_IPV4, SESSION_IPV6 };

/* Tries for ever. */
#define SESSION_RETRY_FOR_EVER (-1)

struct session_settings {
	enum session_transport transport;
	const char *host;
	const char *port;
	enum session_family family;
	/* For the ledger. */
	enum ledger_tag tag;
	size_t rows;
	int64_t reply_timeout;
	/* UDP: lines in flight at most (1 or more). */
	int window;
	/* How often a connection that failed is tried again. */
	int retries;
	/* How long one attempt to connect may take, ns. */
	int64_t connect_timeout;
};

/* A reply, or a piece of one. Borrowed for the call. */
struct session_reply {
	struct ledger_reply_match matched;
	/* Its text, without tag and end of line. */
	const unsigned char *text;
	size_t length;
	/* A piece of a long reply line (stream), more follows: the verdict comes with the last
	 * piece. */
	bool more;
};

struct session_hooks {
	void *context;
	void (*reply)(void *context, const struct session_reply *reply);
	/* A line changed its fate other than by a reply; 0: all lines that waited did, at once
	 * (they were cut off). */
	void (*row)(void *context, uint64_t number);
	/* Something to tell: one line, our own words. `bad`: something is wrong. */
	void (*notice)(void *context, bool bad, const char *text);
	/* A TCP connection comes to another stage, or sends its SYN again. May be NULL. */
	void (*connection)(void *context, const struct session_connection *c);
	/* For who watches the wire; both may be NULL. A socket was opened, from our port `here` to
	 * the peer's port `there`; over it goes what the session sends from byte `from` of its
	 * stream on (0 for datagrams). */
	void (*opened)(void *context, uint16_t here, uint16_t there, uint64_t from);
	/* A line was handed to the kernel, or its first byte was: its bytes with tag and end of
	 * line are those from `from` to before `to` of the session's stream; UINT64_MAX: not known
	 * yet, it will be reported again. Of a datagram 0 and its length. */
	void (*sent)(void *context, uint64_t number, uint64_t from, uint64_t to);
};

struct session;

/* Starts at once (a name is looked up by a child process). Settings and hooks are copied, the
 * strings too. NULL when memory is short. session_close() ends everything at once and frees; the
 * ledger goes with it. */
struct session *session_open(const struct session_settings *settings,
    const struct session_hooks *hooks, int64_t now);
void session_close(struct session *s);

/* What session_send() is given: a whole line is SESSION_LINE. Over TCP a line may come in pieces:
 * the first piece begins its row, the last one ends it; SESSION_BARE, at the end of all input,
 * leaves out the end of line. */
enum session_piece {
	SESSION_FIRST = 1,
	SESSION_LAST = 2,
	SESSION_BARE = 4,
	SESSION_LINE = SESSION_FIRST | SESSION_LAST,
	/* Over TCP: more follows at once, it need not be handed to the kernel by itself;
	   session_push() ends that. */
	SESSION_MORE = 8,
	/* One of many lines on a schedule, whose text is like no other's: the window does not hold
	 * it back. When so many are queued that memory is in danger it fails (EXFULL) instead of
	 * waiting with them. */
	SESSION_GENERATED = 16
};

/* A line, without its end, whatever its length, that was typed or read at `typed`; its fate says
 * what comes of it. UDP takes whole lines only. Returns 0, or -1 when memory is short. */
int session_send(struct session *s, uint64_t number, const void *text, size_t n, int pieces,
    int64_t typed, int64_t now);
/* Hands over what was sent with SESSION_MORE. */
void session_push(struct session *s, int64_t now);
/* There is room for another line (plain input waits for it; typing does not). */
bool session_has_room(const struct session *s);
/* No more lines will come: TCP half-closes when all is sent. */
void session_finish(struct session *s, int64_t now);
/* Every line has its fate: nothing queued, nothing waiting. */
bool session_settled(const struct session *s);
/* It has given up: no retries left. Queued lines have failed. */
bool session_dead(const struct session *s);

/* The first address is being looked up or connected to: nothing can be sent yet, and nothing has
 * failed. */
bool session_opening(const struct session *s);

/* Over TCP the first line of a connection goes alone: until when lines behind it are held back, ns
 * of the monotonic clock, 0 when none are. It changes when the reply comes. */
int64_t session_alone_until(const struct session *s);

/* The loop: what to wait for; then what is ready, and timers. */
void session_watch(const struct session *s, struct fd_watch *w);
void session_dispatch(struct session *s, const struct fd_watch *w, int64_t now);

const struct ledger *session_ledger(const struct session *s);
enum session_transport session_transport(const struct session *s);
/* "127.0.0.1:12000", or "host:port" before the address is known. Valid until the next turn. */
const char *session_peer(const struct session *s);
/* How the connection does, NULL when there is nothing to say: "connecting", "refused, again in 2
 * s". Valid until the next call. */
const char *session_state(struct session *s, int64_t now);
int64_t session_reply_timeout(const struct session *s);
/* The state of the connection in use. Returns 0, or -1 when there is none (also for UDP). */
int session_tcp_sample(const struct session *s, struct tcp_sample *out);
/* All its figures so far, also when it has ended; what it borrows is valid until the next turn.
 * `schedule` and what the far end knows are left zero, for who has them. */
void session_figures(const struct session *s, int64_t now, struct figures *out);
/* No more waiting: datagrams whose wait is not over stay waiting, stream lines are cut off, queued
 * ones as failed; the socket is closed, the ledger stays. */
void session_give_up(struct session *s, int64_t now);

#endif
