/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the server at the far end of the lab's link says of its own side of our TCP connections, over its control socket (upcased
 * --control): a reply that is lost is repaired by the server's kernel, and ours never knows. */
#ifndef UPCASE_FAR_H
#define UPCASE_FAR_H

#include <stdbool.h>
#include <stdint.h>

#include "net/session.h"

struct far;

/* NULL when there is none at `path`. */
struct far *far_open(const char *path);
/* NULL is nothing, here and below. */
void far_close(struct far *f);

/* A connection of ours was opened, from `port`: what is said from now on is about this one. */
void far_connected(struct far *f, uint16_t port);
/* Before it is closed: asks a last time, and waits for the answer, normally some microseconds. */
void far_finish(struct far *f);

/* Asks now and then, more often while `waiting`. */
void far_watch(const struct far *f, bool waiting, struct watch *w);
/* Returns true when what is known has changed. */
bool far_turn(struct far *f, const struct watch *w, bool waiting, int64_t now);

/* The server's side of the present connection, or NULL when it is not known (any more). */
const struct session_tcp *far_tcp(const struct far *f);
/* When it was asked for that, and by when it had answered. Returns false when nothing is known. */
bool far_times(const struct far *f, int64_t *asked, int64_t *answered);
/* Segments that the server's kernel sent again, over all connections. Returns false when it could never be asked. */
bool far_again(const struct far *f, uint64_t *again);

#endif
