/* SPDX-License-Identifier: GPL-3.0-or-later */
/* The soak's TCP clients: well-behaved ones, of which every byte is checked, and rude ones. */
#pragma once

#include "tests/soak/soak.h"

/* What became of connections. */
struct soak_tcp_counts {
	/* The system's word that they were there, and connects that it refused for want of
	 * something here. */
	uint64_t connected, unconnected;
	/* Well-behaved ones, of them those that ended as they should, every byte right; those that
	 * the server refused. */
	uint64_t served, refused;
	/* Of the served: those that ended by a half-close, which the server sees as the end of a
	 * client. */
	uint64_t half_closed;
	/* Ended by the server for having been idle. */
	uint64_t idle;
	/* Ended by a reset from here, or by a close after a time of saying nothing. */
	uint64_t resets, left;
	uint64_t bytes_sent, bytes_checked;
};

struct soak_tcp;

struct soak_tcp *soak_tcp_new(struct soak *s);
void soak_tcp_free(struct soak_tcp *t);
/* Timers, new clients, floods. Once a tick. */
void soak_tcp_turn(struct soak_tcp *t);
/* Ends the rude ones. Returns how many well-behaved ones go on. */
unsigned soak_tcp_drain(struct soak_tcp *t);
const struct soak_tcp_counts *soak_tcp_counts(const struct soak_tcp *t);
/* How many there are now. */
unsigned soak_tcp_now(const struct soak_tcp *t);
/* A line for each kind of client. */
void soak_tcp_report(const struct soak_tcp *t);
