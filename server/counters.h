/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the server counts, and how it is told. Pure. */
#ifndef UPCASED_TOTALS_H
#define UPCASED_TOTALS_H

#include <stddef.h>
#include <stdint.h>

#include "server/loop-guard.h"

/* Why a datagram got no reply. The first ones are the guard's verdicts. */
enum totals_drop {
	TOTALS_LOW_PORT = GUARD_LOW_PORT,
	TOTALS_BAD_SOURCE = GUARD_BAD_SOURCE,
	TOTALS_GROUP = GUARD_GROUP,
	TOTALS_OWN_ADDRESS = GUARD_OWN_ADDRESS,
	TOTALS_LOOP = GUARD_LOOP,
	/* --datagram-rate. */
	TOTALS_TOO_FAST,
	/* The reply is longer than a datagram can be. */
	TOTALS_TOO_LONG,
	/* The system refused to send it. */
	TOTALS_UNSENDABLE,
	/* It had to wait, and there was no memory for it, or the server or the worker ended first. */
	TOTALS_UNSENT,
	TOTALS_DROPS
};

/* Why a connection was refused. */
enum totals_refusal {
	/* --max-clients. */
	TOTALS_FULL,
	/* --max-per-source. */
	TOTALS_PER_SOURCE,
	/* --connect-rate. */
	TOTALS_RATE,
	/* Its descriptor cannot be watched, by select() or by the system's own set. */
	TOTALS_DESCRIPTOR,
	TOTALS_MEMORY,
	TOTALS_REFUSALS
};

/* How a connection ended. */
enum totals_end {
	/* By the client, and it was sent every byte. */
	TOTALS_CLOSED,
	/* The client, or the network, broke it off. */
	TOTALS_RESET,
	/* --idle-timeout. */
	TOTALS_IDLE,
	/* By the server's end, everything sent. */
	TOTALS_STOPPED,
	/* By the server, with bytes that the client did not take, or by the death of the worker. */
	TOTALS_CUT,
	TOTALS_ENDS
};

/* Directions of the link that the options impair: to the server, and from it. */
enum totals_way_name { TOTALS_THERE, TOTALS_BACK, TOTALS_WAYS };

/* What became of datagrams on it: `datagrams` and `copies` together are so many as were lost, as arrived and as are
 * waiting. */
struct totals_way {
	uint64_t datagrams;
	/* Lost: each on its own, in bursts, for a full queue, for no memory. */
	uint64_t random, burst, queue, room;
	/* Second copies made. */
	uint64_t copies;
	/* Picked to be overtaken. */
	uint64_t held_back;
	/* Under way now. */
	uint64_t waiting;
};

/* Nothing but counters, each a uint64_t. */
struct totals {
	/* Peers that were not among the last PEERS_KEPT. */
	uint64_t udp_clients;
	/* Datagrams received: so many as replies and drops together; with a link between, it adds copies, losses and what is
	 * under way. */
	uint64_t udp_datagrams, udp_replies;
	uint64_t udp_bytes_in, udp_bytes_out;
	uint64_t udp_dropped[TOTALS_DROPS];
	/* What the kernel dropped because the receive queue was full; in no other count. */
	uint64_t udp_overflowed;
	/* Errors that the system reported on a socket, such as ICMP's; in no other count. */
	uint64_t udp_errors;
	struct totals_way udp_ways[TOTALS_WAYS];

	/* Connections served: so many as there are now and ends together. */
	uint64_t tcp_clients, tcp_now;
	/* Line feeds received. */
	uint64_t tcp_lines;
	/* Bytes read, and bytes that the kernel took to be sent. */
	uint64_t tcp_bytes_in, tcp_bytes_out;
	uint64_t tcp_refused[TOTALS_REFUSALS];
	uint64_t tcp_ended[TOTALS_ENDS];
};

/* Adds what `one` counted. */
void totals_add(struct totals *sum, const struct totals *one);
/* Whose counters these are has died in the middle of his work: connections that he had are cut, and datagrams that he had
 * not dealt with unsent. */
void totals_bury(struct totals *t);

/* Room for one line of totals. */
#define TOTALS_LINE 400

/* Line `i`, from 0 on, "udp: clients 1 datagrams 2 ...", without its end. Returns `buf`, or NULL behind the last one. The
 * last two, "udp there:" and "udp back:", are there once a datagram has met the link. */
char *totals_line(const struct totals *t, int i, char buf[TOTALS_LINE]);

/* The word that stands for it in the lines. */
const char *totals_drop_word(enum totals_drop d);
const char *totals_refusal_word(enum totals_refusal r);
const char *totals_end_word(enum totals_end e);

/* How many line feeds there are. */
uint64_t totals_line_feeds(const void *bytes, size_t n);

#endif
