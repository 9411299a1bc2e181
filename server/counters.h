/* SPDX-License-Identifier: GPL-3.0-or-later */
/* What the server counts, and how it is told. Pure. */
#ifndef UPCASED_COUNTERS_H
#define UPCASED_COUNTERS_H

#include <stddef.h>
#include <stdint.h>

#include "server/loop-guard.h"

/* Why a datagram got no reply. The first ones are the loop guard's decisions. */
enum counters_drop {
	COUNTERS_LOW_PORT = LOOP_GUARD_LOW_PORT,
	COUNTERS_BAD_SOURCE = LOOP_GUARD_BAD_SOURCE,
	COUNTERS_GROUP = LOOP_GUARD_GROUP,
	COUNTERS_OWN_ADDRESS = LOOP_GUARD_OWN_ADDRESS,
	COUNTERS_LOOP = LOOP_GUARD_LOOP,
	/* --datagram-rate. */
	COUNTERS_TOO_FAST,
	/* The reply is longer than a datagram can be. */
	COUNTERS_TOO_LONG,
	/* The system refused to send it. */
	COUNTERS_UNSENDABLE,
	/* It had to wait, and there was no memory for it, or the server or the worker ended first.
	 */
	COUNTERS_UNSENT,
	COUNTERS_DROPS
};

/* Why a connection was refused. */
enum counters_refusal {
	/* --max-clients. */
	COUNTERS_FULL,
	/* --max-per-source. */
	COUNTERS_PER_SOURCE,
	/* --connect-rate. */
	COUNTERS_RATE,
	/* Its descriptor cannot be watched, by select() or by the system's own set. */
	COUNTERS_DESCRIPTOR,
	COUNTERS_MEMORY,
	COUNTERS_REFUSALS
};

/* How a connection ended. */
enum counters_end {
	/* By the client, and it was sent every byte. */
	COUNTERS_CLOSED,
	/* The client, or the network, broke it off. */
	COUNTERS_RESET,
	/* --idle-timeout. */
	COUNTERS_IDLE,
	/* By the server's end, everything sent. */
	COUNTERS_STOPPED,
	/* By the server, with bytes that the client did not take, or by the death of the worker. */
	COUNTERS_CUT,
	COUNTERS_ENDS
};

/* Directions of the link that the options impair: to the server, and from it. */
enum counters_direction { COUNTERS_THERE, COUNTERS_BACK, COUNTERS_DIRECTIONS };

/* What became of datagrams on it: `datagrams` and `copies` together are so many as were lost, as
 * arrived and as are waiting. */
struct counters_link {
	uint64_t datagrams;
	/* Lost: each on its own, in bursts, for a full queue, for no memory. */
	uint64_t random, burst, queue, no_memory;
	/* Second copies made. */
	uint64_t copies;
	/* Picked to be overtaken. */
	uint64_t held_back;
	/* Under way now. */
	uint64_t waiting;
};

/* Nothing but counters, each a uint64_t. */
struct counters {
	/* Peers that were not among the last RECENT_PEERS_MAX. */
	uint64_t udp_clients;
	/* Datagrams received: so many as replies and drops together; with a link between, it adds
	 * copies, losses and what is under way. */
	uint64_t udp_datagrams, udp_replies;
	uint64_t udp_bytes_in, udp_bytes_out;
	uint64_t udp_dropped[COUNTERS_DROPS];
	/* What the kernel dropped because the receive queue was full; in no other count. */
	uint64_t udp_kernel_drops;
	/* Errors that the system reported on a socket, such as ICMP's; in no other count. */
	uint64_t udp_errors;
	struct counters_link udp_link[COUNTERS_DIRECTIONS];

	/* Connections served: so many as there are now and ends together. */
	uint64_t tcp_clients, tcp_now;
	/* Line feeds received. */
	uint64_t tcp_lines;
	/* Bytes read, and bytes that the kernel took to be sent. */
	uint64_t tcp_bytes_in, tcp_bytes_out;
	uint64_t tcp_refused[COUNTERS_REFUSALS];
	uint64_t tcp_ended[COUNTERS_ENDS];
};

/* Adds what `one` counted. */
void counters_add(struct counters *sum, const struct counters *one);
/* Whose counters these are has died in the middle of his work: connections that he had are cut, and
 * datagrams that he had not dealt with unsent. */
void counters_end_worker(struct counters *t);

/* Room for one line of totals. */
#define COUNTERS_LINE 400

/* Line `i`, from 0 on, "udp: clients 1 datagrams 2 ...", without its end. Returns `buf`, or NULL
 * behind the last one. The last two, "udp there:" and "udp back:", are there once a datagram has
 * met the link. */
char *counters_line(const struct counters *t, int i, char buf[COUNTERS_LINE]);

/* The word that stands for it in the lines. */
const char *counters_drop_word(enum counters_drop d);
const char *counters_refusal_word(enum counters_refusal r);
const char *counters_end_word(enum counters_end e);

/* How many line feeds there are. */
uint64_t counters_line_feeds(const void *bytes, size_t n);

#endif
