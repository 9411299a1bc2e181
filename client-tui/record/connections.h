/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session's TCP connections as events: how each came to stand, or why it did not, and how it
 * ended. In the lab the link tells what became of SYN, SYN-ACK, FIN and RST; outside, the kernel
 * how often it sent the SYN. The first connection has a row, and every one that needed more than
 * one SYN or failed; the others are recorded only, for a server that closes after each reply would
 * fill the screen with them. Pure. */
#ifndef UPCASE_RECORD_CONNECTIONS_H
#define UPCASE_RECORD_CONNECTIONS_H

#include "record/record.h"
#include "trace/lab.h"

/* Told at once; of more, the oldest is reported as far as it is known. */
#define CONNECTIONS_MAX 32
#define CONNECTIONS_NO_ROW UINT64_MAX

struct connection_note {
	struct session_connection of;
	/* No connection stood before it. */
	bool first;
	/* Why the attempt before it failed, 0 for it did not. */
	int previous_error;
	/* The front end's: its row in the transcript. */
	uint64_t row;
	/* What its row says: a hash. */
	uint64_t shown_hash;
};

/* All zero at first. */
struct connections {
	struct connection_note notes[CONNECTIONS_MAX];
	size_t count;
	bool stood;
	int failed;
};

/* Tells an event, with times of the monotonic clock: that may change still, or is final and is to
 * be recorded. */
typedef void connections_report(void *context, const struct session_event *event,
    struct connection_note *note, bool final);

/* Takes what session_hooks.connection says. */
void connections_take(struct connections *c, const struct session_connection *connection);
/* Tells what is new. `trace` is NULL outside the lab; else all events up to `known` have been
 * reported to it (INT64_MAX: no more come). Returns up to when they are wanted, INT64_MIN for
 * nothing. */
int64_t connections_dispatch(struct connections *c, int session, const struct trace *trace,
    int64_t known, int64_t now, connections_report *report, void *context);
/* The same with what the lab's link tells; `lab` may be NULL. `all`: no more comes. */
void connections_dispatch_lab(struct connections *c, struct lab *lab, int session, bool all,
    int64_t now, connections_report *report, void *context);
/* When the next row is due, ns of the monotonic clock; INT64_MAX for none. */
int64_t connections_due(const struct connections *c);

#endif
