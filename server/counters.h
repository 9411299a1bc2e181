/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The server's counters. Each is one row of a list here, X(member or identifier, word). The lists
 * make the struct, its sums, the lines of totals in the log and on the control socket, and the
 * reasons in the log. A list is a line of totals; upcased(8) explains every word. Pure. */
#pragma once

#include "common/event-line.h"

/* Clients are peers that were not among the last RECENT_PEERS_MAX. Datagrams are received ones:
 * their number is that of replies and drops together, changed on a link by copies, losses and
 * datagrams under way. */
#define COUNTERS_UDP_LIST(X) \
	X(udp_clients, "clients") \
	X(udp_datagrams, "datagrams") \
	X(udp_replies, "replies") \
	X(udp_bytes_in, "bytes-in") \
	X(udp_bytes_out, "bytes-out")

/* Why a datagram got no reply. ANSWER, which is no reason, and those up to LOOP are the loop
 * guard's decisions. */
#define COUNTERS_DROP_LIST(X) \
	X(ANSWER, NULL) \
	/* From a port under 1024: echo, chargen, DNS and the like answer by themselves. */ \
	X(LOW_PORT, "low-port") \
	/* From an unspecified, multicast or broadcast address. */ \
	X(BAD_SOURCE, "bad-source") \
	/* Sent to a multicast or broadcast address. */ \
	X(GROUP, "group") \
	/* From an address and port that this server itself serves. */ \
	X(OWN_ADDRESS, "own-address") \
	/* From a server: part of a loop. */ \
	X(LOOP, "loop") \
	/* --datagram-rate. */ \
	X(TOO_FAST, "rate") \
	/* The reply is longer than a datagram can be. */ \
	X(TOO_LONG, "too-long") \
	/* The system refused to send it. */ \
	X(UNSENDABLE, "unsendable") \
	/* It had to wait, and there was no memory for it, or the server or the worker ended \
	 * first. */ \
	X(UNSENT, "unsent")

/* Datagrams that the kernel dropped because the receive queue was full, where it tells; errors that
 * the system reported on a socket, such as ICMP's. Neither is in another counter. */
#define COUNTERS_UDP_SYSTEM_LIST(X) \
	X(udp_kernel_drops, HAVE_ARRIVALS ? "overflowed" : NULL) \
	X(udp_errors, "errors")

/* Served connections: their number is that of present and ended ones together. Lines are line feeds
 * received. Bytes are those read, and those that the kernel took to be sent. */
#define COUNTERS_TCP_LIST(X) \
	X(tcp_clients, "clients") \
	X(tcp_now, "now") \
	X(tcp_lines, "lines") \
	X(tcp_bytes_in, "bytes-in") \
	X(tcp_bytes_out, "bytes-out")

/* Why a connection was refused: --max-clients, --max-per-source, --connect-rate; its descriptor
 * cannot be watched, by select() or by epoll; no memory. */
#define COUNTERS_REFUSAL_LIST(X) \
	X(FULL, "full") \
	X(PER_SOURCE, "per-source") \
	X(RATE, "rate") \
	X(DESCRIPTOR, "descriptor") \
	X(MEMORY, "memory")

/* How a connection ended. */
#define COUNTERS_END_LIST(X) \
	/* The client closed it, and was sent every byte. */ \
	X(CLOSED, "closed") \
	/* The client, or the network, broke it off. */ \
	X(RESET, "reset") \
	/* --idle-timeout. */ \
	X(IDLE, "idle") \
	/* The server ended, with everything sent. */ \
	X(STOPPED, "stopped") \
	/* The server closed it with bytes that the client did not take, or the worker died. */ \
	X(CUT, "cut")

/* Datagrams in one direction of the impaired link. `datagrams` and `copies` (second ones) together
 * equal the lost ones (by fate, impair.h), the arrived ones and the waiting ones (under way now).
 * Held back: picked to be overtaken. */
#define COUNTERS_LINK_LIST(X) \
	X(copies, "copies") \
	X(held_back, "held-back") \
	X(waiting, "waiting")

#define X(id, word) COUNTERS_##id,
enum counters_drop { COUNTERS_DROP_LIST(X) COUNTERS_DROPS };
enum counters_refusal { COUNTERS_REFUSAL_LIST(X) COUNTERS_REFUSALS };
enum counters_end { COUNTERS_END_LIST(X) COUNTERS_ENDS };
#undef X

/* Only counters, each a uint64_t, in the order of the lines. */
#define X(member, word) uint64_t member;
struct counters_link {
	uint64_t datagrams;
	uint64_t lost[IMPAIR_FATES];
	COUNTERS_LINK_LIST(X)
};
struct counters {
	COUNTERS_UDP_LIST(X)
	uint64_t udp_dropped[COUNTERS_DROPS];
	COUNTERS_UDP_SYSTEM_LIST(X)
	COUNTERS_TCP_LIST(X)
	uint64_t tcp_refused[COUNTERS_REFUSALS];
	uint64_t tcp_ended[COUNTERS_ENDS];
	struct counters_link udp_link[LINK_DIRECTIONS];
};
#undef X

/* Adds the counters of `one`. */
void counters_add(struct counters *sum, const struct counters *one);
/* Closes the counters of a worker that died in the middle of its work: its connections count as
 * cut, its unsettled datagrams as unsent. */
void counters_end_worker(struct counters *c);

/* Room for one line of totals. */
#define COUNTERS_LINE 400

/* Line `i`, from 0 on, "udp: clients 1 datagrams 2 ...", without its end. Returns `buf`, or NULL
 * after the last one. The last two, "udp there:" and "udp back:", exist once a datagram has met the
 * link. */
char *counters_line(const struct counters *c, int i, char buf[COUNTERS_LINE]);

/* The word of a reason in the lines; `list` is the member that counts it. */
#define COUNTERS_WORD(list, reason) \
	counters_word(offsetof(struct counters, list) / sizeof(uint64_t) + (reason))
const char *counters_word(size_t counter);

/* The number of line feeds. */
uint64_t counters_line_feeds(const void *bytes, size_t n);
