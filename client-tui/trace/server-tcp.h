/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the server at the far end of the lab's link says of its own side of our TCP connections,
 * over its control socket (upcased
 * --control): a reply that is lost is repaired by the server's kernel, and ours never knows. */
#ifndef UPCASE_TRACE_SERVER_TCP_H
#define UPCASE_TRACE_SERVER_TCP_H

#include <stdbool.h>
#include <stdint.h>

#include "common/fd-watch.h"
#include "ledger/figures.h"

struct server_tcp;

/* NULL when there is none at `path`. */
struct server_tcp *server_tcp_open(const char *path);
/* NULL is nothing, here and below. */
void server_tcp_close(struct server_tcp *f);

/* A connection of ours was opened, from `port`: what is said from now on is about this one. */
void server_tcp_connected(struct server_tcp *f, uint16_t port);
/* Before it is closed: asks a last time, and waits for the answer, normally some microseconds. */
void server_tcp_finish(struct server_tcp *f);

/* Asks now and then, more often while `waiting`. */
void server_tcp_watch(const struct server_tcp *f, bool waiting, struct fd_watch *w);
/* Returns true when what is known has changed. */
bool server_tcp_dispatch(struct server_tcp *f, const struct fd_watch *w, bool waiting, int64_t now);

/* The server's side of the present connection, or NULL when it is not known (any more). */
const struct tcp_sample *server_tcp_sample(const struct server_tcp *f);
/* When it was asked for that, and by when it had answered. Returns false when nothing is known. */
bool server_tcp_times(const struct server_tcp *f, int64_t *asked, int64_t *answered);
/* Segments that the server's kernel sent again, over all connections. Returns false when it could
 * never be asked. */
bool server_retransmitted(const struct server_tcp *f, uint64_t *again);

#endif
