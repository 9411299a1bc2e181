/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the control socket is asked, and what it answers. Pure.
 *
 * Lines of text, each ended by a newline. An order is one line; its answer is any number of lines and then one that is "ok"
 * or begins with "error".
 *
 *   totals                 the lines of totals.h, "udp: clients 1 datagrams 2 ..."
 *   connections            a line for each TCP client, in the order of tcp_each()
 *   connection ADDR:PORT   one client's, written as "connections" writes it
 *   link                   what --loss and the like do: "seed 42", "there line loss 20%", "back line nothing"
 *   help                   the orders
 *
 * A connection's line is "connection ADDR:PORT" and then pairs of a name and a value:
 *   age-ms, idle-ms        since it was accepted; since a byte was last read or taken by the kernel
 *   bytes-in, bytes-out    read; taken by the kernel to be sent
 *   pending                bytes that the kernel has not taken yet
 * and of the kernel's TCP_INFO, all but those that an old kernel does not tell:
 *   state                  "established", "close-wait", ...
 *   retransmits, probes, backoff
 *                          timeouts in a row for what is sent; probes of a closed window; doublings of the timeout
 *   rto-us                 the timeout, doublings included
 *   rtt-us, rttvar-us, min-rtt-us
 *                          the round-trip time: smoothed, its deviation, the least
 *   cwnd, unacked, lost    segments: that may be, that are, and that are thought lost under way
 *   total-retrans, bytes-retrans
 *                          sent again since the beginning: segments, bytes
 *   total-rto              how often the timer ran out since the beginning
 *   notsent                bytes that the kernel took and has not sent for the first time
 * With workers "totals" is the sum of all, and the connections are those of each worker in turn. Who asks for more
 * connections than fit gets an error behind those that do.
 * Later versions may add names; who reads skips those that it does not know. */
#ifndef UPCASED_ORDERS_H
#define UPCASED_ORDERS_H

#include <linux/tcp.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "addr.h"
#include "impair-options.h"
#include "outbox.h"
#include "totals.h"

/* What is told of one TCP client. */
struct orders_connection {
	char peer[ADDR_TEXT];
	/* ns. */
	int64_t age, idle;
	uint64_t bytes_in, bytes_out;
	size_t pending;
	/* As the kernel filled it in, and how much of it: kernels differ. */
	struct tcp_info info;
	socklen_t info_size;
	/* How often its retransmission timer ran out, where the kernel tells it; else -1. */
	int total_rto;
};

typedef void orders_tell(void *context, const struct orders_connection *c);

/* What orders ask; all borrowed. */
struct orders {
	const struct totals *totals;
	const struct impair_options *link;
	/* Tells of each TCP client. */
	void (*each)(void *tcp, int64_t now, orders_tell *tell, void *context);
	void *tcp;
	/* Brings `totals` up to date; NULL where they always are. */
	void (*sum)(void *server);
	/* Where workers serve, else NULL: gives each of them an order, as workers_ask() tells. */
	int (*ask)(void *server, const char *order, void (*line)(void *context, const char *line), void *context);
	void *server;
};

/* Executes an order, `line` without its newline (it is taken apart), and answers. */
void orders_execute(const struct orders *o, char *line, int64_t now, struct outbox *out);

#endif
