/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The server's side of our TCP connections over the lab's link, read from its control socket
 * (upcased --control). Our kernel does not see what the server's retransmits. */
#pragma once

#include "common/fd-watch.h"
#include "trace/trace.h"

struct server_tcp;

/* Returns NULL when no server answers at `path`. */
struct server_tcp *server_tcp_open(const char *path);
/* NULL is allowed, here and below. */
void server_tcp_close(struct server_tcp *s);

/* A connection of ours was opened from `port`: samples are of this connection from now on. */
void server_tcp_connected(struct server_tcp *s, uint16_t port);
/* Takes a last sample before the connection is closed and waits for it, normally some microseconds.
 */
void server_tcp_finish(struct server_tcp *s);

/* Asks for a sample as soon as the last one has come. */
void server_tcp_ask(struct server_tcp *s);
/* Requests samples now and then, more often while lines are waiting. */
void server_tcp_watch(const struct server_tcp *s, bool waiting, struct fd_watch *w);
/* Returns true when the sample has changed. */
bool server_tcp_dispatch(struct server_tcp *s, const struct fd_watch *w, bool waiting, int64_t now);

/* The last sample of the present connection, or NULL when none is known (any more). */
const struct trace_timer *server_tcp_sample(const struct server_tcp *s);
/* Segments that the server's kernel retransmitted in all; false without any sample. */
bool server_retransmitted(const struct server_tcp *s, uint64_t *segments);
