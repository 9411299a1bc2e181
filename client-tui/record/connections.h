/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The TCP connections of a session as events: how each was opened, or why it failed, and how it
 * ended. In the lab the link reports the fates of SYN, SYN-ACK, FIN and RST; outside, the kernel
 * reports how often it sent the SYN. The first connection has a row, and so has each that needed
 * more than one SYN or failed. The others are recorded only: a server that closes after each reply
 * would fill the screen. Pure. */
#pragma once

#include "record/record.h"
#include "trace/trace.h"

/* The maximum number of connections that are not final; the oldest are dropped first. */
#define CONNECTIONS_MAX 32

struct connection_note {
	struct session_connection of;
	bool first;          /* no connection was open before it */
	int previous_error;  /* the error of the previous attempt, 0 for none */
	uint64_t row;        /* its row in the transcript, set by the front end; 0: none */
	uint64_t shown_hash; /* the hash of its row's text */
};

/* All zero at first. */
struct connections {
	struct connection_note notes[CONNECTIONS_MAX];
	size_t count;
	bool was_open; /* a connection was open */
	int failed;    /* the error of the last attempt, 0 for none */
};

/* The callback for an event, which may change until it is `final`; then it is recorded. */
typedef void connections_report(void *context, const struct session_event *event,
    struct connection_note *note, bool final);

/* The session's hook `connection`. */
void connections_take(struct connections *c, const struct session_connection *connection);
/* Reports the news. `trace` is NULL outside the lab; it has all events up to `complete_until`
 * (INT64_MAX: no more come). Returns the time up to which events are needed, INT64_MIN for none. */
int64_t connections_dispatch(struct connections *c, int session, const struct trace *trace,
    int64_t complete_until, int64_t now, connections_report *report, void *context);
/* The time when the next row is due, ns of the monotonic clock; INT64_MAX for none. */
int64_t connections_due(const struct connections *c);
