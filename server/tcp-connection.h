/* SPDX-License-Identifier: GPL-3.0-or-later */
/* One connection: bytes in, capitals out. It holds a buffer only while the client is slower than
 * the server. */
#ifndef UPCASED_TCP_CONNECTION_H
#define UPCASED_TCP_CONNECTION_H

#include <stdalign.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/addr.h"
#include "common/capitals.h"
#include "server/poller.h"
#include "server/counters.h"

/* Bytes read at once. While the replies that are held for all clients together are so many bytes, a
 * read is a short one: so a thousand clients that do not read theirs cost that much and at most 24
 * KiB each. */
#define TCP_CONNECTION_IN 262144
#define TCP_CONNECTION_IN_SHORT 8192
#define TCP_CONNECTION_HELD_MAX (UINT64_C(16) << 20)
/* What is held back of the piece before, and the room that is asked for what may be. */
#define TCP_CONNECTION_OUT (CAPITALS_GROWTH * (TCP_CONNECTION_IN + 2 * CAPITALS_HELD))

struct tcp_connection;

/* What all connections share. */
struct tcp_connection_shared {
	struct poller *poller;
	struct counters *counters;
	/* Bytes were read or written; the connection lives on. */
	void (*moved)(void *context, struct tcp_connection *s, int64_t now);
	/* The connection is over, for the reason `how`; errno `error` or 0. The owner calls
	 * tcp_connection_close() and frees. */
	void (*over)(void *context, struct tcp_connection *s, enum counters_end how, int error,
	    int64_t now);
	void *context;
	/* How many more times somebody may read again in the turn that began at `dispatched_at`,
	 * ns, and did not leave it to the next. */
	int rereads;
	int64_t dispatched_at;
	/* The size of all that is `pending`, bytes. */
	uint64_t held;
	alignas(4096) unsigned char in[TCP_CONNECTION_IN];
	alignas(4096) unsigned char out[TCP_CONNECTION_OUT];
};

struct tcp_connection {
	struct tcp_connection_shared *shared;
	int fd;
	struct capitals capitals;
	/* Nothing more will be read: it ends once all is written. */
	bool ending;
	/* All is written; the system has not sent all yet, of which `waiting` bytes were left when
	 * that was last looked at. */
	bool draining;
	/* The server ends: only `left` more bytes are read, those that had been received by then.
	 */
	bool finishing;
	size_t left;
	/* All is written and the end is told; it waits for the client's system to have everything.
	 */
	bool lingering;
	/* What the kernel did not take: `waiting` bytes from `begin` on, `begin + waiting` in all.
	 * NULL for none. */
	unsigned char *pending;
	size_t begin, waiting;
	uint64_t bytes_in, bytes_out;
};

/* Takes over a connected, non-blocking descriptor that the poller can watch. Returns 0, or -1 with
 * errno: it is still the caller's. */
int tcp_connection_open(struct tcp_connection *s, struct tcp_connection_shared *shared, int fd);
/* Answers what has come already. It may be over when this returns. */
void tcp_connection_read(struct tcp_connection *s, int64_t now);
/* Closes at once; it ended for the reason `how`. */
void tcp_connection_close(struct tcp_connection *s, enum counters_end how);
/* Reads or writes once, though nobody said that it could be done. Returns whether bytes moved or it
 * is over. */
bool tcp_connection_try(struct tcp_connection *s, int64_t now);
/* Answers what has been received by now and ends it. It may be over when this returns. */
void tcp_connection_finish(struct tcp_connection *s, int64_t now);
/* To be called now and then afterwards: whether the client's system has everything makes nothing
 * ready. It may be over when this returns. */
void tcp_connection_check(struct tcp_connection *s, int64_t now);

#endif
