/* SPDX-License-Identifier: GPL-3.0-or-later */
/* A session over TCP, for the files that are it: tcp.c opens, sends and closes, tcp.c reads. Times
 * are ns. */
#ifndef UPCASE_TCP_CORE_H
#define UPCASE_TCP_CORE_H

#include "net/session-internal.h"
#include "ledger/stall.h"
#include "net/timestamps.h"
#include "net/send-queue.h"

/* One read. */
#define TCP_READ_SIZE 65536
/* How long after a reply the close is waited for when this server was seen to close before. */
#define TCP_CLOSE_EXPECTED NS_PER_S

enum reuse {
	REUSE_UNKNOWN, /* not known yet whether the server keeps the connection */
	REUSE_NEVER,   /* it closes after each reply: a line a connection */
	REUSE_ALWAYS,  /* it keeps it */
};

struct tcp {
	/* To be sent. */
	struct send_queue out;
	/* The line whose pieces come is not wanted any more: its connection is gone. */
	bool skipping;

	/* The beginning of a reply line whose end has not come yet; `in_long`: pieces of it have
	 * been passed on. */
	unsigned char *in;
	size_t in_used, in_capacity;
	bool in_long;

	enum reuse reuse;
	/* Lines sent and answered on this connection. */
	uint64_t sent, answered;
	/* Until when a careful sender waits. */
	int64_t probe_until;
	/* When the last reply came. */
	int64_t answered_at;
	/* Writing failed: reading will say why. */
	bool write_failed;
	bool half_closed;
	bool reported_single;

	/* When bytes came: this read, its bytes by the kernel's clock, and whether it was the
	 * kernel's. */
	int64_t read_at;
	bool stamped;
	/* Segments that had come out of order by the last read that left nothing behind. */
	uint32_t disorder;
	/* When a read last left nothing behind that could be read; INT64_MIN before the first that
	 * did. */
	int64_t emptied_at;
	struct timestamps timestamps;
	struct stall stall;
	/* TCP_INFO over all connections; what those before this one sent again; the next look. */
	struct figures_tcp seen;
	uint64_t retransmitted_before;
	int64_t sample_at;
	/* The connection in use, or the last one. */
	struct session_connection connection;
	unsigned char buffer[TCP_READ_SIZE];
};

/* A turn's reads. Returns false when the connection has ended: `at` then, by `error`, 0 for the
 * peer's wish. */
bool tcp_receive(struct session *s, int *error, int64_t *at);
/* The connection has ended: what came of a reply is what there is of it. */
void tcp_receive_end(struct session *s, int64_t now);
/* Bytes came, or the connection ended. */
void tcp_end_stall(struct session *s, int64_t at);

#endif
