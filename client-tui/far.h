/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The other end of our TCP connection: in the lab the server tells its kernel's numbers over its control socket (upcased --control,
 * server/orders.h), for what is lost on the way back is repaired there and stands in no number of ours. Never blocks. A server
 * without that socket is no fault; one whose socket goes is told once. */
#ifndef UPCASE_FAR_H
#define UPCASE_FAR_H

#include "session.h"
#include "watch.h"

struct far_hooks {
	void *context;
	/* The server's numbers; the question left at `asked`, the answer came by `answered`. Borrowed for the call. */
	void (*told)(void *context, const struct session_tcp *tcp, int64_t asked, int64_t answered);
	/* The server does not tell any more. Told once. */
	void (*gone)(void *context);
};

/* Opaque. */
struct far;

/* Of the server whose control socket is at `path`. The hooks are copied. NULL when memory is short. */
struct far *far_open(const char *path, const struct far_hooks *hooks);
void far_close(struct far *f);

/* Asks about the client `here` ("10.9.0.1:40000", "" for none), when nothing is being asked already and the last question is as old
 * as `every`, ns. What was told of another client is forgotten. */
void far_ask(struct far *f, const char *here, int64_t every, int64_t now);
/* When far_ask() may ask again. CLOCK_NEVER while an answer is awaited, or when there is nobody to ask. */
int64_t far_next(const struct far *f, int64_t every);
/* What it said last of the client asked about, or NULL. */
const struct session_tcp *far_told(const struct far *f);

void far_watch(const struct far *f, struct watch *w);
void far_turn(struct far *f, const struct watch *w);

/* The numbers of a line "connection ADDRESS:PORT name value ...". Returns 0, or -1 if it is none. */
int far_read(struct session_tcp *tcp, const char *line);

#endif
