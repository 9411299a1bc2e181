/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The inside of a session, for session.c and its transports (udp.c, tcp.c, record/replay.c) only.
 */
#pragma once

#include "common/addr.h"
#include "net/resolve.h"
#include "net/session.h"

/* SO_RCVBUF for replies, bytes; the kernel gives no more than net.core.rmem_max. */
#define SESSION_RECEIVE_BUFFER (4 * 1024 * 1024)

enum session_phase {
	PHASE_LOOKUP,  /* the name is being looked up */
	PHASE_CONNECT, /* TCP: connect() is under way */
	PHASE_READY,   /* lines can be sent */
	PHASE_IDLE,    /* TCP: no connection; the next line makes one */
	PHASE_PAUSE,   /* it failed; tried again at `retry_at` */
	PHASE_DEAD,    /* given up or closed */
	PHASE_REPLAY,  /* a recording, whose times are not the clock's */
};

/* What UDP and TCP do differently. A recording has figures only. */
struct transport {
	/* The size of the zeroed memory at s->data; 0: the session does not own it. */
	size_t data_size;
	/* Makes a socket to the address chosen: PHASE_READY or PHASE_CONNECT, or an error. */
	int (*open)(struct session *s, int64_t now);
	/* Sends queued lines that may be sent now. */
	void (*push)(struct session *s, int64_t now);
	int (*send)(struct session *s, uint64_t number, const void *text, size_t n, int pieces,
	    int64_t typed);
	bool (*has_room)(const struct session *s);
	void (*watch)(const struct session *s, struct fd_watch *w);
	void (*dispatch)(struct session *s, const struct fd_watch *w, int64_t now);
	/* Closes the socket and drops the connection's state. */
	void (*close)(struct session *s, int64_t now);
	void (*free)(struct session *s); /* frees what the data points to; may be NULL */
	/* session_single_until() of an established connection; may be NULL. */
	int64_t (*single_until)(const struct session *s);
	/* Adds its figures to session_figures(). */
	void (*figures)(const struct session *s, int64_t now, struct figures *out);
};

struct session {
	struct session_settings settings;
	struct session_hooks hooks;
	const struct transport *transport;
	struct ledger *ledger;
	struct session *next; /* the session's next connection, or NULL */

	enum session_phase phase;
	/* The look-up under way, or NULL; and the addresses that it found. */
	struct resolve *resolve;
	struct addr addresses[RESOLVE_MAX];
	size_t address_count;
	size_t address; /* the address in use */
	char peer[300]; /* "host:port" as given, then the address in use */
	char state[160];

	int fd;
	/* Attempts that failed since the last success; the last one's error (error-text.h). */
	int failures;
	int error;
	int64_t retry_at;
	int64_t connect_by; /* when the attempt to connect is given up */
	bool finished;      /* no more lines will come */
	bool answered;      /* a reply came from the address in use */
	/* UDP: the window does not apply, because generated lines are on their way. */
	bool unlimited;

	void *data; /* the transport's own data (struct udp, struct tcp) */
};

void session_notice(struct session *s, bool bad, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void session_reply(struct session *s, const struct session_reply *reply);
/* A row's fate changed for another reason than a reply. */
void session_row(struct session *s, uint64_t number);
/* The hooks of a trace. */
void session_opened(struct session *s, const struct addr *here, uint64_t from);
void session_sent(struct session *s, uint64_t number, uint64_t from, uint64_t to);
/* The address in use failed and its socket is closed: tries the next one, or pauses, or gives up.
 */
void session_failed(struct session *s, int error, int64_t now);
/* The connection is established: lines queued from now on do not wait for it. */
void session_connected(struct session *s, int64_t now);
/* Whether there is another address after the one in use. */
bool session_has_next_address(const struct session *s);
/* Opens the next address, or a later one, or pauses. */
void session_next_address(struct session *s, int64_t now);
/* Opens the address in use, or the next ones, or pauses (also TCP's next connection). */
void session_reopen(struct session *s, int64_t now);
